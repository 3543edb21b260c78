//! Severity: how bad a finding is, and how sure its rule.

use std::fmt;

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
