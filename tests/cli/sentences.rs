//! Sentences: every event of the scenarios and of the examples in the rules is said in words.

use std::fs;
use std::path::{Path, PathBuf};

use jcdetect::event::Event;
use jcdetect::event::json::Json;
use jcdetect::rule::example::examples;
use jcdetect::rule::pack::PACK;
use jcdetect::triage::sentence;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::lines;
use super::{findings, jcdetect, text};

fn read(folder: &Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, out);
        } else if path.extension().is_some_and(|e| e == "jsonl") {
            out.extend(std::fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
}

fn all() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    read(&root.join("testdata"), &mut out);
    for (path, text) in PACK {
        out.extend(examples(path, text).unwrap().into_iter().flat_map(|example| example.events));
    }
    out
}

/// Types that only examples of rules have, for types nobody has words for.
fn is_invented(event_type: &str) -> bool {
    event_type.is_empty()
        || !sentence::is_known(event_type) && jcdetect::event::catalogue::service_of(event_type).is_none()
}

#[test]
fn nothing_is_said_as_json() {
    let mut known = 0;
    for line in all() {
        let json = Json::parse(&line).unwrap();
        let event = Event::new(&json).unwrap();
        let said = sentence::of(&event).to_string();
        // A value in quotes may be anything; an object of the record may not stand there.
        assert!(!said.contains(": {\"") && !said.contains("something unnamed"), "{said}\n{line}");
        assert!(!said.contains("did `") || is_invented(&event.event_type), "{said}\n{line}");
        known += usize::from(!said.contains("did `"));
    }
    assert!(known > 2000, "{known}");
}

/// What an administrator did in an association.
fn association(minute: u32, op: &str, by: &Value, from: &Value) -> Value {
    json!({
        "event_type": "association_change", "service": "directory", "organization": "o", "id": format!("e{minute}"),
        "timestamp": format!("2026-09-01T08:{minute:02}:00Z"), "success": true, "initiated_by": by,
        "association": {"op": op, "connection": {"from": from, "to": {"type": "user", "object_id": "u1", "name": "alice"}}},
    })
}

#[test]
fn timelines_evidence_and_findings_say_what_was_bound_to_whom() {
    let alice = json!({"type": "admin", "id": "a1", "email": "alice@example.com"});
    let server = json!({"type": "system", "object_id": "s1", "name": "prod-db-1"});
    let events = ["add", "remove"].into_iter().zip(1..);
    let events: Vec<Value> = events.map(|(op, n)| association(n, op, &alice, &server)).collect();
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let output = jcdetect().args(["timeline", text(&path), "--format", "jsonl"]).output().unwrap();
    let rows = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Value> =
        rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap()["message"].clone()).collect();
    let gave = "alice@example.com gave alice access to the device prod-db-1";
    assert_eq!(said, [gave, "alice@example.com took from alice the access to the device prod-db-1"]);
    let found = findings(&[text(&path), "--no-config"]);
    let own = found.iter().find(|finding| finding["rule_id"] == "device-bound-self").unwrap();
    assert_eq!(own["evidence"][0]["summary"], gave);
    assert_eq!(
        own["summary"],
        "Administrator gives themselves a server: alice@example.com, on alice, device prod-db-1"
    );
    let roles: Vec<&str> =
        own["related"].as_array().unwrap().iter().map(|part| part["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["actor", "target", "device"]);
}

#[test]
fn a_finding_names_what_all_of_its_events_bound() {
    let root = json!({"type": "admin", "id": "a1", "email": "root@example.com"});
    let device = |n: u32| json!({"type": "system", "object_id": format!("s{n}"), "name": format!("laptop-{n}")});
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&(10..20).map(|n| association(n, "add", &root, &device(n))).collect::<Vec<_>>())).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let summary = found.iter().find(|finding| finding["rule_id"] == "device-bind-burst").unwrap()["summary"].clone();
    let told = ", by root@example.com, device laptop-10, device laptop-11, device laptop-12 and 7 more";
    assert!(summary.as_str().unwrap().contains(told), "{summary}");
}

