//! Partition: a stretch of time whose events are evaluated by themselves, so that one large group keeps several
//! threads busy. It changes nothing but how the work is spread.

use std::ops::Range;

use super::store::Store;
use crate::event::time::{DAY, Span, Timestamp};

/// Fewer events are not worth spreading.
const WORTHWHILE: usize = 1024;

/// How groups are cut.
#[derive(Clone, Copy, Debug)]
pub struct Partition {
    /// how long a stretch is
    pub length: Span,
    /// groups of fewer events are not cut
    pub least: usize,
}

impl Default for Partition {
    fn default() -> Partition {
        Partition::of(Span(DAY))
    }
}

impl Partition {
    /// Stretches of this length, of groups that are worth it.
    pub fn of(length: Span) -> Partition {
        Partition { length, least: WORTHWHILE }
    }

    /// The stretches of events that are in the total order, as ranges. A window longer than a stretch would look
    /// back over many of them, so then nothing is cut.
    pub fn cut(self, store: &Store, events: &[u32], window: Span) -> Vec<Range<usize>> {
        let is_whole = events.len() < self.least || window.0 > self.length.0;
        let length = self.length.0.max(1);
        let mut parts = Vec::new();
        let mut start = 0;
        while let Some(first) = events.get(start).filter(|_| !is_whole) {
            let number = store.time(*first).0.div_euclid(length);
            let next = Timestamp(number.saturating_add(1).saturating_mul(length));
            let count = events[start..].partition_point(|event| store.time(*event) < next);
            // Time ends in the last stretch that there can be.
            let end = if count == 0 { events.len() } else { start + count };
            parts.push(start..end);
            start = end;
        }
        if start < events.len() {
            parts.push(start..events.len());
        }
        parts
    }
}
