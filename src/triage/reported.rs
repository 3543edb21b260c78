//! Reported: a finding as a report tells of it, `jcdetect/finding/v1`. The types here are the contract, written by
//! this run and read from the report of another. Members that nothing here reads are only written.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::baseline::NAMED;
use super::context::Indicator;
use super::finding::{self, Finding, Subject};
use super::related::{Omitted, Related};
use super::report::Report;
use super::status::{Answered, SuppressedBy};
use crate::rule::attack::Technique;

/// A finding as a report tells of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reported {
    #[serde(skip_deserializing)]
    schema: &'static str,
    /// the handle
    pub id: String,
    /// the rule
    pub rule_id: String,
    #[serde(skip_deserializing)]
    rule_title: String,
    #[serde(skip_deserializing)]
    category: String,
    /// how bad
    #[serde(default)]
    pub severity: String,
    #[serde(skip_deserializing)]
    confidence: &'static str,
    /// `triage` or `duet`
    #[serde(default)]
    pub disposition: String,
    /// `new`, `known` or `suppressed`
    #[serde(default)]
    pub status: String,
    /// it hangs on what the data did not reach
    #[serde(default)]
    pub pending: bool,
    /// the organization
    pub organization: String,
    /// whom or what it is about
    pub entity: Subject,
    /// one sentence
    #[serde(default)]
    pub summary: String,
    /// the first event
    #[serde(default)]
    pub first_seen: String,
    /// the last event
    #[serde(default)]
    pub last_seen: String,
    /// how many events
    #[serde(default)]
    pub event_count: usize,
    #[serde(skip_deserializing)]
    attack: Vec<Attack>,
    /// what had a part in it
    #[serde(default)]
    pub related: Vec<Related>,
    /// what more there is of a kind
    #[serde(default)]
    pub related_omitted: Vec<Omitted>,
    /// its events
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    #[serde(skip_deserializing)]
    evidence_omitted: usize,
    /// what is known from elsewhere
    #[serde(default)]
    pub context: Context,
    #[serde(skip_deserializing)]
    next_steps: Vec<String>,
    /// whom to ask what
    #[serde(default)]
    pub duet: Option<Duet>,
    /// the case that it is part of
    #[serde(default)]
    pub case_id: Option<String>,
    /// the keys of the newest events that completed it, by which it is known again
    #[serde(default)]
    pub completing: Vec<String>,
    /// what put it away
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<SuppressedBy>,
    /// what whoever was asked said
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Reply>,
}

/// A technique of the rule.
#[derive(Clone, Debug, Serialize)]
struct Attack {
    tactic: String,
    technique: String,
    name: &'static str,
}

/// An event of the evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(skip_deserializing)]
    event_id: Option<String>,
    /// when
    pub timestamp: String,
    #[serde(skip_deserializing)]
    event_type: String,
    #[serde(skip_deserializing)]
    origin: Origin,
    /// one sentence
    #[serde(default)]
    pub summary: String,
}

/// Where a record stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Origin {
    /// the file
    pub source: String,
    /// the line
    pub line: u64,
    /// the byte
    pub offset: u64,
}

/// What is known from elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Context {
    /// by name, what the directory says
    #[serde(default)]
    pub directory: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(skip_deserializing)]
    intel: Vec<Indicator>,
    #[serde(skip_deserializing)]
    geo: BTreeMap<String, String>,
    #[serde(skip_deserializing, skip_serializing_if = "BTreeMap::is_empty")]
    known: BTreeMap<String, String>,
    #[serde(skip_deserializing)]
    history: BTreeMap<&'static str, BTreeMap<String, usize>>,
}

/// Whom to ask what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Duet {
    /// `actor`, `target`, `owner` or `security-contact`
    pub ask: String,
    /// in plain words
    pub question: String,
    /// what they do first if it was not meant
    pub first_action: String,
}

