//! The pages of the documentation say what is true: each command of their `console` blocks is run by a shell in a folder of its
//! own, and its output is compared.
//!
//! A line that is only `…` stands for lines that are left out, and ` …` at the end of a line for the rest of it. A block
//! that is fenced as `LANGUAGE FILE` is a file in the working folder of the commands below it. With
//! `JCDETECT_WRITE_EXPECTED=1` the real output is written into the pages, but for outputs of which something is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jcdetect::event::json::Json;
use jcdetect::event::time::Timestamp;
use rayon::prelude::*;
use tempfile::TempDir;

use super::scenarios::world::World;

/// The pages whose commands are run.
const PAGES: &[&str] = &[
    "README.md",
    "docs/baseline.md",
    "docs/cases.md",
    "docs/demo.md",
    "docs/enrichment.md",
    "docs/explain.md",
    "docs/hunting.md",
    "docs/investigate.md",
    "docs/normalize.md",
    "docs/questions.md",
    "docs/summary.md",
    "docs/timeline.md",
    WALKTHROUGH,
];

/// The page whose commands find an export of a whole organization.
const WALKTHROUGH: &str = "docs/walkthrough.md";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command of a page as a shell does, and gives what a person sees.
fn seen(line: &str, folder: &Path, last: &mut i32) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_jcdetect")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let script = format!("(exit {last}); {line}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("PATH", path).env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap();
    *last = output.status.code().unwrap();
    let text = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
    let text = text.replace(&format!("{}/", folder.canonicalize().unwrap().display()), "");
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// What a line begins with, if its rest is left out.
fn beginning(line: &str) -> Option<&str> {
    line.strip_suffix(" …")
}

/// Whether something is left out of an output.
fn is_cut(shown: &[&str]) -> bool {
    shown.iter().any(|line| line.trim() == "…" || beginning(line).is_some())
}

/// Whether the lines that are shown are the real ones, but for what is left out.
fn is_shown(shown: &[&str], real: &[String]) -> bool {
    let Some((first, rest)) = shown.split_first() else { return real.is_empty() };
    if first.trim() == "…" {
        return (0..=real.len()).any(|skipped| is_shown(rest, &real[skipped..]));
    }
    let fits = |real: &String| real == first || beginning(first).is_some_and(|part| real.starts_with(part));
    real.first().is_some_and(fits) && is_shown(rest, &real[1..])
}

/// The commands of a block with the lines below each.
fn commands(body: &str) -> Vec<(&str, Vec<&str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, vec![])),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("a block begins without a command: {line}"),
        }
    }
    commands
}

/// The working folder of a page.
fn folder(page: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["testdata", "rules"] {
        std::os::unix::fs::symlink(root().join(name), folder.path().join(name)).unwrap();
    }
    // What lies above a temporary folder is not ours.
    fs::create_dir(folder.path().join(".git")).unwrap();
    if page == WALKTHROUGH {
        export(folder.path());
    }
    folder
}

/// The story of a taken-over administrator in an honest organization.
fn export(folder: &Path) {
    let honest = World {
        seed: 7,
        people: std::env::var("JCDETECT_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(12),
        days: 9,
        // Monday, 2026-03-02
        start: 1_772_409_600,
        organization: "5dc058bc3f53f95e3972f03f".to_owned(),
    };
    let mut text = Vec::new();
    honest.write(&mut text).unwrap();
    let mut text = String::from_utf8(text).unwrap();
    text += &fs::read_to_string(root().join("testdata/scenarios/admin-takeover/events.jsonl")).unwrap();
    let time = |line: &str| Timestamp::from_json(Json::parse(line).unwrap().get("timestamp").unwrap()).unwrap();
    let mut lines: Vec<(Timestamp, &str)> = text.lines().map(|line| (time(line), line)).collect();
    lines.sort_unstable();
    let sorted: String = lines.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
    fs::write(folder.join("export.jsonl"), &sorted).unwrap();
    if let Some(kept) = std::env::var_os("JCDETECT_KEEP_EXPORT") {
        fs::write(kept, sorted).unwrap();
    }
    fs::copy(root().join("testdata/walkthrough/after.jsonl"), folder.join("after.jsonl")).unwrap();
}

/// The page with the real output of its commands, and the outputs that a person has to mend.
fn real(name: &str, page: &str) -> (String, Vec<String>) {
    let folder = folder(name);
    let mut mistakes = Vec::new();
    let mut blocks = page.split("```");
    let mut out = blocks.next().unwrap().to_owned();
    let mut last = 0;
    while let Some(block) = blocks.next() {
        let (head, body) = block.split_once('\n').unwrap();
        out += &format!("```{head}\n");
        if let Some((_, file)) = head.split_once(' ') {
            fs::write(folder.path().join(file), body).unwrap();
        }
        if head == "console" {
            for (command, shown) in commands(body) {
                let real = seen(command, folder.path(), &mut last);
                let is_true = is_shown(&shown, &real);
                if !is_true && is_cut(&shown) {
                    mistakes.push(format!("{name}: `{command}` writes:\n{}\n", real.join("\n")));
                }
                let is_kept = is_true || is_cut(&shown);
                let lines = if is_kept { shown } else { real.iter().map(String::as_str).collect() };
                out.extend([format!("$ {command}\n")]);
                out.extend(lines.into_iter().flat_map(|line| [line, "\n"]));
            }
        } else {
            out += body;
        }
        out += "```";
        out += blocks.next().unwrap();
    }
    (out, mistakes)
}

/// What is not true of a page.
fn mistakes(name: &str) -> Vec<String> {
    let path = root().join(name);
    let page = fs::read_to_string(&path).unwrap();
    let (real, mut mistakes) = real(name, &page);
    if std::env::var_os("JCDETECT_WRITE_EXPECTED").is_some() {
        fs::write(path, real).unwrap();
    } else if let Some(place) = page.lines().zip(real.lines()).position(|(page, real)| page != real) {
        let (shown, real) = (page.lines().nth(place).unwrap(), real.lines().nth(place).unwrap());
        mistakes.push(format!("{name}:{}: shows\n{shown}\ninstead of\n{real}", place + 1));
    } else if page != real {
        mistakes.push(format!("{name}: the output of its last command has changed"));
    }
    mistakes
}

#[test]
fn pages_are_true() {
    let mistakes: Vec<String> = PAGES.par_iter().flat_map(|name| mistakes(name)).collect();
    assert!(
        mistakes.is_empty(),
        "run `JCDETECT_WRITE_EXPECTED=1 cargo test pages_are_true` and look at what changed; where `…` leaves something out, \
         mend it by hand:\n{}",
        mistakes.join("\n")
    );
}

#[test]
fn what_is_left_out_may_be_anything_and_nothing_else_may_differ() {
    let lines = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
    for (shown, real, want) in [
        ("a, b", "a, b", true),
        ("a, …", "a, b, c", true),
        ("…, c", "a, b, c", true),
        ("a, …, c", "a, b, d", false),
        ("a", "a, b", false),
        ("a; …, c", "a; b, c", true),
        ("a; …", "b; b", false),
        ("a; …", "a; b, c", false),
        ("… 2 more", "… 2 more", true),
        ("… 2 more", "… 3 more", false),
    ] {
        let shown: Vec<&str> = shown.split(", ").collect();
        assert_eq!(is_shown(&shown, &lines(real)), want, "{shown:?}");
    }
}

#[test]
fn the_readme_fits_a_screen_and_names_the_test_command_of_ci() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 90, "{}", readme.lines().count());
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(readme.contains("cargo test --locked") && ci.contains("\ncargo test --locked\n"));
}
