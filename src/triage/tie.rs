//! Tie: what binds findings together, and what only seems to.
//!
//! A finding is *about* one thing, and at its completing events somebody *did* something, somebody *suffered* it,
//! and both were *at* an address and a device. What many honest people share binds nobody: the address of an
//! office, a kiosk, an administrator who looks after everybody. Nor does the address from which such an administrator
//! helps people, a home for example: it is theirs, and not that of whom the finding is about.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use foldhash::fast::RandomState;
use ipnet::IpNet;

use super::finding::Finding;
use super::status::{Disposition, Status};
use crate::detect::profile::Symbol;
use crate::detect::store::Store;
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::time::{DAY, HOUR, Span, Timestamp};
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;
use crate::rule::{Entity, Severity};

/// If the completing events have more actors, or more targets, than this, they link no findings.
const FEW: usize = 5;
/// An actor who acted on more than this many near each other is not linked to them: it may look after everybody.
const FAN: usize = 5;
/// An address or device that so many use on whom nothing was found is shared.
const INNOCENT: usize = 2;
/// After so much of a log a place where nobody was before is new.
pub(super) const SETTLED: Span = Span(7 * DAY);
/// How long before a finding others have to be at a new place to be none of its victims.
const BEFORE: Span = Span(DAY);
/// The longest stretch of time that one thing ties.
const LONGEST: Span = Span(7 * DAY);
/// So long before the first suspicion what somebody did at home is theirs.
const APART: Span = Span(4 * HOUR);
/// How long an account is told of together with whoever made it.
const MADE: Span = Span(14 * DAY);
/// The technique of making accounts.
const CREATE_ACCOUNT: &str = "T1136";

/// What a finding is tied by.
#[derive(Debug)]
pub struct Ties {
    pub(super) about: Option<String>,
    pub(super) actors: Vec<String>,
    targets: Vec<String>,
    pub(super) places: Vec<String>,
    /// the places are those of somebody else than whom it is about
    is_done_by_others: bool,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) is_suspicious: bool,
    /// an account was made that it is about
    is_making: bool,
}

/// The part that a thing has in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    About,
    Did,
    Suffered,
    At,
    /// the address or device of somebody else, who did it to whom the finding is about
    Beside,
}

/// A finding in which a thing has a part; in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    first: Timestamp,
    last: Timestamp,
    place: usize,
    role: Role,
}

/// Whether a finding alone casts suspicion on what it is about.
pub fn is_suspicious(finding: &Finding) -> bool {
    finding.disposition == Disposition::Triage
        && finding.severity >= Severity::Medium
        && finding.status != Status::Suppressed
}

impl Ties {
    /// The ties of a finding.
    pub fn new(set: &RuleSet, store: &Store, finding: &Finding) -> Ties {
        let rule = &set.rules[finding.rule];
        let adds_up = matches!(rule.logic, Logic::Risk(_));
        let about = finding.entity_key.as_deref().and_then(|key| match rule.entity {
            _ if adds_up => named(key),
            Entity::Actor | Entity::Target => named(key),
            Entity::Source => Some(format!("ip:{key}")),
            Entity::Device => Some(format!("device:{key}")),
            Entity::App => Some(format!("app:{key}")),
            Entity::Organization => None,
        });
        let few = |norms: &[(Norm, &str)], is_wanted: &dyn Fn(&str) -> bool| {
            let mut found = BTreeSet::new();
            for completing in finding.completing.iter().filter(|_| !adds_up) {
                for (norm, prefix) in norms {
                    let text =
                        store.text(completing.event, *norm).map(|text| format!("{prefix}{}", letters::lower(text)));
                    found.extend(text.as_deref().and_then(named).filter(|key| is_wanted(key)));
                }
                if found.len() > FEW {
                    return Vec::new();
                }
            }
            found.into_iter().collect()
        };
        let is_person = |key: &str| key.starts_with("user:") || key.starts_with("admin:");
        let is_touched = |key: &str| is_person(key) || key.starts_with("device:");
        let actors = few(&[(Norm::ActorKey, "")], &is_person);
        let is_about_another = about.as_ref().is_some_and(|about| is_person(about) && !actors.contains(about));
        let times = || finding.completing.iter().map(|completing| completing.time);
        Ties {
            about,
            is_done_by_others: is_about_another && !actors.is_empty(),
            actors,
            targets: few(&[(Norm::TargetKey, "")], &is_touched),
            places: [few(&[(Norm::SourceLink, "ip:")], &|_| true), few(&[(Norm::DeviceKey, "device:")], &|_| true)]
                .concat(),
            first: times().min().unwrap_or(finding.first_seen),
            last: times().max().unwrap_or(finding.last_seen),
            is_suspicious: is_suspicious(finding),
            is_making: is_about_another && rule.techniques.iter().any(|t| t.id.starts_with(CREATE_ACCOUNT)),
        }
    }

