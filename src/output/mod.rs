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

/// A format; no command writes all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// for people
    Table,
    /// everything as one JSON object
    Json,
    /// one JSON object a line
    Jsonl,
    /// for spreadsheets
    Csv,
    /// CSV as Timesketch takes it
    Timesketch,
}

impl Format {
    /// The formats of a report.
    pub const OF_REPORTS: &[Format] = &[Format::Table, Format::Json, Format::Jsonl];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Timesketch => "timesketch",
        }
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

/// Writes a report, in one of [`Format::OF_REPORTS`].
pub fn write(report: &Report<'_>, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, look, out),
        Format::Json => json::report(report, out),
        _ => json::lines(report, out),
    }
}
