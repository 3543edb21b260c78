//! Undo: what an actor changed, and how it is put back.

use super::effect::{Effect, PASSWORD, is_renewed};
use super::noun_and_verb;
use super::wording::Wording;
use super::words::Words;
use crate::event::change;
use crate::event::counted::few;
use crate::event::field::Norm;
use crate::event::json::Json;
use crate::event::{Event, Outcome};

/// How what an event did is undone, by its type; the rest follows from its verb.
const UNDO: &[(&str, &str)] = &[
    ("admin_create", "Suspend {the administrator}, delete their API key, then delete the account."),
    ("admin_delete", "Deleted administrators do not come back: create {the administrator} anew, with MFA."),
    ("admin_password_change", "Reset {whose} password, and end the sessions."),
    ("admin_suspended", "Unsuspend {the administrator}."),
    ("admin_totp_disable", "Make {a administrator} set up TOTP again, or suspend the account until they do."),
    ("admin_totp_finish_enrollment", "Reset {whose} TOTP and set it up with them in person."),
    ("admin_unsuspend", "Suspend {the administrator} again."),
    ("authnpolicy_delete", "Create {the conditional access policy} anew from its last export."),
    ("command_create", "Keep a copy of the text, then delete {the command}."),
    ("command_run", "It ran and cannot be undone. Isolate where it ran[: {device.name}], and look for what it left."),
    ("commandresult_delete", "Deleted results do not come back: read what the command did on the devices themselves."),
    ("integration_activate", "Switch the SCIM integration off again."),
    ("integration_deactivate", "Switch the SCIM integration on again."),
    ("integration_domain_add", "Remove the domain again[: {target.name}], and see who signed in by it."),
    ("integration_domain_delete", "Add the domain again[: {target.name}]."),
    ("passwordmanager_items_export", "What was exported is out: change the passwords in it."),
    ("passwordmanager_local_backup_create", "What the backup holds is out: change the passwords in it."),
    ("passwordmanager_user_device_pair", "Unpair the device."),
    (
        "remote_session_start",
        "What was done in it stays: look at the device[ {device.name}], and isolate it if nobody asked for help.",
    ),
    ("report_export", "What was exported is out: see who can be found with it."),
    (
        "software_add_request",
        "Remove the software again[: {application.name}][ from {device.name}], and see where it ran.",
    ),
    (
        "software_remove_request",
        "Install the software again[: {application.name}][ on {device.name}], if it is needed.",
    ),
    ("system_delete", "Enrol {the device} again; its agent has to be installed anew."),
    ("system_fde_key_decrypt", "Renew the disk encryption recovery key of {a device}."),
    ("totp_delete_enrollment", "Set up {whose} TOTP with them in person."),
    ("totp_finish_enrollment", "Ask {a user} whether it was them; if not, reset {whose} TOTP."),
    ("user_activated", "Suspend {a user}, if they were not to come back."),
    ("user_admin_granted", "Take the administrator rights on devices from {a user}."),
    ("user_admin_revoked", "Give {a user} back the administrator rights on devices, if they need them."),
    ("user_create", "Suspend {a user}, look at what the account did, then delete it."),
    ("user_delete", "Deleted users do not come back: create {a user} anew, and restore groups and devices."),
    ("user_group_admin_grant", "Take the administrator rights on devices from the group."),
    ("user_group_admin_revoke", "Give the group back the administrator rights on devices."),
    ("user_password_change", "Reset {whose} password, and end the sessions."),
    ("user_password_set", "Reset {whose} password, and end the sessions."),
    ("user_suspended", "Unsuspend {a user}."),
    ("user_unlocked", "Lock {a user} again, if the failed sign-ins were not theirs."),
    ("user_unsuspended", "Suspend {a user} again."),
];

/// Words of the commands to devices that do something to them; the others ask.
const COMMANDS: [&str; 7] = ["erase", "wipe", "lock", "clear", "remove", "restart", "shutdown"];

