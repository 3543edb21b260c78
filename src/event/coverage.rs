//! Coverage: what was read, kept and skipped, and why. "Nothing found" means nothing without it.

use std::collections::BTreeMap;

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
            Reason::NotAnObject => "not an object",
            Reason::NotAnEvent => "not a Directory Insights event",
            Reason::NoTime => "no readable timestamp",
            Reason::WrongCells => "wrong number of cells",
        }
    }
}

/// How many examples of a skipped record are kept for each reason.
pub const EXAMPLES: usize = 5;

/// Records skipped for one reason.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    /// how many
    pub count: u64,
    /// the first few: source and line
    pub examples: Vec<(u32, u64)>,
}

/// First and last event of a service in an organization.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// the first event
    pub first: Timestamp,
    /// the last event
    pub last: Timestamp,
}

/// A stretch of time without a single event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// the end of the last hour with events
    pub from: Timestamp,
    /// the start of the next one
    pub to: Timestamp,
}

/// What was read. Records = events + duplicates + skipped.
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
    /// records skipped, by reason
    pub skipped: BTreeMap<Reason, Skipped>,
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
    /// hours, counted from the epoch, in which something happened
    pub hours: BTreeMap<i64, u64>,
    /// files in folders that were left out, by their names
    pub not_read: Vec<String>,
}

/// Gaps shorter than this are nights and weekends.
const GAP_HOURS: i64 = 72;

impl Coverage {
    /// Counts a record that was skipped.
    pub fn skip(&mut self, reason: Reason, source: u32, line: u64) {
        self.records += 1;
        let skipped = self.skipped.entry(reason).or_default();
        skipped.count += 1;
        if skipped.examples.len() < EXAMPLES {
            skipped.examples.push((source, line));
        }
    }

    /// Counts a duplicate.
    pub fn duplicate(&mut self) {
        self.records += 1;
        self.duplicates += 1;
    }

    /// Counts an event.
    pub fn event(&mut self, seen: &Seen) {
        self.records += 1;
        self.events += 1;
        self.without_id += u64::from(seen.is_without_id);
        bump(&mut self.services, &seen.service);
        bump(&mut self.types, &seen.event_type);
        bump(&mut self.organizations, &seen.organization);
        *self.hours.entry(seen.time.0.div_euclid(HOUR)).or_default() += 1;
        widen(self.span.get_or_insert(Reach { first: seen.time, last: seen.time }), seen.time);
        let key = (seen.organization.clone(), seen.service.clone());
        widen(self.reach.entry(key).or_insert(Reach { first: seen.time, last: seen.time }), seen.time);
    }

    /// Stretches of at least three days without any event.
    pub fn gaps(&self) -> Vec<Gap> {
        let hours: Vec<i64> = self.hours.keys().copied().collect();
        hours
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > GAP_HOURS)
            .map(|pair| Gap { from: Timestamp((pair[0] + 1) * HOUR), to: Timestamp(pair[1] * HOUR) })
            .collect()
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

/// What coverage wants to know of an event.
#[derive(Clone, Debug)]
pub struct Seen {
    /// when
    pub time: Timestamp,
    /// canonical type
    pub event_type: String,
    /// service
    pub service: String,
    /// organization
    pub organization: String,
    /// it has no id
    pub is_without_id: bool,
}

impl From<&Event<'_>> for Seen {
    fn from(event: &Event<'_>) -> Seen {
        Seen {
            time: event.time,
            event_type: event.event_type.to_string(),
            service: event.service().to_owned(),
            organization: event.organization().to_owned(),
            is_without_id: event.id().is_none(),
        }
    }
}

fn widen(reach: &mut Reach, time: Timestamp) {
    reach.first = reach.first.min(time);
    reach.last = reach.last.max(time);
}

fn bump(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(count) => *count += 1,
        None => {
            counts.insert(key.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(time: &str) -> Seen {
        Seen {
            time: Timestamp::parse(time).unwrap(),
            event_type: "sso_auth".into(),
            service: "sso".into(),
            organization: "o".into(),
            is_without_id: false,
        }
    }

    #[test]
    fn the_account_adds_up() {
        let mut coverage = Coverage::default();
        coverage.event(&seen("2026-03-02T09:00:00Z"));
        coverage.duplicate();
        coverage.skip(Reason::NotJson, 0, 3);
        assert_eq!(coverage.records, coverage.events + coverage.duplicates + coverage.skipped_count());
        assert_eq!(coverage.skipped[&Reason::NotJson].examples, [(0, 3)]);
    }

    #[test]
    fn gaps_are_longer_than_a_weekend() {
        let mut coverage = Coverage::default();
        for time in ["2026-03-02T09:00:00Z", "2026-03-05T08:00:00Z", "2026-03-09T12:30:00Z"] {
            coverage.event(&seen(time));
        }
        let gap = Gap {
            from: Timestamp::parse("2026-03-05T09:00:00Z").unwrap(),
            to: Timestamp::parse("2026-03-09T12:00:00Z").unwrap(),
        };
        assert_eq!(coverage.gaps(), [gap]);
    }
}
