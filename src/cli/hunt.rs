//! `jcdetect hunt`

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, anyhow, bail};

use super::config::Config;
use super::document;
use super::exit::Exit;
use super::gather::{Filter, Gathered, Settings};
use super::pipeline::Analysis;
use super::queries;
use super::settings::rule_files;
use super::{say, write_out};
use crate::detect::evidence::evidence;
use crate::enrich::enrichment::Enrichment;
use crate::event::counted::plural;
use crate::event::field::Field;
use crate::input::again::on_one_line;
use crate::output::Format;
use crate::output::rows::{csv, lines, terminal};
use crate::rule::detection::Warnings;
use crate::rule::expr::Expr;
use crate::rule::kept::Wanted;
use crate::rule::logic::Logic;
use crate::rule::pack::PACK;
use crate::rule::parsed::Parsed;
use crate::rule::set::RuleSet;
use crate::rule::{Rule, query};
use crate::triage::column::{Column, narrow, wide};
use crate::triage::report::RuleCoverage;
use crate::triage::stack;
use crate::triage::table::Table;

/// What is made of the events.
enum Shape {
    Events(Vec<Field>),
    Stack(Vec<Field>),
    FirstSeen { value: Vec<Field>, by: Vec<Field> },
}

/// What a Sigma rule asks for.
enum Sigma {
    /// one event: what is asked of it, and the rule that asks
    Condition(Expr, Box<Rule>),
    /// several events together: the rule and those of the pack that it is made of
    Rules(Vec<Parsed>),
}

/// Hunts for what was typed.
pub fn run(typed: &queries::Hunt) -> Result<Exit> {
    let settings = Settings::new(&typed.input, &typed.shown)?;
    let filter = Filter::new(&typed.filters, settings.is_quiet)?;
    let format = typed.format;
    let shape = shape(typed)?;
    let sigma = typed.sigma.as_deref().map(|path| sigma(path, typed)).transpose()?;
    let is_raw = format == Format::Jsonl && matches!(&shape, Shape::Events(fields) if fields.is_empty());
    let Asked { set, later, is_correlated, alone } = Asked::new(&filter, sigma, &shape);
    if let Some(problem) = set.problems.first() {
        bail!("{problem}");
    }
    let late_texts = if is_correlated { filter.texts.as_slice() } else { &[] };
    let mut gathered = settings.gather(set, is_raw || !late_texts.is_empty())?;
    let found: Box<dyn Iterator<Item = u32>> = match is_correlated {
        true => Box::new(correlated(&gathered, settings.is_quiet).into_iter()),
        false => Box::new(0..gathered.analysis.store.len()),
    };
    let events = match shape {
        Shape::FirstSeen { .. } => gathered.chosen(found, later.as_ref()),
        _ => gathered.chosen_between(found, later.as_ref()),
    };
    let events = gathered.containing(events, late_texts)?;
    if let Some(alone) = alone.filter(|_| events.is_empty() && !settings.is_quiet) {
        tell_why_nothing(&alone, 0, &gathered.analysis, &gathered.enrichment);
    }
    let ended = write_out(|out| {
        if !is_raw {
            return write(&gathered, &settings, &events, &shape, format, out);
        }
        gathered.records(&events, &mut |_, _, _, record| {
            out.write_all(&on_one_line(record))?;
            out.write_all(b"\n")
        })
    })?;
    gathered.exits.extend(ended);
    if format != Format::Table {
        gathered.tell_skipped(settings.is_quiet);
    }
    Ok(Exit::worst(&gathered.exits))
}

