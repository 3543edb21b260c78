//! Kept: the raw fields of events that are read after the events are gone, each with the event types in which it is.
//! Normalized fields are always kept.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use super::logic::Logic;
use crate::event::field::Field;
use crate::event::letters;

/// Event types in lower case; `None` is any.
pub type Types = Option<BTreeSet<String>>;

/// A field that something other than a rule reads after the events are gone, such as the sentences about them.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// the field
    pub field: Field,
    /// the event types in which it is read
    pub types: Types,
}

impl From<Field> for Wanted {
    /// A field that is read in events of any type.
    fn from(field: Field) -> Wanted {
        Wanted { field, types: None }
    }
}

/// The raw fields of events that are read after the events are gone.
#[derive(Debug, Default)]
pub struct Kept {
    /// the fields, in order
    pub fields: Vec<Field>,
    /// the event types in which each of them is read
    types: Vec<Types>,
}

impl Kept {
    /// The fields to keep: those of a rule in the event types that it can match, and `wanted` ones in those of their types
    /// that any detection can match. `types` are the event types that each rule can be made of.
    pub fn new(rules: &[Rule], types: &[Types], wanted: &[Wanted]) -> Kept {
        let mut kept: BTreeMap<Field, Types> = BTreeMap::new();
        let mut detected: Types = Some(BTreeSet::new());
        for (rule, types) in rules.iter().zip(types) {
            let mut fields = Vec::new();
            rule.kept_fields(&mut fields);
            for field in fields.into_iter().filter(|field| !matches!(field, Field::Norm(_))) {
                add(kept.entry(field).or_insert_with(|| Some(BTreeSet::new())), types.as_ref());
            }
            if matches!(rule.logic, Logic::Detection(_)) && !wanted.is_empty() {
                add(&mut detected, types.as_ref());
            }
        }
        for Wanted { field, types } in wanted.iter().filter(|wanted| !matches!(wanted.field, Field::Norm(_))) {
            let both = match (&detected, types) {
                (Some(detected), Some(types)) => Some(types.intersection(detected).cloned().collect()),
                (detected, None) => detected.clone(),
                (None, types) => types.clone(),
            };
            if both.as_ref().is_none_or(|both| !both.is_empty()) {
                add(kept.entry(field.clone()).or_insert_with(|| Some(BTreeSet::new())), both.as_ref());
            }
        }
        let (fields, types) = kept.into_iter().unzip();
        Kept { fields, types }
    }

    /// Whether a field is read in events of this type.
    pub fn has(&self, event_type: &str, field: &Field) -> bool {
        let place = self.fields.iter().position(|kept| kept == field);
        place
            .and_then(|place| self.types.get(place))
            .is_some_and(|types| types.as_ref().is_none_or(|types| types.contains(&*letters::lowered(event_type))))
    }
}

/// Adds event types to others.
fn add(known: &mut Types, types: Option<&BTreeSet<String>>) {
    match (known.as_mut(), types) {
        (Some(known), Some(types)) => known.extend(types.iter().cloned()),
        _ => *known = None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::lists::Lists;
    use crate::rule::parsed::Parsed;
    use crate::rule::sample::detection;
    use crate::rule::set::RuleSet;

    #[test]
    fn what_is_read_anyway_is_read_in_all_that_can_match() {
        let lists = Lists::default();
        let files = ["a", "b"].map(|name| Parsed::new(&format!("{name}.yml"), &detection(name), &lists));
        let field = Field::Raw(vec!["mine".to_owned()]);
        let set = RuleSet::keeping(files, &[field.clone().into()]);
        for (event_type, want) in [("a", true), ("b", true), ("B", true), ("c", false)] {
            assert_eq!(set.kept.has(event_type, &field), want, "{event_type}");
        }
    }

    #[test]
    fn what_is_wanted_of_some_types_is_read_in_these_alone() {
        let lists = Lists::default();
        let files = ["a", "b"].map(|name| Parsed::new(&format!("{name}.yml"), &detection(name), &lists));
        let field = Field::Raw(vec!["mine".to_owned()]);
        let types = Some(["b", "c"].map(str::to_owned).into());
        let set = RuleSet::keeping(files, &[Wanted { field: field.clone(), types }]);
        for (event_type, want) in [("a", false), ("b", true), ("c", false)] {
            assert_eq!(set.kept.has(event_type, &field), want, "{event_type}");
        }
    }
}
