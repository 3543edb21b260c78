//! `jcdetect explain`

use anyhow::{Result, anyhow, bail};

use super::args::inquiry as typed;
use super::errand::tell_of_organizations;
use super::exit::Exit;
use super::inquiry::Inquiry;
use super::write_out;
use crate::event::Event;
use crate::event::facet::FieldPlan;
use crate::event::json::Json;
use crate::event::outside::Enriched;
use crate::input::known::Known;
use crate::input::read;
use crate::output::explanation::{Asked, Explanation, write};
use crate::rule::Rule;
use crate::triage::explanation::{At, Part, Read, parts};
use crate::triage::finding::{Finding, LEAST_OF_ID};
use crate::triage::record::{Finder, Found, Linked, Record};
use crate::triage::report::RuleCoverage;
use crate::triage::sentence;

/// Explains what was typed.
pub fn run(typed: &typed::Explain) -> Result<Exit> {
    if typed.subject.trim().is_empty() {
        bail!("name a rule, or the id of a finding; `jcdetect rules list` has the rules");
    }
    let inquiry = Inquiry::new(&typed.inquiry, None)?;
    let unknown = tell_of_organizations(&typed.inquiry.organization, &inquiry.reading().coverage);
    let named = inquiry.set.find(&typed.subject);
    let finding = if named.is_ok() { None } else { inquiry.finding(&typed.subject)? };
    let place = match &finding {
        Some(finding) => finding.rule,
        None => named.map_err(|no_rule| {
            let no_finding = format!("not the first {LEAST_OF_ID} or more characters of a finding's id");
            anyhow!("{}: {no_finding}, and {no_rule}", typed.subject)
        })?,
    };
    if let (Some(finding), Some(_)) = (&finding, &typed.event) {
        bail!("--event goes with a rule, not with a finding; write {} --event …", inquiry.set.rules[finding.rule].name);
    }
    let rule = &inquiry.set.rules[place];
    let findings = inquiry.findings(|other| std::ptr::eq(other, rule));
    let (event, parts) = match (&finding, &typed.event) {
        (Some(finding), _) => (None, parts(all_read(&inquiry), place, At::Finding(finding))),
        (None, Some(id)) => {
            let looked = on_event(&inquiry, place, id);
            if let Some(changed) = inquiry.tell_of_changed() {
                return Ok(Exit::worst(&[inquiry.exits.as_slice(), &[changed]].concat()));
            }
            let (asked, parts) = looked?;
            (Some(asked), parts)
        }
        (None, None) => (None, parts(all_read(&inquiry), place, At::Everything)),
    };
    let explanation = Explanation {
        rule,
        has_other_level: inquiry.has_level(rule),
        findings: findings.iter().collect(),
        finding: finding.as_ref(),
        event,
        reasons: reasons(&inquiry, rule, &findings),
        coverage: &inquiry.reading().coverage,
        history: &inquiry.analysis.history.coverage,
        parts,
    };
    let ended = write_out(|out| write(&explanation, inquiry.zone, out))?;
    Ok(Exit::worst(&[inquiry.exits.as_slice(), unknown.as_slice(), ended.as_slice()].concat()))
}

fn all_read(inquiry: &Inquiry) -> Read<'_> {
    let analysis = &inquiry.analysis;
    Read { set: &inquiry.set, store: &analysis.store, detected: &analysis.detected }
}

/// Looks at a rule on the event of this id.
fn on_event(inquiry: &Inquiry, place: usize, id: &str) -> Result<(Asked, Vec<Part>)> {
    let plan = FieldPlan::new([]);
    let (mut known, mut found) = (Known::default(), Found::default());
    let mut read_all = |sources, found: &mut Found| {
        read(sources, inquiry.options, &plan, &mut known, &|| Finder::new(id), found, &|_| {})
    };
    inquiry.pool.install(|| {
        read_all(&inquiry.sources, &mut found);
        found.begin_history(inquiry.sources.len());
        read_all(&inquiry.history, &mut found);
    });
    let Some(Record { origin, text, .. }) = found.first(&inquiry.analysis.store) else {
        bail!("--event {id}: no event of this id was read");
    };
    let json = Json::parse(text).map_err(|error| anyhow!("--event {id}: {error}"))?;
    let event = Event::new(&json).map_err(|_| anyhow!("--event {id}: the record is not an event"))?;
    let outside = inquiry.enrichment.looks_up().then(|| inquiry.enrichment.outside(&event));
    let linked = Linked { enriched: Enriched { event: &event, outside }, links: &inquiry.analysis.links };
    let mut sources = inquiry.sources.iter().chain(&inquiry.history);
    let source = sources.nth(origin.source as usize).map_or("?", |source| source.name.as_str());
    let is_history = origin.source as usize >= inquiry.sources.len();
    let asked = Asked {
        id: id.to_owned(),
        time: event.time,
        sentence: sentence::of_enriched(&linked.enriched).to_string(),
        place: format!("{source}:{}{}", origin.line, if is_history { ", in the history" } else { "" }),
        count: found.records.len(),
    };
    Ok((asked, parts(all_read(inquiry), place, At::Event(&linked, *origin))))
}

/// Why a rule could find nothing, or why a scan does not report what it found.
fn reasons(inquiry: &Inquiry, rule: &Rule, findings: &[Finding]) -> Vec<String> {
    let analysis = &inquiry.analysis;
    let history = Some(&analysis.history.coverage);
    let coverage = RuleCoverage::new(
        &inquiry.set,
        &analysis.detected,
        &analysis.reading.coverage,
        history,
        |need| analysis.has(need, &inquiry.enrichment),
        |other| std::ptr::eq(other, rule),
    );
    let mut out = Vec::new();
    if rule.is_opt_in && !inquiry.wants(rule) {
        out.push(format!("A scan reports nothing of this rule by default; --enable {} turns it on.", rule.name));
    } else if !inquiry.wants(rule) {
        out.push("The configuration or --disable turns this rule off.".to_owned());
    }
    if findings.is_empty() {
        out.extend(coverage.why_nothing(rule));
    }
    out.extend(coverage.failed.iter().map(|(_, message)| format!("It failed inside: {message}")));
    out
}
