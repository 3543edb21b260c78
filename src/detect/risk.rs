//! Risk: a weighted sum over the different rules that found something on one entity in a window. What a correlation
//! is made of is not added to it.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::parts;
use super::group::Group;
use super::profile::Symbol;
use super::signal::{Signal, Signals};
use super::store::Store;
use super::{Detected, Found};
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

/// Whether a rule adds to the risk of its entity: what is reported by default and not turned off, and no other `risk`.
pub fn counts(rule: &Rule) -> bool {
    rule.is_reported && !rule.is_opt_in && !rule.is_off && !matches!(rule.logic, Logic::Risk(_))
}

/// A signal that adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contribution {
    /// the completing event
    event: u32,
    rule: usize,
    /// as it is at this event
    level: Severity,
}

/// The signals that add up.
#[derive(Debug)]
pub struct Contributions {
    /// by organization and entity, in the total order
    of_entity: BTreeMap<(Symbol, Symbol), Vec<Contribution>>,
    /// the rules that each rule is made of, through all between; of all rules, if anything adds up
    made_of: Vec<BTreeSet<usize>>,
}

/// The signals that add up for each entity.
pub fn contributions(set: &RuleSet, store: &Store, detected: &Detected) -> Contributions {
    let mut of_entity: BTreeMap<(Symbol, Symbol), Vec<Contribution>> = BTreeMap::new();
    for (place, rule) in set.rules.iter().enumerate().filter(|(_, rule)| counts(rule)) {
        for event in detected.signals[place].events() {
            let contribution = Contribution { event, rule: place, level: rule.level_at(&store.view(event)) };
            for entity in store.entities(event, rule.entity) {
                of_entity.entry((store.organization_symbol(event), entity)).or_default().push(contribution);
            }
        }
    }
    of_entity.values_mut().for_each(|list| list.sort_unstable());
    // Few runs have anything to add up.
    let made_of = if of_entity.is_empty() { Vec::new() } else { made_of(set) };
    Contributions { of_entity, made_of }
}

/// The signals of a rule that lie in a window.
#[derive(Clone, Debug, Default)]
struct Within {
    /// how many are of each level
    counts: [usize; Severity::ALL.len()],
    nearest: u32,
}

impl Within {
    fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().rev().find(|level| self.counts[*level as usize] > 0)
    }
}

/// A rule that counts towards the risk of an entity.
#[derive(Clone, Copy, Debug)]
struct Addend {
    /// its place
    rule: usize,
    /// the worst level in the window
    level: Severity,
    /// its nearest event
    event: u32,
}

/// What a rule adds to the risk of an entity.
#[derive(Clone, Debug)]
pub struct Addition {
    /// its level where it is worst
    pub level: Severity,
    /// the nearest events
    pub events: BTreeSet<u32>,
}

/// The entity of this name whose findings a rule adds up, in the organization of an event.
pub fn entity(store: &Store, detected: &Detected, rule: usize, event: u32, name: &str) -> Option<(Symbol, Symbol)> {
    let organization = store.organization_symbol(event);
    let is_its = |group: &&Group| group.key[0] == organization && store.symbol(group.key[1]) == name;
    detected.groups[rule].iter().find(is_its).map(|group| (group.key[0], group.key[1]))
}

/// What adds up at these events, in their order, by rule.
pub fn additions(
    set: &RuleSet,
    store: &Store,
    detected: &Detected,
    risk: &Risk,
    entity: (Symbol, Symbol),
    completing: impl IntoIterator<Item = u32>,
) -> BTreeMap<usize, Addition> {
    let mut window = Window::new(store, risk, detected.contributions(set, store), entity);
    let mut additions = BTreeMap::new();
    for Addend { rule, level, event } in completing.into_iter().flat_map(|event| window.at(event)) {
        let addition = additions.entry(rule).or_insert_with(|| Addition { level, events: BTreeSet::new() });
        addition.level = addition.level.max(level);
        addition.events.insert(event);
    }
    additions
}

