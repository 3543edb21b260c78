//! Told: a condition in words, for people who want to know why it held or did not.

use std::fmt;

use super::LevelWhen;
use super::expr::{Expr, Searchable, Test};
use super::logic::{Absent, Bounds, Chain, Count, FirstSeen, GroupBy, How, Logic, Right, Unless, Where};
use super::pattern::{Order, Pattern, Side};
use crate::event::counted::plural;
use crate::event::field::Field;
use crate::event::letters;
use crate::event::time::Span;

/// Values of one comparison that are named; the rest are counted.
const MOST: usize = 6;

/// A line of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// how deep it stands
    pub depth: usize,
    /// the words
    pub text: String,
    /// whether it held on the event that was looked at
    pub has_held: Option<bool>,
    /// what the event has instead
    pub value: Option<String>,
}

/// A condition in lines; with an event, what each part of it came to.
pub fn lines(expr: &Expr, event: Option<&dyn Looked>) -> Vec<Line> {
    let mut out = Vec::new();
    tell(expr, event, 0, &mut out);
    out
}

/// A condition in one line.
pub fn words(expr: &Expr) -> String {
    lines(expr, None).into_iter().map(|line| line.text).collect::<Vec<_>>().join(" ")
}

/// A case of `level_when` in one line.
pub fn case(case: &LevelWhen) -> String {
    let level = case.level.map(|level| level.word().to_owned());
    let title = case.title.as_ref().map(|title| format!("{title:?}"));
    let other: Vec<String> = level.into_iter().chain(title).collect();
    format!("{}: {}", words(&case.when), other.join(", "))
}

/// An event that a condition is held against.
pub trait Looked {
    /// Whether a condition holds on it.
    fn holds(&self, expr: &Expr) -> bool;
    /// What it has for the field of a test.
    fn value(&self, test: &Test) -> String;
}

impl<E: Searchable> Looked for E {
    fn holds(&self, expr: &Expr) -> bool {
        expr.matches(self)
    }

    fn value(&self, test: &Test) -> String {
        let values = self.values(&test.field);
        if values.is_empty() {
            return "not there".to_owned();
        }
        names(values.iter().map(|value| value.text().unwrap_or("null")))
    }
}

fn tell(expr: &Expr, event: Option<&dyn Looked>, depth: usize, out: &mut Vec<Line>) {
    let has_held = event.map(|event| event.holds(expr));
    let mut line = |text: String, value| out.push(Line { depth, text, has_held, value });
    match expr {
        Expr::And(parts) if parts.is_empty() => line("always".to_owned(), None),
        Expr::Or(parts) if parts.is_empty() => line("never (an empty list)".to_owned(), None),
        Expr::And(parts) => {
            line("all of:".to_owned(), None);
            parts.iter().for_each(|part| tell(part, event, depth + 1, out));
        }
        Expr::Or(parts) => {
            line("one of:".to_owned(), None);
            parts.iter().for_each(|part| tell(part, event, depth + 1, out));
        }
        Expr::Not(inner) => {
            line("not:".to_owned(), None);
            tell(inner, event, depth + 1, out);
        }
        Expr::Test(test) => line(test.to_string(), event.map(|event| event.value(test))),
        Expr::Keyword(keyword) => line(format!("any text {keyword}"), None),
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |pattern: &Pattern| match pattern {
            Pattern::Networks(all) => all.named().iter().map(|net| Pattern::Cidr(*net).to_string()).collect(),
            other => vec![other.to_string()],
        };
        let patterns: Vec<String> = self.patterns.iter().flat_map(told).collect();
        let joined = some(&patterns, if self.is_all { " and " } else { " or " });
        if patterns.is_empty() && self.is_negated {
            return write!(f, "{} has a value (an empty list)", self.field.name());
        }
        let not = if self.is_negated { "not " } else { "" };
        write!(f, "{} {not}{joined}", self.field.name())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Glob(glob) => write!(f, "is {glob}"),
            Pattern::Number(n) => write!(f, "is {n}"),
            Pattern::Order(order, n) => write!(f, "{order} {n}"),
            Pattern::Time(part, order, n) => write!(f, "has its {} {order} {n}", letters::lower(format!("{part:?}"))),
            Pattern::Regex(expression) => write!(f, "fits /{}/", expression.text()),
            Pattern::Cidr(net) => write!(f, "lies in {net}"),
            Pattern::Networks(all) => write!(f, "lies in one of {} networks", all.named().len()),
            Pattern::Listed(list) => write!(f, "lies in {list}"),
            Pattern::Null => f.write_str("is missing"),
            Pattern::Exists(true) => f.write_str("is there"),
            Pattern::Exists(false) => f.write_str("is not there"),
            Pattern::Reference(field, side, _) => {
                let how = match side {
                    Side::Whole => "equals",
                    Side::Start => "begins with",
                    Side::End => "ends with",
                    Side::Anywhere => "contains",
                };
                write!(f, "{how} {}", field.name())
            }
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Order::Equal => "=",
            Order::NotEqual => "!=",
            Order::Less => "<",
            Order::LessEqual => "<=",
            Order::Greater => ">",
            Order::GreaterEqual => ">=",
        })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = self.tests.iter().map(|(order, n)| match order {
            Order::GreaterEqual => format!("at least {n}"),
            Order::LessEqual => format!("at most {n}"),
            Order::Greater => format!("more than {n}"),
            Order::Less => format!("fewer than {n}"),
            Order::Equal => format!("exactly {n}"),
            Order::NotEqual => format!("not {n}"),
        });
        f.write_str(&tests.collect::<Vec<_>>().join(" and "))
    }
}

