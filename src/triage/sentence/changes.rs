//! Changes: `changes[]` in words, the telling ones first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::phrases::CHANGES;
use super::words::cut;
use crate::event::change;
use crate::event::counted::plural;
use crate::event::json::Json;
use crate::event::letters;
use crate::event::time::Timestamp;

/// Fields that tell more than others, wherever they stand in the list.
const TELLING: &[&str] = &[
    "command",
    "roleName",
    "role",
    "enableMultiFactor",
    "enable_user_portal_multifactor",
    "mfa",
    "totp_enabled",
    "suspended",
    "sudo",
    "passwordless_sudo",
    "password",
    "apiKeyUpdatedAt",
    "disabled",
    "effect",
    "settings.passwordPolicy",
    "settings.requireAdminMFA",
    "email",
    "public_key",
    "ssh_keys",
];

/// The longest value in words, in characters.
const LONGEST: usize = 48;
/// The longest text of a command: what it does may stand at its end.
const LONGEST_COMMAND: usize = 160;

/// What a change of one field is called, where it has a name: the phrase, and the field.
pub fn phrase(event_type: &str, json: &Json<'_>) -> Option<(&'static str, &'static str)> {
    let of_type = CHANGES.iter().filter(|(known, ..)| *known == event_type);
    let happened =
        |field: &str, trend: &str| change::of(json, field).iter().any(|change| change.trend().contains(&trend));
    of_type
        .into_iter()
        .find(|(_, field, trend, _)| happened(field, trend))
        .map(|(_, field, _, phrase)| (*phrase, *field))
}

/// The changes in words: `suspended: false → true`. At most `most`, and how many more there are. Where
/// something is made, everything is new, and only what tells more than others is said. `said` is a field
/// that was said already; of a password, its new date is the time of the event.
pub fn words(json: &Json<'_>, is_new: bool, said: Option<&str>, most: usize) -> Vec<String> {
    let mut all: Vec<(usize, String)> = Vec::new();
    for entry in json.get("changes").map_or(&[][..], Json::items) {
        let Some(field) = entry.text_at(&["field"]) else { continue };
        let telling = TELLING.iter().position(|telling| {
            let head = field.get(..telling.len()).filter(|head| head.eq_ignore_ascii_case(telling));
            head.is_some() && matches!(field.as_bytes().get(telling.len()), None | Some(b'.'))
        });
        // The address of somebody new is their name, and was said.
        let is_told = !is_new || telling.is_some_and(|place| TELLING[place] != "email");
        let is_date =
            field.eq_ignore_ascii_case("password_date") && said.is_some_and(|said| said.starts_with("password"));
        let is_said = said.is_some_and(|said| said.eq_ignore_ascii_case(field)) && is_yes_or_no(entry) || is_date;
        if is_said || !is_told {
            continue;
        }
        let mut lines = Vec::new();
        match change::is_left_out(entry) {
            true => lines.push(cut(field, LONGEST)),
            false => one(field, entry.get("from"), entry.get("to"), &mut lines),
        }
        all.extend(lines.into_iter().map(|line| (telling.unwrap_or(usize::MAX), line)));
    }
    all.sort_by_key(|(place, _)| *place);
    let more = all.len().saturating_sub(most);
    let mut shown: Vec<String> = all.into_iter().take(most).map(|(_, line)| line).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown
}

/// Both sides are a yes or no or missing, so the phrase has said all there is.
fn is_yes_or_no(entry: &Json<'_>) -> bool {
    let is_plain = |key| entry.get(key).is_none_or(|value| *value == Json::Null || value.truth().is_some());
    is_plain("from") && is_plain("to")
}

fn one(field: &str, from: Option<&Json<'_>>, to: Option<&Json<'_>>, out: &mut Vec<String>) {
    let (from, to) = (from.filter(|v| !v.says_nothing()), to.filter(|v| !v.says_nothing()));
    let is_object = |value: Option<&Json<'_>>| matches!(value, None | Some(Json::Object(_)));
    if from.or(to).is_some() && is_object(from) && is_object(to) {
        let [was, is] = [from, to].map(|value| value.map(by_key).unwrap_or_default());
        let keys: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
        for key in keys {
            let (was, is) = (was.get(key).copied(), is.get(key).copied());
            if was.map(Json::value_hash) != is.map(Json::value_hash) {
                one(&below(field, key, LONGEST), was, is, out);
            }
        }
        return;
    }
    if [from, to].into_iter().flatten().any(|value| is_secret(field, value)) {
        out.push(cut(field, LONGEST));
        return;
    }
    let longest = if field.eq_ignore_ascii_case("command") { LONGEST_COMMAND } else { LONGEST };
    let value = |json: &Json<'_>| value_up_to(json, longest);
    let field = cut(field, LONGEST);
    out.push(match (from, to) {
        (None, None) => field,
        (None, Some(to)) => format!("{field}: {}", value(to)),
        (Some(from), None) => format!("{field}: {} → nothing", value(from)),
        (Some(Json::Array(was)), Some(Json::Array(is))) => lists(&field, was, is),
        (Some(from), Some(to)) => format!("{field}: {} → {}", value(from), value(to)),
    });
}

