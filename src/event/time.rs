//! Time: an instant in UTC, in nanoseconds, and spans of it as people write them.

use std::fmt;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};

use super::json::Json;

/// An instant: nanoseconds since 1970-01-01 UTC. Covers the years 1678 to 2261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// One second in the unit of [`Timestamp`].
pub const SECOND: i64 = 1_000_000_000;
/// One hour in the unit of [`Timestamp`].
pub const HOUR: i64 = 3600 * SECOND;
/// One day in the unit of [`Timestamp`].
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// Reads RFC 3339 with any number of fractional digits and any offset; also a space for the `T`, no seconds, an offset
    /// without a colon, `UTC` as BigQuery writes it, a missing zone (UTC is meant), a bare date (its midnight in UTC), and
    /// the `/Date(ms)/` of PowerShell 5.
    pub fn parse(text: &str) -> Option<Timestamp> {
        Timestamp::parse_in(text, Zone::Utc)
    }

    /// The same, where a text that names no zone is of this one.
    pub fn parse_in(text: &str, zone: Zone) -> Option<Timestamp> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return time.timestamp_nanos_opt().map(Timestamp);
        }
        if let Some(ms) = text.strip_prefix("/Date(").and_then(|t| t.strip_suffix(")/")) {
            return ms.parse::<i64>().ok()?.checked_mul(1_000_000).map(Timestamp);
        }
        let zoned = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M%z"]
            .iter()
            .find_map(|format| DateTime::parse_from_str(text, format).ok());
        if let Some(time) = zoned {
            return time.timestamp_nanos_opt().map(Timestamp);
        }
        let (text, zone) = match text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')) {
            Some(before) => (before.trim_end(), Zone::Utc),
            None => (text, zone),
        };
        let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(NaiveDateTime::from))?;
        zone.instant(naive)
    }

    /// As [`Timestamp::parse`], but of a bare date its last instant: what ends on a day has the whole day.
    pub fn parse_end(text: &str) -> Option<Timestamp> {
        Timestamp::parse_end_in(text, Zone::Utc)
    }

    /// The same, where a text that names no zone is of this one.
    pub fn parse_end_in(text: &str, zone: Zone) -> Option<Timestamp> {
        let Ok(date) = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") else {
            return Timestamp::parse_in(text, zone);
        };
        let next = zone.instant(date.succ_opt()?.into())?;
        Some(Timestamp(next.0.saturating_sub(1)))
    }

    /// Reads the time of an event: text as [`Timestamp::parse`] takes it, or an epoch number, also as a text: in CSV
    /// everything is one.
    pub fn from_json(value: &Json<'_>) -> Option<Timestamp> {
        match value {
            Json::Int(n) => n.checked_mul(unit(n.unsigned_abs())).map(Timestamp),
            Json::Float(n) => fractional(*n),
            Json::Text(text) => Timestamp::parse(text).or_else(|| epoch(text.trim())),
            _ => None,
        }
    }

    /// How long it is after another instant; below zero where it is before it. More than a [`Span`] holds, as between
    /// 1700 and 2200, is the longest there is.
    pub fn since(self, other: Timestamp) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// The instant a span earlier, as where a window opens; the first one there is for what lies before all.
    #[must_use]
    pub fn back(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }

    /// The instant a span later; `None` behind the last one there is.
    pub fn after(self, span: Span) -> Option<Timestamp> {
        self.0.checked_add(span.0).map(Timestamp)
    }

    /// The start of an hour, counted from the epoch; the last instant there is for one that no instant starts.
    pub fn of_hour(hour: i64) -> Timestamp {
        Timestamp(hour.saturating_mul(HOUR))
    }

    /// The same instant for chrono.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// RFC 3339 in UTC with as many fractional digits as the instant needs (0, 3, 6 or 9).
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// `2026-03-02 09:00:05`, for people.
    pub fn short(self, zone: Zone) -> String {
        const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
        match zone {
            Zone::Utc => self.utc().format(FORMAT).to_string(),
            Zone::Local => self.utc().with_timezone(&Local).format(FORMAT).to_string(),
            Zone::Offset(offset) => self.utc().with_timezone(&offset).format(FORMAT).to_string(),
        }
    }
}

