//! Aside: findings about what somebody did that is no part of the story of whom it is tied to: an answer to a suspect, and
//! what the owner of a stolen account did at home before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tie::{Bonds, Place, SETTLED, Ties};
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::time::Timestamp;

/// When a thing had a part in something: when each began, in order, and when the last of these and those before ended.
#[derive(Default)]
struct Spells(Vec<(Timestamp, Timestamp)>);

impl Spells {
    fn of(mut all: Vec<(Timestamp, Timestamp)>) -> Spells {
        all.sort_unstable();
        let mut end = Timestamp(i64::MIN);
        for (_, last) in &mut all {
            end = end.max(*last);
            *last = end;
        }
        Spells(all)
    }

    /// When the last of those ended that began before a time.
    fn before(&self, time: Timestamp) -> Option<Timestamp> {
        let began = self.0.partition_point(|(first, _)| *first < time);
        began.checked_sub(1).map(|last| self.0[last].1)
    }
}

impl Bonds<'_> {
    /// Findings about what was done to somebody who had done something suspicious shortly before, or to what they had done it
    /// to, by somebody who had not and elsewhere: an administrator who answers it. What that one does otherwise is another story.
    pub(super) fn answers(&self) -> BTreeSet<usize> {
        // Whoever did something suspicious, and where, and since when.
        let mut suspects: BTreeMap<Place<'_>, Timestamp> = BTreeMap::new();
        let mut theirs: BTreeMap<Place<'_>, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
        let all = || self.organizations.iter().zip(&self.ties);
        for (organization, ties) in all().filter(|(_, ties)| ties.is_suspicious) {
            let Some(about) = ties.about.as_ref().filter(|about| ties.actors.contains(about)) else { continue };
            for key in ties.places.iter().chain([about]) {
                let since = suspects.entry((organization, key)).or_insert(ties.first);
                *since = ties.first.min(*since);
            }
            theirs.entry((organization, about)).or_default().push((ties.first, ties.last));
        }
        let by_suspect = |organization: &str, ties: &Ties| {
            let is_suspect =
                |key: &String| suspects.get(&(organization, key)).is_some_and(|since| *since <= ties.first);
            ties.actors.iter().chain(&ties.places).any(is_suspect)
        };
        for (organization, ties) in all().filter(|(organization, ties)| by_suspect(organization, ties)) {
            for key in ties.touched() {
                theirs.entry((organization, key)).or_default().push((ties.first, ties.last));
            }
        }
        let theirs: BTreeMap<Place<'_>, Spells> =
            theirs.into_iter().map(|(key, spells)| (key, Spells::of(spells))).collect();
        let is_answer = |organization: &str, ties: &Ties| {
            let is_theirs = |key: &String| {
                let end = theirs.get(&(organization, key)).and_then(|spells| spells.before(ties.first));
                end.is_some_and(|end| ties.first.since(end) <= self.within)
            };
            !ties.actors.is_empty() && !by_suspect(organization, ties) && ties.touched().any(is_theirs)
        };
        let answers = all().enumerate().filter(|(_, (organization, ties))| is_answer(organization, ties));
        answers.map(|(place, _)| place).collect()
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
        let actors: BTreeSet<&str> =
            candidates.iter().flat_map(|(place, _)| &self.ties[*place].actors).map(String::as_str).collect();
        let profiles = self.store.profiles();
        let key_of = |profile: u32| {
            let text = |norm| profiles.text(profile, norm).map(letters::lowered);
            let actor = text(Norm::ActorKey).filter(|actor| actors.contains(&**actor))?;
            let key = key(profiles.organization(profile), &actor, &text(Norm::SourceLink)?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_began_before_the_last_end_counts() {
        let at = |seconds: i64| Timestamp(seconds);
        let spells = Spells::of(vec![(at(5), at(6)), (at(1), at(9)), (at(12), at(12))]);
        let told: Vec<Option<i64>> =
            [1, 2, 6, 12, 13].iter().map(|time| spells.before(at(*time)).map(|end| end.0)).collect();
        assert_eq!(told, [None, Some(9), Some(9), Some(9), Some(12)]);
        assert_eq!(Spells::default().before(at(7)), None);
    }
}
