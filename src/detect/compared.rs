//! Compared: what the steps of a chain are compared by, prepared, so that a long list of matches need not be walked for
//! the few that have the same value.

use std::sync::{Arc, OnceLock};

use super::group::{Grouping, Groupings, Indexes, Step, joined};
use super::index::{Index, Run};
use super::store::Store;
use crate::event::field::Field;
use crate::rule::logic::{Absent, Chain, How, Right, Where};

/// Matches that are walked before those of the same value are looked up.
const NEAR: usize = 4;

/// For a comparison by `==` or `!=`: every profile's left and right values, as numbers that are equal where the values
/// are. `None` for other comparisons, and where too few events are compared to prepare this.
pub type Sides = Option<[Arc<Grouping>; 2]>;

/// The comparisons of a chain.
pub struct Compared<'a> {
    store: &'a Store,
    groupings: &'a Groupings,
    indexes: &'a Indexes,
    /// in the order of the comparisons of the steps; none where values are compared as they are met
    pub steps: Vec<Sides>,
    /// the same for each `unless`
    pub unless: Vec<Vec<Sides>>,
    /// of each step, and behind them of each `unless`, what it has to have in common with a step
    links: Vec<Vec<Link<'a>>>,
    /// of each step, whether no earlier one is compared with it
    is_free: Vec<bool>,
}

impl<'a> Compared<'a> {
    /// Those of a chain. `steps` are its rules and behind them those of its `unless`. `is_prepared`: the values of
    /// all profiles are looked up first.
    pub fn new(
        store: &'a Store,
        groupings: &'a Groupings,
        indexes: &'a Indexes,
        rule: &'a Chain,
        steps: &[Step<'a>],
        is_prepared: bool,
    ) -> Compared<'a> {
        let sides = |w: &Where| match &w.right {
            Right::Field(_, right) if is_prepared && matches!(w.how, How::Equal(_)) => {
                let by = |field| groupings.by(store.profiles(), std::slice::from_ref(field));
                Some([by(&w.left.1), by(right)])
            }
            _ => None,
        };
        let all = |wheres: &[Where]| wheres.iter().map(sides).collect();
        let unless = rule.unless.iter().map(|unless| all(&unless.wheres)).collect();
        let is_free = (0..rule.rules.len()).map(|step| is_free(rule, step)).collect();
        let (links, steps) = (links(rule, steps), all(&rule.wheres));
        Compared { store, groupings, indexes, steps, unless, links, is_free }
    }

    /// Whether any match of a step that goes with the steps behind it will do, so that only the latest has to be tried:
    /// no earlier step is compared with this one.
    pub fn is_free(&self, step: usize) -> bool {
        self.is_free[step]
    }

    /// The matches of a step or of an `unless`, the latest first, as far as they may go with the events of a chain:
    /// after some that are near, only those that have a value in common with it that they have to have.
    pub fn backwards<'s>(
        &'s self,
        list: usize,
        matches: &'s [u32],
        chain: &[Option<u32>],
        group: u32,
    ) -> Backwards<'s, 'a> {
        let linked = |link: &'s Link<'a>| Some((link, chain.get(link.to).copied().flatten()?));
        let link = self.links[list].iter().find_map(linked).filter(|_| matches.len() > NEAR);
        let left = if link.is_some_and(|(link, _)| link.made.get().is_some()) { 0 } else { NEAR };
        let next = matches.last().map_or(0, |last| last + 1);
        Backwards { compared: self, matches, link, left, next, group, run: None }
    }
}

/// Whether no comparison, and nothing that must not lie between, ties a step to an earlier one. What must not lie
/// behind it is less the later it is.
fn is_free(rule: &Chain, step: usize) -> bool {
    let ties = |w: &Where| match &w.right {
        Right::Field(other, _) => (w.left.0 == step && *other < step) || (*other == step && w.left.0 < step),
        Right::Literal(_) => false,
    };
    let names = |w: &Where| w.left.0 == step || matches!(&w.right, Right::Field(other, _) if *other == step);
    rule.absent != Absent::First
        && !rule.wheres.iter().any(ties)
        && !rule.unless.iter().any(|unless| unless.before == step || unless.wheres.iter().any(names))
}

