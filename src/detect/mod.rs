//! Detect: from kept events to signals. Each rule is evaluated after those it refers to; rules that do not
//! depend on each other, and the groups within a rule, run in parallel. A signal is a pure function of the
//! events and the rule, so neither threads nor order change it.

mod alike;
mod chain;
pub mod column;
mod compared;
pub mod count;
mod detected;
mod devices;
pub mod evidence;
pub mod extent;
mod few;
pub mod group;
pub mod index;
mod joint;
pub mod memory;
pub mod news;
mod pairing;
pub mod partition;
pub mod profile;
pub mod reader;
pub mod risk;
mod shared;
pub mod signal;
pub mod store;
mod union;
mod walk;

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use crate::event::field::Field;
use crate::rule::logic::{Absent, Chain, Count, FirstSeen, Logic, Travel};
use crate::rule::set::RuleSet;
use compared::Compared;
pub use detected::Detected;
use extent::{Ends, Extent, services};
use group::{Group, Grouping, Groupings, Groups, Indexes, Members, Needs, Step, joined};
use index::Subject;
use memory::Stop;
use partition::Partition;
use profile::Symbol;
use signal::{EventSet, Signal, Signals};
use store::Store;

/// How many owners a rule could judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// known long enough at some time
    pub owners: usize,
    /// never known long enough
    pub too_young: usize,
}

/// What one rule found.
#[derive(Default)]
struct Found {
    signals: Signals,
    groups: Arc<[Group]>,
    judged: Option<Judged>,
}

/// Evaluates all rules of a set. Windows are evaluated in partitions of time; it changes nothing but how the work is
/// spread.
pub fn detect(set: &RuleSet, store: &Store, extent: Extent<'_>, partition: Partition) -> Detected {
    let count = set.rules.len();
    let mut detected = Detected {
        indexes: Indexes::new(store.len() as usize * size_of::<u32>() * 2),
        groupings: Groupings::new(store.profiles().len()),
        signals: vec![Signals::default(); count],
        groups: vec![Arc::default(); count],
        same: (0..count).collect(),
        ..Detected::default()
    };
    let mut first_of: HashMap<Arc<EventSet>, usize, RandomState> = HashMap::default();
    for (rules, matches) in set.alike().iter().zip(store.matches(set)) {
        let matches = Arc::new(matches);
        rules.iter().for_each(|rule| detected.matched(*rule, Arc::clone(&matches), &mut first_of));
    }
    let ends = Ends::new(extent);
    let context = Context { set, store, ends: &ends, partition };
    for level in levels(set) {
        let (mut first, alike): (Vec<usize>, Vec<usize>) = level.into_iter().partition(|rule| set.is_first(*rule));
        // Those that look at the same events come one after another, so that it is there.
        let size = |(place, _): &Subject| detected.signals[*place].len();
        first.sort_by_cached_key(|rule| looks(set, &detected.same, *rule).max_by_key(size));
        let found: Vec<(usize, Result<Found, String>)> = first
            .into_iter()
            .par_bridge()
            .map(|rule| {
                let result = catch_unwind(AssertUnwindSafe(|| evaluate(context, &detected, rule)));
                (rule, result.map_err(|panic| panic_message(&*panic)))
            })
            .collect();
        for (rule, result) in found {
            match result {
                Ok(found) => {
                    match found.signals {
                        Signals::Matches(matches) => detected.matched(rule, matches, &mut first_of),
                        list @ Signals::List(_) => detected.signals[rule] = list,
                    }
                    detected.groups[rule] = found.groups;
                    detected.judged.extend(found.judged.map(|judged| (rule, judged)));
                }
                Err(message) => {
                    detected.faults.insert(rule, message);
                }
            }
        }
        alike.into_iter().for_each(|rule| detected.copy(set.first_alike(rule), rule));
    }
    detected
}

/// The indexes that a rule looks at.
fn looks(set: &RuleSet, same: &[usize], rule: usize) -> impl Iterator<Item = index::Subject> {
    let logic = &set.rules[rule].logic;
    let below = set.references[rule].iter().enumerate();
    below.filter_map(move |(reference, to)| {
        Some((same[set.first_alike(*to)], joined(logic.joins(reference), &set.rules[*to].name)?))
    })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it failed inside".to_owned())
}

