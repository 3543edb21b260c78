//! Watch: what is seen of a focus when the sources are read again: each event that belongs to it, in words.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::asked::Cited;
use super::focus::{Focus, Part};
use super::related::is_of_device;
use super::sentence::{self, Effect, Sentence, Wording};
use crate::event::facet;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::identity::Links;
use crate::event::occurrence::{Likeness, Occurrence, Sink, Understand, is_named};
use crate::event::origin::Origin;
use crate::event::outside::Enriched;
use crate::event::outside::LookUp;
use crate::event::party::Party;
use crate::event::time::Timestamp;
use crate::event::{Event, Outcome};

/// What events that are alike have in common.
#[derive(Clone, Debug)]
pub struct Deed {
    /// canonical type
    pub event_type: String,
    /// how it ended
    pub outcome: Outcome,
    /// how it belongs to the focus
    pub part: Part,
    /// who did it, as one identity; empty if nobody is named
    pub actor_key: String,
    /// who did it, as in the log; a device that tells of itself by its name
    pub actor: String,
    /// a device tells of itself, so nobody did it
    pub is_of_device: bool,
    /// it was done with an API key
    pub is_by_key: bool,
    /// the address
    pub ip: Option<String>,
    /// its network
    pub network: Option<String>,
    /// its country
    pub country: Option<String>,
    /// the program, and what it ran on
    pub agent: Option<String>,
    /// the application
    pub app: Option<String>,
    /// the device: its name, and its id
    pub device: Option<(String, Option<String>)>,
    /// the device, else what it was done to: its name, and its id
    pub object: Option<(String, Option<String>)>,
    /// the command that ran, or that a device answered
    pub command: Option<String>,
    /// in words
    pub sentence: Sentence,
    /// how it is undone, if it changed anything
    pub undo: Option<Wording>,
    /// what it did to which properties
    pub effects: Vec<Effect>,
    /// by which name they are properties of something
    pub on: Option<Wording>,
    /// what has to be made new also where all else was put back
    pub renewed: Option<Wording>,
    /// whom it is about of those the focus means: kind, key, names
    pub identities: Vec<(String, String, Vec<String>)>,
    /// the id of the device, if the focus means it by its name
    pub device_meant: Option<String>,
}

impl Deed {
    /// Whether somebody tried to sign in in vain.
    pub fn is_failed_sign_in(&self) -> bool {
        self.outcome == Outcome::Failure && sentence::is_sign_in(&self.event_type)
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Happening {
    /// the organization
    pub organization: Arc<str>,
    /// when
    pub time: Timestamp,
    /// its id, if it has one
    pub id: Option<String>,
    /// where it stands
    pub origin: Origin,
    /// hash of its body
    pub(super) body: u64,
    /// what it has in common with others
    pub deed: Arc<Deed>,
}

/// What others did to properties of things.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// who did it, as in the log
    pub actor: String,
    /// what it did to which properties
    pub effects: Vec<Effect>,
}

/// What is made of an event.
#[derive(Clone, Debug)]
pub enum Watched {
    /// it belongs to the focus, or may be cited
    Own(Arc<Deed>),
    /// it does not, and may have put back what did
    Other(Arc<Elsewhere>),
}

/// One event that does not belong to the focus and changed something.
#[derive(Clone, Debug)]
pub struct Other {
    /// the organization
    pub organization: Arc<str>,
    /// when
    pub time: Timestamp,
    /// its id, if it has one
    pub id: Option<String>,
    /// hash of its body
    pub(super) body: u64,
    /// what it has in common with others
    pub watched: Watched,
}

impl From<Happening> for Other {
    fn from(happening: Happening) -> Other {
        let Happening { organization, time, id, body, deed, .. } = happening;
        Other { organization, time, id, body, watched: Watched::Own(deed) }
    }
}

impl Watched {
    /// Who did it, as in the log.
    pub fn actor(&self) -> &str {
        match self {
            Watched::Own(deed) => &deed.actor,
            Watched::Other(other) => &other.actor,
        }
    }

    /// What it did to which properties.
    pub fn effects(&self) -> &[Effect] {
        match self {
            Watched::Own(deed) => &deed.effects,
            Watched::Other(other) => &other.effects,
        }
    }
}

/// What a worker makes of events while it watches.
pub struct Watcher<'w> {
    focus: &'w Focus,
    links: &'w Links,
    look_up: Option<&'w LookUp<'w>>,
    cited: &'w Cited,
    needed: Arc<[usize]>,
}

