//! Known: addresses of the organization's own, each with a label: offices, VPN gateways, scanners.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use super::csv::Rows;
use super::file::{self, Named};
use super::met::Met;
use super::ranges::{Collected, Ranges, more_on, networks};
use super::{At, Error, Provenance, Skipped, json, line};
use crate::event::json::Json;
use crate::event::letters;
use crate::event::source::address;

const ENDINGS: &[&str] = &[".txt", ".csv", ".json", ".jsonl", ".netset", ".ipset", ".list"];
const NETWORK: &[&str] = &["network", "cidr", "ip", "address", "ipaddress", "range", "prefix", "subnet"];
const LABEL: &[&str] = &["label", "name", "description", "site", "location", "comment"];

/// Reason of an entry that is no address, network or range.
pub const NO_NETWORK: &str = "neither address, network nor range";

/// The organization's own addresses, for looking up.
#[derive(Debug, Default)]
pub struct Known {
    /// the files they were read from
    pub provenance: Vec<Provenance>,
    /// those in which something was found
    pub met: Met,
    /// all of them
    pub networks: Vec<IpNet>,
    labels: Vec<Label>,
    ranges: Ranges,
}

/// What a file calls networks.
#[derive(Debug, PartialEq, Eq)]
struct Label {
    text: String,
    file: usize,
}

/// What is read until everything is there.
#[derive(Debug, Default)]
struct Builder {
    labels: Vec<Label>,
    file: usize,
    networks: Vec<IpNet>,
    collected: Collected,
    used: u64,
    skipped: Skipped,
}

impl Builder {
    fn add(&mut self, text: &str, label: &str, at: At) {
        let Some(networks) = networks(text.trim().trim_matches(['"', '\''])) else {
            return self.skipped.add(NO_NETWORK, at);
        };
        if self.labels.last().is_none_or(|last| last.text != label || last.file != self.file) {
            self.labels.push(Label { text: label.to_owned(), file: self.file });
        }
        let id = u32::try_from(self.labels.len() - 1).unwrap_or(u32::MAX);
        self.networks.extend(&networks);
        networks.into_iter().for_each(|network| self.collected.add(network, id));
        self.used += 1;
    }

    fn read(&mut self, file: &Named, text: &str) -> Result<(), Error> {
        let stem = file.stem();
        if json::is_json(text) {
            let mut skipped = Skipped::default();
            for (at, object) in json::objects(&file.name, text, &mut skipped)? {
                self.object(&object, &stem, at);
            }
            self.skipped.reasons.extend(skipped.reasons);
        } else if let Some(rows) = Rows::find(text, |column| NETWORK.contains(&column)) {
            let (network, label) = (rows.column(NETWORK), rows.column(LABEL));
            rows.each(|line, cells| {
                let cell = |column: Option<usize>| cells.and_then(|cells| cells.get(column?));
                let label = cell(label).map(str::trim).filter(|label| !label.is_empty()).unwrap_or(&stem);
                self.add(cell(network).unwrap_or_default(), label, At::Line(line));
            });
        } else {
            for (number, text) in (1..).zip(text.lines()) {
                let Some(line) = line::read(text) else { continue };
                let label = Some(line.note()).filter(|note| !note.is_empty()).unwrap_or(&stem);
                let used = self.used;
                self.add(line.entry, label, At::Line(number));
                // Behind a word that is no entry, an entry is not another one.
                let more = if self.used > used { more_on(&line) } else { 0 };
                (0..more).for_each(|_| self.skipped.add(line::ANOTHER, At::Line(number)));
            }
        }
        Ok(())
    }

    /// An IP list of JumpCloud (`name`, `ips`), an object with a network and a label, or the network itself.
    fn object(&mut self, object: &Json<'_>, stem: &str, at: At) {
        let member = |names: &[&str]| {
            object.members().iter().find(|(key, _)| names.contains(&letters::of(key).as_str())).map(|(_, v)| v)
        };
        let label = member(LABEL).and_then(Json::text).unwrap_or(stem).to_owned();
        match (object, member(&["ips", "networks", "addresses"]), member(NETWORK)) {
            (Json::Text(text), ..) => self.add(text, stem, at),
            (_, Some(Json::Array(items)), _) => {
                items.iter().for_each(|item| self.add(item.text().unwrap_or_default(), &label, at));
            }
            (_, _, Some(Json::Text(text))) => self.add(text, &label, at),
            _ => self.skipped.add(NO_NETWORK, at),
        }
    }
}

