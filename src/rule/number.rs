//! Number: a number of a rule or of an event, whole ones to the last digit.

use std::cmp::Ordering;
use std::fmt;

/// From here on not every whole number is one that computes with fractions.
const INEXACT: f64 = 9_007_199_254_740_992.0;

/// A number.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// a whole one, exactly
    Whole(i64),
    /// any other
    Other(f64),
}

impl Number {
    /// What a text says, if that is a number.
    pub fn parse(text: &str) -> Option<Number> {
        let text = text.trim();
        let other = || text.parse().ok().filter(|n: &f64| n.is_finite()).map(Number::Other);
        text.parse().ok().map(Number::Whole).or_else(other)
    }

    /// What a rule says; one that would be compared with its last digits rounded is refused.
    pub(super) fn of_rule(text: &str) -> Result<Number, String> {
        match Number::parse(text) {
            None => Err(format!("numbers are compared here, and {text:?} is none")),
            Some(Number::Other(n)) if n.abs() >= INEXACT => {
                Err(format!("{text} has more digits than numbers are compared by"))
            }
            Some(number) => Ok(number),
        }
    }

    /// The nearest of those that compute with fractions.
    pub(super) fn rounded(self) -> f64 {
        match self {
            Number::Whole(n) => n as f64,
            Number::Other(n) => n,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Whole(one), Number::Whole(other)) => one.partial_cmp(other),
            _ => self.rounded().partial_cmp(&other.rounded()),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(n) => n.fmt(f),
            Number::Other(n) => n.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_differ_in_their_last_digit() {
        let parse = |text| Number::parse(text).unwrap();
        assert!(parse("9007199254740993") != parse("9007199254740992"));
        assert!(parse("9223372036854775807") > parse("9223372036854775806"));
        assert!(parse(" 5.0") == parse("5") && parse("5e0") == parse("5") && parse("5.5") > parse("5"));
        assert!(Number::parse("x").is_none() && Number::parse("inf").is_none() && Number::parse("").is_none());
        assert!(Number::of_rule("18446744073709551615").is_err() && Number::of_rule("-1e16").is_err());
        assert!(Number::of_rule("-9223372036854775808").is_ok() && Number::of_rule("0.5").is_ok());
    }
}
