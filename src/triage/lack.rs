//! Lack: what a correlation would have needed and did not get: the nearest that it came.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::describe;
use super::explanation::Read;
use crate::detect::Judged;
use crate::detect::count::Counted;
use crate::detect::group::{Grouping, Members};
use crate::detect::index::Index;
use crate::detect::memory;
use crate::detect::profile::Symbol;
use crate::event::field::{Field, Norm};
use crate::event::letters;
use crate::event::time::{HOUR, SECOND, Span, Timestamp};
use crate::rule::logic::{Chain, Count, FirstSeen, Logic, Travel};
use crate::rule::told::{left_out, names};

/// A rule, and how its events are grouped.
pub struct Keys<'a> {
    /// what was read
    pub read: Read<'a>,
    /// the rule
    pub rule: usize,
}

impl Keys<'_> {
    fn name(&self, step: usize) -> &str {
        &self.read.set.rules[self.read.set.references[self.rule][step]].name
    }

    /// The groups that an event is in as a match of any of these steps, in the order of what joins their members.
    fn of(&self, event: u32, steps: Range<usize>) -> Vec<u32> {
        let Read { set, store, detected } = self.read;
        let steps = steps.filter(|step| self.is_at(*step, event));
        let mut groups: Vec<u32> =
            steps.flat_map(|step| detected.groups_of(set, store, self.rule, step, event)).collect();
        groups.sort_by_cached_key(|group| {
            detected.key(*group).iter().map(|part| store.symbol(*part)).collect::<Vec<_>>()
        });
        groups.dedup();
        groups
    }

    /// The name of a group that an event is in, without the organization; people by the names in the event.
    fn shown(&self, group: u32, event: u32) -> String {
        let store = self.read.store;
        let name = |symbol: &Symbol| {
            let text = store.symbol(*symbol);
            let ends = [(Norm::ActorKey, Norm::ActorName), (Norm::TargetKey, Norm::TargetName)];
            let is_this = |key| store.text(event, key).is_some_and(|own| letters::are_one(own, text));
            let named = ends.into_iter().find(|(key, _)| is_this(*key)).and_then(|(_, name)| store.text(event, name));
            named.unwrap_or(text)
        };
        let key = self.read.detected.key(group);
        let names: Vec<&str> = key.iter().skip(1).map(name).collect();
        if names.is_empty() { "the organization".to_owned() } else { names.join(", ") }
    }

    /// Events of a step, by group, in their order.
    fn index(&self, step: usize) -> Arc<Index> {
        self.read.detected.index(self.read.set, self.read.store, self.rule, step)
    }

    /// Why no group has an event of a step.
    fn absence(&self, step: usize) -> Option<String> {
        let Read { set, detected, .. } = self.read;
        let name = self.name(step);
        if detected.signals[set.references[self.rule][step]].is_empty() {
            return Some(format!("{name} never happened"));
        }
        let by = set.rules[self.rule].logic.group_by();
        let has_none = self.index(step).groups.is_empty();
        has_none.then(|| format!("no event of {name} has {}", names(by.iter().map(|by| &by.name))))
    }

    fn members(&self, group: u32) -> Members {
        self.read.detected.members(self.read.set, self.read.store, self.rule, group)
    }

    fn values(&self, fields: &[Field]) -> Arc<Grouping> {
        self.read.detected.values(self.read.set, self.read.store, self.rule, fields)
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
        Logic::FirstSeen(first_seen) => match keys.read.detected.judged.get(&keys.rule) {
            Some(Judged { owners: 0, too_young: 0 }) => vec![none_judged(keys, first_seen)],
            Some(Judged { owners: 0, too_young }) => {
                vec![format!("nobody was known long enough to be judged ({too_young} were not)")]
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

fn most_at_once(keys: &Keys<'_>, count: &Count) -> Vec<String> {
    let Read { set, store, detected } = keys.read;
    let values = count.values.as_ref().map(|fields| keys.values(fields));
    let since = detected.since(set, store, keys.rule, count);
    let mut best: Option<(usize, Timestamp, String)> = None;
    for group in detected.numbers(set, store, keys.rule) {
        let members = keys.members(group);
        let counted = Counted::new(store, count, &members, values.as_deref(), since.of(group));
        let Some(first) = counted.events.first() else { continue };
        let mut moving = counted.moving(*first);
        for event in counted.events.iter() {
            let (found, time) = (moving.to(*event), store.time(*event));
            let is_best = best.as_ref().is_none_or(|(most, at, who)| match found.cmp(most) {
                Ordering::Equal => time < *at || time == *at && keys.shown(group, *event) < *who,
                order => order.is_gt(),
            });
            if is_best {
                best = Some((found, time, keys.shown(group, *event)));
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
    let own = keys.of(event, 0..count.rules.len());
    if own.is_empty() {
        return vec!["the event is none of what it counts, or lacks what it is counted by".to_owned()];
    }
    let Read { set, store, detected } = keys.read;
    let since = detected.since(set, store, keys.rule, count);
    let values = count.values.as_ref().map(|fields| keys.values(fields));
    let whole = count.share.as_ref().map(|share| (share, keys.index(count.rules.len())));
    let say = |group: &u32| {
        let members = keys.members(*group);
        let counted = Counted::new(store, count, &members, values.as_deref(), since.of(*group));
        let mut moving = counted.moving(event);
        let (found, shown) = (moving.to(event), keys.shown(*group, event));
        let began = count.since.as_ref().zip(counted.began(store.time(event)));
        let began = began.map(|(since, time)| format!(" since {} at {time}", since.rule)).unwrap_or_default();
        let said = format!("{found} up to this event{began}, for {shown}; needed: {}", count.bounds);
        let Some((share, whole)) = &whole else { return said };
        let (part, all) = (moving.events(), counted.within(whole.of(*group), store.time(event)).len());
        let (percent, least) = (part * 100 / all.max(1), share.at_least * 100.0);
        format!("{said}; and {part} are {percent} % of the {all} of {}; needed: at least {least:.0} %", share.of)
    };
    own.iter().map(say).collect()
}

/// Why there was nobody to judge.
fn none_judged(keys: &Keys<'_>, rule: &FirstSeen) -> String {
    if let Some(absence) = keys.absence(memory::JUDGED) {
        return absence;
    }
    let (judged, index, values) = (keys.name(memory::JUDGED), keys.index(memory::JUDGED), keys.values(&rule.value));
    let has_value = |event: &u32| !values.of(keys.read.store.profile(*event)).is_empty();
    if !index.groups.iter().any(|group| index.of(*group).iter().any(has_value)) {
        return format!("no event of {judged} has {}", names(rule.value.iter().map(Field::name)));
    }
    format!("{judged} happened in the history alone, where nobody was known long enough to be judged")
}

/// Which steps there were, and whether any group had all of them.
fn steps_together(keys: &Keys<'_>, chain: &Chain) -> Vec<String> {
    let needed = chain.needed();
    let mut out = Vec::new();
    let mut has: BTreeMap<u32, (BTreeSet<usize>, u32)> = BTreeMap::new();
    for step in needed.clone() {
        let index = keys.index(step);
        out.extend(keys.absence(step));
        for group in &index.groups {
            has.entry(*group).or_insert_with(|| (BTreeSet::new(), index.of(*group)[0])).0.insert(step);
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
        let nearest =
            nearest.map(|(group, (_, event))| (keys.read.store.time(*event), keys.shown(*group, *event))).min();
        let nearest = nearest.map(|(_, who)| who).unwrap_or_default();
        out.push(format!("nobody had all of its {} parts; the nearest was {nearest}, with {most}", needed.len()));
    }
    out
}

/// For each step, the match nearest to an event in its group.
fn steps_at(keys: &Keys<'_>, chain: &Chain, event: u32) -> Vec<String> {
    let store = keys.read.store;
    let all = 0..chain.rules.len();
    let own = keys.of(event, all.clone());
    if own.is_empty() {
        return vec!["the event is none of its steps, or lacks what joins them".to_owned()];
    }
    let time = store.time(event);
    let indexes: Vec<_> = all.clone().map(|step| keys.index(step)).collect();
    let mut out = Vec::new();
    for group in own {
        for step in all.clone() {
            let near = indexes[step].of(group).iter().map(|other| (*other, store.time(*other)));
            let near = near.filter(|(_, at)| at.0.abs_diff(time.0) < chain.window.0.unsigned_abs());
            let name = keys.name(step);
            out.push(match near.min_by_key(|(other, at)| (*other != event, at.0.abs_diff(time.0))) {
                Some((other, _)) if other == event => format!("{name}: this event"),
                Some((other, at)) => format!("{name}: {at} {}", describe::event(store, other)),
                None => format!("{name}: none within {} for {}", chain.window.words(), keys.shown(group, event)),
            });
        }
    }
    out
}

/// What was known of the owner of an event before it.
fn known_at(keys: &Keys<'_>, rule: &FirstSeen, event: u32) -> Vec<String> {
    if !keys.is_at(memory::JUDGED, event) {
        return vec!["the event is none of those that it judges".to_owned()];
    }
    let store = keys.read.store;
    let time = store.time(event);
    let values = keys.values(&rule.value);
    let values_of = |event: u32| values.of(store.profile(event));
    let (own, taught) = (values_of(event), keys.index(memory::TEACHING));
    // What is younger than this does not count yet, and what is older than that no more.
    let settled = Timestamp(time.0.saturating_sub(rule.settle.0));
    let is_forgotten = |at: Timestamp| rule.lookback.0 > 0 && at.0 <= time.0.saturating_sub(rule.lookback.0);
    let left_out = left_out(rule.settle);
    let mut out = Vec::new();
    for group in keys.of(event, memory::JUDGED..memory::JUDGED + 1) {
        let lessons = taught.of(group);
        let first = lessons.first().map_or(time, |first| store.time(*first));
        let known_for = time.since(first).max(Span(0));
        let learned = &lessons[..lessons.partition_point(|lesson| store.time(*lesson) < settled)];
        if own.is_empty() {
            out.push("it has no value that could be new".to_owned());
        } else if lessons.is_empty() || known_for.0 < rule.min_age.0 || learned.len() < rule.min_events {
            out.push(format!(
                "{} was known for {} and {} events{left_out}; needed: {} and {}",
                keys.shown(group, event),
                known_for.words(),
                learned.len(),
                rule.min_age.words(),
                rule.min_events
            ));
        } else {
            let is_same = |lesson: &u32| values_of(*lesson).iter().any(|value| own.contains(value));
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
    let (index, time) = (keys.index(0), store.time(event));
    let mut out = Vec::new();
    for group in keys.of(event, 0..1) {
        let mut before = index.of(group).iter().copied().rev();
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
