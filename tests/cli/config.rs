//! `jcdetect.yml`: where it is looked for, and what goes before it.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{jcdetect, rule_ids, text};

/// A folder of evidence in a working folder.
fn case() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("work/evidence")).unwrap();
    fs::write(folder.path().join("work/evidence/log.jsonl"), lines(&guessed_password())).unwrap();
    folder
}

fn report(folder: &Path, arguments: &[&str]) -> Value {
    let output = jcdetect().current_dir(folder).args(["scan", "--format", "json"]).args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const DISABLE: &str = "disable: [bruteforce-user-portal]\n";

#[test]
fn it_is_that_of_the_working_folder_or_of_the_repository_and_never_of_the_evidence() {
    let case = case();
    let work = case.path().join("work");
    let is_used = || !report(&work, &["evidence"])["run"]["config"].is_null();
    fs::write(work.join("evidence/jcdetect.yml"), DISABLE).unwrap();
    assert!(!is_used());
    // Above a folder that is in no repository anybody may write.
    fs::write(case.path().join("jcdetect.yml"), DISABLE).unwrap();
    assert!(!is_used());
    fs::create_dir(case.path().join(".git")).unwrap();
    assert!(is_used());
    fs::write(work.join("jcdetect.yml"), "").unwrap();
    let used = report(&work, &["evidence"]);
    assert!(used["run"]["config"].as_str().unwrap().ends_with("work/jcdetect.yml"));
    assert!(used["run"].get("disabled").is_none());
}

#[test]
fn what_was_typed_goes_before_it_and_the_report_says_what_was_used() {
    let case = case();
    let config = case.path().join("c.yml");
    fs::write(&config, format!("{DISABLE}enable: [report-export]\n")).unwrap();
    let with = |arguments: &[&str]| report(case.path(), &[&["work", "--config", text(&config)], arguments].concat());
    let ids = |report: &Value| rule_ids(report["findings"].as_array().unwrap()).join(",");
    let quiet = with(&[]);
    assert!(!ids(&quiet).contains("bruteforce-user-portal"));
    assert_eq!(quiet["run"]["disabled"], json!(["bruteforce-user-portal"]));
    assert_eq!(quiet["run"]["enabled"], json!(["report-export"]));
    let loud = with(&["--enable", "bruteforce-user-portal", "--disable", "report-export"]);
    assert!(ids(&loud).contains("bruteforce-user-portal"));
    assert_eq!(loud["run"]["enabled"], json!(["bruteforce-user-portal"]));
    assert_eq!(loud["run"]["disabled"], json!(["report-export"]));
    let both = ["scan", "work", "--enable", "report-export", "--disable", "report-export"];
    let wrong = jcdetect().current_dir(case.path()).args(both).assert().code(2);
    wrong.stderr(predicate::str::contains("only one of them can be meant"));
}
