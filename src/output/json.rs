//! Json: the report as `jcdetect/report/v1`, and findings as `jcdetect/finding/v1`, one a line. The types
//! here are the contract; those inside the program may change.

mod coverage;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use coverage::{Coverage, coverage};
pub use coverage::{Unreadable, unreadable};

use crate::event::time::{Timestamp, Zone};
use crate::rule::Severity;
use crate::triage::baseline::NAMED;
use crate::triage::case::{self, Points};
use crate::triage::context;
use crate::triage::finding::{Finding, Subject};
use crate::triage::related;
use crate::triage::report::{self, Report};
use crate::triage::status;
use crate::triage::story;
use crate::triage::suppression::{Suppression, Use};
use crate::triage::told::Told;

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: Run<'r>,
    coverage: Coverage<'r>,
    cases: Vec<Case<'r>>,
    findings: Vec<Wire<'r>>,
}

#[derive(Serialize)]
struct Run<'r> {
    version: &'r str,
    now: Option<String>,
    sources: &'r [String],
    /// older exports, which only taught
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    history: &'r [String],
    /// the files that evidence was enriched from
    enriched_from: Vec<Enriched<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    baseline: Vec<Baseline<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<AnswersFile<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Entry<'r>>,
    /// what an organization says of itself
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'r str>,
    /// rules that are silent by default and are reported
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    enabled: &'r [String],
    /// rules that are not reported
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    disabled: &'r [String],
    /// rules of which all findings have another severity than their own
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    levels: BTreeMap<&'r str, &'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_severity: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    organizations: &'r [String],
    /// findings that are not in the report for it
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

#[derive(Serialize)]
struct Baseline<'r> {
    file: &'r str,
    findings: usize,
}

fn baseline(baseline: &report::Baseline) -> Baseline<'_> {
    Baseline { file: &baseline.file, findings: baseline.findings }
}

#[derive(Serialize)]
struct AnswersFile<'r> {
    file: &'r str,
    entries: usize,
    unused: &'r [String],
}

fn answers(answers: &report::Answers) -> AnswersFile<'_> {
    AnswersFile { file: &answers.file, entries: answers.answers, unused: &answers.unused }
}

/// An entry of `suppress:`.
#[derive(Serialize)]
struct Entry<'r> {
    place: &'r str,
    rule: &'r str,
    reason: &'r str,
    owner: Option<&'r str>,
    expires: &'r str,
    state: &'static str,
    findings: usize,
}

fn entry((entry, used): &(Suppression, Use)) -> Entry<'_> {
    let (state, findings) = match used {
        Use::Expired => ("expired", 0),
        Use::Put { findings: 0, overruled: 0 } => ("unused", 0),
        Use::Put { findings: 0, .. } => ("overruled", 0),
        Use::Put { findings, .. } => ("used", *findings),
    };
    Entry {
        place: &entry.place,
        rule: &entry.rule,
        reason: &entry.reason,
        owner: entry.owner.as_deref(),
        expires: &entry.expires,
        state,
        findings,
    }
}

#[derive(Serialize)]
struct Case<'r> {
    id: &'r str,
    title: &'r str,
    organization: &'r str,
    severity: &'static str,
    score: u32,
    score_lines: Vec<ScoreLine<'r>>,
    first_seen: String,
    last_seen: String,
    entities: Vec<Entity<'r>>,
    finding_ids: &'r [String],
    story: Vec<String>,
    steps: Vec<Step<'r>>,
    first_action: &'r str,
}

/// A line of the story in its parts.
#[derive(Serialize)]
struct Step<'r> {
    timestamp: String,
    tactic: &'r str,
    severity: &'static str,
    rule_ids: &'r [String],
    finding_ids: &'r [String],
}

fn step(step: &story::Step) -> Step<'_> {
    Step {
        timestamp: step.time.rfc3339(),
        tactic: &step.tactic,
        severity: step.severity.word(),
        rule_ids: &step.rules,
        finding_ids: &step.finding_ids,
    }
}

#[derive(Serialize)]
struct ScoreLine<'r> {
    points: u32,
    reason: &'r str,
}

fn score_line(line: &Points) -> ScoreLine<'_> {
    ScoreLine { points: line.points, reason: &line.reason }
}

fn case(case: &case::Case) -> Case<'_> {
    Case {
        id: &case.id,
        title: &case.title,
        organization: &case.organization,
        severity: case.severity.word(),
        score: case.score,
        score_lines: case.score_lines.iter().map(score_line).collect(),
        first_seen: case.first_seen.rfc3339(),
        last_seen: case.last_seen.rfc3339(),
        entities: case.entities.iter().map(entity).collect(),
        finding_ids: &case.finding_ids,
        story: case.story.iter().map(|step| step.line(Zone::Utc)).collect(),
        steps: case.story.iter().map(step).collect(),
        first_action: &case.first_action,
    }
}

