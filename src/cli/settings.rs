//! Settings: what the program will do. All that can be wrong with what was typed is found here, with the
//! flag it was typed behind.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use rayon::ThreadPool;
use rayon::prelude::*;
use walkdir::WalkDir;

use super::args;
use super::config::Config;
use super::document;
use super::period::Period;
use crate::detect::partition::Partition;
use crate::enrich::enrichment::Paths;
use crate::event::field::Field;
use crate::event::time::{DAY, Span, Timestamp, Zone};
use crate::input::Options;
use crate::output::{Format, Look};
use crate::rule::expr::Expr;
use crate::rule::kept::Wanted;
use crate::rule::lists::Lists;
use crate::rule::pack::PACK;
use crate::rule::parsed::Parsed;
use crate::rule::set::RuleSet;
use crate::rule::{Rule, Severity};
use crate::triage::sentence;

/// Which findings are wanted.
#[derive(Debug)]
pub struct Selection {
    /// least severity
    pub min_severity: Severity,
    /// when
    pub period: Period,
    /// organizations; all if empty
    pub organizations: Vec<String>,
}

/// What `scan` will do.
#[derive(Debug)]
pub struct Scan {
    /// what to read
    pub sources: Vec<PathBuf>,
    /// what only teaches
    pub history: Vec<PathBuf>,
    /// tell of time and memory
    pub has_stats: bool,
    /// format of standard output; `None` is nothing
    pub format: Option<Format>,
    /// further reports
    pub outputs: Vec<(Format, PathBuf)>,
    /// when indicators and suppressions are looked at; the newest event if not given
    pub now: Option<Timestamp>,
    /// folders for questions
    pub duet: Vec<PathBuf>,
    /// nothing but errors on standard error
    pub is_quiet: bool,
    /// how tables look
    pub look: Look,
    /// events of evidence for each finding
    pub evidence: usize,
    /// which findings
    pub selection: Selection,
    /// severity that fails the run
    pub fail_on: Option<Severity>,
    /// questions fail it too
    pub fail_on_duet: bool,
    /// skipped records fail it
    pub is_strict: bool,
    /// the threads that work
    pub pool: ThreadPool,
    /// length of the stretches of time worked on in parallel
    pub partition: Partition,
    /// how records are read
    pub options: Options,
    /// the rules
    pub set: RuleSet,
    /// the files that evidence is enriched from
    pub enrichment: Paths,
    /// reports of earlier runs
    pub baseline: Vec<PathBuf>,
    /// files of answers
    pub answers: Vec<PathBuf>,
    /// the configuration that was used
    pub config: Config,
}

/// How far apart in time findings of one case may be, if the configuration does not say.
pub const CASE_WITHIN: Span = Span(DAY);

impl Scan {
    /// Understands what was typed.
    pub fn new(typed: &args::Scan) -> Result<Scan> {
        let format = typed.format;
        let (duet, reports): (Vec<&String>, Vec<&String>) =
            typed.output.iter().partition(|text| text.starts_with(DUET));
        let outputs = outputs(&reports)?;
        let is_hidden = typed.quiet && format == Format::Table && !typed.output.is_empty();
        let zone = zone(&typed.tz)?;
        let period = Period::parse(typed.since.as_deref(), typed.until.as_deref(), zone)?;
        let (pool, options) = typed.running.understood()?;
        let min_severity = least_severity(typed.min_severity.as_deref())?;
        let fail_on = typed.fail_on.as_deref().map(|text| severity("--fail-on", text)).transpose()?;
        if let Some(fail_on) = fail_on.filter(|fail_on| *fail_on < min_severity) {
            bail!("--fail-on {fail_on}: --min-severity {min_severity} leaves out findings that are to fail the run");
        }
        let config = typed.choice.config(&typed.enrichment.known, &typed.sources)?;
        let set = rules_of(&config, Vec::new(), None)?;
        Ok(Scan {
            sources: typed.sources.clone(),
            history: typed.history.clone(),
            has_stats: typed.stats,
            format: (!is_hidden).then_some(format),
            outputs,
            now: typed.now.as_deref().map(now).transpose()?,
            duet: duet.into_iter().map(|text| folder(text)).collect::<Result<_>>()?,
            is_quiet: typed.quiet,
            look: Look { is_coloured: is_coloured(typed.color), is_terminal: std::io::stdout().is_terminal(), zone },
            evidence: typed.evidence,
            selection: Selection { min_severity, period, organizations: typed.organization.clone() },
            fail_on,
            fail_on_duet: typed.fail_on_duet,
            is_strict: typed.strict,
            pool,
            partition: partition(&typed.partition)?,
            options,
            set,
            enrichment: typed.enrichment.paths(typed.directory.clone()),
            baseline: typed.baseline.clone(),
            answers: typed.answers.clone(),
            config,
        })
    }
}

