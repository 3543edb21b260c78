//! Chain: `temporal`, `temporal_ordered` and `sequence`.
//!
//! An event completes an ordered chain when it is the last step and the steps before it can be found in
//! (t − window, t], each not after the next. Steps at the same instant may stand in either order, and one
//! event never serves two steps. Of several chains the tightest is the evidence: each earlier step as late
//! as possible, the last of them first.

use std::borrow::Cow;

use rayon::prelude::*;
use smallvec::SmallVec;

use super::alike::AlikeByList;
use super::compared::{Compared, Sides, Tie};
use super::extent::End;
use super::group::Members;
use super::index::Run;
use super::pairing::serve;
use super::partition::Partition;
use super::profile::Symbol;
use super::signal::Signal;
use super::store::Store;
use super::walk::{Walk, Way};
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Absent, Chain, How, Right, Unless, Where};
use crate::rule::number::Number;

/// The events of a chain by their steps; one behind the steps is held against `unless`.
pub type Links = SmallVec<[Option<u32>; 8]>;

/// What the values of a field are compared with.
enum Other<'r> {
    /// a text that the rule names, in lower case
    Text(&'r str),
    /// the values of another field
    Values(SmallVec<[Symbol; 2]>),
}

/// The comparisons of a step, or of an `unless` behind the steps, with a text or number of the rule.
fn literals(rule: &Chain, list: usize) -> impl Iterator<Item = (&Where, &str)> {
    let count = rule.rules.len();
    // In its comparisons, the match itself stands behind all steps.
    let (wheres, step) = match list.checked_sub(count) {
        Some(place) => (&rule.unless[place].wheres, count),
        None => (&rule.wheres, list),
    };
    wheres.iter().filter(move |w| w.left.0 == step).filter_map(|w| match &w.right {
        Right::Literal(text) => Some((w, text.as_str())),
        Right::Field(..) => None,
    })
}

/// A missing field makes every comparison false.
fn compare(store: &Store, w: &Where, left: &[Symbol], right: &Other<'_>) -> bool {
    let text = |symbol: &Symbol| store.symbol(*symbol);
    if left.is_empty() || matches!(right, Other::Values(values) if values.is_empty()) {
        return false;
    }
    let order = match w.how {
        How::Order(order) => order,
        How::Equal(is_equal) => {
            let has_same = match right {
                Other::Text(right) => left.iter().any(|left| text(left) == *right),
                Other::Values(right) => left.iter().any(|left| right.contains(left)),
            };
            return has_same == is_equal;
        }
    };
    let right: Vec<&str> = match right {
        Other::Text(right) => vec![right],
        Other::Values(right) => right.iter().map(text).collect(),
    };
    let holds = |left: &str, right: &str| match (Number::parse(left), Number::parse(right)) {
        (Some(left), Some(right)) => order.holds(left, right),
        _ => false,
    };
    left.iter().any(|left| right.iter().any(|right| holds(text(left), right)))
}

/// A group with the matches of each step apart: first the steps, then what must not lie between.
pub struct Steps<'a> {
    store: &'a Store,
    rule: &'a Chain,
    compared: &'a Compared<'a>,
    number: u32,
    of_step: Cow<'a, [Run]>,
    alike: AlikeByList,
}

