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

    /// The fields of which the first that an event has identifies it; none for the organization. An event of RADIUS has
    /// no other address than that of the access point.
    pub fn fields(self) -> &'static [Norm] {
        match self {
            Entity::Actor => &[Norm::ActorKey],
            Entity::Target => &[Norm::TargetKey],
            Entity::Source => &[Norm::SourceLink, Norm::SourceGateway],
            Entity::Device => &[Norm::DeviceKey],
            Entity::App => &[Norm::AppKey],
            Entity::Organization => &[],
        }
    }
}
