//! Names: what rules are called by others, each by its name or by its id.

use crate::event::letters;
use std::collections::HashMap;

use super::Rule;

/// The places of rules by what others call them.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: HashMap<String, usize>,
    /// in lower case: an id is one however it is written
    by_id: HashMap<String, usize>,
}

impl Names {
    /// Adds a rule.
    pub(super) fn add(&mut self, rule: &Rule, place: usize) {
        self.by_name.insert(rule.name.clone(), place);
        self.by_id.extend(rule.uuid.as_ref().map(|id| (letters::lower(id), place)));
    }

    /// The place of the rule that is meant.
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).or_else(|| self.by_id.get(&letters::lower(name))).copied()
    }

    /// All that rules can be called by.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().chain(self.by_id.keys()).map(String::as_str)
    }
}
