//! Line: what a line of a plain list says: an entry, and a note on it.

use std::net::Ipv4Addr;

/// What may stand between the words of a line.
pub fn is_between(c: char) -> bool {
    c.is_whitespace() || c == ','
}

/// Reason of an address or network behind another on its line, where a note should be.
pub const ANOTHER: &str = "another entry on the line: one a line";

/// A line of a plain list. Quotes around its parts are none of them.
#[derive(Clone, Copy, Debug)]
pub struct Line<'t> {
    /// a word, two with a dash between them, or an address and its mask
    pub entry: &'t str,
    /// what follows it
    pub rest: &'t str,
    /// what stands behind a `#` or `;`
    pub comment: &'t str,
    /// all that follows the entry as far as a `#`
    tail: &'t str,
}

impl<'t> Line<'t> {
    /// What is said of the entry.
    pub fn note(&self) -> &'t str {
        if self.rest.is_empty() { self.comment } else { self.rest }
    }

    /// The words behind the entry. A `;` is between them as well.
    pub fn words(&self) -> impl Iterator<Item = &'t str> {
        self.tail.split(|c| is_between(c) || c == ';').map(unquoted).filter(|word| !word.is_empty())
    }
}

/// Reads a line. One without an entry says nothing.
pub fn read(line: &str) -> Option<Line<'_>> {
    let whole = line.trim_start_matches(is_between);
    let (line, comment) = whole.find(['#', ';']).map_or((whole, ""), |i| (&whole[..i], &whole[i + 1..]));
    let line = line.trim_end_matches(is_between);
    let first = word(line);
    if first.is_empty() {
        return None;
    }
    let behind = |words: &str| line.len() - words.len();
    let rest = line[first.len()..].trim_start_matches(is_between);
    let second = word(rest);
    let end = if second == "-" {
        let rest = rest[1..].trim_start_matches(is_between);
        behind(rest) + word(rest).len()
    } else if first.parse::<Ipv4Addr>().is_ok() && prefix(second).is_some() {
        behind(rest) + second.len()
    } else {
        first.len()
    };
    let rest = unquoted(line[end..].trim_matches(is_between));
    let tail = whole[end..].split('#').next().unwrap_or_default();
    Some(Line { entry: unquoted(&line[..end]), rest, comment: comment.trim(), tail })
}

fn word(text: &str) -> &str {
    text.split(is_between).next().unwrap_or_default()
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// How long a prefix a mask stands for, written for the network (`255.255.255.0`) or for the hosts (`0.0.0.255`).
pub fn prefix(mask: &str) -> Option<u8> {
    let mask: Ipv4Addr = mask.trim().parse().ok()?;
    ipnet::ipv4_mask_to_prefix(mask).or_else(|_| ipnet::ipv4_mask_to_prefix(!mask)).ok().filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_notes() {
        for (line, want) in [
            ("203.0.113.7", Some(("203.0.113.7", ""))),
            ("  203.0.113.7\toffice, Oslo ", Some(("203.0.113.7", "office, Oslo"))),
            ("203.0.113.7,office # main", Some(("203.0.113.7", "office"))),
            ("203.0.113.7 # main", Some(("203.0.113.7", "main"))),
            ("\"203.0.113.7\",\"main\"", Some(("203.0.113.7", "main"))),
            ("192.0.2.1 - 192.0.2.5 VPN", Some(("192.0.2.1 - 192.0.2.5", "VPN"))),
            ("192.0.2.1 -", Some(("192.0.2.1 -", ""))),
            ("192.0.2.0 255.255.255.0 VPN", Some(("192.0.2.0 255.255.255.0", "VPN"))),
            ("192.0.2.0, 0.0.0.255", Some(("192.0.2.0, 0.0.0.255", ""))),
            ("192.0.2.0 192.0.2.1", Some(("192.0.2.0", "192.0.2.1"))),
            ("# note", None),
            (" , ", None),
        ] {
            assert_eq!(read(line).map(|line| (line.entry, line.note())), want, "{line}");
        }
    }
}
