//! Table: a CSV export. Columns are understood by their header; a row becomes the record it was made from,
//! as far as the columns go.

use std::io::BufRead;

use memchr::memmem;

use super::batch::{Batch, Span};
use super::cell::{COLUMNS as MOST, Columns, WHOLE, record};
use super::header::{field, is_known};
use super::kept::Kept;
use super::looks::has_json;
use crate::event::coverage::Reason;
use crate::event::time::Timestamp;

/// Columns of which one makes a CSV an export: of Directory Insights, of Splunk, of Elastic.
const COLUMNS: &[&str] = &["event_type", "timestamp", "_raw", "event.original"];

/// What an event in a cell has, as CSV writes it. A column that holds all of a record makes an export with it: CloudWatch,
/// Datadog and Azure call theirs as everybody calls a message.
const SIGN: &[u8] = br#"""event_type"""#;

/// What a line of its own in front of the header starts with: PowerShell's type, a spreadsheet's separator.
const PREAMBLES: &[&[u8]] = &[b"#TYPE ", b"sep="];

/// Whether the start of a text is the header of such a CSV.
pub fn is_header(head: &[u8]) -> bool {
    let mut lines = head.split(|b| matches!(b, b'\r' | b'\n')).filter(|line| !line.is_empty());
    let line = lines.find(|line| !is_preamble(line)).unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let is_export = |column: String| {
        let column = column.as_str();
        COLUMNS.contains(&column) || WHOLE.contains(&column) && memmem::find(head, SIGN).is_some()
    };
    !line.trim_start().starts_with(['{', '[']) && !has_json(line) && line.split(',').map(field).any(is_export)
}

fn is_preamble(line: &[u8]) -> bool {
    PREAMBLES.iter().any(|start| line.starts_with(start))
}

/// Reads rows as batches of records.
pub struct Rows<R> {
    reader: csv::Reader<Kept<R>>,
    columns: Columns,
    row: u64,
    limit: usize,
    /// bytes that may still be read twice
    allowance: usize,
}

/// Rows of a batch.
const ROWS: usize = 1000;

/// Bytes of a batch, about.
const BATCH: usize = 1 << 20;

/// So often a byte may be read, on average.
const TIMES: usize = 8;

fn reader<R: BufRead>(text: Kept<R>) -> csv::Reader<Kept<R>> {
    csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text)
}

impl<R: BufRead> Rows<R> {
    /// Reads the header. `offset` is the source byte at which the text starts, `limit` the longest row in bytes.
    pub fn new(text: R, offset: u64, is_utf16: bool, limit: usize) -> std::io::Result<Rows<R>> {
        let mut reader = reader(Kept::new(text, offset, is_utf16, limit));
        let (mut header, mut row) = (csv::ByteRecord::new(), 1);
        while reader.read_byte_record(&mut header).map_err(io_error)? && header.get(0).is_some_and(is_preamble) {
            row += 1;
        }
        let end = reader.position().byte();
        let kept = reader.get_mut();
        let fault = match kept {
            _ if kept.is_stopped => Some("its header is too long: repair it, or raise --record-limit"),
            _ if kept.is_at_end && is_cut_off(kept.row()) => Some("a quote of its header is not closed: repair it"),
            _ => None,
        };
        if let Some(fault) = fault {
            return Err(std::io::Error::other(fault));
        }
        kept.pass_to(end);
        let columns = Columns::new(&header).ok_or_else(|| {
            let fault = format!("its header has more than {MOST} columns: leave out what is no member of an event");
            std::io::Error::other(fault)
        })?;
        Ok(Rows { reader, columns, row, limit, allowance: limit.saturating_mul(TIMES) })
    }

