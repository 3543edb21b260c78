//! Intel: lists of what others warn of, and whether something in an event is on one of them.
//!
//! Lists are plain, CSV, STIX 2.1 or MISP; which, their content tells. An address is looked up among sorted
//! networks, a name in a hash map without case; a domain is also looked for under each of its parents.

mod builder;
pub mod indicator;
mod list;
mod misp;
mod stix;
mod table;

use std::net::IpAddr;
use std::path::Path;

use smallvec::SmallVec;

use super::csv::Rows;
use super::file::{self, Named};
use super::met::Met;
use super::ranges::Ranges;
use super::{At, Error, Provenance, Skipped, json};
use crate::event::json::Json;
use crate::event::letters;
use crate::event::networks::networks;
use crate::event::time::Timestamp;
use builder::{Builder, Entry, Names, slot};
use indicator::{Kind, agent_key, domain};

const ENDINGS: &[&str] = &[".txt", ".csv", ".json", ".jsonl", ".netset", ".ipset", ".list", ".stix"];

/// How many entries for one thing are looked at in each list.
const HEARD: usize = 200;

/// Something that is on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'i> {
    /// the file that lists it
    pub file: &'i str,
    /// the indicator as it is written there
    pub indicator: &'i str,
    /// what kind of indicator it is
    pub kind: Kind,
    /// what the list says it is
    pub description: Option<&'i str>,
    /// until when the list says so
    pub valid_until: Option<Timestamp>,
}

/// Indicators of all lists, for looking up.
#[derive(Debug, Default)]
pub struct Intel {
    /// the files they were read from
    pub provenance: Vec<Provenance>,
    /// those in which something was found
    pub met: Met,
    entries: Vec<Entry>,
    addresses: Ranges,
    names: [Names; 4],
}

impl Intel {
    /// Reads lists, and all lists in folders. What ends at `now` or before is left out. A named file in which
    /// nothing can be used is an error, and so is such a folder.
    pub fn load(paths: &[impl AsRef<Path>], now: Timestamp) -> Result<Intel, Error> {
        let mut builder = Builder::new(now);
        let mut provenance: Vec<Provenance> = Vec::new();
        for path in paths {
            let (files, entries) = (provenance.len(), builder.entries.len());
            for file in file::find(path.as_ref(), ENDINGS)? {
                let (text, mut read) = file::read(&file)?;
                builder.file = u32::try_from(provenance.len()).unwrap_or(u32::MAX);
                let before = builder.entries.len();
                add(&file, &text, &mut builder)?;
                read.entries = (builder.entries.len() - before) as u64;
                read.skipped = std::mem::take(&mut builder.skipped);
                provenance.push(read);
            }
            if builder.entries.len() == entries {
                let none = Skipped::default();
                let skipped = provenance[files..].iter().map(|p| &p.skipped).find(|s| s.count() > 0).unwrap_or(&none);
                let wanted = "address, domain, e-mail address, user agent or user";
                return Err(Error::nothing(&path.as_ref().display().to_string(), wanted, skipped));
            }
        }
        let Builder { entries, addresses, names, .. } = builder;
        Ok(Intel { met: Met::new(provenance.len()), provenance, entries, addresses: addresses.sorted(), names })
    }

