//! Text: an investigation as an analyst reads it: who that is, what was found, what is usual, what was changed
//! and how to undo it, and then what happened, session by session.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crate::event::counted::{few, plural};
use crate::event::time::{Span, Zone};
use crate::output::Look;
use crate::output::prose::{one_line, say, suppressed, when};
use crate::output::safe::Safe;
use crate::output::unread;
use crate::triage::asked::Asked;
use crate::triage::finding::{Finding, short};
use crate::triage::focus::Part;
use crate::triage::investigation::{Investigation, Session, ends};
use crate::triage::row::{rows, said};
use crate::triage::status::{Disposition, Status};
use crate::triage::usual::{self, Aspect, Counted, Habits, Usual};
use crate::triage::watch::Deed;

/// Values of an aspect that are shown, and events of one session; the rest are counted.
pub(super) const VALUES: usize = 5;
const EVENTS: usize = 60;
/// People whom somebody tried in vain, and devices on which a command ran: who has to look there wants to know each.
const TRIED: usize = 20;
const DEVICES: usize = 200;
/// So many sessions in which one person's sign-in failed are one line.
const RUN: usize = 4;

/// Writes the investigation for people.
pub fn write(all: &Investigation<'_>, is_all: bool, look: Look, out: &mut dyn Write) -> io::Result<()> {
    head(all, look.zone, out)?;
    if all.own().next().is_none() && all.sessions.is_empty() {
        return nobody(all, out);
    }
    findings(all, look.zone, out)?;
    for (organization, habits) in &all.habits {
        let organization = all.is_of_many().then_some(&**organization);
        self::habits(organization, habits, look.zone, out)?;
    }
    super::work::write(all, look.zone, out)?;
    activity(all, is_all, look.zone, out)?;
    last_line(all, out)
}

fn head(all: &Investigation<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    match all.asked {
        Some(Asked::Finding(finding)) => {
            let rule = all.rule(finding);
            let title =
                format!("Finding {}: {}{} [{}]", finding.short_id(), finding.summary, suppressed(finding), rule.name);
            say(out, &title, 0)?;
            say(out, &format!("  {}", one_line(&rule.description)), 2)?;
            for (number, step) in (1..).zip(&rule.triage) {
                say(out, &format!("  {number}. {}", one_line(step)), 5)?;
            }
            writeln!(out)?;
        }
        Some(Asked::Case { case, findings }) => {
            let count = plural(findings.len() as u64, "finding");
            say(out, &format!("Case {}: {} ({count}, score {})", short(&case.id), case.title, case.score), 0)?;
            say(out, &format!("  1. {}", one_line(&case.first_action)), 5)?;
            writeln!(out)?;
        }
        None => {}
    }
    writeln!(out, "{}", Safe(&all.focus.name))?;
    for identity in &all.identities {
        let kind = if identity.kind == "admin" { "administrator" } else { &identity.kind };
        let where_ = of(all, &identity.organization);
        say(out, &format!("  {kind}: {}{where_}", identity.names.join(", ")), 4)?;
        if !identity.directory.is_empty() {
            let facts = identity.directory.iter().map(|(key, value)| format!("{} {value}", key.replace('_', " ")));
            say(out, &format!("    in the directory: {}", facts.collect::<Vec<_>>().join("; ")), 6)?;
        }
    }
    let times = || all.own().map(|happening| happening.time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(()) };
    let by = all.own().filter(|happening| happening.deed.part == Part::Doer).count();
    let about = all.own().count() - by;
    let is_person = all.identities.iter().any(|i| i.kind == "user" || i.kind == "admin");
    let them = if is_person { "them" } else { "it" };
    let whose = match (all.focus.is_network(), about) {
        (true, _) => format!("{} from there", plural(by as u64, "event")),
        (false, 0) => plural(by as u64, "event"),
        (false, about) if by == 0 => format!("{} about {them}", plural(about as u64, "event")),
        (false, about) => {
            format!("{} by {them}, {about} about {them}", plural(by as u64, "event"))
        }
    };
    let span = Span(last.0.saturating_sub(first.0)).words();
    let (first, last) = (first.short(zone), last.short(zone));
    writeln!(out, "  {whose}, from {first} to {last} {zone} ({span}), of {} read", all.coverage.events)?;
    writeln!(out)
}

