//! Summary: its tables one below another for people, or as one object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::Look;
use super::json::{Unreadable, unreadable};
use super::rows::{lines, terminal};
use crate::event::counted::plural;
use crate::event::coverage::Coverage;
use crate::triage::table::Table;

#[derive(Serialize)]
struct Document<'c> {
    schema: &'static str,
    records: u64,
    events: u64,
    duplicates: u64,
    skipped: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Unreadable<'c>>,
    /// events that the tables are made of
    chosen: u64,
    first: Option<String>,
    last: Option<String>,
    #[serde(flatten)]
    tables: serde_json::Map<String, Value>,
}

/// Writes `jcdetect/summary/v1`. `chosen` is how many events the tables are made of.
pub fn json(tables: Vec<Table<'_>>, chosen: usize, coverage: &Coverage, out: &mut dyn Write) -> io::Result<()> {
    let list = |table: Table<'_>| {
        let rows = table.rows.map(|row| lines::object(&table.columns, row)).collect();
        (table.name.to_owned(), Value::Array(rows))
    };
    let document = Document {
        schema: "jcdetect/summary/v1",
        records: coverage.records,
        events: coverage.events,
        duplicates: coverage.duplicates,
        skipped: coverage.skipped.iter().map(|(reason, skipped)| (reason.words(), skipped.count)).collect(),
        unreadable: unreadable(coverage),
        chosen: chosen as u64,
        first: coverage.span.map(|span| span.first.rfc3339()),
        last: coverage.span.map(|span| span.last.rfc3339()),
        tables: tables.into_iter().map(list).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// What each table is about.
const TITLES: &[(&str, &str)] = &[
    ("sign_ins", "Sign-ins: countries, agents and MFA are of those that worked"),
    ("admin_actions", "What administrators did, beside signing in"),
    ("failing_sources", "Where failed sign-ins came from (RADIUS and LDAP do not say)"),
    ("event_types", "Types of events"),
    ("days", "Events a day (UTC)"),
    ("gaps", "Stretches without any event"),
    ("silences", "Services without events at hours at which they have some in other weeks"),
];

/// Columns that people can do without; JSON has them.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("sign_ins", &["challenges", "first_seen"]),
    ("admin_actions", &["first_seen"]),
    ("failing_sources", &["people", "first_seen"]),
];

/// A table without the columns that people can do without.
fn for_people(table: Table<'_>) -> Table<'_> {
    let left_out = LEFT_OUT.iter().find(|(name, _)| *name == table.name).map_or(&[][..], |(_, columns)| columns);
    table.without(left_out)
}

/// Writes the tables for people.
pub fn table(
    tables: Vec<Table<'_>>,
    chosen: usize,
    coverage: &Coverage,
    sources: &[String],
    (limit, look): (usize, Look),
    out: &mut dyn Write,
) -> io::Result<()> {
    for table in tables.into_iter().filter(|table| table.count > 0) {
        let title = TITLES.iter().find(|(name, _)| *name == table.name).map_or(table.name, |(_, title)| *title);
        writeln!(out, "{title}")?;
        terminal::write(for_people(table), limit, look, out)?;
        writeln!(out)?;
    }
    let mut found = plural(chosen as u64, "event");
    if chosen as u64 != coverage.events {
        found = format!("{chosen} of {}", plural(coverage.events, "event"));
    }
    if let Some(span) = coverage.span {
        let length = span.last.since(span.first).words();
        let (first, last) = (span.first.short(look.zone), span.last.short(look.zone));
        found += &format!(" from {first} to {last} {} ({length})", look.zone);
    }
    if coverage.duplicates > 0 {
        found += &format!(", {} left out", plural(coverage.duplicates, "duplicate"));
    }
    terminal::account(&found, coverage, None, sources, out)
}
