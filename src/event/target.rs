//! Target: what or whom it was done to, and what else has a part in that.

use std::borrow::Cow;

use super::json::Json;
use super::letters;
use super::party::{Class, Party, application_name, device_name, is_a_device, is_named, object};

/// What or whom it was done to; and the other end of an association, the member of a folder, or whom an alert is about.
pub fn target<'e>(json: &'e Json<'e>, event_type: &str, actor: &Party<'e>) -> (Party<'e>, Party<'e>) {
    if let Some(connection) = json.said(&["association", "connection"]) {
        return ends(connection);
    }
    let resource = json.get("resource").filter(|resource| is_named(resource)).map(|resource| {
        let mut party = object(resource);
        party.kind = party.kind.or_else(|| guessed_target(resource, event_type).map(Cow::Borrowed));
        if party.name.is_none() && is_a_device(resource) {
            party.name = json.get("system").filter(|system| is_same(&party, system)).and_then(device_name);
        }
        party
    });
    let told = match resource {
        Some(alert) if is_alert(event_type) => return of_alert(json, alert),
        Some(risk) if is_risk(event_type) => Some(at_risk(json, risk)),
        Some(party) if party.class() == Class::Thing => account(json, event_type, actor).or(Some(party)),
        None => account(json, event_type, actor).or_else(|| is_own_account(event_type).then(|| actor.clone())),
        person => person,
    };
    let member = json.get("association").map(object).filter(|member| !member.is_unknown());
    (told.or_else(|| stored(json)).unwrap_or_else(|| device_or_application(json)), member.unwrap_or_default())
}

/// Whether the device of a record is what its `resource` names by the id alone.
fn is_same(resource: &Party<'_>, system: &Json<'_>) -> bool {
    object(system).id.is_none_or(|id| Some(id) == resource.id)
}

/// The account that an event befalls which names it beside its `resource`, mostly the device that it is an account of.
fn account<'e>(json: &'e Json<'e>, event_type: &str, actor: &Party<'e>) -> Option<Party<'e>> {
    if !is_about_an_account(event_type) {
        return None;
    }
    let (kind, class) = if event_type == ADMIN_LOCKOUT { ("admin", Class::Admin) } else { ("user", Class::User) };
    let may_be_it = actor.class() == class;
    match json.text_at(&["username"]) {
        Some(name) if may_be_it && actor.name.is_some_and(|own| letters::are_one(own, name)) => Some(actor.clone()),
        Some(name) => Some(Party::of(Some(kind), None, Some(name), None)),
        None => Some(actor.clone()).filter(|_| may_be_it && may_be_own(event_type)),
    }
}

/// An alert, by the name of whom it is about; and whom that is, or which device.
fn of_alert<'e>(json: &'e Json<'e>, alert: Party<'e>) -> (Party<'e>, Party<'e>) {
    let source = |source: &str, kind| {
        let is_meant = json.text_at(&["resource", "source_type"])?.eq_ignore_ascii_case(source);
        let id = json.text_at(&["resource", "source_id"]).filter(|_| is_meant)?;
        Some(Party::of(Some(kind), Some(id), None, None))
    };
    let username = json.text_at(&["username"]).map(|name| Party::of(Some("user"), None, Some(name), None));
    let about = username.or_else(|| source("user", "user")).or_else(|| source("device", "system")).unwrap_or_default();
    (Party { name: alert.name.or(about.name), email: alert.email.or(about.email), ..alert }, about)
}

/// Whom JumpCloud saw at risk: `resource` is the risk, called as the user is unless the record names that one.
fn at_risk<'e>(json: &'e Json<'e>, risk: Party<'e>) -> Party<'e> {
    let name = json.text_at(&["username"]).or(risk.name);
    if risk.class() != Class::Thing || name.is_none() && risk.email.is_none() {
        return risk;
    }
    Party::of(Some("user"), json.text_at(&["resource", "user_id"]), name, risk.email)
}

/// A file in the object storage.
fn stored<'e>(json: &'e Json<'e>) -> Option<Party<'e>> {
    let id = STORED.iter().find_map(|key| json.text_at(&[key]));
    let file = Party::of(Some("object"), id, json.text_at(&["object_storage_item_version_name"]), None);
    (!file.is_unknown()).then_some(file)
}

/// Members with the id of a file in the object storage: of the file, and of a version of it.
const STORED: &[&str] = &["object_storage_item_object_id", "object_storage_item_version_object_id"];

