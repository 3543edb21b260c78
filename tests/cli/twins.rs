//! General twins: the same happenings, seen in a way in which nothing, or nothing else, may be found. Each
//! attack of the rules' own examples becomes an organization of its own, so that all rules look at all of them
//! in one scan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use jcdetect::event::time::{DAY, SECOND, Timestamp};
use jcdetect::rule::example::examples;
use jcdetect::rule::logic::{Absent, Logic};
use jcdetect::rule::pack::PACK;
use jcdetect::rule::set::RuleSet;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::lines;
use super::scenarios::world::World;
use super::{findings, report, text};

/// An attack of an example: the rule that finds it, and its events in an organization of their own.
struct Attack {
    rule: String,
    events: Vec<Value>,
}

fn attacks() -> Vec<Attack> {
    let mut out = Vec::new();
    for (path, file) in PACK {
        let rule = Path::new(path).file_stem().unwrap().to_str().unwrap();
        for example in examples(path, file).unwrap() {
            if example.count == 0 || example.settings.is_some() {
                continue;
            }
            let number = out.len();
            let event = |line: &String| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                let own = event["organization"].as_str().unwrap_or_default().to_owned();
                event["organization"] = format!("{number}-{own}").into();
                event
            };
            out.push(Attack { rule: rule.to_owned(), events: example.events.iter().map(event).collect() });
        }
    }
    out
}

/// What a scan of these events finds, in a file in this order: rule, organization, entity and severity.
fn found(events: impl IntoIterator<Item = Value>) -> BTreeSet<(String, String, String, String)> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&events.into_iter().collect::<Vec<Value>>())).unwrap();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let key = |f: &Value| {
        let entity = f["entity"]["id"].as_str().unwrap_or_default().to_owned();
        (word(f, "rule_id"), word(f, "organization"), entity, word(f, "severity"))
    };
    findings(&[&[text(&path)], enabled().as_slice()].concat()).iter().map(key).collect()
}

/// What all attacks make, each in its own organization.
static PLAIN: LazyLock<BTreeSet<(String, String, String, String)>> =
    LazyLock::new(|| found(attacks().into_iter().flat_map(|attack| attack.events)));

/// Silent rules are looked at, too.
fn enabled() -> Vec<&'static str> {
    let names = PACK.iter().filter(|(_, file)| file.contains("\n  opt_in: true"));
    names.flat_map(|(path, _)| ["--enable", Path::new(path).file_stem().unwrap().to_str().unwrap()]).collect()
}

/// Overlapping pages of an export, all organizations mixed, and no order: the same is found, and nothing in a
/// neighbour's house.
#[test]
fn twice_shuffled_and_mixed_finds_the_same() {
    let attacks = attacks();
    assert!(attacks.len() > 500, "{}", attacks.len());
    let events: Vec<Value> = attacks.iter().flat_map(|attack| attack.events.iter().cloned()).collect();
    let plain = &*PLAIN;
    for (number, attack) in attacks.iter().enumerate() {
        let own = format!("{number}-");
        assert!(
            plain.iter().any(|(rule, organization, _, _)| *rule == attack.rule && organization.starts_with(&own)),
            "{} {number}",
            attack.rule
        );
    }
    let mut mixed: Vec<Value> = events.iter().chain(&events).cloned().collect();
    // By a multiplication that is no order of anything.
    let place = |event: &Value| {
        let id = event.to_string();
        id.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte))
    };
    mixed.sort_by_cached_key(place);
    let mixed = found(mixed);
    let lost: Vec<_> = plain.difference(&mixed).collect();
    let more: Vec<_> = mixed.difference(plain).collect();
    assert!(lost.is_empty() && more.is_empty(), "lost {lost:#?}\nmore {more:#?}");
}

/// The objects of records into which exporters with fixed columns write whatever any record has there.
const FIXED: [&str; 10] = [
    "",
    "/initiated_by",
    "/resource",
    "/auth_context",
    "/application",
    "/association",
    "/mfa_meta",
    "/useragent",
    "/geoip",
    "/system",
];

