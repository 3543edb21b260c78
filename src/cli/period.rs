//! Period: the time that is meant, between `--since` and `--until`.

use anyhow::{Result, anyhow, bail};

use crate::event::time::{Span, Timestamp, Zone};

/// An instant as it was typed.
#[derive(Clone, Copy, Debug)]
enum When {
    At(Timestamp),
    /// this long before the newest event
    Back(Span),
}

impl When {
    fn parse(flag: &str, text: &str, at: impl Fn(&str) -> Option<Timestamp>) -> Result<When> {
        let when = Span::parse(text).map(When::Back).or_else(|| at(text).map(When::At));
        when.ok_or_else(|| anyhow!("{flag} {text}: no time; write 2026-03-02, 2026-03-02T09:00:00Z or 30d"))
    }

    fn resolve(self, newest: Timestamp) -> Timestamp {
        match self {
            When::At(time) => time,
            When::Back(span) => newest.back(span),
        }
    }
}

/// A stretch of time as it was typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    since: Option<When>,
    until: Option<When>,
}

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between {
    /// its start
    pub since: Option<Timestamp>,
    /// its end
    pub until: Option<Timestamp>,
}

impl Period {
    /// Reads what was typed, in the zone in which times are shown unless it names another. A date is the start of its day,
    /// behind `--until` the end of it.
    pub fn parse(since: Option<&str>, until: Option<&str>, zone: Zone) -> Result<Period> {
        let start = |text: &str| Timestamp::parse_in(text, zone);
        let end = |text: &str| Timestamp::parse_end_in(text, zone);
        let period = Period {
            since: since.map(|text| When::parse("--since", text, start)).transpose()?,
            until: until.map(|text| When::parse("--until", text, end)).transpose()?,
        };
        match (period.since, period.until) {
            (Some(When::At(since)), Some(When::At(until))) if since > until => bail!(BACKWARDS),
            (Some(When::Back(since)), Some(When::Back(until))) if since < until => bail!(BACKWARDS),
            _ => Ok(period),
        }
    }

    /// The stretch, seen from the newest event, if there is any.
    pub fn resolve(self, newest: Option<Timestamp>) -> Result<Between> {
        let resolved = |when: Option<When>| when.map(|when| when.resolve(newest.unwrap_or_default()));
        let between = Between { since: resolved(self.since), until: resolved(self.until) };
        match between {
            Between { since: Some(since), until: Some(until) } if newest.is_some() && since > until => {
                bail!("{BACKWARDS} ({since} and {until})")
            }
            _ => Ok(between),
        }
    }
}

const BACKWARDS: &str = "--since is after --until: nothing can lie between";

impl Between {
    /// Whether some of what lasted so long lies in it.
    pub fn has(&self, first: Timestamp, last: Timestamp) -> bool {
        self.since.is_none_or(|since| last >= since) && self.until.is_none_or(|until| first <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(since: &str, until: &str) -> Result<Between> {
        Period::parse(Some(since), Some(until), Zone::Utc)?.resolve(Timestamp::parse("2026-03-10T12:00:00Z"))
    }

    #[test]
    fn a_day_is_whole() {
        let day = between("2026-03-10", "2026-03-10").unwrap();
        let has = |text: &str| Timestamp::parse(text).is_some_and(|time| day.has(time, time));
        assert!(has("2026-03-10T00:00:00Z") && has("2026-03-10T23:59:59.999999999Z"));
        assert!(!has("2026-03-09T23:59:59Z") && !has("2026-03-11"));
        assert!(!between("2026-03-09", "2026-03-10T00:00:00Z").unwrap().has(Timestamp(i64::MAX), Timestamp(i64::MAX)));
    }

    #[test]
    fn what_ends_before_it_starts_is_refused() {
        let backwards =
            [("2026-03-11", "2026-03-10"), ("1d", "2d"), ("1d", "2026-03-08"), ("2026-03-10T12:00:00Z", "1h")];
        for (since, until) in backwards {
            let message = between(since, until).unwrap_err().to_string();
            assert!(message.starts_with(BACKWARDS), "{since} {until}: {message}");
        }
        assert!(between("2d", "2026-03-09").is_ok() && between("2d", "1d").is_ok());
        assert!(Period::parse(Some("1d"), Some("2026-03-08"), Zone::Utc).unwrap().resolve(None).is_ok());
    }
}
