//! Query: a condition on one event as an analyst types it (`actor.name == "x" and not mfa.used == true`). It
//! becomes the same expression that a detection becomes, test by test, so both mean the same.

use std::ops::Range;

use serde_json::Value as Yaml;

use super::condition::DEEPEST;
use super::detection::{self, Warnings};
use super::expr::Expr;
use super::token::{Mistake, Token, tokens};
use crate::event::field::Field;
use crate::event::nearest::hint;

/// A comparison: how it is written, the modifiers that it stands for, and the values that it takes.
struct Comparison {
    words: &'static [&'static str],
    modifiers: &'static str,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// one value, or the field behind it
    One,
    /// a value, or a list of which one has to match
    Some,
    /// a list
    List,
    /// `/…/`, or text
    Regex,
    Nothing,
}

const COMPARISONS: &[Comparison] = &[
    Comparison { words: &["=="], modifiers: "", takes: Takes::One },
    Comparison { words: &["!="], modifiers: "|neq", takes: Takes::One },
    Comparison { words: &["<="], modifiers: "|lte", takes: Takes::One },
    Comparison { words: &[">="], modifiers: "|gte", takes: Takes::One },
    Comparison { words: &["<"], modifiers: "|lt", takes: Takes::One },
    Comparison { words: &[">"], modifiers: "|gt", takes: Takes::One },
    Comparison { words: &["=~"], modifiers: "|re", takes: Takes::Regex },
    Comparison { words: &["matches"], modifiers: "|re", takes: Takes::Regex },
    Comparison { words: &["in"], modifiers: "", takes: Takes::List },
    Comparison { words: &["not", "in"], modifiers: "|neq", takes: Takes::List },
    Comparison { words: &["contains"], modifiers: "|contains", takes: Takes::Some },
    Comparison { words: &["startswith"], modifiers: "|startswith", takes: Takes::Some },
    Comparison { words: &["endswith"], modifiers: "|endswith", takes: Takes::Some },
    Comparison { words: &["cidr"], modifiers: "|cidr", takes: Takes::Some },
    Comparison { words: &["exists"], modifiers: "|exists", takes: Takes::Nothing },
];

/// Compiles a condition. Warnings are of fields, event types and words that no source documents.
pub fn compile(text: &str, warnings: &mut Warnings) -> Result<Expr, Mistake> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, warnings };
    let expr = parser.or()?;
    match parser.peek() {
        Token::End => Ok(expr),
        Token::Sign(")") => Err(parser.mistake("this parenthesis was never opened")),
        _ => Err(parser.mistake("`and`, `or` or the end is expected here")),
    }
}

/// Understands a list of fields, as `--stack` takes it.
pub fn fields(text: &str, warnings: &mut Warnings) -> Result<Vec<Field>, String> {
    let one = |name: &str| detection::field(name.trim(), warnings).map_err(|fault| fault.message);
    text.split(',').map(one).collect()
}

