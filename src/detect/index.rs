//! Index: the signals of one rule by the groups that their events are in. Many rules look at the same sign-ins,
//! joined by the same fields, so these are put together once for all of them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::group::{Grouping, Groupings};
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
    fn new(store: &Store, grouping: &Grouping, signals: &Signals) -> Index {
        let mut index = Index::default();
        // Counted first, so that each event is put where it belongs at once.
        let mut places = vec![0_u32; grouping.reach];
        signals.for_each_event(|event| {
            for group in grouping.of(store.profile(event)) {
                let count = &mut places[*group as usize];
                if *count == 0 {
                    index.groups.push(*group);
                }
                *count += 1;
            }
        });
        index.groups.sort_unstable();
        let mut end = 0;
        for group in &index.groups {
            let count = std::mem::replace(&mut places[*group as usize], end);
            end += count;
            index.ends.push(end);
        }
        index.events = vec![0; end as usize];
        signals.for_each_event(|event| {
            for group in grouping.of(store.profile(event)) {
                let place = &mut places[*group as usize];
                index.events[*place as usize] = event;
                *place += 1;
            }
        });
        index
    }

    fn range(&self, group: u32) -> Range<u32> {
        match self.groups.binary_search(&group) {
            Err(_) => 0..0,
            Ok(place) => place.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[place],
        }
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

type Cell = Arc<OnceLock<Arc<Index>>>;

/// What an index is of: the place of a rule, and the fields that join its events with others.
pub type Subject = (usize, Vec<Field>);

/// The indexes that rules still look at.
#[derive(Debug, Default)]
pub struct Indexes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    cells: HashMap<Subject, Cell>,
    /// how often each of them has yet to be looked at
    uses: HashMap<Subject, usize>,
}

impl Indexes {
    /// None yet; `uses` are all the looks that will be taken.
    pub fn new(uses: impl Iterator<Item = Subject>) -> Indexes {
        let mut known = Known::default();
        uses.for_each(|subject| *known.uses.entry(subject).or_default() += 1);
        Indexes { known: Mutex::new(known) }
    }

    /// Looks were taken; what nobody will look at again is let go of.
    pub fn release(&self, subjects: impl Iterator<Item = Subject>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in subjects {
            let Some(uses) = known.uses.get_mut(&subject) else { continue };
            *uses -= 1;
            if *uses == 0 {
                known.cells.remove(&subject);
            }
        }
    }

    /// The index of a rule's signals; rules that say the same have one place.
    pub fn of(
        &self,
        store: &Store,
        groupings: &Groupings,
        fields: Vec<Field>,
        place: usize,
        signals: &Signals,
    ) -> Arc<Index> {
        let grouping = groupings.by(store.profiles(), fields.clone());
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.cells.entry((place, fields)).or_default())
        };
        Arc::clone(cell.get_or_init(|| Arc::new(Index::new(store, &grouping, signals))))
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |index: &Arc<Index>| (index.groups.len() + index.ends.len() + index.events.len()) * 4;
        known.cells.values().filter_map(|cell| cell.get()).map(of).sum()
    }
}
