//! Evidence: the events that made a signal, through all rules below it.

use std::collections::BTreeSet;

use super::chain::Steps;
use super::count::window;
use super::memory::{Stop, legs};
use super::signal::Signal;
use super::store::Store;
use super::union::Union;
use super::{Detected, risk, union_of};
use crate::rule::logic::Logic;
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
    // Once for all groups: it looks at the signals of every rule.
    let adding_up = matches!(set.rules[rule].logic, Logic::Risk(_)).then(|| risk::contributions(set, store, detected));
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
                let steps = Steps::new(store, chain, &members);
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
                let Some(list) = adding_up.as_ref().and_then(|all| all.get(&entity)) else { continue };
                let adding: BTreeSet<(usize, u32)> =
                    completing.iter().flat_map(|e| risk::window(store, rule, list, *e)).collect();
                for (below, event) in adding {
                    collect(set, store, detected, below, &detected.signals[below].at(event), out);
                }
            }
        }
    }
    for below in &set.references[rule] {
        let signals: Vec<Signal> = found.iter().flat_map(|e| detected.signals[*below].at(*e)).collect();
        if !signals.is_empty() {
            collect(set, store, detected, *below, &signals, out);
        }
    }
    out.extend(found);
}
