//! The parts of a scan, each alone: framing, parse, normalise, match, correlate.
//!
//! All of them work on the same export, and every rate is of the bytes and events of that, so the parts can be held against each
//! other. They are not steps of one sum: `match` frames and parses too, and remembers what it has met, while `parse` and
//! `normalise` are what a record costs that is like no other.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use jcdetect::detect::detect;
use jcdetect::detect::extent::Extent;
use jcdetect::detect::partition::Partition;
use jcdetect::detect::reader::Reader;
use jcdetect::detect::store::Store;
use jcdetect::event::Event;
use jcdetect::event::field::Norm;
use jcdetect::event::json::Json;
use jcdetect::input::framing::Framer;
use jcdetect::input::known::Known;
use jcdetect::input::source::Source;
use jcdetect::input::{Options, Reading, read};
use jcdetect::rule::pack::PACK;
use jcdetect::rule::set::RuleSet;
use world::World;

#[path = "../world/mod.rs"]
mod world;

/// Monday, 2024-01-01, 00:00 UTC.
const START: i64 = 1_704_067_200;

/// As `--record-limit` has it if nothing is said.
const OPTIONS: Options = Options { record_limit: 16 << 20 };

type Group<'c> = BenchmarkGroup<'c, WallTime>;

fn main() {
    let export = Export::new();
    let set = RuleSet::load(PACK.iter().copied());
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::ElementsAndBytes { elements: export.events, bytes: export.text.len() as u64 });
    framing(&mut group, &export);
    parse(&mut group, &export);
    normalise(&mut group, &export);
    // Tens of milliseconds each: fewer samples say as much.
    group.sample_size(30);
    matching(&mut group, &export, &set);
    correlate(&mut group, &export, &set);
    group.finish();
    criterion.final_summary();
}

/// What a company of 120 leaves behind in two days, one event a line. `match` meets in it much that is new, as it does in an
/// export of many people; a longer one of fewer people repeats itself, and is read up to twice as fast.
struct Export {
    text: String,
    events: u64,
}

impl Export {
    fn new() -> Export {
        let organization = "5dc058bc3f53f95e3972f03f".to_owned();
        let world = World { seed: 1, people: 120, days: 2, start: START, organization };
        let mut bytes = Vec::new();
        let events = world.write(&mut bytes).expect("memory takes all that is written");
        Export { text: String::from_utf8(bytes).expect("JSON is UTF-8"), events }
    }

    fn trees(&self) -> Vec<Json<'_>> {
        self.text.lines().map(|line| Json::parse(line).expect("every line is a record")).collect()
    }

    /// Reads as a scan does, on as many threads as rayon has.
    fn read(&self, source: &Source, set: &RuleSet) -> (Store, Reading) {
        let mut store = Store::new(set);
        let mut known = Known::default();
        let sources = std::slice::from_ref(source);
        let reading = read(sources, OPTIONS, &set.plan, &mut known, &|| Reader::new(set, None), &mut store, &|_| ());
        assert_eq!((reading.coverage.records, reading.coverage.events), (self.events, self.events));
        (store, reading)
    }

    fn source(&self) -> Source {
        Source::memory("export.jsonl", self.text.as_bytes())
    }
}

fn framing(group: &mut Group<'_>, export: &Export) {
    let frame = |bytes: &[u8]| {
        let mut framer = Framer::new(bytes, 0, false, OPTIONS.record_limit);
        let mut records = 0;
        while let Some(batch) = framer.next_batch().expect("memory can be read") {
            records += black_box(batch).spans.iter().filter(|span| span.fault.is_none()).count() as u64;
        }
        records
    };
    assert_eq!(frame(export.text.as_bytes()), export.events);
    group.bench_function("framing", |bencher| bencher.iter(|| frame(black_box(export.text.as_bytes()))));
}

fn parse(group: &mut Group<'_>, export: &Export) {
    assert_eq!(export.trees().len() as u64, export.events);
    let lines: Vec<&str> = export.text.lines().collect();
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                _ = black_box(Json::parse(black_box(line)));
            }
        });
    });
}

/// Every field that a rule can name, of every event: what is asked of an event by all rules together, at the most.
fn normalise(group: &mut Group<'_>, export: &Export) {
    let trees = export.trees();
    assert!(trees.iter().all(|tree| Event::new(tree).is_ok()));
    assert_eq!(trees.len() as u64, export.events);
    group.bench_function("normalise", |bencher| {
        bencher.iter(|| {
            for tree in &trees {
                let event = Event::new(black_box(tree)).expect("it was one before");
                for norm in Norm::ALL {
                    black_box(event.normalized(black_box(*norm)));
                }
            }
        });
    });
}

fn matching(group: &mut Group<'_>, export: &Export, set: &RuleSet) {
    let source = export.source();
    let (mut store, reading) = export.read(&source, set);
    store.close(&reading.links);
    assert!(!store.is_empty());
    group.bench_function("match", |bencher| {
        bencher.iter_with_large_drop(|| export.read(black_box(&source), black_box(set)));
    });
}

fn correlate(group: &mut Group<'_>, export: &Export, set: &RuleSet) {
    let (mut store, reading) = export.read(&export.source(), set);
    store.close(&reading.links);
    let extent = Extent { scanned: &reading.coverage.reach, history: None };
    let found = || detect(black_box(set), black_box(&store), extent, Partition::default());
    let detected = found();
    assert!(detected.faults.is_empty(), "{:?}", detected.faults);
    assert!(detected.signals.iter().any(|signals| !signals.is_empty()));
    eprintln!("correlate: {} of {} events are kept by a rule", store.len(), export.events);
    group.bench_function("correlate", |bencher| bencher.iter_with_large_drop(found));
}
