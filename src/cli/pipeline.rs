//! Pipeline: the stages in their order: sources → events → signals.

use crate::detect::store::{Store, matched};
use crate::detect::{Detected, detect};
use crate::event::time::Span;
use crate::input::source::Source;
use crate::input::{Options, Reading, read};
use crate::rule::set::RuleSet;

/// What came out of all stages below triage.
pub struct Analysis {
    /// the account of the input
    pub reading: Reading,
    /// the kept events
    pub store: Store,
    /// the signals
    pub detected: Detected,
}

/// Reads sources and detects.
pub fn analyse(
    sources: &[Source],
    set: &RuleSet,
    options: Options,
    partition: Span,
    passed: &(dyn Fn(u64) + Sync),
) -> Analysis {
    let mut store = Store::new(set);
    let reading = read(sources, options, &|event, stamp| matched(set, event, stamp), &mut |m| store.push(&m), passed);
    store.close(&reading.links);
    let detected = detect(set, &store, &reading.coverage.reach, partition);
    Analysis { reading, store, detected }
}
