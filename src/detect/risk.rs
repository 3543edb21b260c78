//! Risk: a weighted sum over the different rules that found something on one entity in a window.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Group;
use super::profile::Symbol;
use super::signal::{Signal, Signals};
use super::store::Store;
use super::{Detected, Found};
use crate::event::field::Field;
use crate::rule::logic::{Logic, Risk};
use crate::rule::set::RuleSet;
use crate::rule::{Rule, Severity};

/// What a finding of each level weighs.
pub fn weight(level: Severity) -> u32 {
    match level {
        Severity::Info => 1,
        Severity::Low => 5,
        Severity::Medium => 15,
        Severity::High => 40,
        Severity::Critical => 80,
    }
}

/// Whether a rule adds to the risk of its entity: what is reported by default, and no other `risk`.
pub fn counts(rule: &Rule) -> bool {
    rule.is_reported && !rule.is_opt_in && !matches!(rule.logic, Logic::Risk(_))
}

/// The signals that add up for each entity: completing event and rule, in the total order.
pub fn contributions(
    set: &RuleSet,
    store: &Store,
    detected: &Detected,
) -> BTreeMap<(Symbol, Symbol), Vec<(u32, usize)>> {
    let mut of_entity: BTreeMap<(Symbol, Symbol), Vec<(u32, usize)>> = BTreeMap::new();
    for (place, rule) in set.rules.iter().enumerate().filter(|(_, rule)| counts(rule)) {
        let Some(field) = rule.entity.field() else { continue };
        for event in detected.signals[place].events() {
            for entity in store.group_values(event, &Field::Norm(field)) {
                of_entity.entry((store.organization_symbol(event), entity)).or_default().push((event, place));
            }
        }
    }
    of_entity.values_mut().for_each(|list| list.sort_unstable());
    of_entity
}

/// The rules that count towards an event, with the event of each that is nearest.
pub fn window(store: &Store, risk: &Risk, list: &[(u32, usize)], event: u32) -> BTreeMap<usize, u32> {
    let time = store.time(event);
    let open = time.0.saturating_sub(risk.window.0);
    let start = list.partition_point(|(e, _)| store.time(*e).0 <= open);
    let end = list.partition_point(|(e, _)| store.time(*e) <= time);
    list[start..end].iter().map(|(event, rule)| (*rule, *event)).collect()
}

pub(super) fn evaluate(set: &RuleSet, store: &Store, detected: &Detected, risk: &Risk) -> Found {
    let (mut signals, mut groups) = (Vec::new(), Vec::new());
    for (number, (key, list)) in (0..).zip(contributions(set, store, detected)) {
        let mut events: Vec<u32> = list.iter().map(|(event, _)| *event).collect();
        events.dedup();
        for event in &events {
            let (rules, event) = (window(store, risk, &list, *event), *event);
            let sum: u32 = rules.keys().map(|rule| weight(set.rules[*rule].level)).sum();
            let techniques = rules.keys().flat_map(|rule| &set.rules[*rule].techniques);
            let tactics: BTreeSet<&str> = techniques.map(|t| t.tactic.as_str()).collect();
            if sum >= risk.min_score && rules.len() >= risk.min_rules && tactics.len() >= risk.min_tactics {
                signals.push(Signal::new(event).of_group(number));
            }
        }
        groups.push(Group { key: Box::new([key.0, key.1]), number });
    }
    Found { signals: Signals::new(signals), groups: groups.into(), judged: None }
}
