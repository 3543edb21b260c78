//! File: the YAML documents of a rule file, each with the line at which it starts.

use serde_json::Value as Yaml;

/// A document of a rule file.
#[derive(Clone, Copy, Debug)]
pub struct Document<'t> {
    /// its text
    pub text: &'t str,
    /// line of the file at which it starts, from 1
    pub line: usize,
}

impl Document<'_> {
    /// The line of the file on which a word first stands as a key, or else as a value, first in the logic of the rule; the
    /// first line if it does not.
    pub fn line_of(&self, word: &str) -> usize {
        let is_first =
            |line: &str| line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']).starts_with(word);
        let lines = || self.text.lines();
        let logic = lines().position(begins_logic).unwrap_or(usize::MAX);
        let found = lines()
            .position(|line| has_key(line, word))
            .or_else(|| lines().position(is_first))
            .or_else(|| lines().skip(logic).position(|line| has_word(line, word)).map(|at| at + logic))
            .or_else(|| lines().position(|line| line.contains(word)));
        self.line + found.unwrap_or(0)
    }

    /// The first line of the file on which all of some words stand.
    pub fn line_with(&self, words: &[&str]) -> Option<usize> {
        let has_all = |line: &str| words.iter().all(|word| has_word(line, word));
        self.text.lines().position(has_all).map(|at| self.line + at)
    }

    /// The line of the file on which a rule is referred to; its first line if it is not.
    pub fn line_of_reference(&self, name: &str) -> usize {
        // Above stand only words about the rule.
        let mut lines = self.text.lines().enumerate().skip_while(|(_, line)| !begins_logic(line));
        self.line + lines.find(|(_, line)| has_word(line, name)).map_or(0, |(at, _)| at)
    }

    /// The line of the file on which a word stands under a key of the first level; that of the key if it does not.
    pub fn line_under(&self, key: &str, word: &str) -> usize {
        let behind_key = |line: &'_ str| {
            let rest = line.trim_start_matches(['{', ' ', '"', '\'']).strip_prefix(key)?;
            let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
            Some(line.len() - rest.len())
        };
        let is_outer = |line: &str| !line.starts_with([' ', '\t', '-', '#']);
        let mut outer = self.text.lines().enumerate().filter(|(_, line)| is_outer(line));
        let (first, column) = outer.find_map(|(at, line)| Some((at, behind_key(line)?))).unwrap_or((0, 0));
        let is_there = |(at, line): &(usize, &str)| {
            let line = if *at == first { &line[column..] } else { line };
            has_word(without_comment(line), word)
        };
        self.line + self.text.lines().enumerate().skip(first).find(is_there).map_or(first, |(at, _)| at)
    }

    fn holds_tests(&self) -> bool {
        self.text.lines().any(|line| line.starts_with("tests:"))
    }
}

/// Whether a line begins what a rule looks for.
fn begins_logic(line: &str) -> bool {
    ["detection:", "correlation:", "jcdetect:"].iter().any(|key| line.starts_with(key))
}

/// Whether a word stands in a line as a key, with modifiers or without, also of a map in braces.
fn has_key(line: &str, word: &str) -> bool {
    !word.is_empty()
        && line.match_indices(word).any(|(at, _)| {
            let before = line[..at].trim_end_matches(['"', '\'']);
            let behind = line[at + word.len()..].trim_start_matches(['"', '\'']);
            let is_start =
                before.trim_start().trim_start_matches("- ").is_empty() || before.trim_end().ends_with(['{', ',']);
            is_start && (behind.starts_with('|') || behind.starts_with(':'))
        })
}

/// Whether a word stands in a line, and not as a part of another one.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

fn without_comment(line: &str) -> &str {
    let starts = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').map(|(at, _)| at).find(starts).map_or(line, |at| &line[..at])
}

/// The documents of a rule file.
#[derive(Debug)]
pub struct Documents<'t> {
    /// the rule, and the local rules behind it
    pub rules: Vec<Document<'t>>,
    /// the tests, which stand last
    pub tests: Option<Document<'t>>,
}

/// Cuts a file at its `---` lines. Documents of nothing but comments are left out.
pub fn documents(text: &str) -> Documents<'_> {
    let mut rules = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let mut push = |start: usize, end: usize, line: usize| {
        let text = &text[start..end];
        if text.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')) {
            rules.push(Document { text, line });
        }
    };
    let inner = text.match_indices("\n---").map(|(end, _)| end + 1);
    for at in text.starts_with("---").then_some(0).into_iter().chain(inner) {
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
        if text[at..end].trim_end() == "---" {
            push(start, at, start_line);
            start_line += text[start..end].bytes().filter(|byte| *byte == b'\n').count();
            start = end;
        }
    }
    push(start, text.len(), start_line);
    let has_tests = rules.len() > 1 && rules.last().is_some_and(Document::holds_tests);
    let tests = if has_tests { rules.pop() } else { None };
    Documents { rules, tests }
}

