//! Keys: the keys of records, and how they are spelled: with quotes, colon and white space around them, and mostly one
//! behind another as in records before.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::plain::{is_plain, start_trimmed};
use crate::event::body::key_seed;
use crate::event::facet::{FieldPlan, Standing};

/// Different spellings of keys, white space included; real exports have a few hundred.
const SPELLINGS: usize = 2048;
/// Spellings that are tried behind another one before it is looked up.
const TRIED: usize = 3;
/// The place of the spellings that records start with.
const START: usize = 0;
/// No spelling.
const NONE: u32 = u32::MAX;

/// What a key means for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// it names the event
    Id,
    /// when it happened
    Time,
    /// what happened
    EventType,
    /// anything else
    Any,
}

/// A key of records.
#[derive(Debug)]
pub struct Key {
    /// as the record says it
    pub name: Box<str>,
    /// what it means for reading
    pub role: Role,
    /// what it means for other members
    pub standing: Standing,
    /// the facets that it is part of
    pub facets: Box<[usize]>,
    /// what hashes of its members start with
    pub seed: u64,
    /// the record in which it stood last
    pub record: u64,
    /// its member in that record
    pub member: Option<u32>,
}

/// A key with the quotes, colon and white space around it.
#[derive(Debug)]
struct Spelling {
    text: Box<[u8]>,
    key: u32,
}

/// The keys that were met.
#[derive(Debug)]
pub struct Keys<'p> {
    plan: &'p FieldPlan,
    list: Vec<Key>,
    by_name: HashMap<Box<str>, u32, RandomState>,
    spellings: Vec<Spelling>,
    by_text: HashMap<Box<[u8]>, u32, RandomState>,
    /// behind the start, and behind each spelling, those that came last, the latest first
    behind: Vec<[u32; TRIED]>,
    /// the place in `behind` of what came last
    last: usize,
}

impl<'p> Keys<'p> {
    /// None yet.
    pub fn new(plan: &'p FieldPlan) -> Keys<'p> {
        Keys {
            plan,
            list: Vec::new(),
            by_name: HashMap::default(),
            spellings: Vec::new(),
            by_text: HashMap::default(),
            behind: vec![[NONE; TRIED]],
            last: START,
        }
    }

    /// A key by its number.
    pub fn get(&self, number: u32) -> &Key {
        &self.list[number as usize]
    }

    /// The same, to take note of where it stood.
    pub fn get_mut(&mut self, number: u32) -> &mut Key {
        &mut self.list[number as usize]
    }

    /// A record starts.
    pub fn start(&mut self) {
        self.last = START;
    }

    /// The key at the start of the next member of a record, by its number, and the bytes up to its value; `None` if it
    /// is anything out of the ordinary.
    pub fn next(&mut self, member: &[u8]) -> Option<(u32, usize)> {
        let tried = &mut self.behind[self.last];
        let is = |spelling: u32| self.spellings.get(spelling as usize).is_some_and(|s| member.starts_with(&s.text));
        let place = tried.iter().position(|spelling| is(*spelling));
        let spelling = match place {
            Some(place) => tried[place],
            None => self.spelling(member)?,
        };
        let tried = &mut self.behind[self.last];
        tried[..=place.unwrap_or(TRIED - 1)].rotate_right(1);
        tried[0] = spelling;
        self.last = spelling as usize + 1;
        let Spelling { text, key } = &self.spellings[spelling as usize];
        Some((*key, text.len()))
    }

    fn spelling(&mut self, member: &[u8]) -> Option<u32> {
        let quote = member.len() - start_trimmed(member).len();
        let name = member[quote..].strip_prefix(b"\"")?;
        let name = &name[..memchr::memchr(b'"', name)?];
        let colon = start_trimmed(&member[quote + name.len() + 2..]).strip_prefix(b":")?;
        let spelled = &member[..member.len() - start_trimmed(colon).len()];
        self.by_text.get(spelled).copied().or_else(|| self.new_spelling(spelled, name))
    }

    #[allow(clippy::cast_possible_truncation, reason = "bounded by `SPELLINGS`")]
    fn new_spelling(&mut self, spelled: &[u8], name: &[u8]) -> Option<u32> {
        if self.spellings.len() >= SPELLINGS || spelled.len() > 256 || !name.iter().all(|b| is_plain(*b)) {
            return None;
        }
        let name = std::str::from_utf8(name).ok()?;
        let next = self.list.len() as u32;
        let key = self.by_name.get(name).copied().unwrap_or(next);
        if key == next {
            let role = match name {
                "id" => Role::Id,
                "timestamp" => Role::Time,
                "event_type" => Role::EventType,
                _ => Role::Any,
            };
            let facets: Box<[usize]> = self.plan.of_key(name).into();
            let seed = key_seed(name);
            let standing = Standing::of(name);
            self.list.push(Key { name: name.into(), role, standing, facets, seed, record: 0, member: None });
            self.by_name.insert(name.into(), key);
        }
        let place = self.spellings.len() as u32;
        self.spellings.push(Spelling { text: spelled.into(), key });
        self.by_text.insert(spelled.into(), place);
        self.behind.push([NONE; TRIED]);
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_however_they_are_spelled() {
        let plan = FieldPlan::new(&[]);
        let mut keys = Keys::new(&plan);
        let mut of = |members: &[&str]| {
            keys.start();
            members.iter().map(|member| keys.next(member.as_bytes())).collect::<Vec<_>>()
        };
        let (id, x) = (Some((0, 5)), Some((1, 6)));
        assert_eq!(of(&[r#""id":"1""#, r#" "id" : 3"#, r#""idx":4"#]), [id, Some((0, 8)), x]);
        for _ in 0..3 {
            assert_eq!(of(&[r#""id":"2""#, r#""idx":4"#]), [id, x]);
            assert_eq!(of(&[r#""idx":4"#, r#""id":"2""#, r#""id":"2""#]), [x, id, id]);
            let many: Vec<String> = (0..9).map(|n| format!("\"k{n}\":")).collect();
            let told = many.iter().flat_map(|member| of(&[r#""id":1"#, member]));
            assert_eq!(told.skip(1).step_by(2).collect::<Vec<_>>(), (2..11).map(|n| Some((n, 5))).collect::<Vec<_>>());
        }
        for odd in ["", "id:1", "\"id", r#""id""#, r#""i\u0064":1"#, r#""é":1"#] {
            assert_eq!(of(&[odd]), [None], "{odd}");
        }
        let roles = (keys.get(0).role, keys.get(1).role, &*keys.get(1).name);
        assert_eq!(roles, (Role::Id, Role::Any, "idx"));
    }

    #[test]
    fn spellings_without_end_are_left_to_the_parser() {
        let plan = FieldPlan::new(&[]);
        let mut keys = Keys::new(&plan);
        let taken = (0..2 * SPELLINGS).filter(|n| keys.next(format!("\"k{n}\":1").as_bytes()).is_some());
        assert_eq!(taken.count(), SPELLINGS);
    }
}