/// How to undo what an event did, by its effects; `None` if it changed nothing, or failed.
pub fn undo(event: &Event<'_>, effects: &[Effect]) -> Option<Wording> {
    let known = |text: &str| Some(Wording::from(text.to_owned()));
    if matches!(event.outcome, Outcome::Failure | Outcome::Challenge) {
        return None;
    }
    let words = Words::by_name(event);
    let event_type = event.event_type.as_ref();
    if let Some((_, phrase)) = UNDO.iter().find(|(name, _)| *name == event_type) {
        return Some(words.fill(phrase));
    }
    if event_type.ends_with("association_change") {
        return association(event.json, &words);
    }
    let json = event.json;
    if matches!(event_type, "device_command" | "mdm_command_result") {
        let command = json.text_at(&["request_type"]).or_else(|| json.text_at(&["command", "request_type"]));
        let command = command.unwrap_or_default().to_ascii_lowercase();
        let acts = COMMANDS.iter().any(|word| command.contains(word));
        let lost = "A device command cannot be undone: see whether the device is still there, and enrol it again.";
        return known(lost).filter(|_| acts);
    }
    if event_type.ends_with("_disable") || event_type.ends_with("_enable") {
        let again = if event_type.ends_with("_disable") { "on" } else { "off" };
        return known(&format!("Switch it {again} again."));
    }
    let Some((noun, verb)) = noun_and_verb(event_type) else {
        let is_change = event_type.ends_with("_update") || event_type.ends_with("_change");
        let is_telling = json.get("changes").is_some_and(|changes| !changes.items().is_empty());
        let is_admin = event.actor.kind.as_deref() == Some("admin");
        return (is_change && (is_telling || is_admin)).then(|| set_back(event, &words, effects, None));
    };
    if let Some((what, to)) = verb.strip_prefix("added a ").and_then(|rest| rest.split_once(' ')) {
        let is_let_in = noun.contains("folder") && matches!(what, "member" | "user" | "group");
        let rest = if is_let_in { ", and change the passwords in it" } else { "" };
        let from = to.replace("to #", &format!("out of {{the {noun}}}"));
        return Some(words.fill(&format!("Take the {what} {from} again{rest}.")));
    }
    match verb.split(' ').next().unwrap_or_default() {
        "created" => Some(words.fill(&format!("Delete {{the {noun}}}."))),
        "deleted" | "removed" if !verb.contains(" a ") => {
            Some(words.fill(&format!("Make {{the {noun}}} anew, if it is needed.")))
        }
        "added" if verb == "added #" => Some(words.fill(&format!("Remove {{the {noun}}}."))),
        "changed" => Some(set_back(event, &words, effects, Some(noun))),
        "exported" => known("What was exported is out: change the secrets in it."),
        "copied" | "revealed" => Some(words.fill(&format!("Whoever saw {{the {noun}}} knows it: change it."))),
        "shared" => Some(words.fill(&format!("End the sharing of {{the {noun}}}, and change what it holds."))),
        _ => None,
    }
}

/// Whether nothing was changed and only something secret seen. Everybody looks at their own passwords each day, so it is
/// told only where something else is not as usual.
pub fn is_only_seen(event_type: &str) -> bool {
    noun_and_verb(event_type).is_some_and(|(_, verb)| verb.starts_with("copied") || verb.starts_with("revealed"))
}

fn association(json: &Json<'_>, words: &Words<'_>) -> Option<Wording> {
    match json.text_at(&["association", "op"])? {
        "add" => Some(words.fill("Take {target.name} and {target.other} apart again.")),
        "remove" => Some(words.fill("Bind {target.name} and {target.other} to each other again.")),
        _ => Some(words.fill("Set back how {target.name} and {target.other} are bound to each other.")),
    }
}

/// The values before, as far as the record has them, and what is to be made new.
fn set_back(event: &Event<'_>, words: &Words<'_>, effects: &[Effect], noun: Option<&str>) -> Wording {
    let before: Vec<String> = effects.iter().filter(|effect| effect.is_field).map(Effect::set_back).collect();
    let renew = renew(event, words);
    if before.is_empty() {
        let it = noun.map_or_else(|| "it".to_owned(), |noun| format!("{{the {noun}}}"));
        let unknown = || words.fill(&format!("Set {it} back: the log does not say what it was before."));
        return renew.unwrap_or_else(unknown);
    }
    let also = renew.map(|renew| renew.between(" ", "")).unwrap_or_default();
    set_back_on(target(event), &before).and(also)
}

/// What an event was done to, by its name.
pub fn target(event: &Event<'_>) -> Option<Wording> {
    let words = Words::by_name(event);
    words.norm(Norm::TargetName).map(|name| words.name(name))
}

/// Fields of something, each with the value before, as far as that is known.
pub fn set_back_on(target: Option<Wording>, fields: &[String]) -> Wording {
    const MOST: usize = 3;
    let target = target.map(|target| target.between(" on ", "")).unwrap_or_default();
    target.between("Set back", &format!(": {}.", few(fields, MOST, ", ")))
}

/// Whether how it is undone stands here by its type, whatever its fields were.
pub fn has_own_words(event_type: &str) -> bool {
    UNDO.iter().any(|(name, _)| *name == event_type)
}

/// What has to be made new also where all else was put back.
pub fn renewed(event: &Event<'_>) -> Option<Wording> {
    let is_done = !matches!(event.outcome, Outcome::Failure | Outcome::Challenge);
    renew(event, &Words::by_name(event)).filter(|_| is_done && !has_own_words(&event.event_type))
}

/// What has to be made new, since nothing puts it back: passwords and API keys.
fn renew(event: &Event<'_>, words: &Words<'_>) -> Option<Wording> {
    let has = |field: &str, wanted: fn(&[&str]) -> bool| {
        let own = change::of(event.json, field);
        is_renewed(&event.event_type, field) && own.iter().any(|change| wanted(change.trend().as_slice()))
    };
    let is_any = |trend: &[&str]| !trend.is_empty();
    let entries = event.json.get("changes").map_or(&[][..], Json::items);
    let mut fields = entries.iter().filter_map(|entry| entry.text_at(&["field"]));
    match () {
        () if has("apiKeySet", |trend| trend.contains(&"off")) => {
            Some(Wording::from("A deleted key does not come back: make a new one where it is needed.".to_owned()))
        }
        () if ["apiKeyUpdatedAt", "apiKeySet", "apiKeyHash"].iter().any(|field| has(field, is_any)) => {
            Some(words.fill("Delete {whose} API key, and make a new one where it is needed."))
        }
        () if fields.any(|field| PASSWORD.iter().any(|name| field.eq_ignore_ascii_case(name))) => {
            Some(words.fill("Reset {whose} password, and end the sessions."))
        }
        () => None,
    }
}