/// The rules in layers: each refers only to rules of earlier layers. `risk` looks at all and comes last.
fn levels(set: &RuleSet) -> Vec<Vec<usize>> {
    let mut depth = vec![0; set.rules.len()];
    for rule in &set.order {
        depth[*rule] = set.references[*rule].iter().map(|to| depth[*to] + 1).max().unwrap_or(0);
    }
    let deepest = depth.iter().max().copied().unwrap_or(0);
    let mut levels = vec![Vec::new(); deepest + 2];
    for (rule, depth) in depth.into_iter().enumerate() {
        let is_risk = matches!(set.rules[rule].logic, Logic::Risk(_));
        levels[if is_risk { deepest + 1 } else { depth }].push(rule);
    }
    levels
}

/// What rules are evaluated on.
#[derive(Clone, Copy)]
struct Context<'a> {
    set: &'a RuleSet,
    store: &'a Store,
    ends: &'a Ends<'a>,
    partition: Partition,
}

/// The groups of a rule, if there are any: its own matches, and whatever else it looks at, put together by what joins
/// them.
fn groups_of(set: &RuleSet, store: &Store, detected: &Detected, rule: usize) -> Option<Groups> {
    let needs = match &set.rules[rule].logic {
        Logic::Detection(_) | Logic::Risk(_) => Needs::default(),
        Logic::FirstSeen(_) => Needs { first_step: memory::JUDGED, end_step: memory::JUDGED + 1, events: 1 },
        // One event may have several values.
        Logic::Count(count) => {
            let events = if count.values.is_none() { count.bounds.least() } else { 1 };
            Needs { events, ..Needs::default() }
        }
        Logic::Chain(chain) => needs_of(chain),
        Logic::Travel(_) => Needs { events: 2, ..Needs::default() },
        Logic::Rate(rate) => Needs { events: rate.floor, ..Needs::default() },
    };
    let by = set.rules[rule].logic.group_by();
    let groups = Groups::new(store, &detected.groupings, &detected.indexes, by, &steps(set, detected, rule), needs);
    Some(groups).filter(|groups| !groups.is_empty())
}

/// How many of the events that a rule looks at are in none of its groups, as something is missing that would join them.
pub fn ungrouped(set: &RuleSet, store: &Store, detected: &Detected, rule: usize) -> usize {
    let by = set.rules[rule].logic.group_by();
    let (mut without, mut known) = (Vec::new(), vec![None; store.profiles().len() as usize]);
    for step in steps(set, detected, rule).iter().filter(|_| !by.is_empty()) {
        let fields = joined(by, step.name);
        let is_joined = |profile: u32| {
            let has = |field: &Field| !store.profiles().group_values(profile, field).is_empty();
            fields.as_ref().is_some_and(|fields| fields.iter().all(has))
        };
        known.fill(None);
        without.extend(step.signals.events().filter(|event| {
            let profile = store.profile(*event);
            !*known[profile as usize].get_or_insert_with(|| is_joined(profile))
        }));
    }
    without.sort_unstable();
    without.dedup();
    without.len()
}

/// The fields that join the events of a rule, if they are the same for all that it refers to.
fn joined_alike(set: &RuleSet, rule: usize) -> Option<Vec<Field>> {
    let by = set.rules[rule].logic.group_by();
    let mut all = grouped(set, rule).iter().map(|to| joined(by, &set.rules[*to].name));
    let fields = all.next()??;
    all.all(|other| other.as_ref() == Some(&fields)).then_some(fields)
}

/// Whether the group of each event of a rule can be told from the event.
fn is_plain(set: &RuleSet, store: &Store, detected: &Detected, rule: usize) -> bool {
    let is_plain = |fields: &Vec<Field>| {
        let of_step = |step: &Step<'_>| detected.groupings.of_step(store, fields, step).is_plain();
        steps(set, detected, rule).iter().all(of_step)
    };
    joined_alike(set, rule).as_ref().is_some_and(is_plain)
}

/// For each group, an upper bound on the number of different values. `None` where counting by profile would be slower
/// than counting by event.
fn most_values(context: Context<'_>, detected: &Detected, rule: usize, values: &Grouping) -> Option<Vec<u32>> {
    let Context { set, store, .. } = context;
    if looked_at(set, detected, rule) <= store.profiles().len() as usize {
        return None;
    }
    let groups = detected.groupings.by(store.profiles(), &joined_alike(set, rule)?);
    groups.is_plain().then(|| groups.counts(values))
}

/// How many events of other rules a rule looks at.
fn looked_at(set: &RuleSet, detected: &Detected, rule: usize) -> usize {
    set.references[rule].iter().map(|to| step(set, detected, *to).signals.len()).sum()
}

