//! Shared: what several rules look at: made when it is first asked for, and let go of behind the last look.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Things by what they are of.
#[derive(Debug)]
pub struct Shared<K, V> {
    known: Mutex<Known<K, V>>,
}

type Cell<V> = Arc<OnceLock<Arc<V>>>;

#[derive(Debug)]
struct Known<K, V> {
    cells: HashMap<K, Cell<V>>,
    /// how often each of them has yet to be looked at
    looks: HashMap<K, usize>,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Shared<K, V> {
        Shared { known: Mutex::new(Known { cells: HashMap::new(), looks: HashMap::new() }) }
    }
}

impl<K: Eq + Hash, V> Shared<K, V> {
    /// Nothing yet; these looks will be taken.
    pub fn new(looks: impl Iterator<Item = K>) -> Shared<K, V> {
        let shared = Shared::default();
        shared.with(|known| looks.for_each(|key| *known.looks.entry(key).or_default() += 1));
        shared
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Known<K, V>) -> T) -> T {
        use_it(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of them.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let cell = self.with(|known| Arc::clone(known.cells.entry(key).or_default()));
        Arc::clone(cell.get_or_init(|| Arc::new(make())))
    }

    /// Looks were taken; what nobody will look at again is let go of.
    pub fn release(&self, looks: impl Iterator<Item = K>) {
        self.with(|known| {
            for key in looks {
                let Some(left) = known.looks.get_mut(&key) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    known.cells.remove(&key);
                }
            }
        });
    }

    /// The sum of something over what is held.
    pub fn sum(&self, of: impl Fn(&V) -> usize) -> usize {
        self.with(|known| known.cells.values().filter_map(|cell| cell.get()).map(|value| of(value)).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_at_for_the_last_time_is_made_anew() {
        let shared: Shared<&str, u32> = Shared::new(["a", "a", "b"].into_iter());
        assert_eq!((*shared.get("a", || 1), *shared.get("a", || 2), *shared.get("b", || 3)), (1, 1, 3));
        shared.release(["a"].into_iter());
        assert_eq!((*shared.get("a", || 4), shared.sum(|value| *value as usize)), (1, 4));
        shared.release(["a", "unknown"].into_iter());
        assert_eq!((shared.sum(|value| *value as usize), *shared.get("a", || 5)), (3, 5));
    }
}
