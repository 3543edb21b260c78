//! Input: from files, folders and standard input to events. Reading streams: what is held is a few batches
//! of records, whatever the size of the files.

pub mod again;
pub mod decode;
#[cfg(any(test, fuzzing))]
pub mod differential;
pub mod envelope;
pub mod framing;
mod keys;
pub mod known;
pub mod looks;
mod masks;
mod memo;
mod merger;
pub mod object;
mod outline;
mod part;
mod plain;
mod shelf;
mod slots;
pub mod source;
pub mod table;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use crate::event::coverage::Coverage;
use crate::event::facet::FieldPlan;
use crate::event::identity::Links;
use crate::event::occurrence::{Sink, Understand};
use framing::{Batch, Framer};
use known::Known;
use memo::Room;
use merger::Merger;
use part::Worker;
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

/// How long the stages of reading were at work; they run beside each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// reading, decompressing, and cutting into records
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
    /// sources that could not be read to their end
    pub failures: Vec<Failure>,
    /// sources with content in which nothing was an event, and what they look like
    pub foreign: Vec<(u32, String)>,
    /// how long it took
    pub times: Times,
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
    let mut merger = Merger::new(known, sink, workers);
    let times = std::thread::scope(|scope| {
        // A batch is read only when one of the last few has been merged: memory stays bounded even where one
        // batch takes its time.
        let (permit, permits) = sync_channel(workers * 4);
        for _ in 0..workers * 4 {
            _ = permit.try_send(());
        }
        let (sender, receiver) = sync_channel(workers * 2);
        let cutter = scope.spawn(move || {
            let mut cutting = Duration::ZERO;
            let mut number = 0;
            let mut send = |message: Message| {
                // The merger is gone only when the whole run is being dropped.
                permits.recv().map_err(|_| ())?;
                number += 1;
                sender.send((number - 1, message)).map_err(|_| ())
            };
            for (index, source) in (0_u32..).zip(sources) {
                if send_source(index, source, options, passed, &mut cutting, &mut send).is_err() {
                    break;
                }
            }
            cutting
        });
        let receiver = Arc::new(Mutex::new(receiver));
        let (done, parts) = sync_channel(workers * 2);
        let understanding = (0..workers).map(|worker| {
            let (receiver, done) = (Arc::clone(&receiver), done.clone());
            scope.spawn(move || {
                let mut state = Worker::new(plan, understand(), Room::of(workers));
                let mut busy = Duration::ZERO;
                while let Ok((number, message)) = receiver.lock().map_or(Err(RecvError), |waiting| waiting.recv()) {
                    let start = Instant::now();
                    let part = match message {
                        Message::Batch(source, batch) => Ok((source, state.part(source, &batch))),
                        other => Err(other),
                    };
                    busy += start.elapsed();
                    if done.send((number, worker, part)).is_err() {
                        break;
                    }
                }
                busy
            })
        });
        let understanding: Vec<_> = understanding.collect();
        drop(done);
        let mut merging = Duration::ZERO;
        // Parts come as they get done, and are merged as they were read.
        let mut early = BTreeMap::new();
        let mut next = 0_u64;
        for (number, worker, part) in parts {
            let start = Instant::now();
            early.insert(number, (worker, part));
            while let Some((worker, part)) = early.remove(&next) {
                merger.take(worker, part);
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
    send: &mut impl FnMut(Message) -> Result<(), ()>,
) -> Result<(), ()> {
    let fail = |error: io::Error| Message::Failure(Failure { source: index, message: told(&error) });
    let text = match source.open().and_then(|raw| decode::text(Counting { raw, passed })) {
        Ok(text) => text,
        Err(error) => return send(fail(error)),
    };
    let head = text.head.clone();
    let mut next: Box<dyn FnMut() -> io::Result<Option<Batch>>> = if table::is_header(&head) {
        match Rows::new(text.reader, text.offset) {
            Ok(mut rows) => Box::new(move || rows.next_batch()),
            Err(error) => return send(fail(error)),
        }
    } else {
        let mut framer = Framer::new(text.reader, text.offset, text.is_utf16, options.record_limit);
        Box::new(move || framer.next_batch())
    };
    loop {
        let start = Instant::now();
        let batch = next();
        *cutting += start.elapsed();
        match batch {
            Ok(Some(batch)) => send(Message::Batch(index, batch))?,
            Ok(None) => return send(Message::End(index, head)),
            Err(error) => {
                send(fail(error))?;
                return send(Message::End(index, head));
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
