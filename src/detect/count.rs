//! Count: `event_count`, `value_count`, and `rate`.
//!
//! An event completes when the matches of its group in (t − window, t] are within the bounds. Events at the
//! same instant are all in the window, whichever stands first; where only so many are allowed, those behind the event
//! in the order are not yet: of two at one instant one is the first. Where a rule is counted since another, the window
//! begins with the last match of that one in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::few::Few;
use super::group::{Grouping, Members};
use super::partition::Partition;
use super::signal::Signal;
use super::store::Store;
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Count, Rate};

/// The events of one group that a rule counts: those that have the values it counts, if it counts values.
pub struct Counted<'a> {
    store: &'a Store,
    rule: &'a Count,
    values: Option<&'a Grouping>,
    /// what the count starts anew with, in the total order
    since: &'a [u32],
    /// in the total order
    pub events: Cow<'a, [u32]>,
}

impl<'a> Counted<'a> {
    /// What is counted in a group. `values` are the groups by the fields whose values are counted: one number for each
    /// tuple. `since` is what the count starts anew with, in the same group.
    pub fn new(
        store: &'a Store,
        rule: &'a Count,
        group: &'a Members,
        values: Option<&'a Grouping>,
        since: &'a [u32],
    ) -> Counted<'a> {
        let events = group.events();
        let has_value = |event: &u32| values.is_none_or(|values| !values.of(store.profile(*event)).is_empty());
        let events = match events.iter().all(has_value) {
            true => events,
            false => events.iter().copied().filter(has_value).collect(),
        };
        Counted { store, rule, values, since, events }
    }

    /// Whether only so many are allowed.
    fn has_most(&self) -> bool {
        !self.rule.bounds.hold(usize::MAX)
    }

    /// The window of an event, as a range of the events.
    pub fn window(&self, event: u32) -> Range<usize> {
        let range = self.within(&self.events, self.store.time(event));
        match self.has_most() {
            true => range.start..self.events.partition_point(|other| *other <= event),
            false => range,
        }
    }

    /// When the count started anew in the window of an event at a time.
    pub fn began(&self, time: Timestamp) -> Option<Timestamp> {
        let last = self.since[..self.since.partition_point(|e| self.store.time(*e) <= time)].last();
        let is_within = |last: &Timestamp| *last > time.back(self.rule.window);
        last.map(|last| self.store.time(*last)).filter(is_within)
    }

    /// The last instant before the window of an event at a time.
    fn open(&self, time: Timestamp) -> Timestamp {
        let began = self.began(time).map(|began| began.back(Span(1)));
        began.unwrap_or_else(|| time.back(self.rule.window))
    }

    /// The part of events of the group, which are in the total order, that is in the window of an event at a time.
    pub fn within(&self, events: &[u32], time: Timestamp) -> Range<usize> {
        let open = self.open(time);
        let start = events.partition_point(|e| self.store.time(*e) <= open);
        start..events.partition_point(|e| self.store.time(*e) <= time)
    }

    /// A window that has yet to be moved to an event, or to one behind it.
    pub fn moving(&self, event: u32) -> Moving<'_> {
        let start = self.within(&self.events, self.store.time(event)).start;
        Moving { of: self, has_most: self.has_most(), range: start..start, counts: Few::default() }
    }

    /// Signals completed by the events of a partition; the window leads in from before it. `whole` are the matches that
    /// a share is of, in the same group.
    fn signals(&self, part: &[u32], whole: Option<&[u32]>) -> Vec<Signal> {
        let mut moving = self.moving(part[0]);
        let mut out = Vec::new();
        for &event in part {
            let count = moving.to(event);
            let has_share = match (&self.rule.share, whole) {
                (Some(share), Some(whole)) => {
                    let all = self.within(whole, self.store.time(event)).len();
                    moving.events() as f64 >= share.at_least * all as f64
                }
                _ => true,
            };
            if has_share && self.rule.bounds.hold(count) {
                out.push(Signal::new(event));
            }
        }
        out
    }
}

/// A window that moves on over the events of a group.
pub struct Moving<'a> {
    of: &'a Counted<'a>,
    has_most: bool,
    range: Range<usize>,
    /// how often each value lies in it
    counts: Few<usize>,
}

