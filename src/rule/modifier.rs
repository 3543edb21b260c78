//! Modifier: a word behind a field name that says how its values are compared (`|contains|all`).

use super::detection::{Fault, fault};
use super::pattern::{Order, Side, TimePart};
use crate::event::nearest::hint;

/// The modifiers behind a field name.
#[derive(Default)]
pub(super) struct Modifiers {
    pub(super) side: Option<Side>,
    pub(super) order: Option<Order>,
    pub(super) time: Option<TimePart>,
    pub(super) encodings: Vec<String>,
    pub(super) regex: Option<Vec<char>>,
    pub(super) is_all: bool,
    pub(super) is_cased: bool,
    pub(super) is_negated: bool,
    pub(super) is_windash: bool,
    pub(super) is_cidr: bool,
    pub(super) is_exists: bool,
    pub(super) is_fieldref: bool,
    /// its values came out of lists, which may be empty
    pub(super) is_expanded: bool,
}

impl Modifiers {
    /// Whether it compares texts or numbers, so that nothing at all cannot be meant.
    pub(super) fn takes_text(&self) -> bool {
        let is_order = self.order.is_some() || self.time.is_some() || self.is_cidr;
        let is_text = self.side.is_some() || self.regex.is_some() || !self.encodings.is_empty();
        is_order || is_text || self.is_cased || self.is_windash || self.is_fieldref
    }
}

/// All modifiers of the Sigma specification 2.1 (appendix "modifiers").
const MODIFIERS: &[&str] = &[
    "all",
    "startswith",
    "endswith",
    "contains",
    "exists",
    "cased",
    "neq",
    "windash",
    "re",
    "i",
    "m",
    "s",
    "base64",
    "base64offset",
    "utf16le",
    "utf16be",
    "utf16",
    "wide",
    "lt",
    "lte",
    "gt",
    "gte",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "weekhour",
    "cidr",
    "expand",
    "fieldref",
];

pub(super) fn modifiers(key: &str, words: &[&str]) -> Result<Modifiers, Fault> {
    let mut m = Modifiers::default();
    for (place, word) in words.iter().enumerate() {
        if let Some(other) = words[..place].iter().find(|other| *other != word && are_apart(other, word)) {
            return Err(fault(key, format!("`{other}` and `{word}` cannot stand together: leave one out")));
        }
        match *word {
            "all" => m.is_all = true,
            "startswith" => m.side = Some(Side::Start),
            "endswith" => m.side = Some(Side::End),
            "contains" => m.side = Some(Side::Anywhere),
            "exists" => m.is_exists = true,
            "cased" => m.is_cased = true,
            "neq" => m.is_negated = true,
            "windash" => m.is_windash = true,
            "re" => m.regex = Some(Vec::new()),
            "i" | "m" | "s" if m.regex.is_some() => {
                m.regex.iter_mut().for_each(|flags| flags.extend(word.chars()));
            }
            "i" | "m" | "s" => return Err(fault(key, format!("`{word}` stands behind `re`: write `|re|{word}`"))),
            "lt" => m.order = Some(Order::Less),
            "lte" => m.order = Some(Order::LessEqual),
            "gt" => m.order = Some(Order::Greater),
            "gte" => m.order = Some(Order::GreaterEqual),
            "minute" => m.time = Some(TimePart::Minute),
            "hour" => m.time = Some(TimePart::Hour),
            "day" => m.time = Some(TimePart::Day),
            "week" => m.time = Some(TimePart::Week),
            "month" => m.time = Some(TimePart::Month),
            "year" => m.time = Some(TimePart::Year),
            "weekhour" => m.time = Some(TimePart::WeekHour),
            "base64" | "base64offset" | "utf16le" | "utf16be" | "utf16" | "wide" => {
                m.encodings.push((*word).to_owned());
            }
            "cidr" => m.is_cidr = true,
            "fieldref" => m.is_fieldref = true,
            "expand" => m.is_expanded = true,
            other => {
                let hint = hint(other, MODIFIERS.iter().copied());
                return Err(fault(key, format!("`{other}` is not a modifier{hint}")));
            }
        }
    }
    Ok(m)
}

/// What a modifier is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// the list of values, or the outcome
    All,
    /// where the value stands in the text
    Side,
    /// the case of letters
    Case,
    /// the forms in which the value is looked for
    Form,
    /// a field in place of the value
    Field,
    Order,
    Time,
    /// a comparison that leaves no room for any of these
    Alone,
}

fn about(word: &str) -> About {
    match word {
        "all" | "neq" | "expand" | "i" | "m" | "s" => About::All,
        "startswith" | "endswith" | "contains" => About::Side,
        "cased" => About::Case,
        "lt" | "lte" | "gt" | "gte" => About::Order,
        "minute" | "hour" | "day" | "week" | "month" | "year" | "weekhour" => About::Time,
        "windash" | "base64" | "base64offset" | "utf16le" | "utf16be" | "utf16" | "wide" => About::Form,
        "fieldref" => About::Field,
        _ => About::Alone,
    }
}

/// Whether two different modifiers contradict each other, so that one of them would be ignored.
fn are_apart(one: &str, other: &str) -> bool {
    use About::{All, Case, Field, Form, Order, Side, Time};
    // What is there or not has no values to be compared.
    if [one, other].contains(&"exists") {
        return true;
    }
    let go_with = |one, other| {
        matches!(
            (one, other),
            (All, _) | (Form, Form) | (Side, Case | Form | Field) | (Case, Form | Field) | (Order, Time)
        )
    };
    let (one, other) = (about(one), about(other));
    !go_with(one, other) && !go_with(other, one)
}
