//! Input: from files, folders and standard input to events. Reading streams: what is held is a few batches
//! of records, whatever the size of the files.

pub mod again;
mod batch;
mod between;
mod cell;
pub mod decode;
#[cfg(any(test, fuzzing))]
pub mod differential;
pub mod envelope;
mod flattened;
pub mod framing;
mod header;
mod junk;
mod kept;
mod keys;
pub mod known;
mod lane;
mod layout;
mod list;
pub mod looks;
mod masks;
mod memo;
mod merger;
pub mod object;
mod outline;
mod part;
mod plain;
mod rebuilt;
mod shelf;
mod slots;
pub mod source;
pub mod table;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use crate::event::coverage::{Coverage, Lacking, Unreadable};
use crate::event::facet::FieldPlan;
use crate::event::identity::Links;
use crate::event::occurrence::{Sink, Understand};
use batch::{Batch, Span};
use flattened::Flattened;
use known::Known;
use lane::{Lane, Lanes};
use memo::Room;
use merger::Merger;
use part::{Part, Worker};
use source::Source;

/// How long the stages of reading were at work; they run beside each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// reading, decompressing, cutting into records, and dealing these out
    pub cutting: Duration,
    /// understanding the records, the workers together
    pub understanding: Duration,
    /// putting the parts together
    pub merging: Duration,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// the account of it
    pub coverage: Coverage,
    /// who is who
    pub links: Links,
    /// how long it took
    pub times: Times,
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// the longest record in bytes
    pub record_limit: usize,
}

/// Batches that are under way, for each worker.
const UNDER_WAY: usize = 4;

/// What comes of a source.
enum Message<B> {
    Batch(u32, B),
    /// the source ends; the head tells what it is if it is no export
    End(u32, Vec<u8>),
    Failure(Unreadable),
}

/// The records of a batch that one worker understands.
struct Share {
    number: u64,
    source: u32,
    batch: Arc<Batch>,
    spans: Vec<Span>,
}

/// What is known of a batch before its records are understood.
struct Dealt {
    /// which worker understands each record
    lanes: Vec<Lane>,
    /// lines of records with nested values as texts
    flattened: Vec<u64>,
}

/// What the merger is told, each with the number of the message.
enum Told<U: Understand> {
    /// what came, and of a batch the lanes of its records
    Message(u64, Message<Dealt>),
    /// what a worker made of its share
    Part(u64, usize, Part<U>),
}

/// A message on its way to be merged, until all is known of it.
struct Turn<U: Understand> {
    message: Option<Message<Dealt>>,
    /// by worker
    parts: Vec<Option<Part<U>>>,
}

impl<U: Understand> Turn<U> {
    fn is_complete(&self) -> bool {
        match self.message {
            Some(Message::Batch(..)) => self.parts.iter().all(Option::is_some),
            Some(_) => true,
            None => false,
        }
    }
}