/// Parses one document. Booleans are `true` and `false` only, so `[NO, SE]` are two countries; a number
/// with leading zeros is text; a repeated key is an error.
pub fn yaml(text: &str) -> Result<Yaml, YamlError> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| YamlError {
        line: error.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1)),
        message: plain(error.to_string().lines().next().unwrap_or_default()),
    })
}

/// What the parser says, without what it says to programmers.
fn plain(message: &str) -> String {
    if message.contains("null into string") {
        return "a key is missing in front of a colon, or it is `null`: write its name, in quotes if that is the word"
            .to_owned();
    }
    if message.starts_with("multiple YAML documents") {
        return "there is more than one document: leave out the `---` and what stands behind it".to_owned();
    }
    match message.split_once(", set DuplicateKeyPolicy in Options if acceptable") {
        Some((what, at)) => {
            let key = what.rsplit(": ").next().unwrap_or_default();
            format!("the key `{key}` stands twice: leave one out{at}")
        }
        None => message.to_owned(),
    }
}

/// A document that is no YAML.
#[derive(Debug)]
pub struct YamlError {
    /// line within the document, from 1
    pub line: usize,
    /// what the parser said
    pub message: String,
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_lines() {
        let Documents { rules, tests } = documents("# a comment\n---\ntitle: a\nx: 1\n---\ntests:\n  - b\n");
        assert_eq!((rules.len(), rules[0].line, rules[0].line_of("x")), (1, 3, 4));
        assert_eq!(tests.map(|tests| tests.line), Some(6));
        let alone = documents("tests:\n  - b\n");
        assert!(alone.rules.len() == 1 && alone.tests.is_none());
    }

    #[test]
    fn a_mistake_is_found_in_braces_and_not_in_the_title() {
        let text = "title: Sign-in whose outcome is bad\ndescription: >-\n  outcome of it\nname: of-field\ndetection:\n  s: {a: b, outcome: x, 'actor.via|re': y}\ncorrelation: {field: of}\n";
        let document = Document { text, line: 1 };
        let words = [("outcome", 6), ("actor.via", 6), ("field", 7), ("of", 7), ("title", 1), ("bad", 1), ("s", 6)];
        for (word, line) in words {
            assert_eq!(document.line_of(word), line, "{word}");
        }
    }

    #[test]
    fn a_reference_is_found_where_it_stands() {
        let docs =
            documents("title: of x\nname: x-y\ncorrelation:\n  rules:\n    - x-y-z\n    - x\n  timespan: 1h\n").rules;
        assert_eq!((docs[0].line_of_reference("x"), docs[0].line_of_reference("x-y-z")), (6, 5));
        assert_eq!(docs[0].line_of_reference("z"), 1);
    }

    #[test]
    fn a_word_is_found_under_its_key() {
        let text = "# disable: [b]\nenable: [b-c]\n'disable':  # of b\n  - b-c\n  - 'b'\nlevels: {d: low}\n";
        let document = Document { text, line: 1 };
        let lines = [("enable", "b-c"), ("disable", "b-c"), ("disable", "b"), ("levels", "d"), ("levels", "e")];
        assert_eq!(lines.map(|(key, word)| document.line_under(key, word)), [2, 4, 5, 6, 6]);
        let short = Document { text: "{enable: [enable]}", line: 7 };
        assert_eq!((short.line_under("enable", "enable"), short.line_under("x", "y")), (7, 7));
    }

    #[test]
    fn countries_are_no_booleans() {
        let value = yaml("a: [NO, y, on, true]\nb: 0123\nc: 8").unwrap();
        assert_eq!(value["a"], serde_json::json!(["NO", "y", "on", true]));
        assert_eq!(value["b"], serde_json::json!("0123"));
        assert_eq!(value["c"], serde_json::json!(8));
    }

    #[test]
    fn repeated_keys_and_bombs_are_errors() {
        let error = yaml("a: 1\na: 2").unwrap_err();
        assert!(error.message.starts_with("the key `a` stands twice: leave one out"), "{error}");
        for (text, want) in [
            (": :\n", "a key is missing"),
            ("null: x\n", "a key is missing"),
            ("a: 1\n---\nb: 2\n", "more than one document"),
        ] {
            let error = yaml(text).unwrap_err();
            assert!(error.message.contains(want), "{text}: {error}");
        }
        let error = yaml("a: 1\nb: [").unwrap_err();
        assert!(error.line >= 1, "{error}");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let refs = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb += &format!("a{i}: &a{i} [{refs}]\n");
        }
        assert!(yaml(&bomb).is_err());
    }
}
