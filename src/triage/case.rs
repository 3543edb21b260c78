//! Case: findings that tell one story, in order and with a score. A pure function of the findings and of
//! the kept events.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::finding::{Finding, Subject};
use super::status::{Disposition, News, Status};
use super::story::{Step, steps, tactics};
use super::tie::{Bonds, Ties, is_suspicious};
use crate::detect::risk::weight;
use crate::detect::store::Store;
use crate::event::counted::few;
use crate::event::time::{Span, Timestamp};
use crate::rule::logic::Logic;
use crate::rule::set::RuleSet;
use crate::rule::{Confidence, Severity};

/// A line of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// how many
    pub points: u32,
    /// what for
    pub reason: String,
}

/// Findings that tell one story.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// the same in every run over the same events
    pub id: String,
    /// the worst of it, and whom it is about
    pub title: String,
    /// the organization
    pub organization: String,
    /// that of the worst finding
    pub severity: Severity,
    /// the sum of its lines
    pub score: u32,
    /// what makes up the score
    pub score_lines: Vec<Points>,
    /// the first event
    pub first_seen: Timestamp,
    /// the last event
    pub last_seen: Timestamp,
    /// whom and what it is about, the most often named first
    pub entities: Vec<Subject>,
    /// its findings, in the order of the report
    pub finding_ids: Vec<String>,
    /// what happened, in the order of time
    pub story: Vec<Step>,
    /// the first thing to do
    pub first_action: String,
    /// how much of it was known before
    pub news: News,
}

/// Everything that cases are made from.
pub struct Cases<'a> {
    /// the rules
    pub set: &'a RuleSet,
    /// the kept events
    pub store: &'a Store,
    /// how far apart in time findings of one case may be
    pub within: Span,
    /// whether an address is one of the organization's own
    pub is_own: &'a dyn Fn(&str) -> bool,
}

