//! Dead: rules, and parts of rules, that can never come to anything, or always do.

use std::collections::BTreeSet;

use super::branch::{is_always, is_never, is_single, values};
use super::detection::{Fault, Warnings, fault};
use super::expr::{Expr, Test};
use super::file::documents;
use super::logic::{Absent, Chain, Count, FirstSeen, GroupBy, How, Logic, Right, Where};
use super::pattern::{Glob, Pattern};
use super::set::RuleSet;
use super::told::words;
use super::{Problem, Rule, vocabulary};
use crate::event::field::Field;

/// No two places are further apart.
const HALF_ROUND_THE_EARTH: f64 = 20_040.0;
/// The tactics of ATT&CK.
const TACTICS: usize = 14;

/// What is dead in the rules of a file.
pub fn dead(set: &RuleSet, path: &str, text: &str) -> Vec<Problem> {
    let documents = documents(text).rules;
    let mut out = Vec::new();
    for (place, rule) in set.rules.iter().enumerate().filter(|(_, rule)| rule.file == path) {
        let mut faults = Warnings::new();
        of_rule(set, place, &mut faults);
        let document = documents.iter().find(|document| document.line == rule.line);
        let at = |Fault { message, near }| Problem {
            file: path.to_owned(),
            line: document.map_or(rule.line, |document| document.line_of(&near)),
            message,
        };
        out.extend(faults.into_iter().map(at));
    }
    out
}

fn of_rule(set: &RuleSet, place: usize, faults: &mut Warnings) {
    let rule = &set.rules[place];
    match &rule.logic {
        Logic::Detection(expr) => of_expr(expr, faults),
        Logic::Count(count) => of_count(set, place, count, faults),
        Logic::Chain(chain) => of_chain(set, place, chain, faults),
        Logic::FirstSeen(first_seen) => of_first_seen(set, place, first_seen, faults),
        Logic::Travel(travel) if travel.min_km > HALF_ROUND_THE_EARTH => {
            faults.push(fault("min_km", "`min_km`: no two places are so far apart, so this never fires"));
        }
        Logic::Risk(risk) => {
            let others = set.rules.iter().filter(|rule| rule.is_reported && !matches!(rule.logic, Logic::Risk(_)));
            for (key, wanted, most) in
                [("min_tactics", risk.min_tactics, TACTICS), ("min_rules", risk.min_rules, others.count())]
            {
                if wanted > most {
                    faults.push(fault(key, format!("`{key}`: there are {most} at most, so this never fires")));
                }
            }
        }
        Logic::Travel(_) | Logic::Rate(_) => {}
    }
    of_groups(set, place, faults);
    of_levels(set, place, rule, faults);
}

/// The smallest parts of a condition that no event meets, or that every event does.
fn of_expr(expr: &Expr, faults: &mut Warnings) {
    let (is_never, is_always) = (is_never(expr), is_always(expr));
    let parts: Vec<&Expr> = match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().collect(),
        Expr::Not(inner) => vec![inner],
        // That no event has a word is told where it is read.
        Expr::Test(Test { field, .. }) if is_never && vocabulary::words(field).is_some() => return,
        Expr::Test(_) | Expr::Keyword(_) => vec![],
    };
    let is_constant = |part: &&Expr| self::is_never(part) || self::is_always(part);
    if !(is_never || is_always) || parts.iter().any(is_constant) {
        parts.into_iter().for_each(|part| of_expr(part, faults));
        return;
    }
    let of_two = |one: usize, other: usize| {
        let two = vec![parts[one].clone(), parts[other].clone()];
        let (is_dead, both) = match is_never {
            true => (self::is_never as fn(&Expr) -> bool, Expr::And(two)),
            false => (self::is_always as fn(&Expr) -> bool, Expr::Or(two)),
        };
        is_dead(&both).then_some((one, other))
    };
    let pair = (0..parts.len()).flat_map(|one| (one + 1..parts.len()).map(move |other| (one, other)));
    let told = match pair.into_iter().find_map(|(one, other)| of_two(one, other)) {
        Some((one, other)) => {
            let joined = if is_never { "and" } else { "or" };
            format!("\"{}\" {joined} \"{}\"", words(parts[one]), words(parts[other]))
        }
        None => format!("\"{}\"", words(expr)),
    };
    let what = match is_never {
        true => "no event is so: put alternatives into one list, or take one out",
        false => "every event is so: take it out",
    };
    faults.push(fault(near(expr), format!("{told}: {what}")));
}

/// The last field that a condition names.
fn near(expr: &Expr) -> String {
    let mut fields = Vec::new();
    expr.fields(&mut fields);
    fields.last().map_or_else(|| "detection".to_owned(), Field::name)
}

