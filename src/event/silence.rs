//! Silence: a service of which nothing came for hours in which there is something in other weeks, while other
//! services of the organization went on. A filter of the export, an outage, or somebody who switched a log off.
//! A stop is the same of all services at once.

use std::collections::BTreeMap;

use super::time::Timestamp;

const WEEK: i64 = 7 * 24;
/// Hours in which something had to come, before it is called a silence.
const LEAST_HOURS: usize = 6;
/// How many weeks behind it an hour is compared with, at most.
const MOST_WEEKS: i64 = 8;
/// How many of them there have to be, for one service. It may be used now and then.
const WEEKS_OF_ONE: i64 = 3;
/// And for all services together, which seldom leave an hour empty by chance.
const WEEKS_OF_ALL: i64 = 2;
/// Hours without any event that are reported even if such gaps are usual: no weekend is this long.
const LONG_STOP: i64 = 72;
/// A silence is not followed further than this.
const LONGEST: i64 = 4 * WEEK;

/// A stretch of time without an event of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// the organization; empty if events do not say
    pub organization: String,
    /// the service
    pub service: String,
    /// the end of the last hour with events
    pub from: Timestamp,
    /// the start of the next one, or the end of what was read
    pub to: Timestamp,
}

/// The hours in which something happened, as bits of each week.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    weeks: BTreeMap<i64, [u64; 3]>,
}

impl Presence {
    /// Something happened in an hour, counted from the epoch.
    pub fn mark(&mut self, hour: i64) {
        let (word, bit) = place(hour);
        self.weeks.entry(hour.div_euclid(WEEK)).or_default()[word] |= 1 << bit;
    }

    fn has(&self, hour: i64) -> bool {
        let (word, bit) = place(hour);
        self.weeks.get(&hour.div_euclid(WEEK)).is_some_and(|bits| bits[word] >> bit & 1 == 1)
    }

    /// The hours, counted from the epoch, in order.
    pub fn hours(&self) -> Vec<i64> {
        let of_week = |week: i64| (week * WEEK..(week + 1) * WEEK).filter(|hour| self.has(*hour));
        self.weeks.keys().flat_map(|week| of_week(*week)).collect()
    }

    fn first(&self) -> Option<i64> {
        let (week, _) = self.weeks.first_key_value()?;
        (week * WEEK..(week + 1) * WEEK).find(|hour| self.has(*hour))
    }

    fn last(&self) -> Option<i64> {
        let (week, _) = self.weeks.last_key_value()?;
        (week * WEEK..(week + 1) * WEEK).rev().find(|hour| self.has(*hour))
    }

    /// Whether something came at that hour in three of four of the weeks before, which reach back to `first` and
    /// have to be `least`.
    fn is_usual(&self, hour: i64, first: i64, least: i64) -> bool {
        let known = ((hour - first) / WEEK).min(MOST_WEEKS);
        let active = (1..=known).filter(|back| self.has(hour - back * WEEK)).count();
        known >= least && active * 4 >= usize::try_from(known).unwrap_or(0) * 3
    }

    /// The hours of both.
    pub fn add(&mut self, other: &Presence) {
        for (week, bits) in &other.weeks {
            let own = self.weeks.entry(*week).or_default();
            own.iter_mut().zip(bits).for_each(|(own, bits)| *own |= bits);
        }
    }

    fn of<'p>(services: impl IntoIterator<Item = &'p Presence>) -> Presence {
        services.into_iter().fold(Presence::default(), |mut all, service| {
            all.add(service);
            all
        })
    }
}

fn place(hour: i64) -> (usize, i64) {
    let hour = hour.rem_euclid(WEEK);
    (usize::try_from(hour / 64).unwrap_or(0), hour % 64)
}

/// The silences of all services. Keys are organization and service.
pub fn of(presence: &BTreeMap<(String, String), Presence>) -> Vec<Silence> {
    let mut organizations: BTreeMap<&str, Vec<(&str, &Presence)>> = BTreeMap::new();
    for ((organization, service), own) in presence {
        organizations.entry(organization).or_default().push((service, own));
    }
    organizations.into_iter().flat_map(|(organization, services)| of_one(organization, &services)).collect()
}