struct Parser<'a> {
    tokens: &'a [(Token, Range<usize>)],
    at: usize,
    depth: usize,
    warnings: &'a mut Warnings,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.place(), message)
    }

    /// The next token; the end stays.
    fn next(&mut self) -> (Token, Range<usize>) {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is(&self, ahead: usize, word: &str) -> bool {
        match self.tokens.get(self.at + ahead).map(|(token, _)| token) {
            Some(Token::Word(other)) => other.eq_ignore_ascii_case(word),
            Some(Token::Sign(sign)) => *sign == word,
            _ => false,
        }
    }

    fn next_is(&mut self, words: [&str; 2]) -> bool {
        let is = words.iter().any(|word| self.is(0, word));
        self.at += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<Expr, Mistake> {
        let mut parts = vec![self.and()?];
        while self.next_is(["or", "||"]) {
            parts.push(self.and()?);
        }
        Ok(Expr::any(parts))
    }

    fn and(&mut self) -> Result<Expr, Mistake> {
        let mut parts = vec![self.not()?];
        while self.next_is(["and", "&&"]) {
            parts.push(self.not()?);
        }
        Ok(Expr::all(parts))
    }

    fn not(&mut self) -> Result<Expr, Mistake> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.mistake(format!("more than {DEEPEST} levels of parentheses and `not`")));
        }
        let open = self.place();
        let expr = if self.next_is(["not", "!"]) {
            Expr::Not(Box::new(self.not()?))
        } else if self.next_is(["(", "("]) {
            let inner = self.or()?;
            if !self.next_is([")", ")"]) {
                let is_end = *self.peek() == Token::End;
                let message = "`and`, `or` or `)` is expected here";
                return Err(if is_end { Mistake::new(open, "this is never closed") } else { self.mistake(message) });
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Expr, Mistake> {
        let (token, place) = self.next();
        let name = match token {
            Token::Word(name) if name.eq_ignore_ascii_case("exists") => {
                return Err(Mistake::new(place, "`exists` stands behind its field: mfa.used exists"));
            }
            Token::Word(name) => name,
            Token::End => return Err(Mistake::new(place, "a field is expected here")),
            _ => return Err(Mistake::new(place, "a field is expected here, such as actor.name; it takes no quotes")),
        };
        detection::field(&name, self.warnings).map_err(|fault| Mistake::new(place, fault.message))?;
        let comparison = self.comparison()?;
        let start = self.place();
        let (modifiers, value) = self.value(comparison)?;
        let place = start.start..self.tokens[self.at - 1].1.end.max(start.start);
        let key = format!("{name}{modifiers}");
        detection::test(&key, &value, self.warnings)
            .map_err(|fault| Mistake::new(place, plain(&fault.message, &key, &name)))
    }

    fn comparison(&mut self) -> Result<&'static Comparison, Mistake> {
        let fits = |c: &&Comparison| c.words.iter().enumerate().all(|(ahead, word)| self.is(ahead, word));
        if let Some(found) = COMPARISONS.iter().find(fits) {
            self.at += found.words.len();
            return Ok(found);
        }
        Err(self.mistake(match self.peek() {
            Token::Sign("=") => "write == to compare".to_owned(),
            Token::Word(word) if word == "not" => "`not` stands before the field, as in not app.name exists".to_owned(),
            Token::Word(word) => {
                let hint = hint(word, COMPARISONS.iter().map(|c| c.words[0]));
                format!("`{word}` is not a comparison{hint}")
            }
            _ => "a comparison is expected here: == != < <= > >= =~ in contains startswith endswith cidr exists"
                .to_owned(),
        }))
    }

    /// What a field is compared with, and the modifiers that say how.
    fn value(&mut self, comparison: &Comparison) -> Result<(String, Yaml), Mistake> {
        let modifiers = comparison.modifiers.to_owned();
        match comparison.takes {
            Takes::Nothing => Ok((modifiers, Yaml::Bool(true))),
            Takes::Regex => {
                let (token, place) = self.next();
                match token {
                    Token::Text(text) => Ok((modifiers, text.into())),
                    Token::Regex(text, letters) => match letters.chars().find(|c| !matches!(c, 'i' | 'm' | 's')) {
                        None => Ok((letters.chars().fold(modifiers, |all, c| format!("{all}|{c}")), text.into())),
                        Some(other) => {
                            Err(Mistake::new(place, format!("`{other}` behind a /…/ means nothing: i, m or s")))
                        }
                    },
                    _ => Err(Mistake::new(place, "a regular expression is expected here: /…/")),
                }
            }
            Takes::List | Takes::Some if self.is(0, "[") => Ok((modifiers, self.list()?)),
            Takes::List => Err(self.mistake("a list is expected here: [\"FR\", \"US\"]")),
            Takes::One if self.is(0, "[") => Err(self.mistake("a list takes `in` or `not in`")),
            Takes::Some => Ok((modifiers, self.single()?)),
            Takes::One => match self.peek().clone() {
                Token::Word(other) if !is_literal(&other) && matches!(comparison.words[0], "==" | "!=") => {
                    if detection::field(&other, self.warnings).is_err() {
                        return Err(self.mistake(format!("{other:?} is not a field; write text in quotes")));
                    }
                    self.at += 1;
                    Ok((format!("{modifiers}|fieldref"), other.into()))
                }
                _ => Ok((modifiers, self.single()?)),
            },
        }
    }

    fn list(&mut self) -> Result<Yaml, Mistake> {
        let open = self.next().1;
        let mut values = Vec::new();
        loop {
            values.push(self.single()?);
            match self.next() {
                (Token::Sign(","), _) => {}
                (Token::Sign("]"), _) => return Ok(Yaml::Array(values)),
                (Token::End, _) => return Err(Mistake::new(open, "this is never closed")),
                (_, place) => return Err(Mistake::new(place, "`,` or `]` is expected here")),
            }
        }
    }

    fn single(&mut self) -> Result<Yaml, Mistake> {
        let (token, place) = self.next();
        match token {
            Token::Text(text) => Ok(text.into()),
            Token::Number(number) => Ok(Yaml::Number(number)),
            Token::Word(word) if is_literal(&word) => Ok(match word.to_ascii_lowercase().as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => Yaml::Null,
            }),
            Token::Word(word) => Err(Mistake::new(place, format!("write text in quotes: {word:?}"))),
            _ => Err(Mistake::new(place, "a value is expected here: text in quotes, a number, true, false or null")),
        }
    }
}

