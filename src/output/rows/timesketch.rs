//! Timesketch: a table of events as the CSV that Timesketch imports: `message`, `datetime` and
//! `timestamp_desc` have to be there, `timestamp` counts microseconds, and `tag` is a list in JSON.

use std::io::{self, Write};

use chrono::SecondsFormat;

use super::csv::{io_error, text};
use crate::triage::table::{Cell, Row, Table};

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
    let tagging = place("severity").zip(place("findings"));
    header.extend(tagging.map(|_| "tag".to_owned()));
    writer.write_record(&header).map_err(io_error)?;
    for row in table.rows {
        let Cell::Time(at) = row[time] else { continue };
        let datetime = at.utc().to_rfc3339_opts(SecondsFormat::AutoSi, false);
        let mut record = vec![text(&row[message]), datetime, (at.0.div_euclid(1000)).to_string()];
        record.push("Event Logged".to_owned());
        record.extend(others.iter().map(|column| text(&row[*column])));
        record.extend(tagging.map(|(severity, rules)| tags(&row, [severity, rules])));
        writer.write_record(&record).map_err(io_error)?;
    }
    writer.flush()
}

/// The texts of columns as a list.
fn tags(row: &Row, columns: [usize; 2]) -> String {
    let texts = |column: usize| match &row[column] {
        Cell::Text(text) => std::slice::from_ref(text),
        Cell::Texts(texts) => texts.as_slice(),
        _ => &[],
    };
    serde_json::Value::from(columns.map(texts).concat()).to_string()
}