impl Cases<'_> {
    /// The cases of findings, those that nobody has seen first, and the worst of them. Questions, findings of little weight and those that only add up others
    /// join a case and do not make one; what was suppressed is in none.
    pub fn of(&self, findings: &[Finding]) -> Vec<Case> {
        let open: Vec<&Finding> = findings.iter().filter(|finding| finding.status != Status::Suppressed).collect();
        let ties: Vec<Ties> = open.iter().map(|finding| Ties::new(self.set, self.store, finding)).collect();
        let firsts: Vec<Timestamp> = ties.iter().map(Ties::first).collect();
        let mut groups = Groups::new(open.len());
        self.same_events(&open, &mut groups);
        let organizations = open.iter().map(|finding| finding.organization.as_str()).collect();
        let bonds = Bonds { store: self.store, organizations, ties, within: self.within };
        bonds.pairs(self.is_own).into_iter().for_each(|(a, b)| groups.join(a, b));
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..open.len() {
            members.entry(groups.root(place)).or_default().push(place);
        }
        let mut cases: Vec<Case> = members
            .into_values()
            .filter(|places| places.len() > 1)
            .filter_map(|places| {
                self.case(&places.iter().map(|place| (open[*place], firsts[*place])).collect::<Vec<_>>())
            })
            .collect();
        cases.sort_by(|a, b| {
            let key = |case: &Case| {
                (case.news == News::Known, std::cmp::Reverse((case.severity, case.score)), case.first_seen)
            };
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        cases
    }

    /// An event that completed one finding and is evidence of another makes them one story, whoever was part of
    /// it. A finding that adds up others is tied by whom it is about alone.
    fn same_events(&self, open: &[&Finding], groups: &mut Groups) {
        let own = || open.iter().enumerate().filter(|(_, finding)| !self.adds_up(finding));
        let mut completed: BTreeMap<u32, usize> = BTreeMap::new();
        for (place, finding) in own() {
            for completing in &finding.completing {
                let first = *completed.entry(completing.event).or_insert(place);
                groups.join(first, place);
            }
        }
        for (place, finding) in own() {
            for event in &finding.events {
                if let Some(other) = completed.get(event) {
                    groups.join(*other, place);
                }
            }
        }
    }

    fn adds_up(&self, finding: &Finding) -> bool {
        matches!(self.set.rules[finding.rule].logic, Logic::Risk(_))
    }

    fn case(&self, members: &[(&Finding, Timestamp)]) -> Option<Case> {
        let is_telling = |(finding, _): &&(&Finding, Timestamp)| is_suspicious(finding) && !self.adds_up(finding);
        let suspicious: Vec<&(&Finding, Timestamp)> = members.iter().filter(is_telling).collect();
        let earliest = suspicious.iter().min_by_key(|(finding, first)| (*first, &finding.id))?;
        let worst = self.worst(&suspicious)?;
        let findings: Vec<&Finding> = members.iter().map(|(finding, _)| *finding).collect();
        let score_lines = self.score(&findings);
        let title = match worst.entity.kind.as_str() {
            "organization" => format!("{}{}", worst.title, worst.pending()),
            _ => format!("{}: {}{}", worst.title, worst.entity.name, worst.pending()),
        };
        let seen: Vec<(&Finding, Timestamp)> =
            members.iter().filter(|(finding, _)| !self.adds_up(finding)).copied().collect();
        Some(Case {
            id: id(&worst.organization, &earliest.0.id),
            title,
            organization: worst.organization.clone(),
            severity: worst.severity,
            score: score_lines.iter().map(|line| line.points).sum(),
            score_lines,
            first_seen: begin(&suspicious, &seen)?,
            last_seen: findings.iter().map(|f| f.last_seen).max()?,
            entities: entities(&findings),
            finding_ids: findings.iter().map(|f| f.id.clone()).collect(),
            story: steps(self.set, &seen),
            news: News::of(findings.iter().map(|f| f.status)),
            first_action: self.set.rules[worst.rule].triage.first().cloned().unwrap_or_default(),
        })
    }

    /// The finding that gives a case its title and says what to do first. Among equals it is a certain one, one that does harm, then
    /// one that goes on where others ended, then the surest, then the first, then the one made of most rules, then the
    /// one whose rule comes first by name.
    fn worst<'f>(&self, suspicious: &[&(&'f Finding, Timestamp)]) -> Option<&'f Finding> {
        let highest = suspicious.iter().map(|(finding, _)| finding.severity).max()?;
        let mut completed: BTreeMap<u32, Vec<&Finding>> = BTreeMap::new();
        for (finding, _) in suspicious {
            finding
                .completing
                .iter()
                .for_each(|completing| completed.entry(completing.event).or_default().push(finding));
        }
        let telling = |finding: &Finding| {
            let ends: BTreeSet<u32> = finding.completing.iter().map(|completing| completing.event).collect();
            let ended =
                finding.events.iter().filter(|event| !ends.contains(event)).filter_map(|event| completed.get(event));
            let ended: BTreeMap<usize, &Finding> = ended.flatten().map(|other| (other.rule, *other)).collect();
            let does_harm = self.does_harm(finding) || ended.values().any(|other| self.does_harm(other));
            (does_harm, ended.len(), finding.confidence)
        };
        let depths = self.depths();
        let equals = suspicious.iter().filter(|(finding, _)| finding.severity == highest);
        let key = |(finding, first): &(&'f Finding, Timestamp)| {
            let earlier = std::cmp::Reverse(*first);
            let name = (self.set.rules[finding.rule].name.as_str(), finding.id.as_str());
            (!finding.is_pending, telling(finding), earlier, depths[finding.rule], std::cmp::Reverse(name))
        };
        equals.max_by_key(|member| key(member)).map(|(finding, _)| *finding)
    }

    /// Of each rule, how many it is made of, through all between, each way counted. None is walked twice.
    fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0_usize; self.set.rules.len()];
        for rule in &self.set.order {
            let below = self.set.references[*rule].iter().map(|below| depths[*below].saturating_add(1));
            depths[*rule] = below.fold(0, usize::saturating_add);
        }
        depths
    }

    /// Whether something is destroyed or carried away.
    fn does_harm(&self, finding: &Finding) -> bool {
        let tactic = self.set.rules[finding.rule].techniques.first().map(|technique| technique.tactic.as_str());
        matches!(tactic, Some("Impact" | "Exfiltration"))
    }

    /// Each rule counts once, with what its severity and confidence weigh; a question half. More tactics, an
    /// administrator and a listed indicator add to it.
    fn score(&self, findings: &[&Finding]) -> Vec<Points> {
        let mut of_rule: BTreeMap<usize, (u32, &Finding, usize, &str)> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| !self.adds_up(finding)) {
            let points = points(finding);
            let known = of_rule.entry(finding.rule).or_insert((points, finding, 0, &finding.title));
            known.2 += 1;
            if finding.title != known.3 {
                known.3 = &self.set.rules[finding.rule].title;
            }
            if points > known.0 {
                (known.0, known.1) = (points, finding);
            }
        }
        let mut lines: Vec<Points> = of_rule
            .into_values()
            .map(|(points, finding, count, title)| {
                let asked = if finding.disposition == Disposition::Duet { ", a question" } else { "" };
                let times = if count > 1 { format!(", {count} findings") } else { String::new() };
                let open = if finding.is_pending { ", pending" } else { "" };
                let (severity, confidence) = (finding.severity, finding.confidence.word());
                let reason = format!("{title} ({severity}, {confidence} confidence{asked}{open}{times})");
                Points { points, reason }
            })
            .collect();
        lines.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.reason.cmp(&b.reason)));
        let tactics = tactics(self.set, findings);
        if tactics.len() > 1 {
            let points = 10 * (u32::try_from(tactics.len()).unwrap_or(u32::MAX) - 1);
            lines.push(Points { points, reason: format!("{} tactics: {}", tactics.len(), tactics.join(", ")) });
        }
        if findings.iter().any(|finding| finding.entity.kind == "admin") {
            lines.push(Points { points: 20, reason: "an administrator is part of it".to_owned() });
        }
        let listed: BTreeSet<&str> =
            findings.iter().flat_map(|f| &f.context.intel).map(|known| known.indicator.as_str()).collect();
        if !listed.is_empty() {
            let listed = few(&listed.into_iter().collect::<Vec<_>>(), 1, ", ");
            lines.push(Points { points: 20, reason: format!("{listed} stands in a list of indicators") });
        }
        lines
    }
}

