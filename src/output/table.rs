//! Table: what an analyst reads first thing. Worst first, who, when, how often, one plain sentence; then
//! what is a question and no case; then what was read, and what was not.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::Look;
use super::safe::Safe;
use crate::event::time::{Span, Zone};
use crate::rule::Severity;
use crate::triage::finding::Finding;
use crate::triage::report::Report;

/// Findings shown; the rest are counted.
const SHOWN: usize = 50;

/// Writes the report for people.
pub fn write(report: &Report<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (questions, triage): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| report.rule(finding).duet.is_some());
    section(report, "Findings", &triage, look, out)?;
    section(report, "Questions for the owner (did you expect this?)", &questions, look, out)?;
    organizations(report, out)?;
    coverage(report, look.zone, out)?;
    last_line(report, triage.len(), questions.len(), out)
}

fn section(report: &Report<'_>, title: &str, findings: &[&Finding], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let has_tenants = report.coverage.organizations.len() > 1;
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !look.is_terminal {
        table.set_width(140);
    }
    if look.is_coloured {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let when_header = format!("When ({})", look.zone);
    let mut header = vec!["Severity", &when_header, "Who or what", "Events", "What"];
    if has_tenants {
        header.insert(1, "Organization");
    }
    table.set_header(header);
    for finding in findings.iter().take(SHOWN) {
        let mut row = vec![
            severity(finding.severity, look),
            Cell::new(when(finding, look.zone)),
            Cell::new(Safe(&finding.entity.name)),
            Cell::new(finding.event_count),
            Cell::new(what(report, finding)),
        ];
        if has_tenants {
            row.insert(1, Cell::new(Safe(&finding.organization)));
        }
        table.add_row(row);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(10)));
    }
    writeln!(out, "{title}: {}", findings.len())?;
    writeln!(out, "{table}")?;
    if findings.len() > SHOWN {
        writeln!(out, "{} more; --format json has them all, --min-severity leaves some out", findings.len() - SHOWN)?;
    }
    writeln!(out)
}

fn severity(severity: Severity, look: Look) -> Cell {
    let cell = Cell::new(severity.word());
    if !look.is_coloured {
        return cell;
    }
    match severity {
        Severity::Critical => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Severity::High => cell.fg(Color::Red),
        Severity::Medium => cell.fg(Color::Yellow),
        Severity::Low => cell.fg(Color::Blue),
        Severity::Info => cell,
    }
}

fn when(finding: &Finding, zone: Zone) -> String {
    let (first, last) = (finding.first_seen.short(zone), finding.last_seen.short(zone));
    match (first == last, first.get(..10) == last.get(..10)) {
        (true, _) => first,
        (false, true) => format!("{first} – {}", &last[11..]),
        (false, false) => format!("{first} – {last}"),
    }
}

fn what(report: &Report<'_>, finding: &Finding) -> String {
    let rule = report.rule(finding);
    let mut text = Safe(&finding.summary).to_string();
    if finding.is_pending {
        text += " (pending: the data ends before this can be known)";
    }
    match &rule.duet {
        Some(duet) => text += &format!("\nAsk: {}", duet.question),
        None => text += &rule.triage.first().map(|step| format!("\nFirst: {step}")).unwrap_or_default(),
    }
    format!("{text}\n[{}]", rule.name)
}

/// With more than one organization: the worst of each.
fn organizations(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.coverage.organizations.len() < 2 {
        return Ok(());
    }
    for organization in report.coverage.organizations.keys() {
        let own: Vec<&Finding> = report.findings.iter().filter(|f| f.organization == *organization).collect();
        let name = if organization.is_empty() { "(none)" } else { organization };
        match own.iter().map(|f| f.severity).max() {
            Some(worst) => writeln!(out, "{}: {}, worst {worst}", Safe(name), plural(own.len() as u64, "finding"))?,
            None => writeln!(out, "{}: nothing found", Safe(name))?,
        }
    }
    writeln!(out)
}

