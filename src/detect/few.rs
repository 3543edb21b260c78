//! Few: what is known of some numbers. Mostly they are few, so they are gone through one by one until they are many.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Numbers that are gone through one by one, at most. Where assertions are on, it is low, so that small worlds in tests
/// come beyond it.
const FEW: usize = if cfg!(debug_assertions) { 2 } else { 16 };

/// Values by number.
#[derive(Debug)]
pub enum Few<V> {
    /// in no particular order
    List(Vec<(u32, V)>),
    /// once there were more than a few
    Map(HashMap<u32, V, RandomState>),
}

impl<V> Default for Few<V> {
    fn default() -> Few<V> {
        Few::List(Vec::new())
    }
}

impl<V: Copy + Default> Few<V> {
    /// The value of a number.
    pub fn get(&self, number: u32) -> Option<V> {
        match self {
            Few::List(list) => list.iter().find(|(known, _)| *known == number).map(|(_, value)| *value),
            Few::Map(map) => map.get(&number).copied(),
        }
    }

    /// The value of a number, to be changed; that of a new one is the default.
    pub fn at(&mut self, number: u32) -> &mut V {
        if let Few::List(list) = self
            && list.len() >= FEW
            && list.iter().all(|(known, _)| *known != number)
        {
            *self = Few::Map(list.drain(..).collect());
        }
        match self {
            Few::Map(map) => map.entry(number).or_default(),
            Few::List(list) => {
                let place = list.iter().position(|(known, _)| *known == number).unwrap_or_else(|| {
                    list.push((number, V::default()));
                    list.len() - 1
                });
                &mut list[place].1
            }
        }
    }

    /// Lets go of a number.
    pub fn remove(&mut self, number: u32) {
        match self {
            Few::List(list) => list.retain(|(known, _)| *known != number),
            Few::Map(map) => _ = map.remove(&number),
        }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Few::List(list) => list.len(),
            Few::Map(map) => map.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many() {
        let mut few = Few::<u64>::default();
        for numbers in [2, 40] {
            for number in (0..numbers).chain(0..numbers) {
                *few.at(number) += u64::from(number) + 1;
            }
            assert_eq!((few.len(), few.get(1), few.get(numbers)), (numbers as usize, Some(4), None));
            (0..numbers).for_each(|number| few.remove(number));
            assert_eq!((few.len(), few.get(1)), (0, None));
        }
    }
}
