//! Mutant: a rule file in which one condition is missing. If every example passes without it, no example needs it: either
//! the condition can go, or an example is missing.

use super::Rule;
use super::expr::{Expr, Test};
use super::logic::{Chain, Count, FirstSeen, Logic, Unless};
use super::parsed::Parsed;
use super::told::{self, words};
use crate::event::field::{Field, Norm};
use crate::event::time::Span;

/// A rule file in which one condition is missing.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// the rule of the file that it is missing in
    pub part: String,
    /// the line at which that rule starts
    pub line: usize,
    /// the condition, in words
    pub without: String,
    /// the file without it
    pub file: Parsed,
}

/// All mutants of a file, in the order of its rules. Event types stay: they say what a condition is about.
pub fn mutants(file: &Parsed) -> Vec<Mutant> {
    let rules = file.rules().unwrap_or_default();
    let of_rule = |(place, rule): (usize, &Rule)| {
        let mutant = |(without, changed)| Mutant {
            part: rule.name.clone(),
            line: rule.line,
            without,
            file: file.with(place, changed),
        };
        thinner(rule).into_iter().map(mutant).collect::<Vec<_>>()
    };
    rules.iter().enumerate().flat_map(of_rule).collect()
}

/// A rule without each of its conditions in turn.
fn thinner(rule: &Rule) -> Vec<(String, Rule)> {
    let logic = match &rule.logic {
        Logic::Detection(expr) => named(thinner_expr(expr), Logic::Detection),
        Logic::Count(count) => named(thinner_count(count), Logic::Count),
        Logic::Chain(chain) => named(thinner_chain(chain), Logic::Chain),
        Logic::FirstSeen(first_seen) => named(thinner_first_seen(first_seen), Logic::FirstSeen),
        Logic::Travel(_) | Logic::Rate(_) | Logic::Risk(_) => vec![],
    };
    let of_logic = named(logic, |logic| Rule { logic, ..rule.clone() });
    let of_level = each_left_out(&rule.level_when).map(|(left_out, level_when)| {
        (format!("level_when {}", told::case(left_out)), Rule { level_when, ..rule.clone() })
    });
    of_logic.into_iter().chain(of_level).collect()
}

fn named<A, B>(all: Vec<(String, A)>, whole: impl Fn(A) -> B) -> Vec<(String, B)> {
    all.into_iter().map(|(without, part)| (without, whole(part))).collect()
}

/// Each of a list, and the list without it.
fn each_left_out<T: Clone>(list: &[T]) -> impl Iterator<Item = (&T, Vec<T>)> {
    list.iter().enumerate().map(|(at, left_out)| (left_out, [&list[..at], &list[at + 1..]].concat()))
}

/// Each of a list, if it can spare one.
fn each_spared<T: Clone>(list: &[T]) -> impl Iterator<Item = (&T, Vec<T>)> {
    each_left_out(list).filter(|(_, rest)| !rest.is_empty())
}

fn thinner_expr(expr: &Expr) -> Vec<(String, Expr)> {
    let of_parts = |parts: &Vec<Expr>, join: fn(Vec<Expr>) -> Expr| {
        let left_out = each_spared(parts).filter(|(left_out, _)| !asks_for_type(left_out));
        let mut out: Vec<(String, Expr)> = left_out.map(|(left_out, rest)| (words(left_out), join(rest))).collect();
        for (at, part) in parts.iter().enumerate() {
            out.extend(named(thinner_expr(part), |thin| {
                let mut parts = parts.clone();
                parts[at] = thin;
                join(parts)
            }));
        }
        out
    };
    match expr {
        Expr::And(parts) => of_parts(parts, Expr::all),
        Expr::Or(parts) => of_parts(parts, Expr::any),
        Expr::Not(inner) => named(thinner_expr(inner), |thin| Expr::Not(Box::new(thin))),
        Expr::Test(_) | Expr::Keyword(_) => vec![],
    }
}

fn asks_for_type(expr: &Expr) -> bool {
    matches!(expr, Expr::Test(Test { field: Field::Norm(Norm::EventType), .. }))
}

fn thinner_count(count: &Count) -> Vec<(String, Count)> {
    let rules = each_spared(&count.rules);
    let rules = rules.map(|(left_out, rules)| (format!("rules: {left_out}"), Count { rules, ..count.clone() }));
    let share = count.share.as_ref().map(|_| ("share".to_owned(), Count { share: None, ..count.clone() }));
    let since = count.since.as_ref().map(|_| ("since".to_owned(), Count { since: None, ..count.clone() }));
    rules.chain(share).chain(since).collect()
}