/// The window over the signals of one entity, on its way through time.
struct Window<'a> {
    store: &'a Store,
    risk: &'a Risk,
    made_of: &'a [BTreeSet<usize>],
    list: &'a [Contribution],
    start: usize,
    end: usize,
    of_rule: BTreeMap<usize, Within>,
}

impl<'a> Window<'a> {
    /// A window that nothing entered yet, over the signals of an entity in an organization.
    fn new(store: &'a Store, risk: &'a Risk, all: &'a Contributions, entity: (Symbol, Symbol)) -> Window<'a> {
        let list = all.of_entity.get(&entity).map_or(&[][..], Vec::as_slice);
        Window { store, risk, made_of: &all.made_of, list, start: 0, end: 0, of_rule: BTreeMap::new() }
    }

    /// Moves on to the time of an event that is not before the one it was moved to last; gives the rules that count
    /// towards it, if they are enough.
    fn at(&mut self, event: u32) -> Vec<Addend> {
        let time = self.store.time(event);
        while let Some(entering) = self.list.get(self.end).filter(|c| self.store.time(c.event) <= time) {
            let within = self.of_rule.entry(entering.rule).or_default();
            within.counts[entering.level as usize] += 1;
            within.nearest = entering.event;
            self.end += 1;
        }
        let open = time.back(self.risk.window);
        while let Some(leaving) = self.list[..self.end].get(self.start).filter(|c| self.store.time(c.event) <= open) {
            if let Some(within) = self.of_rule.get_mut(&leaving.rule) {
                within.counts[leaving.level as usize] -= 1;
                if within.worst().is_none() {
                    self.of_rule.remove(&leaving.rule);
                }
            }
            self.start += 1;
        }
        let is_part =
            |rule: &usize| self.of_rule.keys().any(|other| other != rule && self.made_of[*other].contains(rule));
        let own = self.of_rule.iter().filter(|(rule, _)| !is_part(rule));
        let addend = |(rule, within): (&usize, &Within)| {
            Some(Addend { rule: *rule, level: within.worst()?, event: within.nearest })
        };
        let addends: Vec<Addend> = own.filter_map(addend).collect();
        if self.has_one_event() || !self.is_enough(&addends) {
            return vec![];
        }
        addends
    }

    fn is_enough(&self, addends: &[Addend]) -> bool {
        let sum: u32 = addends.iter().map(|addend| weight(addend.level)).sum();
        sum >= self.risk.min_score && addends.len() >= self.risk.min_rules
    }

    /// Whether all in it is of one event.
    fn has_one_event(&self) -> bool {
        let within = &self.list[self.start..self.end];
        within.first().map(|first| first.event) == within.last().map(|last| last.event)
    }
}

/// The rules that each rule is made of, through all between.
fn made_of(set: &RuleSet) -> Vec<BTreeSet<usize>> {
    let below = |rule: usize| {
        let parts = |rule: usize| &set.references[rule][..parts(&set.rules[rule].logic)];
        let (mut found, mut open) = (BTreeSet::new(), parts(rule).to_vec());
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(parts(next));
            }
        }
        found
    };
    (0..set.rules.len()).map(below).collect()
}

pub(super) fn evaluate(set: &RuleSet, store: &Store, detected: &Detected, risk: &Risk) -> Found {
    let (mut signals, mut groups) = (Vec::new(), Vec::new());
    let all = detected.contributions(set, store);
    for (number, (entity, list)) in (0..).zip(&all.of_entity) {
        let mut window = Window::new(store, risk, all, *entity);
        for part in list.chunk_by(|a, b| a.event == b.event) {
            let event = part[0].event;
            let addends = window.at(event);
            let techniques = addends.iter().flat_map(|addend| &set.rules[addend.rule].techniques);
            let tactics = techniques.map(|technique| technique.tactic.as_str());
            let tactics: BTreeSet<&str> = tactics.filter(|tactic| !tactic.is_empty()).collect();
            if !addends.is_empty() && tactics.len() >= risk.min_tactics {
                signals.push(Signal::new(event).of_group(number));
            }
        }
        groups.push(Group { key: Box::new([entity.0, entity.1]), number });
    }
    Found { signals: Signals::new(signals), groups: groups.into(), judged: None }
}
