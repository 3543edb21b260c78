//! Cases: the part of the table that tells stories.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Cell, ColumnConstraint, Width};

use super::Look;
use super::prose::when;
use super::safe::Safe;
use super::table::{known_networks, severity, table};
use crate::event::time::Zone;
use crate::triage::case::Case;
use crate::triage::finding::short;
use crate::triage::report::Report;
use crate::triage::status::News;
use crate::triage::story::Step;

/// Cases shown; the rest are counted.
const SHOWN: usize = 20;
/// Steps shown of a case.
const STEPS: usize = 12;

/// Writes the cases for people; nothing if there are none.
pub fn write(report: &Report<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if report.cases.is_empty() {
        return Ok(());
    }
    let header = ["Severity", &format!("When ({})", look.zone), "Who or what", "Score", "What happened"];
    let mut table = table(report, &header, look);
    for case in report.cases.iter().take(SHOWN) {
        let mut row = vec![
            severity(case.severity, look),
            Cell::new(when(case.first_seen, case.last_seen, look.zone)),
            Cell::new(who(case)),
            Cell::new(case.score),
            Cell::new(what(report, case, look.zone)),
        ];
        if report.coverage.has_tenants() {
            row.insert(1, Cell::new(Safe(&case.organization)));
        }
        table.add_row(row);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(10)));
    }
    writeln!(out, "Cases: {}{}", report.cases.len(), known(&report.cases))?;
    writeln!(out, "{table}")?;
    if let Some(more) = report.cases.get(SHOWN..).filter(|more| !more.is_empty()) {
        writeln!(out, "{} more{}; --format json has them all", more.len(), known(more))?;
    }
    writeln!(out)
}

/// ` (3 known)`
pub fn known(cases: &[Case]) -> String {
    match cases.iter().filter(|case| case.news == News::Known).count() {
        0 => String::new(),
        known => format!(" ({known} known)"),
    }
}

fn who(case: &Case) -> String {
    const MOST: usize = 3;
    let names: Vec<String> = case.entities.iter().take(MOST).map(|entity| Safe(&entity.name).to_string()).collect();
    match case.entities.len().saturating_sub(MOST) {
        0 => names.join("\n"),
        more => format!("{}\nand {more} more", names.join("\n")),
    }
}

/// The worst steps with their numbers, in the order of the story; of a case that has grown those that are new go first.
fn worst(story: &[Step]) -> Vec<(usize, &Step)> {
    let mut steps: Vec<(usize, &Step)> = (1..).zip(story).collect();
    steps.sort_by_key(|(number, step)| (step.news == News::Known, Reverse(step.severity), *number));
    steps.truncate(STEPS);
    steps.sort_by_key(|(number, _)| *number);
    steps
}

fn what(report: &Report<'_>, case: &Case, zone: Zone) -> String {
    let own = report.findings.iter().filter(|finding| finding.case.as_ref() == Some(&case.id));
    let is_known = case.news == News::Known;
    let known = if is_known { " (known)" } else { "" };
    let networks: BTreeMap<&String, &String> = own.flat_map(|finding| &finding.context.known).collect();
    let mut text = format!("{}{}{known}\n", Safe(&case.title), known_networks(networks));
    let day = case.story.first().map(|step| step.time.short(zone)).unwrap_or_default();
    for (number, step) in worst(&case.story) {
        let time = step.time.short(zone);
        let time = if time.get(..10) == day.get(..10) { &time[11..] } else { time.as_str() };
        let tactic = if step.tactic.is_empty() { String::new() } else { format!(" {}:", step.tactic) };
        let ids: Vec<&str> = step.finding_ids.iter().take(step.rules.len()).map(|id| short(id)).collect();
        let (rules, ids) = (step.rules.join(", "), ids.join(", "));
        // Of a case that has grown, what was told before is marked.
        let old = if !is_known && step.news == News::Known { " (known)" } else { "" };
        text += &format!("{number}. {time}{tactic} {}{old} [{rules}] {ids}\n", Safe(&step.sentence));
    }
    if case.story.len() > STEPS {
        text += &format!("{} more steps, none worse; --format json has them all\n", case.story.len() - STEPS);
    }
    text + &format!("First: {}", case.first_action)
}
