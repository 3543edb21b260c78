//! Severity: how bad a finding is, and how sure its rule.

use std::fmt;

use crate::event::nearest::unknown;

/// How bad it is. Sigma's `informational` is `info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// for the record
    Info,
    /// worth knowing beside something else
    Low,
    /// look at it today
    #[default]
    Medium,
    /// look at it now
    High,
    /// wake somebody
    Critical,
}

impl Severity {
    /// From the least to the worst.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word in rules, flags and output.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// Reads a word that somebody wrote; the error names the words that there are.
    pub fn named(word: &str) -> Result<Severity, String> {
        Severity::parse(word).ok_or_else(|| unknown("severity", word, &Severity::ALL.map(Severity::word)))
    }

    /// Reads a word; `informational` is `info`.
    pub fn parse(word: &str) -> Option<Severity> {
        let word = if word == "informational" { "info" } else { word };
        Severity::ALL.into_iter().find(|s| s.word() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How sure the rule is of what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// often something harmless
    Low,
    /// as often as not
    #[default]
    Medium,
    /// rarely anything else
    High,
}

impl Confidence {
    /// From the least to the most.
    const ALL: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

    /// Reads a word that somebody wrote; the error names the words that there are.
    pub fn named(word: &str) -> Result<Confidence, String> {
        let found = Confidence::ALL.into_iter().find(|confidence| confidence.word() == word);
        found.ok_or_else(|| unknown("confidence", word, &Confidence::ALL.map(Confidence::word)))
    }

    /// The word in rules and output.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }

    /// One step less sure.
    #[must_use]
    pub fn lower(self) -> Confidence {
        match self {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        }
    }
}
