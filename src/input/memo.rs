//! Memo: what a worker has seen of records before. Records repeat themselves: a member such as
//! `"geoip":{…}` stands in thousands of them byte for byte, and events differ mostly in id and time. So a
//! member is parsed once, and what rules make of an event is worked out once for all events that are alike
//! in every member that anybody asks for.
//!
//! A record is taken only if it is beyond doubt the same as parsing all of it would give: each key is plain
//! and stands once, each value was parsed, by itself, here or before. All else is left to the parser.

use std::cell::OnceCell;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::keys::{Key, Keys, Role};
use super::outline::Outline;
use super::plain::{blanks, end_trimmed, plain, plain_text};
use super::shelf::{Members, Sequences};
use crate::event::body::{member_hash, text_hash};
use crate::event::catalogue;
use crate::event::facet::{self, FieldPlan, Meaning, Standing, is_made_of, is_told_by_resource};
use crate::event::json::Json;
use crate::event::occurrence::Understand;
use crate::event::time::Timestamp;

/// Bytes of members that a worker remembers before it starts afresh, where there are two or fewer; more workers
/// remember as much together.
const MEMBERS: usize = 32 << 20;
/// Likenesses, and facets, in the same way.
const ALIKES: usize = 1 << 19;

/// Room for what one worker remembers.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// bytes of members
    members: usize,
    /// likenesses, and facets
    alikes: usize,
}

impl Room {
    /// The part of one of so many workers.
    pub fn of(workers: usize) -> Room {
        let part = |of_two: usize| of_two * 2 / workers.max(2);
        Room { members: part(MEMBERS), alikes: part(ALIKES) }
    }
}

/// Event types, as they are written, beyond which records are left to the parser; JumpCloud has some 550.
const TYPES: usize = 4096;

/// What is looked at in events of one type.
#[derive(Debug)]
struct Looks {
    /// the facets that are looked at
    needed: Arc<[usize]>,
    /// by facet whether it is one of them
    is_needed: Box<[bool]>,
    /// all of the event is looked at
    takes_whole: bool,
    /// a `resource` that says whom it was done to needs no substitute
    is_told_by_resource: bool,
    /// its canonical name
    event_type: Box<str>,
    /// by key the facets that are made of its members, as far as that was asked
    of_key: Vec<Option<Box<[usize]>>>,
}

impl Looks {
    /// The facets that are made of the members of a key.
    fn of_key(&mut self, number: u32, key: &Key) -> &[usize] {
        let place = number as usize;
        if self.of_key.len() <= place {
            self.of_key.resize(place + 1, None);
        }
        self.of_key[place].get_or_insert_with(|| {
            let facets = key.facets.iter().copied().filter(|facet| self.is_needed[*facet]);
            facets.filter(|facet| is_made_of(*facet, &self.event_type, &key.name)).collect()
        })
    }

    /// Whether the members of a key are part of what is looked at.
    fn wants(&mut self, number: u32, key: &Key) -> bool {
        self.takes_whole || !self.of_key(number, key).is_empty()
    }
}

/// A value on the way to its member.
#[derive(Clone, Copy, Debug)]
struct Sought<'t> {
    key: u32,
    value: &'t [u8],
    is_wanted: bool,
    /// its member, if it is one that its key had lately
    member: Option<u32>,
    /// what the member is found by
    trace: u64,
    /// the member that is looked at first
    first: Option<u32>,
}

/// A facet on the way to its number.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// what its number is found by
    trace: u64,
    /// the sequence that is looked at first
    first: Option<u32>,
}

/// A record that was read.
#[derive(Debug)]
pub struct Draft<'t> {
    /// when it happened
    pub time: Timestamp,
    /// its id, if it has one
    pub id: Option<&'t str>,
    /// hash of its body
    pub body: u128,
    /// its type, by its place in what is looked at
    looks: u32,
    /// where its values end in those that are looked up
    sought_end: usize,
    /// its wanted members, among those of all
    wanted: Range<usize>,
    /// what its likeness is found by
    trace: u64,
}

/// Records that are read together. Each look at what was seen before waits for memory, so they wait together.
#[derive(Debug, Default)]
pub struct Drafts<'t> {
    /// the records in their order; `None` for what is anything out of the ordinary, or has an envelope
    pub records: Vec<Option<Draft<'t>>>,
    /// the keys and values of the record that is read
    values: Vec<(u32, &'t [u8])>,
    /// the values that are looked up
    sought: Vec<Sought<'t>>,
    /// the wanted members
    wanted: Vec<u32>,
}

