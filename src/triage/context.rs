//! Context: what is known from elsewhere of those who had a part in a finding.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use crate::detect::store::Store;
use crate::enrich::directory::Person;
use crate::enrich::enrichment::Enrichment;
use crate::event::field::Norm;
use crate::event::party::Class;
use crate::event::source::address;
use crate::event::time::Timestamp;

/// What is known of a finding from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// by name, what the directory says of a person
    pub directory: BTreeMap<String, BTreeMap<&'static str, String>>,
    /// indicators that had a part in it
    pub intel: Vec<Hit>,
    /// by address, where it is and whose
    pub geo: BTreeMap<String, String>,
    /// by address, what the organization calls the network
    pub known: BTreeMap<String, String>,
}

/// An indicator that had a part in a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// as the list writes it
    pub indicator: String,
    /// address, domain, …
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
    let is_known = |text: &str| {
        let known = enrichment.known.as_ref().zip(address(text));
        known.is_some_and(|(known, ip)| known.label(ip).is_some())
    };
    let mut addresses = finding.parts.iter().filter(|part| part.role == "source" && part.kind == "ip").peekable();
    if addresses.peek().is_some() && addresses.all(|part| is_known(&part.value)) {
        finding.confidence = finding.confidence.lower();
    }
}

fn of(finding: &Finding, store: &Store, enrichment: &Enrichment) -> Context {
    let mut context = Context::default();
    let (entity, organization) = (&finding.entity, finding.organization.as_str());
    let said = said(finding, store);
    if matches!(entity.kind.as_str(), "device" | "system") {
        device(enrichment, Some(&entity.id), &entity.name, &mut context);
    }
    person(enrichment, organization, &entity.kind, &[&entity.id, &entity.name], &mut context);
    for related in &finding.related {
        let value = related.value.as_str();
        match (related.role, related.kind.as_str()) {
            ("device", _) | ("target", "system" | "device") => device(enrichment, None, value, &mut context),
            ("actor" | "target", kind) => {
                person(enrichment, organization, kind, &[value], &mut context);
                hits(enrichment, None, Some(value), None, &mut context);
            }
            ("source", "ip") => place(enrichment, value, &said, &mut context),
            ("group", _) => group(enrichment, value, &mut context),
            ("agent", _) => hits(enrichment, None, None, Some(value), &mut context),
            _ => {}
        }
    }
    context.intel.sort();
    context.intel.dedup();
    context
}

fn person(enrichment: &Enrichment, organization: &str, kind: &str, keys: &[&str], context: &mut Context) {
    let class = match kind {
        "admin" => Class::Admin,
        "user" => Class::User,
        _ => return,
    };
    let Some(directory) = &enrichment.directory else { return };
    let Some(known) = keys.iter().find_map(|key| directory.person_by(class, key)) else { return };
    if known.organization.as_ref().is_some_and(|own| !organization.is_empty() && own != organization) {
        return;
    }
    let name = known.shown().unwrap_or(keys[0]).to_owned();
    context.directory.entry(name).or_insert_with(|| facts(known));
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

fn device(enrichment: &Enrichment, id: Option<&str>, name: &str, context: &mut Context) {
    let Some(directory) = &enrichment.directory else { return };
    let by_id = directory.system(id.or(Some(name)), None);
    let by_name = || directory.system(id.filter(|id| *id != name), Some(name));
    let Some(system) = by_id.or_else(by_name) else { return };
    let all = [
        ("hostname", system.hostname.clone()),
        ("os", system.os.clone()),
        ("serial", system.serial.clone()),
        ("owner", system.owner.clone()),
        ("last_contact", system.last_contact.map(Timestamp::rfc3339)),
    ];
    let facts = all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    context.directory.entry(system.name.clone().unwrap_or_else(|| name.to_owned())).or_insert(facts);
}

fn group(enrichment: &Enrichment, name: &str, context: &mut Context) {
    let Some(directory) = &enrichment.directory else { return };
    let Some(group) = directory.group(name).or_else(|| directory.group_named(name)) else { return };
    let facts = group.members.map(|members| ("members", members.to_string()));
    context.directory.entry(group.name.clone()).or_insert_with(|| facts.into_iter().collect());
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
    hits(enrichment, Some(ip), None, None, context);
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

fn hits(
    enrichment: &Enrichment,
    ip: Option<std::net::IpAddr>,
    name: Option<&str>,
    agent: Option<&str>,
    context: &mut Context,
) {
    let found = enrichment.listed(ip, name.filter(|name| name.contains('@')), name, agent);
    context.intel.extend(found.into_iter().map(|listed| Hit {
        indicator: listed.indicator.to_owned(),
        kind: listed.kind.to_string(),
        file: listed.file.to_owned(),
        description: listed.description.unwrap_or_default().to_owned(),
    }));
}