/// Whether an epoch number is of seconds, milliseconds, microseconds or nanoseconds, told by its size.
fn unit(size: u64) -> i64 {
    match size {
        0..100_000_000_000 => SECOND,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// An epoch number with a fraction. Of a floating-point number of this size microseconds are all that is exact.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number that does not fit is refused")]
fn fractional(n: f64) -> Option<Timestamp> {
    let micros = (n * (unit(n.abs() as u64) as f64 / 1e3)).round();
    (micros.abs() < 9.2e15).then(|| Timestamp(micros as i64 * 1_000))
}

/// An epoch number as a text. A smaller one is a day such as `20260302`, or anything else.
fn epoch(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let time = match text.parse() {
        Ok(n) => Timestamp::from_json(&Json::Int(n)),
        Err(_) => fractional(text.parse().ok()?),
    };
    time.filter(|time| time.0 >= 1_000_000_000 * SECOND)
}

/// The zone of times that people read and type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// coordinated universal time
    #[default]
    Utc,
    /// that of the machine
    Local,
    /// a fixed distance from UTC
    Offset(FixedOffset),
}

impl Zone {
    /// Reads `UTC`, `local`, `+02:00`.
    pub fn parse(text: &str) -> Option<Zone> {
        match text.to_ascii_lowercase().as_str() {
            "utc" | "z" => Some(Zone::Utc),
            "local" => Some(Zone::Local),
            _ => text.parse().ok().map(Zone::Offset),
        }
    }

    /// The instant that a clock in this zone shows: the first one of an hour that comes twice, and of one that is left out
    /// in spring that of an hour later.
    fn instant(self, shown: NaiveDateTime) -> Option<Timestamp> {
        let utc = match self {
            Zone::Utc => shown.and_utc(),
            Zone::Offset(offset) => offset.from_local_datetime(&shown).earliest()?.to_utc(),
            Zone::Local => {
                let later = || Local.from_local_datetime(&shown.checked_add_signed(TimeDelta::hours(1))?).earliest();
                Local.from_local_datetime(&shown).earliest().or_else(later)?.to_utc()
            }
        };
        utc.timestamp_nanos_opt().map(Timestamp)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Utc => f.write_str("UTC"),
            Zone::Local => f.write_str("local time"),
            Zone::Offset(offset) => write!(f, "UTC{offset}"),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A span of time in nanoseconds, as Sigma writes it: a whole number and one of `s m h d w`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Span {
    /// Reads `30s`, `10m`, `24h`, `7d`, `2w`.
    pub fn parse(text: &str) -> Option<Span> {
        let text = text.trim();
        let unit = match text.chars().last()? {
            's' => SECOND,
            'm' => 60 * SECOND,
            'h' => HOUR,
            'd' => DAY,
            'w' => 7 * DAY,
            _ => return None,
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse::<i64>().ok()?.checked_mul(unit).map(Span)
    }

    /// `45 s`, `12 min`, `3 h`, `5 d`: the largest unit that says it in a few digits.
    pub fn words(self) -> String {
        let seconds = self.0 / SECOND;
        match seconds {
            0..120 => format!("{seconds} s"),
            120..7200 => format!("{} min", seconds / 60),
            7200..172_800 => format!("{} h", seconds / 3600),
            _ => format!("{} d", seconds / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> i64 {
        Timestamp::parse(text).unwrap_or_else(|| panic!("{text}")).0
    }

    #[test]
    fn fractional_digits_are_kept_exactly() {
        let second = nanos("2023-06-15T14:21:10Z");
        assert_eq!(nanos("2023-06-15T14:21:10.9Z"), second + 900_000_000);
        assert_eq!(nanos("2023-06-15T14:21:10.34334445Z"), second + 343_344_450);
        assert_eq!(nanos("2023-06-15T14:21:10.495420839Z"), second + 495_420_839);
        assert_eq!(nanos("2023-06-15T14:21:10.921Z"), second + 921_000_000);
    }

    #[test]
    fn offsets_and_odd_shapes() {
        assert_eq!(nanos("2019-04-09T05:01:18+09:30"), nanos("2019-04-08T19:31:18Z"));
        assert_eq!(nanos("2023-06-15 14:21:10"), nanos("2023-06-15T14:21:10Z"));
        assert_eq!(nanos("2023-06-15"), nanos("2023-06-15T00:00:00Z"));
        assert_eq!(nanos("2023-06-15T14:21:10+0000"), nanos("2023-06-15T14:21:10Z"));
        assert_eq!(nanos("2023-06-15T14:21:10.5-0530"), nanos("2023-06-15T19:51:10.5Z"));
        assert_eq!(nanos("2023-06-15 14:21:10 +0200"), nanos("2023-06-15T12:21:10Z"));
        for text in ["2023-06-15T14:21+02:00", "2023-06-15 14:21+0200", "2023-06-15T12:21Z", "2023-06-15 12:21"] {
            assert_eq!(nanos(text), nanos("2023-06-15T12:21:00Z"), "{text}");
        }
        assert_eq!(nanos("2023-06-15 14:21:10.123 UTC"), nanos("2023-06-15T14:21:10.123Z"));
        assert_eq!(nanos("/Date(1576181718000)/"), nanos("2019-12-12T20:15:18Z"));
        assert_eq!(Timestamp::from_json(&Json::Int(1_576_181_718_000)).unwrap().0, nanos("2019-12-12T20:15:18Z"));
    }

    #[test]
    fn a_time_without_zone_is_of_the_zone_that_is_shown() {
        let zone = Zone::parse("-05:00").unwrap();
        let of = |text: &str| Timestamp::parse_in(text, zone).map(Timestamp::rfc3339).unwrap_or_default();
        assert_eq!(of("2026-03-10 05:20:00"), "2026-03-10T10:20:00Z");
        assert_eq!(of("2026-03-10"), "2026-03-10T05:00:00Z");
        assert_eq!(of("2026-03-10 05:20 UTC"), "2026-03-10T05:20:00Z");
        assert_eq!(of("2026-03-10T05:20Z"), "2026-03-10T05:20:00Z");
        assert_eq!(of("2026-03-10T05:20:00+01:00"), "2026-03-10T04:20:00Z");
        let end = |text: &str| Timestamp::parse_end_in(text, zone).map(Timestamp::rfc3339).unwrap_or_default();
        assert_eq!(end("2026-03-10"), "2026-03-11T04:59:59.999999999Z");
        assert_eq!(end("2026-03-10 05:20"), "2026-03-10T10:20:00Z");
        for zone in [zone, Zone::Local, Zone::parse("+14:00").unwrap()] {
            for text in
                ["262142-12-31", "+262142-12-31", "-262143-01-01", "1677-09-21", "2262-04-11", "9999-12-31 23:59:59"]
            {
                let _ = (Timestamp::parse_in(text, zone), Timestamp::parse_end_in(text, zone));
            }
        }
    }

    #[test]
    fn epochs_as_numbers_and_as_texts() {
        let of = |json: &str| Timestamp::from_json(&Json::parse(json).unwrap()).map(Timestamp::rfc3339);
        let whole = "2026-03-02T09:00:00Z";
        for (json, want) in [
            ("1772442000", Some(whole)),
            ("1772442000000", Some(whole)),
            ("1772442000000000000", Some(whole)),
            (r#""1772442000""#, Some(whole)),
            (r#"" 1772442000000 ""#, Some(whole)),
            (r#""1772442000000000""#, Some(whole)),
            ("1772442000.5", Some("2026-03-02T09:00:00.500Z")),
            ("1772442000.123456", Some("2026-03-02T09:00:00.123456Z")),
            ("1772442000123.25", Some("2026-03-02T09:00:00.123250Z")),
            (r#""1772442000.123""#, Some("2026-03-02T09:00:00.123Z")),
            (r#""20260302""#, None),
            (r#""90""#, None),
            (r#""1.2.3""#, None),
            (r#"".""#, None),
            (r#""99999999999999999999999999999""#, None),
            ("1e300", None),
            ("-1e300", None),
            (r#""1e9""#, None),
        ] {
            assert_eq!(of(json).as_deref(), want, "{json}");
        }
    }

    #[test]
    fn nonsense_is_none_and_never_a_panic() {
        for text in ["", "yesterday", "2023-13-01T00:00:00Z", "9999-12-31T00:00:00Z", "/Date(x)/", "2023-02-30"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn shown_with_the_digits_it_needs() {
        assert_eq!(Timestamp(nanos("2023-06-15T14:21:10Z")).rfc3339(), "2023-06-15T14:21:10Z");
        assert_eq!(Timestamp(nanos("2023-06-15T14:21:10.921Z")).rfc3339(), "2023-06-15T14:21:10.921Z");
    }

    #[test]
    fn zones_change_what_is_shown() {
        let time = Timestamp(nanos("2026-03-02T23:30:00Z"));
        assert_eq!(time.short(Zone::Utc), "2026-03-02 23:30:00");
        assert_eq!(time.short(Zone::parse("+02:00").unwrap()), "2026-03-03 01:30:00");
        assert_eq!(Zone::parse("+02:00").unwrap().to_string(), "UTC+02:00");
        assert_eq!(Zone::parse("Europe/Paris"), None);
    }

    #[test]
    fn instants_far_apart_are_as_far_as_a_span_goes() {
        let (early, late) = (Timestamp(nanos("1700-03-02T09:00:00Z")), Timestamp(nanos("2200-03-02T09:00:00Z")));
        assert_eq!((late.since(early), early.since(late)), (Span(i64::MAX), Span(i64::MIN)));
        assert_eq!(late.since(early).words(), "106751 d");
        assert_eq!(
            Timestamp(nanos("2026-03-02T09:00:05Z")).since(Timestamp(nanos("2026-03-02T09:00:00Z"))).0,
            5 * SECOND
        );
    }

    #[test]
    fn spans() {
        assert_eq!(Span::parse("10m"), Some(Span(600 * SECOND)));
        assert_eq!(Span::parse("7d"), Some(Span(7 * DAY)));
        for text in ["", "m", "10", "10x", "-5m", "1.5h", "99999999999999d"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