/// An exporter with fixed columns writes something for each that has no value: nothing else may be found.
#[test]
fn columns_without_a_value_change_nothing() {
    let events: Vec<Value> = attacks().into_iter().flat_map(|attack| attack.events).collect();
    let mut columns: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (event, path) in events.iter().flat_map(|event| FIXED.map(|path| (event, path))) {
        if let Some(Value::Object(members)) = event.pointer(path) {
            columns.entry(path).or_default().extend(members.keys().cloned());
        }
    }
    let nothing = [json!(null), json!(""), json!({}), json!({"id": null, "name": ""})];
    let mut filled = events;
    for (number, event) in filled.iter_mut().enumerate() {
        for (path, keys) in &columns {
            let Some(Value::Object(members)) = event.pointer_mut(path) else { continue };
            for (place, key) in keys.iter().enumerate() {
                members.entry(key).or_insert_with(|| nothing[(number + place) % nothing.len()].clone());
            }
        }
    }
    let filled = found(filled);
    let lost: Vec<_> = PLAIN.difference(&filled).collect();
    let more: Vec<_> = filled.difference(&PLAIN).collect();
    assert!(lost.is_empty() && more.is_empty(), "lost {lost:#?}\nmore {more:#?}");
}

fn time_of(event: &Value) -> i64 {
    Timestamp::parse(event["timestamp"].as_str().unwrap()).unwrap().0
}

/// A step one second outside the window, each after each: no rule that wants several events fires.
#[test]
fn a_second_outside_the_window_is_outside() {
    let set = RuleSet::load(PACK.iter().copied());
    let mut expected = Vec::new();
    let mut all = Vec::new();
    for attack in attacks() {
        let rule = &set.rules[set.find(&attack.rule).unwrap()];
        let window = match &rule.logic {
            Logic::Count(count) if count.bounds.least() > 1 => count.window,
            Logic::Chain(chain) if chain.rules.len() > 1 && chain.absent == Absent::No => chain.window,
            _ => continue,
        };
        let mut events = attack.events;
        events.sort_by_key(time_of);
        let start = time_of(&events[0]);
        for (number, event) in (0..).zip(&mut events) {
            event["timestamp"] = Timestamp(start + number * (window.0 + SECOND)).rfc3339().into();
        }
        expected.push((attack.rule, events[0]["organization"].as_str().unwrap().to_owned()));
        all.extend(events);
    }
    assert!(expected.len() > 50, "{}", expected.len());
    let found = found(all);
    for (rule, organization) in expected {
        assert!(!found.iter().any(|(r, o, _, _)| *r == rule && *o == organization), "{rule} in {organization}");
    }
}

/// The first day of an export: whatever is learned from habits says nothing yet.
#[test]
fn the_first_day_knows_nobody() {
    let set = RuleSet::load(PACK.iter().copied());
    let mut expected = Vec::new();
    let mut all = Vec::new();
    for attack in attacks() {
        let rule = &set.rules[set.find(&attack.rule).unwrap()];
        let learns = match &rule.logic {
            Logic::FirstSeen(first) => first.min_age.0 >= DAY,
            Logic::Rate(rate) => rate.min_history.0 >= DAY,
            Logic::Chain(chain) => chain.absent == Absent::First,
            _ => false,
        };
        if learns {
            let last = attack.events.iter().map(time_of).max().unwrap();
            let day: Vec<Value> = attack.events.into_iter().filter(|event| time_of(event) > last - DAY).collect();
            expected.push((attack.rule, day[0]["organization"].as_str().unwrap().to_owned()));
            all.extend(day);
        }
    }
    assert!(expected.len() > 30, "{}", expected.len());
    let found = found(all);
    for (rule, organization) in expected {
        assert!(!found.iter().any(|(r, o, _, _)| *r == rule && *o == organization), "{rule} in {organization}");
    }
}

