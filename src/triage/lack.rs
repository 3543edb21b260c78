//! Lack: what a correlation would have needed and did not get: the nearest that it came.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::describe;
use super::explanation::Read;
use crate::detect::count::window;
use crate::detect::memory;
use crate::detect::profile::Symbol;
use crate::detect::store::Store;
use crate::event::field::{Field, Norm};
use crate::event::time::{HOUR, SECOND, Span, Timestamp};
use crate::rule::logic::{Chain, Count, FirstSeen, GroupBy, Logic, Travel};
use crate::rule::told::left_out;

/// Combinations of group fields of one event that are looked at.
const MOST_KEYS: usize = 64;

type Key = Vec<Symbol>;

/// A rule, and how its events are grouped.
pub struct Keys<'a> {
    /// what was read
    pub read: Read<'a>,
    /// the rule
    pub rule: usize,
}

impl Keys<'_> {
    /// The events of a rule that this one refers to.
    fn events(&self, step: usize) -> Vec<u32> {
        self.read.detected.signals[self.read.set.references[self.rule][step]].events().collect()
    }

    fn name(&self, step: usize) -> &str {
        &self.read.set.rules[self.read.set.references[self.rule][step]].name
    }

    /// The groups that an event is in as a match of a step.
    fn of(&self, event: u32, step: usize, by: &[GroupBy]) -> Vec<Key> {
        let store = self.read.store;
        let start = vec![store.organization_symbol(event)];
        let fields: Option<Vec<&Field>> = by.iter().map(|part| part.field(self.name(step))).collect();
        fields.map(|fields| tuples(store, event, fields, start)).unwrap_or_default()
    }

    /// The name of a group that an event is in, without the organization; people by the names in the event.
    fn shown(&self, key: &[Symbol], event: u32) -> String {
        let store = self.read.store;
        let name = |symbol: &Symbol| {
            let text = store.symbol(*symbol);
            let ends = [(Norm::ActorKey, Norm::ActorName), (Norm::TargetKey, Norm::TargetName)];
            let is_this = |key| store.text(event, key).is_some_and(|own| own.eq_ignore_ascii_case(text));
            let named = ends.into_iter().find(|(key, _)| is_this(*key)).and_then(|(_, name)| store.text(event, name));
            named.unwrap_or(text)
        };
        let names: Vec<&str> = key.iter().skip(1).map(name).collect();
        if names.is_empty() { "the organization".to_owned() } else { names.join(", ") }
    }

    /// Events of a step, by group, in their order.
    fn groups(&self, step: usize, by: &[GroupBy]) -> BTreeMap<Key, Vec<u32>> {
        let mut out: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
        for event in self.events(step) {
            for key in self.of(event, step, by) {
                out.entry(key).or_default().push(event);
            }
        }
        out
    }

    fn is_at(&self, step: usize, event: u32) -> bool {
        !self.read.detected.signals[self.read.set.references[self.rule][step]].at(event).is_empty()
    }
}

/// What was missing in all that was read.
pub fn anywhere(keys: &Keys<'_>) -> Vec<String> {
    match &keys.read.set.rules[keys.rule].logic {
        Logic::Count(count) => most_at_once(keys, count),
        Logic::Chain(chain) => steps_together(keys, chain),
        Logic::FirstSeen(_) => match keys.read.detected.judged.get(&keys.rule) {
            Some(judged) if judged.owners == 0 => {
                vec![format!("nobody was known long enough to be judged ({} were not)", judged.too_young)]
            }
            Some(judged) => vec![format!(
                "{} known long enough, and nothing about them was new; {} not known long enough",
                judged.owners, judged.too_young
            )],
            None => vec![],
        },
        _ => vec![],
    }
}

/// What was missing at an event that did not complete it.
pub fn at(keys: &Keys<'_>, event: u32) -> Vec<String> {
    match &keys.read.set.rules[keys.rule].logic {
        Logic::Count(count) => count_at(keys, count, event),
        Logic::Chain(chain) => steps_at(keys, chain, event),
        Logic::FirstSeen(first_seen) => known_at(keys, first_seen, event),
        Logic::Travel(travel) => leg_at(keys, travel, event),
        _ => vec![],
    }
}

