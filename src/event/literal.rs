//! Literal: a nested value as Python writes it, in cells that pandas wrote: `{'type': 'user', 'mfa': True}`.

use std::iter::Peekable;
use std::str::Chars;

/// The same value as JSON; `None` if it is none.
pub fn to_json(literal: &str) -> Option<String> {
    let mut json = String::with_capacity(literal.len() + 8);
    let mut rest = literal.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '\'' | '"' => json.push_str(&serde_json::to_string(&text(first, &mut rest)?).ok()?),
            first if first.is_ascii_alphabetic() => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(char::is_ascii_alphabetic) {
                    word.push(next);
                }
                json.push_str(match word.as_str() {
                    "True" | "true" => "true",
                    "False" | "false" => "false",
                    "None" | "null" | "nan" => "null",
                    // of a number
                    "e" | "E" => "e",
                    _ => return None,
                });
            }
            other => json.push(other),
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok().then_some(json)
}

/// A text behind its first quote, to the last one.
fn text(quote: char, rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\\' => match rest.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'x' => text.push(by_number(2, rest)?),
                'u' => text.push(by_number(4, rest)?),
                'U' => text.push(by_number(8, rest)?),
                same => text.push(same),
            },
            end if end == quote => return Some(text),
            other => text.push(other),
        }
    }
}

/// A character by its number in so many hexadecimal digits.
fn by_number(digits: usize, rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    (0..digits).try_fold(0, |number, _| Some(number << 4 | rest.next()?.to_digit(16)?)).and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_python_are_json() {
        for (literal, json) in [
            ("{'a': True, 'b': None, 'c': [False, 1.5e3, -2]}", r#"{"a": true, "b": null, "c": [false, 1.5e3, -2]}"#),
            (r#"{'name': "O'Brien", "x": 'say "hi"'}"#, r#"{"name": "O'Brien", "x": "say \"hi\""}"#),
            (r"['a\'b', '\\', '\xe9\u00e9\n']", r#"["a'b", "\\", "éé\n"]"#),
            ("{'True': 'None'}", r#"{"True": "None"}"#),
            (r#"{"a": "b"}"#, r#"{"a": "b"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(to_json(literal).as_deref(), Some(json), "{literal}");
        }
        for none in ["{'a': b}", "{'a", "{'a': '\\", "['\\ud800']", "['\\x4']", "(1, 2)", "{'a'}", "{1: 2}", ""] {
            assert_eq!(to_json(none), None, "{none}");
        }
    }
}
