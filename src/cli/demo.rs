//! `jcdetect demo`: a scan of a small example, for whoever has no export at hand.

use std::io::{self, Write};

use anyhow::{Result, bail};
use clap::Parser;

use super::args::inquiry as typed;
use super::args::{Args, Command};
use super::exit::Exit;
use super::settings::Scan;
use super::{say, scan};
use crate::input::source::{Source, Sources};

/// Six quiet weeks of two administrators, and then one of them is taken over.
const EVENTS: &str = include_str!("../../testdata/scenarios/admin-takeover/events.jsonl");
/// The name under which they are cited.
const NAME: &str = "demo.jsonl";

/// Scans the example, or writes its events.
pub fn run(typed: &typed::Demo) -> Result<Exit> {
    if typed.events {
        io::stdout().lock().write_all(EVENTS.as_bytes())?;
        return Ok(Exit::Done);
    }
    // The same as `scan` with nothing but a format, whatever flags it has.
    let words = ["jcdetect", "scan", NAME, "--no-config", "--format", typed.format.name()];
    let Command::Scan(scan) = Args::try_parse_from(words)?.command else { bail!("demo is a scan") };
    say("this is an example; `jcdetect demo --events > demo.jsonl` writes its events, to try other commands on them");
    let sources = Sources { list: vec![Source::memory(NAME, EVENTS.as_bytes())], ..Sources::default() };
    scan::of(Scan::new(&scan)?, sources)
}
