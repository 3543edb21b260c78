//! Store: what is kept of the events that some rule matched, compactly, until everything is read: the time,
//! the id, where it stands, and its profile.

use super::profile::{Profiles, Slot, Symbol};
use crate::event::Event;
use crate::event::field::{Field, Fields, Norm, Values};
use crate::event::identity::Links;
use crate::event::origin::{Origin, Stamp};
use crate::event::time::Timestamp;
use crate::rule::detection::Searchable;
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;

/// An event as a worker hands it over.
#[derive(Debug)]
pub struct Match {
    time: Timestamp,
    id: Option<String>,
    body: u64,
    origin: Origin,
    pub(super) organization: String,
    pub(super) service: String,
    pub(super) rules: Vec<u32>,
    /// each value's field, and where its text ends in `text`; `None` is `null`
    pub(super) values: Vec<(Slot, Option<u32>)>,
    pub(super) text: String,
}

impl Match {
    /// The values with their fields; `None` is `null`.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Slot, Option<&str>)> {
        let mut start = 0;
        self.values.iter().map(move |(slot, end)| {
            let text = end.map(|end| {
                let text = &self.text[start..end as usize];
                start = end as usize;
                text
            });
            (*slot, text)
        })
    }
}

/// Fields that are worked out when the store is closed.
fn is_derived(norm: Norm) -> bool {
    matches!(norm, Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork)
}

/// Evaluates the detections on one event; `None` if none of them can match.
pub fn matched(set: &RuleSet, event: &Event<'_>, stamp: Stamp) -> Option<Match> {
    let mut rules = Vec::new();
    for alike in set.candidates(&event.event_type) {
        let Logic::Detection(expr) = &set.rules[alike[0]].logic else { continue };
        if expr.may_match(event) {
            rules.extend(alike.iter().map(|rule| index(*rule)));
        }
    }
    if rules.is_empty() {
        return None;
    }
    let mut values = Vec::with_capacity(32);
    let mut text = String::with_capacity(512);
    let mut take = |slot: Slot, found: Values<'_>| {
        for value in found {
            let end = value.text().map(|value| {
                text.push_str(value);
                index(text.len())
            });
            values.push((slot, end));
        }
    };
    for (slot, norm) in (0..).zip(Norm::ALL) {
        if !is_derived(*norm) {
            take(slot, event.normalized(*norm));
        }
    }
    for (slot, field) in (first_kept()..).zip(&set.kept_fields) {
        take(slot, event.values(field));
    }
    Some(Match {
        time: event.time,
        id: event.id().map(str::to_owned),
        body: stamp.body,
        origin: stamp.origin,
        organization: event.organization().to_owned(),
        service: event.service().to_owned(),
        rules,
        values,
        text,
    })
}

/// The slot behind the normalized fields.
#[allow(clippy::cast_possible_truncation, reason = "there are some thirty normalized fields")]
fn first_kept() -> Slot {
    Norm::ALL.len() as Slot
}

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn index(length: usize) -> u32 {
    length as u32
}

/// A kept event.
#[derive(Clone, Debug)]
struct Kept {
    time: Timestamp,
    body: u64,
    origin: Origin,
    profile: u32,
    /// start in `ids`, and length; 0 is no id
    id: (u32, u32),
    /// it teaches, and is not reported
    is_history: bool,
}

/// All kept events.
#[derive(Debug, Default)]
pub struct Store {
    events: Vec<Kept>,
    ids: String,
    profiles: Profiles,
}

impl Store {
    /// An empty store for the rules of a set.
    pub fn new(set: &RuleSet) -> Store {
        Store { profiles: Profiles::new(&set.kept_fields), ..Store::default() }
    }

    /// Takes an event; of history it only teaches, and is never reported.
    pub fn push(&mut self, matched: &Match, is_history: bool) {
        let id = matched.id.as_deref().unwrap_or_default();
        let start = index(self.ids.len());
        self.ids.push_str(id);
        self.events.push(Kept {
            time: matched.time,
            body: matched.body,
            origin: matched.origin,
            profile: self.profiles.of(matched),
            id: (start, index(id.len())),
            is_history,
        });
    }

    /// Puts the events into their total order (organization, time, id, body) and links identities.
    pub fn close(&mut self, links: &Links) {
        let mut events = std::mem::take(&mut self.events);
        let key = |e: &Kept| (self.profiles.organization(e.profile), e.time, self.id_of(e), e.body, e.origin);
        events.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        self.events = events;
        self.profiles.close(links);
    }

    fn id_of(&self, kept: &Kept) -> &str {
        let (start, length) = (kept.id.0 as usize, kept.id.1 as usize);
        &self.ids[start..start + length]
    }

    /// How many events are kept.
    pub fn len(&self) -> u32 {
        index(self.events.len())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn event(&self, event: u32) -> &Kept {
        &self.events[event as usize]
    }

    /// When it happened.
    pub fn time(&self, event: u32) -> Timestamp {
        self.event(event).time
    }

    /// Whether it only teaches.
    pub fn is_history(&self, event: u32) -> bool {
        self.event(event).is_history
    }

    /// Where it stands.
    pub fn origin(&self, event: u32) -> Origin {
        self.event(event).origin
    }

    /// Its id.
    pub fn id(&self, event: u32) -> Option<&str> {
        Some(self.id_of(self.event(event))).filter(|id| !id.is_empty())
    }

    /// The hash of its body.
    pub fn body(&self, event: u32) -> u64 {
        self.event(event).body
    }

    /// What it has in common with others.
    pub fn profile(&self, event: u32) -> u32 {
        self.event(event).profile
    }

    /// All profiles.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// Its organization.
    pub fn organization(&self, event: u32) -> &str {
        self.profiles.organization(self.profile(event))
    }

    /// Its organization as a number.
    pub fn organization_symbol(&self, event: u32) -> Symbol {
        self.profiles.organization_symbol(self.profile(event))
    }

    /// Its service.
    pub fn service(&self, event: u32) -> &str {
        self.profiles.service(self.profile(event))
    }

    /// The events of each detection, in order, as far as they match before identities are linked.
    pub fn by_rule(&self, rules: usize) -> Vec<Vec<u32>> {
        let mut out = vec![Vec::new(); rules];
        for event in 0..self.len() {
            let matched = self.profiles.rules(self.profile(event));
            matched.iter().for_each(|rule| out[*rule as usize].push(event));
        }
        out
    }

    /// The text of a symbol.
    pub fn symbol(&self, symbol: Symbol) -> &str {
        self.profiles.symbol(symbol)
    }

    /// The first value of a normalized field.
    pub fn text(&self, event: u32, norm: Norm) -> Option<&str> {
        self.profiles.text(self.profile(event), norm)
    }

    /// The values of a field in lower case, as symbols: what groups are made of.
    pub fn group_values(&self, event: u32, field: &Field) -> Vec<Symbol> {
        self.profiles.group_values(self.profile(event), field)
    }

    /// An event of the store as something whose fields can be asked for.
    pub fn view(&self, event: u32) -> View<'_> {
        View { store: self, event }
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.events.capacity() * size_of::<Kept>() + self.ids.capacity() + self.profiles.bytes()
    }
}

/// A kept event whose fields can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct View<'s> {
    store: &'s Store,
    event: u32,
}

impl Fields for View<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        self.store.profiles.field(self.store.profile(self.event), field)
    }
}

/// Keywords need the whole record; rules that need a kept event may not use them.
impl Searchable for View<'_> {
    fn any_text(&self, _: &dyn Fn(&str) -> bool) -> bool {
        false
    }
}
