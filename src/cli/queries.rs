//! Queries: the words of the commands that make a table, as they were typed.

use std::path::PathBuf;

use super::args::Color;
use super::args::choice::Choice;
use super::args::enrichment::Enrichment;
use super::args::format::formats;
use super::args::running::Running;
use crate::output::Format;

/// What is read, which part of it is meant, and how it is shown: the same for all these commands.
#[derive(Debug, clap::Args)]
pub struct Input {
    /// Files, folders (walked for .json .jsonl .ndjson .log .csv, their .gz .zst, and what else starts like an export), or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// Leave out what came before this: a time, a date, or 30d back from the newest event
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub since: Option<String>,

    /// Leave out what came after this; a date is its whole day
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub until: Option<String>,

    /// Only events of this organization; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub organization: Vec<String>,

    /// Only what stands at this line of its source, and at this byte: the origin of an event; may be repeated
    #[arg(long, value_name = "LINE[:BYTE]", help_heading = "Selection")]
    pub at: Vec<String>,

    /// Nothing but errors on standard error
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,

    /// Files that tell more of addresses
    #[command(flatten)]
    pub enrichment: Enrichment,

    /// Exit with 4 if any record was skipped
    #[arg(long, help_heading = "In pipelines")]
    pub strict: bool,

    /// How the work is done
    #[command(flatten)]
    pub running: Running,
}

/// How a table is shown.
#[derive(Debug, Default, clap::Args)]
pub struct Shown {
    /// Rows of a table to show; 0 is all. Other formats have all of them
    #[arg(long, value_name = "N", default_value_t = 50, help_heading = "Output")]
    pub limit: usize,

    /// Colours in the table
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    pub color: Color,

    /// Zone of the times in tables, and of --since and --until: UTC, local, or an offset such as +02:00; other formats are always UTC
    #[arg(long, allow_hyphen_values = true, value_name = "ZONE", help_heading = "Output")]
    pub tz: Option<String>,
}

/// Which events are meant.
#[derive(Debug, clap::Args)]
pub struct Filters {
    /// Only events that meet a condition: `actor.name == "x" and source.country not in ["FR", "US"]`
    #[arg(long = "where", value_name = "CONDITION", help_heading = "Selection")]
    pub condition: Option<String>,

    /// Only events in which this text stands anywhere, without case; may be repeated
    #[arg(long, value_name = "TEXT", help_heading = "Selection")]
    pub contains: Vec<String>,
}

/// What a command that runs no rules accepts as others do.
#[derive(Debug, clap::Args)]
pub struct Unruled {
    /// Accepted as by other commands; this one runs no rules and never looks for a jcdetect.yml
    #[arg(long, help_heading = "Rules")]
    pub no_config: bool,
}

/// `hunt`
#[derive(Debug, clap::Args)]
#[command(after_help = "docs/hunting.md has the language of --where. Exit codes: 0 done, found or not; 2 usage or \
rule error; 3 a source could not be read or is no export; 4 something was skipped and --strict was given; 5 the output \
could not be written, or a rule failed inside.")]
pub struct Hunt {
    #[command(flatten)]
    pub input: Input,

    #[command(flatten)]
    pub filters: Filters,

    /// With --sigma: take the lists and the rules that it names from this file; jcdetect.yml, searched upward, if not given
    #[arg(long, value_name = "FILE", help_heading = "Rules", requires = "sigma")]
    pub config: Option<PathBuf>,

    /// Do not look for a jcdetect.yml, as without --sigma
    #[arg(long, help_heading = "Rules")]
    pub no_config: bool,

    #[command(flatten)]
    pub shown: Shown,

    /// Only events that this Sigma rule finds; of a correlation, the events that made its signals
    #[arg(long, value_name = "RULE.yml", help_heading = "Selection")]
    pub sigma: Option<PathBuf>,

    /// Count the values of a field, or of several together, the rarest first
    #[arg(long, value_name = "FIELD[,FIELD]", help_heading = "Output", conflicts_with = "first_seen")]
    pub stack: Option<String>,

    /// When each value was first seen with each owner, the newest first: source.country by actor.key
    #[arg(long, num_args = 3, value_names = ["FIELD", "by", "FIELD"], help_heading = "Output")]
    pub first_seen: Option<Vec<String>>,

    /// Show these fields of the events instead of the usual ones
    #[arg(long, value_name = "FIELD[,FIELD]", help_heading = "Output", conflicts_with_all = ["stack", "first_seen"])]
    pub columns: Option<String>,

    /// What standard output shows; jsonl has the records as they stand in the sources
    #[arg(long, value_name = "FORMAT", value_parser = formats(&[Format::Table, Format::Jsonl, Format::Csv]), default_value = "table", help_heading = "Output")]
    pub format: Format,
}

/// The formats of a timeline.
const TIMELINE: &[Format] = &[Format::Table, Format::Jsonl, Format::Csv, Format::Timesketch];

/// `timeline`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("cited").args(["findings", "mark", "of"]).multiple(true))]
pub struct Timeline {
    #[command(flatten)]
    pub input: Input,

    #[command(flatten)]
    pub filters: Filters,

    #[command(flatten)]
    pub shown: Shown,

    /// Only the evidence of findings, with the findings that cite it
    #[arg(long, help_heading = "Selection")]
    pub findings: bool,

    /// Only the evidence of this finding or case: the first characters of its id; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub of: Vec<String>,

    /// All events, with the findings that cite them
    #[arg(long, help_heading = "Selection", conflicts_with = "findings")]
    pub mark: bool,

    /// With --findings, --of or --mark: leave out findings below this severity
    #[arg(long, value_name = "SEVERITY", help_heading = "Selection", requires = "cited")]
    pub min_severity: Option<String>,

    /// With --findings, --of or --mark: older exports, which teach the rules what is usual; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Running", requires = "cited")]
    pub history: Vec<PathBuf>,

    /// With --findings, --of or --mark: which rules
    #[command(flatten)]
    pub choice: Choice,

    /// What standard output shows; timesketch is the CSV that Timesketch imports
    #[arg(long, value_name = "FORMAT", value_parser = formats(TIMELINE), default_value = "table", help_heading = "Output")]
    pub format: Format,
}

/// `summary`
#[derive(Debug, clap::Args)]
pub struct Summary {
    #[command(flatten)]
    pub input: Input,

    #[command(flatten)]
    pub filters: Filters,

    #[command(flatten)]
    pub shown: Shown,

    #[command(flatten)]
    pub unruled: Unruled,

    /// What standard output shows
    #[arg(long, value_name = "FORMAT", value_parser = formats(&[Format::Table, Format::Json]), default_value = "table", help_heading = "Output")]
    pub format: Format,
}

/// `normalize`
#[derive(Debug, clap::Args)]
pub struct Normalize {
    #[command(flatten)]
    pub input: Input,

    #[command(flatten)]
    pub filters: Filters,

    #[command(flatten)]
    pub unruled: Unruled,
}
