//! Part: records of a batch understood by a worker, in their order, and what their events are like.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use xxhash_rust::xxh3::xxh3_64;

use super::batch::{Batch, Span};
use super::envelope::{Unwrapped, text_at, unwrap};
use super::framing;
use super::list;
use super::memo::{Draft, Drafts, Memo, Room};
use crate::event::coverage::{Kind, Reason};
use crate::event::facet::{self, FieldPlan};
use crate::event::identity::Lessons;
use crate::event::json::Json;
use crate::event::occurrence::Understand;
use crate::event::origin::{Origin, Stamp};
use crate::event::time::Timestamp;
use crate::event::{Event, NotAnEvent};

/// So many records are read together.
const TOGETHER: usize = 16;

/// Facets after which a worker starts afresh.
const FACETS: usize = 1 << 21;

/// No kind.
const NOWHERE: u32 = u32::MAX;

/// One record, understood or not.
pub enum Understood {
    /// an event
    Event(Single),
    /// not an event, and why, and its line
    Skipped(Reason, u64),
    /// a line of several objects, or none in an empty list
    Several(Vec<Understood>),
}

/// What an event has alone.
pub struct Single {
    /// what it is like, by the worker's numbers
    pub likeness: u32,
    /// when it happened
    pub time: Timestamp,
    /// hashes of id and body, if it has an id
    pub key: Option<(u64, u64)>,
    /// where its id ends in the ids of the part
    pub id_end: u32,
    /// where it is, and the hash of its body
    pub stamp: Stamp,
}

/// What is new of events that are alike.
pub struct Fresh<V> {
    /// what they are counted by, by the worker's numbers
    pub kind: u32,
    /// where their facets end in those of the part
    pub facets_end: usize,
    /// what becomes of them
    pub verdict: Option<V>,
}

/// Records of a batch understood.
pub struct Part<U: Understand> {
    /// the worker has forgotten what it met before, and numbers from 0 again
    pub is_afresh: bool,
    /// facets that the worker had not met, in the order of its numbers
    pub facets: Vec<U::Facet>,
    /// kinds that it had not met, in the order of its numbers
    pub kinds: Vec<Kind>,
    /// the needed facets of likenesses that it had not met, by the worker's numbers, one after another
    pub facets_of: Vec<u32>,
    /// likenesses that it had not met, in the order of its numbers
    pub fresh: Vec<Fresh<U::Verdict>>,
    /// its records in their order
    pub records: Vec<Understood>,
    /// the ids of the events, one after another
    pub ids: String,
    /// who is who in them
    pub lessons: Lessons,
}

/// Understands batches, one after another, and remembers what it has seen.
pub struct Worker<'p, U> {
    plan: &'p FieldPlan,
    room: Room,
    memo: Memo<'p>,
    understand: U,
    /// for each facet that it met what [`Understand::facet`] said
    patterns: Vec<u32>,
    /// the facets of the record being read
    facets: Vec<u32>,
    /// the same, as far as they were met before
    known: Vec<Option<u32>>,
    /// the kinds of events, by the facet that tells them, with their numbers
    kinds: HashMap<u32, (u32, Kind), RandomState>,
    /// how many numbers of kinds were given, also to events that are remembered by nothing
    kind_count: u32,
    /// for each facet that it met the kind, as organizations are, in which it last stood as actor or target
    met: Vec<u32>,
    /// nothing is remembered
    #[cfg(any(test, fuzzing))]
    pub is_plain: bool,
}

