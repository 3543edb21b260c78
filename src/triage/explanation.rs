//! Explanation: why a rule found something, or why it did not: each rule that it is made of, what that looks
//! for, how often it was met, and what was missing.

use std::collections::BTreeSet;

use super::describe;
use super::finding::{Finding, Findings};
use super::lack::{self, Keys};
use super::sum::adding;
use crate::detect::Detected;
use crate::detect::risk::{Addition, weight};
use crate::detect::signal::Signals;
use crate::detect::store::Store;
use crate::event::origin::Origin;
use crate::event::time::Timestamp;
use crate::rule::logic::{Logic, Risk};
use crate::rule::set::RuleSet;
use crate::rule::told::{self, Line, Looked};

/// Events of a part that are shown.
const MOST_EVENTS: usize = 5;

/// A rule, or one that it is made of.
#[derive(Clone, Debug)]
pub struct Part {
    /// how deep it stands
    pub depth: usize,
    /// its name
    pub name: String,
    /// what it looks for
    pub logic: String,
    /// how often it was met in all that was read
    pub count: usize,
    /// how many of these hang on what the data does not reach
    pub pending: usize,
    /// whether it was met at the event that was asked for
    pub has_held: Option<bool>,
    /// so it was, as far as the data reaches
    pub is_pending: bool,
    /// it was told above
    pub is_told: bool,
    /// of a detection, its condition
    pub condition: Vec<Line>,
    /// what was there, and what was missing
    pub notes: Vec<String>,
    /// events at which it was met, of the finding that was asked for; of a correlation below it, only when
    pub events: Vec<(Timestamp, Option<String>)>,
    /// how many more of them
    pub more: usize,
}

/// What everything was read into.
#[derive(Clone, Copy)]
pub struct Read<'a> {
    /// the rules
    pub set: &'a RuleSet,
    /// the kept events
    pub store: &'a Store,
    /// the signals
    pub detected: &'a Detected,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// all that was read
    Everything,
    /// one event; its origin tells which of the kept ones it is
    Event(&'a dyn Looked, Origin),
    /// the evidence of a finding
    Finding(&'a Finding),
}

/// The parts of a rule, the rule itself first.
pub fn parts(read: Read<'_>, rule: usize, at: At<'_>) -> Vec<Part> {
    let mut out = Vec::new();
    let evidence = match at {
        At::Finding(finding) => events_at(read.store, &finding.evidence.iter().map(|e| e.origin).collect()),
        _ => BTreeSet::new(),
    };
    let kept = match at {
        At::Event(_, origin) => events_at(read.store, &BTreeSet::from([origin])).first().copied(),
        _ => None,
    };
    let mut told = BTreeSet::new();
    let telling = Telling { read, at, evidence, kept };
    telling.tell(rule, 0, &mut told, &mut out);
    if let (At::Finding(finding), Logic::Risk(risk)) = (at, &read.set.rules[rule].logic) {
        out.extend(telling.additions(finding, risk));
    }
    out
}

/// The kept events that stand at these places.
fn events_at(store: &Store, origins: &BTreeSet<Origin>) -> BTreeSet<u32> {
    (0..store.len()).filter(|event| origins.contains(&store.origin(*event))).collect()
}

/// Does something with each event that completes a rule, in order; and whether that hangs on what comes after the data.
fn each_completing(signals: &Signals, mut take: impl FnMut(u32, bool)) {
    let mut last: Option<(u32, bool)> = None;
    for signal in signals.all() {
        match &mut last {
            Some((event, is_pending)) if *event == signal.event => *is_pending &= signal.is_pending(),
            _ => {
                if let Some((event, is_pending)) = last.replace((signal.event, signal.is_pending())) {
                    take(event, is_pending);
                }
            }
        }
    }
    if let Some((event, is_pending)) = last {
        take(event, is_pending);
    }
}

struct Telling<'a> {
    read: Read<'a>,
    at: At<'a>,
    /// the events of the finding
    evidence: BTreeSet<u32>,
    /// the event, if any rule keeps it
    kept: Option<u32>,
}

impl Telling<'_> {
    fn tell(&self, place: usize, depth: usize, told: &mut BTreeSet<usize>, out: &mut Vec<Part>) {
        let Read { set, store, detected } = self.read;
        let rule = &set.rules[place];
        let signals = &detected.signals[place];
        let is_told = !told.insert(place);
        let looked = match self.at {
            At::Event(event, _) => Some(event),
            _ => None,
        };
        let at_event = self.kept.map(|event| signals.at(event)).unwrap_or_default();
        let has_held = match (&rule.logic, looked) {
            (_, None) => None,
            (Logic::Detection(expr), Some(event)) => Some(event.holds(expr)),
            (_, Some(_)) => Some(!at_event.is_empty()),
        };
        let condition = match &rule.logic {
            Logic::Detection(expr) if !is_told => told::lines(expr, looked),
            _ => vec![],
        };
        let (mut count, mut pending, mut met) = (0, 0, Vec::new());
        each_completing(signals, |event, is_pending| {
            if !store.is_history(event) {
                count += 1;
                pending += usize::from(is_pending);
            }
            if self.evidence.contains(&event) {
                met.push(event);
            }
        });
        let is_leaf = depth == 0 || matches!(rule.logic, Logic::Detection(_));
        let say = |event: u32| (store.time(event), is_leaf.then(|| describe::event(store, event)));
        let events = met.iter().take(MOST_EVENTS).map(|event| say(*event)).collect();
        out.push(Part {
            depth,
            name: rule.name.clone(),
            logic: told::logic(&rule.logic),
            count,
            pending,
            has_held,
            is_pending: !at_event.is_empty() && at_event.iter().all(|signal| signal.is_pending()),
            is_told,
            condition,
            notes: if is_told { vec![] } else { self.notes(place, has_held) },
            events: if is_told { vec![] } else { events },
            more: if is_told { 0 } else { met.len().saturating_sub(MOST_EVENTS) },
        });
        if !is_told {
            let mut seen = BTreeSet::new();
            let below = set.references[place].iter().filter(|to| seen.insert(**to));
            below.for_each(|to| self.tell(*to, depth + 1, told, out));
        }
    }

    /// What adds up to a finding of `risk`, as it went on.
    fn additions(&self, finding: &Finding, risk: &Risk) -> Vec<Part> {
        let Read { set, store, detected } = self.read;
        let all = Findings { set, store, detected, evidence_limit: 0 };
        let mut additions: Vec<_> = adding(&all, risk, finding).into_iter().collect();
        additions.sort_by_key(|(_, addition)| addition.events.first().copied());
        let part = |(place, Addition { level, events }): (usize, Addition)| Part {
            depth: 1,
            name: set.rules[place].name.clone(),
            logic: format!("adds {} ({level}); {}", weight(level), set.rules[place].title),
            count: events.len(),
            pending: 0,
            has_held: None,
            is_pending: false,
            is_told: false,
            condition: vec![],
            notes: vec![],
            more: events.len().saturating_sub(MOST_EVENTS),
            events: events
                .into_iter()
                .take(MOST_EVENTS)
                .map(|event| (store.time(event), Some(describe::event(store, event))))
                .collect(),
        };
        additions.into_iter().map(part).collect()
    }

    fn notes(&self, place: usize, has_held: Option<bool>) -> Vec<String> {
        let keys = Keys { read: self.read, rule: place };
        match (self.at, self.kept) {
            (At::Event(..), Some(event)) if has_held == Some(false) => lack::at(&keys, event),
            (At::Everything, _) if self.read.detected.signals[place].is_empty() => lack::anywhere(&keys),
            _ => vec![],
        }
    }
}
