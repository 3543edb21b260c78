//! Suppression: a decision that some findings need nobody, with a reason and an end.

use std::net::IpAddr;

use ipnet::IpNet;

use super::finding::{Finding, Findings};
use super::status::{Status, SuppressedBy};
use super::sum;
use crate::event::networks;
use crate::event::time::{DAY, Timestamp};
use crate::rule::pattern::{Glob, Side};
use crate::rule::set::RuleSet;

/// What of a finding an entry may look at.
pub const FIELDS: &[&str] =
    &["organization", "entity", "actor", "target", "source", "country", "gateway", "device", "app", "agent", "group"];

/// An entry of `suppress:`.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// file and line; a report does not depend on where the file lies
    pub place: String,
    /// the same with the path of the file, for messages
    pub path: String,
    /// the rule
    pub rule: String,
    /// what all has to fit
    pub conditions: Vec<Condition>,
    /// why
    pub reason: String,
    /// who stands for it
    pub owner: Option<String>,
    /// the last day on which it works, as written
    pub expires: String,
    /// the midnight at which that day begins
    pub last_day: Timestamp,
}

/// A field of a finding and the values that fit.
#[derive(Clone, Debug)]
pub struct Condition {
    field: &'static str,
    wanted: Vec<Wanted>,
}

#[derive(Clone, Debug)]
enum Wanted {
    Text(Glob),
    Network(IpNet),
}

impl Condition {
    /// A field of [`FIELDS`] and its values: texts with `*` and `?`, of `source` and `gateway` also networks; names of agents
    /// are alike if their letters are, as in rules. `None` if there is no such field.
    pub fn new(field: &str, values: &[String]) -> Option<Condition> {
        let field = FIELDS.iter().find(|known| **known == field)?;
        let wanted = |value: &String| match networks::network(value) {
            Some(network) if ["source", "gateway"].contains(field) => Wanted::Network(network),
            // What is about an address of IPv6 is about its link.
            Some(network) if *field == "entity" && network.prefix_len() == network.max_prefix_len() => {
                Wanted::Network(network)
            }
            _ if *field == "agent" => Wanted::Text(Glob::parse(value, Side::Whole, false).letters_only()),
            _ => Wanted::Text(Glob::parse(value, Side::Whole, false)),
        };
        Some(Condition { field, wanted: values.iter().map(wanted).collect() })
    }

    fn fits(&self, value: &str) -> bool {
        self.wanted.iter().any(|wanted| match wanted {
            Wanted::Text(glob) => glob.matches(value),
            Wanted::Network(network) => match (value.parse::<IpAddr>(), value.parse::<IpNet>()) {
                (Ok(ip), _) => network.contains(&ip),
                (_, Ok(link)) => network.contains(&link) || link.contains(network),
                _ => false,
            },
        })
    }

    /// Whether all that had this part in a finding fits; a finding that also has a stranger in it does not.
    fn holds(&self, finding: &Finding) -> bool {
        let all = |role: &str, kind: &dyn Fn(&str) -> bool| {
            let mut own = finding.parts.iter().filter(|part| part.role == role && kind(&part.kind)).peekable();
            own.peek().is_some() && own.all(|part| self.fits(&part.value))
        };
        match self.field {
            "organization" => self.fits(&finding.organization),
            "entity" => self.fits(&finding.entity.id) || self.fits(&finding.entity.name),
            "source" => all("source", &|kind| kind == "ip"),
            "country" => all("source", &|kind| kind == "country"),
            role => all(role, &|_| true),
        }
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// its last day is over
    Expired,
    /// it put this many findings away, and so many that it covers somebody answered *no* or *not sure* to
    Put {
        /// put away
        findings: usize,
        /// left to be looked at
        overruled: usize,
    },
}

impl Suppression {
    fn is_expired(&self, now: Timestamp) -> bool {
        now.0 >= self.last_day.0.saturating_add(DAY)
    }
}

/// Puts away the findings that an entry covers; what became of each entry. The first that covers a finding is
/// named in it. Entries were written before anything was asked, so an answer that brings a finding to triage counts
/// more. What `risk` adds up is put away where too little of it is left. `now` is `--now`, else the newest event; where
/// there is neither, nothing has ended.
pub fn apply(
    entries: &[Suppression],
    now: Option<Timestamp>,
    all: &Findings<'_>,
    findings: &mut [Finding],
) -> Vec<Use> {
    let unused = Use::Put { findings: 0, overruled: 0 };
    let has_ended = |entry: &Suppression| now.is_some_and(|now| entry.is_expired(now));
    let mut uses: Vec<Use> = entries.iter().map(|entry| if has_ended(entry) { Use::Expired } else { unused }).collect();
    let mut of_history = if entries.is_empty() { vec![] } else { sum::parts_in_history(all, findings) };
    put_away(entries, &mut uses.clone(), all.set, &mut of_history);
    put_away(entries, &mut uses, all.set, findings);
    sum::settle(all, findings, &of_history);
    uses
}

fn put_away(entries: &[Suppression], uses: &mut [Use], set: &RuleSet, findings: &mut [Finding]) {
    for finding in findings {
        let rule = &set.rules[finding.rule].name;
        for (entry, used) in entries.iter().zip(&mut *uses) {
            let Use::Put { findings: count, overruled } = used else { continue };
            if entry.rule != *rule || !entry.conditions.iter().all(|condition| condition.holds(finding)) {
                continue;
            }
            if finding.is_raised() {
                *overruled += 1;
                continue;
            }
            *count += 1;
            if finding.suppressed_by.is_none() {
                finding.status = Status::Suppressed;
                finding.suppressed_by = Some(SuppressedBy::Entry {
                    place: entry.place.clone(),
                    reason: entry.reason.clone(),
                    owner: entry.owner.clone(),
                    expires: entry.expires.clone(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_without_case_with_wildcards_and_networks() {
        let fits =
            |field: &str, wanted: &str, value: &str| Condition::new(field, &[wanted.to_owned()]).unwrap().fits(value);
        assert!(fits("entity", "Svc-*", "svc-nas"));
        assert!(!fits("entity", "svc", "svc-nas"));
        assert!(fits("source", "203.0.113.0/24", "203.0.113.9"));
        assert!(fits("gateway", "203.0.113.0/24", "203.0.113.9"));
        assert!(fits("source", "203.0.113.9", "203.0.113.9"));
        assert!(!fits("source", "203.0.113.0/24", "198.51.100.1"));
        assert!(!fits("entity", "203.0.113.0/24", "203.0.113.9"));
        assert!(fits("agent", "python-requests", "Python Requests") && fits("agent", "Python*", "python-requests"));
        assert!(!fits("agent", "python", "Python Requests") && !fits("app", "python-requests", "Python Requests"));
        assert!(Condition::new("sauce", &[]).is_none());
    }
}
