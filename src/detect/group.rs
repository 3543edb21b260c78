//! Group: the matches of a correlation's rules, put together by what joins them.
//!
//! An event without one of the group fields joins no group; a field with several values puts it into
//! several groups. Groups never cross organizations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use rayon::prelude::*;
use smallvec::{SmallVec, smallvec};

use super::profile::{Profiles, Seat, Symbol};
use super::signal::Signals;
use super::store::Store;
use crate::event::field::Field;
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
    numbers: HashMap<Key, u32, RandomState>,
    keys: Vec<Key>,
    by_fields: HashMap<Vec<Field>, Arc<Grouping>>,
}

/// The groups of each profile by some fields.
#[derive(Debug, Default)]
pub struct Grouping {
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
        let mut keys: Vec<SmallVec<[Symbol; 4]>> = Vec::new();
        let (mut values, mut own) = (Vec::new(), Vec::new());
        for profile in 0..profiles.len() {
            keys.clear();
            keys.push(smallvec![profiles.organization_symbol(profile)]);
            for seat in &seats {
                profiles.seated(profile, *seat, &mut values);
                if let ([key], [value]) = (keys.as_mut_slice(), values.as_slice()) {
                    key.push(*value);
                    continue;
                }
                let all = keys.iter().flat_map(|key| values.iter().map(|v| key.iter().copied().chain([*v]).collect()));
                keys = all.collect();
            }
            own.clear();
            for key in &keys {
                let next = index(known.numbers.len());
                let number = known.numbers.get(key.as_slice()).copied().unwrap_or(next);
                if number == next {
                    known.numbers.insert(key.as_slice().into(), number);
                    known.keys.push(key.as_slice().into());
                }
                own.push(number);
            }
            grouping.push(&own);
        }
        grouping.groups.shrink_to_fit();
        let grouping = Arc::new(grouping);
        known.by_fields.insert(fields, Arc::clone(&grouping));
        grouping
    }

    /// How many groups there are by any fields.
    fn len(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).keys.len()
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_profiles = known.by_fields.values().map(|g| (g.ends.capacity() + g.groups.capacity()) * 4);
        of_profiles.sum::<usize>() + known.keys.iter().map(|key| 2 * (16 + key.len() * 4) + 8).sum::<usize>()
    }

    /// Gives groups their keys, by their numbers.
    fn name(&self, groups: &mut [(u32, Group)]) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        groups.iter_mut().for_each(|(number, group)| group.key.clone_from(&known.keys[*number as usize]));
    }
}

/// A group that is not put together.
const NOWHERE: u32 = u32::MAX;

#[allow(clippy::cast_possible_truncation, reason = "memory ends before four billion groups")]
fn index(length: usize) -> u32 {
    length as u32
}

/// Puts the signals of the steps into groups. `steps` are the name of each step's rule and its signals.
/// Groups come in the order of their keys, which is the same in every run.
pub fn groups(
    store: &Store,
    groupings: &Groupings,
    by: &[GroupBy],
    steps: &[(&str, &Signals)],
    needs: Needs,
) -> Vec<Group> {
    let profiles = store.profiles();
    let needed = needs.first_step..needs.end_step;
    if needed.clone().any(|step| steps[step].1.is_empty()) {
        return Vec::new();
    }
    let grouping = |rule: &str| -> Option<Arc<Grouping>> {
        let fields: Option<Vec<Field>> = by.iter().map(|part| part.field(rule).cloned()).collect();
        Some(groupings.by(profiles, fields?))
    };
    let groupings_of: Vec<Option<Arc<Grouping>>> = steps.iter().map(|(rule, _)| grouping(rule)).collect();
    // The rarest of the steps that are needed tells which groups there can be.
    let rarest = needed.min_by_key(|step| steps[*step].1.len());
    let order = rarest.into_iter().chain((0..steps.len()).filter(|step| Some(*step) != rarest));
    let mut places = vec![NOWHERE; groupings.len()];
    let mut groups: Vec<Group> = Vec::new();
    let mut numbers: Vec<u32> = Vec::new();
    let mut sizes: Vec<u32> = Vec::new();
    for step in order {
        let Some(grouping) = &groupings_of[step] else { continue };
        // A rule that learns from what it judges has one step twice.
        let twin = (0..step).find(|twin| {
            steps[*twin].1.is(steps[step].1) && groupings_of[*twin].as_ref().is_some_and(|g| Arc::ptr_eq(g, grouping))
        });
        if let Some(twin) = twin {
            groups.iter_mut().for_each(|group| group.steps[step] = group.steps[twin].clone());
            continue;
        }
        let is_closed = rarest.is_some_and(|rarest| rarest != step);
        sizes.clear();
        sizes.resize(groups.len(), 0);
        steps[step].1.for_each_event(|event| {
            for number in grouping.of(store.profile(event)) {
                let place = &mut places[*number as usize];
                if *place == NOWHERE {
                    if is_closed {
                        continue;
                    }
                    *place = index(groups.len());
                    groups.push(Group { key: Box::new([]), steps: vec![Vec::new(); steps.len()] });
                    numbers.push(*number);
                    sizes.push(0);
                }
                sizes[*place as usize] += 1;
            }
        });
        for (group, size) in groups.iter_mut().zip(&sizes) {
            group.steps[step] = Vec::with_capacity(*size as usize);
        }
        steps[step].1.for_each_event(|event| {
            for number in grouping.of(store.profile(event)) {
                let place = places[*number as usize];
                if place != NOWHERE {
                    groups[place as usize].steps[step].push(event);
                }
            }
        });
    }
    let is_enough = |group: &Group| {
        (needs.first_step..needs.end_step).all(|step| !group.steps[step].is_empty())
            && (needs.events <= 1 || group.steps.iter().map(Vec::len).sum::<usize>() >= needs.events)
    };
    let mut kept: Vec<(u32, Group)> = numbers.into_iter().zip(groups).filter(|(_, group)| is_enough(group)).collect();
    groupings.name(&mut kept);
    let mut groups: Vec<Group> = kept.into_iter().map(|(_, group)| group).collect();
    // Symbols are numbered in the order of reading; the texts behind them are the same in every run.
    let text = |symbol: &Symbol| store.symbol(*symbol);
    groups.par_sort_by(|a, b| a.key.iter().map(text).cmp(b.key.iter().map(text)));
    groups
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
