//! Scenario folders: an attack in honest surroundings, and what has to be found in it. Twins: the honest thing
//! that looks most like it. Honest weeks: nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{findings, text};

#[path = "../../benches/world/mod.rs"]
pub mod world;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn every_planted_attack_is_found() {
    let mut count = 0;
    for folder in entries(&testdata("scenarios")) {
        count += 1;
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        // Some stories need rules that are silent by default.
        let enabled: Vec<&str> =
            expected.lines().filter_map(|line| line.split(' ').next()).flat_map(|rule| ["--enable", rule]).collect();
        let found: Vec<String> = findings(&[&[text(&folder)], enabled.as_slice()].concat())
            .iter()
            .map(|f| format!("{} {}", f["rule_id"].as_str().unwrap(), f["entity"]["name"].as_str().unwrap()))
            .collect();
        for line in expected.lines().filter(|line| !line.is_empty()) {
            assert!(found.iter().any(|f| f == line), "{}: {line} was not found; found: {found:#?}", folder.display());
        }
    }
    assert!(count >= 17, "{count}");
}

/// What twins may fire above low: what their owners are asked, and the old key of a pipeline that nobody told.
const OF_TWINS: &[(&str, &str)] = &[
    ("admin-takeover", "command-by-first-time-admin"),
    ("admin-takeover", "command-created"),
    ("helpdesk-social-engineering", "user-totp-deleted"),
    ("old-api-key", "old-api-key-used"),
    ("policy-gap", "cap-disabled-or-weakened"),
];

#[test]
fn twins_are_quiet() {
    for twin in entries(&testdata("twins")) {
        let story = twin.file_stem().unwrap().to_str().unwrap();
        assert!(testdata("scenarios").join(story).join("README.md").is_file(), "{story} is the twin of nothing");
        for finding in findings(&[text(&twin), "--min-severity", "medium"]) {
            let rule = finding["rule_id"].as_str().unwrap();
            assert!(OF_TWINS.contains(&(story, rule)), "{story}: {rule}: {}", finding["summary"]);
        }
    }
}

/// What the owners are asked in sixty honest days, and why.
const OF_HONEST_DAYS: &[(&str, &str)] = &[
    ("user-totp-deleted", "lost phones"),
    ("fde-key-viewed", "people who are locked out of their disk, and the help desk that is"),
    ("command-created", "the first command of an administrator in a month"),
    ("sso-app-created", "new applications"),
    ("group-member-add-self", "an administrator who joins a team by hand"),
];

/// Sixty days of 120 people at honest work: the budget is one high or critical finding in 10,000 events and three
/// questions a day. In this world there is nothing above low but questions, and whoever makes more explains it
/// above.
#[test]
fn sixty_honest_days_are_quiet() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("honest.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    // Monday, 2026-03-02
    let honest = world::World {
        seed: 1,
        people: 120,
        days: 60,
        start: 1_772_409_600,
        organization: "5dc058bc3f53f95e3972f03f".to_owned(),
    };
    let count = honest.write(&mut file).unwrap();
    file.flush().unwrap();
    let report = super::report(&[text(&path)]);
    assert_eq!(report["coverage"]["events"].as_u64().unwrap(), count);
    assert!(count > 150_000, "{count}");
    let found = report["findings"].as_array().unwrap();
    let is_question = |f: &serde_json::Value| f["disposition"] == "duet";
    let is_loud = |f: &&serde_json::Value| !is_question(f) && f["severity"] != "low" && f["severity"] != "info";
    let loud: Vec<&str> = found.iter().filter(is_loud).map(|f| f["summary"].as_str().unwrap()).collect();
    assert!(loud.is_empty(), "{loud:#?}");
    let questions: Vec<&str> =
        found.iter().filter(|f| is_question(f)).map(|f| f["rule_id"].as_str().unwrap()).collect();
    let unexplained: Vec<&&str> =
        questions.iter().filter(|rule| !OF_HONEST_DAYS.iter().any(|(known, _)| known == *rule)).collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
    assert!(questions.len() <= 3 * 60, "{}", questions.len());
    // Half of them are alerts of JumpCloud's own, one every other day.
    assert!(found.len() < 80, "{} findings that are low or questions", found.len());
    assert_eq!(report["coverage"]["silences"], serde_json::json!([]));
}
