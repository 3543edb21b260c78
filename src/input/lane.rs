//! Lane: which worker understands a record. Records of one actor have most of what they are made of in common, so
//! they go the same way, and what one worker learned is seldom learned by another.
//!
//! Only speed depends on the choice. The actor is guessed from the bytes, and a worker that has more to do than the
//! others gets nothing new for a while, whoever the actor is.

use memchr::{memchr, memmem::Finder};
use xxhash_rust::xxh3::xxh3_64;

use super::batch::{Batch, Span};

/// What stands in front of an actor.
const ACTOR: &[u8] = b"\"initiated_by\"";
/// Bytes in which an actor differs from others, or a record without one.
const TELLING: usize = 96;
/// Bytes that a lane may be given beyond its share.
const SLACK: u64 = 1 << 18;

/// The lane of a record: the place of the worker that understands it; rayon has no more threads than it can tell.
pub type Lane = u16;

/// Deals records out.
pub struct Lanes {
    actor: Finder<'static>,
    /// bytes dealt out, by lane
    given: Vec<u64>,
    /// those to all lanes together
    all: u64,
}

impl Lanes {
    /// Lanes for so many workers.
    pub fn new(workers: usize) -> Lanes {
        Lanes { actor: Finder::new(ACTOR), given: vec![0; workers.clamp(1, usize::from(Lane::MAX))], all: 0 }
    }

    /// The lanes of the records of a batch, in their order, and the records of each lane.
    pub fn deal(&mut self, batch: &Batch) -> (Vec<Lane>, Vec<Vec<Span>>) {
        let mut records = vec![Vec::new(); self.given.len()];
        let lane_of = |span: &Span| {
            let lane = self.lane(*span, &batch.bytes);
            records[usize::from(lane)].push(*span);
            lane
        };
        (batch.spans.iter().map(lane_of).collect(), records)
    }

    #[allow(clippy::cast_possible_truncation, reason = "there are no more lanes than `Lane` can tell")]
    fn lane(&mut self, span: Span, bytes: &[u8]) -> Lane {
        let text = &bytes[span.start..span.end];
        let count = self.given.len();
        let mut lane = match count {
            1 => 0,
            _ => ((u128::from(xxh3_64(self.telling(text))) * count as u128) >> 64) as usize,
        };
        if self.given[lane] > self.all / count as u64 + SLACK {
            lane = (0..count).min_by_key(|lane| self.given[*lane]).unwrap_or(lane);
        }
        self.given[lane] += text.len() as u64;
        self.all += text.len() as u64;
        lane as Lane
    }

    /// What tells the actor of a record.
    fn telling<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let start = self.actor.find(text).map_or(0, |at| at + ACTOR.len());
        let telling = &text[start..text.len().min(start + TELLING)];
        &telling[..memchr(b'}', telling).unwrap_or(telling.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: impl IntoIterator<Item = String>) -> Batch {
        let mut batch = Batch::default();
        for record in records {
            let start = batch.bytes.len();
            batch.bytes.extend(record.bytes());
            batch.spans.push(Span { start, end: batch.bytes.len(), line: 1, offset: 0, fault: None });
        }
        batch
    }

    #[test]
    fn records_of_an_actor_go_the_same_way() {
        let record = |n: u32| format!(r#"{{"id":"{n}","initiated_by": {{"id":"{}"}},"n":{n}}}"#, n % 10);
        let (lanes, records) = Lanes::new(4).deal(&batch((0..1000).map(record)));
        assert!((10..1000).all(|n| lanes[n] == lanes[n - 10]));
        assert!((0..10).any(|n| lanes[n] != lanes[0]));
        let counted = |lane: usize| lanes.iter().filter(|known| usize::from(**known) == lane).count();
        assert_eq!(records.iter().map(Vec::len).collect::<Vec<_>>(), (0..4).map(counted).collect::<Vec<_>>());
    }

    #[test]
    fn no_lane_is_given_much_more_than_its_share() {
        let record = |n: u32| format!(r#"{{"initiated_by":{{"id":"one"}},"n":"{n:01000}"}}"#);
        let mut lanes = Lanes::new(3);
        (0..9).for_each(|_| drop(lanes.deal(&batch((0..1000).map(record)))));
        assert!(lanes.given.iter().all(|given| given.abs_diff(lanes.all / 3) < 2 * SLACK), "{:?}", lanes.given);
        assert!(Lanes::new(1).deal(&batch((0..9).map(record))).0.iter().all(|lane| *lane == 0));
    }
}
