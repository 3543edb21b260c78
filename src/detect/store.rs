//! Store: what is kept of the events that some rule matched, compactly, until everything is read: the time,
//! the id, where it stands, and its profile.

use std::sync::Arc;

use rayon::prelude::*;
use smallvec::SmallVec;

use super::profile::{Profiles, Symbol, View};
use super::reader::{FacetValues, Reader};
use super::signal::EventSet;
use crate::event::field::{Field, Norm};
use crate::event::identity::Links;
use crate::event::occurrence::{Likeness, Occurrence, Sink};
use crate::event::origin::{Origin, Stamp};
use crate::event::time::Timestamp;
use crate::rule::expr::Expr;
use crate::rule::set::RuleSet;

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn index(length: usize) -> u32 {
    length as u32
}

/// What is told of a kept event when it is evidence: 32 bytes.
#[derive(Clone, Debug)]
struct Kept {
    body: u64,
    offset: u64,
    source: u32,
    line: u32,
    /// start in `ids`
    id: u32,
    id_form: IdForm,
    /// it teaches, and is not reported
    is_history: bool,
}

/// How an id is written into the bytes of all ids.
#[derive(Clone, Copy, Debug)]
enum IdForm {
    /// 24 lower-case hexadecimal digits, as most have, in 12 bytes
    Hexadecimal,
    /// as it is, with its length in bytes before it
    Text,
    /// the event has none
    None,
}

/// All kept events.
#[derive(Debug, Default)]
pub struct Store {
    events: Vec<Kept>,
    /// when each of them happened
    times: Vec<Timestamp>,
    /// what each of them has in common with others
    profile_of: Vec<u32>,
    ids: Vec<u8>,
    profiles: Profiles,
    takes_history: bool,
}

impl Store {
    /// An empty store for the rules of a set.
    pub fn new(set: &RuleSet) -> Store {
        Store { profiles: Profiles::new(&set.kept_fields), ..Store::default() }
    }

    /// What is taken from here on only teaches, and is never reported.
    pub fn begin_history(&mut self) {
        self.takes_history = true;
    }

    fn write_id(&mut self, id: Option<&str>) -> (u32, IdForm) {
        let start = index(self.ids.len());
        let Some(id) = id else { return (start, IdForm::None) };
        if let Some(bytes) = packed(id) {
            self.ids.extend(bytes);
            return (start, IdForm::Hexadecimal);
        }
        self.ids.extend(index(id.len()).to_le_bytes());
        self.ids.extend(id.as_bytes());
        (start, IdForm::Text)
    }

    /// Puts the events into their total order (organization, time, id, body) and links identities.
    pub fn close(&mut self, links: &Links) {
        let ranks = self.profiles.organization_ranks();
        let key = |e: usize| (ranks[self.profile_of[e] as usize], self.times[e]);
        let rest = |e: usize| (self.id_of(&self.events[e]), self.events[e].body, origin_of(&self.events[e]));
        let order = |a: usize, b: usize| key(a).cmp(&key(b)).then_with(|| rest(a).cmp(&rest(b)));
        // Exports are in order more often than not.
        if !(1..self.events.len()).all(|e| order(e - 1, e).is_le()) {
            let mut places: Vec<u32> = (0..self.len()).collect();
            places.par_sort_unstable_by(|a, b| order(*a as usize, *b as usize));
            self.events = places.iter().map(|e| self.events[*e as usize].clone()).collect();
            self.times = places.iter().map(|e| self.times[*e as usize]).collect();
            self.profile_of = places.iter().map(|e| self.profile_of[*e as usize]).collect();
        }
        self.profiles.close(links);
    }

