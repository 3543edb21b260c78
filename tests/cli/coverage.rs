//! Coverage: what the log does not say, or says twice, is told.

use std::fs;

use jcdetect::event::time::{HOUR, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{lines, sign_in};
use super::{jcdetect, report, scan, scenario, text};

/// Monday, 2026-02-02.
const START: i64 = 1_769_990_400_000_000_000;

fn event(hour: i64, service: &str, event_type: &str) -> Value {
    json!({
        "id": format!("{service}-{hour}"),
        "organization": "o",
        "service": service,
        "event_type": event_type,
        "timestamp": Timestamp(START + hour * HOUR).rfc3339(),
        "initiated_by": {"id": "1", "type": "user", "username": "alice"},
    })
}

#[test]
fn what_is_silent_unknown_or_told_twice_stands_in_coverage() {
    let lost = 4 * 7 * 24 + 24;
    let mut events = Vec::new();
    for hour in 0..5 * 7 * 24 {
        events.push(event(hour, "directory", "user_update"));
        if !(lost..lost + 24).contains(&hour) {
            events.push(event(hour, "sso", "sso_auth"));
        }
    }
    events.push(event(7, "quantum", "quantum_entangled"));
    let mut other = event(9, "directory", "user_update");
    other["client_ip"] = "203.0.113.9".into();
    events.push(other);

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let coverage = report(&[text(&path)])["coverage"].take();
    assert_eq!(
        coverage["silences"],
        json!([{"organization": "o", "service": "sso", "from": "2026-03-03T00:00:00Z", "to": "2026-03-04T00:00:00Z"}])
    );
    assert_eq!(coverage["unknown_event_types"], json!({"quantum_entangled": 1}));
    assert_eq!(coverage["conflicting_ids"], 1);
    let table = scan(&[text(&path)]);
    for line in [
        "Silent: no sso events from 2026-03-03 00:00:00 to 2026-03-04 00:00:00 UTC, unlike in other weeks (24 h)",
        "Unknown: 1 event type that JumpCloud does not document: quantum_entangled 1",
        "Same id, different events: 1 id stands on more than one event; all were kept",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
}

/// A small office with quiet nights and weekends; of one working day nothing was exported, of any service.
#[test]
fn a_working_day_without_anything_is_told_and_a_weekend_is_not() {
    let lost = 3 * 7 * 24 + 24;
    let is_at_work = |hour: i64| hour % (7 * 24) < 5 * 24 && (8..18).contains(&(hour % 24));
    let hours = || (0..4 * 7 * 24).filter(|hour| is_at_work(*hour));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    let gaps = |hours: &mut dyn Iterator<Item = i64>, is_of_one: bool| {
        let of_hour = |hour| match hour % 3 == 0 && !is_of_one {
            true => event(hour, "directory", "user_update"),
            false => event(hour, "sso", "sso_auth"),
        };
        fs::write(&path, lines(&hours.map(of_hour).collect::<Vec<_>>())).unwrap();
        report(&[text(&path)])["coverage"]["gaps"].take()
    };
    assert_eq!(gaps(&mut hours(), false), json!([]));
    assert_eq!(gaps(&mut hours(), true), json!([]), "of one service");
    assert_eq!(gaps(&mut hours().filter(|hour| hour % 5 == 0), false), json!([]), "few events");
    let kept = &mut hours().filter(|hour| !(lost..lost + 24).contains(hour));
    let gap = json!([{"organization": "o", "from": "2026-02-23T18:00:00Z", "to": "2026-02-25T08:00:00Z"}]);
    assert_eq!(gaps(kept, false), gap);
    let table = scan(&[text(&path)]);
    let line = "Gap: nothing at all from 2026-02-23 18:00:00 to 2026-02-25 08:00:00 UTC (38 h)";
    assert!(table.contains(line), "{table}");
}

#[test]
fn a_type_that_is_no_text_has_no_name() {
    let mut odd = event(7, "sso", "sso_auth");
    odd["event_type"] = json!(["sso_auth"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&[odd])).unwrap();
    let table = scan(&[text(&path)]);
    assert!(table.contains("Unknown: 1 event type that JumpCloud does not document: (none) 1"), "{table}");
}

/// What PowerShell made a text of is told, with what to do; as JSON at its default depth, and as CSV.
#[test]
fn records_that_powershell_flattened_are_told() {
    let folder = TempDir::new().unwrap();
    let (json_path, csv_path) = (folder.path().join("events.json"), folder.path().join("events.csv"));
    let mut flat = event(7, "directory", "user_login_attempt");
    flat["auth_context"] = json!({"auth_methods": "@{password=; totp=}"});
    fs::write(&json_path, json!([event(6, "sso", "sso_auth"), flat]).to_string()).unwrap();
    let row = "\"2026-03-02T09:00:00Z\",\"user_update\",\"@{id=1; type=user}\",\"System.Object[]\"\r\n";
    fs::write(&csv_path, format!("timestamp,event_type,initiated_by,changes\r\n{row}{row}")).unwrap();
    for (path, count, lines) in [(&json_path, 1, vec![1]), (&csv_path, 2, vec![2, 3])] {
        let flattened = report(&[text(path)])["coverage"]["flattened"].take();
        let examples: Vec<Value> = lines.iter().map(|line| json!({"source": text(path), "line": line})).collect();
        assert_eq!(flattened, json!({"count": count, "examples": examples}));
        let table = scan(&[text(path)]);
        assert!(table.contains("with PowerShell by ConvertTo-Json -Depth 99"), "{table}");
    }
    fs::write(&json_path, lines(&[event(6, "sso", "sso_auth")])).unwrap();
    assert!(!scan(&[text(&json_path)]).contains("Flattened"));
}

/// A table of something else is no more records than it has lines.
#[test]
fn a_table_of_something_else_has_its_lines() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.jsonl"), lines(&[event(6, "sso", "sso_auth")])).unwrap();
    let row = "\"a\",\"{\"\"b\"\": 1}\",null,4\n";
    fs::write(folder.path().join("b.csv"), format!("\"one\",\"two\",three,four\n{}", row.repeat(100))).unwrap();
    let coverage = report(&[text(folder.path())])["coverage"].take();
    assert_eq!((&coverage["records"], &coverage["skipped"][0]["count"]), (&json!(102), &json!(101)));
    let lines: Vec<&Value> =
        coverage["skipped"][0]["examples"].as_array().unwrap().iter().map(|example| &example["line"]).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5]);
}

