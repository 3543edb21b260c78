//! Words: a phrase filled with the names that an event has.

use crate::event::field::{Field, Fields, Named, Norm, Value};

/// The longest foreign text in a sentence, in characters.
const LONGEST: usize = 80;

/// The names of an event.
pub struct Words<'f> {
    fields: &'f dyn Fields,
    /// it was done to the account of whoever did it
    is_own: bool,
}

impl<'f> Words<'f> {
    /// The names that these fields have.
    pub fn new(fields: &'f dyn Fields) -> Words<'f> {
        let mut words = Words { fields, is_own: false };
        let is_same = |a, b| words.norm(a).is_some_and(|text| Some(text) == words.norm(b));
        let are_people = matches!(words.norm(Norm::TargetType).as_deref(), Some("user" | "admin"));
        words.is_own = are_people
            && words.norm(Norm::ActorType) == words.norm(Norm::TargetType)
            && (is_same(Norm::ActorId, Norm::TargetId) || is_same(Norm::ActorName, Norm::TargetName));
        words
    }

    /// The same, with everybody called by name.
    pub fn by_name(fields: &'f dyn Fields) -> Words<'f> {
        Words { fields, is_own: false }
    }

    /// The first value of a normalized field.
    pub fn norm(&self, norm: Norm) -> Option<String> {
        self.first(&Field::Norm(norm))
    }

    /// The first value of a field, by the name that rules have for it.
    pub fn named(&self, name: &str) -> Option<String> {
        match Field::named(name) {
            Named::Known(field) | Named::Unverified(field) => self.first(&field),
            Named::Unknown(_) => None,
        }
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

    /// A phrase with its words filled in. A placeholder outside brackets that nothing fills is left out.
    pub fn fill(&self, phrase: &str) -> String {
        let mut out = String::new();
        let mut rest = phrase;
        while let Some(start) = rest.find(['[', '{']) {
            out += &rest[..start];
            let close = if rest[start..].starts_with('[') { ']' } else { '}' };
            let Some(length) = rest[start..].find(close) else { break };
            let inner = &rest[start + 1..start + length];
            match close {
                ']' => out += &self.filled(inner).unwrap_or_default(),
                _ => out += &self.placeholder(inner).unwrap_or_else(|| "something unnamed".to_owned()),
            }
            rest = &rest[start + length + 1..];
        }
        out + rest
    }

    /// The same, or nothing where a word is missing.
    fn filled(&self, phrase: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = phrase;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}')?;
            out += before;
            out += &self.placeholder(name)?;
            rest = after;
        }
        Some(out + rest)
    }

    /// `the X`, `a X` (the target, with what kind of thing it is, or without), `whose`, `another` (the target
    /// unless it is the actor), `device`, or a field.
    fn placeholder(&self, name: &str) -> Option<String> {
        let target = self.norm(Norm::TargetName);
        if let Some(noun) = name.strip_prefix("the ") {
            return Some(target.map_or_else(|| with_article(noun), |target| format!("the {noun} {}", quoted(&target))));
        }
        if let Some(noun) = name.strip_prefix("a ") {
            return Some(match target {
                _ if self.is_own => "themselves".to_owned(),
                Some(target) => target,
                None => with_article(noun),
            });
        }
        match name {
            "whose" if self.is_own => Some("their own".to_owned()),
            "whose" => Some(target.map_or_else(|| "somebody's".to_owned(), |target| format!("{target}'s"))),
            "another" => target.filter(|_| !self.is_own),
            "device" => {
                let named = self.norm(Norm::DeviceName).or_else(|| self.norm(Norm::DeviceKey));
                Some(named.map_or_else(|| "A device".to_owned(), |name| format!("The device {name}")))
            }
            field => self.named(field),
        }
    }
}

/// A name of several words is set off from the words around it.
fn quoted(name: &str) -> String {
    if name.contains(' ') { format!("\"{name}\"") } else { name.to_owned() }
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
