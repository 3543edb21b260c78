//! JSON: one record as a tree that borrows its text.
//!
//! Objects keep the order of their keys; of a repeated key the last value wins. Depth is limited by `serde_json` (128 levels), so a hostile record is an error and not a
//! stack overflow.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// a whole number that fits 64 bits
    Int(i64),
    /// any other number
    Float(f64),
    /// text, without its escapes
    Text(Cow<'a, str>),
    /// `[…]`
    Array(Vec<Json<'a>>),
    /// `{…}`
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    /// members of an object that are kept elsewhere
    Parts(Vec<(&'a str, &'a Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Parses exactly one value.
    pub fn parse(text: &'a str) -> Result<Json<'a>, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Parses exactly one value out of bytes that may not be UTF-8.
    pub fn of_bytes(bytes: &'a [u8]) -> Result<Json<'a>, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The member of an object, `None` for anything that is not an object.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Json::Parts(members) => members.iter().find(|(k, _)| *k == key).map(|(_, v)| *v),
            _ => None,
        }
    }

    /// The value at a path of keys, through objects only.
    pub fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Text that is not empty.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text at a path, `None` where it is missing, empty or not text.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Json::text)
    }

    /// A boolean, also where a collector wrote it as text (`"true"`, `"False"`).
    pub fn truth(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            Json::Text(t) if t.eq_ignore_ascii_case("true") => Some(true),
            Json::Text(t) if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The boolean at a path.
    pub fn truth_at(&self, path: &[&str]) -> Option<bool> {
        self.at(path).and_then(Json::truth)
    }

    /// A number, also where it was written as text (coordinates are).
    pub fn number(&self) -> Option<f64> {
        match self {
            Json::Int(n) => Some(*n as f64),
            Json::Float(n) => Some(*n),
            Json::Text(t) => t.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// `null`, `{}` and `[]`: what exporters write for "nothing here".
    pub fn is_nothing(&self) -> bool {
        match self {
            Json::Null => true,
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.iter().all(|(_, v)| v.is_nothing()),
            Json::Parts(members) => members.iter().all(|(_, v)| v.is_nothing()),
            _ => false,
        }
    }

    /// The same, and a text without a character: a member that is not there, as far as the body tells.
    fn says_nothing(&self) -> bool {
        match self {
            Json::Text(text) => text.is_empty(),
            Json::Object(members) => members.iter().all(|(_, v)| v.says_nothing()),
            Json::Parts(members) => members.iter().all(|(_, v)| v.says_nothing()),
            other => other.is_nothing(),
        }
    }

    /// Members of an object, none for anything else.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// Elements of an array, none for anything else.
    pub fn items(&self) -> &[Json<'a>] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    fn write_body(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.push(0),
            Json::Bool(b) => out.extend([1, u8::from(*b)]),
            Json::Int(n) => write_int(*n, out),
            Json::Float(n) => write_float(*n, out),
            Json::Text(t) => match Spelled::of(t.as_bytes()) {
                Spelled::Integer(n) => write_int(n, out),
                Spelled::Instant(head, fraction) => write_bytes(8, &[head, fraction], out),
                Spelled::Text => write_bytes(4, &[t.as_bytes()], out),
            },
            Json::Array(items) if items.is_empty() => out.push(0),
            Json::Array(items) => {
                out.push(5);
                out.extend((items.len() as u64).to_le_bytes());
                for item in items {
                    item.write_body(out);
                }
            }
            Json::Object(members) => write_members(members.iter().map(|(k, v)| (k.as_ref(), v)), out),
            Json::Parts(members) => write_members(members.iter().copied(), out),
        }
    }

    /// The hash of a value in its canonical form.
    ///
    /// Keys are sorted and spelled as the BigQuery-sanitizing exporter spells them, `null`, `{}`, `[]` and empty texts
    /// as members are dropped, whole numbers and times are one however they are spelled, so one value is the same in
    /// every container. XXH3: the same on every machine and in every run.
    pub fn value_hash(&self) -> u128 {
        let mut body = Vec::with_capacity(256);
        self.write_body(&mut body);
        xxh3_128(&body)
    }

    /// The hash of the body of an event: the sum of the hashes of its members, in whatever order they stand.
    pub fn body_hash(&self) -> u128 {
        self.members().iter().fold(0, |sum: u128, (key, value)| sum.wrapping_add(member_hash(key_seed(key), value)))
    }
}

/// What the members of a key are hashed with.
pub fn key_seed(key: &str) -> u64 {
    xxh3_64(sanitized(key).as_bytes())
}

/// What a member adds to the hash of the body; 0 if it says nothing.
pub fn member_hash(key_seed: u64, value: &Json<'_>) -> u128 {
    match value {
        nothing if nothing.says_nothing() => 0,
        Json::Text(text) => text_hash(key_seed, text.as_bytes()),
        value => {
            let mut body = Vec::with_capacity(256);
            value.write_body(&mut body);
            xxh3_128_with_seed(&body, key_seed)
        }
    }
}

/// The same for a text.
pub fn text_hash(key_seed: u64, text: &[u8]) -> u128 {
    match Spelled::of(text) {
        _ if text.is_empty() => 0,
        Spelled::Integer(n) => member_hash(key_seed, &Json::Int(n)),
        Spelled::Instant(head, fraction) => {
            xxh3_128_with_seed(head, !key_seed).wrapping_add(xxh3_128_with_seed(fraction, key_seed))
        }
        // A text is never the canonical form of anything else.
        Spelled::Text => xxh3_128_with_seed(text, !key_seed),
    }
}

/// What a text says in the same way as another spelling of it, which some exporter writes.
enum Spelled<'t> {
    /// `48` for 48: a cell of CSV does not say which it was
    Integer(i64),
    /// a time in UTC to the second, and the digits behind it, of which PowerShell keeps seven and drops zeros
    Instant(&'t [u8], &'t [u8]),
    Text,
}

impl Spelled<'_> {
    fn of(text: &[u8]) -> Spelled<'_> {
        const SECONDS: usize = "2026-03-02T09:00:00".len();
        const TICKS: usize = 7;
        match text {
            [b'0'] => return Spelled::Integer(0),
            [b'1'..=b'9', ..] if text.len() <= 18 && text.iter().all(u8::is_ascii_digit) => {
                return Spelled::Integer(text.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')));
            }
            [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => {}
            _ => return Spelled::Text,
        }
        let zoned = [&b"Z"[..], b"+00:00"].iter().find_map(|zone| text.strip_suffix(*zone));
        let Some((head, fraction)) = zoned.and_then(|time| time.split_at_checked(SECONDS)) else {
            return Spelled::Text;
        };
        match fraction {
            [] => Spelled::Instant(head, &[]),
            [b'.', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
                let digits = &digits[..digits.len().min(TICKS)];
                let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
                Spelled::Instant(head, &digits[..kept])
            }
            _ => Spelled::Text,
        }
    }
}

fn write_members<'m, 'a: 'm>(members: impl Iterator<Item = (&'m str, &'m Json<'a>)>, out: &mut Vec<u8>) {
    let mut kept: Vec<(Cow<'_, str>, &Json<'_>)> =
        members.filter(|(_, v)| !v.says_nothing()).map(|(k, v)| (sanitized(k), v)).collect();
    if kept.is_empty() {
        out.push(0);
        return;
    }
    kept.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out.push(6);
    out.extend((kept.len() as u64).to_le_bytes());
    for (key, value) in kept {
        write_bytes(7, &[key.as_bytes()], out);
        value.write_body(out);
    }
}

