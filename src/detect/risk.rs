//! Risk: a weighted sum over the different rules that found something on one entity in a window.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Group;
use super::profile::Symbol;
use super::signal::{Signal, Signals};
use super::store::Store;
use super::{Detected, Found};
use crate::event::field::Field;
use crate::event::time::Span;
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

/// The signals that add up, by organization and entity: completing event and rule, in the total order.
pub type Contributions = BTreeMap<(Symbol, Symbol), Vec<(u32, usize)>>;

/// The signals that add up for each entity.
pub fn contributions(set: &RuleSet, store: &Store, detected: &Detected) -> Contributions {
    let mut of_entity = Contributions::new();
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

/// The signals of a rule that lie in a window.
#[derive(Clone, Copy, Debug)]
struct Within {
    count: usize,
    nearest: u32,
}

/// The window over the signals of one entity, on its way through time.
pub struct Window<'a> {
    store: &'a Store,
    length: Span,
    list: &'a [(u32, usize)],
    start: usize,
    end: usize,
    of_rule: BTreeMap<usize, Within>,
}

impl<'a> Window<'a> {
    /// A window that nothing entered yet.
    pub fn new(store: &'a Store, risk: &Risk, list: &'a [(u32, usize)]) -> Window<'a> {
        Window { store, length: risk.window, list, start: 0, end: 0, of_rule: BTreeMap::new() }
    }

    /// Moves on to the time of an event that is not before the one it was moved to last; gives the rules that count
    /// towards it, and the event of each that is nearest.
    pub fn at(&mut self, event: u32) -> impl Iterator<Item = (usize, u32)> {
        let time = self.store.time(event);
        while let Some((entering, rule)) = self.list.get(self.end).filter(|(e, _)| self.store.time(*e) <= time) {
            let within = self.of_rule.entry(*rule).or_insert(Within { count: 0, nearest: *entering });
            *within = Within { count: within.count + 1, nearest: *entering };
            self.end += 1;
        }
        let open = time.0.saturating_sub(self.length.0);
        while let Some((_, rule)) = self.list[..self.end].get(self.start).filter(|(e, _)| self.store.time(*e).0 <= open)
        {
            if let Some(within) = self.of_rule.get_mut(rule) {
                within.count -= 1;
                if within.count == 0 {
                    self.of_rule.remove(rule);
                }
            }
            self.start += 1;
        }
        self.of_rule.iter().map(|(rule, within)| (*rule, within.nearest))
    }
}

pub(super) fn evaluate(set: &RuleSet, store: &Store, detected: &Detected, risk: &Risk) -> Found {
    let (mut signals, mut groups) = (Vec::new(), Vec::new());
    for (number, (key, list)) in (0..).zip(detected.contributions(set, store)) {
        let mut window = Window::new(store, risk, list);
        for part in list.chunk_by(|(a, _), (b, _)| a == b) {
            let event = part[0].0;
            let rules: Vec<&Rule> = window.at(event).map(|(rule, _)| &set.rules[rule]).collect();
            let sum: u32 = rules.iter().map(|rule| weight(rule.level)).sum();
            if sum < risk.min_score || rules.len() < risk.min_rules {
                continue;
            }
            let techniques = rules.iter().flat_map(|rule| &rule.techniques);
            if techniques.map(|t| t.tactic.as_str()).collect::<BTreeSet<&str>>().len() >= risk.min_tactics {
                signals.push(Signal::new(event).of_group(number));
            }
        }
        groups.push(Group { key: Box::new([key.0, key.1]), number });
    }
    Found { signals: Signals::new(signals), groups: groups.into(), judged: None }
}