fn nobody(all: &Investigation<'_>, out: &mut dyn Write) -> io::Result<()> {
    let read = plural(all.coverage.events, "event");
    match (all.focus.is_network(), all.happenings.len()) {
        (true, 0) => writeln!(out, "  No event is from there; {read} read.")?,
        (false, 0) => writeln!(out, "  Nobody and nothing has this name; {read} read.")?,
        (_, old) => {
            let old = plural(old as u64, "event");
            writeln!(out, "  {old} in the history, none among the {read} read of the sources.")?;
        }
    }
    if all.is_event {
        let id = &all.focus.name;
        say(out, &format!("  It is the id of an event: jcdetect hunt SOURCE --where 'id == \"{id}\"' shows it."), 2)?;
        writeln!(out)?;
        return last_line(all, out);
    }
    if !all.near.is_empty() {
        writeln!(out, "  Names like it: {}", Safe(&all.near.join(", ")))?;
    }
    if !all.focus.is_network() {
        writeln!(out, "  hunt --contains finds it wherever else it stands, in changes too.")?;
    }
    writeln!(out)?;
    last_line(all, out)
}

fn findings(all: &Investigation<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    if all.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "Findings: {}{}", all.findings.len(), of_them_suppressed(all))?;
    let mut worst: Vec<&&Finding> = all.findings.iter().collect();
    worst.sort_by_key(|finding| {
        let is_put_away = finding.status == Status::Suppressed;
        (is_put_away, std::cmp::Reverse(finding.severity), finding.first_seen, finding.id.clone())
    });
    for finding in worst {
        let rule = all.rule(finding);
        let (severity, when) = (finding.severity.word(), finding.first_seen.short(zone));
        let pending = finding.pending();
        let question = if finding.disposition == Disposition::Duet { " (a question for the owner)" } else { "" };
        let where_ = of(all, &finding.organization);
        let told = format!("{}{where_}{pending}{question}{}", finding.summary, suppressed(finding));
        let text = format!("  {severity:8}  {when}  {}  {told} [{}]", finding.short_id(), rule.name);
        say(out, &text, 43)?;
    }
    writeln!(out)
}

fn habits(organization: Option<&str>, habits: &Habits, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let Some(since) = habits.since else { return Ok(()) };
    let noun = if habits.are_sign_ins { "sign-in" } else { "event" };
    let failed =
        if habits.failed > 0 { format!("; {} failed", plural(habits.failed as u64, "sign-in")) } else { String::new() };
    let date = since.short(zone);
    let title = if habits.are_enough() { "What is usual, of" } else { "Too few to say what is usual:" };
    let where_ = organization.map(|id| format!(" in the organization {id}")).unwrap_or_default();
    let text = format!("{title} {} since {}{where_}{failed}", plural(habits.total as u64, noun), &date[..10]);
    say(out, &text, 2)?;
    for usual in &habits.aspects {
        let name = match usual.aspect {
            Aspect::Hour => format!("hour ({zone})"),
            aspect => aspect.word().to_owned(),
        };
        let told = |v: &Counted| match v.failed {
            0 => format!("{} {}", v.value, v.count),
            failed => format!("{} {} ({failed} failed)", v.value, v.count),
        };
        let values: Vec<String> = match usual.aspect {
            Aspect::Hour => usual::hours(usual).into_iter().map(|(range, count)| format!("{range} {count}")).collect(),
            _ => usual.values.iter().filter(|v| v.odd.is_none() && v.count > 0).map(told).collect(),
        };
        let most = if usual.aspect == Aspect::Device { DEVICES } else { VALUES };
        let known = match values.is_empty() {
            true if usual.total == 0 => "nobody got in".to_owned(),
            true => format!("nothing of {}", usual.total),
            false => format!("{} of {}", few(&values, most, ", "), usual.total),
        };
        say(out, &format!("  {name:13} {known}"), 16)?;
        odd(usual, zone, out)?;
        only_failed(usual, out)?;
    }
    writeln!(out)
}

/// Whom somebody tried in vain, or with what.
fn only_failed(usual: &Usual, out: &mut dyn Write) -> io::Result<()> {
    let failed = usual.values.iter().filter(|v| v.count == 0).map(|v| format!("{} {}", v.value, v.failed));
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    say(out, &format!("{:16}only failed: {}", "", few(&failed, TRIED, ", ")), 18)
}

