//! Alike: the matches of a step of a chain, put together by what they are compared by. If one of them does not go with
//! a chain because of its values, none that is like it does.

use std::collections::HashMap;
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::compared::Compared;
use super::profile::{Symbol, index};
use super::store::Store;
use crate::event::field::Field;

/// With fewer matches of a kind than this, on average, it is as quick to look at each. Where assertions are on, it is
/// low, so that small worlds in tests come here.
const WORTHWHILE: usize = if cfg!(debug_assertions) { 1 } else { 4 };

/// Matches by their kind.
#[derive(Debug, Default)]
pub struct Alike {
    /// the matches of each kind in the total order; none if there are too many kinds
    kinds: Vec<Vec<u32>>,
}

impl Alike {
    /// Those of some events, by the values of some fields.
    fn new(store: &Store, matches: &[u32], fields: &[Field]) -> Alike {
        type Values = Vec<SmallVec<[Symbol; 2]>>;
        let mut by_profile: HashMap<u32, u32, RandomState> = HashMap::default();
        let mut by_values: HashMap<Values, u32, RandomState> = HashMap::default();
        let mut kinds: Vec<Vec<u32>> = Vec::new();
        for event in matches {
            let kind = *by_profile.entry(store.profile(*event)).or_insert_with(|| {
                let values = fields.iter().map(|field| store.group_values(*event, field)).collect();
                let new = index(by_values.len());
                *by_values.entry(values).or_insert(new)
            });
            match kinds.get_mut(kind as usize) {
                Some(of_kind) => of_kind.push(*event),
                None => kinds.push(vec![*event]),
            }
            if kinds.len() * WORTHWHILE > matches.len() {
                return Alike::default();
            }
        }
        Alike { kinds }
    }

    /// Whether it takes less to look at one match of each kind than at so many matches.
    pub fn is_shorter(&self, matches: usize) -> bool {
        !self.kinds.is_empty() && self.kinds.len() * WORTHWHILE <= matches
    }

    /// The latest match of each kind before an event, if it is not before another one.
    pub fn latest(&self, before: u32, from: u32) -> impl Iterator<Item = Latest> {
        let of_kind = move |(kind, events): (u32, &Vec<u32>)| {
            let place = events.partition_point(|event| *event < before).checked_sub(1)?;
            (events[place] >= from).then_some(Latest { event: events[place], kind, place: index(place) })
        };
        (0..).zip(&self.kinds).filter_map(of_kind)
    }

    /// The one before it of the same kind, if that is not before an event.
    pub fn earlier(&self, latest: Latest, from: u32) -> Option<Latest> {
        let place = latest.place.checked_sub(1)?;
        let event = self.kinds[latest.kind as usize][place as usize];
        (event >= from).then_some(Latest { event, place, ..latest })
    }
}

/// The matches of each step, and of each `unless`, in a group by their kind, as far as that was asked for.
#[derive(Debug, Default)]
pub struct AlikeByList(OnceLock<Box<[OnceLock<Alike>]>>);

impl AlikeByList {
    /// Those of one.
    pub fn get(&self, compared: &Compared<'_>, list: usize, matches: &[u32]) -> &Alike {
        let all = self.0.get_or_init(|| compared.fields().iter().map(|_| OnceLock::new()).collect());
        all[list].get_or_init(|| Alike::new(compared.store, matches, &compared.fields()[list]))
    }
}

/// A match of a kind; ordered by the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Latest {
    /// the event
    pub event: u32,
    /// its kind
    pub kind: u32,
    /// its place among those of the kind
    place: u32,
}
