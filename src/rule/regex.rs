//! Regex: Sigma's `re` modifier. A pack has many of them, a run needs few, and compiling one takes longer than
//! reading a rule: so what cannot fail is compiled when a text is first compared with it, and for texts in ASCII
//! without what only other texts need, which is most of it.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder, bytes};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Bytes of a compiled expression with counted repetitions, which can make a large one out of a short text.
const COUNTED_LIMIT: usize = 1 << 20;
/// Bytes of any other; with at most so many characters, none comes near it.
const LIMIT: usize = 64 << 20;
const LONGEST: usize = 256;
/// Places of an expression with counted repetitions that is surely smaller than its limit.
const FEW: u64 = 1 << 14;

/// A regular expression, unanchored.
#[derive(Clone)]
pub struct Expression {
    text: String,
    /// the sub-modifiers: `i`, `m`, `s`
    flags: Vec<char>,
    compiled: OnceLock<Option<Regex>>,
    /// the same for texts in ASCII; `None` where it cannot be said without Unicode
    ascii: OnceLock<Option<bytes::Regex>>,
}

impl Expression {
    /// Checks an expression with the sub-modifiers `i`, `m`, `s`; what is wrong with it is the error.
    pub fn new(text: &str, flags: &[char]) -> Result<Expression, String> {
        let told = |error: &dyn std::fmt::Display| format!("not a regular expression: {error}");
        let (compiled, ascii) = (OnceLock::new(), OnceLock::new());
        let expression = Expression { text: text.to_owned(), flags: flags.to_vec(), compiled, ascii };
        let parsed = regex_syntax::parse(text).map_err(|error| told(&error))?;
        if text.len() > LONGEST || text.contains('{') && places(&parsed) > FEW {
            let compiled = expression.compile(COUNTED_LIMIT).map_err(|error| told(&error))?;
            return Ok(Expression { compiled: OnceLock::from(Some(compiled)), ..expression });
        }
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

    /// On a text in ASCII it says the same without Unicode: what is more in a class, and what else a letter is the
    /// small or large form of, is not in the text.
    fn compile_ascii(&self) -> Option<bytes::Regex> {
        let mut builder = bytes::RegexBuilder::new(&self.text);
        builder
            .unicode(false)
            .case_insensitive(self.flags.contains(&'i'))
            .multi_line(self.flags.contains(&'m'))
            .dot_matches_new_line(self.flags.contains(&'s'));
        builder.size_limit(COUNTED_LIMIT).build().ok()
    }

    /// Whether it stands anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        if text.is_ascii()
            && self.compiled.get().is_none()
            && let Some(regex) = self.ascii.get_or_init(|| self.compile_ascii())
        {
            return regex.is_match(text.as_bytes());
        }
        self.compiled.get_or_init(|| self.compile(LIMIT).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// How many places an expression has when its repetitions are written out.
fn places(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Capture(capture) => places(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            places(&repetition.sub).saturating_mul(u64::from(times).max(1))
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(places).fold(0, u64::saturating_add),
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

    /// Every expression of the pack on texts of all kinds, in ASCII and not.
    #[test]
    fn ascii_is_no_different() {
        let mut expressions: Vec<(String, Vec<char>)> = Vec::new();
        for (_, text) in crate::rule::pack::PACK {
            for line in text.lines().filter(|line| line.contains("|re")) {
                let flags = if line.contains("|re|i") { vec!['i'] } else { vec![] };
                let quoted = line.split('\'').nth(1).filter(|_| line.matches('\'').count() == 2);
                expressions.extend(quoted.map(|text| (text.to_owned(), flags)));
            }
        }
        let kinds = [r"^\w+$", r"\bk\b", "[^n]{2}", "(?i)straße|STRASSE", "k", r"^\S+\s\d$", r"\p{L}", "s.t", "^$"];
        expressions.extend(kinds.iter().map(|text| ((*text).to_owned(), vec!['i'])));
        assert!(expressions.len() > 20);
        let texts = [
            "",
            "k",
            "K",
            "\u{212a}",
            "sit",
            "\u{17f}it",
            "a b 1",
            "strasse",
            "straße",
            "nn",
            "n\nn",
            "é1",
            "10.0.0.1:443",
            "curl http://x | sh",
            "Windows updates",
            "MFA.enabled",
            "\0",
            "srv-01",
            "_key",
            "~!@#",
        ];
        for (text, flags) in expressions {
            let Ok(expression) = Expression::new(&text, &flags) else { continue };
            let whole = expression.compile(LIMIT).unwrap();
            for text in texts {
                assert_eq!(expression.is_match(text), whole.is_match(text), "{expression:?} {text:?}");
            }
        }
    }

    #[test]
    fn what_has_few_places_is_small() {
        for small in [r"\w{6}", "a{4000}", "([a-z]{9}){99}", r"(\d{3}){20}"] {
            let hir = regex_syntax::parse(small).unwrap();
            assert!(places(&hir) <= FEW, "{small}");
            Expression::new(small, &['i']).unwrap().compile(LIMIT / 8).unwrap();
        }
        assert!(places(&regex_syntax::parse(r"(\w{99}){99}").unwrap()) > FEW);
    }

    #[test]
    fn the_largest_that_is_compiled_late_compiles() {
        let widest = Expression::new(&r"\w".repeat(LONGEST / 2), &['i']).unwrap();
        assert!(widest.is_match(&"é".repeat(LONGEST / 2)));
    }
}
