//! Decisions: what people decided of findings before: an earlier report, answers, entries of the configuration.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use super::document::read_or_input;
use super::say;
use crate::event::time::Timestamp;
use crate::triage::answer::{self, Given};
use crate::triage::baseline;
use crate::triage::finding::{Finding, Findings, LEAST_OF_ID};
use crate::triage::report::{Answers, Baseline, Run};
use crate::triage::reported::{self, Reported};
use crate::triage::status::Status;
use crate::triage::suppression::{self, Suppression, Use};

/// All that was decided.
#[derive(Debug, Default)]
pub struct Decisions {
    earlier: Vec<(String, Vec<Reported>)>,
    answers: Vec<(String, Vec<Given>)>,
    suppressions: Vec<Suppression>,
}

impl Decisions {
    /// Reads the files.
    pub fn load(baseline: &[PathBuf], answers: &[PathBuf], suppressions: &[Suppression]) -> Result<Decisions> {
        let text = |flag: &str, path: &PathBuf| {
            let name = path.display().to_string();
            let text = read_or_input(path).map_err(|error| anyhow!("{flag} {name}: {error}"))?;
            Ok::<_, anyhow::Error>((name, text))
        };
        let mut decisions = Decisions { suppressions: suppressions.to_vec(), ..Decisions::default() };
        for path in baseline {
            let (name, text) = text("--baseline", path)?;
            let told = reported::read(&name, &text).map_err(|fault| anyhow!("--baseline {fault}"))?;
            decisions.earlier.push((name, told));
        }
        for path in answers {
            let (name, text) = text("--answers", path)?;
            let given = answer::read(&name, &text).map_err(|fault| anyhow!("--answers {fault}"))?;
            decisions.answers.push((name, given));
        }
        Ok(decisions)
    }

    /// The findings of all earlier reports.
    pub fn earlier(&self) -> Vec<&Reported> {
        self.earlier.iter().flat_map(|(_, told)| told).collect()
    }

    /// Whether nobody answered anything.
    pub fn answer_nothing(&self) -> bool {
        self.answers.iter().all(|(_, given)| given.is_empty())
    }

    /// Applies all of it to findings, and notes in the run what became of it. `now` is `--now`, else the
    /// newest event. What was found before, in the history alone, is known; what somebody said no to, or is not sure
    /// of, moves to the findings, since an answer comes after the question.
    pub fn apply(
        &self,
        all: &Findings<'_>,
        now: Option<Timestamp>,
        (findings, before): (&mut Vec<Finding>, &mut Vec<Finding>),
        run: &mut Run,
    ) -> Result<()> {
        let earlier = self.earlier();
        for (file, told) in &self.earlier {
            run.baseline.push(Baseline { file: file.clone(), findings: told.len() });
        }
        let given: Vec<&Given> = self.answers.iter().flat_map(|(_, given)| given).collect();
        let count = findings.len();
        findings.append(before);
        let unused =
            answer::apply(&given, &earlier, all.set, findings).map_err(|message| anyhow!("--answers {message}"))?;
        baseline::mark(&earlier, all, findings);
        let of_history = findings.split_off(count);
        let (raised, mut told): (Vec<Finding>, Vec<Finding>) = of_history.into_iter().partition(Finding::is_raised);
        suppression::apply(&self.suppressions, now, all, &mut told);
        told.iter_mut().filter(|finding| finding.status == Status::New).for_each(|f| f.status = Status::Known);
        findings.extend(raised);
        *before = told;
        let mut first = 0;
        for (file, given) in &self.answers {
            let own = unused.iter().filter_map(|place| given.get(place.checked_sub(first)?));
            let own = own.map(|given| given.mark.id.clone()).collect();
            run.answers.push(Answers { file: file.clone(), answers: given.len(), unused: own });
            first += given.len();
        }
        let uses = suppression::apply(&self.suppressions, now, all, findings);
        run.suppressions = self.suppressions.iter().cloned().zip(uses).collect();
        Ok(())
    }
}

/// Suppressions of one kind that are told one by one; the rest are counted.
const MOST: usize = 5;

/// Says of decisions that no longer do anything.
pub fn tell(run: &Run) {
    let (mut ended, mut unused) = (0_usize, 0_usize);
    for (entry, used) in &run.suppressions {
        let owner = entry.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
        let Suppression { path, rule, expires, reason, .. } = entry;
        let count = match used {
            Use::Expired => Some(&mut ended),
            Use::Put { findings: 0, overruled: 0 } => Some(&mut unused),
            Use::Put { .. } => None,
        };
        if let Some(count) = count {
            *count += 1;
            if *count > MOST {
                continue;
            }
        }
        match used {
            Use::Expired => say(format_args!(
                "{path}: the suppression of {rule} ({reason}{owner}) ended on {expires}; its findings are shown again"
            )),
            Use::Put { findings: 0, overruled: 0 } => {
                say(format_args!("{path}: the suppression of {rule} ({reason}{owner}) fits no finding of this run"));
            }
            Use::Put { overruled: 0, .. } => {}
            Use::Put { overruled, .. } => say(format_args!(
                "{path}: the suppression of {rule} ({reason}{owner}) matches {overruled} of the findings that were \
                 answered \"no\" or \"not sure\"; these stay visible"
            )),
        }
    }
    for (count, what) in [(ended, "have ended"), (unused, "fit no finding of this run")] {
        if let Some(more @ 1..) = count.checked_sub(MOST) {
            say(format_args!("{more} more suppressions {what}; --format json names them under run.suppressions"));
        }
    }
    for answers in run.answers.iter().filter(|answers| !answers.unused.is_empty()) {
        let count = answers.unused.len();
        let which = answers.unused.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if count > 3 { ", …" } else { "" };
        say(format_args!(
            "{}: {count} of {} answers fit no question of this run ({which}{more}); an export that has rolled on needs \
             the report that was answered as --baseline, an id at least {LEAST_OF_ID} characters, and a finding that is \
             no question an entry under `suppress`",
            answers.file, answers.answers
        ));
    }
}
