//! Unread: sources, or what is left of them, of which a report knows nothing.

use std::io::{self, Write};

use super::safe::Safe;
use crate::event::counted::{few, plural};
use crate::event::coverage::{Coverage, Lacking};

/// Sources that could not be read, or not to their end, or that are something else, a line each.
pub fn sources(c: &Coverage, of: &str, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 10;
    for source in c.unreadable.iter().take(MOST) {
        let what = match source.lacking {
            Lacking::All => "Could not be read",
            Lacking::Rest => "Could not be read to the end",
            Lacking::Events => "No export",
        };
        writeln!(out, "{what}{of}: {} ({})", Safe(&source.source), Safe(&source.reason))?;
    }
    match c.unreadable.len() {
        ..=MOST => Ok(()),
        all => writeln!(out, "… and {} more{of}, named on standard error", all - MOST),
    }
}

/// What was skipped and what could not be read, for the last line.
pub fn account(coverage: &Coverage, history: &Coverage) -> String {
    let mut text = match coverage.skipped_count() {
        0 => "nothing skipped".to_owned(),
        skipped => format!("{} skipped", plural(skipped, "record")),
    };
    text += &count(coverage, "");
    match history.skipped_count() {
        0 => {}
        skipped => text += &format!("; {} of the history skipped", plural(skipped, "record")),
    }
    text + &count(history, " of the history")
}

/// How many of these there are, for the last line; empty if there are none.
pub fn count(c: &Coverage, of: &str) -> String {
    let parts = [
        (Lacking::All, "could not be read"),
        (Lacking::Rest, "could not be read to the end"),
        (Lacking::Events, "held no event"),
    ];
    let told = |(lacking, words)| match c.lacking(lacking) {
        0 => String::new(),
        count => format!("; {}{of} {words}", plural(count as u64, "source")),
    };
    parts.map(told).concat()
}

/// Events of organizations that nobody asked for; and what stands in folders and was not read: files with another
/// ending, and what is no file, as a pipe.
pub fn left_out(c: &Coverage, out: &mut dyn Write) -> io::Result<()> {
    const MOST: usize = 5;
    if c.elsewhere > 0 {
        writeln!(out, "Other organizations: {} left out", plural(c.elsewhere, "event"))?;
    }
    if c.not_read.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = c.not_read.iter().map(|name| Safe(name).to_string()).collect();
    writeln!(out, "Not read: {} ({})", plural(names.len() as u64, "other"), few(&names, MOST, ", "))
}
