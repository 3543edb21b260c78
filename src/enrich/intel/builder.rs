//! Builder: takes indicators out of all files, and counts those that cannot be used.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::super::ranges::Collected;
use super::super::{At, Skipped};
use super::indicator::{Kind, Value, value};
use crate::event::json::Json;
use crate::event::time::Timestamp;

/// Reason: its time is over.
pub const EXPIRED: &str = "expired";
/// Reason: when it ends cannot be read. It is used all the same.
pub const NO_END: &str = "no readable end, so it counts without one";

/// An indicator as it stands in a file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// the file, by its place in the list of them
    pub file: u32,
    /// what kind of thing it is
    pub kind: Kind,
    /// as written
    pub text: Box<str>,
    /// what the list says of it
    pub detail: Option<Box<Detail>>,
}

/// What a list says of an indicator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// what it is
    pub description: Option<String>,
    /// until when it says so
    pub valid_until: Option<Timestamp>,
    /// it says until when, but not in a way that can be read
    pub is_end_unread: bool,
}

impl Detail {
    /// The same with an end, as a list writes it: a time, a day (all of it), seconds since 1970, or a word or year that means
    /// never.
    pub fn ending(mut self, end: Option<&str>) -> Detail {
        let Some(end) = end.map(str::trim) else { return self };
        // A smaller number is one of days or hours.
        let epoch = end.parse().ok().filter(|n| *n >= 1_000_000_000);
        self.valid_until =
            epoch.map_or_else(|| Timestamp::parse_end(end), |seconds| Timestamp::from_json(&Json::Int(seconds)));
        let year = end.split_once('-').and_then(|(year, _)| year.parse::<u16>().ok());
        let is_far = || year.is_some_and(|year| (2262..=9999).contains(&year));
        let is_never = || ["", "never", "none", "null", "n/a", "-", "0", "-1"].contains(&&*end.to_ascii_lowercase());
        if is_never() {
            self.valid_until = None;
        } else {
            self.is_end_unread = self.valid_until.is_none() && !is_far();
        }
        self
    }

    /// Nothing but a description, if there is one.
    pub fn described(text: &str) -> Option<Detail> {
        let text = text.trim();
        (!text.is_empty()).then(|| Detail { description: Some(text.to_owned()), ..Detail::default() })
    }
}

/// Names in lower case, each with the places of its entries.
pub type Names = HashMap<Box<str>, SmallVec<[u32; 2]>, foldhash::fast::RandomState>;

/// What is read until everything is there.
#[derive(Debug)]
pub struct Builder {
    /// all indicators
    pub entries: Vec<Entry>,
    /// addresses
    pub addresses: Collected,
    /// domains, e-mail addresses, user agents and user names
    pub names: [Names; 4],
    /// what could not be used of the file that is read
    pub skipped: Skipped,
    /// the place of the file that is read
    pub file: u32,
    now: Timestamp,
}

/// The place of a kind among the maps of names.
pub fn slot(kind: Kind) -> usize {
    match kind {
        Kind::Ip | Kind::Domain => 0,
        Kind::Email => 1,
        Kind::UserAgent => 2,
        Kind::User => 3,
    }
}

impl Builder {
    /// Nothing yet. Indicators that end at `now` or before are expired.
    pub fn new(now: Timestamp) -> Builder {
        Builder {
            entries: Vec::new(),
            addresses: Collected::default(),
            names: Default::default(),
            skipped: Skipped::default(),
            file: 0,
            now,
        }
    }

    /// Takes an indicator if it can be used.
    pub fn offer(&mut self, text: &str, kind: Option<Kind>, detail: Option<Detail>, at: At) {
        if detail.as_ref().and_then(|detail| detail.valid_until).is_some_and(|end| end <= self.now) {
            return self.skipped.add(EXPIRED, at);
        }
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let kind = match value(text, kind) {
            Ok(Value::Networks(networks)) => {
                networks.into_iter().for_each(|network| self.addresses.add(network, id));
                Kind::Ip
            }
            Ok(Value::Name(kind, name)) => {
                self.names[slot(kind)].entry(name.into()).or_default().push(id);
                kind
            }
            Err(reason) => return self.skipped.add(reason, at),
        };
        if detail.as_ref().is_some_and(|detail| detail.is_end_unread) {
            self.skipped.add(NO_END, at);
        }
        let detail = detail.filter(|detail| *detail != Detail::default()).map(Box::new);
        self.entries.push(Entry { file: self.file, kind, text: text.trim().into(), detail });
    }
}
