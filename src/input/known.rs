//! Known: the events known so far, so that the same one is known again. It is most of what reading holds, so it is
//! kept tight: no event is known by more than the hashes of its id and its body.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hint::black_box;

use foldhash::fast::RandomState;

/// How an event stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// its id stood on none of them
    New,
    /// it is one of them
    Duplicate {
        /// hash of the body of the first event with its id, if that is another
        first: Option<u64>,
    },
    /// its id stood on another event
    Conflict {
        /// hash of the body of that event
        first: u64,
        /// for the first time
        is_first: bool,
    },
}

/// Tables, as a power of two: each grows by itself, so that little is held twice meanwhile.
const TABLES: u32 = 6;

/// The events known so far.
#[derive(Debug)]
pub struct Known {
    /// ids are scattered by it, otherwise in each run, so that nobody can make them meet
    factor: u64,
    /// bodies of the first event of each id
    firsts: Vec<Table>,
    /// ids that have several bodies
    several: HashSet<u64, RandomState>,
    /// these ids with their further bodies
    others: HashSet<(u64, u64), RandomState>,
}

impl Default for Known {
    fn default() -> Known {
        let firsts = (0..1 << TABLES).map(|_| Table::default()).collect();
        let factor = RandomState::default().hash_one(0) | 1;
        Known { factor, firsts, several: HashSet::default(), others: HashSet::default() }
    }
}

impl Known {
    /// The table of an id, and the id as it stands there.
    fn scattered(&self, id: u64) -> (usize, u64) {
        let id = id.wrapping_mul(self.factor).max(1);
        (usize::try_from(id >> (64 - TABLES)).unwrap_or_default(), id)
    }

    /// Looks where ids may stand, so that they are near when they are learned.
    pub fn touch(&self, ids: impl Iterator<Item = u64>) {
        black_box(ids.fold(0, |all, id| {
            let (table, id) = self.scattered(id);
            let Table { slots, .. } = &self.firsts[table];
            all ^ slots.get(place(id, slots.len())).map_or(0, |slot| slot.0)
        }));
    }

    /// Learns an event by the hashes of its id and its body.
    pub fn learn(&mut self, id: u64, body: u64) -> Standing {
        let (table, id) = self.scattered(id);
        let Some(first) = self.firsts[table].learn(id, body) else { return Standing::New };
        if first == body {
            return Standing::Duplicate { first: None };
        }
        if !self.others.insert((id, body)) {
            return Standing::Duplicate { first: Some(first) };
        }
        Standing::Conflict { first, is_first: self.several.insert(id) }
    }

    /// Bytes held for each known id.
    pub fn bytes_per_event(&self) -> f64 {
        let bytes: usize = self.firsts.iter().map(|table| table.slots.len() * size_of::<(u64, u64)>()).sum();
        let ids: usize = self.firsts.iter().map(|table| table.taken).sum();
        bytes as f64 / ids.max(1) as f64
    }
}

/// Bodies by id, each where its id says or as near behind as there is room; no id is 0.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<(u64, u64)>,
    taken: usize,
}

impl Table {
    /// The body that is known for an id; if there is none, this one is from here on.
    fn learn(&mut self, id: u64, body: u64) -> Option<u64> {
        // At most four fifths are taken.
        if self.taken * 5 >= self.slots.len() * 4 {
            self.grow();
        }
        let at = self.seek(id);
        if self.slots[at].0 == id {
            return Some(self.slots[at].1);
        }
        self.slots[at] = (id, body);
        self.taken += 1;
        None
    }

    /// Where an id stands, or may be put.
    fn seek(&self, id: u64) -> usize {
        let mut at = place(id, self.slots.len());
        while self.slots[at].0 != 0 && self.slots[at].0 != id {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        at
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); (self.slots.len() * 5 / 4).max(16)];
        for (id, body) in std::mem::replace(&mut self.slots, larger) {
            if id != 0 {
                let at = self.seek(id);
                self.slots[at] = (id, body);
            }
        }
    }
}

/// Where an id stands among so many slots, or a little behind it.
fn place(id: u64, slots: usize) -> usize {
    usize::try_from((u128::from(id << TABLES) * slots as u128) >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_known_again() {
        let mut known = Known::default();
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for n in 1..=20_000 {
            assert_eq!(known.learn(hash(n), n), Standing::New);
        }
        for n in 1..=20_000 {
            assert_eq!(known.learn(hash(n), n), Standing::Duplicate { first: None });
        }
        assert!((16.0..30.0).contains(&known.bytes_per_event()), "{}", known.bytes_per_event());
        // Ids that differ little are no worse.
        let same = Standing::Duplicate { first: None };
        assert_eq!((known.learn(0, 1), known.learn(0, 1)), (Standing::New, same));
        assert!((1..9000).all(|n| known.learn(n, 5) == Standing::New));
    }

    #[test]
    fn an_id_on_several_events() {
        let mut known = Known::default();
        let conflict = |is_first| Standing::Conflict { first: 10, is_first };
        let bodies = [10, 11, 12, 11, 10, 12];
        let standings = bodies.map(|body| known.learn(7, body));
        let same = |first| Standing::Duplicate { first };
        let (new, rival) = (Standing::New, same(Some(10)));
        assert_eq!(standings, [new, conflict(true), conflict(false), rival, same(None), rival]);
        // One id on everything is no worse.
        assert!((1000..200_000).all(|body| known.learn(7, body) == conflict(false)));
    }
}
