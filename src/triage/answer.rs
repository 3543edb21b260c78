//! Answer: what those who were asked said. A yes closes the finding, a no and a "not sure" bring it to triage.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::baseline::{Mark, Marks};
use super::finding::{Finding, is_part_of_id};
use super::reported::{Fault, Reply, Reported, values};
use super::status::{Answer, Answered, Disposition, Status, SuppressedBy};
use crate::enrich::csv::Rows;
use crate::event::letters;
use crate::event::time::Timestamp;
use crate::rule::Severity;
use crate::rule::set::RuleSet;

/// An answer as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// file and line
    pub place: String,
    /// what it answers
    pub mark: Mark,
    /// what
    pub answer: Answer,
    /// by whom
    pub who: String,
    /// when; of a bare date its last instant
    pub when: Timestamp,
}

/// What the column of the id is called.
const FINDING: &[&str] = &["findingid", "finding", "id"];

/// Reads JSON Lines, the JSON of a message with the answers filled in, or CSV with a header.
pub fn read(file: &str, text: &str) -> Result<Vec<Given>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) { read_json(file, text) } else { read_csv(file, text) }
}

fn read_json(file: &str, text: &str) -> Result<Vec<Given>, Fault> {
    let mut out = Vec::new();
    for (line, value) in values(file, text)? {
        let replies: Vec<Value> = match value {
            Value::Array(list) => list,
            Value::Object(mut message) if message.contains_key("questions") => match message.remove("questions") {
                Some(Value::Array(questions)) => {
                    let replies =
                        questions.into_iter().filter_map(|mut question| Some(question.get_mut("reply")?.take()));
                    // Not answered yet.
                    replies.filter(|reply| reply.get("answer").is_some_and(|answer| !answer.is_null())).collect()
                }
                _ => vec![],
            },
            single => vec![single],
        };
        for reply in replies {
            let fields = ["answer", "who", "when"].map(|key| reply.get(key).and_then(Value::as_str));
            let mut given = given([text_of(&reply, &["finding_id", "id"]), fields[0], fields[1], fields[2]])
                .map_err(|what| Fault { file: file.to_owned(), line, what })?;
            given.mark = Mark { id: given.mark.id, ..mark(&reply) };
            out.push(Given { place: format!("{file}:{line}"), ..given });
        }
    }
    Ok(out)
}

fn text_of<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v str> {
    keys.iter().find_map(|key| value.get(key)?.as_str())
}

/// What a reply carries of the finding, so that it is known again when the export has rolled on.
fn mark(reply: &Value) -> Mark {
    let text = |value: &Value, key: &str| text_of(value, &[key]).unwrap_or_default().to_owned();
    let entity = &reply["entity"];
    let keys = reply["completing"].as_array().into_iter().flatten();
    Mark {
        id: String::new(),
        rule: text(reply, "rule_id"),
        organization: text(reply, "organization"),
        entity: (text(entity, "id"), text(entity, "name")),
        is_pending: false,
        completing: keys.filter_map(Value::as_str).map(str::to_owned).collect(),
        shown: None,
    }
}

fn read_csv(file: &str, text: &str) -> Result<Vec<Given>, Fault> {
    let fault = |line: u64, what: String| Fault {
        file: file.to_owned(),
        line: usize::try_from(line).unwrap_or(usize::MAX),
        what,
    };
    let found = Rows::find(text, |column| FINDING.contains(&column));
    let found = found.map(|rows| ([FINDING, &["answer"], &["who"], &["when"]].map(|names| rows.column(names)), rows));
    let Some((columns, rows)) = found.filter(|(columns, _)| !columns.contains(&None)) else {
        let what = "an answers file is JSON Lines, or CSV with the columns finding_id, answer, who, when";
        return Err(fault(1, what.to_owned()));
    };
    let mut read = Vec::new();
    rows.each(|line, cells| {
        let given = cells
            .ok_or_else(|| "a row that cannot be read".to_owned())
            .and_then(|cells| given(columns.map(|column| cells.get(column?))))
            .map(|given| Given { place: format!("{file}:{line}"), ..given });
        read.push(given.map_err(|what| fault(line, what)));
    });
    read.into_iter().collect()
}

