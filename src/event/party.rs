//! Party: who did something, or whom it was done to, as the record names it.

use std::borrow::Cow;

use super::json::Json;
use super::letters;

/// What kind of thing a party is. An admin and a user are never one identity, whatever their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// an administrator of the organization or of its provider
    Admin,
    /// a person (or service account) of the directory
    User,
    /// anything else: a device, a group, an application, a policy, JumpCloud itself
    Thing,
}

/// A party of an event. Empty texts in the record are absent here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Party<'e> {
    /// `admin`, `user`, `system`, `service`, or what the record says (`application`, `user_group`, …)
    pub kind: Option<Cow<'e, str>>,
    /// the object id
    pub id: Option<&'e str>,
    /// user name, or the name of a thing
    pub name: Option<&'e str>,
    /// e-mail address
    pub email: Option<&'e str>,
}

impl<'e> Party<'e> {
    /// Nothing says who.
    pub fn is_unknown(&self) -> bool {
        self.id.is_none() && self.name.is_none() && self.email.is_none()
    }

    /// The name to show: user name, else e-mail, else id.
    pub fn shown(&self) -> Option<&'e str> {
        self.name.or(self.email).or(self.id)
    }

    /// Admin, user, or a thing.
    pub fn class(&self) -> Class {
        class_of(self.kind.as_deref())
    }

    fn of(kind: Option<&'e str>, id: Option<&'e str>, name: Option<&'e str>, email: Option<&'e str>) -> Party<'e> {
        let (name, email) = match name {
            // A user name that is an e-mail address names the same identity as that address.
            Some(n) if n.contains('@') && email.is_none() => (None, Some(n)),
            other => (other, email),
        };
        Party { kind: kind.map(kind_of), id, name, email }
    }
}

/// The class that a party kind belongs to.
pub fn class_of(kind: Option<&str>) -> Class {
    match kind {
        Some("admin") => Class::Admin,
        Some("user") => Class::User,
        _ => Class::Thing,
    }
}

/// Whether an object says that it is of a kind, in whatever case.
pub fn is_a(object: &Json<'_>, kind: &str) -> bool {
    object.text_at(&["type"]).is_some_and(|said| said.eq_ignore_ascii_case(kind))
}

/// Types of devices: those of the directory, and what is in the hands of an MDM.
const DEVICES: &[&str] =
    &["system", "device", "mdm_device", "mobile_device", "android_device", "emm_device", "google_emm_device"];

/// Whether an object says that it is a device.
pub fn is_a_device(object: &Json<'_>) -> bool {
    DEVICES.iter().any(|kind| is_a(object, kind))
}

/// Whether an object says that it is an application, or a program that is installed on devices.
pub fn is_an_application(object: &Json<'_>) -> bool {
    is_a(object, "application") || is_a(object, "software_app")
}

/// One word for each kind, whichever way it is written.
pub fn kind_of(kind: &str) -> Cow<'_, str> {
    match kind.to_ascii_lowercase().as_str() {
        "admin" | "administrator" => Cow::Borrowed("admin"),
        "user" | "systemuser" | "system_user" => Cow::Borrowed("user"),
        "organisation" => Cow::Borrowed("organization"),
        "service" | "serviceaccount" | "service_account" => Cow::Borrowed("service"),
        lower => Cow::Owned(lower.to_owned()),
    }
}

/// Who did it: `initiated_by`; the top-level user name of RADIUS, LDAP and device sign-ins; `resource` in
/// the 2020 shape of sign-in attempts, which has no `initiated_by`.
pub fn actor<'e>(json: &'e Json<'e>, event_type: &str) -> Party<'e> {
    let newer_id = json.text_at(&["jc_initiated_by_id"]);
    let newer_email = json.text_at(&["jc_initiated_by_email"]);
    // Bridges that fill in zero values write one of empty texts where there is none.
    if let Some(by) = json.said(&["initiated_by"]) {
        let name = by.text_at(&["username"]).or_else(|| json.text_at(&["username"])).or_else(|| by.text_at(&["name"]));
        let email = by.text_at(&["email"]).or(newer_email);
        let id = by.text_at(&["id"]).or(newer_id);
        let kind = by.text_at(&["type"]).or_else(|| guessed_kind(by, json, event_type));
        let party = Party::of(kind, id, name, email);
        if !party.is_unknown() || party.kind.as_deref() == Some("system") {
            return party;
        }
    }
    if newer_id.is_some() || newer_email.is_some() {
        return Party::of(Some("user"), newer_id, json.text_at(&["username"]), newer_email);
    }
    if is_attempt(event_type)
        && let Some(resource) = json.said(&["resource"])
    {
        let party = object(resource);
        if matches!(party.class(), Class::Admin | Class::User) {
            return party;
        }
    }
    match json.text_at(&["username"]) {
        Some(name) if event_type != "alert_created" => Party::of(Some("user"), None, Some(name), None),
        _ => Party::default(),
    }
}