    /// The next rows; `None` at the end.
    pub fn next_batch(&mut self) -> std::io::Result<Option<Batch>> {
        let mut batch = Batch::default();
        let mut cells = csv::ByteRecord::new();
        while batch.spans.len() < ROWS && batch.bytes.len() < BATCH {
            let is_row = self.reader.read_byte_record(&mut cells).map_err(io_error)?;
            let end = self.reader.position().byte();
            let kept = self.reader.get_mut();
            if !is_row && !kept.is_stopped {
                break;
            }
            let offset = kept.pass_line_ends();
            let start = batch.bytes.len();
            let mut span = Span { start, end: start, line: self.row + 1, offset, fault: None };
            span.fault = match kept {
                _ if kept.is_stopped && kept.row().is_empty() => {
                    self.reader = reader(kept.begin_again());
                    continue;
                }
                _ if kept.is_stopped || kept.length_to(end) > self.limit => Some(Reason::TooLong),
                _ if kept.is_at_end && is_cut_off(kept.row()) => Some(Reason::CutOff),
                _ => None,
            };
            self.row += 1;
            if span.fault.is_some() {
                self.resume()?;
            } else {
                let length = kept.pass_to(end);
                self.allowance = self.allowance.saturating_add(length.saturating_mul(TIMES));
                if let Some(columns) = is_another_header(&cells).then(|| Columns::new(&cells)).flatten() {
                    self.columns = columns;
                    continue;
                }
                match self.write_row(&cells, &mut batch.bytes) {
                    Ok(true) => batch.lossy.push(span.line),
                    Ok(false) => {}
                    Err(reason) => span.fault = Some(reason),
                }
                span.end = batch.bytes.len();
            }
            batch.spans.push(span);
        }
        Ok((!batch.spans.is_empty()).then_some(batch))
    }

    /// Goes on at the line behind the first one of a row that does not end where it should: a quote too many makes all
    /// that follows one cell. What was taken for it is read once more, unless that happens all the time.
    fn resume(&mut self) -> std::io::Result<()> {
        let kept = self.reader.get_mut();
        match self.allowance.checked_sub(kept.row().len()) {
            Some(rest) => self.allowance = rest,
            None => kept.pass_all(),
        }
        kept.pass_line()?;
        self.reader = reader(kept.begin_again());
        Ok(())
    }

    fn write_row(&self, cells: &csv::ByteRecord, out: &mut Vec<u8>) -> Result<bool, Reason> {
        if cells.len() != self.columns.all.len() {
            return Err(Reason::WrongCells);
        }
        let (record, is_lossy) = record(&self.columns, cells)?;
        serde_json::to_writer(out, &record).map_err(|_| Reason::NotJson)?;
        Ok(is_lossy)
    }
}

/// Whether a row is the header of a table that was put behind this one: most cells are names of fields, and none is a
/// time.
fn is_another_header(cells: &csv::ByteRecord) -> bool {
    // Nearly no row is one, so it is looked at as it is first.
    if !cells.iter().any(|cell| COLUMNS.iter().any(|name| is_called(cell, name))) {
        return false;
    }
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
    // A row with a time is an event, whatever else stands in it.
    let is_value = |cell: &[u8]| cell.contains(&b'{') || Timestamp::parse(&text(cell)).is_some();
    if cells.iter().any(is_value) {
        return false;
    }
    let names = cells.iter().map(|cell| field(&text(cell)));
    names.filter(|name| is_known(name) || COLUMNS.contains(&name.as_str())).count() * 2 > cells.len()
}

/// Whether a header stands for a field, as [`field`] tells it.
fn is_called(header: &[u8], name: &str) -> bool {
    let header = header.strip_prefix("\u{feff}".as_bytes()).unwrap_or(header).trim_ascii();
    let is = |(a, b): (&u8, u8)| a.eq_ignore_ascii_case(&b) || b == b'_' && matches!(a, b' ' | b'-');
    header.len() == name.len() && header.iter().zip(name.bytes()).all(is)
}

