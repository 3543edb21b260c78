//! `jcdetect investigate`

use anyhow::{Result, anyhow, bail};

use super::args::inquiry as typed;
use super::errand::tell_of_organizations;
use super::exit::Exit;
use super::inquiry::Inquiry;
use super::period::Period;
use super::settings::zone;
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
use crate::triage::asked::{Asked, Cited};
use crate::triage::finding::Finding;
use crate::triage::focus::Focus;
use crate::triage::foothold::Footholds;
use crate::triage::investigation::{Investigation, Manner};
use crate::triage::record::{Finder, Found};
use crate::triage::watch::{Seen, Watcher};

/// Investigates what was typed.
pub fn run(typed: &typed::Investigate) -> Result<Exit> {
    let form = if typed.format == Format::Json { Form::Json } else { Form::Text { is_all: typed.all } };
    let idle = Span::parse(&typed.idle)
        .ok_or_else(|| anyhow!("--idle {}: no span of time; write 30m, 2h or 1d", typed.idle))?;
    let period = Period::parse(typed.since.as_deref(), typed.until.as_deref(), zone(&typed.inquiry.tz)?)?;
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
    if let Some((first, last)) = asked.as_ref().map(Asked::window) {
        window = (window.0.or(first), window.1.or(last));
    }
    let watched = [inquiry.sources.as_slice(), &inquiry.history].concat();
    let own = asked.as_ref().map_or(&[][..], Asked::findings);
    let reaches_back = own.iter().any(|finding| has_part_in_history(&inquiry, finding));
    let shown_sources = if reaches_back { watched.len() } else { inquiry.sources.len() };
    let cited = Cited::of(own);
    let (focus, seen) = watch_all(&inquiry, &watched, focus, &cited, &typed.inquiry.organization);
    if let Some(changed) = inquiry.tell_of_changed() {
        return Ok(Exit::worst(&[inquiry.exits.as_slice(), &[changed]].concat()));
    }
    let sources: Vec<String> = watched.iter().map(|source| source.name.clone()).collect();
    let manner = Manner { idle, zone: inquiry.zone, window, shown_sources };
    let of_history = inquiry.findings_of_history(|rule| inquiry.wants(rule));
    let footholds = Footholds::of(findings.iter().chain(&of_history), &inquiry.analysis.store);
    let findings = with_asked(findings, own);
    let read = ([coverage, &inquiry.analysis.history.coverage], sources.as_slice(), &inquiry.set);
    let mut investigation = Investigation::new(&focus, asked.as_ref(), &seen, (&findings, &footholds), read, manner);
    investigation.is_event = seen.happenings.is_empty() && is_event(&inquiry, &watched, typed.subject.trim());
    if let Some(directory) = &inquiry.enrichment.directory {
        investigation.look_up(directory);
    }
    let ended = write_out(|out| write(&investigation, form, Look { zone: inquiry.zone, ..Look::default() }, out))?;
    Ok(Exit::worst(&inquiry.exits.iter().copied().chain(unknown).chain(ended).collect::<Vec<_>>()))
}

/// A finding or a case, if its id begins like that; else whoever or whatever has that name.
fn focus(inquiry: &Inquiry, subject: &str) -> Result<(Focus, Option<Asked>)> {
    let (links, store) = (&inquiry.analysis.links, &inquiry.analysis.store);
    let finding = inquiry.finding(subject)?.map(|finding| Asked::Finding(Box::new(finding)));
    let asked = if finding.is_none() { inquiry.case(subject)? } else { finding };
    if let Some(asked) = asked {
        return Ok((Focus::of(&asked, links, store), Some(asked)));
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
fn watch_all(
    inquiry: &Inquiry,
    sources: &[Source],
    mut focus: Focus,
    cited: &Cited,
    organizations: &[String],
) -> (Focus, Seen) {
    let mut seen = watch(inquiry, sources, &focus, cited, organizations);
    if seen.happenings.is_empty()
        && let Some(person) = inquiry.enrichment.directory.as_ref().and_then(|all| all.only_called(&focus.name))
    {
        let known: Vec<String> = inquiry.reading().coverage.organizations.keys().cloned().collect();
        focus = focus.with_names(&person.names(), &inquiry.analysis.links, &known);
        seen = watch(inquiry, sources, &focus, cited, organizations);
    }
    let meant = seen.happenings.iter().filter_map(|happening| happening.deed.device_meant.as_deref());
    if let Some(whole) = focus.with_devices(meant) {
        seen = watch(inquiry, sources, &whole, cited, organizations);
        focus = whole;
    }
    (focus, seen)
}

/// Whether what was typed is the id of an event.
fn is_event(inquiry: &Inquiry, sources: &[Source], subject: &str) -> bool {
    let mut found = Found::default();
    let finder = || Finder::new(subject);
    let plan = FieldPlan::new([]);
    inquiry.pool.install(|| read(sources, inquiry.options, &plan, &mut Known::default(), &finder, &mut found, &|_| {}));
    !found.records.is_empty()
}

/// Reads sources again for whatever belongs to the focus.
fn watch(inquiry: &Inquiry, sources: &[Source], focus: &Focus, cited: &Cited, organizations: &[String]) -> Seen {
    let plan = FieldPlan::new([]);
    let enrichment = &inquiry.enrichment;
    let look_up = |event: &Event<'_>| enrichment.outside(event);
    let look_up = enrichment.looks_up().then_some(&look_up as &LookUp<'_>);
    let mut seen = Seen::new(organizations, cited.clone());
    let watcher = || Watcher::new(focus, cited, &inquiry.analysis.links, look_up);
    inquiry.pool.install(|| read(sources, inquiry.options, &plan, &mut Known::default(), &watcher, &mut seen, &|_| {}));
    seen.close();
    seen
}

/// The findings that were asked for are shown, also where their rules are silent.
fn with_asked(mut findings: Vec<Finding>, asked: &[Finding]) -> Vec<Finding> {
    for asked in asked {
        if !findings.iter().any(|finding| finding.id == asked.id) {
            findings.push(asked.clone());
        }
    }
    findings
}
