//! Evidence: the events that made a signal, through all rules below it.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{Compared, Steps};
use super::count::window;
use super::memory::{Stop, legs};
use super::signal::Signal;
use super::store::Store;
use super::union::Union;
use super::{Detected, risk, union_of};
use crate::rule::logic::{Count, Logic};
use crate::rule::set::RuleSet;

/// All events that made these signals of a rule.
pub fn evidence(set: &RuleSet, store: &Store, detected: &Detected, rule: usize, signals: &[Signal]) -> BTreeSet<u32> {
    let mut out = BTreeSet::new();
    collect(set, store, detected, rule, signals, &mut out);
    out
}

fn collect(
    set: &RuleSet,
    store: &Store,
    detected: &Detected,
    rule: usize,
    signals: &[Signal],
    out: &mut BTreeSet<u32>,
) {
    out.extend(signals.iter().map(|s| s.event));
    let mut found: BTreeSet<u32> = BTreeSet::new();
    let union = union_of(set, rule);
    if let Some(count) = union {
        let union = Union::new(set, store, detected, rule, count);
        found.extend(signals.iter().flat_map(|signal| union.window(signal.event)));
    }
    let grouped = signals.iter().copied().filter(|_| union.is_none());
    for (group, completing) in detected.by_group(set, store, rule, grouped).into_values() {
        let members = || detected.members(set, store, rule, &group);
        match &set.rules[rule].logic {
            Logic::Detection(_) => {}
            Logic::FirstSeen(_) => found.extend(completing),
            // One alone was enough, so the others that were still allowed are no part of it.
            Logic::Count(Count { bounds, values: None, .. }) if bounds.hold(1) && !bounds.hold(usize::MAX) => {
                found.extend(completing);
            }
            Logic::Count(count) => {
                let members = members();
                let all = members.events();
                // The windows of a burst overlap: each event is taken once.
                let mut taken = 0;
                for event in completing {
                    let range = window(store, &all, store.time(event), count.window);
                    let start = range.start.max(taken).min(range.end);
                    found.extend(&all[start..range.end]);
                    taken = taken.max(range.end);
                }
            }
            Logic::Chain(chain) => {
                let members = members();
                let compared = Compared::default();
                let steps = Steps::new(store, chain, &compared, &members);
                found.extend(completing.iter().filter_map(|e| steps.find(*e)).flatten());
            }
            Logic::Travel(travel) => {
                let made = legs(store, travel, &members(), |event| Stop::at(store, event)).into_iter();
                found.extend(made.filter(|leg| completing.contains(&leg.to)).flat_map(|leg| [leg.from, leg.to]));
            }
            Logic::Rate(rate) => {
                let members = members();
                let all = members.events();
                for event in completing {
                    let bucket_of = |event: u32| store.time(event).0.div_euclid(rate.bucket.0);
                    let bucket = bucket_of(event);
                    found.extend(all.iter().filter(|e| **e <= event && bucket_of(**e) == bucket));
                }
            }
            Logic::Risk(rule) => {
                let entity = (group.key[0], group.key[1]);
                let Some(list) = detected.contributions(set, store).get(&entity) else { continue };
                let mut window = risk::Window::new(store, rule, list);
                // All events of a rule at once: their evidence is put together once.
                let mut adding: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
                for event in completing {
                    window.at(event).for_each(|(below, _, nearest)| {
                        adding.entry(below).or_default().insert(nearest);
                    });
                }
                for (below, events) in adding {
                    let signals: Vec<Signal> = events.iter().flat_map(|e| detected.signals[below].at(*e)).collect();
                    collect(set, store, detected, below, &signals, out);
                }
            }
        }
    }
    for below in &set.references[rule][..parts(&set.rules[rule].logic)] {
        let signals: Vec<Signal> = found.iter().flat_map(|e| detected.signals[*below].at(*e)).collect();
        if !signals.is_empty() {
            collect(set, store, detected, *below, &signals, out);
        }
    }
    out.extend(found);
}

/// How many of the rules that a rule refers to, from the first on, its signals are made of; the others are what must
/// not be, what a share is of, and what only teaches.
pub(super) fn parts(logic: &Logic) -> usize {
    match logic {
        Logic::Detection(_) | Logic::Risk(_) => 0,
        Logic::Count(count) => count.rules.len(),
        Logic::Chain(chain) => chain.rules.len(),
        Logic::FirstSeen(_) | Logic::Travel(_) | Logic::Rate(_) => 1,
    }
}
