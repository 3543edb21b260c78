//! Rule: one file, one language. Metadata, logic and examples of what an analyst is told.
//!
//! Rules are Sigma (specification 2.1.0, 2025-08-02: rules and correlations), with one block of our own
//! keys, `jcdetect:`, which Sigma allows.

mod alias;
pub mod attack;
mod block;
mod branch;
mod compare;
pub mod condition;
mod correlation;
pub mod dead;
pub mod detection;
mod entity;
pub mod example;
pub mod expr;
pub mod file;
pub mod folded;
mod form;
mod header;
pub mod kept;
pub mod keyword;
pub mod lists;
mod local;
pub mod logic;
mod modifier;
pub mod mutant;
mod names;
pub mod number;
mod own;
pub mod pack;
pub mod parsed;
pub mod pattern;
pub mod query;
pub mod regex;
#[cfg(test)]
mod sample;
pub mod set;
mod severity;
pub mod spelling;
pub mod token;
pub mod told;
pub mod verdict;
mod vocabulary;

use std::fmt;

use serde_json::Value as Yaml;

use crate::event::field::Field;
use crate::event::nearest::hint;
use crate::event::time::{DAY, Span};
pub use entity::Entity;
use lists::Lists;
pub use severity::{Confidence, Severity};

use attack::Technique;
use block::texts;
use detection::{Fault, Warnings, fault};
use expr::{Expr, Searchable};
use logic::Logic;

/// A question for somebody who knows whether this was meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Duet {
    /// `actor`, `target`, `owner` or `security-contact`
    pub ask: String,
    /// the question in plain words
    pub question: String,
    /// what they do first if it was not
    pub first_action: String,
}

/// A case in which a finding has another level, another title, or both.
#[derive(Clone, Debug)]
pub struct LevelWhen {
    /// what the completing event has to be like
    pub when: Expr,
    /// the level then, if it is another
    pub level: Option<Severity>,
    /// the title then, if it is another
    pub title: Option<String>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// the id everywhere, and the name of the file
    pub name: String,
    /// what it finds, as a headline
    pub title: String,
    /// Sigma's UUID, if it has one
    pub uuid: Option<String>,
    /// `stable`, `test`, `experimental`, …
    pub status: String,
    /// how bad it is
    pub level: Severity,
    /// why it matters
    pub description: String,
    /// ATT&CK
    pub techniques: Vec<Technique>,
    /// tags as written
    pub tags: Vec<String>,
    /// what else it may be
    pub falsepositives: Vec<String>,
    /// where it comes from
    pub references: Vec<String>,
    /// one of the folders of the pack
    pub category: String,
    /// whom a finding is about
    pub entity: Entity,
    /// how sure it is
    pub confidence: Confidence,
    /// what to do, in order
    pub triage: Vec<String>,
    /// what it does not see
    pub misses: String,
    /// whom to ask, where only they can know
    pub duet: Option<Duet>,
    /// silent unless it is asked for
    pub is_opt_in: bool,
    /// turned off by the configuration
    pub is_off: bool,
    /// what it lacks beside events: it cannot work unless the run has one of them; empty if it has what it needs
    pub needs: Vec<String>,
    /// completing events at most this far apart are one finding
    pub fold: Span,
    /// findings are made of it; local rules only feed others
    pub is_reported: bool,
    /// the file it stands in
    pub file: String,
    /// its line there
    pub line: usize,
    /// the lines of [`Logic::references`]; none in the pack
    pub reference_lines: Vec<usize>,
    /// what it looks for
    pub logic: Logic,
    /// when the level or the title is another
    pub level_when: Vec<LevelWhen>,
}

