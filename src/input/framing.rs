//! Framing: cutting decompressed bytes into records, whatever layout they stand in.
//!
//! All JSON layouts are one thing here: objects, with white space, commas and array brackets between them.
//! So JSON Lines, compact and pretty arrays, one object a line inside an array, several arrays one after
//! another, and a bare object need no detection. A record that is broken is skipped, and reading goes on
//! behind it: at the next line in line layouts, at the next element of the same indentation in pretty ones.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::object::{Scan, Step};
use crate::event::coverage::Reason;

/// Bytes of a batch, about: enough to keep a thread busy, few enough to stay in its cache.
const BATCH: usize = 1 << 20;

/// A record, or what is left of one, within the bytes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// first byte
    pub start: usize,
    /// one behind the last byte
    pub end: usize,
    /// line of the source at `start`, from 1
    pub line: u64,
    /// byte of the source at `start`
    pub offset: u64,
    /// why it can be no record, if that is known already
    pub fault: Option<Reason>,
}

/// Records that were read together.
#[derive(Debug, Default)]
pub struct Batch {
    /// the bytes that the spans point into
    pub bytes: Vec<u8>,
    /// the records in their order
    pub spans: Vec<Span>,
}

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
    /// arrays that were opened and not closed; `None` once a record was at fault, as it may have swallowed brackets
    open: Option<u32>,
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
                return Ok(Some(Batch { bytes, spans }));
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
        Some(Batch { bytes: Vec::new(), spans: vec![rest] })
    }

    /// Takes every record that is whole in the buffer.
    fn take_records(&mut self, spans: &mut Vec<Span>) {
        loop {
            self.skip_between();
            let Some(&first) = self.buffer.get(self.at) else { return };
            let taken = match first {
                b'{' => match self.line_record() {
                    Some(length) => self.take(length, None, spans),
                    None => self.object(spans),
                },
                _ => self.junk(spans),
            };
            if !taken {
                return;
            }
        }
    }

    fn skip_between(&mut self) {
        let rest = &self.buffer[self.at..];
        let length = rest.iter().position(|b| !is_between(*b)).unwrap_or(rest.len());
        for byte in &rest[..length] {
            self.open = match (self.open, byte) {
                (Some(open), b'[') => Some(open.saturating_add(1)),
                (Some(open), b']') => Some(open.saturating_sub(1)),
                (open, _) => open,
            };
        }
        self.advance(length);
    }

    /// The length of a record that is one line, found by the line's end only: it starts with `{`, ends with
    /// `}`, and the next line starts as a record does. Everything else is scanned.
    fn line_record(&self) -> Option<usize> {
        let rest = &self.buffer[self.at..];
        let end = match memchr(b'\n', rest) {
            Some(end) => end,
            None if self.is_at_end => rest.len(),
            None => return None,
        };
        if end > self.limit {
            return None;
        }
        match rest.get(end + 1) {
            Some(b'{' | b']' | b'[') => {}
            None if self.is_at_end => {}
            _ => return None,
        }
        let line = rest[..end].trim_ascii_end();
        let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
        line.ends_with(b"}").then_some(line.len())
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

    /// Text that starts no object: a broken line, or a scalar in an array.
    fn junk(&mut self, spans: &mut Vec<Span>) -> bool {
        let rest = &self.buffer[self.at..];
        let end = memchr(b'\n', rest);
        if end.is_none() && !self.is_at_end && rest.len() <= self.limit {
            return false;
        }
        let line = rest[..end.unwrap_or(rest.len())].trim_ascii_end();
        if line.len() > self.limit {
            let length = line.len();
            return self.take(length, Some(Reason::TooLong), spans);
        }
        // An element of an array ends at the comma: `[1, {"a": 1}]`.
        let element = scalar_length(line);
        let reason = if element.is_some() { Reason::NotAnObject } else { Reason::NotJson };
        let length = element.unwrap_or(line.len()).max(1);
        self.take(length, Some(reason), spans)
    }

    fn take(&mut self, length: usize, fault: Option<Reason>, spans: &mut Vec<Span>) -> bool {
        self.open = self.open.filter(|_| fault.is_none());
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

/// Source bytes of text that was UTF-16.
pub(super) fn utf16_bytes(text: &[u8]) -> u64 {
    text.iter()
        .map(|b| {
            if b & 0xc0 == 0x80 {
                0
            } else if *b >= 0xf0 {
                4
            } else {
                2
            }
        })
        .sum()
}

/// The length of a JSON scalar at the start of a line, if one is there.
fn scalar_length(line: &[u8]) -> Option<usize> {
    let end = match line.first()? {
        b'"' => {
            let mut escaped = false;
            line[1..].iter().position(|b| {
                let closes = *b == b'"' && !escaped;
                escaped = *b == b'\\' && !escaped;
                closes
            })? + 2
        }
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
            line.iter().position(|b| matches!(b, b',' | b']' | b' ')).unwrap_or(line.len())
        }
        _ => return None,
    };
    serde_json::from_slice::<serde::de::IgnoredAny>(&line[..end]).ok()?;
    Some(end)
}

/// Cuts the objects out of one line that turned out to hold more than one: start, end, and what is wrong.
pub fn objects(line: &[u8]) -> Vec<(usize, usize, Option<Reason>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(skipped) = line[at..].iter().position(|b| !is_between(*b)) {
        at += skipped;
        let rest = &line[at..];
        let (length, fault) = match (rest[0], Scan::new(0).feed(rest)) {
            (b'{', Step::Ends(length)) => (length, None),
            (b'{', Step::Broken(length)) => (length.max(1), Some(Reason::NotJson)),
            (b'{', Step::More) => (rest.len(), Some(Reason::CutOff)),
            _ => (rest.len(), Some(Reason::NotJson)),
        };
        out.push((at, at + length, fault));
        at += length;
    }
    out
}

/// White space, commas and array brackets, which stand between records; also the record separators of
/// RFC 7464.
fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0x1e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records as text, with `!` in front of those with a fault.
    fn frames_with(text: &str, limit: usize, chunk: usize) -> Vec<String> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let n = self.1.min(self.0.len()).min(buf.len());
                buf[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        let mut framer = Framer::new(Slow(text.as_bytes(), chunk), 0, false, limit);
        let mut out = Vec::new();
        while let Some(batch) = framer.next_batch().unwrap() {
            for span in batch.spans {
                let record = String::from_utf8_lossy(&batch.bytes[span.start..span.end]);
                let squeezed: String = record.split_whitespace().collect();
                let offset = usize::try_from(span.offset).unwrap();
                assert_eq!(text[..offset].matches('\n').count() as u64 + 1, span.line, "line of {squeezed}");
                out.push(if span.fault.is_some() { format!("!{squeezed}") } else { squeezed });
            }
        }
        out
    }

    fn frames(text: &str) -> Vec<String> {
        let whole = frames_with(text, 1 << 20, usize::MAX);
        assert_eq!(frames_with(text, 1 << 20, 1), whole, "byte by byte");
        whole
    }

    #[test]
    fn every_layout_is_the_same_records() {
        let want = [r#"{"a":1,"b":{"c":[{"d":2}]}}"#, r#"{"a":2}"#];
        for text in [
            "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}\n{\"a\":2}\n",
            "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}\r\n{\"a\":2}",
            "[{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}},{\"a\":2}]",
            "[\n{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}},\n{\"a\":2}\n]\n",
            "[\n  {\n    \"a\": 1,\n    \"b\": {\n      \"c\": [\n        {\n          \"d\": 2\n        }\n      ]\n    }\n  },\n  {\n    \"a\": 2\n  }\n]",
            "[\n{\n\"a\": 1,\n\"b\": {\n\"c\": [\n{\n\"d\": 2\n}\n]\n}\n},\n{\n\"a\": 2\n}\n]",
            "{\n  \"a\": 1,\n  \"b\": {\"c\": [\n    {\"d\": 2}]}\n}\n{\n  \"a\": 2\n}",
            "[{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}]\n[]\n[{\"a\":2}]",
            "[{\n \"a\": 1,\n \"b\": {\n  \"c\": [{\n   \"d\": 2\n  }]\n }\n},{\n \"a\": 2\n}]",
            "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}{\"a\":2}",
        ] {
            assert_eq!(frames(text).join(" ").replace("}}{", "}} {"), want.join(" "), "{text}");
        }
    }

    #[test]
    fn a_broken_line_costs_only_itself() {
        assert_eq!(frames("{\"a\":1}\nnot json\n{\"a\":2}\n"), ["{\"a\":1}", "!notjson", "{\"a\":2}"]);
        for cut in ["{\"b\":\"x", "{\"b\":{\"c\":1", "{\"b\":", "{\"b\":[{\"c\":1", "{\"b\":\"x\\"] {
            let squeezed: String = cut.split_whitespace().collect();
            let marked = format!("!{squeezed}");
            assert_eq!(
                frames(&format!("{{\"a\":1}}\n{cut}\n{{\"a\":2}}\n")),
                ["{\"a\":1}", &marked, "{\"a\":2}"],
                "{cut}"
            );
            assert_eq!(frames(&format!("{{\"a\":1}}\n{cut}")), ["{\"a\":1}", &marked], "{cut}");
        }
    }

    #[test]
    fn a_broken_element_of_a_pretty_array_costs_only_itself() {
        let text = "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": \"cut\n  },\n  {\n    \"c\": {\n      \"d\": 1\n  },\n  {\n    \"a\": 2\n  }\n]";
        let records = frames(text);
        assert_eq!(records.first().unwrap(), "{\"a\":1}");
        assert_eq!(records.last().unwrap(), "{\"a\":2}");
        assert_eq!(records.len(), 4, "{records:?}");
    }

    #[test]
    fn an_array_that_is_never_closed_is_told() {
        for text in [
            "[{\"a\":1},\n{\"a\":2},\n",
            "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n",
            "[[{\"a\":1},{\"a\":2}]",
        ] {
            assert_eq!(frames(text), ["{\"a\":1}", "{\"a\":2}", "!"], "{text}");
        }
        assert_eq!(
            (frames("["), frames(&"[".repeat(100_000)), frames("[]")),
            (vec!["!".into()], vec!["!".into()], vec![])
        );
        // What is cut within a record is told of the record.
        assert_eq!(frames("[{\"a\":1},{\"b\""), ["{\"a\":1}", "!{\"b\""]);
    }

    #[test]
    fn scalars_in_an_array_hide_nothing() {
        assert_eq!(frames("[1, \"x,y\", null, {\"a\":1}]"), ["!1", "!\"x,y\"", "!null", "{\"a\":1}"]);
        assert_eq!(frames("\"text\"\n{\"a\":1}"), ["!\"text\"", "{\"a\":1}"]);
    }

    #[test]
    fn too_long_is_skipped_and_reading_goes_on() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
        let text = format!("{{\"a\":1}}\n{long}\n{{\"a\":2}}\n");
        for chunk in [1, 100, 4096, usize::MAX] {
            let records = frames_with(&text, 1000, chunk);
            assert_eq!((records.len(), records[2].as_str()), (3, "{\"a\":2}"), "{chunk}");
            assert!(records[1].starts_with('!'));
        }
        let cut = format!("{{\"a\":1}}\n{{\"a\":\"{}\n{{\"a\":2}}\n", "x".repeat(5000));
        assert_eq!(frames_with(&cut, 1000, 512).last().unwrap(), "{\"a\":2}");
    }

    #[test]
    fn a_line_of_several_objects_is_taken_apart() {
        let line = b"{\"a\":\"}{\"} , {\"b\":2}{\"c\":";
        let parts: Vec<(&str, bool)> = objects(line)
            .iter()
            .map(|(start, end, fault)| (std::str::from_utf8(&line[*start..*end]).unwrap(), fault.is_none()))
            .collect();
        assert_eq!(parts, [("{\"a\":\"}{\"}", true), ("{\"b\":2}", true), ("{\"c\":", false)]);
        assert_eq!(objects(b"{\"a\":1} x").len(), 2);
        assert!(objects(b"").is_empty());
    }

    #[test]
    fn nothing_and_next_to_nothing() {
        assert!(frames("").is_empty());
        assert!(frames("[]").is_empty());
        assert!(frames(" \n\n[\n]\n").is_empty());
        assert_eq!(frames("{"), ["!{"]);
        assert_eq!(frames("}"), ["!}"]);
    }

    #[test]
    fn braces_in_text_are_text() {
        assert_eq!(frames("{\"a\":\"}{\\\"\\\\\"}\n{\"b\":1}"), ["{\"a\":\"}{\\\"\\\\\"}", "{\"b\":1}"]);
    }
}
