//! Actor: who did it, and by what means.

use super::json::Json;
use super::letters;
use super::party::{Class, Party, kind_of, object};
use super::target::{may_be_own, names_whom};

/// Who did it: `initiated_by`; the top-level user name of RADIUS, LDAP and device sign-ins; `resource` in
/// the 2020 shape of sign-in attempts, which has no `initiated_by`.
pub fn actor<'e>(json: &'e Json<'e>, event_type: &str) -> Party<'e> {
    let newer_id = json.text_at(&["jc_initiated_by_id"]);
    let newer_email = json.text_at(&["jc_initiated_by_email"]);
    let named = json.text_at(&["username"]);
    let username = named.filter(|_| !names_whom(event_type));
    let mut told = None;
    // Bridges that fill in zero values write one of empty texts where there is none.
    if let Some(by) = json.said(&["initiated_by"]) {
        let kind = by.text_at(&["type"]).or_else(|| guessed_kind(by, username, event_type));
        let email = by.text_at(&["email"]).or(newer_email);
        let id = by.text_at(&["id"]).or(newer_id);
        let is = |known: &str| kind.is_some_and(|kind| kind_of(kind) == known);
        // Of what an administrator or JumpCloud did it names the account that it was done to, unless they signed in.
        let is_theirs = is("user") || is_attempt(event_type) || is_of_users(event_type) && !is("admin");
        let own = if is("user") && may_be_own(event_type) { named } else { username.filter(|_| is_theirs) };
        let name = by.text_at(&["username"]).or(own).or_else(|| by.text_at(&["name"]));
        told = kind;
        let party = Party::of(kind, id, name, email);
        if !party.is_unknown() || party.kind.as_deref() == Some("system") {
            return party;
        }
    }
    if newer_id.is_some() || newer_email.is_some() {
        return Party::of(Some("user"), newer_id, username, newer_email);
    }
    if is_attempt(event_type)
        && let Some(resource) = json.said(&["resource"])
    {
        let party = object(resource);
        if matches!(party.class(), Class::Admin | Class::User) {
            return party;
        }
    }
    username.map(|name| Party::of(told.or(Some("user")), None, Some(name), None)).unwrap_or_default()
}

/// What an `initiated_by` without a type is. Records of administrators have their e-mail, those of users their name;
/// only where people enrol and sign in, an e-mail is theirs.
fn guessed_kind(by: &Json<'_>, username: Option<&str>, event_type: &str) -> Option<&'static str> {
    if by.text_at(&["username"]).is_some() || is_of_users(event_type) {
        Some("user")
    } else if by.text_at(&["email"]).is_some() || event_type.starts_with("admin_") {
        Some("admin")
    } else {
        username.map(|_| "user")
    }
}

/// What only users do: they sign in, enrol factors and a Windows device of theirs in MDM, change their password, and open
/// the password manager.
fn is_of_users(event_type: &str) -> bool {
    const TYPES: &[&str] = &[
        "configuration_file_download",
        "device_enrollment",
        "ldap_bind",
        "ldap_srch",
        "login_attempt",
        "radius_auth_attempt",
        "sso_auth",
        "totp_finish_enrollment",
        "totp_start_enrollment",
        "user_login_attempt",
        "user_password_change",
        "user_password_reset_request",
    ];
    TYPES.contains(&event_type) || event_type.starts_with("passwordmanager_item")
}

/// Sign-in attempts and requests for one's own account, whose `resource` is the actor where nobody else is.
pub fn is_attempt(event_type: &str) -> bool {
    event_type.ends_with("login_attempt")
        || event_type.ends_with("password_reset_request")
        || event_type == "admin_old_api_key_attempt"
}

/// By what means the actor acted: `session`, `api-key`, `scim`, `device` or `other`; `None` where the
/// record does not say (sign-ins do not).
pub fn via(json: &Json<'_>, actor: &Party<'_>) -> Option<&'static str> {
    if let Some(source) = json.text_at(&["initiated_by", "source"])
        && source.to_ascii_lowercase().contains("scim")
    {
        return Some("scim");
    }
    match json.text_at(&["service"]) {
        // Administrators act on devices from the console; how a session went on is told by the device, from its own
        // address, as is what has no word for how they were let in.
        Some("systems") if actor.class() != Class::Admin || !is_of_console(json) => return Some("device"),
        // It writes there how the bind was made.
        Some("ldap") => return None,
        _ => {}
    }
    let method = json.text_at(&["auth_method"])?;
    Some(match letters::of(method).as_str() {
        "session" => "session",
        "apikey" => "api-key",
        _ => "other",
    })
}

