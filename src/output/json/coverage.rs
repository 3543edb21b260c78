//! Coverage: the account of what was read and which rules could be checked, as the report tells it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::coverage::{self, Reason, Told};
use crate::event::silence::Silence;
use crate::triage::report::Report;

/// What was read, and what was not.
#[derive(Serialize)]
pub(super) struct Coverage<'r> {
    records: u64,
    events: u64,
    duplicates: u64,
    conflicting_ids: u64,
    without_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_organizations: Option<u64>,
    skipped: Vec<Skipped<'r>>,
    flattened: Flattened<'r>,
    missing: &'r [&'static str],
    first: Option<String>,
    last: Option<String>,
    services: &'r BTreeMap<String, u64>,
    organizations: BTreeMap<&'r String, u64>,
    gaps: Vec<Gap>,
    silences: Vec<Silent>,
    unknown_event_types: BTreeMap<&'r str, u64>,
    not_read: &'r [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Unreadable<'r>>,
    /// of older exports, which only taught
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Taught<'r>>,
    rules: Rules<'r>,
}

#[derive(Serialize)]
struct Taught<'r> {
    records: u64,
    events: u64,
    duplicates: u64,
    conflicting_ids: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_organizations: Option<u64>,
    skipped: Vec<Skipped<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Unreadable<'r>>,
    first: Option<String>,
    last: Option<String>,
}

/// A source that could not be read, or not to its end, or that is something else.
#[derive(Serialize)]
pub struct Unreadable<'r> {
    source: &'r str,
    lacking: &'static str,
    reason: &'r str,
}

/// What the report says of such sources.
pub fn unreadable(coverage: &coverage::Coverage) -> Vec<Unreadable<'_>> {
    let told = coverage.unreadable.iter();
    told.map(|u| Unreadable { source: &u.source, lacking: u.lacking.word(), reason: &u.reason }).collect()
}

#[derive(Serialize)]
struct Skipped<'r> {
    reason: &'static str,
    count: u64,
    examples: Vec<Example<'r>>,
}

#[derive(Serialize)]
struct Flattened<'r> {
    count: u64,
    examples: Vec<Example<'r>>,
}

#[derive(Serialize)]
struct Example<'r> {
    source: &'r str,
    line: u64,
}

#[derive(Serialize)]
struct Gap {
    organization: Option<String>,
    from: String,
    to: String,
}

impl From<coverage::Gap> for Gap {
    fn from(gap: coverage::Gap) -> Gap {
        Gap {
            organization: (!gap.organization.is_empty()).then_some(gap.organization),
            from: gap.from.rfc3339(),
            to: gap.to.rfc3339(),
        }
    }
}

#[derive(Serialize)]
struct Silent {
    organization: Option<String>,
    service: String,
    from: String,
    to: String,
}

impl From<Silence> for Silent {
    fn from(silence: Silence) -> Silent {
        Silent {
            organization: (!silence.organization.is_empty()).then_some(silence.organization),
            service: silence.service,
            from: silence.from.rfc3339(),
            to: silence.to.rfc3339(),
        }
    }
}

#[derive(Serialize)]
struct Rules<'r> {
    ran: usize,
    no_input: &'r [String],
    too_young: &'r [String],
    too_young_owners: &'r BTreeMap<String, usize>,
    blind: &'r [String],
    failed: Vec<Failed<'r>>,
}

#[derive(Serialize)]
struct Failed<'r> {
    rule: &'r str,
    message: &'r str,
}

fn skipped<'r>(coverage: &'r coverage::Coverage, sources: &'r [String]) -> Vec<Skipped<'r>> {
    let one = |(reason, skipped): (&'r Reason, &'r Told)| Skipped {
        reason: reason.words(),
        count: skipped.count,
        examples: examples(skipped, sources),
    };
    coverage.skipped.iter().map(one).collect()
}

fn examples<'r>(told: &'r Told, sources: &'r [String]) -> Vec<Example<'r>> {
    told.places(sources).map(|(source, line)| Example { source, line }).collect()
}

fn others(coverage: &coverage::Coverage) -> Option<u64> {
    Some(coverage.elsewhere).filter(|count| *count > 0)
}

/// The account of a report.
pub(super) fn coverage<'r>(report: &'r Report<'_>) -> Coverage<'r> {
    let coverage = report.coverage;
    let asked = coverage.organizations.iter().filter(|(organization, _)| report.run.is_asked(organization));
    Coverage {
        records: coverage.records,
        events: coverage.events,
        duplicates: coverage.duplicates,
        conflicting_ids: coverage.conflicting_ids,
        without_id: coverage.without_id,
        other_organizations: others(coverage),
        skipped: skipped(coverage, &report.run.sources),
        flattened: Flattened {
            count: coverage.flattened.count,
            examples: examples(&coverage.flattened, &report.run.sources),
        },
        missing: &report.missing,
        first: coverage.span.map(|s| s.first.rfc3339()),
        last: coverage.span.map(|s| s.last.rfc3339()),
        services: &coverage.services,
        organizations: asked.map(|(organization, count)| (organization, *count)).collect(),
        gaps: coverage.gaps().into_iter().map(Gap::from).collect(),
        silences: coverage.silences().into_iter().map(Silent::from).collect(),
        unknown_event_types: coverage.unknown_types().collect(),
        not_read: &coverage.not_read,
        unreadable: unreadable(coverage),
        history: report.has_history().then(|| Taught {
            records: report.history.records,
            events: report.history.events,
            duplicates: report.history.duplicates,
            conflicting_ids: report.history.conflicting_ids,
            other_organizations: others(report.history),
            skipped: skipped(report.history, &report.run.history),
            unreadable: unreadable(report.history),
            first: report.history.span.map(|s| s.first.rfc3339()),
            last: report.history.span.map(|s| s.last.rfc3339()),
        }),
        rules: Rules {
            ran: report.rules.ran,
            no_input: &report.rules.no_input,
            too_young: &report.rules.too_young,
            too_young_owners: &report.rules.too_young_owners,
            blind: &report.rules.blind,
            failed: report.rules.failed.iter().map(|(rule, message)| Failed { rule, message }).collect(),
        },
    }
}
