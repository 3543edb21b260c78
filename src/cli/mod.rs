//! Cli: what was typed, what it means, and the joining of the stages. The only place that prints, reads the
//! environment, or ends the process.

mod args;
mod choices;
mod config;
mod decisions;
mod demo;
mod document;
mod duet;
mod errand;
mod exit;
mod explain;
mod gather;
mod hunt;
mod inquiry;
mod investigate;
mod manual;
mod missing;
mod normalize;
mod office;
mod period;
mod pipeline;
mod progress;
mod queries;
mod rules;
mod scan;
mod settings;
mod stats;
mod summary;
mod timeline;
mod trial;

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::Exit;
use gather::Pointed;

use crate::output::safe::Safe;

/// Runs the command line.
pub fn run() -> ExitCode {
    let args = Args::parse();
    let result = match args.command {
        Command::Scan(typed) => scan::run(&typed),
        Command::Hunt(typed) => hunt::run(&typed),
        Command::Timeline(typed) => timeline::run(&typed),
        Command::Summary(typed) => summary::run(&typed),
        Command::Normalize(typed) => normalize::run(&typed),
        Command::Investigate(typed) => investigate::run(&typed),
        Command::Explain(typed) => explain::run(&typed),
        Command::Demo(typed) => demo::run(&typed),
        Command::Rules(typed) => rules::run(&typed),
        Command::Report(typed) => duet::run(&typed),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { command } => manual::page(command.as_deref()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) if is_closed_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            say(format_args!("{error:#}"));
            if let Some(Pointed { text, mistake }) = error.downcast_ref() {
                let (line, caret) = mistake.pointed_out(text);
                write_error(format_args!("  {}\n  {caret}", Safe(&line)));
            }
            let is_output = error.downcast_ref::<io::Error>().is_some();
            if is_output { Exit::Output.into() } else { Exit::Usage.into() }
        }
    }
}

/// Says something on standard error. Names of files and texts of rules are foreign, too.
fn say(message: impl Display) {
    write_error(format_args!("jcdetect: {}", Safe(&message.to_string())));
}

/// Writes to standard error; where that is closed, nobody wants to know.
fn write_error(line: impl Display) {
    _ = writeln!(io::stderr(), "{line}");
}

/// Writes to standard output. An error is printed and becomes part of the exit code.
fn write_out(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Option<Exit>> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(format_args!("standard output: {error}"));
            Ok(Some(Exit::Output))
        }
        written => written.map(|()| None),
    }
}

/// Whoever reads our output has seen enough: that is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
