//! Batch: records that were cut out of a source together.

use crate::event::coverage::Reason;

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
    /// lines of records that were made of cells, of which some could not be read as what they stand for
    pub lossy: Vec<u64>,
    /// the source was UTF-16
    pub is_utf16: bool,
}

impl Batch {
    /// What stands for a source that is not read.
    pub fn unread() -> Batch {
        let span = Span { start: 0, end: 0, line: 1, offset: 0, fault: Some(Reason::Archive) };
        Batch { spans: vec![span], ..Batch::default() }
    }

    /// Source bytes of a piece of its text.
    pub fn source_bytes(&self, piece: &[u8]) -> u64 {
        if self.is_utf16 { utf16_bytes(piece) } else { piece.len() as u64 }
    }
}

/// Source bytes of text that was UTF-16.
pub fn utf16_bytes(text: &[u8]) -> u64 {
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
