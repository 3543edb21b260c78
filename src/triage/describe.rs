//! Describe: findings and events in plain sentences.

use std::collections::HashSet;

use super::finding::Subject;
use super::related::Related;
use super::sentence::{self, cut};
use crate::detect::memory::Leg;
use crate::detect::store::Store;
use crate::event::counted::more;
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
        text += &some(programs);
    }
    let actors: Vec<&str> = of("actor", None).into_iter().filter(|a| *a != entity.name).collect();
    if wanted != Entity::Actor && !actors.is_empty() {
        // An address does what it does with the names of others.
        let means = if rule.entity == Entity::Source { "as" } else { "by" };
        text += &format!(", {means} {}", some(&actors));
    }
    let but_it = |role| of(role, None).into_iter().filter(|name| *name != entity.name).collect::<Vec<_>>();
    let (entered, tried) = (but_it("entered"), but_it("tried"));
    if !entered.is_empty() {
        text += &format!(", got in as {}", some(&entered));
    }
    if !tried.is_empty() {
        let means = if entered.is_empty() { "as" } else { "tried" };
        text += &format!(", {means} {}", some(&tried));
    }
    let others: HashSet<&str> = actors.iter().copied().chain([entity.name.as_str()]).collect();
    let is_said = |name: &&str| others.contains(name) || programs.contains(name);
    let targets: Vec<&str> = of("target", None).into_iter().filter(|target| !is_said(target)).collect();
    if wanted != Entity::Target && !targets.is_empty() {
        text += &format!(", on {}", some(&targets));
    }
    let bound: HashSet<&str> = ends.iter().map(|(_, name)| *name).collect();
    let devices = of("device", None).into_iter().filter(|device| !is_said(device) && !bound.contains(device));
    let devices: Vec<&str> = devices.collect();
    if wanted == Entity::Target && !devices.is_empty() {
        text += &format!(", on {}", some(&devices));
    }
    let named: HashSet<&str> = targets.iter().copied().chain([entity.name.as_str()]).collect();
    let ends: Vec<String> = ends
        .iter()
        .filter(|(_, name)| !named.contains(name))
        .map(|(noun, name)| format!("{noun} {}", cut(name, LONGEST)).trim_start().to_owned())
        .collect();
    if !ends.is_empty() {
        text += &format!(", {}", some(&ends.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let sources: Vec<&str> = of("source", Some("ip")).into_iter().filter(|s| *s != entity.name).collect();
    text += &from(",", &sources, &of("source", Some("country")));
    let gateways: Vec<&str> = of("gateway", None).into_iter().filter(|gateway| *gateway != entity.name).collect();
    if !gateways.is_empty() {
        text += &format!(", at the gateway {}", some(&gateways));
    }
    let others: Vec<&str> = values(beside, "actor", None).into_iter().filter(|a| *a != entity.name).collect();
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

/// What had this part, each once: two kinds of thing may have one name.
fn values<'r>(related: &'r [Related], role: &str, kind: Option<&str>) -> Vec<&'r str> {
    let wanted = related.iter().filter(|r| r.role == role && kind.is_none_or(|k| r.kind == k));
    let mut told = HashSet::new();
    wanted.map(|r| r.value.as_str()).filter(|name| told.insert(*name)).collect()
}

fn from(comma: &str, sources: &[&str], countries: &[&str]) -> String {
    match (sources.is_empty(), countries.is_empty()) {
        (false, false) => format!("{comma} from {} ({})", some(sources), some(countries)),
        (false, true) => format!("{comma} from {}", some(sources)),
        (true, false) => format!(" ({})", some(countries)),
        (true, true) => String::new(),
    }
}

/// The first few of a list, and how many more.
fn some(list: &[&str]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = list.iter().take(MOST).map(|name| cut(name, LONGEST)).collect();
    shown.join(", ") + &more(list.len(), shown.len())
}

/// One sentence about an event, of what was kept of it.
pub fn event(store: &Store, event: u32) -> String {
    sentence::of_fields(&Told { store, event }).to_string()
}