fn thinner_chain(chain: &Chain) -> Vec<(String, Chain)> {
    let mut out: Vec<(String, Chain)> = each_left_out(&chain.wheres)
        .map(|(left_out, wheres)| {
            (told::wheres(chain, [left_out], None).unwrap_or_default(), Chain { wheres, ..chain.clone() })
        })
        .collect();
    for (at, whole) in chain.unless.iter().enumerate() {
        let name = &whole.rule;
        let mut unless = chain.unless.clone();
        unless.remove(at);
        out.push((format!("unless {name}"), Chain { unless, ..chain.clone() }));
        let mut with = |what: String, changed: Unless| {
            let mut unless = chain.unless.clone();
            unless[at] = changed;
            out.push((format!("unless {name}: {what}"), Chain { unless, ..chain.clone() }));
        };
        for (left_out, wheres) in each_left_out(&whole.wheres) {
            let what = told::wheres(chain, [left_out], Some(chain.rules.len())).unwrap_or_default();
            with(what, Unless { wheres, ..whole.clone() });
        }
        if whole.settle.0 > 0 {
            with("settle".to_owned(), Unless { settle: Span(0), ..whole.clone() });
        }
    }
    out
}

fn thinner_first_seen(first_seen: &FirstSeen) -> Vec<(String, FirstSeen)> {
    let settle = ("settle", first_seen.settle, FirstSeen { settle: Span(0), ..first_seen.clone() });
    let lookback = ("lookback", first_seen.lookback, FirstSeen { lookback: Span(0), ..first_seen.clone() });
    let is_said = |(_, span, _): &(&str, Span, FirstSeen)| span.0 > 0;
    [settle, lookback].into_iter().filter(is_said).map(|(name, _, thin)| (name.to_owned(), thin)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::lists::Lists;

    fn without(body: &str) -> Vec<String> {
        let text = format!(
            "title: T\nname: t\n{body}---\ntitle: A\nname: a\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{event_type: x}}, condition: s}}\n---\n\
             title: B\nname: b\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{event_type: y}}, condition: s}}\n"
        );
        let file = Parsed::new("t.yml", &text, &Lists::default());
        file.rules().unwrap();
        mutants(&file).into_iter().map(|mutant| mutant.without).collect()
    }

    #[test]
    fn every_condition_is_taken_away_once() {
        let union = "correlation: {type: event_count, rules: [a, b], timespan: 1s, condition: {gte: 1}}\n";
        assert_eq!(without(union), ["rules: a", "rules: b"]);
        let share = "correlation: {type: event_count, rules: [a], group-by: [actor.key], timespan: 1h, condition: {gte: 3}}\n\
                     jcdetect: {share: {of: b, at_least: 0.5}, level_when: [{when: {outcome: failure}, level: low, title: F}]}\n";
        assert_eq!(without(share), ["share", "level_when outcome is failure: low, \"F\""]);
        let sequence = "jcdetect: {sequence: {steps: [{a: a}], group-by: [actor.key], timespan: 1h, unless: {rule: b, after: \
                        window, settle: 5m, where: [u.source.ip == a.source.ip]}}}\n";
        assert_eq!(
            without(sequence),
            ["unless b", "unless b: where its source.ip equals source.ip of a", "unless b: settle"]
        );
        let first =
            "jcdetect: {first_seen: {rule: a, learn_from: b, by: [actor.key], value: [source.ip], settle: 1h}}\n";
        assert_eq!(without(first), ["settle"]);
    }

    #[test]
    fn conditions_of_one_event_are_taken_away_at_every_depth() {
        let text = "title: T\nname: t\nlogsource: {product: jumpcloud}\ndetection:\n  s: {event_type: x, outcome: success}\n  \
                    f: [{actor.via: scim}, {actor.type: admin, mfa.used: true}]\n  condition: s and not f\n";
        let file = Parsed::new("t.yml", text, &Lists::default());
        let told: Vec<String> = mutants(&file).into_iter().map(|mutant| mutant.without).collect();
        assert_eq!(
            told,
            [
                "all of: event_type is x outcome is success",
                "not: one of: actor.via is scim all of: actor.type is admin mfa.used is true",
                "outcome is success",
                "actor.via is scim",
                "all of: actor.type is admin mfa.used is true",
                "actor.type is admin",
                "mfa.used is true",
            ]
        );
    }
}