/// Rules that a refusal does not silence: what is tried in vain is what they look for, or they look at records
/// that say of themselves what came of it.
const OF_REFUSALS: &[&str] = &[
    "admin-lockout",
    "bruteforce-admin-portal",
    "device-spray",
    "lockout-storm",
    "old-api-key-burst",
    "old-api-key-used",
    "password-reset-flood",
    "password-spray-slow-address",
    "radius-spray",
    "slow-bruteforce",
    "sso-unauthorised-app-attempts",
    "threat-intel-ip",
    "vendor-alert",
    "vendor-risk",
];

/// What was refused did not happen: nothing that needs a success fires above low.
#[test]
fn what_was_refused_did_not_happen() {
    let set = RuleSet::load(PACK.iter().copied());
    let refused = |mut event: Value| {
        let is_sso = event["event_type"] == "sso_auth";
        event[if is_sso { "sso_token_success" } else { "success" }] = false.into();
        event["error_message"] = "not authorized".into();
        event["error_code"] = 50.into();
        event
    };
    let is_all_success = |attack: &Attack| {
        attack.events.iter().all(|event| event["success"] != false && event["sso_token_success"] != false)
    };
    let attacks: Vec<Attack> = attacks().into_iter().filter(is_all_success).collect();
    assert!(attacks.len() > 300, "{}", attacks.len());
    let found = found(attacks.into_iter().flat_map(|attack| attack.events).map(refused));
    let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
    for (rule, _, _, severity) in &found {
        let is_triage = set.rules[set.find(rule).unwrap()].duet.is_none();
        if is_triage && severity != "low" && severity != "info" && !OF_REFUSALS.contains(&rule.as_str()) {
            *wrong.entry(rule).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Honest weeks in all shapes that exports have been seen in: nobody named, no place, places as text, times with
/// none, three and nine digits. Nothing above low, and nothing skipped.
#[test]
fn honest_weeks_in_odd_shapes_are_quiet() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("honest.jsonl");
    let mut bytes = Vec::new();
    let world = World {
        seed: 7,
        people: 25,
        days: 21,
        start: 1_772_409_600,
        organization: "5dc058bc3f53f95e3972f03f".to_owned(),
    };
    world.write(&mut bytes).unwrap();
    let mut file = fs::File::create(&path).unwrap();
    let written = String::from_utf8(bytes).unwrap();
    for (number, line) in written.lines().enumerate() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        place_and_time(&mut event, number);
        writeln!(file, "{event}").unwrap();
        if number % 3 == 0 {
            nobody(&mut event, number);
            writeln!(file, "{event}").unwrap();
        }
    }
    let report = report(&[text(&path)]);
    assert_eq!(report["coverage"]["skipped"], json!([]));
    let loud: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["disposition"] == "triage" && f["severity"] != "low" && f["severity"] != "info")
        .map(|f| &f["summary"])
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

/// Another shape of place and time for each event.
fn place_and_time(event: &mut Value, number: usize) {
    let fields = event.as_object_mut().unwrap();
    let time = fields["timestamp"].as_str().unwrap()[..19].to_owned();
    match number % 4 {
        0 => drop(fields.insert("timestamp".to_owned(), format!("{time}Z").into())),
        1 => drop(fields.insert("timestamp".to_owned(), format!("{time}.120Z").into())),
        2 => drop(fields.insert("timestamp".to_owned(), format!("{time}.123456789Z").into())),
        _ => {}
    }
    match number % 5 {
        0 => drop(fields.remove("geoip")),
        1 => drop(fields.insert("geoip".to_owned(), Value::Null)),
        2 | 3 => {
            for key in ["latitude", "longitude"] {
                if let Some(place) = fields.get_mut("geoip").and_then(|geoip| geoip.get_mut(key)) {
                    *place = place.to_string().into();
                }
            }
        }
        _ => {}
    }
}

/// The same by nobody, or with no word on what came of it, as an event of its own.
fn nobody(event: &mut Value, number: usize) {
    let fields = event.as_object_mut().unwrap();
    fields.insert("id".to_owned(), format!("odd-{number}").into());
    match number % 9 {
        0 => drop(fields.remove("initiated_by")),
        3 => drop(fields.insert("initiated_by".to_owned(), Value::Null)),
        _ => drop(fields.remove("success")),
    }
}
