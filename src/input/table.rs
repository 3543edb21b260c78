//! Table: a CSV export. Columns are understood by their header; a row becomes the record it was made from,
//! as far as the columns go.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::framing::{Batch, Span};
use super::kept::Kept;
use crate::event::coverage::Reason;

/// Columns of which one makes a CSV an export: of Directory Insights, of Splunk, of Elastic.
const COLUMNS: &[&str] = &["event_type", "timestamp", "_raw", "event.original"];

/// What a line of its own in front of the header starts with: PowerShell's type, a spreadsheet's separator.
const PREAMBLES: &[&[u8]] = &[b"#TYPE ", b"sep="];

/// Whether the start of a text is the header of such a CSV.
pub fn is_header(head: &[u8]) -> bool {
    let mut lines = head.split(|b| matches!(b, b'\r' | b'\n')).filter(|line| !line.is_empty());
    let line = lines.find(|line| !is_preamble(line)).unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mut columns = line.split(',').map(column);
    !line.trim_start().starts_with(['{', '[']) && columns.any(|c| COLUMNS.contains(&c.as_str()))
}

fn is_preamble(line: &[u8]) -> bool {
    PREAMBLES.iter().any(|start| line.starts_with(start))
}

/// A column's name as the field it stands for: `Event Type` is `event_type`.
fn column(header: &str) -> String {
    let name = header.trim().trim_matches('"').trim();
    match name.to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
        lower
        @ ("event_type" | "client_ip" | "initiated_by" | "timestamp" | "success" | "service" | "organization") => {
            lower.to_owned()
        }
        "result" => "result".to_owned(),
        "_version" => "@version".to_owned(),
        _ => name.to_owned(),
    }
}

/// Reads rows as batches of records.
pub struct Rows<R> {
    reader: csv::Reader<Kept<R>>,
    columns: Vec<String>,
    row: u64,
}

/// Rows of a batch.
const ROWS: usize = 1000;

impl<R: BufRead> Rows<R> {
    /// Reads the header. `offset` is the source byte at which the text starts.
    pub fn new(reader: R, offset: u64, is_utf16: bool) -> std::io::Result<Rows<R>> {
        let text = Kept::new(reader, offset, is_utf16);
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text);
        let (mut header, mut row) = (csv::ByteRecord::new(), 1);
        while reader.read_byte_record(&mut header).map_err(io_error)? && header.get(0).is_some_and(is_preamble) {
            row += 1;
        }
        let columns = header.iter().map(|c| column(&String::from_utf8_lossy(c))).collect();
        let end = reader.position().byte();
        reader.get_mut().pass_to(end);
        Ok(Rows { reader, columns, row })
    }

    /// The next rows; `None` at the end.
    pub fn next_batch(&mut self) -> std::io::Result<Option<Batch>> {
        let mut batch = Batch::default();
        let mut cells = csv::ByteRecord::new();
        while batch.spans.len() < ROWS {
            if !self.reader.read_byte_record(&mut cells).map_err(io_error)? {
                break;
            }
            let end = self.reader.position().byte();
            let kept = self.reader.get_mut();
            let offset = kept.pass_line_ends();
            kept.pass_to(end);
            self.row += 1;
            let start = batch.bytes.len();
            let fault = self.write_row(&cells, &mut batch.bytes).err();
            batch.spans.push(Span { start, end: batch.bytes.len(), line: self.row, offset, fault });
        }
        Ok((!batch.spans.is_empty()).then_some(batch))
    }

    fn write_row(&self, cells: &csv::ByteRecord, out: &mut Vec<u8>) -> Result<(), Reason> {
        if cells.len() != self.columns.len() {
            return Err(Reason::WrongCells);
        }
        let mut record = Map::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            let text = std::str::from_utf8(cell).map_err(|_| Reason::NotUtf8)?;
            insert(&mut record, column, text);
        }
        serde_json::to_writer(out, &record).map_err(|_| Reason::NotJson)
    }
}

/// Puts a cell where its column says; dots lead into objects (`geoip.country_code`).
fn insert(record: &mut Map<String, Value>, column: &str, text: &str) {
    if text.is_empty() || column.is_empty() {
        return;
    }
    match column {
        "result" => {
            record.extend(success(text).map(|success| ("success".to_owned(), Value::Bool(success))));
            return;
        }
        "initiated_by" if !text.starts_with('{') => {
            let key = if text.contains('@') { "email" } else { "username" };
            let by = record.entry("initiated_by").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(by) = by {
                by.insert(key.to_owned(), Value::String(text.to_owned()));
            }
            return;
        }
        _ => {}
    }
    let (path, last) = match column.rsplit_once('.') {
        Some((path, last)) => (path, last),
        None => ("", column),
    };
    let mut at = record;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let inner = at.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        let Value::Object(next) = inner else { return };
        at = next;
    }
    at.insert(last.to_owned(), cell(last, text));
}

/// Words for a result, and whether they are a success.
const RESULTS: &[(&str, bool)] = &[
    ("success", true),
    ("successful", true),
    ("succeeded", true),
    ("true", true),
    ("ok", true),
    ("pass", true),
    ("passed", true),
    ("allowed", true),
    ("yes", true),
    ("1", true),
    ("unsuccessful", false),
    ("false", false),
    ("error", false),
    ("denied", false),
    ("rejected", false),
    ("blocked", false),
    ("no", false),
    ("0", false),
];

/// What the cell of a result says; a word that is not known (`-`, `N/A`, `Pending`) says nothing.
fn success(text: &str) -> Option<bool> {
    let word = text.trim().to_ascii_lowercase();
    let known = RESULTS.iter().find(|(known, _)| word == *known).map(|(_, is_success)| *is_success);
    known.or_else(|| word.starts_with("fail").then_some(false))
}

