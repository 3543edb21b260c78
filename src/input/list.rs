//! List: an object around a list of records, as answers of APIs are: `{"results":[{…},{…}],"totalCount":2}`. Framing
//! steps into it, so that a list of any length is read record by record and each has its own place. An answer whose
//! list is empty is no record: there was nothing to tell.

use memchr::{memchr_iter, memmem};

use super::plain::blanks;
use crate::event::json::Json;

/// Where lists stand that hold events, each perhaps in an envelope.
const PLACES: &[&[&str]] = &[
    &["value"], // PowerShell 5.1
    &["results"],
    &["data"],
    &["events"],
    &["logEvents"],    // CloudWatch through Firehose
    &["messages"],     // Sumo Logic
    &["records"],      // Azure Event Hubs
    &["hits", "hits"], // Elasticsearch
];

/// What an event has, also one within a text, and a document of Elastic, out of which that was moved.
const SIGNS: [&[u8]; 2] = [b"\"event_type", b"\"jumpcloud\":"];

fn has_sign(text: &[u8]) -> bool {
    SIGNS.iter().any(|sign| memmem::find(text, sign).is_some())
}

/// Bytes from the start of the object that are looked at.
pub const LOOK: usize = 256 << 10;

/// Where an object holds a list of events: the byte behind its bracket, and how many objects are open there.
///
/// It is stepped into only where objects in it name event types, and the object around it does not, as far as that
/// is looked at.
pub fn start(object: &[u8]) -> Option<(usize, u32)> {
    let object = &object[..object.len().min(LOOK)];
    let mut path: Vec<&str> = Vec::new();
    let (mut has_id, mut has_organization) = (false, false);
    let mut last_sign = None;
    let mut at = 1;
    loop {
        at += blanks(&object[at..]);
        let end = at + value_length(&object[at..]).filter(|_| object.get(at) == Some(&b'"'))?;
        let key = std::str::from_utf8(&object[at + 1..end - 1]).ok()?;
        at = end + blanks(&object[end..]);
        if object.get(at) != Some(&b':') {
            return None;
        }
        at += 1 + blanks(&object[at + 1..]);
        if path.is_empty() {
            (has_id, has_organization) = (has_id || key == "id", has_organization || key == "organization");
            if key == "event_type" || has_id && has_organization {
                return None;
            }
        }
        path.push(key);
        match object.get(at)? {
            b'[' if PLACES.contains(&path.as_slice()) => {
                // An object that goes on to name event types behind the list is an event itself. It is looked at to its
                // end once, however many lists it has.
                if let Some(length) = length_of_events(&object[at..])
                    && *last_sign.get_or_insert_with(|| last_sign_in(object)) < Some(at + length)
                {
                    return Some((at + 1, u32::try_from(path.len()).ok()?));
                }
            }
            b'{' if PLACES.iter().any(|place| place.len() > path.len() && place.starts_with(&path)) => {
                at += 1;
                continue;
            }
            _ => {}
        }
        at += value_length(&object[at..])?;
        path.pop();
        at += blanks(&object[at..]);
        if object.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
}

/// Ends of the names of texts that say where the next answer is.
const MARKS: &[&str] = &["token", "cursor", "scroll_id", "pit_id"];

/// What `fields` says of each column of the answer (Splunk, Sumo Logic).
const OF_FIELD: &[&str] = &["name", "type", "groupby_rank", "fieldType", "keyField"];

/// Whether an object that is no event is an answer with an empty list: what stands where lists of events do is empty,
/// and all that stands beside it is known to be harmless. Whatever else is there may be an event, or tell that nobody
/// could look for one, so that the object is a record.
pub fn is_empty_answer(text: &[u8]) -> bool {
    // Nearly nothing has an empty list, and is parsed again for it.
    if !memchr_iter(b'[', text).any(|at| text.get(at + 1 + blanks(&text[at + 1..])) == Some(&b']')) || has_sign(text) {
        return false;
    }
    let Ok(object) = Json::of_bytes(text) else { return false };
    let is_empty = |place: &&[&str]| matches!(object.at(place), Some(Json::Array(items)) if items.is_empty());
    // What a collector sends says whose the list is.
    let is_of_collector = object.get("logEvents").is_some();
    PLACES.iter().any(is_empty)
        && object
            .members()
            .iter()
            .all(|(key, value)| is_harmless("", key, value) || is_of_collector && is_envelope(key, value))
}

/// Whether a member says nothing of events: it is empty, a count of none, a mark, or known to say something else. Of an
/// object that holds for each of its members; `around` is what it is called.
fn is_harmless(around: &str, key: &str, value: &Json<'_>) -> bool {
    let name = key.to_ascii_lowercase();
    let is_number = matches!(value, Json::Int(_) | Json::Float(_));
    let is_zero = matches!(value, Json::Int(0) | Json::Float(0.0));
    let is_text = |text: &str| matches!(value, Json::Text(said) if said == text);
    let is_known = match (around, key) {
        ("", "took" | "init_offset") | ("_shards", "total" | "successful" | "skipped") => is_number,
        ("_shards", "failed") | ("total", "value") => is_zero,
        ("total", "relation") => is_text("eq"),
        ("", "timed_out" | "preview" | "hasMore" | "has_more") => *value == Json::Bool(false),
        ("", "success") => *value == Json::Bool(true),
        ("", "fields") => value.items().iter().all(is_field) && matches!(value, Json::Array(_)),
        _ => false,
    };
    let is_count = name.ends_with("count") || name.starts_with("total");
    let is_mark = value.text().is_some() && MARKS.iter().any(|end| name.ends_with(end));
    let members = value.members();
    value.says_nothing()
        || is_known
        || is_mark
        || is_zero && is_count
        || !members.is_empty() && members.iter().all(|(inner, value)| is_harmless(key, inner, value))
}

/// Whether this is the description of a column.
fn is_field(field: &Json<'_>) -> bool {
    let is_said = |(key, value): &(_, Json<'_>)| {
        OF_FIELD.contains(&AsRef::<str>::as_ref(key)) && !matches!(value, Json::Array(_) | Json::Object(_))
    };
    field.get("name").is_some() && field.members().iter().all(is_said)
}

/// Whether a member is one of those that CloudWatch puts around a list.
fn is_envelope(key: &str, value: &Json<'_>) -> bool {
    match key {
        "messageType" | "owner" | "logGroup" | "logStream" => value.text().is_some(),
        "subscriptionFilters" => {
            matches!(value, Json::Array(filters) if filters.iter().all(|filter| filter.text().is_some()))
        }
        _ => false,
    }
}

/// The length of a list, as far as it is there, if it is one of events.
fn length_of_events(list: &[u8]) -> Option<usize> {
    if list.get(1 + blanks(&list[1..])) != Some(&b'{') {
        return None;
    }
    let (length, _) = Tail::default().feed(list);
    has_sign(&list[..length]).then_some(length)
}

/// Where an object names an event type for the last time; that is not known of one that does not end.
fn last_sign_in(object: &[u8]) -> Option<usize> {
    let object = &object[..value_length(object)?];
    SIGNS.iter().filter_map(|sign| memmem::rfind(object, sign)).max()
}

/// Whether an object that holds no list of events may be followed by one that does: it is no event either.
pub fn may_follow(object: &[u8]) -> bool {
    let object = &object[..object.len().min(LOOK)];
    value_length(object).is_some_and(|length| !has_sign(&object[..length]))
}

/// The length of the value at the start of a text, by its quotes and brackets; `None` if it does not end.
pub fn value_length(text: &[u8]) -> Option<usize> {
    if !matches!(text.first()?, b'"' | b'{' | b'[') {
        return text.iter().position(|b| matches!(b, b',' | b'}' | b']'));
    }
    let mut tail = Tail::default();
    let (length, is_closed) = tail.feed(text);
    is_closed.then_some(length)
}

/// What stands behind a list, to the end of the object around it.
#[derive(Debug, Default)]
pub struct Tail {
    depth: u32,
    is_in_text: bool,
    is_escaped: bool,
    /// it names an event type, so it is more than a count
    pub has_events: bool,
}

impl Tail {
    /// So many objects are open.
    pub fn new(depth: u32) -> Tail {
        Tail { depth, ..Tail::default() }
    }

    /// How many bytes belong to it, and whether it ends there.
    pub fn feed(&mut self, text: &[u8]) -> (usize, bool) {
        for (at, byte) in text.iter().enumerate() {
            if self.is_in_text {
                self.is_in_text = self.is_escaped || *byte != b'"';
                self.is_escaped = *byte == b'\\' && !self.is_escaped;
            } else {
                match byte {
                    b'"' => self.is_in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => continue,
                }
            }
            if self.depth == 0 && !self.is_in_text {
                self.has_events |= has_sign(&text[..at]);
                return (at + 1, true);
            }
        }
        self.has_events |= has_sign(text);
        (text.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> Option<(&str, u32)> {
        start(text.as_bytes()).map(|(at, depth)| (&text[at..], depth))
    }

    #[test]
    fn lists_of_events_are_found() {
        let event = r#"{"event_type":"x"}]"#;
        for (before, depth) in [
            (r#"{"value": ["#, 1),
            (r#"{"preview":false,"n":-1,"s":"[{\"}","o":{"a":["}"]},"results":["#, 1),
            (r#"{"took":1,"hits":{"total":{"value":2},"hits":["#, 2),
        ] {
            assert_eq!(inside(&format!("{before}{event}")), Some((event, depth)), "{before}");
        }
        let envelope = r#"{"message":"{\"event_type\":\"x\"}"}]}"#;
        assert_eq!(inside(&format!("{{\"logEvents\":[{envelope}")), Some((envelope, 1)));
    }

    #[test]
    fn other_objects_are_not_opened() {
        for text in [
            r#"{"event_type":"y","data":[{"event_type":"x"}]}"#,
            r#"{"id":"1","organization":"o","data":[{"event_type":"x"}]}"#,
            r#"{"changes":[{"event_type":"x"}]}"#,
            r#"{"data":[{"a":1}]}"#,
            r#"{"data":[1]}"#,
            r#"{"data":[]}"#,
            r#"{"data":{"events":[{"event_type":"x"}]}}"#,
            r#"{"data":[{"event_type":"x"}],"event_type":"y"}"#,
            r#"{"data":{"event_type":"x"}}"#,
            r#"{"data":[{"event_type":"x"}],"data":[{"event_type":"x"}],"event_type":"y"}"#,
            r#"{"data"#,
            "{}",
            "{",
        ] {
            assert_eq!(inside(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_may_be_empty() {
        for text in [
            r#"{"results":[]}"#,
            r#"{"results": [ ], "totalCount": 0}"#,
            r#"{"value":[],"Count":0}"#,
            r#"{"took":1,"timed_out":false,"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#,
            r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"jumpcloud","logEvents":[]}"#,
            r#"{"preview":false,"messages":[],"fields":[{"name":"_raw"}],"results":[]}"#,
            r#"{"events":[],"searchedLogStreams":[],"nextToken":"abc"}"#,
            r#"{"success":true,"error":null,"data":[]}"#,
            r#"{"took":1,"_shards":{"total":5,"successful":5,"failed":0},"hits":{"max_score":null,"hits":[]}}"#,
            r#"{"logEvents":[],"logStream":"","subscriptionFilters":["all"]}"#,
            r#"{"data":[],"page":{"total":0,"next":"","cursor":"abc"},"hasMore":false}"#,
        ] {
            assert!(is_empty_answer(text.as_bytes()), "{text}");
        }
        for text in [
            "{}",
            "[]",
            r#"{"a":[]}"#,
            r#"{"results":[1]}"#,
            r#"{"results":{}}"#,
            r#"{"results":"[]"}"#,
            r#"{"results":[],"data":[{"a":1}]}"#,
            r#"{"messages":[{"type":"FATAL","text":"unauthorized"}],"results":[]}"#,
            r#"{"message":"Unauthorized","data":[]}"#,
            r#"{"error":{"code":401},"data":[]}"#,
            r#"{"meta":{"status":500},"data":[]}"#,
            r#"{"success":false,"results":[]}"#,
            r#"{"level":"info","msg":"hello","data":[]}"#,
            r#"{"results":[]"#,
            r#"{"results":[],"entries":[{"event_type":"x"}]}"#,
            r#"{"results":[],"records":[{"id":"1"}]}"#,
            r#"{"results":[],"nextToken":"{\"event_type\":\"x\"}"}"#,
            r#"{"data":[],"events":{"event_type":"x"}}"#,
            r#"{"data":[],"payload":[{"id":"1"}]}"#,
            r#"{"results":[],"fields":[{"name":"alice","client_ip":"203.0.113.9"}]}"#,
            r#"{"results":[],"fields":[{"name":{"id":"1"}}]}"#,
            r#"{"results":[],"totalCount":4711}"#,
            r#"{"results":[],"total":"4711"}"#,
            r#"{"results":[],"hasMore":true}"#,
            r#"{"results":[],"preview":true}"#,
            r#"{"results":[],"failed":true}"#,
            r#"{"results":[],"warnings":["query was cut"]}"#,
            r#"{"results":[],"exceptions":[{"x":1}]}"#,
            r#"{"total":0,"results":[],"page":{"next":"","items":[{"a":1}]}}"#,
            r#"{"hits":{"total":{"value":10000,"relation":"gte"},"hits":[]}}"#,
            r#"{"hits":{"total":{"value":0,"relation":"gte"},"hits":[]}}"#,
            r#"{"timed_out":true,"hits":{"total":{"value":0},"hits":[]}}"#,
            r#"{"_shards":{"total":5,"failed":5},"hits":{"total":{"value":0},"hits":[]}}"#,
            r#"{"_shards":{"failed":0,"failures":[{"shard":0}]},"hits":{"hits":[]}}"#,
            r#"{"logGroup":"jumpcloud","data":[]}"#,
            r#"{"logGroup":{"a":1},"logEvents":[]}"#,
        ] {
            assert!(!is_empty_answer(text.as_bytes()), "{text}");
        }
    }

    /// The object is not looked through for each of its lists: that would take minutes.
    #[test]
    fn many_lists_cost_no_more_than_one() {
        let events = r#""data":[{"event_type":"x"}],"#.repeat(8000);
        for members in [r#""data":[{}],"#.repeat(20_000), events] {
            let object = format!(r#"{{{members}"event_type":"y"}}"#);
            assert_eq!(inside(&object), None);
        }
    }

    #[test]
    fn a_tail_ends_with_its_objects() {
        let mut tail = Tail::new(2);
        assert_eq!(tail.feed(b",\"a\":[{\"b\":\"}\\\"}\""), (17, false));
        assert_eq!(tail.feed(b"}]},\"c\":1} x"), (10, true));
        assert!(!tail.has_events);
    }
}
