//! Record: one event as its record says it, found by its id when the sources are read again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::detect::store::Store;
use crate::event::Event;
use crate::event::facet;
use crate::event::field::{Field, Fields, Norm, Value, Values};
use crate::event::identity::Links;
use crate::event::occurrence::{Likeness, Occurrence, Sink, Understand};
use crate::event::origin::{Origin, Stamp};
use crate::event::outside::Enriched;
use crate::event::party::Party;
use crate::rule::expr::Searchable;

/// A record that was found.
#[derive(Clone, Debug)]
pub struct Record {
    /// where it stands
    pub origin: Origin,
    /// the event, unwrapped, as JSON
    pub text: Arc<str>,
    /// hash of its body
    body: u64,
}

/// Looks for the events of one id.
pub struct Finder<'f> {
    id: &'f str,
    needed: Arc<[usize]>,
}

impl<'f> Finder<'f> {
    /// A finder of this id.
    pub fn new(id: &'f str) -> Finder<'f> {
        Finder { id, needed: (0..facet::FIXED).collect() }
    }
}

impl Understand for Finder<'_> {
    type Facet = ();
    type Verdict = Arc<str>;

    fn facet(&mut self, _: usize, _: &Event<'_>) -> ((), u32) {
        ((), 0)
    }

    fn needed(&mut self, _: &str) -> Arc<[usize]> {
        Arc::clone(&self.needed)
    }

    fn needs_whole(&self, _: &str) -> bool {
        true
    }

    fn verdict(&mut self, _: &str, _: &[u32], whole: Option<&Event<'_>>) -> Option<Arc<str>> {
        let event = whole.filter(|event| event.id() == Some(self.id))?;
        Some(event.json.to_string().into())
    }
}

/// The records that were found.
#[derive(Debug, Default)]
pub struct Found {
    /// in the order of the input; more than one only where different events have one id
    pub records: Vec<Record>,
    /// the same events as another exporter wrote them
    equals: Vec<Record>,
    texts: Vec<Arc<str>>,
    facets: u32,
    /// sources that were read before
    before: u32,
}

impl Found {
    /// What is found from here on stands in history, whose sources are counted on behind so many that were read.
    pub fn begin_history(&mut self, sources: usize) {
        self.before = u32::try_from(sources).unwrap_or(u32::MAX);
    }

    /// Of the records of the first event the one that is kept, since rules have looked at that; the first if none is.
    pub fn first(&self, store: &Store) -> Option<&Record> {
        let first = self.records.first()?;
        let mut others = self.equals.iter().filter(|equal| equal.body == first.body).peekable();
        if others.peek().is_none() {
            return Some(first);
        }
        let by_origin: HashMap<Origin, &Record> = others.map(|record| (record.origin, record)).collect();
        Some((0..store.len()).find_map(|event| by_origin.get(&store.origin(event)).copied()).unwrap_or(first))
    }

    fn record(&self, event: &Occurrence<'_>) -> Option<Record> {
        let text = Arc::clone(self.texts.get(event.likeness as usize)?);
        let Stamp { origin, body } = event.stamp;
        Some(Record { origin: Origin { source: origin.source.saturating_add(self.before), ..origin }, text, body })
    }
}

impl Sink<Finder<'_>> for Found {
    fn facet(&mut self, (): &()) -> u32 {
        self.facets += 1;
        self.facets - 1
    }

    fn likeness(&mut self, likeness: &Likeness<'_, Arc<str>>) -> u32 {
        self.texts.push(Arc::clone(likeness.verdict));
        u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX)
    }

    fn event(&mut self, event: &Occurrence<'_>) {
        self.records.extend(self.record(event));
    }

    fn again(&mut self, event: &Occurrence<'_>) {
        self.equals.extend(self.record(event));
    }
}

/// An event with what is known once everything is read: who is who.
#[derive(Debug)]
pub struct Linked<'e> {
    /// the event, and what is known of it from elsewhere
    pub enriched: Enriched<'e>,
    /// who is who
    pub links: &'e Links,
}

impl Linked<'_> {
    fn key(&self, party: &Party<'_>) -> Option<String> {
        let organization = self.enriched.event.organization();
        self.links.key_of(organization, party)
    }
}

impl Fields for Linked<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        let event = self.enriched.event;
        let key = match field {
            Field::Norm(Norm::ActorKey) => self.key(&event.actor),
            Field::Norm(Norm::TargetKey) => self.key(&event.target),
            other => return self.enriched.values(other),
        };
        key.map(|key| Value::Text(key.into())).into_iter().collect()
    }
}

impl Searchable for Linked<'_> {
    fn any_text(&self, matches: &dyn Fn(&str) -> bool) -> bool {
        self.enriched.event.any_text(matches)
    }
}
