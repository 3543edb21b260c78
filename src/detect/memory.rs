//! Memory: conditions that look back over all that an entity did: `first_seen` and `travel`.

use super::few::Few;
use super::group::{Grouping, Members};
use super::profile::{Profiles, Symbol};
use super::signal::Signal;
use super::store::Store;
use crate::event::field::Norm;
use crate::event::time::SECOND;
use crate::rule::logic::{FirstSeen, Travel};

/// What `first_seen` made of one owner.
pub struct FirstSeenOf {
    /// new values
    pub signals: Vec<Signal>,
    /// some value could be judged
    pub is_judged: bool,
    /// some value could not, because the owner was not known long enough
    pub is_too_young: bool,
}

/// The step of the events that are judged.
pub const JUDGED: usize = 0;
/// The step of the events that teach.
pub const TEACHING: usize = 1;

/// Signals of `first_seen` for one owner. A value counts as seen by events strictly before, and before what
/// has yet to settle. `values` are the groups by the fields of the value: one number for each tuple.
pub fn first_seen(store: &Store, rule: &FirstSeen, values: &Grouping, group: &Members) -> FirstSeenOf {
    let learned = &group.steps[TEACHING];
    let mut last = Few::default();
    let values_of = |event: u32| values.of(store.profile(event));
    // What is never forgotten need not be looked up again as long as it repeats itself.
    let forgets = rule.lookback.0 > 0;
    let (mut taught, mut old): (&[u32], &[u32]) = (&[], &[]);
    let mut out = FirstSeenOf { signals: Vec::new(), is_judged: false, is_too_young: false };
    let start = learned.first().map(|e| store.time(*e));
    let mut known = 0;
    for &event in group.steps[JUDGED].iter() {
        let time = store.time(event);
        let settled = time.back(rule.settle);
        while let Some(lesson) = learned.get(known).filter(|l| store.time(**l) < settled) {
            let values = values_of(*lesson);
            if forgets || values != taught {
                values.iter().for_each(|value| *last.at(*value) = store.time(*lesson));
                taught = values;
            }
            known += 1;
        }
        let is_new = |value: &u32| last.get(*value).is_none_or(|seen| forgets && seen <= time.back(rule.lookback));
        let values = values_of(event);
        if values.is_empty() {
            continue;
        }
        let is_old_enough = start.is_some_and(|start| time.since(start) >= rule.min_age);
        if !is_old_enough || known < rule.min_events {
            out.is_too_young = out.is_too_young || !store.is_history(event);
            continue;
        }
        out.is_judged = true;
        if !forgets && values == old {
            continue;
        }
        if values.iter().any(is_new) {
            out.signals.push(Signal::new(event));
        } else {
            old = values;
        }
    }
    out
}

/// A leg of a journey that nobody made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// where it starts
    pub from: u32,
    /// where it ends
    pub to: u32,
    /// great-circle distance, less what a database of places says it may be wrong by
    pub km: f64,
    /// between the two events, at least a second
    pub nanoseconds: i64,
}

impl Leg {
    /// Kilometres an hour.
    pub fn kmh(&self) -> f64 {
        self.km / (self.nanoseconds as f64 / (3600.0 * SECOND as f64))
    }
}

/// A point on the earth, and how far from it the truth may be.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// degrees north and east
    point: (f64, f64),
    /// kilometres
    radius: f64,
}

impl Spot {
    /// Reads what `source.place` says.
    fn of(text: &str) -> Option<Spot> {
        let mut numbers = text.split(',').map(|number| number.parse::<f64>().ok());
        let point = (numbers.next()??, numbers.next()??);
        Some(Spot { point, radius: numbers.next().flatten().unwrap_or(0.0) })
    }

    /// Kilometres that lie between two spots at least.
    pub fn apart(self, other: Spot) -> f64 {
        (distance(self.point, other.point) - self.radius - other.radius).max(0.0)
    }
}

/// Where an event was, if it says so, and if that is no network of the organization.
pub fn spot(store: &Store, event: u32) -> Option<Spot> {
    Stop::at(store, event).map(|stop| stop.spot)
}

/// Where the events of a profile were.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    spot: Spot,
    address: Option<Symbol>,
}

impl Stop {
    /// That of an event.
    pub fn at(store: &Store, event: u32) -> Option<Stop> {
        Stop::of(store.profiles(), store.profile(event))
    }

    /// That of a profile, if it says so, and if that is no network of the organization.
    pub fn of(profiles: &Profiles, profile: u32) -> Option<Stop> {
        if profiles.text(profile, Norm::SourceKnown).is_some() {
            return None;
        }
        let spot = Spot::of(profiles.text(profile, Norm::SourcePlace)?)?;
        Some(Stop { spot, address: profiles.first(profile, Norm::SourceIp) })
    }
}

/// The legs of one traveller that are too far and too fast. Events without a place, from the organization's
/// own networks, and from the address of the one before, are not in the sequence; where no address is told, they may be
/// from two. `stop` tells where an event was.
pub fn legs(store: &Store, rule: &Travel, group: &Members, stop: impl Fn(u32) -> Option<Stop>) -> Vec<Leg> {
    let mut out = Vec::new();
    let mut before: Option<(u32, Stop)> = None;
    for &event in group.events().iter() {
        let Some(here) = stop(event) else { continue };
        if let Some((from, there)) = before
            && (there.address != here.address || here.address.is_none())
        {
            let nanoseconds = store.time(event).since(store.time(from)).0.max(SECOND);
            let leg = Leg { from, to: event, km: there.spot.apart(here.spot), nanoseconds };
            if leg.km >= rule.min_km && leg.kmh() >= rule.min_kmh {
                out.push(leg);
            }
        }
        before = Some((event, here));
    }
    out
}

/// Great-circle distance in kilometres between two points in degrees (haversine, mean radius 6,371 km).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let h = half(lat_b - lat_a) + lat_a.cos() * lat_b.cos() * half((b.1 - a.1).to_radians());
    2.0 * 6371.0 * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_cities() {
        let (paris, tokyo, london) = ((48.8566, 2.3522), (35.6762, 139.6503), (51.5074, -0.1278));
        assert!((distance(paris, london) - 344.0).abs() < 3.0);
        assert!((distance(paris, tokyo) - 9712.0).abs() < 15.0);
        assert!(distance(paris, paris) < 1e-9);
        assert!((distance((0.0, 179.9), (0.0, -179.9)) - 22.2).abs() < 0.5);
    }

    #[test]
    fn what_may_be_wrong_is_no_way() {
        let apart = |a: &str, b: &str| Spot::of(a).unwrap().apart(Spot::of(b).unwrap()).round().to_string();
        assert_eq!(apart("48.8566,2.3522", "51.5074,-0.1278"), "344");
        assert_eq!(apart("48.8566,2.3522,100", "51.5074,-0.1278,200"), "44");
        assert_eq!(apart("48.8566,2.3522,200", "51.5074,-0.1278,200"), "0");
        assert!(Spot::of("48.8566").is_none() && Spot::of("x,1").is_none());
    }
}
