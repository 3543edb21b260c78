//! Stats: how long a run took and how much memory, on standard error.

use std::collections::HashMap;

use super::pipeline::Analysis;
use super::write_error;
use crate::detect;
use crate::detect::signal::Signals;
use crate::input::Times;
use crate::rule::Rule;
use crate::rule::set::RuleSet;

/// Tells of a run. `bytes` are those of the sources as they lie on disk.
pub fn tell(set: &RuleSet, analysis: &Analysis, bytes: u64) {
    let coverage = &analysis.reading.coverage;
    let megabytes = bytes as f64 / 1e6;
    let seconds = analysis.read_in.as_secs_f64();
    let kept = analysis.store.len();
    let held = [analysis.store.bytes().as_slice(), &analysis.detected.bytes()].concat();
    let per_kept = held.iter().map(|(_, bytes)| bytes).sum::<usize>() as f64 / f64::from(kept.max(1));
    let signals: usize = analysis.detected.signals.iter().map(Signals::len).sum();
    let Times { cutting, understanding, merging } = analysis.reading.times;
    write_error(format_args!(
        "read     {megabytes:.1} MB on disk, {} records in {seconds:.2} s ({:.0} MB/s)",
        coverage.records,
        megabytes / seconds
    ));
    write_error(format_args!("detected {signals} signals in {:.2} s", analysis.detected_in.as_secs_f64()));
    write_error(format_args!(
        "stages   s at work: cutting {:.2}, understanding {:.2}, merging {:.2}; then linking {:.2}, detecting {:.2}",
        cutting.as_secs_f64(),
        understanding.as_secs_f64(),
        merging.as_secs_f64(),
        analysis.linked_in.as_secs_f64(),
        analysis.detected_in.as_secs_f64()
    ));
    write_error(format_args!(
        "A        {:.1} bytes an event to know it again ({} events)",
        analysis.bytes_per_event, coverage.events
    ));
    write_error(format_args!("B        {per_kept:.1} bytes an event that a rule matched ({kept} events)"));
    let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    let held: Vec<String> = held.iter().map(|(what, bytes)| format!("{what} {:.1}", mebibytes(*bytes))).collect();
    write_error(format_args!("held     MiB: {}", held.join(", ")));
    write_error(format_args!("most     signals of correlations: {}", busiest(set, analysis)));
    write_error(format_args!("ungrouped events without what joins them: {}", ungrouped(set, analysis)));
    if let Some(peak) = peak_memory() {
        write_error(format_args!("peak     {:.1} MiB", peak as f64 / f64::from(1 << 20)));
    }
}

/// The correlations that are met most often: their signals take the memory.
fn busiest(set: &RuleSet, analysis: &Analysis) -> String {
    most(set, |place| match &analysis.detected.signals[place] {
        signals @ Signals::List(_) => signals.len(),
        Signals::Matches(_) => 0,
    })
}

/// The correlations that most events are lost to, as a field is missing that they go by.
fn ungrouped(set: &RuleSet, analysis: &Analysis) -> String {
    most(set, |place| detect::ungrouped(set, &analysis.store, &analysis.detected, place))
}

/// The rules with the highest counts. A helper rule is shown behind the name of its file's main rule, as many files use
/// the same names for helpers.
fn most(set: &RuleSet, count: impl Fn(usize) -> usize) -> String {
    let reported = set.rules.iter().filter(|rule| rule.is_reported);
    let of_file: HashMap<&str, &str> = reported.map(|rule| (rule.file.as_str(), rule.name.as_str())).collect();
    let named = |rule: &Rule| match of_file.get(rule.file.as_str()) {
        Some(of_file) if !rule.is_reported => format!("{of_file}/{}", rule.name),
        _ => rule.name.clone(),
    };
    let first = (0..set.rules.len()).filter(|place| set.is_first(*place));
    let counted = first.map(|place| (count(place), named(&set.rules[place])));
    let mut counts: Vec<(usize, String)> = counted.filter(|(count, _)| *count > 0).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let told: Vec<String> = counts.iter().take(5).map(|(count, name)| format!("{name} {count}")).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// The most memory the process had, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}
