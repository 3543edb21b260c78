//! Detect: from kept events to signals. Each rule is evaluated after those it refers to; rules that do not
//! depend on each other, and the groups within a rule, run in parallel. A signal is a pure function of the
//! events and the rule, so neither threads nor order change it.

pub mod chain;
pub mod count;
pub mod evidence;
pub mod group;
pub mod index;
pub mod memory;
pub mod profile;
pub mod reader;
pub mod risk;
pub mod signal;
pub mod store;
pub mod union;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::prelude::*;

use crate::event::catalogue;
use crate::event::coverage::Reach;
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::{Absent, Chain, Count, Logic};
use crate::rule::set::RuleSet;
use group::{Group, Groupings, Needs, Step, groups};
use index::Indexes;
use profile::Symbol;
use signal::{Signal, Signals};
use store::Store;
use union::Union;

/// First and last event of each service in each organization.
pub type Reaches = BTreeMap<(String, String), Reach>;

/// What all rules found.
#[derive(Debug, Default)]
pub struct Detected {
    /// for each rule of the set, its signals
    pub signals: Vec<Signals>,
    /// for each rule of the set, the groups that its signals number
    pub groups: Vec<Vec<Group>>,
    groupings: Groupings,
    indexes: Indexes,
    /// of rules that have to know somebody: how many they could judge, and how many never
    pub judged: BTreeMap<usize, Judged>,
    /// rules that failed inside; the others went on
    pub faults: BTreeMap<usize, String>,
}

impl Detected {
    /// Bytes held, roughly, by what they are held for.
    pub fn bytes(&self) -> [(&'static str, usize); 4] {
        let of = |is_list: bool| {
            let signals = self.signals.iter().filter(|signals| matches!(signals, Signals::List(_)) == is_list);
            signals.map(Signals::bytes).sum()
        };
        let groups = self.groups.iter().flatten().map(Group::bytes).sum::<usize>();
        [
            ("matches", of(false)),
            ("signals of correlations", of(true)),
            ("groups", self.groupings.bytes() + groups),
            ("indexes", self.indexes.bytes()),
        ]
    }
}

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
    groups: Vec<Group>,
    judged: Option<Judged>,
}

/// Evaluates all rules of a set. Windows are evaluated in partitions of time of this length; it changes
/// nothing but how the work is spread.
pub fn detect(set: &RuleSet, store: &Store, reaches: &Reaches, partition: Span) -> Detected {
    let count = set.rules.len();
    let mut uses = vec![0; count];
    set.references.iter().flatten().for_each(|place| uses[set.first_alike(*place)] += 1);
    let mut detected = Detected {
        indexes: Indexes::new(uses),
        signals: vec![Signals::default(); count],
        groups: vec![Vec::new(); count],
        ..Detected::default()
    };
    for (rules, matches) in set.alike().iter().zip(store.matches(set)) {
        let matches = Arc::new(matches);
        rules.iter().for_each(|rule| detected.signals[*rule] = Signals::Matches(Arc::clone(&matches)));
    }
    let context = Context { set, store, reaches, partition };
    for level in levels(set) {
        let found: Vec<(usize, Result<Found, String>)> = level
            .into_par_iter()
            .map(|rule| {
                let result = catch_unwind(AssertUnwindSafe(|| evaluate(context, &detected, rule)));
                set.references[rule].iter().for_each(|place| detected.indexes.release(set.first_alike(*place)));
                (rule, result.map_err(|panic| panic_message(&*panic)))
            })
            .collect();
        for (rule, result) in found {
            match result {
                Ok(found) => {
                    detected.signals[rule] = found.signals;
                    detected.groups[rule] = found.groups;
                    detected.judged.extend(found.judged.map(|judged| (rule, judged)));
                }
                Err(message) => {
                    detected.faults.insert(rule, message);
                }
            }
        }
    }
    detected
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
    reaches: &'a Reaches,
    partition: Span,
}

/// The groups of a rule: its own matches, and whatever else it looks at, put together by what joins them.
fn groups_of(set: &RuleSet, store: &Store, detected: &Detected, rule: usize) -> Vec<Group> {
    let references = &set.references[rule];
    let steps = |count: usize| -> Vec<Step<'_>> {
        references[..count].iter().map(|place| step(set, detected, *place)).collect()
    };
    let groups =
        |by, steps: &[Step<'_>], needs| groups(store, &detected.groupings, &detected.indexes, by, steps, needs);
    let any = Needs::default();
    match &set.rules[rule].logic {
        Logic::Detection(_) | Logic::Risk(_) => vec![],
        Logic::Count(count) => {
            // One event may have several values.
            let events = if count.values.is_none() { count.bounds.least() } else { 1 };
            groups(&count.group_by, &steps(count.rules.len()), Needs { events, ..any })
        }
        Logic::Chain(chain) => groups(&chain.group_by, &steps(references.len()), needs_of(chain)),
        Logic::FirstSeen(first_seen) => groups(&first_seen.by, &steps(2), any),
        Logic::Travel(travel) => groups(&travel.by, &steps(1), Needs { events: 2, ..any }),
        Logic::Rate(rate) => groups(&rate.by, &steps(1), Needs { events: rate.floor, ..any }),
    }
}

fn step<'a>(set: &'a RuleSet, detected: &'a Detected, rule: usize) -> Step<'a> {
    Step { name: &set.rules[rule].name, place: set.first_alike(rule), signals: &detected.signals[rule] }
}

