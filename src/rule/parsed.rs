//! Parsed: a rule file, read by itself, before rules of several files are linked.

use super::lists::Lists;
use super::{Problem, Rule, parse};

/// A rule file, read by itself.
#[derive(Debug)]
pub struct Parsed {
    pub(super) path: String,
    pub(super) rules: Result<Vec<Rule>, Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl Parsed {
    /// Reads a file.
    pub fn new(path: &str, text: &str, lists: &Lists) -> Parsed {
        let mut warnings = Vec::new();
        let rules = parse(path, text, lists, &mut warnings);
        Parsed { path: path.to_owned(), rules, warnings }
    }
}
