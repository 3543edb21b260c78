//! Walk: the matches of a step of a chain, or of its `unless`, the latest first, as far as they may go with the events
//! of the chain.

use std::collections::BinaryHeap;
use std::ops::Range;

use smallvec::SmallVec;

use super::alike::{Alike, AlikeByList, Latest};
use super::compared::{Compared, Link};
use super::index::Run;
use crate::event::time::Timestamp;

/// Matches that are walked before those of the same value are looked up. Where assertions are on, this and the next are
/// low, so that small worlds in tests come so far.
const NEAR: usize = if cfg!(debug_assertions) { 1 } else { 4 };
/// Matches that are walked before one of each kind is looked at.
const FAR: usize = if cfg!(debug_assertions) { 2 } else { 64 };

/// Where a walk goes.
#[derive(Clone, Copy)]
pub struct Way<'s> {
    /// the place of the step; those of `unless` are behind the steps
    pub list: usize,
    /// its matches in a group
    pub matches: &'s [u32],
    /// the same by their kind, once that was asked for
    pub alike: &'s AlikeByList,
    /// the group
    pub group: u32,
    /// the matches that are early enough
    pub reach: usize,
    /// only later matches
    pub open: Timestamp,
}

/// A walk.
pub struct Walk<'s, 'a> {
    compared: &'s Compared<'a>,
    way: Way<'s>,
    links: SmallVec<[(&'s Link<'a>, u32); 2]>,
    walked: usize,
    /// all that come are before this event
    before: u32,
    /// those that have a value in common with the chain
    run: Option<Run>,
    kinds: Option<Kinds<'s>>,
}

/// The kinds of match that may still go with the chain.
struct Kinds<'s> {
    alike: &'s Alike,
    /// the first event that is late enough
    from: u32,
    /// the latest match of each that was not looked at yet, and how many of the kind were missed
    latest: BinaryHeap<(Latest, usize)>,
    /// what is being looked at
    current: Option<(Latest, usize)>,
}

impl<'s, 'a> Walk<'s, 'a> {
    /// A walk through what may go with the events of a chain.
    pub fn new(compared: &'s Compared<'a>, way: Way<'s>, chain: &[Option<u32>]) -> Walk<'s, 'a> {
        let links = if way.reach > NEAR { compared.links(way.list, chain) } else { SmallVec::new() };
        let before = way.matches[..way.reach].last().map_or(0, |last| last + 1);
        let walked = if links.iter().any(|(link, _)| link.is_made()) { NEAR } else { 0 };
        Walk { compared, way, links, walked, before, run: None, kinds: None }
    }

    /// Nothing of the same values as the match that came last goes with the chain.
    pub fn refuse(&mut self) {
        if let Some(kinds) = &mut self.kinds {
            kinds.current = None;
        }
    }

    /// The match that came last goes with the steps behind it, but not with those before. After `most` such, nothing of
    /// the same values will.
    pub fn miss(&mut self, most: usize) {
        if let Some(Kinds { current, .. }) = &mut self.kinds {
            *current = current.map(|(latest, missed)| (latest, missed + 1)).filter(|(_, missed)| *missed < most);
        }
    }

    /// The shortest list of matches that have a value in common with the chain.
    fn shortest(&mut self) {
        for (link, event) in std::mem::take(&mut self.links) {
            let run = link.run(self.compared, event, self.way.group);
            let is_shorter = |run: &Run| self.run.as_ref().is_none_or(|known| run.len() < known.len());
            if let Some(run) = run.filter(is_shorter) {
                self.run = Some(run);
            }
            if self.run.as_ref().is_some_and(|run| run.len() <= FAR) {
                break;
            }
        }
    }

    /// The places of the matches that are left.
    fn left(&self, matches: &[u32]) -> Range<usize> {
        let end = matches.partition_point(|event| *event < self.before);
        let start = matches[..end].partition_point(|event| self.compared.store.time(*event) <= self.way.open);
        start..end
    }

    fn by_kind(&self) -> Option<Kinds<'s>> {
        let matches = self.run.as_deref().unwrap_or(self.way.matches);
        let left = self.left(matches);
        if left.len() <= FAR {
            return None;
        }
        let alike = self.way.alike.get(self.compared, self.way.list, self.way.matches);
        let from = matches[left.start];
        let latest = || alike.latest(self.before, from).map(|latest| (latest, 0)).collect();
        alike.is_shorter(left.len()).then(|| Kinds { alike, from, latest: latest(), current: None })
    }
}

impl Kinds<'_> {
    fn next(&mut self) -> Option<u32> {
        if let Some((last, missed)) = self.current.take() {
            self.latest.extend(self.alike.earlier(last, self.from).map(|earlier| (earlier, missed)));
        }
        self.current = self.latest.pop();
        self.current.map(|(latest, _)| latest.event)
    }
}

impl Iterator for Walk<'_, '_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if let Some(kinds) = &mut self.kinds {
            return kinds.next();
        }
        if self.walked == NEAR && !self.links.is_empty() {
            self.shortest();
        }
        if self.walked == FAR {
            self.kinds = self.by_kind();
        }
        self.walked += 1;
        if let Some(kinds) = &mut self.kinds {
            return kinds.next();
        }
        let matches = self.run.as_deref().unwrap_or(&self.way.matches[..self.way.reach]);
        let end = match matches.last() {
            Some(last) if *last >= self.before => matches.partition_point(|event| *event < self.before),
            _ => matches.len(),
        };
        let event = *matches[..end].last()?;
        self.before = event;
        if self.run.is_none() {
            self.way.reach = end - 1;
        }
        (self.compared.store.time(event) > self.way.open).then_some(event)
    }
}
