//! Small random worlds, with many equal times, missing ids, bursts across the edges of partitions, and two
//! organizations. Two things hold in all of them: the engine finds what a naive evaluator finds that tries
//! everything, and no order of lines, split into files, number of threads or length of partition changes a
//! byte, once origins are set aside.

use std::collections::BTreeSet;

use jcdetect::detect::detect;
use jcdetect::detect::extent::Extent;
use jcdetect::detect::partition::Partition;
use jcdetect::detect::reader::Reader;
use jcdetect::detect::store::Store;
use jcdetect::event::time::{SECOND, Span};
use jcdetect::input::known::Known;
use jcdetect::input::source::Source;
use jcdetect::input::{Options, read};
use jcdetect::output::{Format, Look, write};
use jcdetect::rule::set::RuleSet;
use jcdetect::triage::finding::Findings;
use jcdetect::triage::report::{Report, RuleCoverage, Run};
use proptest::prelude::*;

/// An event of a random world.
#[derive(Clone, Debug, PartialEq)]
struct Happening {
    /// seconds from the start
    at: i64,
    /// `a`, `b`, `c`
    kind: char,
    actor: Option<u8>,
    /// for `value_count` and `where`
    country: Option<u8>,
    organization: u8,
    has_id: bool,
    /// tells events apart that are otherwise equal
    number: usize,
}

/// 2026-03-02T09:59:00Z: an hour ends a minute later, and half a day of worlds crosses midnight.
const START: i64 = 1_772_445_540;

impl Happening {
    /// The total order within an organization: time, id (none comes first), body.
    fn order(&self) -> (i64, Option<usize>, u64) {
        let line = self.line();
        let body = jcdetect::event::json::Json::parse(&line).unwrap().body_hash();
        (self.at, self.has_id.then_some(self.number), u64::try_from(body & u128::from(u64::MAX)).unwrap())
    }

    fn line(&self) -> String {
        let mut event = serde_json::json!({
            "event_type": format!("{}_event", self.kind),
            "timestamp": jcdetect::event::time::Timestamp((START + self.at) * SECOND).rfc3339(),
            "organization": format!("o{}", self.organization),
            "service": "directory",
            "resource": {"type": "note", "name": format!("n{:04}", self.number)},
        });
        if self.has_id {
            event["id"] = format!("id{:04}", self.number).into();
        }
        if let Some(actor) = self.actor {
            event["initiated_by"] = serde_json::json!({"type": "user", "username": format!("u{actor}")});
        }
        if let Some(country) = self.country {
            // C0, C1 and C2 lie on the equator, 1,000 km and 10,000 km from the first. Nobody is at 0, 0.
            let longitude = [1.0, 9.993, 90.93][usize::from(country)];
            event["geoip"] =
                serde_json::json!({"country_code": format!("C{country}"), "latitude": 0.0, "longitude": longitude});
            event["client_ip"] = format!("203.0.113.{country}").into();
        }
        event.to_string()
    }
}

fn world() -> impl Strategy<Value = Vec<Happening>> {
    let one = (
        // few different seconds, so that many are equal; some far apart, so that windows and partitions end
        prop_oneof![4 => 0..12_i64, 2 => (0..8_i64).prop_map(|n| n * 20), 1 => (0..6_i64).prop_map(|n| n * 3600 + 55)],
        prop_oneof![Just('a'), Just('b'), Just('c')],
        prop::option::weighted(0.9, 0..2_u8),
        prop::option::weighted(0.8, 0..3_u8),
        prop_oneof![5 => Just(1_u8), 1 => Just(2_u8)],
        prop::bool::weighted(0.8),
    );
    prop::collection::vec(one, 0..24).prop_map(|events| {
        let events = events.into_iter().enumerate();
        events
            .map(|(number, (at, kind, actor, country, organization, has_id))| Happening {
                at,
                kind,
                actor,
                country,
                organization,
                has_id,
                number,
            })
            .collect()
    })
}

