//! Prose: lines for people outside of tables: broken to the width, harmless, with times in words.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::safe::Safe;
use crate::event::time::{Timestamp, Zone};
use crate::triage::finding::Finding;
use crate::triage::status::SuppressedBy;

/// Width of a line, in columns of a terminal.
const WIDTH: usize = 118;

/// Writes a text in lines; all but the first begin with this many spaces.
pub fn say(out: &mut dyn Write, text: &str, indent: usize) -> io::Result<()> {
    writeln!(out, "{}", wrapped(&Safe(text).to_string(), indent))
}

/// A text of a rule, whose lines are broken where it stands in its file.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text broken into lines as wide as is easily read; all but the first begin with this many spaces. A word that is
/// wider stays whole.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    let lead = text.len() - text.trim_start().len();
    for (number, word) in text.trim_start().split(' ').enumerate() {
        let length = word.width();
        if number == 0 {
            out += &text[..lead];
            width = lead;
        } else if width + 1 + length > WIDTH {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            width = indent;
        } else {
            out.push(' ');
            width += 1;
        }
        out += word;
        width += length;
    }
    out.truncate(out.trim_end().len());
    out
}

/// A stretch of time in a few characters: `2026-03-10 10:20:40 – 10:41:40`.
pub fn when(first: Timestamp, last: Timestamp, zone: Zone) -> String {
    let (first, last) = (first.short(zone), last.short(zone));
    match (first == last, first.get(..10) == last.get(..10)) {
        (true, _) => first,
        (false, true) => format!("{first} – {}", &last[11..]),
        (false, false) => format!("{first} – {last}"),
    }
}

/// What put a finding away, behind what it says.
pub fn suppressed(finding: &Finding) -> String {
    match &finding.suppressed_by {
        None => String::new(),
        Some(SuppressedBy::Other) => " (suppressed)".to_owned(),
        Some(SuppressedBy::Answer) => " (suppressed by an answer)".to_owned(),
        Some(SuppressedBy::Entry { reason, expires, .. }) => format!(" (suppressed until {expires}: {reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let text = format!("  {}", vec!["word"; 60].join(" "));
        let lines: Vec<String> = wrapped(&text, 4).lines().map(str::to_owned).collect();
        assert!(lines.len() == 3 && lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert!(lines[0].starts_with("  word") && lines[1].starts_with("    word"));
        assert_eq!(wrapped("a  b", 0), "a  b");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let text = format!("  {}", vec!["山田太郎"; 30].join(" "));
        let lines: Vec<String> = wrapped(&text, 4).lines().map(str::to_owned).collect();
        assert!(lines.len() == 3 && lines.iter().all(|line| line.width() <= WIDTH), "{lines:#?}");
    }
}
