//! Merger: puts the parts together in the order of the input, so that of two records that are the same the first is
//! cited, and keeps the account.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hint::black_box;

use super::known::{Known, Standing};
use super::part::{Part, Single, Understood};
use super::source::Source;
use super::{Dealt, Message, Reading, looks};
use crate::event::coverage::{Kind, Lacking, Reason, Tally};
use crate::event::occurrence::{Likeness, Occurrence, Rivalry, Sink, Understand};

/// So many events are looked for together.
const AHEAD: usize = 32;

/// What was in a source.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    has_records: bool,
    events: u64,
    /// events without a readable time, which are skipped
    timeless: u64,
    /// records beyond the limit, which are skipped
    long: u64,
}

impl Counts {
    /// What a source lacks in which nothing was an event, and why; its head tells more.
    fn lacking(self, head: &[u8]) -> Option<(Lacking, String)> {
        let looks = match self {
            Counts { has_records: false, .. } if looks::is_lost(head) => {
                let reason = "zeros alone: what it held is lost; copy it again from where it was written";
                return Some((Lacking::All, reason.to_owned()));
            }
            Counts { has_records: false, .. } if !looks::is_own(head) => return None,
            Counts { has_records: false, .. } | Counts { events: 0, timeless: 0, long: 0, .. } => looks::like(head),
            Counts { events: 0, timeless: 0, .. } => "records too long to be read: raise --record-limit".to_owned(),
            Counts { events: 0, .. } => "events without a readable timestamp".to_owned(),
            _ => return None,
        };
        Some((Lacking::Events, format!("no Directory Insights event in it; it looks like {looks}")))
    }
}

/// How far a part is put together.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    /// the next record
    record: usize,
    /// the start of its id
    id: usize,
}

/// What a worker told, by its numbers.
#[derive(Clone, Default)]
struct Told {
    /// the kind of the events that are alike, and the number that the sink gave
    likenesses: Vec<(u32, Option<u32>)>,
    /// the place of a kind
    kinds: Vec<u32>,
    /// the number that the sink gave a facet
    facets: Vec<u32>,
}

/// Events of a kind.
struct Counted {
    kind: Kind,
    tally: Tally,
    /// the sink takes them
    is_wanted: bool,
}

/// Puts parts together.
pub(super) struct Merger<'k, S> {
    /// what was read so far
    pub reading: Reading,
    sources: &'k [Source],
    known: &'k mut Known,
    sink: &'k mut S,
    kinds: Vec<Counted>,
    places: HashMap<Kind, u32>,
    /// by worker
    told: Vec<Told>,
    /// of the source being read
    counts: Counts,
}

