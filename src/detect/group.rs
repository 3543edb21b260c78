//! Group: the matches of a correlation's rules, put together by what joins them.
//!
//! An event without one of the group fields joins no group; a field with several values puts it into
//! several groups. Groups never cross organizations.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use rayon::prelude::*;
use smallvec::{SmallVec, smallvec};

use super::index::{Index, Run, Subject};
use super::profile::{Profiles, Symbol, index};
use super::shared::{Shared, Weighed};
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
    /// the same by a number: the one that [`Groupings`] gave it, and of `risk` its place in the list of that rule
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
    pub steps: SmallVec<[Run; 4]>,
}

impl Members {
    /// The events of all steps, each once, in the total order.
    pub fn events(&self) -> Cow<'_, [u32]> {
        if let [only] = self.steps.as_slice() {
            return Cow::Borrowed(only);
        }
        let mut events = self.steps.concat();
        #[allow(clippy::stable_sort_primitive, reason = "faster where what is in order is put together")]
        events.sort();
        events.dedup();
        Cow::Owned(events)
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
    by_fields: Shared<Vec<Field>, Grouping>,
    /// those of the profiles of a rule's few events
    by_step: Shared<Subject, Grouping>,
    keys: Mutex<Keys>,
}

/// A rule has few events if there are so many times as many profiles: it pays to look at those of its events alone.
const FEW: usize = 8;

/// The keys of all groups.
#[derive(Debug, Default)]
struct Keys {
    /// a number for each start of a key: the number of the one that is shorter by a symbol, and that symbol
    numbers: HashMap<(u32, Symbol), u32, RandomState>,
    starts: Vec<(u32, Symbol)>,
}

impl Keys {
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
    /// one more than the highest number of a group
    pub reach: usize,
    /// where the groups of a profile end; empty as long as each profile is in one group or none
    ends: Vec<u32>,
    /// the groups; `NOWHERE` for a profile in none, as long as there are no `ends`
    groups: Vec<u32>,
    /// the profiles, in order, if not all were looked at
    only: Option<Vec<u32>>,
}

impl Grouping {
    /// The groups of a profile that was looked at, by their numbers; none if a field is missing.
    pub fn of(&self, profile: u32) -> &[u32] {
        let place = match &self.only {
            None => profile as usize,
            Some(only) => match only.binary_search(&profile) {
                Ok(place) => place,
                Err(_) => return &[],
            },
        };
        let own = match self.ends.get(place) {
            None => &self.groups[place..=place],
            Some(end) if place == 0 => &self.groups[..*end as usize],
            Some(end) => &self.groups[self.ends[place - 1] as usize..*end as usize],
        };
        if own == [NOWHERE] { &[] } else { own }
    }

    /// Whether each profile is in one group or none.
    pub fn is_plain(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many different groups of another grouping the profiles in each group have, by its number.
    pub fn counts(&self, other: &Grouping) -> Vec<u32> {
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.profiles());
        for profile in 0..index(self.profiles()) {
            let others = other.of(profile);
            pairs.extend(self.of(profile).iter().flat_map(|group| others.iter().map(|other| (*group, *other))));
        }
        pairs.par_sort_unstable();
        pairs.dedup();
        let mut counts = vec![0; self.reach];
        pairs.into_iter().for_each(|(group, _)| counts[group as usize] += 1);
        counts
    }

