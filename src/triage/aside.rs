//! Aside: findings about what somebody did that is no part of the story of whom it is tied to: an answer to a suspect, and
//! what the owner of a stolen account did at home before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tie::{Bonds, Place, SETTLED, Ties};
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::time::Timestamp;

/// By organization and thing, when it had a part in something.
type Spells<'a> = BTreeMap<Place<'a>, Vec<(Timestamp, Timestamp)>>;

fn spells<'s>(all: &'s Spells<'s>, organization: &'s str, key: &'s str) -> &'s [(Timestamp, Timestamp)] {
    all.get(&(organization, key)).map_or(&[], Vec::as_slice)
}

impl Bonds<'_> {
    /// Findings about what was done to somebody who had done something suspicious shortly before, or to what they had done it
    /// to, by somebody who had not and elsewhere: an administrator who answers it. What that one does otherwise is another story.
    pub(super) fn answers(&self) -> BTreeSet<usize> {
        // Whoever did something suspicious, and where.
        let mut suspects: Spells<'_> = BTreeMap::new();
        for (place, ties) in self.ties.iter().enumerate().filter(|(_, ties)| ties.is_suspicious) {
            let Some(about) = ties.about.as_ref().filter(|about| ties.actors.contains(about)) else { continue };
            for key in ties.places.iter().chain([about]) {
                suspects.entry((self.organizations[place], key)).or_default().push((ties.first, ties.last));
            }
        }
        let by_suspect = |place: usize, ties: &Ties| {
            let is_suspect = |key: &String| {
                spells(&suspects, self.organizations[place], key).iter().any(|(first, _)| *first <= ties.first)
            };
            ties.actors.iter().chain(&ties.places).any(is_suspect)
        };
        let mut theirs = suspects.clone();
        for (place, ties) in self.ties.iter().enumerate().filter(|(place, ties)| by_suspect(*place, ties)) {
            for key in ties.touched() {
                theirs.entry((self.organizations[place], key)).or_default().push((ties.first, ties.last));
            }
        }
        let is_answer = |(place, ties): &(usize, &Ties)| {
            let is_theirs = |key: &String| {
                let is_near = |(first, last): &(_, _)| *first < ties.first && ties.first.since(*last) <= self.within;
                spells(&theirs, self.organizations[*place], key).iter().any(is_near)
            };
            !ties.actors.is_empty() && !by_suspect(*place, ties) && ties.touched().any(is_theirs)
        };
        self.ties.iter().enumerate().filter(is_answer).map(|(place, _)| place).collect()
    }

    /// Findings that cast no suspicion on the only one who did it, at addresses where they had been for a week.
    pub(super) fn at_home(&self) -> BTreeSet<usize> {
        let key = |organization: &str, actor: &str, address: &str| format!("{organization}\0{actor}\0{address}");
        let mut since: HashMap<String, Option<Timestamp>> = HashMap::new();
        let mut candidates: Vec<(usize, Vec<String>)> = Vec::new();
        for (place, ties) in self.ties.iter().enumerate().filter(|(_, ties)| !ties.is_suspicious) {
            let [actor] = ties.actors.as_slice() else { continue };
            let addresses = ties.places.iter().filter_map(|place| place.strip_prefix("ip:"));
            let keys: Vec<String> = addresses.map(|ip| key(self.organizations[place], actor, ip)).collect();
            if !keys.is_empty() {
                since.extend(keys.iter().map(|key| (key.clone(), None)));
                candidates.push((place, keys));
            }
        }
        if candidates.is_empty() {
            return BTreeSet::new();
        }
        let profiles = self.store.profiles();
        let key_of = |profile: u32| {
            let text = |norm| profiles.text(profile, norm).map(letters::lower);
            let key = key(profiles.organization(profile), &text(Norm::ActorKey)?, &text(Norm::SourceLink)?);
            since.contains_key(&key).then_some(key)
        };
        let mut keys: Vec<Option<String>> = (0..profiles.len()).map(key_of).collect();
        for event in 0..self.store.len() {
            // The first event of a profile is the earliest.
            if let Some(key) = keys[self.store.profile(event) as usize].take() {
                since.entry(key).or_default().get_or_insert(self.store.time(event));
            }
        }
        let is_settled = |(place, keys): &&(usize, Vec<String>)| {
            let first = self.ties[*place].first;
            keys.iter().all(|key| since[key].is_some_and(|since| first.since(since) >= SETTLED))
        };
        candidates.iter().filter(is_settled).map(|(place, _)| *place).collect()
    }
}
