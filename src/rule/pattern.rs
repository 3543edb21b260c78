//! Pattern: how a value of a rule is compared with a value of an event, after all modifiers.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike, Utc};
use ipnet::IpNet;

use memchr::memmem;

use super::folded::Folded;
use super::form;
use super::number::Number;
use super::regex::Expression;
use super::spelling::Spelling;
use crate::event::field::Field;
use crate::event::json::Json;
use crate::event::letters;
use crate::event::networks::Networks;
use crate::event::time::Timestamp;

/// A comparison with one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// text with wildcards
    Glob(Glob),
    /// a number that equals
    Number(Number),
    /// a number in an order
    Order(Order, Number),
    /// part of a time, compared with a number
    Time(TimePart, Order, f64),
    /// a regular expression, unanchored
    Regex(Expression),
    /// an address in a network
    Cidr(IpNet),
    /// an address in one of the networks of a list
    Networks(Arc<Networks>),
    /// the same, before it is known what the list holds
    Listed(String),
    /// `null`, or no such field
    Null,
    /// the field is there, or is not
    Exists(bool),
    /// equals, starts, ends with or contains another field of the event
    Reference(Field, Side, Spelling),
}

/// Orders of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// equal
    Equal,
    /// not equal
    NotEqual,
    /// less
    Less,
    /// less or equal
    LessEqual,
    /// greater
    Greater,
    /// greater or equal
    GreaterEqual,
}

impl Order {
    /// Whether `a` stands in this order to `b`.
    pub fn holds<T: PartialOrd + Copy>(self, a: T, b: T) -> bool {
        match self {
            Order::Equal => a == b,
            Order::NotEqual => a != b,
            Order::Less => a < b,
            Order::LessEqual => a <= b,
            Order::Greater => a > b,
            Order::GreaterEqual => a >= b,
        }
    }
}

/// Parts of a time in UTC, whatever zone it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePart {
    /// 0–59
    Minute,
    /// 0–23
    Hour,
    /// day of the month
    Day,
    /// ISO week
    Week,
    /// 1–12
    Month,
    /// year
    Year,
    /// hour of the week, 0–167, from Monday 00:00
    WeekHour,
}

impl TimePart {
    /// The lowest number that it can be.
    pub(super) fn first(self) -> u8 {
        u8::from(matches!(self, TimePart::Day | TimePart::Week | TimePart::Month))
    }

    /// The highest number that it can be; years have none.
    pub(super) fn last(self) -> Option<u8> {
        Some(match self {
            TimePart::Minute => 59,
            TimePart::Hour => 23,
            TimePart::Day => 31,
            TimePart::Week => 53,
            TimePart::Month => 12,
            TimePart::WeekHour => 167,
            TimePart::Year => return None,
        })
    }

    fn of(self, text: &str) -> Option<f64> {
        let time = time(text)?;
        Some(match self {
            TimePart::Minute => f64::from(time.minute()),
            TimePart::Hour => f64::from(time.hour()),
            TimePart::Day => f64::from(time.day()),
            TimePart::Week => f64::from(time.iso_week().week()),
            TimePart::Month => f64::from(time.month()),
            TimePart::Year => f64::from(time.year()),
            TimePart::WeekHour => f64::from(time.weekday().num_days_from_monday() * 24 + time.hour()),
        })
    }
}

/// A time in all the forms that an event may have it in, and beyond the years that an event can have: an exclusion
/// until the year 9999 has one, too.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let far = || DateTime::parse_from_rfc3339(text.trim()).ok().map(|time| time.to_utc());
    let number = || Timestamp::from_json(&Json::Int(text.trim().parse().ok()?));
    Timestamp::parse(text).map(Timestamp::utc).or_else(far).or_else(|| number().map(Timestamp::utc))
}

/// Where a text has to be found in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// it is all of it
    Whole,
    /// at the start
    Start,
    /// at the end
    End,
    /// anywhere
    Anywhere,
}

