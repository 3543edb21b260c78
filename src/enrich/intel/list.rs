//! Lists of one indicator a line: plain ones, FireHOL's and Spamhaus' netsets, Tor's `exit-addresses`, hosts files.

use super::builder::{Builder, Detail};
use crate::enrich::At;

/// Lines of `exit-addresses` that say something else of a node.
const TOR: &[&str] = &["ExitNode", "Published", "LastStatus"];

fn is_between(c: char) -> bool {
    c.is_whitespace() || c == ','
}

/// Reads a list.
pub fn read(text: &str, builder: &mut Builder) {
    let is_tor = text.lines().take(50).any(|line| line.starts_with("ExitAddress "));
    for (number, line) in (1..).zip(text.lines()) {
        let at = At::Line(number);
        let (entry, comment) = line.find(['#', ';']).map_or((line, ""), |i| (&line[..i], &line[i + 1..]));
        let entry = entry.trim_matches(is_between);
        let mut words = entry.split(is_between).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { continue };
        if is_tor && TOR.contains(&first) {
            continue;
        }
        let (indicator, note) = match (first, words.next()) {
            ("ExitAddress", Some(address)) if is_tor => (address, "Tor exit"),
            ("0.0.0.0" | "127.0.0.1", Some(host)) => (host, comment),
            // a range with spaces around its dash
            (_, Some("-")) => (entry, comment),
            (_, Some(_)) => (first, entry[first.len()..].trim_start_matches(is_between)),
            (_, None) => (first, comment),
        };
        builder.offer(indicator, None, Detail::described(note), at);
    }
}