/// What a step, or an `unless`, has to have in common with a step.
struct Link<'a> {
    of: Step<'a>,
    /// what joins its matches, and the field behind
    fields: Vec<Field>,
    /// the step
    to: usize,
    other: Step<'a>,
    others: Vec<Field>,
    /// the matches by group and value, and the values of the other step
    made: OnceLock<(Arc<Index>, Arc<Grouping>)>,
}

fn links<'a>(rule: &Chain, steps: &[Step<'a>]) -> Vec<Vec<Link<'a>>> {
    let mut links: Vec<Vec<Link<'a>>> = steps.iter().map(|_| Vec::new()).collect();
    let mut add = |list: usize, field: &Field, to: usize, other: &Field| {
        let longer = |step: &Step<'_>, field: &Field| {
            let mut fields = joined(&rule.group_by, step.name)?;
            fields.push(field.clone());
            Some(fields)
        };
        let (of, by) = (steps[list], steps[to]);
        if let (Some(fields), Some(others)) = (longer(&of, field), longer(&by, other)) {
            links[list].push(Link { of, fields, to, other: by, others, made: OnceLock::new() });
        }
    };
    let equal = |w: &Where| match &w.right {
        Right::Field(step, field) if w.how == How::Equal(true) => Some((w.left.clone(), (*step, field.clone()))),
        _ => None,
    };
    for (one, other) in rule.wheres.iter().filter_map(equal) {
        add(one.0, &one.1, other.0, &other.1);
        add(other.0, &other.1, one.0, &one.1);
    }
    let count = rule.rules.len();
    for (place, unless) in rule.unless.iter().enumerate() {
        for (one, other) in unless.wheres.iter().filter_map(equal) {
            // In its comparisons, the match itself stands behind all steps.
            match (one.0 == count, other.0 == count) {
                (true, false) => add(count + place, &one.1, other.0, &other.1),
                (false, true) => add(count + place, &other.1, one.0, &one.1),
                _ => {}
            }
        }
    }
    links
}

impl Link<'_> {
    /// The matches in a group that have a value in common with an event of the other step; `None` if that would be
    /// several lists.
    fn run(&self, compared: &Compared<'_>, event: u32, group: u32) -> Option<Run> {
        let Compared { store, groupings, indexes, .. } = compared;
        let (index, values) = self.made.get_or_init(|| {
            let index = self.of.index_by(store, groupings, indexes, self.fields.clone());
            (index, groupings.of_step(store, &self.others, &self.other))
        });
        let own = values.of(store.profile(event));
        let mut own = own.iter().filter(|number| values.is_plain() || groupings.start(**number) == group);
        match (own.next(), own.next()) {
            (None, _) => Some(Run::default()),
            (Some(only), None) => Some(Run::new(index, *only)),
            _ => None,
        }
    }
}

/// Matches, the latest first.
pub struct Backwards<'s, 'a> {
    compared: &'s Compared<'a>,
    matches: &'s [u32],
    link: Option<(&'s Link<'a>, u32)>,
    /// so many are walked yet
    left: usize,
    /// all that come are before this event
    next: u32,
    group: u32,
    /// those of the same value
    run: Option<Run>,
}

impl Iterator for Backwards<'_, '_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.left == 0
            && let Some((link, event)) = self.link.take()
        {
            self.run = link.run(self.compared, event, self.group);
        }
        self.left = self.left.saturating_sub(1);
        let matches: &[u32] = self.run.as_deref().unwrap_or(self.matches);
        let before = match matches.last() {
            Some(last) if *last >= self.next => matches.partition_point(|event| *event < self.next),
            _ => matches.len(),
        };
        let event = *matches[..before].last()?;
        self.next = event;
        if self.run.is_none() {
            self.matches = &self.matches[..before - 1];
        }
        Some(event)
    }
}
