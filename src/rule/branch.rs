//! Branch: one of the ways to meet a condition: tests and keywords of which each has to hold or must not, all together, and
//! which values a field has then. What cannot be decided counts as possible.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::expr::{Expr, Test};
use super::folded::Folded;
use super::number::Number;
use super::pattern::{Pattern, TimePart};
use super::vocabulary;
use crate::event::field::{Field, Norm};
use crate::event::{letters, networks};

/// With more branches than this nothing is decided.
const MOST: usize = 256;

/// Tests and keywords, and whether each has to hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch<'e>(Vec<(&'e Expr, bool)>);

/// What a field may be: a text, or nothing.
type Said = Option<String>;

/// Whether no event meets a condition.
pub(super) fn is_never(expr: &Expr) -> bool {
    Branch::all(expr, true).is_some_and(|branches| branches.is_empty())
}

/// Whether each event meets a condition.
pub(super) fn is_always(expr: &Expr) -> bool {
    Branch::all(expr, false).is_some_and(|branches| branches.is_empty())
}

/// All that a field may be in events that meet one of some conditions, in lower case; `None` if that may be anything.
pub(super) fn values(exprs: &[&Expr], field: &Field) -> Option<BTreeSet<Said>> {
    let mut out = BTreeSet::new();
    for expr in exprs {
        for branch in Branch::all(expr, true)? {
            out.extend(branch.values(field)?);
        }
    }
    Some(out)
}

