//! Alias: a name for what joins the events of several rules, under another field in each.

use super::logic::GroupBy;
use super::{Problem, Rule};

/// Warns of an alias that leaves out one of the rules, whose events would join no group, or names an unknown one. Ids of
/// rules in aliases become names.
pub(super) fn check(rules: &mut [Rule], references: &[Option<Vec<usize>>]) -> Vec<Problem> {
    let mut out = Vec::new();
    for place in 0..rules.len() {
        let has_alias = rules[place].logic.group_by().iter().any(is_alias);
        let Some(targets) = references[place].as_ref().filter(|_| has_alias) else { continue };
        let (file, line) = (rules[place].file.clone(), rules[place].line);
        let mut parts = rules[place].logic.group_by().to_vec();
        let known: Vec<&Rule> = targets.iter().map(|to| &rules[*to]).collect();
        for (place_of_part, part) in parts.iter_mut().enumerate().filter(|(_, part)| is_alias(part)) {
            let alias = part.name.clone();
            let mut tell = |message| out.push(Problem { file: file.clone(), line, message });
            for rule in part.fields.iter_mut().filter_map(|(rule, _)| rule.as_mut()) {
                match known.iter().find(|known| known.is_called(rule)) {
                    Some(known) => rule.clone_from(&known.name),
                    None => tell(format!("alias `{alias}` names {rule:?}, which is none of the rules that are joined")),
                }
            }
            let is_joined = |reference: &usize| place_of_part < rules[place].logic.joins(*reference).len();
            let mut joined = (0..known.len()).filter(is_joined).map(|reference| known[reference]);
            if let Some(Rule { name, .. }) = joined.find(|known| part.field(&known.name).is_none()) {
                tell(format!("alias `{alias}` leaves out {name:?}, whose events join nothing: say its field"));
            }
        }
        rules[place].logic.group_by_mut().clone_from_slice(&parts);
    }
    out
}

fn is_alias(part: &GroupBy) -> bool {
    part.fields.iter().any(|(rule, _)| rule.is_some())
}
