//! Explanation: why a rule found something, or why it did not, for people.

use std::io::{self, Write};

use super::prose::{one_line, say, suppressed};
use super::unread;
use crate::event::counted::plural;
use crate::event::coverage::Coverage;
use crate::event::time::{Timestamp, Zone};
use crate::rule::Rule;
use crate::triage::explanation::Part;
use crate::triage::finding::Finding;

/// Findings that are listed; the rest are counted.
const FINDINGS: usize = 20;

/// The event that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// its id
    pub id: String,
    /// when it happened
    pub time: Timestamp,
    /// in one sentence
    pub sentence: String,
    /// `events.jsonl:12`
    pub place: String,
    /// how many events have this id
    pub count: usize,
}

/// What is explained.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// the rule
    pub rule: &'a Rule,
    /// the configuration gave it its severity
    pub has_other_level: bool,
    /// its findings
    pub findings: Vec<&'a Finding>,
    /// the finding that was asked for
    pub finding: Option<&'a Finding>,
    /// the event that was asked for
    pub event: Option<Asked>,
    /// why the rule could not find anything, where that is known
    pub reasons: Vec<String>,
    /// what was read
    pub coverage: &'a Coverage,
    /// what was read that only teaches
    pub history: &'a Coverage,
    /// the rule, and all that it is made of
    pub parts: Vec<Part>,
}

/// Writes an explanation.
pub fn write(all: &Explanation<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let rule = all.rule;
    let by_whom = if all.has_other_level { " as the configuration has it" } else { "" };
    say(out, &format!("{}: {} ({}{by_whom}, {})", rule.name, rule.title, rule.level, rule.category), 2)?;
    if !rule.description.is_empty() {
        say(out, &format!("  {}", one_line(&rule.description)), 2)?;
    }
    writeln!(out)?;
    match (all.finding, &all.event) {
        (Some(finding), _) => about_finding(all, finding, zone, out)?,
        (None, Some(event)) => about_event(all, event, zone, out)?,
        (None, None) => about_all(all, zone, out)?,
    }
    unread::sources(all.coverage, "", out)?;
    unread::sources(all.history, " of the history", out)?;
    writeln!(out)?;
    writeln!(out, "How it is put together")?;
    all.parts.iter().try_for_each(|part| tell(part, zone, out))?;
    if !rule.misses.is_empty() {
        writeln!(out)?;
        say(out, &format!("What it does not see: {}", one_line(&rule.misses)), 2)?;
    }
    Ok(())
}

/// Whose a finding is, where there are several organizations.
fn whose(all: &Explanation<'_>, finding: &Finding) -> String {
    if all.coverage.has_tenants() { format!(", in {}", finding.organization) } else { String::new() }
}

fn about_finding(all: &Explanation<'_>, finding: &Finding, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let (id, summary, whose) = (finding.short_id(), &finding.summary, whose(all, finding));
    say(out, &format!("Finding {id}: {summary}{whose}{}", suppressed(finding)), 2)?;
    let (first, last) = (finding.first_seen.short(zone), finding.last_seen.short(zone));
    let pending = if finding.is_pending { "; pending: the data ends before this can be known" } else { "" };
    writeln!(
        out,
        "  from {first} to {last} {zone}, {} of evidence{pending}",
        plural(finding.event_count as u64, "event")
    )
}

fn about_event(all: &Explanation<'_>, event: &Asked, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let when = event.time.short(zone);
    say(out, &format!("Event {} ({}), {when} {zone}: {}", event.id, event.place, event.sentence), 2)?;
    if event.count > 1 {
        writeln!(out, "  {} different events have this id; this is the first of them", event.count)?;
    }
    match all.parts.first().map(|part| (part.has_held, part.is_pending)) {
        Some((Some(true), true)) => {
            writeln!(out, "  The rule is met at this event; pending: the data ends before this can be known.")
        }
        Some((Some(true), false)) => writeln!(out, "  The rule is met at this event."),
        _ => writeln!(out, "  The rule is not met at this event."),
    }
}

fn about_all(all: &Explanation<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let events = plural(all.coverage.events, "event");
    if all.findings.is_empty() {
        writeln!(out, "It found nothing in {events}.")?;
    } else {
        writeln!(out, "It made {} out of {events}.", plural(all.findings.len() as u64, "finding"))?;
    }
    for finding in all.findings.iter().take(FINDINGS) {
        let when = finding.first_seen.short(zone);
        let (severity, id) = (finding.severity.word(), finding.short_id());
        let pending = finding.pending();
        let whose = whose(all, finding);
        let text = format!("  {severity:8}  {when}  {id}  {}{whose}{pending}{}", finding.summary, suppressed(finding));
        say(out, &text, 43)?;
    }
    if all.findings.len() > FINDINGS {
        writeln!(out, "  {} more", all.findings.len() - FINDINGS)?;
    }
    all.reasons.iter().try_for_each(|reason| say(out, &format!("  {reason}"), 2))
}

fn tell(part: &Part, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let indent = 2 + part.depth * 2;
    let pad = " ".repeat(indent);
    let met = match part.count {
        0 => "never met".to_owned(),
        1 => "met once".to_owned(),
        count => format!("met {count} times"),
    };
    let met = match part.pending {
        0 => met,
        all if all == part.count => met + ", pending",
        some => format!("{met}, {some} of them pending"),
    };
    let above = if part.is_told { " (told above)" } else { "" };
    say(out, &format!("{pad}{}{}: {} [{met}]{above}", mark(part.has_held), part.name, part.logic), indent + 4)?;
    for line in &part.condition {
        let inner = " ".repeat(indent + 4 + line.depth * 2);
        let value = line.value.as_ref().map(|value| format!("   (it has {value})")).unwrap_or_default();
        say(out, &format!("{inner}{}{}{value}", mark(line.has_held), line.text), indent + 8 + line.depth * 2)?;
    }
    for note in &part.notes {
        say(out, &format!("{pad}    → {note}"), indent + 6)?;
    }
    let more = if part.more > 0 { format!("{} more", part.more) } else { String::new() };
    let mut times = Vec::new();
    for (time, sentence) in &part.events {
        match sentence {
            Some(sentence) => say(out, &format!("{pad}    {}  {sentence}", time.short(zone)), indent + 25)?,
            None => times.push(time.short(zone)),
        }
    }
    match (times.is_empty(), part.more) {
        (true, 0) => Ok(()),
        (true, _) => writeln!(out, "{pad}    {more}"),
        (false, 0) => say(out, &format!("{pad}    at {}", times.join(", ")), indent + 7),
        (false, _) => say(out, &format!("{pad}    at {}, {more}", times.join(", ")), indent + 7),
    }
}

fn mark(has_held: Option<bool>) -> &'static str {
    match has_held {
        None => "",
        Some(true) => "[yes] ",
        Some(false) => "[no]  ",
    }
}