#[derive(Serialize)]
struct Enriched<'r> {
    file: &'r str,
    entries: u64,
    modified: Option<String>,
    sha256: &'r str,
    skipped: BTreeMap<&'r str, u64>,
    /// whether anything that rules look at stood in it
    #[serde(skip_serializing_if = "Option::is_none")]
    matched: Option<bool>,
    /// people and devices that count for all organizations
    #[serde(skip_serializing_if = "Option::is_none")]
    without_organization: Option<u64>,
}

#[derive(Serialize)]
struct Wire<'r> {
    schema: &'static str,
    id: &'r str,
    rule_id: &'r str,
    rule_title: &'r str,
    category: &'r str,
    severity: &'static str,
    confidence: &'static str,
    disposition: &'static str,
    status: &'static str,
    pending: bool,
    organization: &'r str,
    entity: Entity<'r>,
    summary: &'r str,
    first_seen: String,
    last_seen: String,
    event_count: usize,
    attack: Vec<Attack<'r>>,
    related: Vec<Related<'r>>,
    related_omitted: Vec<Omitted<'r>>,
    evidence: Vec<Evidence<'r>>,
    evidence_omitted: usize,
    context: Context<'r>,
    next_steps: Vec<String>,
    duet: Option<Duet<'r>>,
    case_id: Option<&'r str>,
    /// keys of the newest completing events, by which the finding is known again
    completing: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed_by: Option<SuppressedBy<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Reply<'r>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SuppressedBy<'r> {
    Entry { place: &'r str, reason: &'r str, owner: Option<&'r str>, expires: &'r str },
    Answer,
}

#[derive(Serialize)]
struct Reply<'r> {
    answer: &'static str,
    who: &'r str,
    when: String,
    outdated: bool,
}

fn suppressed_by(by: &status::SuppressedBy) -> SuppressedBy<'_> {
    match by {
        status::SuppressedBy::Answer => SuppressedBy::Answer,
        status::SuppressedBy::Entry { place, reason, owner, expires } => {
            SuppressedBy::Entry { place, reason, owner: owner.as_deref(), expires }
        }
    }
}

fn answer(answered: &status::Answered) -> Reply<'_> {
    Reply {
        answer: answered.answer.word(),
        who: &answered.who,
        when: answered.when.rfc3339(),
        outdated: answered.is_outdated,
    }
}

fn entity(subject: &Subject) -> Entity<'_> {
    Entity { r#type: &subject.kind, id: &subject.id, name: &subject.name }
}

/// Whom or what a finding is about.
#[derive(Serialize)]
pub(super) struct Entity<'r> {
    pub(super) r#type: &'r str,
    pub(super) id: &'r str,
    pub(super) name: &'r str,
}

#[derive(Serialize)]
struct Attack<'r> {
    tactic: &'r str,
    technique: &'r str,
    name: &'r str,
}

#[derive(Serialize)]
struct Related<'r> {
    role: &'r str,
    r#type: &'r str,
    value: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'r str>,
}

impl<'r> Related<'r> {
    fn of(part: &'r related::Related) -> Related<'r> {
        Related { role: part.role, r#type: &part.kind, value: &part.value, id: part.id.as_deref() }
    }
}

#[derive(Serialize)]
struct Omitted<'r> {
    role: &'r str,
    r#type: &'r str,
    count: usize,
}

impl<'r> Omitted<'r> {
    fn of(omitted: &'r related::Omitted) -> Omitted<'r> {
        Omitted { role: omitted.role, r#type: &omitted.kind, count: omitted.count }
    }
}

#[derive(Serialize)]
struct Evidence<'r> {
    event_id: Option<&'r str>,
    timestamp: String,
    event_type: &'r str,
    origin: Origin<'r>,
    summary: &'r str,
}

/// Where a record stands.
#[derive(Serialize)]
pub(super) struct Origin<'r> {
    pub(super) source: &'r str,
    pub(super) line: u64,
    pub(super) offset: u64,
}

/// What enrichment adds stands here; without it the objects are empty.
#[derive(Serialize)]
struct Context<'r> {
    directory: &'r BTreeMap<String, BTreeMap<&'static str, String>>,
    intel: Vec<Hit<'r>>,
    geo: &'r BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    known: &'r BTreeMap<String, String>,
    history: BTreeMap<&'static str, &'r BTreeMap<String, usize>>,
}

#[derive(Serialize)]
struct Hit<'r> {
    indicator: &'r str,
    r#type: &'r str,
    file: &'r str,
    description: &'r str,
}

