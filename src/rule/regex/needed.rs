//! Needed: texts of which one stands in each text in ASCII that an expression matches. Most texts have none of them, and
//! need not be compared with the expression, or have it compiled.

use std::cmp::Reverse;

use memchr::memmem::Finder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// More texts than these take longer to look for than the expression.
const MOST: usize = 16;

/// Texts of which one is needed, in lower case; none if nothing is.
#[derive(Clone, Debug)]
pub(super) struct Needed(Vec<Finder<'static>>);

impl Needed {
    /// What an expression needs, with case or without.
    pub(super) fn of(hir: &Hir) -> Needed {
        Needed(any_of(hir).iter().map(|text| Finder::new(text).into_owned()).collect())
    }

    /// Whether a text in ASCII, in lower case, has what is needed.
    pub(super) fn stands_in(&self, lower: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|text| text.find(lower.as_bytes()).is_some())
    }
}

/// Texts of which one stands in each text that matches.
fn any_of(hir: &Hir) -> Vec<String> {
    if let Some(text) = exact(hir) {
        return if text.is_empty() { vec![] } else { vec![text] };
    }
    match hir.kind() {
        HirKind::Capture(capture) => any_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => any_of(&repetition.sub),
        HirKind::Concat(parts) => best_of(parts),
        HirKind::Alternation(parts) => {
            let each: Vec<Vec<String>> = parts.iter().map(any_of).collect();
            let is_open = each.iter().any(Vec::is_empty) || each.iter().map(Vec::len).sum::<usize>() > MOST;
            if is_open { vec![] } else { each.concat() }
        }
        _ => vec![],
    }
}

/// What one of the parts needs, or several that stand side by side: the longest texts, and the fewest of them.
fn best_of(parts: &[Hir]) -> Vec<String> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut joined = String::new();
    for part in parts {
        if let Some(text) = exact(part) {
            joined += &text;
            continue;
        }
        all.push(vec![std::mem::take(&mut joined)]);
        all.push(any_of(part));
    }
    all.push(vec![joined]);
    let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
    all.retain(|texts| shortest(texts) > 0);
    all.into_iter().max_by_key(|texts| (shortest(texts), Reverse(texts.len()))).unwrap_or_default()
}

/// The only text in ASCII that matches, whatever its case.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok().filter(|text| text.is_ascii())?;
            Some(text.to_ascii_lowercase())
        }
        HirKind::Class(Class::Unicode(class)) => {
            // Two letters outside of ASCII have small or large forms in it.
            let ascii = |c: char| match c {
                '\u{17f}' => Some('s'),
                '\u{212a}' => Some('k'),
                c => c.is_ascii().then(|| c.to_ascii_lowercase()),
            };
            let mut members = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            let first = ascii(members.next()?)?;
            members.all(|c| ascii(c) == Some(first)).then(|| first.to_string())
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_and_fewest_are_taken() {
        let many: Vec<String> = (0..=MOST).map(|n| format!("{n}x")).collect();
        for (expression, texts) in [
            (r"\bCertutil(\.exe)?\b[^\n]*-(urlcache|decode)", vec!["certutil"]),
            (r"\b(curl|wget)\s[^\n]*(-o)", vec!["curl", "wget"]),
            (r"(?i:sit\.[k]x)|[kK]a", vec!["sit.kx", "ka"]),
            ("(ab)+[cd]", vec!["ab"]),
            ("(a|b)?x*", vec![]),
            ("(a|b*)", vec![]),
            ("^[^@]{4,}$", vec![]),
            ("éb", vec![]),
            ("", vec![]),
            (&many.join("|"), vec![]),
        ] {
            assert_eq!(any_of(&regex_syntax::parse(expression).unwrap()), texts, "{expression}");
        }
    }
}
