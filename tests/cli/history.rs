//! Older exports teach what is usual, and nothing in them is reported.

use std::fs;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines, sign_in};
use super::{findings, report, rule_ids, scan, text};

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

/// The same sign-in by a user, at their portal.
fn of_user(event: &mut Value) {
    event["event_type"] = "user_login_attempt".into();
    event["initiated_by"] = json!({"type": "user", "id": "5f0000000000000000000001", "username": "alice"});
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
    let mut person = usual.clone();
    person.iter_mut().for_each(of_user);
    let mut stranger = admin_sign_in(45, "NG", "203.0.113.7");
    of_user(&mut stranger);
    fs::write(&old, lines(&person)).unwrap();
    fs::write(&new, lines(&[stranger])).unwrap();
    let found = findings(&[text(&new), "--history", text(&old)]);
    let first = found.iter().find(|f| f["rule_id"] == "new-country-user").unwrap();
    assert_eq!(first["context"]["history"]["seen_before"], json!({"fr": 40}), "learned by a part of the rule");
    fs::write(&old, lines(&usual)).unwrap();
    fs::write(&new, lines(&[admin_sign_in(45, "NG", "203.0.113.7")])).unwrap();
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
fn a_log_that_is_too_short_to_learn_from_says_so() {
    let folder = TempDir::new().unwrap();
    let log = |name: &str, days: std::ops::Range<u32>| {
        let path = folder.path().join(name);
        fs::write(&path, lines(&days.map(|day| admin_sign_in(day, "FR", "198.51.100.7")).collect::<Vec<_>>())).unwrap();
        text(&path).to_owned()
    };
    let (old, new) = (log("old.jsonl", 0..32), log("new.jsonl", 32..42));
    let short = scan(&[&new]);
    let line = short.lines().find(|line| line.starts_with("Short: 9 d are read; ")).expect(&short);
    assert!(line.contains(" rules learn for 14 days or more what is usual, and judged nobody"), "{line}");
    assert!(!scan(&[&new, "--history", &old]).contains("Short:"));
    assert!(!scan(&[&old]).contains("Short:"));
}

/// The rules that found something, with the ids of their findings and whether they are pending and new.
fn told(arguments: &[&str]) -> Vec<(String, String, bool, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |f: &Value| (text(&f["rule_id"]), text(&f["id"]), f["pending"] == true, text(&f["status"]));
    findings(arguments).iter().map(of).collect()
}

#[test]
fn what_was_pending_is_certain_once_the_time_has_passed() {
    let folder = TempDir::new().unwrap();
    let path = |day: usize| folder.path().join(format!("{day}.jsonl"));
    let mut days: Vec<Vec<Value>> = (0..40).map(|day| vec![admin_sign_in(day, "FR", "198.51.100.7")]).collect();
    let mut off = days[37][0].clone();
    off["id"] = "ff".repeat(12).into();
    off["event_type"] = "admin_totp_disable".into();
    off["timestamp"] = "2026-02-10T23:00:00Z".into();
    off["resource"] = json!({"type": "admin", "id": "a2", "email": "carla@example.com"});
    days[37].push(off);
    fs::write(path(0), lines(&days[..37].concat())).unwrap();
    (37..40).for_each(|day| fs::write(path(day), lines(&days[day])).unwrap());
    let paths: Vec<String> = [0, 37, 38, 39].map(|day| text(&path(day)).to_owned()).to_vec();
    let rule = "admin-totp-disabled-no-reenrol";
    let of_day = |day: usize| {
        let history = paths[..day].iter().flat_map(|path| ["--history", path]);
        let arguments: Vec<&str> = std::iter::once(paths[day].as_str()).chain(history).collect();
        told(&arguments).into_iter().find(|(name, ..)| name == rule).map(|(_, id, is_pending, _)| (id, is_pending))
    };
    let whole = told(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let (_, id, is_pending, _) = whole.into_iter().find(|(name, ..)| name == rule).unwrap();
    assert!(!is_pending);
    assert_eq!(of_day(1), Some((id.clone(), true)));
    let certain = [of_day(2), of_day(3)].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(certain, [(id.clone(), false)], "once, by the id that it had");
    let since = |time: &str| {
        let all: Vec<&str> = paths.iter().map(String::as_str).chain(["--since", time]).collect();
        told(&all).into_iter().any(|(_, found, ..)| found == id)
    };
    assert_eq!((since("2026-02-11T12:00:00Z"), since("2026-02-12T00:00:00Z")), (true, false), "the day lasts 24 hours");
}

#[test]
fn late_events_complete_what_stands_in_history() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    let events = guessed_password();
    let (late, there) = events.split_at(events.len() - 3);
    fs::write(&old, lines(there)).unwrap();
    fs::write(&new, lines(late)).unwrap();
    let found = told(&[text(&new), "--history", text(&old)]);
    assert!(found.iter().any(|(rule, ..)| rule == "success-after-bruteforce"), "{found:?}");
    assert_eq!(found, told(&[text(&new), text(&old)]));
    let (_, id, ..) = found.iter().find(|(rule, ..)| rule == "success-after-bruteforce").unwrap();
    let arguments = ["investigate", id, text(&new), "--history", text(&old), "--no-config", "--format", "json"];
    let output = super::jcdetect().args(arguments).output().unwrap();
    let investigated: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(investigated["findings"].as_array().unwrap().iter().any(|f| f["id"] == id.as_str()), "{investigated}");
}

#[test]
fn a_burst_over_midnight_is_one_finding() {
    let folder = TempDir::new().unwrap();
    let (old, new, report) =
        (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"), folder.path().join("r"));
    let events: Vec<Value> = (0..18)
        .map(|n| {
            sign_in(
                n,
                &format!(
                    "2026-03-0{}:00Z",
                    ["2T23:", "3T00:"][n as usize / 10].to_owned() + &format!("{:02}", 50 * (1 - n / 10) + n % 10)
                ),
                false,
            )
        })
        .collect();
    fs::write(&old, lines(&events[..10])).unwrap();
    fs::write(&new, lines(&events[10..])).unwrap();
    fs::write(&report, super::scan(&[text(&old), "--format", "jsonl"])).unwrap();
    let id = |found: Vec<(String, String, bool, String)>| {
        found
            .into_iter()
            .find(|(rule, ..)| rule == "bruteforce-user-portal")
            .map(|(_, id, _, status)| (id, status))
            .unwrap()
    };
    let (monday, _) = id(told(&[text(&old)]));
    let tuesday = id(told(&[text(&new), "--history", text(&old), "--baseline", text(&report)]));
    assert_eq!(tuesday, (monday, "known".to_owned()));
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
    let timeline = ["timeline", text(&new), "--findings", "--history", text(&old), "--no-config"];
    super::jcdetect().args(timeline).assert().code(0);
    super::jcdetect().args(timeline).arg("--strict").assert().code(4);
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
