//! Report: findings, coverage, the rules that ran. All that an output may know.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::finding::Finding;
use super::suppression::{Suppression, Use};
use crate::detect::Detected;
use crate::enrich::Provenance;
use crate::event::coverage::Coverage;
use crate::event::letters;
use crate::event::occurrence::is_named;
use crate::event::time::{Span, Timestamp};
use crate::rule::set::RuleSet;
use crate::rule::{Rule, Severity};

/// What the rules could and could not see.
#[derive(Clone, Debug, Default)]
pub struct RuleCoverage {
    /// how many reported rules ran
    pub ran: usize,
    /// rules none of whose event types are in the input
    pub no_input: Vec<String>,
    /// rules that knew nobody long enough
    pub too_young: Vec<String>,
    /// of rules that have to know somebody, how many owners they never knew long enough
    pub too_young_owners: BTreeMap<String, usize>,
    /// rules that lack something beside the events
    pub blind: Vec<String>,
    /// rules that failed inside, with what they said
    pub failed: Vec<(String, String)>,
}

impl RuleCoverage {
    /// Looks at what the rules had to work with.
    pub fn new(
        set: &RuleSet,
        detected: &Detected,
        coverage: &Coverage,
        history: Option<&Coverage>,
        has: impl Fn(&str) -> bool,
        is_wanted: impl Fn(&Rule) -> bool,
    ) -> RuleCoverage {
        let mut out = RuleCoverage::default();
        let first = coverage.span.iter().chain(history.and_then(|h| h.span.as_ref())).map(|reach| reach.first).min();
        let length = coverage.span.zip(first).map_or(Span(0), |(reach, first)| reach.last.since(first));
        let judgements = judgements(set, detected, length);
        let read: BTreeSet<_> = coverage.types.keys().map(|event_type| letters::lowered(event_type)).collect();
        for (place, rule) in set.rules.iter().enumerate().filter(|(_, r)| r.is_reported && is_wanted(r)) {
            out.ran += 1;
            let Judgement { fault, too_young_owners, is_too_young } = &judgements[place];
            if let Some(fault) = fault {
                out.failed.push((rule.name.clone(), fault.clone()));
            }
            let types = set.event_types(place);
            // What no event can meet, as its list is empty, does not look at types.
            let is_met = |types: BTreeSet<String>| types.is_empty() || types.iter().any(|t| read.contains(t.as_str()));
            let has_input = coverage.events > 0 && types.is_none_or(is_met);
            if !rule.needs.is_empty() && !rule.needs.iter().any(|need| has(need)) {
                out.blind.push(rule.name.clone());
            }
            if !has_input {
                out.no_input.push(rule.name.clone());
            } else if *is_too_young {
                out.too_young.push(rule.name.clone());
            } else if *too_young_owners > 0 {
                out.too_young_owners.insert(rule.name.clone(), *too_young_owners);
            }
        }
        for list in [&mut out.no_input, &mut out.too_young, &mut out.blind] {
            list.sort();
        }
        out
    }

    /// Why nothing came of a rule that is the only one in it, as far as that can be told.
    pub fn why_nothing(&self, rule: &Rule) -> Vec<String> {
        let blind = format!("It is blind: it needs {}.", rule.needs.join(" or "));
        let why = [
            (&self.no_input, "None of the types of event that it looks at was read."),
            (&self.too_young, "What was read is too short for it: it has to know somebody longer, from older exports."),
            (&self.blind, &blind),
        ];
        why.into_iter().filter(|(rules, _)| !rules.is_empty()).map(|(_, why)| why.to_owned()).collect()
    }
}

/// How it went with a rule and all that it is made of.
#[derive(Clone, Debug, Default)]
struct Judgement {
    /// the first fault inside
    fault: Option<String>,
    /// how many owners it, or one that it is made of, never knew long enough
    too_young_owners: usize,
    /// it, or one that it is made of, could judge nobody, or nobody in so short an export
    is_too_young: bool,
}

