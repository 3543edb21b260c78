//! Csv: a table for spreadsheets (RFC 4180). No cell is a formula.

use std::io::{self, Write};

use crate::output::safe::SafeCell;
use crate::triage::table::{Cell, Table};

/// Writes the header and all rows.
pub fn write(table: Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(&table.columns).map_err(io_error)?;
    for row in table.rows {
        writer.write_record(row.iter().map(text)).map_err(io_error)?;
    }
    writer.flush()
}

/// A cell as text.
pub(super) fn text(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        Cell::Text(text) => SafeCell(text).to_string(),
        Cell::Texts(texts) => SafeCell(&texts.join("; ")).to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Time(time) => time.rfc3339(),
        Cell::Counts(counts) => {
            let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            SafeCell(&parts.join("; ")).to_string()
        }
        Cell::Share(part, whole) => format!("{part}/{whole}"),
    }
}

/// An error of the output is one, whoever wrote.
pub(super) fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
