//! `jcdetect scan`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::args;
use super::decisions::{self, Decisions};
use super::duet;
use super::errand::{Again, Done, Errand, cases, tell_of_organizations};
use super::exit::Exit;
use super::missing::missing;
use super::period::Between;
use super::pipeline::{Analysis, Job, analyse};
use super::settings::{Scan, Selection};
use super::stats;
use super::{say, write_out};
use crate::detect::partition::Partition;
use crate::enrich::enrichment::{Enrichment, Paths};
use crate::event::time::Zone;
use crate::input::{Options, source};
use crate::output::{self, Format, Look};
use crate::rule::Severity;
use crate::rule::set::RuleSet;
use crate::triage::context;
use crate::triage::finding::{Finding, Findings};
use crate::triage::question::{AddressBook, messages};
use crate::triage::report::{Report, RuleCoverage, Run};
use crate::triage::reported::Reported;
use crate::triage::status::{Disposition, Status};

/// Scans what was typed.
pub fn run(typed: &args::Scan) -> Result<Exit> {
    let settings = Scan::new(typed)?;
    let sources = source::find(&settings.sources);
    of(settings, sources)
}

/// Scans sources.
pub fn of(mut settings: Scan, mut sources: source::Sources) -> Result<Exit> {
    settings.config.tell(settings.is_quiet);
    let decisions = Decisions::load(&settings.baseline, &settings.answers, &settings.config.suppressions)?;
    let mut history = source::find(&settings.history);
    spare_what_is_read(&settings, sources.list.iter().chain(&history.list).filter_map(source::Source::path))?;
    let set = std::mem::take(&mut settings.set);
    let settings = &settings;
    let errand = Errand {
        set,
        organizations: &settings.selection.organizations,
        enrichment: &settings.enrichment,
        now: settings.now,
        options: settings.options,
        partition: settings.partition,
        pool: &settings.pool,
        is_quiet: settings.is_quiet,
        reads_again: Again::Never,
    };
    // The process ends soon, and to free the rules and the events would take longer than to write the report.
    let done = ManuallyDrop::new(errand.run(&mut sources, &mut history)?);
    let Done { set, enrichment, analysis, exits } = &*done;
    let mut exits = exits.clone();
    let coverage = &analysis.reading.coverage;
    exits.extend(tell_of_organizations(&settings.selection.organizations, coverage));
    let between = settings.selection.period.resolve(coverage.newest())?;
    let report = settings
        .pool
        .install(|| report(settings, set, &decisions, analysis, enrichment, [&sources.list, &history.list], between))?;
    if !settings.is_quiet {
        decisions::tell(&report.run);
    }
    exits.extend(verdict(settings, &report, analysis));
    exits.extend(write_questions(settings, &report, &decisions, enrichment));
    for (format, path) in &settings.outputs {
        if let Err(error) = write_file(&report, *format, settings.look.zone, path) {
            say(format_args!("--output {}: {error}", path.display()));
            exits.push(Exit::Output);
        }
    }
    if let Some(format) = settings.format {
        exits.extend(write_out(|out| output::write(&report, format, settings.look, out))?);
    }
    if settings.has_stats {
        stats::tell(set, analysis, sources.bytes() + history.bytes());
    }
    Ok(Exit::worst(&exits))
}

/// No output may be written over what is read.
fn spare_what_is_read<'p>(settings: &'p Scan, sources: impl Iterator<Item = &'p Path>) -> Result<()> {
    let Paths { directory, geo, intel, known } = &settings.enrichment;
    let others = [&settings.baseline, &settings.answers, geo, intel, known].into_iter().flatten().chain(directory);
    let others = others.chain(&settings.config.path).chain(&settings.config.rules).map(PathBuf::as_path);
    let outputs: Vec<(PathBuf, &PathBuf)> =
        settings.outputs.iter().filter_map(|(_, path)| Some((path.canonicalize().ok()?, path))).collect();
    if outputs.is_empty() {
        return Ok(());
    }
    for read in sources.chain(others).filter_map(|path| path.canonicalize().ok()) {
        let is_in = |path: &Path| path == read || read.is_dir() && path.starts_with(&read);
        if let Some((_, typed)) = outputs.iter().find(|(path, _)| is_in(path)) {
            bail!("--output {}: it is read by this run: write to another file", typed.display());
        }
    }
    Ok(())
}

fn write_file(report: &Report<'_>, format: Format, zone: Zone, path: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    output::write(report, format, Look { zone, ..Look::default() }, &mut out)?;
    out.flush()
}

/// Writes the messages of all questions into each folder that was named.
fn write_questions(settings: &Scan, report: &Report<'_>, decisions: &Decisions, enrichment: &Enrichment) -> Vec<Exit> {
    if settings.duet.is_empty() {
        return vec![];
    }
    let findings: Vec<Reported> = report.findings.iter().map(|finding| Reported::of(report, finding)).collect();
    let book = AddressBook { directory: enrichment.directory.as_ref(), contacts: Some(&settings.config.contacts) };
    let messages = messages(&findings, &decisions.earlier(), book);
    let failed: Vec<Exit> = settings.duet.iter().filter_map(|folder| duet::write_folder(folder, &messages)).collect();
    if !settings.is_quiet && failed.is_empty() {
        duet::tell(&findings, &messages);
    }
    failed
}

