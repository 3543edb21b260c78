//! Union: "one of these rules", said as an `event_count` of at least one within a second. Any match that has the
//! group fields completes it, so where it only feeds other rules, the events are all there is to keep.

use std::sync::Arc;

use super::group::{Grouping, joined};
use super::signal::{EventSet, Signals};
use super::store::Store;
use super::{Detected, step};
use crate::rule::logic::Count;
use crate::rule::set::RuleSet;

/// The rules of a union, each with what joins its events.
pub struct Union<'a> {
    store: &'a Store,
    rule: &'a Count,
    parts: Vec<(&'a Signals, Arc<Grouping>)>,
}

impl<'a> Union<'a> {
    /// Puts the parts of a rule together.
    pub fn new(set: &'a RuleSet, store: &'a Store, detected: &'a Detected, place: usize, rule: &'a Count) -> Union<'a> {
        let part = |of: &usize| {
            let step = step(set, detected, *of);
            let fields = joined(&rule.group_by, step.name)?;
            Some((step.signals, detected.groupings.of_step(store, &fields, &step)))
        };
        let parts = set.references[place][..rule.rules.len()].iter().filter_map(part).collect();
        Union { store, rule, parts }
    }

    /// All events of it.
    pub fn events(&self) -> EventSet {
        let mut words = vec![0_u64; self.store.len().div_ceil(64) as usize];
        for (signals, grouping) in &self.parts {
            signals.for_each_event(|event| {
                let is_grouped = !grouping.of(self.store.profile(event)).is_empty();
                words[event as usize / 64] |= u64::from(is_grouped) << (event % 64);
            });
        }
        EventSet::Dense(words).packed(self.store.len())
    }

    /// The groups that an event is in.
    fn groups(&self, event: u32) -> Vec<u32> {
        let parts = self.parts.iter().filter(|(signals, _)| !signals.at(event).iter().all(|s| s.is_pending()));
        parts.flat_map(|(_, grouping)| grouping.of(self.store.profile(event))).copied().collect()
    }

    /// The events of the window that an event completes, in its groups.
    pub fn window(&self, event: u32) -> impl Iterator<Item = u32> {
        let (groups, time) = (self.groups(event), self.store.time(event));
        let organization = self.store.organization_symbol(event);
        let is_here = move |other: &u32| self.store.organization_symbol(*other) == organization;
        let behind =
            (event..self.store.len()).take_while(move |other| is_here(other) && self.store.time(*other) == time);
        let open = time.0.saturating_sub(self.rule.window.0);
        let before = (0..event).rev().take_while(move |other| is_here(other) && self.store.time(*other).0 > open);
        before.chain(behind).filter(move |other| self.groups(*other).iter().any(|group| groups.contains(group)))
    }
}
