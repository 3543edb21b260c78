//! Store: what is kept of the events that some rule matched, compactly, until everything is read: the time,
//! the id, where it stands, and its profile.

mod equal;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rayon::prelude::*;
use smallvec::SmallVec;

use super::column::Column;
use super::profile::{Profiles, Symbol, View, index};
use super::reader::{FacetValues, Reader};
use super::signal::EventSet;
use crate::event::field::{Field, Norm};
use crate::event::identity::Links;
use crate::event::occurrence::{Likeness, Occurrence, Rivalry, Sink, is_named};
use crate::event::origin::{Origin, Stamp};
use crate::event::time::Timestamp;
use crate::rule::Entity;
use crate::rule::expr::Expr;
use crate::rule::set::RuleSet;
use equal::Equals;

/// What is told of a kept event when it is evidence: 24 bytes.
#[derive(Clone, Debug)]
struct Kept {
    id: [u8; 12],
    /// its passage
    passage: u32,
    /// bytes from the start of the passage
    offset: u32,
    /// lines from the start of the passage
    line: u16,
    id_form: IdForm,
}

/// How an id is held.
#[derive(Clone, Copy, Debug)]
enum IdForm {
    /// 24 lower-case hexadecimal digits, as most have
    Hexadecimal,
    /// by its place in `texts`
    Text,
    /// the event has none; the hash of its body by its place in `bodies`
    None,
}

/// The detections that profiles match.
#[derive(Debug, Default)]
struct Lists<'s> {
    /// what profiles have in common
    different: Vec<Cow<'s, [u32]>>,
    /// by profile its place in them
    of: Vec<u32>,
}

impl<'s> Lists<'s> {
    fn add(&mut self, list: Cow<'s, [u32]>) -> u32 {
        self.different.push(list);
        index(self.different.len() - 1)
    }
}

/// Kept events in the order in which they come.
#[derive(Debug, Default)]
struct Arrived {
    events: Column<Kept>,
    times: Column<Timestamp>,
    profile_of: Column<u32>,
}

/// All kept events.
#[derive(Debug, Default)]
pub struct Store {
    /// those that came, until all is read
    arrived: Arrived,
    events: Vec<Kept>,
    /// when each of them happened
    times: Vec<Timestamp>,
    /// what each of them has in common with others
    profile_of: Vec<u32>,
    /// start positions in the sources: the file and line of an event follow from the nearest one before it
    passages: Vec<Origin>,
    /// all ids that are not hexadecimal, one after another
    texts: String,
    /// where each of them ends
    text_ends: Vec<usize>,
    /// hashes of the bodies of events that have no id
    bodies: Vec<u64>,
    /// the same of the first events of ids that stand on several
    firsts: HashMap<Box<str>, u64>,
    /// and of the others
    rivals: HashMap<u32, u64>,
    profiles: Profiles,
    equals: Equals,
    /// the first source that only teaches
    history_from: Option<u32>,
    /// whose events are kept; everybody's, if nobody is named
    organizations: Vec<String>,
}

impl Store {
    /// An empty store for the rules of a set.
    pub fn new(set: &RuleSet) -> Store {
        let fields = &set.kept.fields;
        Store { profiles: Profiles::new(fields), equals: Equals::new(fields), ..Store::default() }
    }

    /// The same, where only events of these organizations are kept; of all, if none is named.
    #[must_use]
    pub fn of(self, organizations: &[String]) -> Store {
        Store { organizations: organizations.to_vec(), ..self }
    }

    /// What is taken from here on only teaches, and is never reported. Its sources stand behind so many that were read.
    pub fn begin_history(&mut self, sources: usize) {
        self.history_from = Some(index(sources));
    }

