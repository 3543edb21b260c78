//! Investigation: the activity of a focus as sessions, what is usual and what is not, what was changed and how
//! it is undone, and the findings in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context;
use super::finding::Finding;
use super::focus::{Focus, Part};
use super::foothold::Footholds;
use super::namesake::{Called, Thing, apart, count, counted, few_of};
use super::sentence::{LONGEST, Wording, cut, is_only_seen};
use super::usual::{Aspect, Habits};
use super::watch::{Deed, Happening, Seen};
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
    is_usual: bool,
}

/// Something that was changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// the events that say it in the same words, by their places
    pub events: Vec<usize>,
    /// how it is undone
    pub undo: String,
    /// it stands in a session that is not as usual, or is evidence itself
    pub is_telling: bool,
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

/// All that is known of a focus.
pub struct Investigation<'a> {
    /// whom or what it is about
    pub focus: &'a Focus,
    /// the finding that was asked for
    pub asked: Option<&'a Finding>,
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
    /// by event the findings that came to be at it
    pub marks: BTreeMap<usize, Vec<usize>>,
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
        asked: Option<&'a Finding>,
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
            by_organization.entry(happening.organization.clone()).or_default().push(happening);
        }
        let habits_of = |happenings: Vec<&Happening>| {
            let is_of_one = !focus.is_network() && happenings.iter().any(|h| h.deed.part == Part::Doer);
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
        let (findings, marks) = findings_among(findings, &place, &shown);
        // All that made a finding has to be read, also where the finding stands elsewhere.
        let cited = findings.iter().flat_map(|finding| &finding.evidence);
        let evidence: BTreeSet<usize> =
            cited.filter_map(|evidence| place.get(&evidence.origin).copied()).chain(marks.keys().copied()).collect();
        let is_short = sessions.len() <= FEW;
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
            session.is_usual = !is_short && asked.is_none() && is_like_others && !has_mark;
            session.is_ordinary = session.is_usual && !is_evidence;
        }
        let changes = changes(happenings, &sessions, &evidence);
        let ([coverage, history], sources, set) = read;
        Investigation {
            focus,
            asked,
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

    /// The events that do not only teach.
    pub fn own(&self) -> impl Iterator<Item = &'a Happening> {
        self.happenings.iter().filter(|happening| is_shown(happening, self.shown_sources))
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

/// The findings that the shown events have a part in, and the events at which they came to be. Where that
/// event is not among them, the finding stands at the last one that is.
fn findings_among<'a>(
    all: &'a [Finding],
    place: &BTreeMap<Origin, usize>,
    shown: &BTreeSet<usize>,
) -> (Vec<&'a Finding>, BTreeMap<usize, Vec<usize>>) {
    let mut found: Vec<(usize, &Finding)> = Vec::new();
    for finding in all {
        let is_shown = |origin: &Origin| place.get(origin).copied().filter(|event| shown.contains(event));
        let last = finding.evidence.iter().filter_map(|evidence| is_shown(&evidence.origin)).max();
        if let Some(at) = is_shown(&finding.completed).or(last) {
            found.push((at, finding));
        }
    }
    found.sort_by_key(|(at, finding)| (*at, std::cmp::Reverse(finding.severity), finding.id.clone()));
    let mut marks: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, (at, _)) in found.iter().enumerate() {
        marks.entry(*at).or_default().push(number);
    }
    (found.into_iter().map(|(_, finding)| finding).collect(), marks)
}

