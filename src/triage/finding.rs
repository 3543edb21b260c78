//! Finding: what an analyst acts on. One rule, one entity, one spell of time, its evidence.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::context::Context;
use super::describe;
use super::learned::Learned;
use super::related::{Omitted, Related, ends, mark_beside, parts, programs, readable, successful_first, tried_apart};
use super::spell::{Spell, risk_entity, spells};
use super::status::{Answer, Answered, Disposition, Status, SuppressedBy};
use crate::detect::Detected;
use crate::detect::evidence::evidence_and_sights;
use crate::detect::group::{Group, Members};
use crate::detect::memory::{self, Leg, Stop};
use crate::detect::news::News;
use crate::detect::store::Store;
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::origin::Origin;
use crate::event::time::Timestamp;
use crate::rule::logic::{Absent, Logic, Travel};
use crate::rule::set::RuleSet;
use crate::rule::{Confidence, Entity, Rule, Severity};

/// Whom or what a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// `user`, `admin`, `service`, `ip`, `device`, `app`, `organization`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// the id, or the best name there is
    pub id: String,
    /// as in the log
    pub name: String,
}

/// An event that made a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// its id, if it has one
    pub event_id: Option<String>,
    /// when
    pub time: Timestamp,
    /// canonical type
    pub event_type: String,
    /// where it stands
    pub origin: Origin,
    /// one sentence
    pub summary: String,
}

/// An event that completed a finding. By these a finding is known again in another run.
#[derive(Clone, Debug, PartialEq)]
pub struct Completing {
    /// its place in the store
    pub event: u32,
    /// its id, or `body:` and the hash of its body
    pub key: String,
    /// when
    pub time: Timestamp,
}

/// What an analyst acts on.
#[derive(Clone, Debug)]
pub struct Finding {
    /// the same in every run over the same events
    pub id: String,
    /// the rule, by its place in the set
    pub rule: usize,
    /// the organization; empty where the export does not say
    pub organization: String,
    /// whom or what it is about
    pub entity: Subject,
    /// the value of the field that the rule is about, in lower case; `None` where the organization is
    pub entity_key: Option<String>,
    /// the queue it goes to
    pub disposition: Disposition,
    /// whether anybody still has to look at it
    pub status: Status,
    /// what put it away
    pub suppressed_by: Option<SuppressedBy>,
    /// what somebody answered who was asked
    pub answer: Option<Answered>,
    /// the id of its case
    pub case: Option<String>,
    /// what was found, as a headline
    pub title: String,
    /// how bad
    pub severity: Severity,
    /// how sure
    pub confidence: Confidence,
    /// it hangs on what the data does not reach
    pub is_pending: bool,
    /// one sentence in plain English
    pub summary: String,
    /// the first event of the evidence
    pub first_seen: Timestamp,
    /// the last event of the evidence
    pub last_seen: Timestamp,
    /// the same, or the end of the time in which nothing followed it
    pub over: Timestamp,
    /// the first event that completed it
    pub completed: Origin,
    /// all events that made it
    pub event_count: usize,
    /// all that had a part in it
    pub parts: Vec<Related>,
    /// all events that made it, as places in the store, in their order
    pub events: Vec<u32>,
    /// those that completed it
    pub completing: Vec<Completing>,
    /// the events, up to the limit
    pub evidence: Vec<Evidence>,
    /// events beyond the limit
    pub evidence_omitted: usize,
    /// what the rule had learned before: value and how often it was seen
    pub history: BTreeMap<String, usize>,
    /// what is known from elsewhere of those who had a part in it
    pub context: Context,
}

/// Everything that findings are made from.
#[derive(Clone, Copy)]
pub struct Findings<'a> {
    /// the rules
    pub set: &'a RuleSet,
    /// the kept events
    pub store: &'a Store,
    /// the signals
    pub detected: &'a Detected,
    /// events of evidence to keep for each finding
    pub evidence_limit: usize,
}

/// Characters of the id of a finding that have to be typed at least; tables show eight.
pub const LEAST_OF_ID: usize = 6;

