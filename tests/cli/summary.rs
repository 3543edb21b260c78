//! Summaries: the numbers are true.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::lines;
use super::{jcdetect, text};

fn summary(arguments: &[&str]) -> Value {
    let output = jcdetect().arg("summary").args(arguments).args(["--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What one command takes, the next one does not refuse.
#[test]
fn no_config_is_taken_by_all_that_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log.jsonl");
    fs::write(&path, lines(&counted())).unwrap();
    for command in ["scan", "hunt", "timeline", "summary", "normalize"] {
        let run = |more: &[&str]| jcdetect().arg(command).arg(text(&path)).args(more).output().unwrap();
        let (with, without) = (run(&["--no-config"]), run(&[]));
        assert_eq!(with.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&with.stderr));
        assert_eq!(with.stdout, without.stdout, "{command}");
    }
}

/// A small file, counted by hand.
fn counted() -> Vec<Value> {
    let mut events = Vec::new();
    let mut push = |time: &str, event_type: &str, service: &str, more: Value| {
        let number = events.len() + 1;
        let mut event = json!({"id": format!("e{number}"), "organization": "o", "timestamp": time, "event_type": event_type, "service": service});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        events.push(event);
    };
    let user = |name: &str| json!({"type": "user", "username": name, "id": format!("id-{name}")});
    let at = |ip: &str, country: &str| json!({"client_ip": ip, "geoip": {"country_code": country}});
    let with = |parts: &[Value]| {
        let mut all = serde_json::Map::new();
        parts.iter().for_each(|part| all.extend(part.as_object().unwrap().clone()));
        Value::Object(all)
    };
    let portal =
        |success: bool, mfa: bool, agent: &str| json!({"success": success, "mfa": mfa, "useragent": {"name": agent}});
    let by = |who: Value| json!({"initiated_by": who});
    let ann = || by(user("ann"));
    // ann: three portal sign-ins that worked (two with a factor, one of them from DE), one that failed, two of SSO
    push(
        "2026-03-02T09:00:00Z",
        "user_login_attempt",
        "directory",
        with(&[ann(), at("192.0.2.1", "FR"), portal(true, true, "Chrome")]),
    );
    push(
        "2026-03-02T09:01:00Z",
        "user_login_attempt",
        "directory",
        with(&[ann(), at("192.0.2.2", "DE"), portal(true, true, "Firefox")]),
    );
    push(
        "2026-03-02T09:02:00Z",
        "user_login_attempt",
        "directory",
        with(&[ann(), at("192.0.2.1", "FR"), portal(true, false, "Chrome")]),
    );
    push(
        "2026-03-02T09:03:00Z",
        "user_login_attempt",
        "directory",
        with(&[ann(), at("198.51.100.9", "NL"), portal(false, false, "curl")]),
    );
    push(
        "2026-03-02T09:04:00Z",
        "sso_auth",
        "sso",
        with(&[ann(), at("192.0.2.1", "FR"), json!({"sso_token_success": true})]),
    );
    push(
        "2026-03-02T09:05:00Z",
        "sso_auth",
        "sso",
        with(&[ann(), at("192.0.2.1", "FR"), json!({"sso_token_success": false, "error_message": ""})]),
    );
    // bob: two failures from the same address as ann's, and one over RADIUS, which has none
    let bob = || by(user("bob"));
    push(
        "2026-03-02T09:06:00Z",
        "user_login_attempt",
        "directory",
        with(&[bob(), at("198.51.100.9", "NL"), portal(false, false, "curl")]),
    );
    push(
        "2026-03-02T09:07:00Z",
        "user_login_attempt",
        "directory",
        with(&[bob(), at("198.51.100.9", "NL"), portal(false, false, "curl")]),
    );
    push("2026-03-02T09:08:00Z", "radius_auth", "radius", json!({"username": "bob", "success": false}));
    // root: signs in, creates two users, deletes one with a key, from two countries
    let root = || by(json!({"type": "admin", "email": "root@x.io", "id": "id-root"}));
    push(
        "2026-03-02T10:00:00Z",
        "admin_login_attempt",
        "directory",
        with(&[root(), at("192.0.2.1", "FR"), portal(true, true, "Chrome")]),
    );
    push(
        "2026-03-02T10:01:00Z",
        "user_create",
        "directory",
        with(&[root(), at("192.0.2.1", "FR"), json!({"resource": {"type": "user", "username": "x"}})]),
    );
    push(
        "2026-03-02T10:02:00Z",
        "user_create",
        "directory",
        with(&[root(), at("192.0.2.1", "FR"), json!({"resource": {"type": "user", "username": "y"}})]),
    );
    push(
        "2026-03-09T10:03:00Z",
        "user_delete",
        "directory",
        with(&[
            root(),
            at("203.0.113.5", "VN"),
            json!({"auth_method": "api-key", "success": false, "resource": {"type": "user", "username": "y"}}),
        ]),
    );
    events
}

#[test]
fn every_number_of_a_counted_file() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let events = counted();
    // A duplicate and a broken line change nothing but their own counts.
    fs::write(&path, lines(&events) + &lines(&events[..1]) + "broken\n").unwrap();
    let summary = summary(&[text(&path)]);
    let head = ["records", "events", "duplicates", "chosen", "first", "last"].map(|key| summary[key].clone());
    assert_eq!(
        head,
        [json!(15), json!(13), json!(1), json!(13), json!("2026-03-02T09:00:00Z"), json!("2026-03-09T10:03:00Z")]
    );
    assert_eq!(summary["skipped"], json!({"not JSON": 1}));
    assert_eq!(
        summary["sign_ins"],
        json!([
            {"who": "ann", "type": "user", "successes": 4, "failures": 1, "challenges": 1, "mfa": {"count": 2, "of": 3},
             "how": {"user_login_attempt": 4, "sso_auth": 2}, "countries": {"FR": 3, "DE": 1},
             "agents": {"Chrome": 2, "Firefox": 1}, "first_seen": "2026-03-02T09:00:00Z", "last_seen": "2026-03-02T09:05:00Z"},
            {"who": "bob", "type": "user", "successes": 0, "failures": 3, "challenges": 0, "mfa": {"count": 0, "of": 0},
             "how": {"user_login_attempt": 2, "radius_auth_attempt": 1},
             "first_seen": "2026-03-02T09:06:00Z", "last_seen": "2026-03-02T09:08:00Z"},
            {"who": "root@x.io", "type": "admin", "successes": 1, "failures": 0, "challenges": 0, "mfa": {"count": 1, "of": 1},
             "how": {"admin_login_attempt": 1}, "countries": {"FR": 1}, "agents": {"Chrome": 1},
             "first_seen": "2026-03-02T10:00:00Z", "last_seen": "2026-03-02T10:00:00Z"},
        ])
    );
    let actions = &summary["admin_actions"][0];
    assert_eq!(summary["admin_actions"].as_array().unwrap().len(), 1);
    assert_eq!(actions["admin"], "root@x.io");
    assert_eq!((&actions["actions"], &actions["failures"]), (&json!(3), &json!(1)));
    assert_eq!(
        (&actions["what"], &actions["countries"]),
        (&json!({"user_create": 2, "user_delete": 1}), &json!({"FR": 2, "VN": 1}))
    );
    assert_eq!(actions["via"]["api-key"], 1);
    assert_eq!(
        summary["failing_sources"],
        json!([
            {"source": "198.51.100.9", "failures": 3, "successes": 0, "people": 2, "who": {"bob": 2, "ann": 1},
             "how": {"user_login_attempt": 3}, "countries": {"NL": 3},
             "first_seen": "2026-03-02T09:03:00Z", "last_seen": "2026-03-02T09:07:00Z"},
            {"failures": 1, "successes": 0, "people": 1, "who": {"bob": 1}, "how": {"radius_auth_attempt": 1},
             "first_seen": "2026-03-02T09:08:00Z", "last_seen": "2026-03-02T09:08:00Z"},
        ])
    );
    assert_eq!(
        summary["days"],
        json!([
            {"day": "2026-03-02", "all": 12, "services": {"directory": 9, "sso": 2, "radius": 1}},
            {"day": "2026-03-03", "until": "2026-03-08", "all": 0},
            {"day": "2026-03-09", "all": 1, "services": {"directory": 1}},
        ])
    );
    assert_eq!(summary["gaps"], json!([{"from": "2026-03-02T11:00:00Z", "to": "2026-03-09T10:00:00Z", "hours": 167}]));
    assert_eq!(summary["silences"], json!([]));
}

