//! Alias: a name for what joins the events of several rules, under another field in each.

use super::logic::{GroupBy, Logic};
use super::{Problem, Rule};

/// Warns of aliases that leave out a rule, whose events then join nothing, or name one that is not there. A rule that
/// an alias knows by its id is put under its name, as rules are by then.
pub(super) fn check(rules: &mut [Rule], references: &[Option<Vec<usize>>]) -> Vec<Problem> {
    let mut out = Vec::new();
    for place in 0..rules.len() {
        let has_alias = rules[place].logic.group_by().iter().any(is_alias);
        let Some(targets) = references[place].as_ref().filter(|_| has_alias) else { continue };
        let known: Vec<(String, Option<String>)> =
            targets.iter().map(|to| (rules[*to].name.clone(), rules[*to].uuid.clone())).collect();
        let (file, line) = (rules[place].file.clone(), rules[place].line);
        for part in group_by(&mut rules[place].logic).iter_mut().filter(|part| is_alias(part)) {
            let alias = part.name.clone();
            let mut tell = |message| out.push(Problem { file: file.clone(), line, message });
            for rule in part.fields.iter_mut().filter_map(|(rule, _)| rule.as_mut()) {
                match known.iter().find(|(name, id)| name == rule || id.as_ref() == Some(rule)) {
                    Some((name, _)) => rule.clone_from(name),
                    None => tell(format!("alias `{alias}` names {rule:?}, which is none of the rules that are joined")),
                }
            }
            if let Some((name, _)) = known.iter().find(|(name, _)| part.field(name).is_none()) {
                tell(format!("alias `{alias}` leaves out {name:?}, whose events join nothing: say its field"));
            }
        }
    }
    out
}

fn is_alias(part: &GroupBy) -> bool {
    part.fields.iter().any(|(rule, _)| rule.is_some())
}

fn group_by(logic: &mut Logic) -> &mut [GroupBy] {
    match logic {
        Logic::Detection(_) | Logic::Risk(_) => &mut [],
        Logic::Count(count) => &mut count.group_by,
        Logic::Chain(chain) => &mut chain.group_by,
        Logic::FirstSeen(first) => &mut first.by,
        Logic::Travel(travel) => &mut travel.by,
        Logic::Rate(rate) => &mut rate.by,
    }
}