    /// What lists this address, the narrowest network first.
    pub fn address(&self, ip: IpAddr) -> Vec<Listed<'_>> {
        self.listed(self.addresses.holding(ip))
    }

    /// What lists this domain or one above it, the longest first.
    pub fn domain(&self, name: &str) -> Vec<Listed<'_>> {
        let Some(name) = domain(name) else { return Vec::new() };
        let parents = std::iter::successors(Some(&*name), |name| name.split_once('.').map(|(_, parent)| parent));
        self.listed(parents.filter_map(|name| self.names[slot(Kind::Domain)].get(name)).map(SmallVec::as_slice))
    }

    /// What lists this e-mail address, its domain, or a domain above that.
    pub fn email(&self, address: &str) -> Vec<Listed<'_>> {
        let mut all = self.name(Kind::Email, address);
        all.extend(address.rsplit_once('@').map(|(_, host)| self.domain(host)).unwrap_or_default());
        all
    }

    /// What lists this user agent; one that is listed without a version is so in each.
    pub fn user_agent(&self, agent: &str) -> Vec<Listed<'_>> {
        let is_one_word = !agent.trim().contains(char::is_whitespace);
        let bare = agent.split_once('/').map(|(name, _)| name).filter(|_| is_one_word);
        let keys = [Some(agent), bare].into_iter().flatten().map(agent_key);
        self.listed(keys.filter_map(|key| self.names[slot(Kind::UserAgent)].get(&*key)).map(SmallVec::as_slice))
    }

    /// What lists this user name.
    pub fn user(&self, name: &str) -> Vec<Listed<'_>> {
        self.name(Kind::User, name)
    }

    /// What is written in a list like this.
    pub fn written(&self, indicator: &str) -> Vec<Listed<'_>> {
        let mut found = match networks(indicator).first() {
            Some(network) => self.address(network.network()),
            None => self.email(indicator),
        };
        found.extend(self.domain(indicator).into_iter().chain(self.user(indicator)).chain(self.user_agent(indicator)));
        found.retain(|listed| listed.indicator == indicator);
        found
    }

    fn name(&self, kind: Kind, name: &str) -> Vec<Listed<'_>> {
        self.listed(self.names[slot(kind)].get(&*letters::lower(name.trim())).into_iter().map(SmallVec::as_slice))
    }

    /// Entries by their places, which are in order in each of these. What a file says twice counts once. A list that says
    /// one thing a million times is not heard out, and keeps no other list from being heard.
    fn listed<'i>(&'i self, all: impl Iterator<Item = &'i [u32]>) -> Vec<Listed<'i>> {
        let mut out: Vec<Listed<'i>> = Vec::new();
        let file_of = |place: u32| self.entries.get(place as usize).map(|entry| entry.file);
        for mut places in all {
            while let Some(file) = places.first().map(|first| file_of(*first)) {
                let own = places.partition_point(|place| file_of(*place) <= file);
                let (own, others) = places.split_at(own.max(1));
                places = others;
                self.hear(own, &mut out);
            }
        }
        out
    }

    /// Entries of one file.
    fn hear<'i>(&'i self, places: &[u32], out: &mut Vec<Listed<'i>>) {
        let Some(first) = places.first().and_then(|place| self.entries.get(*place as usize)) else { return };
        let at = first.file as usize;
        self.met.mark(at);
        let file = self.provenance.get(at).map_or("", |read| read.file.as_str());
        let heard = out.iter().filter(|listed| listed.file == file).count();
        let places = places.iter().take(HEARD.saturating_sub(heard));
        for entry in places.filter_map(|place| self.entries.get(*place as usize)) {
            let detail = entry.detail.as_deref();
            let listed = Listed {
                file,
                indicator: &entry.text,
                kind: entry.kind,
                description: detail.and_then(|d| d.description.as_deref()),
                valid_until: detail.and_then(|d| d.valid_until),
            };
            if !out.contains(&listed) {
                out.push(listed);
            }
        }
    }
}

fn add(file: &Named, text: &str, builder: &mut Builder) -> Result<(), Error> {
    if json::is_json(text) {
        let mut number = 0;
        let mut skipped = Skipped::default();
        for (line, value) in json::values(&file.name, text, &mut skipped)? {
            let mut next = || {
                number += 1;
                line.map_or(At::Object(number), At::Line)
            };
            dispatch(&value, &mut next, builder);
        }
        builder.skipped.reasons.extend(skipped.reasons);
    } else if let Some(rows) = Rows::find(text, table::is_indicator) {
        table::read(&rows, builder);
    } else {
        list::read(text, builder);
    }
    Ok(())
}

fn dispatch(json: &Json<'_>, next: &mut impl FnMut() -> At, builder: &mut Builder) {
    if let Json::Array(items) = json {
        return items.iter().for_each(|item| dispatch(item, next, builder));
    }
    if misp::is_event(json) {
        return misp::event(json, next, builder);
    }
    let list = ["objects", "results", "data", "indicators"].iter().find_map(|key| json.get(key));
    match (json, list) {
        (Json::Text(text), _) => builder.offer(text, None, None, next()),
        _ if json::is_event(json) => builder.skipped.add(json::EVENT, next()),
        (_, Some(Json::Array(items))) => items.iter().for_each(|item| dispatch(item, next, builder)),
        _ if table::is_by_id(json) => {
            json.members().iter().for_each(|(_, items)| dispatch(items, next, builder));
        }
        _ if stix::is_object(json) => stix::object(json, next(), builder),
        _ => table::object(json, next(), builder),
    }
}

#[cfg(test)]
mod tests;
