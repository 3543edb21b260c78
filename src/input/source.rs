//! Source: a file, a file of a folder, or standard input, under the name by which it is cited.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use memchr::memmem;
use walkdir::WalkDir;

use super::{decode, looks, table};
use crate::event::coverage::{Lacking, Unreadable};

/// Something to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// as typed; inside a folder relative to it
    pub name: String,
    place: Place,
    /// which argument of the command it came from
    pub argument: usize,
    /// its file when it was found
    was: Option<Stamp>,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
enum Place {
    StandardInput,
    File(PathBuf),
    /// standard input, kept in a file without a name
    Spool(Arc<File>),
    Memory(Arc<[u8]>),
}

/// Endings of files that are read in folders, also with `.gz` or `.zst` behind; others are looked into.
const ENDINGS: &[&str] = &[".json", ".jsonl", ".ndjson", ".log", ".csv"];

impl Source {
    /// Opens it for reading.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.place {
            Place::StandardInput => Box::new(io::stdin()),
            Place::File(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                // What is packed has a head, even where nothing is in it.
                if is_packed(&self.name) && metadata.is_file() && metadata.len() == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end of file"));
                }
                Box::new(file)
            }
            Place::Spool(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Box::new(file)
            }
            Place::Memory(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
        })
    }

    /// A source that is held in memory, for examples.
    pub fn memory(name: &str, bytes: &[u8]) -> Source {
        Source { name: name.to_owned(), place: Place::Memory(bytes.into()), argument: 0, was: None }
    }

    fn file(name: String, path: PathBuf, argument: usize) -> Source {
        let was = file_stamp(&path);
        Source { name, place: Place::File(path), argument, was }
    }

    /// Whether its file is not what it was when it was found, or is gone. What comes only once does not change.
    pub fn has_changed(&self) -> bool {
        self.was.is_some() && self.path().is_some_and(|path| file_stamp(path) != self.was)
    }

    /// What is told of it where it could not be read.
    pub fn unreadable(&self, place: u32, lacking: Lacking, reason: String) -> Unreadable {
        Unreadable { source: self.name.clone(), place, lacking, reason }
    }

    /// The file it is, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }

    /// Bytes on disk, as far as they are known.
    pub fn size(&self) -> u64 {
        match &self.place {
            Place::File(path) => path.metadata().map_or(0, |m| m.len()),
            Place::Memory(bytes) => bytes.len() as u64,
            Place::Spool(file) => file.metadata().map_or(0, |m| m.len()),
            Place::StandardInput => 0,
        }
    }

    /// Keeps what comes only once, as standard input does and a pipe with a name, so that it can be read twice: in
    /// a file that has no name and ends with the process.
    pub fn spool(&mut self) -> io::Result<()> {
        let mut once: Box<dyn Read> = match &self.place {
            Place::StandardInput => Box::new(io::stdin()),
            Place::File(path) if path.metadata().is_ok_and(|m| !m.is_file()) => Box::new(File::open(path)?),
            _ => return Ok(()),
        };
        let mut file = tempfile::tempfile()?;
        io::copy(&mut once, &mut file)?;
        self.place = Place::Spool(Arc::new(file));
        Ok(())
    }
}

/// The sources that the arguments name.
#[derive(Debug, Default)]
pub struct Sources {
    /// in the order of the arguments; files of a folder by name
    pub list: Vec<Source>,
    /// what stands in folders and was not read: files that neither are called nor start like an export, and what is no file,
    /// as a pipe
    pub left_out: Vec<String>,
    /// arguments and folder entries that could not be opened
    pub unreadable: Vec<Unreadable>,
}

impl Sources {
    /// Bytes on disk of all of them, as far as they are known.
    pub fn bytes(&self) -> u64 {
        self.list.iter().map(Source::size).sum()
    }

    #[allow(clippy::cast_possible_truncation, reason = "four billion names do not fit into memory")]
    fn cannot_open(&mut self, source: String, reason: String) {
        let place = self.list.len() as u32;
        self.unreadable.push(Unreadable { source, place, lacking: Lacking::All, reason });
    }
}

