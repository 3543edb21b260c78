//! Input: from files, folders and standard input to events. Reading streams: what is held is a few batches
//! of records, whatever the size of the files.

pub mod decode;
pub mod envelope;
pub mod framing;
pub mod looks;
pub mod object;
pub mod source;
pub mod table;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;
use siphasher::sip::SipHasher13;

use crate::event::coverage::{Coverage, Kind, Reason, Tally};
use crate::event::identity::{Lessons, Links};
use crate::event::json::Json;
use crate::event::origin::{Origin, Stamp};
use crate::event::time::Timestamp;
use crate::event::{Event, NotAnEvent};
use envelope::{Unwrapped, unwrap};
use framing::{Batch, Framer, Span};
use source::Source;
use table::Rows;

/// A source that could not be read to its end.
#[derive(Debug)]
pub struct Failure {
    /// the source, by its place in the list
    pub source: u32,
    /// what went wrong
    pub message: String,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// the account of it
    pub coverage: Coverage,
    /// who is who
    pub links: Links,
    /// sources that could not be read to their end
    pub failures: Vec<Failure>,
    /// sources with content in which nothing was an event, and what they look like
    pub foreign: Vec<(u32, String)>,
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// the longest record in bytes
    pub record_limit: usize,
}

enum Message {
    Batch(u32, Batch),
    /// the source ends; the head tells what it is if it is no export
    End(u32, Vec<u8>),
    Failure(Failure),
}

/// One record, understood or not.
enum Understood<K> {
    Event { kind: usize, time: Timestamp, key: Option<(u64, u64)>, kept: Option<K> },
    Skipped(Reason, u64),
}

/// The events known so far, so that the same one is known again.
#[derive(Debug, Default)]
pub struct Known {
    /// body of the first event of each id
    bodies: HashMap<u64, u64, foldhash::fast::RandomState>,
    /// further bodies of ids that have several
    others: HashMap<u64, Vec<u64>>,
}

/// How an event stands to those before it.
enum Standing {
    New,
    Duplicate,
    /// an id that stood on another event; `true` for the first time
    Conflict(bool),
}

impl Known {
    fn learn(&mut self, id: u64, body: u64) -> Standing {
        let first = match self.bodies.entry(id) {
            Entry::Vacant(place) => {
                place.insert(body);
                return Standing::New;
            }
            Entry::Occupied(place) => *place.get(),
        };
        if first == body {
            return Standing::Duplicate;
        }
        let others = self.others.entry(id).or_default();
        if others.contains(&body) {
            return Standing::Duplicate;
        }
        others.push(body);
        Standing::Conflict(others.len() == 1)
    }

    /// Bytes held for each known id.
    pub fn bytes_per_event(&self) -> f64 {
        let bytes = self.bodies.capacity() * (size_of::<(u64, u64)>() + 1);
        bytes as f64 / self.bodies.len().max(1) as f64
    }
}

/// Reads all sources in their order. `understand` is called for each event, in parallel, and says what to
/// keep of it; `keep` gets that in the order of the input, without what is `known` already; `passed` is told
/// of raw bytes read, for a progress bar.
pub fn read<K: Send>(
    sources: &[Source],
    options: Options,
    known: &mut Known,
    understand: &(impl Fn(&Event<'_>, Stamp) -> Option<K> + Sync),
    keep: &mut dyn FnMut(K),
    passed: &(dyn Fn(u64) + Sync),
) -> Reading {
    let mut merger = Merger { reading: Reading::default(), known, counts: (0, 0), keep };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(rayon::current_num_threads() * 2);
        scope.spawn(move || {
            for (index, source) in (0_u32..).zip(sources) {
                // The receiver is gone only when the whole run is being dropped.
                if send_source(index, source, options, passed, &sender).is_err() {
                    break;
                }
            }
        });
        while let Some(messages) = waiting(&receiver) {
            let understood: Vec<_> = messages
                .into_par_iter()
                .map(|message| match message {
                    Message::Batch(source, batch) => Ok((source, Part::of(source, &batch, understand))),
                    other => Err(other),
                })
                .collect();
            understood.into_iter().for_each(|part| merger.take(part));
        }
    });
    merger.reading
}

/// All messages that wait, at least one; `None` when there will be no more.
fn waiting(receiver: &Receiver<Message>) -> Option<Vec<Message>> {
    let first = receiver.recv().ok()?;
    let more = receiver.try_iter().take(rayon::current_num_threads() * 2);
    Some(std::iter::once(first).chain(more).collect())
}

/// Sends the batches of one source.
fn send_source(
    index: u32,
    source: &Source,
    options: Options,
    passed: &(dyn Fn(u64) + Sync),
    sender: &SyncSender<Message>,
) -> Result<(), std::sync::mpsc::SendError<Message>> {
    let fail = |error: io::Error| Message::Failure(Failure { source: index, message: told(&error) });
    let text = match source.open().and_then(|raw| decode::text(Counting { raw, passed })) {
        Ok(text) => text,
        Err(error) => return sender.send(fail(error)),
    };
    let head = text.head.clone();
    let mut next: Box<dyn FnMut() -> io::Result<Option<Batch>>> = if table::is_header(&head) {
        match Rows::new(text.reader, text.offset) {
            Ok(mut rows) => Box::new(move || rows.next_batch()),
            Err(error) => return sender.send(fail(error)),
        }
    } else {
        let mut framer = Framer::new(text.reader, text.offset, text.is_utf16, options.record_limit);
        Box::new(move || framer.next_batch())
    };
    loop {
        match next() {
            Ok(Some(batch)) => sender.send(Message::Batch(index, batch))?,
            Ok(None) => return sender.send(Message::End(index, head)),
            Err(error) => {
                sender.send(fail(error))?;
                return sender.send(Message::End(index, head));
            }
        }
    }
}