/// Something wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// the file
    pub file: String,
    /// the line
    pub line: usize,
    /// what, and the remedy
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What a rule file says: the rule that is reported, and the local rules that feed it.
pub fn parse(path: &str, text: &str, lists: &Lists, warnings: &mut Vec<Problem>) -> Result<Vec<Rule>, Problem> {
    let documents = pack::documents(text).unwrap_or_else(|| file::documents(text).rules);
    if documents.is_empty() {
        return Err(Problem { file: path.to_owned(), line: 1, message: "the file holds no rule".to_owned() });
    }
    let home = Home::of(path);
    let mut rules: Vec<Rule> = Vec::new();
    for (i, document) in documents.iter().enumerate() {
        let at = |line: usize, message: String| Problem { file: path.to_owned(), line, message };
        let prepared = pack::document(text, i);
        let is_of_pack = prepared.is_some();
        let mut yaml = match prepared {
            Some(prepared) => prepared,
            None => file::yaml(document.text).map_err(|e| at(document.line + e.line - 1, e.message))?,
        };
        lists.expand(&mut yaml).map_err(|(near, message)| at(document.line_of(&near), message))?;
        let mut own = Warnings::new();
        let near = |f: Fault| {
            // Modifiers may stand in another order, or alone.
            let word = f.near.split('|').next().filter(|field| !field.is_empty()).unwrap_or(&f.near);
            at(document.line_of(word), f.message)
        };
        let mut rule = one(&home, document, yaml, i == 0, &mut own).map_err(near)?;
        rule.fill(lists).map_err(near)?;
        rule.needs = lists.lacking(rule.needs).map_err(|message| near(fault("needs", message)))?;
        if rules.iter().any(|other| other.name == rule.name) {
            return Err(at(document.line_of("name"), format!("the file has two rules named {:?}", rule.name)));
        }
        // Those of the pack are tested, and a run should not wait for it.
        if !is_of_pack {
            let names = rule.logic.references();
            rule.reference_lines = names.into_iter().map(|name| document.line_of_reference(name)).collect();
        }
        warnings.extend(own.into_iter().map(|f| at(document.line_of(&f.near), f.message)));
        rules.push(rule);
    }
    local::check(&rules).map_err(|(place, fault)| {
        let line = documents[place].line_of(&fault.near);
        Problem { file: path.to_owned(), line, message: fault.message }
    })?;
    Ok(rules)
}

/// Where a rule file stands.
struct Home<'p> {
    path: &'p str,
    folder: String,
    /// its name without the ending
    stem: String,
}

impl Home<'_> {
    fn of(path: &str) -> Home<'_> {
        let file = std::path::Path::new(path);
        let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
        let folder = file.parent().and_then(|folder| folder.file_name()).map_or_else(|| "custom".to_owned(), text);
        Home { path, folder, stem: file.file_stem().map(text).unwrap_or_default() }
    }
}

