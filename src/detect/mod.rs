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
use group::{Group, Groupings, Members, Needs, Step, groups, joined};
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
    pub groups: Vec<Arc<[Group]>>,
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
        let groups = self.groups.iter().flat_map(|groups| groups.iter()).map(Group::bytes).sum::<usize>();
        [
            ("matches", of(false)),
            ("signals of correlations", of(true)),
            ("groups", self.groupings.bytes() + groups),
            ("indexes", self.indexes.bytes()),
        ]
    }
}

impl Detected {
    /// What one rule found is what another that says the same found.
    fn copy(&mut self, from: usize, to: usize) {
        self.signals[to] = self.signals[from].clone();
        self.groups[to] = Arc::clone(&self.groups[from]);
        self.judged.extend(self.judged.get(&from).map(|judged| (to, *judged)));
        let fault = self.faults.get(&from).cloned();
        self.faults.extend(fault.map(|fault| (to, fault)));
    }

    /// The members of a group of a rule.
    pub fn members(&self, set: &RuleSet, store: &Store, rule: usize, group: &Group) -> Members {
        let steps: Vec<Step<'_>> = set.references[rule].iter().map(|place| step(set, self, *place)).collect();
        let by = set.rules[rule].logic.group_by();
        group::members(store, &self.groupings, &self.indexes, by, &steps, group.number)
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
    groups: Arc<[Group]>,
    judged: Option<Judged>,
}

/// Evaluates all rules of a set. Windows are evaluated in partitions of time of this length; it changes
/// nothing but how the work is spread.
pub fn detect(set: &RuleSet, store: &Store, reaches: &Reaches, partition: Span) -> Detected {
    let count = set.rules.len();
    let mut detected = Detected {
        indexes: Indexes::new(set.order.iter().filter(|rule| set.is_first(**rule)).flat_map(|rule| looks(set, *rule))),
        signals: vec![Signals::default(); count],
        groups: vec![Arc::default(); count],
        ..Detected::default()
    };
    for (rules, matches) in set.alike().iter().zip(store.matches(set)) {
        let matches = Arc::new(matches);
        rules.iter().for_each(|rule| detected.signals[*rule] = Signals::Matches(Arc::clone(&matches)));
    }
    let context = Context { set, store, reaches, partition };
    for level in levels(set) {
        let (mut first, alike): (Vec<usize>, Vec<usize>) = level.into_iter().partition(|rule| set.is_first(*rule));
        // Those that look at the same events come together, so that an index is held for a short time.
        first.sort_by_cached_key(|rule| looks(set, *rule).next());
        let found: Vec<(usize, Result<Found, String>)> = first
            .into_par_iter()
            .map(|rule| {
                let result = catch_unwind(AssertUnwindSafe(|| evaluate(context, &detected, rule)));
                detected.indexes.release(looks(set, rule));
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
        alike.into_iter().for_each(|rule| detected.copy(set.first_alike(rule), rule));
    }
    detected
}

/// The indexes that a rule looks at.
fn looks(set: &RuleSet, rule: usize) -> impl Iterator<Item = index::Subject> {
    let by = set.rules[rule].logic.group_by();
    let below = set.references[rule].iter();
    below.filter_map(move |to| Some((set.first_alike(*to), joined(by, &set.rules[*to].name)?)))
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
fn groups_of(set: &RuleSet, store: &Store, detected: &Detected, rule: usize) -> Vec<Members> {
    let references = &set.references[rule];
    let steps = |count: usize| -> Vec<Step<'_>> {
        references[..count].iter().map(|place| step(set, detected, *place)).collect()
    };
    let by = set.rules[rule].logic.group_by();
    let groups = |steps: &[Step<'_>], needs| groups(store, &detected.groupings, &detected.indexes, by, steps, needs);
    let any = Needs::default();
    match &set.rules[rule].logic {
        Logic::Detection(_) | Logic::Risk(_) => vec![],
        Logic::Count(count) => {
            // One event may have several values.
            let events = if count.values.is_none() { count.bounds.least() } else { 1 };
            groups(&steps(count.rules.len()), Needs { events, ..any })
        }
        Logic::Chain(chain) => groups(&steps(references.len()), needs_of(chain)),
        Logic::FirstSeen(_) => groups(&steps(2), any),
        Logic::Travel(_) => groups(&steps(1), Needs { events: 2, ..any }),
        Logic::Rate(rate) => groups(&steps(1), Needs { events: rate.floor, ..any }),
    }
}

fn step<'a>(set: &'a RuleSet, detected: &'a Detected, rule: usize) -> Step<'a> {
    let place = set.first_alike(rule);
    Step { name: &set.rules[rule].name, place, signals: &detected.signals[place] }
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
    let told = |groups: Vec<Members>, signals: Vec<Vec<Signal>>| {
        let found = groups.into_iter().zip(signals).filter(|(_, signals)| !signals.is_empty());
        let named = |Members { number, .. }| Group { key: detected.groupings.key(number), number };
        let mut found: Vec<(Group, Vec<Signal>)> = found.map(|(group, signals)| (named(group), signals)).collect();
        let text = |symbol: &Symbol| store.symbol(*symbol);
        found.sort_by(|(a, _), (b, _)| a.key.iter().map(text).cmp(b.key.iter().map(text)));
        let list = (0..).zip(&found).flat_map(|(number, (_, signals))| signals.iter().map(move |s| s.of_group(number)));
        let signals = Signals::new(list.collect());
        Found { signals, groups: found.into_iter().map(|(group, _)| group).collect(), judged: None }
    };
    let found = |groups: Vec<Members>, signals: &(dyn Fn(&Members) -> Vec<Signal> + Sync)| {
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
