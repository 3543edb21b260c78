//! Entity: whom or what a finding is about, in one word.

use crate::event::field::Norm;
use crate::event::nearest::unknown;

/// Whom or what a finding of the rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// who did it
    Actor,
    /// whom it was done to
    Target,
    /// the address it came from
    Source,
    /// the device
    Device,
    /// the application
    App,
    /// the organization
    Organization,
}

impl Entity {
    const WORDS: [(&'static str, Entity); 6] = [
        ("actor", Entity::Actor),
        ("target", Entity::Target),
        ("source", Entity::Source),
        ("device", Entity::Device),
        ("app", Entity::App),
        ("organization", Entity::Organization),
    ];

    /// Reads a word that somebody wrote; the error names the words that there are.
    pub fn named(word: &str) -> Result<Entity, String> {
        let found = Entity::WORDS.iter().find(|(known, _)| *known == word).map(|(_, entity)| *entity);
        found.ok_or_else(|| unknown("entity", word, &Entity::WORDS.map(|(known, _)| known)))
    }

    /// The word in rules.
    pub fn word(self) -> &'static str {
        Entity::WORDS.iter().find(|(_, e)| *e == self).map_or("", |(word, _)| word)
    }

    /// The field that identifies it; `None` for the organization.
    pub fn field(self) -> Option<Norm> {
        match self {
            Entity::Actor => Some(Norm::ActorKey),
            Entity::Target => Some(Norm::TargetKey),
            Entity::Source => Some(Norm::SourceLink),
            Entity::Device => Some(Norm::DeviceKey),
            Entity::App => Some(Norm::AppKey),
            Entity::Organization => None,
        }
    }
}