/// Five weeks: the directory each hour, SSO on working days from 8 to 18 but for one day, and a device once a week.
#[test]
fn a_scan_and_a_summary_name_the_same_silences() {
    let mut events = Vec::new();
    let hours = (0..5 * 7 * 24).map(|hour| (hour / 24, hour % 24));
    for (day, hour) in hours {
        let date = if day < 27 { format!("2026-01-{:02}", day + 5) } else { format!("2026-02-{:02}", day - 26) };
        let mut push = |event_type: &str, service: &str| {
            let time = format!("{date}T{hour:02}:00:00Z");
            let id = format!("{service}{day}-{hour}");
            events.push(
                json!({"id": id, "organization": "o", "timestamp": time, "event_type": event_type, "service": service}),
            );
        };
        push("user_update", "directory");
        if day % 7 < 5 && (8..18).contains(&hour) && date != "2026-02-04" {
            push("sso_auth", "sso");
        }
        if day % 7 == 2 && hour == 9 {
            push("login_attempt", "systems");
        }
    }
    let case = TempDir::new().unwrap();
    let path = case.path().join("silent.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let silence = json!({"service": "sso", "from": "2026-02-03T18:00:00Z", "to": "2026-02-05T08:00:00Z", "hours": 38});
    let whole = summary(&[text(&path)]);
    assert_eq!((&whole["silences"], &whole["gaps"]), (&json!([silence]), &json!([])));
    let scan = jcdetect().args(["scan", text(&path), "--no-config", "-q", "--format", "json"]).output().unwrap();
    let scan: Value = serde_json::from_slice(&scan.stdout).unwrap();
    let of_scan = scan["coverage"]["silences"].as_array().unwrap();
    assert_eq!(of_scan.len(), 1);
    assert!(["service", "from", "to"].iter().all(|key| of_scan[0][key] == silence[key]), "{of_scan:?}");
    let later = summary(&[text(&path), "--since", "2026-02-06"]);
    assert_eq!(later["silences"], json!([]));
}

#[test]
fn scenarios_are_counted_as_a_reader_of_json_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    for name in ["admin-takeover", "bruteforce", "ldap-dump", "old-api-key"] {
        let events = fs::read_to_string(root.join(name).join("events.jsonl")).unwrap();
        let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut want: BTreeMap<String, u64> = BTreeMap::new();
        let mut failures = 0;
        for event in &events {
            *want.entry(event["event_type"].as_str().unwrap().to_owned()).or_default() += 1;
            failures += u64::from(event["event_type"] == "user_login_attempt" && event["success"] == false);
        }
        let summary = summary(&[text(&root.join(name))]);
        let rows = summary["event_types"].as_array().unwrap();
        let got: BTreeMap<String, u64> = rows
            .iter()
            .map(|row| (row["event_type"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap()))
            .collect();
        let want: BTreeMap<String, u64> = want
            .into_iter()
            .map(|(name, count)| (name.replace("ldap_search", "ldap_srch"), count))
            .map(|(name, count)| (if name == "radius_auth" { "radius_auth_attempt".to_owned() } else { name }, count))
            .collect();
        assert_eq!(got, want, "{name}");
        let failed = rows
            .iter()
            .find(|row| row["event_type"] == "user_login_attempt")
            .map_or(0, |row| row["failures"].as_u64().unwrap());
        assert_eq!(failed, failures, "{name}");
        let days: u64 = summary["days"].as_array().unwrap().iter().map(|row| row["all"].as_u64().unwrap()).sum();
        assert_eq!(days, events.len() as u64, "{name}");
    }
}

#[test]
fn tenants_are_never_mixed() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = counted();
    let mut other = counted();
    for (number, event) in other.iter_mut().enumerate() {
        event["organization"] = "p".into();
        event["id"] = format!("p{number}").into();
    }
    fs::write(&path, lines(&other)).unwrap();
    let alone = summary(&[text(&path)]);
    events.extend(other);
    fs::write(&path, lines(&events)).unwrap();
    let both = summary(&[text(&path)]);
    for table in ["sign_ins", "admin_actions", "failing_sources", "event_types", "days", "gaps", "silences"] {
        let mut own: Vec<Value> =
            both[table].as_array().unwrap().iter().filter(|row| row["organization"] == "p").cloned().collect();
        own.iter_mut().for_each(|row| _ = row.as_object_mut().unwrap().shift_remove("organization"));
        assert_eq!(Value::Array(own), alone[table], "{table}");
    }
    let chosen = summary(&[text(&path), "--organization", "p"]);
    assert_eq!((&chosen["events"], &chosen["chosen"]), (&json!(13), &json!(13)));
    for table in ["sign_ins", "admin_actions", "failing_sources", "event_types", "days", "silences"] {
        assert_eq!(chosen[table], alone[table], "{table}");
    }
}

#[test]
fn a_part_is_summed_up_alone() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&counted())).unwrap();
    let ann = summary(&[text(&path), "--where", "actor.key == 'user:id-ann' and source.country != 'NL'"]);
    assert_eq!((&ann["chosen"], &ann["sign_ins"][0]["failures"]), (&json!(5), &json!(0)));
    let late = summary(&[text(&path), "--since", "2026-03-09"]);
    assert_eq!((&late["chosen"], &late["sign_ins"]), (&json!(1), &json!([])));
}

#[test]
fn the_table_and_standard_input() {
    let output = jcdetect().args(["summary", "-"]).write_stdin(lines(&counted())).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    for want in
        ["ann ", "66 % (2 of 3)", "198.51.100.9", "user_create 2, user_delete 1", "13 events from 2026-03-02 09:00:00"]
    {
        assert!(table.contains(want), "{want}: {table}");
    }
    jcdetect().args(["summary", "-"]).write_stdin("").assert().code(0).stdout("0 events; nothing skipped\n");
    jcdetect().args(["summary", "-", "--format", "csv"]).write_stdin("").assert().code(2).stderr(
        predicate::str::contains("invalid value 'csv' for '--format <FORMAT>'\n  [possible values: table, json]"),
    );
}
