//! The pages of the documentation say what is true: their commands are run, and their output compared.
//!
//! A block that is fenced as `LANGUAGE FILE` is a file in the working folder of the commands below it. With
//! `WRITE_PAGES=1` the real output is written into the pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The pages whose commands are run.
const PAGES: &[&str] = &[
    "cases.md",
    "questions.md",
    "baseline.md",
    "enrichment.md",
    "hunting.md",
    "timeline.md",
    "summary.md",
    "normalize.md",
];

/// Runs a command of a page as a shell does, and gives what a person sees.
fn seen(line: &str, folder: &Path, last: &mut i32) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_jcdetect")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let script = format!("(exit {last}); {line}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("PATH", path).env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap();
    *last = output.status.code().unwrap();
    let text = String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
    let text = text.replace(&format!("{}/", folder.canonicalize().unwrap().display()), "");
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The page with the real output of its commands.
fn real(page: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new().unwrap();
    for name in ["testdata", "rules"] {
        std::os::unix::fs::symlink(root.join(name), folder.path().join(name)).unwrap();
    }
    // What lies above a temporary folder is not ours.
    fs::create_dir(folder.path().join(".git")).unwrap();
    let mut out = String::new();
    let mut blocks = page.split("```");
    let mut last = 0;
    out += blocks.next().unwrap();
    while let Some(block) = blocks.next() {
        let (head, body) = block.split_once('\n').unwrap();
        out += &format!("```{head}\n");
        if let Some((_, name)) = head.split_once(' ') {
            fs::write(folder.path().join(name), body).unwrap();
        }
        if head == "console" {
            for line in body.lines().filter(|line| line.starts_with("$ ")) {
                out += &format!("{line}\n{}", seen(&line[2..], folder.path(), &mut last));
            }
        } else {
            out += body;
        }
        out += "```";
        out += blocks.next().unwrap();
    }
    out
}

#[test]
fn pages_are_true() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for name in PAGES {
        let page = fs::read_to_string(docs.join(name)).unwrap();
        let real = real(&page);
        if std::env::var_os("WRITE_PAGES").is_some() {
            fs::write(docs.join(name), &real).unwrap();
            continue;
        }
        let differs = page.lines().zip(real.lines()).find(|(page, real)| page != real);
        assert_eq!(
            differs, None,
            "docs/{name}: run `WRITE_PAGES=1 cargo test pages_are_true` and look at what changed"
        );
        assert_eq!(page.lines().count(), real.lines().count(), "docs/{name}");
    }
}
