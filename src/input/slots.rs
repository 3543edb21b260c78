//! Slots: a table that finds things by their hash with one look, where they stand beside each other in memory of
//! their own. What is looked up for every record is far larger than the nearest cache, so each look counts.

/// Half a hash, and where the thing stands.
type Slot = (u32, u32);

/// Nothing stands in a slot.
const EMPTY: u32 = u32::MAX;

/// Places by hash.
#[derive(Debug, Default)]
pub struct Slots {
    /// a power of two of them, or none
    slots: Vec<Slot>,
    taken: usize,
}

impl Slots {
    /// The place of a thing of this hash of which `is` holds.
    pub fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let half = half(hash);
        let mut at = half as usize & mask;
        loop {
            let (known, place) = self.slots[at];
            if place == EMPTY {
                return None;
            }
            if known == half && is(place) {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// The place that is looked at first for a thing of this hash, if anything stands there.
    pub fn first(&self, hash: u64) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        Some(self.slots[half(hash) as usize & mask].1).filter(|place| *place != EMPTY)
    }

    /// Takes a thing that is not in.
    pub fn insert(&mut self, hash: u64, place: u32) {
        if self.taken * 2 >= self.slots.len() {
            let larger = vec![(0, EMPTY); (self.slots.len() * 2).max(64)];
            let slots = std::mem::replace(&mut self.slots, larger);
            slots.into_iter().filter(|(_, place)| *place != EMPTY).for_each(|(half, place)| self.put(half, place));
        }
        self.put(half(hash), place);
        self.taken += 1;
    }

    fn put(&mut self, half: u32, place: u32) {
        let mask = self.slots.len() - 1;
        let mut at = half as usize & mask;
        while self.slots[at].1 != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = (half, place);
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.taken
    }
}

fn half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_found_and_nothing_else() {
        let mut slots = Slots::default();
        assert_eq!(slots.find(7, |_| true), None);
        // Few different halves, so that many things want the same slot.
        let hash = |n: u32| u64::from(n % 7) << 32 | u64::from(n);
        (0..500).for_each(|n| slots.insert(hash(n), n));
        assert!((0..500).all(|n| slots.find(hash(n), |place| place == n) == Some(n)));
        assert_eq!(slots.find(hash(3), |place| place == 500), None);
        assert_eq!(slots.len(), 500);
    }
}
