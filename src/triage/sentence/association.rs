//! Association: two things bound to each other or taken apart, said with both ends.

use std::borrow::Cow;

use super::wording::Wording;
use super::words::{LONGEST, Words, cut};
use crate::event::json::Json;
use crate::event::party;

/// What was done to the two ends. `None` where the record does not name them.
pub fn phrase(event_type: &str, json: &Json<'_>, words: &Words<'_>) -> Option<Wording> {
    if !event_type.ends_with("association_change") {
        return None;
    }
    let end = |side: &str| End::of(json.at(&["association", "connection", side])?);
    let (from, to) = (end("from")?, end("to")?);
    // Directions are written either way; whom it is about comes first.
    let (who, what) = if from.rank() <= to.rank() { (from, to) } else { (to, from) };
    let op = json.text_at(&["association", "op"]).unwrap_or_default();
    let is_group = what.kind.ends_with("group");
    let gives_access = matches!(what.kind.as_str(), "system" | "application" | "ldap_server" | "radius_server");
    let (before, between) = match (op, is_group, gives_access && who.rank() <= 2) {
        ("add", true, _) if who.rank() == 0 || who.kind == "system" => ("added ", " to "),
        ("remove", true, _) if who.rank() == 0 || who.kind == "system" => ("removed ", " from "),
        ("add", _, true) => ("gave ", " access to "),
        ("remove", _, true) => ("took from ", " the access to "),
        ("add", ..) => ("bound ", " to "),
        ("remove", ..) => ("unbound ", " from "),
        _ => ("changed how ", " is bound to "),
    };
    let out = who.shown(words).between(before, between).and(what.shown(words));
    let sudo = json.at(&["association", "attributes", "sudo"]);
    let is_on = |key| sudo.and_then(|sudo| sudo.truth_at(&[key])) == Some(true);
    if op != "remove" && is_on("enabled") {
        let sudo = if is_on("withoutPassword") { ", without a password for sudo" } else { "" };
        return Some(out.between("", &format!(" as its administrator{sudo}")));
    }
    Some(out)
}

/// One end.
struct End {
    kind: String,
    name: String,
}

impl End {
    fn of(json: &Json<'_>) -> Option<End> {
        let party = party::object(json);
        let name = cut(party.shown()?, LONGEST);
        Some(End { kind: party.kind.map(Cow::into_owned).unwrap_or_default(), name })
    }

    /// Who comes first in the sentence, and gets access to the other: a person, else a group of them, a device, and then anything else.
    fn rank(&self) -> u8 {
        match self.kind.as_str() {
            "user" | "admin" => 0,
            "user_group" => 1,
            "system" | "system_group" => 2,
            _ => 3,
        }
    }

    fn shown(&self, words: &Words<'_>) -> Wording {
        let name = words.name(self.name.clone());
        let noun = match self.kind.as_str() {
            "user" | "admin" | "" => return name,
            "user_group" => "group",
            "system_group" => "device group",
            "system" => "device",
            "g_suite" => "Google Workspace",
            "office_365" => "Microsoft 365",
            "ldap_server" => "LDAP server",
            "radius_server" => "RADIUS server",
            other => &other.replace('_', " "),
        };
        name.between(&format!("the {noun} "), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn said(text: &str) -> Option<String> {
        let json = Json::parse(text).unwrap();
        let event = Event::part(&json);
        phrase("association_change", &json, &Words::new(&event)).map(|said| said.to_string())
    }

    fn of(op: &str, from: (&str, &str), to: (&str, &str), attributes: &str) -> String {
        let text = format!(
            r#"{{"association":{{"op":"{op}","attributes":{attributes},"connection":{{"from":{{"type":"{}","name":"{}"}},"to":{{"type":"{}","name":"{}"}}}}}}}}"#,
            from.0, from.1, to.0, to.1
        );
        said(&text).unwrap()
    }

    #[test]
    fn both_ends_are_said_whichever_way_round_they_are_written() {
        let (jo, admins, mac) = (("user", "jo"), ("user_group", "Admins"), ("system", "mac-1"));
        assert_eq!(of("add", admins, jo, "null"), "added jo to the group Admins");
        assert_eq!(of("add", jo, admins, "null"), "added jo to the group Admins");
        assert_eq!(of("remove", admins, jo, "null"), "removed jo from the group Admins");
        assert_eq!(of("add", mac, jo, "null"), "gave jo access to the device mac-1");
        let sudo = r#"{"sudo":{"enabled":true,"withoutPassword":true}}"#;
        assert_eq!(
            of("add", mac, jo, sudo),
            "gave jo access to the device mac-1 as its administrator, without a password for sudo"
        );
        assert_eq!(of("add", ("policy", "Disk"), mac, "null"), "bound the device mac-1 to the policy Disk");
        assert_eq!(
            of("remove", ("application", "Slack"), admins, "null"),
            "took from the group Admins the access to the application Slack"
        );
        let named = r#"{"association":{"op":"add","connection":{"from":{"type":"user_group","name":"Ops"},"to":{"type":"system","hostname":"lap1","display_name":"Lap One"}}}}"#;
        assert_eq!(said(named).as_deref(), Some("gave the group Ops access to the device Lap One"));
    }

    #[test]
    fn an_association_without_ends_has_no_phrase() {
        for text in ["{}", r#"{"association":{"op":"add"}}"#, r#"{"association":{"connection":{"from":1,"to":[]}}}"#] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
