//! Status: whether anybody still has to look at a finding, and whose it is.

use serde::{Deserialize, Serialize};

use crate::event::letters;
use crate::event::time::Timestamp;

/// The queue that a finding goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// an analyst looks at it
    Triage,
    /// somebody who knows whether it was meant is asked
    Duet,
}

impl Disposition {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Disposition::Triage => "triage",
            Disposition::Duet => "duet",
        }
    }
}

/// Whether anybody still has to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// nobody has
    New,
    /// it stood in the baseline
    Known,
    /// somebody decided that nobody needs to
    Suppressed,
}

impl Status {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Known => "known",
            Status::Suppressed => "suppressed",
        }
    }
}

/// How much of several findings was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// nothing of it
    New,
    /// something of it
    Grown,
    /// all of it
    Known,
}

impl News {
    /// What there is of findings with these states.
    pub fn of(states: impl Iterator<Item = Status>) -> News {
        let (known, new): (Vec<Status>, Vec<Status>) = states.partition(|status| *status == Status::Known);
        match (known.is_empty(), new.is_empty()) {
            (true, _) => News::New,
            (false, true) => News::Known,
            (false, false) => News::Grown,
        }
    }

    /// That of two together.
    #[must_use]
    pub fn and(self, other: News) -> News {
        if self == other { self } else { News::Grown }
    }

    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            News::New => "new",
            News::Grown => "grown",
            News::Known => "known",
        }
    }
}

/// What put a finding away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SuppressedBy {
    /// an entry of the configuration
    Entry {
        /// where it stands
        place: String,
        /// why
        reason: String,
        /// who stands for it
        owner: Option<String>,
        /// the last day on which it works
        expires: String,
    },
    /// somebody who was asked said that it was meant
    Answer,
    /// something that this version does not know
    #[serde(other)]
    Other,
}

/// What can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// it was meant
    Yes,
    /// whoever was asked does not know
    NotSure,
    /// it was not
    No,
}

impl Answer {
    /// The word in files and output.
    pub fn word(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::NotSure => "not sure",
            Answer::No => "no",
        }
    }

    /// Reads a word, whatever its case; `not-sure`, `not_sure` and `unsure` are one.
    pub fn parse(word: &str) -> Option<Answer> {
        match letters::lower(word.trim()).replace(['-', '_'], " ").as_str() {
            "yes" | "y" => Some(Answer::Yes),
            "no" | "n" => Some(Answer::No),
            "not sure" | "unsure" => Some(Answer::NotSure),
            _ => None,
        }
    }
}

/// An answer to the question of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// the id of the finding when it was answered
    pub asked_as: String,
    /// what
    pub answer: Answer,
    /// by whom
    pub who: String,
    /// when
    pub when: Timestamp,
    /// a yes that is older than the newest event of the finding, and so does not close it
    pub is_outdated: bool,
}