fn write_int(n: i64, out: &mut Vec<u8>) {
    out.push(2);
    out.extend(n.to_le_bytes());
}

fn write_float(n: f64, out: &mut Vec<u8>) {
    // 1.0 and 1 are one number; beyond 2^53 the difference cannot be told.
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
    if n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0 {
        write_int(n as i64, out);
    } else {
        out.push(3);
        out.extend(n.to_bits().to_le_bytes());
    }
}

fn write_bytes(tag: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    out.push(tag);
    for part in parts {
        out.extend((part.len() as u64).to_le_bytes());
        out.extend(*part);
    }
}

/// A key as JumpCloud's GCP exporter writes it for BigQuery: everything outside `[A-Za-z0-9_]` is `_`,
/// a leading digit gets a `_` (JumpCloud-Serverless, GCP `main.py`).
fn sanitized(key: &str) -> Cow<'_, str> {
    let leading_digit = key.starts_with(|c: char| c.is_ascii_digit());
    if !leading_digit && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Cow::Borrowed(key);
    }
    let mut out = String::with_capacity(key.len() + 1);
    if leading_digit {
        out.push('_');
    }
    out.extend(key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    Cow::Owned(out)
}

/// Compact JSON, for values that are shown.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(b) => write!(f, "{b}"),
            Json::Int(n) => write!(f, "{n}"),
            Json::Float(n) => write!(f, "{n}"),
            Json::Text(t) => write_quoted(t, f),
            Json::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Json::Object(members) => show_members(members.iter().map(|(k, v)| (k.as_ref(), v)), f),
            Json::Parts(members) => show_members(members.iter().copied(), f),
        }
    }
}

fn show_members<'m, 'a: 'm>(
    members: impl Iterator<Item = (&'m str, &'m Json<'a>)>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str("{")?;
    for (i, (key, value)) in members.enumerate() {
        if i > 0 {
            f.write_str(",")?;
        }
        write_quoted(key, f)?;
        write!(f, ":{value}")?;
    }
    f.write_str("}")
}

fn write_quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_none<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(n).map_or(Json::Float(n as f64), Json::Int))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(n))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_string<E>(self, text: String) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(8);
        while let Some(Key(key)) = map.next_key()? {
            members.push((key, map.next_value()?));
        }
        Ok(Json::Object(last_wins(members)))
    }
}