/// Rules of every kind, each with what it means in `naive`.
const RULES: &str = r#"
title: a or b
name: ab
logsource: {product: jumpcloud}
detection: {s: {event_type: [a_event, b_event]}, condition: s}
=====
title: b or c
name: bc
logsource: {product: jumpcloud}
detection: {s: {event_type: [b_event, c_event]}, condition: s}
=====
title: c
name: c
logsource: {product: jumpcloud}
detection: {s: {event_type: c_event}, condition: s}
=====
title: any
name: any
logsource: {product: jumpcloud}
detection: {s: {event_type: [a_event, b_event, c_event]}, condition: s}
=====
title: count
name: count
correlation: {type: event_count, rules: [ab], group-by: [actor.key], timespan: 10s, condition: {gte: 3}}
=====
title: count of two rules without a group
name: count-all
correlation: {type: event_count, rules: [ab, c], timespan: 20s, condition: {gte: 4, lt: 7}}
=====
title: values
name: values
# Named twice, its events are more than what they have in common, so that this is looked at first.
correlation: {type: value_count, rules: [any, bc], group-by: [actor.key], timespan: 20s, condition: {field: source.country, gte: 2}}
=====
title: share
name: share
correlation: {type: event_count, rules: [ab], group-by: [actor.key], timespan: 20s, condition: {gte: 2}}
jcdetect: {share: {of: any, at_least: 0.6}}
=====
title: count since another
name: since
correlation: {type: event_count, rules: [ab], group-by: [actor.key], timespan: 20s, condition: {gte: 2}}
jcdetect: {since: c, share: {of: any, at_least: 0.4}}
=====
title: count in a country since another anywhere
name: since-there
correlation: {type: event_count, rules: [any], group-by: [actor.key, source.country], timespan: 1h, condition: {gte: 2}}
jcdetect: {since: {rule: c, by: [actor.key]}}
=====
title: values since another
name: since-values
correlation: {type: value_count, rules: [any], group-by: [actor.key], timespan: 1h, condition: {field: source.country, gte: 2}}
jcdetect: {since: {rule: bc}}
=====
title: temporal
name: temporal
correlation: {type: temporal, rules: [ab, bc, c], group-by: [actor.key], timespan: 10s}
=====
title: two of three
name: two-of-three
correlation: {type: temporal, rules: [ab, bc, c], group-by: [actor.key], timespan: 10s, condition: {gte: 2}}
=====
title: ordered
name: ordered
correlation: {type: temporal_ordered, rules: [ab, bc, c], group-by: [actor.key], timespan: 20s}
=====
title: ordered over a count
name: chain
correlation: {type: temporal_ordered, rules: [count, c], group-by: [actor.key], timespan: 1h}
=====
title: ordered over a count that only feeds it
name: chain-of-own
correlation: {type: temporal_ordered, rules: [own-count, c], group-by: [actor.key], timespan: 1h}
---
title: count
name: own-count
correlation: {type: event_count, rules: [ab], group-by: [actor.key], timespan: 10s, condition: {gte: 3}}
=====
title: another country
name: where
jcdetect:
  sequence: {steps: [{x: ab}, {y: bc}], group-by: [actor.key], timespan: 20s, where: ["y.source.country != x.source.country"]}
=====
title: nothing between
name: unless
jcdetect:
  sequence: {steps: [ab, c], group-by: [actor.key], timespan: 20s, unless: {rule: bc, where: ["u.source.country == b.source.country"]}}
=====
title: nothing like it before
name: alone
jcdetect:
  sequence: {steps: [bc], group-by: [actor.key], timespan: 20s, unless: {rule: ab, after: window, where: ["u.source.country == a.source.country"]}}
=====
title: nothing like it before, or not for long
name: alone-till-lately
jcdetect:
  sequence: {steps: [bc], group-by: [actor.key], timespan: 20s, unless: {rule: ab, after: window, settle: 8s, where: ["u.source.country == a.source.country"]}}
=====
title: two steps and nothing like the second before
name: unlike
jcdetect:
  sequence: {steps: [ab, c], group-by: [actor.key], timespan: 20s, unless: {rule: bc, after: window, where: ["u.source.country == b.source.country"]}}
=====
title: no follow-up
name: absent-last
jcdetect:
  sequence: {steps: [ab, c], group-by: [actor.key], timespan: 20s, absent: last}
=====
title: dormant
name: absent-first
jcdetect:
  sequence: {steps: [any, bc], group-by: [actor.key], timespan: 20s, absent: first}
=====
title: dormant there
name: absent-first-there
jcdetect:
  sequence: {steps: [any, bc], group-by: [actor.key], timespan: 20s, absent: first, where: ["b.source.country == a.source.country"]}
=====
title: dormant, awake, at work
name: absent-first-of-three
jcdetect:
  sequence: {steps: [any, bc, c], group-by: [actor.key], timespan: 20s, absent: first}
=====
title: the last where the first was, and whatever between
name: far
jcdetect:
  sequence: {steps: [{x: ab}, bc, {y: c}], group-by: [organization], timespan: 1h, where: ["y.source.country == x.source.country"]}
