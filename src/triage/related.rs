//! Related: who and what had a part in a finding.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::namesake::{Names, Thing};
use super::sentence::{is_sign_in, noun, other_kind};
use crate::detect::store::Store;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::letters;
use crate::event::party::{Class, class_of, is_object_id};
use crate::event::target::befalls;

/// A word for the part that something had.
pub type Role = &'static str;

/// Something that had a part in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Related {
    /// `actor`, `target`, `source`, `gateway`, `device`, `app`, `agent`, `group` (a group or a policy)
    #[serde(deserialize_with = "role")]
    pub role: Role,
    /// `user`, `ip`, `country`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// as in the log
    pub value: String,
    /// the id of somebody or something that keeps one, if an event has it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// only in what others did than whom the finding is about
    #[serde(rename = "beside", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beside: bool,
}

impl Related {
    /// Its name and its id.
    pub fn thing(&self) -> Thing<'_> {
        (&self.value, self.id.as_deref())
    }
}

/// A role in a report; one that this version does not know has no name of its own.
fn role<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
    const ROLES: [&str; 8] = ["actor", "target", "source", "gateway", "device", "app", "agent", "group"];
    let written = String::deserialize(from)?;
    Ok(ROLES.into_iter().find(|role| *role == written).unwrap_or("other"))
}

/// The first place of a name, and the place of each id.
type Places = (usize, BTreeMap<String, usize>);

/// All that had a part in it, in the order in which it came, as it was written first. What shares a name is told apart by
/// its id; what has none is one of those of its name.
pub(super) fn parts(store: &Store, events: &[u32]) -> Vec<Related> {
    let mut seen: BTreeMap<(Role, String, String), Places> = BTreeMap::new();
    let mut out: Vec<Related> = Vec::new();
    for event in events {
        let text = |norm| store.text(*event, norm).map(str::to_owned);
        // As the event itself has it: entries that name a device by its id go on to match.
        let device = || store.profiles().first(store.profile(*event), Norm::DeviceName);
        let device = || device().map(|name| store.symbol(name).to_owned());
        let kind = |norm, default: &str| text(norm).unwrap_or_else(|| default.to_owned());
        // Of something that has only an id, such as a remote session, the name of the device tells more.
        let nameless = || text(Norm::TargetId).is_some_and(|id| text(Norm::TargetName).as_ref() == Some(&id));
        let target = match device().filter(|_| nameless()) {
            Some(device) => ("target", "device".to_owned(), Some(device)),
            None => ("target", kind(Norm::TargetType, "object"), text(Norm::TargetName)),
        };
        let actor = text(Norm::ActorName).filter(|_| has_done(store, *event));
        let candidates = [
            ("actor", kind(Norm::ActorType, "user"), actor),
            target,
            ("source", "ip".to_owned(), text(Norm::SourceIp)),
            ("source", "country".to_owned(), text(Norm::SourceCountry)),
            ("gateway", "ip".to_owned(), text(Norm::SourceGateway)),
            ("device", "device".to_owned(), device().or_else(|| text(Norm::DeviceKey))),
            ("app", "app".to_owned(), text(Norm::AppName)),
            ("agent", "agent".to_owned(), text(Norm::AgentName)),
            bound(store, *event),
        ];
        for (role, kind, value) in candidates {
            let Some(value) = value else { continue };
            let mut part = Related { role, kind, value, id: None, is_beside: false };
            part.id = id(store, *event, &part).map(str::to_owned);
            let key = (role, part.kind.clone(), letters::lower(&part.value));
            let Some((first, places)) = seen.get_mut(&key) else {
                let places = part.id.iter().map(|id| (id.clone(), out.len())).collect();
                seen.insert(key, (out.len(), places));
                out.push(part);
                continue;
            };
            let Some(id) = part.id.clone().filter(|id| !places.contains_key(id)) else { continue };
            if out[*first].id.is_none() {
                out[*first].id = part.id;
                places.insert(id, *first);
            } else {
                places.insert(id, out.len());
                out.push(part);
            }
        }
    }
    out
}