impl Drafts<'_> {
    fn clear(&mut self) {
        self.records.clear();
        self.sought.clear();
        self.wanted.clear();
    }

    /// The wanted members of a record.
    fn wanted(&self, draft: &Draft<'_>) -> &[u32] {
        &self.wanted[draft.wanted.clone()]
    }
}

/// The kind of a sequence that holds all wanted members of a record; a lower number is that of a facet, and its
/// sequence holds the members of that facet.
const ALL: u32 = u32::MAX;

/// What a worker has seen.
#[derive(Debug)]
pub struct Memo<'w> {
    plan: &'w FieldPlan,
    room: Room,
    outline: Outline,
    keys: Keys<'w>,
    members: Members,
    /// likenesses, and facets
    seen: Sequences,
    /// the facets that are made of nothing
    empty: Vec<Option<u32>>,
    next: u32,
    records: u64,
    looks: Vec<Looks>,
    /// by event type as it is written, the place in `looks`
    by_type: HashMap<Box<str>, u32, RandomState>,
    /// of the record being understood: the members of each facet
    facets: Vec<Vec<u32>>,
    /// of the record being understood: the facets that are looked up
    asked: Vec<Asked>,
}

impl<'w> Memo<'w> {
    /// Nothing seen yet.
    pub fn new(plan: &'w FieldPlan, room: Room) -> Memo<'w> {
        Memo {
            plan,
            room,
            outline: Outline::default(),
            keys: Keys::new(plan),
            members: Members::new(room.members + room.members / 8),
            seen: Sequences::new(room.alikes * 20),
            empty: vec![None; plan.facets.len()],
            next: 0,
            records: 0,
            looks: Vec::new(),
            by_type: HashMap::default(),
            facets: vec![Vec::new(); plan.facets.len()],
            asked: Vec::new(),
        }
    }

    /// Whether it is time to start afresh.
    pub fn is_full(&self) -> bool {
        self.members.size() > self.room.members || self.seen.len() > self.room.alikes
    }

    /// Whether nothing was numbered yet.
    pub fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// Reads records, instead of those that were read before. `understand` says what is looked at in events of a
    /// type.
    pub fn read<'t, U: Understand>(
        &mut self,
        texts: impl Iterator<Item = &'t [u8]>,
        drafts: &mut Drafts<'t>,
        understand: &mut U,
    ) {
        drafts.clear();
        for text in texts {
            let start = drafts.sought.len();
            let draft = self.draft(text, drafts, understand);
            if draft.is_none() {
                drafts.sought.truncate(start);
            }
            drafts.records.push(draft);
        }
        // First all slots are looked at, then what they lead to.
        for sought in drafts.sought.iter_mut().filter(|sought| sought.member.is_none()) {
            sought.first = self.members.first(sought.trace);
        }
        let firsts = drafts.sought.iter().filter_map(|sought| Some((sought.first?, sought.value.len())));
        black_box(firsts.fold(0, |all, (first, length)| all ^ self.members.touch(first, length)));
        let mut start = 0;
        for record in &mut drafts.records {
            let Some(draft) = record else { continue };
            let sought = &drafts.sought[std::mem::replace(&mut start, draft.sought_end)..draft.sought_end];
            if self.find_members(sought, draft, &mut drafts.wanted).is_none() {
                *record = None;
            }
        }
        let firsts = drafts.records.iter().flatten().filter_map(|draft| self.seen.first(draft.trace));
        black_box(firsts.fold(0, |all, first| all ^ self.seen.touch(first)));
    }

    /// The canonical name of the type of a record.
    pub fn event_type(&self, draft: &Draft<'_>) -> &str {
        &self.looks[draft.looks as usize].event_type
    }

    /// The events that a record is like; `None` if it is the first of them.
    pub fn alike(&self, drafts: &Drafts<'_>, draft: &Draft<'_>) -> Option<u32> {
        self.seen.find(draft.trace, ALL, drafts.wanted(draft))
    }

    /// The members of a record, to be looked into.
    pub fn inside<'m>(&'m self, drafts: &'m Drafts<'_>, draft: &Draft<'_>) -> Inside<'m> {
        let wanted = drafts.wanted(draft);
        Inside { memo: self, wanted, values: wanted.iter().map(|_| OnceCell::new()).collect() }
    }