/// Those of one organization. What all of its services did is put together once: there may be many.
fn of_one(organization: &str, services: &[(&str, &Presence)]) -> Vec<Silence> {
    let all = Presence::of(services.iter().map(|(_, presence)| *presence));
    let mut ends: Vec<(i64, &str)> =
        services.iter().filter_map(|(service, presence)| Some((presence.last()?, *service))).collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    ends.truncate(2);
    let mut out = Vec::new();
    for (service, own) in services {
        let hours = own.hours();
        let others_end = ends.iter().find(|(_, other)| other != service);
        let (Some(first), Some((end, _))) = (hours.first(), others_end) else { continue };
        let nexts = hours.iter().skip(1).copied().chain([end + 1]);
        for (hour, next) in hours.iter().zip(nexts) {
            let missing = (hour + 1..next.min(hour + LONGEST)).filter(|hour| own.is_usual(*hour, *first, WEEKS_OF_ONE));
            let missing: Vec<i64> = missing.collect();
            // Nothing of these hours is its own, so what there is is of others.
            let went_on = missing.iter().filter(|hour| all.has(**hour)).count();
            if missing.len() >= LEAST_HOURS && went_on * 2 >= missing.len() {
                out.push(Silence {
                    organization: organization.to_owned(),
                    service: (*service).to_owned(),
                    from: Timestamp::of_hour(hour + 1),
                    to: Timestamp::of_hour(next),
                });
            }
        }
    }
    out
}