impl<'p, U: Understand> Worker<'p, U> {
    /// A worker that has seen nothing.
    pub fn new(plan: &'p FieldPlan, understand: U, room: Room) -> Worker<'p, U> {
        Worker {
            plan,
            room,
            memo: Memo::new(plan, room),
            understand,
            patterns: Vec::new(),
            facets: Vec::new(),
            known: Vec::new(),
            kinds: HashMap::default(),
            kind_count: 0,
            met: Vec::new(),
            #[cfg(any(test, fuzzing))]
            is_plain: false,
        }
    }

    /// Lets go of all that was met; numbers start from 0 again.
    pub fn forget(&mut self) {
        self.memo = Memo::new(self.plan, self.room);
        self.understand.forget();
        self.patterns.clear();
        self.kinds.clear();
        self.kind_count = 0;
        self.met.clear();
    }

    /// Understands records of a batch.
    pub fn part(&mut self, source: u32, batch: &Batch, spans: &[Span]) -> Part<U> {
        if self.memo.is_full() || self.patterns.len() > FACETS {
            self.forget();
        }
        let mut part = Part {
            is_afresh: self.memo.is_empty(),
            facets: Vec::new(),
            kinds: Vec::new(),
            facets_of: Vec::new(),
            fresh: Vec::new(),
            records: Vec::new(),
            ids: String::with_capacity(spans.len() * 24),
            lessons: Lessons::default(),
        };
        part.records = self.take(source, batch, spans, &mut part);
        part
    }

    /// Understands records.
    fn take(&mut self, source: u32, batch: &Batch, spans: &[Span], part: &mut Part<U>) -> Vec<Understood> {
        let bytes = batch.bytes.as_slice();
        let mut records = Vec::with_capacity(spans.len());
        let mut drafts = Drafts::default();
        for spans in spans.chunks(TOGETHER) {
            let texts = spans.iter().map(|span| match span.fault {
                Some(_) => &[][..],
                None => &bytes[span.start..span.end],
            });
            self.read(texts, &mut drafts);
            records.extend(spans.iter().zip(&drafts.records).map(|(span, draft)| {
                let origin = Origin { source, line: span.line, offset: span.offset };
                let text = &bytes[span.start..span.end];
                let result = match (draft, span.fault) {
                    (_, Some(reason)) => Err(reason),
                    (Some(draft), None) => Ok(self.drafted(&drafts, draft, origin, part)),
                    (None, None) => self.undrafted(text, origin, part),
                };
                match result {
                    Ok(event) => Understood::Event(event),
                    Err(Reason::NotJson) => self.several(source, batch, *span, part),
                    Err(Reason::NotAnEvent) if list::is_empty_answer(text) => Understood::Several(Vec::new()),
                    Err(reason) => Understood::Skipped(reason, span.line),
                }
            }));
        }
        records
    }

    /// An event that the memo made something of.
    fn drafted(&mut self, drafts: &Drafts<'_>, draft: &Draft<'_>, origin: Origin, part: &mut Part<U>) -> Single {
        let likeness = self.memo.alike(drafts, draft);
        let likeness = likeness.unwrap_or_else(|| self.meet(drafts, draft, part));
        part.single(likeness, draft.time, draft.id, draft.body, origin)
    }

    /// A record that the memo makes nothing of, perhaps since the event is in an envelope.
    fn undrafted(&mut self, text: &[u8], origin: Origin, part: &mut Part<U>) -> Result<Single, Reason> {
        with_outer(text, |outer, text| match unwrap(outer) {
            Unwrapped::Itself => self.alone(outer, origin, part),
            Unwrapped::Inner(json, place) => {
                let inside = text_at(text, place).and_then(|text| self.inside(text, origin, part));
                inside.map_or_else(|| self.alone(json, origin, part), Ok)
            }
            Unwrapped::Text(text) => match self.inside(text, origin, part) {
                Some(event) => Ok(event),
                None => self.alone(&Json::parse(text).map_err(|e| reason_of(&e))?, origin, part),
            },
        })
    }

    /// The event in an envelope, if the memo makes something of it.
    fn inside(&mut self, text: &str, origin: Origin, part: &mut Part<U>) -> Option<Single> {
        let mut drafts = Drafts::default();
        self.read([text.trim().as_bytes()].into_iter(), &mut drafts);
        Some(self.drafted(&drafts, drafts.records[0].as_ref()?, origin, part))
    }

    /// A record that is no JSON: one that starts and ends as an object may be two of them.
    fn several(&mut self, source: u32, batch: &Batch, span: Span, part: &mut Part<U>) -> Understood {
        let text = &batch.bytes[span.start..span.end];
        let objects = framing::objects(text);
        if objects.len() < 2 {
            return Understood::Skipped(Reason::NotJson, span.line);
        }
        let spans = objects.into_iter().map(|(start, end, fault)| {
            let offset = span.offset + batch.source_bytes(&text[..start]);
            Span { start: span.start + start, end: span.start + end, offset, fault, ..span }
        });
        let spans: Vec<Span> = spans.collect();
        Understood::Several(self.take(source, batch, &spans, part))
    }

    /// What the memo makes of records.
    fn read<'t>(&mut self, texts: impl Iterator<Item = &'t [u8]>, drafts: &mut Drafts<'t>) {
        #[cfg(any(test, fuzzing))]
        let is_plain = self.is_plain;
        #[cfg(not(any(test, fuzzing)))]
        let is_plain = false;
        let texts = texts.map(|text| if is_plain { &[][..] } else { text });
        self.memo.read(texts, drafts, &mut self.understand);
    }

    /// Whether a record is beyond doubt.
    #[cfg(test)]
    pub fn takes(&mut self, text: &[u8]) -> bool {
        let mut drafts = Drafts::default();
        self.memo.read([text].into_iter(), &mut drafts, &mut self.understand);
        drafts.records[0].is_some()
    }

