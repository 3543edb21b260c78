//! Words: a phrase filled with the names that an event has.

use super::wording::Wording;
use crate::event::field::{Field, Fields, Named, Norm, Value};
use crate::event::letters;

/// The longest foreign text in a sentence, in characters.
pub const LONGEST: usize = 80;

/// The names of an event.
pub struct Words<'f> {
    fields: &'f dyn Fields,
    /// it was done to the account of whoever did it
    pub is_own: bool,
    /// the name of what it is about
    object: Option<String>,
}

impl<'f> Words<'f> {
    /// The names that these fields have.
    pub fn new(fields: &'f dyn Fields) -> Words<'f> {
        let mut words = Words::by_name(fields);
        let is_same = |a, b| words.norm(a).is_some_and(|text| Some(text) == words.norm(b));
        let are_people = matches!(words.norm(Norm::TargetType).as_deref(), Some("user" | "admin"));
        words.is_own = are_people
            && words.norm(Norm::ActorType) == words.norm(Norm::TargetType)
            && (is_same(Norm::ActorId, Norm::TargetId) || is_same(Norm::ActorName, Norm::TargetName));
        words
    }

    /// The same, with everybody called by name.
    pub fn by_name(fields: &'f dyn Fields) -> Words<'f> {
        let mut words = Words { fields, is_own: false, object: None };
        words.object = words.norm(Norm::DeviceName).or_else(|| words.norm(Norm::TargetName));
        words
    }

    /// The first value of a normalized field. A device that the event names by its id alone goes by the name that other
    /// events have for it.
    pub fn norm(&self, norm: Norm) -> Option<String> {
        let own = self.first(&Field::Norm(norm));
        let is = |norm, text: Option<&str>| self.first(&Field::Norm(norm)).as_deref() == text;
        let is_id = || is(Norm::TargetId, own.as_deref()) && is(Norm::DeviceKey, own.as_deref());
        if norm == Norm::TargetName && is(Norm::TargetType, Some("system")) && is_id() {
            return self.first(&Field::Norm(Norm::DeviceName)).or(own);
        }
        own
    }

    /// The first value of a field, by the name that rules have for it.
    pub fn named(&self, name: &str) -> Option<String> {
        self.first(&field(name)?)
    }

    /// All values of a field, by the name that rules have for it.
    pub fn all(&self, name: &str) -> Vec<String> {
        let values = field(name).map(|field| self.fields.values(&field)).unwrap_or_default();
        values.iter().filter_map(Value::text).map(|text| cut(text, LONGEST)).collect()
    }

    fn first(&self, field: &Field) -> Option<String> {
        let values = self.fields.values(field);
        let text = values.iter().filter_map(Value::text).find(|text| !text.is_empty());
        text.map(|text| cut(text, LONGEST))
    }

    /// Whether a field is `true`.
    pub fn is_true(&self, norm: Norm) -> bool {
        self.norm(norm).as_deref() == Some("true")
    }

    /// Who did it.
    pub fn actor(&self) -> String {
        let named = self.norm(Norm::ActorName);
        named.unwrap_or_else(|| match self.norm(Norm::ActorType).as_deref() {
            Some("system") => "JumpCloud".to_owned(),
            _ => "somebody".to_owned(),
        })
    }

    /// Who did it, if it was a person.
    fn person(&self) -> Option<String> {
        let is_person = matches!(self.norm(Norm::ActorType).as_deref(), Some("user" | "admin"));
        self.norm(Norm::ActorName).filter(|_| is_person)
    }

    /// Who signed in to an application outside: a person of the directory, or else the account there.
    fn account(&self) -> Option<String> {
        self.person().or_else(|| self.named("resource.account_email"))
    }

    /// Whether whoever signed in goes by this address.
    fn is_account(&self, address: &str) -> bool {
        [self.account(), self.norm(Norm::ActorEmail)].iter().flatten().any(|name| letters::are_one(name, address))
    }

    /// The name of the target, unless it only has an id.
    fn target_named(&self) -> Option<String> {
        self.norm(Norm::TargetName).filter(|name| Some(name) != self.norm(Norm::TargetId).as_ref())
    }

    /// The application that a record names by its address alone.
    fn application(&self) -> Option<String> {
        let is_one = self.norm(Norm::TargetType).as_deref() == Some("application");
        self.norm(Norm::TargetName).filter(|_| is_one)
    }

    /// The name of the workflow that ran: it acts itself, and its run is the target.
    fn workflow(&self) -> Option<String> {
        let is_workflow = self.norm(Norm::ActorType).as_deref() == Some("workflow");
        let acting = self.norm(Norm::ActorName).filter(|_| is_workflow);
        let is_id = acting == self.norm(Norm::ActorId);
        let named = acting.clone().filter(|_| !is_id).or_else(|| self.target_named());
        named.or(acting).or_else(|| self.norm(Norm::TargetName))
    }

    /// A name, which may be that of what it is about.
    pub fn name(&self, name: String) -> Wording {
        if self.object.as_ref() == Some(&name) { Wording::of_name(&name) } else { Wording::from(name) }
    }

    /// A phrase with its words filled in. A placeholder outside brackets that nothing fills is left out.
    pub fn fill(&self, phrase: &str) -> Wording {
        // Where nobody is said to have done it, whom it befell goes by name.
        if self.is_own && phrase.starts_with('^') {
            return Words::by_name(self.fields).fill(phrase);
        }
        let mut out = Wording::default();
        let mut rest = phrase;
        while let Some(start) = rest.find(['[', '{']) {
            out = out.and(Wording::from(rest[..start].to_owned()));
            let close = if rest[start..].starts_with('[') { ']' } else { '}' };
            let Some(length) = rest[start..].find(close) else { break };
            let inner = &rest[start + 1..start + length];
            out = out.and(match close {
                ']' => self.filled(inner).unwrap_or_default(),
                _ => self.placeholder(inner).unwrap_or_else(|| Wording::from("something unnamed".to_owned())),
            });
            rest = &rest[start + length + 1..];
        }
        out.between("", rest)
    }

    /// The same, or nothing where a word is missing.
    fn filled(&self, phrase: &str) -> Option<Wording> {
        let mut out = Wording::default();
        let mut rest = phrase;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}')?;
            out = out.and(self.placeholder(name)?.between(before, ""));
            rest = after;
        }
        Some(out.between("", rest))
    }