fn hit(hit: &context::Hit) -> Hit<'_> {
    Hit { indicator: &hit.indicator, r#type: &hit.kind, file: &hit.file, description: &hit.description }
}

#[derive(Serialize)]
struct Duet<'r> {
    ask: &'r str,
    question: &'r str,
    first_action: &'r str,
}

fn wire<'r>(report: &'r Report<'_>, finding: &'r Finding) -> Wire<'r> {
    let rule = report.rule(finding);
    Wire {
        schema: "jcdetect/finding/v1",
        id: &finding.id,
        rule_id: &rule.name,
        rule_title: &rule.title,
        category: &rule.category,
        severity: finding.severity.word(),
        confidence: finding.confidence.word(),
        disposition: finding.disposition.word(),
        status: finding.status.word(),
        pending: finding.is_pending,
        organization: &finding.organization,
        entity: entity(&finding.entity),
        summary: &finding.summary,
        first_seen: finding.first_seen.rfc3339(),
        last_seen: finding.last_seen.rfc3339(),
        event_count: finding.event_count,
        attack: rule.techniques.iter().map(|t| Attack { tactic: &t.tactic, technique: &t.id, name: t.name }).collect(),
        related: finding.related.iter().map(Related::of).collect(),
        related_omitted: finding.related_omitted.iter().map(Omitted::of).collect(),
        evidence: finding
            .evidence
            .iter()
            .map(|e| Evidence {
                event_id: e.event_id.as_deref(),
                timestamp: e.time.rfc3339(),
                event_type: &e.event_type,
                origin: Origin { source: report.source(e.origin.source), line: e.origin.line, offset: e.origin.offset },
                summary: &e.summary,
            })
            .collect(),
        evidence_omitted: finding.evidence_omitted,
        context: Context {
            directory: &finding.context.directory,
            intel: finding.context.intel.iter().map(hit).collect(),
            geo: &finding.context.geo,
            known: &finding.context.known,
            history: if finding.history.is_empty() {
                BTreeMap::new()
            } else {
                BTreeMap::from([("seen_before", &finding.history)])
            },
        },
        next_steps: rule.next_steps(&finding.id),
        duet: rule.duet.as_ref().map(|d| Duet { ask: &d.ask, question: &d.question, first_action: &d.first_action }),
        case_id: finding.case.as_deref(),
        completing: finding.completing.iter().rev().take(NAMED).map(|completing| completing.key.as_str()).collect(),
        suppressed_by: finding.suppressed_by.as_ref().map(suppressed_by),
        answer: finding.answer.as_ref().map(answer),
    }
}

/// Writes findings, one a line, and nothing else.
pub fn lines(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, &wire(report, finding))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The findings in the form of a JSON report, for code that takes both a finished scan and a saved report.
pub fn told(report: &Report<'_>) -> io::Result<Vec<Told>> {
    let told = |finding| serde_json::to_value(wire(report, finding)).and_then(serde_json::from_value);
    report.findings.iter().map(told).collect::<Result<_, _>>().map_err(io::Error::from)
}

fn run<'r>(report: &'r Report<'_>) -> Run<'r> {
    Run {
        version: &report.run.version,
        now: report.run.now.map(Timestamp::rfc3339),
        sources: &report.run.sources,
        history: &report.run.history,
        enriched_from: report
            .run
            .enriched_from
            .iter()
            .map(|p| Enriched {
                file: &p.file,
                entries: p.entries,
                modified: p.modified.map(Timestamp::rfc3339),
                sha256: &p.sha256,
                skipped: p.skipped.reasons.iter().map(|(reason, skip)| (*reason, skip.count)).collect(),
                matched: p.is_met,
                without_organization: Some(p.without_organization).filter(|count| *count > 0),
            })
            .collect(),
        baseline: report.run.baseline.iter().map(baseline).collect(),
        answers: report.run.answers.iter().map(answers).collect(),
        suppressions: report.run.suppressions.iter().map(entry).collect(),
        config: report.run.config.as_deref(),
        enabled: &report.run.enabled,
        disabled: &report.run.disabled,
        levels: report.run.levels.iter().map(|(rule, level)| (rule.as_str(), level.word())).collect(),
        since: report.run.since.map(Timestamp::rfc3339),
        until: report.run.until.map(Timestamp::rfc3339),
        min_severity: report.run.min_severity.map(Severity::word),
        organizations: &report.run.organizations,
        left_out: Some(report.run.left_out_count()).filter(|count| *count > 0),
    }
}

/// Writes the whole report.
pub fn report(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: "jcdetect/report/v1",
        run: run(report),
        coverage: coverage(report),
        cases: report.cases.iter().map(case).collect(),
        findings: report.findings.iter().map(|finding| wire(report, finding)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}
