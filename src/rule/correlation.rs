//! Correlation: from the YAML of a rule to its logic: Sigma's correlations, and our own.

use serde_json::Value as Yaml;

use super::block::{Block, span, texts};
use super::compare::{check_letters, compare};
use super::detection::{Fault, Warnings, fault, field};
use super::logic::{
    Absent, Bounds, Chain, Count, FirstSeen, GroupBy, Logic, Rate, Reference, Risk, Share, Since, Travel, Unless,
};
use super::modifier::order;
use super::pattern::Order;
use crate::event::field::Field;
use crate::event::nearest::hint;
use crate::event::time::{DAY, HOUR, SECOND, Span};

/// A group field, or an alias for one in each rule.
pub(super) fn group_by(name: &str, aliases: &Yaml, warnings: &mut Warnings) -> Result<GroupBy, Fault> {
    let fields: Vec<(Option<Reference>, Field)> = match aliases.get(name) {
        Some(Yaml::Object(of_rules)) => of_rules
            .iter()
            .map(|(rule, value)| {
                let path = value.as_str().ok_or_else(|| fault(rule.clone(), "an alias takes the name of a field"))?;
                Ok((Some(rule.clone()), field(path, warnings)?))
            })
            .collect::<Result<_, Fault>>()?,
        Some(_) => return Err(fault(name, format!("alias `{name}` takes a map from rule to field"))),
        None => vec![(None, field(name, warnings)?)],
    };
    check_letters(&fields.iter().map(|(_, field)| field).collect::<Vec<_>>(), name, warnings);
    Ok(GroupBy { name: name.to_owned(), fields })
}

fn bounds(value: &Yaml) -> Result<(Bounds, Vec<String>), Fault> {
    let Yaml::Object(map) = value else {
        return Err(fault("condition", "the condition of a correlation is a map such as `gte: 5`"));
    };
    let mut bounds = Bounds { tests: Vec::new() };
    let mut fields = Vec::new();
    for (key, value) in map {
        let order = match key.as_str() {
            "eq" => Order::Equal,
            "neq" => Order::NotEqual,
            "field" => {
                fields = texts("field", value)?;
                continue;
            }
            other => order(other).ok_or_else(|| {
                let hint = hint(other, ["gte", "gt", "lte", "lt", "eq", "neq", "field"].into_iter());
                fault(key.clone(), format!("`{other}` is not a comparison{hint}"))
            })?,
        };
        let n = value.as_f64().ok_or_else(|| fault(key.clone(), format!("`{key}` takes a number")))?;
        bounds.tests.push((order, n));
    }
    Ok((bounds, fields))
}

fn counts_no_values(kind: &str) -> Fault {
    fault("field", format!("`{kind}` looks at no `field`: leave it out, or take `value_count`"))
}

/// The completing event itself counts, so counts start at 1: a condition that is met by no count from 1 to `most` is an
/// error.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts; too large is as good as never")]
fn check_bounds(bounds: &Bounds, most: usize) -> Result<(), Fault> {
    // Whether it holds changes only next to a number that it names.
    let near = |(_, n): &(Order, f64)| {
        let n = n.max(0.0) as usize;
        [n.saturating_sub(1), n, n.saturating_add(1)]
    };
    let held: Vec<usize> =
        bounds.tests.iter().flat_map(near).chain([1, most]).filter(|n| *n > 0 && bounds.hold(*n)).collect();
    if held.iter().any(|n| *n <= most) {
        return Ok(());
    }
    let why = match bounds.hold(0) {
        true => "there are 1 or more; for what does not happen, write a `sequence` with `absent`".to_owned(),
        false if held.is_empty() => "no number is all that it asks for".to_owned(),
        false => format!("there are {most} at most"),
    };
    Err(fault("condition", format!("the condition is never met: {why}")))
}

/// The types of correlations that there are here.
const KINDS: [&str; 4] = ["event_count", "value_count", "temporal", "temporal_ordered"];

/// Whether there is a type of correlations, before its condition is read, in which each has keys of its own.
fn check_kind(kind: &str) -> Result<(), Fault> {
    let message = match kind {
        known if KINDS.contains(&known) => return Ok(()),
        "value_sum" | "value_avg" | "value_percentile" | "value_median" => {
            format!("`{kind}` is not supported; there are {}", KINDS.join(", "))
        }
        other => {
            format!("unknown type of correlation `{other}`{}", hint(other, KINDS.into_iter()))
        }
    };
    Err(fault("type", message))
}