impl<'w> Watcher<'w> {
    /// A watcher that looks for one focus, and for what is cited beside it.
    pub fn new(focus: &'w Focus, cited: &'w Cited, links: &'w Links, look_up: Option<&'w LookUp<'w>>) -> Watcher<'w> {
        Watcher { focus, links, look_up, cited, needed: (0..facet::FIXED).collect() }
    }

    fn deed(&self, part: Part, event: &Event<'_>) -> Deed {
        let enriched = Enriched { event, outside: self.look_up.map(|look_up| look_up(event)) };
        let text = |norm| {
            let values = enriched.values(&Field::Norm(norm));
            values.iter().filter_map(Value::text).find(|text| !text.is_empty()).map(str::to_owned)
        };
        let key = |party: &Party<'_>| self.links.key_of(event.organization(), party);
        let agent = match (text(Norm::AgentName), text(Norm::AgentOs)) {
            (Some(agent), Some(os)) => Some(format!("{agent} on {os}")),
            (agent, os) => agent.or(os),
        };
        let device_key = text(Norm::DeviceKey);
        let by = [text(Norm::ActorType), text(Norm::ActorId)];
        let is_of_device = is_of_device(by[0].as_deref(), by[1].as_deref(), device_key.as_deref());
        let thing = |[name, id]: [Norm; 2]| {
            let name = text(name)?;
            let id = text(id).filter(|id| *id != name);
            Some((name, id))
        };
        let device = thing([Norm::DeviceName, Norm::DeviceKey]);
        let identity = |party: &&Party<'_>| {
            let is_device = device_key.is_some() && party.id == device_key.as_deref();
            let names = [party.name, party.email].into_iter().flatten();
            let names = names.chain(event.device_names().filter(|_| is_device)).chain(party.id);
            let names = names.map(str::to_owned).collect();
            let unknown = if std::ptr::eq(*party, &raw const event.actor) { "user" } else { "object" };
            let kind = party.kind.as_deref().unwrap_or(unknown).to_owned();
            (kind, key(party).unwrap_or_default(), names)
        };
        let effects = self.effects(event);
        Deed {
            event_type: event.event_type.to_string(),
            outcome: event.outcome,
            part,
            actor_key: key(&event.actor).unwrap_or_default(),
            actor: device
                .as_ref()
                .filter(|_| is_of_device)
                .map(|(name, _)| name.clone())
                .or_else(|| text(Norm::ActorName))
                .unwrap_or_default(),
            is_of_device,
            is_by_key: text(Norm::ActorVia).is_some_and(|via| via == "api-key"),
            ip: text(Norm::SourceIp),
            network: text(Norm::SourceNetwork),
            country: text(Norm::SourceCountry),
            agent,
            app: text(Norm::AppName),
            object: device.clone().or_else(|| thing([Norm::TargetName, Norm::TargetId])),
            command: key(&event.target).filter(|_| matches!(&*event.event_type, "command_run" | "command_result")),
            sentence: sentence::of_enriched(&enriched),
            undo: sentence::undo(event, &effects),
            effects,
            on: sentence::target(event),
            renewed: sentence::renewed(event),
            identities: self.focus.parties(event, self.links).iter().map(identity).collect(),
            device_meant: device_key.filter(|_| self.focus.is_device(event)),
            device,
        }
    }
}

impl Watcher<'_> {
    fn effects(&self, event: &Event<'_>) -> Vec<Effect> {
        sentence::effects(event, &|party| self.links.key_of(event.organization(), party))
    }

    fn elsewhere(&self, event: &Event<'_>) -> Option<Elsewhere> {
        let effects: Vec<Effect> = self.effects(event).into_iter().filter(|e| e.property.is_some()).collect();
        let actor = event.actor.shown().unwrap_or_default().to_owned();
        (!effects.is_empty()).then_some(Elsewhere { actor, effects })
    }
}

impl Understand for Watcher<'_> {
    /// Names in it.
    type Facet = Vec<String>;
    type Verdict = Watched;

    fn facet(&mut self, facet: usize, event: &Event<'_>) -> (Vec<String>, u32) {
        let norms: &[Norm] = match facet {
            facet::ACTOR => &[Norm::ActorName, Norm::ActorEmail],
            facet::TARGET => &[Norm::TargetName, Norm::TargetEmail],
            _ => &[],
        };
        let values = norms.iter().flat_map(|norm| event.values(&Field::Norm(*norm)));
        let devices = event.device_names().filter(|_| facet == facet::of(Norm::DeviceName)).map(str::to_owned);
        (values.filter_map(|value| value.text().map(str::to_owned)).chain(devices).collect(), 0)
    }

    fn needed(&mut self, _: &str) -> Arc<[usize]> {
        Arc::clone(&self.needed)
    }

    fn needs_whole(&self, _: &str) -> bool {
        true
    }

    fn verdict(&mut self, _: &str, _: &[u32], whole: Option<&Event<'_>>) -> Option<Watched> {
        let event = whole?;
        match self.focus.part(event, self.links) {
            Some(part) => Some(Watched::Own(Arc::new(self.deed(part, event)))),
            None if self.cited.may_be(&event.event_type) => {
                Some(Watched::Own(Arc::new(self.deed(Part::Beside, event))))
            }
            None => self.elsewhere(event).map(|elsewhere| Watched::Other(Arc::new(elsewhere))),
        }
    }
}