impl Pattern {
    /// Whether a value of an event matches. `Null`, `Exists` and `Reference` are decided by the caller,
    /// who knows whether the field is there.
    pub fn matches(&self, folded: &Folded<'_>) -> bool {
        let text = folded.text;
        match self {
            Pattern::Glob(glob) => glob.matches_folded(folded),
            Pattern::Number(n) => Number::parse(text).is_some_and(|value| Order::Equal.holds(value, *n)),
            Pattern::Order(order, n) => Number::parse(text).is_some_and(|value| order.holds(value, *n)),
            Pattern::Time(part, order, n) => part.of(text).is_some_and(|value| order.holds(value, *n)),
            Pattern::Regex(regex) => regex.is_match(folded),
            Pattern::Cidr(net) => folded.address().is_some_and(|ip| net.contains(&ip)),
            Pattern::Networks(networks) => folded.address().is_some_and(|ip| networks.contains(ip)),
            Pattern::Listed(_) | Pattern::Null | Pattern::Exists(_) | Pattern::Reference(..) => false,
        }
    }
}

/// A text with wildcards: `*` any characters, `?` one; `\` takes their meaning away.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob {
    pieces: Vec<Piece>,
    /// the same for names that are alike if their letters are
    letters: Option<Vec<Piece>>,
    is_cased: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// any of the signs that begin a flag
    Dash,
    One,
    Many,
}

impl Glob {
    /// Understands the text of a rule.
    pub fn parse(text: &str, side: Side, is_cased: bool) -> Glob {
        let mut pieces = Vec::new();
        if matches!(side, Side::End | Side::Anywhere) {
            pieces.push(Piece::Many);
        }
        let mut chars = text.chars().peekable();
        let mut literal = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' if chars.peek().is_some_and(|n| matches!(n, '*' | '?' | '\\')) => literal.extend(chars.next()),
                '*' | '?' => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(if c == '*' { Piece::Many } else { Piece::One });
                }
                _ => literal.push(c),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        if matches!(side, Side::Start | Side::Anywhere) {
            pieces.push(Piece::Many);
        }
        pieces.dedup_by(|a, b| *a == Piece::Many && *b == Piece::Many);
        Glob { pieces, letters: None, is_cased }.folded()
    }

    /// A text as it is, without case.
    pub(super) fn literally(text: &str) -> Glob {
        let pieces = Some(text).filter(|text| !text.is_empty()).map(|text| Piece::Text(text.to_owned()));
        Glob { pieces: pieces.into_iter().collect(), letters: None, is_cased: false }.folded()
    }

    /// A text as it is, anywhere, without case.
    pub fn containing(text: &str) -> Glob {
        let text = Piece::Text(text.to_owned());
        Glob { pieces: vec![Piece::Many, text, Piece::Many], letters: None, is_cased: false }.folded()
    }

    /// The same for names that are alike if their letters and digits are, unless case counts. What has none of them
    /// is looked for as it is written.
    #[must_use]
    pub fn letters_only(mut self) -> Glob {
        let mut letters = self.pieces.clone();
        for piece in &mut letters {
            if let Piece::Text(text) = piece {
                *text = letters::of(text);
            }
        }
        letters.retain(|piece| *piece != Piece::Dash && !matches!(piece, Piece::Text(text) if text.is_empty()));
        letters.dedup_by(|a, b| *a == Piece::Many && *b == Piece::Many);
        let has_letters = letters.iter().any(|piece| matches!(piece, Piece::Text(_)));
        self.letters = (has_letters && !self.is_cased).then_some(letters);
        self
    }

    /// The same with any of the five dashes for each that begins a flag.
    #[must_use]
    pub fn any_dash(mut self) -> Glob {
        let mut pieces = Vec::new();
        for piece in self.pieces {
            let Piece::Text(text) = piece else {
                pieces.push(piece);
                continue;
            };
            let mut rest = 0;
            for at in form::flags(&text) {
                let between = &text[rest..at];
                pieces.extend((!between.is_empty()).then(|| Piece::Text(between.to_owned())));
                pieces.push(Piece::Dash);
                rest = at + text[at..].chars().next().map_or(0, char::len_utf8);
            }
            pieces.extend((rest < text.len()).then(|| Piece::Text(text[rest..].to_owned())));
        }
        self.pieces = pieces;
        self
    }

    /// Whether the case of letters counts.
    pub(super) fn is_cased(&self) -> bool {
        self.is_cased
    }

    /// The text if it has no wildcards.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn folded(mut self) -> Glob {
        if !self.is_cased {
            for piece in &mut self.pieces {
                if let Piece::Text(text) = piece {
                    *text = letters::lower(&text);
                }
            }
        }
        self
    }

    /// Whether a text matches as a whole.
    pub fn matches(&self, text: &str) -> bool {
        self.matches_folded(&Folded::new(text))
    }

    /// The same, for a text that many patterns are compared with.
    fn matches_folded(&self, folded: &Folded<'_>) -> bool {
        let text = folded.text;
        let is_as_written = match (self.pieces.as_slice(), self.is_cased) {
            ([Piece::Text(literal)], false) if text.is_ascii() => text.eq_ignore_ascii_case(literal),
            (pieces, true) => fits(pieces, text),
            (pieces, false) => fits(pieces, folded.lower()),
        };
        is_as_written || self.letters.as_ref().is_some_and(|letters| fits(letters, &letters::of(text)))
    }
}