fn shape(typed: &queries::Hunt) -> Result<Shape> {
    let fields = |flag: &str, text: &str| {
        let mut warnings = Warnings::new();
        let fields = query::fields(text, &mut warnings).map_err(|message| anyhow!("{flag} {text}: {message}"));
        warnings.iter().for_each(|warning| say(format_args!("{flag}: {}", warning.message)));
        fields
    };
    match (&typed.stack, &typed.first_seen, &typed.columns) {
        (Some(text), _, _) => Ok(Shape::Stack(fields("--stack", text)?)),
        (_, Some(words), _) => match words.as_slice() {
            [value, by, owner] if by == "by" => {
                Ok(Shape::FirstSeen { value: fields("--first-seen", value)?, by: fields("--first-seen", owner)? })
            }
            words => bail!("--first-seen {}: write FIELD by FIELD, as in source.country by actor.key", words.join(" ")),
        },
        (_, _, Some(text)) => Ok(Shape::Events(fields("--columns", text)?)),
        _ => Ok(Shape::Events(vec![])),
    }
}

/// The rule of a file, with what an organization says of itself.
fn sigma(path: &Path, typed: &queries::Hunt) -> Result<Sigma> {
    let config = Config::new(typed.config.as_deref(), typed.no_config, &typed.input.sources)?;
    config.tell(typed.input.quiet);
    let config = config.knowing(&typed.input.enrichment.known)?;
    let name = path.display().to_string();
    let text = document::read(path).map_err(|error| anyhow!("--sigma {name}: {error}"))?;
    let lists = &config.lists;
    let asked = Parsed::new(&name, &text, lists);
    let rule = &asked.rules().map_err(|problem| anyhow!("{problem}"))?[0];
    match &rule.logic {
        Logic::Detection(condition) => return Ok(Sigma::Condition(condition.clone(), Box::new(rule.clone()))),
        Logic::Risk(_) => bail!(
            "--sigma {name}: the rule adds up what all other rules find, and a hunt asks none of them; use `jcdetect scan`"
        ),
        _ => {}
    }
    let own = config.rules.iter().map(|folder| rule_files(folder)).collect::<Result<Vec<_>>>()?.concat();
    let mut own: Vec<Parsed> = own.iter().map(|(path, text)| Parsed::new(path, text, lists)).collect();
    let mut files = vec![asked];
    let mut next = 0;
    while let Some(file) = files.get(next) {
        for name in file.references() {
            if files.iter().any(|file| file.is_called(&name)) {
                continue;
            }
            let of_pack = PACK.iter().find(|(path, text)| is_called(path, text, &name));
            let of_pack = of_pack.map(|(path, text)| Parsed::new(path, text, lists));
            let place = own.iter().position(|file| file.is_called(&name));
            files.extend(of_pack.or_else(|| place.map(|place| own.swap_remove(place))));
        }
        next += 1;
    }
    Ok(Sigma::Rules(files))
}

/// Whether a rule of the pack has this name or id. The pack is known to be named like its files and to say ids plainly;
/// to parse all of it would take longer than most hunts.
fn is_called(path: &str, text: &str, name: &str) -> bool {
    let id = text.lines().find_map(|line| line.strip_prefix("id:")).map(|id| id.trim().trim_matches('"'));
    Path::new(path).file_stem().is_some_and(|stem| stem == name) || id.is_some_and(|id| id.eq_ignore_ascii_case(name))
}

/// What is asked of the events: while they are read, and when identities are linked.
struct Asked {
    set: RuleSet,
    later: Option<Expr>,
    /// it takes several events together
    is_correlated: bool,
    /// the rule by itself, where it is about one event
    alone: Option<RuleSet>,
}

