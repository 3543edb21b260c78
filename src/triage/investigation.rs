//! Investigation: the activity of a focus as sessions, what is usual and what is not, what was changed and how
//! it is undone, and the findings in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asked::Asked;
use super::change::{Change, changes};
use super::context;
use super::finding::Finding;
use super::focus::{Focus, Part};
use super::foothold::Footholds;
use super::usual::{Aspect, Habits};
use super::watch::{Happening, Seen};
use crate::enrich::directory::Directory;
use crate::event::coverage::Coverage;
use crate::event::origin::Origin;
use crate::event::party::{class_of, is_object_id};
use crate::event::time::{Span, Timestamp, Zone};
use crate::rule::Rule;
use crate::rule::set::RuleSet;

/// So few sessions are read event by event, whatever is in them.
const FEW: usize = 3;

/// What the same actor did from the same address with the same agent, without a pause.
#[derive(Clone, Debug)]
pub struct Session {
    /// the events, by their places
    pub events: Vec<usize>,
    /// aspects in which it is not usual
    pub odd: Vec<Aspect>,
    /// it holds nothing that has to be read event by event
    pub is_ordinary: bool,
    /// nothing in it casts suspicion on the rest of it; some of it may be evidence all the same, as an honest sign-in
    /// is of two places at once
    pub(super) is_usual: bool,
}

/// Somebody that the focus means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// the organization
    pub organization: String,
    /// `admin`, `user`, …
    pub kind: String,
    /// names, addresses and ids
    pub names: Vec<String>,
    /// what the directory says of them
    pub directory: BTreeMap<&'static str, String>,
}

/// How to put it together.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// a pause that ends a session
    pub idle: Span,
    /// zone of the hours
    pub zone: Zone,
    /// only sessions that reach into this stretch of time
    pub window: (Option<Timestamp>, Option<Timestamp>),
    /// so many of the sources are shown; those behind them only teach
    pub shown_sources: usize,
}

/// A finding at one of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// which of the findings
    pub finding: usize,
    /// it came to be at this event; else the event only has a part in it
    pub is_complete: bool,
}

/// All that is known of a focus.
pub struct Investigation<'a> {
    /// whom or what it is about
    pub focus: &'a Focus,
    /// the finding or the case that was asked for
    pub asked: Option<&'a Asked>,
    /// what was typed is the id of an event
    pub is_event: bool,
    /// who that is
    pub identities: Vec<Identity>,
    /// names like the one that nobody has
    pub near: Vec<String>,
    /// the events in their order
    pub happenings: &'a [Happening],
    /// how many of the sources are shown
    shown_sources: usize,
    /// what is usual in each organization
    pub habits: BTreeMap<Arc<str>, Habits>,
    /// the sessions that are shown, in the order of their first events
    pub sessions: Vec<Session>,
    /// what was changed in them
    pub changes: Vec<Change>,
    /// the findings that have a part in them, in the order of time
    pub findings: Vec<&'a Finding>,
    /// by event the findings that stand at it
    pub marks: BTreeMap<usize, Vec<Mark>>,
    /// what was read
    pub coverage: &'a Coverage,
    /// what was read that only teaches
    pub history: &'a Coverage,
    /// the names of the sources
    pub sources: &'a [String],
    /// the rules
    pub set: &'a RuleSet,
}

