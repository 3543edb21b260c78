//! Logic: what a rule looks for. One event (a detection), or events together: Sigma's correlations and our
//! own conditions. The meaning of each is in `docs/detections.md`.

use serde_json::{Map, Value as Yaml};

use super::detection::{Expr, Fault, Warnings, fault, field};
use super::pattern::Order;
use crate::event::field::{Field, Norm, nearest_of};
use crate::event::time::{DAY, HOUR, SECOND, Span};

/// A reference to another rule: by name until the set is linked, then by place.
pub type Reference = String;

/// What a rule looks for.
#[derive(Clone, Debug)]
pub enum Logic {
    /// one event
    Detection(Expr),
    /// how many events, or how many values, in a window
    Count(Count),
    /// one match of each step in a window
    Chain(Chain),
    /// a value that is new for its owner
    FirstSeen(FirstSeen),
    /// two places too far apart for the time between them
    Travel(Travel),
    /// far above one's own usual
    Rate(Rate),
    /// several different findings on one entity
    Risk(Risk),
}

/// Bounds for a count; all have to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// each comparison, and whether it is turned round (`neq`)
    pub tests: Vec<(Order, f64, bool)>,
}

impl Bounds {
    /// Whether a count is within.
    pub fn hold(&self, count: usize) -> bool {
        self.tests.iter().all(|(order, n, is_negated)| order.holds(count as f64, *n) != *is_negated)
    }
}

/// A field by which events are grouped, under the names it has in each step.
#[derive(Clone, Debug)]
pub struct GroupBy {
    /// the name in the rule: a field, or an alias
    pub name: String,
    /// the field; of an alias, the field in each referenced rule
    pub fields: Vec<(Option<Reference>, Field)>,
}

impl GroupBy {
    /// The field in a step, by the name of its rule. `None`: the alias does not say.
    pub fn field(&self, rule: &str) -> Option<&Field> {
        self.fields.iter().find(|(of, _)| of.as_deref().is_none_or(|name| name == rule)).map(|(_, field)| field)
    }
}

/// `event_count` and `value_count`.
#[derive(Clone, Debug)]
pub struct Count {
    /// what is counted
    pub rules: Vec<Reference>,
    /// whose
    pub group_by: Vec<GroupBy>,
    /// in (t − window, t]
    pub window: Span,
    /// how many
    pub bounds: Bounds,
    /// different values of these fields instead of events
    pub values: Option<Vec<Field>>,
    /// at least this part of all events of another rule
    pub share: Option<Share>,
}

/// A part of the events of another rule in the same window and group.
#[derive(Clone, Debug)]
pub struct Share {
    /// the whole
    pub of: Reference,
    /// the least part, 0 to 1
    pub at_least: f64,
}

/// A comparison of fields of two steps.
#[derive(Clone, Debug)]
pub struct Where {
    /// step and field
    pub left: (usize, Field),
    /// equal, unequal, or an order of numbers
    pub is_equal: Option<bool>,
    /// the order, where it is no equality
    pub order: Option<Order>,
    /// step and field, or a literal
    pub right: Right,
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub enum Right {
    /// a field of a step
    Field(usize, Field),
    /// a text or number
    Literal(String),
}

/// A match that must not lie between two steps.
#[derive(Clone, Debug)]
pub struct Unless {
    /// what must not be
    pub rule: Reference,
    /// step before it; `None`: anywhere in the window
    pub after: Option<usize>,
    /// step behind it
    pub before: usize,
    /// comparisons that it has to satisfy, as one step more than there are
    pub wheres: Vec<Where>,
}

/// Which step is one that must not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// none: all steps have to be there
    No,
    /// the first: nothing of it in the window before, though there was some earlier
    First,
    /// the last: nothing of it in the window behind
    Last,
}

/// `temporal`, `temporal_ordered` and `sequence`.
#[derive(Clone, Debug)]
pub struct Chain {
    /// the steps
    pub rules: Vec<Reference>,
    /// what joins them
    pub group_by: Vec<GroupBy>,
    /// from the first to the last
    pub window: Span,
    /// in the order of the list
    pub is_ordered: bool,
    /// how many different rules have to match, where not all (`temporal` with a condition)
    pub bounds: Option<Bounds>,
    /// comparisons between steps
    pub wheres: Vec<Where>,
    /// what must not lie between
    pub unless: Vec<Unless>,
    /// a step that must be missing
    pub absent: Absent,
}

