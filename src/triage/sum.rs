//! Sum: a finding of `risk` without what was put away of it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::finding::{Finding, Findings};
use super::status::{Answer, Status};
use crate::detect::risk::{Addition, additions, entity, weight};
use crate::rule::logic::{Logic, Risk};

/// Puts away the findings of `risk` that would not be there without findings that were put away, by what put these away.
pub fn settle(all: &Findings<'_>, findings: &mut [Finding]) {
    if findings.iter().all(|finding| finding.status != Status::Suppressed) {
        return;
    }
    // Of several findings that an event completed none may be left.
    let mut put_away: HashMap<(usize, u32), Option<usize>> = HashMap::new();
    for (place, finding) in findings.iter().enumerate() {
        let by = (finding.status == Status::Suppressed).then_some(place);
        for completing in &finding.completing {
            match put_away.entry((finding.rule, completing.event)) {
                Entry::Vacant(entry) => _ = entry.insert(by),
                Entry::Occupied(mut entry) if by.is_none() => _ = entry.insert(None),
                Entry::Occupied(_) => {}
            }
        }
    }
    for place in 0..findings.len() {
        let finding = &findings[place];
        let is_raised = finding.answer.as_ref().is_some_and(|answered| answered.answer != Answer::Yes);
        let Logic::Risk(risk) = &all.set.rules[finding.rule].logic else { continue };
        if finding.status == Status::Suppressed || is_raised {
            continue;
        }
        let by = |(rule, addition): (&usize, &Addition)| {
            let of_event = |event: &u32| put_away.get(&(*rule, *event)).copied().flatten();
            addition.events.iter().map(of_event).collect::<Option<Vec<usize>>>()?.first().copied()
        };
        let adding = adding(all, risk, finding);
        let (gone, left): (Vec<_>, Vec<_>) = adding.iter().partition(|addition| by(*addition).is_some());
        let score: u32 = left.iter().map(|(_, addition)| weight(addition.level)).sum();
        if let Some(by) = gone.into_iter().find_map(by)
            && (score < risk.min_score || left.len() < risk.min_rules)
        {
            let suppressed_by = findings[by].suppressed_by.clone();
            findings[place].status = Status::Suppressed;
            findings[place].suppressed_by = suppressed_by;
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
