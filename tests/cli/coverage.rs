//! Coverage: what the log does not say, or says twice, is told.

use std::fs;

use jcdetect::event::time::{HOUR, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::lines;
use super::{report, scan, text};

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
        "Silent: no sso from 2026-03-03 00:00:00 to 2026-03-04 00:00:00 UTC, unlike in other weeks (24 h)",
        "Unknown: 1 event type that JumpCloud does not document: quantum_entangled 1",
        "Same id, different events: 1 id stands on more than one event; all were kept",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
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
