//! Group: the matches of a correlation's rules, put together by what joins them.
//!
//! An event without one of the group fields joins no group; a field with several values puts it into
//! several groups. Groups never cross organizations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::index::{Index, Indexes, Run};
use super::profile::{Profiles, Seat, Symbol};
use super::signal::Signals;
use super::store::Store;
use crate::event::field::Field;
use crate::rule::logic::GroupBy;

/// What joins the members of a group: the organization, and the value of each group field.
pub type Key = Box<[Symbol]>;

/// A group in which something was found.
#[derive(Clone, Debug)]
pub struct Group {
    /// what joins its members
    pub key: Key,
    /// the same by the number that [`Groupings`] gave it
    pub number: u32,
}

impl Group {
    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        size_of::<Group>() + self.key.len() * size_of::<Symbol>()
    }
}

/// The matches of each step that are in one group.
#[derive(Clone, Debug)]
pub struct Members {
    /// the group
    pub number: u32,
    /// the events of each step, in the total order
    pub steps: Vec<Run>,
}

impl Members {
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

/// What a group needs so that its rule can come to anything there; others are not put together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// these steps have events: a range of them
    pub first_step: usize,
    /// one behind the last of them
    pub end_step: usize,
    /// there are so many events
    pub events: usize,
}

/// The groups that the events of each profile are in, by the fields that join them. Many rules join by the
/// same fields, and events of one profile are in the same groups.
#[derive(Debug, Default)]
pub struct Groupings {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// a number for each start of a key: the number of the one that is shorter by a symbol, and that symbol
    numbers: HashMap<(u32, Symbol), u32, RandomState>,
    starts: Vec<(u32, Symbol)>,
    by_fields: HashMap<Vec<Field>, Arc<Grouping>>,
}

impl Known {
    /// The number of a key that is longer by a symbol; `NOWHERE` is the empty one.
    fn longer(&mut self, start: u32, symbol: Symbol) -> u32 {
        let next = index(self.starts.len());
        let number = *self.numbers.entry((start, symbol)).or_insert(next);
        if number == next {
            self.starts.push((start, symbol));
        }
        number
    }
}

/// The groups of each profile by some fields.
#[derive(Debug, Default)]
pub struct Grouping {
    /// tells groupings apart
    pub number: usize,
    /// one more than the highest number of a group
    pub reach: usize,
    /// where the groups of a profile end; empty as long as each profile is in one group or none
    ends: Vec<u32>,
    /// the groups; `NOWHERE` for a profile in none, as long as there are no `ends`
    groups: Vec<u32>,
}

impl Grouping {
    /// The groups of a profile, by their numbers; none if a field is missing.
    pub fn of(&self, profile: u32) -> &[u32] {
        let place = profile as usize;
        let own = match self.ends.get(place) {
            None => &self.groups[place..=place],
            Some(end) if place == 0 => &self.groups[..*end as usize],
            Some(end) => &self.groups[self.ends[place - 1] as usize..*end as usize],
        };
        if own == [NOWHERE] { &[] } else { own }
    }

    /// Takes the groups of the next profile.
    fn push(&mut self, own: &[u32]) {
        if own.len() > 1 && self.ends.is_empty() {
            self.ends = (1..=index(self.groups.len())).collect();
        }
        match own {
            [] => self.groups.push(NOWHERE),
            own => self.groups.extend(own),
        }
        // From the first profile on that is in several groups.
        if own.len() > 1 || !self.ends.is_empty() {
            self.ends.push(index(self.groups.len()));
        }
    }
}

