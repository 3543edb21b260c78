//! Index: the signals of one rule by the groups that their events are in. Many rules look at the same sign-ins,
//! joined by the same fields, so these are put together once for all of them.

use std::borrow::Borrow;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::group::Grouping;
use super::profile;
use super::shared::Weighed;
use super::signal::Signals;
use super::store::Store;
use crate::event::field::Field;

/// The completing events of a rule, group by group, each group in the total order.
#[derive(Debug, Default)]
pub struct Index {
    /// the groups that have events, by their numbers
    pub groups: Vec<u32>,
    /// where the events of each of them end
    ends: Vec<u32>,
    events: Vec<u32>,
}

impl Index {
    /// The events of signals, by the groups of a grouping.
    pub fn new(store: &Store, grouping: &Grouping, signals: &Signals) -> Index {
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(signals.len());
        signals.for_each_event(|event| {
            pairs.extend(grouping.of(store.profile(event)).iter().map(|group| (*group, event)));
        });
        match pairs.len() * 8 < grouping.reach {
            true => Index::sorted(pairs),
            false => Index::counted(&pairs, grouping.reach),
        }
    }

    /// Of few events in many groups.
    fn sorted(mut pairs: Vec<(u32, u32)>) -> Index {
        pairs.sort_unstable();
        let mut index = Index::default();
        for of_group in pairs.chunk_by(|a, b| a.0 == b.0) {
            index.groups.push(of_group[0].0);
            index.events.extend(of_group.iter().map(|(_, event)| *event));
            index.ends.push(profile::index(index.events.len()));
        }
        index
    }

    /// Of events in their order, in groups of which all numbers are lower than `reach`.
    fn counted(pairs: &[(u32, u32)], reach: usize) -> Index {
        let mut index = Index::default();
        // Counted first, so that each event is put where it belongs at once.
        let mut places = vec![0_u32; reach];
        pairs.iter().for_each(|(group, _)| places[*group as usize] += 1);
        let mut end = 0;
        for (group, place) in (0..).zip(&mut places).filter(|(_, count)| **count > 0) {
            end += std::mem::replace(place, end);
            index.groups.push(group);
            index.ends.push(end);
        }
        index.events = vec![0; end as usize];
        for (group, event) in pairs {
            let place = &mut places[*group as usize];
            index.events[*place as usize] = *event;
            *place += 1;
        }
        index
    }

    /// The events of a group.
    pub fn of(&self, group: u32) -> &[u32] {
        let range = self.range(group);
        &self.events[range.start as usize..range.end as usize]
    }

    fn range(&self, group: u32) -> Range<u32> {
        match self.groups.binary_search(&group) {
            Err(_) => 0..0,
            Ok(place) => place.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[place],
        }
    }
}

impl Weighed for Index {
    fn bytes(&self) -> usize {
        (self.groups.capacity() + self.ends.capacity() + self.events.capacity()) * size_of::<u32>()
    }
}

/// The events of one group.
#[derive(Clone, Debug, Default)]
pub struct Run {
    index: Arc<Index>,
    range: Range<u32>,
}

impl Run {
    /// The events of a group in an index.
    pub fn new(index: &Arc<Index>, group: u32) -> Run {
        Run { index: Arc::clone(index), range: index.range(group) }
    }

    /// Some events, in their order.
    pub fn of(events: Vec<u32>) -> Run {
        let range = 0..profile::index(events.len());
        Run { index: Arc::new(Index { events, ..Index::default() }), range }
    }
}

impl Deref for Run {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.index.events[self.range.start as usize..self.range.end as usize]
    }
}

impl Borrow<[u32]> for Run {
    fn borrow(&self) -> &[u32] {
        self
    }
}

/// What an index is of: the place of a rule, and the fields that join its events with others.
pub type Subject = (usize, Vec<Field>);
