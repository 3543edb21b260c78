//! Sentences: every event of the scenarios, of the examples in the rules, and of others' exports is said in words.

use std::path::{Path, PathBuf};

use jcdetect::event::Event;
use jcdetect::event::json::Json;
use jcdetect::rule::example::examples;
use jcdetect::rule::pack::PACK;
use jcdetect::triage::sentence;

fn lines(folder: &Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            lines(&path, out);
        } else if path.extension().is_some_and(|e| e == "jsonl") {
            out.extend(std::fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
}

fn all() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    lines(&root.join("testdata"), &mut out);
    for (path, text) in PACK {
        out.extend(examples(path, text).unwrap().into_iter().flat_map(|example| example.events));
    }
    let samples = root.join("../shared/samples");
    match samples.is_dir() {
        true => lines(&samples, &mut out),
        false => eprintln!("SKIPPED: no samples at {}", samples.display()),
    }
    out
}

/// Types that only examples of rules have, for types nobody has words for.
fn is_invented(event_type: &str) -> bool {
    event_type.is_empty()
        || !sentence::is_known(event_type) && jcdetect::event::catalogue::service_of(event_type).is_none()
}

#[test]
fn nothing_is_said_as_json() {
    let mut known = 0;
    for line in all() {
        let json = Json::parse(&line).unwrap();
        let event = Event::new(&json).unwrap();
        let said = sentence::of(&event).to_string();
        // A value in quotes may be anything; an object of the record may not stand there.
        assert!(!said.contains("{\"") && !said.contains("something unnamed"), "{said}\n{line}");
        assert!(!said.contains("did `") || is_invented(&event.event_type), "{said}\n{line}");
        known += usize::from(!said.contains("did `"));
    }
    assert!(known > 2000, "{known}");
}

#[test]
fn real_events_in_words() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    if !folder.is_dir() {
        return eprintln!("SKIPPED: no samples at {}", folder.display());
    }
    let mut all = Vec::new();
    lines(&folder, &mut all);
    let said: Vec<String> = all
        .iter()
        .map(|line| {
            let json = Json::parse(line).unwrap();
            sentence::of(&Event::new(&json).unwrap()).to_string()
        })
        .collect();
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
