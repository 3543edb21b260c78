//! Drives the binary as a user does, on files.

mod cases;
mod config;
mod coverage;
mod decisions;
mod enrich;
mod events;
mod evidence;
mod exits;
mod expectations;
mod explain;
mod floors;
mod history;
mod hostile;
mod hunt;
mod investigate;
mod layouts;
mod lint;
mod namesakes;
mod normalize;
#[cfg(unix)]
mod pages;
mod questions;
mod rules;
mod samples;
mod scenarios;
mod sentences;
mod shuffled;
mod subjects;
mod summary;
mod timeline;
mod traps;
mod twins;
mod worlds;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// The program, with nothing of the environment that changes what it shows.
fn jcdetect() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jcdetect"));
    command.env_remove("NO_COLOR").timeout(std::time::Duration::from_secs(120));
    command
}

/// What a scan of files writes to standard output, whatever its exit code.
fn scan(arguments: &[&str]) -> String {
    let output = jcdetect().arg("scan").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The findings of a scan, one a line, as JSON.
fn findings(arguments: &[&str]) -> Vec<Value> {
    let lines = scan(&[arguments, &["--format", "jsonl"]].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The whole report of a scan.
fn report(arguments: &[&str]) -> Value {
    serde_json::from_str(&scan(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// Findings with the origins of their evidence set aside.
fn without_origin(mut findings: Vec<Value>) -> Vec<Value> {
    for finding in &mut findings {
        for evidence in finding["evidence"].as_array_mut().unwrap() {
            evidence["origin"] = Value::Null;
        }
    }
    findings
}

/// The names of the rules that found something, in their order.
fn rule_ids(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["rule_id"].as_str().unwrap()).collect()
}

/// The folder of a scenario.
fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios").join(name)
}

/// The folder of the scenario that has questions for owners, as an argument.
fn policy_gap() -> String {
    text(&scenario("policy-gap")).to_owned()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// A path as an argument.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