/// What went wrong, and what it means where the words of a decoder do not say.
fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            format!("{error}: the archive is cut or damaged; what stands before that place was read")
        }
        _ => error.to_string(),
    }
}

struct Counting<'p, R> {
    raw: R,
    passed: &'p (dyn Fn(u64) + Sync),
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buf)?;
        (self.passed)(read as u64);
        Ok(read)
    }
}

/// A batch understood: its records in order, their kinds, and who is who in them.
struct Part<K> {
    records: Vec<Understood<K>>,
    kinds: Vec<Kind>,
    lessons: Lessons,
}

impl<K> Part<K> {
    fn of(source: u32, batch: &Batch, understand: &impl Fn(&Event<'_>, Stamp) -> Option<K>) -> Part<K> {
        let records = Vec::with_capacity(batch.spans.len());
        let mut part = Part { records, kinds: Vec::new(), lessons: Lessons::default() };
        batch.spans.iter().for_each(|span| part.take(source, *span, &batch.bytes, understand));
        part
    }

    fn take(&mut self, source: u32, span: Span, bytes: &[u8], understand: &impl Fn(&Event<'_>, Stamp) -> Option<K>) {
        let origin = Origin { source, line: span.line, offset: span.offset };
        let result = match span.fault {
            Some(reason) => Err(reason),
            None => with_record(&bytes[span.start..span.end], |json| self.event(json, origin, understand)),
        };
        match result {
            Ok(event) => self.records.push(event),
            // A line that starts and ends as an object may be two of them.
            Err(Reason::NotJson) => {
                let objects = framing::objects(&bytes[span.start..span.end]);
                if objects.len() < 2 {
                    return self.records.push(Understood::Skipped(Reason::NotJson, span.line));
                }
                for (start, end, fault) in objects {
                    let offset = span.offset + start as u64;
                    let (start, end) = (span.start + start, span.start + end);
                    self.take(source, Span { start, end, offset, fault, ..span }, bytes, understand);
                }
            }
            Err(reason) => self.records.push(Understood::Skipped(reason, span.line)),
        }
    }

    fn event(
        &mut self,
        json: &Json<'_>,
        origin: Origin,
        understand: &impl Fn(&Event<'_>, Stamp) -> Option<K>,
    ) -> Result<Understood<K>, Reason> {
        let event = Event::new(json).map_err(|not| match not {
            NotAnEvent::Foreign => Reason::NotAnEvent,
            NotAnEvent::NoTime => Reason::NoTime,
        })?;
        self.lessons.learn(&event);
        let kind = self.kinds.iter().position(|kind| kind.fits(&event)).unwrap_or_else(|| {
            self.kinds.push(Kind::of(&event));
            self.kinds.len() - 1
        });
        let (high, body) = halves(json.body_hash());
        let key = event.id().map(|id| (id_hash(id), body ^ high.rotate_left(32)));
        let kept = understand(&event, Stamp { origin, body });
        Ok(Understood::Event { kind, time: event.time, key, kept })
    }
}

/// Parses a record, takes its envelope off, and hands it on.
fn with_record<T>(bytes: &[u8], use_it: impl FnOnce(&Json<'_>) -> Result<T, Reason>) -> Result<T, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
    let outer = Json::parse(text).map_err(|e| reason_of(&e))?;
    match unwrap(&outer) {
        Unwrapped::Itself => use_it(&outer),
        Unwrapped::Inner(inner) => use_it(inner),
        Unwrapped::Text(text) => use_it(&Json::parse(text).map_err(|e| reason_of(&e))?),
    }
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
    use std::hash::Hasher;
    let mut hasher = SipHasher13::new_with_keys(0x6964, 0);
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// Puts the parts together in the order of the input, so that of two equal records the first is cited.
struct Merger<'k, K> {
    reading: Reading,
    known: &'k mut Known,
    /// of the source being read: records, events
    counts: (u64, u64),
    keep: &'k mut dyn FnMut(K),
}

impl<K> Merger<'_, K> {
    fn take(&mut self, part: Result<(u32, Part<K>), Message>) {
        match part {
            Ok((source, part)) => {
                self.reading.links.take(part.lessons);
                let mut tallies = vec![Tally::default(); part.kinds.len()];
                for record in part.records {
                    self.take_record(source, record, &mut tallies);
                }
                for (kind, tally) in part.kinds.iter().zip(&tallies) {
                    self.reading.coverage.events(kind, tally);
                }
            }
            Err(Message::End(source, head)) => {
                let (records, events) = std::mem::take(&mut self.counts);
                if records > 0 && events == 0 {
                    self.reading.foreign.push((source, looks::like(&head)));
                }
            }
            Err(Message::Failure(failure)) => self.reading.failures.push(failure),
            Err(Message::Batch(..)) => {}
        }
    }

    fn take_record(&mut self, source: u32, record: Understood<K>, tallies: &mut [Tally]) {
        self.counts.0 += 1;
        match record {
            Understood::Skipped(reason, line) => self.reading.coverage.skip(reason, source, line),
            Understood::Event { kind, time, key, kept } => {
                self.counts.1 += 1;
                match key.map(|(id, body)| self.known.learn(id, body)) {
                    Some(Standing::Duplicate) => return self.reading.coverage.duplicate(),
                    Some(Standing::Conflict(is_first)) => {
                        self.reading.coverage.conflicting_ids += u64::from(is_first);
                    }
                    Some(Standing::New) | None => {}
                }
                tallies[kind].add(time, key.is_some());
                kept.into_iter().for_each(&mut *self.keep);
            }
        }
    }
}
