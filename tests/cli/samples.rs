//! Real events, published by others. They are not part of this repository; where they are missing, the tests
//! say so and are skipped.

use std::path::PathBuf;

use serde_json::json;

use super::{report, text};

fn samples() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no samples at {}", path.display());
    None
}

#[test]
fn every_record_is_an_event() {
    let Some(path) = samples() else { return };
    let report = report(&[text(&path)]);
    let coverage = &report["coverage"];
    assert_eq!((&coverage["records"], &coverage["events"], &coverage["duplicates"]), (&json!(21), &json!(21), &json!(0)));
    assert_eq!(coverage["skipped"], json!([]));
    assert_eq!(coverage["conflicting_ids"], 2, "two pairs share an id with different bodies");
    assert_eq!(coverage["services"], json!({"directory": 11, "mdm": 1, "radius": 4, "sso": 5}));
    assert_eq!(coverage["unknown_event_types"], json!({}));
}

#[test]
fn the_report_has_the_fields_of_the_contract() {
    let Some(path) = samples() else { return };
    let report = report(&[text(&path)]);
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
