//! Party: who did something, or whom it was done to, as the record names it.

use std::borrow::Cow;

use super::json::Json;

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
    /// `admin`, `user`, `system`, `service`, `workflow`, or what the record says (`application`, `user_group`, …)
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

    /// That of these names. A name that is an e-mail address is one.
    pub fn of(kind: Option<&'e str>, id: Option<&'e str>, name: Option<&'e str>, email: Option<&'e str>) -> Party<'e> {
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
fn is_a(object: &Json<'_>, kind: &str) -> bool {
    object.text_at(&["type"]).is_some_and(|said| said.eq_ignore_ascii_case(kind))
}

/// Types of devices: those of the directory, and what is in the hands of an MDM.
const DEVICES: &[&str] =
    &["system", "device", "mdm_device", "mobile_device", "android_device", "emm_device", "google_emm_device"];

/// Whether an object says that it is a device; of those without a type, only devices have a `hostname`.
pub fn is_a_device(object: &Json<'_>) -> bool {
    let has = |key| object.text_at(&[key]).is_some();
    DEVICES.iter().any(|kind| is_a(object, kind)) || !has("type") && has("hostname")
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

/// Whether a `resource` says what it is.
pub fn is_named(resource: &Json<'_>) -> bool {
    !object(resource).is_unknown()
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

/// All that an object that is a device is called.
pub fn device_names<'e>(object: &'e Json<'e>) -> impl Iterator<Item = &'e str> {
    DEVICE_NAMES.iter().chain(&["name"]).filter_map(|key| object.text_at(&[key]))
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

/// Whether a text is an id as JumpCloud gives it to its objects: 24 hexadecimal digits.
pub fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