#[test]
fn whoever_was_tried_did_not_do_it_and_the_gateway_is_named() {
    let attempt = |n: u32| {
        json!({
            "id": format!("r{n}"), "organization": "o", "service": "radius", "event_type": "radius_auth_attempt", "success": false,
            "timestamp": format!("2026-03-02T09:{n:02}:00Z"), "client_ip": "203.0.113.77", "auth_type": "MSCHAPv2",
            "error_message": "invalid credentials",
            "initiated_by": {"id": format!("5f{n:022}"), "type": "user", "username": format!("user{n}")},
        })
    };
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&(10..35).map(attempt).collect::<Vec<_>>())).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let spray = found.iter().find(|finding| finding["rule_id"] == "radius-spray").unwrap();
    let summary = spray["summary"].as_str().unwrap();
    let told = ", as user10, user11, user12 and 22 more, at the gateway 203.0.113.77, 25 events";
    assert!(summary.contains(told) && !summary.contains(", by "), "{summary}");
    let gateway = json!({"role": "gateway", "type": "ip", "value": "203.0.113.77"});
    assert!(spray["related"].as_array().unwrap().contains(&gateway), "{spray:#}");
}

#[test]
fn who_got_in_is_told_apart_from_who_was_tried() {
    let attempt = |n: u32, is_in: bool| {
        json!({
            "id": format!("r{n}"), "organization": "o", "service": "directory", "event_type": "user_login_attempt", "success": is_in,
            "timestamp": format!("2026-03-02T09:{n:02}:00Z"), "client_ip": "203.0.113.77",
            "initiated_by": {"id": format!("5f{n:022}"), "type": "user", "username": format!("user{n}")},
        })
    };
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let events: Vec<Value> = (10..40).map(|n| attempt(n, false)).chain([attempt(45, true)]).collect();
    fs::write(&path, lines(&events)).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let success = found.iter().find(|finding| finding["rule_id"] == "success-after-spray").unwrap();
    let summary = success["summary"].as_str().unwrap();
    assert!(summary.contains(": 203.0.113.77, got in as user45, tried user10, user11, user12 and "), "{summary}");
}

#[test]
fn whom_a_lockout_befell_did_not_do_it() {
    let lockout = |n: u32| {
        let who = json!({"type": "user", "id": format!("u{n}"), "username": format!("user{n}")});
        json!({
            "id": format!("l{n}"), "organization": "o", "service": "directory", "event_type": "user_lockout",
            "timestamp": format!("2026-03-02T09:{n:02}:00Z"), "initiated_by": who, "resource": who,
        })
    };
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&(10..25).map(lockout).collect::<Vec<_>>())).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let storm = found.iter().find(|finding| finding["rule_id"] == "lockout-storm").unwrap();
    let summary = storm["summary"].as_str().unwrap();
    assert!(summary.contains(", on user10, user11, user12 and 12 more") && !summary.contains(", by "), "{summary}");
    assert_eq!(storm["evidence"][0]["summary"], "user10 was locked out");
}

#[test]
fn evidence_says_what_was_changed_and_keeps_secrets() {
    let root = json!({"type": "admin", "id": "a1", "email": "root@example.com"});
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let event = json!({
        "event_type": "iplist_update", "service": "directory", "organization": "o", "id": "e1",
        "timestamp": "2026-09-01T08:00:00Z", "success": true, "initiated_by": root,
        "resource": {"type": "iplist", "id": "i1", "name": "Offices"},
        "changes": [{"field": "ips", "from": ["198.51.100.0/24"], "to": ["198.51.100.0/24", "0.0.0.0/0"]},
            {"field": "syncToken", "from": "old-1", "to": "new-2"}],
    });
    fs::write(&path, lines(&[event])).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let widened = found.iter().find(|finding| finding["rule_id"] == "iplist-widened").unwrap();
    let said = "root@example.com changed the IP list Offices: ips: added \"0.0.0.0/0\"; syncToken";
    assert_eq!(widened["evidence"][0]["summary"], said);
}

#[test]
fn a_workflow_goes_by_the_name_that_its_change_has_for_it() {
    let root = json!({"type": "admin", "id": "a1", "email": "root@example.com"});
    let edit = json!({
        "event_type": "workflow_create", "service": "workflows", "organization": "o", "id": "e0",
        "timestamp": "2026-09-01T08:00:00Z", "initiated_by": root,
        "resource": {"type": "workflow", "id": "6b0000000000000000000001", "name": "Offboard"},
    });
    let workflow = json!({"type": "workflow", "id": "6b0000000000000000000001"});
    let group = json!({"type": "user_group", "object_id": "g1", "name": "Domain Admins"});
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&[edit, association(10, "add", &workflow, &group)])).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let changed = found.iter().find(|finding| finding["rule_id"] == "workflow-changed-then-run").unwrap();
    assert_eq!(changed["entity"]["name"], "Offboard");
    let summary = changed["summary"].as_str().unwrap();
    assert!(summary.contains(": Offboard, on alice, group Domain Admins"), "{summary}");
}
