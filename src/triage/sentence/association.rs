//! Association: two things bound to each other or taken apart, said with both ends.

use super::wording::Wording;
use super::words::Words;
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::party;

/// What was done to the two ends. `None` where the record does not name them.
pub fn phrase(event_type: &str, words: &Words<'_>) -> Option<Wording> {
    if !event_type.ends_with("association_change") {
        return None;
    }
    let (target, other) = ends(words)?;
    // Whom it is about comes first.
    let (who, what) = if target.rank() <= other.rank() { (target, other) } else { (other, target) };
    let op = letters::lower(words.named("association.op").unwrap_or_default());
    let is_group = what.kind.ends_with("group");
    let gives_access = matches!(what.kind.as_str(), "system" | "application" | "ldap_server" | "radius_server");
    let (before, between) = match (op.as_str(), is_group, gives_access && who.rank() <= 2) {
        ("add", true, _) if who.rank() == 0 || who.kind == "system" => ("added ", " to "),
        ("remove", true, _) if who.rank() == 0 || who.kind == "system" => ("removed ", " from "),
        ("add", _, true) => ("gave ", " access to "),
        ("remove", _, true) => ("took from ", " the access to "),
        ("add", ..) => ("bound ", " to "),
        ("remove", ..) => ("unbound ", " from "),
        _ => ("changed how ", " is bound to "),
    };
    let is_own = words.is_own && who.rank() == 0;
    let who = if is_own { Wording::from("themselves".to_owned()) } else { who.shown(words) };
    let out = who.between(before, between).and(what.shown(words));
    let is_yes = |name| words.named(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if op != "remove" && is_yes("association.attributes.sudo.enabled") {
        let is_free = is_yes("association.attributes.sudo.withoutPassword");
        let sudo = if is_free { ", without a password for sudo" } else { "" };
        return Some(out.between("", &format!(" as its administrator{sudo}")));
    }
    Some(out)
}

/// The target and the other end.
fn ends(words: &Words<'_>) -> Option<(End, End)> {
    let kind = words.norm(Norm::TargetType).unwrap_or_default();
    let other = words.norm(Norm::TargetOther)?;
    let sides = ["association.connection.from.type", "association.connection.to.type"].map(|name| words.named(name));
    let other_kind = other_kind(&kind, &sides);
    Some((End { kind, name: words.norm(Norm::TargetName)? }, End { kind: other_kind, name: other }))
}

/// The kind of the other end: of both sides that which is not the target's.
pub fn other_kind(target: &str, [from, to]: &[Option<String>; 2]) -> String {
    let kind = |side: &Option<String>| side.as_deref().map(party::kind_of).unwrap_or_default().into_owned();
    let (from, to) = (kind(from), kind(to));
    if from == target { to } else { from }
}

/// One end.
struct End {
    kind: String,
    name: String,
}

impl End {
    /// Who comes first in the sentence, and gets access to the other: a person, else a group of them, a device, and then anything else.
    fn rank(&self) -> u8 {
        match self.kind.as_str() {
            "user" | "admin" => 0,
            "user_group" => 1,
            "system" | "system_group" => 2,
            _ => 3,
        }
    }

    fn shown(self, words: &Words<'_>) -> Wording {
        let noun = noun(&self.kind);
        let name = words.name(self.name);
        if noun.is_empty() { name } else { name.between(&format!("the {noun} "), "") }
    }
}

/// What an end of this kind is called before its name; people go by their names alone.
pub fn noun(kind: &str) -> String {
    let noun = match kind {
        "user" | "admin" | "" => "",
        "user_group" => "group",
        "system_group" => "device group",
        "system" => "device",
        "g_suite" => "Google Workspace",
        "office_365" => "Microsoft 365",
        "ldap_server" => "LDAP server",
        "radius_server" => "RADIUS server",
        other => return other.replace('_', " "),
    };
    noun.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::json::Json;

    fn said(text: &str) -> Option<String> {
        let json = Json::parse(text).unwrap();
        let event = Event::part(&json);
        phrase("association_change", &Words::new(&event)).map(|said| said.to_string())
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