fn odd(usual: &Usual, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let told = |v: &Counted| {
        let why = v.odd.map_or("", usual::Odd::word);
        let since = if v.count > 1 { "first on" } else { "on" };
        let value = match usual.aspect {
            Aspect::Hour => format!("{0}:00–{0}:59", v.value),
            _ => v.value.clone(),
        };
        format!("{value} {}, {why}, {since} {}", v.count, v.first.short(zone))
    };
    let odd: Vec<String> = usual.values.iter().filter(|v| v.odd.is_some() && v.count > 0).map(told).collect();
    if odd.is_empty() {
        return Ok(());
    }
    say(out, &format!("{:16}not usual: {}", "", few(&odd, VALUES, "; ")), 18)
}

fn activity(all: &Investigation<'_>, is_all: bool, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let ordinary = all.sessions.iter().filter(|s| s.is_ordinary).count();
    let hint = if ordinary > 0 && !is_all { "; --all shows the ordinary ones event by event" } else { "" };
    writeln!(out, "Activity: {}{hint}", plural(all.sessions.len() as u64, "session"))?;
    let kind = |session: &Session| match () {
        () if is_all => Kind::Told,
        () if session.is_ordinary => Kind::Ordinary,
        () if is_only_tried(all, session) => Kind::Tried,
        () => Kind::Told,
    };
    for run in
        all.sessions.chunk_by(|a, b| kind(a) == kind(b) && (kind(a) != Kind::Tried || are_tried_alike(all, a, b)))
    {
        match kind(&run[0]) {
            Kind::Ordinary => ordinary_run(all, run, zone, out)?,
            Kind::Tried if run.len() >= RUN => tried_run(all, run, zone, out)?,
            _ => run.iter().try_for_each(|session| one(all, session, is_all, zone, out))?,
        }
    }
    writeln!(out)
}

/// How a session is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// with others in which nothing has to be read event by event
    Ordinary,
    /// with others in which sign-ins failed
    Tried,
    /// event by event
    Told,
}

/// Whether somebody tried to sign in in vain and did nothing else, where several people are looked at.
fn is_only_tried(all: &Investigation<'_>, session: &Session) -> bool {
    let has_who = all.habits.get(&all.happenings[session.events[0]].organization).is_some_and(|habits| habits.has_who);
    let is_tried = |event: &usize| {
        let deed = &all.happenings[*event].deed;
        deed.is_failed_sign_in() && !deed.actor.is_empty() && !all.marks.contains_key(event)
    };
    has_who && session.events.iter().all(is_tried)
}

/// Whether two sessions differ in who it was alone.
fn are_tried_alike(all: &Investigation<'_>, one: &Session, other: &Session) -> bool {
    let [a, b] = [one, other].map(|session| &all.happenings[session.events[0]]);
    let from = |deed: &Deed| (deed.ip.clone(), deed.country.clone(), deed.agent.clone());
    a.organization == b.organization && from(&a.deed) == from(&b.deed) && one.odd == other.odd
}

/// Sessions in a row in which sign-ins failed, in one line.
fn tried_run(all: &Investigation<'_>, run: &[Session], zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let events = || run.iter().flat_map(|session| &session.events).map(|place| &all.happenings[*place]);
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let people = events().map(|event| event.deed.actor.as_str()).filter(|actor| met.insert(actor));
    let people: Vec<&str> = people.collect();
    let end = events().map(|event| event.time).max().unwrap_or_default();
    let span = when(ends(&run[0], all.happenings).0, end, zone);
    let failed = plural(events().count() as u64, "sign-in");
    let whom = if people.len() == 1 { String::new() } else { format!("{} people: ", people.len()) };
    let text = format!("  {span} {}: {failed} failed, for {whom}{}", from(all, &run[0]), few(&people, TRIED, ", "));
    say(out, &text, 4)
}

/// Where a session is from, with what, and what of that is not usual.
fn from(all: &Investigation<'_>, session: &Session) -> String {
    let deed = &all.happenings[session.events[0]].deed;
    let mut text = match (&deed.ip, &deed.country) {
        (Some(ip), Some(country)) => format!(" from {ip} ({country})"),
        (Some(ip), None) => format!(" from {ip}"),
        _ => String::new(),
    };
    text += &of(all, &all.happenings[session.events[0]].organization);
    text += &deed.agent.as_ref().map(|agent| format!(" with {agent}")).unwrap_or_default();
    if !session.odd.is_empty() {
        let odd: Vec<&str> = session.odd.iter().map(|aspect| aspect.word()).collect();
        text += &format!("; not usual: {}", odd.join(", "));
    }
    text
}