/// Whether a record of the devices' service is of something that was clicked in the console.
fn is_of_console(json: &Json<'_>) -> bool {
    const CLICKED: &[&str] = &["device_command", "remote_session_start", "system_fde_key_decrypt"];
    json.text_at(&["auth_method"]).is_some() || json.text_at(&["event_type"]).is_some_and(|t| CLICKED.contains(&t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &'static str) -> Json<'static> {
        Json::parse(text).unwrap()
    }

    #[test]
    fn admin_by_email_and_user_by_username() {
        let j = json(r#"{"initiated_by":{"id":"1","type":"admin","email":"a@x.io"}}"#);
        let a = actor(&j, "admin_login_attempt");
        assert_eq!((a.class(), a.id, a.name, a.email), (Class::Admin, Some("1"), None, Some("a@x.io")));
        let j = json(r#"{"initiated_by":{"type":"user","username":"jane"},"username":"jane"}"#);
        let a = actor(&j, "radius_auth_attempt");
        assert_eq!((a.class(), a.shown()), (Class::User, Some("jane")));
    }

    #[test]
    fn actor_of_the_2020_shape_is_the_resource() {
        let j = json(r#"{"resource":{"id":"5c","type":"admin","email":"jane@x.io"}}"#);
        assert_eq!(actor(&j, "admin_login_attempt").id, Some("5c"));
        assert!(actor(&j, "admin_update").is_unknown());
    }

    #[test]
    fn an_initiated_by_of_empty_texts_is_none() {
        for by in [r#"{"type":"","username":""}"#, r#"{"type":"","username":"","administrator":false}"#, "{}", "null"] {
            let text = format!(r#"{{"initiated_by":{by},"username":"jo"}}"#);
            let json = Json::parse(&text).unwrap();
            let who = actor(&json, "login_attempt");
            assert_eq!((who.class(), who.name), (Class::User, Some("jo")), "{by}");
        }
    }

    #[test]
    fn via_of_each_spelling() {
        for (text, want) in [
            (r#"{"auth_method":"api key"}"#, Some("api-key")),
            (r#"{"auth_method":"api-key"}"#, Some("api-key")),
            (r#"{"auth_method":"session"}"#, Some("session")),
            (r#"{"auth_method":"other"}"#, Some("other")),
            (r#"{"auth_method":"api key","initiated_by":{"source":"scim"}}"#, Some("scim")),
            (r#"{"initiated_by":{"source":"jumpcloud:scim"}}"#, Some("scim")),
            (r#"{"service":"systems"}"#, Some("device")),
            (r#"{"service":"systems","username":"jane"}"#, Some("device")),
            (r#"{"service":"systems","initiated_by":{"type":"admin","email":"a@x.io"}}"#, Some("device")),
            (
                r#"{"service":"systems","initiated_by":{"type":"admin","id":"1"},"auth_method":"session"}"#,
                Some("session"),
            ),
            (r#"{"service":"ldap","auth_method":"simple"}"#, None),
            (r"{}", None),
        ] {
            let json = json(text);
            assert_eq!(via(&json, &actor(&json, "user_update")), want, "{text}");
        }
    }

    #[test]
    fn an_email_without_a_type_is_an_administrators_unless_only_users_do_that() {
        for (event_type, want) in [
            ("mdm_command_result", "admin"),
            ("user_update", "admin"),
            ("device_enrollment", "user"),
            ("configuration_file_download", "user"),
            ("sso_auth", "user"),
            ("totp_finish_enrollment", "user"),
            ("passwordmanager_items_export", "user"),
            ("passwordmanager_folder_create", "admin"),
        ] {
            let text = format!(r#"{{"event_type":"{event_type}","initiated_by":{{"email":"jo@x.io"}}}}"#);
            let json = Json::parse(&text).unwrap();
            let who = actor(&json, event_type);
            assert_eq!((who.kind.as_deref(), who.email), (Some(want), Some("jo@x.io")), "{event_type}");
        }
    }
}