/// What whoever was asked said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    #[serde(skip_deserializing)]
    answer: &'static str,
    /// the id of the finding when it was answered; it changes in an export that rolls on
    #[serde(default)]
    pub finding_id: String,
    /// by whom
    #[serde(default)]
    pub who: String,
    /// when
    pub when: String,
    /// more had happened than was answered
    #[serde(default)]
    pub outdated: bool,
}

impl Reported {
    /// As a report of this run tells of it.
    pub fn of(report: &Report<'_>, finding: &Finding) -> Reported {
        let rule = report.rule(finding);
        let (related, related_omitted) = finding.related();
        let duet = rule.duet.clone();
        Reported {
            schema: "jcdetect/finding/v1",
            id: finding.id.clone(),
            rule_id: rule.name.clone(),
            rule_title: finding.title.clone(),
            category: rule.category.clone(),
            severity: finding.severity.word().to_owned(),
            confidence: finding.confidence.word(),
            disposition: finding.disposition.word().to_owned(),
            status: finding.status.word().to_owned(),
            pending: finding.is_pending,
            organization: finding.organization.clone(),
            entity: finding.entity.clone(),
            summary: finding.summary.clone(),
            first_seen: finding.first_seen.rfc3339(),
            last_seen: finding.last_seen.rfc3339(),
            event_count: finding.event_count,
            attack: rule.techniques.iter().map(Attack::from).collect(),
            related,
            related_omitted,
            evidence: finding.evidence.iter().map(|evidence| Evidence::of(report, evidence)).collect(),
            evidence_omitted: finding.evidence_omitted,
            context: Context::from(finding),
            next_steps: rule.next_steps(&finding.id),
            duet: duet.map(|duet| Duet { ask: duet.ask, question: duet.question, first_action: duet.first_action }),
            case_id: finding.case.clone(),
            completing: finding.completing.iter().rev().take(NAMED).map(|completing| completing.key.clone()).collect(),
            suppressed_by: finding.suppressed_by.clone(),
            answer: finding.answer.as_ref().map(Reply::from),
        }
    }
}

impl Evidence {
    fn of(report: &Report<'_>, evidence: &finding::Evidence) -> Evidence {
        let finding::Evidence { event_id, time, event_type, origin, summary } = evidence;
        Evidence {
            event_id: event_id.clone(),
            timestamp: time.rfc3339(),
            event_type: event_type.clone(),
            origin: Origin {
                source: report.source(origin.source).to_owned(),
                line: origin.line,
                offset: origin.offset,
            },
            summary: summary.clone(),
        }
    }
}

impl From<&Technique> for Attack {
    fn from(technique: &Technique) -> Attack {
        Attack { tactic: technique.tactic.clone(), technique: technique.id.clone(), name: technique.name }
    }
}

impl From<&Finding> for Context {
    fn from(finding: &Finding) -> Context {
        let known = finding.context.clone();
        let texts =
            |facts: BTreeMap<&str, String>| facts.into_iter().map(|(key, fact)| (key.to_owned(), fact)).collect();
        let seen_before = Some(&finding.history).filter(|history| !history.is_empty());
        Context {
            directory: known.directory.into_iter().map(|(name, facts)| (name, texts(facts))).collect(),
            intel: known.intel,
            geo: known.geo,
            known: known.known,
            history: seen_before.map(|history| ("seen_before", history.clone())).into_iter().collect(),
        }
    }
}

impl From<&Answered> for Reply {
    fn from(answered: &Answered) -> Reply {
        Reply {
            answer: answered.answer.word(),
            finding_id: answered.asked_as.clone(),
            who: answered.who.clone(),
            when: answered.when.rfc3339(),
            outdated: answered.is_outdated,
        }
    }
}

/// A file that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// the file
    pub file: String,
    /// the line
    pub line: usize,
    /// what is wrong, and the remedy
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for Fault {}

