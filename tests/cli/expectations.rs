//! What a user expects, everywhere.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{findings, jcdetect, report, rule_ids, scan, text};

fn export() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let path = text(&path).to_owned();
    (folder, path)
}

#[test]
fn a_finding_has_the_fields_of_the_contract() {
    let (_folder, path) = export();
    let finding = &findings(&[&path])[0];
    let keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "schema",
        "id",
        "rule_id",
        "rule_title",
        "category",
        "severity",
        "confidence",
        "disposition",
        "status",
        "pending",
        "organization",
        "entity",
        "summary",
        "first_seen",
        "last_seen",
        "event_count",
        "attack",
        "related",
        "related_omitted",
        "evidence",
        "evidence_omitted",
        "context",
        "next_steps",
        "duet",
        "case_id",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(finding["schema"], "jcdetect/finding/v1");
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["entity"], json!({"type": "user", "id": "5f0000000000000000000001", "name": "alice"}));
    assert_eq!(finding["first_seen"], "2026-03-02T09:01:00.100Z");
    assert_eq!(finding["last_seen"], "2026-03-02T09:10:00.123456789Z");
    assert_eq!(finding["event_count"], 9);
    assert_eq!(
        finding["attack"][0],
        json!({"tactic": "Credential Access", "technique": "T1110", "name": "Brute Force"})
    );
    assert!(
        finding["related"]
            .as_array()
            .unwrap()
            .contains(&json!({"role": "source", "type": "ip", "value": "203.0.113.9"}))
    );
    assert_eq!(finding["evidence"][0]["event_id"], "000000000000000000000001");
    assert_eq!(finding["evidence"][0]["origin"]["line"], 1);
    for key in ["directory", "intel", "geo", "history"] {
        assert!(!finding["context"][key].is_null(), "{key}");
    }
}

#[test]
fn a_report_has_the_fields_of_the_contract() {
    let (_folder, path) = export();
    let report = report(&[&path]);
    assert_eq!(report["schema"], "jcdetect/report/v1");
    for key in ["run", "coverage", "cases", "findings"] {
        assert!(!report[key].is_null(), "{key}");
    }
    for key in ["records", "events", "duplicates", "skipped", "first", "last", "services"] {
        assert!(!report["coverage"][key].is_null(), "{key}");
    }
    for key in ["ran", "no_input", "too_young", "blind"] {
        assert!(!report["coverage"]["rules"][key].is_null(), "{key}");
    }
}

#[test]
fn evidence_beyond_the_limit_is_counted_and_what_completed_stays() {
    let (_folder, path) = export();
    let finding = &findings(&[&path, "--evidence", "3"])[0];
    assert_eq!((&finding["event_count"], &finding["evidence_omitted"]), (&json!(9), &json!(6)));
    let evidence = finding["evidence"].as_array().unwrap();
    assert_eq!((evidence.len(), &evidence[2]["event_id"]), (3, &json!("000000000000000000000009")));
}

#[test]
fn since_and_until_select_findings_after_detection() {
    let (_folder, path) = export();
    assert!(!findings(&[&path, "--since", "2026-03-02T09:09:00Z"]).is_empty(), "it ended after that");
    assert!(findings(&[&path, "--since", "2026-03-02T09:10:01Z"]).is_empty());
    assert!(findings(&[&path, "--until", "2026-03-02T09:00:00Z"]).is_empty());
    assert!(!findings(&[&path, "--since", "30d"]).is_empty(), "counted back from the newest event");
}

#[test]
fn min_severity_enable_and_disable() {
    let (_folder, path) = export();
    let all = findings(&[&path]);
    assert!(rule_ids(&all).contains(&"bruteforce-user-portal"));
    assert_eq!(rule_ids(&findings(&[&path, "--min-severity", "critical"])), ["success-after-bruteforce"]);
    let without = findings(&[&path, "--disable", "bruteforce-user-portal"]);
    assert_eq!(rule_ids(&without), ["success-after-bruteforce"]);
}

/// Else a rule that a copy of it replaces would count twice.
#[test]
fn what_is_disabled_adds_to_no_risk() {
    let scenario = "testdata/scenarios/push-fatigue";
    let risks = |arguments: &[&str]| {
        let found = findings(&[&[scenario, "--no-config"], arguments].concat());
        (rule_ids(&found).iter().filter(|rule| **rule == "risk-score-entity").count(), found)
    };
    let (count, all) = risks(&[]);
    assert_eq!(count, 1);
    let parts = rule_ids(&all).into_iter().filter(|rule| *rule != "risk-score-entity").collect::<BTreeSet<_>>();
    let disabled: Vec<&str> = parts.into_iter().flat_map(|rule| ["--disable", rule]).collect();
    let (count, rest) = risks(&disabled);
    assert_eq!((count, rest.len()), (0, 0), "{rest:?}");
}

#[test]
fn outputs_beside_standard_output() {
    let (folder, path) = export();
    let (json, jsonl) = (folder.path().join("r.json"), folder.path().join("r.jsonl"));
    let to = [format!("json={}", text(&json)), format!("jsonl={}", text(&jsonl))];
    let out = scan(&[&path, "--output", &to[0], "--output", &to[1]]);
    assert!(out.contains("alice"));
    assert_eq!(fs::read_to_string(&json).unwrap(), scan(&[&path, "--format", "json"]));
    assert_eq!(fs::read_to_string(&jsonl).unwrap(), scan(&[&path, "--format", "jsonl"]));
    assert_eq!(scan(&[&path, "--quiet", "--output", &to[0]]), "", "no table when there is an output");
    assert!(!scan(&[&path, "--quiet"]).is_empty());
}

