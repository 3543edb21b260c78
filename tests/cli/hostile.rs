//! The log is hostile: an attacker chose the names in it, and broke what he could.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines, sign_in};
use super::{findings, report, scan, text};

fn scan_bytes(bytes: &[u8], arguments: &[&str]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, bytes).unwrap();
    let out = scan(&[&[text(&path)], arguments].concat());
    (folder, out)
}

#[test]
fn names_do_nothing_to_a_terminal() {
    let mut events = guessed_password();
    for event in &mut events {
        event["initiated_by"]["username"] = "al\u{1b}[31mice\u{202e}\u{7}\nx".into();
        event["initiated_by"].as_object_mut().unwrap().remove("id");
    }
    let (_folder, table) = scan_bytes(lines(&events).as_bytes(), &[]);
    assert!(table.contains("\\u{1b}"), "{table}");
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}') && !table.contains('\u{7}'));
    let (folder, json) = scan_bytes(lines(&events).as_bytes(), &["--format", "jsonl"]);
    let path = folder.path().join("x.jsonl");
    for format in ["csv", "timesketch"] {
        let table = super::jcdetect().args(["timeline", text(&path), "--format", format]).output().unwrap().stdout;
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("\\u{1b}") && !table.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{table}");
    }
    let name = serde_json::from_str::<Value>(json.lines().next().unwrap()).unwrap()["entity"]["name"].clone();
    assert_eq!(name, "al\u{1b}[31mice\u{202e}\u{7}\nx", "JSON has it as in the log");
}

#[test]
fn file_names_do_nothing_to_a_terminal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a\u{1b}[31m.jsonl");
    fs::write(&path, "not json\n".to_owned() + &lines(&guessed_password())).unwrap();
    assert!(!scan(&[text(&path)]).contains('\u{1b}'));
    fs::write(&path, "<html>\u{202e}\u{1b}[31m").unwrap();
    let said = super::jcdetect().args(["scan", text(&path)]).output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("no Directory Insights event") && !said.contains(['\u{1b}', '\u{202e}']), "{said}");
}

#[test]
fn bad_records_are_counted_by_reason_and_shown_with_their_line() {
    let mut bytes = Vec::new();
    let good = lines(&guessed_password());
    let deep = format!("{{\"event_type\":\"x\",\"a\":{}1{}}}", "[".repeat(150), "]".repeat(150));
    let long = format!("{{\"event_type\":\"x\",\"a\":\"{}\"}}", "x".repeat(3000));
    for part in [
        b"not json\n".as_slice(),
        b"{\"event_type\":\"x\",\"timestamp\":\"2026-01-01T00:00:00Z\"\n",
        deep.as_bytes(),
        b"\n",
        long.as_bytes(),
        b"\n{\"event_type\":\"\xff\"}\n",
        b"[1]\n",
        b"{\"hello\":\"world\"}\n",
        b"{\"event_type\":\"x\"}\n",
        b"{\"event_type\":\"\\ud800\"}\n",
        good.as_bytes(),
    ] {
        bytes.extend_from_slice(part);
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, bytes).unwrap();
    let report = report(&[text(&path), "--record-limit", "2000"]);
    let coverage = &report["coverage"];
    let skipped: Vec<(&str, u64, u64)> = coverage["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (s["reason"].as_str().unwrap(), s["count"].as_u64().unwrap(), s["examples"][0]["line"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        skipped,
        [
            ("not JSON", 2, 1),
            ("cut off", 1, 2),
            ("too deep", 1, 3),
            ("too long", 1, 4),
            ("not UTF-8", 1, 5),
            ("not an object", 1, 6),
            ("not a Directory Insights event", 1, 7),
            ("no readable timestamp", 1, 8),
        ]
    );
    assert_eq!(coverage["events"], 9);
    let sum = 9 + skipped.iter().map(|s| s.1).sum::<u64>();
    assert_eq!(coverage["records"], sum, "records = events + duplicates + skipped");
}

