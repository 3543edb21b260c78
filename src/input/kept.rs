//! Kept: the text that a CSV reader took and whose rows were not passed yet. The reader itself knows only where a
//! row ends, and stops in the middle of a line end of two bytes; with the text at hand each row's first byte is known,
//! a row that does not end is stopped, and what stands behind its line is given once more.

use std::io::{self, Read};

use memchr::memchr2;

use super::batch::utf16_bytes;

/// Bytes that are read at once where they are only passed.
const PIECE: usize = 1 << 16;

/// A reader that keeps what it gave.
pub struct Kept<R> {
    /// none once another has begun again
    reader: Option<R>,
    text: Vec<u8>,
    /// first byte of `text` that was not passed
    at: usize,
    /// first byte of `text` that was not given since that was last begun again
    given: usize,
    /// bytes of the text passed since then
    passed: u64,
    /// byte of the source that comes next
    offset: u64,
    is_utf16: bool,
    /// bytes that are given and not passed, at most, about
    limit: usize,
    /// the reader was told that the text ends, as no more is given of this row
    pub is_stopped: bool,
    /// the text ends
    pub is_at_end: bool,
}

impl<R: Read> Kept<R> {
    /// `offset` is the source byte at which the text starts.
    pub fn new(reader: R, offset: u64, is_utf16: bool, limit: usize) -> Kept<R> {
        let (text, is_stopped, is_at_end) = (Vec::new(), false, false);
        let reader = Some(reader);
        Kept { reader, text, at: 0, given: 0, passed: 0, offset, is_utf16, limit, is_stopped, is_at_end }
    }

    /// Passes line ends, and gives back the source byte behind them.
    pub fn pass_line_ends(&mut self) -> u64 {
        let rest = self.row();
        let length = rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        self.pass(length);
        self.offset
    }

    /// Bytes of the text to this one.
    pub fn length_to(&self, byte: u64) -> usize {
        let length = usize::try_from(byte.saturating_sub(self.passed)).unwrap_or(usize::MAX);
        length.min(self.row().len())
    }

    /// Passes all of the text before this byte of it, and gives back how much that was.
    pub fn pass_to(&mut self, byte: u64) -> usize {
        let length = self.length_to(byte);
        self.pass(length);
        length
    }

    /// Passes all that was given.
    pub fn pass_all(&mut self) {
        self.pass(self.row().len());
    }

    /// What was given and not passed.
    pub fn row(&self) -> &[u8] {
        &self.text[self.at..self.given]
    }

    /// Passes the rest of a line, however long it is.
    pub fn pass_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(length) = memchr2(b'\r', b'\n', &self.text[self.at..]) {
                self.pass(length);
                return Ok(());
            }
            self.pass(self.text.len() - self.at);
            self.text.clear();
            self.at = 0;
            let Some(reader) = &mut self.reader else { return Ok(()) };
            if reader.take(PIECE as u64).read_to_end(&mut self.text)? == 0 {
                return Ok(());
            }
        }
    }

    /// What was not passed, for a reader that starts there.
    pub fn begin_again(&mut self) -> Kept<R> {
        let (reader, text) = (self.reader.take(), std::mem::take(&mut self.text));
        let Kept { at, offset, is_utf16, limit, .. } = *self;
        (self.at, self.given) = (0, 0);
        Kept { reader, text, at, given: at, passed: 0, offset, is_utf16, limit, is_stopped: false, is_at_end: false }
    }

    fn pass(&mut self, length: usize) {
        let text = &self.text[self.at..self.at + length];
        self.offset += if self.is_utf16 { utf16_bytes(text) } else { length as u64 };
        self.passed += length as u64;
        self.at += length;
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.given - self.at > self.limit {
            self.is_stopped = true;
            return Ok(0);
        }
        if self.given < self.text.len() {
            let again = &self.text[self.given..];
            let length = again.len().min(buf.len());
            buf[..length].copy_from_slice(&again[..length]);
            self.given += length;
            return Ok(length);
        }
        let Some(reader) = &mut self.reader else { return Ok(0) };
        let read = reader.read(buf)?;
        self.is_at_end = read == 0 && !buf.is_empty();
        self.text.drain(..std::mem::take(&mut self.at));
        self.text.extend_from_slice(&buf[..read]);
        self.given = self.text.len();
        Ok(read)
    }
}
