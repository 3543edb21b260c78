//! Extent: how far the data reaches, and how far it would without what was not known before.

use std::collections::BTreeMap;

use super::store::Store;
use crate::event::catalogue;
use crate::event::coverage::Reach;
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

impl Extent<'_> {
    /// Of the services that the events of a rule may belong to, in the organization of what they would follow.
    pub fn end(&self, set: &RuleSet, store: &Store, follow_up: usize, trigger: u32) -> End {
        let types = set.event_types(follow_up).unwrap_or_default();
        let mut services: Vec<&str> =
            types.iter().filter_map(|t| catalogue::service_of(t)).filter(|s| !s.is_empty()).collect();
        if services.is_empty() {
            services.push(store.service(trigger));
        }
        let organization = store.organization(trigger).to_owned();
        let last = |reaches: Option<&Reaches>| {
            let reach = |service: &&str| reaches?.get(&(organization.clone(), (*service).to_owned()));
            services.iter().filter_map(reach).map(|reach| reach.last).max().unwrap_or_else(|| store.time(trigger))
        };
        let history = last(self.history);
        End { all: last(Some(self.scanned)).max(history), history }
    }
}
