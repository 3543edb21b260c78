//! Body: what of a record tells it from another, in one canonical form whatever container it came from.

use std::borrow::Cow;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

use super::json::Json;

impl Json<'_> {
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
    /// as members are dropped, whole numbers of 64 bits and times are one whether a container makes texts of them or not,
    /// so one value is the same in every container. XXH3: the same on every machine and in every run.
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
        if let Some(n) = integer(text) {
            return Spelled::Integer(n);
        }
        match text {
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

/// The number that a text is as JSON writes one that is whole and fits 64 bits: `-1` and `-0`, but not `01`, `+1` or `1.0`.
fn integer(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits, [b'0'] | [b'1'..=b'9', ..]) || digits.len() > 19 {
        return None;
    }
    // Counted downwards, since there is one more below zero than above.
    let n = digits.iter().try_fold(0_i64, |n, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        n.checked_mul(10)?.checked_sub(digit)
    })?;
    if is_negative { Some(n) } else { n.checked_neg() }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            (r#"{"a":"-1"}"#, r#"{"a":-1}"#),
            (r#"{"a":"-0"}"#, r#"{"a":-0}"#),
            (r#"{"a":"0"}"#, r#"{"a":-0.0}"#),
            (r#"{"a":["1000"]}"#, r#"{"a":[1e3]}"#),
            (r#"{"a":"1234567890123456789"}"#, r#"{"a":1234567890123456789}"#),
            (r#"{"a":"9223372036854775807"}"#, r#"{"a":9223372036854775807}"#),
            (r#"{"a":"-9223372036854775808"}"#, r#"{"a":-9223372036854775808}"#),
            (r#"{"a":"x","b":""}"#, r#"{"a":"x"}"#),
            (r#"{"a":{"b":"","c":[]}}"#, "{}"),
            (r#"{"t":"2026-03-02T09:00:00.120Z"}"#, r#"{"t":"2026-03-02T09:00:00.12+00:00"}"#),
            (r#"{"t":"2026-03-02T09:00:00.000Z"}"#, r#"{"t":"2026-03-02T09:00:00Z"}"#),
            (r#"{"t":["2026-03-02T09:00:00.123456789Z"]}"#, r#"{"t":["2026-03-02T09:00:00.1234567Z"]}"#),
        ] {
            assert_eq!(body(one), body(other), "{one}");
        }
        for (one, other) in [
            (r#"{"a":"-1"}"#, r#"{"a":1}"#),
            (r#"{"a":"-"}"#, r#"{"a":0}"#),
            (r#"{"a":"-01"}"#, r#"{"a":-1}"#),
            (r#"{"a":"+1"}"#, r#"{"a":1}"#),
            // As a number it is not exact, and two ids that differ in their last digit are two.
            (r#"{"a":"9223372036854775808"}"#, r#"{"a":9223372036854775808}"#),
            (r#"{"a":"9223372036854775808"}"#, r#"{"a":"9223372036854775809"}"#),
            (r#"{"a":"12345678901234567890123"}"#, r#"{"a":"12345678901234567890124"}"#),
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

    proptest! {
        #[test]
        fn whole_numbers_are_one_as_number_and_as_text(n in prop_oneof![any::<i64>(), -9_i64..9], key in "[a-z]{1,3}") {
            let (number, text) = (Json::Int(n), Json::Text(n.to_string().into()));
            let seed = key_seed(&key);
            prop_assert_eq!(member_hash(seed, &number), member_hash(seed, &text));
            prop_assert_eq!(member_hash(seed, &number), text_hash(seed, n.to_string().as_bytes()));
            prop_assert_eq!(number.value_hash(), text.value_hash());
        }

        #[test]
        fn texts_are_one_only_as_the_same_whole_number(one in "-?[0-9]{1,21}", other in "-?[0-9]{1,21}") {
            let (json, seed) = (Json::Text(one.as_str().into()), key_seed("k"));
            prop_assert_eq!(text_hash(seed, one.as_bytes()), member_hash(seed, &json));
            let are_zero = [&one, &other].iter().all(|text| ["0", "-0"].contains(&text.as_str()));
            prop_assert_eq!(text_hash(seed, one.as_bytes()) == text_hash(seed, other.as_bytes()), one == other || are_zero);
        }
    }
}