/// What a rule looks for, in one sentence.
pub fn logic(logic: &Logic) -> String {
    match logic {
        Logic::Detection(_) => "one event with".to_owned(),
        Logic::Count(count) => counted(count),
        Logic::Chain(chain) => chained(chain),
        Logic::FirstSeen(f) => format!(
            "{} with a value of {} that was {}{}; judged after {} and {}",
            f.rule,
            names(f.value.iter().map(Field::name)),
            unseen(f),
            each(&f.by),
            f.min_age.words(),
            plural(f.min_events as u64, "event"),
        ),
        Logic::Travel(t) => format!(
            "two {} in a row at least {} km apart, at {} km/h or more{}",
            t.rule,
            t.min_km,
            t.min_kmh,
            each(&t.by)
        ),
        Logic::Rate(r) => format!(
            "at least {} {} in {}, and {} times what is usual in {}{}",
            r.floor,
            r.rule,
            r.bucket.words(),
            r.factor,
            r.history.words(),
            each(&r.by)
        ),
        Logic::Risk(r) => format!(
            "different findings on one account or thing that add up to {} within {}, by at least {} rules of {} tactics",
            r.min_score,
            r.window.words(),
            r.min_rules,
            r.min_tactics
        ),
    }
}

fn counted(count: &Count) -> String {
    if is_any_of(count) {
        return format!("one of {}{}", names(&count.rules), each(&count.group_by));
    }
    let what = match &count.values {
        Some(fields) => format!("different values of {}", names(fields.iter().map(Field::name))),
        None if count.bounds.tests == [(Order::Equal, 1.0)] => "event".to_owned(),
        None => "events".to_owned(),
    };
    let share = count.share.as_ref();
    let share = share.map(|s| format!(", and at least {:.0} % of {}", s.at_least * 100.0, s.of)).unwrap_or_default();
    let since = count.since.as_ref().map(|since| format!(" and since the last {}", since.rule)).unwrap_or_default();
    let (rules, window, each) = (names(&count.rules), count.window.words(), each(&count.group_by));
    format!("{} {what} of {rules} within {window}{since}{each}{share}", count.bounds)
}

/// The idiom for "one of several rules": any match counts, and nothing else is asked.
fn is_any_of(count: &Count) -> bool {
    let is_one = count.bounds.tests == [(Order::GreaterEqual, 1.0)];
    is_one && count.values.is_none() && count.share.is_none() && count.since.is_none()
}

/// First the steps, then what is compared, then what must not be there.
fn chained(chain: &Chain) -> String {
    let there = &chain.rules[chain.needed()];
    let how = chain.bounds.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let steps = match chain.is_ordered {
        true => there.join(", then "),
        false => format!("{how} of {} in any order", names(there)),
    };
    let within = if there.len() == 1 { String::new() } else { format!(", within {}", chain.window.words()) };
    let mut parts = vec![format!("{steps}{within}{}", each(&chain.group_by))];
    let (of_absent, of_steps): (Vec<&Where>, Vec<&Where>) =
        chain.wheres.iter().partition(|compared| chain.absent_step().is_some_and(|step| compared.looks_at(step)));
    parts.extend(wheres(chain, of_steps, None));
    let limited =
        |text: String, to: Option<String>| [Some(text), to].into_iter().flatten().collect::<Vec<_>>().join(", ");
    parts.extend(absent(chain).map(|text| limited(text, wheres(chain, of_absent, chain.absent_step()))));
    let unless = |u: &Unless| {
        let text = format!("unless {} {}", u.rule, place(chain, u));
        limited(text, wheres(chain, &u.wheres, Some(chain.rules.len())))
    };
    parts.extend(chain.unless.iter().map(unless));
    parts.join("; ")
}

