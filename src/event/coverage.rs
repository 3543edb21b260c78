//! Coverage: what was read, kept and skipped, and why. "Nothing found" means nothing without it.

use std::collections::BTreeMap;
use std::fmt;

use super::silence::{self, Presence, Silence};
use super::time::{HOUR, Timestamp};
use super::{Event, catalogue};

/// Why a record was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// broken syntax
    NotJson,
    /// the text ends inside the record
    CutOff,
    /// more than 128 levels
    TooDeep,
    /// longer than the limit
    TooLong,
    /// bytes that are not UTF-8
    NotUtf8,
    /// JSON, but no object
    NotAnObject,
    /// an object without the keys of a Directory Insights event
    NotAnEvent,
    /// an event without a time that can be read
    NoTime,
    /// a CSV row with more or fewer cells than the header
    WrongCells,
    /// no record but an archive, which is not read
    Archive,
}

impl Reason {
    /// The words in output.
    pub fn words(self) -> &'static str {
        match self {
            Reason::NotJson => "not JSON",
            Reason::CutOff => "cut off",
            Reason::TooDeep => "too deep",
            Reason::TooLong => "too long",
            Reason::NotUtf8 => "not UTF-8",
            Reason::Archive => "an archive, not read",
            Reason::NotAnObject => "not an object",
            Reason::NotAnEvent => "not a Directory Insights event",
            Reason::NoTime => "no readable timestamp",
            Reason::WrongCells => "wrong number of cells",
        }
    }
}

/// How many examples of a kind of record are kept.
const EXAMPLES: usize = 5;

/// Records of which something has to be told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// how many
    pub count: u64,
    /// the first few: source and line
    pub examples: Vec<(u32, u64)>,
}

impl Told {
    /// Where the examples stand, by the names of the sources, and their lines.
    pub fn places<'s>(&'s self, sources: &'s [String]) -> impl Iterator<Item = (&'s str, u64)> {
        let name = |source: u32| sources.get(source as usize).map_or("", String::as_str);
        self.examples.iter().map(move |(source, line)| (name(*source), *line))
    }

    /// Counts a record; a line is an example once.
    pub fn add(&mut self, source: u32, line: u64) {
        self.count += 1;
        if self.examples.len() < EXAMPLES && !self.examples.contains(&(source, line)) {
            self.examples.push((source, line));
        }
    }
}

/// First and last event of a service in an organization.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// the first event
    pub first: Timestamp,
    /// the last event
    pub last: Timestamp,
}

impl Reach {
    /// From the first event of both to the last.
    #[must_use]
    pub fn with(self, other: Reach) -> Reach {
        Reach { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// A stretch of time without a single event of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// the organization; empty if events do not say
    pub organization: String,
    /// the end of the last hour with events
    pub from: Timestamp,
    /// the start of the next one
    pub to: Timestamp,
}

/// What is wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// nothing of it could be read
    All,
    /// what stands behind some place in it could not be read
    Rest,
    /// nothing in it was an event
    Events,
}

impl Lacking {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Lacking::All => "all",
            Lacking::Rest => "rest",
            Lacking::Events => "events",
        }
    }
}

/// A source, or what is left of one, of which the findings know nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// as it is cited, or as it was typed
    pub source: String,
    /// its place among the sources; what could not be opened stands before the source of that place
    pub place: u32,
    /// what is wrong
    pub lacking: Lacking,
    /// why
    pub reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

/// What was read. Records = events + duplicates + skipped + those of organizations that nobody asked for.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// all records
    pub records: u64,
    /// records understood, without duplicates
    pub events: u64,
    /// records that were there before: same organization, id and body
    pub duplicates: u64,
    /// ids that stand on events with different bodies; all of these events are kept
    pub conflicting_ids: u64,
    /// events without an id, which cannot be known to be duplicates
    pub without_id: u64,
    /// events of organizations that nobody asked for, which are left out
    pub elsewhere: u64,
    /// records skipped, by reason
    pub skipped: BTreeMap<Reason, Told>,
    /// records in which nested values stand as texts, which rules cannot see into
    pub flattened: Told,
    /// the first and the last event
    pub span: Option<Reach>,
    /// events of each service
    pub services: BTreeMap<String, u64>,
    /// events of each canonical type
    pub types: BTreeMap<String, u64>,
    /// events of each organization; the empty name is "not said"
    pub organizations: BTreeMap<String, u64>,
    /// reach of each service within each organization
    pub reach: BTreeMap<(String, String), Reach>,
    /// the hours in which something happened, of each service within each organization; in the history, too
    presence: BTreeMap<(String, String), Presence>,
    /// what stands in folders and was not read: files with another ending, and what is no file, as a pipe
    pub not_read: Vec<String>,
    /// sources that could not be read, or not to their end, or that are something else, in the order of the sources
    pub unreadable: Vec<Unreadable>,
}

