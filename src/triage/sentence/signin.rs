//! Sign-in: how an attempt to get in is said, with its factors, or why it failed.

use super::wording::Wording;
use super::words::Words;
use crate::event::field::Norm;

/// How attempts of a type are said.
struct Attempt {
    event_type: &'static str,
    /// to what, or by which way
    door: &'static str,
    /// what is said where the attempt goes on in another event
    challenge: &'static str,
    /// a sign-in without a further factor is worth a word
    tells_missing_factor: bool,
}

const ATTEMPTS: &[Attempt] = &[
    Attempt {
        event_type: "admin_login_attempt",
        door: " to the Admin Portal",
        challenge: "was asked for a further factor by the Admin Portal",
        tells_missing_factor: true,
    },
    Attempt {
        event_type: "user_login_attempt",
        door: " to the user portal",
        challenge: "was asked for a further factor by the user portal",
        tells_missing_factor: true,
    },
    Attempt {
        event_type: "sso_auth",
        door: "[ to {app}] through SSO",
        challenge: "was asked for a further factor on the way[ to {app}]",
        tells_missing_factor: false,
    },
    Attempt {
        event_type: "radius_auth_attempt",
        door: " over RADIUS[ ({eap_type})][ at {source.gateway}]",
        challenge: "was asked for a further factor over RADIUS",
        tells_missing_factor: false,
    },
    Attempt {
        event_type: "ldap_bind",
        door: " to LDAP",
        challenge: "goes on signing in to LDAP",
        tells_missing_factor: false,
    },
    Attempt {
        event_type: "login_attempt",
        door: " to {the device}[ with {process_name}]",
        challenge: "was asked for a further factor by {the device}",
        tells_missing_factor: false,
    },
];

/// Whether events of this type are attempts to get in.
pub fn is_one(event_type: &str) -> bool {
    attempt(event_type).is_some()
}

fn attempt(event_type: &str) -> Option<&'static Attempt> {
    ATTEMPTS.iter().find(|attempt| attempt.event_type == event_type)
}

/// How an attempt is said. A record that does not say how it ended says no more than that it was made.
pub fn phrase(event_type: &str, words: &Words<'_>) -> Option<Wording> {
    let attempt = attempt(event_type)?;
    let did = match words.norm(Norm::Outcome).as_deref() {
        Some("success") => "signed in",
        Some("failure") => "failed to sign in",
        Some("challenge") => return Some(words.fill(attempt.challenge)),
        _ => "tried to sign in",
    };
    Some(words.fill(&format!("{did}{}", attempt.door)))
}

/// The factors of an attempt, or why it failed, to be put behind the sentence.
pub fn clause(event_type: &str, words: &Words<'_>) -> String {
    let is_clear = event_type.starts_with("ldap") && words.named("tls_established").as_deref() == Some("false");
    let tls = if is_clear { ", without TLS" } else { "" };
    let Some(attempt) = attempt(event_type) else { return tls.to_owned() };
    let mut out = String::new();
    let outcome = words.norm(Norm::Outcome).unwrap_or_default();
    let has_ended_well = matches!(outcome.as_str(), "success" | "challenge");
    if words.is_true(Norm::MfaUsed) {
        let factor = words.norm(Norm::MfaFactor);
        // What did not get in was asked for a factor, unless one is known to have been right.
        let is_asked = factor.is_none() && !has_ended_well;
        let pushed = || words.is_true(Norm::MfaPushDenied).then(|| "push".to_owned());
        let asked = pushed().or_else(|| words.named("mfa_meta.type"));
        let asked = asked.filter(|kind| is_asked && !kind.eq_ignore_ascii_case("none"));
        let factor = factor.or_else(|| asked.map(|kind| kind.to_ascii_lowercase()));
        let how = if is_asked { "asked for" } else { "with" };
        out += &format!(", {how} {}", factor.as_deref().map_or("MFA", factor_words));
        let country = words.norm(Norm::MfaPushCountry);
        if let Some(country) = country.filter(|there| Some(there) != words.norm(Norm::SourceCountry).as_ref()) {
            let approved = if is_asked || words.is_true(Norm::MfaPushDenied) { "" } else { " approved" };
            out += &format!("{approved} on a phone in {country}");
        }
    } else if outcome == "success" && attempt.tells_missing_factor && words.norm(Norm::MfaUsed).is_some() {
        out += ", without MFA";
    }
    if words.is_true(Norm::MfaPushDenied) {
        out += ", because the push was denied or ran out";
    } else if words.norm(Norm::PasswordOk).as_deref() == Some("false") {
        out += ", with a wrong password";
    }
    if words.norm(Norm::PolicyAction).as_deref() == Some("DENY") {
        out += ", denied by a policy";
    }
    out + tls
}

fn factor_words(factor: &str) -> &str {
    match factor {
        "totp" => "TOTP",
        "webauthn" => "a security key",
        "duo" => "Duo",
        "push" => "a push",
        "jumpcloud_go" => "JumpCloud Go",
        "jumpcloud_go_uv" => "JumpCloud Go and a fingerprint, face or PIN",
        other => other,
    }
}