/// The step that must not be there.
fn absent(chain: &Chain) -> Option<String> {
    let (rule, needed, window) = (chain.rules.get(chain.absent_step()?)?, chain.needed(), chain.window.words());
    Some(match chain.absent {
        Absent::First => format!("with no {rule} in the {window} before{}, but one earlier", of(chain, needed.start)),
        _ => format!("with no {rule} in the {window} after{}", of(chain, needed.end - 1)),
    })
}

/// Where the match of an `unless` lies.
fn place(chain: &Chain, unless: &Unless) -> String {
    let (needed, window) = (chain.needed(), chain.window.words());
    let (first, last) = (needed.start, needed.end - 1);
    let between = match unless.after.filter(|step| needed.contains(step)) {
        Some(after) if (after, unless.before) == (first, last) && needed.len() == 2 => "in between".to_owned(),
        Some(after) => format!("between {} and {}", step(chain, after), step(chain, unless.before)),
        None if unless.before == last => format!("in the {window} before{}", of(chain, last)),
        None => format!("before {}, within the same {window}", step(chain, unless.before)),
    };
    between + &left_out(unless.settle)
}

/// A step by the name of its rule; nothing where there is only one, and no other can be meant.
fn of(chain: &Chain, place: usize) -> String {
    if chain.needed().len() == 1 { String::new() } else { format!(" {}", step(chain, place)) }
}

/// A step by the name of its rule, and by its number where several have that.
fn step(chain: &Chain, step: usize) -> String {
    let name = &chain.rules[step];
    match chain.rules[chain.needed()].iter().filter(|rule| *rule == name).count() {
        0 | 1 => name.clone(),
        _ => format!("{name} (step {})", step + 1),
    }
}

/// Comparisons of steps; what is of the step `its` is called so. Fields that two steps have in common are told together.
pub(super) fn wheres<'w>(
    chain: &Chain,
    wheres: impl IntoIterator<Item = &'w Where>,
    its: Option<usize>,
) -> Option<String> {
    let side = |place: usize, fields: &str| match its == Some(place) {
        true => format!("its {fields}"),
        false => format!("{fields} of {}", step(chain, place)),
    };
    let common = |compared: &Where| match (&compared.right, compared.how) {
        (Right::Field(right, field), How::Equal(true)) if *field == compared.left.1 => Some((compared.left.0, *right)),
        _ => None,
    };
    let told = |alike: &[&Where]| {
        let (first, fields) = (alike[0], alike.iter().map(|compared| compared.left.1.name()).collect::<Vec<_>>());
        let how = match first.how {
            How::Equal(true) if fields.len() > 1 => "equal".to_owned(),
            How::Equal(true) => "equals".to_owned(),
            How::Equal(false) => "differs from".to_owned(),
            How::Order(order) => order.to_string(),
        };
        let right = match &first.right {
            Right::Field(place, _) if fields.len() > 1 && its == Some(*place) => "its own".to_owned(),
            Right::Field(place, _) if fields.len() > 1 => format!("those of {}", step(chain, *place)),
            Right::Field(place, field) => side(*place, &field.name()),
            Right::Literal(text) => text.clone(),
        };
        format!("{} {how} {right}", side(first.left.0, &fields.join(", ")))
    };
    let wheres: Vec<&Where> = wheres.into_iter().collect();
    let told: Vec<String> = wheres.chunk_by(|a, b| common(a).is_some() && common(a) == common(b)).map(told).collect();
    (!told.is_empty()).then(|| format!("where {}", told.join(" and ")))
}

/// Where a new value was not seen.
fn unseen(rule: &FirstSeen) -> String {
    let seen = match rule.lookback.0 {
        0 => format!("never in {} before", rule.learn_from),
        _ => format!("not in {} in the {} before", rule.learn_from, rule.lookback.words()),
    };
    seen + &left_out(rule.settle)
}

/// The last part of a window, where that does not count.
pub fn left_out(settle: Span) -> String {
    if settle.0 > 0 { format!(", the last {} left out", settle.words()) } else { String::new() }
}

fn each(by: &[GroupBy]) -> String {
    if by.is_empty() { String::new() } else { format!(", for each {}", names(by.iter().map(|by| &by.name))) }
}

/// Names in a row, the first few of them.
pub fn names(list: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = list.into_iter().map(|name| name.as_ref().to_owned()).collect();
    some(&names, ", ")
}