/// What a `resource` without a type is, by the beginning of the type of the event; the longer beginnings first.
const GUESSED: &[(&str, &str)] = &[
    ("admin_", "admin"),
    ("alert_", "alert"),
    ("application_", "application"),
    ("authnpolicy_", "authn_policy"),
    ("authpolicy_", "authn_policy"),
    ("command_", "command"),
    ("iplist_", "iplist"),
    ("policy_", "policy"),
    ("user_group_", "user_group"),
    ("user_", "user"),
];

/// What a `resource` without a type is.
fn guessed_target(resource: &Json<'_>, event_type: &str) -> Option<&'static str> {
    let of_type = GUESSED.iter().find(|(beginning, _)| event_type.starts_with(beginning)).map(|(_, kind)| *kind);
    match resource.text_at(&["username"]) {
        Some(_) if !matches!(of_type, Some("admin" | "alert")) => Some("user"),
        _ => of_type.or_else(|| is_a_device(resource).then_some("system")),
    }
}

/// The two ends of an association, whichever way round they are written: the user or admin, else the device or
/// application end is the target, the group or policy end is the other; of a group and something else, the group of
/// users, else that of devices is the target.
fn ends<'e>(connection: &'e Json<'e>) -> (Party<'e>, Party<'e>) {
    let end = |key| connection.get(key).map(object).unwrap_or_default();
    let (from, to) = (end("from"), end("to"));
    let rank = |party: &Party<'_>| match party.kind.as_deref() {
        Some("user" | "admin") => 0,
        Some("system") => 1,
        Some("application") => 2,
        Some("user_group") => 3,
        Some("system_group") => 4,
        _ => 5,
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
    let id = MANAGED.iter().find_map(|key| json.text_at(&[key]));
    id.map(|id| Party::of(Some("system"), Some(id), None, None)).unwrap_or_default()
}

/// Members with the id of a device that an MDM manages, the one of JumpCloud first.
pub const MANAGED: &[&str] = &["mdm_device_id", "device_object_id", "windows_device_uuid"];

/// Events of the alerts service, of alerts and of their rules.
fn is_of_alerts(event_type: &str) -> bool {
    is_alert(event_type) || event_type.ends_with("_alerts") || event_type.starts_with("rule_")
}

/// Events of one alert.
fn is_alert(event_type: &str) -> bool {
    event_type.starts_with("alert_")
}

/// Events of risks that JumpCloud saw.
fn is_risk(event_type: &str) -> bool {
    event_type.starts_with("risk_event")
}

const ADMIN_LOCKOUT: &str = "admin_lockout";

/// Events that befall an account, in the directory or on a device; nobody needs to have done it.
const BEFALLING: &[&str] = &[
    ADMIN_LOCKOUT,
    "user_activated",
    "user_activation_email",
    "user_lockout",
    "user_mfa_exclusion_expired",
    "user_password_expired",
    "user_password_warning_email",
    "user_suspended",
    "user_unlocked",
    "user_unsuspended",
];

/// Events of which a top-level `username` says whom they are about, and not who did it.
pub fn names_whom(event_type: &str) -> bool {
    is_of_alerts(event_type) || is_risk(event_type) || befalls(event_type)
}

/// Events that befall an account, whoever the record says did it.
pub fn befalls(event_type: &str) -> bool {
    BEFALLING.contains(&event_type)
}

/// Events about an account, also where the `resource` is a device.
fn is_about_an_account(event_type: &str) -> bool {
    is_own_account(event_type) || befalls(event_type)
}

/// Events about the actor's own account, unless they name another.
pub fn may_be_own(event_type: &str) -> bool {
    is_own_account(event_type) || event_type.ends_with("_lockout")
}

