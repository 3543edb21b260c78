//! Enrich: what files beside the logs know of the people, devices and addresses in them.
//!
//! An input is a file (or a folder of files) that the analyst names: a directory export, a database of
//! places, lists of indicators, lists of the organization's own addresses. Each is read whole, once, and then
//! only looked up. Nothing here knows rules or findings, and nothing here is guessed: a key that could mean
//! two people gives nobody, and what could not be used of a file is counted by reason.

pub mod csv;
pub mod directory;
pub mod enrichment;
mod file;
mod geo;
pub mod intel;
mod json;
pub mod known;
mod line;
mod met;
mod ranges;

use std::collections::BTreeMap;
use std::fmt;

use crate::event::counted::plural;
use crate::event::time::Timestamp;

/// Where an enrichment came from: one file that was read, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// the file as typed; inside a folder the folder as typed and the path in it
    pub file: String,
    /// what could be used of it: people, groups, indicators, networks
    pub entries: u64,
    /// when the data was made: of a database its build date, of any other file its modification time
    pub modified: Option<Timestamp>,
    /// SHA-256 of its bytes, in hexadecimal
    pub sha256: String,
    /// what could not be used of it
    pub skipped: Skipped,
    /// whether anything that rules look at stood in it; of a directory that is not known by file
    pub is_met: Option<bool>,
    /// people and devices in it that name no organization, so that they count for all
    pub without_organization: u64,
}

impl Provenance {
    /// What of the file could not be used; `None` if all of it was.
    pub fn not_used(&self) -> Option<String> {
        let used = plural(self.entries, "entry");
        (self.skipped.count() > 0).then(|| format!("Not used of {}: {} ({used} used)", self.file, self.skipped))
    }
}

/// Where in a file something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// a line, from 1
    Line(u64),
    /// an object of a JSON array, from 1
    Object(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Line(n) => write!(f, "line {n}"),
            At::Object(n) => write!(f, "object {n}"),
        }
    }
}

/// What was skipped for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// how many
    pub count: u64,
    /// the first of them
    pub first: At,
}

/// What could not be used of a file, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// reasons in their alphabetical order
    pub reasons: BTreeMap<&'static str, Skip>,
}

impl Skipped {
    fn add(&mut self, reason: &'static str, at: At) {
        self.reasons.entry(reason).or_insert(Skip { count: 0, first: at }).count += 1;
    }

    /// All that was skipped.
    pub fn count(&self) -> u64 {
        self.reasons.values().map(|skip| skip.count).sum()
    }

    /// How many were skipped for this reason.
    pub fn of(&self, reason: &str) -> u64 {
        self.reasons.get(reason).map_or(0, |skip| skip.count)
    }
}

/// `3 of "a URL", first at line 7; 1 of "expired", first at object 2`; empty if nothing was.
impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (reason, skip)) in self.reasons.iter().enumerate() {
            let separator = if i > 0 { "; " } else { "" };
            write!(f, "{separator}{} of {reason:?}, first at {}", skip.count, skip.first)?;
        }
        Ok(())
    }
}

/// An input that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// the file as typed
    pub file: String,
    /// the line, where there is one
    pub line: Option<u64>,
    /// what is wrong
    pub what: String,
    /// what to do about it; may be empty
    pub remedy: String,
}

impl Error {
    fn new(file: &str, what: impl Into<String>, remedy: &str) -> Error {
        Error { file: file.to_owned(), line: None, what: what.into(), remedy: remedy.to_owned() }
    }

    fn at_line(mut self, line: u64) -> Error {
        self.line = Some(line);
        self
    }

    /// Nothing in a file could be used.
    fn nothing(file: &str, wanted: &str, skipped: &Skipped) -> Error {
        let what = match skipped.count() {
            0 => format!("has no {wanted} in it"),
            _ => format!("has no {wanted} in it (skipped: {skipped})"),
        };
        Error::new(file, what, "name another file")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_file_line_and_remedy() {
        let error = Error::new("a.csv", "is empty", "export it again");
        assert_eq!(error.to_string(), "a.csv: is empty; export it again");
        assert_eq!(Error::new("a.csv", "x", "").at_line(3).to_string(), "a.csv:3: x");
    }

    #[test]
    fn skipped_is_counted_by_reason() {
        let mut skipped = Skipped::default();
        skipped.add("a URL", At::Line(7));
        skipped.add("a URL", At::Line(9));
        skipped.add("expired", At::Object(2));
        assert_eq!(skipped.to_string(), r#"2 of "a URL", first at line 7; 1 of "expired", first at object 2"#);
        assert_eq!((skipped.count(), skipped.of("a URL"), skipped.of("x")), (3, 2, 0));
    }
}
