//! File: one input file read whole, with its hash; and the files of a folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{Error, Provenance};
use crate::event::time::Timestamp;
use crate::event::utf8;

/// The largest file that is read.
pub const LIMIT: u64 = 2 << 30;

/// A file to read, under the name by which it is cited.
#[derive(Clone, Debug)]
pub struct Named {
    /// as typed
    pub name: String,
    /// where it is
    pub path: PathBuf,
}

impl Named {
    /// A file that was named by itself.
    pub fn of(path: &Path) -> Named {
        Named { name: path.display().to_string(), path: path.to_owned() }
    }

    /// Its name without folder and ending.
    pub fn stem(&self) -> String {
        self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The file itself, or the files of a folder that end in one of these, by name. Hidden files are left out.
pub fn find(path: &Path, endings: &[&str]) -> Result<Vec<Named>, Error> {
    if !path.is_dir() {
        return Ok(vec![Named::of(path)]);
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::new(&path.display().to_string(), e.to_string(), ""))?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type().is_file() && !name.starts_with('.') && endings.iter().any(|end| name.ends_with(end)) {
            files.push(Named::of(entry.path()));
        }
    }
    if files.is_empty() {
        let what = format!("a folder without files that end in {}", endings.join(", "));
        return Err(Error::new(&path.display().to_string(), what, "name the files themselves"));
    }
    Ok(files)
}

/// Reads a file whole.
pub fn bytes(file: &Named) -> Result<(Vec<u8>, Provenance), Error> {
    limited(file, LIMIT)
}

fn limited(file: &Named, limit: u64) -> Result<(Vec<u8>, Provenance), Error> {
    let failed = |e: std::io::Error| Error::new(&file.name, e.to_string(), "");
    let too_large = || {
        Error::new(
            &file.name,
            format!("is larger than {} MiB", limit >> 20),
            "split it, or name the part that is needed",
        )
    };
    let opened = File::open(&file.path).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    let modified = metadata.modified().ok().and_then(|time| DateTime::<Utc>::from(time).timestamp_nanos_opt());
    let provenance = Provenance {
        file: file.name.clone(),
        modified: modified.map(Timestamp),
        sha256: hexadecimal(&Sha256::digest(&bytes)),
        ..Provenance::default()
    };
    Ok((bytes, provenance))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Reads a text file whole; see [`text`] for what is refused.
pub fn read(file: &Named) -> Result<(String, Provenance), Error> {
    let (bytes, provenance) = bytes(file)?;
    Ok((text(&file.name, bytes)?, provenance))
}

/// Bytes as text, without the byte order mark. UTF-16, compressed and binary files, web pages and empty files
/// are errors that say so.
pub fn text(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    let head = &bytes[..bytes.len().min(512)];
    if is_utf16(head) {
        let remedy = "save it as UTF-8 (PowerShell: `Out-File -Encoding utf8`)";
        return Err(Error::new(name, "looks like UTF-16", remedy));
    }
    if let Some((_, words, remedy)) = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(Error::new(name, format!("looks like {words}"), remedy));
    }
    if head.contains(&0) {
        return Err(Error::new(name, "looks like a binary file", "name a text file"));
    }
    let mut text = utf8::text(bytes)
        .map_err(|line| Error::new(name, "is not UTF-8", "save it as UTF-8 (from Excel: `CSV UTF-8`)").at_line(line))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    let start = text.trim_start();
    if start.is_empty() {
        return Err(Error::new(name, "is empty", "export it again"));
    }
    let word: String = start.chars().take(14).flat_map(char::to_lowercase).collect();
    if ["<!doctype html", "<html"].iter().any(|page| word.starts_with(page)) {
        return Err(Error::new(name, "looks like an HTML page", "perhaps a sign-in ran out: download it again"));
    }
    if word.starts_with("<?xml") {
        return Err(Error::new(name, "looks like XML", "export it as JSON or CSV"));
    }
    Ok(text)
}

/// By its byte order mark, or by a zero in every other byte.
fn is_utf16(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).take(8).filter(|b| **b == 0).count();
    head.len() >= 16 && (zeros(0), zeros(1)) == (0, 8) || head.len() >= 16 && (zeros(0), zeros(1)) == (8, 0)
}

const MAGIC: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip (or an Excel workbook)", "unpack it first, or save the sheet as CSV UTF-8"),
    (b"\x1f\x8b", "gzip", "unpack it first (`gunzip`)"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unpack it first (`unzstd`)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it first"),
    (b"BZh", "a bzip2 file", "unpack it first"),
    (b"%PDF", "a PDF", "name a text file"),
    (b"SQLite format 3\0", "an SQLite database", "export it as JSON or CSV"),
    (b"PAR1", "Parquet", "export it as JSON or CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save the sheet as CSV UTF-8"),
    (b"\x7fELF", "a program", "name a text file"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        text("f", bytes.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn wrong_files_are_named_with_a_remedy() {
        for (bytes, want) in [
            (&b"\xff\xfea\0b\0"[..], "UTF-16; save it as UTF-8"),
            (b"a\0b\0c\0d\0e\0f\0g\0h\0", "UTF-16"),
            (b"\0a\0b\0c\0d\0e\0f\0g\0h", "UTF-16"),
            (b"PK\x03\x04..", "a zip"),
            (b"\x1f\x8b\x08", "gzip; unpack it first"),
            (b"\x01\x02\0\x03", "a binary file"),
            (b"ok\nJos\xe9\n", "f:2: is not UTF-8"),
            (b"", "is empty"),
            (b"\xef\xbb\xbf \n", "is empty"),
            (b"<!DOCTYPE html><p>", "HTML"),
            (b"<?xml version='1.0'?>", "XML"),
        ] {
            assert!(error(bytes).contains(want), "{} / {want}", error(bytes));
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(text("f", b"\xef\xbb\xbfa\r\n".to_vec()).unwrap(), "a\r\n");
    }

    #[test]
    fn provenance_and_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "abc").unwrap();
        let (bytes, provenance) = limited(&Named::of(&path), 3).unwrap();
        assert_eq!(bytes, b"abc");
        assert_eq!(provenance.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(provenance.modified.is_some());
        assert!(limited(&Named::of(&path), 2).unwrap_err().to_string().contains("larger than"));
        assert!(limited(&Named::of(&folder.path().join("b")), 2).is_err());
    }

    #[test]
    fn files_of_a_folder_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "a.CSV", ".hidden.json", "c.md"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let names: Vec<String> = find(folder.path(), &[".json", ".csv"]).unwrap().iter().map(Named::stem).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(find(folder.path(), &[".x"]).unwrap_err().to_string().contains("without files that end in .x"));
    }
}
