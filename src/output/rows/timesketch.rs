//! Timesketch: a table of events as the CSV that Timesketch imports: `message`, `datetime` and
//! `timestamp_desc` have to be there, `timestamp` counts microseconds.

use std::io::{self, Write};

use chrono::SecondsFormat;

use super::csv::{io_error, text};
use crate::triage::table::{Cell, Table};

/// Writes the header and all rows of a table that has `timestamp` and `message`.
pub fn write(table: Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    let place = |name: &str| table.columns.iter().position(|column| column == name);
    let (Some(time), Some(message)) = (place("timestamp"), place("message")) else {
        return Err(io::Error::other("a timeline has times and messages"));
    };
    let others: Vec<usize> = (0..table.columns.len()).filter(|column| ![time, message].contains(column)).collect();
    let mut writer = ::csv::Writer::from_writer(out);
    let mut header = ["message", "datetime", "timestamp", "timestamp_desc"].map(str::to_owned).to_vec();
    // A name with a dot leads into an object, and `source` cannot be both.
    header.extend(others.iter().map(|column| table.columns[*column].replace('.', "_")));
    writer.write_record(&header).map_err(io_error)?;
    for row in table.rows {
        let Cell::Time(at) = row[time] else { continue };
        let datetime = at.utc().to_rfc3339_opts(SecondsFormat::AutoSi, false);
        let mut record = vec![text(&row[message]), datetime, (at.0.div_euclid(1000)).to_string()];
        record.push("Event Logged".to_owned());
        record.extend(others.iter().map(|column| text(&row[*column])));
        writer.write_record(&record).map_err(io_error)?;
    }
    writer.flush()
}
