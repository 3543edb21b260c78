//! Looks: what a file is that is no Directory Insights export, in words that help its owner.

use crate::event::json::Json;
use crate::event::time::Timestamp;

/// What the start of a file looks like that is neither JSON, CSV nor plain text, and what to do about it.
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    if let Some((_, words)) = ARCHIVES.iter().chain(OTHERS).find(|(magic, _)| head.starts_with(magic)) {
        return Some(words);
    }
    if is_tar(head) {
        return Some("a tar archive: unpack it first");
    }
    if is_utf16(head) {
        return Some("text in UTF-16 without a byte order mark: save it as UTF-8");
    }
    if head.contains(&0) {
        return Some("a binary file");
    }
    let start = head.trim_ascii_start();
    let is_page = |tag: &[u8]| start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    if start.starts_with(b"<?xml") || start.starts_with(b"<Event") {
        return Some("XML");
    }
    (is_page(b"<!doctype") || is_page(b"<html")).then_some("an HTML page, perhaps of a sign-in that ran out")
}

/// Whether every other byte is zero, and the others are text.
fn is_utf16(head: &[u8]) -> bool {
    let (pairs, _) = head.as_chunks::<2>();
    let pairs = &pairs[..pairs.len().min(32)];
    let is_wide = |zero: usize| {
        pairs.iter().all(|pair| pair[zero] == 0 && matches!(pair[1 - zero], b'\t' | b'\n' | b'\r' | b' '..))
    };
    !pairs.is_empty() && (is_wide(0) || is_wide(1))
}

/// What the start of a file looks like, and what to do about it.
pub fn like(head: &[u8]) -> String {
    if let Some(words) = foreign(head) {
        return words.to_owned();
    }
    if is_own(head) {
        return "a file that jcdetect wrote: name the export it was made of".to_owned();
    }
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start();
    let line = start.lines().next().unwrap_or_default();
    let first_line: String = line.chars().take(60).collect();
    let has_cells = |separator: char| line.matches(separator).count() >= 2;
    if start.contains("CEF:0|") {
        return "CEF".to_owned();
    }
    if start.starts_with(['{', '[']) {
        let keys = keys(start);
        if let Some(filter) = deeper(start, &keys).filter(|_| !is_list_in_text(start)) {
            return format!("JSON in which events lie deeper: take them out with jq -c '{filter}'");
        }
        return match &keys[..keys.len().min(6)] {
            [] if is_empty_object(start) => "an empty object".to_owned(),
            [] => "JSON, but without objects".to_owned(),
            keys if keys.iter().any(|k| k == "Records" || k == "eventVersion") => "AWS CloudTrail".to_owned(),
            keys if is_list_in_text(start) => {
                format!(
                    "events as a list within a text (key: {key}): take it out with jq -c '.{key} | fromjson | .[]'",
                    key = keys[0]
                )
            }
            keys if keys.iter().any(|k| k == "message" || k == "error") && keys.len() < 4 => {
                format!("an answer of an API with an error (keys: {})", keys.join(", "))
            }
            keys => format!("JSON of another kind (keys: {})", keys.join(", ")),
        };
    }
    if has_cells(',') {
        return format!("CSV without the columns of Directory Insights (first line: {first_line:?})");
    }
    for (separator, words) in [(';', "semicolons"), ('\t', "tabs")] {
        if has_cells(separator) {
            return format!("a table separated by {words}: export it with commas (first line: {first_line:?})");
        }
    }
    format!("text (first line: {first_line:?})")
}

