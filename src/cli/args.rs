//! Args: the words of the command line as they were typed.

pub mod choice;
pub mod enrichment;
pub mod format;
pub mod inquiry;
pub mod running;

use std::path::PathBuf;

use choice::Choice;
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use enrichment::Enrichment;
use format::formats;
use running::Running;

use super::queries;
use crate::output::Format;

/// What in this export of JumpCloud Directory Insights needs a human?
#[derive(Debug, Parser)]
#[command(name = "jcdetect", version, about, propagate_version = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all detections over exports and report what needs a human
    Scan(Box<Scan>),
    /// Find events: by a condition, a text or a Sigma rule; count what is rare, see what is new
    Hunt(Box<queries::Hunt>),
    /// Show all events, or the evidence of findings, in the order of time
    Timeline(Box<queries::Timeline>),
    /// Sum up an unknown export: who signs in from where, what administrators do, what fails, what is missing
    Summary(Box<queries::Summary>),
    /// Write the event of each record as the rules see it, as JSON lines
    Normalize(Box<queries::Normalize>),
    /// Show what somebody, an address or a device did, what of it is not usual, and how to undo it
    Investigate(Box<inquiry::Investigate>),
    /// Say why a rule found something, or why it did not
    Explain(Box<inquiry::Explain>),
    /// Scan a small example, to see what a report looks like
    Demo(inquiry::Demo),
    /// List, show, test and check the rules
    Rules(Rules),
    /// Make something of a report that `scan` wrote
    Report(Report),
    /// Write what a shell has to know to complete commands and flags
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual page
    Man {
        /// Of this command; of the program if not given
        command: Option<String>,
    },
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// on a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// always
    Always,
    /// never
    Never,
}

/// `scan`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, also with findings; 1 findings at or above --fail-on; 2 usage or rule error (also --fail-on below \
--min-severity); 3 a source could not be read or is no export; 4 something was skipped and --strict was given; 5 an output could not \
be written, or a rule failed inside."
)]
pub struct Scan {
    /// Files, folders (walked for .json .jsonl .ndjson .log .csv, their .gz .zst, and what else starts like an export), or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// What standard output shows
    #[arg(long, value_name = "FORMAT", value_parser = formats(Format::OF_REPORTS), default_value = "table", help_heading = "Output")]
    pub format: Format,

    /// Also write a report to a file, or questions for owners into a folder (duet=DIR); may be repeated
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Output")]
    pub output: Vec<String>,

    /// Events of evidence to show for each finding; the rest are counted
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Output")]
    pub evidence: usize,

    /// Colours in the table
    #[arg(long, value_enum, default_value = "auto", help_heading = "Output")]
    pub color: Color,

    /// Zone of the times in tables, and of --since and --until: UTC, local, or an offset such as +02:00; JSON is always UTC
    #[arg(long, allow_hyphen_values = true, value_name = "ZONE", default_value = "UTC", help_heading = "Output")]
    pub tz: String,

    /// Nothing but errors on standard error, and no table if there is an --output
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,

    /// Leave out findings below this severity: info, low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", help_heading = "Selection")]
    pub min_severity: Option<String>,

    /// Leave out findings that ended before this: a time, a date, or 30d back from the newest event
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub since: Option<String>,

    /// Leave out findings that began after this; a date is its whole day
    #[arg(long, value_name = "WHEN", help_heading = "Selection")]
    pub until: Option<String>,

    /// Only findings of this organization; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Selection")]
    pub organization: Vec<String>,

    /// Which rules
    #[command(flatten)]
    pub choice: Choice,

    /// Users, groups, devices and administrators as JumpCloud's API, CLI or PowerShell module exported them
    #[arg(long, value_name = "PATH", help_heading = "Enrichment")]
    pub directory: Option<PathBuf>,

    /// Files that tell more of addresses
    #[command(flatten)]
    pub enrichment: Enrichment,

    /// A report of an earlier run (json or jsonl): what stands in it is known, not new; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Decisions")]
    pub baseline: Vec<PathBuf>,

    /// Answers to questions (JSON Lines or CSV: finding_id, answer, who, when); may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Decisions")]
    pub answers: Vec<PathBuf>,

    /// When it is: what has expired then, suppressions and indicators, has no effect; the newest event if not given
    #[arg(long, value_name = "TIME", help_heading = "Decisions")]
    pub now: Option<String>,

    /// Exit with 1 if there are new findings of at least this severity, which may not be below --min-severity
    #[arg(long, value_name = "SEVERITY", help_heading = "In pipelines")]
    pub fail_on: Option<String>,

