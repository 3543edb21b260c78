//! Junk: what starts no record, told by the start of its line: a scalar in an array, or what a log shipper put in front
//! of a record. Not more of the line is looked at than it takes.

use memchr::{memchr, memmem};

use super::object::{Scan, Step};

/// Bytes that may stand on a line in front of a record.
const PREFIX: usize = 512;

/// What a look at the start of a line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// it is what was looked for, so long
    Is(usize),
    /// it is not
    Not,
    /// that takes more of the line than is there
    More,
}

/// The length of what a log shipper may have put in front of an object: a time, a host, a priority.
pub fn prefix(line: &[u8], is_whole: bool) -> Look {
    let Some(length) = memchr(b'{', &line[..line.len().min(PREFIX)]) else {
        return if is_whole || line.len() >= PREFIX { Look::Not } else { Look::More };
    };
    let prefix = &line[..length];
    let is_prefix = prefix.last().is_some_and(|last| matches!(last, b' ' | b'\t' | b':'))
        && prefix[0] != b'"'
        && memmem::find(prefix, b"\":").is_none();
    if is_prefix { Look::Is(length) } else { Look::Not }
}

/// The length of an object with which its line ends; what is in front of any other is no prefix.
pub fn object_that_ends(line: &[u8], is_whole: bool) -> Look {
    match Scan::new(0).feed(line) {
        Step::Ends(length) if !line[length..].trim_ascii_start().is_empty() => Look::Not,
        Step::Ends(length) if is_whole => Look::Is(length),
        Step::Ends(_) => Look::More,
        Step::More if !is_whole => Look::More,
        Step::More | Step::Broken(_) => Look::Not,
    }
}

/// The length of a JSON scalar at the start of a line, if one is there.
pub fn scalar_length(line: &[u8], is_whole: bool) -> Look {
    let end = match line.first() {
        Some(b'"') => {
            let mut escaped = false;
            let closing = line[1..].iter().position(|b| {
                let closes = *b == b'"' && !escaped;
                escaped = *b == b'\\' && !escaped;
                closes
            });
            closing.map(|place| place + 2)
        }
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let end = line.iter().position(|b| matches!(b, b',' | b']' | b' ' | b'\t' | b'\r'));
            end.or_else(|| is_whole.then_some(line.len()))
        }
        _ => return Look::Not,
    };
    match end {
        Some(end) if serde_json::from_slice::<serde::de::IgnoredAny>(&line[..end]).is_ok() => Look::Is(end),
        None if !is_whole => Look::More,
        _ => Look::Not,
    }
}