impl<'e> Branch<'e> {
    /// The branches in which a condition is met, or is not; `None` if there are too many.
    fn all(expr: &'e Expr, is_met: bool) -> Option<Vec<Branch<'e>>> {
        let is_possible = |branch: &Branch<'_>| branch.is_possible();
        match expr {
            Expr::Not(inner) => Branch::all(inner, !is_met),
            // A list that is empty now may hold something another time.
            Expr::And(parts) | Expr::Or(parts) if parts.is_empty() => Some(vec![Branch::default()]),
            Expr::And(parts) | Expr::Or(parts) if matches!(expr, Expr::And(_)) == is_met => {
                let mut all = vec![Branch::default()];
                for part in parts {
                    let of_part = Branch::all(part, is_met)?;
                    let both = all.iter().flat_map(|branch| of_part.iter().map(|other| branch.and(other)));
                    all = both.filter(is_possible).take(MOST + 1).collect();
                    if all.len() > MOST {
                        return None;
                    }
                }
                Some(all)
            }
            Expr::And(parts) | Expr::Or(parts) => {
                let all: Option<Vec<_>> = parts.iter().map(|part| Branch::all(part, is_met)).collect();
                Some(all?.concat()).filter(|all| all.len() <= MOST)
            }
            Expr::Test(_) | Expr::Keyword(_) => {
                Some([Branch(vec![(expr, is_met)])].into_iter().filter(is_possible).collect())
            }
        }
    }

    fn and(&self, other: &Branch<'e>) -> Branch<'e> {
        let mut both = self.clone();
        both.0.extend(other.0.iter().filter(|part| !self.0.contains(part)));
        both
    }

    fn tests(&self) -> impl Iterator<Item = (&'e Test, bool)> {
        self.0.iter().filter_map(|(part, holds)| match part {
            Expr::Test(test) => Some((test, *holds)),
            _ => None,
        })
    }

    fn of_field(&self, field: &Field) -> Vec<(&'e Test, bool)> {
        self.tests().filter(|(test, _)| test.field == *field).collect()
    }

    fn is_possible(&self) -> bool {
        let is_denied = |(part, holds): &(&Expr, bool)| self.0.contains(&(*part, !holds));
        // Any text has what is nothing but wildcards.
        let is_wrong = |(part, holds): &(&Expr, bool)| match part {
            Expr::Keyword(Pattern::Glob(glob)) => !holds && glob.matches(""),
            Expr::Keyword(Pattern::Regex(expression)) => expression.constant() == Some(!holds),
            _ => false,
        };
        let fields: BTreeSet<&Field> = self.tests().map(|(test, _)| &test.field).collect();
        !self.0.iter().any(|part| is_denied(part) || is_wrong(part))
            && fields.into_iter().all(|field| can_be(field, &self.of_field(field)))
    }

    /// All that a field may be; `None` if that may be anything.
    fn values(&self, field: &Field) -> Option<BTreeSet<Said>> {
        let tests = self.of_field(field);
        let is_listed = vocabulary::is_closed(field) || tests.iter().any(|(test, holds)| is_exact(test, *holds));
        if !is_listed || !is_single(field) {
            return None;
        }
        let all = candidates(field, &tests)?.into_iter().map(|said| said.filter(|text| !text.is_empty()));
        Some(all.map(|said| said.map(letters::lower)).collect())
    }
}

/// Whether a field has one value at most. A database may know another country than the record, and who somebody is is
/// known only when all is read.
pub(super) fn is_single(field: &Field) -> bool {
    match field {
        Field::Norm(norm) => !matches!(
            norm,
            Norm::ActorKey
                | Norm::TargetKey
                | Norm::SourceCountry
                | Norm::SourcePlace
                | Norm::SourceAsn
                | Norm::SourceOperator
                | Norm::SourceAnonymous
                | Norm::SourceKnown
                | Norm::MfaFactor
                | Norm::MfaPushCountry
                | Norm::IntelName
        ),
        other => other.holds_one(),
    }
}

/// Whether a field can be so that all of its tests turn out as they should.
fn can_be(field: &Field, tests: &[(&Test, bool)]) -> bool {
    if is_single(field) {
        return has_time(tests) && candidates(field, tests).is_none_or(|all| !all.is_empty());
    }
    // Each value that is wanted may be another one, but what must not be goes for all.
    let (all, wanted): (Vec<_>, Vec<_>) = tests.iter().partition(|(test, holds)| is_of_all(test, *holds));
    let is_of_text = |test: &Test| outcome(test, Some(""), Grid::Listed) == Some(false);
    wanted.into_iter().filter(|(test, _)| !test.is_all && is_of_text(test)).all(|one| {
        let with_it: Vec<_> = all.iter().copied().chain([one]).collect();
        candidates(field, &with_it).is_none_or(|all| !all.is_empty())
    })
}

/// Whether a test goes for all values of a field and not for one of them.
fn is_of_all(test: &Test, holds: bool) -> bool {
    let is_nothing = |pattern: &Pattern| matches!(pattern, Pattern::Null | Pattern::Exists(false));
    let is_none = test.is_negated == holds && !test.is_all;
    is_none || holds && !test.is_negated && test.patterns.iter().all(is_nothing)
}

/// Whether a part of a time can be as all tests of it want it.
fn has_time(tests: &[(&Test, bool)]) -> bool {
    let part_of = |test: &Test| match test.patterns.as_slice() {
        [Pattern::Time(part, ..), ..] => Some(*part),
        _ => None,
    };
    let holds = |test: &Test, part: TimePart, n: u8| {
        let one = |pattern: &Pattern| matches!(pattern, Pattern::Time(of, order, m) if *of == part && order.holds(f64::from(n), *m));
        let met =
            if test.is_all && !test.is_negated { test.patterns.iter().all(one) } else { test.patterns.iter().any(one) };
        met != test.is_negated
    };
    let is_plain = |test: &Test, part| test.patterns.iter().all(|p| matches!(p, Pattern::Time(of, ..) if *of == part));
    let wanted = tests.iter().filter(|(_, holds)| *holds).filter_map(|(test, _)| part_of(test));
    wanted.filter_map(|part| Some((part, part.last()?))).all(|(part, last)| {
        let of_part: Vec<_> = tests.iter().filter(|(test, _)| is_plain(test, part)).collect();
        (part.first()..=last).any(|n| of_part.iter().all(|(test, wanted)| holds(test, part, n) == *wanted))
    })
}

/// Whether a test that turns out so leaves only what it names.
fn is_exact(test: &Test, holds: bool) -> bool {
    let is_named = |pattern: &Pattern| match pattern {
        Pattern::Glob(glob) => glob.literal().is_some(),
        Pattern::Null | Pattern::Exists(false) => true,
        _ => false,
    };
    leaves(test, holds, is_named) || !holds && !test.is_negated && test.patterns == [Pattern::Exists(true)]
}

/// Whether a test that turns out so leaves only values of its patterns of some kind.
fn leaves(test: &Test, holds: bool, is: impl Fn(&Pattern) -> bool) -> bool {
    match (test.is_negated, test.is_all) {
        (negated, _) if negated == holds => false,
        (false, true) => test.patterns.iter().any(is),
        _ => test.patterns.iter().all(is),
    }
}

/// How it is known that one of the candidates would do, if anything did.
#[derive(Clone, Copy, PartialEq)]
enum Grid {
    /// they are all that there is
    Listed,
    /// numbers, and one from between any two
    Numbers,
    /// the addresses at which networks begin, and behind which they end
    Addresses,
}

/// Of what a single value, or nothing, may be what passes all tests; `None` if that cannot be listed.
fn candidates(field: &Field, tests: &[(&Test, bool)]) -> Option<Vec<Said>> {
    let has = |leaves: &dyn Fn(&Test, bool) -> bool| tests.iter().any(|(test, holds)| leaves(test, *holds));
    let is_number = |pattern: &Pattern| matches!(pattern, Pattern::Number(_) | Pattern::Order(..));
    let is_net = |pattern: &Pattern| matches!(pattern, Pattern::Cidr(_));
    let grid = match () {
        () if vocabulary::is_closed(field) || has(&is_exact) => Grid::Listed,
        () if has(&|test, holds| leaves(test, holds, is_number)) => Grid::Numbers,
        () if has(&|test, holds| leaves(test, holds, is_net)) => Grid::Addresses,
        () => return None,
    };
    let patterns = || tests.iter().flat_map(|(test, _)| &test.patterns);
    let mut named: BTreeSet<String> = [String::new()].into();
    named.extend(vocabulary::words(field).into_iter().flatten().map(|word| (*word).to_owned()));
    for pattern in patterns() {
        match pattern {
            Pattern::Glob(glob) => named.extend(glob.literal().map(str::to_owned)),
            Pattern::Number(n) => _ = named.insert(n.to_string()),
            _ => {}
        }
    }
    named.extend(named.iter().map(|text| text.to_uppercase()).collect::<Vec<_>>());
    match grid {
        Grid::Listed => {}
        Grid::Numbers => numbers(patterns(), &mut named),
        Grid::Addresses => addresses(patterns(), &mut named),
    }
    let all = [None].into_iter().chain(named.into_iter().map(Some));
    let passes = |said: &Said| {
        let may_be =
            |(test, wanted): &(&Test, bool)| outcome(test, said.as_deref(), grid).is_none_or(|is| is == *wanted);
        tests.iter().all(may_be)
    };
    Some(all.filter(passes).collect())
}

/// All numbers that are named, one from between any two, and one beyond each end.
fn numbers<'p>(patterns: impl Iterator<Item = &'p Pattern>, texts: &mut BTreeSet<String>) {
    let named = patterns.filter_map(|pattern| match pattern {
        Pattern::Number(n) | Pattern::Order(_, n) => Some(*n),
        Pattern::Glob(glob) => Number::parse(glob.literal()?),
        _ => None,
    });
    let mut named: Vec<Number> = named.collect();
    named.sort_by(|a, b| a.rounded().total_cmp(&b.rounded()));
    for n in &named {
        texts.insert(n.to_string());
        match n {
            Number::Whole(n) => texts.extend([n.saturating_sub(1), n.saturating_add(1)].map(|n| n.to_string())),
            Number::Other(n) => texts.extend([n - 1.0, n + 1.0].map(|n| n.to_string())),
        }
    }
    let between = |pair: &[Number]| f64::midpoint(pair[0].rounded(), pair[1].rounded()).to_string();
    texts.extend(named.windows(2).map(between));
}

/// The first address of each network, and the one behind its last.
fn addresses<'p>(patterns: impl Iterator<Item = &'p Pattern>, texts: &mut BTreeSet<String>) {
    let behind = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u32::from(ip).checked_add(1).map(|n| IpAddr::from(n.to_be_bytes())),
        IpAddr::V6(ip) => u128::from(ip).checked_add(1).map(|n| IpAddr::from(n.to_be_bytes())),
    };
    let named = patterns.filter_map(|pattern| match pattern {
        Pattern::Cidr(net) => Some(*net),
        Pattern::Glob(glob) => networks::network(glob.literal()?),
        _ => None,
    });
    for net in named.collect::<Vec<IpNet>>() {
        texts.extend([Some(net.network()), behind(net.broadcast())].into_iter().flatten().map(|ip| ip.to_string()));
    }
}

