//! The floors of the house: a module knows those below it and none above.

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules may use which.
const MAY_USE: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("rule", &["event"]),
    ("input", &["event"]),
    ("detect", &["rule", "event"]),
    ("enrich", &["input", "event"]),
    ("triage", &["detect", "enrich", "rule", "event"]),
    ("output", &["triage", "rule", "event"]),
    ("cli", &["output", "triage", "detect", "enrich", "input", "rule", "event"]),
];

/// Which crates may be used in one module only.
const CRATES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("indicatif", &["cli"]),
    ("rayon", &["detect", "input", "cli"]),
    ("comfy_table", &["output"]),
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn imports_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (module, below) in MAY_USE {
        let mut files = Vec::new();
        sources(&root.join(module), &mut files);
        assert!(!files.is_empty(), "{module}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (other, _) in MAY_USE {
                let is_used = text.contains(&format!("crate::{other}::")) || text.contains(&format!("crate::{other};"));
                if is_used && other != module && !below.contains(other) {
                    wrong.push(format!("{} uses {other}", file.display()));
                }
            }
            for (name, modules) in CRATES {
                if text.contains(&format!("{name}::")) && !modules.contains(module) {
                    wrong.push(format!("{} uses the crate {name}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_has_its_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(MAY_USE.iter().any(|(module, _)| *module == name), "{name} has no floor");
        }
    }
}

/// Texts that one part takes for the same are the same for all.
#[test]
fn case_is_folded_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let folds = |file: &&PathBuf| fs::read_to_string(file).unwrap().contains("to_lowercase");
    let mut others: Vec<&Path> = files.iter().filter(folds).map(|file| file.strip_prefix(&root).unwrap()).collect();
    others.sort();
    // The one begins a word small that begins a sentence no more.
    assert_eq!(others, [Path::new("event/letters.rs"), Path::new("triage/story.rs")], "take `letters::lower`");
}
