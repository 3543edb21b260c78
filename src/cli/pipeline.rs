//! Pipeline: the stages in their order: sources → events → signals.

use std::time::{Duration, Instant};

use crate::detect::extent::Extent;
use crate::detect::partition::Partition;
use crate::detect::reader::Reader;
use crate::detect::store::Store;
use crate::detect::{Detected, detect};
use crate::enrich::enrichment::Enrichment;
use crate::event::Event;
use crate::event::field::Norm;
use crate::event::identity::Links;
use crate::event::outside::LookUp;
use crate::input::known::Known;
use crate::input::source::Source;
use crate::input::{Options, Reading, read};
use crate::rule::set::RuleSet;

/// What is read and how.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// what is reported on
    pub sources: &'a [Source],
    /// what only teaches
    pub history: &'a [Source],
    /// the organizations whose events are read; all, if none is named
    pub organizations: &'a [String],
    /// what is known from elsewhere
    pub enrichment: Option<&'a Enrichment>,
    /// how records are read
    pub options: Options,
    /// the stretches of time worked on in parallel
    pub partition: Partition,
}

/// What came out of all stages below triage.
pub struct Analysis {
    /// the account of the input
    pub reading: Reading,
    /// the account of what only teaches
    pub history: Reading,
    /// the kept events
    pub store: Store,
    /// who is who
    pub links: Links,
    /// the signals
    pub detected: Detected,
    /// bytes held to know an event again, for each event
    pub bytes_per_event: f64,
    /// how long reading took
    pub read_in: Duration,
    /// how long ordering the events and linking identities took
    pub linked_in: Duration,
    /// how long detection took
    pub detected_in: Duration,
}

impl Analysis {
    /// The records that were skipped, of what only teaches, too.
    pub fn skipped_count(&self) -> u64 {
        self.reading.coverage.skipped_count() + self.history.coverage.skipped_count()
    }

    /// Whether there is what a rule says it needs beside the events.
    pub fn has(&self, need: &str, enrichment: &Enrichment) -> bool {
        let profiles = self.store.profiles();
        match need {
            "intel" => enrichment.intel.is_some(),
            "asn" => (0..profiles.len()).any(|profile| profiles.text(profile, Norm::SourceAsn).is_some()),
            // A list, which would not be lacking if it held something.
            _ => false,
        }
    }
}

/// Reads sources and detects. A record both in the input and in the history counts as input.
pub fn analyse(set: &RuleSet, job: Job<'_>, passed: &(dyn Fn(u64) + Sync)) -> Analysis {
    let enrichment = job.enrichment.filter(|enrichment| enrichment.looks_up());
    let look_up = |event: &Event<'_>| enrichment.map(|e| e.outside(event)).unwrap_or_default();
    let look_up = enrichment.is_some().then_some(&look_up as &LookUp<'_>);
    let start = Instant::now();
    let mut store = Store::new(set).of(job.organizations);
    let mut known = Known::default();
    let mut read_all = |sources, store: &mut Store| {
        read(sources, job.options, &set.plan, &mut known, &|| Reader::new(set, look_up), store, passed)
    };
    let mut reading = read_all(job.sources, &mut store);
    store.begin_history(job.sources.len());
    let mut history = read_all(job.history, &mut store);
    reading.coverage.learn(&history.coverage);
    let bytes_per_event = known.bytes_per_event();
    drop(known);
    let read_in = start.elapsed();
    let start = Instant::now();
    let mut links = std::mem::take(&mut reading.links);
    links.merge(std::mem::take(&mut history.links));
    store.close(&links);
    let linked_in = start.elapsed();
    let start = Instant::now();
    let extent = Extent { scanned: &reading.coverage.reach, history: Some(&history.coverage.reach) };
    let detected = detect(set, &store, extent, job.partition);
    Analysis {
        reading,
        history,
        store,
        links,
        detected,
        bytes_per_event,
        read_in,
        linked_in,
        detected_in: start.elapsed(),
    }
}
