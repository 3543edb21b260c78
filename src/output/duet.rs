//! Duet: the messages that ask people whether something was meant, as Markdown and as JSON.

use std::fmt::Write as _;
use std::hash::Hasher;
use std::io;

use serde::Serialize;
use siphasher::sip::SipHasher13;

use super::safe::Markdown;
use crate::event::letters;
use crate::event::time::{Timestamp, Zone};
use crate::triage::finding::Subject;
use crate::triage::namesake::{count, counted, few_of};
use crate::triage::question::{Message, Recipient};
use crate::triage::related::Related;
use crate::triage::reported::{Duet, Reported};

/// Events told of a finding.
const EVENTS: usize = 5;
/// Names told of a kind.
const NAMES: usize = 5;

const CAUTION: &str = "their account is part of a case or of an open finding: somebody else may read their mail, so ask in person or by telephone";

#[derive(Serialize)]
struct Document<'m> {
    schema: &'static str,
    organization: &'m str,
    recipient: Wire<'m>,
    subject: String,
    /// what to mind before it is sent
    caution: Option<&'static str>,
    questions: Vec<Asking<'m>>,
}

#[derive(Serialize)]
struct Wire<'m> {
    role: &'m str,
    name: &'m str,
    address: Option<&'m str>,
}

#[derive(Serialize)]
struct Asking<'m> {
    severity: &'m str,
    question: &'m str,
    what: &'m str,
    facts: Vec<Fact>,
    first_action: &'m str,
    reply: Reply<'m>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

/// What an answers file wants, with the answer left open. It carries what the finding is known again by.
#[derive(Serialize)]
struct Reply<'m> {
    finding_id: &'m str,
    answer: Option<&'static str>,
    who: Option<&'m str>,
    when: Option<&'static str>,
    rule_id: &'m str,
    organization: &'m str,
    entity: &'m Subject,
    completing: &'m [String],
}

/// A name for the files of a message that every file system takes: letters and digits of the recipient, and a
/// hash that no other recipient has.
pub fn file_stem(recipient: &Recipient) -> String {
    const MOST: usize = 40;
    let mut hasher = SipHasher13::new_with_keys(0x6a63, 0x6475_6574);
    let place = letters::lower(recipient.address.as_deref().unwrap_or(&recipient.key));
    for part in [recipient.organization.as_str(), if recipient.address.is_some() { "" } else { "nowhere" }, &place] {
        hasher.write_u64(part.len() as u64);
        hasher.write(part.as_bytes());
    }
    let mut name = String::new();
    for c in recipient.name.chars().take(MOST) {
        match c.is_ascii_alphanumeric() {
            true => name.push(c.to_ascii_lowercase()),
            false if name.ends_with('-') || name.is_empty() => {}
            false => name.push('-'),
        }
    }
    let name = name.trim_end_matches('-');
    let hash = hasher.finish() >> 32;
    if name.is_empty() { format!("{hash:08x}") } else { format!("{name}-{hash:08x}") }
}

fn asked(told: &Reported) -> Option<&Duet> {
    told.duet.as_ref()
}

fn subject(message: &Message) -> String {
    match message.questions.len() {
        1 => "One question about JumpCloud: did you expect this?".to_owned(),
        count => format!("{count} questions about JumpCloud: did you expect this?"),
    }
}

/// A time as people read it.
fn second(time: &str) -> String {
    Timestamp::parse(time).map_or_else(|| time.to_owned(), |time| time.short(Zone::Utc))
}