/// Whether the members that name the actor may tell what it was done to, also beside a `resource`.
pub fn tells_target_by_actor(event_type: &str) -> bool {
    is_about_an_account(event_type) || is_alert(event_type) || is_risk(event_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::actor::actor;

    fn json(text: &'static str) -> Json<'static> {
        Json::parse(text).unwrap()
    }

    /// Actor, target and the other party of a record, each by its kind and the name to show.
    fn parties(text: &str) -> [String; 3] {
        let json = Json::parse(text).unwrap();
        let event_type = json.text_at(&["event_type"]).unwrap();
        let who = actor(&json, event_type);
        let (whom, other) = target(&json, event_type, &who);
        [who, whom, other].map(|party| match party.shown() {
            Some(name) => format!("{} {name}", party.kind.as_deref().unwrap_or("-")),
            None => party.kind.as_deref().unwrap_or("nobody").to_owned(),
        })
    }

    #[test]
    fn a_username_at_the_top_is_the_actor_or_whom_it_is_about() {
        let root = r#""initiated_by":{"type":"admin","id":"1","email":"root@x.io"}"#;
        let device = r#""system":{"id":"d","hostname":"LAP"}"#;
        for (record, want) in [
            // Of an alert: whom it is about.
            (
                format!(r#""event_type":"alert_status_updated","username":"u3",{root},"resource":{{"id":"a1"}}"#),
                ["admin root@x.io", "alert u3", "user u3"],
            ),
            (
                r#""event_type":"alert_created","username":"jane","initiated_by":{"type":"system"},"resource":{"id":"a1"}"#
                    .to_owned(),
                ["system", "alert jane", "user jane"],
            ),
            (
                r#""event_type":"alert_created","resource":{"id":"a1","source_type":"device","source_id":"d"}"#.to_owned(),
                ["nobody", "alert a1", "system d"],
            ),
            (
                r#""event_type":"alert_created","resource":{"id":"a1","source_type":"user","source_id":"u"}"#.to_owned(),
                ["nobody", "alert a1", "user u"],
            ),
            (
                format!(r#""event_type":"rule_created","username":"u3",{root},"resource":{{"id":"r","name":"Mine"}}"#),
                ["admin root@x.io", "- Mine", "nobody"],
            ),
            // What befalls an account on a device.
            (
                format!(r#""event_type":"user_lockout","username":"jane",{device}"#),
                ["nobody", "user jane", "nobody"],
            ),
            (
                format!(r#""event_type":"user_lockout","initiated_by":{{"type":"user","username":"jane"}},{device}"#),
                ["user jane", "user jane", "nobody"],
            ),
            (format!(r#""event_type":"user_lockout",{device}"#), ["nobody", "system LAP", "nobody"]),
            (
                format!(r#""event_type":"user_lockout","username":"jane","initiated_by":{{"type":"user","id":"j"}},{device}"#),
                ["user jane", "user jane", "nobody"],
            ),
            (
                r#""event_type":"admin_lockout","initiated_by":{"type":"admin","id":"a","email":"root@x.io"}"#.to_owned(),
                ["admin root@x.io", "admin root@x.io", "nobody"],
            ),
            (r#""event_type":"admin_lockout","username":"root@x.io""#.to_owned(), ["nobody", "admin root@x.io", "nobody"]),
            // What an administrator signs in as, whose record names them only at the top.
            (
                r#""event_type":"admin_login_attempt","username":"root@x.io","initiated_by":{"type":"admin"}"#.to_owned(),
                ["admin root@x.io", "nobody", "nobody"],
            ),
            (
                r#""event_type":"admin_login_attempt","username":"root@x.io","initiated_by":{"type":"admin","id":"r"}"#.to_owned(),
                ["admin root@x.io", "nobody", "nobody"],
            ),
            (
                r#""event_type":"user_delete","username":"root@x.io","initiated_by":{"type":"admin"},"resource":{"type":"user","username":"bob"}"#.to_owned(),
                ["admin root@x.io", "user bob", "nobody"],
            ),
            (
                format!(
                    r#""event_type":"user_password_change","username":"jane",{root},"resource":{{"type":"systemuser","username":"jane"}}"#
                ),
                ["admin root@x.io", "user jane", "nobody"],
            ),
            (
                format!(
                    r#""event_type":"user_password_change","username":"jane",{root},"resource":{{"type":"system","id":"d"}}"#
                ),
                ["admin root@x.io", "user jane", "nobody"],
            ),
            (
                r#""event_type":"user_password_change","username":"jane","initiated_by":{"type":"systemuser","id":"u","username":"jane"},"resource":{"type":"system","id":"d"}"#
                    .to_owned(),
                ["user jane", "user jane", "nobody"],
            ),
            (
                format!(r#""event_type":"user_password_change","username":"jane",{device}"#),
                ["user jane", "user jane", "nobody"],
            ),
            (
                format!(r#""event_type":"user_password_change",{root},"resource":{{"type":"system","id":"d"}}"#),
                ["admin root@x.io", "system d", "nobody"],
            ),
            (
                r#""event_type":"user_suspended","username":"jane","resource":{"type":"user","username":"bob"}"#.to_owned(),
                ["nobody", "user bob", "nobody"],
            ),
            // Of a sign-in: who it was.
            (
                r#""event_type":"ldap_bind","username":"svc","initiated_by":{"type":"user","id":"s"}"#.to_owned(),
                ["user svc", "nobody", "nobody"],
            ),
            (
                format!(r#""event_type":"login_attempt","username":"jane","initiated_by":{{"type":"user"}},{device}"#),
                ["user jane", "system LAP", "nobody"],
            ),
        ] {
            assert_eq!(parties(&format!("{{{record}}}")), want, "{record}");
        }
    }

    #[test]
    fn a_device_that_has_only_its_id_goes_by_the_name_beside_it() {
        for (id, want) in [("d", "system LAP"), ("e", "system e")] {
            let told = parties(&format!(
                r#"{{"event_type":"system_delete","resource":{{"type":"system","id":"{id}"}},"system":{{"id":"d","hostname":"LAP"}}}}"#
            ));
            assert_eq!(told[1], want);
        }
    }

    #[test]
    fn a_risk_is_about_whom_it_is_called_by() {
        for (resource, want) in [
            (r#"{"id":"r1","type":"risk_event","name":"jane.doe"}"#, "user jane.doe"),
            (r#"{"id":"r1","name":"jane.doe@x.io"}"#, "user jane.doe@x.io"),
            (r#"{"id":"u1","type":"user","username":"jane.doe"}"#, "user jane.doe"),
            (r#"{"id":"r1","type":"risk_event"}"#, "risk_event r1"),
        ] {
            let told = parties(&format!(r#"{{"event_type":"risk_event_created","resource":{resource}}}"#));
            assert_eq!(told[1], want, "{resource}");
        }
        let told = parties(
            r#"{"event_type":"risk_event_created","username":"jo","resource":{"id":"r1","type":"risk_event","name":"Impossible travel"}}"#,
        );
        assert_eq!(told, ["nobody", "user jo", "nobody"], "the name of whom it is about stands for itself");
        let json = json(r#"{"resource":{"id":"r1","type":"risk_event","name":"jane"}}"#);
        let whom = target(&json, "risk_event_created", &Party::default()).0;
        assert_eq!(whom.id, None, "the id is that of the risk");
    }

    #[test]
    fn a_member_of_a_folder_and_a_stored_file() {
        let told = parties(
            r#"{"event_type":"passwordmanager_folder_member_add","resource":{"type":"folder","id":"f","name":"Prod"},"association":{"type":"admin","id":"1","email":"root@x.io"}}"#,
        );
        assert_eq!(told[1..], ["folder Prod", "admin root@x.io"]);
        let told = parties(
            r#"{"event_type":"object_storage_create","object_storage_item_object_id":"o","object_storage_item_version_name":"a.pkg","system_object_id":"d"}"#,
        );
        assert_eq!(told[1..], ["object a.pkg", "nobody"]);
    }

    #[test]
    fn ends_of_an_association_in_either_direction() {
        let text = r#"{"association":{"connection":{"from":{"name":"admins","type":"user_group","object_id":"g"},"to":{"name":"jo","type":"user","object_id":"u"}}}}"#;
        let j = json(text);
        let (target, other) = target(&j, "association_change", &Party::default());
        assert_eq!((target.name, other.name), (Some("jo"), Some("admins")));
    }

    /// Whichever end is written first.
    #[test]
    fn which_end_of_an_association_is_the_target() {
        for (whom, other) in [
            ("user", "user_group"),
            ("user", "system"),
            ("system", "user_group"),
            ("system", "policy"),
            ("application", "user_group"),
            ("user_group", "system_group"),
            ("user_group", "ldap_server"),
            ("user_group", "radius_server"),
            ("system_group", "policy"),
            ("system_group", "command"),
        ] {
            for (from, to) in [(whom, other), (other, whom)] {
                let told = parties(&format!(
                    r#"{{"event_type":"association_change","association":{{"connection":{{"from":{{"type":"{from}","object_id":"1"}},"to":{{"type":"{to}","object_id":"1"}}}}}}}}"#
                ));
                assert_eq!(told[1..], [format!("{whom} 1"), format!("{other} 1")], "{from} to {to}");
            }
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
        for (event_type, want) in [
            ("policy_result", Some("policy")),
            ("authpolicy_update", Some("authn_policy")),
            ("user_group_admin_grant", Some("user_group")),
            ("application_delete", Some("application")),
            ("workday_update", None),
        ] {
            assert_eq!(target(&j, event_type, &Party::default()).0.kind.as_deref(), want, "{event_type}");
        }
        let j = json(r#"{"resource":{"id":"1","hostname":"mac-1"}}"#);
        assert_eq!(target(&j, "fde_key_view", &Party::default()).0.kind.as_deref(), Some("system"));
        assert!(is_a_device(j.get("resource").unwrap()));
    }

    #[test]
    fn self_service_without_resource_is_about_the_actor() {
        let j = json(r#"{"initiated_by":{"type":"user","username":"jo","id":"u1"}}"#);
        let who = actor(&j, "totp_finish_enrollment");
        assert_eq!(target(&j, "totp_finish_enrollment", &who).0.id, Some("u1"));
    }
}
