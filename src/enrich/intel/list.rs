//! Lists of one indicator a line: plain ones, FireHOL's and Spamhaus' netsets, Tor's `exit-addresses`, hosts files.

use super::builder::{Builder, Detail};
use super::indicator::UNKNOWN;
use crate::enrich::{At, line, ranges};

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
        let mut words = line.rest.split(line::is_between).filter(|word| !word.is_empty()).peekable();
        let mut offer = |indicator, note| builder.offer(indicator, None, Detail::described(note), At::Line(number));
        match (line.entry, words.peek()) {
            ("ExitAddress", Some(address)) if is_tor => offer(address, "Tor exit"),
            // a line of a hosts file, which may have several names
            ("0.0.0.0" | "127.0.0.1", Some(_)) => words.for_each(|host| offer(host, line.comment)),
            _ => {
                let unknown = builder.skipped.of(UNKNOWN);
                builder.offer(line.entry, None, Detail::described(line.note()), At::Line(number));
                // Behind a word that is no entry, an entry is not another one.
                let more = if builder.skipped.of(UNKNOWN) == unknown { ranges::more_on(&line) } else { 0 };
                (0..more).for_each(|_| builder.skipped.add(line::ANOTHER, At::Line(number)));
            }
        }
    }
}
