//! Change: what was changed by one event or by several that changed the same, what of it has to be undone, and what
//! is no longer as they left it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::investigation::Session;
use super::ledger::Ledger;
use super::row::{self, are_alike};
use super::sentence::Wording;
use super::watch::{Happening, Seen};
use crate::event::time::Timestamp;

/// What was changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// what was done, in order: events that are said in the same words, by their places
    pub steps: Vec<Vec<usize>>,
    /// how it is undone, as far as that is still to be done; each is said of all events of a step
    pub(super) undo: Vec<Wording>,
    /// what of it is no longer as they left it, and is not to be undone
    pub settled: Vec<Settled>,
    /// some of it stands in a session that is not as usual, or is evidence itself
    pub is_telling: bool,
}

/// Why something that was changed is not to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// it is again as it was before
    PutBack,
    /// what was deleted was made anew
    MadeAnew,
    /// somebody changed it again since
    ChangedAgain,
    /// what was made, or changed, is deleted
    Gone,
    /// somebody else did it, after what was found and without a part in that
    Afterwards,
    /// somebody else did it to whom something was found about before; how it is undone is told all the same
    Answer,
}

impl How {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            How::PutBack => "put_back",
            How::MadeAnew => "made_anew",
            How::ChangedAgain => "changed_again",
            How::Gone => "gone",
            How::Afterwards => "afterwards",
            How::Answer => "answer",
        }
    }
}

/// What of a change is not to be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// why not
    pub how: How,
    /// who did that, as in the log
    pub actor: String,
    /// the fields; none if it is all of the change, and it has but one state
    pub fields: Vec<Field>,
    /// when, of several things the first time
    pub first: Timestamp,
    /// of several things the last time
    pub last: Timestamp,
}

/// A field that is not to be set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// what it is called
    pub name: String,
    /// its value before, in words, if it is known
    pub was: Option<String>,
    /// its last value in words, if it is known
    pub is: Option<String>,
}

impl Change {
    /// The events, by their places.
    pub fn events(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().flatten().copied()
    }

    /// The first event.
    pub fn first<'h>(&self, happenings: &'h [Happening]) -> &'h Happening {
        &happenings[self.steps[0][0]]
    }

    /// Whether something of it is still to be undone.
    pub fn has_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// How it is undone, with all that has to be put right; `None` if there is nothing to do. `shown` is what becomes of each
    /// name and of the words around them: together they are longer than what is shown of one text.
    pub fn undo(&self, happenings: &[Happening], shown: &dyn Fn(&str) -> String) -> Option<String> {
        let all = &self.steps[0];
        let said = |undo| row::undone(undo, happenings, all, shown);
        let said: Vec<String> = self.undo.iter().map(said).collect();
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// Whether another differs only in whom or what it was done to.
    fn is_like(&self, other: &Change, happenings: &[Happening]) -> bool {
        let deed = |step: &Vec<usize>| &happenings[step[0]].deed;
        let mut steps = self.steps.iter().zip(&other.steps);
        let mut settled = self.settled.iter().zip(&other.settled);
        let shape = |undo: &Wording| {
            undo.around().map_or_else(
                || (undo.text().to_owned(), String::new()),
                |(before, behind)| (before.to_owned(), behind.to_owned()),
            )
        };
        self.is_telling == other.is_telling
            && self.steps.len() == other.steps.len()
            && steps.all(|(one, other)| are_alike(deed(one), deed(other)))
            && self.settled.len() == other.settled.len()
            && settled.all(|(a, b)| (a.how, &a.actor, &a.fields) == (b.how, &b.actor, &b.fields))
            && self.undo.iter().map(shape).eq(other.undo.iter().map(shape))
    }

    fn take(&mut self, other: Change) {
        self.steps.iter_mut().zip(other.steps).for_each(|(step, more)| step.extend(more));
        for (settled, more) in self.settled.iter_mut().zip(other.settled) {
            settled.first = settled.first.min(more.first);
            settled.last = settled.last.max(more.last);
        }
    }
}

/// What was changed, in the order of time; what differs only in whom or what it was done to is one.
pub fn changes(seen: &Seen, sessions: &[Session], evidence: &BTreeSet<usize>) -> Vec<Change> {
    let ledger = Ledger::new(seen, sessions, evidence);
    let happenings = &seen.happenings;
    let mut out: Vec<Change> = Vec::new();
    for events in ledger.groups() {
        let change = ledger.change(&events);
        let organization = |change: &Change| Arc::clone(&change.first(happenings).organization);
        let deed = |change: &Change| Arc::clone(&change.first(happenings).deed);
        let place = organization(&change);
        let same = out
            .iter_mut()
            .rev()
            .take_while(|last| organization(last) == place && are_alike(&deed(last), &deed(&change)))
            .find(|last| last.is_like(&change, happenings));
        match same {
            Some(same) => same.take(change),
            None => out.push(change),
        }
    }
    // Events stand in the order of their organizations.
    out.sort_by_key(|change| change.first(happenings).time);
    out
}