impl<'a> Investigation<'a> {
    /// Puts it together. What was read is that of the sources and what only teaches.
    pub fn new(
        focus: &'a Focus,
        asked: Option<&'a Asked>,
        seen: &'a Seen,
        findings: (&'a [Finding], &Footholds),
        read: ([&'a Coverage; 2], &'a [String], &'a RuleSet),
        manner: Manner,
    ) -> Investigation<'a> {
        let happenings = seen.happenings.as_slice();
        let (findings, footholds) = findings;
        // Of an address it is no news that all is from there.
        let nothing = Footholds::default();
        let footholds = if focus.is_network() { &nothing } else { footholds };
        let mut by_organization: BTreeMap<Arc<str>, Vec<&Happening>> = BTreeMap::new();
        for happening in happenings {
            let own = by_organization.entry(happening.organization.clone()).or_default();
            own.extend(Some(happening).filter(|happening| happening.deed.part != Part::Beside));
        }
        let habits_of = |happenings: Vec<&Happening>| {
            let is_of_one =
                !focus.is_network() && !focus.is_of_several() && happenings.iter().any(|h| h.deed.part == Part::Doer);
            Habits::of(&happenings, !is_of_one, footholds, manner.zone)
        };
        let habits: BTreeMap<_, _> = by_organization.into_iter().map(|(id, own)| (id, habits_of(own))).collect();
        let near = match happenings.is_empty() {
            true => super::focus::nearest(&focus.name, seen.names.iter().map(String::as_str)),
            false => vec![],
        };
        let mut sessions = sessions(happenings, manner);
        let place = seen.places();
        let shown: BTreeSet<usize> = sessions.iter().flat_map(|s| s.events.iter().copied()).collect();
        let (findings, marks) = findings_among(findings, seen, &place, &shown);
        // All that made a finding has to be read, also where the finding stands elsewhere.
        let cited = findings.iter().flat_map(|finding| &finding.evidence);
        let evidence: BTreeSet<usize> =
            cited.filter_map(|evidence| place.get(&evidence.origin).copied()).chain(marks.keys().copied()).collect();
        let is_short = sessions.len() <= FEW;
        let is_of_finding = asked.is_some_and(|asked| asked.finding_id().is_some());
        for session in &mut sessions {
            let habits = &habits[&happenings[session.events[0]].organization];
            let mut odd: BTreeSet<Aspect> =
                session.events.iter().flat_map(|e| habits.odd(&happenings[*e], manner.zone)).collect();
            if session.events.iter().any(|event| footholds.has(&happenings[*event])) {
                odd.insert(Aspect::Network);
            }
            let has_mark = session.events.iter().any(|event| marks.contains_key(event));
            let is_evidence = session.events.iter().any(|event| evidence.contains(event));
            session.odd = odd.into_iter().collect();
            let is_like_others = habits.are_enough() && session.odd.is_empty();
            session.is_usual = !is_short && !is_of_finding && is_like_others && !has_mark;
            session.is_ordinary = session.is_usual && !is_evidence;
        }
        let changes = changes(seen, &sessions, &evidence);
        let ([coverage, history], sources, set) = read;
        Investigation {
            focus,
            asked,
            is_event: false,
            identities: identities(happenings),
            near,
            happenings,
            shown_sources: manner.shown_sources,
            habits,
            sessions,
            changes,
            findings,
            marks,
            coverage,
            history,
            sources,
            set,
        }
    }

    /// Looks everybody up in the directory.
    pub fn look_up(&mut self, directory: &Directory) {
        for identity in &mut self.identities {
            let class = class_of(Some(&identity.kind));
            let names: Vec<&str> = identity.names.iter().map(String::as_str).collect();
            let ids: Vec<Option<&str>> = names.iter().filter(|name| is_object_id(name)).map(|id| Some(*id)).collect();
            let tries = if ids.is_empty() { vec![None] } else { ids };
            let person = tries.into_iter().find_map(|id| directory.person(class, &identity.organization, id, &names));
            identity.directory = person.map(context::facts).unwrap_or_default();
        }
    }

    /// The events that do not only teach, by whom or about whom it is.
    pub fn own(&self) -> impl Iterator<Item = &'a Happening> {
        let is_own = |happening: &&Happening| happening.deed.part != Part::Beside;
        self.happenings.iter().filter(is_own).filter(|happening| is_shown(happening, self.shown_sources))
    }

    /// Whether it is about more than one organization, so that each thing has to say of which it is.
    pub fn is_of_many(&self) -> bool {
        self.habits.len() > 1
    }

    /// The rule of a finding.
    pub fn rule(&self, finding: &Finding) -> &Rule {
        &self.set.rules[finding.rule]
    }
}

fn is_shown(happening: &Happening, sources: usize) -> bool {
    (happening.origin.source as usize) < sources
}

/// Events of one actor, address and agent with no longer pause between them than `idle`.
fn sessions(happenings: &[Happening], manner: Manner) -> Vec<Session> {
    let mut open = BTreeMap::new();
    // Of each command the session in which it ran last: the answers of the devices belong there.
    let mut ran: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut sessions: Vec<Session> = Vec::new();
    for (place, happening) in happenings.iter().enumerate() {
        let deed = &happening.deed;
        let key = (&*happening.organization, deed.actor_key.as_str(), deed.ip.as_deref(), deed.agent.as_deref());
        let command = deed.command.as_deref().map(|command| (&*happening.organization, command));
        let of_run = command.filter(|_| deed.is_of_device).and_then(|command| ran.get(&command));
        let goes_on = of_run.or_else(|| open.get(&key)).copied().filter(|session: &usize| {
            let last = sessions[*session].events.last().map_or(happening.time, |last| happenings[*last].time);
            happening.time.since(last) <= manner.idle
        });
        if let Some(session) = goes_on {
            sessions[session].events.push(place);
        } else {
            open.insert(key, sessions.len());
            sessions.push(Session { events: vec![place], odd: vec![], is_ordinary: true, is_usual: true });
        }
        if let Some(command) = command.filter(|_| !deed.is_of_device) {
            ran.insert(command, goes_on.unwrap_or(sessions.len() - 1));
        }
    }
    let (from, to) = manner.window;
    let is_within = |session: &Session| {
        let (first, last) = ends(session, happenings);
        let has_own = session.events.iter().any(|event| is_shown(&happenings[*event], manner.shown_sources));
        has_own && from.is_none_or(|from| last >= from) && to.is_none_or(|to| first <= to)
    };
    sessions.retain(is_within);
    sessions.sort_by_key(|session| (happenings[session.events[0]].time, session.events[0]));
    sessions
}

/// When a session begins and ends.
pub fn ends(session: &Session, happenings: &[Happening]) -> (Timestamp, Timestamp) {
    let time = |place: Option<&usize>| place.map_or(Timestamp::default(), |place| happenings[*place].time);
    (time(session.events.first()), time(session.events.last()))
}

/// The findings that the shown events have a part in, and the events at which they came to be. Where none of these is
/// among them, the finding stands at the last one that has a part in it.
fn findings_among<'a>(
    all: &'a [Finding],
    seen: &Seen,
    place: &BTreeMap<Origin, usize>,
    shown: &BTreeSet<usize>,
) -> (Vec<&'a Finding>, BTreeMap<usize, Vec<Mark>>) {
    let mut found: Vec<(usize, bool, &Finding)> = Vec::new();
    for finding in all {
        let is_shown = |origin: &Origin| place.get(origin).copied().filter(|event| shown.contains(event));
        let parts: Vec<usize> = finding.evidence.iter().filter_map(|e| is_shown(&e.origin)).collect();
        let keys: BTreeSet<(Timestamp, &str)> =
            finding.completing.iter().map(|completing| (completing.time, completing.key.as_str())).collect();
        let is_met_at = |event: &&usize| {
            let happening = &seen.happenings[**event];
            happening.id.as_deref().is_some_and(|id| keys.contains(&(happening.time, id)))
        };
        let completed = is_shown(&finding.completed).or_else(|| parts.iter().filter(is_met_at).min().copied());
        if let Some(at) = completed.or_else(|| parts.iter().max().copied()) {
            found.push((at, completed.is_some(), finding));
        }
    }
    found.sort_by_key(|(at, _, finding)| (*at, std::cmp::Reverse(finding.severity), finding.id.clone()));
    let mut marks: BTreeMap<usize, Vec<Mark>> = BTreeMap::new();
    for (number, (at, is_complete, _)) in found.iter().enumerate() {
        marks.entry(*at).or_default().push(Mark { finding: number, is_complete: *is_complete });
    }
    (found.into_iter().map(|(.., finding)| finding).collect(), marks)
}

/// Everybody that the focus means, each with all names.
fn identities(happenings: &[Happening]) -> Vec<Identity> {
    let mut known: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    for happening in happenings {
        for (kind, key, names) in &happening.deed.identities {
            let names = names.iter().map(String::as_str);
            known.entry((kind, &happening.organization, key)).or_default().extend(names);
        }
    }
    let identity = |((kind, organization, _), names): ((&str, &str, &str), BTreeSet<&str>)| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        // Ids last: they say least.
        names.sort_by_key(|name| (is_object_id(name), name.clone()));
        Identity { organization: organization.to_owned(), kind: kind.to_owned(), names, directory: BTreeMap::new() }
    };
    known.into_iter().map(identity).collect()
}
