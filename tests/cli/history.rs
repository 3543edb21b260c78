//! Older exports teach what is usual, and nothing in them is reported.

use std::fs;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{findings, report, rule_ids, text};

fn admin_sign_in(day: u32, country: &str, ip: &str) -> Value {
    json!({
        "id": format!("{:024x}", day * 1000 + u32::from(country.as_bytes()[0])),
        "organization": "o",
        "service": "directory",
        "event_type": "admin_login_attempt",
        "timestamp": format!("2026-0{}-{:02}T09:00:00Z", 1 + day / 28, 1 + day % 28),
        "success": true,
        "mfa": true,
        "initiated_by": {"id": "a1", "type": "admin", "email": "root@example.com"},
        "client_ip": ip,
        "geoip": {"country_code": country},
        "useragent": {"name": "Chrome", "os_name": "Mac OS X"},
    })
}

#[test]
fn a_new_country_is_new_against_the_history() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    let usual: Vec<Value> = (0..40).map(|day| admin_sign_in(day, "FR", "198.51.100.7")).collect();
    fs::write(&old, lines(&usual)).unwrap();
    fs::write(&new, lines(&[admin_sign_in(45, "NG", "203.0.113.7")])).unwrap();
    let alone = report(&[text(&new)]);
    assert_eq!(alone["findings"], json!([]));
    assert!(alone["coverage"]["rules"]["too_young"].as_array().unwrap().contains(&json!("new-country-admin")));
    let found = findings(&[text(&new), "--history", text(&old)]);
    assert!(rule_ids(&found).contains(&"new-country-admin"));
    let new_country = found.iter().find(|f| f["rule_id"] == "new-country-admin").unwrap();
    assert_eq!(new_country["context"]["history"]["seen_before"], json!({"fr": 40}));
    let account = report(&[text(&new), "--history", text(&old)]);
    assert_eq!(account["coverage"]["events"], 1, "history is not part of the account");
}

#[test]
fn evidence_in_the_history_is_cited_where_it_stands() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    let events = guessed_password();
    fs::write(&old, lines(&events[..6])).unwrap();
    fs::write(&new, lines(&events[6..])).unwrap();
    let arguments = [text(&new), "--history", text(&old)];
    let report = report(&arguments);
    assert_eq!((&report["run"]["sources"], &report["run"]["history"]), (&json!([text(&new)]), &json!([text(&old)])));
    let found = report["findings"].as_array().unwrap();
    let guessed = found.iter().find(|f| f["rule_id"] == "success-after-bruteforce").unwrap();
    let at: Vec<(&str, u64)> = guessed["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["origin"]["source"].as_str().unwrap(), e["origin"]["line"].as_u64().unwrap()))
        .collect();
    let want: Vec<(&str, u64)> =
        (1..=6).map(|line| (text(&old), line)).chain((1..=3).map(|line| (text(&new), line))).collect();
    assert_eq!(at, want);
    let id = guessed["id"].as_str().unwrap();
    let investigated = super::jcdetect()
        .args(["investigate", id, "--no-config", "--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&investigated.stdout).unwrap();
    assert!(told.to_string().contains(id), "{told}");
}

#[test]
fn what_stands_in_history_is_not_reported() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    fs::write(&old, lines(&guessed_password())).unwrap();
    fs::write(&new, lines(&[admin_sign_in(45, "FR", "203.0.113.7")])).unwrap();
    assert!(findings(&[text(&new), "--history", text(&old)]).is_empty());
    let both = findings(&[text(&old), "--history", text(&old)]);
    assert!(rule_ids(&both).contains(&"success-after-bruteforce"), "what stands in both is input");
}

#[test]
fn what_is_skipped_of_the_history_is_told() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    fs::write(&old, "{\"event_type\": \n".to_owned() + &lines(&guessed_password()[..2])).unwrap();
    fs::write(&new, lines(&guessed_password()[2..])).unwrap();
    let arguments = [text(&new), "--history", text(&old), "--no-config"];
    let history = report(&arguments)["coverage"]["history"].clone();
    assert_eq!((&history["records"], &history["events"]), (&3.into(), &2.into()));
    assert_eq!(history["skipped"][0]["examples"][0], json!({"source": text(&old), "line": 1}));
    super::jcdetect().arg("scan").args(arguments).arg("--strict").assert().code(4).stdout(
        predicates::str::contains("Skipped of the history: 1 record")
            .and(predicates::str::contains("nothing skipped; 1 record of the history skipped")),
    );
}

#[test]
fn what_cannot_be_read_of_the_history_is_in_every_answer() {
    let folder = TempDir::new().unwrap();
    let (new, none) = (folder.path().join("new.jsonl"), folder.path().join("none.jsonl"));
    fs::write(&new, lines(&guessed_password())).unwrap();
    let id = findings(&[text(&new)])[0]["id"].as_str().unwrap().to_owned();
    let run = |command: &[&str]| {
        let history = ["--history", text(&none), "--no-config", "--quiet"];
        let ended = super::jcdetect().args(command).arg(text(&new)).args(history).assert().code(3);
        String::from_utf8(ended.get_output().stdout.clone()).unwrap()
    };
    for command in [&["investigate", "alice"][..], &["timeline", "--findings"], &["explain", &id]] {
        let told = run(command);
        let line = format!("Could not be read of the history: {} (", none.display());
        assert!(told.contains(&line), "{command:?}: {told}");
        let is_account = told.contains("; 1 source of the history could not be read");
        assert_eq!(is_account, command[0] != "explain", "{command:?}: {told}");
    }
    let json: Value = serde_json::from_str(&run(&["investigate", "alice", "--format", "json"])).unwrap();
    assert_eq!(json["coverage"]["history"]["unreadable"][0]["source"], text(&none));
}