/// Columns whose numbers are numbers in JSON; all others are text (`@version`, ids, version numbers).
const NUMBERS: &[&str] = &[
    "error_code",
    "number_of_results",
    "scope",
    "deref",
    "latitude",
    "longitude",
    "connection_id",
    "operation_number",
];

/// A cell as JSON: nested values are JSON text in the cell.
fn cell(column: &str, text: &str) -> Value {
    let is_json = text.starts_with(['{', '[']) || matches!(text, "true" | "false" | "null");
    if is_json || NUMBERS.contains(&column) {
        return serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    }
    match text {
        "True" | "TRUE" => Value::Bool(true),
        "False" | "FALSE" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(e) => e,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, String)> {
        let mut rows = Rows::new(text.as_bytes(), 0, false).unwrap();
        let batch = rows.next_batch().unwrap().unwrap_or_default();
        let show = |s: &Span| match s.fault {
            Some(reason) => reason.words().to_owned(),
            None => String::from_utf8_lossy(&batch.bytes[s.start..s.end]).into_owned(),
        };
        batch.spans.iter().map(|s| (s.line, show(s))).collect()
    }

    #[test]
    fn rows_of_the_jc_command() {
        let text = "timestamp,event_type,initiated_by,client_ip,success\n2026-01-01T00:00:00Z,user_login_attempt,\"{\"\"type\"\":\"\"user\"\",\"\"username\"\":\"\"jo\"\"}\",1.2.3.4,null\n";
        let want = r#"{"timestamp":"2026-01-01T00:00:00Z","event_type":"user_login_attempt","initiated_by":{"type":"user","username":"jo"},"client_ip":"1.2.3.4","success":null}"#;
        assert_eq!(rows(text), [(2, want.to_owned())]);
    }

    #[test]
    fn lines_in_front_of_the_header_are_passed() {
        for before in ["#TYPE Deserialized.X\r\n", "sep=,\n"] {
            let want = r#"{"timestamp":"t","event_type":"x"}"#.to_owned();
            assert_eq!(rows(&format!("{before}timestamp,event_type\nt,x\n")), [(3, want)]);
        }
    }

    #[test]
    fn headers_of_people_and_dotted_columns() {
        let text = "Timestamp,Event Type,Result,Initiated By,geoip.country_code\nt,x,Failed,a@x.io,FR\n";
        let want = r#"{"timestamp":"t","event_type":"x","success":false,"initiated_by":{"email":"a@x.io"},"geoip":{"country_code":"FR"}}"#;
        assert_eq!(rows(text)[0].1, want);
    }

    #[test]
    fn a_result_is_a_success_a_failure_or_nothing() {
        for (word, want) in [
            ("Success ", Some(true)),
            ("SUCCESSFUL", Some(true)),
            ("Passed", Some(true)),
            ("1", Some(true)),
            ("Failed", Some(false)),
            ("failure: locked", Some(false)),
            ("denied", Some(false)),
            ("0", Some(false)),
            ("-", None),
            ("—", None),
            ("N/A", None),
            ("Unknown", None),
            ("Info", None),
            ("", None),
        ] {
            let text = format!("Timestamp,Event Type,Result\nt,x,{word}\n");
            let want = want.map(|is| format!(",\"success\":{is}")).unwrap_or_default();
            assert_eq!(rows(&text)[0].1, format!("{{\"timestamp\":\"t\",\"event_type\":\"x\"{want}}}"), "{word}");
        }
    }

    /// Rows longer and shorter than the buffer of the reader, so that it ends anywhere in a row or a line end.
    #[test]
    fn offsets_are_those_of_the_first_byte() {
        for end in ["\n", "\r\n", "\r", "\r\n\r\n"] {
            let mut text = format!("timestamp,event_type{end}");
            let mut starts = Vec::new();
            for length in (0..90).chain([9000, 20_000]) {
                starts.push(text.len() as u64);
                text += &format!("\"a\nb\",{}{end}", "é".repeat(length * 7));
            }
            let read = |text: &str, is_utf16| {
                let mut rows = Rows::new(text.as_bytes(), 3, is_utf16).unwrap();
                let mut offsets = Vec::new();
                while let Some(batch) = rows.next_batch().unwrap() {
                    offsets.extend(batch.spans.iter().map(|span| span.offset - 3));
                }
                offsets
            };
            assert_eq!(read(&text, false), starts, "{end:?}");
            let wide = |start: &u64| text[..usize::try_from(*start).unwrap()].encode_utf16().count() as u64 * 2;
            assert_eq!(read(&text, true), starts.iter().map(wide).collect::<Vec<_>>(), "{end:?}");
        }
    }

    #[test]
    fn a_row_with_the_wrong_cells_costs_only_itself() {
        let text = "timestamp,event_type\na,b\na\na,\"b\nc\"\n";
        let all = rows(text);
        assert_eq!((all.len(), all[1].1.as_str(), all[2].0), (3, "wrong number of cells", 4));
    }

    #[test]
    fn headers_are_told_from_other_text() {
        assert!(is_header(b"\"Timestamp\",\"Event Type\"\n1,2"));
        assert!(is_header(b"id,event_type,x\n"));
        assert!(is_header(b"#TYPE X\r\n\"timestamp\",\"event_type\"\r\n"));
        assert!(is_header(b"_raw,_time,host\n"));
        assert!(!is_header(b"a,b,c\n"));
        assert!(!is_header(b"{\"event_type\":1,\"timestamp\":2}\n"));
    }
}
