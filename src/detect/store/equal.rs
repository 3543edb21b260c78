//! Equal: one event that was exported twice and is spelled differently. Both records have the same body, but rules can
//! also read what the body drops: an empty text, whether a member is there, digits beyond the seventh, how a key or a
//! number is spelled. So which of them is kept depends on their content, not on which was read first.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::column::Column;
use super::super::profile::index;
use super::{Arrived, IdForm, Kept, Store};
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::occurrence::{Occurrence, Rivalry};
use crate::event::time::Timestamp;

/// So many wait at least until they are compared: all events are gone through for it.
const WAITING: usize = 1 << 16;

/// A record of an event that was read before.
#[derive(Clone, Debug)]
struct Equal {
    kept: Kept,
    time: Timestamp,
    profile: u32,
    rivalry: Option<Rivalry>,
}

/// The records of events that were read before.
#[derive(Debug, Default)]
pub struct Equals {
    /// those that were not compared yet
    waiting: Vec<Equal>,
    /// by event the one that is kept instead
    better: HashMap<u32, Equal, RandomState>,
    /// what they are compared by
    fields: Vec<Field>,
}

impl Equals {
    /// None yet; events have the normalized fields and these.
    pub fn new(kept_fields: &[Field]) -> Equals {
        let normalized = Norm::ALL.iter().copied().map(Field::Norm);
        Equals { fields: normalized.chain(kept_fields.iter().cloned()).collect(), ..Equals::default() }
    }
}

/// An id, packed or not, and of an event that is not the first with it the body.
type Name<'t> = ((bool, &'t [u8]), Option<u64>);

impl Store {
    /// Takes a record of an event that was read before.
    pub(super) fn equal(&mut self, event: &Occurrence<'_>) {
        let kept = self.kept(event);
        self.equals.waiting.push(Equal { kept, time: event.time, profile: event.likeness, rivalry: event.rivalry });
        if self.equals.waiting.len() >= WAITING.max(self.arrived.events.len() / 4) {
            self.compare_equals();
        }
    }

    /// Compares the records that wait with those that are kept. One of which nothing was kept so far is kept.
    fn compare_equals(&mut self) {
        let waiting = std::mem::take(&mut self.equals.waiting);
        if waiting.is_empty() {
            return;
        }
        let mut places: HashMap<Name<'_>, Option<u32>, RandomState> =
            waiting.iter().filter_map(|equal| Some((self.name(equal)?, None))).collect();
        for event in 0..index(self.arrived.events.len()) {
            let id = self.id_bytes(&self.arrived.events[event as usize]);
            if let Some(place) = id.and_then(|id| places.get_mut(&(id, self.rivals.get(&event).copied()))) {
                *place = Some(event);
            }
        }
        let mut next = index(self.arrived.events.len());
        let mut new = Vec::new();
        let mut better: HashMap<u32, &Equal, RandomState> = HashMap::default();
        for equal in &waiting {
            let Some(place) = self.name(equal).and_then(|name| places.get_mut(&name)) else { continue };
            let Some(event) = *place else {
                *place = Some(next);
                better.insert(next, equal);
                new.push(equal);
                next += 1;
                continue;
            };
            let known = better.get(&event).copied().or_else(|| self.equals.better.get(&event));
            let kept = if let Some(Equal { kept, time, profile, .. }) = known {
                (kept, *time, *profile)
            } else {
                let Arrived { events, times, profile_of } = &self.arrived;
                (&events[event as usize], times[event as usize], profile_of[event as usize])
            };
            if self.order((&equal.kept, equal.time, equal.profile), kept).is_gt() {
                better.insert(event, equal);
            }
        }
        let better: Vec<(u32, Equal)> = better.into_iter().map(|(event, equal)| (event, equal.clone())).collect();
        let new: Vec<Equal> = new.into_iter().cloned().collect();
        new.into_iter().for_each(|equal| self.keep(equal.kept, equal.time, equal.profile, equal.rivalry));
        self.equals.better.extend(better);
    }

    /// Which of two records is kept, the greater one: one that is not only history, then one with more digits in its
    /// time, one that more detections match, and then by what the fields say. Of those that are alike in all that
    /// rules read it is the one that was read first.
    fn order(&self, one: (&Kept, Timestamp, u32), other: (&Kept, Timestamp, u32)) -> Ordering {
        let is_reported = |kept: &Kept| !self.only_teaches(kept);
        let detections = |profile| self.profiles.detections_of(profile);
        (is_reported(one.0), one.1).cmp(&(is_reported(other.0), other.1)).then_with(|| match (one.2, other.2) {
            (one, other) if one == other => Ordering::Equal,
            (one, other) => {
                let by_detections =
                    (detections(one).len(), detections(one)).cmp(&(detections(other).len(), detections(other)));
                by_detections.then_with(|| self.order_of_fields(one, other))
            }
        })
    }

    fn order_of_fields(&self, one: u32, other: u32) -> Ordering {
        let (one_view, other_view) = (self.profiles.view(one), self.profiles.view(other));
        let mut orders = self.equals.fields.iter().map(|field| {
            let (one, other) = (one_view.values(field), other_view.values(field));
            one.iter().map(Value::text).cmp(other.iter().map(Value::text))
        });
        orders
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.profiles.service(one).cmp(self.profiles.service(other)))
    }

    /// Puts the records that are kept into the places of those that were read first.
    pub(super) fn settle_equals(&mut self) {
        self.compare_equals();
        if self.equals.better.is_empty() {
            return;
        }
        let better = std::mem::take(&mut self.equals.better);
        let Arrived { events, times, profile_of } = std::mem::take(&mut self.arrived);
        self.arrived = Arrived {
            events: replaced(events, |event| better.get(&event).map(|equal| equal.kept.clone())),
            times: replaced(times, |event| better.get(&event).map(|equal| equal.time)),
            profile_of: replaced(profile_of, |event| better.get(&event).map(|equal| equal.profile)),
        };
    }

    /// What tells the event of a record from others.
    fn name<'s>(&'s self, equal: &'s Equal) -> Option<Name<'s>> {
        Some((self.id_bytes(&equal.kept)?, equal.rivalry.map(|rivalry| rivalry.own)))
    }

    /// An id, and whether it is packed; `None` if the event has none.
    fn id_bytes<'s>(&'s self, kept: &'s Kept) -> Option<(bool, &'s [u8])> {
        match kept.id_form {
            IdForm::None => None,
            IdForm::Hexadecimal => Some((true, &kept.id)),
            IdForm::Text => Some((false, self.text_at(kept.place()).as_bytes())),
        }
    }
}

/// A column with other things in some places.
fn replaced<T>(column: Column<T>, better: impl Fn(u32) -> Option<T>) -> Column<T> {
    let mut out = Column::default();
    (0..).zip(column.into_vec()).for_each(|(event, thing)| out.push(better(event).unwrap_or(thing)));
    out
}
