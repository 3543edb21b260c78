//! Count: `event_count`, `value_count`, and `rate`.
//!
//! An event completes when the matches of its group in (t − window, t] are within the bounds. Events at the
//! same instant are all in the window, whichever stands first.

use std::collections::HashMap;

use super::group::Group;
use super::signal::Signal;
use super::store::{Store, Symbol};
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Bounds, Count, Rate};

/// Distinct events of a group, in order, with their times.
pub fn events(group: &Group, store: &Store) -> Vec<(u32, Timestamp)> {
    let mut events: Vec<u32> = group.members.iter().map(|m| m.event).collect();
    events.dedup();
    events.into_iter().map(|e| (e, store.time(e))).collect()
}

/// The part of `events` in (t − window, t], as a range.
pub fn window(events: &[(u32, Timestamp)], time: Timestamp, window: Span) -> std::ops::Range<usize> {
    let start = events.partition_point(|(_, t)| t.0 <= time.0.saturating_sub(window.0));
    let end = events.partition_point(|(_, t)| *t <= time);
    start..end
}

/// Signals of one group. `whole` are the matches that a share is of, in the same group.
pub fn signals(
    store: &Store,
    rule: &Count,
    group: &Group,
    number: u32,
    whole: Option<&[(u32, Timestamp)]>,
) -> Vec<Signal> {
    let events = events(group, store);
    let mut out = Vec::new();
    let mut values = rule.values.as_ref().map(|fields| Values::new(store, fields, &events));
    let (mut start, mut end) = (0, 0);
    for &(event, time) in &events {
        // Times only grow, so both edges of the window only move on.
        while end < events.len() && events[end].1 <= time {
            values.iter_mut().for_each(|v| v.enter(end));
            end += 1;
        }
        while events[start].1.0 <= time.0.saturating_sub(rule.window.0) {
            values.iter_mut().for_each(|v| v.leave(start));
            start += 1;
        }
        let count = values.as_ref().map_or(end - start, Values::distinct);
        let has_share = match (&rule.share, whole) {
            (Some(share), Some(whole)) => {
                let all = window(whole, time, rule.window).len();
                (end - start) as f64 >= share.at_least * all as f64
            }
            _ => true,
        };
        if has_share && rule.bounds.hold(count) {
            out.push(Signal { event, group: number, is_pending: false });
        }
    }
    out
}

/// How many different values lie in a moving window.
struct Values {
    of_event: Vec<Vec<Vec<Symbol>>>,
    counts: HashMap<Vec<Symbol>, usize>,
}

impl Values {
    fn new(store: &Store, fields: &[crate::event::field::Field], events: &[(u32, Timestamp)]) -> Values {
        let tuples = |event: u32| {
            fields.iter().fold(vec![vec![]], |tuples: Vec<Vec<Symbol>>, field| {
                let values = store.group_values(event, field);
                tuples
                    .iter()
                    .flat_map(|tuple| values.iter().map(|v| tuple.iter().copied().chain([*v]).collect()))
                    .collect()
            })
        };
        Values { of_event: events.iter().map(|(event, _)| tuples(*event)).collect(), counts: HashMap::new() }
    }

    fn enter(&mut self, event: usize) {
        for value in &self.of_event[event] {
            *self.counts.entry(value.clone()).or_default() += 1;
        }
    }

    fn leave(&mut self, event: usize) {
        for value in &self.of_event[event] {
            if let Some(count) = self.counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(value);
                }
            }
        }
    }

    fn distinct(&self) -> usize {
        self.counts.len()
    }
}

/// Whether bounds could ever hold with nothing there; such a rule never fires, because nothing completes it.
pub fn needs_events(bounds: &Bounds) -> bool {
    !bounds.hold(0)
}

/// Signals of `rate` in one group: the event with which a bucket reaches the limit, and those after it.
pub fn rate(store: &Store, rule: &Rate, group: &Group, number: u32) -> Vec<Signal> {
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
        out.extend(members.iter().skip(limit - 1).map(|event| Signal {
            event: *event,
            group: number,
            is_pending: false,
        }));
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
