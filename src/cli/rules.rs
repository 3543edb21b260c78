//! `jcdetect rules`

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use super::args::{ExportFormat, ListFormat, Rules, RulesCommand, ShowFormat, Which};
use super::exit::Exit;
use super::say;
use super::settings::{rule_files, rules};
use super::trial::Trial;
use crate::event::counted::plural;
use crate::event::letters;
use crate::output::listing;
use crate::output::navigator;
use crate::output::safe::Safe;
use crate::rule::Rule;
use crate::rule::attack;
use crate::rule::dead::dead;
use crate::rule::example::{doubts, examples};
use crate::rule::mutant::Mutant;
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
        RulesCommand::Mutate { rule, rules: folders } => mutate(rule, folders),
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
        let lower = letters::lower(word);
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
            let id = letters::lower(&t.id);
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
    Ok(pack.chain(own_files(folders)?).collect())
}

fn own_files(folders: &[PathBuf]) -> Result<Vec<(String, String)>> {
    Ok(folders.iter().map(|f| rule_files(f)).collect::<Result<Vec<_>>>()?.concat())
}

/// The rules that are meant to be tried, each with its examples or with what is wrong with these; what is wrong with the
/// set is told.
fn tried<'s, T: Send>(
    command: &str,
    names: &[String],
    folders: &[PathBuf],
    set: &'s RuleSet,
    does: impl Fn(&Trial<'s>) -> T + Sync,
) -> Result<Vec<(&'s Rule, Result<T>)>> {
    for name in names.iter().filter(|_| set.problems.is_empty()) {
        set.find(name).map_err(|message| anyhow!("rules {command} {name}: {message}"))?;
    }
    let own = own_files(folders)?;
    let texts: Vec<(&str, &str)> =
        PACK.iter().copied().chain(own.iter().map(|(p, t)| (p.as_str(), t.as_str()))).collect();
    let is_wanted = |rule: &&Rule| match (names.is_empty(), folders.is_empty()) {
        (false, _) => names.contains(&rule.name),
        (true, true) => true,
        (true, false) => own.iter().any(|(path, _)| *path == rule.file),
    };
    let wanted: Vec<&Rule> = reported(set).into_iter().filter(is_wanted).collect();
    let tried = wanted.into_par_iter().map(|rule| (rule, Trial::new(set, rule, &texts).map(|trial| does(&trial))));
    Ok(tried.collect())
}

fn test(names: &[String], folders: &[PathBuf]) -> Result<Exit> {
    let set = rules(PACK, folders)?;
    let mut exits = vec![tell(&set)];
    let mut out = io::stdout().lock();
    let (mut passed, mut failed) = (0, 0);
    for (rule, faults) in tried("test", names, folders, &set, Trial::faults)? {
        match faults {
            Err(problem) => {
                say(problem);
                exits.push(Exit::Usage);
            }
            Ok(faults) if faults.is_empty() => {
                failed += 1;
                writeln!(out, "{}: {} has no example; its last document has to hold `tests:`", rule.file, rule.name)?;
            }
            Ok(faults) => {
                passed += faults.iter().filter(|fault| fault.is_none()).count();
                for fault in faults.into_iter().flatten() {
                    failed += 1;
                    writeln!(out, "{fault}")?;
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

fn mutate(names: &[String], folders: &[PathBuf]) -> Result<Exit> {
    let set = rules(PACK, folders)?;
    let mut exits = vec![tell(&set)];
    let mut out = io::stdout().lock();
    let (mut conditions, mut unneeded) = (0, 0);
    let trial = |trial: &Trial<'_>| {
        let faults: Vec<String> = trial.faults().into_iter().flatten().collect();
        if faults.is_empty() { Ok(trial.unneeded()) } else { Err(faults) }
    };
    for (rule, tried) in tried("mutate", names, folders, &set, trial)? {
        match tried {
            Err(problem) => {
                say(problem);
                exits.push(Exit::Usage);
            }
            Ok(Err(faults)) => {
                faults.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
                writeln!(out, "{}: {}: not tried, since its examples fail", rule.file, rule.name)?;
                exits.push(Exit::Found);
            }
            Ok(Ok((count, mutants))) => {
                conditions += count;
                unneeded += mutants.len();
                for Mutant { part, line, without, .. } in mutants {
                    writeln!(out, "{}:{line}: {part}: no example needs `{}`", rule.file, Safe(&without))?;
                }
            }
        }
    }
    writeln!(out, "{}, {unneeded} that no example needs", plural(conditions as u64, "condition"))?;
    if unneeded > 0 {
        exits.push(Exit::Found);
    }
    Ok(Exit::worst(&exits))
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
        for doubt in dead(&set, path, text).into_iter().chain(doubts(path, text)) {
            writeln!(out, "{doubt}")?;
        }
    }
    Ok(tell(&set))
}
