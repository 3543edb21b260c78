//! Regex: Sigma's `re` modifier. A pack has many of them, a run needs few, and compiling one takes longer than
//! reading a rule. So patterns are checked when rules are read, but compiled only at the first text that may match, and
//! for texts in ASCII without the Unicode tables, which are most of the cost.

mod needed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex_automata::meta;
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use self::needed::Needed;
use super::folded::Folded;

/// Bytes of a compiled expression that is long or has counted repetitions, which can make a large one out of a short text.
const COUNTED_LIMIT: usize = 1 << 20;
/// Bytes of any other; with at most so many characters, none comes near it.
const LIMIT: usize = 64 << 20;
const LONGEST: usize = 256;
/// Places of an expression that is compiled late: it is surely smaller than `LIMIT`, however long its text is.
const FEW: u64 = 1 << 14;

/// The expressions checked so far, by their text: the lists that many rules name hold most of them.
static CHECKED: OnceLock<Mutex<HashMap<String, Vec<Expression>>>> = OnceLock::new();

/// A regular expression, unanchored. Those that say the same are checked and compiled once.
#[derive(Clone)]
pub struct Expression(Arc<Checked>);

struct Checked {
    text: String,
    /// the sub-modifiers: `i`, `m`, `s`
    flags: Vec<char>,
    needed: Needed,
    constant: Option<bool>,
    compiled: OnceLock<Option<meta::Regex>>,
    /// the same for texts in ASCII; `None` where it cannot be said without Unicode
    ascii: OnceLock<Option<meta::Regex>>,
}

impl Expression {
    /// Checks an expression with the sub-modifiers `i`, `m`, `s`; what is wrong with it is the error.
    pub fn new(text: &str, flags: &[char]) -> Result<Expression, String> {
        let checked = CHECKED.get_or_init(Mutex::default);
        let lock = || checked.lock().unwrap_or_else(PoisonError::into_inner);
        let has_flags = |expression: &&Expression| expression.0.flags == flags;
        if let Some(known) = lock().get(text).and_then(|known| known.iter().find(has_flags)) {
            return Ok(known.clone());
        }
        let expression = Expression(Arc::new(Checked::new(text, flags)?));
        lock().entry(text.to_owned()).or_default().push(expression.clone());
        Ok(expression)
    }

    /// As the rule writes it.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether the case of letters does not count.
    pub(super) fn is_caseless(&self) -> bool {
        self.0.flags.contains(&'i')
    }

    /// Whether it stands in each text, or in none; `None` if that depends on the text.
    pub(super) fn constant(&self) -> Option<bool> {
        self.0.constant
    }

    /// Whether it stands anywhere in a text.
    pub fn is_match(&self, text: &Folded<'_>) -> bool {
        self.0.is_match(text)
    }
}

impl Checked {
    fn new(text: &str, flags: &[char]) -> Result<Checked, String> {
        // Of the parser's lines, which point at the place, the last says what is wrong.
        let told = |error: &dyn std::fmt::Display| {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("not a regular expression: {last}")
        };
        let (compiled, ascii) = (OnceLock::new(), OnceLock::new());
        let parsed = regex_syntax::parse(text).map_err(|error| told(&error))?;
        let (needed, constant) = (Needed::of(&parsed), constant(&parsed));
        let checked = Checked { text: text.to_owned(), flags: flags.to_vec(), needed, constant, compiled, ascii };
        if (text.len() > LONGEST || text.contains('{')) && places(&parsed) > FEW {
            let compiled = checked.compile(COUNTED_LIMIT).map_err(|error| told(&error))?;
            return Ok(Checked { compiled: OnceLock::from(Some(compiled)), ..checked });
        }
        Ok(checked)
    }

    fn compile(&self, limit: usize) -> Result<meta::Regex, String> {
        self.build(true, meta::Config::new().nfa_size_limit(Some(limit)))
    }

    /// On a text in ASCII it says the same without Unicode: what is more in a class, and what else a letter is the
    /// small or large form of, is not in the text. An expression that names other letters may mean one in ASCII
    /// (`ſ` is a small S).
    fn compile_ascii(&self) -> Option<meta::Regex> {
        let config = meta::Config::new().nfa_size_limit(Some(COUNTED_LIMIT));
        let names_others = !self.text.is_ascii() || [r"\x", r"\u", r"\U"].iter().any(|code| self.text.contains(code));
        if names_others { None } else { self.build(false, config).ok() }
    }

    /// Without the search for literals in front: to prepare it takes longer than all the rest, where a value is
    /// looked at once.
    fn build(&self, is_unicode: bool, config: meta::Config) -> Result<meta::Regex, String> {
        let syntax = syntax::Config::new()
            .unicode(is_unicode)
            .utf8(is_unicode)
            .case_insensitive(self.flags.contains(&'i'))
            .multi_line(self.flags.contains(&'m'))
            .dot_matches_new_line(self.flags.contains(&'s'));
        let config = config.utf8_empty(is_unicode).auto_prefilter(false);
        meta::Builder::new().syntax(syntax).configure(config).build(&self.text).map_err(|error| {
            let large = |limit| format!("compiled it takes more than {limit} bytes");
            error.size_limit().map_or_else(|| error.to_string(), large)
        })
    }

