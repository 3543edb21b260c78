//! Kept: the text that a CSV reader took and whose rows were not passed yet. The reader itself knows only where a
//! row ends, and stops in the middle of a line end of two bytes; with the text at hand each row's first byte is known.

use std::io::{self, Read};

use super::framing::utf16_bytes;

/// A reader that keeps what it gave.
pub struct Kept<R> {
    reader: R,
    text: Vec<u8>,
    /// first byte of `text` that was not passed
    at: usize,
    /// bytes of the text passed
    passed: u64,
    /// byte of the source that comes next
    offset: u64,
    is_utf16: bool,
}

impl<R: Read> Kept<R> {
    /// `offset` is the source byte at which the text starts.
    pub fn new(reader: R, offset: u64, is_utf16: bool) -> Kept<R> {
        Kept { reader, text: Vec::new(), at: 0, passed: 0, offset, is_utf16 }
    }

    /// Passes line ends, and gives back the source byte behind them.
    pub fn pass_line_ends(&mut self) -> u64 {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        self.pass(length);
        self.offset
    }

    /// Passes all of the text before this byte of it.
    pub fn pass_to(&mut self, byte: u64) {
        let length = usize::try_from(byte.saturating_sub(self.passed)).unwrap_or(usize::MAX);
        self.pass(length.min(self.text.len() - self.at));
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
        let read = self.reader.read(buf)?;
        self.text.drain(..std::mem::take(&mut self.at));
        self.text.extend_from_slice(&buf[..read]);
        Ok(read)
    }
}