fn is_literal(word: &str) -> bool {
    ["true", "false", "null"].iter().any(|literal| word.eq_ignore_ascii_case(literal))
}

/// A message about a test of a rule, in the words of a condition.
fn plain(message: &str, key: &str, name: &str) -> String {
    match name {
        "timestamp" if message.contains("numbers are compared") => {
            "numbers are compared here; times are chosen with --since and --until".to_owned()
        }
        _ => message.replace(&format!("`{key}`"), &format!("`{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::json::Json;

    const EVENT: &str = r#"{"timestamp":"2026-03-02T09:05:00Z","event_type":"radius_auth","success":false,
        "username":"Jane.Doe","error_code":49,"organization":"o","provider":null,"client_ip":"10.1.2.3",
        "initiated_by":{"type":"user","username":"jane.doe","id":"u1"},"resource":{"type":"user","id":"U1"},
        "useragent":{"name":"Python Requests"},"changes":[{"field":"sudo","to":true},{"field":"mail","to":"a/b"}]}"#;

    fn check(text: &str) -> Result<bool, Mistake> {
        let json = Json::parse(EVENT).unwrap();
        compile(text, &mut Vec::new()).map(|expr| expr.matches(&Event::new(&json).unwrap()))
    }

    #[test]
    fn it_means_what_a_rule_means() {
        for (text, want) in [
            (r#"actor.name == "JANE.doe""#, true),
            ("actor.name == 'jane*'", true),
            (r"actor.name == 'jane\*'", false),
            ("actor.name != 'jane.doe'", false),
            ("process_name != 'sshd'", false),
            ("not process_name == 'sshd'", true),
            ("event_type == 'radius_auth'", true),
            ("event_type in ['sso_auth', 'radius_auth_attempt']", true),
            ("event_type =~ /^radius_auth$/", true),
            ("event_type not in ['sso_auth']", true),
            ("event_type not in ['sso_auth', 'radius_auth']", false),
            ("agent.name == 'python-requests'", true),
            ("outcome == \"failure\" and error_code == 49", true),
            ("error_code == '49'", true),
            ("error_code > 48 && error_code <= 49 and not error_code < 49", true),
            ("error_code >= 50 || error_code != 50", true),
            ("success == false", true),
            ("success == true", false),
            ("provider == null", true),
            ("process_name == null", true),
            ("username == null", false),
            ("username != null", true),
            ("username exists", true),
            ("process_name exists", false),
            ("not process_name exists", true),
            ("username contains 'ne.d'", true),
            ("username contains ['x', 'ne.d']", true),
            ("username startswith 'jane' and username endswith 'DOE'", true),
            ("username matches /^Jane/", true),
            ("username =~ /^jane/", false),
            ("username =~ /^jane/i", true),
            ("username =~ '^Jane'", true),
            (r"changes.mail.to =~ /^a\/b$/", true),
            ("raw.changes.field == 'mail'", true),
            ("changes.sudo.trend == 'on'", true),
            ("raw.event_type == 'radius_auth'", true),
            ("client_ip cidr '10.0.0.0/8'", true),
            ("client_ip cidr ['192.168.0.0/16']", false),
            ("actor.id == target.id", true),
            ("actor.id != target.id", false),
            ("not (outcome == 'success' or username == 'x') and username == 'jane.doe'", true),
            ("username == 'x' and username == 'y' or outcome == 'failure'", true),
            ("username == 'x' and (username == 'y' or outcome == 'failure')", false),
            ("NOT username == 'x' AND ! (username == 'y')", true),
        ] {
            assert_eq!(check(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn mistakes_are_pointed_out() {
        for (text, line, want) in [
            ("acter.name == 'x'", "^^^^^^^^^^", "did you mean `actor.name`?"),
            ("changes.sudo.trnd == 'x'", "^^^^^^^^^^^^^^^^^", "did you mean `changes.sudo.trend`?"),
            ("actor.name = 'x'", "           ^", "write =="),
            ("actor.name == x", "              ^", "write text in quotes"),
            ("actor.name is 'x'", "           ^^", "`is` is not a comparison"),
            ("source.country not exists", "               ^^^", "`not` stands before the field"),
            ("actor.name containz 'x'", "           ^^^^^^^^", "did you mean `contains`?"),
            ("actor.name == ['x']", "              ^", "a list takes `in`"),
            ("actor.name in 'x'", "              ^^^", "a list is expected"),
            ("actor.name in []", "               ^", "a value is expected"),
            ("actor.name in ['x'", "              ^", "never closed"),
            ("actor.name in ['x' 'y']", "                   ^^^", "`,` or `]`"),
            ("(actor.name == 'x'", "^", "never closed"),
            ("(actor.name == 'x' actor.name", "                   ^^^^^^^^^^", "`and`, `or` or `)`"),
            ("actor.name == 'x')", "                 ^", "never opened"),
            ("actor.name == 'x' actor.name", "                  ^^^^^^^^^^", "`and`, `or` or the end"),
            ("actor.name == 'x' and", "                     ^", "a field is expected"),
            ("'x' == actor.name", "^^^", "a field is expected"),
            ("", "^", "a field is expected"),
            ("actor.name", "          ^", "a comparison is expected"),
            ("actor.name ==", "             ^", "a value is expected"),
            ("exists actor.name", "^^^^^^", "behind its field"),
            ("error_code > 'many'", "             ^^^^^^", "numbers are compared"),
            ("timestamp > '2026-03-02'", "            ^^^^^^^^^^^^", "--since"),
            ("actor.name =~ /(/", "              ^^^", "not a regular expression"),
            ("actor.name =~ /x/g", "              ^^^^", "means nothing"),
            ("actor.name =~ 5", "              ^", "a regular expression is expected"),
            ("client_ip cidr '10.0.0.0/99'", "               ^^^^^^^^^^^^^", "is not a network"),
        ] {
            let mistake = check(text).unwrap_err();
            assert_eq!(mistake.pointed_out(text).1, line, "{text}: {}", mistake.message);
            assert!(mistake.message.contains(want), "{text}: {}", mistake.message);
        }
        let deep = format!("{}username exists{}", "(".repeat(5000), ")".repeat(5000));
        assert!(check(&deep).unwrap_err().message.contains("levels"));
    }

    #[test]
    fn a_misspelt_event_type_is_a_warning() {
        let mut warnings = Vec::new();
        compile("event_type == 'user_login_atempt'", &mut warnings).unwrap();
        assert!(warnings[0].message.contains("did you mean `user_login_attempt`?"));
    }
}
