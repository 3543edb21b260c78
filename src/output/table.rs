//! Table: what an analyst reads first thing. Stories first, then single findings, worst first: who, when, how often,
//! one plain sentence; then what is a question and no case; then what was read, and what was not.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::prose::when;
use super::safe::Safe;
use super::{Look, cases, unread};
use crate::event::counted::{few, plural};
use crate::event::coverage::{Coverage, Told};
use crate::event::time::{DAY, Zone};
use crate::rule::Severity;
use crate::triage::finding::Finding;
use crate::triage::report::Report;
use crate::triage::status::{Disposition, Status};

/// Findings shown; the rest are counted.
const SHOWN: usize = 50;

/// Writes the report for people.
pub fn write(report: &Report<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = || report.findings.iter().filter(|finding| finding.status != Status::Suppressed);
    let (questions, triage): (Vec<&Finding>, Vec<&Finding>) =
        shown().partition(|finding| finding.disposition == Disposition::Duet);
    cases::write(report, look, out)?;
    let single: Vec<&Finding> = triage.iter().filter(|finding| finding.case.is_none()).copied().collect();
    let title = if report.cases.is_empty() { "Findings" } else { "Findings in no case" };
    section(report, title, &single, look, out)?;
    section(report, "Questions for the owner (did you expect this?)", &questions, look, out)?;
    organizations(report, look.zone, out)?;
    coverage(report, look.zone, out)?;
    last_line(report, &triage, &questions, out)
}

/// An empty table with a header. With more than one organization there is a column for it.
pub fn table(report: &Report<'_>, header: &[&str], look: Look) -> Table {
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
    let mut header = header.to_vec();
    if report.coverage.has_tenants() {
        header.insert(1, "Organization");
    }
    table.set_header(header);
    table
}

fn section(report: &Report<'_>, title: &str, findings: &[&Finding], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let mut table =
        table(report, &["Severity", &format!("When ({})", look.zone), "Who or what", "Events", "What"], look);
    // What nobody has seen stands before what is as bad and known.
    let mut findings = findings.to_vec();
    findings.sort_by_key(|finding| (Reverse(finding.severity), finding.status == Status::Known));
    for finding in findings.iter().take(SHOWN) {
        let mut row = vec![
            severity(finding.severity, look),
            Cell::new(when(finding.first_seen, finding.last_seen, look.zone)),
            Cell::new(Safe(&finding.entity.name)),
            Cell::new(finding.event_count),
            Cell::new(what(report, finding)),
        ];
        if report.coverage.has_tenants() {
            row.insert(1, Cell::new(Safe(&finding.organization)));
        }
        table.add_row(row);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(10)));
    }
    writeln!(out, "{title}: {}", findings.len())?;
    writeln!(out, "{table}")?;
    if let Some(more) = findings.get(SHOWN..).filter(|more| !more.is_empty()) {
        let (count, known) = (more.len(), known(more));
        writeln!(out, "{count} more{known}; --format json has them all, --min-severity leaves some out")?;
    }
    writeln!(out)
}

/// A severity in its colour.
pub fn severity(severity: Severity, look: Look) -> Cell {
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

fn what(report: &Report<'_>, finding: &Finding) -> String {
    let rule = report.rule(finding);
    let mut text = Safe(&finding.summary).to_string();
    if finding.is_pending {
        text += " (pending: the data ends before this can be known)";
    }
    text += &known_networks(&finding.context.known);
    if finding.status == Status::Known {
        text += " (known)";
    }
    if let Some(answer) = finding.answer.as_ref().filter(|answer| answer.is_outdated) {
        text += &format!(
            " (a yes of {} by {} does not cover what came after it)",
            answer.when.short(Zone::Utc),
            Safe(&answer.who)
        );
    }
    match (&rule.duet, finding.disposition) {
        (Some(duet), Disposition::Duet) => text += &format!("\nAsk: {}", duet.question),
        (Some(duet), Disposition::Triage) => text += &format!("\nFirst: {}", duet.first_action),
        (None, _) => text += &rule.triage.first().map(|step| format!("\nFirst: {step}")).unwrap_or_default(),
    }
    format!("{text}\n[{}] {}", rule.name, finding.short_id())
}

/// What the organization calls the networks that something came from.
pub fn known_networks<'f>(known: impl IntoIterator<Item = (&'f String, &'f String)>) -> String {
    let known = known.into_iter().map(|(ip, label)| format!(" ({} is known as {})", Safe(ip), Safe(label)));
    known.take(3).collect()
}