/// What the steps of a chain are compared by. `is_prepared`: the values of all profiles are looked up first, which is
/// worth it only if many events are compared.
fn compared<'a>(
    set: &'a RuleSet,
    store: &'a Store,
    detected: &'a Detected,
    rule: usize,
    chain: &'a Chain,
    is_prepared: bool,
) -> Compared<'a> {
    let (groupings, indexes) = (&detected.groupings, &detected.indexes);
    Compared::new(store, groupings, indexes, chain, &steps(set, detected, rule), is_prepared)
}

/// Whether a rule is a union that only feeds other rules.
fn union_of(set: &RuleSet, rule: usize) -> Option<&Count> {
    match &set.rules[rule].logic {
        Logic::Count(count) if !set.rules[rule].is_reported && count.is_union() => Some(count),
        _ => None,
    }
}

fn step<'a>(set: &'a RuleSet, detected: &'a Detected, rule: usize) -> Step<'a> {
    let place = detected.same[set.first_alike(rule)];
    Step { name: &set.rules[rule].name, place, signals: &detected.signals[place] }
}

/// The rules whose matches a rule puts into groups; what a share is of, and what a count starts anew with, is looked at
/// by itself.
fn grouped(set: &RuleSet, rule: usize) -> &[usize] {
    match &set.rules[rule].logic {
        Logic::Count(count) => &set.references[rule][..count.rules.len()],
        _ => &set.references[rule],
    }
}

/// What a rule looks at in each of its groups.
fn steps<'a>(set: &'a RuleSet, detected: &'a Detected, rule: usize) -> Vec<Step<'a>> {
    grouped(set, rule).iter().map(|place| step(set, detected, *place)).collect()
}

/// The steps without which no chain completes.
fn needs_of(chain: &Chain) -> Needs {
    let Range { start: first_step, end: end_step } = if chain.bounds.is_some() { 0..0 } else { chain.needed() };
    Needs { first_step, end_step, events: 1 }
}

/// What a rule finds.
fn evaluate(context: Context<'_>, detected: &Detected, rule: usize) -> Found {
    let Context { set, store, .. } = context;
    match &set.rules[rule].logic {
        Logic::Detection(_) => Found { signals: detected.signals[rule].clone(), ..Found::default() },
        Logic::Risk(risk) => risk::evaluate(set, store, detected, risk),
        Logic::Count(count) if union_of(set, rule).is_some() => {
            let signals = Signals::Matches(Arc::new(union::events(set, store, detected, rule, count)));
            Found { signals, ..Found::default() }
        }
        Logic::Count(count) => counted(context, detected, rule, count).unwrap_or_default(),
        Logic::Chain(chain) => chained(context, detected, rule, chain).unwrap_or_default(),
        Logic::FirstSeen(first_seen) => {
            let judged = Some(Judged::default());
            let found = seen_first(context, detected, rule, first_seen);
            found.unwrap_or(Found { judged, ..Found::default() })
        }
        Logic::Travel(travel) => travelled(context, detected, rule, travel).unwrap_or_default(),
        Logic::Rate(rate) => groups_of(set, store, detected, rule).map_or_else(Found::default, |groups| {
            in_groups(context, detected, rule, &groups, &|group| count::rate(store, rate, group))
        }),
    }
}

/// What is found in each group.
fn in_groups(
    context: Context<'_>,
    detected: &Detected,
    rule: usize,
    groups: &Groups,
    signals: &(dyn Fn(&Members) -> Vec<Signal> + Sync),
) -> Found {
    let of_group = |group: Members| Some((group.number, signals(&group))).filter(|(_, found)| !found.is_empty());
    settled(context, detected, rule, groups.all().filter_map(of_group).collect())
}

