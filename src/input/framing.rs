//! Framing: cutting decompressed bytes into records, whatever layout they stand in.
//!
//! All JSON layouts are one thing here: objects, with white space, commas and array brackets between them.
//! So JSON Lines, compact and pretty arrays, one object a line inside an array, several arrays one after
//! another, and a bare object need no detection. A record that is broken is skipped, and reading goes on
//! behind it: at the next line in line layouts, at the next element of the same indentation in pretty ones.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::batch::{Batch, Span, utf16_bytes};
use super::between::{between, is_between, nested};
use super::junk::{self, Look};
use super::list::{self, Tail};
use super::object::{Scan, Step};
use crate::event::coverage::Reason;

/// Bytes of a batch, about: enough to keep a thread busy, few enough to stay in its cache.
const BATCH: usize = 1 << 20;

/// Cuts a stream into batches of records.
pub struct Framer<R> {
    reader: R,
    buffer: Vec<u8>,
    /// first byte that belongs to no record yet
    at: usize,
    line: u64,
    /// white space in front of the first thing on the current line
    indentation: usize,
    /// nothing else has come on this line yet
    is_indenting: bool,
    offset: u64,
    is_at_end: bool,
    /// why the end came early; told when all before it is taken
    failure: Option<io::Error>,
    limit: usize,
    /// the stream was UTF-16: two source bytes for each UTF-16 unit of the text
    is_utf16: bool,
    /// how many arrays are open; `None` after a malformed record, which may have contained brackets
    open: Option<u32>,
    /// an array was opened, so that what is no object may be an element of it
    has_arrays: bool,
    around: Around,
    /// the line that was looked at last
    line_ahead: Option<LineAhead>,
    /// where an object starts that has more behind it on its line
    within: Option<usize>,
    /// something else than zeros was read
    has_begun: bool,
}

/// What was found out about a line, for all that stands on it: a line may hold a million records.
#[derive(Clone, Copy, Debug)]
struct LineAhead {
    /// where in the buffer it ends, or the buffer
    end: usize,
    /// its end is in the buffer
    is_whole: bool,
    /// where a record ends that goes on to the end of the line
    record_end: Option<usize>,
}

/// What stands around the records: an object with a list of them, if the source starts with one.
#[derive(Debug)]
enum Around {
    /// nothing
    Nothing,
    /// perhaps the next object
    Perhaps,
    /// nothing around the next object, but perhaps the one behind it
    PerhapsNext,
    /// the list of an object: how many objects are open around it, and how many arrays within it
    List { objects: u32, arrays: u32 },
    /// what is left of that object
    Tail(Tail),
}

impl<R: Read> Framer<R> {
    /// `offset` is the source byte at which the text starts (behind a byte order mark).
    pub fn new(reader: R, offset: u64, is_utf16: bool, limit: usize) -> Self {
        Framer {
            reader,
            buffer: Vec::new(),
            at: 0,
            line: 1,
            indentation: 0,
            is_indenting: true,
            offset,
            is_at_end: false,
            failure: None,
            limit,
            is_utf16,
            open: Some(0),
            has_arrays: false,
            around: Around::Perhaps,
            line_ahead: None,
            within: None,
            has_begun: false,
        }
    }

