//! Usual: what somebody's sign-ins have in common, and which of them are not like the others.

use std::collections::{BTreeMap, BTreeSet};

use super::focus::Part;
use super::foothold::Footholds;
use super::namesake::{Thing, labels};
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
/// What several people share is somebody's where three values have three quarters of it; where it is not, none is rare.
const OWNERS: usize = 3;

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
    /// device on which a command ran, or that answered it
    Device,
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
            Aspect::Device => "device",
        }
    }

    fn of(self, deed: &Deed, time: Timestamp, zone: Zone) -> Option<String> {
        match self {
            Aspect::Who => Some(deed.actor.clone()).filter(|actor| !actor.is_empty() && !deed.is_of_device),
            Aspect::Country => deed.country.clone(),
            Aspect::Network => deed.network.clone(),
            Aspect::Agent => deed.agent.clone(),
            Aspect::Hour => time.short(zone).get(11..13).map(str::to_owned),
            Aspect::Application => deed.app.clone(),
            // It is told by its id where others have its name.
            Aspect::Device => None,
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
    /// how many sign-ins failed, of who it was and of the programs where several people are looked at
    pub failed: usize,
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

    fn odd(&self) -> impl Iterator<Item = ((Aspect, String), Odd)> {
        self.values.iter().filter_map(|v| Some(((self.aspect, v.value.clone()), v.odd?)))
    }

    /// The same with sign-ins that failed. Whoever got in stands before those who did not.
    fn with_failures(mut self, failures: &[&Happening], odd: &BTreeMap<(Aspect, String), Odd>, zone: Zone) -> Usual {
        let mut by_value: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for failure in failures {
            let Some(value) = self.aspect.of(&failure.deed, failure.time, zone) else { continue };
            by_value.entry(value).or_default().push(failure.time);
        }
        for counted in &mut self.values {
            counted.failed = by_value.remove(&counted.value).map_or(0, |times| times.len());
        }
        let mut only_failed: Vec<Counted> = by_value
            .into_iter()
            .filter_map(|(value, times)| {
                let (first, last) = (times.iter().min().copied()?, times.iter().max().copied()?);
                let odd = odd.get(&(self.aspect, value.clone())).copied();
                Some(Counted { value, count: 0, failed: times.len(), first, last, odd })
            })
            .collect();
        only_failed.sort_by(|a, b| b.failed.cmp(&a.failed).then_with(|| a.value.cmp(&b.value)));
        self.values.extend(only_failed);
        self
    }
}

/// The devices on which commands ran, or that answered them.
fn devices(happenings: &[&Happening]) -> Option<Usual> {
    let ran = happenings.iter().filter(|h| h.deed.command.is_some());
    let named: Vec<(Timestamp, Thing<'_>)> =
        ran.filter_map(|h| h.deed.device.as_ref().map(|(name, id)| (h.time, (name.as_str(), id.as_deref())))).collect();
    let labels: BTreeMap<Thing<'_>, String> = labels(named.iter().map(|(_, thing)| *thing));
    let mut by_label: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    named.iter().for_each(|(time, thing)| by_label.entry(&labels[thing]).or_default().push(*time));
    let counted = |(label, times): (&str, Vec<Timestamp>)| {
        let (first, last) = (times.iter().min().copied()?, times.iter().max().copied()?);
        Some(Counted { value: label.to_owned(), count: times.len(), failed: 0, first, last, odd: None })
    };
    let mut values: Vec<Counted> = by_label.into_iter().filter_map(counted).collect();
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    (!values.is_empty()).then_some(Usual { aspect: Aspect::Device, total: named.len(), values })
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
    odd: BTreeMap<(Aspect, String), Odd>,
    /// they are of several people
    pub has_who: bool,
}

impl Habits {
    /// What the events have in common. `has_who`: they are of several people, so who it was is an aspect.
    pub fn of(happenings: &[&Happening], has_who: bool, footholds: &Footholds, zone: Zone) -> Habits {
        let own: Vec<&Happening> =
            happenings.iter().filter(|h| h.deed.part == Part::Doer || has_who).copied().collect();
        let is_sign_in = |h: &&&Happening| sentence::is_sign_in(&h.deed.event_type);
        let signed_in: Vec<&Happening> =
            own.iter().filter(is_sign_in).filter(|h| h.deed.outcome == Outcome::Success).copied().collect();
        let (failures, others): (Vec<&Happening>, Vec<&Happening>) =
            own.iter().partition(|h| h.deed.is_failed_sign_in());
        let are_sign_ins = !signed_in.is_empty();
        let counted = if are_sign_ins { &signed_in } else { &own };
        let of = |happenings: &[&Happening]| -> Vec<Usual> {
            let aspects = Aspect::ALL.into_iter().filter(|aspect| has_who || *aspect != Aspect::Who);
            aspects.filter_map(|aspect| usual((aspect, has_who), happenings, footholds, zone)).collect()
        };
        let mut aspects = of(counted);
        let mut odd: BTreeMap<(Aspect, String), Odd> = aspects.iter().flat_map(Usual::odd).collect();
        if are_sign_ins && counted.len() >= LEAST {
            // A stolen session or an API key never signs in, so values that no sign-in has are compared with all
            // events.
            let known: BTreeSet<_> = aspects.iter().flat_map(Usual::all).collect();
            let beside = of(&own).into_iter().filter(|usual| usual.aspect != Aspect::Hour);
            let beside = beside.flat_map(|usual| usual.odd().collect::<Vec<_>>());
            odd.extend(beside.filter(|(value, _)| !known.contains(value)));
        }
        if has_who {
            for (place, aspect) in [Aspect::Who, Aspect::Agent].into_iter().enumerate() {
                let got_in = usual((aspect, has_who), if are_sign_ins { &signed_in } else { &others }, footholds, zone);
                let told = got_in.unwrap_or(Usual { aspect, total: 0, values: vec![] });
                let told = told.with_failures(&failures, &odd, zone);
                match aspects.iter().position(|usual| usual.aspect == aspect) {
                    Some(known) => aspects[known] = told,
                    None => aspects.insert(place.min(aspects.len()), told),
                }
            }
            aspects.retain(|usual| !usual.values.is_empty());
            aspects.sort_by_key(|usual| usual.aspect);
            aspects.extend(devices(&own));
        }
        let since = counted.iter().map(|h| h.time).min();
        Habits { are_sign_ins, total: counted.len(), since, failed: failures.len(), aspects, odd, has_who }
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
            counts && value.is_some_and(|value| self.odd.contains_key(&(*aspect, value)))
        };
        Aspect::ALL.into_iter().filter(is_odd).collect()
    }
}

fn usual(
    (aspect, has_who): (Aspect, bool),
    happenings: &[&Happening],
    footholds: &Footholds,
    zone: Zone,
) -> Option<Usual> {
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
    let mut sizes: Vec<usize> = by_value.values().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let is_of_people = has_who && matches!(aspect, Aspect::Who | Aspect::Network | Aspect::Agent);
    let is_shared = is_of_people && sizes.iter().take(OWNERS).sum::<usize>() * 4 < total * 3;
    let mut values: Vec<Counted> = by_value
        .iter()
        .map(|(value, own)| {
            let (first, last) = (own.iter().min().copied()?, own.iter().max().copied()?);
            let like = around(value);
            let (begin, end) = (like.iter().min().copied()?, like.iter().max().copied()?);
            let before = times.partition_point(|time| *time < begin);
            let is_new = begin.since(start).0 >= KNOWN_FOR && before >= LEAST && end.since(begin).0 < NEW_FOR;
            let is_rare = total >= RARE && like.len() * RARE < total && !is_shared;
            let odd = match aspect {
                _ if is_new => Some(Odd::New),
                Aspect::Country | Aspect::Network | Aspect::Agent if !elsewhere.contains(value) => Some(Odd::Reported),
                // Most applications are used once a month.
                Aspect::Application => None,
                _ => is_rare.then_some(Odd::Rare),
            };
            Some(Counted { value: value.clone(), count: own.len(), failed: 0, first, last, odd })
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
