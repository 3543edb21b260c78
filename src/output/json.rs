//! Json: the report as `jcdetect/report/v1`, and findings as `jcdetect/finding/v1`, one a line. The types
//! here and in `triage::reported` are the contract; others inside the program may change.

mod coverage;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use coverage::{Coverage, coverage};
pub use coverage::{Unreadable, unreadable};

use crate::event::time::{Timestamp, Zone};
use crate::rule::Severity;
use crate::triage::case::{self, Points};
use crate::triage::finding::Subject;
use crate::triage::report::{self, Report};
use crate::triage::reported::Reported;
use crate::triage::story;
use crate::triage::suppression::{Suppression, Use};

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: Run<'r>,
    coverage: Coverage<'r>,
    cases: Vec<Case<'r>>,
    findings: Findings<'r>,
}

/// The findings, each made when it is written: all of them beside the report may be as large as it.
struct Findings<'r>(&'r Report<'r>);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.findings.iter().map(|finding| Reported::of(self.0, finding)))
    }
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
    /// `new`, `grown` or `known`
    status: &'static str,
    score: u32,
    score_lines: Vec<ScoreLine<'r>>,
    first_seen: String,
    last_seen: String,
    entities: &'r [Subject],
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
    status: &'static str,
    rule_ids: &'r [String],
    finding_ids: &'r [String],
}

fn step(step: &story::Step) -> Step<'_> {
    Step {
        timestamp: step.time.rfc3339(),
        tactic: &step.tactic,
        severity: step.severity.word(),
        status: step.news.word(),
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
        status: case.news.word(),
        score: case.score,
        score_lines: case.score_lines.iter().map(score_line).collect(),
        first_seen: case.first_seen.rfc3339(),
        last_seen: case.last_seen.rfc3339(),
        entities: &case.entities,
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

/// Writes findings, one a line, and nothing else.
pub fn lines(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, &Reported::of(report, finding))?;
        out.write_all(b"\n")?;
    }
    Ok(())
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
        findings: Findings(report),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}
