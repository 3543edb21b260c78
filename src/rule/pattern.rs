//! Pattern: how a value of a rule is compared with a value of an event, after all modifiers.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Timelike, Utc};
use ipnet::IpNet;

use memchr::memmem;

use super::regex::Expression;
use crate::event::agent;
use crate::event::field::Field;
use crate::event::json::Json;
use crate::event::source::address;
use crate::event::time::Timestamp;

/// The network that a text names; an address is a network of one.
pub fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Into::into))
}

/// A comparison with one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// text with wildcards
    Glob(Glob),
    /// a number that equals
    Number(f64),
    /// a number in an order
    Order(Order, f64),
    /// part of a time, compared with a number
    Time(TimePart, Order, f64),
    /// a regular expression, unanchored
    Regex(Expression),
    /// an address in a network
    Cidr(IpNet),
    /// `null`, or no such field
    Null,
    /// the field is there, or is not
    Exists(bool),
    /// equals, starts, ends with or contains another field of the event
    Reference(Field, Side),
}

/// Orders of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// equal
    Equal,
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
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            #[allow(clippy::float_cmp, reason = "equality is what was asked for")]
            Order::Equal => a == b,
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
            Pattern::Number(n) => number(text).is_some_and(|value| Order::Equal.holds(value, *n)),
            Pattern::Order(order, n) => number(text).is_some_and(|value| order.holds(value, *n)),
            Pattern::Time(part, order, n) => part.of(text).is_some_and(|value| order.holds(value, *n)),
            Pattern::Regex(regex) => regex.is_match(text),
            Pattern::Cidr(net) => address(text).is_some_and(|ip| net.contains(&ip)),
            Pattern::Null | Pattern::Exists(_) | Pattern::Reference(..) => false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

/// Whether `part` stands in `whole` at a side, without case.
pub fn stands_in(whole: &str, part: &str, side: Side) -> bool {
    let (whole, part) = (whole.to_lowercase(), part.to_lowercase());
    match side {
        Side::Whole => whole == part,
        Side::Start => whole.starts_with(&part),
        Side::End => whole.ends_with(&part),
        Side::Anywhere => whole.contains(&part),
    }
}

/// A text with wildcards: `*` any characters, `?` one; `\` takes their meaning away.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob {
    pieces: Vec<Piece>,
    is_cased: bool,
    is_letters_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
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
        Glob { pieces, is_cased, is_letters_only: false }.folded()
    }

    /// A text as it is, anywhere, without case.
    pub fn containing(text: &str) -> Glob {
        let text = Piece::Text(text.to_owned());
        Glob { pieces: vec![Piece::Many, text, Piece::Many], is_cased: false, is_letters_only: false }.folded()
    }

    /// The same for names that are compared by their letters only.
    #[must_use]
    pub fn letters_only(mut self) -> Glob {
        self.is_letters_only = true;
        for piece in &mut self.pieces {
            if let Piece::Text(text) = piece {
                *text = agent::folded(text);
            }
        }
        self
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
                    *text = text.to_lowercase();
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
    pub fn matches_folded(&self, folded: &Folded<'_>) -> bool {
        let text = folded.text;
        if let ([Piece::Text(literal)], false, false) = (self.pieces.as_slice(), self.is_cased, self.is_letters_only)
            && literal.is_ascii()
        {
            return text.eq_ignore_ascii_case(literal);
        }
        if self.is_letters_only {
            fits(&self.pieces, &agent::folded(text))
        } else if self.is_cased {
            fits(&self.pieces, text)
        } else {
            fits(&self.pieces, folded.lower())
        }
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
                Piece::One => "?",
                Piece::Many => "*",
            })?;
        }
        Ok(())
    }
}

/// A text, and its lower-case form once somebody asks for it.
#[derive(Debug)]
pub struct Folded<'t> {
    text: &'t str,
    lower: OnceCell<Cow<'t, str>>,
}

