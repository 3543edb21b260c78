//! Extent: how far the data reaches, and how far it would without what was not known before.

use std::collections::{BTreeMap, HashMap};

use super::store::Store;
use crate::event::catalogue;
use crate::event::coverage::Reach;
use crate::event::field::Norm;
use crate::event::time::Timestamp;
use crate::rule::set::RuleSet;

/// First and last event of each service in each organization.
pub type Reaches = BTreeMap<(String, String), Reach>;

/// How far each service of each organization reaches.
#[derive(Clone, Copy)]
pub struct Extent<'a> {
    /// in what is scanned
    pub scanned: &'a Reaches,
    /// in what only teaches
    pub history: Option<&'a Reaches>,
}

/// The time of the last event of some services.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// in all that was read
    pub all: Timestamp,
    /// in what only teaches
    pub history: Timestamp,
}

/// The services that the events of a rule may belong to.
pub fn services(set: &RuleSet, rule: usize) -> Vec<&'static str> {
    let types = set.event_types(rule).unwrap_or_default();
    types.iter().filter_map(|t| catalogue::service_of(t)).filter(|service| !service.is_empty()).collect()
}

/// The last event of each service, in small letters, of each organization.
type Lasts<'a> = HashMap<&'a str, HashMap<String, Timestamp>>;

fn lasts(reaches: &Reaches) -> Lasts<'_> {
    let mut lasts = Lasts::default();
    for ((organization, service), reach) in reaches {
        let of_organization = lasts.entry(organization).or_default();
        let last = of_organization.entry(service.to_ascii_lowercase()).or_insert(reach.last);
        *last = reach.last.max(*last);
    }
    lasts
}

/// Where the services end.
pub struct Ends<'a> {
    scanned: Lasts<'a>,
    history: Lasts<'a>,
}

impl<'a> Ends<'a> {
    /// As far as the data reaches.
    pub fn new(extent: Extent<'a>) -> Ends<'a> {
        Ends { scanned: lasts(extent.scanned), history: extent.history.map(lasts).unwrap_or_default() }
    }

    /// Of the services that may follow, in the organization of what they would follow.
    pub fn end(&self, services: &[&str], store: &Store, trigger: u32) -> End {
        let own = store.service(trigger).to_ascii_lowercase();
        let known = store.text(trigger, Norm::EventType).and_then(catalogue::service_of);
        // Whatever the export calls the service of the trigger, what follows in the same service is called so, too.
        let is_own = services.is_empty() || known.is_some_and(|known| services.contains(&known));
        let meant = || services.iter().copied().chain(is_own.then_some(own.as_str()));
        let last = |lasts: &Lasts<'_>| {
            let of_organization = lasts.get(store.organization(trigger));
            let last = of_organization.and_then(|lasts| meant().filter_map(|service| lasts.get(service)).max());
            last.copied().unwrap_or_else(|| store.time(trigger))
        };
        let history = last(&self.history);
        End { all: last(&self.scanned).max(history), history }
    }
}