/// The JSON values of a text, each with the line at which it starts: one whole document, or one a line.
pub fn values(file: &str, text: &str) -> Result<Vec<(usize, Value)>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = |from: usize, to: usize| memchr::memchr_iter(b'\n', &text.as_bytes()[from..to]).count();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut out = Vec::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let from = stream.byte_offset();
        let start = text.len() - text[from..].trim_start().len();
        line += lines(counted, start);
        counted = start;
        match stream.next() {
            None => return Ok(out),
            Some(Ok(value)) => out.push((line, value)),
            Some(Err(error)) => {
                let what = if error.is_eof() { "the JSON is cut off" } else { "this is no JSON" };
                return Err(Fault { file: file.to_owned(), line: error.line().max(1), what: what.to_owned() });
            }
        }
    }
}

/// The findings of a report: what `--format json` or `jsonl` wrote. No finding at all is no mistake.
pub fn read(file: &str, text: &str) -> Result<Vec<Reported>, Fault> {
    const WANTED: &str = "name a report that `jcdetect scan --format json` (or jsonl) wrote";
    let fault = |line: usize, what: String| Fault { file: file.to_owned(), line, what };
    let documents = values(file, text).map_err(|f| fault(f.line, format!("{}; {WANTED}", f.what)))?;
    let mut out = Vec::new();
    for (line, value) in documents {
        let is_report = value.get("schema").and_then(Value::as_str) == Some("jcdetect/report/v1");
        let findings = match (is_report, value) {
            (true, Value::Object(mut report)) => match report.remove("findings") {
                Some(Value::Array(findings)) => findings,
                _ => return Err(fault(line, format!("the report has no findings; {WANTED}"))),
            },
            (_, Value::Array(findings)) => findings,
            (_, value) => vec![value],
        };
        for finding in findings {
            if finding.get("schema").and_then(Value::as_str) != Some("jcdetect/finding/v1") {
                return Err(fault(line, format!("no finding of jcdetect; {WANTED}")));
            }
            out.push(serde_json::from_value(finding).map_err(|error| fault(line, format!("a finding with {error}")))?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_and_lines() {
        let finding = r#"{"schema":"jcdetect/finding/v1","id":"1","rule_id":"r","organization":"o","entity":{"type":"user","id":"u","name":"jo"}}"#;
        let ids = |text: &str| read("f", text).map(|all| all.len()).map_err(|fault| fault.to_string());
        assert_eq!(ids(&format!("{finding}\n{finding}\n")), Ok(2));
        assert_eq!(ids(&format!("{{\"schema\":\"jcdetect/report/v1\",\"findings\":[{finding}]}}")), Ok(1));
        assert_eq!(ids(&format!("[{finding}]")), Ok(1));
        assert_eq!(ids(""), Ok(0));
        for (text, want) in [
            ("id,answer\n", "f:1: this is no JSON; name a report"),
            ("{\"a\":1}", "f:1: no finding of jcdetect"),
            (&format!("{finding}\n{{\"schema\":"), "f:2: the JSON is cut off"),
            ("{\"schema\":\"jcdetect/report/v1\"}", "f:1: the report has no findings"),
            ("\n{\"schema\":\"jcdetect/finding/v1\",\"id\":\"1\"}", "f:2: a finding with missing field `rule_id`"),
        ] {
            let error = ids(text).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
    }

    #[test]
    fn what_another_version_writes_has_no_name() {
        let part = |role: &str| format!(r#"{{"role":"{role}","type":"user","value":"jo"}}"#);
        let finding = format!(
            r#"{{"schema":"jcdetect/finding/v1","id":"1","rule_id":"r","organization":"o","entity":{{"type":"user","id":"u","name":"jo"}},"suppressed_by":{{"kind":"later"}},"related":[{},{}]}}"#,
            part("actor"),
            part("witness")
        );
        let read = read("f", &finding).unwrap();
        assert_eq!(read[0].related.iter().map(|part| part.role).collect::<Vec<_>>(), ["actor", "other"]);
        assert_eq!(read[0].suppressed_by, Some(SuppressedBy::Other));
    }
}
