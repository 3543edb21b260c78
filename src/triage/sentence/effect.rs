//! Effect: what an event did to one property of one thing: what it was before, and what it is since.

use xxhash_rust::xxh3::xxh3_128;

use super::undo::has_own_words;
use super::words::cut;
use super::{changes, noun_and_verb};
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::json::Json;
use crate::event::letters;
use crate::event::party::Party;
use crate::event::{Event, Outcome};

/// The longest name of a field, in characters.
const LONGEST: usize = 60;
/// Whether there is a thing of that name.
const EXISTS: &str = "exists";

/// Types that say what somebody is since then: the property, what it was before if they say that, and what it is.
const STATES: &[(&str, &str, Option<bool>, bool)] = &[
    ("admin_suspended", "suspended", Some(false), true),
    ("admin_unsuspend", "suspended", Some(true), false),
    ("integration_activate", "active", Some(false), true),
    ("integration_deactivate", "active", Some(true), false),
    ("integration_domain_add", EXISTS, Some(false), true),
    ("integration_domain_delete", EXISTS, Some(true), false),
    ("user_activated", "suspended", None, false),
    ("user_admin_granted", "sudo", Some(false), true),
    ("user_admin_revoked", "sudo", Some(true), false),
    ("user_group_admin_grant", "sudo", Some(false), true),
    ("user_group_admin_revoke", "sudo", Some(true), false),
    ("user_suspended", "suspended", Some(false), true),
    ("user_unsuspended", "suspended", Some(true), false),
];

/// Fields that say that a password is another one.
pub const PASSWORD: [&str; 2] = ["password", "password_date"];

/// Types that end like a change of state and are none: what they did stays.
const LASTING: [&str; 3] = ["admin_totp_disable", "commandresult_delete", "passwordmanager_local_backup_create"];

/// What a property was or became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// the record does not say it, or it is a secret
    Unknown,
    /// a value, or that there is none
    Known {
        /// of all of it
        hash: u128,
        /// as a person would say it; empty where that would be too long
        words: String,
    },
}

/// What an event did to one property.
#[derive(Clone, Debug)]
pub struct Effect {
    /// the property, of one thing of the organization; `None` where nothing says which thing it is
    pub property: Option<u128>,
    /// whether the things exist that it is a property of
    pub things: [Option<u128>; 2],
    /// what the property is called
    pub name: String,
    /// it is a field with values, and not one of two states
    pub is_field: bool,
    /// it says whether there is such a thing
    pub is_existence: bool,
    /// what it was
    pub from: State,
    /// what it is since
    pub to: State,
}

impl State {
    /// Whether both are known, and the same.
    pub fn is_same(&self, other: &State) -> bool {
        *self != State::Unknown && self.hash() == other.hash()
    }

    /// The value in words, if they are known.
    pub fn words(&self) -> Option<&str> {
        match self {
            State::Known { words, .. } if !words.is_empty() => Some(words),
            _ => None,
        }
    }

    /// Whether it is a yes.
    pub fn is_yes(&self) -> bool {
        self.is_same(&State::of_answer(true))
    }

    fn hash(&self) -> Option<u128> {
        match self {
            State::Unknown => None,
            State::Known { hash, .. } => Some(*hash),
        }
    }

    fn of_answer(answer: bool) -> State {
        State::Known { hash: Json::Bool(answer).value_hash(), words: answer.to_string() }
    }

    fn of_value(field: &str, value: Option<&Json<'_>>) -> State {
        let Some(value) = value else {
            return State::Known { hash: Json::Null.value_hash(), words: "nothing".to_owned() };
        };
        let words = match value {
            secret if changes::is_secret(field, secret) => return State::Unknown,
            Json::Array(_) | Json::Object(_) => String::new(),
            _ => changes::value(value),
        };
        let hash = value.truth().map_or_else(|| value.value_hash(), |answer| Json::Bool(answer).value_hash());
        State::Known { hash, words }
    }
}

impl Effect {
    /// How the field is set back: its name and the value before, as far as that is known.
    pub fn set_back(&self) -> String {
        let name = cut(&self.name, LONGEST);
        self.from.words().map(|words| format!("{name} to {words}")).unwrap_or(name)
    }
}