/// `first_seen`.
#[derive(Clone, Debug)]
pub struct FirstSeen {
    /// the events that are judged
    pub rule: Reference,
    /// the events that teach
    pub learn_from: Reference,
    /// whose value it is
    pub by: Vec<GroupBy>,
    /// the value, or several together
    pub value: Vec<Field>,
    /// silent until the owner was known this long
    pub min_age: Span,
    /// silent until the owner had this many events
    pub min_events: usize,
    /// how far back a value counts as seen; 0 is ever
    pub lookback: Span,
}

/// `travel`.
#[derive(Clone, Debug)]
pub struct Travel {
    /// sign-ins that succeeded
    pub rule: Reference,
    /// whose
    pub by: Vec<GroupBy>,
    /// least distance
    pub min_km: f64,
    /// least speed
    pub min_kmh: f64,
}

/// `rate`.
#[derive(Clone, Debug)]
pub struct Rate {
    /// what is counted
    pub rule: Reference,
    /// whose
    pub by: Vec<GroupBy>,
    /// in buckets of this length
    pub bucket: Span,
    /// against this much of the past
    pub history: Span,
    /// of which at least this much has to be there
    pub min_history: Span,
    /// at least this many times the percentile
    pub factor: f64,
    /// which percentile of the past buckets that have events, 0 to 100
    pub percentile: f64,
    /// at least this many
    pub floor: usize,
}

/// `risk`.
#[derive(Clone, Debug)]
pub struct Risk {
    /// in (t − window, t]
    pub window: Span,
    /// least sum of weights
    pub min_score: u32,
    /// least number of different rules
    pub min_rules: usize,
    /// least number of different tactics
    pub min_tactics: usize,
}

impl Logic {
    /// The rules it refers to, in order; empty for a detection, and for `risk`, which looks at all.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Logic::Detection(_) | Logic::Risk(_) => vec![],
            Logic::Count(c) => c.rules.iter().chain(c.share.iter().map(|s| &s.of)).collect(),
            Logic::Chain(c) => c.rules.iter().chain(c.unless.iter().map(|u| &u.rule)).collect(),
            Logic::FirstSeen(f) => vec![&f.rule, &f.learn_from],
            Logic::Travel(t) => vec![&t.rule],
            Logic::Rate(r) => vec![&r.rule],
        }
    }

    /// Fields of completing events that it reads later on.
    pub fn fields(&self, out: &mut Vec<Field>) {
        let group = |by: &[GroupBy], out: &mut Vec<Field>| {
            out.extend(by.iter().flat_map(|g| g.fields.iter().map(|(_, field)| field.clone())));
        };
        match self {
            Logic::Detection(expr) if expr.is_linked() => expr.fields(out),
            Logic::Detection(_) | Logic::Risk(_) => {}
            Logic::Count(c) => {
                group(&c.group_by, out);
                out.extend(c.values.iter().flatten().cloned());
            }
            Logic::Chain(c) => {
                group(&c.group_by, out);
                for w in c.wheres.iter().chain(c.unless.iter().flat_map(|u| &u.wheres)) {
                    out.push(w.left.1.clone());
                    if let Right::Field(_, field) = &w.right {
                        out.push(field.clone());
                    }
                }
            }
            Logic::FirstSeen(f) => {
                group(&f.by, out);
                out.extend(f.value.iter().cloned());
            }
            Logic::Travel(t) => {
                group(&t.by, out);
                out.extend([Norm::SourcePlace, Norm::SourceIp].map(Field::Norm));
            }
            Logic::Rate(r) => group(&r.by, out),
        }
    }
}

/// A block of a rule file that is read key by key; what is left over is a mistake.
pub struct Block<'y> {
    name: &'static str,
    map: Map<String, Yaml>,
    known: Vec<&'static str>,
    warnings: &'y mut Warnings,
}

