//! Learned: what `first_seen` knew of an owner before a finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::detect::group::Members;
use crate::detect::memory::TEACHING;
use crate::detect::store::Store;
use crate::event::field::Fields;
use crate::event::time::Timestamp;
use crate::rule::logic::FirstSeen;

/// Values that are told; the commonest say what is usual.
const MOST: usize = 10;

/// What one rule learned of its owners: many findings may be of one of them, so their events are looked at once.
#[derive(Default)]
pub struct Learned {
    /// by group the events that taught, in order, and the numbers of their values
    of_group: HashMap<u32, Vec<(u32, usize)>>,
    values: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Learned {
    /// The values that the owner of a group had before a time, and how often.
    pub fn before(
        &mut self,
        store: &Store,
        rule: &FirstSeen,
        time: Timestamp,
        group: u32,
        members: impl FnOnce() -> Members,
    ) -> BTreeMap<String, usize> {
        let Learned { of_group, values, numbers } = self;
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
        let texts: BTreeSet<String> = texts.iter().filter_map(|value| Some(value.text()?.to_lowercase())).collect();
        texts.into_iter().collect::<Vec<_>>().join("+")
    });
    values.collect::<Vec<_>>().join(", ")
}
