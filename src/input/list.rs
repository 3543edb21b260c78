//! List: an object around a list of records, as answers of APIs are: `{"results":[{…},{…}],"totalCount":2}`. Framing
//! steps into it, so that a list of any length is read record by record and each has its own place.

use memchr::memmem;

use super::plain::blanks;

/// Where lists stand that hold events, each perhaps in an envelope.
const PLACES: &[&[&str]] = &[
    &["value"], // PowerShell 5.1
    &["results"],
    &["data"],
    &["events"],
    &["logEvents"],    // CloudWatch through Firehose
    &["messages"],     // Sumo Logic
    &["hits", "hits"], // Elasticsearch
];

/// What an event has, also one within a text.
const SIGN: &[u8] = b"\"event_type";

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

/// The length of a list, as far as it is there, if it is one of events.
fn length_of_events(list: &[u8]) -> Option<usize> {
    if list.get(1 + blanks(&list[1..])) != Some(&b'{') {
        return None;
    }
    let (length, _) = Tail::default().feed(list);
    memmem::find(&list[..length], SIGN).map(|_| length)
}

/// Where an object names an event type for the last time; that is not known of one that does not end.
fn last_sign_in(object: &[u8]) -> Option<usize> {
    memmem::rfind(&object[..value_length(object)?], SIGN)
}

/// Whether an object that holds no list of events may be followed by one that does: it is no event either.
pub fn may_follow(object: &[u8]) -> bool {
    let object = &object[..object.len().min(LOOK)];
    value_length(object).is_some_and(|length| memmem::find(&object[..length], SIGN).is_none())
}

/// The length of the value at the start of a text, by its quotes and brackets; `None` if it does not end.
fn value_length(text: &[u8]) -> Option<usize> {
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
                self.has_events |= memmem::find(&text[..at], SIGN).is_some();
                return (at + 1, true);
            }
        }
        self.has_events |= memmem::find(text, SIGN).is_some();
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