    /// The facets that are looked at in a record, and their numbers; those that are new have none yet.
    pub fn facets(&mut self, drafts: &Drafts<'_>, draft: &Draft<'_>, out: &mut Vec<Option<u32>>) -> Arc<[usize]> {
        let looks = &mut self.looks[draft.looks as usize];
        let wanted = drafts.wanted(draft);
        looks.needed.iter().for_each(|facet| self.facets[*facet].clear());
        let stands = |member: &u32| self.keys.get(self.members.key(*member)).standing;
        let is_named = looks.is_told_by_resource
            && wanted.iter().any(|member| self.members.meaning(*member).names_target())
            && wanted.iter().all(|member| stands(member) != Standing::Association);
        for member in wanted {
            let (number, meaning) = (self.members.key(*member), self.members.meaning(*member));
            let key = self.keys.get(number);
            let is_spared = is_named && key.standing == Standing::Substitute;
            for facet in looks.of_key(number, key) {
                let says_nothing = meaning.is_silent(*facet) || is_spared && *facet == facet::TARGET;
                if !says_nothing {
                    self.facets[*facet].push(*member);
                }
            }
        }
        let needed = Arc::clone(&looks.needed);
        self.asked.clear();
        for facet in needed.iter().copied() {
            match self.facets[facet].as_slice() {
                [] => {}
                [_] if self.is_of_one(facet) => {}
                members => self.asked.push(Asked { trace: self.seen.trace(kind(facet), members), first: None }),
            }
        }
        // Each look waits for memory, so they wait together: first all slots are looked at, then what they lead to.
        self.asked.iter_mut().for_each(|asked| asked.first = self.seen.first(asked.trace));
        let firsts = self.asked.iter().filter_map(|asked| asked.first);
        black_box(firsts.fold(0, |all, first| all ^ self.seen.touch(first)));
        let mut asked = self.asked.iter();
        out.clear();
        out.extend(needed.iter().map(|facet| match self.facets[*facet].as_slice() {
            [] => self.empty[*facet],
            [member] if self.is_of_one(*facet) => self.members.alone(*member),
            members => asked.next().and_then(|asked| self.seen.find(asked.trace, kind(*facet), members)),
        }));
        needed
    }

    /// Whether a facet is made of one member, as a rule; no member is all of two such facets.
    fn is_of_one(&self, facet: usize) -> bool {
        let facet = &self.plan.facets[facet];
        facet.heads.len() == 1 && facet.is_raw
    }

    /// Remembers a facet of the record whose facets were asked for last.
    pub fn remember_facet(&mut self, facet: usize, number: u32) {
        match self.facets[facet].as_slice() {
            [] => self.empty[facet] = Some(number),
            [member] if self.is_of_one(facet) => self.members.set_alone(*member, number),
            members => self.seen.insert(self.seen.trace(kind(facet), members), kind(facet), members, number),
        }
    }

    /// Remembers a record; events like it get the number that is given back.
    pub fn remember(&mut self, drafts: &Drafts<'_>, draft: &Draft<'_>) -> u32 {
        let number = self.next();
        self.seen.insert(draft.trace, ALL, drafts.wanted(draft), number);
        number
    }

