//! Own: the block of our own keys in a rule file, `jcdetect:`.

use serde_json::Value as Yaml;

use super::block::{Block, span, texts};
use super::correlation::{self, Additions};
use super::detection::{self, Fault, Warnings, fault};
use super::entity::Entity;
use super::logic::Logic;
use super::severity::{Confidence, Severity};
use super::{Duet, LevelWhen, Rule};

/// Reads our block. Gives back what belongs to the correlation, and a condition of our own.
pub(super) fn read(rule: &mut Rule, own: Yaml, warnings: &mut Warnings) -> Result<(Additions, Option<Logic>), Fault> {
    let mut block = Block::new("jcdetect", own, warnings)?;
    let mut conditions = Vec::new();
    for (key, compile) in CONDITIONS {
        if let Some(value) = block.take(key) {
            conditions.push(compile(value, block.warnings)?);
        }
    }
    if conditions.len() > 1 {
        return Err(fault("jcdetect", "a rule has one condition"));
    }
    let level_when = block.take("level_when").map(|value| levels(value, block.warnings)).transpose()?;
    let additions = Additions { share: block.take("share"), since: block.take("since") };
    rule.level_when = level_when.unwrap_or_default();
    rule.category = block.text("category")?.unwrap_or_default();
    if let Some(word) = block.text("entity")? {
        rule.entity = Entity::named(&word).map_err(|message| fault("entity", message))?;
    }
    if let Some(word) = block.text("confidence")? {
        rule.confidence = Confidence::named(&word).map_err(|message| fault("confidence", message))?;
    }
    rule.triage = block.take("triage").map_or(Ok(vec![]), |v| texts("triage", &v))?;
    rule.misses = block.text("misses")?.unwrap_or_default();
    rule.is_opt_in = block.truth("opt_in")?;
    rule.needs = block.names("needs")?;
    if let Some(value) = block.take("fold") {
        rule.fold = span("fold", &value)?;
    }
    rule.duet = block.take("duet").filter(|v| !v.is_null()).map(|v| duet(v, block.warnings)).transpose()?;
    block.finish()?;
    Ok((additions, conditions.pop()))
}

type Compile = fn(Yaml, &mut Warnings) -> Result<Logic, Fault>;

/// Our own conditions: a closed list.
const CONDITIONS: &[(&str, Compile)] = &[
    ("sequence", correlation::sequence),
    ("first_seen", correlation::first_seen),
    ("travel", correlation::travel),
    ("rate", correlation::rate),
    ("risk", correlation::risk),
];

fn duet(value: Yaml, warnings: &mut Warnings) -> Result<Duet, Fault> {
    let mut block = Block::new("duet", value, warnings)?;
    let mut text = |key: &'static str| block.text(key)?.ok_or_else(|| fault("duet", format!("`duet` lacks `{key}`")));
    let (ask, question, first_action) = (text("ask")?, text("question")?, text("first_action")?);
    if !is_answered_by_yes_or_no(&question) {
        let remedy = "ask one thing that yes or no answers, and end it with its only question mark";
        block.warnings.push(fault("question", format!("`question`: {remedy}")));
    }
    if !first_action.starts_with("If ") {
        let remedy = "begin with \"If not\", since a yes closes the question";
        block.warnings.push(fault("first_action", format!("`first_action`: {remedy}")));
    }
    block.finish()?;
    if !["actor", "target", "owner", "security-contact"].contains(&ask.as_str()) {
        return Err(fault("ask", format!("{ask:?} cannot be asked: actor, target, owner or security-contact")));
    }
    Ok(Duet { ask, question, first_action })
}

/// Whether a question is one, and no half of it asks for who, what or why.
fn is_answered_by_yes_or_no(question: &str) -> bool {
    const OPEN: &[&str] = &["how", "what", "when", "where", "which", "who", "whom", "why"];
    let asks = |word: &str| OPEN.iter().any(|open| open.eq_ignore_ascii_case(word.trim_end_matches('?')));
    let is_open = |half: &str| half.split_whitespace().take(2).any(asks);
    question.ends_with('?') && question.matches('?').count() == 1 && !question.split(", and ").any(is_open)
}

fn levels(value: Yaml, warnings: &mut Warnings) -> Result<Vec<LevelWhen>, Fault> {
    let list = match value {
        Yaml::Array(list) => list,
        single => vec![single],
    };
    list.into_iter()
        .map(|entry| {
            let mut block = Block::new("level_when", entry, warnings)?;
            let level = block.text("level")?.map(|word| Severity::named(&word)).transpose();
            let level = level.map_err(|message| fault("level_when", message))?;
            let title = block.text("title")?.filter(|title| !title.trim().is_empty());
            if level.is_none() && title.is_none() {
                return Err(fault("level_when", "`level_when` lacks `level` or `title`"));
            }
            let when = block.need("when")?;
            let when = detection::selection("when", &when, block.warnings)?;
            // What is kept of an event has no other texts than those of fields.
            if when.has_keywords() {
                return Err(fault("level_when", "keywords cannot stand in `level_when`: name a field"));
            }
            block.finish()?;
            Ok(LevelWhen { when, level, title })
        })
        .collect()
}
