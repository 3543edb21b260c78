//! Usual: what somebody's sign-ins have in common, and which of them are not like the others.

use std::collections::{BTreeMap, BTreeSet};

use super::focus::Part;
use super::foothold::Footholds;
use super::sentence;
use super::watch::{Deed, Happening};
use crate::event::Outcome;
use crate::event::time::{DAY, Timestamp, Zone};

/// Fewer than this, and nothing can be called usual.
pub(super) const LEAST: usize = 10;
/// A value is new where its owner was known this long without it…
pub(super) const KNOWN_FOR: i64 = 7 * DAY;
/// …and it is new for this long.
pub(super) const NEW_FOR: i64 = 2 * DAY;
/// A value is rare below one in this many.
const RARE: usize = 20;

/// What values are counted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// who it was
    Who,
    /// country of the address
    Country,
    /// network of the address
    Network,
    /// the program
    Agent,
    /// hour of the day, in the zone that is shown
    Hour,
    /// application
    Application,
}

impl Aspect {
    const ALL: [Aspect; 6] =
        [Aspect::Who, Aspect::Country, Aspect::Network, Aspect::Agent, Aspect::Hour, Aspect::Application];

    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Aspect::Who => "who",
            Aspect::Country => "country",
            Aspect::Network => "network",
            Aspect::Agent => "agent",
            Aspect::Hour => "hour",
            Aspect::Application => "application",
        }
    }

    fn of(self, deed: &Deed, time: Timestamp, zone: Zone) -> Option<String> {
        match self {
            Aspect::Who => Some(deed.actor.clone()).filter(|actor| !actor.is_empty()),
            Aspect::Country => deed.country.clone(),
            Aspect::Network => deed.network.clone(),
            Aspect::Agent => deed.agent.clone(),
            Aspect::Hour => time.short(zone).get(11..13).map(str::to_owned),
            Aspect::Application => deed.app.clone(),
        }
    }
}

/// Why a value is not usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// somebody known for a week never had it before, and had it for less than two days
    New,
    /// less than one in twenty
    Rare,
    /// a finding came to be there as soon as somebody had come there
    Reported,
}

impl Odd {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Odd::New => "new",
            Odd::Rare => "rare",
            Odd::Reported => "reported",
        }
    }
}

/// A value and how often it was seen.
#[derive(Clone, Debug)]
pub struct Counted {
    /// the value
    pub value: String,
    /// how often
    pub count: usize,
    /// for the first time
    pub first: Timestamp,
    /// for the last time
    pub last: Timestamp,
    /// why it is not usual, if it is not
    pub odd: Option<Odd>,
}

/// The values of one aspect, the commonest first.
#[derive(Clone, Debug)]
pub struct Usual {
    /// what they are values of
    pub aspect: Aspect,
    /// how many had a value
    pub total: usize,
    /// the values
    pub values: Vec<Counted>,
}

impl Usual {
    fn all(&self) -> impl Iterator<Item = (Aspect, String)> {
        self.values.iter().map(|v| (self.aspect, v.value.clone()))
    }

    fn odd(&self) -> impl Iterator<Item = (Aspect, String)> {
        self.values.iter().filter(|v| v.odd.is_some()).map(|v| (self.aspect, v.value.clone()))
    }
}

/// What is usual, and of how many events it was learned.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// sign-ins that worked were counted; where there are none, everything was
    pub are_sign_ins: bool,
    /// how many
    pub total: usize,
    /// since when
    pub since: Option<Timestamp>,
    /// sign-ins that failed
    pub failed: usize,
    /// each aspect that has values
    pub aspects: Vec<Usual>,
    odd: BTreeSet<(Aspect, String)>,
    /// they are of several people
    has_who: bool,
}

impl Habits {
    /// What the events have in common. `has_who`: they are of several people, so who it was is an aspect.
    pub fn of(happenings: &[&Happening], has_who: bool, footholds: &Footholds, zone: Zone) -> Habits {
        let own: Vec<&Happening> =
            happenings.iter().filter(|h| h.deed.part == Part::Doer || has_who).copied().collect();
        let is_sign_in = |h: &&&Happening| sentence::is_sign_in(&h.deed.event_type);
        let signed_in: Vec<&Happening> =
            own.iter().filter(is_sign_in).filter(|h| h.deed.outcome == Outcome::Success).copied().collect();
        let failed = own.iter().filter(is_sign_in).filter(|h| h.deed.outcome == Outcome::Failure).count();
        let are_sign_ins = !signed_in.is_empty();
        let counted = if are_sign_ins { &signed_in } else { &own };
        let of = |happenings: &[&Happening]| -> Vec<Usual> {
            let aspects = Aspect::ALL.into_iter().filter(|aspect| has_who || *aspect != Aspect::Who);
            aspects.filter_map(|aspect| usual(aspect, happenings, footholds, zone)).collect()
        };
        let aspects = of(counted);
        let mut odd: BTreeSet<_> = aspects.iter().flat_map(Usual::odd).collect();
        if are_sign_ins {
            // A stolen session or an API key never signs in, so values that no sign-in has are compared with all
            // events.
            let known: BTreeSet<_> = aspects.iter().flat_map(Usual::all).collect();
            let beside = of(&own).into_iter().filter(|usual| usual.aspect != Aspect::Hour);
            odd.extend(beside.flat_map(|usual| usual.odd().collect::<Vec<_>>()).filter(|value| !known.contains(value)));
        }
        let since = counted.iter().map(|h| h.time).min();
        Habits { are_sign_ins, total: counted.len(), since, failed, aspects, odd, has_who }
    }

