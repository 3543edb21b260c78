//! Exit: the exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a run ended. Where several hold, the order of [`Exit::worst`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, also with findings
    Done,
    /// 1: findings at or above `--fail-on`, or a failed test of a rule
    Found,
    /// 2: usage, configuration or rule error
    Usage,
    /// 3: a named source could not be read, or nothing in it looked like Directory Insights
    Source,
    /// 4: part of the input was skipped, and `--strict` was given
    Skipped,
    /// 5: an output could not be written, or a rule failed inside
    Output,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Source => 3,
            Exit::Skipped => 4,
            Exit::Output => 5,
        }
    }

    /// The one that is told: 2, 3, 5, 4, 1.
    pub fn worst(all: &[Exit]) -> Exit {
        [Exit::Usage, Exit::Source, Exit::Output, Exit::Skipped, Exit::Found]
            .into_iter()
            .find(|exit| all.contains(exit))
            .unwrap_or(Exit::Done)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_where_several_hold() {
        assert_eq!(Exit::worst(&[]), Exit::Done);
        assert_eq!(Exit::worst(&[Exit::Found, Exit::Skipped]), Exit::Skipped);
        assert_eq!(Exit::worst(&[Exit::Skipped, Exit::Output, Exit::Source]), Exit::Source);
        assert_eq!(Exit::worst(&[Exit::Found, Exit::Usage]), Exit::Usage);
    }
}