/// How to take out events that lie within objects of JSON, or in texts of it; nothing for what is an event, if a broken one,
/// by the keys of the first object.
fn deeper(text: &str, keys: &[String]) -> Option<&'static str> {
    if keys.iter().any(|key| key == "event_type") {
        None
    } else if text.contains(r#""event_type""#) {
        Some(r#".. | objects | select(has("event_type"))"#)
    } else {
        let is_in_text = text.contains(r#"\"event_type\""#);
        is_in_text.then_some(r#".. | strings | fromjson? | objects | select(has("event_type"))"#)
    }
}

/// Whether nothing but zeros is left of a file, as after a crash or a copy that failed.
pub fn is_lost(head: &[u8]) -> bool {
    head.contains(&0) && head.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

/// Whether an object without members comes first, perhaps in a list.
fn is_empty_object(text: &str) -> bool {
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || c == '[');
    first.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('}'))
}

/// Whether the first member of an object is a text with a list of objects.
fn is_list_in_text(object: &str) -> bool {
    let value = object.split_once(':').map(|(_, value)| value.trim_start());
    value.is_some_and(|value| value.starts_with(r#""[{\""#))
}

/// Whether a file is what this program wrote: it holds some of an event, and findings of it would be of less.
pub fn is_own(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let object = text.trim_start_matches(|c: char| c.is_whitespace() || c == '{' || c == '[');
    let schema = object.strip_prefix(r#""schema""#).map(|rest| rest.trim_start_matches([' ', ':']));
    let first_line = text.lines().next().unwrap_or_default();
    // A quote within a value is escaped, so no value looks like this.
    let has = |keys: &[&str]| keys.iter().all(|key| first_line.contains(&format!(",\"{key}\":")));
    let is_row =
        first_line.starts_with(r#"{"timestamp":"#) && (has(&["actor.key"]) || has(&["outcome", "line", "offset"]));
    let has_cell = |names: &[&str]| first_line.split(',').any(|cell| names.contains(&cell));
    let is_table = !has_json(first_line) && has_cell(&["actor.key", "actor_key"]) && has_cell(&["timestamp"]);
    let is_chosen = is_chosen_row(first_line) || is_chosen_table(first_line, head);
    schema.is_some_and(|schema| schema.starts_with(r#""jcdetect/"#)) || is_row || is_table || is_chosen
}

/// Whether a line is an event with columns that somebody chose: a time, texts, and where it stands. Whatever texts a
/// record has, it is none of these: it has more than texts.
fn is_chosen_row(line: &str) -> bool {
    if !line.starts_with(r#"{"timestamp":"#) {
        return false;
    }
    let Ok(row) = Json::parse(line) else { return false };
    let is_text = |value: &Json<'_>| matches!(value, Json::Text(_));
    let is_cell = |value: &Json<'_>| is_text(value) || matches!(value, Json::Array(texts) if texts.iter().all(is_text));
    row.text_at(&["origin"]).is_some_and(is_origin) && row.members().iter().all(|(_, value)| is_cell(value))
}

/// Whether a table has columns that somebody chose, by its header and its first row.
fn is_chosen_table(header: &str, head: &[u8]) -> bool {
    if has_json(header) || !header.starts_with("timestamp,") || !header.ends_with(",origin") {
        return false;
    }
    let mut rows = csv::Reader::from_reader(head).into_byte_records();
    let last = rows.next().and_then(Result::ok).and_then(|row| row.iter().next_back().map(<[u8]>::to_vec));
    last.is_some_and(|last| is_origin(&String::from_utf8_lossy(&last)))
}

/// Whether a text says where an event stands, `events.jsonl:12`, and is no address of a page.
fn is_origin(text: &str) -> bool {
    let is_line = |line: &str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    text.rsplit_once(':').is_some_and(|(source, line)| !source.is_empty() && is_line(line)) && !text.contains("://")
}

/// Whether a line has an object in JSON. Its texts are for anybody to choose, and may look like cells.
pub fn has_json(line: &str) -> bool {
    line.contains("\":") || line.contains("{\"")
}

/// Whether a text starts with an event, perhaps behind a time. That it speaks of events is not enough.
pub fn is_event(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start();
    let line = start.lines().next().unwrap_or_default();
    let is_timed = || line.split_whitespace().next().is_some_and(|word| Timestamp::parse(word).is_some());
    start.contains("event_type") && (start.starts_with(['{', '[']) || has_json(line) && is_timed())
}

/// Whether a file is an archive: what it holds would be read only in part, so it is not read at all.
pub fn is_archive(head: &[u8]) -> bool {
    is_tar(head) || ARCHIVES.iter().any(|(magic, _)| head.starts_with(magic))
}

/// What a member is called is filled up with zeros.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") && head[..257].contains(&0)
}

/// The keys of the first object, by eye and not by parser: the text may be cut.
fn keys(text: &str) -> Vec<String> {
    let Some(start) = text.find('{') else { return Vec::new() };
    let mut keys = Vec::new();
    let mut depth = 0_u32;
    let mut rest = text[start..].chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '"' => {
                let mut word = String::new();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    if c == '\\' {
                        rest.next();
                    }
                    word.push(c);
                }
                while rest.next_if(|c| c.is_whitespace()).is_some() {}
                if depth == 1 && rest.peek() == Some(&':') {
                    keys.push(word.chars().filter(|c| !c.is_control()).take(30).collect());
                }
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    keys
}

/// Kinds of files that are known by their first bytes.
type Magic = &'static [(&'static [u8], &'static str)];

/// What may hold events, but has to be unpacked.
const ARCHIVES: Magic = &[
    (b"PK\x03\x04", "a zip: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a rar archive: unpack it first"),
    (b"\xfd7zXZ\0", "an xz file: unpack it first"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\x1f\x8b", "a file compressed twice: unpack it once"),
    (b"\x28\xb5\x2f\xfd", "a file compressed twice: unpack it once"),
    (b"PAR1", "Parquet: export it as JSON Lines first"),
];

const OTHERS: Magic = &[
    (b"ElfFile\0", "EVTX, a Windows event log: use a tool for Windows logs"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x89PNG", "a picture"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What is chosen of an event is known; an export that has such columns, too, is none of it.
    #[test]
    fn columns_that_somebody_chose() {
        for (head, want) in [
            ("timestamp,actor.name,origin\n2026-03-02T09:00:00Z,\"a\nb\",\"x,y.jsonl:12\"\n", true),
            ("timestamp,event_type,origin\r\n2026-03-02T09:00:00Z,sso_auth,-:1\r\n", true),
            ("timestamp,event_type,origin\n", false),
            ("timestamp,event_type,origin\n2026-03-02T09:00:00Z,sso_auth,https://localhost:3000\n", false),
            ("timestamp,event_type,origin\n2026-03-02T09:00:00Z,sso_auth,console\n", false),
            ("timestamp,origin,event_type\n2026-03-02T09:00:00Z,x:1,x:1\n", false),
            (r#"{"timestamp":"2026-03-02T09:00:00Z","mfa.factor":["totp","push"],"origin":"x.jsonl:1"}"#, true),
            (r#"{"timestamp":"2026-03-02T09:00:00Z","event_type":"sso_auth","origin":"http://localhost:80"}"#, false),
            (r#"{"timestamp":"2026-03-02T09:00:00Z","initiated_by":{"id":"1"},"origin":"x.jsonl:1"}"#, false),
            (r#"{"timestamp":"2026-03-02T09:00:00Z","success":true,"origin":"x.jsonl:1"}"#, false),
            (r#"{"timestamp":"2026-03-02T09:00:00Z","a":"\",\"origin\":\"x.jsonl:1\""}"#, false),
            (r#"{"event_type":"sso_auth","timestamp":"2026-03-02T09:00:00Z","origin":"x.jsonl:1"}"#, false),
        ] {
            assert_eq!(is_own(head.as_bytes()), want, "{head}");
        }
    }

    #[test]
    fn events_are_known_by_their_start() {
        for (head, want) in [
            ("{\"id\":\"1\",\"event_type\":\"sso_auth\"}\n", true),
            ("\n [\n  {\n    \"event_type\": \"sso_auth\"", true),
            ("2026-03-10T10:25:00.000Z {\"event_type\":\"sso_auth\"}", true),
            ("# Notes\nThe field `event_type` says what it is, `{\"event_type\":\"x\"}`", false),
            ("{\"name\":\"package\"}", false),
            ("const event_type = 1;", false),
            ("", false),
        ] {
            assert_eq!(is_event(head.as_bytes()), want, "{head}");
        }
    }

    #[test]
    fn files_are_named() {
        for (head, want) in [
            (&b"ElfFile\0\0\0"[..], "EVTX"),
            (b"PK\x03\x04....", "a zip: unpack it first"),
            (b"{\"eventVersion\":\"1.08\",\"x\":{\"y\":1}}", "CloudTrail"),
            (b"{\"message\":\"Unauthorized\"}", "an answer of an API"),
            (b"{\"message\":\"[{\\\"id\\\":1}]\"}", "jq -c '.message | fromjson | .[]'"),
            (b"{\"a\":{\"b\":1},\"c\":2}", "keys: a, c)"),
            (b"{\"sso\":[{\"id\":1,\"event_type\":\"x\"}]}", r#"jq -c '.. | objects | select(has("event_type"))'"#),
            (b"{\"event_type\":\"x\",\"a\":\"}{\",", "JSON of another kind"),
            (b"[{\"event_type\":\"x\",", "JSON of another kind"),
            (b"[\"{\\\"event_type\\\":\\\"x\\\"}\"]", "jq -c '.. | strings | fromjson? | objects | select"),
            (b"Nov 24 host sshd[1]: hello", "text (first line"),
            (b"a,b,c\n1,2,3", "CSV without"),
            (b"timestamp;event_type;success\n1;2;3", "export it with commas"),
            (b"<html>", "HTML"),
            (b"\x01\x00\x02", "binary"),
            (b"\0{\0\"", "UTF-16"),
            (b"MZ\x90\0", "a program"),
            (b"MZ,Mozambique", "text"),
            (b"\n <?xml version='1.0'?>", "XML"),
            (b"[1,2]", "without objects"),
            (b"{\n}\n", "an empty object"),
            (b"[{}]", "an empty object"),
        ] {
            assert!(like(head).contains(want), "{} / {want}", like(head));
        }
    }
}
