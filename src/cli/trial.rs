//! Trial: a rule on its examples.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, anyhow};
use rayon::prelude::*;
use serde_json::Value as Yaml;

use super::config::Config;
use super::scan::findings_in;
use super::settings::level;
use crate::event::counted::plural;
use crate::output::safe::Safe;
use crate::rule::example::{Example, examples};
use crate::rule::file::Document;
use crate::rule::logic::Logic;
use crate::rule::mutant::{Mutant, mutants};
use crate::rule::parsed::Parsed;
use crate::rule::set::RuleSet;
use crate::rule::{Rule, Severity};

/// A rule with its examples.
pub struct Trial<'s> {
    rule: &'s Rule,
    groups: Vec<Group>,
}

/// Examples of the same settings.
struct Group {
    settings: Option<Yaml>,
    examples: Vec<Example>,
    /// the files that the rule is made of, its own first, under these settings; or why there are none
    files: Result<(Vec<Parsed>, Config), String>,
}

impl<'s> Trial<'s> {
    /// The examples of a rule of a set, and the rule with all that it is made of; `texts` are the paths and texts of all files.
    pub fn new(set: &'s RuleSet, rule: &'s Rule, texts: &[(&str, &str)]) -> Result<Trial<'s>> {
        let needed = needed(set, rule);
        let (own, below): (Vec<_>, Vec<_>) =
            texts.iter().filter(|(path, _)| needed.contains(path)).partition(|(path, _)| *path == rule.file);
        let files: Vec<&(&str, &str)> = own.into_iter().chain(below).collect();
        let text = files.first().map_or("", |(_, text)| text);
        let group = |settings: Option<&Yaml>, line: usize| Group {
            files: under(settings, rule, line, &files).map_err(|error| format!("{error:#}")),
            settings: settings.cloned(),
            examples: Vec::new(),
        };
        // There is one without settings, also where there is no example: then none needs any condition.
        let mut groups = vec![group(None, rule.line)];
        for example in examples(&rule.file, text).map_err(|problem| anyhow!("{problem}"))? {
            let known = groups.iter().position(|group| group.settings == example.settings);
            let place = known.unwrap_or_else(|| {
                groups.push(group(example.settings.as_ref(), example.line));
                groups.len() - 1
            });
            groups[place].examples.push(example);
        }
        Ok(Trial { rule, groups })
    }

    /// What is wrong with each example, if anything, in the order of the file.
    pub fn faults(&self) -> Vec<Option<String>> {
        let of_group = |group: &Group| {
            let set = group.set(None);
            let of = |example: &Example| match &set {
                Ok(set) => fault(set, self.rule, example),
                Err(message) => Some(message.clone()),
            };
            group.examples.iter().map(|example| (example.line, of(example))).collect::<Vec<_>>()
        };
        let mut faults: Vec<(usize, Option<String>)> = self.groups.iter().flat_map(of_group).collect();
        faults.sort_by_key(|(line, _)| *line);
        faults.into_iter().map(|(_, fault)| fault).collect()
    }

    /// How many conditions the rule and those of its file have, and those without which all examples still pass.
    pub fn unneeded(&self) -> (usize, Vec<Mutant>) {
        let own = |group: &Group| group.files.as_ref().ok()?.0.first().map(mutants);
        let of_groups: Vec<Vec<Mutant>> = self.groups.iter().map(|group| own(group).unwrap_or_default()).collect();
        let count = of_groups.iter().map(Vec::len).min().unwrap_or(0);
        let passes = |nth: &usize| {
            self.groups.iter().zip(&of_groups).all(|(group, mutants)| {
                let set = group.set(Some(&mutants[*nth].file));
                set.is_ok_and(|set| group.examples.iter().all(|example| fault(&set, self.rule, example).is_none()))
            })
        };
        let unneeded = (0..count).into_par_iter().filter(passes).map(|nth| of_groups[0][nth].clone());
        (count, unneeded.collect())
    }
}

impl Group {
    /// The rules under the settings of these examples; with another file in place of the rule's own.
    fn set(&self, own: Option<&Parsed>) -> Result<RuleSet, String> {
        let (files, config) = self.files.as_ref().map_err(String::clone)?;
        let files = files.iter().enumerate().map(|(at, file)| own.filter(|_| at == 0).unwrap_or(file).clone());
        let mut set = RuleSet::keeping(files, &[]);
        level(&mut set, config).map_err(|error| format!("{error:#}"))?;
        set.problems.first().map_or(Ok(()), |problem| Err(problem.to_string()))?;
        Ok(set)
    }
}

/// The files of the rules that a rule is made of.
fn needed<'s>(set: &'s RuleSet, rule: &Rule) -> BTreeSet<&'s str> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<usize> = (0..set.rules.len()).filter(|place| set.rules[*place].file == rule.file).collect();
    while let Some(place) = open.pop() {
        if matches!(set.rules[place].logic, Logic::Risk(_)) {
            return set.rules.iter().map(|rule| rule.file.as_str()).collect();
        }
        if needed.insert(place) {
            open.extend(&set.references[place]);
        }
    }
    needed.into_iter().map(|place| set.rules[place].file.as_str()).collect()
}

/// Files as they are read under the settings of an example.
fn under(settings: Option<&Yaml>, rule: &Rule, line: usize, files: &[&(&str, &str)]) -> Result<(Vec<Parsed>, Config)> {
    let at = Document { text: "", line };
    let none = Yaml::Object(serde_json::Map::new());
    let config = Config::of(settings.unwrap_or(&none), Path::new(&rule.file), at)?;
    Ok((files.iter().map(|(path, text)| Parsed::new(path, text, &config.lists)).collect(), config))
}

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
    if let Some(title) = &example.title
        && (findings.is_empty() || findings.iter().any(|f| f.title != *title))
    {
        wrong.push(format!("not all are called {title:?}"));
    }
    let severities: Vec<Severity> = findings.iter().map(|f| f.severity).collect();
    match example.severities.as_slice() {
        [] => {}
        [all] if !severities.is_empty() && severities.iter().all(|severity| severity == all) => {}
        [all] => wrong.push(format!("not all are {all}")),
        each if severities == each => {}
        each => {
            let words: Vec<&str> = each.iter().map(|severity| severity.word()).collect();
            wrong.push(format!("they are not {}", words.join(", ")));
        }
    }
    if let Some(count) = example.event_count
        && (findings.is_empty() || findings.iter().any(|f| f.event_count != count))
    {
        wrong.push(format!("not all are made of {}", plural(count as u64, "event")));
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