/// Matches of all rules of a count, by group.
fn counted(keys: &Keys<'_>, count: &Count) -> BTreeMap<Key, Vec<u32>> {
    let mut all: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
    for step in 0..count.rules.len() {
        for (key, events) in keys.groups(step, &count.group_by) {
            all.entry(key).or_default().extend(events);
        }
    }
    let store = keys.read.store;
    all.values_mut().for_each(|events| {
        events.sort_unstable();
        events.dedup();
        // Events without a value do not count.
        let has_value = |field: &Field, event: u32| !store.group_values(event, field).is_empty();
        events.retain(|event| count.values.iter().flatten().all(|field| has_value(field, *event)));
    });
    all
}

/// The values of some fields together, as groups are told apart by them: each value of one with each of the others.
fn tuples<'f>(store: &Store, event: u32, fields: impl IntoIterator<Item = &'f Field>, start: Key) -> Vec<Key> {
    let mut tuples = vec![start];
    for field in fields {
        let values = store.group_values(event, field);
        tuples = tuples.iter().flat_map(|tuple| values.iter().map(|v| [tuple.as_slice(), &[*v]].concat())).collect();
        tuples.truncate(MOST_KEYS);
    }
    tuples
}

/// A window that moves on over the events of a group, which are in order.
struct Moving<'a> {
    store: &'a Store,
    count: &'a Count,
    events: &'a [u32],
    /// what lies in the window, as a part of the events
    range: Range<usize>,
    /// the different values in it
    values: HashMap<Key, usize>,
}

