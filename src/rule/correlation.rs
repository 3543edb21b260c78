//! Correlation: from the YAML of a rule to its logic: Sigma's correlations, and our own.

use serde_json::Value as Yaml;

use super::block::{Block, span, texts};
use super::detection::{Fault, Warnings, fault, field};
use super::logic::{
    Absent, Bounds, Chain, Count, FirstSeen, GroupBy, Logic, Rate, Right, Risk, Share, Travel, Unless, Where,
};
use super::pattern::Order;
use crate::event::field::{Field, nearest_of};
use crate::event::time::{DAY, HOUR, SECOND, Span};

/// A group field, or an alias for one in each rule.
pub(super) fn group_by(name: &str, aliases: &Yaml, warnings: &mut Warnings) -> Result<GroupBy, Fault> {
    let fields = match aliases.get(name) {
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
            "gte" => Order::GreaterEqual,
            "gt" => Order::Greater,
            "lte" => Order::LessEqual,
            "lt" => Order::Less,
            "eq" | "neq" => Order::Equal,
            "field" => {
                fields = texts("field", value)?;
                continue;
            }
            other => {
                let near = nearest_of(other, ["gte", "gt", "lte", "lt", "eq", "neq", "field"].into_iter());
                let hint = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                return Err(fault(key.clone(), format!("`{other}` is no comparison{hint}")));
            }
        };
        let n = value.as_f64().ok_or_else(|| fault(key.clone(), format!("`{key}` takes a number")))?;
        bounds.tests.push((order, n, key == "neq"));
    }
    Ok((bounds, fields))
}

/// Compiles Sigma's `correlation`, with the `share` of our own block.
pub fn correlation(value: &Yaml, share: Option<&Yaml>, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("correlation", value, warnings)?;
    let kind = block.need("type")?.as_str().unwrap_or_default().to_owned();
    let rules = texts("rules", &block.need("rules")?)?;
    if rules.is_empty() {
        return Err(fault("rules", "`rules` names no rule"));
    }
    let window = span("timespan", &block.need("timespan")?)?;
    let group_by = block.group_by("group-by")?;
    let condition = block.take("condition").map(|c| bounds(&c)).transpose()?;
    block.take("generate");
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
                _ => None,
            };
            let share = share.map(|s| share_of(s, block.warnings)).transpose()?;
            Logic::Count(Count { rules, group_by, window, bounds, values, share })
        }
        "temporal" | "temporal_ordered" => {
            let bounds = condition.map(|(bounds, _)| bounds).filter(|b| !b.tests.is_empty());
            let is_ordered = kind == "temporal_ordered";
            let wants_all = |b: &Bounds| b.hold(rules.len()) && !(0..rules.len()).any(|fewer| b.hold(fewer));
            if is_ordered && !bounds.as_ref().is_none_or(wants_all) {
                return Err(fault(
                    "condition",
                    "`temporal_ordered` is met by all of its rules: leave the condition out",
                ));
            }
            Logic::Chain(Chain {
                rules,
                group_by,
                window,
                is_ordered,
                bounds,
                wheres: vec![],
                unless: vec![],
                absent: Absent::No,
            })
        }
        "value_sum" | "value_avg" | "value_percentile" | "value_median" => {
            return Err(fault("type", format!("`{kind}` is not supported")));
        }
        other => {
            let known = ["event_count", "value_count", "temporal", "temporal_ordered"];
            let hint =
                nearest_of(other, known.into_iter()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            return Err(fault("type", format!("`{other}` is no type of correlation{hint}")));
        }
    };
    block.finish()?;
    Ok(logic)
}

fn share_of(value: &Yaml, warnings: &mut Warnings) -> Result<Share, Fault> {
    let mut block = Block::new("share", value, warnings)?;
    let share = Share { of: block.rule("of")?, at_least: block.number("at_least")?.unwrap_or(0.0) };
    if !(0.0..=1.0).contains(&share.at_least) {
        return Err(fault("at_least", "`at_least` is a part of 1: 0.2 is a fifth"));
    }
    block.finish()?;
    Ok(share)
}