/// As a rule writes it.
impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pieces.is_empty() {
            return f.write_str("empty");
        }
        for piece in &self.pieces {
            f.write_str(match piece {
                Piece::Text(text) => text,
                Piece::Dash => "-",
                Piece::One => "?",
                Piece::Many => "*",
            })?;
        }
        Ok(())
    }
}

/// Greedy matching with one place to come back to: linear in the text for each `*`.
fn fits(pieces: &[Piece], text: &str) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let advanced = match pieces.get(piece) {
            Some(Piece::Many) if piece + 1 == pieces.len() => return true,
            Some(Piece::Many) => {
                let Some(next) = next_start(pieces.get(piece + 1), text, at) else { return false };
                retry = Some((piece + 1, next));
                Some(next)
            }
            Some(Piece::One) => text[at..].chars().next().map(|c| at + c.len_utf8()),
            Some(Piece::Dash) => {
                text[at..].chars().next().filter(|c| form::DASHES.contains(c)).map(|c| at + c.len_utf8())
            }
            Some(Piece::Text(literal)) => text[at..].starts_with(literal.as_str()).then(|| at + literal.len()),
            None if at == text.len() => return true,
            None => None,
        };
        if let Some(next) = advanced {
            (piece, at) = (piece + 1, next);
            continue;
        }
        let Some((from_piece, from)) = retry else { return false };
        let Some(c) = text[from..].chars().next() else { return false };
        let Some(next) = next_start(pieces.get(from_piece), text, from + c.len_utf8()) else { return false };
        retry = Some((from_piece, next));
        (piece, at) = (from_piece, next);
    }
}

