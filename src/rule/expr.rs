//! Expr: a condition on one event, compiled.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::detection::{Fault, fault};
use super::folded::Folded;
use super::lists::Lists;
use super::pattern::Pattern;
use super::spelling::stands_in;
use crate::event::Event;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::json::Json;
use crate::event::letters;

/// A condition on one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// all of them
    And(Vec<Expr>),
    /// at least one of them
    Or(Vec<Expr>),
    /// not this
    Not(Box<Expr>),
    /// a field compared with values
    Test(Test),
    /// any text anywhere in the event
    Keyword(Pattern),
}

/// A field compared with values.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// the field
    pub field: Field,
    /// the comparisons
    pub patterns: Vec<Pattern>,
    /// every comparison has to hold, not just one
    pub is_all: bool,
    /// no value may match, and there is a value (`neq`)
    pub is_negated: bool,
}

/// An event, for conditions that look at all of its text.
pub trait Searchable: Fields {
    /// Whether any text of the event matches.
    fn any_text(&self, matches: &dyn Fn(&str) -> bool) -> bool;
}

impl Expr {
    pub(super) fn all(mut parts: Vec<Expr>) -> Expr {
        if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) }
    }

    pub(super) fn any(mut parts: Vec<Expr>) -> Expr {
        if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) }
    }

    /// Replaces the names of lists by their networks. An empty list matches nothing; negated, it matches every value.
    pub(super) fn fill(&mut self, lists: &Lists) -> Result<(), Fault> {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().try_for_each(|part| part.fill(lists)),
            Expr::Not(inner) => inner.fill(lists),
            Expr::Test(test) => {
                for pattern in &mut test.patterns {
                    if let Pattern::Listed(name) = pattern {
                        let networks = lists.networks(name).map_err(|message| fault(format!("%{name}%"), message))?;
                        *pattern = Pattern::Networks(networks);
                    }
                }
                test.patterns.retain(|pattern| !matches!(pattern, Pattern::Networks(all) if all.named().is_empty()));
                if test.patterns.is_empty() && !test.is_negated {
                    *self = Expr::Or(vec![]);
                }
                Ok(())
            }
            Expr::Keyword(_) => Ok(()),
        }
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &impl Searchable) -> bool {
        match self {
            Expr::And(parts) => parts.iter().all(|part| part.matches(event)),
            Expr::Or(parts) => parts.iter().any(|part| part.matches(event)),
            Expr::Not(inner) => !inner.matches(event),
            Expr::Test(test) => test.matches(event),
            Expr::Keyword(keyword) => event.any_text(&|text| keyword.matches(&Folded::new(text))),
        }
    }

    /// Each test and each keyword in it, in their order.
    fn each(&self, take: &mut dyn FnMut(&Expr)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| part.each(take)),
            Expr::Not(inner) => inner.each(take),
            Expr::Test(_) | Expr::Keyword(_) => take(self),
        }
    }

    fn has(&self, is: impl Fn(&Expr) -> bool) -> bool {
        let mut has = false;
        self.each(&mut |part| has |= is(part));
        has
    }

    /// Whether it asks for a field that is known only once everything is read.
    pub fn is_linked(&self) -> bool {
        self.has(|part| matches!(part, Expr::Test(test) if test.is_linked()))
    }

    /// Whether it searches all text.
    pub fn has_keywords(&self) -> bool {
        self.has(|part| matches!(part, Expr::Keyword(_)))
    }

    /// All fields that it asks for.
    pub fn fields(&self, out: &mut Vec<Field>) {
        self.each(&mut |part| {
            if let Expr::Test(test) = part {
                out.extend([Some(&test.field), test.reference()].into_iter().flatten().cloned());
            }
        });
    }

    /// The event types that can match, in lower case; `None` is any.
    pub fn event_types(&self) -> Option<BTreeSet<String>> {
        match self {
            Expr::And(parts) => parts.iter().filter_map(Expr::event_types).reduce(|a, b| &a & &b),
            Expr::Or(parts) => {
                let all: Option<Vec<_>> = parts.iter().map(Expr::event_types).collect();
                Some(all?.into_iter().flatten().collect())
            }
            Expr::Test(test) if test.field == Field::Norm(Norm::EventType) && !test.is_negated => {
                let names: Option<BTreeSet<String>> = test
                    .patterns
                    .iter()
                    .map(|pattern| match pattern {
                        Pattern::Glob(glob) => glob.literal().map(letters::lower),
                        _ => None,
                    })
                    .collect();
                names.filter(|names| !names.is_empty())
            }
            _ => None,
        }
    }
}

impl Test {
    /// Whether it asks for a field that is known only once everything is read.
    pub fn is_linked(&self) -> bool {
        self.field.is_linked() || self.reference().is_some_and(Field::is_linked)
    }

    /// The other field that its field is compared with; there is one at most.
    pub fn reference(&self) -> Option<&Field> {
        self.patterns.iter().find_map(|pattern| match pattern {
            Pattern::Reference(field, ..) => Some(field),
            _ => None,
        })
    }

    /// Whether an event passes it.
    pub fn matches(&self, event: &impl Fields) -> bool {
        self.holds(&event.values(&self.field), event)
    }

    /// Whether the values of its field pass it.
    pub fn holds(&self, values: &[Value<'_>], event: &impl Fields) -> bool {
        let texts: SmallVec<[Folded<'_>; 1]> = values.iter().filter_map(Value::text).map(Folded::new).collect();
        self.holds_for(values, &texts, event)
    }

    /// The same, for values that many tests look at; `texts` are those of them that are text.
    pub fn holds_for(&self, values: &[Value<'_>], texts: &[Folded<'_>], event: &impl Fields) -> bool {
        let one = |pattern: &Pattern| match pattern {
            Pattern::Null => values.iter().all(Value::says_nothing),
            Pattern::Exists(wanted) => values.iter().all(Value::says_nothing) != *wanted,
            Pattern::Reference(field, side, spelling) => {
                let others = event.values(field);
                let pairs = values.iter().filter_map(Value::text);
                pairs
                    .into_iter()
                    .any(|a| others.iter().filter_map(Value::text).any(|b| stands_in(a, b, *side, *spelling)))
            }
            pattern => texts.iter().any(|text| pattern.matches(text)),
        };
        let has_value = !values.iter().all(Value::says_nothing);
        if self.is_negated {
            return has_value && !self.patterns.iter().any(one);
        }
        if self.is_all { self.patterns.iter().all(one) } else { self.patterns.iter().any(one) }
    }
}

impl Searchable for Event<'_> {
    fn any_text(&self, matches: &dyn Fn(&str) -> bool) -> bool {
        fn any(json: &Json<'_>, matches: &dyn Fn(&str) -> bool) -> bool {
            match json {
                Json::Array(items) => items.iter().any(|item| any(item, matches)),
                Json::Object(members) => members.iter().any(|(_, value)| any(value, matches)),
                Json::Parts(members) => members.iter().any(|(_, value)| any(value, matches)),
                Json::Null => false,
                Json::Text(text) => matches(text),
                other => matches(&other.to_string()),
            }
        }
        any(self.json, matches)
    }
}
