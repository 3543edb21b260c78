//! `jcdetect rules`

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use rayon::prelude::*;
use serde_json::Value as Yaml;

use super::args::{ExportFormat, ListFormat, Rules, RulesCommand, ShowFormat, Which};
use super::config::Config;
use super::exit::Exit;
use super::say;
use super::scan::findings_in;
use super::settings::{level, rule_files, rules, rules_with};
use crate::output::listing;
use crate::output::navigator;
use crate::output::safe::Safe;
use crate::rule::Rule;
use crate::rule::attack;
use crate::rule::example::{Example, doubts, examples};
use crate::rule::file::Document;
use crate::rule::pack::PACK;
use crate::rule::set::RuleSet;

/// Does what was typed.
pub fn run(typed: &Rules) -> Result<Exit> {
    match &typed.command {
        RulesCommand::List { format, which, rules: folders } => list(*format, which, &rules(PACK, folders)?),
        RulesCommand::Export { format: ExportFormat::AttackNavigator, which, rules: folders } => {
            let set = rules(PACK, folders)?;
            navigator::layer(&chosen(&set, which)?, &mut io::stdout().lock())?;
            Ok(tell(&set))
        }
        RulesCommand::Show { rule, format, rules: folders } => show(rule, *format, folders),
        RulesCommand::Test { rule, rules: folders } => test(rule, folders),
        RulesCommand::Lint { rules: folders } => lint(folders),
    }
}

/// Problems to standard error; whether there are any.
fn tell(set: &RuleSet) -> Exit {
    set.problems.iter().for_each(say);
    if set.problems.is_empty() { Exit::Done } else { Exit::Usage }
}

fn reported(set: &RuleSet) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = set.rules.iter().filter(|rule| rule.is_reported).collect();
    rules.sort_by_key(|rule| (&rule.category, &rule.name));
    rules
}

/// The rules that are meant. A word that no rule has is an error, so that a typing mistake is no empty list.
fn chosen<'s>(set: &'s RuleSet, which: &Which) -> Result<Vec<&'s Rule>> {
    let mut rules = reported(set);
    let mut only = |flag: &str, word: &Option<String>, is: &dyn Fn(&Rule, &str) -> bool| {
        let Some(word) = word else { return Ok(()) };
        let lower = word.to_lowercase();
        let is_known = set.rules.iter().any(|rule| rule.is_reported && is(rule, &lower));
        rules.retain(|rule| is(rule, &lower));
        if is_known { Ok(()) } else { Err(anyhow!("{flag} {word}: no rule has it; see `jcdetect rules list`")) }
    };
    only("--category", &which.category, &|rule, word| rule.category == word)?;
    only("--severity", &which.severity, &|rule, word| rule.level.word() == word)?;
    only("--status", &which.status, &|rule, word| rule.status == word)?;
    only("--attack", &which.attack, &|rule, word| {
        let word = word.trim_start_matches("attack.");
        rule.techniques.iter().any(|t| {
            let id = t.id.to_lowercase();
            id == word
                || id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'))
                || attack::slug(&t.tactic) == word
        })
    })?;
    rules.retain(|rule| (!which.duet || rule.duet.is_some()) && (!which.opt_in || rule.is_opt_in));
    Ok(rules)
}

fn list(format: ListFormat, which: &Which, set: &RuleSet) -> Result<Exit> {
    let rules = chosen(set, which)?;
    let mut out = io::stdout().lock();
    match format {
        ListFormat::Json => listing::json(&rules, &mut out)?,
        ListFormat::Markdown => out.write_all(listing::markdown(&rules).as_bytes())?,
        ListFormat::Table => listing::table(&rules, io::stdout().is_terminal(), &mut out)?,
    }
    Ok(tell(set))
}

fn show(name: &str, format: ShowFormat, folders: &[PathBuf]) -> Result<Exit> {
    let set = rules(PACK, folders)?;
    let place = set.find(name).map_err(|message| anyhow!("rules show {name}: {message}"))?;
    let rule = &set.rules[place];
    let text =
        files(folders)?.into_iter().find(|(path, _)| *path == rule.file).map(|(_, text)| text).unwrap_or_default();
    let shown = match format {
        ShowFormat::Page => listing::page(rule, &examples(&rule.file, &text).map_err(|p| anyhow!("{p}"))?),
        ShowFormat::Yaml => text,
    };
    io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(Exit::Done)
}

/// All rule files: those of the pack, and those of folders.
fn files(folders: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let pack = PACK.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let own = folders.iter().map(|f| rule_files(f)).collect::<Result<Vec<_>>>()?.concat();
    Ok(pack.chain(own).collect())
}

