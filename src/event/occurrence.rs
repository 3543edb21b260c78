//! Occurrence: one event among those that are alike. What events have in common is worked out once, and
//! each of them only adds its time, its id and its place.

use std::sync::Arc;

use super::Event;
use super::origin::Stamp;
use super::time::Timestamp;

/// What a worker makes of the facets of events.
pub trait Understand {
    /// What is kept of a facet.
    type Facet: Send;
    /// What is kept of events that are alike.
    type Verdict: Send;

    /// Understands one facet. The number is the same for facets that come to the same verdicts.
    fn facet(&mut self, facet: usize, event: &Event<'_>) -> (Self::Facet, u32);
    /// The facets that are looked at in events of this type, in order: those of the normalized fields, and
    /// some of the others, which need not be understood.
    fn needed(&mut self, event_type: &str) -> Arc<[usize]>;
    /// Numbers that were given for facets are not asked for any more.
    fn forget(&mut self) {}
    /// Whether the verdict on events of this type takes the whole event and not just its facets.
    fn needs_whole(&self, event_type: &str) -> bool;
    /// What becomes of an event of this type; `facets` are the numbers of those that are needed. `None` if
    /// nothing is kept of it.
    fn verdict(&mut self, event_type: &str, facets: &[u32], whole: Option<&Event<'_>>) -> Option<Self::Verdict>;
}

/// What events that are alike have in common.
#[derive(Debug)]
pub struct Likeness<'p, V> {
    /// the organization; empty where the export left it out
    pub organization: &'p str,
    /// the service
    pub service: &'p str,
    /// the facets that are needed, by the numbers that the sink gave
    pub facets: &'p [u32],
    /// what becomes of them
    pub verdict: &'p V,
}

/// One event: what it is like, and what it has alone.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'p> {
    /// the number of its likeness
    pub likeness: u32,
    /// when it happened
    pub time: Timestamp,
    /// its id, if it has one
    pub id: Option<&'p str>,
    /// where it is, and the hash of its body
    pub stamp: Stamp,
    /// its id stood on another event before
    pub rivalry: Option<Rivalry>,
}

/// Hashes of the bodies of two events that have one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rivalry {
    /// of the first event with that id
    pub first: u64,
    /// of this one
    pub own: u64,
}

/// Whether an organization is one of those that were named; each is if none was.
pub fn is_named(named: &[String], organization: &str) -> bool {
    named.is_empty() || named.iter().any(|one| one == organization)
}

/// What becomes of events, in the order of the input.
pub trait Sink<U: Understand> {
    /// Whether events of an organization are taken. Others are counted.
    fn wants(&self, _organization: &str) -> bool {
        true
    }
    /// Takes a facet, and gives it a number.
    fn facet(&mut self, facet: &U::Facet) -> u32;
    /// Takes what events that are alike have in common, and gives it a number.
    fn likeness(&mut self, likeness: &Likeness<'_, U::Verdict>) -> u32;
    /// Takes an event.
    fn event(&mut self, event: &Occurrence<'_>);
    /// Takes another record of an event that was taken before, or of which nothing was kept then.
    fn again(&mut self, _: &Occurrence<'_>) {}
}