/// What an `initiated_by` without a type is.
fn guessed_kind(by: &Json<'_>, json: &Json<'_>, event_type: &str) -> Option<&'static str> {
    if by.text_at(&["username"]).is_some() {
        Some("user")
    } else if by.text_at(&["email"]).is_some() || event_type.starts_with("admin_") {
        Some("admin")
    } else {
        json.text_at(&["username"]).filter(|_| event_type != "alert_created").map(|_| "user")
    }
}

/// Sign-in attempts and requests for one's own account, whose `resource` is the actor where nobody else is.
pub fn is_attempt(event_type: &str) -> bool {
    event_type.ends_with("login_attempt")
        || event_type.ends_with("password_reset_request")
        || event_type == "admin_old_api_key_attempt"
}

/// What or whom it was done to, and the other end of an association.
pub fn target<'e>(json: &'e Json<'e>, event_type: &str, actor: &Party<'e>) -> (Party<'e>, Party<'e>) {
    if let Some(connection) = json.said(&["association", "connection"]) {
        return ends(connection);
    }
    let resource = json.get("resource").filter(|resource| is_named(resource)).map(|resource| {
        let mut party = object(resource);
        party.kind = party.kind.or_else(|| guessed_target(resource, event_type).map(Cow::Borrowed));
        party
    });
    let target = resource.unwrap_or_else(|| match () {
        () if is_own_account(event_type) => actor.clone(),
        () => device_or_application(json),
    });
    (target, Party::default())
}

/// Whether a `resource` says what it is.
pub fn is_named(resource: &Json<'_>) -> bool {
    !object(resource).is_unknown()
}

/// What a `resource` without a type is.
fn guessed_target(resource: &Json<'_>, event_type: &str) -> Option<&'static str> {
    if event_type.starts_with("admin_") {
        Some("admin")
    } else if event_type.starts_with("alert_") {
        Some("alert")
    } else if event_type.starts_with("user_") && !event_type.starts_with("user_group")
        || resource.text_at(&["username"]).is_some()
    {
        Some("user")
    } else {
        None
    }
}

/// Names of anything, the likeliest first.
const NAMES: &[&str] =
    &["username", "name", "displayName", "display_name", "displayLabel", "hostname", "policy_name", "app_name"];

/// Names of a device before these, as people see them first.
const DEVICE_NAMES: &[&str] = &["displayName", "display_name", "hostname"];

/// Names of an application before these: its `name` is that of its connector, such as `saml2`, of which there may be many.
const APPLICATION_NAMES: &[&str] = &["displayLabel", "display_label"];

fn name<'e>(object: &'e Json<'e>, first: &[&str]) -> Option<&'e str> {
    first.iter().chain(NAMES).find_map(|key| object.text_at(&[key]))
}

/// What an object that is a device is called.
pub fn device_name<'e>(object: &'e Json<'e>) -> Option<&'e str> {
    name(object, DEVICE_NAMES)
}

/// What an object that is an application is called.
pub fn application_name<'e>(object: &'e Json<'e>) -> Option<&'e str> {
    name(object, APPLICATION_NAMES)
}

/// A party out of a `resource` object or an end of an association.
pub fn object<'e>(object: &'e Json<'e>) -> Party<'e> {
    let name = match () {
        () if is_a_device(object) => device_name(object),
        () if is_a(object, "application") => application_name(object),
        () => name(object, &[]),
    };
    let email = ["email", "recipient_email", "account_email"].iter().find_map(|key| object.text_at(&[key]));
    let id = ["id", "object_id", "_id", "policy_id", "app_id"].iter().find_map(|key| object.text_at(&[key]));
    Party::of(object.text_at(&["type"]), id, name, email)
}

/// The two ends of an association, whichever way round they are written: the user, else the admin, device or
/// application end is the target, the group or policy end is the other.
fn ends<'e>(connection: &'e Json<'e>) -> (Party<'e>, Party<'e>) {
    let end = |key| connection.get(key).map(object).unwrap_or_default();
    let (from, to) = (end("from"), end("to"));
    let rank = |party: &Party<'_>| match party.kind.as_deref() {
        Some("user" | "admin") => 0,
        Some("system") => 1,
        Some("application") => 2,
        _ => 3,
    };
    if rank(&from) <= rank(&to) { (from, to) } else { (to, from) }
}

