//! Gather: from sources to kept events, for the commands that make a table of them.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use rayon::ThreadPool;

use super::errand::{Again, Done, Errand, tell_of_entries, tell_of_organizations};
use super::exit::Exit;
use super::period::{Between, Period};
use super::pipeline::Analysis;
use super::queries::{Filters, Input, Shown};
use super::say;
use super::settings::{is_coloured, zone};
use crate::detect::partition::Partition;
use crate::detect::store::Store;
use crate::enrich::enrichment::{Enrichment, Paths};
use crate::event::Event;
use crate::event::origin::Origin;
use crate::event::time::{Timestamp, Zone};
use crate::input::source::{self, Source};
use crate::input::{Options, again};
use crate::output::Look;
use crate::output::rows::terminal;
use crate::rule::detection::Warnings;
use crate::rule::expr::{Expr, Searchable};
use crate::rule::pattern::{Glob, Pattern};
use crate::rule::query;
use crate::rule::set::RuleSet;
use crate::rule::token::Mistake;
use crate::triage::column::Events;

/// A condition with a mistake in it, for the caret under the place.
#[derive(Debug)]
pub struct Pointed {
    /// the text as typed
    pub text: String,
    /// what is wrong and where
    pub mistake: Mistake,
}

impl std::fmt::Display for Pointed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--where: {}", self.mistake.message)
    }
}

impl std::error::Error for Pointed {}

/// Where an event stands in its source, as findings cite it.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    offset: Option<u64>,
}

impl Place {
    fn parse(typed: &str) -> Result<Place> {
        let (line, offset) = match typed.split_once(':') {
            Some((line, offset)) => (line, Some(offset)),
            None => (typed, None),
        };
        let number = |text: &str| {
            text.parse()
                .map_err(|_| anyhow!("--at {typed}: write a line as it is cited, or line and byte: 12 or 12:4711"))
        };
        Ok(Place { line: number(line)?, offset: offset.map(number).transpose()? })
    }

    fn is_of(&self, origin: Origin) -> bool {
        self.line == origin.line && self.offset.is_none_or(|offset| offset == origin.offset)
    }
}

/// How sources are read and events shown.
pub struct Settings {
    /// what to read
    pub sources: Vec<PathBuf>,
    /// what only teaches
    pub history: Vec<PathBuf>,
    /// how tables look
    pub look: Look,
    /// rows of a table; 0 is all
    pub limit: usize,
    /// nothing but errors
    pub is_quiet: bool,
    period: Period,
    organizations: Vec<String>,
    places: Vec<Place>,
    is_strict: bool,
    pool: ThreadPool,
    options: Options,
    enrichment: Paths,
}

impl Settings {
    /// Understands what was typed.
    pub fn new(typed: &Input, shown: &Shown) -> Result<Settings> {
        let zone = shown.tz.as_deref().map_or(Ok(Zone::Utc), zone)?;
        let period = Period::parse(typed.since.as_deref(), typed.until.as_deref(), zone)?;
        let (pool, options) = typed.running.understood()?;
        Ok(Settings {
            sources: typed.sources.clone(),
            history: Vec::new(),
            look: Look { is_coloured: is_coloured(shown.color), is_terminal: io::stdout().is_terminal(), zone },
            limit: shown.limit,
            is_quiet: typed.quiet,
            period,
            organizations: typed.organization.clone(),
            places: typed.at.iter().map(|text| Place::parse(text)).collect::<Result<_>>()?,
            is_strict: typed.strict,
            pool,
            options,
            enrichment: typed.enrichment.paths(None),
        })
    }

    /// Reads everything. `is_read_again` says that records are asked for afterwards.
    pub fn gather(&self, set: RuleSet, is_read_again: bool) -> Result<Gathered> {
        let (mut found, mut history) = (source::find(&self.sources), source::find(&self.history));
        let errand = Errand {
            set,
            organizations: &self.organizations,
            enrichment: &self.enrichment,
            now: None,
            options: self.options,
            partition: Partition::default(),
            pool: &self.pool,
            is_quiet: self.is_quiet,
            reads_again: if is_read_again { Again::Sources } else { Again::Never },
        };
        let Done { set, enrichment, analysis, mut exits } = errand.run(&mut found, &mut history)?;
        if !self.is_quiet {
            tell_of_entries(&enrichment);
        }
        if self.is_strict && analysis.skipped_count() > 0 {
            exits.push(Exit::Skipped);
        }
        let coverage = &analysis.reading.coverage;
        exits.extend(tell_of_organizations(&self.organizations, coverage));
        let between = self.period.resolve(coverage.newest())?;
        Ok(Gathered {
            names: found.list.iter().map(|source| source.name.clone()).collect(),
            sources: found.list,
            set,
            analysis,
            enrichment,
            exits,
            between,
            places: self.places.clone(),
            options: self.options,
        })
    }
}

/// Takes an event and its record; the store and the names of the sources are there to look into.
pub type Taker<'t> = dyn FnMut(&Store, &[String], u32, &[u8]) -> io::Result<()> + 't;

/// What was read.
pub struct Gathered {
    /// the sources
    pub sources: Vec<Source>,
    /// their names
    pub names: Vec<String>,
    /// the rules that were asked
    pub set: RuleSet,
    /// what came of it
    pub analysis: Analysis,
    /// what was looked up for it
    pub enrichment: Enrichment,
    /// what went wrong so far
    pub exits: Vec<Exit>,
    between: Between,
    places: Vec<Place>,
    options: Options,
}

