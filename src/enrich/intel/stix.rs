//! STIX 2.1 indicators: those whose pattern says "one of these values".

use super::builder::{Builder, Detail};
use super::indicator::{HASH, Kind, URL};
use crate::enrich::At;
use crate::event::json::Json;

/// Reason: an identity, a relationship, a report, …
pub const NO_INDICATOR: &str = "a STIX object that is no indicator";
/// Reason: withdrawn by its author.
pub const REVOKED: &str = "revoked";
/// Reason: YARA, Snort, Sigma, …
pub const LANGUAGE: &str = "a pattern in another language than STIX";
/// Reason: one value alone says nothing where several conditions have to hold.
pub const JOINED: &str = "a pattern that joins conditions or compares other than by =, IN, ISSUBSET";
/// Reason: cut off, or never right.
pub const BROKEN: &str = "a broken pattern";
/// Reason: a process, a registry key, a mutex, …
pub const OTHER_TYPE: &str = "of a type that sign-ins do not have";

/// Whether an object is one of STIX: its id says its type, or it is an indicator with a pattern.
pub fn is_object(object: &Json<'_>) -> bool {
    object.text_at(&["id"]).is_some_and(|id| id.contains("--")) || object.get("pattern").is_some()
}

/// Reads an object of a bundle.
pub fn object(object: &Json<'_>, at: At, builder: &mut Builder) {
    if object.text_at(&["type"]) != Some("indicator") {
        return builder.skipped.add(NO_INDICATOR, at);
    }
    if object.answer_at(&["revoked"]) == Some(true) {
        return builder.skipped.add(REVOKED, at);
    }
    if object.text_at(&["pattern_type"]).is_some_and(|language| !language.eq_ignore_ascii_case("stix")) {
        return builder.skipped.add(LANGUAGE, at);
    }
    let detail = Detail {
        description: object.text_at(&["name"]).or_else(|| object.text_at(&["description"])).map(str::to_owned),
        ..Detail::default()
    };
    let end = object.get("valid_until").map(|end| match end {
        Json::Text(text) => text.to_string(),
        other => other.to_string(),
    });
    let detail = detail.ending(end.as_deref());
    match alternatives(object.text_at(&["pattern"]).unwrap_or_default()) {
        Err(reason) => builder.skipped.add(reason, at),
        Ok(alternatives) => {
            for (path, value) in alternatives {
                match kind(&path) {
                    Ok(kind) => builder.offer(&value, kind, Some(detail.clone()), at),
                    Err(reason) => builder.skipped.add(reason, at),
                }
            }
        }
    }
}

/// What a path of a pattern holds; `None` for an address or a domain.
fn kind(path: &str) -> Result<Option<Kind>, &'static str> {
    let (object, property) = path.split_once(':').unwrap_or((path, ""));
    Ok(match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") => Some(Kind::Ip),
        ("domain-name", "value") => Some(Kind::Domain),
        ("email-addr", "value") | ("email-message", "from_ref.value" | "sender_ref.value") => Some(Kind::Email),
        ("network-traffic", "src_ref.value" | "dst_ref.value") => None,
        ("user-account", "user_id" | "account_login") => Some(Kind::User),
        (_, property) if property.to_ascii_lowercase().contains("user-agent") => Some(Kind::UserAgent),
        ("url", _) => return Err(URL),
        (_, property) if property.starts_with("hashes") => return Err(HASH),
        _ => return Err(OTHER_TYPE),
    })
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// Paths and values of a pattern of which any one suffices.
fn alternatives(pattern: &str) -> Result<Vec<(String, String)>, &'static str> {
    let tokens = tokens(pattern).ok_or(BROKEN)?;
    let mut rest = tokens.iter().peekable();
    let mut out = Vec::new();
    // Whether a comparison has to come next; brackets around alternatives change nothing.
    let mut is_open = true;
    let mut depth = 0_u32;
    while let Some(token) = rest.next() {
        match token {
            Token::Sign('[' | '(') if is_open => depth += 1,
            Token::Sign(']' | ')') if !is_open => depth = depth.checked_sub(1).ok_or(BROKEN)?,
            Token::Word(word) if !is_open && word == "OR" => is_open = true,
            Token::Word(word) if !is_open && word == "FOLLOWEDBY" || word == "NOT" => return Err(JOINED),
            Token::Word(path) if is_open && path.contains(':') && depth > 0 => {
                comparison(path, &mut rest, &mut out)?;
                is_open = false;
            }
            Token::Word(_) if !is_open => return Err(JOINED),
            _ => return Err(BROKEN),
        }
    }
    if is_open || depth > 0 { Err(BROKEN) } else { Ok(out) }
}