impl<'t> Folded<'t> {
    /// A text as it is.
    pub fn new(text: &'t str) -> Folded<'t> {
        Folded { text, lower: OnceCell::new() }
    }

    fn lower(&self) -> &str {
        self.lower.get_or_init(|| {
            let is_lower = self.text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
            if is_lower { Cow::Borrowed(self.text) } else { Cow::Owned(self.text.to_lowercase()) }
        })
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

/// The five ways in which a command-line flag is written for one.
pub fn windash(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    for dash in ['/', '–', '—', '―', '-'] {
        for written in [" -", " /"] {
            let form = text.replace(written, &format!(" {dash}"));
            let form = match form.strip_prefix(['-', '/']) {
                Some(rest) => format!("{dash}{rest}"),
                None => form,
            };
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// The encodings that a value goes through before it is searched for.
pub fn encode(bytes: &[u8], encoding: &str) -> Vec<Vec<u8>> {
    let units = || String::from_utf8_lossy(bytes).encode_utf16().collect::<Vec<u16>>();
    match encoding {
        "utf16le" | "wide" => vec![units().into_iter().flat_map(u16::to_le_bytes).collect()],
        "utf16be" => vec![units().into_iter().flat_map(u16::to_be_bytes).collect()],
        "utf16" => vec![[0xff, 0xfe].into_iter().chain(units().into_iter().flat_map(u16::to_le_bytes)).collect()],
        "base64" => vec![STANDARD.encode(bytes).into_bytes()],
        // A value at each of the three positions of a group; the characters that its neighbours change are
        // cut off.
        "base64offset" => (0..3)
            .map(|offset| {
                let padded = [vec![b' '; offset], bytes.to_vec()].concat();
                let text = STANDARD.encode(&padded);
                let start = [0, 2, 3][offset];
                let cut = [0, 3, 2][padded.len() % 3];
                text.as_bytes()[start..text.len() - cut].to_vec()
            })
            .collect(),
        _ => vec![bytes.to_vec()],
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
        ] {
            assert_eq!(glob(pattern, Side::Whole).matches(text), want, "{pattern} {text}");
        }
        assert!(glob("b", Side::Anywhere).matches("abc"));
        assert!(glob("a", Side::Start).matches("abc") && !glob("b", Side::Start).matches("abc"));
        assert!(glob("c", Side::End).matches("abc") && !glob("b", Side::End).matches("abc"));
        assert!(!Glob::parse("abc", Side::Whole, true).matches("ABC"));
        assert!(glob("python-requests", Side::Whole).letters_only().matches("Python Requests"));
    }

    #[test]
    fn many_stars_are_not_slow() {
        let pattern = glob(&"a*".repeat(50), Side::Whole);
        assert!(!pattern.matches(&format!("{}b{}", "a".repeat(20), "c".repeat(5000))));
    }

    #[test]
    fn base64_at_every_offset() {
        let pieces: Vec<String> =
            encode(b"http://", "base64offset").into_iter().map(|b| String::from_utf8(b).unwrap()).collect();
        assert_eq!(pieces, ["aHR0cDovL", "h0dHA6Ly", "odHRwOi8v"]);
        for prefix in ["", "x", "xy"] {
            let whole = STANDARD.encode(format!("{prefix}http://host"));
            assert!(pieces.iter().any(|p| whole.contains(p)), "{whole}");
        }
        assert_eq!(encode(b"ab", "utf16le"), [b"a\0b\0".to_vec()]);
        assert_eq!(encode(b"a", "utf16"), [b"\xff\xfea\0".to_vec()]);
    }

    #[test]
    fn numbers_times_networks() {
        assert!(Pattern::Number(5.0).matches(&Folded::new("5")));
        assert!(Pattern::Order(Order::GreaterEqual, 5.0).matches(&Folded::new("5.5")));
        assert!(!Pattern::Order(Order::Less, 5.0).matches(&Folded::new("x")));
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
        assert!(windash("cmd -enc").contains(&"cmd /enc".to_owned()));
    }
}
