//! `jcdetect report duet`, and the folder of messages that `scan` writes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;

use super::args::{MessageFormat, Report, ReportCommand, ReportDuet};
use super::config::Config;
use super::document::read_or_input;
use super::exit::Exit;
use super::say;
use crate::enrich::directory::Directory;
use crate::event::counted::plural;
use crate::output::duet;
use crate::triage::question::{AddressBook, Message, is_open, messages};
use crate::triage::reported::{self, Reported};

/// Does what was typed.
pub fn run(typed: &Report) -> Result<Exit> {
    match &typed.command {
        ReportCommand::Duet(typed) => run_duet(typed),
    }
}

fn run_duet(typed: &ReportDuet) -> Result<Exit> {
    let config = Config::new(typed.config.as_deref(), typed.no_config, &[])?;
    config.tell(typed.quiet);
    let directory = typed.directory.as_deref().map(Directory::load).transpose()?;
    let name = typed.findings.display().to_string();
    let text = match read_or_input(&typed.findings) {
        Ok(text) => text,
        Err(error) => {
            say(format_args!("{name}: {error}"));
            return Ok(Exit::Source);
        }
    };
    let findings = reported::read(&name, &text)?;
    let book = AddressBook { directory: directory.as_ref(), contacts: Some(&config.contacts) };
    let messages = messages(&findings, &[], book);
    if let Some(folder) = &typed.output {
        if let Some(failed) = write_folder(folder, &messages) {
            return Ok(failed);
        }
    } else {
        let text = match typed.format {
            MessageFormat::Json => duet::json_all(&messages)?,
            MessageFormat::Markdown => messages.iter().map(duet::markdown).collect::<Vec<_>>().join("\n---\n\n"),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
    }
    if !typed.quiet {
        tell(&findings, &messages);
    }
    Ok(Exit::Done)
}

/// Writes two files for each message. Says what failed.
pub fn write_folder(folder: &Path, messages: &[Message]) -> Option<Exit> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for message in messages {
            let stem = duet::file_stem(&message.recipient);
            fs::write(folder.join(format!("{stem}.md")), duet::markdown(message))?;
            fs::write(folder.join(format!("{stem}.json")), duet::json(message)?)?;
        }
        tell_of_others(folder, messages)
    };
    let error = write().err()?;
    say(format_args!("{}: {error}", folder.display()));
    Some(Exit::Output)
}

/// Tells of messages in the folder that are none of these: whoever sends all that lies there would ask again.
fn tell_of_others(folder: &Path, messages: &[Message]) -> io::Result<()> {
    let own: BTreeSet<String> = messages.iter().map(|message| duet::file_stem(&message.recipient)).collect();
    let mut others = 0_u64;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_message = path.extension().is_some_and(|end| end == "md") && path.with_extension("json").exists();
        let is_own = path.file_stem().is_some_and(|stem| own.contains(stem.to_string_lossy().as_ref()));
        others += u64::from(is_message && !is_own);
    }
    if others > 0 {
        let (messages, are) = (plural(others, "message"), if others == 1 { "is" } else { "are" });
        say(format_args!("{}: {messages} of an earlier run {are} still there", folder.display()));
    }
    Ok(())
}

/// How many questions go to how many people, and what was left out.
pub fn tell(findings: &[Reported], messages: &[Message]) {
    let questions = findings.iter().filter(|told| told.disposition == "duet").count();
    let open = findings.iter().filter(|told| is_open(told)).count();
    let without = messages.iter().filter(|message| message.recipient.address.is_none()).count();
    let (of, in_messages) = (plural(questions as u64, "question"), plural(messages.len() as u64, "message"));
    let mut text = format!("{open} of {of} in {in_messages}");
    if questions > open {
        text += &format!("; left out as known, suppressed or pending: {}", questions - open);
    }
    if without > 0 {
        text += &format!("; {without} without an address: give --directory, or `contacts` in jcdetect.yml");
    }
    let delicate = messages.iter().filter(|message| message.is_delicate);
    let delicate: Vec<&str> = delicate.map(|message| message.recipient.name.as_str()).collect();
    if !delicate.is_empty() {
        text += &format!(
            "; ask by telephone, because their account is part of a case or of an open finding: {}",
            delicate.join(", ")
        );
    }
    say(text);
}
