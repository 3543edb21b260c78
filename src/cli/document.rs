//! Document: a file that is read whole, such as a report of an earlier run, answers, a configuration, a rule.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::event::utf8;
use crate::input::decode;

/// Bytes of a rule or a configuration, at most: one that is longer was not written by a person.
const MOST: u64 = 16 << 20;

/// A rule or a configuration as text: compressed or in UTF-16 too, as PowerShell writes what it redirects.
pub fn read(path: &Path) -> io::Result<String> {
    let text = text(File::open(path)?, MOST + 1)?;
    if text.len() as u64 > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 16 MiB: is it another file?"));
    }
    Ok(text)
}

/// The same of a report or of answers, however long; of standard input where the name is `-`.
pub fn read_or_input(path: &Path) -> io::Result<String> {
    if path == Path::new("-") { text(io::stdin().lock(), u64::MAX) } else { text(File::open(path)?, u64::MAX) }
}

fn text(raw: impl Read, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    decode::text(raw)?.reader.take(most).read_to_end(&mut bytes)?;
    utf8::text(bytes).map_err(|line| {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8: save it as UTF-8"))
    })
}