fn report<'a>(
    settings: &'a Scan,
    set: &'a RuleSet,
    decisions: &Decisions,
    analysis: &'a Analysis,
    enrichment: &Enrichment,
    [sources, history]: [&[source::Source]; 2],
    between: Between,
) -> Result<Report<'a>> {
    let selection = &settings.selection;
    let coverage = &analysis.reading.coverage;
    let now = settings.now.or(coverage.newest());
    let mut run = Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now,
        sources: sources.iter().map(|s| s.name.clone()).collect(),
        history: history.iter().map(|s| s.name.clone()).collect(),
        enriched_from: enrichment.provenance(),
        since: between.since,
        until: between.until,
        min_severity: Some(selection.min_severity).filter(|least| *least > Severity::Info),
        organizations: selection.organizations.clone(),
        config: settings.config.path.as_ref().map(|path| path.display().to_string()),
        enabled: settings.config.enable.clone(),
        disabled: settings.config.disable.clone(),
        levels: settings.config.levels.clone(),
        ..Run::default()
    };
    let store = &analysis.store;
    let all = Findings { set, store, detected: &analysis.detected, evidence_limit: settings.evidence };
    let mut findings = all.of(|rule| settings.config.wants(rule));
    // What the history tells is not reported, but belongs to the cases of what is, and may be answered.
    let may_matter = !(findings.is_empty() && decisions.answer_nothing());
    let mut before = if may_matter { all.of_history(|rule| settings.config.wants(rule)) } else { vec![] };
    findings.iter_mut().chain(&mut before).for_each(|finding| context::add(finding, store, enrichment));
    decisions.apply(&all, now, (&mut findings, &mut before), &mut run)?;
    // What was answered has moved.
    findings.sort_by_key(|finding| (finding.disposition, std::cmp::Reverse(finding.severity)));
    let mut cases = cases((set, store), &settings.config, enrichment, &mut findings, before);
    // A case is what it is, whichever of its findings are asked for.
    findings.retain(|finding| {
        let is_selected = is_selected(finding, selection, between);
        if !is_selected && finding.status != Status::Suppressed {
            *run.left_out.entry(finding.organization.clone()).or_default() += 1;
        }
        is_selected
    });
    let selected: BTreeSet<&String> = findings.iter().map(|finding| &finding.id).collect();
    for case in &mut cases {
        let ids = case.story.iter_mut().map(|step| &mut step.finding_ids).chain([&mut case.finding_ids]);
        ids.for_each(|ids| ids.retain(|id| selected.contains(id)));
    }
    cases.retain(|case| !case.finding_ids.is_empty());
    let history = &analysis.history.coverage;
    let rules = RuleCoverage::new(
        set,
        &analysis.detected,
        coverage,
        Some(history),
        |need| analysis.has(need, enrichment),
        |rule| settings.config.wants(rule),
    );
    let missing = missing(coverage, analysis.store.profiles());
    Ok(Report { run, coverage, history, missing, rules, set, cases, findings })
}

fn is_selected(finding: &Finding, selection: &Selection, between: Between) -> bool {
    finding.severity >= selection.min_severity && between.has(finding.first_seen, finding.over)
}

/// What the findings and the skipped records make of the exit code.
fn verdict(settings: &Scan, report: &Report<'_>, analysis: &Analysis) -> Vec<Exit> {
    let mut exits = Vec::new();
    let fails = |finding: &&Finding| {
        let is_question = finding.disposition == Disposition::Duet;
        let is_bad = settings.fail_on.is_some_and(|least| finding.severity >= least);
        let is_news = finding.status == Status::New && !finding.is_pending;
        is_bad && is_news && (settings.fail_on_duet || !is_question)
    };
    if report.findings.iter().any(|finding| fails(&finding)) {
        exits.push(Exit::Found);
    }
    if settings.is_strict && analysis.skipped_count() > 0 {
        exits.push(Exit::Skipped);
    }
    exits
}

/// The findings of one rule over events in memory, for examples.
pub fn findings_in(set: &RuleSet, rule: &str, lines: &[String]) -> (Vec<Finding>, u64) {
    let sources = [source::Source::memory("example", lines.join("\n").as_bytes())];
    let options = Options { record_limit: 16 << 20 };
    let (sources, partition) = (&sources, Partition::default());
    let job = Job { sources, history: &[], organizations: &[], enrichment: None, options, partition };
    let analysis = analyse(set, job, &|_| {});
    let all = Findings { set, store: &analysis.store, detected: &analysis.detected, evidence_limit: 100 };
    (all.of(|r| r.name == rule), analysis.skipped_count())
}
