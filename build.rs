//! Lists the rule files of the pack, so that adding a rule is adding a file, and parses their documents and the
//! lists, so that a run need not.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[allow(dead_code, reason = "only rules that are read at run time need the rest")]
#[path = "src/rule/file.rs"]
mod file;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=src/rule/file.rs");
    println!("cargo::rerun-if-changed=src/rule/lists.yml");
    let mut files = Vec::new();
    list(&root.join("rules"), &mut files)?;
    files.sort();
    let (mut pack, mut prepared) = (String::from("&[\n"), String::from("&[\n"));
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&root).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        writeln!(pack, "    ({name:?}, include_str!({:?})),", file.display()).map_err(io::Error::other)?;
        writeln!(prepared, "    &[{}],", documents(&fs::read_to_string(&file)?)).map_err(io::Error::other)?;
    }
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let lists = file::yaml(&fs::read_to_string(root.join("src/rule/lists.yml"))?)
        .map_err(|why| io::Error::other(format!("{why:?}")))?;
    fs::write(out.join("lists.json"), lists.to_string())?;
    fs::write(out.join("pack.rs"), pack + "]")?;
    fs::write(out.join("prepared.rs"), prepared + "]")
}

/// The documents of a file, as text in Rust: where each starts, how long it is, its line, and what it says in JSON. A file
/// that is not as it should be has none, and says why when it is read.
fn documents(text: &str) -> String {
    let one = |document: &file::Document<'_>| {
        let start = document.text.as_ptr().addr() - text.as_ptr().addr();
        let said = file::yaml(document.text).ok()?.to_string();
        Some(format!("({start}, {}, {}, {said:?})", document.text.len(), document.line))
    };
    let all: Option<Vec<String>> = file::documents(text).rules.iter().map(one).collect();
    all.unwrap_or_default().join(", ")
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
