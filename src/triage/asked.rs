//! Asked: the finding or the case that an investigation is about, and its evidence, which is shown whoever did it.

use std::collections::{BTreeSet, HashSet};

use super::case::Case;
use super::finding::Finding;
use crate::event::origin::Origin;
use crate::event::time::Timestamp;

/// What was asked for by its id.
#[derive(Clone, Debug)]
pub enum Asked {
    /// a finding
    Finding(Box<Finding>),
    /// a case
    Case {
        /// what it is
        case: Box<Case>,
        /// its findings
        findings: Vec<Finding>,
    },
}

impl Asked {
    /// The findings that it is made of.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Asked::Finding(finding) => std::slice::from_ref(finding),
            Asked::Case { findings, .. } => findings,
        }
    }

    /// The id of the finding, if it is one.
    pub fn finding_id(&self) -> Option<&str> {
        match self {
            Asked::Finding(finding) => Some(&finding.id),
            Asked::Case { .. } => None,
        }
    }

    /// The id of the case, if it is one.
    pub fn case_id(&self) -> Option<&str> {
        match self {
            Asked::Finding(_) => None,
            Asked::Case { case, .. } => Some(&case.id),
        }
    }

    /// Its first and its last event.
    pub fn window(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let findings = || self.findings().iter();
        (findings().map(|finding| finding.first_seen).min(), findings().map(|finding| finding.last_seen).max())
    }
}

/// The events that some findings cite.
#[derive(Clone, Debug, Default)]
pub struct Cited {
    types: BTreeSet<String>,
    times: HashSet<Timestamp>,
    /// where their records stand
    pub origins: BTreeSet<Origin>,
}

impl Cited {
    /// The evidence of these findings.
    pub fn of(findings: &[Finding]) -> Cited {
        let mut out = Cited::default();
        for evidence in findings.iter().flat_map(|finding| &finding.evidence) {
            out.types.insert(evidence.event_type.clone());
            out.times.insert(evidence.time);
            out.origins.insert(evidence.origin);
        }
        out
    }

    /// Whether an event of this type may be one of them.
    pub fn may_be(&self, event_type: &str) -> bool {
        self.types.contains(event_type)
    }

    /// Whether one of them is of this time.
    pub fn is_of(&self, time: Timestamp) -> bool {
        self.times.contains(&time)
    }
}