impl<'a> Moving<'a> {
    fn new(store: &'a Store, count: &'a Count, events: &'a [u32]) -> Moving<'a> {
        Moving { store, count, events, range: 0..0, values: HashMap::new() }
    }

    fn values(&self, event: u32) -> Vec<Key> {
        self.count.values.as_ref().map(|fields| tuples(self.store, event, fields, vec![])).unwrap_or_default()
    }

    /// Moves the window on to an event: how many events, or different values, lie in it. Where only so many are allowed,
    /// those behind the event do not count, also where they came at the same instant.
    fn to(&mut self, event: u32) -> usize {
        let time = self.store.time(event);
        let has_most = !self.count.bounds.hold(usize::MAX);
        while let Some(next) = self.events.get(self.range.end).copied() {
            if if has_most { next > event } else { self.store.time(next) > time } {
                break;
            }
            self.values(next).into_iter().for_each(|value| *self.values.entry(value).or_default() += 1);
            self.range.end += 1;
        }
        while self.range.start < self.range.end {
            let first = self.events[self.range.start];
            if self.store.time(first).0 > time.0.saturating_sub(self.count.window.0) {
                break;
            }
            for value in self.values(first) {
                if let Some(count) = self.values.get_mut(&value) {
                    *count -= 1;
                    if *count == 0 {
                        self.values.remove(&value);
                    }
                }
            }
            self.range.start += 1;
        }
        if self.count.values.is_some() { self.values.len() } else { self.range.len() }
    }
}

fn most_at_once(keys: &Keys<'_>, count: &Count) -> Vec<String> {
    let store = keys.read.store;
    let mut best: Option<(usize, Timestamp, String)> = None;
    for (key, events) in counted(keys, count) {
        let mut moving = Moving::new(store, count, &events);
        for event in &events {
            let (found, time) = (moving.to(*event), store.time(*event));
            let is_best = best.as_ref().is_none_or(|(most, at, who)| match found.cmp(most) {
                Ordering::Equal => time < *at || time == *at && keys.shown(&key, *event) < *who,
                order => order.is_gt(),
            });
            if is_best {
                best = Some((found, time, keys.shown(&key, *event)));
            }
        }
    }
    let needed = &count.bounds;
    best.map(|(found, time, who)| {
        let share = if count.share.is_some() { " (and they have to be a large enough share)" } else { "" };
        format!("the most at once was {found}, for {who} at {time}; needed: {needed}{share}")
    })
    .into_iter()
    .collect()
}

fn count_at(keys: &Keys<'_>, count: &Count, event: u32) -> Vec<String> {
    let steps: Vec<usize> = (0..count.rules.len()).filter(|step| keys.is_at(*step, event)).collect();
    let own: BTreeSet<Key> = steps.iter().flat_map(|step| keys.of(event, *step, &count.group_by)).collect();
    if own.is_empty() {
        return vec!["the event is none of what it counts, or lacks what it is counted by".to_owned()];
    }
    let (store, all) = (keys.read.store, counted(keys, count));
    let whole = count.share.as_ref().map(|share| (share, keys.groups(count.rules.len(), &count.group_by)));
    let say = |key: &Key| {
        let events = all.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut moving = Moving::new(store, count, events);
        let (found, shown) = (moving.to(event), keys.shown(key, event));
        let said = format!("{found} up to this event, for {shown}; needed: {}", count.bounds);
        let Some((share, whole)) = &whole else { return said };
        let whole = whole.get(key).map(Vec::as_slice).unwrap_or_default();
        let (part, all) = (moving.range.len(), window(store, whole, store.time(event), count.window).len());
        let (percent, least) = (part * 100 / all.max(1), share.at_least * 100.0);
        format!("{said}; and {part} are {percent} % of the {all} of {}; needed: at least {least:.0} %", share.of)
    };
    own.iter().map(say).collect()
}

/// Which steps there were, and whether any group had all of them.
fn steps_together(keys: &Keys<'_>, chain: &Chain) -> Vec<String> {
    let needed = chain.needed();
    let mut out = Vec::new();
    let mut has: BTreeMap<Key, (BTreeSet<usize>, u32)> = BTreeMap::new();
    for step in needed.clone() {
        let groups = keys.groups(step, &chain.group_by);
        if groups.is_empty() {
            out.push(format!("{} never happened", keys.name(step)));
        }
        for (key, events) in groups {
            let first = events.first().map_or(0, |event| *event);
            has.entry(key).or_insert_with(|| (BTreeSet::new(), first)).0.insert(step);
        }
    }
    let most = has.values().map(|(steps, _)| steps.len()).max().unwrap_or(0);
    let whole = has.values().filter(|(steps, _)| steps.len() == needed.len()).count();
    if whole > 0 {
        out.push(format!(
            "{whole} with all of its parts, but not as it wants them: in this order, within {}, and with nothing against \
             it",
            chain.window.words()
        ));
    } else if most > 0 && out.is_empty() {
        let nearest = has.iter().filter(|(_, (steps, _))| steps.len() == most);
        let nearest = nearest.map(|(key, (_, event))| (keys.read.store.time(*event), keys.shown(key, *event))).min();
        let nearest = nearest.map(|(_, who)| who).unwrap_or_default();
        out.push(format!("nobody had all of its {} parts; the nearest was {nearest}, with {most}", needed.len()));
    }
    out
}

/// For each step, the match nearest to an event in its group.
fn steps_at(keys: &Keys<'_>, chain: &Chain, event: u32) -> Vec<String> {
    let store = keys.read.store;
    let all = 0..chain.rules.len();
    let own: BTreeSet<Key> = all
        .clone()
        .filter(|step| keys.is_at(*step, event))
        .flat_map(|step| keys.of(event, step, &chain.group_by))
        .collect();
    if own.is_empty() {
        return vec!["the event is none of its steps, or lacks what joins them".to_owned()];
    }
    let time = store.time(event);
    let groups: Vec<_> = all.clone().map(|step| keys.groups(step, &chain.group_by)).collect();
    let mut out = Vec::new();
    for key in own {
        for step in all.clone() {
            let near = groups[step].get(&key).into_iter().flatten().map(|other| (*other, store.time(*other)));
            let near = near.filter(|(_, at)| at.0.abs_diff(time.0) < chain.window.0.unsigned_abs());
            let name = keys.name(step);
            out.push(match near.min_by_key(|(other, at)| (*other != event, at.0.abs_diff(time.0))) {
                Some((other, _)) if other == event => format!("{name}: this event"),
                Some((other, at)) => format!("{name}: {at} {}", describe::event(store, other)),
                None => format!("{name}: none within {} for {}", chain.window.words(), keys.shown(&key, event)),
            });
        }
    }
    out
}

/// What was known of the owner of an event before it.
fn known_at(keys: &Keys<'_>, rule: &FirstSeen, event: u32) -> Vec<String> {
    if !keys.is_at(0, event) {
        return vec!["the event is none of those that it judges".to_owned()];
    }
    let store = keys.read.store;
    let time = store.time(event);
    let tuples = |event: u32| tuples(store, event, &rule.value, vec![]);
    let (own, groups) = (tuples(event), keys.groups(1, &rule.by));
    // What is younger than this does not count yet, and what is older than that no more.
    let settled = Timestamp(time.0.saturating_sub(rule.settle.0));
    let is_forgotten = |at: Timestamp| rule.lookback.0 > 0 && at.0 <= time.0.saturating_sub(rule.lookback.0);
    let left_out = left_out(rule.settle);
    let mut out = Vec::new();
    for key in keys.of(event, 0, &rule.by) {
        let lessons = groups.get(&key).map(Vec::as_slice).unwrap_or_default();
        let first = lessons.first().map_or(time, |first| store.time(*first));
        let known_for = time.since(first).max(Span(0));
        let learned = &lessons[..lessons.partition_point(|lesson| store.time(*lesson) < settled)];
        if own.is_empty() {
            out.push("it has no value that could be new".to_owned());
        } else if lessons.is_empty() || known_for.0 < rule.min_age.0 || learned.len() < rule.min_events {
            out.push(format!(
                "{} was known for {} and {} events{left_out}; needed: {} and {}",
                keys.shown(&key, event),
                known_for.words(),
                learned.len(),
                rule.min_age.words(),
                rule.min_events
            ));
        } else {
            let is_same = |lesson: &u32| tuples(*lesson).iter().any(|value| own.contains(value));
            let remembered = learned.iter().filter(|lesson| !is_forgotten(store.time(**lesson)));
            let same: Vec<u32> = remembered.copied().filter(is_same).collect();
            let Some(first) = same.first() else { continue };
            let within = match rule.lookback.0 {
                0 => "before".to_owned(),
                _ => format!("in the {} before", rule.lookback.words()),
            };
            let times = if same.len() == 1 { "once".to_owned() } else { format!("{} times", same.len()) };
            out.push(format!("it is not new: {times} {within}{left_out}, first at {}", store.time(*first)));
        }
    }
    out
}

/// How far the sign-in before is away.
fn leg_at(keys: &Keys<'_>, rule: &Travel, event: u32) -> Vec<String> {
    if !keys.is_at(0, event) {
        return vec!["the event is none of those that it looks at".to_owned()];
    }
    let store = keys.read.store;
    let Some(here) = memory::spot(store, event) else {
        return vec!["the event does not say where it was, or was in a network of the organization".to_owned()];
    };
    let (groups, time) = (keys.groups(0, &rule.by), store.time(event));
    let mut out = Vec::new();
    for key in keys.of(event, 0, &rule.by) {
        let mut before = groups.get(&key).into_iter().flatten().copied().rev();
        let nearest = before.find_map(|other| {
            let is_before = other != event && store.time(other) <= time;
            Some((is_before.then(|| memory::spot(store, other))??, other))
        });
        let Some((there, from)) = nearest else {
            out.push("there is no placed sign-in before it".to_owned());
            continue;
        };
        let (km, at) = (there.apart(here), store.time(from));
        let hours = time.since(at).0.max(SECOND) as f64 / HOUR as f64;
        let country = store.group_values(from, &Field::Norm(Norm::SourceCountry));
        let country = country.first().map_or("?", |symbol| store.symbol(*symbol)).to_uppercase();
        out.push(format!(
            "{km:.0} km from the one before ({country}, {at}), {:.0} km/h; needed: {} km and {} km/h",
            km / hours,
            rule.min_km,
            rule.min_kmh
        ));
    }
    out
}
