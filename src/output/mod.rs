//! Output: one file a format, each a pure function of the report.

mod cases;
pub mod duet;
pub mod explanation;
pub mod investigation;
pub mod json;
pub mod listing;
pub mod navigator;
pub mod normalized;
mod prose;
pub mod rows;
pub mod safe;
pub mod summary;
pub mod table;
mod unread;

use std::io::{self, Write};

use crate::event::time::Zone;
use crate::triage::report::Report;

/// A format of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// for people
    Table,
    /// the whole report as one JSON object
    Json,
    /// one finding a line
    Jsonl,
}

impl Format {
    /// All formats with their names.
    pub const ALL: [(&'static str, Format); 3] =
        [("table", Format::Table), ("json", Format::Json), ("jsonl", Format::Jsonl)];

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// How a table is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// with colours
    pub is_coloured: bool,
    /// as wide as the terminal; else as wide as is easily read
    pub is_terminal: bool,
    /// zone of the times
    pub zone: Zone,
}

/// Writes a report.
pub fn write(report: &Report<'_>, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, look, out),
        Format::Json => json::report(report, out),
        Format::Jsonl => json::lines(report, out),
    }
}