/// The steps without which no chain completes.
fn needs_of(chain: &Chain) -> Needs {
    let count = chain.rules.len();
    let (first_step, end_step) = match (chain.absent, &chain.bounds) {
        (_, Some(_)) => (0, 0),
        (Absent::No, None) => (0, count),
        (Absent::First, None) => (1, count),
        (Absent::Last, None) => (0, count - 1),
    };
    Needs { first_step, end_step, events: 1 }
}

fn evaluate(context: Context<'_>, detected: &Detected, rule: usize) -> Found {
    let Context { set, store, reaches, partition } = context;
    // Groups are numbered in the order of reading; the texts behind them are the same in every run.
    let told = |groups: Vec<Group>, signals: Vec<Vec<Signal>>| {
        let mut found: Vec<(Group, Vec<Signal>)> =
            groups.into_iter().zip(signals).filter(|(_, signals)| !signals.is_empty()).collect();
        found.iter_mut().for_each(|(group, _)| group.key = detected.groupings.key(group.number));
        let text = |symbol: &Symbol| store.symbol(*symbol);
        found.sort_by(|(a, _), (b, _)| a.key.iter().map(text).cmp(b.key.iter().map(text)));
        let list = (0..).zip(&found).flat_map(|(number, (_, signals))| signals.iter().map(move |s| s.of_group(number)));
        let signals = Signals::new(list.collect());
        Found { signals, groups: found.into_iter().map(|(group, _)| group).collect(), judged: None }
    };
    let found = |groups: Vec<Group>, signals: &(dyn Fn(&Group) -> Vec<Signal> + Sync)| {
        let signals = groups.par_iter().map(signals).collect();
        told(groups, signals)
    };
    if let Logic::Risk(risk) = &set.rules[rule].logic {
        return risk::evaluate(set, store, detected, risk);
    }
    if let Logic::Count(count) = &set.rules[rule].logic
        && !set.rules[rule].is_reported
        && count.is_union()
    {
        let signals = Signals::Matches(Arc::new(Union::new(set, store, detected, rule, count).events()));
        return Found { signals, ..Found::default() };
    }
    let groups = groups_of(set, store, detected, rule);
    match &set.rules[rule].logic {
        Logic::Detection(_) | Logic::Risk(_) => Found { signals: detected.signals[rule].clone(), ..Found::default() },
        Logic::Count(count) => {
            let whole = count.share.as_ref().map(|_| {
                let of = set.references[rule][count.rules.len()];
                wholes(store, detected, count, step(set, detected, of))
            });
            let fields = count.values.clone();
            let values = fields.map(|fields| detected.groupings.by(store.profiles(), fields));
            found(groups, &|group| {
                let whole = whole.as_ref().map(|w| w.get(&group.number).map_or(&[][..], Vec::as_slice));
                count::signals(store, count, group, values.as_deref(), whole, partition)
            })
        }
        Logic::Chain(chain) => {
            let end = |event: u32| end_of_data(set, store, reaches, chain, &set.references[rule], event);
            found(groups, &|group| chain::Steps::new(store, chain, group).signals(partition, &end))
        }
        Logic::FirstSeen(first_seen) => {
            let values = detected.groupings.by(store.profiles(), first_seen.value.clone());
            let parts: Vec<memory::FirstSeenOf> =
                groups.par_iter().map(|group| memory::first_seen(store, first_seen, &values, group)).collect();
            let judged = Judged {
                owners: parts.iter().filter(|p| p.is_judged).count(),
                too_young: parts.iter().filter(|p| p.is_too_young && !p.is_judged).count(),
            };
            let signals = parts.into_iter().map(|part| part.signals).collect();
            Found { judged: Some(judged), ..told(groups, signals) }
        }
        Logic::Travel(travel) => found(groups, &|group| {
            let legs = memory::legs(store, travel, group);
            legs.iter().map(|leg| Signal::new(leg.to)).collect()
        }),
        Logic::Rate(rate) => found(groups, &|group| count::rate(store, rate, group)),
    }
}

/// The events of which a count has to be a share, by the number of the group.
fn wholes(store: &Store, detected: &Detected, count: &Count, of: Step<'_>) -> HashMap<u32, Vec<(u32, Timestamp)>> {
    let whole = groups(store, &detected.groupings, &detected.indexes, &count.group_by, &[of], Needs::default());
    whole.into_iter().map(|group| (group.number, count::events(&group, store))).collect()
}

/// The last event of the services that a follow-up belongs to, in the organization of its trigger.
fn end_of_data(
    set: &RuleSet,
    store: &Store,
    reaches: &Reaches,
    chain: &Chain,
    references: &[usize],
    trigger: u32,
) -> Timestamp {
    if chain.absent != Absent::Last {
        return Timestamp(i64::MAX);
    }
    let types = set.event_types(references[chain.rules.len() - 1]).unwrap_or_default();
    let mut services: Vec<&str> =
        types.iter().filter_map(|t| catalogue::service_of(t)).filter(|s| !s.is_empty()).collect();
    if services.is_empty() {
        services.push(store.service(trigger));
    }
    let organization = store.organization(trigger).to_owned();
    let reach = |service: &str| reaches.get(&(organization.clone(), service.to_owned())).map(|reach| reach.last);
    let last = services.into_iter().filter_map(reach);
    last.max().unwrap_or_else(|| store.time(trigger))
}
