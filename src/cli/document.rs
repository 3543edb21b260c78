//! Document: a file that is read whole, such as a report of an earlier run, answers, a configuration, a rule.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::input::decode;

/// A file, or standard input where its name is `-`, as text: compressed or in UTF-16 too, as PowerShell writes what it
/// redirects.
pub fn read(path: &Path) -> io::Result<String> {
    let raw: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path)?),
    };
    let mut bytes = Vec::new();
    decode::text(raw)?.reader.read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8: save it as UTF-8"))
    })
}
