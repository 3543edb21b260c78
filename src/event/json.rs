//! JSON: one record as a tree that borrows its text.
//!
//! Objects keep the order of their keys; of a repeated key the last value wins. Depth is limited, by
//! `serde_json` to 128 levels and here to `DEPTH` for what is not JSON, so a hostile record is an error and not a stack
//! overflow.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

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

/// What a text says that is a yes or no, in any case.
pub fn said_yes(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match () {
        () if is(["true", "yes", "1", "1.0"]) => Some(true),
        () if is(["false", "no", "0", "0.0"]) => Some(false),
        () => None,
    }
}

impl<'a> Json<'a> {
    /// Parses exactly one value.
    pub fn parse(text: &'a str) -> Result<Json<'a>, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Parses exactly one value out of bytes that may not be UTF-8.
    pub fn of_bytes(bytes: &'a [u8]) -> Result<Json<'a>, serde_json::Error> {
        // Texts are checked together: one by one takes longer.
        std::str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str)
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

    /// The value at a path of keys, `None` where it says nothing: exporters write `null`, `{}` and empty texts for what
    /// is not there, and such a first alternative must not hide the second.
    pub fn said(&self, path: &[&str]) -> Option<&Json<'a>> {
        self.at(path).filter(|value| !value.says_nothing())
    }

    /// Whether a member says nothing, so that it might as well not be there: `null`, an empty text, `[]`, `{}`, and an
    /// object of such.
    pub fn says_nothing(&self) -> bool {
        match self {
            Json::Null => true,
            Json::Text(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.iter().all(|(_, v)| v.says_nothing()),
            Json::Parts(members) => members.iter().all(|(_, v)| v.says_nothing()),
            _ => false,
        }
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

    /// A boolean, also where a collector wrote it as text (`"true"`, `"False"`). A number is none: in changes it is one
    /// that goes up and down.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            Json::Text(t) if t.eq_ignore_ascii_case("true") => Some(true),
            Json::Text(t) if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A yes or no, however an exporter writes it: a boolean, 1 and 0, or the words for these.
    pub fn answer(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            Json::Int(1) | Json::Float(1.0) => Some(true),
            Json::Int(0) | Json::Float(0.0) => Some(false),
            Json::Text(text) => said_yes(text),
            _ => None,
        }
    }

    /// The yes or no at a path.
    pub fn answer_at(&self, path: &[&str]) -> Option<bool> {
        self.at(path).and_then(Json::answer)
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
        TreeVisitor { depth: 0 }.deserialize(deserializer)
    }
}

/// Levels of a value, at most. The JSON parser stops before that; a damaged database may hold a value in itself.
const DEPTH: u8 = 200;

#[derive(Clone, Copy)]
struct TreeVisitor {
    depth: u8,
}

impl TreeVisitor {
    fn inside<E: Error>(self) -> Result<TreeVisitor, E> {
        match self.depth {
            DEPTH => Err(E::custom("nested too deeply")),
            depth => Ok(TreeVisitor { depth: depth + 1 }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for TreeVisitor {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

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
        let (mut items, inside) = (Vec::new(), self.inside()?);
        while let Some(item) = seq.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let inside = self.inside()?;
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(8);
        while let Some(Key(key)) = map.next_key()? {
            members.push((key, map.next_value_seed(inside)?));
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
    fn yes_and_no_in_every_spelling() {
        let of = |text: &str| Json::parse(text).unwrap().answer();
        for (yes, no) in
            [("true", "false"), ("1", "0"), (r#""True""#, r#""FALSE""#), (r#""yes""#, r#""No""#), (r#"" 1""#, r#""0""#)]
        {
            assert_eq!((of(yes), of(no)), (Some(true), Some(false)), "{yes} {no}");
        }
        for neither in ["2", "-1", "1.5", "null", "[]", r#""""#, r#""y""#, r#""ok""#, r#""success""#, r#""01""#] {
            assert_eq!(of(neither), None, "{neither}");
        }
    }

    #[test]
    fn escaped_keys_are_the_same_keys() {
        let json = Json::parse(r#"{"\u0065vent_type":"x"}"#).unwrap();
        assert_eq!(json.text_at(&["event_type"]), Some("x"));
    }

    /// A value that holds itself, as in a damaged database.
    struct Endless;

    impl<'de> Deserializer<'de> for Endless {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            visitor.visit_seq(self)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    impl<'de> SeqAccess<'de> for Endless {
        type Error = serde::de::value::Error;

        fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Self::Error> {
            seed.deserialize(Endless).map(Some)
        }
    }

    #[test]
    fn what_holds_itself_is_an_error() {
        assert!(Json::deserialize(Endless).unwrap_err().to_string().contains("nested too deeply"));
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