fn coverage(report: &Report<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let c = report.coverage;
    write!(out, "Read: {}", plural(c.events, "event"))?;
    if let Some(span) = c.span {
        let length = Span(span.last.0 - span.first.0);
        write!(out, " from {} to {} {zone} ({})", span.first.short(zone), span.last.short(zone), length.words())?;
    }
    writeln!(out)?;
    if !c.services.is_empty() {
        let services: Vec<String> = c.services.iter().map(|(name, n)| format!("{} {n}", Safe(name))).collect();
        writeln!(out, "Services: {}", services.join(", "))?;
    }
    if c.duplicates > 0 {
        writeln!(out, "Duplicates: {} left out", c.duplicates)?;
    }
    if c.conflicting_ids > 0 {
        let verb = if c.conflicting_ids == 1 { "stands" } else { "stand" };
        writeln!(
            out,
            "Same id, different events: {} {verb} on more than one event; all were kept",
            plural(c.conflicting_ids, "id")
        )?;
    }
    if c.without_id > 0 {
        writeln!(out, "Without an id: {}; duplicates among them cannot be told", plural(c.without_id, "event"))?;
    }
    for (reason, skipped) in &c.skipped {
        let examples: Vec<String> =
            skipped.examples.iter().map(|(source, line)| format!("{}:{line}", Safe(report.source(*source)))).collect();
        let more = if skipped.count > examples.len() as u64 { ", …" } else { "" };
        writeln!(
            out,
            "Skipped: {}, {} ({}{more})",
            plural(skipped.count, "record"),
            reason.words(),
            examples.join(", ")
        )?;
    }
    // The longest says most.
    let mut gaps = c.gaps();
    gaps.sort_by_key(|gap| (gap.from.0 - gap.to.0, gap.from));
    for gap in gaps.iter().take(1) {
        let more = if gaps.len() > 1 { format!("; {} more, shorter", gaps.len() - 1) } else { String::new() };
        let length = Span(gap.to.0 - gap.from.0).words();
        writeln!(
            out,
            "Gap: nothing at all from {} to {} {zone} ({length}{more})",
            gap.from.short(zone),
            gap.to.short(zone)
        )?;
    }
    if !c.not_read.is_empty() {
        let names: Vec<String> = c.not_read.iter().take(5).map(|n| Safe(n).to_string()).collect();
        let more = if c.not_read.len() > 5 { ", …" } else { "" };
        writeln!(out, "Not read: {} ({}{more})", plural(c.not_read.len() as u64, "other file"), names.join(", "))?;
    }
    Ok(())
}

fn last_line(report: &Report<'_>, triage: usize, questions: usize, out: &mut dyn Write) -> io::Result<()> {
    let found = match (triage, questions) {
        (0, 0) => "Nothing found".to_owned(),
        (triage, 0) => plural(triage as u64, "finding"),
        (0, questions) => plural(questions as u64, "question"),
        (triage, questions) => {
            format!("{} and {}", plural(triage as u64, "finding"), plural(questions as u64, "question"))
        }
    };
    let skipped = match report.coverage.skipped_count() {
        0 => "nothing skipped".to_owned(),
        n => format!("{} skipped", plural(n, "record")),
    };
    let rules = &report.rules;
    let mut unchecked = Vec::new();
    for (count, why) in [
        (rules.no_input.len(), "without their kind of event"),
        (rules.too_young.len(), "without enough history"),
        (rules.blind.len(), "without their other input"),
        (rules.failed.len(), "failed"),
    ] {
        if count > 0 {
            unchecked.push(format!("{count} {why}"));
        }
    }
    let ran = plural(rules.ran as u64, "rule");
    match unchecked.is_empty() {
        true => writeln!(out, "{found}; {skipped}; {ran} ran, all had what they need"),
        false => writeln!(out, "{found}; {skipped}; of {ran}, could not check: {}", unchecked.join(", ")),
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