    /// What it was done to, or is about, but for whoever did it.
    pub(super) fn touched(&self) -> impl Iterator<Item = &String> {
        self.about.iter().chain(&self.targets).filter(|key| !self.actors.contains(key))
    }

    /// When it was complete for the first time.
    pub fn first(&self) -> Timestamp {
        self.first
    }
}

/// One name for each thing; nothing for the organization, which everything is about.
fn named(key: &str) -> Option<String> {
    if key.parse::<IpAddr>().is_ok() || key.parse::<IpNet>().is_ok() {
        return Some(format!("ip:{key}"));
    }
    match key.split_once(':') {
        Some(("organization", _)) => None,
        Some(("system", id)) => Some(format!("device:{id}")),
        Some(_) => Some(key.to_owned()),
        None => Some(format!("device:{key}")),
    }
}

/// Findings and what they are tied by.
pub struct Bonds<'a> {
    /// the kept events
    pub store: &'a Store,
    /// the organization of each finding
    pub organizations: Vec<&'a str>,
    /// the ties of each finding
    pub ties: Vec<Ties>,
    /// how far apart in time they may be
    pub within: Span,
}

/// An organization and a thing of it.
pub(super) type Place<'a> = (&'a str, &'a str);
/// By organization and thing, the findings in which it has a part.
type Buckets<'a> = BTreeMap<Place<'a>, BTreeSet<Member>>;

/// Since when so many were at a place on whom nothing was found that it is shared.
struct Since {
    /// the first event of the organization
    begin: Timestamp,
    shared: Timestamp,
}

impl Since {
    /// Whether the place is shared for findings that begin at a time. In the first days of a log nobody can tell who was
    /// there before it; later whoever is there first on the day of the findings may be one more victim.
    fn is_shared(&self, start: Timestamp) -> bool {
        self.shared.since(self.begin) < SETTLED || start.since(self.shared) >= BEFORE
    }
}