/// What an event did to properties; nothing if it failed. `identity` tells what the record calls by several names.
pub fn effects(event: &Event<'_>, identity: &dyn Fn(&Party<'_>) -> Option<String>) -> Vec<Effect> {
    if matches!(event.outcome, Outcome::Failure | Outcome::Challenge) {
        return Vec::new();
    }
    let event_type = event.event_type.as_ref();
    let text = |norm| {
        let values = event.values(&Field::Norm(norm));
        values.iter().find_map(Value::text).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let is_of_organization =
        event_type.starts_with("organization_") || event.target.kind.as_deref() == Some("organization");
    let thing = if is_of_organization { Some("organization".to_owned()) } else { identity(&event.target) };
    if event_type.ends_with("association_change") {
        return vec![bound(event.json, &[thing, identity(&event.other)])];
    }
    if let Some(is_there) = ["software_add_request", "software_remove_request"].iter().position(|t| *t == event_type) {
        let ends = [text(Norm::DeviceKey), text(Norm::AppKey).or_else(|| text(Norm::AppName))];
        let property = pair(&ends);
        return vec![state(property, [None; 2], "installed", Some(is_there == 1), is_there == 0)];
    }
    let of_thing = |property: &str| thing.as_ref().map(|thing| hash(&[thing, property]));
    let existence = of_thing(EXISTS);
    if let Some((_, name, from, to)) = STATES.iter().find(|(known, ..)| *known == event_type) {
        let things = if *name == EXISTS { [None; 2] } else { [existence, None] };
        // Rights on one device are none on another.
        let device = if *name == "sudo" { text(Norm::DeviceKey) } else { None };
        let property = match device {
            Some(device) => thing.as_ref().map(|thing| hash(&[thing, name, &device])),
            None => of_thing(name),
        };
        return vec![state(property, things, name, *from, *to)];
    }
    let is_lasting = LASTING.contains(&event_type);
    if let Some((_, switched)) = event_type.rsplit_once('_').filter(|(_, end)| matches!(*end, "enable" | "disable")) {
        let is_on = switched == "enable";
        let switch = state(of_thing("enabled"), [existence, None], "enabled", Some(!is_on), is_on);
        return if is_lasting { vec![] } else { vec![switch] };
    }
    match noun_and_verb(event_type).map(|(_, verb)| verb) {
        Some("created #" | "added #") if !is_lasting => vec![state(existence, [None; 2], EXISTS, Some(false), true)],
        Some("deleted #" | "removed #") if !is_lasting => vec![state(existence, [None; 2], EXISTS, Some(true), false)],
        Some(verb) if !verb.starts_with("changed") => vec![],
        None if !event_type.ends_with("_update") && !event_type.ends_with("_change") => vec![],
        _ if has_own_words(event_type) => vec![],
        _ => fields(event, thing.as_deref()),
    }
}

/// Whether an entry of `changes[]` is of a secret that no value puts back: a password, its date, or an API key.
pub fn is_renewed(event_type: &str, field: &str) -> bool {
    let is = |name: &&str| field.eq_ignore_ascii_case(name);
    PASSWORD.iter().any(is)
        || event_type == "admin_update" && ["apiKeyUpdatedAt", "apiKeySet", "apiKeyHash"].iter().any(is)
}

/// What became of each field, those of objects one by one.
fn fields(event: &Event<'_>, thing: Option<&str>) -> Vec<Effect> {
    let existence = thing.map(|thing| hash(&[thing, EXISTS]));
    let mut out = Vec::new();
    for entry in event.json.get("changes").map_or(&[][..], Json::items) {
        let Some(field) = entry.text_at(&["field"]).filter(|field| !is_renewed(&event.event_type, field)) else {
            continue;
        };
        let value = |key| entry.get(key).filter(|value| !value.says_nothing());
        let property = thing.map(|thing| hash(&[thing, &letters::lower(field)]));
        match (value("from"), value("to")) {
            (None, None) => out.push(of_field((property, existence), field, State::Unknown, State::Unknown)),
            (from, to) => differing((property, existence), field, from, to, &mut out),
        }
    }
    out
}

fn differing(
    of: (Option<u128>, Option<u128>),
    field: &str,
    from: Option<&Json<'_>>,
    to: Option<&Json<'_>>,
    out: &mut Vec<Effect>,
) {
    let is_object = |value: Option<&Json<'_>>| matches!(value, None | Some(Json::Object(_)));
    if from.or(to).is_some() && is_object(from) && is_object(to) {
        let [was, is] = [from, to].map(|value| value.map(changes::by_key).unwrap_or_default());
        let keys = was.keys().chain(is.keys().filter(|key| !was.contains_key(*key)));
        for key in keys {
            let [was, is] = [&was, &is].map(|all| all.get(key).copied().filter(|value| !value.says_nothing()));
            if was.map(Json::value_hash) != is.map(Json::value_hash) {
                let property = of.0.map(|property| hash(&[&format!("{property:x}"), &letters::lower(key)]));
                differing((property, of.1), &changes::below(field, key, LONGEST), was, is, out);
            }
        }
        return;
    }
    out.push(of_field(of, field, State::of_value(field, from), State::of_value(field, to)));
}

fn of_field(of: (Option<u128>, Option<u128>), field: &str, from: State, to: State) -> Effect {
    let name = cut(field, LONGEST);
    Effect { property: of.0, things: [of.1, None], name, is_field: true, is_existence: false, from, to }
}

fn state(property: Option<u128>, things: [Option<u128>; 2], name: &str, from: Option<bool>, to: bool) -> Effect {
    Effect {
        property,
        things,
        name: name.to_owned(),
        is_field: false,
        is_existence: name == EXISTS,
        from: from.map_or(State::Unknown, State::of_answer),
        to: State::of_answer(to),
    }
}

/// Two things that were bound to each other, taken apart, or bound in another way.
fn bound(json: &Json<'_>, ends: &[Option<String>; 2]) -> Effect {
    let op = letters::lower(json.text_at(&["association", "op"]).unwrap_or_default());
    let how = json.at(&["association", "attributes"]).filter(|how| !how.says_nothing());
    let hash_of = how.unwrap_or(&Json::Bool(true)).value_hash();
    let bound = State::Known { hash: hash_of, words: String::new() };
    let apart = State::of_answer(false);
    let (from, to) = match op.as_str() {
        "add" => (apart, bound),
        "remove" => (bound, apart),
        _ => (State::Unknown, bound),
    };
    let things = ends.each_ref().map(|end| end.as_ref().map(|end| hash(&[end, EXISTS])));
    let (property, name) = (pair(ends), "bound".to_owned());
    Effect { property, things, name, is_field: false, is_existence: false, from, to }
}

/// What two things have with each other, whichever of them comes first.
fn pair(ends: &[Option<String>; 2]) -> Option<u128> {
    let [Some(one), Some(other)] = ends else { return None };
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    Some(hash(&[first, second, "bound"]))
}

fn hash(parts: &[&str]) -> u128 {
    let mut text = Vec::new();
    for part in parts {
        text.extend((part.len() as u64).to_le_bytes());
        text.extend(part.as_bytes());
    }
    xxh3_128(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Effect> {
        let json = Json::parse(text).unwrap();
        effects(&Event::part(&json), &|party| party.shown().map(str::to_owned))
    }

    fn update(changes: &str) -> Vec<Effect> {
        of(&format!(
            r#"{{"event_type":"user_update","resource":{{"type":"user","username":"jo"}},"changes":[{changes}]}}"#
        ))
    }

    #[test]
    fn a_property_is_the_same_whichever_event_tells_of_it() {
        let suspended = of(r#"{"event_type":"user_suspended","resource":{"type":"user","username":"jo"}}"#);
        let updated = update(r#"{"field":"Suspended","from":"True","to":false}"#);
        assert_eq!(suspended[0].property, updated[0].property);
        assert!(suspended[0].to.is_same(&updated[0].from) && suspended[0].from.is_same(&updated[0].to));
        let bound = |op: &str, [from, to]: [&str; 2]| {
            let end = |name| format!(r#"{{"type":"application","name":"{name}"}}"#);
            let (from, to) = (end(from), end(to));
            let ends = format!(r#"{{"from":{from},"to":{to}}}"#);
            of(&format!(r#"{{"event_type":"association_change","association":{{"op":"{op}","connection":{ends}}}}}"#))
        };
        let (add, remove) = (bound("add", ["a", "b"]), bound("REMOVE", ["b", "a"]));
        assert_eq!(add[0].property, remove[0].property);
        assert!(add[0].from.is_same(&remove[0].to) && add[0].to.is_same(&remove[0].from));
        assert_ne!(add[0].property, bound("add", ["a", "c"])[0].property);
    }

    #[test]
    fn members_are_properties_of_their_own_and_what_stays_the_same_is_none() {
        let changed = r#"{"field":"p","from":{"a":1,"b":{"c":2},"d":5},"to":{"a":1,"b":{"c":3},"e":4}}"#;
        let told: Vec<String> = update(changed).iter().map(Effect::set_back).collect();
        assert_eq!(told, ["p.b.c to 2", "p.d to 5", "p.e to nothing"]);
        let alone = update(r#"{"field":"p","from":{"b":{"c":3}},"to":{"b":{"c":2}}}"#);
        assert_eq!(update(changed)[0].property, alone[0].property);
    }

    #[test]
    fn secrets_and_what_is_not_told_are_never_the_same() {
        for entry in [
            r#"{"field":"clientSecret","from":"***","to":"***"}"#,
            r#"{"field":"title"}"#,
            r#"{"field":"sharedSecret","from":"a"}"#,
        ] {
            let own = &update(entry)[0];
            assert!(!own.from.is_same(&own.from) && own.from.words().is_none(), "{entry}");
        }
        assert!(update(r#"{"field":"password"}"#).is_empty());
        let failed = r#"{"event_type":"user_suspended","success":false,"resource":{"type":"user","username":"jo"}}"#;
        assert!(of(failed).is_empty());
    }
}
