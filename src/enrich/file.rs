//! File: one input file read whole, with its hash; and the files of a folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{Error, Provenance};
use crate::event::letters;
use crate::event::time::Timestamp;
use crate::event::utf8;
use crate::input::{decode, looks, source};

/// The largest file that is read.
pub const LIMIT: u64 = 2 << 30;
/// A compressed text may be so many times its size: lists hardly reach twenty.
const UNPACKED: u64 = 64;
/// And so many bytes in any case.
const SMALL: u64 = 64 << 20;

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

    /// Its name without folder and ending, also without that of a compressed file.
    pub fn stem(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = Path::new(source::unpacked(&name)).file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
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
        let name = letters::lower(entry.file_name().to_string_lossy());
        let is_wanted = endings.iter().any(|end| source::unpacked(&name).ends_with(end));
        if entry.file_type().is_file() && !name.starts_with('.') && is_wanted {
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
    let opened = File::open(&file.path).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    if metadata.len() > limit {
        return Err(too_large(&file.name, limit));
    }
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(&file.name, limit));
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
    Ok((text(&file.name, &bytes)?, provenance))
}

/// Bytes as text: unpacked, out of UTF-16, and without a byte order mark. What is no text, web pages and empty files are
/// errors that say so.
pub fn text(name: &str, bytes: &[u8]) -> Result<String, Error> {
    let most = (bytes.len() as u64).saturating_mul(UNPACKED).max(SMALL);
    unpacked(name, bytes, most.min(LIMIT))
}

fn unpacked(name: &str, bytes: &[u8], limit: u64) -> Result<String, Error> {
    let failed = |e: std::io::Error| Error::new(name, format!("cannot be unpacked: {e}"), "export it again");
    let decoded = decode::text(bytes).map_err(failed)?;
    if let Some(words) = looks::foreign(&decoded.head) {
        let remedy = "name a file of text, JSON or CSV (from Excel: `CSV UTF-8`)";
        return Err(Error::new(name, format!("looks like {words}"), remedy));
    }
    let mut text = Vec::new();
    decoded.reader.take(limit + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > limit {
        return Err(too_large(name, limit));
    }
    let text = utf8::text(text)
        .map_err(|line| Error::new(name, "is not UTF-8", "save it as UTF-8 (from Excel: `CSV UTF-8`)").at_line(line))?;
    if text.trim_start().is_empty() {
        return Err(Error::new(name, "is empty", "export it again"));
    }
    Ok(text)
}

fn too_large(name: &str, limit: u64) -> Error {
    Error::new(name, format!("is larger than {} MiB", limit >> 20), "split it, or name the part that is needed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn error(bytes: &[u8]) -> String {
        text("f", bytes).unwrap_err().to_string()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn wrong_files_are_named_with_a_remedy() {
        let cut = gzip(b"203.0.113.7\n");
        for (bytes, want) in [
            (&b"PK\x03\x04.."[..], "a zip: unpack it first; name a file of text"),
            (&gzip(b"%PDF-1.7"), "a PDF"),
            (&cut[..cut.len() - 6], "cannot be unpacked"),
            (b"\x01\x02\0\x03", "a binary file"),
            (b"a\0b\0.\0\n\0", "UTF-16 without a byte order mark: save it as UTF-8"),
            (&gzip(&gzip(b"203.0.113.7\n")), "compressed twice: unpack it once"),
            (b"ok\nJos\xe9\n", "f:2: is not UTF-8"),
            (b"", "is empty"),
            (&gzip(b""), "is empty"),
            (b"\xef\xbb\xbf \n", "is empty"),
            (b"<!DOCTYPE html><p>", "HTML"),
            (b"<?xml version='1.0'?>", "XML"),
        ] {
            assert!(error(bytes).contains(want), "{} / {want}", error(bytes));
        }
    }

    #[test]
    fn a_text_is_the_same_however_it_is_stored() {
        let want = "203.0.113.7 Zoë\r\n";
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(want.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [want.as_bytes(), &gzip(want.as_bytes()), &wide, &[b"\xef\xbb\xbf", want.as_bytes()].concat()] {
            assert_eq!(text("f", bytes).unwrap(), want);
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let bomb = gzip(&vec![b'a'; 1 << 20]);
        assert!(bomb.len() < 1 << 16);
        assert!(unpacked("f", &bomb, (1 << 20) - 1).unwrap_err().to_string().contains("larger than"));
        assert!(unpacked("f", &bomb, 1 << 20).is_ok());
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
        for name in ["b.json", "a.CSV", ".hidden.json", "c.md", "c.md.gz", "d.json.zst"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let names: Vec<String> = find(folder.path(), &[".json", ".csv"]).unwrap().iter().map(Named::stem).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert!(find(folder.path(), &[".x"]).unwrap_err().to_string().contains("without files that end in .x"));
    }
}
