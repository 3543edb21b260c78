//! Sentence: an event as a person would say it. Who did what to whom, from where, with what, and how it
//! ended; a pure function of the event.

mod association;
mod changes;
mod decision;
mod effect;
mod phrases;
mod said;
mod signin;
mod undo;
mod wording;
mod words;

use std::fmt;

use crate::event::Event;
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::json::Json;
use crate::event::outside::Enriched;

pub use association::{noun, other_kind};
pub use effect::{Effect, State, effects};
pub use said::wanted;
pub use signin::is_one as is_sign_in;
pub use undo::{is_only_seen, renewed, set_back_on as set_back, target, undo};
pub use wording::Wording;
use words::Words;
pub use words::{LONGEST, cut};

/// Changes said in a sentence; the rest are counted.
const MOST_CHANGES: usize = 3;

/// One event in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// who did what
    head: Wording,
    /// from where, and with which program
    whence: String,
    /// by which means, the factors, what changed, why it failed
    rest: String,
}

impl Sentence {
    /// Without from where and with which program, in two parts: who did what, with the name of what it was done to, and the rest.
    pub fn parts(&self) -> (&Wording, &str) {
        (&self.head, &self.rest)
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.head, self.whence, self.rest)
    }
}

/// An event with all that its record says.
pub fn of(event: &Event<'_>) -> Sentence {
    build(event, Some(event.json))
}

/// The same with what is known of the event from elsewhere.
pub fn of_enriched(event: &Enriched<'_>) -> Sentence {
    build(event, Some(event.event.json))
}

/// An event of which only the normalized fields and those that sentences say are at hand.
pub fn of_fields(fields: &dyn Fields) -> Sentence {
    let event_type = Words::new(fields).norm(Norm::EventType).unwrap_or_default();
    build(&Said { fields, event_type: &event_type }, None)
}

/// Whether there are words for this type, or only its name.
pub fn is_known(event_type: &str) -> bool {
    phrase_of(event_type).is_some()
}

/// The fields that sentences say: whatever else is at hand by chance is not looked at.
struct Said<'f> {
    fields: &'f dyn Fields,
    event_type: &'f str,
}

impl Fields for Said<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        match field {
            Field::Norm(_) => self.fields.values(field),
            _ if said::has(self.event_type, field) => self.fields.values(field),
            _ => Values::new(),
        }
    }
}

fn build(fields: &dyn Fields, json: Option<&Json<'_>>) -> Sentence {
    let kept = json.map_or_else(|| fields.values(&Field::Changes), |_| Values::new());
    let kept = kept.first().and_then(Value::text).and_then(|text| Json::parse(text).ok());
    let json = json.or(kept.as_ref());
    let words = Words::new(fields);
    let event_type = words.norm(Norm::EventType).unwrap_or_default();
    let outcome = words.norm(Norm::Outcome).unwrap_or_default();
    let is_failure = outcome == "failure";
    let (did, said) = did(&event_type, &words, json);
    let is_attempt = signin::is_one(&event_type);
    let is_whole = did.text().starts_with('^');
    let actor = words.actor() + " ";
    let head = match () {
        () if is_whole => did.without(1),
        () if is_failure && !is_attempt => tried(did).between(&actor, ""),
        () => did.between(&actor, ""),
    };
    let mut rest = means(&words).to_owned() + &signin::clause(&event_type, &words);
    if is_failure && is_whole && failed_phrase_of(&event_type).is_none() {
        rest += ", which failed";
    }
    if !matches!(outcome.as_str(), "success" | "challenge")
        && let Some(message) = words.named("error_message")
    {
        rest += &format!(" ({message})");
    }
    if let Some(json) = json {
        let is_new = event_type.ends_with("_create") || event_type.ends_with("_created");
        let changes = changes::words(json, is_new, said, MOST_CHANGES);
        if !changes.is_empty() {
            rest += &format!(": {}", changes.join("; "));
        }
    }
    Sentence { head, whence: whence(&words), rest }
}