/// Whether a value is nothing to be told in a message: that of a field with a secret in its path, but for a yes or no, or
/// a time.
pub fn is_secret(field: &str, value: &Json<'_>) -> bool {
    const SECRETS: &[&str] = &[
        "password",
        "passphrase",
        "passcode",
        "secret",
        "privatekey",
        "signingkey",
        "encryptionkey",
        "sharedkey",
        "accesskey",
        "recoverykey",
        "apikey",
        "token",
        "credential",
        "authorization",
        "seed",
    ];
    // Settings of passwords are none, nor is what a policy wants of them.
    const HARMLESS: &[&str] = &["policy", "secretar"];
    let path = letters::of(field);
    let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
    let is_plain = value.answer().is_some() || value.text().and_then(Timestamp::parse).is_some();
    has(SECRETS) && !has(HARMLESS) && !path.starts_with("effect") && !is_plain
}

fn lists(field: &str, was: &[Json<'_>], is: &[Json<'_>]) -> String {
    let (added, removed) = (beside(is, was), beside(was, is));
    let some =
        |verb: &str, list: Vec<Json<'_>>| (!list.is_empty()).then(|| format!("{verb} {}", value(&Json::Array(list))));
    let parts: Vec<String> = [some("added", added), some("removed", removed)].into_iter().flatten().collect();
    format!("{field}: {}", if parts.is_empty() { "another order".to_owned() } else { parts.join(", ") })
}

/// The members of a list that another does not have.
fn beside<'j>(list: &[Json<'j>], other: &[Json<'_>]) -> Vec<Json<'j>> {
    let others: HashSet<u128> = other.iter().map(Json::value_hash).collect();
    list.iter().filter(|item| !others.contains(&item.value_hash())).cloned().collect()
}

/// The members of an object, to look up many of them.
pub fn by_key<'j, 'a>(json: &'j Json<'a>) -> BTreeMap<&'j str, &'j Json<'a>> {
    json.members().iter().map(|(key, value)| (key.as_ref(), value)).collect()
}

/// The name of a member of a field. What is cut at `longest` is not carried along for each of many members.
pub fn below(field: &str, key: &str, longest: usize) -> String {
    let end = field.char_indices().nth(longest).map_or(field.len(), |(end, _)| end);
    format!("{}.{key}", &field[..end])
}

/// A value as a person would say it; never an object as the record writes it.
pub fn value(json: &Json<'_>) -> String {
    value_up_to(json, LONGEST)
}

fn value_up_to(json: &Json<'_>, longest: usize) -> String {
    match json {
        Json::Text(text) => cut(&quoted(text), longest),
        Json::Null => "nothing".to_owned(),
        Json::Array(items) if items.len() <= 3 && items.iter().all(|i| !matches!(i, Json::Object(_))) => {
            items.iter().map(value).collect::<Vec<_>>().join(", ")
        }
        Json::Array(items) => plural(items.len() as u64, "entry"),
        Json::Object(members) => plural(members.len() as u64, "field"),
        other => other.to_string(),
    }
}