/// Events about an account that carry no `resource` when the owner makes them.
pub fn is_own_account(event_type: &str) -> bool {
    event_type.contains("totp_") || event_type.starts_with("user_password") || event_type.starts_with("admin_password")
}

fn device_or_application<'e>(json: &'e Json<'e>) -> Party<'e> {
    if let Some(system) = json.said(&["system"]) {
        return Party::of(Some("system"), system.text_at(&["id"]), device_name(system), None);
    }
    if let Some(application) = json.said(&["application"]) {
        let id = application.text_at(&["id"]).or_else(|| application.text_at(&["sso_url"]));
        return Party::of(Some("application"), id, application_name(application), None);
    }
    match json.text_at(&["mdm_device_id"]).or_else(|| json.text_at(&["device_object_id"])) {
        Some(id) => Party::of(Some("system"), Some(id), None, None),
        None => Party::default(),
    }
}

/// Whether a text is an id as JumpCloud gives it to its objects: 24 hexadecimal digits.
pub fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// By what means the actor acted: `session`, `api-key`, `scim`, `device` or `other`; `None` where the
/// record does not say (sign-ins do not).
pub fn via(json: &Json<'_>) -> Option<&'static str> {
    if let Some(source) = json.text_at(&["initiated_by", "source"])
        && source.to_ascii_lowercase().contains("scim")
    {
        return Some("scim");
    }
    match json.text_at(&["service"]) {
        Some("systems") => return Some("device"),
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
    fn ends_of_an_association_in_either_direction() {
        let text = r#"{"association":{"connection":{"from":{"name":"admins","type":"user_group","object_id":"g"},"to":{"name":"jo","type":"user","object_id":"u"}}}}"#;
        let j = json(text);
        let (target, other) = target(&j, "association_change", &Party::default());
        assert_eq!((target.name, other.name), (Some("jo"), Some("admins")));
    }

    #[test]
    fn an_application_goes_by_its_label() {
        for (resource, want) in [
            (r#"{"type":"application","id":"1","name":"saml2","displayLabel":"Vocera"}"#, "Vocera"),
            (r#"{"type":"Application","id":"1","name":"saml2","display_label":"Vocera"}"#, "Vocera"),
            (r#"{"type":"application","id":"1","name":"saml2","displayLabel":""}"#, "saml2"),
            (r#"{"type":"user_group","id":"1","name":"nurses","displayLabel":"Vocera"}"#, "nurses"),
        ] {
            let object = Json::parse(resource).unwrap();
            assert_eq!(self::object(&object).name, Some(want), "{resource}");
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
            (r#"{"service":"ldap","auth_method":"simple"}"#, None),
            (r"{}", None),
        ] {
            assert_eq!(via(&json(text)), want, "{text}");
        }
    }

    #[test]
    fn a_resource_without_a_type_is_guessed() {
        let j = json(r#"{"resource":{"username":"alice"}}"#);
        assert_eq!(target(&j, "user_suspended", &Party::default()).0.class(), Class::User);
        assert_eq!(target(&j, "policy_update", &Party::default()).0.class(), Class::User);
        let j = json(r#"{"resource":{"name":"x"}}"#);
        assert_eq!(target(&j, "policy_update", &Party::default()).0.class(), Class::Thing);
        assert_eq!(target(&j, "admin_update", &Party::default()).0.class(), Class::Admin);
    }

    #[test]
    fn self_service_without_resource_is_about_the_actor() {
        let j = json(r#"{"initiated_by":{"type":"user","username":"jo","id":"u1"}}"#);
        let who = actor(&j, "totp_finish_enrollment");
        assert_eq!(target(&j, "totp_finish_enrollment", &who).0.id, Some("u1"));
    }
}