/// The conditions of which the completing events of a rule meet one; `None` if that is not known.
fn events(set: &RuleSet, rule: usize) -> Option<Vec<&Expr>> {
    let (mut out, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![rule]);
    while let Some(rule) = open.pop() {
        if !seen.insert(rule) {
            continue;
        }
        let references = &set.references[rule];
        match &set.rules[rule].logic {
            Logic::Detection(expr) => out.push(expr),
            Logic::Risk(_) => return None,
            Logic::Count(count) => open.extend(&references[..count.rules.len()]),
            Logic::Chain(chain) if chain.is_ordered => open.push(references[chain.needed().end - 1]),
            Logic::Chain(chain) => open.extend(&references[..chain.rules.len()]),
            Logic::FirstSeen(_) | Logic::Travel(_) | Logic::Rate(_) => open.push(references[0]),
        }
    }
    Some(out)
}

/// All values that a field has in the events of a rule, where they are known; `None` among them is that it is not there.
fn said(set: &RuleSet, rule: usize, field: &Field) -> Option<BTreeSet<Option<String>>> {
    values(&events(set, rule)?, field).filter(|all| !all.is_empty())
}

/// Whether no event of a rule meets another condition, too.
fn is_apart(set: &RuleSet, rule: usize, other: &Expr) -> bool {
    let both = |expr: &&Expr| is_never(&Expr::And(vec![(*expr).clone(), other.clone()]));
    // What is dead by itself is told where it stands.
    let is_told = |exprs: &Vec<&Expr>| is_never(other) || exprs.iter().all(|expr| is_never(expr));
    events(set, rule).is_some_and(|exprs| !is_told(&exprs) && exprs.iter().all(both))
}

fn of_levels(set: &RuleSet, place: usize, rule: &Rule, faults: &mut Warnings) {
    for case in &rule.level_when {
        let known = faults.len();
        of_expr(&case.when, faults);
        if faults.len() > known {
            continue;
        }
        let told = words(&case.when);
        if is_apart(set, place, &case.when) {
            let message = format!("`level_when` \"{told}\": no event that completes the rule is so: take it out");
            faults.push(fault("level_when", message));
        } else if case.title.is_none() && is_apart(set, place, &Expr::Not(Box::new(case.when.clone()))) {
            let message =
                format!("`level_when` \"{told}\": every event that completes the rule is so: give the rule that level");
            faults.push(fault("level_when", message));
        }
    }
}

/// What is joined by a field that it never has.
fn of_groups(set: &RuleSet, place: usize, faults: &mut Warnings) {
    let logic = &set.rules[place].logic;
    for (reference, to) in set.references[place].iter().enumerate() {
        let name = &set.rules[*to].name;
        let joins = logic.joins(reference).iter().filter_map(|part| Some((part, part.field(name)?)));
        for (part, field) in joins {
            if said(set, *to, field).is_some_and(|said| said.iter().eq([&None])) {
                let message = format!("{} is not there in any event of `{name}`, so it joins nothing", field.name());
                faults.push(fault(&part.name, message));
            }
        }
    }
}

fn of_count(set: &RuleSet, place: usize, count: &Count, faults: &mut Warnings) {
    let rules = &set.references[place][..count.rules.len()];
    if let Some(since) = &count.since
        && set.references[place].last().is_some_and(|since| rules == [*since])
        && count.bounds.least() > 1
    {
        let message =
            format!("each `{}` begins the count anew, so it never gets there: count another rule", since.rule);
        faults.push(fault("since", message));
    }
    if count.share.as_ref().is_some_and(|share| share.at_least <= 0.0) {
        faults.push(fault("at_least", "`at_least: 0` is always so: leave `share` out, or ask for more"));
    }
    let Some(fields) = &count.values else { return };
    let most = |field: &Field| {
        let is_joined = |part: &GroupBy| count.rules.iter().all(|rule| part.field(rule) == Some(field));
        if is_one_of_owner(field) && count.group_by.iter().any(is_joined) {
            return Some(1);
        }
        let all: Option<Vec<_>> = rules.iter().map(|rule| said(set, *rule, field)).collect();
        Some(all?.into_iter().flatten().flatten().collect::<BTreeSet<_>>().len())
    };
    let product = fields.iter().map(most).try_fold(1usize, |all, most| Some(all.saturating_mul(most?)));
    if let Some(most) = product.filter(|most| *most < 1000 && !(1..=*most).any(|n| count.bounds.hold(n))) {
        let names = fields.iter().map(Field::name).collect::<Vec<_>>().join(", ");
        let there_are = if most == 1 { "is one value".to_owned() } else { format!("are {most} values") };
        let message = format!("there {there_are} of {names} at most, so the condition is never met");
        faults.push(fault("field", message));
    }
}

