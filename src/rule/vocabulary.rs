//! Vocabulary: the words of fields that have only a few, so that one which no event can have is pointed out.

use super::detection::{Warnings, fault};
use super::pattern::{Folded, Pattern};
use crate::event::field::{Field, Norm, Part};
use crate::event::nearest::hint;

const TRUTH: &[&str] = &["true", "false"];
const TRENDS: &[&str] = &["up", "down", "on", "off", "added", "removed", "widened", "cleared", "changed"];

/// All words that a field can have; `None` where anything may stand in it.
fn words(field: &Field) -> Option<&'static [&'static str]> {
    Some(match field {
        Field::Norm(Norm::Outcome) => &["success", "failure", "challenge", "none"],
        Field::Norm(Norm::ActorType) => &["admin", "user", "system", "service"],
        Field::Norm(Norm::ActorVia) => &["session", "api-key", "scim", "device", "other"],
        Field::Norm(Norm::AgentKind) => &["browser", "script", "app", "unknown"],
        Field::Norm(Norm::PolicyAction) => &["DENY", "ALLOW_WITH_MFA", "ALLOW"],
        Field::Norm(
            Norm::MfaUsed | Norm::MfaPushDenied | Norm::PasswordOk | Norm::DeviceManaged | Norm::IntelMatched,
        ) => TRUTH,
        Field::Change(_, Part::Trend) => TRENDS,
        Field::Raw(path) if *path == ["success"] => TRUTH,
        _ => return None,
    })
}

/// Warns of comparisons that no word of the field can pass.
pub(super) fn check(field: &Field, patterns: &[Pattern], key: &str, warnings: &mut Warnings) {
    let Some(words) = words(field) else { return };
    for pattern in patterns {
        let is_of_text = !matches!(pattern, Pattern::Null | Pattern::Exists(_) | Pattern::Reference(..));
        if is_of_text && !words.iter().any(|word| pattern.matches(&Folded::new(word))) {
            let typed = match pattern {
                Pattern::Glob(glob) => glob.literal(),
                _ => None,
            };
            let hint = hint(typed.unwrap_or_default(), words.iter().copied());
            let why = match field {
                // Whatever else the log calls an actor is its type, too.
                Field::Norm(Norm::ActorType) => "no actor is known to be that",
                _ => "no event has that",
            };
            warnings.push(fault(key, format!("{} {pattern}: {why}{hint}", field.name())));
        }
    }
}