fn some(list: &[String], between: &str) -> String {
    let shown = list.iter().take(MOST).cloned().collect::<Vec<_>>().join(between);
    match list.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}{between}{more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::json::Json;
    use crate::rule::lists::Lists;
    use crate::rule::parse;

    fn rule(body: &str) -> Logic {
        let text = format!("title: T\nname: t\nlogsource: {{product: jumpcloud}}\n{body}");
        parse("t.yml", &text, &Lists::default(), &mut vec![]).unwrap().remove(0).logic
    }

    #[test]
    fn each_part_of_a_condition_is_held_against_an_event() {
        let Logic::Detection(expr) = rule(
            "detection:\n  a: {event_type: admin_login_attempt, source.ip|cidr: 192.0.2.0/24}\n  b: {agent.name|contains: curl}\n  condition: a and not b\n",
        ) else {
            panic!()
        };
        let json = Json::parse(
            r#"{"event_type":"admin_login_attempt","client_ip":"198.51.100.1","useragent":{"name":"curl"}}"#,
        )
        .unwrap();
        let event = Event::part(&json);
        let told: Vec<String> = lines(&expr, Some(&event))
            .into_iter()
            .map(|l| {
                format!("{}{:?} {} {}", "-".repeat(l.depth), l.has_held.unwrap(), l.text, l.value.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                "false all of: ",
                "-false all of: ",
                "--true event_type is admin_login_attempt admin_login_attempt",
                "--false source.ip lies in 192.0.2.0/24 198.51.100.1",
                "-false not: ",
                "--true agent.name is *curl* curl",
            ]
        );
        assert!(lines(&expr, None).iter().all(|line| line.has_held.is_none() && line.value.is_none()));
    }

    #[test]
    fn correlations_in_a_sentence() {
        let count = rule(
            "correlation: {type: value_count, rules: [a], group-by: [source.ip], timespan: 1h, condition: {field: actor.key, gte: 5}}\n",
        );
        assert_eq!(logic(&count), "at least 5 different values of actor.key of a within 60 min, for each source.ip");
        let chain = rule("correlation: {type: temporal_ordered, rules: [a, b], group-by: [actor.key], timespan: 3h}\n");
        assert_eq!(logic(&chain), "a, then b, within 3 h, for each actor.key");
        let first_seen = |how: &str| {
            let body =
                format!("jcdetect: {{first_seen: {{rule: a, by: [actor.key], value: [source.country]{how}}}}}\n");
            logic(&rule(&body))
        };
        let told = first_seen(", lookback: 30d, settle: 1h, min_days: 14, min_events: 5");
        let want = "a with a value of source.country that was not in a in the 30 d before, the last 60 min left out, for \
                    each actor.key; judged after 14 d and 5 events";
        assert_eq!(told, want);
        assert!(first_seen("").contains("that was never in a before, for each"), "{}", first_seen(""));
    }

    #[test]
    fn a_sequence_is_told_with_all_that_limits_it() {
        let sequence = |keys: &str| {
            logic(&rule(&format!("jcdetect: {{sequence: {{group-by: [actor.key], timespan: 30d, {keys}}}}}\n")))
        };
        let told = |keys: &str, want: &str| assert_eq!(sequence(keys), want, "{keys}");
        told(
            "steps: [login], unless: {rule: other, after: window, settle: 24h, where: [u.source.country == a.source.country]}",
            "login, for each actor.key; unless other in the 30 d before, the last 24 h left out, where its source.country \
             equals source.country of login",
        );
        told(
            "steps: [x, y], where: [a.source.ip == b.source.ip, a.agent.os == b.agent.os, b.agent.os == a.agent.os]",
            "x, then y, within 30 d, for each actor.key; where source.ip, agent.os of x equal those of y and agent.os of y \
             equals agent.os of x",
        );
        told(
            "steps: [x], unless: {rule: z, after: window, where: [a.source.ip == u.source.ip, a.agent.os == u.agent.os]}",
            "x, for each actor.key; unless z in the 30 d before, where source.ip, agent.os of x equal its own",
        );
        told("steps: [x, y], unless: z", "x, then y, within 30 d, for each actor.key; unless z in between");
        told(
            "steps: [x, x, y], where: [b.source.ip != a.source.ip], unless: [{rule: z, before: b}, {rule: y, after: b}]",
            "x, then x, then y, within 30 d, for each actor.key; where source.ip of x (step 2) differs from source.ip of x \
             (step 1); unless z between x (step 1) and x (step 2); unless y between x (step 2) and y",
        );
        told(
            "steps: [x, y], unless: [{rule: z, after: window}, {rule: z, after: window, before: a}]",
            "x, then y, within 30 d, for each actor.key; unless z in the 30 d before y; unless z before x, within the same \
             30 d",
        );
        told(
            "steps: [x, y], absent: first, where: [a.source.ip == b.source.ip, b.agent.kind == app]",
            "y, for each actor.key; where agent.kind of y equals app; with no x in the 30 d before, but one earlier, where \
             its source.ip equals source.ip of y",
        );
        told(
            "steps: [x, y, z], absent: last, unless: {rule: w, after: a, before: b}",
            "x, then y, within 30 d, for each actor.key; with no z in the 30 d after y; unless w in between",
        );
    }
}
