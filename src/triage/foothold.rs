//! Foothold: a network that somebody came to late, and from which a finding came to be at once. Whoever stays there is
//! soon as common as the owner, and must not be taken for the owner.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::status::{Disposition, Status};
use super::usual::{KNOWN_FOR, LEAST, NEW_FOR};
use super::watch::Happening;
use crate::detect::store::Store;
use crate::event::field::Norm;
use crate::event::time::Timestamp;
use crate::rule::Severity;

/// Organization, who it is, and the network.
type Place = (String, String, String);

/// When somebody did something, and from which network.
type Visit<'s> = (Timestamp, Option<&'s str>);

/// The footholds in a log.
#[derive(Clone, Debug, Default)]
pub struct Footholds(BTreeSet<Place>);

impl Footholds {
    /// The networks in which findings of medium or more came to be within two days of their actor's first event there,
    /// where the actor was known for a week and ten events before.
    pub fn of<'f>(findings: impl Iterator<Item = &'f Finding>, store: &Store) -> Footholds {
        let is_told = |finding: &&Finding| {
            finding.severity >= Severity::Medium
                && finding.disposition != Disposition::Duet
                && finding.status != Status::Suppressed
        };
        let mut told: BTreeMap<Place, Timestamp> = BTreeMap::new();
        for event in findings.filter(is_told).flat_map(|finding| &finding.completing) {
            let Some(place) = place(store, event.event) else { continue };
            let first = told.entry(place).or_insert(event.time);
            *first = event.time.min(*first);
        }
        let actors: BTreeSet<(&str, &str)> = told.keys().map(|(whose, actor, _)| (&**whose, &**actor)).collect();
        let mut times: BTreeMap<(&str, &str), Vec<Visit<'_>>> = BTreeMap::new();
        for event in (0..store.len()).filter(|_| !actors.is_empty()) {
            let Some(actor) = store.text(event, Norm::ActorKey) else { continue };
            let key = (store.organization(event), actor);
            if actors.contains(&key) {
                times.entry(key).or_default().push((store.time(event), store.text(event, Norm::SourceNetwork)));
            }
        }
        times.values_mut().for_each(|times| times.sort_unstable());
        let came_late = |(organization, actor, network): &Place, told: Timestamp| {
            let times = &times[&(&**organization, &**actor)];
            let before = times.iter().position(|(_, from)| *from == Some(network)).unwrap_or(0);
            let (start, begin) = (times[0].0, times[before].0);
            before >= LEAST && begin.since(start).0 >= KNOWN_FOR && told.since(begin).0 < NEW_FOR
        };
        Footholds(
            told.iter().filter(|(place, told)| came_late(place, **told)).map(|(place, _)| place.clone()).collect(),
        )
    }

    /// Whether an event is from one.
    pub fn has(&self, happening: &Happening) -> bool {
        let (organization, deed) = (happening.organization.to_string(), &happening.deed);
        let network = deed.network.clone().filter(|_| !self.0.is_empty());
        network.is_some_and(|network| self.0.contains(&(organization, deed.actor_key.clone(), network)))
    }
}

fn place(store: &Store, event: u32) -> Option<Place> {
    let text = |norm| store.text(event, norm).map(str::to_owned);
    Some((store.organization(event).to_owned(), text(Norm::ActorKey)?, text(Norm::SourceNetwork)?))
}