fn test(names: &[String], folders: &[PathBuf]) -> Result<Exit> {
    let set = rules(PACK, folders)?;
    for name in names.iter().filter(|_| set.problems.is_empty()) {
        set.find(name).map_err(|message| anyhow!("rules test {name}: {message}"))?;
    }
    let mut exits = vec![tell(&set)];
    let files = files(folders)?;
    let is_wanted = |rule: &&Rule| match (names.is_empty(), folders.is_empty()) {
        (false, _) => names.contains(&rule.name),
        (true, true) => true,
        (true, false) => !PACK.iter().any(|(path, _)| *path == rule.file),
    };
    let wanted: Vec<&Rule> = reported(&set).into_iter().filter(is_wanted).collect();
    let results: Vec<(&Rule, Results)> = wanted
        .into_par_iter()
        .map(|rule| {
            let text = files.iter().find(|(path, _)| *path == rule.file).map_or("", |(_, text)| text.as_str());
            let results = examples(&rule.file, text).map_err(|problem| problem.to_string());
            let fault = |example: &Example| match &example.settings {
                None => fault(&set, rule, example),
                Some(settings) => {
                    let set = set_with(&set, rule, example, settings, folders);
                    set.map_or_else(|error| Some(format!("{error:#}")), |set| fault(&set, rule, example))
                }
            };
            (rule, results.map(|all| all.iter().map(fault).collect()))
        })
        .collect();
    let mut out = io::stdout().lock();
    let (mut passed, mut failed) = (0, 0);
    for (rule, result) in results {
        match result {
            Err(problem) => {
                say(problem);
                exits.push(Exit::Usage);
            }
            Ok(examples) if examples.is_empty() => {
                failed += 1;
                writeln!(out, "{}: {} has no example; its last document has to hold `tests:`", rule.file, rule.name)?;
            }
            Ok(examples) => {
                for example in examples {
                    match example {
                        None => passed += 1,
                        Some(fault) => {
                            failed += 1;
                            writeln!(out, "{fault}")?;
                        }
                    }
                }
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    if failed > 0 {
        exits.push(Exit::Found);
    }
    Ok(Exit::worst(&exits))
}

/// A rule, and those it is made of, as they are under the settings of an example.
fn set_with(set: &RuleSet, rule: &Rule, example: &Example, settings: &Yaml, folders: &[PathBuf]) -> Result<RuleSet> {
    let config = Config::of(settings, Path::new(&rule.file), Document { text: "", line: example.line })?;
    let mut needed = BTreeSet::new();
    let mut open: Vec<usize> = (0..set.rules.len()).filter(|place| set.rules[*place].file == rule.file).collect();
    while let Some(place) = open.pop() {
        if needed.insert(place) {
            open.extend(&set.references[place]);
        }
    }
    let files: BTreeSet<&str> = needed.iter().map(|place| set.rules[*place].file.as_str()).collect();
    let pack: Vec<(&str, &str)> = PACK.iter().filter(|(path, _)| files.contains(path)).copied().collect();
    let mut set = rules_with(&pack, folders, &config.lists)?;
    level(&mut set, &config)?;
    Ok(set)
}

/// What is wrong with each example of a rule, or with the examples themselves.
type Results = Result<Vec<Option<String>>, String>;

/// What is wrong with an example, if anything.
fn fault(set: &RuleSet, rule: &Rule, example: &Example) -> Option<String> {
    let (findings, skipped) = findings_in(set, &rule.name, &example.events);
    let found: Vec<String> =
        findings.iter().map(|f| format!("{} {} {}", f.severity, f.entity.name, f.summary)).collect();
    let mut wrong = Vec::new();
    if skipped > 0 {
        wrong.push(format!("{skipped} of its events could not be read"));
    }
    if findings.len() != example.count {
        wrong.push(format!("expected {}, found {}", example.count, findings.len()));
    }
    if let Some(entity) = &example.entity
        && !findings.iter().any(|f| f.entity.name == *entity || f.entity.id == *entity)
    {
        wrong.push(format!("none is about {entity}"));
    }
    if let Some(severity) = example.severity
        && !findings.iter().any(|f| f.severity == severity)
    {
        wrong.push(format!("none is {severity}"));
    }
    if let Some(pending) = example.pending
        && findings.iter().any(|f| f.is_pending != pending)
    {
        wrong.push(format!("pending is not {pending}"));
    }
    (!wrong.is_empty()).then(|| {
        let mut text = format!("{}:{}: {}: {}", rule.file, example.line, example.name, wrong.join("; "));
        found.iter().for_each(|f| text += &format!("\n    {}", Safe(f)));
        text
    })
}

fn lint(folders: &[PathBuf]) -> Result<Exit> {
    let set = rules(PACK, folders)?;
    let is_pack = |file: &str| PACK.iter().any(|(path, _)| *path == file);
    let is_wanted = |file: &str| folders.is_empty() || !is_pack(file);
    let mut out = io::stdout().lock();
    for warning in set.warnings.iter().filter(|w| is_wanted(&w.file)) {
        writeln!(out, "{warning}")?;
    }
    for (path, text) in files(folders)?.iter().filter(|(path, _)| is_wanted(path)) {
        for doubt in doubts(path, text) {
            writeln!(out, "{doubt}")?;
        }
    }
    Ok(tell(&set))
}