=====
title: the last where the first was, and its actor somewhere else between
name: far-and-away
jcdetect:
  sequence:
    steps: [{x: ab}, {m: bc}, {y: c}]
    group-by: [organization]
    timespan: 1h
    where: ["y.source.country == x.source.country", "m.source.country != x.source.country", "m.actor.key == y.actor.key"]
=====
title: the last where the first was, and nobody there in the hour before
name: far-and-alone
jcdetect:
  sequence:
    steps: [{x: ab}, {y: c}]
    group-by: [organization]
    timespan: 1h
    where: ["y.actor.key == x.actor.key"]
    unless: {rule: bc, after: x, where: ["u.source.country == y.source.country"]}
=====
title: the first in a country that the rule names, and unless the last was in one, nobody outside of another since
name: far-and-named
jcdetect:
  sequence:
    steps: [{x: ab}, {y: c}]
    group-by: [organization]
    timespan: 1h
    where: ["x.source.country == c1"]
    unless: {rule: bc, after: x, where: ["u.source.country != C0", "y.source.ip != '203.0.113.2'"]}
=====
title: new country
name: first-seen
jcdetect:
  first_seen: {rule: bc, learn_from: any, by: [actor.key], value: [source.country], min_days: 0, min_events: 2}
=====
title: new country of late
name: first-seen-lately
jcdetect:
  first_seen: {rule: any, by: [actor.key], value: [source.country], min_days: 0, min_events: 1, lookback: 10s}
=====
title: new country, and still new
name: first-seen-settling
jcdetect:
  first_seen: {rule: bc, learn_from: any, by: [actor.key], value: [source.country], min_days: 0, min_events: 2, settle: 10s}
=====
title: too fast
name: travel
jcdetect:
  travel: {rule: ab, by: [actor.key], min_km: 900, min_kmh: 20000}
=====
title: more than usual
name: rate
jcdetect:
  rate: {rule: any, by: [actor.key], bucket: 20s, history: 1h, min_history: 20s, factor: 2, percentile: 50, floor: 2}
=====
title: several things
name: risk
jcdetect:
  entity: actor
  risk: {timespan: 20s, min_score: 60, min_rules: 4, min_tactics: 0}
"#;

fn rules() -> RuleSet {
    let files: Vec<(String, &str)> = RULES
        .split("=====")
        .map(|text| {
            let name = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
            (format!("{name}.yml"), text)
        })
        .collect();
    let set = RuleSet::load(files.iter().map(|(path, text)| (path.as_str(), *text)));
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    set
}

/// How a world is run.
#[derive(Clone, Copy, Debug)]
struct How {
    threads: usize,
    partition: Span,
}

/// Runs a world behind what only teaches; the completing events of each rule, and the report without origins.
fn run(set: &RuleSet, files: &[String], past: &[String], how: How) -> (BTreeSet<(String, String, bool)>, String) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(how.threads).build().unwrap();
    pool.install(|| {
        let mut store = Store::new(set);
        let mut known = Known::default();
        let mut read_all = |files: &[String], store: &mut Store| {
            let sources: Vec<Source> = files.iter().map(|text| Source::memory("x", text.as_bytes())).collect();
            let options = Options { record_limit: 1 << 20 };
            read(&sources, options, &set.plan, &mut known, &|| Reader::new(set, None), store, &|_| {})
        };
        let mut reading = read_all(files, &mut store);
        store.begin_history(files.len());
        let history = read_all(past, &mut store);
        let mut links = std::mem::take(&mut reading.links);
        links.merge(history.links);
        store.close(&links);
        let extent = Extent { scanned: &reading.coverage.reach, history: Some(&history.coverage.reach) };
        let detected = detect(set, &store, extent, Partition { length: how.partition, least: 0 });
        let mut completing = BTreeSet::new();
        for (rule, signals) in set.rules.iter().zip(&detected.signals) {
            for signal in signals.all() {
                let name = store.text(signal.event, jcdetect::event::field::Norm::TargetName).unwrap();
                completing.insert((rule.name.clone(), name.to_owned(), signal.is_pending()));
            }
        }
        let all = Findings { set, store: &store, detected: &detected, evidence_limit: 1000 };
        let mut findings = all.of(|_| true);
        for evidence in findings.iter_mut().flat_map(|f| &mut f.evidence) {
            evidence.origin = jcdetect::event::origin::Origin::default();
        }
        let coverage = &reading.coverage;
        let rules = RuleCoverage::new(set, &detected, coverage, None, |_| false, |_| true);
        let report = Report {
            run: Run::default(),
            coverage,
            history: coverage,
            missing: vec![],
            rules,
            set,
            cases: vec![],
            findings,
        };
        let mut out = Vec::new();
        write(&report, Format::Json, Look::default(), &mut out).unwrap();
        (completing, String::from_utf8(out).unwrap())
    })
}