/// When it began: with the first event of what casts suspicion, or when anything else of it was complete. Why a question
/// is asked may lie hours before, as an honest sign-in does.
fn begin(suspicious: &[&(&Finding, Timestamp)], seen: &[(&Finding, Timestamp)]) -> Option<Timestamp> {
    let suspicious = suspicious.iter().map(|(finding, _)| finding.first_seen);
    suspicious.chain(seen.iter().map(|(_, complete)| *complete)).min()
}

fn points(finding: &Finding) -> u32 {
    let weight = weight(finding.severity);
    let sure = match finding.confidence {
        Confidence::High => weight,
        Confidence::Medium => weight * 3 / 4,
        Confidence::Low => weight / 2,
    };
    if finding.disposition == Disposition::Duet { sure / 2 } else { sure }
}

/// Whom and what the findings are about, the most often named first. The organization is named where nothing else is.
fn entities(findings: &[&Finding]) -> Vec<Subject> {
    // Somebody may be called by several names.
    let mut counts: BTreeMap<(&str, &str), (usize, &Subject)> = BTreeMap::new();
    for subject in findings.iter().map(|finding| &finding.entity) {
        let (count, first) = counts.entry((&subject.kind, &subject.id)).or_insert((0, subject));
        (*count, *first) = (*count + 1, subject.min(first));
    }
    if counts.keys().any(|(kind, _)| *kind != "organization") {
        counts.retain(|(kind, _), _| *kind != "organization");
    }
    let mut all: Vec<(usize, &Subject)> = counts.into_values().collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    all.into_iter().map(|(_, subject)| subject.clone()).collect()
}

/// A hash of the organization and of the finding that is the first to cast suspicion.
fn id(organization: &str, finding: &str) -> String {
    let mut hasher = SipHasher13::new_with_keys(0x6a63, 0x6361_7365);
    for part in [organization, finding] {
        hasher.write_u64(part.len() as u64);
        hasher.write(part.as_bytes());
    }
    format!("{:032x}", hasher.finish128().as_u128())
}

/// Which findings belong together, as far as is known.
struct Groups {
    parents: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Groups {
        Groups { parents: (0..count).collect() }
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.parents[place] != place {
            self.parents[place] = self.parents[self.parents[place]];
            place = self.parents[place];
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The smaller place is the root, so that the order of joining does not matter.
        self.parents[a.max(b)] = a.min(b);
    }
}
