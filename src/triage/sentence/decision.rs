//! Decision: what came of a request, where the record says it.

use super::phrases::DECISIONS;
use super::words::Words;

/// Where a record says what was decided.
const WHERE: [&str; 4] = ["raw.changes.to", "status", "state", "resource.status"];

/// What was done to the request. `None` where the record does not say it, or says more than one thing.
pub fn phrase(event_type: &str, words: &Words<'_>) -> Option<&'static str> {
    if event_type != "access_management_access_request_approval" {
        return None;
    }
    let said: Vec<String> = WHERE.iter().flat_map(|name| words.all(name)).map(|text| text.to_lowercase()).collect();
    let is_said = |(signs, _): &&(&[&str], &str)| said.iter().any(|text| signs.iter().any(|sign| text.contains(sign)));
    let mut found = DECISIONS.iter().filter(is_said);
    found.next().filter(|_| found.next().is_none()).map(|(_, phrase)| *phrase)
}