/// With more than one organization: the worst of each.
fn organizations(report: &Report<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    if !report.coverage.has_tenants() {
        return Ok(());
    }
    let mut found: BTreeMap<&str, [Vec<&Finding>; 2]> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.status != Status::Suppressed) {
        let is_question = finding.disposition == Disposition::Duet;
        found.entry(&finding.organization).or_default()[usize::from(is_question)].push(finding);
    }
    for organization in report.coverage.organizations.keys().filter(|organization| report.run.is_asked(organization)) {
        let [triage, questions] = found.remove(organization.as_str()).unwrap_or_default();
        let name = if organization.is_empty() { "(none)" } else { organization };
        let worst_of = |findings: &[&Finding]| findings.iter().map(|f| f.severity).max();
        let told = match (worst_of(&triage).or(worst_of(&questions)), report.run.left_out.get(organization)) {
            (Some(worst), _) if questions.is_empty() => format!("{}, worst {worst}", counted(&triage, "finding")),
            (Some(worst), _) if triage.is_empty() => format!("{}, worst {worst}", counted(&questions, "question")),
            (Some(worst), _) => {
                format!("{}, worst {worst}, and {}", counted(&triage, "finding"), counted(&questions, "question"))
            }
            (None, Some(count)) => {
                format!("no finding passes the filters; {} left out", plural(*count as u64, "finding"))
            }
            (None, None) => {
                let events = plural(report.coverage.organizations[organization], "event");
                let last = report.coverage.span_of(organization).map(|span| span.last.short(zone));
                let until = last.and_then(|time| Some(format!(" until {}", time.get(..10)?))).unwrap_or_default();
                format!("nothing found in {events}{until}")
            }
        };
        writeln!(out, "{}: {told}", Safe(name))?;
    }
    writeln!(out)
}

/// How many there are, and how many of them were known before.
fn counted(findings: &[&Finding], noun: &str) -> String {
    plural(findings.len() as u64, noun) + &known(findings)
}

/// ` (3 known)`
fn known(findings: &[&Finding]) -> String {
    match findings.iter().filter(|f| f.status == Status::Known).count() {
        0 => String::new(),
        known => format!(" ({known} known)"),
    }
}