impl Bonds<'_> {
    /// Pairs of findings that belong together because of somebody or something they share. `is_own` tells
    /// addresses of the organization, which bind nobody.
    pub fn pairs(&self, is_own: &dyn Fn(&str) -> bool) -> Vec<(usize, usize)> {
        let mut buckets = Buckets::new();
        let (caretaken, answers, at_home) = (self.caretaken(), self.answers(), self.at_home());
        for (place, ties) in self.ties.iter().enumerate() {
            let mut add = |key, role| {
                let bucket = buckets.entry((self.organizations[place], key)).or_default();
                bucket.insert(self.member(place, role));
            };
            let is_caretaken = caretaken.contains(&place);
            let is_own_doing = ties.about.as_ref().is_some_and(|about| ties.actors.contains(about));
            if let Some(about) = ties.about.as_deref().filter(|_| is_own_doing || !is_caretaken) {
                add(about, Role::About);
            }
            if !answers.contains(&place) {
                ties.actors.iter().for_each(|key| add(key, Role::Did));
                let there = if ties.is_done_by_others { Role::Beside } else { Role::At };
                ties.places.iter().for_each(|key| add(key, there));
            }
            if ties.is_suspicious && !is_caretaken {
                ties.targets.iter().for_each(|key| add(key, Role::Suffered));
            }
        }
        let shared = self.shared(&buckets);
        let mut pairs = Vec::new();
        for bucket in buckets.values() {
            pairs.extend(self.made(bucket));
        }
        for ((organization, key), bucket) in &buckets {
            let is_own = key.strip_prefix("ip:").is_some_and(is_own);
            for cluster in self.clusters(bucket) {
                let is_hub =
                    is_own || shared.get(&(*organization, *key)).is_some_and(|since| since.is_shared(cluster[0].first));
                let has_suspicious =
                    |role| cluster.iter().any(|member| member.role == role && self.ties[member.place].is_suspicious);
                let is_suspect = has_suspicious(Role::About);
                let is_bad_place = has_suspicious(Role::At);
                let is_tied = |role: Role| match role {
                    Role::About | Role::Suffered => true,
                    Role::Did => is_suspect,
                    Role::At | Role::Beside => !is_hub && (is_suspect || is_bad_place),
                };
                let suspicious =
                    || cluster.iter().filter(|m| m.role == Role::About && self.ties[m.place].is_suspicious);
                let begin = suspicious().map(|member| member.first).min();
                let bad_places: BTreeSet<&String> = suspicious().flat_map(|m| &self.ties[m.place].places).collect();
                // What they did at home before it began is theirs, and not the thief's.
                let is_before = |member: &Member| {
                    let ties = &self.ties[member.place];
                    at_home.contains(&member.place)
                        && ties.actors.iter().any(|actor| actor == key)
                        && begin.is_some_and(|begin| begin.since(member.last) >= APART)
                        && !ties.places.iter().any(|place| bad_places.contains(place))
                };
                let tied = cluster.iter().filter(|member| is_tied(member.role) && !is_before(member));
                let tied: Vec<usize> = tied.map(|member| member.place).collect();
                pairs.extend(tied.windows(2).map(|pair| (pair[0], pair[1])));
            }
        }
        pairs
    }

    /// The making of an account with what it is suspected of later.
    fn made(&self, members: &BTreeSet<Member>) -> Vec<(usize, usize)> {
        let about = || members.iter().filter(|member| member.role == Role::About);
        let made = about().filter(|member| self.ties[member.place].is_making);
        let later = |made: &Member| {
            about().find(|member| {
                let ties = &self.ties[member.place];
                let is_later = member.first >= made.last && member.first.since(made.last) <= MADE;
                ties.is_suspicious && !ties.is_making && is_later
            })
        };
        made.filter_map(|made| Some((made.place, later(made)?.place))).collect()
    }

    fn member(&self, place: usize, role: Role) -> Member {
        let Ties { first, last, .. } = self.ties[place];
        Member { first, last, place, role }
    }

    /// Cuts what is in the order of time into stretches, each near the one before it.
    fn clusters(&self, members: &BTreeSet<Member>) -> Vec<Vec<Member>> {
        let mut clusters: Vec<Vec<Member>> = Vec::new();
        let (mut start, mut end) = (Timestamp(0), Timestamp(0));
        for member in members {
            let after = |time: Timestamp| member.first.since(time);
            let is_near = after(end) <= self.within && after(start) <= LONGEST;
            match clusters.last_mut() {
                Some(cluster) if is_near => {
                    cluster.push(*member);
                    end = end.max(member.last);
                }
                _ => {
                    clusters.push(vec![*member]);
                    (start, end) = (member.first, member.last);
                }
            }
        }
        clusters
    }

    /// Findings that are one of many alike: somebody did something to more people or devices than would be one
    /// story. Such a finding is about whoever did it, and does not tie those it was done to to each other.
    fn caretaken(&self) -> BTreeSet<usize> {
        let mut done = Buckets::new();
        for (place, ties) in self.ties.iter().enumerate() {
            for actor in &ties.actors {
                done.entry((self.organizations[place], actor)).or_default().insert(self.member(place, Role::Did));
            }
        }
        let mut out = BTreeSet::new();
        for ((_, actor), members) in &done {
            for cluster in self.clusters(members) {
                let own = || cluster.iter().map(|member| &self.ties[member.place]);
                let touched = own().flat_map(|ties| ties.targets.iter().chain(&ties.about)).filter(|key| key != actor);
                let is_suspect = own().any(|ties| ties.is_suspicious && ties.about.as_deref() == Some(*actor));
                if is_suspect && touched.collect::<BTreeSet<_>>().len() > FAN {
                    out.extend(cluster.iter().map(|member| member.place));
                }
            }
        }
        out
    }

    /// Addresses and devices that honest people use, too.
    fn shared<'k>(&self, buckets: &Buckets<'k>) -> BTreeMap<Place<'k>, Since> {
        let mut places: BTreeMap<&'k str, BTreeSet<&'k str>> = BTreeMap::new();
        for ((organization, key), bucket) in buckets.iter().filter(|(_, bucket)| bucket.len() > 1) {
            if bucket.iter().any(|member| matches!(member.role, Role::At | Role::Beside)) {
                places.entry(*organization).or_default().insert(*key);
            }
        }
        if places.is_empty() {
            return BTreeMap::new();
        }
        // Who had a part in anything that was found, there or elsewhere: a thief's third victim is no colleague.
        let mut named: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (organization, ties) in self.organizations.iter().zip(&self.ties) {
            let keys = ties.about.iter().chain(&ties.actors).chain(&ties.targets);
            named.extend(keys.map(|key| (*organization, key.as_str())));
        }
        let profiles = self.store.profiles();
        let mut at: Vec<Vec<Place<'k>>> = vec![Vec::new(); profiles.len() as usize];
        // Many profiles name the same address.
        let mut met: HashMap<(Symbol, Norm, Symbol), Option<Place<'k>>, RandomState> = HashMap::default();
        for profile in 0..profiles.len() {
            let organization = profiles.organization_symbol(profile);
            let is_innocent = |place: &Place<'k>| {
                profiles.text(profile, Norm::Outcome) != Some("failure")
                    && profiles.text(profile, Norm::ActorKey).is_some_and(|actor| !named.contains(&(place.0, actor)))
            };
            for (norm, prefix) in [(Norm::SourceLink, "ip:"), (Norm::DeviceKey, "device:")] {
                let Some(symbol) = profiles.first(profile, norm) else { continue };
                let place = *met.entry((organization, norm, symbol)).or_insert_with(|| {
                    let (organization, keys) = places.get_key_value(profiles.organization(profile))?;
                    let key = keys.get(format!("{prefix}{}", letters::lower(profiles.symbol(symbol))).as_str())?;
                    Some((*organization, *key))
                });
                if let Some(place) = place.filter(is_innocent) {
                    at[profile as usize].push(place);
                }
            }
        }
        let mut first: BTreeMap<Place<'k>, BTreeMap<&str, Timestamp>> = BTreeMap::new();
        for event in 0..self.store.len() {
            let profile = self.store.profile(event);
            // The first event of a profile tells all.
            for place in std::mem::take(&mut at[profile as usize]) {
                let actor = profiles.text(profile, Norm::ActorKey).unwrap_or_default();
                first.entry(place).or_default().entry(actor).or_insert(self.store.time(event));
            }
        }
        let begins: BTreeMap<&str, Timestamp> =
            self.store.begins().map(|event| (self.store.organization(event), self.store.time(event))).collect();
        let since = |(place, first): (Place<'k>, BTreeMap<&str, Timestamp>)| {
            let mut times: Vec<Timestamp> = first.into_values().collect();
            times.sort_unstable();
            Some((place, Since { begin: *begins.get(place.0)?, shared: *times.get(INNOCENT - 1)? }))
        };
        first.into_iter().filter_map(since).collect()
    }
}
