//! Ledger: all that was done to the properties that somebody changed, in order: what was before, who changed it since, and
//! how it stands at the end of the log.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::change::{Change, Field, How, Settled};
use super::focus::Part;
use super::investigation::Session;
use super::row;
use super::sentence::{self, Effect, Wording, is_only_seen};
use super::watch::{Happening, Seen};
use crate::event::time::{DAY, Timestamp};

/// What different people changed further apart than this is no one change.
const LONG_AFTER: i64 = 7 * DAY;

/// A property of something in one organization.
type Property = (Arc<str>, u128);

/// One event that did something to a property.
struct Touch<'s> {
    time: Timestamp,
    /// what tells it from others of that time: its id and its body
    of_time: (Option<&'s str>, u64),
    actor: &'s str,
    effect: &'s Effect,
    /// its place, if it is one of those that were watched
    event: Option<usize>,
}

/// How a property stands at the end of the log.
enum Standing<'t, 's> {
    /// as a change left it
    Open,
    /// not to be undone, for what this event did
    Settled(How, &'t Touch<'s>),
}

/// All that was done to the properties that somebody changed.
pub struct Ledger<'s> {
    happenings: &'s [Happening],
    /// the changes that are shown, and whether they stand in sessions that are not as usual
    shown: BTreeMap<usize, bool>,
    /// those of them that belong to what was found
    suspect: HashSet<usize>,
    /// those that somebody else did behind that
    afterwards: HashSet<usize>,
    /// those that may have been done against whoever did it
    answers: HashSet<usize>,
    touches: HashMap<Property, Vec<Touch<'s>>>,
}