impl<'k, S> Merger<'k, S> {
    /// Nothing is put together yet.
    pub fn new(sources: &'k [Source], known: &'k mut Known, sink: &'k mut S, workers: usize) -> Merger<'k, S> {
        Merger {
            reading: Reading::default(),
            sources,
            known,
            sink,
            kinds: Vec::new(),
            places: HashMap::new(),
            told: vec![Told::default(); workers],
            counts: Counts::default(),
        }
    }

    /// Takes the next message, and of a batch what each worker made of its part.
    pub(super) fn take<U: Understand>(&mut self, message: Message<Dealt>, parts: Vec<Option<Part<U>>>)
    where
        S: Sink<U>,
    {
        match message {
            Message::Batch(source, dealt) => self.batch(source, &dealt, parts.into_iter().flatten().collect()),
            Message::End(source, head) => {
                if let Some((lacking, reason)) = std::mem::take(&mut self.counts).lacking(&head) {
                    self.eventless(source, lacking, reason);
                }
            }
            Message::Failure(failure) => self.reading.coverage.unreadable.push(failure),
        }
    }

    /// Tells of a source without an event, once, also where its end could not be read either.
    fn eventless(&mut self, place: u32, lacking: Lacking, reason: String) {
        let unreadable = &mut self.reading.coverage.unreadable;
        match unreadable.last_mut().filter(|last| last.place == place) {
            Some(last) => last.reason += &format!("; {reason}"),
            None => unreadable.push(self.sources[place as usize].unreadable(place, lacking, reason)),
        }
    }

    fn batch<U: Understand>(&mut self, source: u32, dealt: &Dealt, mut parts: Vec<Part<U>>)
    where
        S: Sink<U>,
    {
        parts.iter_mut().enumerate().for_each(|(worker, part)| self.learn(worker, part));
        dealt.flattened.iter().for_each(|line| self.reading.coverage.flattened.add(source, *line));
        let mut at = vec![At::default(); parts.len()];
        for lane in &dealt.lanes {
            let worker = usize::from(*lane);
            let (part, at) = (&parts[worker], &mut at[worker]);
            if at.record % AHEAD == 0 {
                self.touch(worker, &part.records[at.record..]);
            }
            self.record(worker, source, part, &part.records[at.record], &mut at.id);
            at.record += 1;
        }
    }

    /// Learns what is new in a part.
    fn learn<U: Understand>(&mut self, worker: usize, part: &mut Part<U>)
    where
        S: Sink<U>,
    {
        self.reading.links.take(std::mem::take(&mut part.lessons));
        if part.is_afresh {
            self.told[worker] = Told::default();
        }
        for facet in &part.facets {
            self.told[worker].facets.push(self.sink.facet(facet));
        }
        for kind in part.kinds.drain(..) {
            let place = self.place::<U>(kind);
            self.told[worker].kinds.push(place);
        }
        let (mut facets, mut start) = (Vec::new(), 0);
        for fresh in &part.fresh {
            let told = &mut self.told[worker];
            facets.clear();
            facets.extend(part.facets_of[start..fresh.facets_end].iter().map(|facet| told.facets[*facet as usize]));
            start = fresh.facets_end;
            let place = told.kinds[fresh.kind as usize];
            let Counted { kind: Kind { organization, service, .. }, is_wanted, .. } = &self.kinds[place as usize];
            let number = fresh
                .verdict
                .as_ref()
                .filter(|_| *is_wanted)
                .map(|verdict| self.sink.likeness(&Likeness { organization, service, facets: &facets, verdict }));
            told.likenesses.push((place, number));
        }
    }

    fn record<U: Understand>(
        &mut self,
        worker: usize,
        source: u32,
        part: &Part<U>,
        record: &Understood,
        id_start: &mut usize,
    ) where
        S: Sink<U>,
    {
        match record {
            Understood::Skipped(reason, line) => {
                self.counts.has_records = true;
                self.counts.timeless += u64::from(*reason == Reason::NoTime);
                self.counts.long += u64::from(*reason == Reason::TooLong);
                self.reading.coverage.skip(*reason, source, *line);
            }
            Understood::Event(single) => {
                let id_end = single.id_end as usize;
                self.event::<U>(worker, single, &part.ids[*id_start..id_end]);
                *id_start = id_end;
            }
            Understood::Several(records) => {
                records.iter().for_each(|record| self.record(worker, source, part, record, id_start));
            }
        }
    }

    /// Looks at what the next events will be found by, so that it is near: far memory is waited for together.
    fn touch(&self, worker: usize, records: &[Understood]) {
        let singles = records.iter().take(AHEAD).filter_map(|record| match record {
            Understood::Event(single) => Some(single),
            _ => None,
        });
        self.known.touch(singles.clone().filter_map(|single| single.key).map(|(id, _)| id));
        let likenesses = &self.told[worker].likenesses;
        black_box(singles.fold(0, |all, single| all ^ likenesses[single.likeness as usize].0));
    }

    #[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
    fn place<U: Understand>(&mut self, kind: Kind) -> u32
    where
        S: Sink<U>,
    {
        match self.places.entry(kind) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                let (kind, is_wanted) = (place.key().clone(), self.sink.wants(&place.key().organization));
                self.kinds.push(Counted { kind, tally: Tally::default(), is_wanted });
                *place.insert(self.kinds.len() as u32 - 1)
            }
        }
    }

    fn event<U: Understand>(&mut self, worker: usize, single: &Single, id: &str)
    where
        S: Sink<U>,
    {
        self.counts.has_records = true;
        self.counts.events += 1;
        let (kind, likeness) = self.told[worker].likenesses[single.likeness as usize];
        let occurrence = |rivalry| {
            let id = single.key.map(|_| id);
            likeness.map(|likeness| Occurrence { likeness, time: single.time, id, stamp: single.stamp, rivalry })
        };
        let counted = &mut self.kinds[kind as usize];
        if !counted.is_wanted {
            return counted.tally.add(single.time, single.key.is_some());
        }
        let mut rivalry = None;
        if let Some((id, own)) = single.key {
            match self.known.learn(id, own) {
                Standing::New => {}
                Standing::Duplicate { first } => {
                    self.reading.coverage.duplicate();
                    let again = occurrence(first.map(|first| Rivalry { first, own }));
                    return again.iter().for_each(|event| self.sink.again(event));
                }
                Standing::Conflict { first, is_first } => {
                    self.reading.coverage.conflicting_ids += u64::from(is_first);
                    rivalry = Some(Rivalry { first, own });
                }
            }
        }
        counted.tally.add(single.time, single.key.is_some());
        occurrence(rivalry).iter().for_each(|event| self.sink.event(event));
    }

    /// What was read, when there is no more.
    pub fn close(mut self) -> Reading {
        for Counted { kind, tally, is_wanted } in self.kinds {
            match is_wanted {
                true => self.reading.coverage.events(&kind, tally),
                false => self.reading.coverage.events_elsewhere(&kind, tally),
            }
        }
        self.reading
    }
}
