//! Inquiry: what `investigate` and `explain` begin with: all rules run over sources that can be read again.

use std::path::PathBuf;

use anyhow::{Result, bail};
use rayon::ThreadPool;

use super::args::inquiry as typed;
use super::config::Config;
use super::errand::{Again, Done, Errand, cases, findings, tell_of_entries};
use super::exit::Exit;
use super::pipeline::Analysis;
use super::say;
use super::settings::{rules_of, zone};
use crate::detect::partition::Partition;
use crate::enrich::enrichment::Enrichment;
use crate::event::time::Zone;
use crate::input::source::{self, Source};
use crate::input::{Options, Reading};
use crate::rule::Rule;
use crate::rule::set::RuleSet;
use crate::triage::asked::Asked;
use crate::triage::finding::{Finding, Findings, is_part_of_id};

/// Events of evidence that a finding is known by; of a year of failed sign-ins nobody needs more.
const EVIDENCE: usize = 10_000;

/// What was read, and what was found in it.
pub struct Inquiry {
    /// the rules
    pub set: RuleSet,
    /// the sources; each can be read again
    pub sources: Vec<Source>,
    /// what only teaches; it can be read again, too
    pub history: Vec<Source>,
    /// how they are read
    pub options: Options,
    /// what came out
    pub analysis: Analysis,
    /// what is known from elsewhere
    pub enrichment: Enrichment,
    /// zone of the times that are shown
    pub zone: Zone,
    /// what went wrong so far
    pub exits: Vec<Exit>,
    /// where work in parallel runs
    pub pool: ThreadPool,
    config: Config,
}

impl Inquiry {
    /// Reads and detects; only events of these organizations, if any is named.
    pub fn new(typed: &typed::Inquiry, directory: Option<PathBuf>) -> Result<Inquiry> {
        let zone = zone(&typed.tz)?;
        let (pool, options) = typed.running.understood()?;
        let config = typed.choice.config(&typed.enrichment.known, &typed.sources)?;
        config.tell(typed.quiet);
        let (mut sources, mut history) = (source::find(&typed.sources), source::find(&typed.history));
        let errand = Errand {
            set: rules_of(&config, Vec::new(), None)?,
            organizations: &typed.organization,
            enrichment: &typed.enrichment.paths(directory),
            now: None,
            options,
            partition: Partition::default(),
            pool: &pool,
            is_quiet: typed.quiet,
            reads_again: Again::All,
        };
        let Done { set, enrichment, analysis, exits } = errand.run(&mut sources, &mut history)?;
        if !typed.quiet {
            tell_of_entries(&enrichment);
        }
        let (sources, history) = (sources.list, history.list);
        Ok(Inquiry { set, sources, history, options, analysis, enrichment, zone, exits, pool, config })
    }

    /// What was read.
    pub fn reading(&self) -> &Reading {
        &self.analysis.reading
    }

    /// The findings of the rules that are wanted; those that need nobody are marked.
    pub fn findings(&self, is_wanted: impl Fn(&Rule) -> bool + Sync + Send) -> Vec<Finding> {
        self.made(|all| all.of(is_wanted))
    }

    /// What the history alone would have told of the rules that are wanted.
    pub fn findings_of_history(&self, is_wanted: impl Fn(&Rule) -> bool + Sync + Send) -> Vec<Finding> {
        self.made(|all| all.of_history(is_wanted))
    }

    fn made(&self, make: impl FnOnce(&Findings<'_>) -> Vec<Finding> + Send) -> Vec<Finding> {
        self.pool.install(|| findings(&self.set, &self.analysis, &self.config, EVIDENCE, make))
    }

    /// Tells of sources that changed since they were found: what was read of them twice may not be the same, and what
    /// comes of it no answer.
    pub fn tell_of_changed(&self) -> Option<Exit> {
        let changed: Vec<&Source> = self.sources.iter().chain(&self.history).filter(|s| s.has_changed()).collect();
        for source in &changed {
            say(format_args!("{}: it has changed since it was read; run again", source.name));
        }
        (!changed.is_empty()).then_some(Exit::Source)
    }

    /// Whether a scan would report what a rule finds.
    pub fn wants(&self, rule: &Rule) -> bool {
        self.config.wants(rule)
    }

    /// Whether the configuration says how severe all findings of a rule are.
    pub fn has_level(&self, rule: &Rule) -> bool {
        self.config.levels.contains_key(&rule.name)
    }

    /// The finding whose id begins with this, among those of all rules, else among those that the history alone would
    /// have told; `None` if it is no part of an id, or of no finding.
    pub fn finding(&self, prefix: &str) -> Result<Option<Finding>> {
        let prefix = prefix.trim().to_ascii_lowercase();
        if !is_part_of_id(&prefix) {
            return Ok(None);
        }
        let only = |found| only(found, &prefix, "findings", |finding: &Finding| &finding.id);
        match only(self.findings(|_| true))? {
            None => only(self.findings_of_history(|_| true)),
            found => Ok(found),
        }
    }

    /// The case whose id begins with this, among those that a scan makes of all findings, also beside a
    /// history; `None` if it is no part of an id, or of no case.
    pub fn case(&self, prefix: &str) -> Result<Option<Asked>> {
        let prefix = prefix.trim().to_ascii_lowercase();
        if !is_part_of_id(&prefix) {
            return Ok(None);
        }
        let mut findings = self.findings(|rule| self.wants(rule));
        findings.extend(self.findings_of_history(|rule| self.wants(rule)));
        let all = cases((&self.set, &self.analysis.store), &self.config, &self.enrichment, &mut findings, vec![]);
        let Some(case) = only(all, &prefix, "cases", |case| &case.id)? else { return Ok(None) };
        findings.retain(|finding| case.finding_ids.contains(&finding.id));
        Ok(Some(Asked::Case { case: Box::new(case), findings }))
    }
}

/// The one of several whose id begins like that.
fn only<T>(mut found: Vec<T>, prefix: &str, noun: &str, id: impl Fn(&T) -> &str) -> Result<Option<T>> {
    found.retain(|one| id(one).starts_with(prefix));
    if found.len() > 1 {
        let ids: Vec<&str> = found.iter().map(&id).collect();
        bail!("{prefix}: {} {noun} begin with it: {}", found.len(), ids.join(", "));
    }
    Ok(found.pop())
}