impl Moving<'_> {
    /// Moves on to an event: how many events, or different values, lie in its window. Times only grow, so both ends only
    /// move on.
    pub fn to(&mut self, event: u32) -> usize {
        let (store, events) = (self.of.store, &self.of.events);
        let time = store.time(event);
        let is_in = |other: &&u32| if self.has_most { **other <= event } else { store.time(**other) <= time };
        while let Some(entering) = events.get(self.range.end).filter(is_in) {
            for value in self.values(*entering) {
                *self.counts.at(*value) += 1;
            }
            self.range.end += 1;
        }
        let open = self.of.open(time);
        while self.range.start < self.range.end && store.time(events[self.range.start]) <= open {
            for value in self.values(events[self.range.start]) {
                let count = self.counts.at(*value);
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.counts.remove(*value);
                }
            }
            self.range.start += 1;
        }
        if self.of.values.is_some() { self.counts.len() } else { self.range.len() }
    }

    /// How many events lie in it.
    pub fn events(&self) -> usize {
        self.range.len()
    }
}

impl<'a> Moving<'a> {
    fn values(&self, event: u32) -> &'a [u32] {
        let of = self.of;
        of.values.map_or(&[], |values| values.of(of.store.profile(event)))
    }
}

/// Signals of one group, its partitions in parallel. `whole` are the matches that a share is of, in the same group.
pub fn signals(counted: &Counted, whole: Option<&[u32]>, partition: Partition) -> Vec<Signal> {
    let parts = partition.cut(counted.store, &counted.events, counted.rule.window);
    parts.into_par_iter().flat_map_iter(|part| counted.signals(&counted.events[part], whole)).collect()
}

/// Signals of `rate` in one group: the event with which a bucket reaches the limit, and those after it.
pub fn rate(store: &Store, rule: &Rate, group: &Members) -> Vec<Signal> {
    let events = group.events();
    let bucket_of = |event: u32| store.time(event).0.div_euclid(rule.bucket.0);
    let buckets: Vec<(i64, &[u32])> =
        events.chunk_by(|a, b| bucket_of(*a) == bucket_of(*b)).map(|part| (bucket_of(part[0]), part)).collect();
    let Some(first) = events.first().map(|first| store.time(*first)) else { return vec![] };
    let mut out = Vec::new();
    // How many of the past buckets have so many events, perhaps none of them any more. The past only moves on, so a bucket enters and leaves it once.
    let mut past: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut oldest, mut newest) = (0, 0);
    for (i, (bucket, members)) in buckets.iter().enumerate() {
        let start = bucket.saturating_mul(rule.bucket.0);
        if members.len() < rule.floor || first.0 > start.saturating_sub(rule.min_history.0) {
            continue;
        }
        let from = start.saturating_sub(rule.history.0).div_euclid(rule.bucket.0);
        for (_, entering) in &buckets[newest..i] {
            *past.entry(entering.len()).or_default() += 1;
        }
        newest = i;
        while let Some((_, leaving)) = buckets[oldest..newest].first().filter(|(bucket, _)| *bucket < from) {
            if let Some(count) = past.get_mut(&leaving.len()) {
                *count -= 1;
            }
            oldest += 1;
        }
        let limit = limit(&past, newest - oldest, rule);
        out.extend(members.iter().skip(limit - 1).map(|event| Signal::new(*event)));
    }
    out
}

/// How many events of a bucket are far above those of `all` past ones.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of events, not negative")]
fn limit(past: &BTreeMap<usize, usize>, all: usize, rule: &Rate) -> usize {
    let rank = ((rule.percentile / 100.0 * all as f64).ceil() as usize).clamp(1, all.max(1));
    let mut up_to = 0;
    let usual = past.iter().find(|(_, buckets)| {
        up_to += **buckets;
        up_to >= rank
    });
    let usual = usual.map_or(0.0, |(events, _)| *events as f64);
    rule.floor.max((usual * rule.factor).ceil() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_of_counts_is_that_of_the_sorted_list() {
        let lists: [&[usize]; 5] = [&[], &[7], &[3, 3, 9], &[1, 1, 1, 2, 2, 4, 8, 8, 16, 300], &[5; 40]];
        for (list, percentile) in lists.into_iter().flat_map(|list| [0.0, 50.0, 90.0, 95.0, 100.0].map(|p| (list, p))) {
            let rule = Rate {
                rule: String::new(),
                by: vec![],
                bucket: Span(1),
                history: Span(1),
                min_history: Span(0),
                factor: 2.0,
                percentile,
                floor: 3,
            };
            let mut past = BTreeMap::new();
            list.iter().for_each(|count| *past.entry(*count).or_default() += 1);
            let n = list.len();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
            let rank = (percentile / 100.0 * n as f64).ceil() as usize;
            let usual = if n == 0 { 0 } else { list[rank.clamp(1, n) - 1] };
            assert_eq!(limit(&past, n, &rule), (usual * 2).max(3), "{list:?} {percentile}");
        }
    }
}
