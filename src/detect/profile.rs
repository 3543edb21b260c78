//! Profile: all that rules can ask of an event, and which detections it matched. A person who signs in a
//! thousand times from one desk makes a thousand events and one profile, so fields are held, and identities
//! and groups worked out, once for all of them.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::store::Match;
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::identity::{Links, Names};
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

/// Type, id, name and e-mail of the actor.
const ACTOR: [Norm; 4] = [Norm::ActorType, Norm::ActorId, Norm::ActorName, Norm::ActorEmail];
/// The same of the target.
const TARGET: [Norm; 4] = [Norm::TargetType, Norm::TargetId, Norm::TargetName, Norm::TargetEmail];

/// What many events have in common.
#[derive(Debug)]
struct Profile {
    organization: Symbol,
    service: Symbol,
    /// in `slots` and `values`
    values: Range<usize>,
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
    slots: Vec<Slot>,
    values: Vec<Symbol>,
    symbols: Symbols,
    /// lower-case form of each symbol
    lower: Vec<Symbol>,
    /// profiles by a hash of their content, which is then compared
    by_hash: HashMap<u64, Vec<u32>, RandomState>,
    hasher: RandomState,
    lists: HashSet<Arc<[u32]>, RandomState>,
    kept_fields: Vec<Field>,
}

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn index(length: usize) -> u32 {
    length as u32
}

impl Profiles {
    /// No profiles yet; the fields are those kept beside the normalized ones.
    pub fn new(kept_fields: &[Field]) -> Profiles {
        Profiles { kept_fields: kept_fields.to_vec(), ..Profiles::default() }
    }

    /// The profile of an event.
    pub fn of(&mut self, matched: &Match) -> u32 {
        let hash = self.hasher.hash_one((
            &matched.organization,
            &matched.service,
            &matched.detections,
            &matched.values,
            &matched.text,
        ));
        let alike = self.by_hash.get(&hash).into_iter().flatten();
        if let Some(known) = alike.copied().find(|profile| self.is(*profile, matched)) {
            return known;
        }
        let start = self.values.len();
        for (slot, text) in matched.texts() {
            self.slots.push(slot);
            let value = text.map_or(NULL, |text| self.symbols.number(text));
            self.values.push(value);
        }
        let number = index(self.list.len());
        let profile = Profile {
            organization: self.symbols.number(&matched.organization),
            service: self.symbols.number(&matched.service),
            values: start..self.values.len(),
            detections: self.detections(&matched.detections),
            actor: None,
            target: None,
            network: None,
        };
        self.list.push(profile);
        self.by_hash.entry(hash).or_default().push(number);
        number
    }

    /// Few different lists of detections are shared by all profiles.
    fn detections(&mut self, list: &[u32]) -> Arc<[u32]> {
        if let Some(known) = self.lists.get(list) {
            return Arc::clone(known);
        }
        let list: Arc<[u32]> = list.into();
        self.lists.insert(Arc::clone(&list));
        list
    }

    fn is(&self, profile: u32, matched: &Match) -> bool {
        let known = self.get(profile);
        let values = known.values.clone().map(|i| (self.slots[i], self.text_of(self.values[i])));
        self.symbols.text(known.organization) == matched.organization
            && self.symbols.text(known.service) == matched.service
            && *known.detections == *matched.detections
            && values.eq(matched.texts())
    }

    fn text_of(&self, value: Symbol) -> Option<&str> {
        (value != NULL).then(|| self.symbols.text(value))
    }

    /// Links identities, and lets go of what only telling profiles apart needed.
    pub fn close(&mut self, links: &Links) {
        self.by_hash = HashMap::default();
        for profile in 0..self.len() {
            let actor = self.key(profile, links, ACTOR);
            let target = self.key(profile, links, TARGET);
            let network = self.text(profile, Norm::SourceIp).and_then(|ip| ip.parse().ok()).map(source::network);
            let network = network.map(|network| self.symbols.number(&network));
            let known = &mut self.list[profile as usize];
            (known.actor, known.target, known.network) = (actor, target, network);
        }
        let texts = self.symbols.texts.clone();
        self.lower = texts.iter().map(|text| self.symbols.number(&text.to_lowercase())).collect();
        self.lower.extend(index(texts.len())..index(self.symbols.texts.len()));
    }

    fn key(&mut self, profile: u32, links: &Links, names: [Norm; 4]) -> Option<Symbol> {
        let [kind, id, name, email] = names.map(|norm| self.text(profile, norm).map(str::to_lowercase));
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
    pub fn text(&self, profile: u32, norm: Norm) -> Option<&str> {
        let known = self.get(profile);
        let symbol = match norm {
            Norm::ActorKey => known.actor,
            Norm::TargetKey => known.target,
            Norm::SourceNetwork => known.network,
            _ => self.symbols_in(profile, norm as usize).next(),
        };
        symbol.map(|s| self.symbols.text(s))
    }

    fn symbols_in(&self, profile: u32, slot: usize) -> impl Iterator<Item = Symbol> {
        let range = self.get(profile).values.clone();
        let pairs = self.slots[range.clone()].iter().zip(&self.values[range]);
        pairs.filter(move |(s, value)| usize::from(**s) == slot && **value != NULL).map(|(_, value)| *value)
    }

    fn slot(&self, field: &Field) -> Option<usize> {
        match field {
            Field::Norm(norm) => Some(*norm as usize),
            other => Some(Norm::ALL.len() + self.kept_fields.iter().position(|f| f == other)?),
        }
    }

    /// The values of a field in lower case, as symbols: what groups are made of.
    pub fn group_values(&self, profile: u32, field: &Field) -> Vec<Symbol> {
        let known = self.get(profile);
        let found: Vec<Symbol> = match field {
            Field::Norm(Norm::ActorKey) => known.actor.into_iter().collect(),
            Field::Norm(Norm::TargetKey) => known.target.into_iter().collect(),
            Field::Norm(Norm::SourceNetwork) => known.network.into_iter().collect(),
            other => self.slot(other).map(|slot| self.symbols_in(profile, slot).collect()).unwrap_or_default(),
        };
        let mut lower: Vec<Symbol> =
            found.into_iter().map(|s| self.lower.get(s as usize).copied().unwrap_or(s)).collect();
        lower.sort_unstable();
        lower.dedup();
        lower
    }

    /// All values of a field.
    pub fn field(&self, profile: u32, field: &Field) -> Values<'_> {
        let text = |s: &str| Value::Text(s.to_owned().into());
        if let Field::Norm(norm @ (Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork)) = field {
            return self.text(profile, *norm).into_iter().map(text).collect();
        }
        let Some(slot) = self.slot(field) else { return Values::new() };
        let range = self.get(profile).values.clone();
        let own = range.filter(|i| usize::from(self.slots[*i]) == slot);
        own.map(|i| self.text_of(self.values[i]).map_or(Value::Null, text)).collect()
    }

    /// A profile as something whose fields can be asked for.
    pub fn view(&self, profile: u32) -> View<'_> {
        View { profiles: self, profile }
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Profile>()
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
