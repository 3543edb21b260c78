//! Shelf: what a worker has seen, each thing with its content behind it, found again by the content.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::slots::Slots;
use crate::event::facet::Meaning;

/// No number yet.
const UNKNOWN: u32 = u32::MAX;

/// Members of records: a key, and the text of its value. A member is known by the place where it stands.
#[derive(Debug, Default)]
pub struct Members {
    hasher: RandomState,
    slots: Slots,
    /// of each member its key, the length of its text, the facet that is made of it alone, its meaning, the hash of
    /// its value, and the text
    bytes: Vec<u8>,
}

/// Bytes in front of the text of a member.
const HEAD: usize = 32;

#[allow(clippy::cast_possible_truncation, reason = "bounded by what a worker remembers, and a record by its outline")]
impl Members {
    /// None yet, with room for so many bytes. What is reserved at once is given back at once.
    pub fn new(bytes: usize) -> Members {
        Members { bytes: Vec::with_capacity(bytes), ..Members::default() }
    }

    fn head(&self, member: u32) -> &[u8; HEAD] {
        // What was not put in was never given a place.
        self.bytes[member as usize..].first_chunk().unwrap_or(&[0; HEAD])
    }

    fn word(&self, member: u32, place: usize) -> u32 {
        let head = self.head(member);
        u32::from_le_bytes([head[place], head[place + 1], head[place + 2], head[place + 3]])
    }

    /// The number of its key.
    pub fn key(&self, member: u32) -> u32 {
        self.word(member, 0)
    }

    /// The text of its value.
    pub fn text(&self, member: u32) -> &[u8] {
        let start = member as usize + HEAD;
        &self.bytes[start..start + self.word(member, 4) as usize]
    }

    /// The number of the facet that is made of it alone, if that is known.
    pub fn alone(&self, member: u32) -> Option<u32> {
        Some(self.word(member, 8)).filter(|number| *number != UNKNOWN)
    }

    /// Tells the number of the facet that is made of it alone.
    pub fn set_alone(&mut self, member: u32, number: u32) {
        let start = member as usize + 8;
        self.bytes[start..start + 4].copy_from_slice(&number.to_le_bytes());
    }

    /// What it means for facets.
    pub fn meaning(&self, member: u32) -> Meaning {
        Meaning(self.word(member, 12))
    }

    /// The hash of its value.
    pub fn hash(&self, member: u32) -> u128 {
        self.head(member).last_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
    }

    /// Whether a member has this value.
    pub fn is(&self, member: u32, value: &[u8]) -> bool {
        self.text(member) == value
    }

    /// What a member with this key and value is found by.
    pub fn trace(&self, key: u32, value: &[u8]) -> u64 {
        self.hasher.hash_one((key, value))
    }

    /// The member that is looked at first for a trace.
    pub fn first(&self, trace: u64) -> Option<u32> {
        self.slots.first(trace)
    }

    /// Looks at the ends of a member, so that it is near when it is compared with a value of this length.
    pub fn touch(&self, member: u32, length: usize) -> u8 {
        let byte = |place: usize| self.bytes.get(place).copied().unwrap_or_default();
        byte(member as usize) ^ byte(member as usize + HEAD - 1 + length)
    }

    /// The member with this key and value.
    pub fn find(&self, trace: u64, key: u32, value: &[u8]) -> Option<u32> {
        self.slots.find(trace, |member| self.key(member) == key && self.is(member, value))
    }

    /// Takes a member that is not in.
    pub fn insert(&mut self, trace: u64, key: u32, value: &[u8], meaning: Meaning, hash: u128) -> u32 {
        let member = self.bytes.len() as u32;
        for word in [key, value.len() as u32, UNKNOWN, meaning.0] {
            self.bytes.extend(word.to_le_bytes());
        }
        self.bytes.extend(hash.to_le_bytes());
        self.bytes.extend(value);
        self.slots.insert(trace, member);
        member
    }

    /// Bytes held for what is in.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Sequences of members, of some kind, with the numbers they got.
#[derive(Debug, Default)]
pub struct Sequences {
    hasher: RandomState,
    slots: Slots,
    /// of each sequence its kind, how many members it has, its number, and the members
    words: Vec<u32>,
}

#[allow(clippy::cast_possible_truncation, reason = "bounded by what a worker remembers")]
impl Sequences {
    /// None yet, with room for so many words.
    pub fn new(words: usize) -> Sequences {
        Sequences { words: Vec::with_capacity(words), ..Sequences::default() }
    }

    /// What a sequence is found by.
    pub fn trace(&self, kind: u32, members: &[u32]) -> u64 {
        self.hasher.hash_one((kind, members))
    }

    /// The sequence that is looked at first for a trace.
    pub fn first(&self, trace: u64) -> Option<u32> {
        self.slots.first(trace)
    }

    /// Looks at the start of a sequence, so that it is near when it is compared.
    pub fn touch(&self, place: u32) -> u32 {
        self.words.get(place as usize).copied().unwrap_or_default()
    }

    /// The number of a sequence.
    pub fn find(&self, trace: u64, kind: u32, members: &[u32]) -> Option<u32> {
        let head = [kind, members.len() as u32];
        let is = |place: u32| {
            let known = &self.words[place as usize..];
            known[..2] == head && known[3..3 + members.len()] == *members
        };
        let place = self.slots.find(trace, is)?;
        Some(self.words[place as usize + 2])
    }

    /// Takes a sequence that is not in.
    pub fn insert(&mut self, trace: u64, kind: u32, members: &[u32], number: u32) {
        let place = self.words.len() as u32;
        self.words.extend([kind, members.len() as u32, number]);
        self.words.extend(members);
        self.slots.insert(trace, place);
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_as_they_were() {
        let mut members = Members::default();
        let values = ["", "1", "\"a\"", "{\"b\":[2]}"];
        let mut insert = |(key, value): (u32, &str)| {
            let trace = members.trace(key, value.as_bytes());
            members.insert(trace, key, value.as_bytes(), Meaning(key), u128::MAX - 7)
        };
        let places: Vec<u32> = (0..).zip(values).map(&mut insert).collect();
        for ((key, value), place) in (0..).zip(values).zip(places) {
            let find = |key| members.find(members.trace(key, value.as_bytes()), key, value.as_bytes());
            assert_eq!((find(key), find(key + 1)), (Some(place), None));
            assert_eq!((members.key(place), members.text(place)), (key, value.as_bytes()));
            assert_eq!((members.hash(place), members.alone(place)), (u128::MAX - 7, None));
            assert_eq!(members.meaning(place), Meaning(key));
            members.set_alone(place, 9);
            assert_eq!(
                (members.alone(place), members.key(place), members.is(place, value.as_bytes())),
                (Some(9), key, true)
            );
        }
    }

    #[test]
    fn sequences_of_one_kind_are_not_those_of_another() {
        let mut sequences = Sequences::default();
        for (kind, members, number) in [(1, &[][..], 10), (1, &[5, 6], 11), (2, &[5, 6], 12)] {
            sequences.insert(sequences.trace(kind, members), kind, members, number);
        }
        let find = |kind, members: &[u32]| sequences.find(sequences.trace(kind, members), kind, members);
        assert_eq!((find(1, &[]), find(1, &[5, 6]), find(2, &[5, 6])), (Some(10), Some(11), Some(12)));
        assert_eq!((find(2, &[]), find(1, &[5]), sequences.len()), (None, None, 3));
    }
}