/// What our own block adds to a count.
pub struct Additions {
    /// `share`
    pub share: Option<Yaml>,
    /// `since`
    pub since: Option<Yaml>,
}

/// Compiles Sigma's `correlation`, and takes what our own block adds to it.
pub fn correlation(value: Yaml, additions: &mut Additions, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("correlation", value, warnings)?;
    let kind = block.need("type")?.as_str().unwrap_or_default().to_owned();
    check_kind(&kind)?;
    let rules = texts("rules", &block.need("rules")?)?;
    if rules.is_empty() {
        return Err(fault("rules", "`rules` names no rule"));
    }
    let window = block.need_window("timespan")?;
    let group_by = block.group_by("group-by")?;
    let condition = block.take("condition").map(|c| bounds(&c)).transpose()?;
    if block.truth("generate")? {
        let message = "rules of other files are reported anyway, and those of this file never: give them their own";
        block.warnings.push(fault("generate", message));
    }
    let values = |names: &[String], warnings: &mut Warnings| -> Result<Vec<Field>, Fault> {
        names.iter().map(|name| field(name, warnings)).collect()
    };
    let logic = match kind.as_str() {
        "event_count" | "value_count" => {
            let (bounds, fields) =
                condition.ok_or_else(|| fault("correlation", format!("`{kind}` lacks its `condition`")))?;
            if bounds.tests.is_empty() {
                return Err(fault("condition", "the condition compares nothing: add `gte: N`"));
            }
            let values = match kind.as_str() {
                "value_count" if fields.is_empty() => {
                    return Err(fault("condition", "`value_count` lacks the `field` in its condition"));
                }
                "value_count" => Some(values(&fields, block.warnings)?),
                _ if !fields.is_empty() => return Err(counts_no_values(&kind)),
                _ => None,
            };
            check_bounds(&bounds, usize::MAX)?;
            let share = additions.share.take().map(|s| share_of(s, block.warnings)).transpose()?;
            let since = additions.since.take().map(|s| since_of(s, &group_by, block.warnings)).transpose()?;
            Logic::Count(Count { rules, group_by, window, bounds, values, share, since })
        }
        // `temporal` and `temporal_ordered`
        _ => {
            let (bounds, fields) = condition.unwrap_or_else(|| (Bounds { tests: Vec::new() }, Vec::new()));
            if !fields.is_empty() {
                return Err(counts_no_values(&kind));
            }
            let bounds = Some(bounds).filter(|b| !b.tests.is_empty());
            let is_ordered = kind == "temporal_ordered";
            let wants_all = |b: &Bounds| b.hold(rules.len()) && !(0..rules.len()).any(|fewer| b.hold(fewer));
            if is_ordered && !bounds.as_ref().is_none_or(wants_all) {
                return Err(fault(
                    "condition",
                    "`temporal_ordered` is met by all of its rules: leave the condition out",
                ));
            }
            bounds.as_ref().map_or(Ok(()), |bounds| check_bounds(bounds, rules.len()))?;
            Logic::Chain(Chain {
                rules,
                group_by,
                window,
                is_ordered,
                bounds,
                wheres: vec![],
                unless: vec![],
                absent: Absent::No,
                context: vec![],
            })
        }
    };
    block.finish()?;
    Ok(logic)
}

fn share_of(value: Yaml, warnings: &mut Warnings) -> Result<Share, Fault> {
    let mut block = Block::new("share", value, warnings)?;
    let lacks = || fault("share", "`share` lacks `at_least`: 0.2 is a fifth");
    let share = Share { of: block.rule("of")?, at_least: block.number("at_least")?.ok_or_else(lacks)? };
    if !(0.0..=1.0).contains(&share.at_least) {
        return Err(fault("at_least", "`at_least` is a part of 1: 0.2 is a fifth"));
    }
    block.finish()?;
    Ok(share)
}