    fn profiles(&self) -> usize {
        if self.ends.is_empty() { self.groups.len() } else { self.ends.len() }
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

impl Grouping {
    /// The groups of some profiles.
    fn of_some(profiles: &Profiles, fields: &[Field], mut only: Vec<u32>, keys: &mut Keys) -> Grouping {
        only.sort_unstable();
        only.dedup();
        let mut grouping = Grouping::default();
        for profile in &only {
            let mut own: SmallVec<[u32; 2]> = smallvec![keys.longer(NOWHERE, profiles.organization_symbol(*profile))];
            for field in fields {
                let values = profiles.group_values(*profile, field);
                own = own
                    .iter()
                    .flat_map(|start| values.iter().map(|value| (*start, *value)))
                    .map(|(start, value)| keys.longer(start, value))
                    .collect();
            }
            grouping.push(&own);
        }
        grouping.only = Some(only);
        grouping.closed()
    }

    /// The groups by organization alone.
    fn of_organizations(profiles: &Profiles, keys: &mut Keys) -> Grouping {
        let mut grouping = Grouping::default();
        for profile in 0..profiles.len() {
            grouping.push(&[keys.longer(NOWHERE, profiles.organization_symbol(profile))]);
        }
        grouping.closed()
    }

    /// The groups by one field more.
    fn longer(&self, profiles: &Profiles, field: &Field, keys: &mut Keys) -> Grouping {
        let mut grouping = Grouping::default();
        let seat = profiles.seat(field);
        let mut own = Vec::new();
        for profile in 0..profiles.len() {
            let values = profiles.seated(profile, &seat);
            own.clear();
            for start in self.of(profile) {
                own.extend(values.iter().map(|value| keys.longer(*start, *value)));
            }
            grouping.push(&own);
        }
        grouping.closed()
    }

    fn closed(mut self) -> Grouping {
        self.groups.shrink_to_fit();
        let numbers = self.groups.iter().filter(|number| **number != NOWHERE);
        self.reach = numbers.max().map_or(0, |highest| *highest as usize + 1);
        self
    }
}

impl Weighed for Grouping {
    fn bytes(&self) -> usize {
        let only = self.only.as_ref().map_or(0, Vec::capacity);
        (self.ends.capacity() + self.groups.capacity() + only) * size_of::<u32>()
    }
}

impl Groupings {
    /// None yet, with room for some of those of so many profiles.
    pub fn new(profiles: u32) -> Groupings {
        let by_fields = Shared::new(profiles as usize * size_of::<u32>() * 48);
        Groupings { by_fields, by_step: Shared::default(), keys: Mutex::default() }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The groups of all profiles by these fields.
    pub fn by(&self, profiles: &Profiles, fields: &[Field]) -> Arc<Grouping> {
        self.by_fields.get(&fields.to_vec(), || match fields.split_last() {
            None => Grouping::of_organizations(profiles, &mut self.keys()),
            Some((field, rest)) => {
                let shorter = self.by(profiles, rest);
                shorter.longer(profiles, field, &mut self.keys())
            }
        })
    }

    /// The groups of the profiles of some events by these fields.
    pub fn of(&self, store: &Store, fields: &[Field], events: impl Iterator<Item = u32>) -> Grouping {
        let only = events.map(|event| store.profile(event)).collect();
        Grouping::of_some(store.profiles(), fields, only, &mut self.keys())
    }

    /// The groups of the profiles of all events of some rules by these fields.
    pub fn of_steps(&self, store: &Store, fields: &[Field], steps: &[Step<'_>]) -> Arc<Grouping> {
        match is_few(store, steps) {
            false => self.by(store.profiles(), fields),
            true => Arc::new(self.of(store, fields, steps.iter().flat_map(|step| step.signals.events()))),
        }
    }

    /// The groups of the profiles of all events of a rule by these fields; they are asked for again.
    pub fn of_step(&self, store: &Store, fields: &[Field], step: &Step<'_>) -> Arc<Grouping> {
        if !is_few(store, std::slice::from_ref(step)) {
            return self.by(store.profiles(), fields);
        }
        let subject = (step.place, fields.to_vec());
        self.by_step.get(&subject, || self.of(store, fields, step.signals.events()))
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        let keys = self.keys();
        self.by_fields.bytes() + self.by_step.bytes() + keys.starts.len() * 24
    }

    /// The number of the group that is shorter by a field.
    pub fn start(&self, number: u32) -> u32 {
        self.keys().starts.get(number as usize).map_or(NOWHERE, |(start, _)| *start)
    }

    /// What joins the members of a group.
    pub fn key(&self, number: u32) -> Key {
        let keys = self.keys();
        let mut key = Vec::new();
        let mut start = number;
        while let Some((shorter, symbol)) = keys.starts.get(start as usize) {
            key.push(*symbol);
            start = *shorter;
        }
        key.reverse();
        key.into()
    }
}

fn is_few(store: &Store, steps: &[Step<'_>]) -> bool {
    steps.iter().map(|step| step.signals.len()).sum::<usize>() * FEW < store.profiles().len() as usize
}

/// No group.
const NOWHERE: u32 = u32::MAX;

/// The indexes that rules looked at last.
pub type Indexes = Shared<Subject, Index>;

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
    pub(super) fn index(&self, store: &Store, groupings: &Groupings, indexes: &Indexes, by: &[GroupBy]) -> Arc<Index> {
        joined(by, self.name).map_or_else(Arc::default, |fields| self.index_by(store, groupings, indexes, fields))
    }

    /// Its signals by the groups that these fields make.
    pub fn index_by(&self, store: &Store, groupings: &Groupings, indexes: &Indexes, fields: Vec<Field>) -> Arc<Index> {
        let subject = (self.place, fields);
        indexes.get(&subject, || Index::new(store, &groupings.of_step(store, &subject.1, self), self.signals))
    }
}

/// The fields that join the events of a rule with others; `None` where an alias says nothing of it.
pub fn joined(by: &[GroupBy], rule: &str) -> Option<Vec<Field>> {
    by.iter().map(|part| part.field(rule).cloned()).collect()
}

/// The groups that the signals of the steps are in. Each is put together when it is looked at.
pub struct Groups {
    /// their numbers, in no particular order
    pub numbers: Vec<u32>,
    /// the signals of each step
    indexes: Vec<Arc<Index>>,
    needs: Needs,
}

impl Groups {
    /// The groups in which a rule may come to something.
    pub fn new(
        store: &Store,
        groupings: &Groupings,
        indexes: &Indexes,
        by: &[GroupBy],
        steps: &[Step<'_>],
        needs: Needs,
    ) -> Groups {
        let needed = needs.first_step..needs.end_step;
        if needed.clone().any(|step| steps[step].signals.is_empty()) {
            return Groups { numbers: Vec::new(), indexes: Vec::new(), needs };
        }
        let indexes: Vec<Arc<Index>> = steps.iter().map(|step| step.index(store, groupings, indexes, by)).collect();
        // Without a step that is needed, any of them makes a group.
        let rarest = needed.min_by_key(|step| indexes[*step].groups.len());
        let numbers = if let Some(step) = rarest {
            indexes[step].groups.clone()
        } else {
            let mut all: Vec<u32> = indexes.iter().flat_map(|index| &index.groups).copied().collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        Groups { numbers, indexes, needs }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> impl ParallelIterator<Item = Members> {
        self.numbers.par_iter().filter_map(|number| self.members(*number))
    }

    fn members(&self, number: u32) -> Option<Members> {
        let Needs { first_step, end_step, events } = self.needs;
        let steps: SmallVec<[Run; 4]> = self.indexes.iter().map(|index| Run::new(index, number)).collect();
        let is_enough = steps[first_step..end_step].iter().all(|run| !run.is_empty())
            && (events <= 1 || steps.iter().map(|run| run.len()).sum::<usize>() >= events);
        is_enough.then_some(Members { number, steps })
    }
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

    /// The first profile in a group, the last in none, the one before in two where there is one.
    fn other(has_several: bool) -> Grouping {
        let mut grouping = Grouping::default();
        grouping.push(&[3]);
        grouping.push(&[4]);
        if has_several {
            grouping.push(&[3, 4]);
            grouping.push(&[3]);
        }
        grouping.push(&[]);
        grouping.closed()
    }

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
            let counts = grouping.closed().counts(&other(several));
            let of_several = u32::from(several);
            assert_eq!([1, 2, 3, 7, 9].map(|number| counts[number]), [2 * of_several, 2 * of_several, 0, 1, 0]);
        }
    }
}
