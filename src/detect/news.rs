//! News: what the history alone would not have told.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Detected;
use super::evidence::Collected;
use super::profile::Symbol;
use super::signal::{Signal, Signals};
use super::store::Store;
use crate::event::time::Timestamp;
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;

/// What is new beside the history.
pub struct News<'a> {
    set: &'a RuleSet,
    store: &'a Store,
    detected: &'a Detected,
    /// by organization the time of the first event that is no history
    first: HashMap<Symbol, Timestamp, RandomState>,
    /// by rule the time of the first event of it, or of a rule below, at which only now it is certain that nothing followed
    settled: Vec<Option<Timestamp>>,
}

impl<'a> News<'a> {
    /// Looks through all that was read.
    pub fn new(set: &'a RuleSet, store: &'a Store, detected: &'a Detected) -> News<'a> {
        let mut news = News { set, store, detected, first: HashMap::default(), settled: vec![None; set.rules.len()] };
        if store.has_history() {
            for event in (0..store.len()).filter(|event| !store.is_history(*event)) {
                let first = news.first.entry(store.organization_symbol(event)).or_insert(store.time(event));
                *first = store.time(event).min(*first);
            }
            set.order.iter().for_each(|rule| news.settled[*rule] = news.settled_at(*rule));
            // What adds up may be of any rule.
            let of_any = news.settled.iter().flatten().min().copied();
            let is_risk = |rule: &usize| matches!(set.rules[*rule].logic, Logic::Risk(_));
            (0..set.rules.len()).filter(is_risk).for_each(|rule| news.settled[rule] = of_any);
        }
        news
    }

    fn settled_at(&self, rule: usize) -> Option<Timestamp> {
        let own = match &self.detected.signals[rule] {
            Signals::Matches(_) => None,
            Signals::List(list) => list.iter().filter(|s| s.is_settled()).map(|s| self.store.time(s.event)).min(),
        };
        self.set.references[rule].iter().filter_map(|below| self.settled[*below]).chain(own).min()
    }

    /// Whether the history alone would not have had these signals of a rule: an event that made them, or what settles that
    /// nothing followed, came later. They are in their order, and of one organization.
    pub fn has(&self, rule: usize, signals: &[Signal]) -> bool {
        let News { store, .. } = *self;
        if signals.iter().any(|signal| signal.is_settled() || !store.is_history(signal.event)) {
            return true;
        }
        // No signal is made of what comes after it.
        let Some(last) = signals.last().map(|signal| signal.event) else { return false };
        let first = self.first.get(&store.organization_symbol(last)).copied();
        if first.into_iter().chain(self.settled[rule]).all(|first| store.time(last) < first) {
            return false;
        }
        let collected = Collected::of(self.set, store, self.detected, rule, signals);
        collected.told.iter().any(|(_, signal)| signal.is_settled())
            || collected.events.iter().any(|event| !store.is_history(*event))
    }
}
