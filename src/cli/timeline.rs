//! `jcdetect timeline`

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::{Result, bail};

use super::errand::{cases, findings};
use super::exit::Exit;
use super::gather::{Filter, Gathered, Settings};
use super::queries;
use super::settings::{least_severity, rules_of};
use super::{say, write_out};
use crate::event::counted::plural;
use crate::output::Format;
use crate::output::rows::{csv, lines, terminal, timesketch};
use crate::rule::expr::Expr;
use crate::rule::set::RuleSet;
use crate::triage::citation::Citations;
use crate::triage::column::{CITED, Column, Events, wide};
use crate::triage::finding::{Finding, Findings, LEAST_OF_ID, is_part_of_id};
use crate::triage::sentence;
use crate::triage::status::Status;

/// What findings cite.
struct Evidence {
    citations: Citations,
    /// findings that need nobody, whose evidence is left out
    suppressed: u64,
}

/// Shows what was typed in the order of time.
pub fn run(typed: &queries::Timeline) -> Result<Exit> {
    let asks_rules = typed.findings || typed.mark || !typed.of.is_empty();
    if let Some(flag) = typed.choice.first().filter(|_| !asks_rules) {
        bail!("{flag}: only with --findings, --mark or --of, without which no rule runs");
    }
    if let Some(id) = typed.of.iter().find(|id| !is_part_of_id(&id.to_ascii_lowercase())) {
        bail!("--of {id}: not the first {LEAST_OF_ID} or more characters of the id of a finding or of a case");
    }
    let mut settings = Settings::new(&typed.input, &typed.shown)?;
    settings.history.clone_from(&typed.history);
    let filter = Filter::new(&typed.filters, settings.is_quiet)?;
    let format = typed.format;
    let (mut gathered, evidence) = match asks_rules {
        true => with_findings(typed, &settings, &filter)?,
        false => (settings.gather(RuleSet::asking(filter.and(None), sentence::wanted()), false)?, None),
    };
    let later = filter.condition.as_ref().filter(|condition| asks_rules || condition.is_linked());
    let store = &gathered.analysis.store;
    let is_cited = |event: &u32| {
        let is_cited = |evidence: &Evidence| typed.mark || evidence.citations.has(*event);
        evidence.as_ref().is_none_or(is_cited) && !store.is_history(*event)
    };
    let list = gathered.chosen_between((0..store.len()).filter(is_cited), later);
    let late_texts = if asks_rules { filter.texts.as_slice() } else { &[] };
    let mut list = gathered.containing(list, late_texts)?;
    // The store has one organization behind the other; what happened at once stays as it is there.
    list.sort_by_key(|event| gathered.analysis.store.time(*event));
    let events = Events { citations: evidence.as_ref().map(|evidence| &evidence.citations), ..gathered.events(&list) };
    let suppressed = evidence.as_ref().map(|evidence| evidence.suppressed).filter(|count| *count > 0);
    let suppressed = suppressed.map(|count| format!("{} suppressed", plural(count, "finding")));
    let marked = events.citations.filter(|_| typed.mark).map(|citations| marked(citations, &list));
    let ended = write_out(|out| match format {
        Format::Table => table(&gathered, &settings, events, &[marked, suppressed.clone()], out),
        Format::Csv => csv::write(events.table(columns(events)), out),
        Format::Timesketch => timesketch::write(events.table(columns(events)), out),
        _ => lines::write(events.table(columns(events)), out),
    })?;
    gathered.exits.extend(ended);
    if format != Format::Table {
        gathered.tell_skipped(settings.is_quiet);
        suppressed.iter().filter(|_| !settings.is_quiet).for_each(say);
    }
    Ok(Exit::worst(&gathered.exits))
}

/// Reads with all rules, and notes which events are evidence.
fn with_findings(
    typed: &queries::Timeline,
    settings: &Settings,
    filter: &Filter,
) -> Result<(Gathered, Option<Evidence>)> {
    let config = typed.choice.config(&typed.input.enrichment.known, &settings.sources)?;
    config.tell(settings.is_quiet);
    let mut kept = Vec::new();
    filter.condition.iter().for_each(|condition| condition.fields(&mut kept));
    let all = typed.mark.then(|| Expr::And(filter.condition.iter().cloned().collect()));
    let set = rules_of(&config, kept, all)?;
    let least = least_severity(typed.min_severity.as_deref())?;
    let gathered = settings.gather(set, !filter.texts.is_empty())?;
    let Gathered { set, analysis, enrichment, .. } = &gathered;
    let mut found = findings(set, analysis, &config, 0, |all| all.of(|rule| config.wants(rule)));
    let of_history = |all: &Findings<'_>| all.of_history(|rule| config.wants(rule));
    let before = findings(set, analysis, &config, 0, of_history);
    cases((set, &analysis.store), &config, enrichment, &mut found, before);
    if !typed.of.is_empty() {
        let asked = typed.of.iter().map(|id| named(id, &found)).collect::<Result<BTreeSet<String>>>()?;
        found.retain(|finding| {
            asked.contains(&finding.id) || finding.case.as_ref().is_some_and(|id| asked.contains(id))
        });
    }
    found.retain(|finding| finding.severity >= least);
    let of_all = found.len();
    // Whoever names a finding wants to see it, also where it needs nobody.
    found.retain(|finding| finding.status != Status::Suppressed || !typed.of.is_empty());
    let suppressed = (of_all - found.len()) as u64;
    let citations = Citations::new(set, &found);
    Ok((gathered, Some(Evidence { citations, suppressed })))
}

/// The one finding or case whose id begins like that.
fn named(typed: &str, findings: &[Finding]) -> Result<String> {
    let start = typed.to_ascii_lowercase();
    let ids = findings.iter().flat_map(|finding| [Some(&finding.id), finding.case.as_ref()]).flatten();
    let found: BTreeSet<&String> = ids.filter(|id| id.starts_with(&start)).collect();
    match found.len() {
        0 => bail!(
            "--of {typed}: no finding and no case has an id that begins like that; `scan --format json` has the ids"
        ),
        1 => Ok(found.into_iter().map(String::to_owned).collect()),
        count => {
            let ids: Vec<&str> = found.into_iter().map(String::as_str).collect();
            bail!("--of {typed}: {count} ids begin like that: {}", ids.join(", "))
        }
    }
}

/// How many of the events are evidence.
fn marked(citations: &Citations, list: &[u32]) -> String {
    let count = list.iter().filter(|event| citations.has(**event)).count();
    format!("{count} of them evidence of findings")
}

/// All that is known, behind one sentence.
fn columns(events: Events<'_>) -> Vec<Column> {
    let mut columns = wide();
    columns.insert(1, Column::Message);
    columns.extend(events.citations.map(|_| CITED).into_iter().flatten());
    columns
}

fn table(
    gathered: &Gathered,
    settings: &Settings,
    events: Events<'_>,
    told: &[Option<String>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut columns = vec![Column::Time];
    columns.extend(events.has_tenants().then_some(Column::Organization));
    columns.push(Column::Message);
    columns.extend(events.citations.map(|_| Column::Findings));
    columns.push(Column::Origin);
    columns.extend(events.citations.map(|_| Column::Severity));
    let coverage = &gathered.analysis.reading.coverage;
    terminal::write(events.table(columns), settings.limit, settings.look, out)?;
    let mut found = format!("{} of {}", events.list.len(), plural(coverage.events, "event"));
    told.iter().flatten().for_each(|told| found += &format!("; {told}"));
    terminal::account(&found, coverage, Some(&gathered.analysis.history.coverage), &gathered.names, out)
}
