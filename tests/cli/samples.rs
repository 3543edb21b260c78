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
    assert_eq!(
        (&coverage["records"], &coverage["events"], &coverage["duplicates"]),
        (&json!(21), &json!(21), &json!(0))
    );
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

/// Every normalized field of every sample, as lines of `field = value`.
fn fields(path: &std::path::Path) -> String {
    use jcdetect::event::Event;
    use jcdetect::event::field::{Field, Fields, Norm};
    use jcdetect::event::json::Json;

    let mut files: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut out = String::new();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "jsonl")) {
        let text = std::fs::read_to_string(file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let json = Json::parse(line).unwrap();
            let event = Event::new(&json).unwrap();
            out += &format!("{}:{} {}\n", file.file_name().unwrap().display(), number + 1, event.time);
            for norm in Norm::ALL {
                let values = event.values(&Field::Norm(*norm));
                let texts: Vec<&str> = values.iter().filter_map(|v| v.text()).collect();
                if !texts.is_empty() {
                    out += &format!("  {} = {}\n", norm.name(), texts.join(", "));
                }
            }
        }
    }
    out
}

#[test]
fn normalized_fields_of_real_events() {
    let Some(path) = samples() else { return };
    let expected = include_str!("samples.expected");
    let found = fields(&path);
    if std::env::var_os("JCDETECT_WRITE_EXPECTED").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/samples.expected"), &found).unwrap();
        return;
    }
    for (number, (want, got)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(got, want, "samples.expected:{}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
