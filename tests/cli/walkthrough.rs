//! The pages of the commands say what is true: every `console` block is run, and its output compared. A line that
//! is only `…` stands for lines that are left out.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use jcdetect::event::json::Json;
use jcdetect::event::time::Timestamp;
use tempfile::TempDir;

use super::scenarios::world::World;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The commands of a page, with the output that it shows.
fn commands(page: &str) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            match (line.strip_prefix("$ "), out.last_mut()) {
                (Some(command), _) => out.push((command.to_owned(), vec![])),
                (None, Some((_, shown))) => shown.push(line.trim_end().to_owned()),
                (None, None) => panic!("a block begins without a command: {line}"),
            }
        }
    }
    out
}

/// What a command writes to standard output, as a shell runs it in a folder.
fn run(command: &str, folder: &Path) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_jcdetect")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env_remove("NO_COLOR");
    let output = shell.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether the lines that are shown are the real ones, but for those left out.
fn is_shown(shown: &[String], real: &[String]) -> bool {
    match shown.split_first() {
        None => real.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=real.len()).any(|skipped| is_shown(rest, &real[skipped..]))
        }
        Some((first, rest)) => real.first() == Some(first) && is_shown(rest, &real[1..]),
    }
}

fn check(page: &str, folder: &Path) {
    if std::env::var_os("JCDETECT_WRITE_EXPECTED").is_some() {
        rewrite(page, folder);
    }
    let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let commands = commands(&text);
    assert!(!commands.is_empty(), "{page} shows no command");
    for (command, shown) in commands {
        let real = run(&command, folder);
        assert!(
            is_shown(&shown, &real),
            "docs/{page}: put the real output of `{command}` there:\n{}\n",
            real.join("\n")
        );
    }
}

#[test]
fn investigate() {
    check("investigate.md", &root());
}

#[test]
fn demo() {
    check("demo.md", &root());
}

#[test]
fn explain() {
    check("explain.md", &root());
}

/// Puts the real output of the commands whose output stands there whole into a page.
fn rewrite(page: &str, folder: &Path) {
    let path = root().join("docs").join(page);
    let mut text = fs::read_to_string(&path).unwrap();
    for (command, shown) in commands(&text) {
        if !shown.iter().any(|line| line.trim() == "…") {
            let (old, new) = (shown.join("\n"), run(&command, folder).join("\n"));
            text = text.replace(&format!("$ {command}\n{old}\n"), &format!("$ {command}\n{new}\n"));
        }
    }
    fs::write(path, text).unwrap();
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
    let mut file = std::io::BufWriter::new(fs::File::create(folder.join("export.jsonl")).unwrap());
    lines.iter().for_each(|(_, line)| writeln!(file, "{line}").unwrap());
    file.flush().unwrap();
    fs::copy(root().join("testdata/walkthrough/after.jsonl"), folder.join("after.jsonl")).unwrap();
}

#[test]
fn an_incident() {
    let folder = TempDir::new().unwrap();
    export(folder.path());
    if let Some(kept) = std::env::var_os("JCDETECT_KEEP_EXPORT") {
        fs::copy(folder.path().join("export.jsonl"), kept).unwrap();
    }
    check("walkthrough.md", folder.path());
}

#[test]
fn what_is_left_out_may_be_anything_and_nothing_else_may_differ() {
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (shown, real, want) in [
        ("a b", "a b", true),
        ("a …", "a b c", true),
        ("… c", "a b c", true),
        ("a … c", "a b d", false),
        ("a", "a b", false),
    ] {
        assert_eq!(is_shown(&lines(shown), &lines(real)), want, "{shown}");
    }
}