    /// The next records; `None` at the end.
    pub fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let mut spans = Vec::new();
        loop {
            self.take_records(&mut spans);
            if !spans.is_empty() {
                let tail = self.buffer.split_off(self.at);
                let bytes = std::mem::replace(&mut self.buffer, tail);
                self.at = 0;
                (self.line_ahead, self.within) = (None, None);
                return Ok(Some(Batch { bytes, spans, is_utf16: self.is_utf16, ..Batch::default() }));
            }
            if self.is_at_end && self.at == self.buffer.len() {
                return match self.failure.take() {
                    Some(error) => Err(error),
                    None => Ok(self.cut_off()),
                };
            }
            self.fill();
        }
    }

    /// What stands for the rest of an array whose end did not come; told once.
    fn cut_off(&mut self) -> Option<Batch> {
        self.open.take().filter(|open| *open > 0)?;
        let rest = Span { start: 0, end: 0, line: self.line, offset: self.offset, fault: Some(Reason::CutOff) };
        Some(Batch { spans: vec![rest], ..Batch::default() })
    }

    /// Takes every record that is whole in the buffer.
    fn take_records(&mut self, spans: &mut Vec<Span>) {
        loop {
            if matches!(self.around, Around::Tail(_)) && !self.pass_tail(spans) {
                return;
            }
            self.skip_between();
            if matches!(self.around, Around::Tail(_)) {
                continue;
            }
            let Some(&first) = self.buffer.get(self.at) else { return };
            let taken = match first {
                b'{' if matches!(self.around, Around::Perhaps) => self.step_into(spans),
                b'{' => self.record(spans),
                _ => self.junk(spans),
            };
            if !taken {
                return;
            }
        }
    }

    /// Skips what stands between records, and not beyond the end of a list.
    fn skip_between(&mut self) {
        if !self.has_begun {
            // A log that was cut short under its writer has zeros where its start was.
            let zeros = self.buffer[self.at..].iter().take_while(|byte| **byte == 0).count();
            self.has_begun = self.at + zeros < self.buffer.len();
            self.advance(zeros);
        }
        let rest = &self.buffer[self.at..];
        let mut length = between(rest);
        for (place, byte) in rest[..length].iter().enumerate() {
            self.open = nested(self.open, *byte);
            self.has_arrays |= *byte == b'[';
            match (&mut self.around, byte) {
                (Around::List { arrays, .. }, b'[') => *arrays = arrays.saturating_add(1),
                (Around::List { objects, arrays: 0 }, b']') => {
                    self.around = Around::Tail(Tail::new(*objects));
                    length = place + 1;
                    break;
                }
                (Around::List { arrays, .. }, b']') => *arrays -= 1,
                _ => {}
            }
        }
        self.advance(length);
    }

    fn record(&mut self, spans: &mut Vec<Span>) -> bool {
        match self.line_record() {
            Some(length) => self.take(length, None, spans),
            None => self.object(spans),
        }
    }

    /// Steps into the list of an object, if it is one around a list of records; otherwise takes the object.
    fn step_into(&mut self, spans: &mut Vec<Span>) -> bool {
        if !self.is_at_end && self.buffer.len() - self.at < list::LOOK {
            // What is looked at must not depend on where the buffer ends.
            if !spans.is_empty() {
                return false;
            }
            self.fill();
        }
        let object = &self.buffer[self.at..];
        let Some((length, objects)) = list::start(object) else {
            self.around = if list::may_follow(object) { Around::PerhapsNext } else { Around::Nothing };
            return self.record(spans);
        };
        self.around = Around::List { objects, arrays: 0 };
        self.open = self.open.map(|open| open.saturating_add(1));
        self.has_arrays = true;
        self.advance(length);
        true
    }

    /// Passes what stands behind a list; `false` if that goes on behind the buffer.
    fn pass_tail(&mut self, spans: &mut Vec<Span>) -> bool {
        let Around::Tail(tail) = &mut self.around else { return true };
        let (length, is_closed) = tail.feed(&self.buffer[self.at..]);
        let fault = match is_closed {
            true => tail.has_events.then_some(Reason::NotAnEvent),
            false => self.is_at_end.then_some(Reason::CutOff),
        };
        if is_closed || self.is_at_end {
            self.around = Around::Perhaps;
        }
        if fault.is_some() {
            return self.take(length, fault, spans);
        }
        self.advance(length);
        is_closed
    }

    /// The line that goes on where the next thing starts.
    fn line_ahead(&mut self) -> LineAhead {
        if let Some(known) = self.line_ahead.filter(|line| self.at < line.end) {
            return known;
        }
        let rest = &self.buffer[self.at..];
        let (end, is_whole) = match memchr(b'\n', rest) {
            Some(end) => (end, true),
            None => (rest.len(), self.is_at_end),
        };
        let is_followed = is_whole
            && match rest.get(end + 1) {
                Some(b'{' | b']' | b'[') => true,
                None => self.is_at_end,
                _ => false,
            };
        let record_end = is_followed.then(|| {
            let line = rest[..end].trim_ascii_end();
            let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
            line.ends_with(b"}").then_some(self.at + line.len())
        });
        let line = LineAhead { end: self.at + end, is_whole, record_end: record_end.flatten() };
        self.line_ahead = Some(line);
        line
    }

    /// The length of a record that is one line, found by the line's end only: it starts with `{`, ends with
    /// `}`, and the next line starts as a record does. Everything else is scanned.
    fn line_record(&mut self) -> Option<usize> {
        // The last line of a list ends with the object around it.
        if matches!(self.around, Around::List { .. }) {
            return None;
        }
        let line = self.line_ahead();
        let end = line.record_end.filter(|end| *end > self.at && line.end - self.at <= self.limit)?;
        Some(end - self.at)
    }

    /// An object that is scanned to its end.
    fn object(&mut self, spans: &mut Vec<Span>) -> bool {
        let mut scan = Scan::new(self.indentation);
        let mut step = scan.feed(&self.buffer[self.at..]);
        while step == Step::More {
            let length = self.buffer.len() - self.at;
            if self.is_at_end && length <= self.limit {
                return self.take(length, Some(Reason::CutOff), spans);
            }
            if !spans.is_empty() {
                return false;
            }
            if length > self.limit {
                return self.discard(&mut scan, spans);
            }
            self.fill();
            step = scan.feed(&self.buffer[self.at..]);
        }
        match step {
            Step::Ends(length) if length > self.limit => self.take(length, Some(Reason::TooLong), spans),
            Step::Ends(length) => self.take(length, None, spans),
            Step::Broken(length) => {
                let reason = if scan.is_mismatched { Reason::NotJson } else { Reason::CutOff };
                self.take(length, Some(reason), spans)
            }
            Step::More => false,
        }
    }

    /// Reads over a record that is longer than the limit without keeping it.
    fn discard(&mut self, scan: &mut Scan, spans: &mut Vec<Span>) -> bool {
        self.open = None;
        spans.push(Span { start: 0, end: 0, line: self.line, offset: self.offset, fault: Some(Reason::TooLong) });
        let mut dropped = 0;
        loop {
            // The current line stays, because a cut is found only at the start of the next one.
            let keep = scan.line_start.max(dropped) - dropped;
            let length = if scan.line_start > dropped { keep } else { self.buffer.len() - self.at };
            self.advance(length);
            dropped += length;
            if self.is_at_end && self.at == self.buffer.len() {
                return true;
            }
            self.fill();
            if self.is_at_end && self.buffer.is_empty() {
                return true;
            }
            match scan.feed_behind(&self.buffer[self.at..], dropped) {
                Step::More if self.is_at_end => {
                    self.advance(self.buffer.len() - self.at);
                    return true;
                }
                Step::More => {}
                Step::Ends(end) | Step::Broken(end) => {
                    self.advance(end.saturating_sub(dropped));
                    return true;
                }
            }
        }
    }

    /// Text that starts no object: a broken line, a scalar in an array, or what stands in front of a record. No more
    /// of the line is looked at than it takes to tell: in an array the line may be all of the source.
    fn junk(&mut self, spans: &mut Vec<Span>) -> bool {
        let LineAhead { end, is_whole, .. } = self.line_ahead();
        let line = &self.buffer[self.at..end];
        let may_wait = !is_whole && line.len() <= self.limit;
        let prefix = match junk::prefix(line, is_whole) {
            Look::Is(length) if self.within == Some(self.at + length) => Look::Not,
            Look::Is(length) => match junk::object_that_ends(&line[length..], is_whole) {
                Look::Is(_) => Look::Is(length),
                look => {
                    self.within = (look == Look::Not).then_some(self.at + length);
                    look
                }
            },
            look => look,
        };
        match prefix {
            Look::Is(length) => {
                for byte in &line[..length] {
                    self.open = nested(self.open, *byte);
                }
                self.advance(length);
                return true;
            }
            Look::More if may_wait => return false,
            Look::More | Look::Not => {}
        }
        // An element of an array ends at the comma: `[1, {"a": 1}]`; where there are no arrays, a line is one thing.
        let element = junk::scalar_length(line, is_whole);
        match element {
            Look::Is(length) if self.has_arrays && length <= self.limit => {
                return self.take(length, Some(Reason::NotAnObject), spans);
            }
            _ if may_wait => return false,
            _ => {}
        }
        let whole = line.trim_ascii_end();
        let zeros = whole.iter().take_while(|byte| **byte == 0).count();
        if whole.len() > self.limit {
            let length = whole.len();
            return self.take(length, Some(Reason::TooLong), spans);
        }
        let (length, reason) = match element {
            Look::Is(length) if line[length..].iter().all(|b| is_between(*b)) => (length, Reason::NotAnObject),
            // What was lost in a crash are zeros; the record behind them is whole.
            _ if zeros > 0 && whole.get(zeros) == Some(&b'{') => (zeros, Reason::NotJson),
            _ => (whole.len().max(1), Reason::NotJson),
        };
        self.take(length, Some(reason), spans)
    }

    fn take(&mut self, length: usize, fault: Option<Reason>, spans: &mut Vec<Span>) -> bool {
        self.open = self.open.filter(|_| fault.is_none());
        if matches!(self.around, Around::PerhapsNext) {
            self.around = Around::Perhaps;
        }
        spans.push(Span { start: self.at, end: self.at + length, line: self.line, offset: self.offset, fault });
        self.advance(length);
        true
    }

    fn advance(&mut self, length: usize) {
        let passed = &self.buffer[self.at..self.at + length];
        let line = match memrchr(b'\n', passed) {
            Some(end) => {
                self.line += memchr_iter(b'\n', &passed[..=end]).count() as u64;
                (self.indentation, self.is_indenting) = (0, true);
                &passed[end + 1..]
            }
            None => passed,
        };
        if self.is_indenting {
            let blanks = line.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(line.len());
            self.indentation += blanks;
            self.is_indenting = blanks == line.len();
        }
        self.offset += if self.is_utf16 { utf16_bytes(passed) } else { length as u64 };
        self.at += length;
    }

    fn fill(&mut self) {
        self.buffer.drain(..self.at);
        self.at = 0;
        (self.line_ahead, self.within) = (None, None);
        let wanted = BATCH.max(self.buffer.len() / 2);
        // One byte more, so that the end is found without another piece of memory.
        self.buffer.reserve(wanted + 1);
        match (&mut self.reader).take(wanted as u64).read_to_end(&mut self.buffer) {
            Ok(read) => self.is_at_end = read < wanted,
            // What was read before is in the buffer.
            Err(error) => (self.is_at_end, self.failure) = (true, Some(error)),
        }
    }
}

/// Cuts the objects out of one line that turned out to hold more than one: start, end, and what is wrong.
pub fn objects(line: &[u8]) -> Vec<(usize, usize, Option<Reason>)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        at += between(&line[at..]);
        let rest = &line[at..];
        if rest.is_empty() {
            return out;
        }
        if let Look::Is(length) = junk::prefix(rest, true)
            && rest[0] != b'{'
            && matches!(junk::object_that_ends(&rest[length..], true), Look::Is(_))
        {
            at += length;
            continue;
        }
        let (length, fault) = match (rest[0], Scan::new(0).feed(rest)) {
            (b'{', Step::Ends(length)) => (length, None),
            (b'{', Step::Broken(length)) => (length.max(1), Some(Reason::NotJson)),
            (b'{', Step::More) => (rest.len(), Some(Reason::CutOff)),
            _ => (rest.len(), Some(Reason::NotJson)),
        };
        out.push((at, at + length, fault));
        at += length;
    }
}

#[cfg(test)]
mod tests;