/// All that was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// the events that belong to the focus
    pub happenings: Vec<Happening>,
    /// what others changed, in no order
    pub others: Vec<Other>,
    /// names of everybody and of all devices, to help where one was mistyped
    pub names: BTreeSet<String>,
    /// other records of events that belong to it, as another exporter wrote them
    equals: Vec<Happening>,
    /// whose events are looked at; everybody's, if nobody is named
    organizations: Vec<String>,
    /// what is shown beside that
    cited: Cited,
    likenesses: Vec<(Arc<str>, Watched)>,
    facets: u32,
}

impl Seen {
    /// Nothing yet, of these organizations; of all, if none is named.
    pub fn new(organizations: &[String], cited: Cited) -> Seen {
        Seen { organizations: organizations.to_vec(), cited, ..Seen::default() }
    }

    /// Leaves out what only might have been cited, and puts the events into their total order: organization, time, id,
    /// body.
    pub fn close(&mut self) {
        let places = self.places();
        let cited: BTreeSet<usize> = self.cited.origins.iter().filter_map(|o| places.get(o).copied()).collect();
        let all = std::mem::take(&mut self.happenings).into_iter().enumerate();
        let (own, others): (Vec<_>, Vec<_>) =
            all.partition(|(place, happening)| happening.deed.part != Part::Beside || cited.contains(place));
        self.happenings = own.into_iter().map(|(_, happening)| happening).collect();
        self.others.extend(others.into_iter().map(|(_, happening)| Other::from(happening)));
        self.happenings.sort_by(|a, b| {
            let key = |h: &Happening| (Arc::clone(&h.organization), h.time, h.id.clone(), h.body, h.origin);
            key(a).cmp(&key(b))
        });
    }

    /// By origin the place of the event whose record stands there. Rules keep one of the records of an event, which
    /// need not be the one that is shown.
    pub fn places(&self) -> BTreeMap<Origin, usize> {
        let mut places: BTreeMap<Origin, usize> =
            self.happenings.iter().enumerate().map(|(place, happening)| (happening.origin, place)).collect();
        if self.equals.is_empty() {
            return places;
        }
        let key = |h: &Happening| (Arc::clone(&h.organization), h.id.clone(), h.body);
        let by_key: HashMap<_, usize> =
            self.happenings.iter().enumerate().map(|(place, happening)| (key(happening), place)).collect();
        let others = self.equals.iter().filter_map(|equal| Some((equal.origin, *by_key.get(&key(equal))?)));
        places.extend(others);
        places
    }

    fn happening(&self, event: &Occurrence<'_>) -> Option<Happening> {
        let (organization, watched) = self.likenesses.get(event.likeness as usize)?;
        let Watched::Own(deed) = watched else { return None };
        if deed.part == Part::Beside && !self.cited.is_of(event.time) {
            return None;
        }
        Some(Happening {
            organization: Arc::clone(organization),
            time: event.time,
            id: event.id.map(str::to_owned),
            origin: event.stamp.origin,
            body: event.stamp.body,
            deed: Arc::clone(deed),
        })
    }

    fn other(&self, event: &Occurrence<'_>) -> Option<Other> {
        let (organization, watched) = self.likenesses.get(event.likeness as usize)?;
        if watched.effects().is_empty() {
            return None;
        }
        Some(Other {
            organization: Arc::clone(organization),
            time: event.time,
            id: event.id.map(str::to_owned),
            body: event.stamp.body,
            watched: watched.clone(),
        })
    }
}

impl Sink<Watcher<'_>> for Seen {
    fn wants(&self, organization: &str) -> bool {
        is_named(&self.organizations, organization)
    }

    fn facet(&mut self, names: &Vec<String>) -> u32 {
        names.iter().for_each(|name| {
            if !self.names.contains(name) {
                self.names.insert(name.clone());
            }
        });
        self.facets += 1;
        self.facets - 1
    }

    fn likeness(&mut self, likeness: &Likeness<'_, Watched>) -> u32 {
        self.likenesses.push((likeness.organization.into(), likeness.verdict.clone()));
        u32::try_from(self.likenesses.len() - 1).unwrap_or(u32::MAX)
    }

    fn event(&mut self, event: &Occurrence<'_>) {
        match self.happening(event) {
            Some(happening) => self.happenings.push(happening),
            None => self.others.extend(self.other(event)),
        }
    }

    fn again(&mut self, event: &Occurrence<'_>) {
        self.equals.extend(self.happening(event));
    }
}