    fn is_match(&self, folded: &Folded<'_>) -> bool {
        let text = folded.text;
        let is_ascii = text.is_ascii();
        if is_ascii && !self.needed.stands_in(folded.lower()) {
            return false;
        }
        if is_ascii && let Some(regex) = self.ascii.get_or_init(|| self.compile_ascii()) {
            return regex.is_match(text);
        }
        self.compiled.get_or_init(|| self.compile(LIMIT).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Whether an expression stands in each text, as nothing at all fits it, or in none.
fn constant(hir: &Hir) -> Option<bool> {
    let properties = hir.properties();
    match properties.minimum_len() {
        None => Some(false),
        Some(0) if properties.look_set().is_empty() => Some(true),
        Some(_) => None,
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

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        (&self.0.text, &self.0.flags) == (&other.0.text, &other.0.flags)
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({:?}, {:?})", self.0.text, self.0.flags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_match(expression: &Expression, text: &str) -> bool {
        expression.is_match(&Folded::new(text))
    }

    #[test]
    fn flags_count_and_mistakes_are_told() {
        let one = Expression::new("^a.b$", &[]).unwrap();
        assert!(is_match(&one, "axb") && !is_match(&one, "AXB") && !is_match(&one, "a\nb"));
        assert!(is_match(&Expression::new("^a.b$", &['i', 's']).unwrap(), "A\nB"));
        assert!(is_match(&Expression::new("^b$", &['m']).unwrap(), "a\nb"));
        assert_eq!(one, Expression::new("^a.b$", &[]).unwrap());
        assert_ne!(one, Expression::new("^a.b$", &['i']).unwrap());
        for wrong in ["(", "a{2", "*", r"(?<=x)y", r"(\w{99}){99}"] {
            let error = Expression::new(wrong, &[]).unwrap_err();
            assert!(error.starts_with("not a regular expression: "), "{wrong}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let error = Expression::new(r"(\w{99}){99}", &[]).unwrap_err();
        assert!(error.ends_with("compiled it takes more than 1048576 bytes"), "{error}");
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
        let kinds = kinds.into_iter().chain(["\u{17f}it", r"\x{17f}it", "[\u{212a}]"]);
        expressions.extend(kinds.map(|text| (text.to_owned(), vec!['i'])));
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
            let whole = expression.0.compile(LIMIT).unwrap();
            for text in texts {
                assert_eq!(is_match(&expression, text), whole.is_match(text), "{expression:?} {text:?}");
            }
        }
    }

    proptest! {
        /// What texts must have is no reason to miss one.
        #[test]
        fn what_is_needed_is_there(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "B", "k", "ab", "[ab]", "[^a]", "[k]", "(?i:s)", "(a|ab)", "(ka|kb|k)", "x?", "b*", "(ab)+",
                    "(a|)", ".", r"\b", r"\x{17f}", r"\u017F", r"\xff", r"[^\x{212a}]", "^", "$", "|", "\u{17f}",
                    "\u{212a}", "(?-u:k)", "a{2}", "(b{0}k)",
                ]),
                1..6,
            ),
            text in "[aAbBkKsSx\n\u{17f}]{0,6}",
            has_case in any::<bool>(),
        ) {
            let flags = if has_case { vec![] } else { vec!['i'] };
            let Ok(expression) = Expression::new(&parts.concat(), &flags) else { return Ok(()) };
            let whole = expression.0.compile(LIMIT).unwrap();
            prop_assert_eq!(is_match(&expression, &text), whole.is_match(&text), "{:?}", expression);
        }
    }

    #[test]
    fn what_has_few_places_is_small() {
        for small in [r"\w{6}", "a{4000}", "([a-z]{9}){99}", r"(\d{3}){20}"] {
            let hir = regex_syntax::parse(small).unwrap();
            assert!(places(&hir) <= FEW, "{small}");
            Expression::new(small, &['i']).unwrap().0.compile(LIMIT / 8).unwrap();
        }
        assert!(places(&regex_syntax::parse(r"(\w{99}){99}").unwrap()) > FEW);
    }

    #[test]
    fn the_largest_that_is_compiled_late_compiles() {
        // A long list of names is compiled late, too, and so is the largest text of few places.
        let names: Vec<String> = (0..2000).map(|n| format!("name{n}")).collect();
        let widest = r"\w".repeat(20);
        for (text, matching) in [(names.join("|"), "NAME1999"), (widest + &"a".repeat(300), "")] {
            let long = Expression::new(&text, &['i']).unwrap();
            assert!(long.0.compiled.get().is_none() && places(&regex_syntax::parse(&text).unwrap()) <= FEW);
            assert!(long.0.compile(LIMIT / 8).is_ok() && (matching.is_empty() || is_match(&long, matching)));
        }
        let widest = Expression::new(&r"\w".repeat(LONGEST / 2), &['i']).unwrap();
        assert!(is_match(&widest, &"é".repeat(LONGEST / 2)));
    }
}