/// Whether a text ends within the quotes of a cell.
fn is_cut_off(row: &[u8]) -> bool {
    enum At {
        Start,
        Cell,
        Quoted,
        Quote,
    }
    let end = row.iter().fold(At::Start, |at, byte| match (at, byte) {
        (At::Quoted, b'"') => At::Quote,
        (At::Start | At::Quote, b'"') | (At::Quoted, _) => At::Quoted,
        (_, b',' | b'\r' | b'\n') => At::Start,
        _ => At::Cell,
    });
    matches!(end, At::Quoted)
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
        rows_with(text, 1 << 20)
    }

    fn rows_with(text: &str, limit: usize) -> Vec<(u64, String)> {
        let mut rows = Rows::new(text.as_bytes(), 0, false, limit).unwrap();
        let mut out = Vec::new();
        while let Some(batch) = rows.next_batch().unwrap() {
            let show = |s: &Span| match s.fault {
                Some(reason) => reason.words().to_owned(),
                None => String::from_utf8_lossy(&batch.bytes[s.start..s.end]).into_owned(),
            };
            out.extend(batch.spans.iter().map(|s| (s.line, show(s))));
        }
        out
    }

    #[test]
    fn rows_of_the_jc_command() {
        let text = "timestamp,event_type,initiated_by,client_ip,success\n2026-01-01T00:00:00Z,user_login_attempt,\"{\"\"type\"\":\"\"user\"\",\"\"username\"\":\"\"jo\"\"}\",1.2.3.4,null\n";
        let want = r#"{"timestamp":"2026-01-01T00:00:00Z","event_type":"user_login_attempt","initiated_by":{"type":"user","username":"jo"},"client_ip":"1.2.3.4"}"#;
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
    fn a_header_behind_rows_starts_another_table() {
        let text = "timestamp,event_type,client_ip\n2026-01-01,x,1.2.3.4\nevent_type,service,timestamp,id\nx,sso,2026-01-02,7\n\
                    event_type,service,2026-01-02,id\n";
        let all = rows(text);
        assert_eq!(all[0].1, r#"{"timestamp":"2026-01-01","event_type":"x","client_ip":"1.2.3.4"}"#);
        assert_eq!(all[1], (4, r#"{"event_type":"x","service":"sso","timestamp":"2026-01-02","id":"7"}"#.to_owned()));
        assert_eq!(all[2].1, r#"{"event_type":"event_type","service":"service","timestamp":"2026-01-02","id":"id"}"#);
        // A name that somebody gave himself is none, nor is a row of other words.
        for row in ["2026-01-02,timestamp,event_type", "-,x,timestamp"] {
            assert_eq!(rows(&format!("timestamp,event_type,username\n{row}\n")).len(), 1, "{row}");
        }
        let crafted = "@timestamp,event_type,username,resource.name\n2026-03-02T08:00:00Z,timestamp,id,message\n";
        assert_eq!(rows(crafted).len(), 1);
    }

    #[test]
    fn headers_of_people_and_dotted_columns() {
        let text = "Timestamp,Event Type,Result,Initiated By,geoip.country_code\nt,x,Failed,a@x.io,FR\n";
        let want = r#"{"timestamp":"t","event_type":"x","success":false,"initiated_by":{"email":"a@x.io"},"geoip":{"country_code":"FR"}}"#;
        assert_eq!(rows(text)[0].1, want);
        let text = "timestamp,event_type,resource.type,Resource,System\nt,x,user,r,s\n";
        let want = r#"{"timestamp":"t","event_type":"x","resource":{"type":"user"},"Resource":"r","System":"s"}"#;
        assert_eq!(rows(text)[0].1, want);
        let text = "ID,TIMESTAMP,Event-Type,User Agent,resource.displayLabel,My Column\n1,t,x,a,l,c\n";
        let want = r#"{"id":"1","timestamp":"t","event_type":"x","user_agent":"a","resource":{"displayLabel":"l"},"My Column":"c"}"#;
        assert_eq!(rows(text)[0].1, want);
    }

    #[test]
    fn numbers_in_names_of_columns_make_lists() {
        let text = "timestamp,event_type,changes/0/field,changes/0/to/a,changes/1/field,changes/10/field,geoip/0\nt,x,a,1,b,c,\nt,x,,,,,d\n";
        let all = rows(text);
        let want = r#"{"timestamp":"t","event_type":"x","changes":[{"field":"a","to":{"a":"1"}},{"field":"b"},{"field":"c"}]}"#;
        assert_eq!(
            (all[0].1.as_str(), all[1].1.as_str()),
            (want, r#"{"timestamp":"t","event_type":"x","geoip":["d"]}"#)
        );
    }

    #[test]
    fn what_a_column_says_of_the_whole_is_not_taken_apart_by_others() {
        for (header, row, want) in [
            ("asn,asn_organization", "AS1,x", r#""asn":"AS1""#),
            ("asn_organization,asn", "x,AS1", r#""asn":"AS1""#),
            ("user_agent,user_agent_os", "curl/8,Linux", r#""user_agent":"curl/8""#),
            ("changes,changes/0/field", "[{\"\"field\"\":\"\"a\"\"}],b", r#""changes":[{"field":"a"}]"#),
            ("changes.0.to,changes.0.field", "{\"\"1\"\":true},b", r#""changes":[{"to":{"1":true},"field":"b"}]"#),
            // A text is no object.
            ("resource,resource_id", "r,7", r#""resource":{"id":"7"}"#),
            ("resource_id,resource", "7,r", r#""resource":{"id":"7"}"#),
            ("geoip,geoip_country_code", "null,FR", r#""geoip":{"country_code":"FR"}"#),
        ] {
            let (first, second) = row.rsplit_once(',').unwrap();
            let text = format!("timestamp,event_type,{header}\nt,x,\"{first}\",{second}\n");
            assert_eq!(rows(&text)[0].1, format!(r#"{{"timestamp":"t","event_type":"x",{want}}}"#), "{header}");
        }
    }

    #[test]
    fn a_column_of_whole_records_is_the_record() {
        let whole = r#"{"event_type":"y","timestamp":"2026-03-02T09:00:00Z"}"#;
        let rows = |raw: &str| rows(&format!("timestamp,event_type,_raw\nt,x,\"{}\"\n", raw.replace('"', "\"\"")));
        assert_eq!(rows(whole)[0].1, format!(r#"{{"_raw":{whole}}}"#));
        // What is no event itself stands beside the columns.
        assert_eq!(rows("{cut")[0].1, r#"{"timestamp":"t","event_type":"x","_raw":"{cut"}"#);
        assert_eq!(rows(r#"{"a":1}"#)[0].1, r#"{"timestamp":"t","event_type":"x","_raw":{"a":1}}"#);
    }

    #[test]
    fn nested_values_of_python_are_read_and_lost_ones_told() {
        let text = "timestamp,event_type,changes,changes{}.to\nt,x,\"[{'field': 'a', 'to': True}]\",\nt,x,\"[{a:1]\",\nt,x,[note] a,b\n";
        let mut rows = Rows::new(text.as_bytes(), 0, false, 1 << 20).unwrap();
        let batch = rows.next_batch().unwrap().unwrap();
        let first = &batch.bytes[batch.spans[0].start..batch.spans[0].end];
        let want = r#"{"timestamp":"t","event_type":"x","changes":[{"field":"a","to":true}]}"#;
        assert_eq!((String::from_utf8_lossy(first).as_ref(), batch.lossy), (want, vec![3, 4]));
    }

    #[test]
    fn a_result_is_a_success_a_failure_or_itself() {
        for (word, want) in [
            ("Success ", Some(true)),
            ("SUCCESSFUL", Some(true)),
            ("Passed", Some(true)),
            ("1", Some(true)),
            ("Failed", Some(false)),
            ("failure: locked", Some(false)),
            ("denied", Some(false)),
            ("0", Some(false)),
            ("0.0", Some(false)),
            ("-", None),
            ("—", None),
            ("N/A", None),
            ("", None),
        ] {
            let text = format!("Timestamp,Event Type,Result\nt,x,{word}\n");
            let want = want.map(|is| format!(",\"success\":{is}")).unwrap_or_default();
            assert_eq!(rows(&text)[0].1, format!("{{\"timestamp\":\"t\",\"event_type\":\"x\"{want}}}"), "{word}");
        }
        for (cells, want) in [
            ("malicious,", r#""result":"malicious""#),
            (r#""{""exitCode"":1}","#, r#""result":{"exitCode":1}"#),
            ("blocked,true", r#""result":"blocked","success":true"#),
            ("Failed,TRUE", r#""result":"Failed","success":true"#),
            ("Failed,-", r#""success":false"#),
        ] {
            let text = format!("timestamp,event_type,result,success\nt,x,{cells}\n");
            assert_eq!(rows(&text)[0].1, format!(r#"{{"timestamp":"t","event_type":"x",{want}}}"#), "{cells}");
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
                let mut rows = Rows::new(text.as_bytes(), 3, is_utf16, 1 << 20).unwrap();
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
    fn a_quote_too_many_costs_only_its_line() {
        let row = r#"{"timestamp":"a","event_type":"b"}"#;
        let text = format!("timestamp,event_type\na,b\na,\"b\n{}", "a,b\n".repeat(20_000));
        for (limit, reason) in [(1 << 20, "cut off"), (9_000, "too long")] {
            let all = rows_with(&text, limit);
            assert_eq!((all.len(), all[1].1.as_str()), (20_002, reason));
            assert!(all[2..].iter().all(|(_, record)| record == row));
        }
        // Each of these lines makes one cell of all that follows: they are not all read to the end.
        let hostile = rows_with(&format!("timestamp,event_type\n{}", "a\",\".\n".repeat(100_000)), 1 << 20);
        assert!(hostile.iter().all(|(_, record)| matches!(record.as_str(), "cut off" | "too long")));
    }

    #[test]
    fn a_row_beyond_the_limit_costs_only_itself() {
        for long in [format!("\"{}\"", "x".repeat(30_000)), "x".repeat(30_000), format!("\"{}", "x".repeat(30_000))] {
            let all = rows_with(&format!("timestamp,event_type\na,b\na,{long}\na,c\n"), 10_000);
            let told: Vec<&str> = all.iter().map(|(_, record)| record.as_str()).collect();
            let row = |cell| format!(r#"{{"timestamp":"a","event_type":"{cell}"}}"#);
            assert_eq!(told, [row("b").as_str(), "too long", &row("c")]);
        }
        let blank = rows_with(&format!("timestamp,event_type\n{}a,b\n", "\n".repeat(30_000)), 10_000);
        assert_eq!(blank.len(), 1);
        for header in ["timestamp,event_type,".to_owned() + &"x".repeat(30_000), "timestamp,event_type,\"\n".to_owned()]
        {
            assert!(Rows::new(format!("{header}\na,b,c\n").as_bytes(), 0, false, 10_000).is_err());
        }
    }

    #[test]
    fn names_of_columns_lead_only_so_deep_and_are_only_so_long() {
        let deep = format!("{}a", "a.".repeat(80_000));
        let text = format!("timestamp,event_type,a.b,{}\na,b,c,\na,b,c,d\n", &deep[..81]);
        let literal = format!(r#"{{"timestamp":"a","event_type":"b","a":{{"b":"c"}},"{}":"d"}}"#, &deep[..81]);
        assert_eq!(rows(&text)[1].1, literal);
        let text = format!("timestamp,event_type,a.b,{deep}\na,b,c,\na,b,c,d\n");
        let all = rows(&text);
        assert_eq!(all[0].1, r#"{"timestamp":"a","event_type":"b","a":{"b":"c"}}"#);
        assert_eq!(all[1].1, "too long");
    }

    /// Each number in a name is a place in a list, and a header has room for many.
    #[test]
    fn a_header_has_only_so_many_columns() {
        let header = |count: usize| {
            let columns: Vec<String> = (0..count).map(|n| format!("c{}{}", n % 2, ".0".repeat(31))).collect();
            format!("timestamp,event_type,{}\n", columns.join(","))
        };
        let few = header(1000);
        let columns = Columns::new(&csv::ByteRecord::from(few.trim().split(',').collect::<Vec<_>>())).unwrap();
        assert_eq!(columns.lists().count(), 2 * 31);
        assert!(Rows::new(few.as_bytes(), 0, false, 1 << 24).is_ok());
        let error = Rows::new(header(20_000).as_bytes(), 0, false, 1 << 24).err().unwrap();
        assert!(error.to_string().contains("columns: leave out"), "{error}");
        let behind = format!("timestamp,event_type\na,b\n{}id\nc,d\n", "service,event_type,".repeat(10_000));
        let told: Vec<String> = rows(&behind).into_iter().map(|(_, told)| told).collect();
        let row = |time, name| format!(r#"{{"timestamp":"{time}","event_type":"{name}"}}"#);
        assert_eq!(told, [row("a", "b"), "wrong number of cells".to_owned(), row("c", "d")]);
    }

    #[test]
    fn headers_are_told_from_other_text() {
        assert!(is_header(b"\"Timestamp\",\"Event Type\"\n1,2"));
        assert!(is_header(b"id,event_type,x\n"));
        assert!(is_header(b"#TYPE X\r\n\"timestamp\",\"event_type\"\r\n"));
        assert!(is_header(b"_raw,_time,host\n"));
        assert!(!is_header(b"a,b,c\n"));
        assert!(!is_header(b"{\"event_type\":1,\"timestamp\":2}\n"));
        assert!(!is_header(b"<14>Mar 2 host: {\"event_type\":\"x\",\"username\":\"a,timestamp,b\"}\n"));
    }
}