    /// `the X`, `a X` (the target, with what kind of thing it is, or without), `whose`, `another` (the target
    /// unless it is the actor), `named` (the target unless it has only an id), `thing` (the target unless it is the device), `device`, `app`, `person` (the actor if it is one),
    /// `account` and `other account` (of an application outside), `workflow`, `request` (a command), or a field.
    fn placeholder(&self, name: &str) -> Option<Wording> {
        let target = self.norm(Norm::TargetName);
        let named = |name: Option<String>| name.map(|name| self.name(name));
        let words = |text: &str| Wording::from(text.to_owned());
        if let Some(noun) = name.strip_prefix("the ") {
            if self.is_own && matches!(noun, "user" | "administrator") {
                return Some(words("their own account"));
            }
            // A name of several words is set off from the words around it.
            let quote = if target.as_ref().is_some_and(|target| target.contains(' ')) { "\"" } else { "" };
            let whole = |target: Wording| target.between(&format!("the {noun} {quote}"), quote);
            return Some(named(target).map_or_else(|| Wording::from(with_article(noun)), whole));
        }
        if let Some(noun) = name.strip_prefix("a ") {
            return Some(match named(target) {
                _ if self.is_own => words("themselves"),
                Some(target) => target,
                None => Wording::from(with_article(noun)),
            });
        }
        match name {
            "app" => named(self.norm(Norm::AppName).or_else(|| self.application())),
            "whose" if self.is_own => Some(words("their own")),
            "whose" => Some(named(target).map_or_else(|| words("somebody's"), |target| target.between("", "'s"))),
            "another" => named(target.filter(|_| !self.is_own)),
            "device" => {
                let device = named(self.norm(Norm::DeviceName).or_else(|| self.norm(Norm::DeviceKey)));
                Some(device.map_or_else(|| words("A device"), |name| name.between("The device ", "")))
            }
            "named" => named(self.target_named()),
            "thing" => named(target.filter(|name| Some(name) != self.norm(Norm::DeviceName).as_ref())),
            "person" => named(self.person()),
            "account" => named(Some(self.account().unwrap_or_else(|| "somebody".to_owned()))),
            "other account" => named(self.named("resource.account_email").filter(|is| !self.is_account(is))),
            "workflow" => named(self.workflow()),
            "request" => named(self.named("request_type").or_else(|| self.named("command.request_type"))),
            field => named(self.named(field)),
        }
    }
}

/// A field by the name that rules have for it.
pub fn field(name: &str) -> Option<Field> {
    match Field::named(name) {
        Named::Known(field) | Named::Unverified(field) => Some(field),
        Named::Unknown(_) => None,
    }
}

fn with_article(noun: &str) -> String {
    match noun.chars().next().is_some_and(|c| "aeioAEIOM".contains(c) && !noun.starts_with("Mi")) {
        _ if noun.starts_with("settings") => format!("the {noun}"),
        true => format!("an {noun}"),
        false => format!("a {noun}"),
    }
}

/// A text cut to what a person reads.
pub fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest - 1).collect();
    format!("{kept}…")
}