/// Marks what had no part in what the one did whom a finding is about.
pub(super) fn mark_beside(parts: &mut [Related], own: &[Related]) {
    let mut named: BTreeMap<(Role, &str), Vec<Thing<'_>>> = BTreeMap::new();
    own.iter().for_each(|part| named.entry((part.role, &part.kind)).or_default().push(part.thing()));
    let named: BTreeMap<_, Names> =
        named.into_iter().map(|(key, things)| (key, things.into_iter().collect())).collect();
    for part in parts {
        part.is_beside = !named.get(&(part.role, part.kind.as_str())).is_some_and(|names| names.has(part.thing()));
    }
}

/// Whether the actor that a record names did something: nobody did a lockout, and a device that tells of itself is named
/// as that device.
fn has_done(store: &Store, event: u32) -> bool {
    let text = |norm| store.text(event, norm);
    let is_befallen = text(Norm::EventType).is_some_and(befalls) && text(Norm::ActorKey) == text(Norm::TargetKey);
    !(is_befallen || is_of_device(text(Norm::ActorType), text(Norm::ActorId), text(Norm::DeviceKey)))
}

/// Whether a device tells of itself, by the type and the id of the actor and the key of the device.
pub(super) fn is_of_device(kind: Option<&str>, id: Option<&str>, device: Option<&str>) -> bool {
    kind == Some("system") && device.is_some() && id == device
}

/// Puts those who got in before those who were tried in vain, if it is about a success after failures.
pub(super) fn successful_first(
    store: &Store,
    completing: &[u32],
    events: &[u32],
    mut parts: Vec<Related>,
) -> Vec<Related> {
    let has = |event: &u32, outcome| store.text(*event, Norm::Outcome) == Some(outcome);
    if events.iter().any(|event| has(event, "failure")) {
        let successful = completing.iter().filter(|event| has(event, "success"));
        let names: Names = successful.filter_map(|event| actor(store, *event)).collect();
        parts.sort_by_cached_key(|part| part.role != "actor" || !names.has(part.thing()));
    }
    parts
}

/// Sets those apart as whom somebody tried to sign in in vain, and as whom somebody got in, where they did nothing else: to
/// call them `actor` would say that they did it.
pub(super) fn tried_apart(store: &Store, events: &[u32], parts: &mut [Related]) {
    let (mut tried, mut entered, mut did) = (vec![], vec![], vec![]);
    for event in events {
        let Some(thing) = actor(store, *event) else { continue };
        let is_sign_in = store.text(*event, Norm::EventType).is_some_and(is_sign_in);
        let list = match store.text(*event, Norm::Outcome) {
            _ if !is_sign_in => &mut did,
            Some("success") => &mut entered,
            _ => &mut tried,
        };
        list.push(thing);
    }
    let has_tried = !tried.is_empty();
    let [entered, did]: [Names; 2] = [entered, did].map(|things| things.into_iter().collect());
    for part in parts.iter_mut().filter(|part| part.role == "actor" && has_tried) {
        part.role = match () {
            () if did.has(part.thing()) => "actor",
            () if entered.has(part.thing()) => "entered",
            () => "tried",
        };
    }
}

/// The actor of an event, as its part has it.
fn actor(store: &Store, event: u32) -> Option<Thing<'_>> {
    let name = store.text(event, Norm::ActorName)?;
    let is_person = matches!(class_of(store.text(event, Norm::ActorType)), Class::Admin | Class::User);
    Some((name, store.text(event, Norm::ActorId).filter(|id| is_person && *id != name)))
}

/// Kinds of things that keep their id as long as they are there; a run, a request or a report has another each time.
const LASTING: &[&str] = &["admin", "user", "system", "application", "command", "policy", "user_group", "system_group"];