fn coverage(report: &Report<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let c = report.coverage;
    write!(out, "Read: {}", plural(c.events, "event"))?;
    if let Some(span) = c.span {
        let length = span.last.since(span.first);
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
    conflicts(c, "", out)?;
    if c.without_id > 0 {
        writeln!(out, "Without an id: {}; duplicates among them cannot be told", plural(c.without_id, "event"))?;
    }
    skipped(c, &report.run.sources, "Skipped", out)?;
    unread::sources(c, "", out)?;
    if report.has_history() {
        let span = report
            .history
            .span
            .map(|span| format!(" from {} to {} {zone}", span.first.short(zone), span.last.short(zone)));
        let (events, again) = (plural(report.history.events, "event"), report.history.duplicates);
        let again = if again > 0 { format!("; {}", plural(again, "duplicate") + " left out") } else { String::new() };
        writeln!(out, "History: {events}{}{again}", span.unwrap_or_default())?;
        conflicts(report.history, " in the history", out)?;
        skipped(report.history, &report.run.history, "Skipped of the history", out)?;
        unread::sources(report.history, " of the history", out)?;
    }
    too_short(report, out)?;
    if c.flattened.count > 0 {
        let (records, places) = (plural(c.flattened.count, "record"), examples(&c.flattened, &report.run.sources));
        writeln!(
            out,
            "Flattened: {records} with nested values written as text, which no rule sees into ({places}): export again as JSON, with PowerShell by ConvertTo-Json -Depth 99"
        )?;
    }
    missing(report, out)?;
    // The longest says most.
    let mut gaps = c.gaps();
    gaps.sort_by_key(|gap| (Reverse(gap.to.since(gap.from)), gap.from));
    for gap in gaps.iter().take(1) {
        let more = if gaps.len() > 1 { format!("; {} more, shorter", gaps.len() - 1) } else { String::new() };
        let length = gap.to.since(gap.from).words();
        writeln!(
            out,
            "Gap: nothing at all{} from {} to {} {zone} ({length}{more})",
            of_organization(c, &gap.organization),
            gap.from.short(zone),
            gap.to.short(zone)
        )?;
    }
    silences(c, zone, out)?;
    unknown_types(c, out)?;
    enriched(report, zone, out)?;
    unread::left_out(c, out)
}

/// What an export of a few fields does not say.
fn missing(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.missing.is_empty() {
        return Ok(());
    }
    let places = if report.missing.contains(&"geoip") { "; --geoip knows places by addresses" } else { "" };
    writeln!(
        out,
        "Missing: no event has {}, so that rules which ask for it see nothing: export all fields (jc … --output ndjson, ConvertTo-Json -Depth 99){places}",
        report.missing.join(", ")
    )
}

/// What is read reaches back too little for what many rules learn first.
fn too_short(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    const ENOUGH: i64 = 21 * DAY;
    let spans: Vec<_> = [report.coverage, report.history].into_iter().filter_map(|coverage| coverage.span).collect();
    let (first, last) = (spans.iter().map(|span| span.first).min(), spans.iter().map(|span| span.last).max());
    let young = report.rules.too_young.len() as u64;
    match first.zip(last).map(|(first, last)| last.since(first)).filter(|span| young > 0 && span.0 < ENOUGH) {
        Some(span) => writeln!(
            out,
            "Short: {} are read; {} for 14 days or more what is usual, and judged nobody: give older exports as --history",
            span.words(),
            if young == 1 { "1 rule learns".to_owned() } else { format!("{young} rules learn") }
        ),
        None => Ok(()),
    }
}

/// Ids that stand on events with different bodies.
fn conflicts(c: &Coverage, of: &str, out: &mut dyn Write) -> io::Result<()> {
    let ids = match c.conflicting_ids {
        0 => return Ok(()),
        1 => "1 id stands".to_owned(),
        count => format!("{count} ids stand"),
    };
    writeln!(out, "Same id, different events{of}: {ids} on more than one event; all were kept")
}

fn skipped(c: &Coverage, sources: &[String], title: &str, out: &mut dyn Write) -> io::Result<()> {
    for (reason, skipped) in &c.skipped {
        let (count, reason) = (plural(skipped.count, "record"), reason.words());
        writeln!(out, "{title}: {count}, {reason} ({})", examples(skipped, sources))?;
    }
    Ok(())
}

/// Where some of them stand.
pub fn examples(told: &Told, sources: &[String]) -> String {
    let places = told.places(sources).map(|(source, line)| format!("{}:{line}", Safe(source)));
    let more = if told.count > told.examples.len() as u64 { ", …" } else { "" };
    format!("{}{more}", places.collect::<Vec<_>>().join(", "))
}

/// The files that evidence was enriched from, what of them applied, and what could not be used.
fn enriched(report: &Report<'_>, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    for file in &report.run.enriched_from {
        let day = file.modified.map(|time| time.short(zone)).unwrap_or_default();
        let day = day.get(..10).map(|day| format!(" (as of {day})")).unwrap_or_default();
        write!(out, "Enriched from {}{day}: {}", Safe(&file.file), plural(file.entries, "entry"))?;
        if file.is_met == Some(false) {
            write!(out, ", none of which matched anything")?;
        }
        if report.coverage.has_tenants() && file.without_organization > 0 {
            let count = file.without_organization;
            write!(out, "; {count} without an organization, taken to be of each")?;
        }
        writeln!(out)?;
        if let Some(told) = file.not_used() {
            writeln!(out, "{}", Safe(&told))?;
        }
    }
    let mut people: BTreeMap<(&str, &str, &str), bool> = BTreeMap::new();
    for finding in &report.findings {
        for ((kind, name), is_there) in &finding.context.people {
            *people.entry((&finding.organization, kind, name)).or_default() |= is_there;
        }
    }
    let found = people.values().filter(|is_there| **is_there).count();
    match people.len() {
        0 => Ok(()),
        all => writeln!(out, "People: the directory has {found} of the {all} in the findings"),
    }
}

