//! Json: an investigation as `jcdetect/investigation/v1`. The types here are the contract.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::event::time::Timestamp;
use crate::output::json::{Unreadable, unreadable};
use crate::triage::asked::Asked;
use crate::triage::change;
use crate::triage::finding::Finding;
use crate::triage::investigation::{self, Investigation};
use crate::triage::reported::Origin;
use crate::triage::status::SuppressedBy;
use crate::triage::usual;
use crate::triage::watch::Happening;

#[derive(Serialize)]
struct Document<'i> {
    schema: &'static str,
    subject: &'i str,
    finding_id: Option<&'i str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<&'i str>,
    /// if the subject is the id of an event
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'i str>,
    identities: Vec<Identity<'i>>,
    near: &'i [String],
    coverage: Coverage<'i>,
    findings: Vec<Found<'i>>,
    /// of each organization
    usual: Vec<Usual<'i>>,
    changes: Vec<Change<'i>>,
    sessions: Vec<Session<'i>>,
}

#[derive(Serialize)]
struct Identity<'i> {
    organization: &'i str,
    r#type: &'i str,
    names: &'i [String],
    directory: &'i BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Coverage<'i> {
    records: u64,
    events: u64,
    duplicates: u64,
    skipped: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Unreadable<'i>>,
    /// of older exports, where there is something to say
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Taught<'i>>,
}

#[derive(Serialize)]
struct Taught<'i> {
    unreadable: Vec<Unreadable<'i>>,
}

#[derive(Serialize)]
struct Found<'i> {
    id: &'i str,
    organization: &'i str,
    rule_id: &'i str,
    rule_title: &'i str,
    severity: &'static str,
    disposition: &'static str,
    /// `new` or `suppressed`
    status: &'static str,
    pending: bool,
    first_seen: String,
    last_seen: String,
    summary: &'i str,
    next_steps: &'i [String],
    /// the entry of the configuration that put it away
    suppressed_by: Option<&'i SuppressedBy>,
}

#[derive(Serialize)]
struct Usual<'i> {
    organization: &'i str,
    /// what was counted: `sign-ins`, or `events` where there are none
    of: &'static str,
    total: usize,
    failed_sign_ins: usize,
    since: Option<String>,
    aspects: Vec<Counts<'i>>,
}

#[derive(Serialize)]
struct Counts<'i> {
    aspect: &'static str,
    total: usize,
    values: Vec<Tally<'i>>,
}

#[derive(Serialize)]
struct Tally<'i> {
    value: &'i str,
    count: usize,
    /// sign-ins that failed, of who it was and of programs where several people are looked at
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<usize>,
    first_seen: String,
    last_seen: String,
    /// `new`, `rare`, `reported`, or null where it is usual
    unusual: Option<&'static str>,
}

#[derive(Serialize)]
struct Change<'i> {
    organization: &'i str,
    timestamp: String,
    count: usize,
    sentence: String,
    /// what was done to the same later
    #[serde(skip_serializing_if = "Vec::is_empty")]
    then: Vec<Step>,
    /// null if there is nothing to do
    undo: Option<String>,
    /// what is not to be undone, and why
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settled: Vec<Settled<'i>>,
    event_ids: Vec<Option<&'i str>>,
}

#[derive(Serialize)]
struct Step {
    timestamp: String,
    count: usize,
    sentence: String,
}

#[derive(Serialize)]
struct Settled<'i> {
    /// `put_back`, `made_anew`, `changed_again`, `gone`, `afterwards` or `answer`
    how: &'static str,
    actor: &'i str,
    first_seen: String,
    last_seen: String,
    fields: Vec<&'i str>,
}

#[derive(Serialize)]
struct Session<'i> {
    organization: &'i str,
    first_seen: String,
    last_seen: String,
    actor: &'i str,
    ip: Option<&'i str>,
    country: Option<&'i str>,
    agent: Option<&'i str>,
    unusual: Vec<&'static str>,
    events: Vec<Line<'i>>,
}

#[derive(Serialize)]
struct Line<'i> {
    event_id: Option<&'i str>,
    timestamp: String,
    event_type: &'i str,
    outcome: &'static str,
    origin: Origin,
    sentence: String,
    /// ids of the findings that came to be at it
    findings: Vec<&'i str>,
    /// ids of the findings that came to be elsewhere, and of whose events it is the last that is shown
    #[serde(skip_serializing_if = "Vec::is_empty")]
    part_of: Vec<&'i str>,
}

