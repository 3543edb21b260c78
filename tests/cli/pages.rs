//! Pages of the documentation show real output: each `console` block is run in the root of the repository and
//! compared. `JCDETECT_WRITE_PAGES=1 cargo test --test cli pages` puts the real output in.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The pages whose blocks are run.
const PAGES: &[&str] = &["hunting.md", "timeline.md", "summary.md", "normalize.md"];

/// What a command of a page says, on both outputs, without blanks at the ends of lines.
fn said(line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_jcdetect"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The page with the real output in its blocks.
fn with_real_output(page: &str) -> (String, usize) {
    let mut out = String::new();
    let mut is_block = false;
    let mut count = 0;
    for line in page.lines() {
        if line.starts_with("```") {
            is_block = line == "```console";
            out += &format!("{line}\n");
        } else if !is_block {
            out += &format!("{line}\n");
        } else if let Some(command) = line.strip_prefix("$ ") {
            count += 1;
            out += &format!("{line}\n{}", said(command));
        }
    }
    (out, count)
}

#[test]
#[cfg(unix)]
fn their_output_is_real() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for name in PAGES {
        let path = folder.join(name);
        let page = fs::read_to_string(&path).unwrap();
        let (real, count) = with_real_output(&page);
        assert!(count > 0, "{name} shows nothing");
        if std::env::var_os("JCDETECT_WRITE_PAGES").is_some() {
            fs::write(&path, &real).unwrap();
        } else {
            assert_eq!(
                page.lines().collect::<Vec<_>>(),
                real.lines().collect::<Vec<_>>(),
                "docs/{name} is not what is printed"
            );
        }
    }
}
