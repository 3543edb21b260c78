//! Store: what is kept of the events that some rule matched, compactly, until everything is read.
//!
//! A kept event carries all normalized fields, and the raw fields that correlations compare, as numbers of
//! an interning table. Identities are linked when the store is closed.

use std::collections::HashMap;

use crate::event::Event;
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::identity::{Links, Names};
use crate::event::origin::{Origin, Stamp};
use crate::event::party::class_of;
use crate::event::source;
use crate::event::time::Timestamp;
use crate::rule::detection::Searchable;
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;

/// A number that stands for a text.
pub type Symbol = u32;

/// Texts by number.
#[derive(Debug, Default)]
pub struct Symbols {
    texts: Vec<std::sync::Arc<str>>,
    numbers: HashMap<std::sync::Arc<str>, Symbol, foldhash::fast::RandomState>,
}

impl Symbols {
    /// The number of a text.
    #[allow(clippy::cast_possible_truncation, reason = "memory ends before four billion different texts")]
    pub fn number(&mut self, text: &str) -> Symbol {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let shared: std::sync::Arc<str> = text.into();
        let number = self.texts.len() as Symbol;
        self.texts.push(std::sync::Arc::clone(&shared));
        self.numbers.insert(shared, number);
        number
    }

    /// The text of a number.
    pub fn text(&self, number: Symbol) -> &str {
        &self.texts[number as usize]
    }
}

/// An event as a worker hands it over.
#[derive(Debug)]
pub struct Match {
    time: Timestamp,
    id: Option<String>,
    body: u64,
    origin: Origin,
    organization: String,
    service: String,
    rules: Vec<u32>,
    /// each value's field, and where its text ends in `text`; `None` is `null`
    values: Vec<(Slot, Option<u32>)>,
    text: String,
}

/// Which field a value belongs to: a normalized one, or one of [`RuleSet::kept_fields`] behind them.
type Slot = u16;

/// Fields that are worked out when the store is closed.
fn is_derived(norm: Norm) -> bool {
    matches!(norm, Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork)
}