/// An array on one line that is longer than any record may be, with something else among its events.
#[test]
fn one_element_that_is_no_object_loses_no_other() {
    let objects: Vec<String> = guessed_password().iter().map(Value::to_string).collect();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.json");
    fs::write(&path, format!("[{},null,{}]", objects[..2].join(","), objects[2..].join(","))).unwrap();
    let report = report(&[text(&path), "--record-limit", "2000"]);
    let skipped = &report["coverage"]["skipped"];
    assert_eq!((&report["coverage"]["events"], skipped.as_array().unwrap().len()), (&9.into(), 1));
    assert_eq!((&skipped[0]["reason"], &skipped[0]["count"]), (&"not an object".into(), &1.into()));
}

#[test]
fn a_table_is_no_bomb() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.csv");
    let row = "2026-03-02T09:00:00Z,user_login_attempt,o";
    // One quote too many makes no cell of all that follows.
    let rows = format!("timestamp,event_type,organization\n{row}\n2026,\"x,o\n{}", format!("{row}\n").repeat(100));
    fs::write(&path, rows).unwrap();
    let coverage = &report(&[text(&path)])["coverage"];
    assert_eq!((&coverage["events"], &coverage["skipped"][0]["reason"]), (&101.into(), &"cut off".into()));
    // A header leads into no object without end, and ends.
    let dots = format!("timestamp,event_type,{}a\n2026-03-02T09:00:00Z,user_login_attempt,x\n", "a.".repeat(200));
    fs::write(&path, dots).unwrap();
    assert_eq!(report(&[text(&path)])["coverage"]["events"], 1);
    fs::write(&path, format!("timestamp,event_type,{}\n{row}\n", "x".repeat(50_000))).unwrap();
    let scan = super::jcdetect().args(["scan", text(&path), "--record-limit", "9000"]).assert().code(3);
    scan.stderr(predicates::str::contains("its header is too long"));
}

#[test]
fn repeated_keys_keep_the_last_and_lose_no_line() {
    let mut text = lines(&guessed_password());
    text = text
        .replace("\"event_type\":\"user_login_attempt\"", "\"event_type\":\"x\",\"event_type\":\"user_login_attempt\"");
    let (_folder, found) = scan_bytes(text.as_bytes(), &["--format", "jsonl"]);
    assert!(found.contains("success-after-bruteforce"));
}

#[test]
fn a_limit_that_leaves_nothing_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let scan = super::jcdetect().args(["scan", text(&path), "--record-limit", "10"]).assert().code(3);
    scan.stderr(predicates::str::contains("too long to be read: raise --record-limit"));
}

#[test]
fn escaped_keys_hide_nothing() {
    let text = lines(&guessed_password()).replace("\"event_type\"", "\"\\u0065vent_type\"");
    let (_folder, found) = scan_bytes(text.as_bytes(), &["--format", "jsonl"]);
    assert!(found.contains("success-after-bruteforce"));
}

#[test]
fn odd_types_in_wanted_fields_are_no_panic() {
    let odd = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1.5e300),
        json!("x"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"a": {"b": []}}),
    ];
    let keys: Vec<String> = sign_in(1, "x", true).as_object().unwrap().keys().cloned().collect();
    let extra = [
        "changes",
        "association",
        "resource",
        "system",
        "application",
        "asn",
        "auth_meta",
        "src_ip",
        "status",
        "error_code",
        "sso_token_success",
    ];
    let mut text_of = String::new();
    for key in keys.iter().map(String::as_str).chain(extra) {
        for value in &odd {
            let mut event = sign_in(1, "2026-03-02T09:00:00Z", true);
            event[key] = value.clone();
            text_of += &(event.to_string() + "\n");
        }
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, text_of).unwrap();
    let report = report(&[text(&path)]);
    assert!(report["coverage"]["events"].as_u64().unwrap() > 50);
    assert_eq!(report["coverage"]["rules"]["failed"], json!([]));
}