/// Sessions in a row in which nothing has to be read event by event, in one line.
fn ordinary_run(all: &Investigation<'_>, run: &[Session], zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let (Some(begin), Some(end)) = (run.first(), run.last()) else { return Ok(()) };
    let events = || run.iter().flat_map(|session| &session.events).map(|place| &all.happenings[*place]);
    let span = when(ends(begin, all.happenings).0, ends(end, all.happenings).1, zone);
    let text = format!(
        "  {span}  {}, {}: {}",
        plural(run.len() as u64, "ordinary session"),
        plural(events().count() as u64, "event"),
        types(events().map(|event| &*event.deed))
    );
    say(out, &text, 4)
}

/// What was done, by types, the most frequent first: `user_update 12, admin_create 1`.
pub(super) fn types<'d>(deeds: impl Iterator<Item = &'d Deed>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    deeds.for_each(|deed| *counts.entry(&deed.event_type).or_default() += 1);
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let counts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    few(&counts, VALUES, ", ")
}

fn one(all: &Investigation<'_>, session: &Session, is_all: bool, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let (first, last) = ends(session, all.happenings);
    let deed = &all.happenings[session.events[0]].deed;
    let mut text = format!("  {}", when(first, last, zone));
    text += &format!("  {}", if deed.actor.is_empty() { "nobody named" } else { &deed.actor });
    text += &from(all, session);
    say(out, &text, 4)?;
    let day = first.short(zone)[..10].to_owned();
    let mut shown = 0;
    for places in rows(all.happenings, &session.events, |place| all.marks.contains_key(&place)) {
        let has_mark = places.iter().any(|place| all.marks.contains_key(place));
        shown += 1;
        if is_all || has_mark || shown <= EVENTS {
            row(all, &places, &day, zone, out)?;
        }
    }
    if !is_all && shown > EVENTS {
        writeln!(out, "    {} more; --all shows them", shown - EVENTS)?;
    }
    Ok(())
}

fn row(all: &Investigation<'_>, row: &[usize], day: &str, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let time = all.happenings[row[0]].time.short(zone);
    let (date, clock) = time.split_at(10);
    let when = if date == day { clock.trim_start() } else { &time };
    let text = format!("    {when}  {}", said(all.happenings, row));
    say(out, &text, 14)?;
    for mark in row.iter().filter_map(|place| all.marks.get(place)).flatten() {
        let finding = all.findings[mark.finding];
        let rule = all.rule(finding);
        let put_away = if finding.status == Status::Suppressed { " (suppressed)" } else { "" };
        let told = format!("{}: {} [{}]{put_away}", finding.severity.word(), finding.title, rule.name);
        let text = match mark.is_complete {
            true => format!("{:14}▲ {told}", ""),
            false => format!("{:14}△ has a part in {told}{}", "", completed(finding, zone)),
        };
        say(out, &text, 16)?;
    }
    Ok(())
}

/// At which event a finding came to be.
fn completed(finding: &Finding, zone: Zone) -> String {
    let own = finding.evidence.iter().find(|evidence| evidence.origin == finding.completed);
    own.map(|own| format!(", completed {}: {}", own.time.short(zone), own.summary)).unwrap_or_default()
}

fn last_line(all: &Investigation<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown: usize = all.sessions.iter().map(|session| session.events.len()).sum();
    let (events, sessions) = (plural(shown as u64, "event"), plural(all.sessions.len() as u64, "session"));
    let findings = plural(all.findings.len() as u64, "finding") + &of_them_suppressed(all);
    writeln!(out, "{findings}; {events} in {sessions}; {}", unread::account(all.coverage, all.history))?;
    unread::sources(all.coverage, "", out)?;
    unread::sources(all.history, " of the history", out)?;
    unread::left_out(all.coverage, out)
}

/// How many findings nobody needs to look at, behind the count of all.
fn of_them_suppressed(all: &Investigation<'_>) -> String {
    match all.findings.iter().filter(|finding| finding.status == Status::Suppressed).count() {
        0 => String::new(),
        count => format!(", {count} of them suppressed"),
    }
}

/// The organization, where there are several.
pub(super) fn of(all: &Investigation<'_>, organization: &str) -> String {
    if all.is_of_many() { format!(" in {organization}") } else { String::new() }
}