fn given(fields: [Option<&str>; 4]) -> Result<Given, String> {
    let [id, answer, who, when] = fields.map(|field| field.map(str::trim).filter(|text| !text.is_empty()));
    let need = |name: &str, field: Option<&str>| {
        field
            .map(str::to_owned)
            .ok_or_else(|| format!("an answer without `{name}`: it needs finding_id, answer, who, when"))
    };
    let id = need("finding_id", id)?;
    let word = need("answer", answer)?;
    let answer = Answer::parse(&word).ok_or_else(|| format!("answer {word:?}: write yes, no or not sure"))?;
    let who = need("who", who)?;
    let time = need("when", when)?;
    // What the answer was about may have happened on that day.
    let when = Timestamp::parse_end(&time)
        .ok_or_else(|| format!("when {time:?}: no time; write 2026-03-02T09:00:00Z or 2026-03-02"))?;
    Ok(Given { place: String::new(), mark: Mark { id, ..Mark::default() }, answer, who, when })
}

/// Applies answers to the questions among findings; the places of answers that fit none. An answer that carries nothing
/// but an id takes the rest from the finding of that id in an earlier report, if there is one. The error is an id that
/// is too short to tell whose it is.
pub fn apply(
    answers: &[&Given],
    earlier: &[&Reported],
    set: &RuleSet,
    findings: &mut [Finding],
) -> Result<Vec<usize>, String> {
    let is_question = |finding: &&mut Finding| finding.disposition == Disposition::Duet;
    let asked = findings.iter().filter(|finding| finding.disposition == Disposition::Duet);
    let mut by_id: BTreeMap<&str, Vec<&Reported>> = asked.map(|finding| (finding.id.as_str(), vec![])).collect();
    for told in earlier {
        by_id.entry(&told.id).or_default().push(told);
        if let Some(reply) =
            told.answer.as_ref().filter(|reply| !reply.finding_id.is_empty() && reply.finding_id != told.id)
        {
            by_id.entry(&reply.finding_id).or_default().push(told);
        }
    }
    let asked: Vec<String> = answers.iter().map(|given| whole(given, &by_id)).collect::<Result<_, String>>()?;
    let mark = |(given, id): (&&Given, &String)| {
        let told = by_id.get(id.as_str()).filter(|_| given.mark.completing.is_empty());
        let told = told.and_then(|told| Mark::of_all(told, |told| !was_overtaken(told, given)));
        told.unwrap_or_else(|| Mark { id: id.clone(), ..given.mark.clone() })
    };
    let marks = Marks::new(answers.iter().zip(&asked).map(mark).collect());
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for finding in findings.iter_mut().filter(is_question) {
        let own = marks.of(finding, &set.rules[finding.rule].name);
        // The worst counts: whoever reads a colleague's mail must not be able to talk over their no.
        let rank = |place: &&usize| (answers[**place].answer, answers[**place].when, &answers[**place].who);
        if let Some(place) = own.iter().max_by_key(rank) {
            let worst = answers[*place];
            let is_covered = || marks.cover(own.iter().map(|place| (*place, answers[*place].when)), finding);
            settle(worst, &asked[*place], finding, worst.answer == Answer::Yes && !is_covered());
        }
        used.extend(own);
    }
    Ok((0..answers.len()).filter(|place| !used.contains(place)).collect())
}

/// Whether a report says of an answer that more had happened: it was made after the answer, which cannot be to it.
fn was_overtaken(told: &Reported, given: &Given) -> bool {
    let is_it = |reply: &Reply| reply.who == given.who && Timestamp::parse(&reply.when) == Some(given.when);
    told.answer.as_ref().is_some_and(|reply| reply.outdated && is_it(reply))
}