/// Reads all sources in their order. `plan` says which members of records are asked for, and each worker
/// has an `understand` of its own. `sink` gets what that makes of events, in the order of the input, without
/// what is `known` already; `passed` is told of raw bytes read, for a progress bar.
pub fn read<U: Understand>(
    sources: &[Source],
    options: Options,
    plan: &FieldPlan,
    known: &mut Known,
    understand: &(impl Fn() -> U + Sync),
    sink: &mut impl Sink<U>,
    passed: &(dyn Fn(u64) + Sync),
) -> Reading {
    let workers = rayon::current_num_threads();
    let mut merger = Merger::new(sources, known, sink, workers);
    let times = std::thread::scope(|scope| {
        // A batch is read only when one of the last few has been merged: memory stays bounded even where one
        // batch takes its time.
        let (permit, permits) = sync_channel(workers * UNDER_WAY);
        for _ in 0..workers * UNDER_WAY {
            _ = permit.try_send(());
        }
        let (tell, told) = sync_channel(workers * 2);
        let (senders, shares): (Vec<_>, Vec<_>) = (0..workers).map(|_| sync_channel::<Share>(UNDER_WAY)).unzip();
        let understanding = shares.into_iter().enumerate().map(|(worker, shares)| {
            let tell = tell.clone();
            scope.spawn(move || {
                let mut state = Worker::new(plan, understand(), Room::of(workers));
                let mut busy = Duration::ZERO;
                for Share { number, source, batch, spans } in shares {
                    let start = Instant::now();
                    let part = state.part(source, &batch, &spans);
                    drop(batch);
                    busy += start.elapsed();
                    if tell.send(Told::Part(number, worker, part)).is_err() {
                        break;
                    }
                }
                busy
            })
        });
        let understanding: Vec<_> = understanding.collect();
        let cutter = scope.spawn(move || {
            let (mut cutting, mut dealing) = (Duration::ZERO, Duration::ZERO);
            let (mut lanes, flattened) = (Lanes::new(workers), Flattened::new());
            let mut next = 0;
            let mut send = |message: Message<Batch>| {
                // The merger is gone only when the whole run is being dropped.
                permits.recv().map_err(|_| ())?;
                let number = next;
                next += 1;
                let message = match message {
                    Message::Batch(source, batch) => {
                        let start = Instant::now();
                        let (lanes, spans) = lanes.deal(&batch);
                        let dealt = Dealt { lanes, flattened: flattened.lines(&batch) };
                        dealing += start.elapsed();
                        let batch = Arc::new(batch);
                        for (spans, sender) in spans.into_iter().zip(&senders) {
                            let share = Share { number, source, batch: Arc::clone(&batch), spans };
                            sender.send(share).map_err(|_| ())?;
                        }
                        Message::Batch(source, dealt)
                    }
                    Message::End(source, head) => Message::End(source, head),
                    Message::Failure(failure) => Message::Failure(failure),
                };
                tell.send(Told::Message(number, message)).map_err(|_| ())
            };
            for (index, source) in (0_u32..).zip(sources) {
                if send_source(index, source, options, passed, &mut cutting, &mut send).is_err() {
                    break;
                }
            }
            cutting + dealing
        });
        let mut merging = Duration::ZERO;
        // Parts come as they get done, and are merged as they were read.
        let mut turns: VecDeque<Turn<U>> = VecDeque::new();
        let mut next = 0;
        for told in told {
            let start = Instant::now();
            let (Told::Message(number, _) | Told::Part(number, ..)) = told;
            let place = usize::try_from(number - next).unwrap_or_default();
            while turns.len() <= place {
                turns.push_back(Turn { message: None, parts: (0..workers).map(|_| None).collect() });
            }
            match told {
                Told::Message(_, message) => turns[place].message = Some(message),
                Told::Part(_, worker, part) => turns[place].parts[worker] = Some(part),
            }
            while turns.front().is_some_and(Turn::is_complete) {
                if let Some(Turn { message: Some(message), parts }) = turns.pop_front() {
                    merger.take(message, parts);
                }
                next += 1;
                _ = permit.try_send(());
            }
            merging += start.elapsed();
        }
        let busy = |thread: ScopedJoinHandle<'_, Duration>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        Times { cutting: busy(cutter), understanding: understanding.into_iter().map(busy).sum(), merging }
    });
    Reading { times, ..merger.close() }
}

/// Sends the batches of one source.
fn send_source(
    index: u32,
    source: &Source,
    options: Options,
    passed: &(dyn Fn(u64) + Sync),
    cutting: &mut Duration,
    send: &mut impl FnMut(Message<Batch>) -> Result<(), ()>,
) -> Result<(), ()> {
    let fail = |lacking, error: io::Error| Message::Failure(source.unreadable(index, lacking, told(&error)));
    let text = match source.open().and_then(|raw| decode::text(Counting { raw, passed })) {
        Ok(text) => text,
        Err(error) => return send(fail(Lacking::All, error)),
    };
    let head = text.head.clone();
    if looks::is_own(&head) {
        return send(Message::End(index, head));
    }
    if looks::is_archive(&head) {
        send(Message::Batch(index, Batch::unread()))?;
        return send(Message::End(index, head));
    }
    let mut next = match layout::batches(text, options.record_limit) {
        Ok(batches) => batches,
        Err(error) => return send(fail(Lacking::All, error)),
    };
    loop {
        let start = Instant::now();
        let batch = next();
        *cutting += start.elapsed();
        match batch {
            Ok(Some(batch)) => send(Message::Batch(index, batch))?,
            Ok(None) => return send(Message::End(index, head)),
            Err(error) => {
                send(fail(Lacking::Rest, error))?;
                return send(Message::End(index, head));
            }
        }
    }
}

/// What went wrong, and what it means where the words of a decoder do not say.
fn told(error: &io::Error) -> String {
    let words = error.to_string();
    if words.contains("requires too much memory") {
        return format!("{words}: unpack it first, with zstd -d --long=31");
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            format!("{words}: the archive is cut or damaged; what stands before that place was read")
        }
        _ => words,
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
