//! Told: findings as a report of jcdetect tells of them: those of an earlier run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A finding as a report tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// the handle
    pub id: String,
    /// the rule
    pub rule_id: String,
    /// how bad
    #[serde(default)]
    pub severity: String,
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
    pub entity: Thing,
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
    /// what had a part in it
    #[serde(default)]
    pub related: Vec<Part>,
    /// what more there is of a kind
    #[serde(default)]
    pub related_omitted: Vec<Omitted>,
    /// its events
    #[serde(default)]
    pub evidence: Vec<Seen>,
    /// the keys of the newest events that completed it
    #[serde(default)]
    pub completing: Vec<String>,
    /// what is known from elsewhere
    #[serde(default)]
    pub context: Context,
    /// whom to ask what
    #[serde(default)]
    pub duet: Option<Asked>,
    /// the case that it is part of
    #[serde(default)]
    pub case_id: Option<String>,
    /// what put it away
    #[serde(default)]
    pub suppressed_by: Option<PutAway>,
    /// what whoever was asked said
    #[serde(default)]
    pub answer: Option<Reply>,
}

/// What put a finding away.
#[derive(Clone, Debug, Deserialize)]
pub struct PutAway {
    /// `entry` or `answer`
    pub kind: String,
}

/// What whoever was asked said.
#[derive(Clone, Debug, Deserialize)]
pub struct Reply {
    /// when
    pub when: String,
}

/// Whom or what something is about.
#[derive(Clone, Debug, Deserialize)]
pub struct Thing {
    /// `user`, `admin`, `ip`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// the id, or the best name there is
    pub id: String,
    /// as in the log
    pub name: String,
}

/// What had a part in it.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// `actor`, `target`, `source`, …
    pub role: String,
    /// `user`, `ip`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// as in the log
    pub value: String,
    /// of people the id, where the events of this name have one
    #[serde(default)]
    pub id: Option<String>,
}

/// What is left out of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Omitted {
    /// of which role
    pub role: String,
    /// and of which kind
    #[serde(rename = "type")]
    pub kind: String,
    /// how many
    pub count: usize,
}

/// An event of the evidence.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// when
    pub timestamp: String,
    /// one sentence
    #[serde(default)]
    pub summary: String,
}

/// What is known from elsewhere.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Context {
    /// by name, what the directory says
    #[serde(default)]
    pub directory: BTreeMap<String, BTreeMap<String, String>>,
}

/// Whom to ask what.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    /// `actor`, `target`, `owner` or `security-contact`
    pub ask: String,
    /// in plain words
    pub question: String,
    /// what they do first if it was not meant
    pub first_action: String,
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
pub fn read(file: &str, text: &str) -> Result<Vec<Told>, Fault> {
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
            let told =
                serde_json::from_value(finding).map_err(|error| fault(line, format!("a finding with {error}")))?;
            out.push(told);
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
}
