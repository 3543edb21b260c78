//! Compared: what the steps of a chain are compared by, prepared, so that a long list of matches need not be walked for
//! the few that go with an event.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::group::{Grouping, Groupings, Indexes, Step, joined};
use super::index::{Index, Run};
use super::store::Store;
use crate::event::field::Field;
use crate::rule::logic::{Absent, Chain, How, Right, Where};

/// For a comparison by `==` or `!=`: every profile's left and right values, as numbers that are equal where the values
/// are. `None` for other comparisons, and where too few events are compared to prepare this.
pub type Sides = Option<[Arc<Grouping>; 2]>;

/// The comparisons of a chain.
pub struct Compared<'a> {
    /// the events
    pub store: &'a Store,
    groupings: &'a Groupings,
    indexes: &'a Indexes,
    /// in the order of the comparisons of the steps; none where values are compared as they are met
    pub steps: Vec<Sides>,
    /// the same for each `unless`
    pub unless: Vec<Vec<Sides>>,
    /// of each step, and behind them of each `unless`, what it has to have in common with a step
    links: Vec<Vec<Link<'a>>>,
    /// of each step and each `unless`, the fields of it that are compared
    fields: Vec<Vec<Field>>,
    /// of each step, what an earlier match has over a later one
    ties: Vec<Tie>,
}

/// What can be said of the matches of a step that are earlier than one which goes with the steps behind it, but not with
/// any before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tie {
    /// no other goes, either: no earlier step is compared with this one
    Free,
    /// none of the same values does
    Values,
    /// others may go: something must not lie behind it
    Time,
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
        let ties = (0..rule.rules.len()).map(|step| tie(rule, step)).collect();
        let fields = (0..steps.len()).map(|list| fields(rule, list)).collect();
        let (links, steps) = (links(rule, steps), all(&rule.wheres));
        Compared { store, groupings, indexes, steps, unless, links, fields, ties }
    }

    /// What an earlier match of a step has over a later one.
    pub fn tie(&self, step: usize) -> Tie {
        self.ties[step]
    }

    /// Of each step, and behind them of each `unless`, the fields that are compared.
    pub fn fields(&self) -> &[Vec<Field>] {
        &self.fields
    }

    /// What the matches of a step or of an `unless` have to have in common with the events of a chain.
    pub fn links(&self, list: usize, chain: &[Option<u32>]) -> SmallVec<[(&Link<'a>, u32); 2]> {
        self.links[list].iter().filter_map(|link| Some((link, chain.get(link.to).copied().flatten()?))).collect()
    }
}

fn tie(rule: &Chain, step: usize) -> Tie {
    let ties = |w: &Where| w.looks_at(step) && w.sides().any(|(other, _)| other < step);
    // What must not lie behind a step is less the later the step is.
    if rule.absent == Absent::First || rule.unless.iter().any(|unless| unless.before == step) {
        return Tie::Time;
    }
    let is_named = rule.unless.iter().flat_map(|unless| &unless.wheres).any(|w| w.looks_at(step));
    match is_named || rule.wheres.iter().any(ties) {
        true => Tie::Values,
        false => Tie::Free,
    }
}

/// The fields of a step that a comparison looks at.
fn of_list(w: &Where, list: usize) -> impl Iterator<Item = &Field> {
    w.sides().filter(move |(of, _)| *of == list).map(|(_, field)| field)
}

/// The fields of a step, or of an `unless` behind the steps, that are compared with anything.
fn fields(rule: &Chain, list: usize) -> Vec<Field> {
    let count = rule.rules.len();
    let of_unless = rule.unless.iter().flat_map(|unless| &unless.wheres);
    let mut fields: Vec<Field> = if let Some(place) = list.checked_sub(count) {
        // In its comparisons, the match itself stands behind all steps.
        rule.unless[place].wheres.iter().flat_map(|w| of_list(w, count)).cloned().collect()
    } else {
        rule.wheres.iter().chain(of_unless).flat_map(|w| of_list(w, list)).cloned().collect()
    };
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// What a step, or an `unless`, has to have in common with a step.
pub struct Link<'a> {
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
    /// Whether it was looked along before, so that it costs nothing to make.
    pub fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// The matches in a group that have a value in common with an event of the other step; `None` if that would be
    /// several lists.
    pub fn run(&self, compared: &Compared<'_>, event: u32, group: u32) -> Option<Run> {
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