/// A key that borrows when it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Of repeated keys the last stays, at the place of its last occurrence.
fn last_wins<'a>(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Vec<(Cow<'a, str>, Json<'a>)> {
    let repeated = if members.len() <= 24 {
        (1..members.len()).any(|i| members[..i].iter().any(|(k, _)| *k == members[i].0))
    } else {
        let mut keys: Vec<&str> = members.iter().map(|(k, _)| k.as_ref()).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    };
    if !repeated {
        return members;
    }
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<_> = members.into_iter().rev().filter(|(k, _)| seen.insert(k.to_string())).collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> u128 {
        Json::parse(text).unwrap().body_hash()
    }

    #[test]
    fn body_ignores_key_order_nothings_and_sanitized_keys() {
        let raw = r#"{"@version":"1","a":{"x":1,"y":[]},"b":null,"c":{}}"#;
        let sanitized = r#"{"c":null,"a":{"y":null,"x":1.0},"_version":"1"}"#;
        assert_eq!(body(raw), body(sanitized));
        assert_ne!(body(raw), body(r#"{"@version":"1","a":{"x":2}}"#));
    }

    #[test]
    fn body_tells_types_and_places_apart() {
        assert_ne!(body(r#"{"a":"true"}"#), body(r#"{"a":true}"#));
        assert_ne!(body(r#"{"a":"01"}"#), body(r#"{"a":1}"#));
        assert_ne!(body(r#"{"a":{"b":"1.0"}}"#), body(r#"{"a":{"b":1}}"#));
        assert_ne!(body(r#"{"a":["b","c"]}"#), body(r#"{"a":["bc"]}"#));
        assert_ne!(body(r#"{"a":{"b":1}}"#), body(r#"{"b":{"a":1}}"#));
        assert_ne!(body(r#"{"a":[null,1]}"#), body(r#"{"a":[1]}"#));
    }

    #[test]
    fn body_is_one_however_an_exporter_spells_it() {
        for (one, other) in [
            (r#"{"a":"48"}"#, r#"{"a":48}"#),
            (r#"{"a":"x","b":""}"#, r#"{"a":"x"}"#),
            (r#"{"a":{"b":"","c":[]}}"#, "{}"),
            (r#"{"t":"2026-03-02T09:00:00.120Z"}"#, r#"{"t":"2026-03-02T09:00:00.12+00:00"}"#),
            (r#"{"t":"2026-03-02T09:00:00.000Z"}"#, r#"{"t":"2026-03-02T09:00:00Z"}"#),
            (r#"{"t":["2026-03-02T09:00:00.123456789Z"]}"#, r#"{"t":["2026-03-02T09:00:00.1234567Z"]}"#),
        ] {
            assert_eq!(body(one), body(other), "{one}");
        }
        for (one, other) in [
            (r#"{"t":"2026-03-02T09:00:00.120Z"}"#, r#"{"t":"2026-03-02T09:00:00.121Z"}"#),
            (r#"{"t":"2026-03-02T09:00:00.120Z"}"#, r#"{"t":"2026-03-02T09:00:00.120"}"#),
            (r#"{"t":"2026-03-02T09:00:00 Z"}"#, r#"{"t":"2026-03-02T09:00:00Z"}"#),
        ] {
            assert_ne!(body(one), body(other), "{one}");
        }
    }

    #[test]
    fn a_text_adds_what_the_member_adds() {
        for (key, text) in [("id", "x"), ("@version", "1"), ("message", ""), ("t", "2026-03-02T09:00:00.10Z")] {
            let seed = key_seed(key);
            assert_eq!(text_hash(seed, text.as_bytes()), member_hash(seed, &Json::Text(text.into())), "{key}");
        }
        assert_eq!(key_seed("@version"), key_seed("_version"));
    }

    #[test]
    fn last_of_repeated_keys_wins() {
        let json = Json::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(json.get("a"), Some(&Json::Int(3)));
        assert_eq!(json.members().len(), 2);
        let many: Vec<String> = (0..40).map(|i| format!("\"k{i}\":{i}")).collect();
        let text = format!("{{{},\"k7\":99}}", many.join(","));
        assert_eq!(Json::parse(&text).unwrap().get("k7"), Some(&Json::Int(99)));
    }

    #[test]
    fn escaped_keys_are_the_same_keys() {
        let json = Json::parse(r#"{"\u0065vent_type":"x"}"#).unwrap();
        assert_eq!(json.text_at(&["event_type"]), Some("x"));
    }

    #[test]
    fn depth_is_an_error() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(Json::parse(&deep).unwrap_err().to_string().contains("recursion limit"));
    }

    #[test]
    fn numbers_beyond_64_bits_stay_numbers() {
        assert_eq!(
            Json::parse("123456789012345678901234567890").unwrap().number(),
            Some(123_456_789_012_345_680_000_000_000_000.0)
        );
    }
}
