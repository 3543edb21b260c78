//! Real events, published by others. They are not part of this repository, and these tests are ignored: `.ci/run` runs them
//! where the events lie beside it.

use std::fs;
use std::path::PathBuf;

use jcdetect::event::Event;
use jcdetect::event::field::{Field, Fields, Norm};
use jcdetect::event::json::Json;
use jcdetect::triage::sentence;
use serde_json::json;

use super::{report, text};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples")
}

/// The samples: where each stands, and its line.
fn samples() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    let mut samples = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        samples.extend(text.lines().zip(1..).map(|(line, number)| (format!("{name}:{number}"), line.to_owned())));
    }
    samples
}

#[test]
#[ignore = "needs ../shared/samples"]
fn every_record_is_an_event() {
    let report = report(&[text(&folder())]);
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
#[ignore = "needs ../shared/samples"]
fn normalized_fields_of_real_events() {
    let mut found = String::new();
    for (place, line) in samples() {
        let json = Json::parse(&line).unwrap();
        let event = Event::new(&json).unwrap();
        found += &format!("{place} {}\n", event.time);
        for norm in Norm::ALL {
            let values = event.values(&Field::Norm(*norm));
            let texts: Vec<&str> = values.iter().filter_map(|v| v.text()).collect();
            if !texts.is_empty() {
                found += &format!("  {} = {}\n", norm.name(), texts.join(", "));
            }
        }
    }
    let expected = include_str!("samples.expected");
    if std::env::var_os("JCDETECT_WRITE_EXPECTED").is_some() {
        fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/samples.expected"), &found).unwrap();
        return;
    }
    for (number, (want, got)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(got, want, "samples.expected:{}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

#[test]
#[ignore = "needs ../shared/samples"]
fn real_events_in_words() {
    let mut said = Vec::new();
    for (place, line) in samples() {
        let json = Json::parse(&line).unwrap();
        let words = sentence::of(&Event::new(&json).unwrap()).to_string();
        assert!(!["{\"", "something unnamed", "did `"].iter().any(|part| words.contains(part)), "{place}: {words}");
        said.push(words);
    }
    for part in [
        "gave john.doe access to the device JDOE-DESKTOP",
        "signed in over RADIUS (MSCHAPv2)",
        "failed to sign in over RADIUS (MSCHAPv2)",
        "(not authorized)",
        "signed in to the Admin Portal",
        "created the organization Sumo Logic",
        "answered the MDM command",
    ] {
        assert!(said.iter().any(|said| said.contains(part)), "{part}: {said:#?}");
    }
}
