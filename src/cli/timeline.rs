//! `jcdetect timeline`

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Result, bail};

use super::errand::findings;
use super::exit::Exit;
use super::gather::{Filter, Gathered, Settings};
use super::queries;
use super::settings::{least_severity, rules_of};
use super::{say, write_out};
use crate::event::counted::plural;
use crate::event::origin::Origin;
use crate::output::Format;
use crate::output::rows::{csv, lines, terminal, timesketch};
use crate::rule::set::RuleSet;
use crate::triage::column::{Column, Events, wide};
use crate::triage::sentence;
use crate::triage::status::Status;

/// The rules whose findings an event is evidence of, by where the event stands.
type Cited = BTreeMap<Origin, Vec<String>>;

/// What findings cite.
#[derive(Default)]
struct Evidence {
    cited: Cited,
    /// findings that need nobody, whose evidence is left out
    suppressed: u64,
}

/// Shows what was typed in the order of time.
pub fn run(typed: &queries::Timeline) -> Result<Exit> {
    if let Some(flag) = typed.choice.first().filter(|_| !typed.findings) {
        bail!("{flag}: only with --findings, without which no rule runs");
    }
    let mut settings = Settings::new(&typed.input, &typed.shown)?;
    settings.history.clone_from(&typed.history);
    let filter = Filter::new(&typed.filters, settings.is_quiet)?;
    let format = typed.format;
    let (mut gathered, evidence) = match typed.findings {
        true => with_findings(typed, &settings, &filter)?,
        false => (settings.gather(RuleSet::asking(filter.and(None), sentence::wanted()), false)?, None),
    };
    let later = filter.condition.as_ref().filter(|condition| typed.findings || condition.is_linked());
    let store = &gathered.analysis.store;
    let is_cited = |event: &u32| {
        let is_cited = evidence.as_ref().is_none_or(|evidence| evidence.cited.contains_key(&store.origin(*event)));
        is_cited && !store.is_history(*event)
    };
    let list = gathered.chosen_between((0..store.len()).filter(is_cited), later);
    let late_texts = if typed.findings { filter.texts.as_slice() } else { &[] };
    let mut list = gathered.containing(list, late_texts)?;
    // The store has one organization behind the other; what happened at once stays as it is there.
    list.sort_by_key(|event| gathered.analysis.store.time(*event));
    let events = Events { findings: evidence.as_ref().map(|evidence| &evidence.cited), ..gathered.events(&list) };
    let suppressed = evidence.as_ref().map(|evidence| evidence.suppressed).filter(|count| *count > 0);
    let suppressed = suppressed.map(|count| format!("{} suppressed", plural(count, "finding")));
    let ended = write_out(|out| match format {
        Format::Table => table(&gathered, &settings, events, suppressed.as_deref(), out),
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
    let set = rules_of(&config, kept)?;
    let least = least_severity(typed.min_severity.as_deref())?;
    let gathered = settings.gather(set, !filter.texts.is_empty())?;
    let Gathered { set, analysis, .. } = &gathered;
    let findings = findings(set, analysis, &config, usize::MAX, |all| all.of(|rule| config.wants(rule)));
    let mut told = Evidence::default();
    for finding in findings.iter().filter(|finding| finding.severity >= least) {
        if finding.status == Status::Suppressed {
            told.suppressed += 1;
            continue;
        }
        let rule = &set.rules[finding.rule].name;
        for evidence in &finding.evidence {
            let rules = told.cited.entry(evidence.origin).or_default();
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    Ok((gathered, Some(told)))
}

/// All that is known, behind one sentence.
fn columns(events: Events<'_>) -> Vec<Column> {
    let mut columns = wide();
    columns.insert(1, Column::Message);
    columns.extend(events.findings.map(|_| Column::Findings));
    columns
}

fn table(
    gathered: &Gathered,
    settings: &Settings,
    events: Events<'_>,
    suppressed: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut columns = vec![Column::Time];
    columns.extend(events.has_tenants().then_some(Column::Organization));
    columns.push(Column::Message);
    columns.extend(events.findings.map(|_| Column::Findings));
    columns.push(Column::Origin);
    let coverage = &gathered.analysis.reading.coverage;
    terminal::write(events.table(columns), settings.limit, settings.look, out)?;
    let suppressed = suppressed.map(|told| format!("; {told}")).unwrap_or_default();
    let found = format!("{} of {}{suppressed}", events.list.len(), plural(coverage.events, "event"));
    terminal::account(&found, coverage, Some(&gathered.analysis.history.coverage), &gathered.names, out)
}