impl Known {
    /// Reads files, and all lists in folders.
    pub fn load(paths: &[impl AsRef<Path>]) -> Result<Known, Error> {
        let mut builder = Builder::default();
        let mut provenance = Vec::new();
        for path in paths {
            for file in file::find(path.as_ref(), ENDINGS)? {
                let (text, mut read) = file::read(&file)?;
                (builder.used, builder.skipped, builder.file) = (0, Skipped::default(), provenance.len());
                builder.read(&file, &text)?;
                if builder.used == 0 {
                    return Err(Error::nothing(&file.name, "address, network or range", &builder.skipped));
                }
                (read.entries, read.skipped) = (builder.used, std::mem::take(&mut builder.skipped));
                provenance.push(read);
            }
        }
        let Builder { labels, networks, collected, .. } = builder;
        Ok(Known { met: Met::new(provenance.len()), provenance, networks, labels, ranges: collected.sorted() })
    }

    /// Whether an address, or the link of one, is the organization's own.
    pub fn is_own(&self, text: &str) -> bool {
        match (address(text), text.parse::<IpNet>()) {
            (Some(ip), _) => self.label(ip).is_some(),
            (_, Ok(link)) => {
                self.label(link.network()).is_some() || self.networks.iter().any(|known| link.contains(known))
            }
            _ => false,
        }
    }

    /// The label of the narrowest network that holds an address.
    pub fn label(&self, ip: IpAddr) -> Option<&str> {
        let mut labels = self.ranges.holding(ip).flatten().filter_map(|id| self.labels.get(*id as usize));
        let narrowest = labels.next()?;
        self.met.mark(narrowest.file);
        labels.for_each(|wider| self.met.mark(wider.file));
        Some(&narrowest.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Result<Known, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offices.txt");
        std::fs::write(&path, text).unwrap();
        Known::load(&[path]).map_err(|e| e.to_string())
    }

    fn label(known: &Known, ip: &str) -> String {
        known.label(ip.parse().unwrap()).unwrap_or("-").to_owned()
    }

    #[test]
    fn lists_of_every_kind() {
        for text in [
            "203.0.113.0/24 # Oslo\r\n198.51.100.1-198.51.100.9,VPN\n# note\n",
            "\"203.0.113.0/24\"\tOslo\n198.51.100.1 - 198.51.100.9 VPN\n",
            "203.0.113.0 255.255.255.0 Oslo\n198.51.100.1-198.51.100.9;VPN\n",
            "Network,Label\n203.0.113.0/24,Oslo\n198.51.100.1 - 198.51.100.9,VPN\n",
            r#"[{"id":"1","name":"Oslo","ips":["203.0.113.0/24"]},{"Name":"VPN","Ips":["198.51.100.1-198.51.100.9"]}]"#,
        ] {
            let known = known(text).unwrap();
            assert_eq!(label(&known, "203.0.113.77"), "Oslo", "{text}");
            assert_eq!(label(&known, "198.51.100.9"), "VPN", "{text}");
            assert_eq!(label(&known, "198.51.100.10"), "-", "{text}");
        }
        assert_eq!(label(&known("203.0.113.1\n").unwrap(), "203.0.113.1"), "offices");
    }

    #[test]
    fn the_narrowest_label_wins() {
        let known = known("ip,label\n203.0.113.0/24,Oslo\n203.0.113.7,Scanner\n2001:db8::/32,Six\n").unwrap();
        assert_eq!(label(&known, "203.0.113.7"), "Scanner");
        assert_eq!(label(&known, "2001:db8::9"), "Six");
    }

    #[test]
    fn what_is_none_is_counted_or_an_error() {
        let known_one = known("203.0.113.1\nour office\n").unwrap();
        assert_eq!(known_one.provenance[0].skipped.to_string(), format!("1 of {NO_NETWORK:?}, first at line 2"));
        assert_eq!(known_one.provenance[0].entries, 1);
        for text in ["our office", "# nothing", "[]", r#"[{"name":"x","ips":[1,null]}]"#, "{\"ips\":", "ip,label\n"] {
            assert!(known(text).is_err(), "{text}");
        }
    }
}
