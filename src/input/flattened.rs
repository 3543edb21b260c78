//! Flattened: records in which nested values stand as texts. PowerShell writes them, because `ConvertTo-Json` goes two
//! levels deep unless told otherwise, and `Export-Csv` none, and other tools in cells of CSV. What such a text says is
//! lost to the rules, so it is told.

use memchr::memmem::Finder;

use super::batch::Batch;

/// Finds them. It looks at whole batches, as nearly all hold none.
pub struct Flattened {
    object: Finder<'static>,
    system: Finder<'static>,
}

impl Flattened {
    /// Looks for both kinds of text.
    pub fn new() -> Flattened {
        Flattened { object: Finder::new(b"\"@{"), system: Finder::new(b"\"System.") }
    }

    /// The lines of the records of a batch that hold such a text.
    pub fn lines(&self, batch: &Batch) -> Vec<u64> {
        let objects = self.object.find_iter(&batch.bytes).filter(|at| is_object(&batch.bytes[at + 3..]));
        let systems = self.system.find_iter(&batch.bytes).filter(|at| is_system(&batch.bytes[at + 8..]));
        let values = objects.chain(systems).filter(|at| is_value(&batch.bytes[..*at]));
        let mut spans: Vec<usize> =
            values.filter_map(|at| batch.spans.partition_point(|span| span.start <= at).checked_sub(1)).collect();
        spans.sort_unstable();
        spans.dedup();
        let spans = spans.into_iter().map(|span| &batch.spans[span]).filter(|s| s.fault.is_none());
        let mut lines: Vec<u64> = spans.map(|span| span.line).chain(batch.lossy.iter().copied()).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// Whether `@{` goes on as an object in PowerShell: `@{name=value; …}`, or without anything.
fn is_object(rest: &[u8]) -> bool {
    let name =
        rest.iter().position(|b| !matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'@' | b'.'));
    name.is_some_and(|end| rest[end] == if end == 0 { b'}' } else { b'=' })
}

fn is_system(rest: &[u8]) -> bool {
    rest.starts_with(b"Object[]") || rest.starts_with(b"Collections.Hashtable")
}

/// Whether what stands in front of a quote says that a value starts, also one within a text.
fn is_value(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"\\").unwrap_or(before).trim_ascii_end();
    matches!(before.last(), Some(b':' | b',' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::framing::Framer;

    #[test]
    fn texts_of_powershell_are_found() {
        let lines = [
            r#"{"a":{"b":"@{password=; totp=}"}}"#,
            r#"{"a": "@{}"}"#,
            r#"{"a":["@{metadata=; name=Global Policy; id=}"],"c":"@{x=1}"}"#,
            r#"{"changes":"System.Object[]"}"#,
            r#"{"a":"System.Collections.Hashtable"}"#,
            r#"{"message":"{\"a\":\"@{x=1}\"}"}"#,
            // not these
            r#"{"a":"@{","b":"@{not one}","c":"x @{a=1}"}"#,
            r#"{"command":"Set-ADUser -Replace \"@{a=1}\""}"#,
            r#"{"a":"System.Object","b":"a System.Object[]"}"#,
            r#"{"@{a=1}":1}"#,
        ];
        let text = lines.join("\n");
        let batch = Framer::new(text.as_bytes(), 0, false, 1 << 20).next_batch().unwrap().unwrap();
        assert_eq!(Flattened::new().lines(&batch), [1, 2, 3, 4, 5, 6]);
    }
}
