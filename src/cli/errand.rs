//! Errand: what every command does that reads with rules: it reads sources, detects, and reports what went wrong with
//! rules, sources and the files that events are looked up in.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};

use anyhow::{Result, anyhow};
use rayon::ThreadPool;

use super::config::Config;
use super::exit::Exit;
use super::pipeline::{Analysis, Job, analyse};
use super::progress::Progress;
use super::say;
use super::settings::CASE_WITHIN;
use crate::detect::partition::Partition;
use crate::detect::store::Store;
use crate::enrich::Provenance;
use crate::enrich::enrichment::{Enrichment, Paths};
use crate::event::counted::few;
use crate::event::coverage::{Coverage, Lacking, Unreadable};
use crate::event::time::Timestamp;
use crate::input::Options;
use crate::input::source::{Source, Sources};
use crate::rule::set::RuleSet;
use crate::triage::case::{Case, Cases};
use crate::triage::finding::{Finding, Findings};
use crate::triage::suppression;

/// Names in a message; the rest are counted.
const MOST: usize = 5;

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
    pub set: RuleSet,
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
    /// nothing but errors on standard error, so no bar either
    pub is_quiet: bool,
    /// what is read again
    pub reads_again: Again,
}

/// What came of it.
pub struct Done {
    /// the rules
    pub set: RuleSet,
    /// what is known from elsewhere
    pub enrichment: Enrichment,
    /// what was read and detected
    pub analysis: Analysis,
    /// what went wrong
    pub exits: Vec<Exit>,
}

impl Errand<'_> {
    /// Reads sources and what only teaches, and detects. Rules that could not be loaded or failed, and sources that could
    /// not be read, are reported. What can be read only once is kept if it is read again.
    pub fn run(self, sources: &mut Sources, history: &mut Sources) -> Result<Done> {
        let mut exits = Vec::new();
        for problem in &self.set.problems {
            say(problem);
            exits.push(Exit::Usage);
        }
        for unreadable in sources.unreadable.iter().chain(&history.unreadable) {
            say(unreadable);
            exits.push(Exit::Source);
        }
        let mut set = self.set;
        // Where an indicator was met that ends some day, all is read a second time.
        let has_indicators = !self.enrichment.intel.is_empty();
        if has_indicators {
            set.plan.look_up();
        }
        if has_indicators || self.reads_again != Again::Never {
            keep(&mut sources.list)?;
        }
        if has_indicators || self.reads_again == Again::All {
            keep(&mut history.list)?;
        }
        let has_progress = !self.is_quiet && io::stderr().is_terminal();
        let progress = Progress::new(has_progress, sources.bytes() + history.bytes());
        let read = |enrichment: &Enrichment| {
            let job = Job {
                sources: &sources.list,
                history: &history.list,
                organizations: self.organizations,
                enrichment: Some(enrichment),
                options: self.options,
                partition: self.partition,
            };
            self.pool.install(|| analyse(&set, job, &|bytes| progress.passed(bytes)))
        };
        let (enrichment, mut analysis) = enriched(self.enrichment, self.now, read)?;
        progress.finish();
        exits.extend(tell_of_sources(sources, &mut analysis.reading.coverage));
        exits.extend(tell_of_sources(history, &mut analysis.history.coverage));
        for fault in faults(&set, &analysis.detected.faults) {
            say(fault);
            exits.push(Exit::Output);
        }
        Ok(Done { set, enrichment, analysis, exits })
    }
}

/// The rules that failed while detecting, once for each message: many files have the same helper rule.
fn faults(set: &RuleSet, faults: &BTreeMap<usize, String>) -> Vec<String> {
    let mut by_message: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (rule, message) in faults {
        by_message.entry(message).or_default().insert(&set.rules[*rule].name);
    }
    let message = |(message, rules): (&str, BTreeSet<&str>)| {
        let rules: Vec<&str> = rules.into_iter().collect();
        let noun = if rules.len() == 1 { "rule" } else { "rules" };
        format!("the {noun} {} failed inside: {message}", few(&rules, MOST, ", "))
    };
    by_message.into_iter().map(message).collect()
}

/// Findings; those that the configuration suppresses are marked.
pub fn findings(
    set: &RuleSet,
    analysis: &Analysis,
    config: &Config,
    evidence_limit: usize,
    make: impl FnOnce(&Findings<'_>) -> Vec<Finding>,
) -> Vec<Finding> {
    let all = Findings { set, store: &analysis.store, detected: &analysis.detected, evidence_limit };
    let mut findings = make(&all);
    let now = analysis.reading.coverage.newest();
    suppression::apply(&config.suppressions, now, &all, &mut findings);
    findings
}

/// The cases of findings, and of what was found before in the history alone; each finding takes the id of its own.
pub fn cases(
    (set, store): (&RuleSet, &Store),
    config: &Config,
    enrichment: &Enrichment,
    findings: &mut Vec<Finding>,
    before: Vec<Finding>,
) -> Vec<Case> {
    let is_own = |ip: &str| enrichment.known.as_ref().is_some_and(|known| known.is_own(ip));
    let within = config.case_within.unwrap_or(CASE_WITHIN);
    let count = findings.len();
    findings.extend(before);
    let cases = Cases { set, store, within, is_own: &is_own }.of(findings);
    findings.truncate(count);
    let case_of: BTreeMap<&String, &String> =
        cases.iter().flat_map(|case| case.finding_ids.iter().map(|finding| (finding, &case.id))).collect();
    findings.iter_mut().for_each(|finding| finding.case = case_of.get(&finding.id).map(|id| (*id).clone()));
    cases
}

/// Copies sources that can be read only once (pipes) to temporary files, for a second reading.
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
    enrichment.provenance().iter().filter_map(Provenance::not_used).for_each(say);
}

/// Organizations that were asked for, and of which there is no event.
pub fn tell_of_organizations(wanted: &[String], coverage: &Coverage) -> Option<Exit> {
    let known = &coverage.organizations;
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|id| !known.contains_key(*id)).collect();
    if missing.is_empty() || known.is_empty() {
        return None;
    }
    let shown = few(&known.keys().collect::<Vec<_>>(), MOST, ", ");
    say(format_args!("--organization {}: no event of it; there are {shown}", missing.join(", ")));
    Some(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_failed_are_named_once_for_each_message() {
        let detection = "logsource: {product: jumpcloud}\ndetection: {s: {event_type: x}, condition: s}\n";
        let file = |name: &str| (format!("{name}.yml"), format!("title: T\nname: {name}\n{detection}"));
        let files = ["a", "b", "c", "d", "e", "f", "g"].map(file);
        let set = RuleSet::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let failed = |rules: &[usize], message: &str| {
            faults(&set, &rules.iter().map(|rule| (*rule, message.to_owned())).collect())
        };
        assert_eq!(failed(&[2], "x"), ["the rule c failed inside: x"]);
        assert_eq!(failed(&[0, 2], "x"), ["the rules a, c failed inside: x"]);
        assert_eq!(failed(&[0, 1, 2, 3, 4, 5, 6], "x"), ["the rules a, b, c, d, e and 2 more failed inside: x"]);
        assert!(failed(&[], "x").is_empty());
    }
}
