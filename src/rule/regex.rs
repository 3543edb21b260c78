//! Regex: Sigma's `re` modifier. A pack has many of them, a run needs few, and compiling one takes longer than
//! reading a rule: so what cannot fail is compiled when a text is first compared with it.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// Bytes of a compiled expression with counted repetitions, which can make a large one out of a short text.
const COUNTED_LIMIT: usize = 1 << 20;
/// Bytes of any other; with at most so many characters, none comes near it.
const LIMIT: usize = 64 << 20;
const LONGEST: usize = 256;

/// A regular expression, unanchored.
#[derive(Clone)]
pub struct Expression {
    text: String,
    /// the sub-modifiers: `i`, `m`, `s`
    flags: Vec<char>,
    compiled: OnceLock<Option<Regex>>,
}

impl Expression {
    /// Checks an expression with the sub-modifiers `i`, `m`, `s`; what is wrong with it is the error.
    pub fn new(text: &str, flags: &[char]) -> Result<Expression, String> {
        let told = |error: &dyn std::fmt::Display| format!("not a regular expression: {error}");
        let expression = Expression { text: text.to_owned(), flags: flags.to_vec(), compiled: OnceLock::new() };
        if text.len() > LONGEST || text.contains('{') {
            let compiled = expression.compile(COUNTED_LIMIT).map_err(|error| told(&error))?;
            return Ok(Expression { compiled: OnceLock::from(Some(compiled)), ..expression });
        }
        regex_syntax::parse(text).map_err(|error| told(&error))?;
        Ok(expression)
    }

    /// As the rule writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn compile(&self, limit: usize) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text)
            .case_insensitive(self.flags.contains(&'i'))
            .multi_line(self.flags.contains(&'m'))
            .dot_matches_new_line(self.flags.contains(&'s'))
            .size_limit(limit)
            .build()
    }

    /// Whether it stands anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| self.compile(LIMIT).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Expressions that say the same look the same: detections are told apart by it.
impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({:?}, {:?})", self.text, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_count_and_mistakes_are_told() {
        let one = Expression::new("^a.b$", &[]).unwrap();
        assert!(one.is_match("axb") && !one.is_match("AXB") && !one.is_match("a\nb"));
        assert!(Expression::new("^a.b$", &['i', 's']).unwrap().is_match("A\nB"));
        assert!(Expression::new("^b$", &['m']).unwrap().is_match("a\nb"));
        assert_ne!(format!("{one:?}"), format!("{:?}", Expression::new("^a.b$", &['i']).unwrap()));
        for wrong in ["(", "a{2", "*", r"(?<=x)y", r"(\w{99}){99}"] {
            let error = Expression::new(wrong, &[]).unwrap_err();
            assert!(error.starts_with("not a regular expression: "), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_largest_that_is_compiled_late_compiles() {
        let widest = Expression::new(&r"\w".repeat(LONGEST / 2), &['i']).unwrap();
        assert!(widest.is_match(&"é".repeat(LONGEST / 2)));
    }
}