/// The id that an answer means: one of these that begins like that, or what it says.
fn whole(given: &Given, by_id: &BTreeMap<&str, Vec<&Reported>>) -> Result<String, String> {
    let part = letters::lower(&given.mark.id);
    if !is_part_of_id(&part) || by_id.contains_key(part.as_str()) {
        return Ok(part);
    }
    let mut found = by_id.range(part.as_str()..).map(|(id, _)| *id).take_while(|id| id.starts_with(&part));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.to_owned()),
        (Some(one), Some(other)) => {
            Err(format!("{}: {part}: {one} and {other} begin with it; write more of it", given.place))
        }
        _ => Ok(part),
    }
}

/// `is_outdated` says that something completed the finding that nobody who answered was shown.
fn settle(given: &Given, asked_as: &str, finding: &mut Finding, is_outdated: bool) {
    let (answer, who, when) = (given.answer, given.who.clone(), given.when);
    let answered = Answered { asked_as: asked_as.to_owned(), answer, who, when, is_outdated };
    finding.answer = Some(answered);
    match given.answer {
        // What happened after the question was not asked about, even if an earlier report had some of it.
        Answer::Yes if is_outdated => finding.status = Status::New,
        Answer::Yes => {
            finding.status = Status::Suppressed;
            finding.suppressed_by = Some(SuppressedBy::Answer);
        }
        Answer::No => {
            finding.severity = finding.severity.max(Severity::High);
            raise(finding, &format!("{} says no: this was not expected", given.who));
        }
        Answer::NotSure => raise(finding, &format!("{} is not sure whether this was expected", given.who)),
    }
}

/// To triage, as something that nobody has looked at, even if the question is known.
fn raise(finding: &mut Finding, why: &str) {
    finding.disposition = Disposition::Triage;
    finding.status = Status::New;
    finding.summary += &format!("; {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_an_answers_file() {
        let csv = "Finding ID,Answer,Who,When\nf1,Not sure,jo,2026-03-02\n";
        let semicolons = "\u{feff}id;answer;who;when\r\nf1;NOT SURE;jo;2026-03-02\r\n";
        let line = r#"{"finding_id":"f1","answer":"not-sure","who":"jo","when":"2026-03-02T00:00:00Z"}"#;
        let array = format!("[{line}]");
        let message =
            format!(r#"{{"questions":[{{"reply":{line}}},{{"reply":{{"finding_id":"f2","answer":null}}}}]}}"#);
        let behind_a_comment = format!("# of the help desk\n{csv}");
        let tabs = csv.replace(',', "\t");
        let returns = csv.replace('\n', "\r");
        for text in [csv, semicolons, &behind_a_comment, &tabs, &returns, line, &array, &message] {
            let read = read("f", text).unwrap();
            assert_eq!(read.len(), 1, "{text}");
            assert_eq!((read[0].mark.id.as_str(), read[0].answer, read[0].who.as_str()), ("f1", Answer::NotSure, "jo"));
        }
    }

    #[test]
    fn mistakes_have_their_line() {
        for (text, want) in [
            ("a,b\n", "f:1: an answers file is JSON Lines, or CSV with the columns"),
            ("", "f:1: an answers file is JSON Lines"),
            ("id,answer,who,when\nf1,yes,jo,2026-03-02\nf2,maybe,jo,2026-03-02\n", "f:3: answer \"maybe\": write yes"),
            ("id,answer,who,when\nf1,yes\n", "f:2: an answer without `who`"),
            ("id,answer,who,when\nf1,yes,jo,soon\n", "f:2: when \"soon\": no time"),
            (
                "{\"finding_id\":\"f1\",\"answer\":\"yes\",\"who\":\"jo\",\"when\":\"2026-03-02\"}\n{\"answer\":\"yes\"}",
                "f:2: an answer without `finding_id`",
            ),
            ("{\"finding_id\":", "f:1: the JSON is cut off"),
        ] {
            let error = read("f", text).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }
}
