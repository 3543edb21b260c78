//! Decision: what came of a request or of a policy, where the record says it in a word of its own.

use super::phrases::{DECISIONS, POLICY_FAILED, POLICY_TOLD};
use super::words::Words;
use crate::event::field::Norm;
use crate::event::letters;

/// Where a record says what was decided.
const WHERE: [&str; 4] = ["raw.changes.to", "status", "state", "resource.status"];

/// What was done to the request, or what became of the policy. `None` where the record does not say it, or says more than
/// one thing, and where the outcome tells.
pub fn phrase(event_type: &str, words: &Words<'_>) -> Option<&'static str> {
    match event_type {
        "access_management_access_request_approval" => of_request(words),
        "policy_result" => of_policy(words),
        _ => None,
    }
}

fn of_request(words: &Words<'_>) -> Option<&'static str> {
    let said: Vec<String> = WHERE.iter().flat_map(|name| words.all(name)).map(|text| letters::lower(&text)).collect();
    let is_said = |(signs, _): &&(&[&str], &str)| said.iter().any(|text| signs.iter().any(|sign| text.contains(sign)));
    let mut found = DECISIONS.iter().filter(is_said);
    found.next().filter(|_| found.next().is_none()).map(|(_, phrase)| *phrase)
}

/// A device says in `state` what became of a policy, whatever the outcome. The words are not documented: what has those of
/// success and of failure, or says no to one of them, is quoted.
fn of_policy(words: &Words<'_>) -> Option<&'static str> {
    let state = letters::lower(words.named("state").unwrap_or_default());
    let has = |signs: &[&str]| signs.iter().any(|sign| state.contains(sign));
    let is_good = has(&["success", "applied", "compliant"]);
    let is_bad = has(&["fail", "error"]);
    let is_negated = has(&["no", "un"]);
    match words.norm(Norm::Outcome).as_deref() {
        Some("failure") => None,
        _ if is_bad && !is_good && !is_negated => Some(POLICY_FAILED),
        _ if is_good && !is_bad && !is_negated => None,
        Some("success") if state.is_empty() => None,
        _ => Some(POLICY_TOLD),
    }
}