/// Finds the sources: `-` is standard input, folders are walked. A file of a folder is called by its path in it, and by
/// its whole path where there are other arguments, in which there may be another of that name.
pub fn find(arguments: &[PathBuf]) -> Sources {
    let mut sources = Sources::default();
    for (argument, path) in arguments.iter().enumerate() {
        let name = path.display().to_string();
        if name == "-" {
            sources.list.push(Source { name, place: Place::StandardInput, argument, was: None });
        } else if path.is_dir() {
            let base = if arguments.len() > 1 { Path::new("") } else { path };
            walk(path, base, argument, &mut sources);
        } else if let Err(error) = path.metadata() {
            sources.cannot_open(name, error.to_string());
        } else {
            sources.list.push(Source::file(name, path.clone(), argument));
        }
    }
    sources
}

fn walk(folder: &Path, base: &Path, argument: usize, sources: &mut Sources) {
    let before = (sources.list.len(), sources.unreadable.len());
    let left_out = sources.left_out.len();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if !entry.file_type().is_dir() => {
                let name = entry.path().strip_prefix(base).unwrap_or(entry.path()).display().to_string();
                // A pipe may wait for ever, so nobody reads one who did not name it.
                if entry.file_type().is_file() && (is_wanted(&name) || has_events(entry.path())) {
                    sources.list.push(Source::file(name, entry.into_path(), argument));
                } else {
                    sources.left_out.push(name);
                }
            }
            Ok(_) => {}
            Err(error) => {
                // One entry, as a link that leads back, is not the whole folder.
                let entry = error.path().unwrap_or(folder);
                let name = entry.strip_prefix(base).ok().filter(|name| *name != Path::new("")).unwrap_or(entry);
                sources.cannot_open(name.display().to_string(), error.to_string());
            }
        }
    }
    if before == (sources.list.len(), sources.unreadable.len()) {
        let mut reason =
            format!("no file in it ends in {}, also with .gz or .zst, or starts like an export", ENDINGS.join(" "));
        if let Some(name) = sources.left_out[left_out..].iter().find(|name| is_wanted(name)) {
            reason += &format!("; {name} is no file: a pipe is read where it is named itself");
        }
        sources.cannot_open(folder.display().to_string(), reason);
    }
}

/// What a file is known by: its length, when it was written last, and on Unix which file it is and when anything of it
/// changed, since a time can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    written: SystemTime,
    #[cfg(unix)]
    unix: [i128; 4],
}

/// The stamp of a file; what is no file has none.
fn file_stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok().filter(Metadata::is_file)?;
    Some(Stamp {
        length: metadata.len(),
        written: metadata.modified().ok()?,
        #[cfg(unix)]
        unix: {
            use std::os::unix::fs::MetadataExt;
            let (device, inode) = (metadata.dev(), metadata.ino());
            [device.into(), inode.into(), metadata.ctime().into(), metadata.ctime_nsec().into()]
        },
    })
}

/// A name without the ending of a compressed file, which is in small letters.
pub fn unpacked(name: &str) -> &str {
    [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Whether a file of any name starts like an export, or is an archive, which is told of. Objects in buckets often have
/// names without an ending.
fn has_events(path: &Path) -> bool {
    let Ok(text) = File::open(path).and_then(decode::text) else { return false };
    let is_table = || table::is_header(&text.head) && memmem::find(&text.head, b"event_type").is_some();
    looks::is_archive(&text.head) || looks::is_event(&text.head) || is_table()
}

fn is_packed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    unpacked(&lower) != lower
}

/// Whether a file is called as exports are. What a Mac puts beside a file (`._events.json`) is none.
fn is_wanted(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_beside = lower.rsplit(['/', '\\']).next().is_some_and(|name| name.starts_with("._"));
    !is_beside && ENDINGS.iter().any(|ending| unpacked(&lower).ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for name in ["a.json", "b.JSONL", "jc_x.json.gz", "c.csv.zst", "d.log"] {
            assert!(is_wanted(name), "{name}");
        }
        for name in ["README.md", "a.json.bak", "a.gz", "x.evtx", "__MACOSX/._a.json", "._b.jsonl.gz"] {
            assert!(!is_wanted(name), "{name}");
        }
    }
}
