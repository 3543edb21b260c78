//! Describe: findings and events in plain sentences.

use std::collections::HashSet;

use super::finding::Subject;
use super::namesake::{Called, count, counted, few_of};
use super::related::Related;
use super::sentence::{self, cut};
use crate::detect::memory::Leg;
use crate::detect::store::Store;
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::time::Span;
use crate::rule::{Entity, Rule};

/// Characters of a name in a sentence.
const LONGEST: usize = 200;

/// An event whose device is called by the name that other events have for it, if it has none itself.
struct Told<'s> {
    store: &'s Store,
    event: u32,
}

impl Fields for Told<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        match field {
            Field::Norm(Norm::DeviceName) => {
                self.store.text(self.event, Norm::DeviceName).map(|name| Value::Text(name.into())).into_iter().collect()
            }
            other => self.store.profiles().field(self.store.profile(self.event), other),
        }
    }
}

/// One sentence that says what was found, who, from where, how often. What had a part in it is told apart: in what the
/// entity did, and beside that. `programs` were installed or removed, and `ends` bound to the targets or taken from them.
pub fn finding(
    (rule, title): (&Rule, &str),
    entity: &Subject,
    programs: &[&str],
    ends: &[(String, &str)],
    [own, beside]: [&[Related]; 2],
    (count, spent): (usize, Span),
    leg: Option<(Leg, String, String)>,
) -> String {
    let of = |role: &str, kind: Option<&str>| values(own, role, kind);
    let mut text = title.to_owned();
    // What an event does not name, a finding cannot be about.
    let wanted = if entity.kind == "organization" { Entity::Organization } else { rule.entity };
    if wanted != Entity::Organization {
        text += &format!(": {}", cut(&entity.name, LONGEST));
    }
    if !programs.is_empty() && wanted != Entity::App {
        text += if wanted == Entity::Organization { ": " } else { ", software " };
        text += &some(&alone(programs));
    }
    let but_it = |role| of(role, None).into_iter().filter(|one| one.name != entity.name).collect::<Vec<_>>();
    let actors = but_it("actor");
    if wanted != Entity::Actor && !actors.is_empty() {
        // An address does what it does with the names of others.
        let means = if rule.entity == Entity::Source { "as" } else { "by" };
        text += &format!(", {means} {}", some(&actors));
    }
    let (entered, tried) = (but_it("entered"), but_it("tried"));
    if !entered.is_empty() {
        text += &format!(", got in as {}", some(&entered));
    }
    if !tried.is_empty() {
        let means = if entered.is_empty() { "as" } else { "tried" };
        text += &format!(", {means} {}", some(&tried));
    }
    let others: HashSet<&str> = actors.iter().map(|one| one.name).chain([entity.name.as_str()]).collect();
    let is_said = |one: &Called<'_>| others.contains(one.name) || programs.contains(&one.name);
    let targets: Vec<Called<'_>> = of("target", None).into_iter().filter(|target| !is_said(target)).collect();
    if wanted != Entity::Target && !targets.is_empty() {
        text += &format!(", on {}", some(&targets));
    }
    let bound: HashSet<&str> = ends.iter().map(|(_, name)| *name).collect();
    let devices = of("device", None).into_iter().filter(|device| !is_said(device) && !bound.contains(device.name));
    let devices: Vec<Called<'_>> = devices.collect();
    if wanted == Entity::Target && !devices.is_empty() {
        text += &format!(", on {}", some(&devices));
    }
    let named: HashSet<&str> = targets.iter().map(|one| one.name).chain([entity.name.as_str()]).collect();
    let ends: Vec<String> = ends
        .iter()
        .filter(|(_, name)| !named.contains(name))
        .map(|(noun, name)| format!("{noun} {}", cut(name, LONGEST)).trim_start().to_owned())
        .collect();
    if !ends.is_empty() {
        text += &format!(", {}", some(&alone(&ends.iter().map(String::as_str).collect::<Vec<_>>())));
    }
    let sources: Vec<Called<'_>> =
        of("source", Some("ip")).into_iter().filter(|source| source.name != entity.name).collect();
    text += &from(",", &sources, &of("source", Some("country")));
    let gateways = but_it("gateway");
    if !gateways.is_empty() {
        text += &format!(", at the gateway {}", some(&gateways));
    }
    let others: Vec<Called<'_>> =
        values(beside, "actor", None).into_iter().filter(|other| other.name != entity.name).collect();
    if !others.is_empty() {
        let sources = values(beside, "source", Some("ip"));
        text += &format!(", and {}", some(&others));
        text += &from("", &sources, &values(beside, "source", Some("country")));
    }
    if let Some((leg, from, to)) = leg {
        let span = Span(leg.nanoseconds).words();
        text += &format!(": {from} to {to}, {:.0} km in {span} ({:.0} km/h)", leg.km, leg.kmh());
    } else if count > 1 {
        text += &format!(", {count} events in {}", spent.words());
    }
    text
}

/// What had this part, each name once: two kinds of thing may have one.
fn values<'r>(related: &'r [Related], role: &str, kind: Option<&str>) -> Vec<Called<'r>> {
    counted(related.iter().filter(|r| r.role == role && kind.is_none_or(|k| r.kind == k)).map(Related::thing))
}

/// Names of one thing each.
fn alone<'n>(names: &[&'n str]) -> Vec<Called<'n>> {
    counted(names.iter().map(|name| (*name, None)))
}

fn from(comma: &str, sources: &[Called<'_>], countries: &[Called<'_>]) -> String {
    match (sources.is_empty(), countries.is_empty()) {
        (false, false) => format!("{comma} from {} ({})", some(sources), some(countries)),
        (false, true) => format!("{comma} from {}", some(sources)),
        (true, false) => format!(" ({})", some(countries)),
        (true, true) => String::new(),
    }
}

/// The first few of a list, and how many more.
fn some(list: &[Called<'_>]) -> String {
    const MOST: usize = 3;
    few_of(count(list), list, MOST, "", &|name| cut(name, LONGEST))
}

/// One sentence about an event, of what was kept of it.
pub fn event(store: &Store, event: u32) -> String {
    sentence::of_fields(&Told { store, event }).to_string()
}