impl<'y> Block<'y> {
    /// Starts to read a map.
    pub fn new(name: &'static str, value: &Yaml, warnings: &'y mut Warnings) -> Result<Block<'y>, Fault> {
        match value {
            Yaml::Object(map) => Ok(Block { name, map: map.clone(), known: Vec::new(), warnings }),
            _ => Err(fault(name, format!("`{name}` has to be a map"))),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Yaml> {
        self.known.push(key);
        self.map.remove(key)
    }

    fn need(&mut self, key: &'static str) -> Result<Yaml, Fault> {
        let name = self.name;
        self.take(key).ok_or_else(|| fault(name, format!("`{name}` lacks `{key}`")))
    }

    fn span(&mut self, key: &'static str) -> Result<Option<Span>, Fault> {
        self.take(key).map(|value| span(key, &value)).transpose()
    }

    fn number(&mut self, key: &'static str) -> Result<Option<f64>, Fault> {
        let number = |value: Yaml| {
            value.as_f64().filter(|n| *n >= 0.0).ok_or_else(|| fault(key, format!("`{key}` takes a number")))
        };
        self.take(key).map(number).transpose()
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, checked not to be negative")]
    fn count(&mut self, key: &'static str) -> Result<Option<usize>, Fault> {
        Ok(self.number(key)?.map(|n| n as usize))
    }

    fn names(&mut self, key: &'static str) -> Result<Vec<String>, Fault> {
        self.take(key).map_or(Ok(vec![]), |value| texts(key, &value))
    }

    fn rule(&mut self, key: &'static str) -> Result<Reference, Fault> {
        match self.need(key)? {
            Yaml::String(name) => Ok(name),
            _ => Err(fault(key, format!("`{key}` takes the name of a rule"))),
        }
    }

    fn group_by(&mut self, key: &'static str) -> Result<Vec<GroupBy>, Fault> {
        let names = self.names(key)?;
        let aliases = self.take("aliases").unwrap_or(Yaml::Null);
        names.iter().map(|name| group_by(name, &aliases, self.warnings)).collect()
    }

    fn fields(&mut self, key: &'static str) -> Result<Vec<Field>, Fault> {
        let names = self.names(key)?;
        names.iter().map(|name| field(name, self.warnings)).collect()
    }

    /// Complains of what nobody asked for.
    pub fn finish(self) -> Result<(), Fault> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => {
                let near = nearest_of(key, self.known.iter().copied());
                let hint = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                Err(fault(key.clone(), format!("`{}` has no key `{key}`{hint}", self.name)))
            }
        }
    }
}

/// A span of time in a rule file.
pub fn span(key: &str, value: &Yaml) -> Result<Span, Fault> {
    value
        .as_str()
        .and_then(Span::parse)
        .ok_or_else(|| fault(key, format!("`{key}` takes a span such as 10m, 24h or 7d")))
}

/// A list of texts, or a single one.
pub fn texts(key: &str, value: &Yaml) -> Result<Vec<String>, Fault> {
    let list = match value {
        Yaml::Array(list) => list.clone(),
        Yaml::Null => vec![],
        single => vec![single.clone()],
    };
    list.iter()
        .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| fault(key, format!("`{key}` takes a list of texts"))))
        .collect()
}

fn group_by(name: &str, aliases: &Yaml, warnings: &mut Warnings) -> Result<GroupBy, Fault> {
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

/// `unless: rule`, or `{rule, after, before, where}`. In `where` the match is called `u`; `after: window` is
/// the start of the window.
fn unless(value: &Yaml, names: &[String], warnings: &mut Warnings) -> Result<Unless, Fault> {
    let step = |name: &str| {
        names.iter().position(|n| n == name).ok_or_else(|| fault("unless", format!("`{name}` is no step")))
    };
    if let Yaml::String(rule) = value {
        return Ok(Unless { rule: rule.clone(), after: Some(0), before: names.len() - 1, wheres: vec![] });
    }
    let mut block = Block::new("unless", value, warnings)?;
    let rule = block.rule("rule")?;
    let after = match block.text("after")?.as_deref() {
        None => Some(0),
        Some("window") => None,
        Some(name) => Some(step(name)?),
    };
    let before = block.text("before")?.map_or(Ok(names.len() - 1), |name| step(&name))?;
    let with_it: Vec<String> = names.iter().cloned().chain(["u".to_owned()]).collect();
    let texts = block.names("where")?;
    let wheres = texts.iter().map(|text| compare(text, &with_it, block.warnings)).collect::<Result<_, _>>()?;
    block.finish()?;
    Ok(Unless { rule, after, before, wheres })
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

impl Block<'_> {
    /// A key that was read elsewhere.
    pub fn ignore(&mut self, key: &'static str) {
        self.take(key);
    }

    /// A value as it is.
    pub fn raw(&mut self, key: &'static str) -> Option<Yaml> {
        self.take(key)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Fault> {
        match self.take(key) {
            None | Some(Yaml::Null) => Ok(None),
            Some(Yaml::String(text)) => Ok(Some(text)),
            Some(_) => Err(fault(key, format!("`{key}` takes text"))),
        }
    }

    /// A yes or no; missing is no.
    pub fn truth(&mut self, key: &'static str) -> Result<bool, Fault> {
        match self.take(key) {
            None | Some(Yaml::Null) => Ok(false),
            Some(Yaml::Bool(b)) => Ok(b),
            Some(_) => Err(fault(key, format!("`{key}` takes true or false"))),
        }
    }
}