const ONE: How = How { threads: 1, partition: Span(i64::MAX) };

/// Everything tried, nothing clever: what each rule of `RULES` means.
mod naive {
    use super::{BTreeSet, Happening};

    type Out = BTreeSet<(String, String, bool)>;

    fn name(e: &Happening) -> String {
        format!("n{:04}", e.number)
    }

    fn is(e: &Happening, rule: &str) -> bool {
        match rule {
            "ab" => "ab".contains(e.kind),
            "bc" => "bc".contains(e.kind),
            "c" => e.kind == 'c',
            _ => true,
        }
    }

    /// Same organization and same actor; without an actor in no group.
    fn joined(x: &Happening, y: &Happening) -> bool {
        x.organization == y.organization && x.actor == y.actor && x.actor.is_some()
    }

    fn within(x: &Happening, e: &Happening, window: i64) -> bool {
        e.at - window < x.at && x.at <= e.at
    }

    /// All ways to choose a different event for each rule.
    fn choices<'w>(
        world: &'w [Happening],
        rules: &[&str],
        taken: &mut Vec<&'w Happening>,
        found: &mut dyn FnMut(&[&Happening]),
    ) {
        let Some(rule) = rules.get(taken.len()) else { return found(taken) };
        for e in world.iter().filter(|e| is(e, rule)) {
            if taken.iter().all(|t| t.number != e.number) {
                taken.push(e);
                choices(world, rules, taken, found);
                taken.pop();
            }
        }
    }

    pub fn evaluate(world: &[Happening]) -> Out {
        let mut out = Out::new();
        let mut add = |rule: &str, e: &Happening, pending: bool| {
            out.insert((rule.to_owned(), name(e), pending));
        };
        for e in world {
            for rule in ["ab", "bc", "c", "any"] {
                if is(e, rule) {
                    add(rule, e, false);
                }
            }
            let in_window = |rule: &'static str, window: i64| {
                world.iter().filter(move |x| is(x, rule) && joined(x, e) && within(x, e, window))
            };
            let grouped = e.actor.is_some();
            if counts(world, e) {
                add("count", e, false);
                add("own-count", e, false);
            }
            // It has an upper bound, so what is behind the event in the order does not count yet.
            let before = |x: &&Happening| x.organization == e.organization && x.order() <= e.order();
            let all = world.iter().filter(before).filter(|x| within(x, e, 20)).count();
            if (4..7).contains(&all) {
                add("count-all", e, false);
            }
            let countries: BTreeSet<u8> = in_window("any", 20).filter_map(|x| x.country).collect();
            if grouped && e.country.is_some() && countries.len() >= 2 {
                add("values", e, false);
            }
            let (part, whole) = (in_window("ab", 20).count(), in_window("any", 20).count());
            if grouped && is(e, "ab") && part >= 2 && part as f64 >= 0.6 * whole as f64 {
                add("share", e, false);
            }
            since(world, e, &mut add);
            temporal(world, e, &mut add);
            far(world, e, &mut add);
            ordered(world, e, &mut add);
            absences(world, e, &mut add);
            news(world, e, &mut add);
            if travels(world, e) {
                add("travel", e, false);
            }
            if is_far_above_usual(world, e) {
                add("rate", e, false);
            }
        }
        add_risk(world, &mut out);
        out
    }

    /// Enough in the window, of what is not earlier than the last match of another rule.
    fn since(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        let counted = |rule: &'static str, window: i64, since: &str| {
            let last = world.iter().filter(|x| is(x, since) && joined(x, e) && x.at <= e.at).map(|x| x.at).max();
            let counts = move |x: &&Happening| within(x, e, window) && last.is_none_or(|last| x.at >= last);
            world.iter().filter(move |x| is(x, rule) && joined(x, e)).filter(counts)
        };
        let (part, whole) = (counted("ab", 20, "c").count(), counted("any", 20, "c").count());
        if e.actor.is_some() && is(e, "ab") && part >= 2 && part as f64 >= 0.4 * whole as f64 {
            add("since", e, false);
        }
        let there = counted("any", 3600, "c").filter(|x| x.country == e.country).count();
        if e.actor.is_some() && e.country.is_some() && there >= 2 {
            add("since-there", e, false);
        }
        let countries: BTreeSet<u8> = counted("any", 3600, "bc").filter_map(|x| x.country).collect();
        if e.actor.is_some() && e.country.is_some() && countries.len() >= 2 {
            add("since-values", e, false);
        }
    }

    /// The placed match before this one lies far away and was not long ago.
    fn travels(world: &[Happening], e: &Happening) -> bool {
        let place = |x: &Happening| x.country.map(|c| [0.0, 1000.0, 10_000.0][usize::from(c)]);
        let (Some(here), Some(_), true) = (place(e), e.actor, is(e, "ab")) else { return false };
        let earlier = world.iter().filter(|x| is(x, "ab") && joined(x, e) && x.order() < e.order());
        let Some(before) = earlier.filter(|x| place(x).is_some()).max_by_key(|x| x.order()) else { return false };
        let km: f64 = here - place(before).unwrap();
        let hours = (e.at - before.at).max(1) as f64 / 3600.0;
        km.abs() >= 900.0 && km.abs() / hours >= 20_000.0
    }

    /// The event is at or behind the one with which its bucket has twice the median of those before it.
    fn is_far_above_usual(world: &[Happening], e: &Happening) -> bool {
        let Some(_) = e.actor else { return false };
        let bucket = |x: &Happening| (super::START + x.at).div_euclid(20);
        let own: Vec<&Happening> = world.iter().filter(|x| joined(x, e)).collect();
        let start = bucket(e) * 20 - super::START;
        if own.iter().map(|x| x.at).min().unwrap() > start - 20 {
            return false;
        }
        let from = (bucket(e) * 20 - 3600).div_euclid(20);
        let mut counts: Vec<usize> = (from..bucket(e))
            .map(|b| own.iter().filter(|x| bucket(x) == b).count())
            .filter(|count| *count > 0)
            .collect();
        counts.sort_unstable();
        let median = counts.len().checked_sub(1).map_or(0, |_| counts[counts.len().div_ceil(2) - 1]);
        let position = own.iter().filter(|x| bucket(x) == bucket(e) && x.order() <= e.order()).count();
        position >= 2.max(2 * median)
    }

    /// What the signals of a rule are made of, through all between.
    fn made_of(rule: &str) -> &'static [&'static str] {
        match rule {
            "count" | "share" | "since" | "travel" => &["ab"],
            "count-all" | "unless" | "unlike" | "absent-last" | "chain-of-own" | "far-and-alone" | "far-and-named" => {
                &["ab", "c"]
            }
            "values" | "absent-first" | "absent-first-there" => &["any", "bc"],
            "temporal" | "two-of-three" | "ordered" | "far" => &["ab", "bc", "c"],
            "absent-first-of-three" => &["any", "bc", "c"],
            "chain" => &["count", "ab", "c"],
            "where" => &["ab", "bc"],
            "alone" | "alone-till-lately" | "first-seen" | "first-seen-settling" => &["bc"],
            "first-seen-lately" | "rate" | "since-there" | "since-values" => &["any"],
            _ => &[],
        }
    }

    /// At least four rules, each of weight 15, on one actor in 20 seconds, at more than one event; none of them made of
    /// another.
    fn add_risk(world: &[Happening], out: &mut Out) {
        let signals: Vec<(&Happening, String)> = world
            .iter()
            .filter(|e| e.actor.is_some())
            .flat_map(|e| {
                let reported = out.iter().filter(|(rule, _, _)| rule != "own-count");
                reported.filter(|(_, n, pending)| *n == name(e) && !pending).map(move |(r, _, _)| (e, r.clone()))
            })
            .collect();
        for (e, _) in &signals {
            let near = || signals.iter().filter(|(x, _)| joined(x, e) && within(x, e, 20));
            let found: BTreeSet<&str> = near().map(|(_, rule)| rule.as_str()).collect();
            let is_part = |rule: &str| found.iter().any(|other| made_of(other).contains(&rule));
            let events: BTreeSet<usize> = near().map(|(x, _)| x.number).collect();
            if events.len() > 1 && found.iter().filter(|rule| !is_part(rule)).count() >= 4 {
                out.insert(("risk".to_owned(), name(e), false));
            }
        }
    }

    fn counts(world: &[Happening], e: &Happening) -> bool {
        let matches = world.iter().filter(|x| is(x, "ab") && joined(x, e) && within(x, e, 10));
        is(e, "ab") && e.actor.is_some() && matches.count() >= 3
    }

    fn temporal(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        let group: Vec<Happening> = world.iter().filter(|x| joined(x, e) && within(x, e, 10)).cloned().collect();
        let mut all = false;
        let mut two = false;
        let has = |chosen: &[&Happening]| chosen.iter().any(|c| c.number == e.number);
        choices(&group, &["ab", "bc", "c"], &mut vec![], &mut |chosen| all |= has(chosen));
        for pair in [["ab", "bc"], ["ab", "c"], ["bc", "c"]] {
            choices(&group, &pair, &mut vec![], &mut |chosen| two |= has(chosen));
        }
        if all {
            add("temporal", e, false);
        }
        if two {
            add("two-of-three", e, false);
        }
    }

    fn ordered(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        let group: Vec<Happening> = world.iter().filter(|x| joined(x, e) && within(x, e, 20)).cloned().collect();
        let ends = |chosen: &[&Happening]| {
            let last = chosen[chosen.len() - 1];
            last.number == e.number && chosen.windows(2).all(|pair| pair[0].at <= pair[1].at)
        };
        let (mut three, mut elsewhere, mut undisturbed) = (false, false, false);
        choices(&group, &["ab", "bc", "c"], &mut vec![], &mut |chosen| three |= ends(chosen));
        choices(&group, &["ab", "bc"], &mut vec![], &mut |chosen| {
            let differ = matches!((chosen[0].country, chosen[1].country), (Some(x), Some(y)) if x != y);
            elsewhere |= ends(chosen) && differ;
        });
        choices(&group, &["ab", "c"], &mut vec![], &mut |chosen| {
            let disturbed = world.iter().any(|u| {
                is(u, "bc")
                    && joined(u, e)
                    && chosen.iter().all(|c| c.number != u.number)
                    && u.at > chosen[0].at
                    && u.at <= chosen[1].at
                    && u.country.is_some()
                    && u.country == chosen[1].country
            });
            undisturbed |= ends(chosen) && !disturbed;
        });
        let like = |rule: &'static str, settle: i64| {
            let others =
                world.iter().filter(move |u| is(u, rule) && joined(u, e) && within(u, e, 20) && u.number != e.number);
            let settled = others.filter(|u| settle == 0 || u.at < e.at - settle);
            settled.filter(|u| u.country.is_some() && u.country == e.country).count() > 0
        };
        if is(e, "bc") && e.actor.is_some() {
            if !like("ab", 0) {
                add("alone", e, false);
            }
            if !like("ab", 8) {
                add("alone-till-lately", e, false);
            }
        }
        let mut pair = false;
        choices(&group, &["ab", "c"], &mut vec![], &mut |chosen| pair |= ends(chosen));
        if pair && !like("bc", 0) {
            add("unlike", e, false);
        }
        if three {
            add("ordered", e, false);
        }
        if elsewhere {
            add("where", e, false);
        }
        if undisturbed {
            add("unless", e, false);
        }
        let burst = |x: &&Happening| counts(world, x) && joined(x, e) && within(x, e, 3600) && x.number != e.number;
        if is(e, "c") && world.iter().any(|x| burst(&x)) {
            add("chain", e, false);
            add("chain-of-own", e, false);
        }
    }

    /// Chains of a whole organization.
    fn far(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        let near = |x: &&Happening| x.organization == e.organization && within(x, e, 3600) && x.number != e.number;
        let before = |x: &Happening, y: &Happening| x.at <= y.at && x.number != y.number;
        if !is(e, "c") {
            return;
        }
        let firsts: Vec<&Happening> = world.iter().filter(near).filter(|x| is(x, "ab") && before(x, e)).collect();
        let middles: Vec<&Happening> = world.iter().filter(near).filter(|x| is(x, "bc") && before(x, e)).collect();
        let is_there = |x: &Happening| x.country.is_some() && x.country == e.country;
        if firsts.iter().any(|x| is_there(x) && middles.iter().any(|m| before(x, m))) {
            add("far", e, false);
        }
        let is_away =
            |m: &Happening| m.country.is_some() && m.country != e.country && m.actor.is_some() && m.actor == e.actor;
        if firsts.iter().any(|x| is_there(x) && middles.iter().any(|m| before(x, m) && is_away(m))) {
            add("far-and-away", e, false);
        }
        let is_undisturbed =
            |x: &Happening| !middles.iter().any(|u| u.at > x.at && u.number != x.number && is_there(u));
        if firsts.iter().any(|x| x.actor.is_some() && x.actor == e.actor && is_undisturbed(x)) {
            add("far-and-alone", e, false);
        }
        let is_outside = |u: &Happening| matches!(u.country, Some(1 | 2)) && matches!(e.country, Some(0 | 1));
        let is_unnamed = |x: &Happening| !middles.iter().any(|u| u.at > x.at && u.number != x.number && is_outside(u));
        if firsts.iter().any(|x| x.country == Some(1) && is_unnamed(x)) {
            add("far-and-named", e, false);
        }
    }

    fn absences(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        if e.actor.is_none() {
            return;
        }
        let others = || world.iter().filter(|x| joined(x, e) && x.number != e.number);
        if is(e, "ab") && !others().any(|x| is(x, "c") && x.at >= e.at && x.at < e.at + 20) {
            let end = world.iter().filter(|x| x.organization == e.organization).map(|x| x.at).max().unwrap();
            add("absent-last", e, end < e.at + 20);
        }
        // Nothing but what serves in the chain itself.
        let is_dormant = |at: i64, chain: &[usize]| {
            let others = || world.iter().filter(|x| joined(x, e) && !chain.contains(&x.number));
            !others().any(|x| x.at < at && x.at > at - 20) && others().any(|x| x.at <= at - 20)
        };
        if is(e, "bc") && is_dormant(e.at, &[e.number]) {
            add("absent-first", e, false);
        }
        let there = || others().filter(|x| x.country.is_some() && x.country == e.country && x.at < e.at);
        if is(e, "bc") && there().next().is_some() && there().all(|x| x.at <= e.at - 20) {
            add("absent-first-there", e, false);
        }
        let mut awake = others().filter(|x| is(x, "bc") && x.at <= e.at && x.at > e.at - 20);
        if is(e, "c") && awake.any(|x| is_dormant(x.at, &[x.number, e.number])) {
            add("absent-first-of-three", e, false);
        }
    }

    fn news(world: &[Happening], e: &Happening, add: &mut dyn FnMut(&str, &Happening, bool)) {
        let (Some(country), Some(_)) = (e.country, e.actor) else { return };
        let before: Vec<&Happening> = world.iter().filter(|x| joined(x, e) && x.at < e.at).collect();
        let seen = |back: i64| before.iter().any(|x| x.country == Some(country) && e.at - x.at < back);
        if is(e, "bc") && before.len() >= 2 && !seen(i64::MAX) {
            add("first-seen", e, false);
        }
        let settled: Vec<&&Happening> = before.iter().filter(|x| x.at < e.at - 10).collect();
        if is(e, "bc") && settled.len() >= 2 && !settled.iter().any(|x| x.country == Some(country)) {
            add("first-seen-settling", e, false);
        }
        if !before.is_empty() && !seen(10) {
            add("first-seen-lately", e, false);
        }
    }
}

