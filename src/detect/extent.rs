//! Extent: how far the data reaches, and how far it would without what was not known before.

use std::collections::BTreeMap;

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

/// What comes before all services of an organization.
fn start(organization: &str) -> (String, String) {
    (organization.to_owned(), String::new())
}

impl Extent<'_> {
    /// Of the services that the events of a rule may belong to, in the organization of what they would follow.
    pub fn end(&self, set: &RuleSet, store: &Store, follow_up: usize, trigger: u32) -> End {
        let types = set.event_types(follow_up).unwrap_or_default();
        let (own, kind) = (store.service(trigger), store.text(trigger, Norm::EventType));
        let mut services: Vec<&str> =
            types.iter().filter_map(|t| catalogue::service_of(t)).filter(|s| !s.is_empty()).collect();
        // Whatever the export calls the service of the trigger, what follows in the same service is called so, too.
        if services.is_empty() || kind.and_then(catalogue::service_of).is_some_and(|known| services.contains(&known)) {
            services.push(own);
        }
        let organization = store.organization(trigger);
        let is_meant = |service: &str| services.iter().any(|meant| meant.eq_ignore_ascii_case(service));
        let last = |reaches: Option<&Reaches>| {
            let of_organization = reaches.into_iter().flat_map(|reaches| reaches.range(start(organization)..));
            let of_organization = of_organization.take_while(|((of, _), _)| of == organization);
            let meant = of_organization.filter(|((_, service), _)| is_meant(service)).map(|(_, reach)| reach.last);
            meant.max().unwrap_or_else(|| store.time(trigger))
        };
        let history = last(self.history);
        End { all: last(Some(self.scanned)).max(history), history }
    }
}
