//! `jcdetect man` and `jcdetect completions`: both are made from the flags.

use std::io::{self, Write};

use anyhow::{Result, bail};
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Args;
use super::exit::Exit;

/// Writes what a shell has to know to complete commands and flags.
pub fn completions(shell: Shell) -> Result<Exit> {
    // Into memory first: a closed pipe is no panic.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "jcdetect", &mut text);
    io::stdout().lock().write_all(&text)?;
    Ok(Exit::Done)
}

/// Writes the manual page of the program, or of one command.
pub fn page(command: Option<&str>) -> Result<Exit> {
    let mut program = Args::command();
    program.build();
    let meant = match command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => found.clone(),
            None => bail!("man {name}: no such command; `jcdetect help` lists them"),
        },
    };
    Man::new(meant).render(&mut io::stdout().lock())?;
    Ok(Exit::Done)
}
