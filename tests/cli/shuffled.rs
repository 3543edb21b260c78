//! Same events, same bytes: whatever the order of lines, the files they stand in, or the threads.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::events::guessed_password;
use super::{findings, scan, text, without_origin};

/// A few hundred events of several people, with equal times, repeated events, and ids that stand on two.
fn world() -> Vec<String> {
    let mut lines = Vec::new();
    for person in 0..12 {
        for (n, mut event) in guessed_password().into_iter().enumerate() {
            event["id"] = format!("{:024x}", person * 100 + n).into();
            event["initiated_by"] = serde_json::json!({"type": "user", "username": format!("user{}", person % 7)});
            if person % 3 == 0 {
                event["timestamp"] = format!("2026-03-02T09:0{}:00Z", n % 5).into();
            }
            lines.push(event.to_string());
            if n % 3 == 0 {
                event["client_ip"] = "203.0.113.77".into();
                lines.push(event.to_string());
            }
        }
    }
    lines.extend(lines.clone().into_iter().step_by(5));
    lines
}

/// Another order, the same one in every run.
fn shuffled(lines: &[String], seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut keyed: Vec<(u64, &String)> = lines
        .iter()
        .map(|line| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 20, line)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, line)| line.clone()).collect()
}

#[test]
fn threads_order_and_files_change_nothing() {
    let lines = world();
    let folder = TempDir::new().unwrap();
    let sorted = folder.path().join("sorted.jsonl");
    fs::write(&sorted, lines.join("\n")).unwrap();
    let want = without_origin(findings(&[text(&sorted)]));
    assert!(want.len() >= 7, "{}", want.len());
    let bytes = scan(&[text(&sorted), "--format", "json"]);
    for threads in ["1", "2", "4"] {
        assert_eq!(scan(&[text(&sorted), "--format", "json", "--threads", threads]), bytes, "{threads} threads");
    }
    for seed in 1..5 {
        let parts = TempDir::new().unwrap();
        for (i, part) in shuffled(&lines, seed).chunks(lines.len() / 3 + 1).enumerate() {
            fs::write(parts.path().join(format!("{i}.jsonl")), part.join("\n")).unwrap();
        }
        let threads = (seed % 3 + 1).to_string();
        let found: Vec<Value> = findings(&[text(parts.path()), "--threads", &threads]);
        assert_eq!(without_origin(found), want, "seed {seed}");
    }
}

#[test]
fn duplicates_count_once_and_the_first_is_cited() {
    let folder = TempDir::new().unwrap();
    let lines: Vec<String> = guessed_password().iter().map(Value::to_string).collect();
    let path = folder.path().join("twice.jsonl");
    fs::write(&path, [lines.clone(), lines].concat().join("\n")).unwrap();
    let report = super::report(&[text(&path)]);
    assert_eq!((&report["coverage"]["events"], &report["coverage"]["duplicates"]), (&9.into(), &9.into()));
    let evidence = report["findings"][0]["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 9);
    assert!(evidence.iter().all(|e| e["origin"]["line"].as_u64().unwrap() <= 9));
}

#[test]
fn organizations_do_not_mix() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("two.jsonl");
    let mut events = guessed_password();
    for (n, event) in events.iter_mut().enumerate() {
        event["organization"] = if n % 2 == 0 { "o1".into() } else { "o2".into() };
    }
    fs::write(&path, super::events::lines(&events)).unwrap();
    assert!(!super::rule_ids(&findings(&[text(&path)])).contains(&"success-after-bruteforce"));
}
