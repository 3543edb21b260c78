//! Context: what is known from elsewhere of those who had a part in a finding.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::enrich::directory::Person;
use crate::enrich::enrichment::Enrichment;
use crate::event::party::Class;
use crate::event::source::address;

/// What is known of a finding from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// by name, what the directory says of a person
    pub directory: BTreeMap<String, BTreeMap<&'static str, String>>,
    /// indicators that had a part in it
    pub intel: Vec<Hit>,
    /// by address, where it is and whose
    pub geo: BTreeMap<String, String>,
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

/// Looks up everybody and everything in a finding.
pub fn of(finding: &Finding, enrichment: &Enrichment) -> Context {
    let mut context = Context::default();
    let entity = &finding.entity;
    person(enrichment, &entity.kind, &[&entity.id, &entity.name], &mut context);
    for related in &finding.related {
        let value = related.value.as_str();
        match (related.role, related.kind.as_str()) {
            ("actor" | "target", kind) => {
                person(enrichment, kind, &[value], &mut context);
                hits(enrichment, None, Some(value), None, &mut context);
            }
            ("source", "ip") => place(enrichment, value, &mut context),
            ("agent", _) => hits(enrichment, None, None, Some(value), &mut context),
            _ => {}
        }
    }
    context.intel.sort();
    context.intel.dedup();
    context
}

fn person(enrichment: &Enrichment, kind: &str, keys: &[&str], context: &mut Context) {
    let class = match kind {
        "admin" => Class::Admin,
        "user" => Class::User,
        _ => return,
    };
    let Some(directory) = &enrichment.directory else { return };
    let Some(known) = keys.iter().find_map(|key| directory.person_by(class, key)) else { return };
    let name = known.shown().unwrap_or(keys[0]).to_owned();
    context.directory.entry(name).or_insert_with(|| facts(known));
}

fn facts(person: &Person) -> BTreeMap<&'static str, String> {
    let truth = |is: Option<bool>| is.map(|is| if is { "yes" } else { "no" }.to_owned());
    let all = [
        ("name", person.name.clone()),
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

fn place(enrichment: &Enrichment, text: &str, context: &mut Context) {
    let Some(ip) = address(text) else { return };
    hits(enrichment, Some(ip), None, None, context);
    let mut told = Vec::new();
    if let Some(place) = enrichment.geo.as_ref().and_then(|geo| geo.place(ip)) {
        told.extend(place.city);
        told.extend(place.country);
        told.extend(place.asn.map(|asn| format!("AS{asn}")));
        told.extend(place.as_name);
        told.extend(place.anonymous.map(str::to_owned));
        told.extend(place.hosting.filter(|is| *is).map(|_| "hosting".to_owned()));
    }
    if let Some(label) = enrichment.known.as_ref().and_then(|known| known.label(ip)) {
        told.push(format!("known as {label}"));
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