/// When, who, from where, on what; each told once.
fn facts(told: &Reported) -> Vec<Fact> {
    let shown = |role: &str, kind: Option<&str>, is_beside: bool| {
        let is = |of: &str, its: &str| of == role && kind.is_none_or(|kind| its == kind);
        let parts = told.related.iter().filter(|part| is(part.role, &part.kind) && part.is_beside == is_beside);
        let names = counted(parts.map(Related::thing));
        let omitted = told.related_omitted.iter().filter(|omitted| !is_beside && is(omitted.role, &omitted.kind));
        let all = omitted.fold(count(&names), |all, omitted| all.saturating_add(omitted.count));
        few_of(all, &names, NAMES, "", &str::to_owned)
    };
    let of = |role: &str, kind: Option<&str>| shown(role, kind, false);
    let (first, last) = (second(&told.first_seen), second(&told.last_seen));
    let when = if first == last { first } else { format!("{first} to {last}") };
    let all = [
        ("When (UTC)", when),
        ("Who did it", of("actor", None)),
        ("To what", of("target", None)),
        ("From address", of("source", Some("ip"))),
        ("From country", of("source", Some("country"))),
        ("Gateway", of("gateway", None)),
        ("Device", of("device", None)),
        ("Application", of("app", None)),
        ("Group or policy", of("group", None)),
        ("Program", of("agent", None)),
        ("Others in it", shown("actor", None, true)),
    ];
    let facts = all.into_iter().filter(|(_, value)| !value.is_empty());
    facts.map(|(name, value)| Fact { name, value }).collect()
}

fn asking(told: &Reported) -> Asking<'_> {
    Asking {
        severity: &told.severity,
        question: asked(told).map_or("", |asked| &asked.question),
        what: &told.summary,
        facts: facts(told),
        first_action: asked(told).map_or("", |asked| &asked.first_action),
        reply: Reply {
            finding_id: &told.id,
            answer: None,
            who: None,
            when: None,
            rule_id: &told.rule_id,
            organization: &told.organization,
            entity: &told.entity,
            completing: &told.completing,
        },
    }
}

fn document(message: &Message) -> Document<'_> {
    let recipient = &message.recipient;
    let Recipient { role, name, address, .. } = recipient;
    Document {
        schema: "jcdetect/duet/v1",
        organization: &recipient.organization,
        recipient: Wire { role, name, address: address.as_deref() },
        subject: subject(message),
        caution: message.is_delicate.then_some(CAUTION),
        questions: message.questions.iter().map(asking).collect(),
    }
}

/// A message for a mailer or a ticket system.
pub fn json(message: &Message) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(&document(message))? + "\n")
}

/// All messages as one array.
pub fn json_all(messages: &[Message]) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(&messages.iter().map(document).collect::<Vec<_>>())? + "\n")
}

/// A message for people.
pub fn markdown(message: &Message) -> String {
    let recipient = &message.recipient;
    let mut text = format!("# {}\n\n", subject(message));
    let address = recipient.address.as_deref().map(|address| format!(" ({})", Markdown(address))).unwrap_or_default();
    let _ = writeln!(text, "- To: {}{address}", Markdown(&recipient.name));
    if !recipient.organization.is_empty() {
        let _ = writeln!(text, "- Organization: {}", Markdown(&recipient.organization));
    }
    text +=
        "\nOnly you can tell whether what follows was meant. Please answer each question with yes, no or not sure.\n";
    for (number, told) in (1..).zip(&message.questions) {
        let Some(asked) = asked(told) else { continue };
        let _ = write!(text, "\n## {number}. {}\n\n{}\n\n", Markdown(&asked.question), Markdown(&told.summary));
        for Fact { name, value } in facts(told) {
            let _ = writeln!(text, "- {name}: {}", Markdown(&value));
        }
        events(told, &mut text);
        let _ = write!(text, "\n{}\n", Markdown(&asked.first_action));
        let id = hexadecimal(&told.id);
        let _ = write!(text, "\n    finding: {id}\n    [ ] yes, I expected this\n    [ ] no\n    [ ] not sure\n");
    }
    text
}

fn events(told: &Reported, text: &mut String) {
    if told.evidence.is_empty() {
        return;
    }
    text.push_str("- What happened:\n");
    for seen in told.evidence.iter().take(EVENTS) {
        let _ = writeln!(text, "  - {} {}", Markdown(&second(&seen.timestamp)), Markdown(&seen.summary));
    }
    let more = told.event_count.saturating_sub(EVENTS.min(told.evidence.len()));
    if more > 0 {
        let _ = writeln!(text, "  - and {more} more");
    }
}

/// An id is a hash; whatever else a report made by somebody else has there stays out of the block.
fn hexadecimal(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).take(64).collect()
}
