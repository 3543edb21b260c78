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

/// Exporters spell one event otherwise, and rules read what makes no difference for a duplicate.
#[test]
fn of_records_that_count_as_one_the_same_is_kept_in_any_order() {
    let folder = TempDir::new().unwrap();
    let rule = |digit: u8, name: &str, detection: &str| {
        let head =
            format!("title: {name}\nname: {name}\nid: \"8e29815c-8077-51f9-b743-1f980643e85{digit}\"\nstatus: test\n");
        let tail = "jcdetect: {category: mfa, entity: organization, confidence: high, triage: [x], misses: y}\n";
        let text = format!("{head}level: low\ndescription: d\n{detection}\n{tail}");
        fs::write(folder.path().join(format!("rules/{name}.yml")), text).unwrap();
    };
    let of_field =
        |test: &str| format!("logsource: {{product: jumpcloud}}\ndetection: {{s: {{{test}}}, condition: s}}");
    fs::create_dir(folder.path().join("rules")).unwrap();
    rule(0, "zz-empty", &of_field("error_message: ''"));
    rule(1, "zz-missing", &of_field("error_message|exists: false, event_type: user_create"));
    rule(2, "zz-version", &of_field("raw.@version: '1'"));
    let start = r#"{"organization":"o1","event_type":"user_create","service":"directory","initiated_by":{"type":"admin","id":"5f01"},"#;
    // The last two are another event with that id.
    let spellings = [
        r#""id":"e1","timestamp":"2026-03-02T09:00:00.123456789Z","error_message":""}"#,
        r#""id":"e1","timestamp":"2026-03-02T09:00:00.1234567Z"}"#,
        r#""id":"e1","timestamp":"2026-03-02T09:00:00.1234567Z","error_message":"","provider":null}"#,
        r#""id":"e1","timestamp":"2026-03-02T09:00:00.5Z","@version":"1"}"#,
        r#""id":"e1","timestamp":"2026-03-02T09:00:00.5Z","_version":"1","error_message":""}"#,
    ];
    let rules = folder.path().join("rules");
    let found = |order: &[usize]| {
        for (place, number) in order.iter().enumerate() {
            let path = folder.path().join(format!("{place}.jsonl"));
            fs::write(path, format!("{start}{}\n", spellings[*number])).unwrap();
        }
        let sources: Vec<String> =
            (0..order.len()).map(|place| folder.path().join(format!("{place}.jsonl")).display().to_string()).collect();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let report = super::report(&[&sources[..], &["--no-config", "--rules", text(&rules)]].concat());
        assert_eq!(
            (&report["coverage"]["events"], &report["coverage"]["duplicates"]),
            (&2.into(), &(order.len() - 2).into())
        );
        let all = report["findings"].as_array().unwrap().clone();
        without_origin(all.into_iter().filter(|f| f["rule_id"].as_str().unwrap().starts_with("zz-")).collect())
    };
    let want = found(&[0, 1, 2, 3, 4]);
    assert_eq!(super::rule_ids(&want), ["zz-empty", "zz-missing", "zz-version"]);
    for order in [[4, 3, 2, 1, 0], [1, 4, 0, 2, 3], [2, 1, 3, 0, 4], [3, 0, 4, 2, 1]] {
        assert_eq!(found(&order), want, "{order:?}");
    }
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
