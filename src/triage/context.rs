//! Context: what is known from elsewhere of those who had a part in a finding.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::Finding;
use crate::detect::store::Store;
use crate::enrich::directory::{Directory, Person};
use crate::enrich::enrichment::Enrichment;
use crate::enrich::intel::Listed;
use crate::event::field::{Field, Norm};
use crate::event::party::{Class, class_of, is_object_id};
use crate::event::source::address;
use crate::event::time::Timestamp;

/// What is known of a finding from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// by name, what the directory says of a person
    pub directory: BTreeMap<String, BTreeMap<&'static str, String>>,
    /// indicators that had a part in it
    pub intel: Vec<Indicator>,
    /// by address, where it is and whose
    pub geo: BTreeMap<String, String>,
    /// by address, what the organization calls the network
    pub known: BTreeMap<String, String>,
    /// by kind and name, whether the directory has a person
    pub people: BTreeMap<(String, String), bool>,
}

/// An indicator that had a part in a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Indicator {
    /// as the list writes it
    pub indicator: String,
    /// address, domain, …
    #[serde(rename = "type")]
    pub kind: String,
    /// the list
    pub file: String,
    /// what the list says of it
    pub description: String,
}

/// Looks up everybody and everything in a finding. What comes from the organization's own networks alone is less
/// surely an attack.
pub fn add(finding: &mut Finding, store: &Store, enrichment: &Enrichment) {
    finding.context = of(finding, store, enrichment);
    let is_known = |text: &str| enrichment.known.as_ref().is_some_and(|known| known.is_own(text));
    let mut addresses = finding.parts.iter().filter(|part| part.role == "source" && part.kind == "ip").peekable();
    if addresses.peek().is_some() && addresses.all(|part| is_known(&part.value)) {
        finding.confidence = finding.confidence.lower();
    }
}

fn of(finding: &Finding, store: &Store, enrichment: &Enrichment) -> Context {
    let mut context = Context::default();
    let said = said(finding, store);
    let ids = ids(finding, store);
    let asked = Asked { directory: enrichment.directory.as_ref(), organization: &finding.organization, ids: &ids };
    let entity = &finding.entity;
    // The id of an entity of which no event has one is what it is called.
    let names = [entity.name.as_str(), entity.id.as_str()];
    match entity.kind.as_str() {
        "device" | "system" => asked.device(&names, &mut context),
        kind => asked.person(kind, &names, &mut context),
    }
    for related in finding.related().0 {
        let value = related.value.as_str();
        match (related.role, related.kind.as_str()) {
            ("device", _) | ("target", "system" | "device") => asked.device(&[value], &mut context),
            ("actor" | "target", kind) => {
                asked.person(kind, &[value], &mut context);
                let email = value.contains('@').then_some(value);
                hits(enrichment.listed_person(email, Some(value)), &mut context);
            }
            ("source", "ip") => place(enrichment, value, &said, &mut context),
            ("group", "group") => asked.group(value, &mut context),
            ("agent", _) => hits(enrichment.listed_agent(value), &mut context),
            _ => {}
        }
    }
    let field = Field::Norm(Norm::IntelName);
    let names = |event: &u32| store.profiles().field(store.profile(*event), &field);
    let met: BTreeSet<String> =
        finding.events.iter().flat_map(names).filter_map(|name| name.text().map(str::to_owned)).collect();
    met.iter().for_each(|indicator| hits(enrichment.written(indicator), &mut context));
    context.intel.sort();
    context.intel.dedup();
    context
}

/// The object ids that the events of a finding have for a name, by class of thing and name.
type Ids<'s> = BTreeMap<(Class, &'s str), BTreeSet<&'s str>>;

fn ids<'s>(finding: &Finding, store: &'s Store) -> Ids<'s> {
    let mut ids = Ids::new();
    for event in &finding.events {
        let text = |norm| store.text(*event, norm);
        let mut learn = |class, id, name| {
            if let (Some(id), Some(name)) = (id, name) {
                ids.entry((class, name)).or_default().insert(id);
            }
        };
        let (actor, target) = (class_of(text(Norm::ActorType)), class_of(text(Norm::TargetType)));
        learn(actor, text(Norm::ActorId), text(Norm::ActorName));
        learn(target, text(Norm::TargetId), text(Norm::TargetName));
        // The key of a device is its id, where the record has one.
        let key = text(Norm::DeviceKey).filter(|key| is_object_id(key));
        learn(Class::Thing, key, text(Norm::DeviceName));
    }
    ids
}

/// Where a finding's people and things are looked up.
struct Asked<'a> {
    directory: Option<&'a Directory>,
    organization: &'a str,
    ids: &'a Ids<'a>,
}