fn lines(world: &[Happening]) -> String {
    world.iter().map(|e| e.line() + "\n").collect()
}

/// The same, some of them several on one line.
fn crowded(world: &[Happening]) -> String {
    world.iter().zip(0..).map(|(e, n)| e.line() + if n % 5 < 2 { "" } else { "\n" }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_finds_what_a_naive_evaluator_finds(world in world()) {
        let set = rules();
        let (found, _) = run(&set, &[lines(&world)], &[], ONE);
        let expected = naive::evaluate(&world);
        let missing: Vec<_> = expected.difference(&found).collect();
        let extra: Vec<_> = found.difference(&expected).collect();
        prop_assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}\nextra {extra:?}\n{}", lines(&world));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_way_of_running_changes_a_byte(
        (world, order) in world().prop_flat_map(|w| (Just(w.clone()), Just(w).prop_shuffle())),
        cut in 0..24_usize,
        twice in prop::collection::vec(0..24_usize, 0..5),
        partition in prop_oneof![Just(Span(3600 * SECOND)), Just(Span(6 * 3600 * SECOND)), Just(Span(30 * SECOND)), Just(Span(i64::MAX))],
        threads in prop_oneof![Just(1_usize), Just(2), Just(8)],
    ) {
        let set = rules();
        let (_, want) = run(&set, &[lines(&world)], &[], ONE);
        let (first, second) = order.split_at(cut.min(order.len()));
        // A slice that two files share: only what has an id can be known again.
        let again: Vec<Happening> = twice.iter().filter_map(|i| order.get(*i)).filter(|e| e.has_id).cloned().collect();
        let duplicates = again.len();
        let files = [lines(first), lines(&again), crowded(second)];
        let (_, got) = run(&set, &files, &[], How { threads, partition });
        let account = |text: &str| -> String {
            let mut report: serde_json::Value = serde_json::from_str(text).unwrap();
            report["coverage"]["records"] = 0.into();
            report["coverage"]["duplicates"] = 0.into();
            report.to_string()
        };
        prop_assert_eq!(account(&got), account(&want), "{} duplicates", duplicates);
    }

    /// What only feeds other rules is kept without its groups, and they are found again.
    #[test]
    fn evidence_is_the_same_through_a_rule_that_is_not_reported(world in world()) {
        let (_, report) = run(&rules(), &[lines(&world)], &[], ONE);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let evidence = |title: &str| -> Vec<serde_json::Value> {
            let findings = report["findings"].as_array().unwrap().iter();
            findings.filter(|finding| finding["rule_title"] == title).map(|finding| finding["evidence"].clone()).collect()
        };
        let (want, got) = (evidence("ordered over a count"), evidence("ordered over a count that only feeds it"));
        prop_assert_eq!(want, got);
    }

    /// What a scan of one day tells beside the days before, and what these told, is what a scan of all of them tells.
    /// A sum of risk may begin earlier once it is certain that something did not follow, and is told once more.
    #[test]
    fn day_by_day_is_all_at_once(world in world(), cut in prop_oneof![0..12_i64, (0..8_i64).prop_map(|n| n * 20)]) {
        let set = rules();
        let ids = |files: &[String], past: &[String]| -> BTreeSet<String> {
            let (_, report) = run(&set, files, past, ONE);
            let report: serde_json::Value = serde_json::from_str(&report).unwrap();
            let findings = report["findings"].as_array().unwrap().iter();
            let certain = findings.filter(|finding| finding["pending"] == false);
            certain.map(|finding| format!("{} {}", finding["rule_id"], finding["id"])).collect()
        };
        let (past, day): (Vec<Happening>, Vec<Happening>) = world.iter().cloned().partition(|e| e.at < cut);
        let (past, day) = ([lines(&past)], [lines(&day)]);
        let mut got = ids(&past, &[]);
        got.extend(ids(&day, &past));
        let want = ids(&[lines(&world)], &[]);
        prop_assert!(got.is_superset(&want), "{:?}", want.difference(&got));
        got.retain(|id| want.contains(id) || !id.starts_with("\"risk\""));
        prop_assert_eq!(got, want);
    }

    /// What comes late completes what waited for it.
    #[test]
    fn what_comes_late_is_told_as_in_one_scan(
        (world, is_late) in world().prop_flat_map(|w| { let n = w.len(); (Just(w), prop::collection::vec(any::<bool>(), n)) }),
    ) {
        let set = rules();
        let of = |wanted: bool| -> [String; 1] {
            let own = world.iter().zip(&is_late).filter(|(_, is_late)| **is_late == wanted);
            [lines(&own.map(|(e, _)| e.clone()).collect::<Vec<_>>())]
        };
        let findings = |files: &[String], past: &[String]| -> BTreeSet<String> {
            let report: serde_json::Value = serde_json::from_str(&run(&set, files, past, ONE).1).unwrap();
            report["findings"].as_array().unwrap().iter().map(ToString::to_string).collect()
        };
        let (all, late) = (findings(&[lines(&world)], &[]), findings(&of(true), &of(false)));
        prop_assert!(late.is_subset(&all), "{:?}", late.difference(&all).next());
        let has_late = |finding: &&String| {
            let names = world.iter().zip(&is_late).filter(|(_, is_late)| **is_late);
            names.map(|(e, _)| format!("n{:04}", e.number)).any(|name| finding.contains(&name))
        };
        let untold: Vec<&String> = all.difference(&late).filter(has_late).collect();
        prop_assert!(untold.is_empty(), "{untold:?}");
    }

    #[test]
    fn all_tenants_together_are_each_alone(world in world()) {
        let set = rules();
        let (together, _) = run(&set, &[lines(&world)], &[], ONE);
        let mut apart = BTreeSet::new();
        for organization in [1, 2] {
            let own: Vec<Happening> = world.iter().filter(|e| e.organization == organization).cloned().collect();
            apart.extend(run(&set, &[lines(&own)], &[], ONE).0);
        }
        prop_assert_eq!(together, apart);
    }
}
