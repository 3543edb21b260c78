//! Which rules run and which of them are reported, as it was typed: the same for all commands that detect.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::cli::config::Config;

/// Which rules run, and which are reported.
#[derive(Debug, clap::Args)]
pub struct Choice {
    /// Also use the rules of this folder; may be repeated
    #[arg(long, value_name = "DIR", help_heading = "Rules")]
    rules: Vec<PathBuf>,

    /// Take lists, rules and choices from this file; jcdetect.yml, searched upward, if not given
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    config: Option<PathBuf>,

    /// Do not look for a jcdetect.yml
    #[arg(long, help_heading = "Rules")]
    no_config: bool,

    /// Report a rule that is silent by default; may be repeated
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    enable: Vec<String>,

    /// Do not report a rule; may be repeated
    #[arg(long, value_name = "RULE", help_heading = "Rules")]
    disable: Vec<String>,
}

impl Choice {
    /// What the organization says of itself in its file and in lists of its networks, with what was typed beside it.
    pub fn config(&self, known: &[PathBuf], sources: &[PathBuf]) -> Result<Config> {
        let config = Config::new(self.config.as_deref(), self.no_config, sources)?;
        if let Some(both) = self.enable.iter().find(|rule| self.disable.contains(rule)) {
            bail!("--enable {both} and --disable {both}: only one of them can be meant");
        }
        let mut config = config.knowing(known)?;
        config.rules.extend(self.rules.iter().cloned());
        // What was typed goes before what the file says.
        config.enable.retain(|rule| !self.disable.contains(rule));
        config.disable.retain(|rule| !self.enable.contains(rule));
        config.enable.extend(self.enable.iter().cloned());
        config.disable.extend(self.disable.iter().cloned());
        Ok(config)
    }

    /// The first flag that was typed and asks for something, for a command that runs no rules.
    pub fn first(&self) -> Option<&'static str> {
        let typed = [
            ("--rules", !self.rules.is_empty()),
            ("--config", self.config.is_some()),
            ("--enable", !self.enable.is_empty()),
            ("--disable", !self.disable.is_empty()),
        ];
        typed.into_iter().find_map(|(flag, is_typed)| is_typed.then_some(flag))
    }
}