/// The id of what had a part in an event.
fn id<'s>(store: &'s Store, event: u32, part: &Related) -> Option<&'s str> {
    let text = |norm| store.text(event, norm);
    let of = |kind, name, id| {
        // Whom an alert is about is a target, too, of whom it has the name alone.
        let has = |norm, own: &str| text(norm).is_some_and(|text| letters::are_one(text, own));
        text(id).filter(|_| has(kind, &part.kind) && has(name, &part.value))
    };
    let is_named = |norm| text(norm) == Some(&part.value);
    let found = match (part.role, part.kind.as_str()) {
        ("actor", "admin" | "user") => of(Norm::ActorType, Norm::ActorName, Norm::ActorId),
        ("device", _) | ("target", "device") => text(Norm::DeviceKey).filter(|_| is_named(Norm::DeviceName)),
        ("app", _) => text(Norm::AppKey).filter(|key| is_object_id(key) && is_named(Norm::AppName)),
        ("target", kind) if LASTING.contains(&kind) => of(Norm::TargetType, Norm::TargetName, Norm::TargetId),
        _ => None,
    };
    found.filter(|id| *id != part.value)
}

/// The other end of an association, or whom an alert or a membership is about: its role, its kind and its name.
fn bound(store: &Store, event: u32) -> (&'static str, String, Option<String>) {
    let Some(name) = store.text(event, Norm::TargetOther) else { return ("group", String::new(), None) };
    let is_device = || store.text(event, Norm::DeviceKey) == Some(name);
    let kind = end_kind(store, event).unwrap_or_else(|| if is_device() { "system" } else { "user" }.to_owned());
    let (role, kind) = match kind.as_str() {
        "user_group" | "system_group" | "" => ("group", "group".to_owned()),
        "system" => ("device", "device".to_owned()),
        "application" => ("app", "app".to_owned()),
        "user" | "admin" => ("target", kind),
        _ => ("group", kind),
    };
    (role, kind, Some(name.to_owned()))
}

/// The kind of the other end of an association, empty where nothing says it; `None` if the event is about none.
fn end_kind(store: &Store, event: u32) -> Option<String> {
    if !store.text(event, Norm::EventType)?.ends_with("association_change") {
        return None;
    }
    let view = store.view(event);
    let side = |side: &str| {
        let path = ["association", "connection", side, "type"].map(str::to_owned);
        let values = view.values(&Field::Raw(path.to_vec()));
        values.first().and_then(Value::text).map(str::to_owned)
    };
    Some(other_kind(store.text(event, Norm::TargetType).unwrap_or_default(), &["from", "to"].map(side)))
}

/// What the targets of these events were bound to or taken from, each once: what it is called before its name, and the name.
pub(super) fn ends<'s>(store: &'s Store, events: &[u32]) -> Vec<(String, &'s str)> {
    let mut seen = BTreeSet::new();
    let named = |event: &u32| {
        let other = store.text(*event, Norm::TargetOther)?;
        Some((noun(&end_kind(store, *event).unwrap_or_default()), other))
    };
    events.iter().filter_map(named).filter(|end| seen.insert(end.clone())).collect()
}

/// The programs that were installed or removed, each once.
pub(super) fn programs<'s>(store: &'s Store, events: &[u32]) -> Vec<&'s str> {
    let is_of_software =
        |event: &&u32| store.text(**event, Norm::EventType).is_some_and(|t| t.starts_with("software_"));
    let mut seen = BTreeSet::new();
    let names = events.iter().filter(is_of_software).filter_map(|event| store.text(*event, Norm::AppName));
    names.filter(|name| seen.insert(*name)).collect()
}

/// How many of a kind a person reads.
pub(super) const READABLE: usize = 20;

/// What is left out of a list for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omitted {
    /// of which role
    #[serde(deserialize_with = "role")]
    pub role: Role,
    /// and of which kind
    #[serde(rename = "type")]
    pub kind: String,
    /// how many
    pub count: usize,
}

/// Not more of a kind than a person reads, and how many more there are.
pub(super) fn readable(parts: &[Related]) -> (Vec<Related>, Vec<Omitted>) {
    let mut counts: BTreeMap<(&'static str, &str), usize> = BTreeMap::new();
    let mut shown = Vec::new();
    for part in parts {
        let count = counts.entry((part.role, &part.kind)).or_default();
        *count += 1;
        if *count <= READABLE {
            shown.push(part.clone());
        }
    }
    let omitted = counts.into_iter().filter(|(_, count)| *count > READABLE);
    let omitted = omitted.map(|((role, kind), count)| Omitted { role, kind: kind.to_owned(), count: count - READABLE });
    (shown, omitted.collect())
}
