//! Union: "one of these rules", said as an `event_count` of at least one within a second. Any match that has the
//! group fields completes it, so where it only feeds other rules, the events are all there is to keep.

use super::group::joined;
use super::signal::EventSet;
use super::store::Store;
use super::{Detected, step};
use crate::rule::logic::Count;
use crate::rule::set::RuleSet;

/// The events of all parts of a union.
pub fn events(set: &RuleSet, store: &Store, detected: &Detected, place: usize, rule: &Count) -> EventSet {
    let mut words = vec![0_u64; store.len().div_ceil(64) as usize];
    for part in &set.references[place][..rule.rules.len()] {
        let step = step(set, detected, *part);
        let Some(fields) = joined(&rule.group_by, step.name) else { continue };
        let grouping = detected.groupings.of_step(store, &fields, &step);
        step.signals.for_each_event(|event| {
            let is_grouped = !grouping.of(store.profile(event)).is_empty();
            words[event as usize / 64] |= u64::from(is_grouped) << (event % 64);
        });
    }
    EventSet::Dense(words).packed(store.len())
}