/// Writes the investigation.
pub fn write(all: &Investigation<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: "jcdetect/investigation/v1",
        subject: &all.focus.name,
        finding_id: all.asked.and_then(Asked::finding_id),
        case_id: all.asked.and_then(Asked::case_id),
        event_id: Some(all.focus.name.as_str()).filter(|_| all.is_event),
        identities: all.identities.iter().map(Identity::from).collect(),
        near: &all.near,
        coverage: Coverage {
            records: all.coverage.records,
            events: all.coverage.events,
            duplicates: all.coverage.duplicates,
            skipped: all.coverage.skipped_count(),
            unreadable: unreadable(all.coverage),
            history: (!all.history.unreadable.is_empty()).then(|| Taught { unreadable: unreadable(all.history) }),
        },
        findings: all.findings.iter().map(|finding| found(all, finding)).collect(),
        usual: all.habits.iter().map(|(organization, habits)| self::usual(organization, habits)).collect(),
        changes: all.changes.iter().map(|change| changed(all, change)).collect(),
        sessions: all.sessions.iter().map(|session| self::session(all, session)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

impl<'i> From<&'i investigation::Identity> for Identity<'i> {
    fn from(identity: &'i investigation::Identity) -> Identity<'i> {
        Identity {
            organization: &identity.organization,
            r#type: &identity.kind,
            names: &identity.names,
            directory: &identity.directory,
        }
    }
}

fn found<'i>(all: &Investigation<'i>, finding: &'i Finding) -> Found<'i> {
    let rule = &all.set.rules[finding.rule];
    Found {
        id: &finding.id,
        organization: &finding.organization,
        rule_id: &rule.name,
        rule_title: &finding.title,
        severity: finding.severity.word(),
        disposition: finding.disposition.word(),
        status: finding.status.word(),
        pending: finding.is_pending,
        first_seen: finding.first_seen.rfc3339(),
        last_seen: finding.last_seen.rfc3339(),
        summary: &finding.summary,
        next_steps: &rule.triage,
        suppressed_by: finding.suppressed_by.as_ref(),
    }
}

fn usual<'i>(organization: &'i str, habits: &'i usual::Habits) -> Usual<'i> {
    Usual {
        organization,
        of: if habits.are_sign_ins { "sign-ins" } else { "events" },
        total: habits.total,
        failed_sign_ins: habits.failed,
        since: habits.since.map(Timestamp::rfc3339),
        aspects: habits.aspects.iter().map(aspect).collect(),
    }
}

fn aspect(usual: &usual::Usual) -> Counts<'_> {
    Counts { aspect: usual.aspect.word(), total: usual.total, values: usual.values.iter().map(Tally::from).collect() }
}

impl<'i> From<&'i usual::Counted> for Tally<'i> {
    fn from(counted: &'i usual::Counted) -> Tally<'i> {
        Tally {
            value: &counted.value,
            count: counted.count,
            failed: (counted.failed > 0).then_some(counted.failed),
            first_seen: counted.first.rfc3339(),
            last_seen: counted.last.rfc3339(),
            unusual: counted.odd.map(usual::Odd::word),
        }
    }
}

fn changed<'i>(all: &'i Investigation<'_>, change: &'i change::Change) -> Change<'i> {
    let first: &Happening = change.first(all.happenings);
    let step = |step: &Vec<usize>| {
        let first = &all.happenings[step[0]];
        Step { timestamp: first.time.rfc3339(), count: step.len(), sentence: first.deed.sentence.to_string() }
    };
    Change {
        organization: &first.organization,
        timestamp: first.time.rfc3339(),
        count: change.events().count(),
        sentence: first.deed.sentence.to_string(),
        then: change.steps.iter().skip(1).map(step).collect(),
        undo: change.undo(all.happenings, &str::to_owned),
        settled: change.settled.iter().map(Settled::from).collect(),
        event_ids: change.events().map(|event| all.happenings[event].id.as_deref()).collect(),
    }
}

impl<'i> From<&'i change::Settled> for Settled<'i> {
    fn from(settled: &'i change::Settled) -> Settled<'i> {
        Settled {
            how: settled.how.word(),
            actor: &settled.actor,
            first_seen: settled.first.rfc3339(),
            last_seen: settled.last.rfc3339(),
            fields: settled.fields.iter().map(|field| field.name.as_str()).collect(),
        }
    }
}

fn session<'i>(all: &'i Investigation<'_>, session: &'i investigation::Session) -> Session<'i> {
    let (first, last) = investigation::ends(session, all.happenings);
    let begin = &all.happenings[session.events[0]];
    let event = |place: &usize| {
        let happening = &all.happenings[*place];
        let ids = |is_complete: bool| {
            let marks = all.marks.get(place).into_iter().flatten().filter(move |mark| mark.is_complete == is_complete);
            marks.map(|mark| all.findings[mark.finding].id.as_str()).collect()
        };
        Line {
            event_id: happening.id.as_deref(),
            timestamp: happening.time.rfc3339(),
            event_type: &happening.deed.event_type,
            outcome: happening.deed.outcome.word(),
            origin: Origin {
                source: all.sources.get(happening.origin.source as usize).cloned().unwrap_or_default(),
                line: happening.origin.line,
                offset: happening.origin.offset,
            },
            sentence: happening.deed.sentence.to_string(),
            findings: ids(true),
            part_of: ids(false),
        }
    };
    Session {
        organization: &begin.organization,
        first_seen: first.rfc3339(),
        last_seen: last.rfc3339(),
        actor: &begin.deed.actor,
        ip: begin.deed.ip.as_deref(),
        country: begin.deed.country.as_deref(),
        agent: begin.deed.agent.as_deref(),
        unusual: session.odd.iter().map(|aspect| aspect.word()).collect(),
        events: session.events.iter().map(event).collect(),
    }
}
