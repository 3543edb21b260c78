//! Citation: what a row of a timeline tells of a finding that an event is evidence of.

use super::finding::Finding;
use super::status::Disposition;
use crate::rule::Severity;
use crate::rule::set::RuleSet;

/// A finding, as events that are its evidence cite it.
#[derive(Clone, Debug)]
pub struct Citation {
    /// its id
    pub finding: String,
    /// the id of its case
    pub case: Option<String>,
    /// the name of its rule
    pub rule: String,
    /// how bad
    pub severity: Severity,
    /// the queue it goes to
    pub disposition: Disposition,
}

/// Which findings events are evidence of.
#[derive(Debug, Default)]
pub struct Citations {
    list: Vec<Citation>,
    /// an event as a place in the store, and a finding as a place in the list, in their order
    pairs: Vec<(u32, u32)>,
}

impl Citations {
    /// Those of findings, which stay in their order.
    pub fn new<'f>(set: &RuleSet, findings: impl IntoIterator<Item = &'f Finding>) -> Citations {
        let mut out = Citations::default();
        for (place, finding) in (0..).zip(findings) {
            out.list.push(Citation {
                finding: finding.id.clone(),
                case: finding.case.clone(),
                rule: set.rules[finding.rule].name.clone(),
                severity: finding.severity,
                disposition: finding.disposition,
            });
            out.pairs.extend(finding.events.iter().map(|event| (*event, place)));
        }
        out.pairs.sort_unstable();
        out
    }

    /// Those of an event, in the order of the findings.
    pub fn of(&self, event: u32) -> impl Iterator<Item = &Citation> {
        let first = self.pairs.partition_point(|(other, _)| *other < event);
        let own = self.pairs[first..].iter().take_while(move |(other, _)| *other == event);
        own.map(|(_, place)| &self.list[*place as usize])
    }

    /// Whether any finding has this event as its evidence.
    pub fn has(&self, event: u32) -> bool {
        self.of(event).next().is_some()
    }
}