/// What was done, and the changed field that this says already.
fn did(event_type: &str, words: &Words<'_>, json: Option<&Json<'_>>) -> (Wording, Option<&'static str>) {
    if let Some(did) = signin::phrase(event_type, words) {
        return (did, None);
    }
    if let Some(did) = association::phrase(event_type, words) {
        return (did, None);
    }
    if let Some((phrase, field)) = json.and_then(|json| changes::phrase(event_type, json)) {
        return (words.fill(phrase), Some(field));
    }
    if let Some(phrase) = decision::phrase(event_type, words) {
        return (words.fill(phrase), None);
    }
    let failed = failed_phrase_of(event_type).filter(|_| words.norm(Norm::Outcome).as_deref() == Some("failure"));
    let phrase = failed.map(str::to_owned).or_else(|| phrase_of(event_type)).unwrap_or_else(|| {
        let name = if event_type.is_empty() { "something without a type".to_owned() } else { named(event_type) };
        format!("did {name}[ on {{target.name}}]")
    });
    let said = event_type.contains("_password_").then_some("password");
    (words.fill(&phrase), said)
}

/// The name of a type among words; it cannot be taken for a placeholder.
fn named(event_type: &str) -> String {
    format!("`{}`", event_type.replace(['{', '}', '[', ']'], "_"))
}

/// The phrase of a type: its own, or that of its noun and verb.
fn phrase_of(event_type: &str) -> Option<String> {
    if let Ok(place) = phrases::PHRASES.binary_search_by(|(name, _)| (*name).cmp(event_type)) {
        return Some(phrases::PHRASES[place].1.to_owned());
    }
    if signin::is_one(event_type) {
        return Some(String::new());
    }
    let (noun, verb) = noun_and_verb(event_type)?;
    Some(verb.replace('#', &format!("{{the {noun}}}")))
}

/// The phrase of a sentence of its own that failed, if there is another for it.
fn failed_phrase_of(event_type: &str) -> Option<&'static str> {
    let place = phrases::FAILED.binary_search_by(|(name, _)| (*name).cmp(event_type)).ok()?;
    Some(phrases::FAILED[place].1)
}

/// The noun and the verb that a type is made of. The longest noun leaves the shortest verb.
fn noun_and_verb(event_type: &str) -> Option<(&'static str, &'static str)> {
    let split = |(prefix, noun): &(&str, &'static str)| {
        let verb = event_type.strip_prefix(prefix)?.strip_prefix('_')?;
        let verb = phrases::VERBS.iter().find(|(name, _)| *name == verb)?;
        Some((prefix.len(), *noun, verb.1))
    };
    phrases::NOUNS.iter().filter_map(split).max_by_key(|(length, ..)| *length).map(|(_, noun, verb)| (noun, verb))
}

/// The same, of something that was only tried.
fn tried(did: Wording) -> Wording {
    let verb = did.text().split(' ').next().unwrap_or_default();
    let to = phrases::TO.iter().find(|(past, _)| *past == verb).map(|(_, to)| *to);
    let behind = verb.len() + 1;
    match to {
        Some("try") => did,
        Some(to) => did.without(behind).between(&format!("tried to {to} "), " and failed"),
        None => did.between("", ", which failed"),
    }
}

/// ` from 203.0.113.5 (FR) with Chrome on Mac OS X`.
fn whence(words: &Words<'_>) -> String {
    let mut out = match (words.norm(Norm::SourceIp), words.norm(Norm::SourceCountry)) {
        (Some(ip), Some(country)) => format!(" from {ip} ({country})"),
        (Some(ip), None) => format!(" from {ip}"),
        (None, Some(country)) => format!(" from {country}"),
        (None, None) => String::new(),
    };
    let is_said = |name: &String| !name.eq_ignore_ascii_case("other");
    match (words.norm(Norm::AgentName).filter(is_said), words.norm(Norm::AgentOs).filter(is_said)) {
        (Some(agent), Some(os)) => out += &format!(" with {agent} on {os}"),
        (Some(agent), None) => out += &format!(" with {agent}"),
        (None, Some(os)) => out += &format!(" on {os}"),
        (None, None) => {}
    }
    out
}

/// What stood in for a session, which is told wherever the address and the program are not.
fn means(words: &Words<'_>) -> &'static str {
    match words.norm(Norm::ActorVia).as_deref() {
        Some("api-key") => " by API key",
        Some("scim") => " by SCIM",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
