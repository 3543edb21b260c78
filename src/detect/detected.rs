//! Detected: what all rules found, and the groups in which they looked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use super::group::{self, Group, Grouping, Groupings, Groups, Indexes, Key, Members, Needs, joined};
use super::index::Index;
use super::risk::{self, Contributions};
use super::signal::{EventSet, Signal, Signals};
use super::store::Store;
use super::{Judged, joined_alike, step, steps};
use crate::event::field::Field;
use crate::rule::logic::Count;
use crate::rule::set::RuleSet;

/// The matches since which a rule counts, by groups that may be shorter by some fields than those that it counts in.
pub struct Since<'a> {
    groupings: &'a Groupings,
    index: Arc<Index>,
    longer_by: usize,
}

impl Since<'_> {
    /// Those for a group of what is counted, in the total order.
    pub fn of(&self, group: u32) -> &[u32] {
        self.index.of((0..self.longer_by).fold(group, |group, _| self.groupings.start(group)))
    }
}

/// What all rules found.
#[derive(Debug, Default)]
pub struct Detected {
    /// for each rule of the set, its signals
    pub signals: Vec<Signals>,
    /// for each rule of the set, the groups that its signals number
    pub groups: Vec<Arc<[Group]>>,
    /// for each rule of the set, the first of those that match the same events
    pub(super) same: Vec<usize>,
    pub(super) groupings: Groupings,
    pub(super) indexes: Indexes,
    /// what adds up to risk, once somebody asked for it
    pub(super) contributions: OnceLock<Contributions>,
    /// of rules that have to know somebody: how many they could judge, and how many never
    pub judged: BTreeMap<usize, Judged>,
    /// rules that failed inside; the others went on
    pub faults: BTreeMap<usize, String>,
}

impl Detected {
    /// Bytes held, roughly, by what they are held for.
    pub fn bytes(&self) -> [(&'static str, usize); 4] {
        let of = |is_list: bool| {
            let signals = self.signals.iter().filter(|signals| matches!(signals, Signals::List(_)) == is_list);
            signals.map(Signals::bytes).sum()
        };
        let groups = self.groups.iter().flat_map(|groups| groups.iter()).map(Group::bytes).sum::<usize>();
        [
            ("matches", of(false)),
            ("signals of correlations", of(true)),
            ("groups", self.groupings.bytes() + groups),
            ("indexes", self.indexes.bytes()),
        ]
    }

    /// A rule matched these events. What matches the same is held once, and put into groups once.
    pub(super) fn matched(
        &mut self,
        rule: usize,
        matches: Arc<EventSet>,
        first_of: &mut HashMap<Arc<EventSet>, usize, RandomState>,
    ) {
        let first = *first_of.entry(Arc::clone(&matches)).or_insert(rule);
        self.same[rule] = first;
        self.signals[rule] = if first == rule { Signals::Matches(matches) } else { self.signals[first].clone() };
    }

    /// What one rule found is what another that says the same found.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        self.signals[to] = self.signals[from].clone();
        self.same[to] = self.same[from];
        self.groups[to] = Arc::clone(&self.groups[from]);
        self.judged.extend(self.judged.get(&from).map(|judged| (to, *judged)));
        let fault = self.faults.get(&from).cloned();
        self.faults.extend(fault.map(|fault| (to, fault)));
    }

    /// The groups in which a rule found signals, by their numbers, with the completing events in each; none where
    /// a rule has no groups.
    pub fn by_group(
        &self,
        set: &RuleSet,
        store: &Store,
        rule: usize,
        signals: impl Iterator<Item = Signal>,
    ) -> BTreeMap<u32, (Group, Vec<u32>)> {
        let signals: Vec<Signal> = signals.collect();
        // Each event of such a rule is in one group.
        let grouping = match &self.signals[rule] {
            Signals::List(_) => None,
            Signals::Matches(_) => joined_alike(set, rule)
                .map(|fields| self.groupings.of(store, &fields, signals.iter().map(|signal| signal.event))),
        };
        let mut out: BTreeMap<u32, (Group, Vec<u32>)> = BTreeMap::new();
        for signal in signals {
            let listed = self.groups[rule].get(signal.group());
            let number = match &grouping {
                None => listed.map(|group| group.number),
                Some(grouping) => grouping.of(store.profile(signal.event)).first().copied(),
            };
            let Some(number) = number else { continue };
            let group = || listed.cloned().unwrap_or_else(|| Group { key: self.groupings.key(number), number });
            out.entry(number).or_insert_with(|| (group(), Vec::new())).1.push(signal.event);
        }
        out
    }

    /// What adds up to risk. All rules but those that add up others have to be evaluated.
    pub(super) fn contributions(&self, set: &RuleSet, store: &Store) -> &Contributions {
        self.contributions.get_or_init(|| risk::contributions(set, store, self))
    }

    /// The members of a group of a rule.
    pub fn members(&self, set: &RuleSet, store: &Store, rule: usize, group: u32) -> Members {
        let by = set.rules[rule].logic.group_by();
        group::members(store, &self.groupings, &self.indexes, by, &steps(set, self, rule), group)
    }

    /// The groups of a rule by their numbers, also those in which it could come to nothing.
    pub fn numbers(&self, set: &RuleSet, store: &Store, rule: usize) -> Vec<u32> {
        let by = set.rules[rule].logic.group_by();
        Groups::new(store, &self.groupings, &self.indexes, by, &steps(set, self, rule), Needs::default()).numbers
    }

    /// The events of one of the rules that a rule refers to, by the groups that they are in.
    pub fn index(&self, set: &RuleSet, store: &Store, rule: usize, reference: usize) -> Arc<Index> {
        let step = step(set, self, set.references[rule][reference]);
        step.index(store, &self.groupings, &self.indexes, set.rules[rule].logic.joins(reference))
    }

    /// The groups that an event is in as a match of one of the rules that a rule refers to.
    pub fn groups_of(&self, set: &RuleSet, store: &Store, rule: usize, reference: usize, event: u32) -> Vec<u32> {
        let step = step(set, self, set.references[rule][reference]);
        let fields = joined(set.rules[rule].logic.joins(reference), step.name);
        let grouping = fields.map(|fields| self.groupings.of_step(store, &fields, &step));
        grouping.map_or(vec![], |grouping| grouping.of(store.profile(event)).to_vec())
    }

    /// The matches since which a rule counts, for its groups; none where it counts since nothing.
    pub fn since(&self, set: &RuleSet, store: &Store, rule: usize, count: &Count) -> Since<'_> {
        let (index, longer_by) = count.since.as_ref().map_or_else(Default::default, |since| {
            let index = self.index(set, store, rule, set.references[rule].len() - 1);
            (index, count.group_by.len() - since.joined_by)
        });
        Since { groupings: &self.groupings, index, longer_by }
    }

    /// What joins the members of a group.
    pub fn key(&self, group: u32) -> Key {
        self.groupings.key(group)
    }

    /// The values of some fields together, as numbers that are equal where the values are, of all that a rule looks at.
    pub fn values(&self, set: &RuleSet, store: &Store, rule: usize, fields: &[Field]) -> Arc<Grouping> {
        self.groupings.of_steps(store, fields, &steps(set, self, rule))
    }
}
