//! Normalized events, and what is made from the flags.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{jcdetect, text};

fn normalize(arguments: &[&str]) -> Vec<Value> {
    let output = jcdetect().arg("normalize").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// These records as the rules see them; each gets what every record has.
fn normalized(records: &[Value]) -> Vec<Value> {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let whole = |(number, record): (usize, &Value)| {
        let mut all = json!({"id": number.to_string(), "organization": "o", "timestamp": "2026-03-02T09:00:00Z"});
        all.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
        all.to_string() + "\n"
    };
    fs::write(&path, records.iter().enumerate().map(whole).collect::<String>()).unwrap();
    let events = normalize(&[text(&path), "-q", "--no-config"]);
    assert_eq!(events.len(), records.len());
    events
}

/// The bridges in Go fill in an `initiated_by` of empty texts where a device or LDAP names nobody.
#[test]
fn who_it_was_does_not_depend_on_a_bridge() {
    for plain in [
        json!({"event_type": "login_attempt", "service": "systems", "username": "jo"}),
        json!({"event_type": "ldap_bind", "service": "ldap", "username": "jo", "error_code": 0}),
    ] {
        let mut bridged = plain.clone();
        bridged["initiated_by"] = json!({"type": "", "username": ""});
        let events = normalized(&[plain, bridged]);
        assert_eq!((&events[0]["actor"]["key"], &events[0]["actor"]["type"]), (&json!("user:jo"), &json!("user")));
        assert_eq!(events[1]["actor"], events[0]["actor"]);
    }
}

/// `null`, `{}` and empty texts are what exporters write where there is nothing.
#[test]
fn a_first_alternative_that_says_nothing_hides_no_second() {
    let app = json!({"type": "application", "id": "a1", "name": "saml2", "displayLabel": "Vocera"});
    let connection = |end: Value| json!({"connection": {"from": end, "to": end}});
    let user = json!({"type": "user", "id": "u1", "username": "jo"});
    let cases = [
        ("/app/name", "Vocera", json!({"resource": app, "application": null})),
        ("/app/name", "Vocera", json!({"resource": app, "application": {"id": "", "name": ""}})),
        ("/agent/name", "curl", json!({"useragent": null, "user_agent": {"name": "curl"}})),
        ("/source/asn", "AS64500", json!({"asn": null, "geoip": {"asn": 64500}, "client_ip": "192.0.2.1"})),
        (
            "/policy/action",
            "DENY",
            json!({"auth_context": {"policies_applied": []},
                "auth_meta": {"policies_applied": [{"metadata": {"action": "DENY"}}]}}),
        ),
        ("/device/key", "s2", json!({"system": {"id": ""}, "auth_context": {"system": {"id": "s2"}}})),
        ("/target/name", "jo", json!({"resource": user, "association": {"connection": null}})),
        ("/target/name", "jo", json!({"resource": user, "association": connection(json!({"type": "", "name": ""}))})),
        ("/changes/0/trend/0", "changed", json!({"changes": [{"field": "password", "from": null, "to": null}]})),
    ];
    let records = cases.clone().map(|(_, _, record)| {
        let mut event = json!({"event_type": "user_update"});
        event.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
        event
    });
    for ((path, want, record), event) in cases.iter().zip(normalized(&records)) {
        assert_eq!(event.pointer(path), Some(&json!(want)), "{record}\n{event}");
    }
}

#[test]
fn a_cell_has_the_time_that_a_member_has() {
    let case = TempDir::new().unwrap();
    let times = ["1772442000000", "1772442000", "2026-03-02 09:00:00 UTC", "2026-03-02T09:00:00+0000"];
    for (number, time) in times.iter().enumerate() {
        let path = case.path().join(format!("{number}.csv"));
        fs::write(&path, format!("id,timestamp,event_type\nx,{time},user_update\n")).unwrap();
        assert_eq!(normalize(&[text(&path), "-q"])[0]["timestamp"], "2026-03-02T09:00:00Z", "{time}");
        assert_eq!(
            normalized(&[json!({"event_type": "x", "timestamp": time})])[0]["timestamp"],
            "2026-03-02T09:00:00Z"
        );
    }
}

#[test]
fn a_success_is_one_in_every_spelling() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.csv");
    let words =
        [("1", "success"), ("0", "failure"), ("Yes", "success"), ("no", "failure"), ("True", "success"), ("-", "none")];
    let rows = words.map(|(word, _)| format!("2026-03-02T09:00:00Z,user_login_attempt,{word}\n")).concat();
    fs::write(&path, format!("timestamp,event_type,success\n{rows}")).unwrap();
    let cells = normalize(&[text(&path), "-q"]);
    let of = |success: Value| json!({"event_type": "user_login_attempt", "success": success});
    let members = normalized(&words.map(|(word, _)| of(word.parse::<i64>().map_or(json!(word), |n| json!(n)))));
    for (number, (word, want)) in words.iter().enumerate() {
        assert_eq!((&cells[number]["outcome"], &members[number]["outcome"]), (&json!(want), &json!(want)), "{word}");
    }
}