/// A text between quotes. Control characters and those that nobody sees are escaped; marks, quotes and backslashes of
/// whatever script are not.
fn quoted(text: &str) -> String {
    const PLAIN: [char; 3] = ['"', '\'', '\\'];
    let mut out = String::from('"');
    for piece in text.split_inclusive(PLAIN) {
        let body = piece.strip_suffix(PLAIN).unwrap_or(piece);
        out.extend(body.escape_debug());
        out += &piece[body.len()..];
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_scripts_are_shown_as_they_are() {
        for text in ["ฝ่ายบัญชี", "हिन्दी विभाग", "Nguye\u{302}\u{303}n", r#"C:\bin "it's""#, ""]
        {
            assert_eq!(quoted(text), format!("\"{text}\""));
        }
        assert_eq!(quoted("a\nb\u{1b}[2J\u{202e}c\u{200b}"), r#""a\nb\u{1b}[2J\u{202e}c\u{200b}""#);
    }

    fn of(text: &str) -> Vec<String> {
        words(&Json::parse(text).unwrap(), false, None, 3)
    }

    #[test]
    fn changes_are_said() {
        for (change, want) in [
            (r#"{"field":"suspended","from":false,"to":true}"#, "suspended: false → true"),
            (r#"{"field":"password"}"#, "password"),
            (r#"{"field":"x","to":"a"}"#, r#"x: "a""#),
            (r#"{"field":"x","from":"a","to":null}"#, r#"x: "a" → nothing"#),
            (r#"{"field":"p","from":{"a":1,"b":2},"to":{"a":1,"b":3}}"#, "p.b: 2 → 3"),
            (r#"{"field":"l","from":["a"],"to":["b"]}"#, r#"l: added "b", removed "a""#),
            (r#"{"field":"l","from":[{"a":1}],"to":[{"a":1},{"a":2}]}"#, "l: added 1 entry"),
            (r#"{"field":"o","to":{"a":1}}"#, "o.a: 1"),
            (r#"{"field":"o","from":{"a":{"b":"c"}}}"#, r#"o.a.b: "c" → nothing"#),
            (r#"{"field":"command","to":"del C:\\Users \"x\"\n"}"#, r#"command: "del C:\Users "x"\n""#),
            (r#"{"field":"sso.clientSecret","from":"a","to":"b"}"#, "sso.clientSecret"),
            (r#"{"field":"sso","from":{"privateKey":"a"},"to":{"privateKey":"b"}}"#, "sso.privateKey"),
            (r#"{"field":"config.idpPrivateKey.value","from":"a","to":"b"}"#, "config.idpPrivateKey.value"),
            (r#"{"field":"sharedSecret","from":12345678,"to":87654321}"#, "sharedSecret"),
            (r#"{"field":"apiTokens","from":["a"],"to":["b"]}"#, "apiTokens"),
            (r#"{"field":"password","from":false,"to":true}"#, "password: false → true"),
            (
                r#"{"field":"values.requirePassword","from":"true","to":"false"}"#,
                r#"values.requirePassword: "true" → "false""#,
            ),
            (
                r#"{"field":"settings.passwordPolicy.minLength","from":"12","to":"6"}"#,
                r#"settings.passwordPolicy.minLength: "12" → "6""#,
            ),
            (
                r#"{"field":"apiKeyUpdatedAt","to":"2026-03-02T09:00:00Z"}"#,
                r#"apiKeyUpdatedAt: "2026-03-02T09:00:00Z""#,
            ),
            (r#"{"field":"attributes","from":"…","to":"…"}"#, "attributes"),
        ] {
            assert_eq!(of(&format!(r#"{{"changes":[{change}]}}"#)), [want], "{change}");
        }
    }

    #[test]
    fn a_few_are_said_and_the_telling_ones_first() {
        let fields = ["a", "b", "c", "roleName", "d"].map(|field| format!(r#"{{"field":"{field}","to":1}}"#));
        let said = of(&format!(r#"{{"changes":[{}]}}"#, fields.join(",")));
        assert_eq!(said, ["roleName: 1", "a: 1", "b: 1", "2 more"]);
    }

    /// Of very many members the changed ones are counted, and the first named. How long that takes is not measured here.
    #[test]
    fn long_lists_and_objects_are_compared_member_by_member() {
        let list = |from: u32| (from..from + 40_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let change = format!(r#"{{"field":"l","from":[{}],"to":[{}]}}"#, list(0), list(1));
        assert_eq!(of(&format!(r#"{{"changes":[{change}]}}"#)), ["l: added 40000, removed 0"]);
        let members = |value| (0..40_000).map(|n| format!(r#""k{n}":{value}"#)).collect::<Vec<_>>().join(",");
        let field = "f".repeat(100_000);
        let change = format!(r#"{{"field":"{field}","from":{{{}}},"to":{{{}}}}}"#, members(1), members(2));
        let said = format!("{}…: 1 → 2", &field[..LONGEST - 1]);
        assert_eq!(of(&format!(r#"{{"changes":[{change}]}}"#)), [&said, &said, &said, "39997 more"]);
    }

    #[test]
    fn nonsense_is_passed_over() {
        for text in [r#"{"changes":"x"}"#, r#"{"changes":[1,{"field":7},{}]}"#, r#"{"changes":{"field":"a"}}"#] {
            assert!(of(text).is_empty(), "{text}");
        }
    }
}
