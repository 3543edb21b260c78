//! `jcdetect normalize`

use std::io::{self, Write};

use anyhow::Result;
use rayon::prelude::*;

use super::exit::Exit;
use super::gather::{Filter, Settings};
use super::{queries, write_out};
use crate::detect::store::Store;
use crate::input::again::with_record;
use crate::output::normalized::Normalized;
use crate::rule::set::RuleSet;

/// Records that are written together.
const TOGETHER: usize = 4096;

/// Writes the normalized event of each record, in the order of the sources.
pub fn run(typed: &queries::Normalize) -> Result<Exit> {
    let settings = Settings::new(&typed.input, &queries::Shown::default())?;
    let filter = Filter::new(&typed.filters, settings.is_quiet)?;
    let mut gathered = settings.gather(RuleSet::asking(filter.and(None), &[]), true)?;
    let later = filter.condition.as_ref().filter(|condition| condition.is_linked());
    let events = gathered.chosen_between(0..gathered.analysis.store.len(), later);
    let ended = write_out(|out| {
        let mut waiting: Vec<(u32, Vec<u8>)> = Vec::with_capacity(TOGETHER);
        gathered.records(&events, &mut |store, names, event, record| {
            waiting.push((event, record.to_vec()));
            if waiting.len() < TOGETHER {
                return Ok(());
            }
            write(store, names, &std::mem::take(&mut waiting), out)
        })?;
        write(&gathered.analysis.store, &gathered.names, &waiting, out)
    })?;
    gathered.exits.extend(ended);
    gathered.tell_skipped(settings.is_quiet);
    Ok(Exit::worst(&gathered.exits))
}

fn write(store: &Store, names: &[String], records: &[(u32, Vec<u8>)], out: &mut dyn Write) -> io::Result<()> {
    let line = |(event, record): &(u32, Vec<u8>)| {
        let mut line = Vec::new();
        let origin = store.origin(*event);
        let written = with_record(record, |json| {
            let normalized = Normalized {
                time: store.time(*event),
                id: store.id(*event),
                organization: store.organization(*event),
                service: store.service(*event),
                fields: store.view(*event),
                origin,
                source: names.get(origin.source as usize).map_or("", String::as_str),
                json,
            };
            normalized.write(&mut line)
        });
        written.unwrap_or(Ok(())).map(|()| line)
    };
    let lines: Vec<io::Result<Vec<u8>>> = records.par_iter().map(line).collect();
    lines.into_iter().try_for_each(|line| out.write_all(&line?))
}