fn comparison<'t>(
    path: &str,
    rest: &mut impl Iterator<Item = &'t Token>,
    out: &mut Vec<(String, String)>,
) -> Result<(), &'static str> {
    let operator = rest.next().ok_or(BROKEN)?;
    match (operator, rest.next().ok_or(BROKEN)?) {
        (Token::Sign('='), Token::Text(value)) => out.push((path.to_owned(), value.clone())),
        (Token::Word(word), Token::Text(value)) if word == "ISSUBSET" => out.push((path.to_owned(), value.clone())),
        (Token::Word(word), Token::Sign('(')) if word == "IN" => loop {
            match rest.next().ok_or(BROKEN)? {
                Token::Text(value) => out.push((path.to_owned(), value.clone())),
                Token::Sign(',') => {}
                Token::Sign(')') => break,
                _ => return Err(BROKEN),
            }
        },
        _ => return Err(JOINED),
    }
    Ok(())
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => {}
            '\'' => out.push(Token::Text(quoted(&mut rest)?)),
            '[' | ']' | '(' | ')' | ',' | '=' | '<' | '>' | '!' => out.push(Token::Sign(c)),
            first => {
                let mut word = String::from(first);
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && !"](),=<>!".contains(*c)) {
                    match c {
                        // a key in quotes: `request_header.'User-Agent'`
                        '\'' => word.push_str(&quoted(&mut rest)?),
                        // an element of a list: `to_refs[0].value`
                        '[' => while rest.next()? != ']' {},
                        c => word.push(c),
                    }
                }
                out.push(Token::Word(word));
            }
        }
    }
    Some(out)
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(text),
            '\\' => text.push(rest.next()?),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pattern: &str) -> String {
        match alternatives(pattern) {
            Ok(all) => all.iter().map(|(path, value)| format!("{path} {value}")).collect::<Vec<_>>().join("; "),
            Err(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn alternatives_of_a_pattern() {
        for (pattern, want) in [
            ("[ipv4-addr:value = '1.2.3.4']", "ipv4-addr:value 1.2.3.4"),
            ("[a:value='x' OR b:value = 'y'] OR [c:value = 'z']", "a:value x; b:value y; c:value z"),
            ("([ipv4-addr:value ISSUBSET '1.2.3.0/24'])", "ipv4-addr:value 1.2.3.0/24"),
            ("[a:value IN ('x', 'it\\'s')]", "a:value x; a:value it's"),
            ("[a:b.'User-Agent' = 'curl' OR m:to_refs[0].value='q']", "a:b.User-Agent curl; m:to_refs.value q"),
            ("[a:value = 'x' AND b:value = 'y']", JOINED),
            ("[a:value = 'x'] FOLLOWEDBY [b:value = 'y']", JOINED),
            ("[a:value = 'x'] WITHIN 5 SECONDS", JOINED),
            ("[a:value LIKE 'x%']", JOINED),
            ("[a:value != 'x']", JOINED),
            ("[a:value = 5]", JOINED),
            ("[NOT a:value = 'x']", JOINED),
            ("[a:value = 'x'", BROKEN),
            ("[a:value = 'x", BROKEN),
            ("a:value = 'x'", BROKEN),
            ("[a:value = 'x' OR]", BROKEN),
            ("", BROKEN),
        ] {
            assert_eq!(shown(pattern), want, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_is_no_panic(pattern in "[\\[\\]()a:='\\\\ ORIN,.\u{e9}]{0,40}") {
            let _ = alternatives(&pattern);
        }
    }
}
