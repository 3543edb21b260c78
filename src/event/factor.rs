//! Factor: which proofs of identity a sign-in used. A factor that is `false` beside a success was simply
//! not used; only a failed sign-in makes it a failure.

use std::net::IpAddr;

use super::Outcome;
use super::json::Json;
use super::source::{address, country_code};

/// Second factors in `auth_methods`, with the name they are shown by.
const SECOND: &[(&str, &str)] = &[
    ("totp", "totp"),
    ("webauthn", "webauthn"),
    ("duo", "duo"),
    ("jumpcloud_protect", "push"),
    ("jumpcloud_go", "jumpcloud_go"),
    ("jumpcloud_go_uv", "jumpcloud_go_uv"),
];

/// What a sign-in says of itself under a key, in either spelling of its context.
pub(super) fn context<'e>(json: &'e Json<'e>, key: &str) -> Option<&'e Json<'e>> {
    ["auth_context", "auth_meta"].iter().find_map(|outer| json.said(&[outer, key]))
}

fn method(json: &Json<'_>, name: &str) -> Option<bool> {
    context(json, "auth_methods")?.answer_at(&[name, "success"])
}

/// Whether a second factor was used: `mfa`, or one of the factors succeeded.
pub fn mfa_used(json: &Json<'_>, outcome: Outcome) -> Option<bool> {
    if outcome == Outcome::Success && SECOND.iter().any(|(key, _)| method(json, key) == Some(true)) {
        return Some(true);
    }
    json.answer_at(&["mfa"])
}

/// The second factors that succeeded; `mfa_meta.type` where the record names only that. In an attempt that failed that is
/// what was asked for and not what was used.
pub fn factors(json: &Json<'_>, outcome: Outcome) -> Vec<String> {
    let used: Vec<String> =
        SECOND.iter().filter(|(key, _)| method(json, key) == Some(true)).map(|(_, name)| (*name).to_owned()).collect();
    if !used.is_empty() || outcome == Outcome::Failure || json.answer_at(&["mfa"]) != Some(true) {
        return used;
    }
    match json.text_at(&["mfa_meta", "type"]) {
        Some(kind) if !kind.eq_ignore_ascii_case("none") => vec![kind.to_ascii_lowercase()],
        _ => used,
    }
}

fn was_push(json: &Json<'_>) -> bool {
    let meta = json.text_at(&["mfa_meta", "type"]).map(str::to_ascii_lowercase);
    let meta = meta.is_some_and(|name| name.contains("push") || name.contains("protect"));
    meta || context(json, "jumpcloud_protect_device").is_some()
}

/// A push that was refused or ran out: the whole attempt failed, the password was right, the push was not,
/// and a push was really sent.
pub fn push_denied(json: &Json<'_>, outcome: Outcome) -> bool {
    outcome == Outcome::Failure
        && method(json, "password") == Some(true)
        && method(json, "jumpcloud_protect") == Some(false)
        && !SECOND.iter().any(|(key, _)| method(json, key) == Some(true))
        && was_push(json)
}

/// The country of the phone that answered a push.
pub fn push_country(json: &Json<'_>) -> Option<String> {
    context(json, "jumpcloud_protect_device")?.get("geoip").and_then(country_code)
}

/// The address of the phone that answered a push.
pub fn push_address(json: &Json<'_>) -> Option<IpAddr> {
    context(json, "jumpcloud_protect_device")?.text_at(&["ip"]).and_then(address)
}

/// Whether the password was right: known where it succeeded, or where the attempt failed on it.
pub fn password_ok(json: &Json<'_>, outcome: Outcome) -> Option<bool> {
    match method(json, "password")? {
        true => Some(true),
        false if outcome == Outcome::Failure => Some(false),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn j(text: &'static str) -> Json<'static> {
        Json::parse(text).unwrap()
    }

    #[test]
    fn an_unused_push_is_not_denied() {
        let ok = j(
            r#"{"auth_context":{"auth_methods":{"password":{"success":true},"totp":{"success":true},"jumpcloud_protect":{"success":false}},"jumpcloud_protect_device":{"id":"1"}}}"#,
        );
        assert!(!push_denied(&ok, Outcome::Success));
        assert!(!push_denied(&ok, Outcome::Failure));
        let bad_totp = j(
            r#"{"auth_context":{"auth_methods":{"password":{"success":true},"totp":{"success":false},"jumpcloud_protect":{"success":false}}}}"#,
        );
        assert!(!push_denied(&bad_totp, Outcome::Failure));
    }

    #[test]
    fn a_refused_push_is_denied_and_its_country_known() {
        let no = j(
            r#"{"mfa_meta":{"type":"push"},"auth_context":{"auth_methods":{"password":{"success":true},"jumpcloud_protect":{"success":false}},"jumpcloud_protect_device":{"ip":"::ffff:1.2.3.4","geoip":{"country_code":"us"}}}}"#,
        );
        assert!(push_denied(&no, Outcome::Failure));
        assert_eq!(push_country(&no).as_deref(), Some("US"));
        assert_eq!(push_address(&no).unwrap().to_string(), "1.2.3.4");
    }

    #[test]
    fn password_and_factors() {
        let unused = j(r#"{"auth_context":{"auth_methods":{"password":{"success":false}}}}"#);
        assert_eq!(password_ok(&unused, Outcome::Success), None);
        assert_eq!(password_ok(&unused, Outcome::Failure), Some(false));
        let ldap = j(r#"{"auth_meta":{"auth_methods":{"password":{"success":true},"webauthn":{"success":true}}}}"#);
        assert_eq!(factors(&ldap, Outcome::Success), ["webauthn"]);
        assert_eq!(mfa_used(&ldap, Outcome::Success), Some(true));
        let both = j(
            r#"{"auth_context":{"auth_methods":{"password":{}}},"auth_meta":{"auth_methods":{"password":{"success":true}}}}"#,
        );
        assert_eq!(password_ok(&both, Outcome::Success), Some(true));
        let named = j(r#"{"mfa":true,"mfa_meta":{"type":"TOTP"}}"#);
        assert_eq!(factors(&named, Outcome::Success), ["totp"]);
        assert_eq!(factors(&named, Outcome::Failure), Vec::<String>::new());
    }
}
