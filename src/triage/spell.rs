//! Spell: the signals of a rule on one entity that belong to one stretch of time.
//!
//! Completing events at most `fold` apart are one spell; it is closed after seven days at the latest, so
//! that something that never ends is reported once a week.

use std::collections::BTreeMap;

use crate::detect::group::Group;
use crate::detect::profile::Symbol;
use crate::detect::signal::{Signal, Signals};
use crate::detect::store::Store;
use crate::event::time::{DAY, Span};
use crate::rule::Rule;
use crate::rule::logic::Logic;

/// The longest spell.
pub const LONGEST: Span = Span(7 * DAY);

/// Signals that are one finding, in the total order.
#[derive(Clone, Debug, PartialEq)]
pub struct Spell {
    /// the signals
    pub signals: Vec<Signal>,
    /// all of them hang on what the data does not reach
    pub is_pending: bool,
    /// the value of the field that the rule is about, in lower case; `None` if the record does not say
    pub entity: Option<String>,
}

impl Spell {
    /// The first completing event.
    pub fn first(&self) -> u32 {
        self.signals[0].event
    }

    /// The completing events, each once.
    pub fn events(&self) -> Vec<u32> {
        let mut events: Vec<u32> = self.signals.iter().map(|s| s.event).collect();
        events.dedup();
        events
    }
}

/// Folds the signals of a rule into spells, entity by entity.
pub fn spells(store: &Store, rule: &Rule, groups: &[Group], signals: &Signals) -> Vec<Spell> {
    let mut open: BTreeMap<(bool, &str, Option<String>), Vec<Spell>> = BTreeMap::new();
    for signal in signals.all() {
        for entity in entities(store, rule, groups, signal) {
            let key = (signal.is_pending(), store.organization(signal.event), entity.clone());
            let spells = open.entry(key).or_default();
            let time = store.time(signal.event);
            let belongs = spells.last().is_some_and(|spell: &Spell| {
                let last = spell.signals[spell.signals.len() - 1].event;
                let since = |event: u32| time.since(store.time(event));
                since(last) <= rule.fold && since(spell.first()) <= LONGEST
            });
            match spells.last_mut() {
                Some(spell) if belongs => spell.signals.push(signal),
                _ => spells.push(Spell { signals: vec![signal], is_pending: signal.is_pending(), entity }),
            }
        }
    }
    open.into_values().flatten().collect()
}

/// The entity whose findings a signal of `risk` adds up: it need not be that of the completing event.
pub fn risk_entity(rule: &Rule, groups: &[Group], signal: Signal) -> Option<Symbol> {
    match rule.logic {
        Logic::Risk(_) => groups.get(signal.group())?.key.get(1).copied(),
        _ => None,
    }
}

/// The entities that an event is about. `None`: the record does not say, so the organization is.
fn entities(store: &Store, rule: &Rule, groups: &[Group], signal: Signal) -> Vec<Option<String>> {
    if let Some(key) = risk_entity(rule, groups, signal) {
        return vec![Some(store.symbol(key).to_owned())];
    }
    let event = signal.event;
    match store.entities(event, rule.entity).as_slice() {
        [] => vec![None],
        values => values.iter().map(|v| Some(store.symbol(*v).to_owned())).collect(),
    }
}