    fn written(&mut self, id: Option<&str>, body: u64) -> ([u8; 12], IdForm) {
        let (place, form) = match id {
            None => {
                self.bodies.push(body);
                (index(self.bodies.len() - 1), IdForm::None)
            }
            Some(id) => {
                if let Some(bytes) = packed(id) {
                    return (bytes, IdForm::Hexadecimal);
                }
                self.texts.push_str(id);
                self.text_ends.push(self.texts.len());
                (index(self.text_ends.len() - 1), IdForm::Text)
            }
        };
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&place.to_le_bytes());
        (bytes, form)
    }

    /// The passage of an event, and where it stands in it.
    fn place(&mut self, origin: Origin) -> (u32, u32, u16) {
        let from = |start: &Origin| {
            let Origin { source, line, offset } = *start;
            let line = u16::try_from(origin.line.checked_sub(line)?).ok()?;
            let offset = u32::try_from(origin.offset.checked_sub(offset)?).ok()?;
            (source == origin.source).then_some((offset, line))
        };
        if let Some((offset, line)) = self.passages.last().and_then(from) {
            return (index(self.passages.len() - 1), offset, line);
        }
        self.passages.push(origin);
        (index(self.passages.len() - 1), 0, 0)
    }

    /// What is told of an event.
    fn kept(&mut self, event: &Occurrence<'_>) -> Kept {
        let Stamp { origin, body } = event.stamp;
        let (id, id_form) = self.written(event.id, body);
        let source = origin.source + self.history_from.unwrap_or(0);
        let (passage, offset, line) = self.place(Origin { source, ..origin });
        Kept { id, passage, offset, line, id_form }
    }

    fn keep(&mut self, kept: Kept, time: Timestamp, profile: u32, rivalry: Option<Rivalry>) {
        if let (Some(Rivalry { first, own }), Some(id)) = (rivalry, rivalry.and_then(|_| self.id_of(&kept))) {
            self.firsts.insert(id.into(), first);
            self.rivals.insert(index(self.arrived.events.len()), own);
        }
        self.arrived.times.push(time);
        self.arrived.profile_of.push(profile);
        self.arrived.events.push(kept);
    }

    /// Puts the events into their total order (organization, time, id, body) and links identities.
    pub fn close(&mut self, links: &Links) {
        self.settle_equals();
        let ranks = self.profiles.organization_ranks();
        let Arrived { events, times, profile_of } = std::mem::take(&mut self.arrived);
        let key = |e: usize| (ranks[profile_of[e] as usize], times[e]);
        let rest = |e: usize| {
            let id = self.id_of(&events[e]);
            let of_first = || id.as_deref().and_then(|id| self.firsts.get(id));
            let body = match id {
                None => self.body_of(&events[e]),
                Some(_) => self.rivals.get(&index(e)).or_else(of_first).copied().unwrap_or_default(),
            };
            (id, body, self.origin_of(&events[e]))
        };
        let order = |a: usize, b: usize| key(a).cmp(&key(b)).then_with(|| rest(a).cmp(&rest(b)));
        // Exports are in order more often than not.
        if (1..events.len()).all(|e| order(e - 1, e).is_le()) {
            (self.events, self.times, self.profile_of) = (events.into_vec(), times.into_vec(), profile_of.into_vec());
        } else {
            let mut places: Vec<u32> = (0..index(events.len())).collect();
            places.par_sort_by(|a, b| order(*a as usize, *b as usize));
            self.times = places.iter().map(|e| times[*e as usize]).collect();
            drop(times);
            self.profile_of = places.iter().map(|e| profile_of[*e as usize]).collect();
            drop(profile_of);
            self.events = places.iter().map(|e| events[*e as usize].clone()).collect();
        }
        (self.firsts, self.rivals) = (HashMap::new(), HashMap::new());
        self.texts.shrink_to_fit();
        self.text_ends.shrink_to_fit();
        self.profiles.close(links);
    }

    fn id_of(&self, kept: &Kept) -> Option<String> {
        match kept.id_form {
            IdForm::None => None,
            IdForm::Hexadecimal => {
                let digits = kept.id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                Some(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
            }
            IdForm::Text => Some(self.text_at(kept.place()).to_owned()),
        }
    }

    /// An id that is no hexadecimal digits.
    fn text_at(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.text_ends[before]);
        &self.texts[start..self.text_ends[place]]
    }

    fn body_of(&self, kept: &Kept) -> u64 {
        match kept.id_form {
            IdForm::None => self.bodies[kept.place()],
            IdForm::Hexadecimal | IdForm::Text => 0,
        }
    }

    fn origin_of(&self, kept: &Kept) -> Origin {
        let Origin { source, line, offset } = self.passages[kept.passage as usize];
        Origin { source, line: line + u64::from(kept.line), offset: offset + u64::from(kept.offset) }
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

    /// Whether any event only teaches.
    pub fn has_history(&self) -> bool {
        let last = self.passages.iter().map(|passage| passage.source).max();
        last.zip(self.history_from).is_some_and(|(last, first)| last >= first)
    }

    /// Whether it only teaches.
    pub fn is_history(&self, event: u32) -> bool {
        self.only_teaches(self.event(event))
    }

    fn only_teaches(&self, kept: &Kept) -> bool {
        let Origin { source, .. } = self.passages[kept.passage as usize];
        self.history_from.is_some_and(|first| source >= first)
    }

    /// Where it stands; the sources of history are counted on behind the others.
    pub fn origin(&self, event: u32) -> Origin {
        self.origin_of(self.event(event))
    }

    /// Its id.
    pub fn id(&self, event: u32) -> Option<String> {
        self.id_of(self.event(event))
    }

    /// What names an event that has no id: the hash of its body; 0 for others.
    pub fn body(&self, event: u32) -> u64 {
        self.body_of(self.event(event))
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

    /// The first event of each organization.
    pub fn begins(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(0), |event| {
            let is_same =
                |profile: &u32| self.profiles.organization_symbol(*profile) == self.organization_symbol(*event);
            Some(event + index(self.profile_of[*event as usize..].partition_point(is_same)))
        })
        .take_while(|event| *event < self.len())
    }

    /// Its service.
    pub fn service(&self, event: u32) -> &str {
        self.profiles.service(self.profile(event))
    }

    /// The events of each detection, as places in [`RuleSet::alike`].
    pub fn matches(&self, set: &RuleSet) -> Vec<EventSet> {
        let lists = self.lists(set);
        let mut sizes = vec![0; set.alike().len()];
        let mut events_of = vec![0_usize; lists.different.len()];
        self.profile_of.iter().for_each(|profile| events_of[lists.of[*profile as usize] as usize] += 1);
        for (detections, count) in lists.different.iter().zip(events_of) {
            detections.iter().for_each(|detection| sizes[*detection as usize] += count);
        }
        let mut out: Vec<EventSet> = sizes.iter().map(|size| EventSet::new(*size, self.len())).collect();
        // 64 events at a time: many of them have one list.
        let (mut masks, mut met) = (vec![0_u64; lists.different.len()], Vec::new());
        for (word, profiles) in self.profile_of.chunks(64).enumerate() {
            for (bit, profile) in profiles.iter().enumerate() {
                let list = lists.of[*profile as usize];
                let mask = &mut masks[list as usize];
                if *mask == 0 {
                    met.push(list);
                }
                *mask |= 1 << bit;
            }
            for list in met.drain(..) {
                let mask = std::mem::take(&mut masks[list as usize]);
                let detections = lists.different[list as usize].iter();
                detections.for_each(|detection| out[*detection as usize].add(word, mask));
            }
        }
        out.iter_mut().for_each(EventSet::sort);
        out
    }

    /// The detections of each profile. Identities are linked now, so what may have matched matches or does not.
    fn lists(&self, set: &RuleSet) -> Lists<'_> {
        let linked: Vec<Option<&Expr>> =
            (0..set.alike().len()).map(|place| set.expr(place).filter(|expr| expr.is_linked())).collect();
        let mut lists = Lists::default();
        // Lists are shared while events are read, so most of them stand in the same place.
        let mut by_place: HashMap<*const [u32], u32, RandomState> = HashMap::default();
        for profile in 0..self.profiles.len() {
            let list = self.profiles.detections_of(profile);
            let number = *by_place.entry(list).or_insert_with(|| lists.add(list.into()));
            lists.of.push(number);
        }
        let is_linked: Vec<bool> =
            lists.different.iter().map(|list| list.iter().any(|place| linked[*place as usize].is_some())).collect();
        let settled: Vec<(u32, Vec<u32>)> = (0..self.profiles.len())
            .into_par_iter()
            .filter(|profile| is_linked[lists.of[*profile as usize] as usize])
            .map(|profile| {
                let view = self.profiles.view(profile);
                let holds = |place: &u32| linked[*place as usize].is_none_or(|expr| expr.matches(&view));
                (profile, self.profiles.detections_of(profile).iter().copied().filter(holds).collect())
            })
            .collect();
        let mut by_content: HashMap<Vec<u32>, u32, RandomState> = HashMap::default();
        for (profile, list) in settled {
            let number = *by_content.entry(list).or_insert_with_key(|list| lists.add(list.clone().into()));
            lists.of[profile as usize] = number;
        }
        lists
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

    /// What an event is about, as the groups of its field have it; nothing where the record does not say.
    pub fn entities(&self, event: u32, entity: Entity) -> SmallVec<[Symbol; 2]> {
        let values = entity.fields().iter().map(|norm| self.group_values(event, &Field::Norm(*norm)));
        values.into_iter().find(|values| !values.is_empty()).unwrap_or_default()
    }

    /// An event of the store as something whose fields can be asked for.
    pub fn view(&self, event: u32) -> View<'_> {
        self.profiles.view(self.profile(event))
    }

    /// Bytes held, roughly, by what they are held for.
    pub fn bytes(&self) -> [(&'static str, usize); 2] {
        let each = size_of::<Kept>() + size_of::<Timestamp>() + size_of::<u32>();
        let texts = self.texts.capacity() + self.text_ends.capacity() * size_of::<usize>();
        let events = self.events.capacity() * each + texts + self.bodies.capacity() * size_of::<u64>();
        [("events", events), ("what events have in common", self.profiles.bytes())]
    }
}

