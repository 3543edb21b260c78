//! Count: `event_count`, `value_count`, and `rate`.
//!
//! An event completes when the matches of its group in (t − window, t] are within the bounds. Events at the
//! same instant are all in the window, whichever stands first.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::group::{Grouping, Members};
use super::signal::Signal;
use super::store::Store;
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Count, Rate};

/// Distinct events of a group, in order, with their times.
pub fn events(group: &Members, store: &Store) -> Vec<(u32, Timestamp)> {
    group.events().into_iter().map(|e| (e, store.time(e))).collect()
}

/// The part of `events` in (t − window, t], as a range.
pub fn window(events: &[(u32, Timestamp)], time: Timestamp, window: Span) -> Range<usize> {
    let start = events.partition_point(|(_, t)| t.0 <= time.0.saturating_sub(window.0));
    let end = events.partition_point(|(_, t)| *t <= time);
    start..end
}

/// Cuts events in order into stretches that lie in one partition of time each. A window longer than a
/// partition would look back over many of them, so then nothing is cut.
pub fn partitions(events: &[(u32, Timestamp)], window: Span, partition: Span) -> Vec<Range<usize>> {
    if window.0 > partition.0 {
        return std::iter::once(0..events.len()).collect();
    }
    let number = |(_, time): &(u32, Timestamp)| time.0.div_euclid(partition.0.max(1));
    let mut start = 0;
    let mut out = Vec::new();
    for part in events.chunk_by(|a, b| number(a) == number(b)) {
        out.push(start..start + part.len());
        start += part.len();
    }
    out
}

/// Signals of one group, its partitions in parallel. `values` are the groups by the fields whose values are
/// counted: one number for each tuple. `whole` are the matches that a share is of, in the
/// same group.
pub fn signals(
    store: &Store,
    rule: &Count,
    group: &Members,
    values: Option<&Grouping>,
    whole: Option<&[(u32, Timestamp)]>,
    partition: Span,
) -> Vec<Signal> {
    let events = events(group, store);
    let tuples: Option<Vec<&[u32]>> =
        values.map(|values| events.iter().map(|(event, _)| values.of(store.profile(*event))).collect());
    let count = Counting { rule, events: &events, tuples: tuples.as_deref(), whole };
    let parts = partitions(&events, rule.window, partition);
    parts.into_par_iter().flat_map_iter(|part| count.signals(part)).collect()
}

/// One group on its way.
struct Counting<'a> {
    rule: &'a Count,
    events: &'a [(u32, Timestamp)],
    tuples: Option<&'a [&'a [u32]]>,
    whole: Option<&'a [(u32, Timestamp)]>,
}

impl Counting<'_> {
    /// Signals completed by the events of a partition; the window leads in from before it.
    fn signals(&self, part: Range<usize>) -> Vec<Signal> {
        let mut out = Vec::new();
        let mut values = Values { of_event: self.tuples, counts: HashMap::default() };
        let lead_in = window(self.events, self.events[part.start].1, self.rule.window).start;
        let (mut start, mut end) = (lead_in, lead_in);
        for &(event, time) in &self.events[part] {
            // Times only grow, so both edges of the window only move on.
            while self.events.get(end).is_some_and(|(_, t)| *t <= time) {
                values.enter(end);
                end += 1;
            }
            while self.events[start].1.0 <= time.0.saturating_sub(self.rule.window.0) {
                values.leave(start);
                start += 1;
            }
            let count = if self.tuples.is_some() { values.counts.len() } else { end - start };
            let has_share = match (&self.rule.share, self.whole) {
                (Some(share), Some(whole)) => {
                    let all = window(whole, time, self.rule.window).len();
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
    of_event: Option<&'a [&'a [u32]]>,
    counts: HashMap<u32, usize, RandomState>,
}

impl Values<'_> {
    fn enter(&mut self, event: usize) {
        for value in self.of_event.map_or(&[][..], |all| all[event]) {
            *self.counts.entry(*value).or_default() += 1;
        }
    }

    fn leave(&mut self, event: usize) {
        for value in self.of_event.map_or(&[][..], |all| all[event]) {
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
    let events = events(group, store);
    let bucket_of = |time: Timestamp| time.0.div_euclid(rule.bucket.0);
    let mut buckets: Vec<(i64, Vec<u32>)> = Vec::new();
    for (event, time) in &events {
        match buckets.last_mut() {
            Some((bucket, members)) if *bucket == bucket_of(*time) => members.push(*event),
            _ => buckets.push((bucket_of(*time), vec![*event])),
        }
    }
    let Some((_, first)) = events.first() else { return vec![] };
    let mut out = Vec::new();
    for (i, (bucket, members)) in buckets.iter().enumerate() {
        let start = bucket.saturating_mul(rule.bucket.0);
        if members.len() < rule.floor || first.0 > start.saturating_sub(rule.min_history.0) {
            continue;
        }
        let from = start.saturating_sub(rule.history.0).div_euclid(rule.bucket.0);
        let mut past: Vec<usize> = buckets[..i].iter().filter(|(b, _)| *b >= from).map(|(_, m)| m.len()).collect();
        past.sort_unstable();
        let limit = limit(&past, rule);
        out.extend(members.iter().skip(limit - 1).map(|event| Signal::new(*event)));
    }
    out
}

/// How many events of a bucket are far above the past ones.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of events, not negative")]
fn limit(past: &[usize], rule: &Rate) -> usize {
    let usual = match past.len() {
        0 => 0.0,
        n => past[((rule.percentile / 100.0 * n as f64).ceil() as usize).clamp(1, n) - 1] as f64,
    };
    rule.floor.max((usual * rule.factor).ceil() as usize).max(1)
}