    /// The next number, for a record that is like no other.
    pub fn next(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// Reads a record as far as nothing that was seen before is needed for it.
    fn draft<'t, U: Understand>(
        &mut self,
        text: &'t [u8],
        drafts: &mut Drafts<'t>,
        understand: &mut U,
    ) -> Option<Draft<'t>> {
        if !self.outline.draw(text) {
            return None;
        }
        self.records += 1;
        let (mut time, mut id, mut event_type) = (None, None, None);
        drafts.values.clear();
        self.keys.start();
        for (start, end) in &self.outline.members {
            let member = &text[*start as usize..*end as usize];
            let (number, behind) = self.keys.next(member)?;
            let key = self.keys.get_mut(number);
            if key.record == self.records {
                return None;
            }
            key.record = self.records;
            let value = &member[behind..];
            let value = end_trimmed(&value[blanks(value)..]);
            match key.role {
                Role::Id => id = Some(plain_text(value)?).filter(|id| !id.is_empty()),
                Role::Time => time = Some(Timestamp::parse(plain_text(value)?)?),
                Role::EventType => event_type = Some(plain_text(value)?).filter(|name| !name.is_empty()),
                Role::Any => {}
            }
            drafts.values.push((number, value));
        }
        let (time, event_type) = (time?, event_type?);
        let looks = self.looks_at(event_type, understand)?;
        let mut body = 0_u128;
        for (number, value) in drafts.values.iter().copied() {
            let key = self.keys.get(number);
            let is_wanted = self.looks[looks as usize].wants(number, key);
            if !is_wanted && let Some(text) = plain(value) {
                body = body.wrapping_add(text_hash(key.seed, text));
                continue;
            }
            let member = key.member.filter(|last| self.members.is(*last, value));
            let trace = if member.is_some() { 0 } else { self.members.trace(number, value) };
            drafts.sought.push(Sought { key: number, value, is_wanted, member, trace, first: None });
        }
        Some(Draft { time, id, body, looks, sought_end: drafts.sought.len(), wanted: 0..0, trace: 0 })
    }

    /// Finds the members of a record; `None` if one of them is no JSON.
    fn find_members(&mut self, sought: &[Sought<'_>], draft: &mut Draft<'_>, wanted: &mut Vec<u32>) -> Option<()> {
        let start = wanted.len();
        for Sought { key, value, is_wanted, member, trace, .. } in sought {
            let member = match member {
                Some(last) => *last,
                None => self.member(*trace, *key, value)?,
            };
            draft.body = draft.body.wrapping_add(self.members.hash(member));
            if *is_wanted {
                wanted.push(member);
            }
        }
        draft.wanted = start..wanted.len();
        draft.trace = self.seen.trace(ALL, &wanted[start..]);
        Some(())
    }

    /// What is looked at in events of a type, as it is written.
    #[allow(clippy::cast_possible_truncation, reason = "bounded by `TYPES`")]
    fn looks_at<U: Understand>(&mut self, event_type: &str, understand: &mut U) -> Option<u32> {
        if let Some(known) = self.by_type.get(event_type) {
            return Some(*known);
        }
        if self.looks.len() >= TYPES {
            return None;
        }
        let canonical = catalogue::canonical(event_type);
        let place = self.looks.len() as u32;
        let needed = understand.needed(canonical);
        self.looks.push(Looks {
            is_needed: (0..self.facets.len()).map(|facet| needed.binary_search(&facet).is_ok()).collect(),
            needed,
            takes_whole: understand.needs_whole(canonical),
            is_told_by_resource: is_told_by_resource(canonical),
            event_type: canonical.into(),
            of_key: Vec::new(),
        });
        self.by_type.insert(event_type.into(), place);
        Some(place)
    }

    /// The member with this value; it is parsed the first time.
    fn member(&mut self, trace: u64, key: u32, value: &[u8]) -> Option<u32> {
        let known = self.keys.get_mut(key);
        let member = if let Some(member) = self.members.find(trace, key, value) {
            member
        } else {
            let json = Json::of_bytes(value).ok()?;
            let meaning = Meaning::of(&known.name, &json);
            self.members.insert(trace, key, value, meaning, member_hash(known.seed, &json))
        };
        known.member = Some(member);
        Some(member)
    }
}

/// The kind of the sequences of a facet.
fn kind(facet: usize) -> u32 {
    u32::try_from(facet).unwrap_or(ALL - 1)
}

/// The members of a record, each of them parsed at most once.
#[derive(Debug)]
pub struct Inside<'m> {
    memo: &'m Memo<'m>,
    wanted: &'m [u32],
    values: Vec<OnceCell<Json<'m>>>,
}

impl<'m> Inside<'m> {
    /// The wanted members.
    pub fn json(&self) -> Json<'_> {
        self.parts(|_| true)
    }

    /// The members that a facet is made of.
    pub fn facet(&self, facet: usize) -> Json<'_> {
        self.parts(|member| self.memo.facets[facet].contains(&member))
    }

    fn parts(&self, is_chosen: impl Fn(u32) -> bool) -> Json<'_> {
        let all = self.wanted.iter().zip(&self.values).filter_map(|(number, value)| {
            if !is_chosen(*number) {
                return None;
            }
            let key: &'m str = &self.memo.keys.get(self.memo.members.key(*number)).name;
            // Only what was parsed before is remembered, so this cannot fail.
            Some((key, value.get_or_init(|| Json::of_bytes(self.memo.members.text(*number)).unwrap_or(Json::Null))))
        });
        Json::Parts(all.collect())
    }
}
