//! Group: the matches of a correlation's rules, put together by what joins them.
//!
//! An event without one of the group fields joins no group; a field with several values puts it into
//! several groups. Groups never cross organizations.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::profile::Symbol;
use super::signal::Signals;
use super::store::Store;
use crate::rule::logic::GroupBy;

/// What joins the members of a group: the organization, and the value of each group field.
pub type Key = Box<[Symbol]>;

/// A group with the matches of each step.
#[derive(Clone, Debug)]
pub struct Group {
    /// what joins them
    pub key: Key,
    /// the events of each step, in the total order
    pub steps: Vec<Vec<u32>>,
}

impl Group {
    /// The events of all steps, each once, in the total order.
    pub fn events(&self) -> Vec<u32> {
        let mut events = self.steps.concat();
        if self.steps.len() > 1 {
            events.sort_unstable();
            events.dedup();
        }
        events
    }
}

/// Puts the signals of the steps into groups. `steps` are the name of each step's rule and its signals.
/// Groups come in the order of their keys, which is the same in every run.
pub fn groups(store: &Store, by: &[GroupBy], steps: &[(&str, &Signals)]) -> Vec<Group> {
    let mut numbers: HashMap<Key, usize, RandomState> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for (step, (rule, signals)) in steps.iter().enumerate() {
        // Events of one profile are in the same groups.
        let mut of_profile: Vec<Option<Box<[usize]>>> = vec![None; store.profiles().len() as usize];
        for event in signals.events() {
            let own = of_profile[store.profile(event) as usize].get_or_insert_with(|| {
                let number = |key: Key| {
                    *numbers.entry(key).or_insert_with_key(|key| {
                        groups.push(Group { key: key.clone(), steps: vec![Vec::new(); steps.len()] });
                        groups.len() - 1
                    })
                };
                keys(store, by, rule, event).into_iter().map(number).collect()
            });
            own.iter().for_each(|number| groups[*number].steps[step].push(event));
        }
    }
    // Symbols are numbered in the order of reading; the texts behind them are the same in every run.
    groups.par_sort_by(|a, b| texts(store, &a.key).cmp(&texts(store, &b.key)));
    groups
}

fn texts<'s>(store: &'s Store, key: &Key) -> Vec<&'s str> {
    key.iter().map(|s| store.symbol(*s)).collect()
}

/// The keys of the groups that an event is in.
fn keys(store: &Store, by: &[GroupBy], rule: &str, event: u32) -> Vec<Key> {
    let mut keys: Vec<Vec<Symbol>> = vec![vec![store.organization_symbol(event)]];
    for part in by {
        let Some(field) = part.field(rule) else { return vec![] };
        let values = store.group_values(event, field);
        keys = keys
            .iter()
            .flat_map(|key| values.iter().map(|value| key.iter().copied().chain([*value]).collect()))
            .collect();
    }
    keys.into_iter().map(Vec::into_boxed_slice).collect()
}
