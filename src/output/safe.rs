//! Safe: foreign text on its way to a terminal, a page of Markdown or a table. An attacker chose the user names and agents.

use std::fmt;

/// Characters of a text that are shown; nobody reads more, and a table takes its time for each.
const LONGEST: usize = 4000;

/// A text that shows what it holds and does nothing: control characters, escape sequences, the characters that turn
/// the direction of writing, and those that nobody sees are shown as `\u{…}`. What is too long to be read is cut.
#[derive(Clone, Copy, Debug)]
pub struct Safe<'t>(pub &'t str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                write_harmless(&self.0[..end], f)?;
                f.write_str("…")
            }
            None => write_harmless(self.0, f),
        }
    }
}

impl Safe<'_> {
    /// The same, cut at so many characters as they are shown.
    pub fn cut(self, longest: usize) -> String {
        let mut out = String::new();
        let mut length = 0;
        for c in self.0.chars() {
            length += if is_harmful(c) { c.escape_unicode().len() } else { 1 };
            match length > longest {
                true => return out + "…",
                false if is_harmful(c) => out.extend(c.escape_unicode()),
                false => out.push(c),
            }
        }
        out
    }
}

fn write_harmless(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for c in text.chars() {
        if is_harmful(c) {
            write!(f, "{}", c.escape_unicode())?;
        } else {
            fmt::Write::write_char(f, c)?;
        }
    }
    Ok(())
}

/// A text that Markdown shows as it is: no markup, no link, no line break.
#[derive(Clone, Copy, Debug)]
pub struct Markdown<'t>(pub &'t str);

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Safe(self.0).to_string();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            // What would become a link by itself, too.
            let is_link = rest.starts_with("://") || c == '.' && ends_in_www(&text[..text.len() - rest.len()]);
            if r"\`*_{}[]<>#!|~&".contains(c) || is_link {
                fmt::Write::write_char(f, '\\')?;
            }
            fmt::Write::write_char(f, c)?;
            rest = &rest[c.len_utf8()..];
        }
        Ok(())
    }
}

fn ends_in_www(text: &str) -> bool {
    let end: String = text.chars().rev().take(3).collect();
    end.eq_ignore_ascii_case("www")
}

/// A cell of CSV that a spreadsheet shows and does not calculate, and a terminal too: a quote goes in front of what
/// would start a formula; control characters are as in [`Safe`]. It is data, so nothing is cut.
#[derive(Clone, Copy, Debug)]
pub struct SafeCell<'t>(pub &'t str);

impl fmt::Display for SafeCell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.trim_start().starts_with(['=', '+', '-', '@']) {
            f.write_str("'")?;
        }
        write_harmless(self.0, f)
    }
}

/// What acts, and what is not seen: the separators of lines, the marks around annotations, and all ignorable ones.
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}') || is_ignorable(c)
}

/// Characters that are shown as nothing, so that two names look alike: Unicode's `Default_Ignorable_Code_Point`
/// (DerivedCoreProperties.txt). Among them are what turns the direction of writing, and the selector that makes some signs
/// coloured: `❤\u{fe0f}` can be read, and `❤` with and without it cannot be told apart.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_text() {
        assert_eq!(Markdown("alice.adler (FR), 12:30").to_string(), "alice.adler (FR), 12:30");
        assert_eq!(Markdown("[x](http://e.vil) www.e.vil").to_string(), r"\[x\](http\://e.vil) www\.e.vil");
        assert_eq!(Markdown("<img> a|b\n# x `y`").to_string(), r"\<img\> a\|b\\u\{a\}\# x \`y\`");
    }

    #[test]
    fn escapes_what_acts() {
        assert_eq!(Safe("Zoë 🦀").to_string(), "Zoë 🦀");
        let long = "ö".repeat(100_000);
        assert_eq!(Safe(&long).to_string().chars().count(), LONGEST + 1);
        assert_eq!(SafeCell(&long).to_string(), long);
        assert_eq!(Safe(&long).cut(3), "ööö…");
        assert_eq!((Safe("a\u{7}b").cut(6), Safe("a\u{7}b").cut(7)), ("a\\u{7}…".to_owned(), "a\\u{7}b".to_owned()));
        assert_eq!(Safe("\u{1b}[31mred\n\u{202e}x").to_string(), "\\u{1b}[31mred\\u{a}\\u{202e}x");
    }

    /// The list is the one of Unicode, as the engine of `re` has it.
    #[test]
    fn nothing_is_there_that_nobody_sees() {
        let hir = regex_syntax::parse(r"\p{Default_Ignorable_Code_Point}").unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = hir.kind() else { panic!() };
        for c in '\0'..=char::MAX {
            let is_ignorable = class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
            assert_eq!(super::is_ignorable(c), is_ignorable, "{}", c.escape_unicode());
        }
        assert_eq!(Safe("al\u{ad}ice ❤\u{fe0f} 🏴\u{e0067}").to_string(), "al\\u{ad}ice ❤\\u{fe0f} 🏴\\u{e0067}");
        assert_eq!(SafeCell("\u{3164}\u{fffa}").to_string(), "\\u{3164}\\u{fffa}");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", " =1"] {
            assert_eq!(SafeCell(text).to_string(), format!("'{text}"));
        }
        assert_eq!(SafeCell("\t=1\u{1b}[2J").to_string(), "'\\u{9}=1\\u{1b}[2J");
        assert_eq!(SafeCell("a=1, \"b\"").to_string(), "a=1, \"b\"");
    }
}
