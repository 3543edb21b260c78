//! Profile: all that rules can ask of an event, and which detections it matches. A person who signs in a
//! thousand times from one desk makes a thousand events and one profile, so fields are held, and identities
//! and groups worked out, once for all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::devices::Devices;
use super::reader::FacetValues;
use crate::event::facet::{self, FIXED};
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::identity::{Links, Names};
use crate::event::letters;
use crate::event::occurrence::Likeness;
use crate::event::party::class_of;
use crate::event::source;
use crate::rule::expr::Searchable;

/// A number that stands for a text.
pub type Symbol = u32;

/// Texts by number.
#[derive(Debug, Default)]
pub struct Symbols {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, Symbol, RandomState>,
}

impl Symbols {
    /// The number of a text.
    #[allow(clippy::cast_possible_truncation, reason = "memory ends before four billion different texts")]
    pub fn number(&mut self, text: &str) -> Symbol {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let shared: Arc<str> = text.into();
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

/// Which field a value belongs to: a normalized one, or one of the further kept fields behind them.
pub type Slot = u16;

/// No text: `null` in the record.
const NULL: Symbol = Symbol::MAX;

/// The slot of the agent's name.
const AGENT: Slot = Norm::AgentName as Slot;

/// Type, id, name and e-mail of the actor.
const ACTOR: [Norm; 4] = [Norm::ActorType, Norm::ActorId, Norm::ActorName, Norm::ActorEmail];
/// The same of the target.
const TARGET: [Norm; 4] = [Norm::TargetType, Norm::TargetId, Norm::TargetName, Norm::TargetEmail];

/// The slot of a field: normalized ones first, then those kept beside them.
#[allow(clippy::cast_possible_truncation, reason = "there are some hundred fields")]
pub fn slot(kept_fields: &[Field], field: &Field) -> Option<Slot> {
    match field {
        Field::Norm(norm) => Some(*norm as Slot),
        other => Some((Norm::ALL.len() + kept_fields.iter().position(|f| f == other)?) as Slot),
    }
}

/// The identities and the network, which are worked out when all is read.
pub(super) fn derived(field: &Field) -> Option<Norm> {
    match field {
        Field::Norm(norm @ (Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork)) => Some(*norm),
        _ => None,
    }
}

/// Where the values of a field stand in profiles.
#[derive(Debug)]
pub enum Seat {
    /// worked out when all is read
    Derived(Norm),
    /// the value that each facet has in the slot, as it is compared; `NULL` and `SEVERAL` if it is not one
    Facets(Slot, Vec<Symbol>),
    /// no rule asked for it
    Nowhere,
}

/// More than one value.
const SEVERAL: Symbol = Symbol::MAX - 1;

/// What many events have in common.
#[derive(Debug)]
struct Profile {
    organization: Symbol,
    service: Symbol,
    /// in `parts`: the facets of the normalized fields, in their order, then those others that have values
    facets: Range<usize>,
    detections: Arc<[u32]>,
    // worked out when all is read
    actor: Option<Symbol>,
    target: Option<Symbol>,
    network: Option<Symbol>,
}

/// All profiles.
#[derive(Debug, Default)]
pub struct Profiles {
    list: Vec<Profile>,
    parts: Vec<u32>,
    by_parts: HashTable<u32>,
    /// values of each facet, in `slots` and `values`
    facets: Vec<Range<usize>>,
    by_values: HashTable<u32>,
    slots: Vec<Slot>,
    values: Vec<Symbol>,
    symbols: Symbols,
    /// lower-case form of each symbol
    lower: Vec<Symbol>,
    /// what is compared of each name of an agent
    agents: HashMap<Symbol, Symbol, RandomState>,
    devices: Devices,
    hasher: RandomState,
    kept_fields: Vec<Field>,
}

/// A number for what stands at a place in memory.
#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
pub(super) fn index(length: usize) -> u32 {
    length as u32
}

impl Profiles {
    /// No profiles yet; the fields are those kept beside the normalized ones.
    pub fn new(kept_fields: &[Field]) -> Profiles {
        Profiles { kept_fields: kept_fields.to_vec(), ..Profiles::default() }
    }

    /// The number of a facet; workers meet the same one independently.
    pub fn facet(&mut self, facet: &FacetValues) -> u32 {
        let start = self.values.len();
        for (slot, text) in facet.texts() {
            self.slots.push(slot);
            let value = text.map_or(NULL, |text| self.symbols.number(text));
            self.values.push(value);
        }
        let (facets, slots, values, hasher) = (&self.facets, &self.slots, &self.values, &self.hasher);
        let content = |range: Range<usize>| (&slots[range.clone()], &values[range]);
        let own = content(start..values.len());
        let hash = hasher.hash_one(own);
        if let Some(known) = self.by_values.find(hash, |n| content(facets[*n as usize].clone()) == own) {
            let known = *known;
            self.slots.truncate(start);
            self.values.truncate(start);
            return known;
        }
        let number = index(self.facets.len());
        self.facets.push(start..self.values.len());
        let (facets, slots, values, hasher) = (&self.facets, &self.slots, &self.values, &self.hasher);
        self.by_values.insert_unique(hash, number, |n| {
            let range = facets[*n as usize].clone();
            hasher.hash_one((&slots[range.clone()], &values[range]))
        });
        number
    }

    /// The number of a profile.
    pub fn of(&mut self, likeness: &Likeness<'_, Arc<[u32]>>) -> u32 {
        let start = self.parts.len();
        let is_kept = |place: usize, facet: u32| place < FIXED || !self.facets[facet as usize].is_empty();
        let kept = likeness.facets.iter().enumerate().filter(|(place, facet)| is_kept(*place, **facet));
        self.parts.extend(kept.map(|(_, facet)| *facet));
        let organization = self.symbols.number(likeness.organization);
        let service = self.symbols.number(likeness.service);
        let detections = likeness.verdict;
        let (list, parts, hasher) = (&self.list, &self.parts, &self.hasher);
        let content =
            |p: &Profile| hasher.hash_one((p.organization, p.service, &p.detections, &parts[p.facets.clone()]));
        let profile = Profile {
            organization,
            service,
            facets: start..parts.len(),
            detections: Arc::clone(detections),
            actor: None,
            target: None,
            network: None,
        };
        let hash = content(&profile);
        let is = |n: &u32| {
            let known = &list[*n as usize];
            (known.organization, known.service) == (organization, service)
                && known.detections == *detections
                && parts[known.facets.clone()] == parts[start..]
        };
        if let Some(known) = self.by_parts.find(hash, is) {
            let known = *known;
            self.parts.truncate(start);
            return known;
        }
        let number = index(list.len());
        self.by_parts.insert_unique(hash, number, |n| content(&list[*n as usize]));
        self.list.push(profile);
        number
    }

    fn text_of(&self, value: Symbol) -> Option<&str> {
        (value != NULL).then(|| self.symbols.text(value))
    }

    /// Links identities, and lets go of what only telling profiles apart needed.
    pub fn close(&mut self, links: &Links) {
        self.by_parts = HashTable::new();
        self.by_values = HashTable::new();
        // Who somebody is depends on the organization and the facet alone.
        let mut keys: Vec<Option<(Symbol, Option<Symbol>)>> = vec![None; self.facets.len()];
        let mut networks: Vec<Option<Option<Symbol>>> = vec![None; self.facets.len()];
        for profile in 0..self.len() {
            let known = self.get(profile);
            let (organization, start) = (known.organization, known.facets.start);
            let mut key = |place: usize, names| {
                let part = self.parts[start + place];
                if let Some((_, key)) = keys[part as usize].filter(|(of, _)| *of == organization) {
                    return key;
                }
                let key = self.key(profile, links, names);
                keys[part as usize] = Some((organization, key));
                key
            };
            let (actor, target) = (key(facet::ACTOR, ACTOR), key(facet::TARGET, TARGET));
            let part = self.parts[start + facet::of(Norm::SourceIp)];
            let network = networks[part as usize].unwrap_or_else(|| {
                let ip = self.text(profile, Norm::SourceIp).and_then(|ip| ip.parse().ok());
                ip.map(source::network).map(|network| self.symbols.number(&network))
            });
            networks[part as usize] = Some(network);
            let known = &mut self.list[profile as usize];
            (known.actor, known.target, known.network) = (actor, target, network);
        }
        self.devices = Devices::new(self);
        self.fold_agents();
        let texts = self.symbols.texts.clone();
        self.lower = texts.iter().map(|text| self.symbols.number(&letters::lower(text))).collect();
        self.lower.extend(index(texts.len())..index(self.symbols.texts.len()));
    }

    /// Names of agents are one if their letters are, in groups as in detections; what has no letters is itself.
    fn fold_agents(&mut self) {
        let is_agent = |(slot, value): &(&Slot, &Symbol)| **slot == AGENT && **value != NULL;
        let written: BTreeSet<Symbol> =
            self.slots.iter().zip(&self.values).filter(is_agent).map(|(_, value)| *value).collect();
        for symbol in written {
            let folded = Some(letters::of(self.symbols.text(symbol))).filter(|folded| !folded.is_empty());
            let compared = folded.unwrap_or_else(|| letters::lower(self.symbols.text(symbol)));
            self.agents.insert(symbol, self.symbols.number(&compared));
        }
    }

    fn key(&mut self, profile: u32, links: &Links, names: [Norm; 4]) -> Option<Symbol> {
        let [kind, id, name, email] = names.map(|norm| self.text(profile, norm).map(letters::lower));
        // The name that is shown falls back to the others; only a name of its own is one.
        let name = name.filter(|n| Some(n) != id.as_ref() && Some(n) != email.as_ref());
        let names = Names { id, name, email };
        let key = links.key(self.organization(profile), kind.as_deref(), class_of(kind.as_deref()), &names)?;
        Some(self.symbols.number(&key))
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        index(self.list.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn get(&self, profile: u32) -> &Profile {
        &self.list[profile as usize]
    }

    /// The organization.
    pub fn organization(&self, profile: u32) -> &str {
        self.symbols.text(self.get(profile).organization)
    }

    /// For each profile, where its organization stands among all of them.
    pub fn organization_ranks(&self) -> Vec<u32> {
        let names: BTreeMap<&str, Symbol> =
            self.list.iter().map(|p| (self.symbols.text(p.organization), p.organization)).collect();
        let ranks: HashMap<Symbol, u32> = names.into_values().zip(0..).collect();
        self.list.iter().map(|p| ranks[&p.organization]).collect()
    }

    /// The organization as a number.
    pub fn organization_symbol(&self, profile: u32) -> Symbol {
        self.get(profile).organization
    }

    /// The service.
    pub fn service(&self, profile: u32) -> &str {
        self.symbols.text(self.get(profile).service)
    }

    /// The detections that matched, or may match once identities are linked.
    pub fn detections_of(&self, profile: u32) -> &[u32] {
        &self.get(profile).detections
    }

    /// The text of a symbol.
    pub fn symbol(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// The first value of a normalized field.
    pub fn first(&self, profile: u32, norm: Norm) -> Option<Symbol> {
        let known = self.get(profile);
        match norm {
            Norm::ActorKey => known.actor,
            Norm::TargetKey => known.target,
            Norm::SourceNetwork => known.network,
            _ => self.symbols_in(profile, norm as Slot).next(),
        }
    }

    /// Its text. A device that has no name in the event has the one that other events have for it.
    pub fn text(&self, profile: u32, norm: Norm) -> Option<&str> {
        let known = || (norm == Norm::DeviceName).then(|| self.devices.name(self, profile)).flatten();
        self.first(profile, norm).or_else(known).map(|symbol| self.symbols.text(symbol))
    }

    /// The facets in which the values of a slot can be.
    fn parts_of(&self, profile: u32, slot: Slot) -> &[u32] {
        let facets = self.get(profile).facets.clone();
        match Norm::ALL.get(usize::from(slot)) {
            Some(norm) => {
                let place = facets.start + facet::of(*norm);
                &self.parts[place..=place]
            }
            None => &self.parts[facets.start + FIXED..facets.end],
        }
    }

    /// The values in a slot, `NULL` too.
    fn all_in(&self, profile: u32, slot: Slot) -> impl Iterator<Item = Symbol> {
        let ranges = self.parts_of(profile, slot).iter().map(|part| self.facets[*part as usize].clone());
        ranges.flatten().filter(move |i| self.slots[*i] == slot).map(|i| self.values[i])
    }

    fn symbols_in(&self, profile: u32, slot: Slot) -> impl Iterator<Item = Symbol> {
        self.all_in(profile, slot).filter(|value| *value != NULL)
    }

    fn slot(&self, field: &Field) -> Option<Slot> {
        slot(&self.kept_fields, field)
    }

    /// Where the values of a field stand.
    pub fn seat(&self, field: &Field) -> Seat {
        if let Some(norm) = derived(field) {
            return Seat::Derived(norm);
        }
        let Some(slot) = self.slot(field) else { return Seat::Nowhere };
        let value = |facet: &Range<usize>| {
            let mut values = facet.clone().filter(|i| self.slots[*i] == slot && self.values[*i] != NULL);
            match (values.next(), values.next()) {
                (None, _) => NULL,
                (Some(one), None) => self.compared(slot, self.values[one]),
                _ => SEVERAL,
            }
        };
        Seat::Facets(slot, self.facets.iter().map(value).collect())
    }

    fn lowered(&self, symbol: Symbol) -> Symbol {
        self.lower.get(symbol as usize).copied().unwrap_or(symbol)
    }

    /// What is compared of a value in a slot.
    fn compared(&self, slot: Slot, value: Symbol) -> Symbol {
        if slot == AGENT { self.agents.get(&value).copied().unwrap_or(value) } else { self.lowered(value) }
    }

    /// The values of a field as they are compared, as symbols, each once: in lower case, names of agents by their
    /// letters. Groups are made of them.
    pub fn seated(&self, profile: u32, seat: &Seat) -> SmallVec<[Symbol; 2]> {
        let (slot, values) = match seat {
            Seat::Derived(norm) => return self.first(profile, *norm).map(|s| self.lowered(s)).into_iter().collect(),
            Seat::Nowhere => return SmallVec::new(),
            Seat::Facets(slot, values) => (*slot, values),
        };
        let of_facets = self.parts_of(profile, slot).iter().map(|facet| values[*facet as usize]);
        let mut out: SmallVec<[Symbol; 2]> = of_facets.filter(|value| *value != NULL).collect();
        if out.contains(&SEVERAL) {
            out = self.symbols_in(profile, slot).map(|s| self.compared(slot, s)).collect();
        }
        if out.len() > 1 {
            out.sort_unstable();
            out.dedup();
        }
        out
    }

    /// The same for one profile.
    pub fn group_values(&self, profile: u32, field: &Field) -> SmallVec<[Symbol; 2]> {
        match (derived(field), self.slot(field)) {
            (Some(_), _) | (_, None) => self.seated(profile, &self.seat(field)),
            (None, Some(slot)) => {
                let values = self.symbols_in(profile, slot).map(|s| self.compared(slot, s));
                let mut out: SmallVec<[Symbol; 2]> = values.collect();
                out.sort_unstable();
                out.dedup();
                out
            }
        }
    }

    /// All values of a field.
    pub fn field(&self, profile: u32, field: &Field) -> Values<'_> {
        let text = |s: &str| Value::Text(s.to_owned().into());
        if let Some(norm) = derived(field) {
            return self.text(profile, norm).into_iter().map(text).collect();
        }
        let Some(slot) = self.slot(field) else { return Values::new() };
        self.all_in(profile, slot).map(|value| self.text_of(value).map_or(Value::Null, text)).collect()
    }

    /// A profile as something whose fields can be asked for.
    pub fn view(&self, profile: u32) -> View<'_> {
        View { profiles: self, profile }
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Profile>()
            + (self.parts.capacity() + 2 * self.facets.capacity()) * size_of::<u32>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.values.capacity() * size_of::<Symbol>()
            + self.symbols.texts.iter().map(|text| text.len() + 60).sum::<usize>()
    }
}

/// A profile whose fields can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct View<'s> {
    profiles: &'s Profiles,
    profile: u32,
}

impl Fields for View<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        self.profiles.field(self.profile, field)
    }
}

/// Keywords need the whole record; rules that need a profile may not use them.
impl Searchable for View<'_> {
    fn any_text(&self, _: &dyn Fn(&str) -> bool) -> bool {
        false
    }
}
