//! Shared: what several rules look at, made once as long as there is room for it, and again when it is asked for
//! after it had to make room for others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Something that takes room.
pub trait Weighed {
    /// Bytes held, roughly.
    fn bytes(&self) -> usize;
}

/// Room that there always is, in bytes.
const ROOM: usize = 64 << 20;

/// Things by what they are of.
#[derive(Debug)]
pub struct Shared<K, V> {
    room: usize,
    known: Mutex<Known<K, V>>,
}

#[derive(Debug)]
struct Known<K, V> {
    cells: HashMap<K, Cell<V>>,
    bytes: usize,
    looks: u64,
}

#[derive(Debug)]
struct Cell<V> {
    value: Arc<OnceLock<Arc<V>>>,
    /// what it weighs, when it is made
    bytes: usize,
    /// the look that was the last
    look: u64,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Shared<K, V> {
        Shared::new(ROOM)
    }
}

impl<K, V> Shared<K, V> {
    /// Nothing yet, and room for so many bytes.
    pub fn new(room: usize) -> Shared<K, V> {
        let known = Known { cells: HashMap::new(), bytes: 0, looks: 0 };
        Shared { room: room.max(ROOM), known: Mutex::new(known) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Known<K, V>) -> T) -> T {
        use_it(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.with(|known| known.bytes)
    }
}

impl<K: Clone + Eq + Hash, V: Weighed> Shared<K, V> {
    /// One of them.
    pub fn get(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        let cell = self.with(|known| {
            known.looks += 1;
            let unmade = || Cell { value: Arc::default(), bytes: 0, look: 0 };
            let cell = known.cells.entry(key.clone()).or_insert_with(unmade);
            cell.look = known.looks;
            Arc::clone(&cell.value)
        });
        let mut is_new = false;
        let value = cell.get_or_init(|| {
            is_new = true;
            Arc::new(make())
        });
        if is_new {
            self.with(|known| known.weigh(key, value.bytes(), self.room));
        }
        Arc::clone(value)
    }
}

impl<K: Clone + Eq + Hash, V> Known<K, V> {
    /// Takes note of what a thing weighs; where there is no room left, others go, from the one that nobody looked
    /// at for the longest time.
    fn weigh(&mut self, key: &K, bytes: usize, room: usize) {
        if let Some(cell) = self.cells.get_mut(key) {
            cell.bytes = bytes;
            self.bytes += bytes;
        }
        while self.bytes > room {
            let others = self.cells.iter().filter(|(other, cell)| cell.bytes > 0 && *other != key);
            let Some(oldest) = others.min_by_key(|(_, cell)| cell.look).map(|(other, _)| other.clone()) else { break };
            let gone = self.cells.remove(&oldest).map_or(0, |cell| cell.bytes);
            self.bytes -= gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighed for usize {
        fn bytes(&self) -> usize {
            ROOM / 2 + self % 2
        }
    }

    #[test]
    fn what_was_looked_at_last_stays() {
        let shared: Shared<&str, usize> = Shared::default();
        assert_eq!((*shared.get(&"a", || 2), *shared.get(&"b", || 4), *shared.get(&"a", || 6)), (2, 4, 2));
        assert_eq!((*shared.get(&"c", || 8), shared.bytes()), (8, ROOM));
        assert_eq!((*shared.get(&"a", || 10), *shared.get(&"b", || 12)), (2, 12));
        // What is larger than the room is there, alone.
        assert_eq!((*shared.get(&"d", || 15), shared.bytes()), (15, ROOM / 2 + 1));
    }
}
