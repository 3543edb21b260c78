//! Errand: what every command does that reads with rules: sources are kept where they are read again, read with a bar,
//! and told of where they could not be read.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use rayon::ThreadPool;

use super::exit::Exit;
use super::pipeline::{Analysis, Job, analyse};
use super::progress::Progress;
use super::say;
use crate::detect::partition::Partition;
use crate::enrich::enrichment::{Enrichment, Paths};
use crate::event::coverage::{Coverage, Lacking, Unreadable};
use crate::event::time::Timestamp;
use crate::input::Options;
use crate::input::source::{Source, Sources};
use crate::output::table::not_used;
use crate::rule::set::RuleSet;

/// What is read again when all has been read, beside what has to be for indicators that end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// nothing
    Never,
    /// the sources
    Sources,
    /// the sources and what only teaches
    All,
}

/// How a command reads and detects.
pub struct Errand<'a> {
    /// the rules
    pub set: &'a RuleSet,
    /// the organizations whose events are read; all, if none is named
    pub organizations: &'a [String],
    /// the files that tell more of what stands in events
    pub enrichment: &'a Paths,
    /// when now is, if it was said
    pub now: Option<Timestamp>,
    /// how records are read
    pub options: Options,
    /// the stretches of time worked on in parallel
    pub partition: Partition,
    /// the threads that work
    pub pool: &'a ThreadPool,
    /// a bar shows how far it is
    pub has_progress: bool,
    /// what is read again
    pub reads_again: Again,
}

impl Errand<'_> {
    /// Reads sources and what only teaches, detects, and tells of what could not be read. What can be read only once is
    /// kept where it is read again.
    pub fn run(
        &self,
        sources: &mut Sources,
        history: &mut Sources,
        exits: &mut Vec<Exit>,
    ) -> Result<(Enrichment, Analysis)> {
        for unreadable in sources.unreadable.iter().chain(&history.unreadable) {
            say(unreadable);
            exits.push(Exit::Source);
        }
        // Where an indicator was met that ends some day, all is read a second time.
        let has_indicators = !self.enrichment.intel.is_empty();
        if has_indicators || self.reads_again != Again::Never {
            keep(&mut sources.list)?;
        }
        if has_indicators || self.reads_again == Again::All {
            keep(&mut history.list)?;
        }
        let progress = Progress::new(self.has_progress, sources.bytes() + history.bytes());
        let read = |enrichment: &Enrichment| {
            let job = Job {
                sources: &sources.list,
                history: &history.list,
                organizations: self.organizations,
                enrichment: Some(enrichment),
                options: self.options,
                partition: self.partition,
            };
            self.pool.install(|| analyse(self.set, job, &|bytes| progress.passed(bytes)))
        };
        let (enrichment, mut analysis) = enriched(self.enrichment, self.now, read)?;
        progress.finish();
        exits.extend(tell_of_sources(sources, &mut analysis.reading.coverage));
        exits.extend(tell_of_sources(history, &mut analysis.history.coverage));
        Ok((enrichment, analysis))
    }
}

/// Keeps what can be read only once, where records or indicators make that it is read again.
fn keep(sources: &mut [Source]) -> Result<()> {
    for source in sources {
        source.spool().map_err(|error| {
            anyhow!("{}: it cannot be kept in a temporary file ({error}): set TMPDIR, or name a file", source.name)
        })?;
    }
    Ok(())
}

/// Analyses with what is known from elsewhere. When now is, unless it was given, is known only when all is read; it
/// matters where an indicator was met that ends some day.
fn enriched(
    paths: &Paths,
    now: Option<Timestamp>,
    analyse: impl Fn(&Enrichment) -> Analysis,
) -> Result<(Enrichment, Analysis)> {
    let enrichment = Enrichment::load(paths, now.unwrap_or(Timestamp(i64::MIN))).map_err(|e| anyhow!("{e}"))?;
    let analysis = analyse(&enrichment);
    let is_unsure = now.is_none() && enrichment.has_met_ending();
    let Some(span) = analysis.reading.coverage.span.filter(|_| is_unsure) else {
        return Ok((enrichment, analysis));
    };
    let enrichment = Enrichment::load(paths, span.last).map_err(|e| anyhow!("{e}"))?;
    let analysis = analyse(&enrichment);
    Ok((enrichment, analysis))
}

/// Tells of sources that could not be read to their end or are something else, and adds to the account what could not
/// be opened, of which was told before they were read, and what was left out.
fn tell_of_sources(found: &Sources, coverage: &mut Coverage) -> Vec<Exit> {
    let is_foreign = |source: &&Unreadable| source.lacking == Lacking::Events;
    let foreign: BTreeSet<u32> = coverage.unreadable.iter().filter(is_foreign).map(|source| source.place).collect();
    let others = (0..).zip(&found.list).filter(|(place, _)| !foreign.contains(place));
    let with_others: BTreeSet<usize> = others.map(|(_, source)| source.argument).collect();
    let mut exits = Vec::new();
    for source in &coverage.unreadable {
        say(source);
        // A folder has failed only if nothing in it was an export.
        if !is_foreign(&source) || !with_others.contains(&found.list[source.place as usize].argument) {
            exits.push(Exit::Source);
        }
    }
    coverage.unreadable.splice(0..0, found.unreadable.iter().cloned());
    coverage.unreadable.sort_by_key(|source| source.place);
    coverage.not_read.clone_from(&found.left_out);
    exits
}

/// Tells which entries of the files that events are looked up in could not be used. A scan has them in its report.
pub fn tell_of_entries(enrichment: &Enrichment) {
    enrichment.provenance().iter().filter_map(not_used).for_each(say);
}

/// Organizations that were asked for, and of which there is no event.
pub fn tell_of_organizations(wanted: &[String], coverage: &Coverage) -> Option<Exit> {
    const MOST: usize = 5;
    let known = &coverage.organizations;
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|id| !known.contains_key(*id)).collect();
    if missing.is_empty() || known.is_empty() {
        return None;
    }
    let shown: Vec<&str> = known.keys().map(String::as_str).take(MOST).collect();
    let more = if known.len() > MOST { format!(" and {} more", known.len() - MOST) } else { String::new() };
    say(format_args!("--organization {}: no event of it; there are {}{more}", missing.join(", "), shown.join(", ")));
    Some(Exit::Usage)
}