/// A saved report of a part tells that it is of a part: what was named and is not there, what is cut, what is something
/// else, in the order in which it was named.
#[test]
fn a_report_tells_what_could_not_be_read() {
    use std::io::Write;
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let output = jcdetect().current_dir(folder.path()).args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let name = |name: &str| folder.path().join(name);
    fs::write(name("1.json"), lines(&[event(6, "sso", "sso_auth")])).unwrap();
    fs::write(name("2.json"), r#"{"schema": "jcdetect/report/v1"}"#).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let many: Vec<Value> = (0..2000).map(|hour| event(hour, "sso", "sso_auth")).collect();
    encoder.write_all(lines(&many).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    fs::write(name("3.json.gz"), &whole[..whole.len() / 2]).unwrap();
    fs::write(name("4.json"), "hello").unwrap();

    let sources = ["nowhere.json", "1.json", "2.json", "3.json.gz", "gone", "4.json"];
    let (saved, code) =
        run(&[&["scan", "--no-config", "--format", "json", "--history", "lost"], &sources[..]].concat());
    let report: Value = serde_json::from_str(&saved).unwrap();
    let told = |list: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(|one| (text(&one["source"]), text(&one["lacking"]))).collect()
    };
    let all =
        [("nowhere.json", "all"), ("2.json", "events"), ("3.json.gz", "rest"), ("gone", "all"), ("4.json", "events")];
    let all = all.map(|(name, lacking)| (name.to_owned(), lacking.to_owned()));
    assert_eq!(told(&report["coverage"]["unreadable"]), all);
    assert_eq!(told(&report["coverage"]["history"]["unreadable"]), [("lost".to_owned(), "all".to_owned())]);
    assert!(report["coverage"]["unreadable"][1]["reason"].as_str().unwrap().contains("a file that jcdetect wrote"));
    assert_eq!(code, Some(3));

    let (table, _) = run(&[&["scan", "--no-config", "--history", "lost"], &sources[..]].concat());
    for part in [
        "\nCould not be read: nowhere.json (No such file",
        "\nNo export: 2.json (no Directory Insights event in it; it looks like a file that jcdetect wrote",
        "\nCould not be read to the end: 3.json.gz (",
        "\nCould not be read of the history: lost (No such file",
        "; 2 sources could not be read; 1 source could not be read to the end; 2 sources held no event",
        "; 1 source of the history could not be read; ",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    let commands = [&["hunt"][..], &["timeline"], &["summary"], &["investigate", "--no-config", "alice"]];
    for command in commands {
        let (table, code) = run(&[command, &["1.json", "gone"]].concat());
        assert!(
            table.contains("; nothing skipped; 1 source could not be read\nCould not be read: gone (No such"),
            "{table}"
        );
        assert_eq!(code, Some(3));
    }
    let (summary, _) = run(&["summary", "1.json", "gone", "--format", "json"]);
    let (investigation, _) = run(&["investigate", "alice", "1.json", "gone", "--no-config", "--format", "json"]);
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for told_of in [&json(&summary)["unreadable"], &json(&investigation)["coverage"]["unreadable"]] {
        assert_eq!(told(told_of), [("gone".to_owned(), "all".to_owned())]);
    }
    let (saved, _) = run(&["scan", "--no-config", "--format", "json", "1.json"]);
    assert!(!saved.contains("unreadable"), "{saved}");
}

#[test]
fn members_that_no_event_has_are_told() {
    let whole = fs::read_to_string(scenario("admin-takeover").join("events.jsonl")).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    let missing = |gone: &[&str]| {
        let without = |line: &str| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().retain(|key, _| !gone.contains(&key.as_str()));
            event
        };
        fs::write(&path, lines(&whole.lines().map(without).collect::<Vec<_>>())).unwrap();
        report(&[text(&path)])["coverage"]["missing"].take()
    };
    assert_eq!(missing(&[]), json!([]));
    assert_eq!(missing(&["useragent"]), json!(["useragent"]));
    assert_eq!(missing(&["initiated_by"]), json!(["initiated_by"]));
    assert_eq!(missing(&["geoip", "changes"]), json!(["geoip"]), "too few updates to tell");
    let table = scan(&[text(&path)]);
    assert!(table.contains("Missing: no event has geoip, so that rules which ask for it see nothing: "), "{table}");
    assert!(table.contains("; --geoip knows places by addresses"), "{table}");
    // Updates of which none says what was changed.
    let updates: Vec<Value> = (0..20).map(|hour| event(hour, "directory", "user_update")).collect();
    fs::write(&path, lines(&updates)).unwrap();
    assert_eq!(report(&[text(&path)])["coverage"]["missing"], json!(["geoip", "useragent", "resource", "changes"]));
    fs::write(&path, lines(&updates[1..])).unwrap();
    assert_eq!(report(&[text(&path)])["coverage"]["missing"], json!(["resource"]), "too few to tell of the others");
}

/// Sign-ins without an address, an outcome or a factor, and records of which none has a type.
#[test]
fn members_without_which_no_sign_in_says_anything_are_told() {
    let log = |count: u32, gone: &[&str]| {
        let event = |minute: u32| {
            let mut event = sign_in(minute, &format!("2026-03-02T08:{minute:02}:00Z"), true);
            event.as_object_mut().unwrap().retain(|key, _| !gone.contains(&key.as_str()));
            event
        };
        let folder = super::folder(&[("log.jsonl", &lines(&(0..count).map(event).collect::<Vec<_>>()))]);
        report(&[text(folder.path()), "--no-config"])["coverage"]["missing"].take()
    };
    assert_eq!(log(10, &[]), json!([]));
    assert_eq!(log(5, &["client_ip"]), json!(["client_ip"]));
    assert_eq!(log(5, &["success"]), json!(["success"]));
    assert_eq!(log(4, &["success", "client_ip"]), json!([]), "too few to tell");
    assert_eq!(log(10, &["mfa", "auth_context"]), json!(["mfa"]));
    assert_eq!(log(2, &["event_type"]), json!(["event_type"]));
    let without: Vec<Value> = (0..5).map(|hour| event(hour, "directory", "user_update")).collect();
    let mut with = without.clone();
    with[0]["resource"] = json!({"type": "user", "id": "1", "username": "alice"});
    for (events, want) in [(with, json!([])), (without, json!(["resource"]))] {
        let folder = super::folder(&[("log.jsonl", &lines(&events))]);
        assert_eq!(report(&[text(folder.path()), "--no-config"])["coverage"]["missing"], want, "{events:?}");
    }
}