/// `since: rule`, or `{rule, by}`. `by` names the first of the fields that join what is counted.
fn since_of(value: Yaml, group_by: &[GroupBy], warnings: &mut Warnings) -> Result<Since, Fault> {
    if let Yaml::String(rule) = value {
        return Ok(Since { rule: rule.clone(), joined_by: group_by.len() });
    }
    let mut block = Block::new("since", value, warnings)?;
    let rule = block.rule("rule")?;
    let by = block.take("by").map(|value| texts("by", &value)).transpose()?;
    block.finish()?;
    let joined_by = by.as_ref().map_or(group_by.len(), Vec::len);
    let is_start =
        by.into_iter().flatten().enumerate().all(|(i, name)| group_by.get(i).is_some_and(|g| g.name == name));
    if !is_start {
        let names: Vec<&str> = group_by.iter().map(|part| part.name.as_str()).collect();
        let message = format!("`by` names the first of what is grouped by, in its order: {}", names.join(", "));
        return Err(fault("by", message));
    }
    Ok(Since { rule, joined_by })
}

/// Compiles `sequence`.
pub fn sequence(value: Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("sequence", value, warnings)?;
    let Yaml::Array(list) = block.need("steps")? else { return Err(fault("steps", "`steps` takes a list of rules")) };
    let mut names = Vec::new();
    let mut rules = Vec::new();
    for (i, step) in list.iter().enumerate() {
        let letter = char::from(b'a' + u8::try_from(i.min(25)).unwrap_or(25)).to_string();
        let (name, rule) = match step {
            Yaml::String(rule) => (letter, rule.clone()),
            Yaml::Object(map) if map.len() == 1 => {
                let (name, rule) = map.iter().next().map(|(n, r)| (n.clone(), r.clone())).unwrap_or_default();
                (name, rule.as_str().unwrap_or_default().to_owned())
            }
            _ => return Err(fault("steps", "a step is the name of a rule, or `name: rule`")),
        };
        if names.contains(&name) {
            return Err(fault("steps", format!("two steps are called `{name}`: give each its own name")));
        }
        names.push(name);
        rules.push(rule);
    }
    if rules.is_empty() {
        return Err(fault("steps", "`steps` names no rule"));
    }
    let window = block.need_window("timespan")?;
    let group_by = block.group_by("group-by")?;
    let absent = match block.take("absent").as_ref().map(|v| v.as_str().unwrap_or_default().to_owned()).as_deref() {
        None => Absent::No,
        Some("first") => Absent::First,
        Some("last") => Absent::Last,
        Some(_) => return Err(fault("absent", "`absent` is `first` or `last`")),
    };
    let wheres = block.names("where")?;
    let wheres = wheres.iter().map(|text| compare(text, &names, block.warnings)).collect::<Result<_, _>>()?;
    let unless: Vec<Unless> = match block.take("unless") {
        None => vec![],
        Some(_) if names.iter().any(|name| name == MATCH) => {
            let message = format!("beside `unless` no step is called `{MATCH}`, which is its match: name it otherwise");
            return Err(fault("steps", message));
        }
        Some(Yaml::Array(list)) => {
            list.into_iter().map(|u| one_unless(u, &names, block.warnings)).collect::<Result<_, _>>()?
        }
        Some(single) => vec![one_unless(single, &names, block.warnings)?],
    };
    let is_step = |name: &String| names.iter().position(|step| step == name);
    let context = block.names("context")?;
    let context: Option<Vec<usize>> = context.iter().map(is_step).collect();
    let context = context.filter(|steps| !steps.contains(&(names.len() - 1)));
    let context = context.ok_or_else(|| fault("context", "`context` names steps in front of the last one"))?;
    block.finish()?;
    let least = if unless.is_empty() || absent != Absent::No { 2 } else { 1 };
    if rules.len() < least {
        return Err(fault("steps", "a sequence has at least two steps, or one and an `unless`"));
    }
    let chain = Chain { rules, group_by, window, is_ordered: true, bounds: None, wheres, unless, absent, context };
    if let Some(unless) = chain.unless.iter().find(|unless| Some(unless.before) == chain.absent_step()) {
        let step = &names[unless.before];
        let message = format!("nothing lies before `{step}`, which is the absent step: name another one in `before`");
        return Err(fault("unless", message));
    }
    Ok(Logic::Chain(chain))
}

fn check_between(after: Option<usize>, before: usize) -> Result<(), Fault> {
    let message = "nothing lies between `after` and `before`: name an earlier step in `after`, or `after: window`";
    if after.is_some_and(|after| after >= before) { Err(fault("unless", message)) } else { Ok(()) }
}

/// What the match of an `unless` is called in its `where`.
const MATCH: &str = "u";

