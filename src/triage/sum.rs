//! Sum: a finding of `risk` without what was put away of it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::finding::{Finding, Findings};
use super::status::{Status, SuppressedBy};
use crate::detect::risk::{Addition, additions, entity, weight};
use crate::rule::logic::{Logic, Risk};

/// The findings of the history that sums of risk may be made of.
pub fn parts_in_history(all: &Findings<'_>, findings: &[Finding]) -> Vec<Finding> {
    let mut rules = BTreeSet::new();
    for finding in findings.iter().filter(|_| all.store.has_history()) {
        let Logic::Risk(risk) = &all.set.rules[finding.rule].logic else { continue };
        let parts = adding(all, risk, finding).into_iter();
        let old = parts.filter(|(_, part)| part.events.iter().any(|event| all.store.is_history(*event)));
        rules.extend(old.map(|(rule, _)| all.set.rules[rule].name.clone()));
    }
    if rules.is_empty() { vec![] } else { all.of_history(|rule| rules.contains(&rule.name)) }
}

/// Puts away the findings of `risk` that would not be there without findings that were put away, by what put these away.
/// Those of the history may be parts, too.
pub fn settle(all: &Findings<'_>, findings: &mut [Finding], of_history: &[Finding]) {
    // Of several findings that an event completed none may be left.
    let mut put_away: HashMap<(usize, u32), Option<SuppressedBy>> = HashMap::new();
    for finding in findings.iter().chain(of_history) {
        for completing in &finding.completing {
            match put_away.entry((finding.rule, completing.event)) {
                Entry::Vacant(entry) => _ = entry.insert(finding.suppressed_by.clone()),
                Entry::Occupied(mut entry) if finding.suppressed_by.is_none() => _ = entry.insert(None),
                Entry::Occupied(_) => {}
            }
        }
    }
    if put_away.values().all(Option::is_none) {
        return;
    }
    for finding in findings {
        let Logic::Risk(risk) = &all.set.rules[finding.rule].logic else { continue };
        if finding.status == Status::Suppressed || finding.is_raised() {
            continue;
        }
        let by = |(rule, addition): (&usize, &Addition)| {
            let of_event = |event: &u32| put_away.get(&(*rule, *event))?.as_ref();
            addition.events.iter().map(of_event).collect::<Option<Vec<_>>>()?.first().copied()
        };
        let adding = adding(all, risk, finding);
        let (gone, left): (Vec<_>, Vec<_>) = adding.iter().partition(|addition| by(*addition).is_some());
        let score: u32 = left.iter().map(|(_, addition)| weight(addition.level)).sum();
        if let Some(by) = gone.into_iter().find_map(by)
            && (score < risk.min_score || left.len() < risk.min_rules)
        {
            finding.status = Status::Suppressed;
            finding.suppressed_by = Some(by.clone());
        }
    }
}

/// What adds up to a finding of `risk`, by rule.
pub fn adding(all: &Findings<'_>, risk: &Risk, finding: &Finding) -> BTreeMap<usize, Addition> {
    let events: Vec<u32> = finding.completing.iter().map(|completing| completing.event).collect();
    let Findings { set, store, detected, .. } = *all;
    let its = events.first().zip(finding.entity_key.as_deref());
    let its = its.and_then(|(event, key)| entity(store, detected, finding.rule, *event, key));
    its.map(|entity| additions(set, store, detected, risk, entity, events)).unwrap_or_default()
}
