//! Related: who and what had a part in a finding.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::sentence::{is_sign_in, noun, other_kind};
use crate::detect::store::Store;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::party::{Class, class_of};
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
    /// of people the id, unless events of this name have several
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// only in what others did than whom the finding is about
    #[serde(rename = "beside", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beside: bool,
}

/// A role in a report; one that this version does not know has no name of its own.
fn role<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
    const ROLES: [&str; 8] = ["actor", "target", "source", "gateway", "device", "app", "agent", "group"];
    let written = String::deserialize(from)?;
    Ok(ROLES.into_iter().find(|role| *role == written).unwrap_or("other"))
}

/// All that had a part in it, in the order in which it came, as it was written first.
pub(super) fn parts(store: &Store, events: &[u32]) -> Vec<Related> {
    let mut seen: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    let mut out: Vec<Related> = Vec::new();
    let mut ids: Vec<BTreeSet<&str>> = Vec::new();
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
            let place = *seen.entry((role, kind.clone(), value.to_lowercase())).or_insert_with(|| {
                out.push(Related { role, kind, value, id: None, is_beside: false });
                ids.push(BTreeSet::new());
                out.len() - 1
            });
            ids[place].extend(person_id(store, *event, &out[place]));
        }
    }
    for (part, ids) in out.iter_mut().zip(ids) {
        part.id = ids.first().filter(|_| ids.len() == 1).map(|id| (*id).to_owned());
    }
    out
}

/// Marks what had no part in what the one did whom a finding is about.
pub(super) fn mark_beside(parts: &mut [Related], own: &[Related]) {
    let key = |part: &Related| (part.role, part.kind.clone(), part.value.to_lowercase());
    let own: BTreeSet<_> = own.iter().map(key).collect();
    parts.iter_mut().for_each(|part| part.is_beside = !own.contains(&key(part)));
}

/// Whether the actor that a record names did something: nobody did a lockout, and a device that tells of itself is named
/// as that device.
fn has_done(store: &Store, event: u32) -> bool {
    let text = |norm| store.text(event, norm);
    let is_befallen = text(Norm::EventType).is_some_and(befalls) && text(Norm::ActorKey) == text(Norm::TargetKey);
    let is_device = text(Norm::ActorType) == Some("system") && text(Norm::ActorId) == text(Norm::DeviceKey);
    !(is_befallen || is_device && text(Norm::DeviceKey).is_some())
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
        let names: BTreeSet<String> =
            successful.filter_map(|event| store.text(*event, Norm::ActorName)).map(str::to_lowercase).collect();
        parts.sort_by_cached_key(|part| part.role != "actor" || !names.contains(&part.value.to_lowercase()));
    }
    parts
}

/// Sets those apart as whom somebody tried to sign in in vain, and as whom somebody got in, where they did nothing else: to
/// call them `actor` would say that they did it.
pub(super) fn tried_apart(store: &Store, events: &[u32], parts: &mut [Related]) {
    let (mut tried, mut entered, mut did) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for event in events {
        let Some(name) = store.text(*event, Norm::ActorName) else { continue };
        let is_sign_in = store.text(*event, Norm::EventType).is_some_and(is_sign_in);
        let list = match store.text(*event, Norm::Outcome) {
            _ if !is_sign_in => &mut did,
            Some("success") => &mut entered,
            _ => &mut tried,
        };
        list.insert(name.to_lowercase());
    }
    for part in parts.iter_mut().filter(|part| part.role == "actor" && !tried.is_empty()) {
        let name = part.value.to_lowercase();
        part.role = match () {
            () if did.contains(&name) => "actor",
            () if entered.contains(&name) => "entered",
            () => "tried",
        };
    }
}

/// The id of a person who had a part in an event.
fn person_id<'s>(store: &'s Store, event: u32, part: &Related) -> Option<&'s str> {
    let [kind, name, id] = match part.role {
        "actor" => [Norm::ActorType, Norm::ActorName, Norm::ActorId],
        "target" => [Norm::TargetType, Norm::TargetName, Norm::TargetId],
        _ => return None,
    };
    let is_person = matches!(class_of(Some(&part.kind)), Class::Admin | Class::User);
    // Whom an alert is about is a target, too, of whom it has the name alone.
    let has = |norm, text: &str| store.text(event, norm).is_some_and(|own| own.eq_ignore_ascii_case(text));
    let is_theirs = is_person && has(kind, &part.kind) && has(name, &part.value);
    store.text(event, id).filter(|id| is_theirs && *id != part.value)
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