/// The zone of the times that are shown.
pub fn zone(text: &str) -> Result<Zone> {
    Zone::parse(text).ok_or_else(|| anyhow!("--tz {text}: no zone; write UTC, local, or an offset such as +02:00"))
}

fn now(text: &str) -> Result<Timestamp> {
    Timestamp::parse(text).ok_or_else(|| anyhow!("--now {text}: no time; write 2026-03-02 or 2026-03-02T09:00:00Z"))
}

fn partition(text: &str) -> Result<Partition> {
    match text {
        "all" => Ok(Partition::of(Span(i64::MAX))),
        "1h" | "6h" | "1d" | "7d" => Span::parse(text).map(Partition::of).ok_or_else(|| anyhow!("--partition {text}")),
        _ => bail!("--partition {text}: there are 1h, 6h, 1d, 7d and all"),
    }
}

/// What stands before the folder for questions.
const DUET: &str = "duet=";

fn folder(text: &str) -> Result<PathBuf> {
    match text.strip_prefix(DUET) {
        Some(path) if Path::new(path).is_file() => bail!("--output {text}: that is a file; name a folder"),
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => bail!("--output {text}: the folder is missing"),
    }
}

/// A path by which a file is known that need not be there yet.
fn whole(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (path.canonicalize(), folder.canonicalize(), path.file_name()) {
        (Ok(whole), _, _) => whole,
        (_, Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn outputs(typed: &[&String]) -> Result<Vec<(Format, PathBuf)>> {
    let outputs = typed.iter().map(|text| output(text)).collect::<Result<Vec<_>>>()?;
    let files: Vec<PathBuf> = outputs.iter().map(|(_, path)| whole(path)).collect();
    let is_twice = |(place, _): &(usize, &(Format, PathBuf))| files[..*place].contains(&files[*place]);
    match outputs.iter().enumerate().find(is_twice) {
        Some((place, (_, path))) => {
            bail!("--output {}: an earlier --output writes to {} too; name another file", typed[place], path.display())
        }
        None => Ok(outputs),
    }
}

fn output(text: &str) -> Result<(Format, PathBuf)> {
    let (format, path) =
        text.split_once('=').ok_or_else(|| anyhow!("--output {text}: write FORMAT=PATH, as in json=report.json"))?;
    if path.is_empty() {
        bail!("--output {text}: the path is missing");
    }
    if path == "-" {
        bail!("--output {text}: standard output is written by --format {format}");
    }
    let known = Format::OF_REPORTS.iter().copied().find(|known| known.name() == format).ok_or_else(|| {
        let known: Vec<&str> = Format::OF_REPORTS.iter().map(|known| known.name()).collect();
        anyhow!("--output {format}: no such format; there are {}, duet", known.join(", "))
    })?;
    Ok((known, PathBuf::from(path)))
}

/// The least severity of what is shown.
pub fn least_severity(typed: Option<&str>) -> Result<Severity> {
    typed.map_or(Ok(Severity::Info), |text| severity("--min-severity", text))
}

/// A severity that was written down.
pub fn severity(flag: &str, text: &str) -> Result<Severity> {
    Severity::named(text).map_err(|message| anyhow!("{flag}: {message}"))
}

fn known_rule(name: &str, set: &RuleSet) -> Result<(), String> {
    // A rule that could not be loaded has said so already.
    let is_broken = set.problems.iter().any(|p| Path::new(&p.file).file_stem().is_some_and(|stem| stem == name));
    match set.find(name) {
        Err(message) if !is_broken => Err(format!("{name}: {message}")),
        _ => Ok(()),
    }
}

/// Whether a table has colours.
pub fn is_coloured(color: args::Color) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    match color {
        args::Color::Always => true,
        args::Color::Never => false,
        args::Color::Auto => {
            let is_dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
            std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
        }
    }
}

/// The pack, or nothing, and the rules of folders.
pub fn rules(pack: &[(&str, &str)], folders: &[PathBuf]) -> Result<RuleSet> {
    Ok(RuleSet::keeping(parsed(pack, folders, &Lists::default())?, &[]))
}

/// All rules that a configuration has beside the pack's; it names none that there is not. These fields of events are
/// read after the events are gone, too, and so are those that sentences say. Events that meet the condition are kept,
/// whatever the rules say.
pub fn rules_of(config: &Config, kept: Vec<Field>, asked: Option<Expr>) -> Result<RuleSet> {
    let wanted: Vec<Wanted> = kept.into_iter().map(Wanted::from).chain(sentence::wanted().iter().cloned()).collect();
    let mut files = parsed(PACK, &config.rules, &config.lists)?;
    files.extend(asked.map(Parsed::asking));
    let mut set = RuleSet::keeping(files, &wanted);
    for (flag, names) in [("--enable", &config.enable), ("--disable", &config.disable)] {
        for name in names {
            let place = config.named.get(name).map_or_else(|| flag.to_owned(), |line| format!("{line}:"));
            known_rule(name, &set).map_err(|message| anyhow!("{place} {message}"))?;
        }
    }
    level(&mut set, config)?;
    let off = |rule: &Rule| rule.is_reported && config.disable.contains(&rule.name);
    set.rules.iter_mut().filter(|rule| off(rule)).for_each(|rule| rule.is_off = true);
    for entry in &config.suppressions {
        known_rule(&entry.rule, &set).map_err(|message| anyhow!("{}: {message}", entry.path))?;
    }
    Ok(set)
}

/// Gives rules the severities that a configuration has for them.
pub fn level(set: &mut RuleSet, config: &Config) -> Result<()> {
    for (name, level) in &config.levels {
        let line = config.named.get(name).map_or("", String::as_str);
        known_rule(name, set).map_err(|message| anyhow!("{line}: {message}"))?;
        for rule in set.rules.iter_mut().filter(|rule| rule.is_reported && rule.name == *name) {
            rule.level = *level;
            rule.level_when.iter_mut().for_each(|case| case.level = None);
        }
    }
    Ok(())
}

fn parsed(pack: &[(&str, &str)], folders: &[PathBuf], lists: &Lists) -> Result<Vec<Parsed>> {
    let own = folders.iter().map(|f| rule_files(f)).collect::<Result<Vec<_>>>()?.concat();
    let own = own.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> = pack.iter().copied().chain(own).collect();
    Ok(files.par_iter().map(|(path, text)| Parsed::new(path, text, lists)).collect())
}

/// The rule files of a folder, by name.
pub fn rule_files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        // walkdir names the path and the cause in one sentence.
        let entry = entry.map_err(|error| anyhow!("--rules {}: {error}", folder.display()))?;
        let is_rule = entry.path().extension().is_some_and(|e| e == "yml" || e == "yaml");
        if entry.file_type().is_file() && is_rule {
            let text = document::read(entry.path());
            let path = entry.path().display().to_string();
            // What a file of the pack is called means that one.
            let path = if PACK.iter().any(|(known, _)| *known == path) { format!("./{path}") } else { path };
            // Not an output that failed, so not an I/O error at the end.
            files.push((path.clone(), text.map_err(|e| anyhow!("--rules {path}: {e}"))?));
        }
    }
    if files.is_empty() {
        bail!("--rules {}: no .yml file in it", folder.display());
    }
    Ok(files)
}
