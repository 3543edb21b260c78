//! The words of the commands that look into one thing: `investigate`, `explain`, `demo`.

use std::path::PathBuf;

use super::choice::Choice;
use super::enrichment::Enrichment;
use super::format::formats;
use super::running::Running;
use crate::output::Format;

/// What is read for an inquiry, and by which rules.
#[derive(Debug, clap::Args)]
pub struct Inquiry {
    /// Files, folders (walked for .json .jsonl .ndjson .log .csv, their .gz .zst, and what else starts like an export), or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// Zone of the times and hours that are shown, and of --since and --until: UTC, local, or an offset such as +02:00; JSON is always UTC
    #[arg(long, allow_hyphen_values = true, value_name = "ZONE", default_value = "UTC", help_heading = "Output")]
    pub tz: String,

    /// Nothing but errors on standard error
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,

    /// Only events of this organization; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub organization: Vec<String>,

    /// Which rules
    #[command(flatten)]
    pub choice: Choice,

    /// Files that tell more of addresses
    #[command(flatten)]
    pub enrichment: Enrichment,

    /// Older exports, which teach the rules what is usual; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Running")]
    pub history: Vec<PathBuf>,

    /// How the work is done
    #[command(flatten)]
    pub running: Running,
}

/// `investigate`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, also where nobody has that name; 2 usage or rule error, no such address, or a \
id that more than one finding or case begins with; 3 a source could not be read or is no export; 5 the output could not \
be written, or a rule failed inside."
)]
pub struct Investigate {
    /// A user name, e-mail address or id; an IP address or CIDR; a device, application or other thing by name or
    /// id; or the first 6 or more characters of the id of a finding or a case
    #[arg(value_name = "USER|IP|DEVICE|FINDING-ID|CASE-ID")]
    pub subject: String,

    #[command(flatten)]
    pub inquiry: Inquiry,

    /// Users, groups, devices and administrators as JumpCloud's API, CLI or PowerShell module exported them
    #[arg(long, value_name = "PATH", help_heading = "Enrichment")]
    pub directory: Option<PathBuf>,

    /// How it is written
    #[arg(long, value_name = "FORMAT", value_parser = formats(&[Format::Table, Format::Json]), default_value = "table", help_heading = "Output")]
    pub format: Format,

    /// Show ordinary sessions event by event, too
    #[arg(long, help_heading = "Output")]
    pub all: bool,

    /// A pause after which a new session begins
    #[arg(long, value_name = "SPAN", default_value = "30m", help_heading = "Selection")]
    pub idle: String,

    /// Only sessions that ended at or after this: a time, a date, or 30d back from the newest event
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub since: Option<String>,

    /// Only sessions that began at or before this; a date is its whole day
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub until: Option<String>,
}

/// `explain`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done; 2 usage or rule error, or no such rule, finding or event; 3 a source could not be \
read or is no export; 5 the output could not be written, or a rule failed inside."
)]
pub struct Explain {
    /// A rule, or the first 6 or more characters of a finding's id
    #[arg(value_name = "RULE|FINDING-ID")]
    pub subject: String,

    #[command(flatten)]
    pub inquiry: Inquiry,

    /// Look at the rule on this event, by its id
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub event: Option<String>,
}

/// `demo`
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// What standard output shows
    #[arg(long, value_name = "FORMAT", value_parser = formats(Format::OF_REPORTS), default_value = "table")]
    pub format: Format,

    /// Write the example's events to standard output instead, to try other commands on them
    #[arg(long)]
    pub events: bool,
}