impl Coverage {
    /// Counts a record that was skipped.
    pub fn skip(&mut self, reason: Reason, source: u32, line: u64) {
        self.records += 1;
        self.skipped.entry(reason).or_default().add(source, line);
    }

    /// Counts a duplicate.
    pub fn duplicate(&mut self) {
        self.records += 1;
        self.duplicates += 1;
    }

    /// Counts events of one kind.
    pub fn events(&mut self, kind: &Kind, mut tally: Tally) {
        let Some(reach) = tally.reach else { return };
        tally.turn();
        let count = tally.hours.values().sum();
        self.records += count;
        self.events += count;
        self.without_id += tally.without_id;
        bump(&mut self.services, &kind.service, count);
        bump(&mut self.types, &kind.event_type, count);
        bump(&mut self.organizations, &kind.organization, count);
        self.span = Some(self.span.map_or(reach, |span| span.with(reach)));
        let key = (kind.organization.clone(), kind.service.clone());
        let presence = self.presence.entry(key.clone()).or_default();
        tally.hours.keys().for_each(|hour| presence.mark(*hour));
        self.reach.entry(key).and_modify(|known| *known = known.with(reach)).or_insert(reach);
    }

    /// Counts events of an organization that nobody asked for.
    pub fn events_elsewhere(&mut self, kind: &Kind, mut tally: Tally) {
        tally.turn();
        let count = tally.hours.values().sum();
        self.records += count;
        self.elsewhere += count;
        bump(&mut self.organizations, &kind.organization, count);
    }

    /// Takes over from a history when something happened, which tells what is missing.
    pub fn learn(&mut self, history: &Coverage) {
        for (key, before) in &history.presence {
            self.presence.entry(key.clone()).or_default().add(before);
        }
    }

    /// Whether a stretch of whole hours reaches into, or up to, that of what was read of an organization.
    fn has_part_of(&self, organization: &str, from: Timestamp, to: Timestamp) -> bool {
        self.span_of(organization).is_some_and(|own| own.first.since(to).0 < HOUR && from <= own.last)
    }

    /// Stretches without any event of an organization: of more than three days, or with hours in which something
    /// comes in other weeks.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut services: BTreeMap<&str, Vec<&Presence>> = BTreeMap::new();
        for ((organization, _), presence) in &self.presence {
            services.entry(organization).or_default().push(presence);
        }
        let of_one = |(organization, services): (&str, Vec<&Presence>)| {
            let gap = |(before, after): (i64, i64)| Gap {
                organization: organization.to_owned(),
                from: Timestamp::of_hour(before + 1),
                to: Timestamp::of_hour(after),
            };
            silence::stops(&services).into_iter().map(gap).collect::<Vec<_>>()
        };
        let gaps = services.into_iter().flat_map(of_one);
        gaps.filter(|gap| self.has_part_of(&gap.organization, gap.from, gap.to)).collect()
    }

    /// Whether there is more than one organization.
    pub fn has_tenants(&self) -> bool {
        self.organizations.len() > 1
    }

    /// The first and the last event of an organization.
    pub fn span_of(&self, organization: &str) -> Option<Reach> {
        let from = self.reach.range((organization.to_owned(), String::new())..);
        let own = from.take_while(|((owner, _), _)| owner == organization);
        own.map(|(_, reach)| *reach).reduce(Reach::with)
    }

    /// Services of which nothing came though something comes at such hours.
    pub fn silences(&self) -> Vec<Silence> {
        let silences = silence::of(&self.presence).into_iter();
        silences.filter(|silence| self.has_part_of(&silence.organization, silence.from, silence.to)).collect()
    }

    /// How many sources lack this.
    pub fn lacking(&self, lacking: Lacking) -> usize {
        self.unreadable.iter().filter(|source| source.lacking == lacking).count()
    }

    /// When the newest event was.
    pub fn newest(&self) -> Option<Timestamp> {
        self.span.map(|span| span.last)
    }

    /// All records skipped.
    pub fn skipped_count(&self) -> u64 {
        self.skipped.values().map(|s| s.count).sum()
    }

    /// Types that the catalogue does not know, with how often they came.
    pub fn unknown_types(&self) -> impl Iterator<Item = (&str, u64)> {
        self.types.iter().filter(|(name, _)| catalogue::service_of(name).is_none()).map(|(n, c)| (n.as_str(), *c))
    }
}