impl<'a> Steps<'a> {
    /// Takes a group apart.
    pub fn new(store: &'a Store, rule: &'a Chain, compared: &'a Compared<'a>, group: &'a Members) -> Steps<'a> {
        // What is compared with a text or number of the rule is asked of each match, and not of each pair of them.
        let has_literals = |list: usize| literals(rule, list).next().is_some();
        let kept = |(list, matches): (usize, &Run)| {
            let is_kept = |event: &u32| {
                literals(rule, list)
                    .all(|(w, text)| compare(store, w, &store.group_values(*event, &w.left.1), &Other::Text(text)))
            };
            match has_literals(list) {
                true => Run::of(matches.iter().copied().filter(is_kept).collect()),
                false => matches.clone(),
            }
        };
        let of_step = match (0..group.steps.len()).any(has_literals) {
            true => Cow::Owned(group.steps.iter().enumerate().map(kept).collect()),
            false => Cow::Borrowed(group.steps.as_slice()),
        };
        Steps { store, rule, compared, number: group.number, of_step, alike: AlikeByList::default() }
    }

    fn time(&self, event: u32) -> Timestamp {
        self.store.time(event)
    }

    /// Signals of the group, its partitions in parallel. `end` tells how far the data of a follow-up's service reaches.
    pub fn signals(&self, partition: Partition, end: &(dyn Fn(u32) -> End + Sync)) -> Vec<Signal> {
        let completing = self.completing();
        if self.is_unopposed() {
            return completing.iter().map(|event| Signal::new(*event)).collect();
        }
        let parts = partition.cut(self.store, &completing, self.rule.window);
        parts
            .into_par_iter()
            .flat_map_iter(|part| {
                completing[part].iter().filter_map(|event| match self.rule.absent {
                    Absent::Last => self.follow_up_missing(*event, end),
                    _ => self.find(*event).map(|_| Signal::new(*event)),
                })
            })
            .collect()
    }

    /// Whether each match of the only step completes a chain, as nothing is there that could stand against it.
    fn is_unopposed(&self) -> bool {
        let is_single = self.rule.rules.len() == 1 && self.rule.absent == Absent::No && self.rule.is_ordered;
        is_single && self.rule.wheres.is_empty() && self.of_step[1..].iter().all(|matches| matches.is_empty())
    }

    /// The events that can complete a chain: the last step, the trigger of an absence, or any step.
    fn completing(&self) -> Cow<'_, [u32]> {
        let last = self.rule.rules.len() - 1;
        match (self.rule.absent, self.rule.is_ordered) {
            (Absent::Last, _) => Cow::Borrowed(&self.of_step[last - 1]),
            (_, true) => Cow::Borrowed(&self.of_step[last]),
            (_, false) => {
                let mut events = self.of_step[..=last].concat();
                events.sort_unstable();
                events.dedup();
                Cow::Owned(events)
            }
        }
    }

    /// The events of the chain that an event completes, by their steps; a step that must be missing has none.
    pub fn find(&self, event: u32) -> Option<Links> {
        if !self.rule.is_ordered {
            return self.unordered(event);
        }
        let last = self.last();
        let first = self.rule.needed().start;
        let mut chain = Links::from_elem(None, self.rule.rules.len());
        chain[last] = Some(event);
        // What stands against the event whatever the steps before it are is asked once, not for each of them.
        let mut unless = self.rule.unless.iter().enumerate().filter(|(_, unless)| unless.looks_only_at(last));
        if unless.any(|(place, unless)| self.is_disturbed(place, unless, &chain, event)) {
            return None;
        }
        if !self.wheres_hold(&self.rule.wheres, &self.compared.steps, &chain) {
            return None;
        }
        self.extend(&mut chain, first, last, event)
    }

    /// The last step that has to be there.
    fn last(&self) -> usize {
        self.rule.needed().end - 1
    }

