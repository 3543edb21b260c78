//! Evidence: the events that made a signal, through all rules below it.

use std::collections::{BTreeSet, HashSet};

use super::chain::Steps;
use super::count::Counted;
use super::group::Group;
use super::memory::{Stop, legs};
use super::signal::Signal;
use super::store::Store;
use super::{Detected, compared, risk, union_of};
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;

/// All events that made these signals of a rule.
pub fn evidence(set: &RuleSet, store: &Store, detected: &Detected, rule: usize, signals: &[Signal]) -> BTreeSet<u32> {
    Collected::of(set, store, detected, rule, signals).events
}

/// The same, and with them the first sights that had a part in it: the rule that saw it, and where. What risk adds up is
/// told of on its own, so of that it has none; nor of parts that learn of the whole organization, which ask for the age of
/// the log.
pub fn evidence_and_sights(
    set: &RuleSet,
    store: &Store,
    detected: &Detected,
    rule: usize,
    signals: &[Signal],
) -> (BTreeSet<u32>, Vec<(usize, Signal)>) {
    let Collected { told, events, .. } = Collected::of(set, store, detected, rule, signals);
    let is_sum = matches!(set.rules[rule].logic, Logic::Risk(_));
    let is_sight = |part: usize| match &set.rules[part].logic {
        Logic::FirstSeen(first) => !is_sum && (part == rule || !first.by.is_empty()),
        _ => false,
    };
    let mut sights: Vec<(usize, Signal)> = told.into_iter().filter(|(rule, _)| is_sight(*rule)).collect();
    sights.sort_unstable();
    (events, sights)
}

/// Evidence on the way through the rules below.
pub(super) struct Collected<'a> {
    set: &'a RuleSet,
    store: &'a Store,
    detected: &'a Detected,
    /// the signals whose evidence is in: many ways may lead to one
    pub told: HashSet<(usize, Signal)>,
    /// all of it
    pub events: BTreeSet<u32>,
}

/// The events that made signals, by the rules that a rule refers to.
struct Made(Vec<BTreeSet<u32>>);

impl Made {
    /// Events of which each may be of any of the rules.
    fn of_any(&mut self, events: impl IntoIterator<Item = u32>) {
        let events: Vec<u32> = events.into_iter().collect();
        self.0.iter_mut().for_each(|made| made.extend(&events));
    }

    /// The events of a chain, by its steps; some steps only say how things were.
    fn of_steps(&mut self, links: &[Option<u32>], context: &[usize]) {
        let steps = self.0.iter_mut().zip(links).enumerate().filter(|(step, _)| !context.contains(step));
        steps.for_each(|(_, (made, event))| made.extend(event));
    }
}

impl<'a> Collected<'a> {
    /// Of these signals of a rule.
    pub fn of(
        set: &'a RuleSet,
        store: &'a Store,
        detected: &'a Detected,
        rule: usize,
        signals: &[Signal],
    ) -> Collected<'a> {
        let mut collected = Collected { set, store, detected, told: HashSet::new(), events: BTreeSet::new() };
        collected.collect(rule, signals);
        collected
    }

    fn collect(&mut self, rule: usize, signals: &[Signal]) {
        let Collected { set, store, detected, .. } = *self;
        let new: Vec<Signal> = signals.iter().copied().filter(|signal| self.told.insert((rule, *signal))).collect();
        let signals = new.as_slice();
        self.events.extend(signals.iter().map(|s| s.event));
        let logic = &set.rules[rule].logic;
        let mut made = Made(vec![BTreeSet::new(); parts(logic)]);
        if union_of(set, rule).is_some() {
            made.of_any(signals.iter().map(|signal| signal.event));
        } else {
            for (group, completing) in detected.by_group(set, store, rule, signals.iter().copied()).into_values() {
                self.of_group(rule, &group, completing, &mut made);
            }
        }
        for (below, events) in set.references[rule].iter().zip(made.0) {
            let signals: Vec<Signal> = events.iter().flat_map(|e| detected.signals[*below].at(*e)).collect();
            self.events.extend(events);
            if !signals.is_empty() {
                self.collect(*below, &signals);
            }
        }
    }

    /// What made the signals that these events complete in a group.
    fn of_group(&mut self, rule: usize, group: &Group, mut completing: Vec<u32>, made: &mut Made) {
        completing.sort_unstable();
        let Collected { set, store, detected, .. } = *self;
        let members = || detected.members(set, store, rule, group.number);
        match &set.rules[rule].logic {
            Logic::Detection(_) => {}
            Logic::FirstSeen(_) => made.of_any(completing),
            Logic::Count(count) if count.is_met_by_one() => made.of_any(completing),
            Logic::Count(count) => {
                let members = members();
                let values = count.values.as_ref();
                let values =
                    values.map(|fields| detected.groupings.of(store, fields, members.events().iter().copied()));
                let since = detected.since(set, store, rule, count);
                let counted = Counted::new(store, count, &members, values.as_ref(), since.of(group.number));
                // The windows of a burst overlap: each event is taken once.
                let mut taken = 0;
                for event in completing {
                    let window = counted.window(event);
                    let start = window.start.max(taken).min(window.end);
                    made.of_any(counted.events[start..window.end].iter().copied());
                    taken = taken.max(window.end);
                }
            }
            Logic::Chain(chain) => {
                let (members, compared) = (members(), compared(set, store, detected, rule, chain, false));
                let steps = Steps::new(store, chain, &compared, &members);
                completing
                    .iter()
                    .filter_map(|e| steps.find(*e))
                    .for_each(|links| made.of_steps(&links, &chain.context));
            }
            Logic::Travel(travel) => {
                let legs = legs(store, travel, &members(), |event| Stop::at(store, event)).into_iter();
                let legs = legs.filter(|leg| completing.binary_search(&leg.to).is_ok());
                made.of_any(legs.flat_map(|leg| [leg.from, leg.to]));
            }
            Logic::Rate(rate) => {
                let members = members();
                let all = members.events();
                let bucket_of = |event: u32| store.time(event).0.div_euclid(rate.bucket.0);
                // Of each bucket all up to the last that completes something in it.
                for of_bucket in completing.chunk_by(|a, b| bucket_of(*a) == bucket_of(*b)) {
                    let last = of_bucket[of_bucket.len() - 1];
                    let before = all[..all.partition_point(|e| *e <= last)].iter().rev();
                    made.of_any(before.copied().take_while(|e| bucket_of(*e) == bucket_of(last)));
                }
            }
            Logic::Risk(rule) => {
                let entity = (group.key[0], group.key[1]);
                // All events of a rule at once: their evidence is put together once.
                for (below, addition) in risk::additions(set, store, detected, rule, entity, completing) {
                    let at = |event: &u32| detected.signals[below].at(*event);
                    let signals: Vec<Signal> = addition.events.iter().flat_map(at).collect();
                    self.collect(below, &signals);
                }
            }
        }
    }
}

/// How many of the rules that a rule refers to, from the first on, its signals may be made of; the others are what must
/// not lie between, what a share is of, and what only teaches.
pub(super) fn parts(logic: &Logic) -> usize {
    match logic {
        Logic::Detection(_) | Logic::Risk(_) => 0,
        Logic::Count(count) => count.rules.len(),
        Logic::Chain(chain) => chain.rules.len(),
        Logic::FirstSeen(_) | Logic::Travel(_) | Logic::Rate(_) => 1,
    }
}