impl Sink<Reader<'_>> for Store {
    fn wants(&self, organization: &str) -> bool {
        is_named(&self.organizations, organization)
    }

    fn facet(&mut self, facet: &FacetValues) -> u32 {
        self.profiles.facet(facet)
    }

    fn likeness(&mut self, likeness: &Likeness<'_, Arc<[u32]>>) -> u32 {
        self.profiles.of(likeness)
    }

    fn event(&mut self, event: &Occurrence<'_>) {
        let kept = self.kept(event);
        self.keep(kept, event.time, event.likeness, event.rivalry);
    }

    fn again(&mut self, event: &Occurrence<'_>) {
        self.equal(event);
    }
}

impl Kept {
    /// Where its id or body stands, if it is not in `id` itself.
    fn place(&self) -> usize {
        let [a, b, c, d, ..] = self.id;
        u32::from_le_bytes([a, b, c, d]) as usize
    }
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
            let (id_bytes, id_form) = store.written(id, 7);
            let kept = Kept { id: id_bytes, passage: 0, offset: 0, line: 0, id_form };
            assert_eq!((store.id_of(&kept).as_deref(), store.body_of(&kept)), (id, id.map_or(7, |_| 0)));
        }
        assert_eq!(size_of::<Kept>(), 24);
    }

    #[test]
    fn places_come_back_as_they_were() {
        let mut store = Store::default();
        let far = u64::from(u32::MAX) + 20;
        for (source, line, offset) in
            [(0, 1, 3), (0, 2, 900), (0, 70_000, 901), (0, 70_001, far), (0, 5, 2), (1, 6, 4), (1, 7, far + 9)]
        {
            let origin = Origin { source, line, offset };
            let (passage, offset, line) = store.place(origin);
            let kept = Kept { id: [0; 12], passage, offset, line, id_form: IdForm::None };
            assert_eq!(store.origin_of(&kept), origin);
        }
        assert_eq!(store.passages.len(), 5);
    }
}
