//! Count: `event_count`, `value_count`, and `rate`.
//!
//! An event completes when the matches of its group in (t − window, t] are within the bounds. Events at the
//! same instant are all in the window, whichever stands first; where only so many are allowed, those behind the event
//! in the order are not yet: of two at one instant one is the first.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::group::{Grouping, Members};
use super::partition::Partition;
use super::signal::Signal;
use super::store::Store;
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Count, Rate};

/// The part of `events`, which are in the total order, in (t − window, t], as a range.
pub fn window(store: &Store, events: &[u32], time: Timestamp, window: Span) -> Range<usize> {
    let start = events.partition_point(|e| store.time(*e).0 <= time.0.saturating_sub(window.0));
    let end = events.partition_point(|e| store.time(*e) <= time);
    start..end
}

/// Signals of one group, its partitions in parallel. `values` are the groups by the fields whose values are
/// counted: one number for each tuple. `whole` are the matches that a share is of, in the
/// same group.
pub fn signals(
    store: &Store,
    rule: &Count,
    group: &Members,
    values: Option<&Grouping>,
    whole: Option<&[u32]>,
    partition: Partition,
) -> Vec<Signal> {
    let events = group.events();
    // Events without a value do not count.
    let has_value = |event: &u32| values.is_none_or(|values| !values.of(store.profile(*event)).is_empty());
    let events = match events.iter().all(has_value) {
        true => events,
        false => events.iter().copied().filter(has_value).collect(),
    };
    if events.is_empty() {
        return vec![];
    }
    let count = Counting { store, rule, events: &events, values, whole };
    let parts = partition.cut(store, &events, rule.window);
    parts.into_par_iter().flat_map_iter(|part| count.signals(&events[part])).collect()
}

/// One group on its way.
struct Counting<'a> {
    store: &'a Store,
    rule: &'a Count,
    events: &'a [u32],
    values: Option<&'a Grouping>,
    whole: Option<&'a [u32]>,
}

impl Counting<'_> {
    /// Signals completed by the events of a partition; the window leads in from before it.
    fn signals(&self, part: &[u32]) -> Vec<Signal> {
        let mut out = Vec::new();
        let mut values = Values { store: self.store, of: self.values, counts: HashMap::default() };
        let time_of = |event: u32| self.store.time(event);
        let lead_in = window(self.store, self.events, time_of(part[0]), self.rule.window).start;
        let (mut start, mut end) = (lead_in, lead_in);
        let has_most = !self.rule.bounds.hold(usize::MAX);
        for &event in part {
            let time = time_of(event);
            // Times only grow, so both edges of the window only move on.
            let is_in = |other: &&u32| if has_most { **other <= event } else { time_of(**other) <= time };
            while let Some(entering) = self.events.get(end).filter(is_in) {
                values.enter(*entering);
                end += 1;
            }
            while time_of(self.events[start]).0 <= time.0.saturating_sub(self.rule.window.0) {
                values.leave(self.events[start]);
                start += 1;
            }
            let count = if self.values.is_some() { values.counts.len() } else { end - start };
            let has_share = match (&self.rule.share, self.whole) {
                (Some(share), Some(whole)) => {
                    let all = window(self.store, whole, time, self.rule.window).len();
                    (end - start) as f64 >= share.at_least * all as f64
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

/// How many different values lie in a moving window.
struct Values<'a> {
    store: &'a Store,
    of: Option<&'a Grouping>,
    counts: HashMap<u32, usize, RandomState>,
}

impl<'a> Values<'a> {
    fn of_event(&self, event: u32) -> &'a [u32] {
        self.of.map_or(&[], |values| values.of(self.store.profile(event)))
    }

    fn enter(&mut self, event: u32) {
        for value in self.of_event(event) {
            *self.counts.entry(*value).or_default() += 1;
        }
    }

    fn leave(&mut self, event: u32) {
        for value in self.of_event(event) {
            if let Some(count) = self.counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(value);
                }
            }
        }
    }
}

/// Signals of `rate` in one group: the event with which a bucket reaches the limit, and those after it.
pub fn rate(store: &Store, rule: &Rate, group: &Members) -> Vec<Signal> {
    let events = group.events();
    let bucket_of = |event: u32| store.time(event).0.div_euclid(rule.bucket.0);
    let buckets: Vec<(i64, &[u32])> =
        events.chunk_by(|a, b| bucket_of(*a) == bucket_of(*b)).map(|part| (bucket_of(part[0]), part)).collect();
    let Some(first) = events.first().map(|first| store.time(*first)) else { return vec![] };
    let mut out = Vec::new();
    // How many of the past buckets have so many events. The past only moves on, so a bucket enters and leaves it once.
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
            if let Entry::Occupied(mut count) = past.entry(leaving.len()) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
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