#[test]
fn the_case_of_a_kind_tells_nothing() {
    let of = |kind: &str, name: &str| {
        json!({"event_type": "x_update", "initiated_by": {"type": kind},
            "resource": {"type": kind, "id": "1", "displayLabel": name, "displayName": name}})
    };
    let events = normalized(&[of("system", "h"), of("System", "h"), of("application", "v"), of("Application", "v")]);
    assert_eq!(events[0]["device"]["name"], "h");
    assert_eq!(events[0]["actor"]["type"], "system");
    assert_eq!(events[2]["app"]["key"], "1");
    for pair in events.chunks(2) {
        for key in ["actor", "target", "device", "app"] {
            assert_eq!(pair[0][key], pair[1][key], "{key}");
        }
    }
}

#[test]
fn one_event_whole() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let event = json!({"id": "1", "organization": "o", "service": "directory", "event_type": "admin_update",
        "timestamp": "2026-03-02T10:00:00.5+01:00", "initiated_by": {"type": "admin", "id": "A1", "email": "root@x.io"},
        "auth_method": "session", "success": true, "client_ip": "::ffff:192.0.2.1", "geoip": {"country_code2": "fr"},
        "resource": {"type": "admin", "id": "A2", "email": "new@x.io"}, "useragent": {"name": "Chrome", "os": "Windows"},
        "changes": [{"field": "enableMultiFactor", "from": true, "to": false}, {"field": "roles", "from": ["a"], "to": ["a", "b"]}]});
    fs::write(&path, format!("\n{}\nbroken\n", json!({"message": event.to_string()}))).unwrap();
    assert_eq!(
        normalize(&[text(&path), "-q"]),
        [
            json!({"schema": "jcdetect/event/v1", "timestamp": "2026-03-02T09:00:00.500Z", "id": "1", "organization": "o",
            "service": "directory", "event_type": "admin_update", "outcome": "success",
            "actor": {"key": "admin:a1", "name": "root@x.io", "type": "admin", "id": "A1", "email": "root@x.io", "via": "session"},
            "target": {"key": "admin:a2", "name": "new@x.io", "type": "admin", "id": "A2", "email": "new@x.io"},
            "source": {"ip": "192.0.2.1", "network": "192.0.2.0/24", "link": "192.0.2.1", "country": "FR", "operator": "192.0.0.0/16"},
            "agent": {"name": "Chrome", "os": "Windows", "kind": "browser"},
            "changes": [{"field": "enableMultiFactor", "from": true, "to": false, "trend": ["changed", "off"]},
                        {"field": "roles", "from": ["a"], "to": ["a", "b"], "trend": ["changed", "added", "widened"]}],
            "origin": {"source": text(&path), "line": 2, "offset": 1}})
        ]
    );
}

#[test]
fn each_record_once_in_the_order_of_the_sources_on_any_number_of_threads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    for name in ["admin-takeover", "push-fatigue"] {
        let folder = root.join(name);
        let events = normalize(&[text(&folder)]);
        let lines: Vec<u64> = events.iter().map(|event| event["origin"]["line"].as_u64().unwrap()).collect();
        let count = fs::read_to_string(folder.join("events.jsonl")).unwrap().lines().count();
        assert_eq!(lines, (1..=count as u64).collect::<Vec<_>>());
        assert_eq!(normalize(&[text(&folder), "--threads", "1"]), events);
    }
    let output = jcdetect()
        .args(["normalize", "-", "--where", "mfa.push_denied == true"])
        .write_stdin(fs::read(root.join("push-fatigue/events.jsonl")).unwrap())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let denied: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(denied.len(), 5);
    assert_eq!(denied[0]["mfa"]["push_denied"], true);
}

#[test]
fn more_records_than_are_written_together() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let many: String =
        (0..9000_u32).map(|n| super::events::sign_in(n, "2026-03-02T09:00:00Z", true).to_string() + "\n").collect();
    fs::write(&path, many).unwrap();
    let ids: Vec<String> = normalize(&[text(&path)]).iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..9000).map(|n| format!("{n:024x}")).collect::<Vec<_>>());
}

#[test]
fn shells_and_manuals() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        jcdetect()
            .args(["completions", shell])
            .assert()
            .code(0)
            .stderr("")
            // Flags, and the words that they take.
            .stdout(predicate::str::contains("first-seen").and(predicate::str::contains("timesketch")));
    }
    jcdetect().args(["completions", "tcsh"]).assert().code(2).stderr(predicate::str::contains("tcsh"));
    jcdetect().arg("man").assert().code(0).stdout(predicate::str::contains(".TH jcdetect 1"));
    jcdetect()
        .args(["man", "hunt"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("jcdetect\\-hunt").or(predicate::str::contains("jcdetect-hunt")));
    jcdetect().args(["man", "hnt"]).assert().code(2).stderr(predicate::str::contains("no such command"));
}

/// None is left out, and they keep their order. How long that takes is not measured here.
#[test]
fn many_changes_of_one_record_are_all_written() {
    let entries: Vec<Value> = (0..60_000).map(|n| json!({"field": format!("f{n}"), "to": n})).collect();
    let events = normalized(&[json!({"event_type": "organization_update", "changes": entries})]);
    let changes = events[0]["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[59_999]["field"]), (60_000, &json!("f59999")));
}