impl Asked<'_> {
    /// The ids that go with a name; none at all is one try without an id.
    fn ids_of(&self, class: Class, names: &[&str]) -> Vec<Option<&str>> {
        let known: BTreeSet<&str> =
            names.iter().filter_map(|name| self.ids.get(&(class, *name))).flatten().copied().collect();
        if known.is_empty() { vec![None] } else { known.into_iter().map(Some).collect() }
    }

    fn person(&self, kind: &str, names: &[&str], context: &mut Context) {
        let class = class_of(Some(kind));
        let Some(directory) = self.directory.filter(|_| class != Class::Thing) else { return };
        let mut is_there = false;
        for id in self.ids_of(class, names) {
            let Some(known) = directory.person(class, self.organization, id, names) else { continue };
            is_there = true;
            let name = known.shown().unwrap_or(names[0]).to_owned();
            context.directory.entry(name).or_insert_with(|| facts(known));
        }
        *context.people.entry((kind.to_owned(), names[0].to_owned())).or_default() |= is_there;
    }

    fn device(&self, names: &[&str], context: &mut Context) {
        let Some(directory) = self.directory else { return };
        for id in self.ids_of(Class::Thing, names) {
            let mut found = names.iter().filter_map(|name| directory.system(self.organization, id, name));
            let Some(system) = found.next() else { continue };
            let all = [
                ("hostname", system.hostname.clone()),
                ("os", system.os.clone()),
                ("serial", system.serial.clone()),
                ("owner", system.owner.clone()),
                ("last_contact", system.last_contact.map(Timestamp::rfc3339)),
            ];
            let facts = all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
            let name = system.name.clone().unwrap_or_else(|| names[0].to_owned());
            context.directory.entry(name).or_insert(facts);
        }
    }

    fn group(&self, name: &str, context: &mut Context) {
        let Some(group) = self.directory.and_then(|directory| directory.group(self.organization, name)) else {
            return;
        };
        let facts = group.members.map(|members| ("members", members.to_string()));
        context.directory.entry(group.name.clone()).or_insert_with(|| facts.into_iter().collect());
    }
}

/// What the directory says of a person, in the order of the names of these facts.
pub fn facts(person: &Person) -> BTreeMap<&'static str, String> {
    let truth = |is: Option<bool>| is.map(|is| if is { "yes" } else { "no" }.to_owned());
    let all = [
        ("name", person.name.clone()),
        ("username", person.username.clone()),
        ("email", person.email.clone()),
        ("job_title", person.job_title.clone()),
        ("department", person.department.clone()),
        ("location", person.location.clone()),
        ("manager", person.manager.clone()),
        ("groups", (!person.groups.is_empty()).then(|| person.groups.join(", "))),
        ("mfa", truth(person.mfa.configured.or(person.mfa.totp))),
        ("suspended", truth(person.suspended)),
        ("admin_role", person.admin_role.clone()),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// What the log says of addresses.
#[derive(Default)]
struct Said {
    countries: BTreeSet<String>,
    operators: BTreeSet<String>,
}

/// What the events of a finding say of their addresses. What a database filled in is what that database says.
fn said(finding: &Finding, store: &Store) -> BTreeMap<String, Said> {
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for event in &finding.events {
        let Some(ip) = store.text(*event, Norm::SourceIp) else { continue };
        let Said { countries, operators } = said.entry(ip.to_owned()).or_default();
        countries.extend(store.text(*event, Norm::SourceCountry).map(str::to_owned));
        operators.extend(store.text(*event, Norm::SourceAsn).map(str::to_owned));
    }
    said
}

fn place(enrichment: &Enrichment, text: &str, said: &BTreeMap<String, Said>, context: &mut Context) {
    let Some(ip) = address(text) else { return };
    hits(enrichment.listed_address(ip), context);
    let mut told = Vec::new();
    if let Some(place) = enrichment.geo.as_ref().and_then(|geo| geo.place(ip)) {
        let operator = place.asn.map(|asn| format!("AS{asn}"));
        let differs = |said: &BTreeSet<String>, known: Option<&String>| {
            let known = known?;
            let others: Vec<&str> = said.iter().filter(|said| *said != known).map(String::as_str).collect();
            (!others.is_empty()).then(|| format!("the log says {}, the database {known}", others.join(" and ")))
        };
        let said = said.get(text);
        let disagreements = [
            said.and_then(|said| differs(&said.countries, place.country.as_ref())),
            said.and_then(|said| differs(&said.operators, operator.as_ref())),
        ];
        told.extend(place.city);
        told.extend(place.country);
        told.extend(operator);
        told.extend(place.as_name);
        told.extend(place.anonymous.map(str::to_owned));
        told.extend(place.hosting.filter(|is| *is).map(|_| "hosting".to_owned()));
        told.extend(disagreements.into_iter().flatten());
    }
    if let Some(label) = enrichment.known.as_ref().and_then(|known| known.label(ip)) {
        told.push(format!("known as {label}"));
        context.known.insert(text.to_owned(), label.to_owned());
    }
    if !told.is_empty() {
        context.geo.insert(text.to_owned(), told.join(", "));
    }
}

fn hits(found: Vec<Listed<'_>>, context: &mut Context) {
    context.intel.extend(found.into_iter().map(|listed| Indicator {
        indicator: listed.indicator.to_owned(),
        kind: listed.kind.to_string(),
        file: listed.file.to_owned(),
        description: listed.description.unwrap_or_default().to_owned(),
    }));
}