impl Groupings {
    /// The groups of all profiles by these fields.
    pub fn by(&self, profiles: &Profiles, fields: Vec<Field>) -> Arc<Grouping> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grouping) = known.by_fields.get(&fields) {
            return Arc::clone(grouping);
        }
        let mut grouping = Grouping::default();
        let seats: Vec<Seat> = fields.iter().map(|field| profiles.seat(field)).collect();
        let (mut own, mut longer): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for profile in 0..profiles.len() {
            own.clear();
            own.push(known.longer(NOWHERE, profiles.organization_symbol(profile)));
            for seat in &seats {
                let values = profiles.seated(profile, seat);
                if let ([start], [value]) = (own.as_mut_slice(), &*values) {
                    *start = known.longer(*start, *value);
                    continue;
                }
                longer.clear();
                longer.extend(
                    own.iter()
                        .flat_map(|start| values.iter().map(|value| (*start, *value)))
                        .map(|(start, value)| known.longer(start, value)),
                );
                std::mem::swap(&mut own, &mut longer);
            }
            grouping.push(&own);
        }
        grouping.groups.shrink_to_fit();
        grouping.number = known.by_fields.len();
        let numbers = grouping.groups.iter().filter(|number| **number != NOWHERE);
        grouping.reach = numbers.max().map_or(0, |highest| *highest as usize + 1);
        let grouping = Arc::new(grouping);
        known.by_fields.insert(fields, Arc::clone(&grouping));
        grouping
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_profiles = known.by_fields.values().map(|g| (g.ends.capacity() + g.groups.capacity()) * 4);
        of_profiles.sum::<usize>() + known.starts.len() * 24
    }

    /// What joins the members of a group.
    pub fn key(&self, number: u32) -> Key {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Vec::new();
        let mut start = number;
        while let Some((shorter, symbol)) = known.starts.get(start as usize) {
            key.push(*symbol);
            start = *shorter;
        }
        key.reverse();
        key.into()
    }
}

/// No group.
const NOWHERE: u32 = u32::MAX;

#[allow(clippy::cast_possible_truncation, reason = "memory ends before four billion groups")]
fn index(length: usize) -> u32 {
    length as u32
}

/// A rule that a group looks at.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// its name
    pub name: &'a str,
    /// its place; rules that say the same have one
    pub place: usize,
    /// what it found
    pub signals: &'a Signals,
}

impl Step<'_> {
    /// Its signals by the groups that they are in.
    fn index(&self, store: &Store, groupings: &Groupings, indexes: &Indexes, by: &[GroupBy]) -> Arc<Index> {
        match joined(by, self.name) {
            Some(fields) => indexes.of(store, groupings, fields, self.place, self.signals),
            None => Arc::default(),
        }
    }
}

/// The fields that join the events of a rule with others; `None` where an alias says nothing of it.
pub fn joined(by: &[GroupBy], rule: &str) -> Option<Vec<Field>> {
    by.iter().map(|part| part.field(rule).cloned()).collect()
}

/// Puts the signals of the steps into groups, in no particular order.
pub fn groups(
    store: &Store,
    groupings: &Groupings,
    indexes: &Indexes,
    by: &[GroupBy],
    steps: &[Step<'_>],
    needs: Needs,
) -> Vec<Members> {
    let needed = needs.first_step..needs.end_step;
    if needed.clone().any(|step| steps[step].signals.is_empty()) {
        return Vec::new();
    }
    let indexes: Vec<Arc<Index>> = steps.iter().map(|step| step.index(store, groupings, indexes, by)).collect();
    // Without a step that is needed, any of them makes a group.
    let rarest = needed.clone().min_by_key(|step| indexes[*step].groups.len());
    let numbers = if let Some(step) = rarest {
        indexes[step].groups.clone()
    } else {
        let mut all: Vec<u32> = indexes.iter().flat_map(|index| &index.groups).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let is_enough = |group: &Members| {
        needed.clone().all(|step| !group.steps[step].is_empty())
            && (needs.events <= 1 || group.steps.iter().map(|run| run.len()).sum::<usize>() >= needs.events)
    };
    let group = |number| Members { number, steps: indexes.iter().map(|index| Run::new(index, number)).collect() };
    numbers.into_iter().map(group).filter(is_enough).collect()
}

/// The members of one group, found again.
pub fn members(
    store: &Store,
    groupings: &Groupings,
    indexes: &Indexes,
    by: &[GroupBy],
    steps: &[Step<'_>],
    number: u32,
) -> Members {
    let run = |step: &Step<'_>| Run::new(&step.index(store, groupings, indexes, by), number);
    Members { number, steps: steps.iter().map(run).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_in_one_group_in_none_and_in_several() {
        for several in [false, true] {
            let mut grouping = Grouping::default();
            grouping.push(&[7]);
            grouping.push(&[]);
            if several {
                grouping.push(&[1, 2]);
                grouping.push(&[]);
            }
            grouping.push(&[9]);
            assert_eq!((grouping.of(0), grouping.of(1)), (&[7][..], &[][..]));
            let last = if several { 4 } else { 2 };
            assert_eq!(grouping.of(last), [9]);
            if several {
                assert_eq!((grouping.of(2), grouping.of(3)), (&[1, 2][..], &[][..]));
            }
        }
    }
}
