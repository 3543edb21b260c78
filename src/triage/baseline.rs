//! Baseline: the findings of an earlier run, by which those of this one are known again.
//!
//! An id is that of the first completing event, and an export that rolls on loses it. So a finding is the one of
//! the earlier run if it is of the same rule, organization and entity and any completing event is the same.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::finding::{Completing, Finding, Findings, Subject};
use super::namesake::{Names, Thing};
use super::related::{READABLE, Related, Role, parts};
use super::reported::Reported;
use super::sentence::is_sign_in;
use super::status::{Status, SuppressedBy};
use crate::detect::store::Store;
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::time::Timestamp;
use crate::rule::{Entity, Severity};

/// How many completing events of a finding a report names, the newest.
pub const NAMED: usize = 100;

/// What a finding is known again by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// the handle
    pub id: String,
    /// the rule
    pub rule: String,
    /// the organization
    pub organization: String,
    /// id and name of whom it is about
    pub entity: (String, String),
    /// it hung on what the data did not reach
    pub is_pending: bool,
    /// keys of events that completed it
    pub completing: Vec<String>,
    /// those of them that whoever answered was shown; all, if nothing says
    pub shown: Option<BTreeSet<String>>,
}

impl From<&Reported> for Mark {
    fn from(told: &Reported) -> Mark {
        Mark {
            id: told.id.clone(),
            rule: told.rule_id.clone(),
            organization: told.organization.clone(),
            entity: (told.entity.id.clone(), told.entity.name.clone()),
            is_pending: told.pending,
            completing: told.completing.clone(),
            shown: None,
        }
    }
}

impl Mark {
    fn fits(&self, finding: &Finding, rule: &str) -> bool {
        let is = |a: &str, b: &str| letters::lower(a) == letters::lower(b);
        let Subject { id, name, .. } = &finding.entity;
        self.rule == rule
            && self.organization == finding.organization
            && self.is_pending == finding.is_pending
            && (is(&self.entity.0, id) || is(&self.entity.1, name))
    }
}

/// Marks, to be looked up.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    list: Vec<Mark>,
    by_id: BTreeMap<String, Vec<usize>>,
    by_event: BTreeMap<String, Vec<usize>>,
}

impl Marks {
    /// Takes them over.
    pub fn new(list: Vec<Mark>) -> Marks {
        let mut marks = Marks::default();
        for (place, mark) in list.iter().enumerate() {
            marks.by_id.entry(mark.id.clone()).or_default().push(place);
            for key in &mark.completing {
                marks.by_event.entry(key.clone()).or_default().push(place);
            }
        }
        Marks { list, ..marks }
    }

    /// The marks by which a finding is known again, by their places.
    pub fn of(&self, finding: &Finding, rule: &str) -> BTreeSet<usize> {
        let by_id = self.by_id.get(&finding.id).into_iter().flatten().copied();
        let mut found: BTreeSet<usize> =
            by_id.filter(|place| self.list[*place].is_pending == finding.is_pending).collect();
        for completing in &finding.completing {
            let fitting = self.by_event.get(&completing.key).into_iter().flatten();
            found.extend(fitting.filter(|place| self.list[**place].fits(finding, rule)));
        }
        found
    }
}

impl Mark {
    /// That of a finding in several reports. `was_shown` are those whose events whoever answered may have seen.
    pub fn of_all(told: &[&Reported], was_shown: impl Fn(&Reported) -> bool) -> Option<Mark> {
        let mut mark = Mark::from(*told.first()?);
        let shown = told.iter().filter(|told| was_shown(told)).flat_map(|told| &told.completing);
        mark.shown = Some(shown.cloned().collect());
        let all: BTreeSet<&String> = told.iter().flat_map(|told| &told.completing).collect();
        mark.completing = all.into_iter().cloned().collect();
        Some(mark)
    }
}

impl Marks {
    /// Whether each event that completed a finding is named by some of these marks, and happened before the time that stands
    /// with it. Of many events a mark names the newest, so those before them count as named; one that names none means all.
    pub fn cover(&self, marks: impl Iterator<Item = (usize, Timestamp)>, finding: &Finding) -> bool {
        let mut open: Vec<&Completing> = finding.completing.iter().collect();
        for (place, until) in marks {
            let Mark { shown, completing, .. } = &self.list[place];
            let is_all = shown.is_none() && completing.is_empty();
            let keys: HashSet<&String> =
                shown.as_ref().map_or_else(|| completing.iter().collect(), |shown| shown.iter().collect());
            let is_named = |completing: &&Completing| keys.contains(&completing.key);
            let newest = finding.completing.iter().filter(is_named).map(|completing| completing.time).max();
            open.retain(|completing| {
                let is_older = keys.len() >= NAMED && newest.is_some_and(|newest| completing.time <= newest);
                completing.time > until || !(is_all || is_named(completing) || is_older)
            });
        }
        open.is_empty()
    }
}

