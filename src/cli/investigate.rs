//! `jcdetect investigate`

use anyhow::{Result, anyhow, bail};

use super::args::inquiry as typed;
use super::errand::tell_of_organizations;
use super::exit::Exit;
use super::inquiry::Inquiry;
use super::period::Period;
use super::write_out;
use crate::event::Event;
use crate::event::facet::FieldPlan;
use crate::event::outside::LookUp;
use crate::event::time::Span;
use crate::input::known::Known;
use crate::input::read;
use crate::input::source::Source;
use crate::output::investigation::{Form, write};
use crate::output::{Format, Look};
use crate::triage::finding::Finding;
use crate::triage::focus::Focus;
use crate::triage::foothold::Footholds;
use crate::triage::investigation::{Investigation, Manner};
use crate::triage::watch::{Seen, Watcher};

/// Investigates what was typed.
pub fn run(typed: &typed::Investigate) -> Result<Exit> {
    let form = if typed.format == Format::Json { Form::Json } else { Form::Text { is_all: typed.all } };
    let idle = Span::parse(&typed.idle)
        .ok_or_else(|| anyhow!("--idle {}: no span of time; write 30m, 2h or 1d", typed.idle))?;
    let period = Period::parse(typed.since.as_deref(), typed.until.as_deref())?;
    if typed.subject.trim().is_empty() {
        bail!("the subject is empty; name a user, an address, a device or the id of a finding");
    }
    let inquiry = Inquiry::new(&typed.inquiry, typed.directory.clone())?;
    let coverage = &inquiry.reading().coverage;
    let unknown = tell_of_organizations(&typed.inquiry.organization, coverage);
    let between = period.resolve(coverage.newest())?;
    let mut window = (between.since, between.until);
    let findings = inquiry.findings(|rule| inquiry.wants(rule));
    let (focus, asked) = focus(&inquiry, &typed.subject)?;
    if let Some(finding) = &asked {
        window = (window.0.or(Some(finding.first_seen)), window.1.or(Some(finding.last_seen)));
    }
    let watched = [inquiry.sources.as_slice(), &inquiry.history].concat();
    let reaches_back = asked.as_ref().is_some_and(|finding| has_part_in_history(&inquiry, finding));
    let shown_sources = if reaches_back { watched.len() } else { inquiry.sources.len() };
    let (focus, seen) = watch_all(&inquiry, &watched, focus, &typed.inquiry.organization);
    if let Some(changed) = inquiry.tell_of_changed() {
        return Ok(Exit::worst(&[inquiry.exits.as_slice(), &[changed]].concat()));
    }
    let sources: Vec<String> = watched.iter().map(|source| source.name.clone()).collect();
    let manner = Manner { idle, zone: inquiry.zone, window, shown_sources };
    let of_history = inquiry.findings_of_history(|rule| inquiry.wants(rule));
    let footholds = Footholds::of(findings.iter().chain(&of_history), &inquiry.analysis.store);
    let findings = with_asked(findings, asked.as_ref());
    let read = ([coverage, &inquiry.analysis.history.coverage], sources.as_slice(), &inquiry.set);
    let mut investigation = Investigation::new(&focus, asked.as_ref(), &seen, (&findings, &footholds), read, manner);
    if let Some(directory) = &inquiry.enrichment.directory {
        investigation.look_up(directory);
    }
    let ended = write_out(|out| write(&investigation, form, Look { zone: inquiry.zone, ..Look::default() }, out))?;
    Ok(Exit::worst(&inquiry.exits.iter().copied().chain(unknown).chain(ended).collect::<Vec<_>>()))
}

/// A finding, if its id begins like that; else whoever or whatever has that name.
fn focus(inquiry: &Inquiry, subject: &str) -> Result<(Focus, Option<Finding>)> {
    let (links, store) = (&inquiry.analysis.links, &inquiry.analysis.store);
    if let Some(finding) = inquiry.finding(subject)? {
        return Ok((Focus::of_finding(&finding, links, store), Some(finding)));
    }
    let organizations: Vec<String> = inquiry.reading().coverage.organizations.keys().cloned().collect();
    let focus = Focus::typed(subject, links, &organizations, store)
        .map_err(|_| anyhow!("{subject}: looks like an address and is none; write 203.0.113.7 or 203.0.113.0/24"))?;
    Ok((focus, None))
}

/// Whether an event of a finding stands in the history alone.
fn has_part_in_history(inquiry: &Inquiry, finding: &Finding) -> bool {
    finding.events.iter().any(|event| inquiry.analysis.store.is_history(*event))
}

/// Reads sources again: once more where nobody has the name in the log and one person has it in the directory, and where
/// an event has a name of a device that is meant, and tells its id.
fn watch_all(inquiry: &Inquiry, sources: &[Source], mut focus: Focus, organizations: &[String]) -> (Focus, Seen) {
    let mut seen = watch(inquiry, sources, &focus, organizations);
    if seen.happenings.is_empty()
        && let Some(person) = inquiry.enrichment.directory.as_ref().and_then(|all| all.only_called(&focus.name))
    {
        let known: Vec<String> = inquiry.reading().coverage.organizations.keys().cloned().collect();
        focus = focus.with_names(&person.names(), &inquiry.analysis.links, &known);
        seen = watch(inquiry, sources, &focus, organizations);
    }
    let meant = seen.happenings.iter().filter_map(|happening| happening.deed.device_meant.as_deref());
    if let Some(whole) = focus.with_devices(meant) {
        seen = watch(inquiry, sources, &whole, organizations);
        focus = whole;
    }
    (focus, seen)
}

/// Reads sources again for whatever belongs to the focus.
fn watch(inquiry: &Inquiry, sources: &[Source], focus: &Focus, organizations: &[String]) -> Seen {
    let plan = FieldPlan::new([]);
    let enrichment = &inquiry.enrichment;
    let look_up = |event: &Event<'_>| enrichment.outside(event);
    let look_up = enrichment.looks_up().then_some(&look_up as &LookUp<'_>);
    let mut seen = Seen::new(organizations);
    let watcher = || Watcher::new(focus, &inquiry.analysis.links, look_up);
    inquiry.pool.install(|| read(sources, inquiry.options, &plan, &mut Known::default(), &watcher, &mut seen, &|_| {}));
    seen.close();
    seen
}

/// The finding that was asked for is shown, also where its rule is silent.
fn with_asked(mut findings: Vec<Finding>, asked: Option<&Finding>) -> Vec<Finding> {
    if let Some(asked) = asked
        && !findings.iter().any(|finding| finding.id == asked.id)
    {
        findings.push(asked.clone());
    }
    findings
}