impl Asked {
    fn new(filter: &Filter, sigma: Option<Sigma>, shape: &Shape) -> Asked {
        let mut kept = match shape {
            Shape::Events(fields) | Shape::Stack(fields) => fields.clone(),
            Shape::FirstSeen { value, by } => [value.as_slice(), by].concat(),
        };
        let condition = match sigma {
            Some(Sigma::Rules(rules)) => {
                filter.condition.iter().for_each(|condition| condition.fields(&mut kept));
                let set = RuleSet::keeping(rules, &wanted(kept));
                return Asked { set, later: filter.condition.clone(), is_correlated: true, alone: None };
            }
            Some(Sigma::Condition(condition, rule)) => Some((condition, rule)),
            None => None,
        };
        let (condition, rule) = condition.unzip();
        let alone = condition.clone().zip(rule).map(|(condition, rule)| {
            let mut alone = RuleSet::asking(condition, &[]);
            alone.rules = vec![*rule];
            alone
        });
        // What asks for identities may have matched; the rest did match.
        let linked: Vec<Expr> =
            filter.condition.iter().chain(&condition).filter(|part| part.is_linked()).cloned().collect();
        let later = (!linked.is_empty()).then_some(Expr::And(linked));
        Asked { set: RuleSet::asking(filter.and(condition), &wanted(kept)), later, is_correlated: false, alone }
    }
}

fn wanted(fields: Vec<Field>) -> Vec<Wanted> {
    fields.into_iter().map(Wanted::from).collect()
}

/// The events that made the signals of the rule. What it could not check is said, unless only errors are.
fn correlated(gathered: &Gathered, is_quiet: bool) -> Vec<u32> {
    let Gathered { set, analysis, enrichment, .. } = gathered;
    // Its file is the first.
    let Some(place) = set.rules.iter().position(|rule| rule.is_reported) else { return vec![] };
    let signals: Vec<_> = analysis.detected.signals[place].all().collect();
    if signals.is_empty() && !is_quiet {
        tell_why_nothing(set, place, analysis, enrichment);
    }
    evidence(set, &analysis.store, &analysis.detected, place, &signals).into_iter().collect()
}

/// Tells what a rule that found nothing could not check.
fn tell_why_nothing(set: &RuleSet, place: usize, analysis: &Analysis, enrichment: &Enrichment) {
    let rule = &set.rules[place];
    // Only events that matched are there to be looked at: whether others have an operator, the databases are asked.
    let has = |need: &str| analysis.has(need, enrichment) || (need == "asn" && enrichment.geo.is_some());
    let read = &analysis.reading.coverage;
    let coverage = RuleCoverage::new(set, &analysis.detected, read, None, has, |other| std::ptr::eq(other, rule));
    coverage.why_nothing(rule).iter().for_each(|why| say(format_args!("{}: {why}", rule.name)));
}

fn write(
    gathered: &Gathered,
    settings: &Settings,
    list: &[u32],
    shape: &Shape,
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    let events = gathered.events(list);
    let table: Table<'_> = match shape {
        Shape::Stack(fields) => stack::stack(events, fields),
        Shape::FirstSeen { value, by } => stack::first_seen(events, value, by, |time| gathered.is_between(time)),
        Shape::Events(fields) if !fields.is_empty() => {
            let mut columns = vec![Column::Time];
            columns.extend(events.has_tenants().then_some(Column::Organization));
            columns.extend(fields.iter().cloned().map(Column::Field));
            columns.push(Column::Origin);
            events.table(columns)
        }
        Shape::Events(_) if format == Format::Table => events.table(narrow(events.has_tenants())),
        Shape::Events(_) => events.table(wide()),
    };
    match format {
        Format::Csv => csv::write(table, out),
        Format::Table => {
            let coverage = &gathered.analysis.reading.coverage;
            let rows = table.count as u64;
            terminal::write(table, settings.limit, settings.look, out)?;
            let found = match shape {
                Shape::Events(_) => format!("{rows} of {}", plural(coverage.events, "event")),
                Shape::Stack(_) => {
                    format!("{} in {}", plural(rows, "different value"), plural(list.len() as u64, "event"))
                }
                Shape::FirstSeen { .. } => {
                    format!("{} in {}", plural(rows, "first sight"), plural(list.len() as u64, "event"))
                }
            };
            terminal::account(&found, coverage, None, &gathered.names, out)
        }
        _ => lines::write(table, out),
    }
}
