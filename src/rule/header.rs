//! Header: what a rule file says of a rule in Sigma's own keys, beside its logic.

use serde_json::{Map, Value as Yaml};

use super::detection::{Fault, Warnings, fault};
use crate::event::nearest::hint;

/// Keys of a Sigma rule; ours is `jcdetect`.
const KEYS: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "correlation",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "jcdetect",
];

/// How far a rule has come, in the words of Sigma.
const STATUSES: &[&str] = &["stable", "test", "experimental", "deprecated", "unsupported"];

/// Checks that a rule means what it says: keys, status, id, names of fields and the source of its log.
pub(super) fn check(rule: &Map<String, Yaml>, warnings: &mut Warnings) -> Result<(), Fault> {
    for key in rule.keys() {
        match key.as_str() {
            "filter" => return Err(fault("filter", "filter documents are not supported: use `not` in the condition")),
            "action" => {
                return Err(fault("action", "`action` is of an old form of Sigma: write each rule as a document"));
            }
            known if KEYS.contains(&known) => {}
            other => {
                let hint = hint(other, KEYS.iter().copied());
                warnings.push(fault(other, format!("`{other}` is not a key of a rule{hint}")));
            }
        }
    }
    if let Some(status) = rule.get("status").and_then(Yaml::as_str).filter(|word| !STATUSES.contains(&word.trim())) {
        let hint = hint(status, STATUSES.iter().copied());
        warnings.push(fault("status", format!("unknown status {status:?}{hint}")));
    }
    if let Some(taxonomy) = rule.get("taxonomy").filter(|name| !name.is_null() && name.as_str() != Some("sigma")) {
        let remedy = "fields mean here what docs/writing-rules.md says; name them so, and leave it out";
        warnings.push(fault("taxonomy", format!("taxonomy: {taxonomy} changes nothing: {remedy}")));
    }
    if let Some(id) = rule.get("id").filter(|id| !id.as_str().is_some_and(is_uuid)) {
        warnings.push(fault(
            "id",
            format!("id: {id} is not a UUID; write eight, four, four, four and twelve hexadecimal digits"),
        ));
    }
    check_source_keys(rule)
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// What else is said of the source of the log would have to be a condition.
fn check_source_keys(rule: &Map<String, Yaml>) -> Result<(), Fault> {
    let keys = rule.get("logsource").and_then(Yaml::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
    match keys.into_iter().find(|key| !["product", "definition"].contains(key)) {
        Some(key) => {
            let remedy = "say it in the detection, as in `service: radius`";
            Err(fault(key, format!("`logsource.{key}` is not supported: {remedy}")))
        }
        None => Ok(()),
    }
}

/// Checks that a detection is for events of JumpCloud.
pub(super) fn check_product(rule: &Map<String, Yaml>) -> Result<(), Fault> {
    match rule.get("logsource").and_then(|l| l.get("product")).and_then(Yaml::as_str) {
        Some("jumpcloud") => Ok(()),
        Some(other) => {
            Err(fault("logsource", format!("the rule is for {other:?}: logsource.product has to be jumpcloud")))
        }
        None => Err(fault("title", "the rule lacks `logsource: {product: jumpcloud}`")),
    }
}