/// Whether events in one group by a field have one value of it.
fn is_one_of_owner(field: &Field) -> bool {
    field.is_linked() || is_single(field)
}

fn of_first_seen(set: &RuleSet, place: usize, rule: &FirstSeen, faults: &mut Warnings) {
    if rule.lookback.0 > 0 && rule.settle >= rule.lookback {
        let message = "`settle` leaves nothing of `lookback`, so all is new: make it shorter";
        return faults.push(fault("settle", message));
    }
    let [judged, learned] = set.references[place][..] else { return };
    let is_owned = |field: &Field| rule.by.iter().any(|part| part.fields.iter().all(|(_, by)| by == field));
    let is_one = |field: &Field| {
        is_one_of_owner(field) && is_owned(field)
            || said(set, judged, field).is_some_and(|said| said.iter().flatten().count() <= 1)
    };
    let was_seen = rule.min_events > 0 && (rule.settle.0 == 0 || rule.settle < rule.min_age);
    if judged == learned && rule.lookback.0 == 0 && was_seen && rule.value.iter().all(is_one) {
        let names = rule.value.iter().map(Field::name).collect::<Vec<_>>().join(", ");
        let message =
            format!("{names} is the same in all events of one owner, so nothing is new: take another `value`");
        faults.push(fault("value", message));
    }
}

fn of_chain(set: &RuleSet, place: usize, chain: &Chain, faults: &mut Warnings) {
    let references = &set.references[place];
    let steps = &references[..chain.rules.len()];
    for part in &chain.group_by {
        let fields = chain.rules.iter().zip(steps).map(|(name, step)| said(set, *step, part.field(name)?));
        let known: Vec<_> = fields.enumerate().filter_map(|(step, said)| Some((step, said?))).collect();
        let is_apart = |one: &(usize, BTreeSet<Option<String>>), other: &(usize, BTreeSet<Option<String>>)| {
            !has_common(&one.1, &other.1)
        };
        let apart =
            known.iter().find_map(|one| known.iter().find(|other| is_apart(one, other)).map(|other| (one, other)));
        if let Some(((one, _), (other, _))) = apart.filter(|_| chain.bounds.is_none() && chain.absent == Absent::No) {
            let (one, other) = (&chain.rules[*one], &chain.rules[*other]);
            let message = format!("`{one}` and `{other}` never have the same {}, so nothing joins them", part.name);
            faults.push(fault(&part.name, message));
        }
    }
    chain.wheres.iter().for_each(|w| of_where(set, steps, w, faults));
    for (unless, to) in chain.unless.iter().zip(&references[chain.rules.len()..]) {
        let with_it = [steps, &[*to]].concat();
        unless.wheres.iter().for_each(|w| of_where(set, &with_it, w, faults));
        if unless.settle >= chain.window {
            let message = "`settle` leaves nothing of the window, so `unless` never holds: make it shorter";
            faults.push(fault("settle", message));
        }
    }
}

fn has_common(one: &BTreeSet<Option<String>>, other: &BTreeSet<Option<String>>) -> bool {
    one.iter().any(|said| said.is_some() && other.contains(said))
}

/// A comparison that is never so.
fn of_where(set: &RuleSet, steps: &[usize], w: &Where, faults: &mut Warnings) {
    let (left, field) = (steps[w.left.0], &w.left.1);
    let is_never = match (&w.right, w.how) {
        (Right::Literal(text), How::Equal(is_equal)) if !field.is_letters_only() => {
            let patterns = vec![Pattern::Glob(Glob::literally(text))];
            let compared = Test { field: field.clone(), patterns, is_all: false, is_negated: !is_equal };
            is_apart(set, left, &Expr::Test(compared))
        }
        (Right::Field(step, other), How::Equal(is_equal)) => {
            let is_same = (w.left.0, field) == (*step, other);
            let both = said(set, left, field).zip(said(set, steps[*step], other));
            let is_one = |all: &BTreeSet<Option<String>>| all.len() == 1;
            both.map_or(is_same && !is_equal, |(one, other)| match is_equal {
                true => !has_common(&one, &other),
                false => is_same || is_one(&one) && one == other,
            })
        }
        _ => false,
    };
    if is_never {
        let right = match &w.right {
            Right::Literal(text) => text.clone(),
            Right::Field(step, other) => format!("{} of `{}`", other.name(), set.rules[steps[*step]].name),
        };
        let how = if w.how == How::Equal(true) { "equals" } else { "differs from" };
        let (name, of) = (field.name(), &set.rules[left].name);
        faults.push(fault(format!(".{name}"), format!("`where`: {name} of `{of}` never {how} {right}: take it out")));
    }
}
