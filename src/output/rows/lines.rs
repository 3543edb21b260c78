//! Lines: a table as JSON, one object a row. A column without a value is left out.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::triage::table::{Cell, Row, Table};

/// Writes one object a line.
pub fn write(table: Table<'_>, out: &mut dyn Write) -> io::Result<()> {
    for row in table.rows {
        serde_json::to_writer(&mut *out, &object(&table.columns, row))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A row as an object.
pub fn object(columns: &[String], row: Row) -> Value {
    let members = columns.iter().zip(row).filter_map(|(name, cell)| Some((name.clone(), value(cell)?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn value(cell: Cell) -> Option<Value> {
    Some(match cell {
        Cell::Nothing => return None,
        Cell::Text(text) => text.into(),
        Cell::Texts(texts) => texts.into(),
        Cell::Number(number) => number.into(),
        Cell::Time(time) => time.rfc3339().into(),
        Cell::Counts(counts) => Value::Object(counts.into_iter().map(|(name, count)| (name, count.into())).collect()),
        Cell::Share(part, whole) => json!({"count": part, "of": whole}),
    })
}
