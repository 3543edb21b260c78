//! Enrichment: all that is known from elsewhere, looked up together.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::directory::Directory;
use super::geo::Geo;
use super::intel::{Intel, Listed};
use super::known::Known;
use super::met::Met;
use super::{Error, Provenance};
use crate::event::outside::Outside;
use crate::event::time::Timestamp;
use crate::event::{Event, agent};

/// The files that the analyst named.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// the directory export
    pub directory: Option<PathBuf>,
    /// databases of places and operators
    pub geo: Vec<PathBuf>,
    /// lists of indicators
    pub intel: Vec<PathBuf>,
    /// the organization's own networks
    pub known: Vec<PathBuf>,
}

/// All that is known from elsewhere.
#[derive(Debug, Default)]
pub struct Enrichment {
    /// people, devices, groups
    pub directory: Option<Directory>,
    /// places and operators of addresses
    pub geo: Option<Geo>,
    /// indicators
    pub intel: Option<Intel>,
    /// the organization's own networks
    pub known: Option<Known>,
    /// an indicator was met that ends some day
    has_met_ending: AtomicBool,
}

impl Enrichment {
    /// Reads all files. Indicators that ended before `now` are left out.
    pub fn load(paths: &Paths, now: Timestamp) -> Result<Enrichment, Error> {
        fn some(list: &[PathBuf]) -> Option<&[PathBuf]> {
            (!list.is_empty()).then_some(list)
        }
        Ok(Enrichment {
            directory: paths.directory.as_deref().map(Directory::load).transpose()?,
            geo: some(&paths.geo).map(Geo::load).transpose()?,
            intel: some(&paths.intel).map(|list| Intel::load(list, now)).transpose()?,
            known: some(&paths.known).map(Known::load).transpose()?,
            has_met_ending: AtomicBool::new(false),
        })
    }

    /// Whether there is anything to look events up in.
    pub fn looks_up(&self) -> bool {
        self.geo.is_some() || self.intel.is_some() || self.known.is_some()
    }

    /// Whether an indicator was met that ends some day, so that it matters when now is.
    pub fn has_met_ending(&self) -> bool {
        self.has_met_ending.load(Ordering::Relaxed)
    }

    /// Where everything came from, and whether any of it was met until now.
    pub fn provenance(&self) -> Vec<Provenance> {
        let marked = |all: &[Provenance], met: &Met| -> Vec<Provenance> {
            let of = |(at, p): (usize, &Provenance)| Provenance { is_met: Some(met.is(at)), ..p.clone() };
            all.iter().enumerate().map(of).collect()
        };
        let mut all = self.directory.as_ref().map(|d| d.provenance.clone()).unwrap_or_default();
        all.extend(self.geo.iter().flat_map(|geo| marked(&geo.provenance, &geo.met)));
        all.extend(self.intel.iter().flat_map(|intel| marked(&intel.provenance, &intel.met)));
        all.extend(self.known.iter().flat_map(|known| marked(&known.provenance, &known.met)));
        all
    }

    /// What is known of an event.
    pub fn outside(&self, event: &Event<'_>) -> Outside {
        let ip = event.source_ip();
        let place = ip.and_then(|ip| self.geo.as_ref()?.place(ip));
        let known = ip.and_then(|ip| self.known.as_ref()?.label(ip).map(str::to_owned));
        let agents = agent::spellings(event.json);
        let of_agents = agents.iter().flat_map(|agent| self.listed_agent(agent));
        let addresses: BTreeSet<IpAddr> = event.addresses().collect();
        let of_addresses = addresses.iter().flat_map(|ip| self.listed_address(*ip));
        let of_actor = self.listed_person(event.actor.email, event.actor.name).into_iter();
        let all = of_actor.chain(of_addresses).chain(of_agents);
        let mut listed: Vec<String> = all.map(|listed| listed.indicator.to_owned()).collect();
        listed.sort();
        listed.dedup();
        let Some(place) = place else { return Outside { known, listed, ..Outside::default() } };
        Outside {
            country: place.country,
            place: place.latitude.zip(place.longitude),
            radius: place.accuracy_km,
            asn: place.asn.map(|asn| format!("AS{asn}")).or(place.as_name),
            anonymous: place.anonymous.or_else(|| place.hosting.filter(|is| *is).map(|_| "hosting")),
            known,
            listed,
        }
    }

    /// The indicators that an address is.
    pub fn listed_address(&self, ip: IpAddr) -> Vec<Listed<'_>> {
        self.met(self.intel.as_ref().map(|intel| intel.address(ip)).unwrap_or_default())
    }

    /// The indicators that either of these is. A user name may be an e-mail address, and a list may call it either.
    pub fn listed_person(&self, email: Option<&str>, user: Option<&str>) -> Vec<Listed<'_>> {
        let Some(intel) = &self.intel else { return vec![] };
        let mut found = Vec::new();
        for name in email.into_iter().chain(user.filter(|user| Some(*user) != email)) {
            found.extend(intel.email(name));
            found.extend(intel.user(name));
        }
        self.met(found)
    }

    /// The indicators that are written like this.
    pub fn written(&self, indicator: &str) -> Vec<Listed<'_>> {
        self.intel.as_ref().map(|intel| intel.written(indicator)).unwrap_or_default()
    }

    /// The indicators that a user agent is.
    pub fn listed_agent(&self, agent: &str) -> Vec<Listed<'_>> {
        self.met(self.intel.as_ref().map(|intel| intel.user_agent(agent)).unwrap_or_default())
    }

    fn met<'l>(&self, found: Vec<Listed<'l>>) -> Vec<Listed<'l>> {
        if found.iter().any(|listed| listed.valid_until.is_some()) {
            self.has_met_ending.store(true, Ordering::Relaxed);
        }
        found
    }
}