    /// Let questions for the owner count for --fail-on, too
    #[arg(long, help_heading = "In pipelines", requires = "fail_on")]
    pub fail_on_duet: bool,

    /// Exit with 4 if any record was skipped
    #[arg(long, help_heading = "In pipelines")]
    pub strict: bool,

    /// Older exports, which teach what is usual; what they tell by themselves is not reported; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Running")]
    pub history: Vec<PathBuf>,

    /// Tell on standard error how long it took and how much memory
    #[arg(long, help_heading = "Running")]
    pub stats: bool,

    /// How the work is done
    #[command(flatten)]
    pub running: Running,

    /// Length of the stretches of time that are worked on in parallel; changes nothing in the findings
    #[arg(long, value_name = "1h|6h|1d|7d|all", default_value = "1d", help_heading = "Running")]
    pub partition: String,
}

/// `report`
#[derive(Debug, clap::Args)]
pub struct Report {
    #[command(subcommand)]
    pub command: ReportCommand,
}

/// `report …`
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Write one message for each person who can tell whether something was meant
    Duet(ReportDuet),
}

/// How messages are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// one after the other
    Markdown,
    /// an array of objects
    Json,
}

/// `report duet`
#[derive(Debug, clap::Args)]
pub struct ReportDuet {
    /// A report that `scan --format json` or `jsonl` wrote, or - for standard input
    #[arg(value_name = "FINDINGS")]
    pub findings: PathBuf,
    /// Write a Markdown and a JSON file for each recipient into this folder, and nothing to standard output
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// What standard output shows
    #[arg(long, value_enum, default_value = "markdown")]
    pub format: MessageFormat,
    /// Users, devices and administrators as JumpCloud's API, CLI or PowerShell module exported them
    #[arg(long, value_name = "PATH")]
    pub directory: Option<PathBuf>,
    /// Take `contacts` from this file; jcdetect.yml, searched upward, if not given
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Do not look for a jcdetect.yml
    #[arg(long)]
    pub no_config: bool,
    /// Nothing but errors on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

/// `rules`
#[derive(Debug, clap::Args)]
pub struct Rules {
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// How a list of rules is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// for people
    Table,
    /// an array of objects
    Json,
    /// the index in docs/rules
    Markdown,
}

/// What rules are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// a layer of coverage
    AttackNavigator,
}

/// How a rule is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// words for people
    Page,
    /// its file
    Yaml,
}

/// Which rules are meant.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Only those of this category
    #[arg(long, value_name = "CATEGORY")]
    pub category: Option<String>,
    /// Only those of this severity
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<String>,
    /// Only those tagged with this technique or tactic: T1110, t1078.004, initial-access
    #[arg(long, value_name = "ID")]
    pub attack: Option<String>,
    /// Only those of this status: stable (all fields were seen or are documented), test (some are inferred from the
    /// API), or experimental (they rest on names that nobody published)
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Only questions for somebody who knows whether it was meant
    #[arg(long)]
    pub duet: bool,
    /// Only those that are silent unless enabled
    #[arg(long)]
    pub opt_in: bool,
}

/// `rules …`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules
    List {
        /// How to write them
        #[arg(long, value_enum, default_value = "table")]
        format: ListFormat,
        #[command(flatten)]
        which: Which,
        /// Also use the rules of this folder; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Write the rules for another program
    Export {
        /// attack-navigator: a layer of the ATT&CK Navigator (4.5)
        #[arg(long, value_enum)]
        format: ExportFormat,
        #[command(flatten)]
        which: Which,
        /// Also use the rules of this folder; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Show a rule: what it finds, what to do, what it misses; or its file, to copy and change
    Show {
        /// The rule's name
        rule: String,
        /// page: what it finds, what to do; yaml: the file as it is, examples included
        #[arg(long, value_enum, default_value_t = ShowFormat::Page)]
        format: ShowFormat,
        /// Also use the rules of this folder; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Run the examples in the rule files; exits with 1 if one fails
    Test {
        /// Only these rules; all if none is named
        rule: Vec<String>,
        /// Test the rules of this folder instead of the pack's; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Take every condition of a rule away in turn, and list those that no example needs; exits with 1 if there are any
    Mutate {
        /// Only these rules; all if none is named
        rule: Vec<String>,
        /// Try the rules of this folder instead of the pack's; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Check rule files; exits with 2 if one cannot be used
    Lint {
        /// Check the rules of this folder instead of the pack's; may be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
}