    /// Through the matches of a step or of an `unless`: of the first `reach` those later than `open`.
    fn way(&self, list: usize, reach: usize, open: Timestamp) -> Way<'_> {
        Way { list, matches: &self.of_step[list], alike: &self.alike, group: self.number, reach, open }
    }

    /// Finds the steps before `step`, which is set, back to `first`.
    fn extend(&self, chain: &mut Links, first: usize, step: usize, end: u32) -> Option<Links> {
        if step == first {
            return self.is_allowed(chain, end).then(|| chain.clone());
        }
        let open = self.time(end).back(self.rule.window);
        let (before, most) = (step - 1, self.rule.rules.len() + 1);
        let way = self.way(before, self.reach(&self.of_step[before], chain[step]?), open);
        let mut walk = Walk::new(self.compared, way, chain);
        let mut missed = 0;
        while let Some(event) = walk.next() {
            if chain.contains(&Some(event)) {
                continue;
            }
            chain[before] = Some(event);
            if !self.wheres_hold(&self.rule.wheres, &self.compared.steps, chain) {
                walk.refuse();
                continue;
            }
            if let Some(found) = self.extend(chain, first, before, end) {
                return Some(found);
            }
            missed += 1;
            // Where none is better than the latest, only events that serve another step can be in the way.
            match self.compared.tie(before) {
                Tie::Free if missed == most => break,
                Tie::Free | Tie::Values => walk.miss(most),
                Tie::Time => {}
            }
        }
        chain[before] = None;
        None
    }

    /// Whether nothing stands against a chain: no match that must not lie between, none before a dormancy.
    fn is_allowed(&self, chain: &[Option<u32>], end: u32) -> bool {
        let last = self.last();
        // What looks only at the last step was asked before.
        let mut unless = self.rule.unless.iter().enumerate().filter(|(_, unless)| !unless.looks_only_at(last));
        !unless.any(|(place, unless)| self.is_disturbed(place, unless, chain, end))
            && (self.rule.absent != Absent::First || self.is_dormant(chain))
    }

    /// A match of `unless` behind one step, up to and including another. The two steps themselves do not
    /// count; a step that lies further back does.
    fn is_disturbed(&self, place: usize, unless: &Unless, chain: &[Option<u32>], end: u32) -> bool {
        let list = self.rule.rules.len() + place;
        let matches = &self.of_step[list];
        let Some(before) = chain[unless.before].filter(|_| !matches.is_empty()) else { return false };
        let after = unless.after.and_then(|step| chain[step]);
        let open = after.map_or_else(|| self.time(end).back(self.rule.window), |step| self.time(step));
        let reach = match unless.settle {
            Span(0) => self.reach(matches, before),
            settle => {
                let settled = self.time(before).back(settle);
                matches.partition_point(|u| self.time(*u) < settled)
            }
        };
        let is_used = |u: u32| u == before || Some(u) == after;
        let compared = (unless.wheres.as_slice(), self.compared.unless[place].as_slice());
        self.nearest(self.way(list, reach, open), chain, chain.len(), compared, is_used).is_some()
    }

    /// The latest match on a way that goes with a chain at a place; what is used there is none.
    fn nearest(
        &self,
        way: Way<'_>,
        chain: &[Option<u32>],
        place: usize,
        (wheres, sides): (&[Where], &[Sides]),
        is_used: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        if wheres.is_empty() {
            let latest = way.matches[..way.reach].iter().rev().find(|event| !is_used(**event));
            return latest.copied().filter(|event| self.time(*event) > way.open);
        }
        let mut walk = Walk::new(self.compared, way, chain);
        // In the comparisons of `unless`, the match itself stands behind all steps.
        let mut with_it: Links = chain.iter().copied().chain([None]).collect();
        // What is compared without it tells of all of them.
        if !self.wheres_hold(wheres, sides, &with_it) {
            return None;
        }
        while let Some(event) = walk.next() {
            if is_used(event) {
                continue;
            }
            with_it[place] = Some(event);
            if self.wheres_hold(wheres, sides, &with_it) {
                return Some(event);
            }
            walk.refuse();
        }
        None
    }

    /// How many of some matches are not later than an event. They are in the order of events, so their times, which are
    /// far from each other in memory, are only asked for at the same instant.
    fn reach(&self, matches: &[u32], event: u32) -> usize {
        let reach = matches.partition_point(|e| *e <= event);
        let is_same = |e: &u32| self.time(*e) <= self.time(event);
        match matches.get(reach).is_some_and(is_same) {
            true => reach + matches[reach..].partition_point(is_same),
            false => reach,
        }
    }

    /// The same of those that are earlier than an event.
    fn earlier(&self, matches: &[u32], event: u32) -> usize {
        let before = &matches[..matches.partition_point(|e| *e < event)];
        let is_earlier = |e: &u32| self.time(*e) < self.time(event);
        match before.last().is_none_or(is_earlier) {
            true => before.len(),
            false => before.partition_point(is_earlier),
        }
    }

    /// Nothing of the first step in the window before the next one, though there was some earlier.
    fn is_dormant(&self, chain: &[Option<u32>]) -> bool {
        let Some(next) = chain.get(1).copied().flatten() else { return false };
        let open = self.time(next).back(self.rule.window);
        let reach = self.earlier(&self.of_step[0], next);
        self.nearest_step(self.way(0, reach, Timestamp(i64::MIN)), chain, 0)
            .is_some_and(|nearest| self.time(nearest) <= open)
    }

    /// The same at a step that a chain lacks; its other steps have events of their own.
    fn nearest_step(&self, way: Way<'_>, chain: &[Option<u32>], step: usize) -> Option<u32> {
        let compared = (self.rule.wheres.as_slice(), self.compared.steps.as_slice());
        self.nearest(way, chain, step, compared, |event| chain.contains(&Some(event)))
    }

    /// A trigger whose follow-up did not come. Time and id are the trigger's; where the data ends before the
    /// window does, it is pending.
    fn follow_up_missing(&self, trigger: u32, end: &dyn Fn(u32) -> End) -> Option<Signal> {
        let chain = self.find(trigger)?;
        let last = self.rule.rules.len() - 1;
        let start = self.time(trigger);
        let close = Timestamp(start.0.saturating_add(self.rule.window.0));
        // As for a sequence that ends with it: what comes exactly a window later comes too late.
        let reach = self.of_step[last].partition_point(|e| self.time(*e) < close);
        let way = self.way(last, reach, Timestamp(start.0.saturating_sub(1)));
        if self.nearest_step(way, &chain, last).is_some() {
            return None;
        }
        let End { all, history } = end(trigger);
        Some(Signal::new(trigger).pending(all < close).settled(history < close && close <= all))
    }

    fn wheres_hold(&self, wheres: &[Where], sides: &[Sides], chain: &[Option<u32>]) -> bool {
        let event = |step: usize| chain.get(step).copied().flatten();
        wheres.iter().enumerate().all(|(place, w)| {
            let Some(left) = event(w.left.0) else { return true };
            if let (Some(Some([ours, theirs])), Right::Field(step, _), How::Equal(is_equal)) =
                (sides.get(place), &w.right, w.how)
            {
                let Some(right) = event(*step) else { return true };
                let (left, right) = (ours.of(self.store.profile(left)), theirs.of(self.store.profile(right)));
                // A missing field makes every comparison false.
                let is_there = !left.is_empty() && !right.is_empty();
                return is_there && left.iter().any(|value| right.contains(value)) == is_equal;
            }
            let left = self.store.group_values(left, &w.left.1);
            match &w.right {
                Right::Literal(text) => compare(self.store, w, &left, &Other::Text(text)),
                Right::Field(step, field) => event(*step).is_none_or(|right| {
                    compare(self.store, w, &left, &Other::Values(self.store.group_values(right, field)))
                }),
            }
        })
    }

    /// `temporal`: all rules, or as many as the condition wants, have a match in (t − window, t], and the
    /// event is one of them.
    fn unordered(&self, event: u32) -> Option<Links> {
        let time = self.time(event);
        let open = time.back(self.rule.window);
        let steps = self.rule.rules.len();
        // As many of the latest matches as there are steps are enough to find distinct ones.
        let candidates: Vec<Vec<u32>> = self.of_step[..steps]
            .iter()
            .map(|matches| {
                let reach = matches.partition_point(|e| self.time(*e) <= time);
                let in_window = matches[..reach].iter().rev().take_while(|e| self.time(**e) > open);
                let mut latest: Vec<u32> = in_window.take(steps).copied().collect();
                if matches.binary_search(&event).is_ok() && !latest.contains(&event) {
                    latest.insert(0, event);
                }
                latest
            })
            .collect();
        let count = |links: &Links| links.iter().flatten().count();
        let mut best: Option<Links> = None;
        for (own, step) in candidates.iter().enumerate() {
            if !step.contains(&event) {
                continue;
            }
            let mut served = Links::from_elem(None, steps);
            served[own] = Some(event);
            for other in (0..steps).filter(|s| *s != own) {
                serve(other, &candidates, &mut served, own, &mut vec![false; steps]);
            }
            if best.as_ref().is_none_or(|best| count(&served) > count(best)) {
                best = Some(served);
            }
        }
        best.filter(|found| match &self.rule.bounds {
            Some(bounds) => bounds.hold(count(found)),
            None => count(found) == steps,
        })
    }
}