/// Stretches without an event of any service of an organization, told by the hour with events before and after
/// each. They are longer than a weekend, or lack hours in which something usually comes.
pub fn stops(services: &[&Presence]) -> Vec<(i64, i64)> {
    let hours = Presence::of(services.iter().copied()).hours();
    let mut ending: Vec<(i64, &Presence)> =
        services.iter().filter_map(|service| service.last().map(|last| (last, *service))).collect();
    ending.sort_by_key(|(last, _)| *last);
    // What came of a service that had ended by then says nothing about what was to be expected. From the last hour
    // back, those that had not are only more.
    let mut going = Presence::default();
    let mut out = Vec::new();
    for (before, after) in hours.iter().copied().zip(hours.iter().skip(1).copied()).rev() {
        while let Some((_, service)) = ending.pop_if(|(last, _)| *last >= after) {
            going.add(service);
        }
        let usual = || {
            let first = going.first().unwrap_or(after);
            (before + 1..after).filter(|hour| going.is_usual(*hour, first, WEEKS_OF_ALL)).count()
        };
        if after - before > LONG_STOP || usual() >= LEAST_HOURS {
            out.push((before, after));
        }
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::time::HOUR;

    /// Five weeks: directory at all hours, SSO on five days from 8 to 18. `is_lost` takes SSO hours away.
    fn weeks(is_lost: impl Fn(i64) -> bool) -> BTreeMap<(String, String), Presence> {
        let mut out: BTreeMap<(String, String), Presence> = BTreeMap::new();
        for hour in 0..5 * WEEK {
            let mut mark = |service: &str| {
                out.entry(("o".to_owned(), service.to_owned())).or_default().mark(hour);
            };
            mark("directory");
            if hour % WEEK < 5 * 24 && (8..18).contains(&(hour % 24)) && !is_lost(hour) {
                mark("sso");
            }
        }
        out
    }

    #[test]
    fn nights_and_weekends_are_no_silence() {
        assert_eq!(of(&weeks(|_| false)), []);
    }

    #[test]
    fn a_lost_day_is_one() {
        let day = 4 * WEEK + 2 * 24;
        let found = of(&weeks(|hour| (day..day + 24).contains(&hour)));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].service.as_str(), found[0].organization.as_str()), ("sso", "o"));
        assert_eq!(found[0].from, Timestamp((day - 24 + 18) * HOUR));
        assert_eq!(found[0].to, Timestamp((day + 24 + 8) * HOUR));
    }

    #[test]
    fn a_service_that_ends_is_one() {
        let found = of(&weeks(|hour| hour > 4 * WEEK));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to, Timestamp(5 * WEEK * HOUR));
    }

    #[test]
    fn the_last_hour_there_is_has_no_end() {
        let last = i64::MAX / HOUR;
        let mut both = BTreeMap::new();
        for (service, hours) in [("directory", 0..5 * WEEK), ("sso", WEEK..5 * WEEK)] {
            let mut presence = Presence::default();
            hours.for_each(|back| presence.mark(last - back));
            both.insert(("o".to_owned(), service.to_owned()), presence);
        }
        let found = of(&both);
        assert_eq!((found.len(), found[0].to), (1, Timestamp(i64::MAX)));
    }

    /// Not each service is compared with each: that would take minutes.
    #[test]
    fn many_services_are_looked_at_at_once() {
        let mut many = weeks(|hour| hour > 4 * WEEK);
        for number in 0..20_000 {
            let mut presence = Presence::default();
            presence.mark(number % (5 * WEEK));
            many.insert(("o".to_owned(), format!("s{number}")), presence);
        }
        assert_eq!(of(&many).len(), 1);
        assert_eq!(stops_of(&many), []);
    }

    #[test]
    fn five_hours_a_young_export_and_a_stop_of_everything_are_none() {
        let day = 4 * WEEK + 2 * 24;
        assert_eq!(of(&weeks(|hour| (day + 8..day + 13).contains(&hour))), []);
        assert_eq!(of(&weeks(|hour| (2 * WEEK..2 * WEEK + 24).contains(&hour))), []);
        let mut both = weeks(|hour| hour > 4 * WEEK);
        both.get_mut(&("o".to_owned(), "directory".to_owned())).unwrap().weeks.remove(&4);
        assert_eq!(of(&both), []);
    }

    /// The hours before and after each stop, from the start of the fifth week.
    fn stops_of(presence: &BTreeMap<(String, String), Presence>) -> Vec<(i64, i64)> {
        let stops = stops(&presence.values().collect::<Vec<_>>()).into_iter();
        stops.map(|(before, after)| (before - 4 * WEEK, after - 4 * WEEK)).collect()
    }

    /// Five weeks of an office: two services on five days from 8 to 18, without the hours that are lost.
    fn office(is_lost: impl Fn(i64) -> bool) -> BTreeMap<(String, String), Presence> {
        let mut out = weeks(is_lost);
        let sso = out.remove(&("o".to_owned(), "sso".to_owned())).unwrap();
        let mut late = Presence::default();
        sso.hours().into_iter().filter(|hour| hour % 24 >= 12).for_each(|hour| late.mark(hour));
        out.insert(("o".to_owned(), "directory".to_owned()), sso);
        out.insert(("o".to_owned(), "ldap".to_owned()), late);
        out
    }

    #[test]
    fn a_stop_of_everything_in_working_hours_is_told() {
        assert_eq!(stops_of(&office(|_| false)), [], "nights and weekends");
        let day = 4 * WEEK + 2 * 24;
        assert_eq!(stops_of(&office(|hour| (day + 9..day + 15).contains(&hour))), [(2 * 24 + 8, 2 * 24 + 15)]);
        assert_eq!(stops_of(&office(|hour| (day + 9..day + 14).contains(&hour))), [], "five hours");
        let young = WEEK + 24;
        assert_eq!(stops_of(&office(|hour| (young..young + 24).contains(&hour))), [], "one week says nothing");
        let younger = stops_of(&office(|hour| (young + WEEK..young + WEEK + 24).contains(&hour)));
        assert_eq!(younger.len(), 1, "two weeks do");
    }

    /// An export of one service that was seldom used, behind one of everything.
    #[test]
    fn a_service_that_ended_is_no_measure() {
        let mut both = office(|hour| hour >= 3 * WEEK);
        let seldom = both.entry(("o".to_owned(), "radius".to_owned())).or_default();
        (0..5 * WEEK).filter(|hour| hour % 48 == 9).for_each(|hour| seldom.mark(hour));
        assert_eq!(stops_of(&both), []);
    }
}