#[test]
fn truncated_anywhere_is_no_panic_and_adds_up() {
    let whole = lines(&guessed_password()[..2]);
    let folder = TempDir::new().unwrap();
    for end in (0..whole.len()).step_by(97) {
        let path = folder.path().join(format!("{end}.jsonl"));
        fs::write(&path, &whole.as_bytes()[..end]).unwrap();
    }
    let report = report(&[text(folder.path())]);
    let coverage = &report["coverage"];
    let skipped: u64 = coverage["skipped"].as_array().unwrap().iter().map(|s| s["count"].as_u64().unwrap()).sum();
    let sum = coverage["events"].as_u64().unwrap() + coverage["duplicates"].as_u64().unwrap() + skipped;
    assert_eq!(coverage["records"].as_u64().unwrap(), sum);
}

#[test]
fn a_finding_for_a_user_without_a_name_is_still_told() {
    let mut events = guessed_password();
    events.iter_mut().for_each(|event| event["initiated_by"] = json!({"type": "user", "id": "5f01"}));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    assert_eq!(findings(&[text(&path)])[0]["entity"]["name"], "5f01");
}

/// Two names that look alike are told apart by what makes them differ.
#[test]
fn what_nobody_sees_is_shown() {
    let mut events = vec![sign_in(1, "2026-03-02T09:00:00Z", true), sign_in(2, "2026-03-02T09:01:00Z", true)];
    for (event, name) in events.iter_mut().zip(["al\u{ad}ice", "alice\u{3164}\u{e0041}"]) {
        event["initiated_by"] = json!({"type": "user", "username": name});
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    for (command, format) in [("hunt", "table"), ("timeline", "csv"), ("summary", "table")] {
        let output =
            super::jcdetect().args([command, text(&path), "--no-config", "--format", format]).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        for shown in ["al\\u{ad}ice", "alice\\u{3164}\\u{e0041}"] {
            assert!(out.contains(shown), "{command}: {out}");
        }
    }
}

/// A pipe in a folder may wait for ever. It is told, and read where it is named itself.
#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_told() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("only.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let nothing = super::jcdetect().args(["hunt", text(folder.path()), "--no-config"]).assert().code(3);
    nothing.stderr(predicates::str::contains(
        "or starts like an export; only.jsonl is no file: a pipe is read where it is",
    ));
    fs::write(folder.path().join("x.jsonl"), lines(&guessed_password())).unwrap();
    assert_eq!(report(&[text(folder.path())])["coverage"]["not_read"], json!(["only.jsonl"]));
    let scan = super::jcdetect().args(["scan", text(folder.path()), "--no-config"]).assert();
    scan.stdout(predicates::str::contains("Not read: 1 other (only.jsonl)\n"));
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, lines(&guessed_password())).unwrap()
    });
    assert_eq!(report(&[text(&pipe)])["coverage"]["events"], 9);
    writer.join().unwrap();
}

/// A link that leads back is one entry of a folder, and the rest of it is read.
#[cfg(unix)]
#[test]
fn a_link_that_leads_back_is_named() {
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    fs::write(folder.path().join("x.jsonl"), lines(&guessed_password())).unwrap();
    let coverage = report(&[text(folder.path())])["coverage"].take();
    assert_eq!((&coverage["events"], &coverage["unreadable"][0]["source"]), (&json!(9), &json!("loop")));
}

/// Where a row is a line, one name makes no other row longer than can be read.
#[test]
fn one_long_name_makes_no_wide_table() {
    let mut events = vec![sign_in(1, "2026-03-02T09:00:00Z", true), sign_in(2, "2026-03-02T09:01:00Z", true)];
    let name = "x".repeat(100_000);
    events[0]["initiated_by"] = json!({"type": "user", "username": name});
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let out = |arguments: &[&str]| {
        let output = super::jcdetect().args(arguments).args([text(&path), "--no-config"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for command in ["hunt", "timeline", "summary"] {
        let table = out(&[command]);
        assert!(table.lines().all(|line| line.chars().count() < 700) && table.contains("x…"), "{command}: {table}");
    }
    for format in ["csv", "jsonl"] {
        assert!(out(&["hunt", "--format", format]).contains(&name), "{format}");
    }
}