/// The first place from `at` on where the piece behind a `*` can start.
fn next_start(piece: Option<&Piece>, text: &str, at: usize) -> Option<usize> {
    match piece {
        Some(Piece::Text(literal)) => memmem::find(&text.as_bytes()[at..], literal.as_bytes()).map(|skip| at + skip),
        _ => Some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str, side: Side) -> Glob {
        Glob::parse(text, side, false)
    }

    #[test]
    fn wildcards_and_case() {
        for (pattern, text, want) in [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("*_create", "USER_create", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"C:\Windows", r"c:\windows", true),
            (r"a\\b", r"a\b", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("straße", "STRASSE", false),
            ("ÄB*", "äbc", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("οδυσσευς", "ΟΔΥΣΣΕΥΣ", true),
            ("ΟΔΥΣΣ*ΥΣ", "Οδυσσευς", true),
            ("kelvin", "\u{212a}elvin", true),
        ] {
            assert_eq!(glob(pattern, Side::Whole).matches(text), want, "{pattern} {text}");
        }
        assert!(glob("b", Side::Anywhere).matches("abc"));
        assert!(glob("a", Side::Start).matches("abc") && !glob("b", Side::Start).matches("abc"));
        assert!(glob("c", Side::End).matches("abc") && !glob("b", Side::End).matches("abc"));
        assert!(!Glob::parse("abc", Side::Whole, true).matches("ABC"));
    }

    #[test]
    fn names_are_alike_if_their_letters_are() {
        let matches = |pattern: &str, side, text| glob(pattern, side).letters_only().matches(text);
        for name in ["Python Requests", "python-requests", "PythonRequests"] {
            assert!(matches("python-requests", Side::Whole, name), "{name}");
            assert!(matches("thon-re", Side::Anywhere, name) && !matches("python", Side::Whole, name), "{name}");
        }
        // What has no letters means itself, and one character may be a hyphen.
        assert!(matches("-", Side::Anywhere, "python-requests") && !matches("-", Side::Anywhere, "Chrome"));
        assert!(matches("?", Side::Whole, "x") && !matches("?", Side::Whole, "xy"));
        assert!(matches("python?requests", Side::Whole, "Python Requests"));
        assert!(Glob::parse("Chrome", Side::Whole, true).letters_only().matches("Chrome"));
        assert!(!Glob::parse("chrome", Side::Whole, true).letters_only().matches("Chrome"));
        assert!(!Glob::parse("python-requests", Side::Whole, true).letters_only().matches("python requests"));
    }

    #[test]
    fn each_flag_has_a_dash_of_its_own() {
        let matches = |pattern: &str, text: &str| glob(pattern, Side::Anywhere).any_dash().matches(text);
        for text in ["tool -a -b", "tool /a /b", "tool -a /b", "TOOL –A ―B"] {
            assert!(matches(" -a -b", text) && matches(" /a /b", text), "{text}");
        }
        assert!(!matches(" -a -b", "tool a b") && !matches("well-known", "well/known"));
        assert!(matches("-enc", "powershell /enc") && matches("*'-enc", "sh '/enc'"));
    }

    #[test]
    fn many_stars_are_not_slow() {
        let pattern = glob(&"a*".repeat(50), Side::Whole);
        assert!(!pattern.matches(&format!("{}b{}", "a".repeat(20), "c".repeat(5000))));
    }

    #[test]
    fn numbers_times_networks() {
        assert!(Pattern::Number(Number::Whole(5)).matches(&Folded::new("5")));
        assert!(Pattern::Order(Order::GreaterEqual, Number::Whole(5)).matches(&Folded::new("5.5")));
        assert!(!Pattern::Order(Order::Less, Number::Whole(5)).matches(&Folded::new("x")));
        let has = |part: TimePart, n: f64, text: &str| Pattern::Time(part, Order::Equal, n).matches(&Folded::new(text));
        for text in [
            "2026-03-10T22:02:00.614Z",
            "2026-03-10T23:02:00+01:00",
            "2026-03-10T22:02:00.614",
            "2026-03-10 22:02:00",
            "/Date(1773180120614)/",
            "1773180120",
            "1773180120614",
        ] {
            assert!(has(TimePart::Hour, 22.0, text) && has(TimePart::WeekHour, 46.0, text), "{text}");
            assert!(has(TimePart::Year, 2026.0, text) && has(TimePart::Minute, 2.0, text), "{text}");
        }
        assert!(has(TimePart::Day, 10.0, "2026-03-10") && has(TimePart::Year, 9999.0, "9999-12-31T00:00:00Z"));
        assert!(!has(TimePart::Year, 1970.0, "soon") && !has(TimePart::Year, 1970.0, "17.5"));
        // A Monday in Adelaide is still a Sunday in UTC.
        assert!(
            Pattern::Time(TimePart::WeekHour, Order::Equal, 165.0).matches(&Folded::new("2026-03-02T07:10:00+09:30"))
        );
        assert!(Pattern::Time(TimePart::WeekHour, Order::Equal, 9.0).matches(&Folded::new("2026-03-02T09:00:00Z")));
        assert!(Pattern::Cidr("10.0.0.0/8".parse().unwrap()).matches(&Folded::new("::ffff:10.1.2.3")));
        assert!(!Pattern::Cidr("10.0.0.0/8".parse().unwrap()).matches(&Folded::new("not an address")));
    }
}
