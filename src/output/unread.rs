//! Unread: sources, or what is left of them, of which a report knows nothing.

use std::io::{self, Write};

use super::prose::plural;
use super::safe::Safe;
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
    let names: Vec<String> = c.not_read.iter().take(MOST).map(|name| Safe(name).to_string()).collect();
    let more = if c.not_read.len() > MOST { ", …" } else { "" };
    writeln!(out, "Not read: {} ({}{more})", plural(c.not_read.len() as u64, "other"), names.join(", "))
}
