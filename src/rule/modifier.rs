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

/// What a modifier says.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    All,
    /// its values come out of lists
    Expand,
    Neq,
    /// of a regular expression
    Flag,
    /// where the value stands in the text
    Side(Side),
    /// the case of letters counts
    Cased,
    Windash,
    /// another form in which the value is looked for
    Form,
    /// a field in place of the value
    Fieldref,
    Order(Order),
    Time(TimePart),
    Re,
    Cidr,
    Exists,
}

/// All modifiers of the Sigma specification 2.1 (appendix "modifiers").
const WORDS: &[(&str, Word)] = &[
    ("all", Word::All),
    ("startswith", Word::Side(Side::Start)),
    ("endswith", Word::Side(Side::End)),
    ("contains", Word::Side(Side::Anywhere)),
    ("exists", Word::Exists),
    ("cased", Word::Cased),
    ("neq", Word::Neq),
    ("windash", Word::Windash),
    ("re", Word::Re),
    ("i", Word::Flag),
    ("m", Word::Flag),
    ("s", Word::Flag),
    ("base64", Word::Form),
    ("base64offset", Word::Form),
    ("utf16le", Word::Form),
    ("utf16be", Word::Form),
    ("utf16", Word::Form),
    ("wide", Word::Form),
    ("lt", Word::Order(Order::Less)),
    ("lte", Word::Order(Order::LessEqual)),
    ("gt", Word::Order(Order::Greater)),
    ("gte", Word::Order(Order::GreaterEqual)),
    ("minute", Word::Time(TimePart::Minute)),
    ("hour", Word::Time(TimePart::Hour)),
    ("day", Word::Time(TimePart::Day)),
    ("week", Word::Time(TimePart::Week)),
    ("month", Word::Time(TimePart::Month)),
    ("year", Word::Time(TimePart::Year)),
    ("weekhour", Word::Time(TimePart::WeekHour)),
    ("cidr", Word::Cidr),
    ("expand", Word::Expand),
    ("fieldref", Word::Fieldref),
];

fn meaning(word: &str) -> Option<Word> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// The comparison of numbers that a word stands for (`gte`).
pub(super) fn order(word: &str) -> Option<Order> {
    match meaning(word)? {
        Word::Order(order) => Some(order),
        _ => None,
    }
}

pub(super) fn modifiers(key: &str, words: &[&str]) -> Result<Modifiers, Fault> {
    let mut m = Modifiers::default();
    let mut before: Vec<(&str, Word)> = Vec::new();
    for word in words {
        let Some(meaning) = meaning(word) else {
            let hint = hint(word, WORDS.iter().map(|(known, _)| *known));
            return Err(fault(key, format!("`{word}` is not a modifier{hint}")));
        };
        if let Some((other, _)) = before.iter().find(|(other, of)| other != word && are_apart(*of, meaning)) {
            return Err(fault(key, format!("`{other}` and `{word}` cannot stand together: leave one out")));
        }
        before.push((*word, meaning));
        match meaning {
            Word::All => m.is_all = true,
            Word::Expand => m.is_expanded = true,
            Word::Neq => m.is_negated = true,
            Word::Flag => match &mut m.regex {
                Some(flags) => flags.extend(word.chars()),
                None => return Err(fault(key, format!("`{word}` stands behind `re`: write `|re|{word}`"))),
            },
            Word::Side(side) => m.side = Some(side),
            Word::Cased => m.is_cased = true,
            Word::Windash => m.is_windash = true,
            Word::Form => m.encodings.push((*word).to_owned()),
            Word::Fieldref => m.is_fieldref = true,
            Word::Order(order) => m.order = Some(order),
            Word::Time(part) => m.time = Some(part),
            Word::Re => m.regex = Some(Vec::new()),
            Word::Cidr => m.is_cidr = true,
            Word::Exists => m.is_exists = true,
        }
    }
    Ok(m)
}

/// Whether two different modifiers contradict each other, so that one of them would be ignored.
fn are_apart(one: Word, other: Word) -> bool {
    use Word::{All, Cased, Exists, Expand, Fieldref, Flag, Form, Neq, Order, Side, Time, Windash};
    let go_with = |one, other| match (one, other) {
        // What is there or not has no values to be compared.
        (_, Exists) => false,
        (All | Expand | Neq | Flag, _)
        | (Form | Windash, Form | Windash)
        | (Side(_), Cased | Form | Windash | Fieldref)
        | (Cased, Form | Windash | Fieldref)
        | (Order(_), Time(_)) => true,
        _ => false,
    };
    !go_with(one, other) && !go_with(other, one)
}