#[test]
fn the_table_says_when_who_how_often_and_what_was_read() {
    let (_folder, path) = export();
    let table = scan(&[&path]);
    for want in [
        "When (UTC)",
        "critical",
        "alice",
        "2026-03-02 09:01:00",
        "Read: 9 events from 2026-03-02 09:01:00 to 2026-03-02 09:10:00 UTC",
        "Services: directory 9",
        "nothing skipped",
        "could not check",
    ] {
        assert!(table.contains(want), "{want}\n{table}");
    }
    assert!(!table.contains("Organization"), "one organization needs no column");
    assert!(!table.contains('\u{1b}'), "no colours into a pipe");
    assert!(scan(&[&path, "--color", "always"]).contains('\u{1b}'));
}

#[test]
fn a_zone_changes_what_is_shown_and_never_json() {
    let (_folder, path) = export();
    let table = scan(&[&path, "--tz", "+02:00"]);
    assert!(table.contains("When (UTC+02:00)") && table.contains("2026-03-02 11:01:00"), "{table}");
    assert_eq!(scan(&[&path, "--tz", "+02:00", "--format", "json"]), scan(&[&path, "--format", "json"]));
}

#[test]
fn nothing_found_and_nothing_checked_do_not_look_alike() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, r#"{"event_type":"software_add","timestamp":"2026-03-02T09:00:00Z","organization":"o","id":"1"}"#)
        .unwrap();
    let report = report(&[text(&path)]);
    let rules = &report["coverage"]["rules"];
    assert!(rules["no_input"].as_array().unwrap().contains(&json!("success-after-bruteforce")));
    assert!(scan(&[text(&path)]).contains("without their kind of event"));
    fs::write(&path, "").unwrap();
    let rules = super::report(&[text(&path)])["coverage"]["rules"].clone();
    assert_eq!(rules["no_input"].as_array().unwrap().len() as u64, rules["ran"].as_u64().unwrap());
}

#[test]
fn more_than_one_organization_shows_which() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    let mut events = guessed_password();
    let mut others = guessed_password();
    others.iter_mut().for_each(|event| event["organization"] = "another".into());
    events.extend(others);
    fs::write(&path, lines(&events)).unwrap();
    let table = scan(&[text(&path)]);
    assert!(table.contains("Organization") && table.contains("another: 2 findings, worst critical"), "{table}");
    // A question is no finding of the queue, here as in the last line.
    let asked = json!({"event_type": "user_update", "timestamp": "2026-03-02T09:00:00Z", "organization": "third", "id": "9",
        "initiated_by": {"type": "admin", "email": "root@example.com", "id": "5f0000000000000000000009"},
        "resource": {"type": "user", "id": "5f0000000000000000000008", "username": "zoe"}, "changes": [{"field": "sudo", "from": false, "to": true}]});
    fs::write(&path, lines(&[events, vec![asked]].concat())).unwrap();
    let table = scan(&[text(&path)]);
    assert!(table.contains("third: 1 question, worst "), "{table}");
    let own = findings(&[text(&path), "--organization", "another"]);
    assert!(!own.is_empty() && own.iter().all(|f| f["organization"] == "another"));
}

#[test]
fn one_of_several_organizations_is_told_of_as_if_alone() {
    let folder = TempDir::new().unwrap();
    let (path, alone) = (folder.path().join("all.jsonl"), folder.path().join("one.jsonl"));
    let (own, mut others) = (guessed_password(), guessed_password());
    others.iter_mut().for_each(|event| event["organization"] = "another".into());
    others[0]["service"] = "ldap".into();
    others[1]["timestamp"] = "2025-12-02T09:00:00Z".into();
    fs::write(&path, lines(&[others.clone(), own.clone()].concat())).unwrap();
    fs::write(&alone, lines(&own)).unwrap();
    let organization = own[0]["organization"].as_str().unwrap();
    let (part, whole) = (report(&[text(&path), "--organization", organization]), report(&[text(&alone)]));
    let count = |key: &str| part["coverage"][key].as_u64().unwrap();
    assert_eq!((count("events"), count("other_organizations")), (own.len() as u64, others.len() as u64));
    assert_eq!(count("records"), count("events") + count("other_organizations"));
    for key in ["services", "organizations", "first", "last", "gaps", "silences", "conflicting_ids", "rules"] {
        assert_eq!(part["coverage"][key], whole["coverage"][key], "{key}");
    }
    let ids = |report: &serde_json::Value| -> Vec<serde_json::Value> {
        report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].clone()).collect()
    };
    assert_eq!(ids(&part), ids(&whole));
}

#[test]
fn unknown_event_types_are_events() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(
        &path,
        r#"{"event_type":"foo_create","service":"bar","timestamp":"2026-03-02T09:00:00Z","organization":"o"}"#,
    )
    .unwrap();
    let report = report(&[text(&path)]);
    assert_eq!(report["coverage"]["events"], 1);
    assert_eq!(report["coverage"]["unknown_event_types"], json!({"foo_create": 1}));
    assert_eq!(report["coverage"]["services"], json!({"bar": 1}));
}

#[test]
fn help_is_grouped_and_names_the_exit_codes() {
    let output = jcdetect().args(["scan", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for want in ["Selection:", "Rules:", "Output:", "In pipelines:", "Exit codes"] {
        assert!(help.contains(want), "{want}");
    }
}
