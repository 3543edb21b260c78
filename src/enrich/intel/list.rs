//! Lists of one indicator a line: plain ones, FireHOL's and Spamhaus' netsets, Tor's `exit-addresses`, hosts files.

use super::builder::{Builder, Detail};
use crate::enrich::{At, line};

/// Lines of `exit-addresses` that say something else of a node.
const TOR: &[&str] = &["ExitNode", "Published", "LastStatus"];

/// Reads a list.
pub fn read(text: &str, builder: &mut Builder) {
    let is_tor = text.lines().take(50).any(|line| line.starts_with("ExitAddress "));
    for (number, text) in (1..).zip(text.lines()) {
        let Some(line) = line::read(text) else { continue };
        if is_tor && TOR.contains(&line.entry) {
            continue;
        }
        let second = line.rest.split(line::is_between).next().filter(|word| !word.is_empty());
        let (indicator, note) = match (line.entry, second) {
            ("ExitAddress", Some(address)) if is_tor => (address, "Tor exit"),
            // a line of a hosts file
            ("0.0.0.0" | "127.0.0.1", Some(host)) => (host, line.comment),
            _ => (line.entry, line.note()),
        };
        builder.offer(indicator, None, Detail::described(note), At::Line(number));
    }
}