/// Evaluates the detections on one event; `None` if none of them can match.
pub fn matched(set: &RuleSet, event: &Event<'_>, stamp: Stamp) -> Option<Match> {
    let mut rules = Vec::new();
    for rule in set.candidates(&event.event_type) {
        let Logic::Detection(expr) = &set.rules[rule].logic else { continue };
        if expr.may_match(event) {
            rules.push(u32::try_from(rule).unwrap_or(u32::MAX));
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

/// A kept event.
#[derive(Clone, Debug)]
struct Kept {
    time: Timestamp,
    body: u64,
    origin: Origin,
    organization: Symbol,
    service: Symbol,
    /// start and end in `ids`; an empty range is no id
    id: (u32, u32),
    /// start and end in `slots` and `values`
    values: (u32, u32),
    /// start and end in `rules`
    rules: (u32, u32),
    actor: Option<Symbol>,
    target: Option<Symbol>,
    network: Option<Symbol>,
    /// it teaches, and is not reported
    is_history: bool,
}

/// Type, id, name and e-mail of the actor.
const ACTOR: [Norm; 4] = [Norm::ActorType, Norm::ActorId, Norm::ActorName, Norm::ActorEmail];
/// The same of the target.
const TARGET: [Norm; 4] = [Norm::TargetType, Norm::TargetId, Norm::TargetName, Norm::TargetEmail];

/// Keys that were worked out already: the same people and addresses come again and again.
#[derive(Default)]
struct Keys {
    parties: HashMap<(Symbol, [Option<Symbol>; 4]), Option<Symbol>, foldhash::fast::RandomState>,
    networks: HashMap<Symbol, Option<Symbol>, foldhash::fast::RandomState>,
}

/// No text: `null` in the record.
const NULL: Symbol = Symbol::MAX;

/// All kept events.
#[derive(Debug, Default)]
pub struct Store {
    events: Vec<Kept>,
    ids: String,
    slots: Vec<Slot>,
    values: Vec<Symbol>,
    rules: Vec<u32>,
    symbols: Symbols,
    /// lower-case form of each symbol
    lower: Vec<Symbol>,
    kept_fields: Vec<Field>,
}

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn index(length: usize) -> u32 {
    length as u32
}

impl Store {
    /// An empty store for the rules of a set.
    pub fn new(set: &RuleSet) -> Store {
        Store { kept_fields: set.kept_fields.clone(), ..Store::default() }
    }

    /// Takes an event; of history it only teaches, and is never reported.
    pub fn push(&mut self, matched: &Match, is_history: bool) {
        let ids = index(self.ids.len());
        self.ids.push_str(matched.id.as_deref().unwrap_or_default());
        let values = index(self.values.len());
        let mut start = 0;
        for (slot, end) in &matched.values {
            self.slots.push(*slot);
            let value = end.map_or(NULL, |end| self.symbols.number(&matched.text[start..end as usize]));
            self.values.push(value);
            start = end.map_or(start, |end| end as usize);
        }
        let rules = index(self.rules.len());
        self.rules.extend(&matched.rules);
        self.events.push(Kept {
            time: matched.time,
            body: matched.body,
            origin: matched.origin,
            organization: self.symbols.number(&matched.organization),
            service: self.symbols.number(&matched.service),
            id: (ids, index(self.ids.len())),
            values: (values, index(self.values.len())),
            rules: (rules, index(self.rules.len())),
            actor: None,
            target: None,
            network: None,
            is_history,
        });
    }

    /// Puts the events into their total order (organization, time, id, body) and links identities.
    pub fn close(&mut self, links: &Links) {
        let mut events = std::mem::take(&mut self.events);
        let id = |e: &Kept| &self.ids[e.id.0 as usize..e.id.1 as usize];
        events.sort_by(|a, b| {
            let organization = |e: &Kept| self.symbols.text(e.organization);
            (organization(a), a.time, id(a), a.body, a.origin).cmp(&(organization(b), b.time, id(b), b.body, b.origin))
        });
        self.events = events;
        let mut keys = Keys::default();
        for event in 0..self.len() {
            let actor = self.key(event, links, ACTOR, &mut keys);
            let target = self.key(event, links, TARGET, &mut keys);
            let network = match self.symbol_of(event, Norm::SourceIp) {
                Some(ip) => self.network(ip, &mut keys),
                None => None,
            };
            let kept = &mut self.events[event as usize];
            (kept.actor, kept.target, kept.network) = (actor, target, network);
        }
        let texts: Vec<std::sync::Arc<str>> = self.symbols.texts.clone();
        self.lower = texts.iter().map(|text| self.symbols.number(&text.to_lowercase())).collect();
        self.lower.extend(index(texts.len())..index(self.symbols.texts.len()));
    }

    fn key(&mut self, event: u32, links: &Links, names: [Norm; 4], keys: &mut Keys) -> Option<Symbol> {
        let symbols = names.map(|norm| self.symbol_of(event, norm));
        let asked = (self.event(event).organization, symbols);
        if let Some(known) = keys.parties.get(&asked) {
            return *known;
        }
        let [kind, id, name, email] = symbols.map(|symbol| symbol.map(|s| self.symbols.text(s).to_lowercase()));
        // The name that is shown falls back to the others; only a name of its own is one.
        let name = name.filter(|n| Some(n) != id.as_ref() && Some(n) != email.as_ref());
        let names = Names { id, name, email };
        let key = links.key(self.organization(event), kind.as_deref(), class_of(kind.as_deref()), &names);
        let key = key.map(|key| self.symbols.number(&key));
        keys.parties.insert(asked, key);
        key
    }

    fn network(&mut self, ip: Symbol, keys: &mut Keys) -> Option<Symbol> {
        if let Some(known) = keys.networks.get(&ip) {
            return *known;
        }
        let network = self.symbols.text(ip).parse().ok().map(source::network);
        let network = network.map(|network| self.symbols.number(&network));
        keys.networks.insert(ip, network);
        network
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
        let (start, end) = self.event(event).id;
        (start < end).then(|| &self.ids[start as usize..end as usize])
    }

    /// The hash of its body.
    pub fn body(&self, event: u32) -> u64 {
        self.event(event).body
    }

    /// Its organization.
    pub fn organization(&self, event: u32) -> &str {
        self.symbols.text(self.event(event).organization)
    }

    /// Its organization as a number.
    pub fn organization_symbol(&self, event: u32) -> Symbol {
        self.event(event).organization
    }

    /// Its service.
    pub fn service(&self, event: u32) -> &str {
        self.symbols.text(self.event(event).service)
    }

    /// The events of each detection, in order, as far as they match before identities are linked.
    pub fn by_rule(&self, rules: usize) -> Vec<Vec<u32>> {
        let mut out = vec![Vec::new(); rules];
        for event in 0..self.len() {
            self.rules(event).iter().for_each(|rule| out[*rule as usize].push(event));
        }
        out
    }

    /// The detections that matched, or may match once identities are linked.
    pub fn rules(&self, event: u32) -> &[u32] {
        let (start, end) = self.event(event).rules;
        &self.rules[start as usize..end as usize]
    }

    /// The text of a symbol.
    pub fn symbol(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// The first value of a normalized field.
    pub fn text(&self, event: u32, norm: Norm) -> Option<&str> {
        match norm {
            Norm::ActorKey => return self.event(event).actor.map(|s| self.symbols.text(s)),
            Norm::TargetKey => return self.event(event).target.map(|s| self.symbols.text(s)),
            Norm::SourceNetwork => return self.event(event).network.map(|s| self.symbols.text(s)),
            _ => {}
        }
        self.symbol_of(event, norm).map(|s| self.symbols.text(s))
    }

    fn symbol_of(&self, event: u32, norm: Norm) -> Option<Symbol> {
        self.symbols_in(event, norm as usize).next()
    }

    fn symbols_in(&self, event: u32, slot: usize) -> impl Iterator<Item = Symbol> {
        let (start, end) = self.event(event).values;
        let range = start as usize..end as usize;
        self.slots[range.clone()]
            .iter()
            .zip(&self.values[range])
            .filter(move |(s, value)| usize::from(**s) == slot && **value != NULL)
            .map(|(_, value)| *value)
    }

    fn slot(&self, field: &Field) -> Option<usize> {
        match field {
            Field::Norm(norm) => Some(*norm as usize),
            other => Some(Norm::ALL.len() + self.kept_fields.iter().position(|f| f == other)?),
        }
    }

    /// The values of a field in lower case, as symbols: what groups are made of.
    pub fn group_values(&self, event: u32, field: &Field) -> Vec<Symbol> {
        let kept = self.event(event);
        let found: Vec<Symbol> = match field {
            Field::Norm(Norm::ActorKey) => kept.actor.into_iter().collect(),
            Field::Norm(Norm::TargetKey) => kept.target.into_iter().collect(),
            Field::Norm(Norm::SourceNetwork) => kept.network.into_iter().collect(),
            other => self.slot(other).map(|slot| self.symbols_in(event, slot).collect()).unwrap_or_default(),
        };
        let mut lower: Vec<Symbol> =
            found.into_iter().map(|s| self.lower.get(s as usize).copied().unwrap_or(s)).collect();
        lower.sort_unstable();
        lower.dedup();
        lower
    }

    /// An event of the store as something whose fields can be asked for.
    pub fn view(&self, event: u32) -> View<'_> {
        View { store: self, event }
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.events.capacity() * size_of::<Kept>()
            + self.ids.capacity()
            + self.slots.capacity() * 2
            + self.values.capacity() * 4
            + self.rules.capacity() * 4
            + self.symbols.texts.iter().map(|t| t.len() + 60).sum::<usize>()
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
        let text = |s: &str| Value::Text(s.to_owned().into());
        match field {
            Field::Norm(norm @ (Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork)) => {
                self.store.text(self.event, *norm).into_iter().map(text).collect()
            }
            other => {
                let Some(slot) = self.store.slot(other) else { return Values::new() };
                let (start, end) = self.store.event(self.event).values;
                (start as usize..end as usize)
                    .filter(|i| usize::from(self.store.slots[*i]) == slot)
                    .map(|i| match self.store.values[i] {
                        NULL => Value::Null,
                        symbol => text(self.store.symbol(symbol)),
                    })
                    .collect()
            }
        }
    }
}

/// Keywords need the whole record; rules that need a kept event may not use them.
impl Searchable for View<'_> {
    fn any_text(&self, _: &dyn Fn(&str) -> bool) -> bool {
        false
    }
}