    fn id_of(&self, kept: &Kept) -> Option<String> {
        let start = kept.id as usize;
        match kept.id_form {
            IdForm::None => None,
            IdForm::Hexadecimal => {
                let digits = self.ids[start..start + 12].iter().flat_map(|byte| [byte >> 4, byte & 15]);
                Some(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
            }
            IdForm::Text => {
                let length: [u8; 4] = self.ids[start..start + 4].try_into().ok()?;
                let text = &self.ids[start + 4..start + 4 + u32::from_le_bytes(length) as usize];
                Some(String::from_utf8_lossy(text).into_owned())
            }
        }
    }

    /// How many events are kept.
    pub fn len(&self) -> u32 {
        index(self.events.len())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn event(&self, event: u32) -> &Kept {
        &self.events[event as usize]
    }

    /// When it happened.
    pub fn time(&self, event: u32) -> Timestamp {
        self.times[event as usize]
    }

    /// Whether it only teaches.
    pub fn is_history(&self, event: u32) -> bool {
        self.event(event).is_history
    }

    /// Where it stands.
    pub fn origin(&self, event: u32) -> Origin {
        origin_of(self.event(event))
    }

    /// Its id.
    pub fn id(&self, event: u32) -> Option<String> {
        self.id_of(self.event(event))
    }

    /// The hash of its body.
    pub fn body(&self, event: u32) -> u64 {
        self.event(event).body
    }

    /// What it has in common with others.
    pub fn profile(&self, event: u32) -> u32 {
        self.profile_of[event as usize]
    }

    /// All profiles.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// Its organization.
    pub fn organization(&self, event: u32) -> &str {
        self.profiles.organization(self.profile(event))
    }

    /// Its organization as a number.
    pub fn organization_symbol(&self, event: u32) -> Symbol {
        self.profiles.organization_symbol(self.profile(event))
    }

    /// Its service.
    pub fn service(&self, event: u32) -> &str {
        self.profiles.service(self.profile(event))
    }

    /// The events of each detection, as places in [`RuleSet::alike`].
    pub fn matches(&self, set: &RuleSet) -> Vec<EventSet> {
        // Identities are linked now, so what may have matched matches or does not; once for each profile.
        let linked: Vec<Option<&Expr>> =
            (0..set.alike().len()).map(|place| set.expr(place).filter(|expr| expr.is_linked())).collect();
        let holds = |profile: u32, detection: u32| {
            linked[detection as usize].is_none_or(|expr| expr.matches(&self.profiles.view(profile)))
        };
        let of_profile: Vec<Vec<u32>> = (0..self.profiles.len())
            .into_par_iter()
            .map(|profile| {
                let found = self.profiles.detections_of(profile).iter().copied();
                found.filter(|detection| holds(profile, *detection)).collect()
            })
            .collect();
        let mut events_of = vec![0_usize; of_profile.len()];
        self.profile_of.iter().for_each(|profile| events_of[*profile as usize] += 1);
        let mut sizes = vec![0; set.alike().len()];
        for (detections, count) in of_profile.iter().zip(events_of) {
            detections.iter().for_each(|detection| sizes[*detection as usize] += count);
        }
        let mut out: Vec<EventSet> = sizes.iter().map(|size| EventSet::new(*size, self.len())).collect();
        for (number, profile) in (0..).zip(&self.profile_of) {
            of_profile[*profile as usize].iter().for_each(|detection| out[*detection as usize].push(number));
        }
        out
    }

    /// The text of a symbol.
    pub fn symbol(&self, symbol: Symbol) -> &str {
        self.profiles.symbol(symbol)
    }

    /// The first value of a normalized field.
    pub fn text(&self, event: u32, norm: Norm) -> Option<&str> {
        self.profiles.text(self.profile(event), norm)
    }

    /// The values of a field in lower case, as symbols: what groups are made of.
    pub fn group_values(&self, event: u32, field: &Field) -> SmallVec<[Symbol; 2]> {
        self.profiles.group_values(self.profile(event), field)
    }

    /// An event of the store as something whose fields can be asked for.
    pub fn view(&self, event: u32) -> View<'_> {
        self.profiles.view(self.profile(event))
    }

    /// Bytes held, roughly, by what they are held for.
    pub fn bytes(&self) -> [(&'static str, usize); 2] {
        let each = size_of::<Kept>() + size_of::<Timestamp>() + size_of::<u32>();
        let events = self.events.capacity() * each + self.ids.capacity();
        [("events", events), ("what events have in common", self.profiles.bytes())]
    }
}

impl Sink<Reader<'_>> for Store {
    fn facet(&mut self, facet: &FacetValues) -> u32 {
        self.profiles.facet(facet)
    }

    fn likeness(&mut self, likeness: &Likeness<'_, Arc<[u32]>>) -> u32 {
        self.profiles.of(likeness)
    }

    fn event(&mut self, event: &Occurrence<'_>) {
        let (id, id_form) = self.write_id(event.id);
        let Stamp { origin, body } = event.stamp;
        self.times.push(event.time);
        self.profile_of.push(event.likeness);
        self.events.push(Kept {
            body,
            offset: origin.offset,
            source: origin.source,
            line: u32::try_from(origin.line).unwrap_or(u32::MAX),
            id,
            id_form,
            is_history: self.takes_history,
        });
    }
}

fn origin_of(kept: &Kept) -> Origin {
    Origin { source: kept.source, line: u64::from(kept.line), offset: kept.offset }
}

/// The 12 bytes of 24 lower-case hexadecimal digits.
fn packed(id: &str) -> Option<[u8; 12]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 24] = id.as_bytes().try_into().ok()?;
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were() {
        let mut store = Store::default();
        let ids =
            ["648c6c758c2ac07fa1fdee94", "648C6C758C2AC07FA1FDEE94", "ED0ED2C3-0524-3263-BE5B-68C02B70986E", "x", "é"];
        for id in ids.iter().map(|id| Some(*id)).chain([None]) {
            let (start, form) = store.write_id(id);
            let kept = Kept { body: 0, offset: 0, source: 0, line: 0, id: start, id_form: form, is_history: false };
            assert_eq!(store.id_of(&kept).as_deref(), id);
        }
        assert_eq!(size_of::<Kept>(), 32);
    }
}