/// What was changed, in order; what differs only in whom or what it was done to is one.
fn changes(happenings: &[Happening], sessions: &[Session], evidence: &BTreeSet<usize>) -> Vec<Change> {
    let is_telling = |session: &Session, event: usize| !session.is_usual || evidence.contains(&event);
    let mut events: Vec<(usize, bool)> = Vec::new();
    for session in sessions {
        events.extend(session.events.iter().map(|event| (*event, is_telling(session, *event))));
    }
    events.sort_unstable();
    let mut out: Vec<Change> = Vec::new();
    for (event, is_telling) in events {
        let Happening { organization, deed, .. } = &happenings[event];
        let Some(undo) = deed.undo.as_ref().filter(|_| is_telling || !is_only_seen(&deed.event_type)) else { continue };
        let is_same = |change: &&mut Change| {
            let first = &happenings[change.events[0]];
            let is_of_same = change.is_telling == is_telling && first.organization == *organization;
            is_of_same && are_alike(&first.deed, deed)
        };
        match out.last_mut().filter(is_same) {
            Some(change) => change.events.push(event),
            None => out.push(Change { events: vec![event], undo: undo.to_string(), is_telling }),
        }
    }
    for change in &mut out {
        change.undo = undo(happenings, &change.events, &str::to_owned);
    }
    // Events stand in the order of their organizations.
    out.sort_by_key(|change| happenings[change.events[0]].time);
    out
}

/// Objects that are named where they have to be put right one by one.
const MOST_TO_UNDO: usize = 200;
/// Objects that are named in a sentence.
const MOST_SAID: usize = 3;

/// Whether two deeds are said in the same words, but for what they were done to.
fn are_alike(one: &Deed, other: &Deed) -> bool {
    let ((one_did, one_rest), (other_did, other_rest)) = (one.sentence.parts(), other.sentence.parts());
    let is_same = match (one_did.around(), other_did.around()) {
        (None, None) => one_did.text() == other_did.text(),
        (one, other) => one == other,
    };
    one.event_type == other.event_type && is_same && one_rest == other_rest
}

/// Events in a row that are said in the same words, but for what they were done to. After one with a mark, and
/// before it, a new row begins.
pub fn rows(happenings: &[Happening], events: &[usize], has_mark: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    for event in events {
        let goes_on = out.last().is_some_and(|row: &Vec<usize>| {
            !has_mark(*event)
                && !has_mark(row[row.len() - 1])
                && are_alike(&happenings[row[0]].deed, &happenings[*event].deed)
        });
        match out.last_mut().filter(|_| goes_on) {
            Some(row) => row.push(*event),
            None => out.push(vec![*event]),
        }
    }
    out
}

/// A row of events in one sentence, with what they were done to.
pub fn said(happenings: &[Happening], row: &[usize]) -> String {
    let first = &happenings[row[0]].deed;
    let (did, rest) = first.sentence.parts();
    let text = with_objects(did, &counted(objects(happenings, row)), MOST_SAID, &str::to_owned) + rest;
    match row.len() {
        1 => text,
        count => format!("{text} ({count} times)"),
    }
}

/// How a row of changes is undone, with what has to be put right. `shown` is what becomes of each name and of the words
/// around them: together they are longer than what is shown of one text.
pub fn undo(happenings: &[Happening], row: &[usize], shown: &dyn Fn(&str) -> String) -> String {
    let undo = row.first().and_then(|first| happenings[*first].deed.undo.as_ref());
    undo.map(|undo| with_objects(undo, &apart(objects(happenings, row)), MOST_TO_UNDO, shown)).unwrap_or_default()
}

/// What some events were done to.
fn objects<'h>(happenings: &'h [Happening], events: &[usize]) -> impl Iterator<Item = Thing<'h>> {
    let objects = events.iter().filter_map(|event| happenings[*event].deed.object.as_ref());
    objects.map(|(name, id)| (name.as_str(), id.as_deref()))
}

/// What is said of the first of some events, with the objects of all of them in the place of its own. They are told apart
/// by their whole names, and named as in a sentence.
fn with_objects(said: &Wording, objects: &[Called<'_>], most: usize, shown: &dyn Fn(&str) -> String) -> String {
    let all = count(objects);
    let Some((before, behind)) = said.around().filter(|_| all > 1) else { return shown(said.text()) };
    let unquoted = before.strip_suffix('"').zip(behind.strip_prefix('"'));
    let ((before, behind), quote) = unquoted.map_or(((before, behind), ""), |around| (around, "\""));
    let named = few_of(all, objects, most, quote, &|name| shown(&cut(name, LONGEST)));
    format!("{}{named}{}", shown(before), shown(behind))
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
