//! Token: a word, a value or a sign of a condition that an analyst typed, with its place.

use std::ops::Range;

use serde_json::Number;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// a field, `and`, `contains`, …
    Word(String),
    /// text in quotes
    Text(String),
    /// a number
    Number(Number),
    /// `/…/`, with the letters behind it
    Regex(String, String),
    /// `==`, `(`, `,`, …
    Sign(&'static str),
    /// nothing more
    End,
}

/// Something wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// what, and the remedy
    pub message: String,
    /// where, in bytes of the text
    pub place: Range<usize>,
}

impl Mistake {
    /// Something wrong at a place.
    pub fn new(place: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake { message: message.into(), place }
    }

    /// The line of the text that it stands on, and a line with a caret under the place.
    pub fn pointed_out(&self, text: &str) -> (String, String) {
        let start = self.place.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let before = text[line_start..start].chars().count();
        let under = text[start..self.place.end.clamp(start, line_end.max(start))].chars().count().max(1);
        let line = text[line_start..line_end].replace('\t', " ");
        (line, format!("{}{}", " ".repeat(before), "^".repeat(under)))
    }
}

/// Signs, longer ones first.
const SIGNS: &[&str] = &["==", "!=", "<=", ">=", "=~", "&&", "||", "<", ">", "(", ")", "[", "]", ",", "!", "="];

/// Cuts a text into tokens; the last is [`Token::End`].
pub fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Mistake> {
    let mut out: Vec<(Token, Range<usize>)> = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].find(|c: char| !c.is_whitespace()).unwrap_or(text.len() - at);
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            out.push((Token::End, at..at));
            return Ok(out);
        };
        let (token, length) = if matches!(first, '"' | '\'') {
            quoted(rest, first)
                .ok_or_else(|| Mistake::new(at..text.len(), format!("the closing {first} is missing")))?
        } else if first == '/' {
            regex(rest).ok_or_else(|| Mistake::new(at..text.len(), "the closing / is missing"))?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            let length = rest.find(|c: char| !is_part_of_word(c)).unwrap_or(rest.len());
            if length == 0 {
                let message = format!("{first:?} means nothing here; write text in quotes");
                return Err(Mistake::new(at..at + first.len_utf8(), message));
            }
            let word = &rest[..length];
            let number = serde_json::from_str(word).map(Token::Number);
            (number.unwrap_or_else(|_| Token::Word(word.to_owned())), length)
        };
        out.push((token, at..at + length));
        at += length;
    }
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | ':' | '$')
}

/// Text up to the mark that opened it, and where it ends. `\` takes the meaning of the mark away; before anything
/// else it stays, as in a rule.
fn closed(rest: &str, mark: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, next) = chars.next()?;
                if next != mark {
                    out.push('\\');
                }
                out.push(next);
            }
            c if c == mark => return Some((out, at + 1)),
            c => out.push(c),
        }
    }
    None
}

/// Text up to the closing quote.
fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    closed(rest, quote).map(|(text, end)| (Token::Text(text), end))
}

/// A regular expression up to the closing slash, and the letters behind it.
fn regex(rest: &str) -> Option<(Token, usize)> {
    let (text, end) = closed(rest, '/')?;
    let behind = &rest[end..];
    let length = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
    Some((Token::Regex(text, behind[..length].to_owned()), end + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn every_kind() {
        let want = [
            Token::Word("a.b-c".into()),
            Token::Sign("=="),
            Token::Text("it's \"x\" \\* \\\\".into()),
            Token::Sign("&&"),
            Token::Number(Number::from_f64(-1.5).unwrap()),
            Token::Regex("^a/b\\d$".into(), "i".into()),
            Token::End,
        ];
        assert_eq!(all(r#"a.b-c=="it's \"x\" \* \\" && -1.5 /^a\/b\d$/i"#), want);
        assert_eq!(all(" "), [Token::End]);
    }

    #[test]
    fn what_is_not_closed_is_pointed_out() {
        for (text, line) in [("a == \"x", "     ^^"), ("é == 'x", "     ^^"), ("a =~ /x", "     ^^"), ("a ; b", "  ^")]
        {
            let mistake = tokens(text).unwrap_err();
            assert_eq!(mistake.pointed_out(text), (text.to_owned(), line.to_owned()));
        }
        let text = "a == 1\nand ;";
        assert_eq!(tokens(text).unwrap_err().pointed_out(text), ("and ;".to_owned(), "    ^".to_owned()));
    }
}