/// Marks the findings that an earlier report showed to somebody, unless they are worse now or something else was added.
pub fn mark(told: &[&Reported], all: &Findings<'_>, findings: &mut [Finding]) {
    let marks = Marks::new(told.iter().map(|told| Mark::from(*told)).collect());
    let is_outdated = |finding: &Finding| finding.answer.as_ref().is_some_and(|answered| answered.is_outdated);
    let is_open = |finding: &&mut Finding| finding.status == Status::New && !is_outdated(finding);
    for finding in findings.iter_mut().filter(is_open) {
        let own = marks.of(finding, &all.set.rules[finding.rule].name);
        let shown: Vec<&Reported> =
            own.iter().map(|place| told[*place]).filter(|told| was_shown(told, finding)).collect();
        let worst = shown.iter().filter_map(|told| Severity::parse(&told.severity)).max();
        let is_worse = worst.is_some_and(|worst| finding.severity > worst);
        if !shown.is_empty() && !is_worse && !has_other(&shown, finding, all.set.rules[finding.rule].entity, all.store)
        {
            finding.status = Status::Known;
        }
    }
}

/// Whether an event completed a finding since that is about something else: another target, country or application is no
/// more of the same.
fn has_other(shown: &[&Reported], finding: &Finding, entity: Entity, store: &Store) -> bool {
    let named: HashSet<&str> = shown.iter().flat_map(|told| &told.completing).map(String::as_str).collect();
    // A report names only the newest events, and an older one may not tell what had a part.
    let is_whole = shown.iter().all(|told| told.completing.len() < NAMED);
    let until = shown.iter().filter_map(|told| Timestamp::parse(&told.last_seen)).max();
    let mut had_part: BTreeMap<Role, Vec<Thing<'_>>> = BTreeMap::new();
    for part in shown.iter().flat_map(|told| &told.related) {
        had_part.entry(part.role).or_default().push(known_by(part));
    }
    let had_part: BTreeMap<Role, Names> =
        had_part.into_iter().map(|(role, things)| (role, things.into_iter().collect())).collect();
    if had_part.is_empty() {
        return false;
    }
    // A list that was cut does not tell what was not in it.
    let is_cut = |part: &Related| {
        let is_alike = |other: &&Related| other.role == part.role && other.kind == part.kind;
        shown.iter().any(|told| told.related.iter().filter(is_alike).count() >= READABLE)
    };
    // Whom an address tries next is no other thing; as whom it gets in next is.
    let has_victims = matches!(entity, Entity::Source | Entity::Organization);
    let text = |event: u32, norm| store.text(event, norm);
    let has_failed = || finding.events.iter().any(|event| text(*event, Norm::Outcome) == Some("failure"));
    let counts_entries = entity == Entity::Source || entity == Entity::Organization && has_failed();
    let is_entry = |event: u32| {
        let is_success = text(event, Norm::Outcome) == Some("success");
        counts_entries && is_success && text(event, Norm::EventType).is_some_and(is_sign_in)
    };
    let was_there = |completing: &&Completing| {
        named.contains(completing.key.as_str()) || !is_whole && until.is_some_and(|until| completing.time <= until)
    };
    let actor = |completing: &Completing| text(completing.event, Norm::ActorKey);
    let entered: HashSet<Option<&str>> = finding.completing.iter().filter(was_there).map(actor).collect();
    finding.completing.iter().filter(|completing| !was_there(completing)).any(|completing| {
        if is_entry(completing.event) && !entered.contains(&actor(completing)) {
            return true;
        }
        let parts = parts(store, &[completing.event]);
        let has_country = parts.iter().any(|part| part.kind == "country");
        // People change their address, their browser and the access point all day.
        let counts = |part: &&Related| match part.role {
            "agent" | "gateway" => false,
            "actor" | "target" if has_victims => false,
            _ => !(is_cut(part) || has_country && part.kind == "ip"),
        };
        let is_new = |part: &Related| !had_part.get(part.role).is_some_and(|names| names.has(known_by(part)));
        parts.iter().filter(counts).any(is_new)
    })
}

/// By what it is known again: people and devices by their ids; a policy or a command is often made anew under its name.
fn known_by(part: &Related) -> Thing<'_> {
    let (name, id) = part.thing();
    (name, id.filter(|_| matches!(part.kind.as_str(), "admin" | "user" | "system" | "device")))
}

/// Whether a report showed a finding to somebody. What an entry had put away nobody looked at, and a yes was said of
/// nothing that came after it.
fn was_shown(told: &Reported, finding: &Finding) -> bool {
    // What an answer brought to triage was a question before.
    if finding.answer.is_some() && told.disposition != finding.disposition.word() {
        return false;
    }
    if told.status != Status::Suppressed.word() {
        return true;
    }
    let is_answered = told.suppressed_by == Some(SuppressedBy::Answer);
    let answered = told.answer.as_ref().filter(|_| is_answered).and_then(|reply| Timestamp::parse(&reply.when));
    let newest = finding.completing.iter().map(|completing| completing.time).max();
    answered.zip(newest).is_some_and(|(answered, newest)| newest <= answered)
}