    /// Understands a record that is like no other so far, and remembers it.
    fn meet(&mut self, drafts: &Drafts<'_>, draft: &Draft<'_>, part: &mut Part<U>) -> u32 {
        let Worker { plan, memo, understand, patterns, facets, met, known, kinds, kind_count, .. } = self;
        let needed = memo.facets(drafts, draft, known);
        facets.clear();
        let inside = memo.inside(drafts, draft);
        for (facet, known) in needed.iter().zip(known.iter()) {
            facets.push(known.unwrap_or_else(|| {
                let json = inside.facet(*facet);
                let event = if plan.facets[*facet].is_raw { Event::bare(&json) } else { Event::part(&json) };
                let (values, pattern) = understand.facet(*facet, &event);
                part.facets.push(values);
                patterns.push(pattern);
                number(patterns.len() - 1)
            }));
        }
        met.resize(patterns.len(), NOWHERE);
        let kind = kinds.entry(facets[facet::KIND]).or_insert_with(|| {
            let kind = Kind::of(&Event::part(&inside.facet(facet::KIND)));
            part.kinds.push(kind.clone());
            *kind_count += 1;
            (*kind_count - 1, kind)
        });
        for facet in [facet::ACTOR, facet::TARGET] {
            let met = &mut met[facets[facet] as usize];
            if std::mem::replace(met, kind.0) != kind.0 {
                let json = inside.facet(facet);
                let event = Event::part(&json);
                let party = if facet == facet::ACTOR { &event.actor } else { &event.target };
                part.lessons.learn_party(&kind.1.organization, party);
            }
        }
        let event_type = memo.event_type(draft);
        let verdict = match understand.needs_whole(event_type) {
            true => judged(understand, patterns, facets, event_type, Some(&Event::part(&inside.json()))),
            false => judged(understand, patterns, facets, event_type, None),
        };
        part.facets_of.extend_from_slice(facets);
        part.fresh.push(Fresh { kind: kind.0, facets_end: part.facets_of.len(), verdict });
        drop(inside);
        for (facet, (known, number)) in needed.iter().zip(known.iter().zip(facets)) {
            if known.is_none() {
                memo.remember_facet(*facet, *number);
            }
        }
        memo.remember(drafts, draft)
    }

    /// An event out of a record that was parsed as a whole.
    fn alone(&mut self, json: &Json<'_>, origin: Origin, part: &mut Part<U>) -> Result<Single, Reason> {
        let event = Event::new(json).map_err(|not| match not {
            NotAnEvent::Foreign => Reason::NotAnEvent,
            NotAnEvent::NoTime => Reason::NoTime,
        })?;
        self.facets.clear();
        for facet in self.understand.needed(&event.event_type).iter() {
            let (values, pattern) = self.understand.facet(*facet, &event);
            part.facets.push(values);
            self.patterns.push(pattern);
            self.facets.push(number(self.patterns.len() - 1));
        }
        let kind = self.kind_count;
        self.kind_count += 1;
        part.kinds.push(Kind::of(&event));
        let whole = self.understand.needs_whole(&event.event_type).then_some(&event);
        let verdict = judged(&mut self.understand, &self.patterns, &self.facets, &event.event_type, whole);
        part.facets_of.extend_from_slice(&self.facets);
        part.fresh.push(Fresh { kind, facets_end: part.facets_of.len(), verdict });
        part.lessons.learn(&event);
        Ok(part.single(self.memo.next(), event.time, event.id(), json.body_hash(), origin))
    }
}

/// What becomes of events like this one.
fn judged<U: Understand>(
    understand: &mut U,
    patterns: &[u32],
    facets: &[u32],
    event_type: &str,
    whole: Option<&Event<'_>>,
) -> Option<U::Verdict> {
    let patterns: Vec<u32> = facets.iter().map(|facet| patterns[*facet as usize]).collect();
    understand.verdict(event_type, &patterns, whole)
}

impl<U: Understand> Part<U> {
    fn single(&mut self, likeness: u32, time: Timestamp, id: Option<&str>, body: u128, origin: Origin) -> Single {
        let (high, body) = halves(body);
        self.ids.push_str(id.unwrap_or_default());
        Single {
            likeness,
            time,
            key: id.map(|id| (id_hash(id), body ^ high.rotate_left(32))),
            id_end: number(self.ids.len()),
            stamp: Stamp { origin, body },
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn number(length: usize) -> u32 {
    length as u32
}

/// Parses a record, takes its envelope off, and hands it on.
pub(super) fn with_record<T>(bytes: &[u8], use_it: impl FnOnce(&Json<'_>) -> Result<T, Reason>) -> Result<T, Reason> {
    with_outer(bytes, |outer, _| match unwrap(outer) {
        Unwrapped::Itself => use_it(outer),
        Unwrapped::Inner(inner, _) => use_it(inner),
        Unwrapped::Text(text) => use_it(&Json::parse(text).map_err(|e| reason_of(&e))?),
    })
}

/// Parses a record, whatever it holds, and hands it on with its text.
fn with_outer<T>(bytes: &[u8], use_it: impl FnOnce(&Json<'_>, &str) -> Result<T, Reason>) -> Result<T, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
    use_it(&Json::parse(text).map_err(|e| reason_of(&e))?, text)
}

fn reason_of(error: &serde_json::Error) -> Reason {
    if error.is_eof() {
        Reason::CutOff
    } else if error.to_string().starts_with("recursion limit") {
        Reason::TooDeep
    } else {
        Reason::NotJson
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the two halves of a hash")]
fn halves(hash: u128) -> (u64, u64) {
    ((hash >> 64) as u64, hash as u64)
}

/// Ids are unique across organizations; the body holds the organization, so equal bodies have the same one.
fn id_hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}