impl<'s> Ledger<'s> {
    /// What was done to the properties that the changes in some sessions are about.
    pub fn new(seen: &'s Seen, sessions: &[Session], evidence: &BTreeSet<usize>) -> Ledger<'s> {
        let happenings = seen.happenings.as_slice();
        let (mut shown, mut suspect) = (BTreeMap::new(), HashSet::new());
        for session in sessions {
            let is_odd = !session.odd.is_empty() || session.events.iter().any(|event| evidence.contains(event));
            for event in &session.events {
                let is_telling = !session.is_usual || evidence.contains(event);
                let deed = &happenings[*event].deed;
                suspect.extend(Some(*event).filter(|_| is_odd));
                if deed.undo.is_some() && (is_telling || !is_only_seen(&deed.event_type)) {
                    shown.insert(*event, is_telling);
                }
            }
        }
        let afterwards = afterwards(happenings, &shown, &suspect, evidence);
        let answers = answers(happenings, evidence);
        let touches = touches(seen, shown.keys());
        Ledger { happenings, shown, suspect, afterwards, answers, touches }
    }

    fn property(&self, event: usize, effect: &Effect) -> Option<Property> {
        Some((Arc::clone(&self.happenings[event].organization), effect.property?))
    }

    /// The shown changes, together where they changed the same.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut root: HashMap<usize, usize> = HashMap::new();
        let find = |root: &HashMap<usize, usize>, mut event: usize| {
            while let Some(above) = root.get(&event) {
                event = *above;
            }
            event
        };
        let mut first: HashMap<Property, usize> = HashMap::new();
        for event in self.shown.keys() {
            for property in self.happenings[*event].deed.effects.iter().filter_map(|e| self.property(*event, e)) {
                let other = *first.entry(property).or_insert(*event);
                let (a, b) = (find(&root, other), find(&root, *event));
                if a != b {
                    root.insert(a.max(b), a.min(b));
                }
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for event in self.shown.keys() {
            groups.entry(find(&root, *event)).or_default().push(*event);
        }
        let mut out: Vec<Vec<usize>> = groups.into_values().flat_map(|events| self.apart(events)).collect();
        out.sort_unstable();
        out
    }

    /// Changes of the same, apart where something suspicious begins: behind what is not, and where somebody else did it long
    /// after.
    fn apart(&self, events: Vec<usize>) -> Vec<Vec<usize>> {
        let mut out: Vec<Vec<usize>> = Vec::new();
        let mut last: Option<&Happening> = None;
        for event in events {
            let own = &self.happenings[event];
            let is_suspect = self.suspect.contains(&event);
            let begins = is_suspect
                && last.is_none_or(|last| {
                    last.deed.actor_key != own.deed.actor_key && own.time.since(last.time).0 > LONG_AFTER
                });
            match out.last_mut().filter(|_| !begins) {
                Some(group) => group.push(event),
                None => out.push(vec![event]),
            }
            last = if is_suspect { Some(own) } else { last };
        }
        out
    }

    /// What some events that belong together changed, and what of it has to be undone.
    pub fn change(&self, events: &[usize]) -> Change {
        let is_telling = events.iter().any(|event| self.shown[event]);
        let (undo, settled) = self.outcome(events);
        Change { steps: row::rows(self.happenings, events, |_| false), undo, settled, is_telling }
    }

    /// What has to be undone of what some events did, and what has not.
    fn outcome(&self, events: &[usize]) -> (Vec<Wording>, Vec<Settled>) {
        let deed = |event: &usize| &self.happenings[*event].deed;
        if events.iter().all(|event| self.afterwards.contains(event)) {
            return (vec![], vec![self.done_later(How::Afterwards, events)]);
        }
        let mut out = Outcome::default();
        let mut met: HashSet<u128> = HashSet::new();
        for event in events.iter().filter(|event| !self.afterwards.contains(event)) {
            let own = deed(event);
            if own.effects.is_empty() {
                out.say(own.undo.as_ref());
            }
            for effect in &own.effects {
                if effect.property.is_some_and(|property| !met.insert(property)) {
                    continue;
                }
                let (from, last, standing) = self.standing(*event, effect, events);
                match standing {
                    Standing::Settled(how, touch) => out.settle(how, touch, from, effect),
                    Standing::Open if from.is_field => out.set_back(own.on.as_ref(), from.set_back()),
                    Standing::Open => out.say(deed(&last).undo.as_ref()),
                }
            }
            out.renew(own.renewed.as_ref());
        }
        let is_answer = out.settled.is_empty() && events.iter().all(|event| self.answers.contains(event));
        let answer = is_answer.then(|| self.done_later(How::Answer, events));
        // Of one event without fields, of which all is open, there is nothing else to say.
        let (undo, settled) = match (events, out.settled.is_empty() && out.fields.is_empty()) {
            ([event], true) => (deed(event).undo.iter().cloned().collect(), vec![]),
            _ => out.done(),
        };
        (undo, answer.into_iter().chain(settled).collect())
    }

    fn done_later(&self, how: How, events: &[usize]) -> Settled {
        let times = events.iter().map(|event| self.happenings[*event].time);
        let (first, last) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
        let actor = self.happenings[events[0]].deed.actor.clone();
        Settled { how, actor, fields: vec![], first, last }
    }

    /// How a property stands that these events changed: the change that it is undone to, the last of theirs, and whether
    /// it still has to be.
    fn standing(&self, event: usize, effect: &'s Effect, events: &[usize]) -> (&'s Effect, usize, Standing<'_, 's>) {
        let touches = self.property(event, effect).and_then(|property| self.touches.get(&property));
        let touches = touches.map_or(&[][..], Vec::as_slice);
        let is_own = |touch: &Touch<'_>| touch.event.filter(|event| events.binary_search(event).is_ok());
        let is_suspect = |touch: &Touch<'_>| is_own(touch).is_some_and(|event| self.suspect.contains(&event));
        let first = touches.iter().position(is_suspect).or_else(|| touches.iter().position(|t| is_own(t).is_some()));
        let Some(first) = first else { return (effect, event, Standing::Open) };
        let (begin, end) = (&touches[first], &touches[touches.len() - 1]);
        let last = touches.iter().filter_map(is_own).next_back().unwrap_or(event);
        let from = begin.effect;
        if let Some(gone) = self.gone(event, begin) {
            return (from, last, Standing::Settled(How::Gone, gone));
        }
        let later = &touches[first + 1..];
        let same = later.iter().rev().take_while(|touch| touch.effect.to.is_same(&from.from)).last();
        let standing = match same {
            Some(touch) if from.is_existence && from.from.is_yes() => Standing::Settled(How::MadeAnew, touch),
            Some(touch) if from.is_existence => Standing::Settled(How::Gone, touch),
            Some(touch) => Standing::Settled(How::PutBack, touch),
            None if is_own(end).is_none() || is_suspect(begin) && !is_suspect(end) => {
                Standing::Settled(How::ChangedAgain, end)
            }
            None => Standing::Open,
        };
        (from, last, standing)
    }

    /// The event that deleted what a property was changed of.
    fn gone(&self, event: usize, begin: &Touch<'_>) -> Option<&Touch<'s>> {
        let organization = &self.happenings[event].organization;
        let last = |thing: &u128| self.touches.get(&(Arc::clone(organization), *thing))?.last();
        let is_gone = |touch: &&Touch<'_>| !touch.effect.to.is_yes() && touch.time >= begin.time;
        begin.effect.things.iter().flatten().filter_map(last).find(is_gone)
    }
}

/// What is said of the properties that some events changed.
#[derive(Default)]
struct Outcome {
    on: Option<Wording>,
    fields: Vec<String>,
    said: Vec<Wording>,
    renewed: Vec<Wording>,
    settled: Vec<Settled>,
}

impl Outcome {
    fn say(&mut self, undo: Option<&Wording>) {
        self.said.extend(undo.filter(|undo| !self.said.contains(undo)).cloned());
    }

    fn renew(&mut self, undo: Option<&Wording>) {
        self.renewed.extend(undo.filter(|undo| !self.renewed.contains(undo)).cloned());
    }

    fn set_back(&mut self, on: Option<&Wording>, field: String) {
        self.on = self.on.take().or_else(|| on.cloned());
        self.fields.push(field);
    }

    fn settle(&mut self, how: How, touch: &Touch<'_>, from: &Effect, effect: &Effect) {
        let words = |state: &sentence::State| state.words().map(str::to_owned);
        let field = Field { name: effect.name.clone(), was: words(&from.from), is: words(&touch.effect.to) };
        let same = self
            .settled
            .iter_mut()
            .find(|known| (known.how, known.first, known.actor.as_str()) == (how, touch.time, touch.actor));
        match same {
            Some(known) => known.fields.push(field),
            None => self.settled.push(Settled {
                how,
                actor: touch.actor.to_owned(),
                fields: vec![field],
                first: touch.time,
                last: touch.time,
            }),
        }
    }

    fn done(self) -> (Vec<Wording>, Vec<Settled>) {
        let set_back = (!self.fields.is_empty()).then(|| sentence::set_back(self.on, &self.fields));
        let undo: Vec<Wording> = set_back.into_iter().chain(self.said).chain(self.renewed).collect();
        (undo, self.settled)
    }
}

/// The changes that nobody did who had a part in what was found, since then: they may be what put it in order.
fn afterwards(
    happenings: &[Happening],
    shown: &BTreeMap<usize, bool>,
    suspect: &HashSet<usize>,
    evidence: &BTreeSet<usize>,
) -> HashSet<usize> {
    let mut since: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for happening in evidence.iter().map(|event| &happenings[*event]) {
        let first = since.entry(&happening.organization).or_insert(happening.time);
        *first = happening.time.min(*first);
    }
    let actor = |event: &usize| (&*happenings[*event].organization, happenings[*event].deed.actor_key.as_str());
    let suspects: HashSet<(&str, &str)> = suspect.iter().map(actor).collect();
    let is_after = |event: &usize| since.get(actor(event).0).is_some_and(|since| happenings[*event].time >= *since);
    let is_other = |event: &usize| !actor(event).1.is_empty() && !suspects.contains(&actor(event));
    shown.keys().filter(|event| is_after(event) && is_other(event)).copied().collect()
}

/// The evidence of findings about what was done to somebody of whom something had been found before, or to what they had
/// made, by others of whom nothing else was.
fn answers(happenings: &[Happening], evidence: &BTreeSet<usize>) -> HashSet<usize> {
    let mut since: HashMap<(&str, &str), Timestamp> = HashMap::new();
    let mut found: HashSet<usize> = HashSet::new();
    let mut others: HashSet<(&str, &str)> = HashSet::new();
    for event in evidence {
        let Happening { organization, time, deed, .. } = &happenings[*event];
        let actor = (&**organization, deed.actor_key.as_str());
        let targets = deed.identities.iter().filter(|(_, key, _)| !key.is_empty() && *key != deed.actor_key);
        let mut before = targets.filter_map(|(_, key, _)| since.get(&(&**organization, key.as_str())));
        if deed.part == Part::DoneTo && before.any(|before| before < time) {
            found.insert(*event);
        } else {
            others.insert(actor);
            since.entry(actor).or_insert(*time);
            let is_made = deed.effects.iter().any(|effect| effect.is_existence && effect.to.is_yes());
            for (_, key, _) in deed.identities.iter().filter(|(_, key, _)| is_made && !key.is_empty()) {
                since.entry((&**organization, key.as_str())).or_insert(*time);
            }
        }
    }
    let is_others = |event: &usize| {
        let Happening { organization, deed, .. } = &happenings[*event];
        others.contains(&(&**organization, deed.actor_key.as_str()))
    };
    found.into_iter().filter(|event| !is_others(event)).collect()
}

/// All that was done to the properties of these events, and to the things that they are properties of, in order.
fn touches<'s, 'e>(seen: &'s Seen, events: impl Iterator<Item = &'e usize>) -> HashMap<Property, Vec<Touch<'s>>> {
    let mut wanted: HashSet<Property> = HashSet::new();
    for happening in events.map(|event| &seen.happenings[*event]) {
        for effect in &happening.deed.effects {
            let all = effect.property.iter().chain(effect.things.iter().flatten());
            wanted.extend(all.map(|property| (Arc::clone(&happening.organization), *property)));
        }
    }
    let mut found: HashMap<Property, Vec<Touch<'s>>> = HashMap::new();
    let mut touch = |organization: &Arc<str>, touch: Touch<'s>| {
        let property = touch.effect.property.map(|property| (Arc::clone(organization), property));
        if let Some(property) = property.filter(|property| wanted.contains(property)) {
            found.entry(property).or_default().push(touch);
        }
    };
    for (place, happening) in seen.happenings.iter().enumerate() {
        let (time, of_time) = (happening.time, (happening.id.as_deref(), happening.body));
        for effect in &happening.deed.effects {
            let actor = &happening.deed.actor;
            touch(&happening.organization, Touch { time, of_time, actor, effect, event: Some(place) });
        }
    }
    for other in &seen.others {
        let (time, of_time) = (other.time, (other.id.as_deref(), other.body));
        for effect in other.watched.effects() {
            let actor = other.watched.actor();
            touch(&other.organization, Touch { time, of_time, actor, effect, event: None });
        }
    }
    found.values_mut().for_each(|all| all.sort_by_key(|touch| (touch.time, touch.of_time)));
    found
}