    /// Whether there are enough to call anything usual.
    pub fn are_enough(&self) -> bool {
        self.total >= LEAST
    }

    /// The aspects in which an event is not usual. What others did is not measured by the habits of one.
    pub fn odd(&self, happening: &Happening, zone: Zone) -> Vec<Aspect> {
        if happening.deed.part != Part::Doer && !self.has_who {
            return Vec::new();
        }
        let is_odd = |aspect: &Aspect| {
            let value = aspect.of(&happening.deed, happening.time, zone);
            // Who acts at night need not have signed in then.
            let counts = *aspect != Aspect::Hour || sentence::is_sign_in(&happening.deed.event_type);
            counts && value.is_some_and(|value| self.odd.contains(&(*aspect, value)))
        };
        Aspect::ALL.into_iter().filter(is_odd).collect()
    }
}

fn usual(aspect: Aspect, happenings: &[&Happening], footholds: &Footholds, zone: Zone) -> Option<Usual> {
    let mut by_value: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    let mut times = Vec::new();
    // The values of events from elsewhere than a foothold.
    let mut elsewhere: BTreeSet<String> = BTreeSet::new();
    for happening in happenings {
        let Some(value) = aspect.of(&happening.deed, happening.time, zone) else { continue };
        if !footholds.has(happening) {
            elsewhere.insert(value.clone());
        }
        by_value.entry(value).or_default().push(happening.time);
        times.push(happening.time);
    }
    times.sort_unstable();
    let total = times.len();
    let start = *times.first()?;
    // An hour is like those beside it.
    let around = |value: &str| -> Vec<Timestamp> {
        let hour: i64 = value.parse().unwrap_or(0);
        let hours = match aspect {
            Aspect::Hour => [-1, 0, 1].map(|by| format!("{:02}", (hour + by).rem_euclid(24))).to_vec(),
            _ => vec![value.to_owned()],
        };
        hours.iter().filter_map(|hour| by_value.get(hour)).flatten().copied().collect()
    };
    let mut values: Vec<Counted> = by_value
        .iter()
        .map(|(value, own)| {
            let (first, last) = (own.iter().min().copied()?, own.iter().max().copied()?);
            let like = around(value);
            let (begin, end) = (like.iter().min().copied()?, like.iter().max().copied()?);
            let before = times.partition_point(|time| *time < begin);
            let is_new = begin.since(start).0 >= KNOWN_FOR && before >= LEAST && end.since(begin).0 < NEW_FOR;
            let is_rare = total >= RARE && like.len() * RARE < total;
            let odd = match aspect {
                _ if is_new => Some(Odd::New),
                Aspect::Country | Aspect::Network | Aspect::Agent if !elsewhere.contains(value) => Some(Odd::Reported),
                // Most applications are used once a month.
                Aspect::Application => None,
                _ => is_rare.then_some(Odd::Rare),
            };
            Some(Counted { value: value.clone(), count: own.len(), first, last, odd })
        })
        .collect::<Option<_>>()?;
    values.sort_by(|a, b| match aspect {
        Aspect::Hour => a.value.cmp(&b.value),
        _ => b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)),
    });
    Some(Usual { aspect, total, values })
}

/// The hours of a day that are usual, as ranges: `08:00–17:59`.
pub fn hours(usual: &Usual) -> Vec<(String, usize)> {
    let mut out: Vec<(i64, i64, usize)> = Vec::new();
    for counted in usual.values.iter().filter(|v| v.odd.is_none()) {
        let hour: i64 = counted.value.parse().unwrap_or(0);
        match out.last_mut() {
            Some((_, last, count)) if *last + 1 == hour => (*last, *count) = (hour, *count + counted.count),
            _ => out.push((hour, hour, counted.count)),
        }
    }
    out.into_iter().map(|(from, to, count)| (format!("{from:02}:00–{to:02}:59"), count)).collect()
}
