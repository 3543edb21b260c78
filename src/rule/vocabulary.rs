//! Vocabulary: the words of fields that have only a few, so that one which no event can have is pointed out.

use super::detection::{Warnings, fault};
use super::folded::Folded;
use super::pattern::{Order, Pattern, TimePart};
use crate::event::catalogue;
use crate::event::field::{Field, Norm, Part};
use crate::event::nearest::hint;

const TRUTH: &[&str] = &["true", "false"];
const TRENDS: &[&str] = &["up", "down", "on", "off", "added", "removed", "widened", "cleared", "changed"];

const FACTORS: &[&str] =
    &["totp", "webauthn", "duo", "push", "jumpcloud_protect", "protect", "jumpcloud_go", "jumpcloud_go_uv", "go"];

/// Members of records that are true or false.
const SWITCHES: &[&str] = &["success", "mfa", "sso_token_success", "idp_initiated", "start_tls", "tls_established"];

/// Whether a text, which may have wildcards, is a country as `source.country` writes one. ISO 3166-1 keeps UK for the United
/// Kingdom, but no database of places says it.
pub(super) fn is_country(text: &str) -> bool {
    let is_code =
        || text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) && !text.eq_ignore_ascii_case("UK");
    text.contains(['*', '?']) || is_code()
}

/// How a country is written.
pub(super) const COUNTRY: &str = "a country is two letters, as in FR, or GB for the United Kingdom";

/// All words that a field can have, or is known to have; `None` where anything may stand in it.
pub(super) fn words(field: &Field) -> Option<&'static [&'static str]> {
    Some(match field {
        Field::Norm(Norm::Outcome) => &["success", "failure", "challenge", "none"],
        Field::Norm(Norm::ActorType) => &["admin", "user", "system", "service", "workflow"],
        Field::Norm(Norm::ActorVia) => &["session", "api-key", "scim", "device", "other"],
        Field::Norm(Norm::AgentKind) => &["browser", "script", "app", "unknown"],
        Field::Norm(Norm::MfaFactor) => FACTORS,
        Field::Norm(Norm::SourceAnonymous) => &["tor", "vpn", "proxy", "anonymous", "hosting"],
        Field::Norm(Norm::PolicyAction) => &["DENY", "ALLOW_WITH_MFA", "ALLOW"],
        Field::Norm(
            Norm::MfaUsed | Norm::MfaPushDenied | Norm::PasswordOk | Norm::DeviceManaged | Norm::IntelMatched,
        ) => TRUTH,
        Field::Change(_, Part::Trend) => TRENDS,
        Field::Raw(path) => match path.as_slice() {
            [member] if SWITCHES.contains(&member.as_str()) => TRUTH,
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether a field has no other than its words: whatever else the log calls an actor or a factor is one, too.
pub(super) fn is_closed(field: &Field) -> bool {
    words(field).is_some() && !matches!(field, Field::Norm(Norm::ActorType | Norm::MfaFactor))
}

/// Warns of comparisons that no word of the field can pass.
pub(super) fn check(field: &Field, patterns: &[Pattern], key: &str, warnings: &mut Warnings) {
    match field {
        Field::Norm(Norm::EventType) => check_event_types(patterns, key, warnings),
        field if is_of_places(field) => check_countries(field, patterns, key, warnings),
        _ => {}
    }
    for pattern in patterns {
        if let Pattern::Time(part, order, n) = pattern
            && let Some(last) = part.last().filter(|_| !tells_apart(*part, *order, *n))
        {
            let (first, name) = (part.first(), field.name());
            warnings.push(fault(
                key,
                format!("{name} {pattern}: that is so of every event or of none; it goes from {first} to {last}"),
            ));
        }
    }
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
                Field::Norm(Norm::ActorType) => "no actor is known to be that",
                Field::Norm(Norm::MfaFactor) => "no factor is known to be that",
                _ => "no event has that",
            };
            warnings.push(fault(key, format!("{} {pattern}: {why}{hint}", field.name())));
        }
    }
}

/// Warns of two fields that are compared though no word of the one is one of the other.
pub(super) fn check_both(fields: [&Field; 2], near: &str, warnings: &mut Warnings) {
    let [one, other] = fields;
    let is_apart = |one: &Field, other: &Field| match (words(one), words(other)) {
        (Some(own), Some(others)) => !own.iter().any(|word| others.contains(word)),
        (Some(own), None) => is_of_places(other) && !own.iter().any(|word| is_country(word)),
        _ => false,
    };
    if is_apart(one, other) || is_apart(other, one) {
        let (one, other) = (one.name(), other.name());
        warnings.push(fault(near, format!("{one} and {other} have no word in common, so they are never the same")));
    }
}

fn is_of_places(field: &Field) -> bool {
    matches!(field, Field::Norm(Norm::SourceCountry | Norm::MfaPushCountry))
}

/// A misspelt event type never matches and never complains, so it is pointed out. Wildcards may be there for types that are
/// not known yet.
fn check_event_types(patterns: &[Pattern], key: &str, warnings: &mut Warnings) {
    for pattern in patterns {
        if let Pattern::Glob(glob) = pattern
            && let Some(name) = glob.literal()
            && catalogue::service_of(name).is_none()
        {
            let hint = hint(name, catalogue::names());
            let message = format!("unknown event type {name:?}, neither documented nor seen in an export{hint}");
            warnings.push(fault(key, message));
        }
    }
}

fn check_countries(field: &Field, patterns: &[Pattern], key: &str, warnings: &mut Warnings) {
    for pattern in patterns {
        if let Pattern::Glob(glob) = pattern
            && let Some(text) = glob.literal().filter(|text| !is_country(text))
        {
            warnings.push(fault(key, format!("{} is {text}: no event has that; {COUNTRY}", field.name())));
        }
    }
}

/// Whether a comparison with a part of a time holds of some of its values and not of all.
fn tells_apart(part: TimePart, order: Order, n: f64) -> bool {
    let Some(last) = part.last() else { return true };
    let held = (part.first()..=last).filter(|value| order.holds(f64::from(*value), n)).count();
    held > 0 && held <= (last - part.first()) as usize
}