fn one(
    home: &Home<'_>,
    document: &file::Document<'_>,
    yaml: Yaml,
    is_reported: bool,
    warnings: &mut Warnings,
) -> Result<Rule, Fault> {
    let Yaml::Object(mut map) = yaml else { return Err(fault("", "a rule is a map of keys")) };
    header::check(&map, warnings)?;
    let own = map.remove("jcdetect").unwrap_or_else(|| Yaml::Object(serde_json::Map::new()));
    let correlation = map.remove("correlation");
    let text = |key: &str| match map.get(key) {
        None | Some(Yaml::Null) => Ok(None),
        Some(Yaml::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(fault(key, format!("`{key}` takes text: put it in quotes"))),
    };
    let list = |key: &str| map.get(key).map_or(Ok(vec![]), |value| texts(key, value));
    let title = text("title")?.filter(|title| !title.is_empty());
    let title = title.ok_or_else(|| fault("", "the rule lacks its `title`"))?;
    let stem = &home.stem;
    let name = text("name")?.unwrap_or_else(|| stem.clone());
    if is_reported && name != *stem {
        warnings
            .push(fault("name", format!("the rule is named {name:?} and its file {stem:?}: call the file {name}.yml")));
    }
    let level = match text("level")? {
        Some(word) => Severity::named(&word).map_err(|message| fault("level", message))?,
        None => Severity::Medium,
    };
    let tags = list("tags")?;
    warnings.extend(attack::check(&tags).into_iter().map(|message| fault("tags", message)));
    let mut rule = Rule {
        techniques: attack::of_tags(&tags),
        uuid: map.get("id").and_then(Yaml::as_str).map(|id| id.trim().to_owned()),
        status: text("status")?.unwrap_or_else(|| "test".to_owned()),
        description: text("description")?.unwrap_or_default(),
        falsepositives: list("falsepositives")?,
        references: list("references")?,
        is_reported,
        file: home.path.to_owned(),
        line: document.line,
        title,
        level,
        tags,
        ..Rule::of(&name, Expr::Or(vec![]))
    };
    let (mut additions, condition) = own::read(&mut rule, own, warnings)?;
    if rule.category.is_empty() {
        rule.category.clone_from(&home.folder);
    } else if rule.category != home.folder && !pack::categories().any(|known| known == rule.category) {
        let hint = hint(&rule.category, pack::categories());
        let what = format!("category {:?} is neither in the pack nor the name of the file's folder", rule.category);
        warnings.push(fault("category", what + &hint));
    }
    rule.logic = match (map.get("detection"), correlation, condition) {
        (Some(detection), None, None) => {
            header::check_product(&map)?;
            Logic::Detection(detection::compile(detection, warnings)?)
        }
        (None, Some(correlation), None) => correlation::correlation(correlation, &mut additions, warnings)?,
        (None, None, Some(logic)) => logic,
        (None, None, None) => return Err(fault("title", "the rule has neither `detection` nor `correlation`")),
        _ => {
            return Err(fault(
                "title",
                "a rule has one logic: `detection`, `correlation`, or a condition under `jcdetect`",
            ));
        }
    };
    for (key, value) in [("share", additions.share), ("since", additions.since)] {
        if value.is_some() {
            return Err(fault(key, format!("`{key}` belongs to `event_count` and `value_count`")));
        }
    }
    if let Logic::Detection(expr) = &rule.logic
        && expr.is_linked()
        && expr.has_keywords()
    {
        return Err(fault("detection", "keywords cannot stand beside `actor.key` or `target.key`"));
    }
    Ok(rule)
}

impl Rule {
    /// The level of what this event completes.
    pub fn level_at(&self, event: &impl Searchable) -> Severity {
        self.cases_at(event).find_map(|case| case.level).unwrap_or(self.level)
    }

    /// The title of what this event completes.
    pub fn title_at(&self, event: &impl Searchable) -> &str {
        self.cases_at(event).find_map(|case| case.title.as_deref()).unwrap_or(&self.title)
    }

    /// The cases that hold on this event, the last first.
    fn cases_at(&self, event: &impl Searchable) -> impl Iterator<Item = &LevelWhen> {
        self.level_when.iter().rev().filter(|case| case.when.matches(event))
    }

    /// Whether another rule means it by this: its name, or its id, however that is written.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.uuid.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(name))
    }

    /// Puts what lists hold where conditions name them.
    fn fill(&mut self, lists: &Lists) -> Result<(), Fault> {
        if let Logic::Detection(condition) = &mut self.logic {
            condition.fill(lists)?;
        }
        self.level_when.iter_mut().try_for_each(|level| level.when.fill(lists))
    }

    /// A rule that is no more than its condition.
    pub fn of(name: &str, condition: Expr) -> Rule {
        Rule {
            name: name.to_owned(),
            title: name.to_owned(),
            uuid: None,
            status: String::new(),
            level: Severity::Info,
            description: String::new(),
            techniques: vec![],
            tags: vec![],
            falsepositives: vec![],
            references: vec![],
            category: String::new(),
            entity: Entity::Actor,
            confidence: Confidence::default(),
            triage: vec![],
            misses: String::new(),
            duet: None,
            is_opt_in: false,
            is_off: false,
            needs: vec![],
            fold: Span(DAY),
            is_reported: true,
            file: String::new(),
            line: 1,
            reference_lines: vec![],
            logic: Logic::Detection(condition),
            level_when: vec![],
        }
    }

    /// What to do about a finding, in order: the steps of the rule, and the command that shows what lies round it.
    pub fn next_steps(&self, finding: &str) -> Vec<String> {
        let id: String = finding.chars().take(12).collect();
        let round = format!("See the sessions round it: jcdetect investigate {id} SOURCE");
        self.triage.iter().cloned().chain([round]).collect()
    }

    /// Fields of completing events that are read after the events are gone.
    pub fn kept_fields(&self, out: &mut Vec<Field>) {
        self.logic.fields(out);
        self.level_when.iter().for_each(|l| l.when.fields(out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: T\nname: t\nlevel: high\nlogsource: {product: jumpcloud}\ndetection:\n  a: {event_type: admin_create}\n  condition: a\n";

    fn error(text: &str) -> String {
        parse("t.yml", text, &Lists::default(), &mut vec![]).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_sensible() {
        let rules = parse("rules/admin-activity/t.yml", RULE, &Lists::default(), &mut vec![]).unwrap();
        assert_eq!(
            (rules[0].category.as_str(), rules[0].level, rules[0].entity),
            ("admin-activity", Severity::High, Entity::Actor)
        );
    }

    #[test]
    fn errors_have_a_line_and_the_nearest_name() {
        for (from, to, want) in [
            ("event_type:", "event_typ:", "t.yml:6: no field \"event_typ\"; did you mean `event_type`?"),
            ("condition: a", "condition: b", "t.yml:7: condition names \"b\""),
            (
                "level: high",
                "level: hihg",
                "t.yml:3: unknown severity \"hihg\": write info, low, medium, high or critical",
            ),
            (
                "level: high",
                "jcdetect: {level_when: {when: {outcome: success}}}",
                "t.yml:3: `level_when` lacks `level` or `title`",
            ),
            (
                "level: high",
                "jcdetect: {level_when: {when: {outcome: success}, title: ' '}}",
                "t.yml:3: `level_when` lacks `level` or `title`",
            ),
            ("title: T", "title: ''", "t.yml:1: the rule lacks its `title`"),
            ("product: jumpcloud", "product: okta", "t.yml:4: the rule is for \"okta\""),
            ("level: high", "jcdetect: {entitty: actor}", "did you mean `entity`?"),
            (
                "level: high",
                "jcdetect: {duet: {ask: boss, question: q, first_action: f}}",
                "t.yml:3: \"boss\" cannot be asked",
            ),
            ("level: high", "jcdetect: {duet: {ask: actor, question: q}}", "`duet` lacks `first_action`"),
            ("level: high", "jcdetect: {duet: {ask: actor, question: q, first_action: f, ak: x}}", "no key `ak`"),
            ("level: high", "level: [high]", "t.yml:3: `level` takes text"),
            ("name: t", "name: 7", "t.yml:2: `name` takes text"),
            ("level: high", "jcdetect: {level_when: {when: {outcome: success}, level: low, wen: x}}", "did you mean"),
            ("level: high", "jcdetect: {level_when: {when: [zoe], level: low}}", "t.yml:3: keywords cannot stand in"),
            ("level: high", "jcdetect: {level_when: [high]}", "`level_when` has to be a map"),
            ("level: high", "filter: {}", "filter documents are not supported"),
            ("product: jumpcloud", "product: jumpcloud, service: radius", "`logsource.service` is not supported"),
        ] {
            let got = error(&RULE.replace(from, to));
            assert!(got.contains(want), "{got}");
        }
        assert!(error("title: [").starts_with("t.yml:1: "));
        assert!(error("").contains("no rule"));
    }

    #[test]
    fn correlations_are_checked() {
        let base = "title: T\nname: t\ncorrelation:\n  type: event_count\n  rules: [x]\n  group-by: [actor.key]\n  timespan: 10m\n  condition: {gte: 5}\n";
        assert!(parse("t.yml", base, &Lists::default(), &mut vec![]).is_ok());
        for (from, to, want) in [
            ("10m", "10x", "t.yml:7: `timespan` takes a span"),
            ("10m", "2M", "t.yml:7: `timespan`: months have no fixed length; write 60d"),
            ("10m", "1y", "t.yml:7: `timespan`: years have no fixed length; write 365d"),
            ("10m", "99999999999M", "t.yml:7: `timespan` takes a span"),
            ("10m", "0s", "t.yml:7: `timespan` is at least 1s"),
            ("event_count", "event_cuont", "did you mean `event_count`?"),
            ("actor.key", "actor.kye", "did you mean `actor.key`?"),
            ("gte", "gteq", "did you mean `gte`?"),
            ("timespan", "timespn", "lacks `timespan`"),
            ("event_count", "value_count", "lacks the `field`"),
            ("event_count", "value_sum", "t.yml:4: `value_sum` is not supported; there are event_count, value_count"),
            (
                "event_count\n  rules: [x]\n  group-by: [actor.key]\n  timespan: 10m\n  condition: {gte: 5}",
                "value_percentile\n  rules: [x]\n  timespan: 10m\n  condition: {gte: 5, field: raw.x, percentile: 90}",
                "t.yml:4: `value_percentile` is not supported",
            ),
            ("gte: 5", "gte: 5, lte: 3", "never met: no number is all that it asks for"),
            (
                "timespan: 10m\n  condition: {gte: 5}",
                "timespan: 10m\n  condition: {lt: 1}",
                "write a `sequence` with `absent`",
            ),
            ("event_count\n  rules: [x]", "temporal\n  rules: [x, y]", "never met: there are 2 at most"),
            ("name: t", "logsource: {category: x}", "`logsource.category` is not supported"),
            ("event_count", "temporal_ordered", "is met by all of its rules"),
        ] {
            let got = error(&base.replace(from, to));
            assert!(got.contains(want), "{got}");
        }
        let rate = "title: T\njcdetect: {rate: {rule: x, by: [actor.key], bucket: 1h, percentile: 0.95}}\n";
        assert!(error(rate).contains("`percentile` is a number from 1 to 100"));
        assert!(error(&format!("{base}jcdetect: {{share: {{of: x}}}}\n")).contains("`share` lacks `at_least`"));
        let since = |by: &str| error(&format!("{base}jcdetect: {{since: {{rule: y, by: [{by}]}}}}\n"));
        assert!(since("source.ip").contains("`by` names the first of what is grouped by"), "{}", since("source.ip"));
        let temporal = base.replace("event_count", "temporal").replace("  condition: {gte: 5}\n", "");
        assert!(error(&format!("{temporal}jcdetect: {{since: y}}\n")).contains("`since` belongs to `event_count`"));
    }
}
