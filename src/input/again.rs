//! Again: reads records once more, by where they stand, as they stand there.

use std::io;

use super::batch::{Batch, Span};
use super::source::Source;
use super::{Options, decode, framing, layout, part};
use crate::event::json::Json;

/// Why reading again ended early.
#[derive(Debug)]
pub enum Stopped {
    /// the source could not be read again, or is not what it was
    Source(io::Error),
    /// whoever takes the records failed
    Taker(io::Error),
}

/// Reads the records that start at these offsets, which are sorted, in their order. A row of CSV, and a record that a
/// tool took apart, comes as the record that was made of it. Of a source that has changed nothing is taken; what was
/// taken while it changed may be of another version, and whoever took it is told.
pub fn records(
    source: &Source,
    options: Options,
    wanted: &[u64],
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Stopped> {
    let changed = || Stopped::Source(io::Error::other("it has changed since it was read; run again"));
    if source.has_changed() {
        return Err(changed());
    }
    let text = source.open().and_then(decode::text).map_err(Stopped::Source)?;
    let mut next = layout::batches(text, options.record_limit).map_err(Stopped::Source)?;
    let mut left = wanted;
    while !left.is_empty() {
        // What was read before may be followed by damage; that was told when it was met.
        let Some(batch) = next().map_err(Stopped::Source)? else { break };
        for span in &batch.spans {
            left = of_span(&batch, *span, left, take).map_err(Stopped::Taker)?;
        }
    }
    match left {
        [] if !source.has_changed() => Ok(()),
        _ => Err(changed()),
    }
}

/// Takes what is wanted of a record, or of the several that stand on its line; gives back what is wanted
/// behind it.
fn of_span<'w>(
    batch: &Batch,
    span: Span,
    wanted: &'w [u64],
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<&'w [u64]> {
    let (mut left, text) = (wanted, &batch.bytes[span.start..span.end]);
    if span.fault.is_some() || left.first().is_none_or(|first| *first >= span.offset + batch.source_bytes(text).max(1))
    {
        return Ok(left);
    }
    let is_one = left[0] == span.offset && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    let parts = if is_one { vec![(0, text.len(), None)] } else { framing::objects(text) };
    for (start, end, _) in parts {
        if left.first() == Some(&(span.offset + batch.source_bytes(&text[..start]))) {
            take(&text[start..end])?;
            left = &left[1..];
        }
    }
    Ok(left)
}

/// Looks at the event of a record, without its envelope; `None` if it is none.
pub fn with_record<T>(record: &[u8], look: impl FnOnce(&Json<'_>) -> T) -> Option<T> {
    part::with_record(record, |json| Ok(look(json))).ok()
}

/// A record on one line: white space between its parts goes, if it stands on several.
pub fn on_one_line(record: &[u8]) -> Vec<u8> {
    if !record.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return record.to_vec();
    }
    let (mut is_text, mut is_escaped) = (false, false);
    let mut out = Vec::with_capacity(record.len());
    for byte in record.iter().copied() {
        if is_text {
            (is_text, is_escaped) = (is_escaped || byte != b'"', byte == b'\\' && !is_escaped);
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            is_text = byte == b'"';
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], wanted: &[u64]) -> Result<Vec<String>, Stopped> {
        let mut out = Vec::new();
        let mut take = |record: &[u8]| {
            out.push(String::from_utf8_lossy(record).into_owned());
            Ok(())
        };
        records(&Source::memory("x", text), Options { record_limit: 1 << 20 }, wanted, &mut take).map(|()| out)
    }

    #[test]
    fn every_layout_gives_what_stood_there() {
        let lines = b"{\"a\": 1}\nbroken\n{\"b\":2}{\"c\":3}\n {\"d\":4},\n";
        assert_eq!(read(lines, &[0, 16, 23, 32]).unwrap(), ["{\"a\": 1}", "{\"b\":2}", "{\"c\":3}", "{\"d\":4}"]);
        assert_eq!(read(lines, &[23]).unwrap(), ["{\"c\":3}"]);
        let array = b"[\n  {\n    \"a\": \"x  \\\"\\n y\"\n  },\n  {\"b\": 1}\n]";
        let second = array.windows(4).position(|bytes| bytes == b"{\"b\"").unwrap() as u64;
        let records = read(array, &[4, second]).unwrap();
        assert_eq!(records, ["{\n    \"a\": \"x  \\\"\\n y\"\n  }", "{\"b\": 1}"]);
        let lines: Vec<Vec<u8>> = records.iter().map(|record| on_one_line(record.as_bytes())).collect();
        assert_eq!(lines, [&b"{\"a\":\"x  \\\"\\n y\"}"[..], b"{\"b\": 1}"]);
        assert_eq!(read(b"event_type,timestamp\nx,t\n", &[21]).unwrap(), [r#"{"event_type":"x","timestamp":"t"}"#]);
    }

    #[test]
    fn what_is_not_there_any_more_is_an_error() {
        assert!(matches!(read(b"{\"a\":1}\n", &[5]), Err(Stopped::Source(_))));
        assert!(matches!(read(b"", &[0]), Err(Stopped::Source(_))));
    }
}