/// What events are counted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kind {
    /// canonical type
    pub event_type: String,
    /// service
    pub service: String,
    /// organization
    pub organization: String,
}

impl Kind {
    /// The kind of an event.
    pub fn of(event: &Event<'_>) -> Kind {
        Kind {
            event_type: event.event_type.to_string(),
            service: event.service().to_owned(),
            organization: event.organization().to_owned(),
        }
    }
}

/// Events of one kind, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    reach: Option<Reach>,
    hours: BTreeMap<i64, u64>,
    /// the hour counted last and its events, which are not in `hours` yet
    hour: (i64, u64),
    without_id: u64,
}

impl Tally {
    /// Counts an event.
    pub fn add(&mut self, time: Timestamp, has_id: bool) {
        let reach = Reach { first: time, last: time };
        self.reach = Some(self.reach.map_or(reach, |known| known.with(reach)));
        let hour = time.0.div_euclid(HOUR);
        if hour != self.hour.0 {
            self.turn();
            self.hour = (hour, 0);
        }
        self.hour.1 += 1;
        self.without_id += u64::from(!has_id);
    }

    fn turn(&mut self) {
        if self.hour.1 > 0 {
            *self.hours.entry(self.hour.0).or_default() += self.hour.1;
        }
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, key: &str, by: u64) {
    match counts.get_mut(key) {
        Some(count) => *count += by,
        None => {
            counts.insert(key.to_owned(), by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(coverage: &mut Coverage, times: &[&str]) {
        let mut tally = Tally::default();
        times.iter().for_each(|time| tally.add(Timestamp::parse(time).unwrap(), true));
        coverage.events(&Kind::default(), tally);
    }

    #[test]
    fn the_account_adds_up() {
        let mut coverage = Coverage::default();
        count(&mut coverage, &["2026-03-02T09:00:00Z"]);
        coverage.duplicate();
        coverage.skip(Reason::NotJson, 0, 3);
        assert_eq!(coverage.records, coverage.events + coverage.duplicates + coverage.skipped_count());
        coverage.skip(Reason::NotJson, 0, 3);
        coverage.skip(Reason::NotJson, 1, 3);
        assert_eq!(coverage.skipped[&Reason::NotJson].examples, [(0, 3), (1, 3)], "a line once");
    }

    #[test]
    fn gaps_are_longer_than_a_weekend() {
        let mut coverage = Coverage::default();
        count(&mut coverage, &["2026-03-02T09:00:00Z", "2026-03-05T08:00:00Z"]);
        count(&mut coverage, &["2026-03-09T12:30:00Z"]);
        let gap = Gap {
            organization: String::new(),
            from: Timestamp::parse("2026-03-05T09:00:00Z").unwrap(),
            to: Timestamp::parse("2026-03-09T12:00:00Z").unwrap(),
        };
        assert_eq!(coverage.gaps(), std::slice::from_ref(&gap));
        // What goes on elsewhere fills no gap.
        let mut tally = Tally::default();
        (0..10)
            .for_each(|day| tally.add(Timestamp::parse(&format!("2026-03-{:02}T09:00:00Z", 2 + day)).unwrap(), true));
        coverage.events(&Kind { organization: "other".to_owned(), ..Kind::default() }, tally);
        assert_eq!(coverage.gaps(), std::slice::from_ref(&gap));
        // A history tells of the days between, and of its own gaps nothing.
        let (mut history, mut week) = (Coverage::default(), Coverage::default());
        count(&mut history, &["2026-02-20T09:00:00Z", "2026-03-02T09:00:00Z", "2026-03-05T08:00:00Z"]);
        count(&mut week, &["2026-03-09T12:30:00Z", "2026-03-09T15:30:00Z"]);
        assert!(week.gaps().is_empty());
        week.learn(&history);
        assert_eq!(week.gaps(), [gap]);
        let last = coverage.span_of("").map(|span| span.last);
        assert_eq!(last, Timestamp::parse("2026-03-09T12:30:00Z"));
    }
}