/// What was found in groups, with their keys, or the events alone where they are all that is kept.
fn settled(context: Context<'_>, detected: &Detected, rule: usize, found: Vec<(u32, Vec<Signal>)>) -> Found {
    let Context { set, store, .. } = context;
    if found.is_empty() {
        return Found::default();
    }
    let is_pending = matches!(&set.rules[rule].logic, Logic::Chain(chain) if chain.absent == Absent::Last);
    // What only feeds other rules is asked for its events; its groups can be told from them.
    if !set.rules[rule].is_reported && !is_pending && is_plain(set, store, detected, rule) {
        let events = found.iter().flat_map(|(_, signals)| signals).map(|signal| signal.event).collect();
        let signals = Signals::Matches(Arc::new(EventSet::of(events, store.len())));
        return Found { signals, ..Found::default() };
    }
    // Groups are numbered in the order of reading; the texts behind them are the same in every run.
    let named = |number| Group { key: detected.groupings.key(number), number };
    let mut found: Vec<(Group, Vec<Signal>)> =
        found.into_iter().map(|(number, signals)| (named(number), signals)).collect();
    let text = |symbol: &Symbol| store.symbol(*symbol);
    found.sort_by(|(a, _), (b, _)| a.key.iter().map(text).cmp(b.key.iter().map(text)));
    let list = (0..).zip(&found).flat_map(|(number, (_, signals))| signals.iter().map(move |s| s.of_group(number)));
    let signals = Signals::new(list.collect());
    Found { signals, groups: found.into_iter().map(|(group, _)| group).collect(), judged: None }
}

fn counted(context: Context<'_>, detected: &Detected, rule: usize, count: &Count) -> Option<Found> {
    let Context { set, store, partition, .. } = context;
    let groups = groups_of(set, store, detected, rule)?;
    let whole = count.share.as_ref().map(|_| detected.index(set, store, rule, count.rules.len()));
    let since = detected.since(set, store, rule, count);
    let values = count.values.as_ref().map(|fields| detected.values(set, store, rule, fields));
    let most = values.as_deref().and_then(|values| most_values(context, detected, rule, values));
    let least = count.bounds.least();
    Some(in_groups(context, detected, rule, &groups, &|group| {
        let most = most.as_ref().map(|most| most[group.number as usize] as usize);
        if most.is_some_and(|most| most < least) {
            return vec![];
        }
        let whole = whole.as_ref().map(|index| index.of(group.number));
        let counted = count::Counted::new(store, count, group, values.as_deref(), since.of(group.number));
        match most {
            // Each event has the only value that there is.
            Some(1) if whole.is_none() => {
                let events = counted.events.iter().filter(|_| count.bounds.hold(1));
                events.map(|event| Signal::new(*event)).collect()
            }
            _ => count::signals(&counted, whole, partition),
        }
    }))
}

fn chained(context: Context<'_>, detected: &Detected, rule: usize, chain: &Chain) -> Option<Found> {
    let Context { set, store, ends, partition } = context;
    let groups = groups_of(set, store, detected, rule)?;
    let follow_ups = services(set, set.references[rule][chain.rules.len() - 1]);
    let end = |event: u32| ends.end(&follow_ups, store, event);
    let is_prepared = looked_at(set, detected, rule) > store.profiles().len() as usize;
    let compared = compared(set, store, detected, rule, chain, is_prepared);
    let signals = |group: &Members| chain::Steps::new(store, chain, &compared, group).signals(partition, &end);
    Some(in_groups(context, detected, rule, &groups, &signals))
}

fn seen_first(context: Context<'_>, detected: &Detected, rule: usize, first_seen: &FirstSeen) -> Option<Found> {
    let Context { set, store, .. } = context;
    let groups = groups_of(set, store, detected, rule)?;
    let values = detected.values(set, store, rule, &first_seen.value);
    let of_group = |group: Members| (group.number, memory::first_seen(store, first_seen, &values, &group));
    let parts: Vec<(u32, memory::FirstSeenOf)> = groups.all().map(of_group).collect();
    let judged = Judged {
        owners: parts.iter().filter(|(_, p)| p.is_judged).count(),
        too_young: parts.iter().filter(|(_, p)| p.is_too_young && !p.is_judged).count(),
    };
    let found = parts.into_iter().map(|(number, part)| (number, part.signals));
    let found = found.filter(|(_, signals)| !signals.is_empty()).collect();
    Some(Found { judged: Some(judged), ..settled(context, detected, rule, found) })
}

fn travelled(context: Context<'_>, detected: &Detected, rule: usize, travel: &Travel) -> Option<Found> {
    let Context { set, store, .. } = context;
    let groups = groups_of(set, store, detected, rule)?;
    let profiles = store.profiles();
    let stops: Vec<Option<Stop>> =
        (0..profiles.len()).into_par_iter().map(|profile| Stop::of(profiles, profile)).collect();
    Some(in_groups(context, detected, rule, &groups, &|group| {
        let legs = memory::legs(store, travel, group, |event| stops[store.profile(event) as usize]);
        legs.iter().map(|leg| Signal::new(leg.to)).collect()
    }))
}