/// For each rule. Each is looked at once, behind those that it is made of: there may be very many ways from one to
/// another.
fn judgements(set: &RuleSet, detected: &Detected, length: Span) -> Vec<Judgement> {
    use crate::rule::logic::{Absent, Logic};
    let mut out = vec![Judgement::default(); set.rules.len()];
    for &rule in &set.order {
        let needs = match &set.rules[rule].logic {
            Logic::FirstSeen(f) => f.min_age,
            Logic::Rate(r) => r.min_history,
            Logic::Chain(c) if c.absent == Absent::First => c.window,
            _ => Span(0),
        };
        let judged = detected.judged.get(&rule);
        let own = Judgement {
            fault: detected.faults.get(&rule).cloned(),
            too_young_owners: judged.map_or(0, |judged| judged.too_young),
            is_too_young: needs > length || judged.is_some_and(|judged| judged.owners == 0 && judged.too_young > 0),
        };
        out[rule] = set.references[rule].iter().map(|below| &out[*below]).fold(own, |own, below| Judgement {
            fault: own.fault.or_else(|| below.fault.clone()),
            too_young_owners: own.too_young_owners.max(below.too_young_owners),
            is_too_young: own.is_too_young || below.is_too_young,
        });
    }
    out
}

/// The report of an earlier run that findings were compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// as typed
    pub file: String,
    /// findings in it
    pub findings: usize,
}

/// A file of answers that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// as typed
    pub file: String,
    /// answers in it
    pub answers: usize,
    /// ids of those that answer no question of this run
    pub unused: Vec<String>,
}

/// What was asked for and over what.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// the version of the program
    pub version: String,
    /// the newest event, or what was given instead
    pub now: Option<Timestamp>,
    /// the sources as they are cited
    pub sources: Vec<String>,
    /// the sources that only taught, which are cited, too
    pub history: Vec<String>,
    /// the files that evidence was enriched from
    pub enriched_from: Vec<Provenance>,
    /// earlier reports that findings were compared with
    pub baseline: Vec<Baseline>,
    /// files of answers that were applied
    pub answers: Vec<Answers>,
    /// entries that put findings away, and what became of each
    pub suppressions: Vec<(Suppression, Use)>,
    /// the configuration that was used
    pub config: Option<String>,
    /// rules that are reported though they are silent by default
    pub enabled: Vec<String>,
    /// rules that are not reported
    pub disabled: Vec<String>,
    /// rules of which all findings have another severity than their own
    pub levels: BTreeMap<String, Severity>,
    /// findings before this were left out
    pub since: Option<Timestamp>,
    /// findings after this were left out
    pub until: Option<Timestamp>,
    /// findings below this were left out
    pub min_severity: Option<Severity>,
    /// only events of these organizations were read, if any is named
    pub organizations: Vec<String>,
    /// how many findings were left out, by organization
    pub left_out: BTreeMap<String, usize>,
}

impl Run {
    /// How many findings of what was asked for were left out.
    pub fn left_out_count(&self) -> usize {
        self.left_out.values().sum()
    }

    /// Whether an organization was asked for.
    pub fn is_asked(&self, organization: &str) -> bool {
        is_named(&self.organizations, organization)
    }
}

/// All that a finding output may know.
#[derive(Debug)]
pub struct Report<'a> {
    /// the run
    pub run: Run,
    /// the account of the input
    pub coverage: &'a Coverage,
    /// the account of what only taught
    pub history: &'a Coverage,
    /// members that no event has, though there are events that should
    pub missing: Vec<&'static str>,
    /// the account of the rules
    pub rules: RuleCoverage,
    /// the rules, for titles and metadata
    pub set: &'a RuleSet,
    /// findings that tell one story, worst first
    pub cases: Vec<Case>,
    /// worst first, questions last
    pub findings: Vec<Finding>,
}

impl Report<'_> {
    /// The rule of a finding.
    pub fn rule(&self, finding: &Finding) -> &Rule {
        &self.set.rules[finding.rule]
    }

    /// Whether an older export was named, be it that it could not be read.
    pub fn has_history(&self) -> bool {
        !self.run.history.is_empty() || !self.history.unreadable.is_empty()
    }

    /// The name of a source.
    pub fn source(&self, source: u32) -> &str {
        self.run.sources.iter().chain(&self.run.history).nth(source as usize).map_or("", String::as_str)
    }
}
