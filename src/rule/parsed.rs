//! Parsed: a rule file, read by itself, before rules of several files are linked.

use super::expr::Expr;
use super::lists::Lists;
use super::{Problem, Rule, parse};

/// A rule file, read by itself.
#[derive(Clone, Debug)]
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

    /// A condition whose events are kept beside those of rules. It finds nothing, and no rule can refer to it.
    pub fn asking(condition: Expr) -> Parsed {
        let rule = Rule { is_reported: false, ..Rule::of("", condition) };
        Parsed { path: String::new(), rules: Ok(vec![rule]), warnings: vec![] }
    }

    /// What stands in it, the rule that it is named for first.
    pub fn rules(&self) -> Result<&[Rule], &Problem> {
        self.rules.as_deref()
    }

    /// The same with another rule at a place in it.
    pub(super) fn with(&self, place: usize, rule: Rule) -> Parsed {
        let mut changed = self.clone();
        if let Some(old) = changed.rules.as_mut().ok().and_then(|rules| rules.get_mut(place)) {
            *old = rule;
        }
        changed
    }

    /// The names and ids in it that are of other files.
    pub fn references(&self) -> Vec<String> {
        let rules = self.rules.as_deref().unwrap_or_default();
        let all = rules.iter().flat_map(|rule| rule.logic.references());
        all.filter(|name| !rules.iter().any(|rule| rule.is_called(name))).cloned().collect()
    }

    /// Whether other files mean this one by a name or an id.
    pub fn is_called(&self, name: &str) -> bool {
        self.rules.as_ref().is_ok_and(|rules| rules.first().is_some_and(|rule| rule.is_called(name)))
    }
}
