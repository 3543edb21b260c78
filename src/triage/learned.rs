//! Learned: what `first_seen` knew of an owner before a finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::finding::Findings;
use crate::detect::group::Members;
use crate::detect::memory::TEACHING;
use crate::detect::signal::Signal;
use crate::detect::store::Store;
use crate::event::field::Fields;
use crate::event::letters;
use crate::event::time::Timestamp;
use crate::rule::logic::{FirstSeen, Logic};

/// Values that are told; the commonest say what is usual.
const MOST: usize = 10;

/// What `first_seen` learned of owners: many findings may be of one of them, so their events are looked at once.
#[derive(Default)]
pub struct Learned {
    of_rule: HashMap<usize, Lessons>,
}

/// What one rule learned of its owners.
#[derive(Default)]
struct Lessons {
    /// by group the events that taught, in order, and the numbers of their values
    of_group: HashMap<u32, Vec<(u32, usize)>>,
    values: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Learned {
    /// What the owners had before the first sights of a finding, and how often; each rule tells of an owner once.
    pub fn before(&mut self, all: &Findings<'_>, sights: &[(usize, Signal)]) -> BTreeMap<String, usize> {
        let Findings { set, store, detected, .. } = *all;
        let mut out: BTreeMap<String, usize> = BTreeMap::new();
        for of_rule in sights.chunk_by(|a, b| a.0 == b.0) {
            let place = of_rule[0].0;
            let Logic::FirstSeen(rule) = &set.rules[place].logic else { continue };
            let lessons = self.of_rule.entry(place).or_default();
            let groups = detected.by_group(set, store, place, of_rule.iter().map(|(_, signal)| *signal));
            for (number, (_, events)) in groups {
                let Some(first) = events.into_iter().min() else { continue };
                let members = || detected.members(set, store, place, number);
                for (value, count) in lessons.before(store, rule, store.time(first), number, members) {
                    let seen = out.entry(value).or_default();
                    *seen = count.max(*seen);
                }
            }
        }
        out
    }
}

impl Lessons {
    /// The values that the owner of a group had before a time, and how often.
    fn before(
        &mut self,
        store: &Store,
        rule: &FirstSeen,
        time: Timestamp,
        group: u32,
        members: impl FnOnce() -> Members,
    ) -> Vec<(String, usize)> {
        let Lessons { of_group, values, numbers } = self;
        let lessons = of_group.entry(group).or_insert_with(|| {
            let members = members();
            let lesson = |event: &u32| {
                let value = Some(value(store, rule, *event)).filter(|value| !value.is_empty())?;
                let number = *numbers.entry(value).or_insert_with_key(|value| {
                    values.push(value.clone());
                    values.len() - 1
                });
                Some((*event, number))
            };
            members.steps[TEACHING].iter().filter_map(lesson).collect()
        });
        let mut seen = vec![0; values.len()];
        let before = lessons.partition_point(|(event, _)| store.time(*event) < time);
        lessons[..before].iter().for_each(|(_, value)| seen[*value] += 1);
        let mut counts: Vec<(&String, usize)> = values.iter().zip(seen).filter(|(_, count)| *count > 0).collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        counts.into_iter().take(MOST).map(|(value, count)| (value.clone(), count)).collect()
    }
}

/// The value of an event in words, as it is written but for its case: several fields are one tuple.
fn value(store: &Store, rule: &FirstSeen, event: u32) -> String {
    let view = store.view(event);
    let values = rule.value.iter().map(|field| {
        let texts = view.values(field);
        let texts: BTreeSet<String> = texts.iter().filter_map(|value| Some(letters::lower(value.text()?))).collect();
        texts.into_iter().collect::<Vec<_>>().join("+")
    });
    values.collect::<Vec<_>>().join(", ")
}
