//! Story: the findings of a case as sentences, in the order of time and along the tactics of ATT&CK.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::status::{Disposition, News};
use crate::event::time::{Timestamp, Zone};
use crate::rule::Severity;
use crate::rule::attack::place;
use crate::rule::set::RuleSet;

/// A step of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// when it was complete
    pub time: Timestamp,
    /// the tactic it serves; may be empty
    pub tactic: String,
    /// one sentence
    pub sentence: String,
    /// how bad the worst of it is
    pub severity: Severity,
    /// the rules that tell of it
    pub rules: Vec<String>,
    /// the ids of their findings, and then those of steps like it that are only counted
    pub finding_ids: Vec<String>,
    /// how much of it was known before
    pub news: News,
}

impl Step {
    /// The step in one line.
    pub fn line(&self, zone: Zone) -> String {
        let tactic = if self.tactic.is_empty() { String::new() } else { format!(", {}", self.tactic) };
        format!("{} {zone}{tactic}: {}", self.time.short(zone), self.sentence)
    }
}

/// The tactics that findings serve, in their order.
pub fn tactics(set: &RuleSet, findings: &[&Finding]) -> Vec<String> {
    let rules = findings.iter().map(|finding| &set.rules[finding.rule]);
    let all: BTreeSet<(usize, &str)> =
        rules.flat_map(|rule| &rule.techniques).map(|t| (place(&t.tactic), t.tactic.as_str())).collect();
    all.into_iter().map(|(_, tactic)| tactic.to_owned()).filter(|tactic| !tactic.is_empty()).collect()
}

/// The steps of findings, each with the time at which it was complete. What was complete at one instant about one
/// thing is one step: the worst says it, the others are named.
pub fn steps(set: &RuleSet, findings: &[(&Finding, Timestamp)]) -> Vec<Step> {
    let tactic = |finding: &Finding| set.rules[finding.rule].techniques.first().map_or("", |t| t.tactic.as_str());
    let mut sorted: Vec<&(&Finding, Timestamp)> = findings.iter().collect();
    sorted.sort_by(|(a, a_time), (b, b_time)| {
        let key = |finding: &Finding, time: Timestamp| {
            let is_question = finding.disposition == Disposition::Duet;
            let worst = (is_question, std::cmp::Reverse(finding.severity), place(tactic(finding)));
            (time, finding.entity.clone(), worst, set.rules[finding.rule].name.clone(), finding.id.clone())
        };
        key(a, *a_time).cmp(&key(b, *b_time))
    });
    let mut steps: Vec<(Step, usize, Vec<&str>)> = Vec::new();
    for group in sorted.chunk_by(|(a, a_time), (b, b_time)| a_time == b_time && a.entity == b.entity) {
        let (first, time) = group[0];
        let mut sentence = format!("{}{}", first.summary, first.pending());
        if first.disposition == Disposition::Duet {
            sentence += " (to be asked)";
        }
        let mut also: Vec<String> = Vec::new();
        for (finding, _) in &group[1..] {
            let title = lower_first(&finding.title) + finding.pending();
            if !also.contains(&title) {
                also.push(title);
            }
        }
        if !also.is_empty() {
            sentence += &format!("; also: {}", also.join("; "));
        }
        let rules = group.iter().map(|(finding, _)| set.rules[finding.rule].name.clone()).collect();
        let severity = group.iter().map(|(finding, _)| finding.severity).max().unwrap_or_default();
        let finding_ids = group.iter().map(|(finding, _)| finding.id.clone()).collect();
        let news = News::of(group.iter().map(|(finding, _)| finding.status));
        let step = Step { time: *time, tactic: tactic(first).to_owned(), sentence, severity, rules, finding_ids, news };
        let titles = group.iter().map(|(finding, _)| finding.title.as_str()).collect();
        steps.push((step, place(tactic(first)), titles));
    }
    steps.sort_by(|(a, a_place, _), (b, b_place, _)| (a.time, a_place).cmp(&(b.time, b_place)));
    told_once(steps.into_iter().map(|(step, _, titles)| (step, titles)).collect())
}

/// What the same rules tell of under the same titles, one after the other, is told once, and the rest counted.
fn told_once(steps: Vec<(Step, Vec<&str>)>) -> Vec<Step> {
    const FEW: usize = 2;
    let key =
        |step: &Step, titles: &[&str]| (step.rules.clone(), titles.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
    let mut counts = BTreeMap::new();
    steps.iter().for_each(|(step, titles)| *counts.entry(key(step, titles)).or_default() += 1);
    let mut seen = BTreeMap::new();
    let mut out: Vec<Step> = Vec::new();
    for (mut step, titles) in steps {
        let key = key(&step, &titles);
        let count: usize = counts.get(&key).copied().unwrap_or(1);
        if let Some(first) = seen.get(&key).filter(|_| count > FEW) {
            let first: &mut Step = &mut out[*first];
            first.finding_ids.append(&mut step.finding_ids);
            first.news = first.news.and(step.news);
            continue;
        }
        seen.insert(key, out.len());
        if count > FEW {
            step.sentence += &format!("; and {} more like it", count - 1);
        }
        out.push(step);
    }
    out
}

/// A title inside a sentence. A word such as MFA or API stays as it is.
fn lower_first(title: &str) -> String {
    let mut chars = title.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_inside_a_sentence() {
        assert_eq!(lower_first("User signs in"), "user signs in");
        assert_eq!(lower_first("MFA was switched off"), "MFA was switched off");
        assert_eq!(lower_first(""), "");
    }

    #[test]
    fn tactics_have_their_place() {
        assert!(place("Initial Access") < place("Impact") && place("Impact") < place("Juggling"));
    }
}