/// Whose it is, where there are several.
fn of_organization(c: &Coverage, organization: &str) -> String {
    if c.has_tenants() && !organization.is_empty() { format!(" of {}", Safe(organization)) } else { String::new() }
}

/// The longest silence of a service, and how many more there are.
fn silences(c: &Coverage, zone: Zone, out: &mut dyn Write) -> io::Result<()> {
    let mut silences = c.silences();
    silences.sort_by_key(|silence| (Reverse(silence.to.since(silence.from)), silence.from));
    let Some(silence) = silences.first() else { return Ok(()) };
    let more = if silences.len() > 1 { format!("; {} more", silences.len() - 1) } else { String::new() };
    let whose = of_organization(c, &silence.organization);
    let (from, to) = (silence.from.short(zone), silence.to.short(zone));
    let length = silence.to.since(silence.from).words();
    let service = Safe(&silence.service);
    writeln!(
        out,
        "Silent: no {service} events{whose} from {from} to {to} {zone}, unlike in other weeks ({length}{more})"
    )
}

/// Types of which no source says what they are: rules may not know them.
fn unknown_types(c: &Coverage, out: &mut dyn Write) -> io::Result<()> {
    let named = |name: &str| if name.is_empty() { "(none)".to_owned() } else { Safe(name).to_string() };
    let types: Vec<String> = c.unknown_types().map(|(name, count)| format!("{} {count}", named(name))).collect();
    if types.is_empty() {
        return Ok(());
    }
    let count = plural(types.len() as u64, "event type");
    writeln!(out, "Unknown: {count} that JumpCloud does not document: {}", few(&types, 5, ", "))
}

fn last_line(report: &Report<'_>, triage: &[&Finding], questions: &[&Finding], out: &mut dyn Write) -> io::Result<()> {
    let left_out = report.run.left_out_count();
    let mut found = match (triage.is_empty(), questions.is_empty()) {
        (true, true) if left_out > 0 => "No finding passes the filters".to_owned(),
        (true, true) => "Nothing found".to_owned(),
        (false, true) => counted(triage, "finding"),
        (true, false) => counted(questions, "question"),
        (false, false) => format!("{} and {}", counted(triage, "finding"), counted(questions, "question")),
    };
    if !report.cases.is_empty() {
        found = format!("{}; {found}", plural(report.cases.len() as u64, "case") + &cases::known(&report.cases));
    }
    match report.findings.iter().filter(|finding| finding.status == Status::Suppressed).count() {
        0 => {}
        count => found += &format!("; {count} suppressed"),
    }
    if left_out > 0 {
        found += &format!("; {left_out} left out");
    }
    let skipped = unread::account(report.coverage, report.history);
    let rules = &report.rules;
    // A rule is told once, by what weighs most.
    let (mut unchecked, mut told) = (Vec::new(), BTreeSet::new());
    let failed: Vec<String> = rules.failed.iter().map(|(name, _)| name.clone()).collect();
    for (names, why) in [
        (&failed, "failed"),
        (&rules.no_input, "without their kind of event"),
        (&rules.too_young, "without enough history"),
        (&rules.blind, "without their list or database"),
    ] {
        let count = names.iter().filter(|name| told.insert(name.as_str())).count();
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