/// Compiles `sequence`.
pub fn sequence(value: &Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
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
        names.push(name);
        rules.push(rule);
    }
    let window = span("timespan", &block.need("timespan")?)?;
    let group_by = block.group_by("group-by")?;
    let absent = match block.take("absent").as_ref().map(|v| v.as_str().unwrap_or_default().to_owned()).as_deref() {
        None => Absent::No,
        Some("first") => Absent::First,
        Some("last") => Absent::Last,
        Some(_) => return Err(fault("absent", "`absent` is `first` or `last`")),
    };
    let wheres = block.names("where")?;
    let wheres = wheres.iter().map(|text| compare(text, &names, block.warnings)).collect::<Result<_, _>>()?;
    let unless = match block.take("unless") {
        None => vec![],
        Some(Yaml::Array(list)) => list.iter().map(|u| unless(u, &names, block.warnings)).collect::<Result<_, _>>()?,
        Some(single) => vec![unless(&single, &names, block.warnings)?],
    };
    block.finish()?;
    let least = if unless.is_empty() || absent != Absent::No { 2 } else { 1 };
    if rules.len() < least {
        return Err(fault("steps", "a sequence has at least two steps, or one and an `unless`"));
    }
    Ok(Logic::Chain(Chain { rules, group_by, window, is_ordered: true, bounds: None, wheres, unless, absent }))
}

/// `unless: rule`, or `{rule, after, before, settle, where}`. In `where` the match is called `u`; `after: window` is
/// the start of the window.
fn unless(value: &Yaml, names: &[String], warnings: &mut Warnings) -> Result<Unless, Fault> {
    let step = |name: &str| {
        names.iter().position(|n| n == name).ok_or_else(|| fault("unless", format!("`{name}` is no step")))
    };
    if let Yaml::String(rule) = value {
        let (rule, settle) = (rule.clone(), Span::default());
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
    let settle = block.span("settle")?.unwrap_or_default();
    let with_it: Vec<String> = names.iter().cloned().chain(["u".to_owned()]).collect();
    let texts = block.names("where")?;
    let wheres = texts.iter().map(|text| compare(text, &with_it, block.warnings)).collect::<Result<_, _>>()?;
    block.finish()?;
    Ok(Unless { rule, after, before, settle, wheres })
}

/// `b.source.country != a.source.country`
fn compare(text: &str, names: &[String], warnings: &mut Warnings) -> Result<Where, Fault> {
    let wrong = |why: &str| fault(text, format!("`where` {text:?}: {why}"));
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [left, operator, right] = parts.as_slice() else {
        return Err(wrong("write it as `b.field != a.field`"));
    };
    let mut side = |side: &str| -> Result<Option<(usize, Field)>, Fault> {
        let Some((step, path)) = side.split_once('.') else { return Ok(None) };
        let Some(step) = names.iter().position(|n| n == step) else { return Ok(None) };
        Ok(Some((step, field(path, warnings)?)))
    };
    let left = side(left)?.ok_or_else(|| wrong("the left side is a step and a field"))?;
    let right = match side(right)? {
        Some((step, field)) => Right::Field(step, field),
        None => Right::Literal(right.trim_matches(['"', '\'']).to_owned()),
    };
    let (is_equal, order) = match *operator {
        "==" => (Some(true), None),
        "!=" => (Some(false), None),
        "<" => (None, Some(Order::Less)),
        "<=" => (None, Some(Order::LessEqual)),
        ">" => (None, Some(Order::Greater)),
        ">=" => (None, Some(Order::GreaterEqual)),
        _ => return Err(wrong("compare with == != < <= > >=")),
    };
    Ok(Where { left, is_equal, order, right })
}

/// Compiles `first_seen`.
pub fn first_seen(value: &Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("first_seen", value, warnings)?;
    let rule = block.rule("rule")?;
    let learn_from = match block.take("learn_from") {
        Some(Yaml::String(name)) => name,
        _ => rule.clone(),
    };
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
pub fn travel(value: &Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
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
pub fn rate(value: &Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("rate", value, warnings)?;
    let rate = Rate {
        rule: block.rule("rule")?,
        by: block.group_by("by")?,
        bucket: block.span("bucket")?.unwrap_or(Span(HOUR)),
        history: block.span("history")?.unwrap_or(Span(14 * DAY)),
        min_history: block.span("min_history")?.unwrap_or(Span(7 * DAY)),
        factor: block.number("factor")?.unwrap_or(5.0),
        percentile: block.number("percentile")?.unwrap_or(95.0).min(100.0),
        floor: block.count("floor")?.unwrap_or(20),
    };
    if rate.bucket.0 < SECOND {
        return Err(fault("bucket", "`bucket` is at least one second"));
    }
    block.finish()?;
    Ok(Logic::Rate(rate))
}

/// Compiles `risk`.
pub fn risk(value: &Yaml, warnings: &mut Warnings) -> Result<Logic, Fault> {
    let mut block = Block::new("risk", value, warnings)?;
    let risk = Risk {
        window: block.span("timespan")?.unwrap_or(Span(DAY)),
        min_score: u32::try_from(block.count("min_score")?.unwrap_or(100)).unwrap_or(u32::MAX),
        min_rules: block.count("min_rules")?.unwrap_or(3),
        min_tactics: block.count("min_tactics")?.unwrap_or(2),
    };
    block.finish()?;
    Ok(Logic::Risk(risk))
}
