//! Layout: how records stand in a text, told by its start.

use std::io;

use super::batch::Batch;
use super::decode::Text;
use super::framing::Framer;
use super::rebuilt::{self, Rebuilder};
use super::table::{self, Rows};

/// Gives the batches of a text, one after another; `None` at its end.
pub type Batches<'r> = Box<dyn FnMut() -> io::Result<Option<Batch>> + 'r>;

/// The batches of a text, in which no record is longer than the limit.
pub fn batches(text: Text<'_>, limit: usize) -> io::Result<Batches<'_>> {
    if table::is_header(&text.head) {
        let mut rows = Rows::new(text.reader, text.offset, text.is_utf16, limit)?;
        return Ok(Box::new(move || rows.next_batch()));
    }
    let mut framer = Framer::new(text.reader, text.offset, text.is_utf16, limit);
    if !rebuilt::is_likely(&text.head) {
        return Ok(Box::new(move || framer.next_batch()));
    }
    let mut rebuilder = Rebuilder::default();
    Ok(Box::new(move || Ok(framer.next_batch()?.map(|batch| rebuilder.rebuild(&batch)))))
}
