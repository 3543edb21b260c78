//! `jcdetect summary`

use anyhow::Result;

use super::exit::Exit;
use super::gather::{Filter, Settings};
use super::{queries, write_out};
use crate::output::Format;
use crate::output::summary;
use crate::rule::set::RuleSet;
use crate::triage::summary::summary as sections;

/// Sums up what was typed.
pub fn run(typed: &queries::Summary) -> Result<Exit> {
    let settings = Settings::new(&typed.input, &typed.shown)?;
    let filter = Filter::new(&typed.filters, settings.is_quiet)?;
    let format = typed.format;
    let gathered = settings.gather(RuleSet::asking(filter.and(None), &[]), false)?;
    let (store, coverage) = (&gathered.analysis.store, &gathered.analysis.reading.coverage);
    let later = filter.condition.as_ref().filter(|condition| condition.is_linked());
    let events = gathered.chosen_between(0..store.len(), later);
    let (mut gaps, mut silences) = (coverage.gaps(), coverage.silences());
    gaps.retain(|gap| gathered.has_part_of(gap.from, gap.to));
    silences.retain(|silence| gathered.has_part_of(silence.from, silence.to));
    let tables = sections(store, &events, gaps, silences);
    let ended = write_out(|out| {
        if format == Format::Json {
            return summary::json(tables, events.len(), coverage, out);
        }
        summary::table(tables, events.len(), coverage, &gathered.names, (settings.limit, settings.look), out)
    })?;
    if format == Format::Json {
        gathered.tell_skipped(settings.is_quiet);
    }
    Ok(Exit::worst(&[gathered.exits.as_slice(), ended.as_slice()].concat()))
}