/// What a test comes to for a value, or for nothing; `None` if that cannot be told.
fn outcome(test: &Test, said: Option<&str>, grid: Grid) -> Option<bool> {
    let says_nothing = said.is_none_or(str::is_empty);
    let one = |pattern: &Pattern| match (pattern, said) {
        (Pattern::Null, _) => Some(says_nothing),
        (Pattern::Exists(wanted), _) => Some(says_nothing != *wanted),
        (_, None) => Some(false),
        (pattern, Some(value)) => {
            is_told(&test.field, pattern, value, grid).then(|| pattern.matches(&Folded::new(value)))
        }
    };
    let all: Vec<Option<bool>> = test.patterns.iter().map(one).collect();
    let decided = |by: bool| match () {
        () if all.contains(&Some(by)) => Some(by),
        () if all.contains(&None) => None,
        () => Some(!by),
    };
    match (test.is_negated, test.is_all) {
        (true, _) if says_nothing => Some(false),
        (true, _) => decided(true).map(|is| !is),
        (false, is_all) => decided(!is_all),
    }
}

/// Whether what a pattern says of a candidate goes for all values that the candidate stands for: it stands for itself in
/// other branches, and for what lies around it.
fn is_told(field: &Field, pattern: &Pattern, text: &str, grid: Grid) -> bool {
    let has_letters = text.chars().any(char::is_alphabetic);
    match pattern {
        Pattern::Glob(glob) if glob.literal().is_some() => true,
        Pattern::Glob(glob) => grid == Grid::Listed && !field.is_letters_only() && !(glob.is_cased() && has_letters),
        Pattern::Regex(expression) => {
            grid == Grid::Listed && !field.is_letters_only() && (expression.is_caseless() || !has_letters)
        }
        Pattern::Number(_) | Pattern::Order(..) => grid != Grid::Addresses,
        Pattern::Cidr(_) => grid != Grid::Numbers,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{detection, file};
    use super::*;

    fn expr(text: &str) -> Expr {
        detection::compile(&file::yaml(text).unwrap(), &mut Vec::new()).unwrap()
    }

    fn one(tests: &str) -> Expr {
        expr(&format!("s: {{{tests}}}\ncondition: s"))
    }

    #[test]
    fn what_no_event_can_meet() {
        for never in [
            "username: a, username|startswith: b",
            "username: a, username|neq: A",
            "username: [a, b], username|cased: C",
            "username|all: [a, b]",
            "username: null, username|exists: true",
            "username: a, username|exists: false",
            "username: abc, username|re|i: '^B'",
            "username: '10', username|gt: 10",
            "error_code|gt: 5, error_code|lt: 3",
            "error_code|gt: 5, error_code|lte: 5",
            "error_code: 5, error_code|neq: [4, 5]",
            "error_code|gt: 9007199254740992, error_code|lt: 9007199254740993",
            "source.ip|cidr: 10.0.0.0/8, source.ip|startswith: '', source.ip|cidr|neq: [10.0.0.0/9, 10.128.0.0/9]",
            "source.ip|cidr: 10.0.0.0/8, source.ip: 192.0.2.1",
            "timestamp|hour|lt: 5, timestamp|hour|gt: 8",
            "mfa.used: true, mfa.used|neq: true",
            "outcome|neq: [success, failure, challenge, none]",
            "resource.type: a, resource.type|neq: a",
            "agent.name: python-requests, agent.name|neq: Python Requests",
        ] {
            assert!(is_never(&one(never)), "{never}");
        }
        for (selections, condition) in [
            ("a: {event_type: x, username: b}\nf: {event_type: [x, y]}", "a and not f"),
            ("a: {username|re: x}\nf: {username|re: x}", "a and not f"),
            ("a: [x, y]\nf: [y]", "f and not a"),
            ("a: {event_type: x}\nb: {event_type: y}", "all of them"),
            ("a: {event_type: x}\nb: {event_type|endswith: y}", "a and b"),
            ("a: {resource.type: [x, z]}\nf: {resource.type: ['x*', z]}", "a and not f"),
            ("a: {username: x}\nf: {username|exists: true}", "a and not f"),
        ] {
            assert!(is_never(&expr(&format!("{selections}\ncondition: {condition}"))), "{selections} {condition}");
        }
        assert!(is_always(&expr("a: {username|re: x}\ncondition: a or not a")));
        assert!(is_always(&expr("a: ['']\ncondition: a")));
    }

    #[test]
    fn what_may_be_is_left_alone() {
        for possible in [
            "username: a, username|neq: b",
            "username: abc, username|cased: ABC",
            "username: abc, username|cased|neq: abc",
            "username: abc, username|re: '^A'",
            "username: abc, username|cased|startswith: A",
            "username|contains|all: [a, b]",
            "username|startswith|all: [a, b]",
            "username: [a, b], username|neq: a",
            "username|neq: [a, b], username|startswith: a",
            "error_code|gt: 3, error_code|lt: 4",
            "error_code|gt: 3, error_code|lt: 6, error_code|neq: [4, 5]",
            "error_code|gt: 9007199254740992, error_code|lt: 9007199254740994",
            "error_code|gt: 5, error_code|startswith: 7",
            "error_code|gt: 5, error_code|neq: 'x'",
            "source.ip|cidr: 10.0.0.0/8, source.ip|cidr|neq: 10.0.0.0/9",
            "source.ip|cidr: 10.0.0.0/8, source.ip|startswith: '10.7'",
            "source.ip|cidr: 10.0.0.0/8, source.ip: 10.1.2.3",
            "timestamp|hour|gte: 22, timestamp|weekhour|lt: 24",
            "resource.type: a, resource.type|neq: b, resource.type|exists: true",
            "raw.changes.field: a, raw.changes.field|contains: b",
            "raw.changes.field|all: [a, b]",
            "source.country: FR, source.country|all: [FR, NG]",
            "changes.x.trend: up, changes.x.trend|all: [up, changed]",
            "agent.name: python-requests, agent.name|contains: ' '",
            "outcome: success, username|fieldref: actor.name, username|fieldref|neq: actor.email",
            "actor.type: robot, actor.type|neq: user",
        ] {
            assert!(!is_never(&one(possible)) && !is_always(&one(possible)), "{possible}");
        }
        for (selections, condition) in [
            ("a: {username: x}\nf: {username: null}", "a or f"),
            ("a: {username: null}\nf: {username: x}", "a and not f"),
            ("a: [x]\nf: [y]", "a and not f"),
            ("a: {event_type|startswith: x}\nf: {event_type: xy}", "a and not f"),
            ("a: {error_code|gt: 3}\nf: {error_code|gte: 4}", "a and not f"),
        ] {
            assert!(!is_never(&expr(&format!("{selections}\ncondition: {condition}"))), "{selections} {condition}");
        }
    }

    #[test]
    fn what_a_field_may_be() {
        let of = |tests: &str, name: &str| {
            let field = detection::field(name, &mut Vec::new()).unwrap();
            let found = values(&[&one(tests)], &field)?;
            Some(found.into_iter().map(|said| said.unwrap_or("-".to_owned())).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of("username: [A, b]", "username").as_deref(), Some("a b"));
        assert_eq!(of("username: [A, b], username|neq: b", "username").as_deref(), Some("a"));
        assert_eq!(of("username|exists: false", "username").as_deref(), Some("-"));
        assert_eq!(of("username|startswith: a", "username"), None);
        assert_eq!(of("username: a", "outcome").as_deref(), Some("- challenge failure none success"));
        assert_eq!(of("error_code: 5", "error_code"), None);
        assert_eq!(of("resource.type: a", "resource.type"), None);
    }
}