/// `unless: rule`, or `{rule, after, before, settle, where}`. In `where` the match is called `u`; `after: window` is
/// the start of the window.
fn one_unless(value: Yaml, names: &[String], warnings: &mut Warnings) -> Result<Unless, Fault> {
    let step = |name: &str| {
        names.iter().position(|n| n == name).ok_or_else(|| fault("unless", format!("`{name}` is not a step")))
    };
    if let Yaml::String(rule) = value {
        let (rule, settle) = (rule.clone(), Span::default());
        check_between(Some(0), names.len() - 1)?;
        return Ok(Unless { rule, after: Some(0), before: names.len() - 1, settle, wheres: vec![] });
    }
    let mut block = Block::new("unless", value, warnings)?;
    let rule = block.rule("rule")?;
    let after = match block.text("after")?.as_deref() {
        None => Some(0),
        Some("window") => None,
        Some(name) => Some(step(name)?),
    };
    let before = block.text("before")?.map_or(Ok(names.len() - 1), |name| step(&name))?;
    check_between(after, before)?;
    let settle = block.span("settle")?.unwrap_or_default();
    let with_it: Vec<String> = names.iter().cloned().chain([MATCH.to_owned()]).collect();
    let texts = block.names("where")?;
    let wheres = texts.iter().map(|text| compare(text, &with_it, block.warnings)).collect::<Result<_, _>>()?;
    block.finish()?;
    Ok(Unless { rule, after, before, settle, wheres })
}

/// Compiles `first_seen`.
pub fn first_seen(value: Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("first_seen", value, warnings)?;
    let rule = block.rule("rule")?;
    let learn_from = block.text("learn_from")?.unwrap_or_else(|| rule.clone());
    let days = block.number("min_days")?.unwrap_or(14.0);
    #[allow(clippy::cast_possible_truncation, reason = "days of a rule, whole nanoseconds")]
    let min_age = Span((days * DAY as f64) as i64);
    let first_seen = FirstSeen {
        rule,
        learn_from,
        by: block.group_by("by")?,
        value: block.fields("value")?,
        min_age,
        min_events: block.count("min_events")?.unwrap_or(10),
        lookback: match block.take("lookback") {
            None => Span(0),
            Some(Yaml::Number(n)) if n.as_i64() == Some(0) => Span(0),
            Some(other) => span("lookback", &other)?,
        },
        settle: block.span("settle")?.unwrap_or_default(),
    };
    if first_seen.value.is_empty() {
        return Err(fault("first_seen", "`first_seen` lacks `value`"));
    }
    block.finish()?;
    Ok(Logic::FirstSeen(first_seen))
}

/// Compiles `travel`.
pub fn travel(value: Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("travel", value, warnings)?;
    let travel = Travel {
        rule: block.rule("rule")?,
        by: block.group_by("by")?,
        min_km: block.number("min_km")?.unwrap_or(500.0),
        min_kmh: block.number("min_kmh")?.unwrap_or(1000.0),
    };
    block.finish()?;
    Ok(Logic::Travel(travel))
}

/// Compiles `rate`.
pub fn rate(value: Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("rate", value, warnings)?;
    let rate = Rate {
        rule: block.rule("rule")?,
        by: block.group_by("by")?,
        bucket: block.span("bucket")?.unwrap_or(Span(HOUR)),
        history: block.window("history")?.unwrap_or(Span(14 * DAY)),
        min_history: block.span("min_history")?.unwrap_or(Span(7 * DAY)),
        factor: block.number("factor")?.unwrap_or(5.0),
        percentile: block.number("percentile")?.unwrap_or(95.0),
        floor: block.count("floor")?.unwrap_or(20),
    };
    if rate.bucket.0 < SECOND {
        return Err(fault("bucket", "`bucket` is at least one second"));
    }
    if !(1.0..=100.0).contains(&rate.percentile) {
        return Err(fault("percentile", "`percentile` is a number from 1 to 100"));
    }
    block.finish()?;
    Ok(Logic::Rate(rate))
}

/// Compiles `risk`.
pub fn risk(value: Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("risk", value, warnings)?;
    let risk = Risk {
        window: block.window("timespan")?.unwrap_or(Span(DAY)),
        min_score: u32::try_from(block.count("min_score")?.unwrap_or(100)).unwrap_or(u32::MAX),
        min_rules: block.count("min_rules")?.unwrap_or(3),
        min_tactics: block.count("min_tactics")?.unwrap_or(2),
    };
    block.finish()?;
    Ok(Logic::Risk(risk))
}
