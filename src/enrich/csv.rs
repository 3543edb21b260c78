//! The rows of a CSV text whose header is known by its names.

use std::borrow::Cow;

use ::csv::{ReaderBuilder, StringRecord};
use memchr::memchr_iter;

use crate::event::letters;

/// Rows of a text and what its columns are called.
#[derive(Debug)]
pub struct Rows<'t> {
    /// the names of the columns, in lower case, without anything but letters and digits
    pub columns: Vec<String>,
    text: Cow<'t, str>,
    delimiter: u8,
    first_line: u64,
}

impl<'t> Rows<'t> {
    /// Looks for a header in which one of the columns is `wanted`, among the lines that start the text. The
    /// header may stand in the last comment, as abuse.ch writes it. Commas, semicolons and tabs separate.
    pub fn find(text: &'t str, wanted: impl Fn(&str) -> bool) -> Option<Rows<'t>> {
        let mut at = 0;
        let spaced = is_spaced(text);
        // Some spreadsheets end lines with a carriage return alone.
        let end = if text.contains('\n') { '\n' } else { '\r' };
        for (number, line) in (1..).zip(text.split_inclusive(end)) {
            at += line.len();
            let is_comment = line.trim_start().starts_with('#');
            let header = line.trim_start().trim_start_matches('#').trim();
            if header.is_empty() {
                continue;
            }
            for delimiter in [b',', b';', b'\t'] {
                let Some(cells) = cells(header, delimiter).filter(|cells| cells.len() > 1 || !is_comment) else {
                    continue;
                };
                let columns: Vec<String> = cells.iter().map(letters::of).collect();
                if !columns.iter().any(|column| wanted(column)) {
                    continue;
                }
                let rows = &text[at..];
                let rows = if spaced { Cow::Owned(rows.replace(SPACED, "\",\"")) } else { Cow::Borrowed(rows) };
                if !is_comment || fits(&rows, &columns, delimiter) {
                    return Some(Rows { columns, text: rows, delimiter, first_line: number + 1 });
                }
            }
            if !is_comment {
                return None;
            }
        }
        None
    }

    /// Calls for each row with its line and its cells. A row that cannot be read has no cells.
    pub fn each(&self, mut row: impl FnMut(u64, Option<&StringRecord>)) {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .comment(Some(b'#'))
            .from_reader(self.text.as_bytes());
        let (mut cells, mut lines) =
            (StringRecord::new(), Lines { text: self.text.as_bytes(), at: 0, line: self.first_line });
        loop {
            let start = reader.position().byte();
            match reader.read_record(&mut cells) {
                Ok(false) => return,
                Ok(true) => row(lines.of_row(start), Some(&cells)),
                Err(_) => row(lines.of_row(start), None),
            }
        }
    }

    /// The place of the first of these columns that is there.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.iter().position(|column| column == name))
    }
}

/// Which line a row stands in. The reader knows only where the one before it ends: in the middle of a line end of two
/// bytes, and before empty lines and comments.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of_row(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.pass(start.saturating_sub(self.at));
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            match rest.first() {
                Some(b'\r' | b'\n') => self.pass(1),
                Some(b'#') => self.pass(rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len())),
                _ => return self.line,
            }
        }
    }

    fn pass(&mut self, length: usize) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let passed = &rest[..length.min(rest.len())];
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.at += passed.len();
    }
}

/// What ThreatFox writes between quoted cells; a quote behind a space is no quote in CSV.
const SPACED: &str = "\", \"";

/// Whether the first row has a space before each quoted cell. To take it out of all rows changes nothing else: inside
/// a cell, quotes are doubled.
fn is_spaced(text: &str) -> bool {
    let row = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
    row.is_some_and(|row| row.starts_with('"') && row.contains(SPACED))
}

/// Whether the first row has a cell for each column. Prose in a comment is no header.
fn fits(rows: &str, columns: &[String], delimiter: u8) -> bool {
    let row = rows.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    row.and_then(|row| cells(row, delimiter)).is_some_and(|cells| cells.len() == columns.len())
}

fn cells(line: &str, delimiter: u8) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .trim(::csv::Trim::All)
        .from_reader(line.as_bytes());
    let mut cells = StringRecord::new();
    reader.read_record(&mut cells).ok()?.then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Option<Vec<(u64, Vec<String>)>> {
        let rows = Rows::find(text, |c| c == "ip")?;
        let mut out = Vec::new();
        rows.each(|line, cells| out.push((line, cells.map_or(vec![], |c| c.iter().map(str::to_owned).collect()))));
        Some(out)
    }

    #[test]
    fn headers_are_found() {
        let want = Some(vec![(2, vec!["1.2.3.4".to_owned(), "x, y".to_owned()])]);
        assert_eq!(all("IP,note\r\n1.2.3.4,\"x, y\"\r\n"), want);
        assert_eq!(all("\"ip\";note\n1.2.3.4;x, y"), want);
        assert_eq!(all("#\"note\",\"ip\"\n1.2.3.4,\"x, y\""), want);
        assert_eq!(all("# \"ip\",\"note\"\n\"1.2.3.4\", \"x, y\"\n"), want);
        assert_eq!(all("\"ip\", \"note\"\n\"1.2.3.4\", \"x, y\"\n"), want);
        assert_eq!(all("# a feed\n#TYPE X\nip\n1.2.3.4").unwrap()[0].0, 4);
        assert_eq!(all("1.2.3.4,x\n"), None);
        assert_eq!(all("# ip\n1.2.3.4\n"), None);
        assert_eq!(all("# ip, domain and so on\n1.2.3.4\n"), None);
    }

    #[test]
    fn rows_have_the_line_that_they_start_in() {
        let lines = |text: &str| all(text).unwrap().into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        for end in ["\n", "\r\n"] {
            let text = "ip,x\n1.1.1.1,a\n\n\n# note\n2.2.2.2,\"a\nb\"\n3.3.3.3,a\n\n#\n4.4.4.4,\n";
            assert_eq!(lines(&text.replace('\n', end)), [2, 6, 8, 11], "{end:?}");
        }
    }

    #[test]
    fn an_open_quote_is_no_panic() {
        assert!(all("ip,x\n\"1.2.3.4,\n").is_some());
    }
}