impl Gathered {
    /// Whether a time lies between `--since` and `--until`.
    pub fn is_between(&self, time: Timestamp) -> bool {
        self.between.has(time, time)
    }

    /// Whether part of a stretch of time lies between `--since` and `--until`.
    pub fn has_part_of(&self, from: Timestamp, to: Timestamp) -> bool {
        self.between.has(from, to)
    }

    /// Of some events those that meet a condition, whenever they were.
    pub fn chosen(&self, events: impl Iterator<Item = u32>, condition: Option<&Expr>) -> Vec<u32> {
        let store = &self.analysis.store;
        // What all events of a profile have in common is looked at once.
        let mut known: Vec<Option<bool>> = vec![None; store.profiles().len() as usize];
        let is_chosen = |event: &u32| {
            *known[store.profile(*event) as usize]
                .get_or_insert_with(|| condition.is_none_or(|condition| condition.matches(&store.view(*event))))
        };
        let is_at = |event: &u32| self.places.is_empty() || self.places.iter().any(|at| at.is_of(store.origin(*event)));
        events.filter(is_at).filter(is_chosen).collect()
    }

    /// The same, between `--since` and `--until`.
    pub fn chosen_between(&self, events: impl Iterator<Item = u32>, condition: Option<&Expr>) -> Vec<u32> {
        let mut events = self.chosen(events, condition);
        events.retain(|event| self.is_between(self.analysis.store.time(*event)));
        events
    }

    /// Events for a table.
    pub fn events<'a>(&'a self, list: &'a [u32]) -> Events<'a> {
        Events { store: &self.analysis.store, list, sources: &self.names, citations: None }
    }

    /// Reads the records of events again, in the order of the sources.
    pub fn records(&mut self, events: &[u32], take: &mut Taker<'_>) -> io::Result<()> {
        let (store, names) = (&self.analysis.store, &self.names);
        let mut places: Vec<_> = events.iter().map(|event| (store.origin(*event), *event)).collect();
        places.sort_unstable();
        for part in places.chunk_by(|a, b| a.0.source == b.0.source) {
            let Some(source) = self.sources.get(part[0].0.source as usize) else { continue };
            let offsets: Vec<u64> = part.iter().map(|(origin, _)| origin.offset).collect();
            let mut next = part.iter().map(|(_, event)| *event);
            let read = again::records(source, self.options, &offsets, &mut |record| {
                next.next().map_or(Ok(()), |event| take(store, names, event, record))
            });
            match read {
                Ok(()) => {}
                Err(again::Stopped::Taker(error)) => return Err(error),
                Err(again::Stopped::Source(error)) => {
                    say(format_args!("{}: {error}", source.name));
                    self.exits.push(Exit::Source);
                }
            }
        }
        Ok(())
    }

    /// Of some events those in which all texts stand; their records are read again for it.
    pub fn containing(&mut self, events: Vec<u32>, texts: &[Glob]) -> io::Result<Vec<u32>> {
        if texts.is_empty() {
            return Ok(events);
        }
        let mut found = BTreeSet::new();
        self.records(&events, &mut |_, _, event, record| {
            let has_all = again::with_record(record, |json| {
                let record = Event::bare(json);
                texts.iter().all(|glob| record.any_text(&|text| glob.matches(text)))
            });
            found.extend((has_all == Some(true)).then_some(event));
            Ok(())
        })?;
        Ok(events.into_iter().filter(|event| found.contains(event)).collect())
    }

    /// Tells what was skipped, beside data that cannot.
    pub fn tell_skipped(&self, is_quiet: bool) {
        let skipped = terminal::skipped(&self.analysis.reading.coverage, &self.names).filter(|_| !is_quiet);
        skipped.iter().for_each(say);
    }
}

/// Which events are meant, understood.
#[derive(Default)]
pub struct Filter {
    /// `--where`
    pub condition: Option<Expr>,
    /// `--contains`
    pub texts: Vec<Glob>,
}

impl Filter {
    /// Understands what was typed; what is doubtful in it is said, unless only errors are.
    pub fn new(typed: &Filters, is_quiet: bool) -> Result<Filter> {
        let mut warnings = Warnings::new();
        let compile = |text: &String| {
            query::compile(text, &mut warnings).map_err(|mistake| Pointed { text: text.clone(), mistake })
        };
        let condition = typed.condition.as_ref().map(compile).transpose()?;
        let doubts: BTreeSet<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
        doubts.iter().filter(|_| !is_quiet).for_each(|doubt| say(format_args!("--where: {doubt}")));
        if let Some(empty) = typed.contains.iter().find(|text| text.is_empty()) {
            bail!("--contains {empty:?}: every event contains nothing");
        }
        Ok(Filter { condition, texts: typed.contains.iter().map(|text| Glob::containing(text)).collect() })
    }

    /// All of it as one condition, with more beside it.
    pub fn and(&self, more: Option<Expr>) -> Expr {
        let texts = self.texts.iter().cloned().map(|text| Expr::Keyword(Pattern::Glob(text)));
        Expr::And(self.condition.iter().cloned().chain(more).chain(texts).collect())
    }
}