/// Whether a text in lower case may be the start of the id of a finding.
pub fn is_part_of_id(text: &str) -> bool {
    text.len() >= LEAST_OF_ID && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Finding {
    /// What is said behind it if the end of the data left it open.
    pub fn pending(&self) -> &'static str {
        if self.is_pending { " (pending)" } else { "" }
    }

    /// What had a part in it, not more of a kind than a person reads, and what more there is.
    pub fn related(&self) -> (Vec<Related>, Vec<Omitted>) {
        readable(&self.parts)
    }

    /// Whether whoever was asked did not say yes, so that somebody has to look at it.
    pub fn is_raised(&self) -> bool {
        self.answer.as_ref().is_some_and(|answered| answered.answer != Answer::Yes)
    }

    /// As much of its id as tells it from others; `explain` takes it.
    pub fn short_id(&self) -> &str {
        short(&self.id)
    }
}

/// As much of the id of a finding as tells it from others.
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

impl Findings<'_> {
    /// The findings of the rules that are wanted, worst first.
    pub fn of(&self, is_wanted: impl Fn(&Rule) -> bool) -> Vec<Finding> {
        self.those(is_wanted, true)
    }

    /// What the history alone would have told of the rules that are wanted; nothing where there is none.
    pub fn of_history(&self, is_wanted: impl Fn(&Rule) -> bool) -> Vec<Finding> {
        if self.store.has_history() { self.those(is_wanted, false) } else { vec![] }
    }

    fn those(&self, is_wanted: impl Fn(&Rule) -> bool, are_news: bool) -> Vec<Finding> {
        let news = News::new(self.set, self.store, self.detected);
        let mut findings: Vec<Finding> = self
            .set
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.is_reported && is_wanted(rule))
            .filter(|(place, _)| !self.detected.signals[*place].is_empty())
            .flat_map(|(place, rule)| {
                let spells = spells(self.store, rule, &self.detected.groups[place], &self.detected.signals[place]);
                let mut learned = Learned::default();
                let is_told = |spell: &Spell| news.has(place, &spell.signals) == are_news;
                let told: Vec<Spell> = spells.into_iter().filter(is_told).collect();
                told.into_iter().map(move |spell| self.finding(place, &spell, &mut learned))
            })
            .collect();
        let order = |f: &Finding| {
            let rule = &self.set.rules[f.rule].name;
            (
                std::cmp::Reverse(f.severity),
                f.first_seen,
                rule.clone(),
                f.organization.clone(),
                f.entity.clone(),
                f.id.clone(),
            )
        };
        findings.sort_by_cached_key(order);
        findings
    }

    fn members(&self, place: usize, group: &Group) -> Members {
        self.detected.members(self.set, self.store, place, group.number)
    }

    fn finding(&self, place: usize, spell: &Spell, learned: &mut Learned) -> Finding {
        let (store, rule) = (self.store, &self.set.rules[place]);
        let (events, sights) = evidence_and_sights(self.set, store, self.detected, place, &spell.signals);
        let events: Vec<u32> = events.into_iter().collect();
        let entity = self.risk_subject(place, spell, &events).unwrap_or_else(|| self.subject(rule, spell));
        let entity = self.named(entity, &events);
        let completing = spell.events();
        let parts_of = |events: &[u32]| successful_first(store, &completing, events, parts(store, events));
        let mut all_parts = parts_of(&events);
        let (severity, title) = self.headline(rule, spell);
        let (first_seen, last_seen) = (store.time(events[0]), store.time(events[events.len() - 1]));
        let (own, others) = self.own_and_others(spell, &events);
        let [mut own, beside] = [&own, &others].map(|events| parts_of(events));
        mark_beside(&mut all_parts, &own);
        if rule.entity != Entity::Actor {
            tried_apart(store, &events, &mut own);
        }
        let spent = last_seen.since(first_seen);
        let leg = self.leg(place, &events);
        let (programs, ends) = (programs(store, &events), ends(store, &events));
        let summary =
            describe::finding((rule, title), &entity, &programs, &ends, [&own, &beside], (events.len(), spent), leg);
        let shown = shown(&events, &completing, self.evidence_limit);
        Finding {
            id: self.id(place, spell),
            rule: place,
            organization: store.organization(spell.first()).to_owned(),
            entity_key: spell.entity.clone(),
            disposition: if rule.duet.is_some() { Disposition::Duet } else { Disposition::Triage },
            status: Status::New,
            suppressed_by: None,
            answer: None,
            case: None,
            title: title.to_owned(),
            severity,
            confidence: rule.confidence,
            is_pending: spell.is_pending,
            summary,
            first_seen,
            last_seen,
            over: self.ends_of_waits(place, &events).max().map_or(last_seen, |end| end.max(last_seen)),
            completed: store.origin(spell.first()),
            event_count: events.len(),
            evidence_omitted: events.len() - shown.len(),
            evidence: shown.into_iter().map(|event| self.evidence(event)).collect(),
            history: learned.before(self, &sights),
            context: Context::default(),
            completing: completing.iter().map(|event| self.completing(*event)).collect(),
            entity,
            parts: all_parts,
            events,
        }
    }

    /// Splits the events into those whose actor is the entity of the finding, and those by others, whose addresses are
    /// not the entity's. If the entity acted in none, all count as its own.
    fn own_and_others(&self, spell: &Spell, events: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let actor = |event: &u32| self.store.text(*event, Norm::ActorKey);
        let is_its = |key: &str| spell.entity.as_deref().is_some_and(|entity| letters::are_one(entity, key));
        if !events.iter().any(|event| actor(event).is_some_and(is_its)) {
            return (events.to_vec(), Vec::new());
        }
        events.iter().partition(|event| actor(event).is_none_or(is_its))
    }

    fn completing(&self, event: u32) -> Completing {
        let key = self.store.id(event).unwrap_or_else(|| format!("body:{:016x}", self.store.body(event)));
        Completing { event, key, time: self.store.time(event) }
    }

    /// A hash of rule, organization, group and first completing event; of what is pending the same as when it is certain.
    fn id(&self, place: usize, spell: &Spell) -> String {
        let store = self.store;
        let signal = spell.signals[0];
        let mut hasher = SipHasher13::new_with_keys(0x6a63, 0x6669_6e64);
        let mut part = |text: &str| {
            hasher.write_u64(text.len() as u64);
            hasher.write(text.as_bytes());
        };
        part(&self.set.rules[place].name);
        part(store.organization(signal.event));
        if let Some(group) = self.detected.groups[place].get(signal.group()) {
            group.key.iter().for_each(|symbol| part(store.symbol(*symbol)));
        }
        let fields = self.set.rules[place].entity.fields();
        let entity = fields.iter().find_map(|norm| store.text(signal.event, *norm));
        part(&letters::lower(entity.unwrap_or_default()));
        part(&store.time(signal.event).0.to_string());
        match store.id(signal.event) {
            Some(id) => part(&id),
            None => part(&store.body(signal.event).to_string()),
        }
        // One more part than there is anything to say, so that ids stay what they were.
        part("");
        format!("{:032x}", hasher.finish128().as_u128())
    }

    fn subject(&self, rule: &Rule, spell: &Spell) -> Subject {
        let store = self.store;
        let event = spell.first();
        let first = |norm| spell.events().into_iter().find_map(|e| store.text(e, norm)).map(str::to_owned);
        let bare = |key: String| key.split_once(':').map(|(_, rest)| rest.to_owned()).unwrap_or(key);
        let party = |key, id, name, kind: Norm| {
            let key = store.text(event, key)?.to_owned();
            let id = store.text(event, id).map_or_else(|| bare(key), str::to_owned);
            let unknown = if rule.entity == Entity::Target { "object" } else { "user" };
            let kind = match first(kind).as_deref().unwrap_or(unknown) {
                "system" if rule.entity == Entity::Target => "device".to_owned(),
                "application" => "app".to_owned(),
                other => other.to_owned(),
            };
            Some(Subject { kind, name: first(name).unwrap_or_else(|| id.clone()), id })
        };
        let thing = |kind: &str, id, name| {
            let id = store.text(event, id)?.to_owned();
            Some(Subject { kind: kind.to_owned(), name: first(name).unwrap_or_else(|| id.clone()), id })
        };
        let found = match rule.entity {
            Entity::Actor => party(Norm::ActorKey, Norm::ActorId, Norm::ActorName, Norm::ActorType),
            Entity::Target => party(Norm::TargetKey, Norm::TargetId, Norm::TargetName, Norm::TargetType),
            Entity::Source => rule.entity.fields().iter().find_map(|norm| thing("ip", *norm, *norm)),
            Entity::Device => thing("device", Norm::DeviceKey, Norm::DeviceName),
            Entity::App => thing("app", Norm::AppKey, Norm::AppName),
            Entity::Organization => None,
        };
        found.unwrap_or_else(|| {
            let id = store.organization(event).to_owned();
            Subject { kind: "organization".to_owned(), name: id.clone(), id }
        })
    }

    /// What only has an id in the completing events goes by the name that other evidence has for it, such as a workflow by
    /// that of its change.
    fn named(&self, mut subject: Subject, events: &[u32]) -> Subject {
        const PARTIES: [(Norm, Norm); 2] = [(Norm::TargetId, Norm::TargetName), (Norm::ActorId, Norm::ActorName)];
        if subject.name == subject.id {
            let pairs = events.iter().flat_map(|event| PARTIES.map(|(id, name)| (event, id, name)));
            let mut names = pairs.filter_map(|(event, id, name)| {
                let is_it = self.store.text(*event, id) == Some(subject.id.as_str());
                self.store.text(*event, name).filter(|name| is_it && *name != subject.id)
            });
            if let Some(name) = names.next().map(str::to_owned) {
                subject.name = name;
            }
        }
        subject
    }

    /// Whom the findings that `risk` added up are about, by the names that the evidence has for it.
    fn risk_subject(&self, place: usize, spell: &Spell, events: &[u32]) -> Option<Subject> {
        let store = self.store;
        let key = risk_entity(&self.set.rules[place], &self.detected.groups[place], spell.signals[0])?;
        let key = store.symbol(key);
        let actor = [Norm::ActorKey, Norm::ActorType, Norm::ActorId, Norm::ActorName];
        let target = [Norm::TargetKey, Norm::TargetType, Norm::TargetId, Norm::TargetName];
        let bare = key.split_once(':').map_or(key, |(_, id)| id);
        let named = events.iter().flat_map(|event| [(event, actor), (event, target)]).find_map(|(event, names)| {
            let [is, kind, id, name] = names.map(|norm| store.text(*event, norm));
            let id = id.unwrap_or(bare);
            let found = is.filter(|is| letters::are_one(is, key))?;
            let kind = kind.or_else(|| found.split_once(':').map(|(kind, _)| kind)).unwrap_or("user");
            Some(Subject { kind: kind.to_owned(), id: id.to_owned(), name: name.unwrap_or(id).to_owned() })
        });
        let things = [
            ("ip", Norm::SourceLink, Norm::SourceLink),
            ("device", Norm::DeviceKey, Norm::DeviceName),
            ("app", Norm::AppKey, Norm::AppName),
        ];
        let thing = |(kind, is, name): (&str, Norm, Norm)| {
            let event = events.iter().find(|e| store.text(**e, is).is_some_and(|is| letters::are_one(is, key)))?;
            let name = store.text(*event, name).unwrap_or(key);
            Some(Subject { kind: kind.to_owned(), id: key.to_owned(), name: name.to_owned() })
        };
        let named = named.or_else(|| things.into_iter().find_map(thing));
        Some(named.unwrap_or_else(|| Subject { kind: "entity".to_owned(), id: key.to_owned(), name: key.to_owned() }))
    }

    /// The worst level that a completing event gives it, and the title of all that give it this level; that of the rule
    /// where they differ.
    fn headline<'r>(&self, rule: &'r Rule, spell: &Spell) -> (Severity, &'r str) {
        let headline = |view| (rule.level_at(&view), rule.title_at(&view));
        let headlines = spell.events().into_iter().map(|event| headline(self.store.view(event)));
        let either = |a: (Severity, &'r str), b: (Severity, &'r str)| match a.0.cmp(&b.0) {
            Ordering::Greater => a,
            Ordering::Less => b,
            Ordering::Equal if a.1 == b.1 => a,
            Ordering::Equal => (a.0, rule.title.as_str()),
        };
        headlines.reduce(either).unwrap_or((rule.level, &rule.title))
    }

    fn evidence(&self, event: u32) -> Evidence {
        let store = self.store;
        Evidence {
            event_id: store.id(event),
            time: store.time(event),
            event_type: store.text(event, Norm::EventType).unwrap_or_default().to_owned(),
            origin: store.origin(event),
            summary: describe::event(store, event),
        }
    }

    /// A rule and all below it, each once: there may be very many ways to one.
    fn below(&self, place: usize) -> impl Iterator<Item = usize> {
        let (mut open, mut seen) = (vec![place], BTreeSet::new());
        std::iter::from_fn(move || {
            let rule = std::iter::from_fn(|| open.pop()).find(|rule| seen.insert(*rule))?;
            open.extend(self.set.references[rule].iter().rev());
            Some(rule)
        })
    }

    /// When it was certain that nothing followed, by the rules that wait for something at events of the evidence.
    fn ends_of_waits(&self, place: usize, events: &[u32]) -> impl Iterator<Item = Timestamp> {
        self.below(place).filter_map(move |rule| {
            let window = match &self.set.rules[rule].logic {
                Logic::Chain(chain) if chain.absent == Absent::Last => Some(chain.window),
                _ => None,
            };
            let has_waited = move |event: &&u32| !self.detected.signals[rule].at(**event).is_empty();
            let last = window.and_then(|_| events.iter().rev().find(has_waited));
            last.zip(window).map(|(event, window)| Timestamp(self.store.time(*event).0.saturating_add(window.0)))
        })
    }

    /// The fastest leg among the evidence, for the sentence: of the rule, or of the first below it that has one.
    fn leg(&self, place: usize, events: &[u32]) -> Option<(Leg, String, String)> {
        self.below(place).find_map(|rule| match &self.set.rules[rule].logic {
            Logic::Travel(travel) => self.fastest(rule, travel, events),
            _ => None,
        })
    }

    /// The fastest leg of a rule among the evidence.
    fn fastest(&self, place: usize, travel: &Travel, events: &[u32]) -> Option<(Leg, String, String)> {
        let has = |event| events.binary_search(&event).is_ok();
        let signals = events.iter().flat_map(|event| self.detected.signals[place].at(*event));
        let groups = self.detected.by_group(self.set, self.store, place, signals);
        let stop = |event| Stop::at(self.store, event);
        let of_group = |group| memory::legs(self.store, travel, &self.members(place, group), stop);
        let legs = groups.values().flat_map(|(group, _)| of_group(group));
        let fastest = legs.filter(|leg| has(leg.from) && has(leg.to)).max_by(|a, b| a.kmh().total_cmp(&b.kmh()))?;
        let country = |event| self.store.text(event, Norm::SourceCountry).unwrap_or("?").to_owned();
        Some((fastest, country(fastest.from), country(fastest.to)))
    }
}

/// The events to show: those that completed first, then the earliest others, in order.
fn shown(all: &[u32], completing: &[u32], limit: usize) -> Vec<u32> {
    if all.len() <= limit {
        return all.to_vec();
    }
    let mut shown: BTreeSet<u32> = completing.iter().rev().take(limit).copied().collect();
    for event in all {
        if shown.len() >= limit {
            break;
        }
        shown.insert(*event);
    }
    shown.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_what_completed() {
        let all: Vec<u32> = (0..100).collect();
        assert_eq!(shown(&all, &[99], 3), [0, 1, 99]);
        assert_eq!(shown(&all[..3], &[2], 3), [0, 1, 2]);
        assert_eq!(shown(&all, &[97, 98, 99], 2), [98, 99]);
        assert!(shown(&all, &[99], 0).is_empty());
    }
}
