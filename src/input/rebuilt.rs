//! Rebuilt: records that a tool took apart, made whole again. Splunk's tables, pandas and warehouses write members under paths
//! (`{"initiated_by.email": …}`), and the pipeline of Elastic's integration moves out of an event what its own schema has a
//! name for.

use std::collections::HashMap;

use memchr::memmem;
use serde_json::{Map, Value};

use super::batch::{Batch, Span};
use super::cell::{Columns, gathered};
use super::envelope::{Place, Unwrapped, text_at, unwrap};
use super::header::{field, is_known};
use crate::event::field::is_nested;
use crate::event::json::Json;

/// Objects of which nearly every event has one. No key of an event starts as a path into them does, as `resource_type` would.
const OBJECTS: &[&str] = &["initiated_by", "geoip", "useragent"];

/// What the pipeline of Elastic's integration moves, from where in an event to where in the document: `packages/jumpcloud` of elastic/integrations,
/// `data_stream/events/elasticsearch/ingest_pipeline/default.yml`. It removes all of `useragent`, also where it copied less.
const MOVED: &[(&str, &str)] = &[
    ("timestamp", "@timestamp"),
    ("event_type", "event.action"),
    ("id", "event.id"),
    ("service", "event.module"),
    ("client_ip", "client.ip"),
    ("src_ip", "source.ip"),
    ("message", "message"),
    ("initiated_by.id", "source.user.id"),
    ("initiated_by.email", "source.user.email"),
    ("initiated_by.username", "source.user.name"),
    ("username", "user.name"),
    ("system.id", "host.id"),
    ("system.hostname", "host.hostname"),
    ("useragent.device", "user_agent.device.name"),
    ("useragent.name", "user_agent.name"),
    ("useragent.version", "user_agent.version"),
    ("useragent.os_name", "user_agent.os.name"),
    ("useragent.os_full", "user_agent.os.full"),
    ("useragent.os_version", "user_agent.os.version"),
    ("process_name", "process.name"),
];

/// Whether the start of a text looks as if it held such records. A record that is none stays as it is.
pub fn is_likely(head: &[u8]) -> bool {
    let has = |text: &str| memmem::find(head, text.as_bytes()).is_some();
    let is_apart = |object: &str| ['.', '_', '/', ':', '{'].iter().any(|mark| has(&format!("\"{object}{mark}")));
    OBJECTS.iter().any(|object| is_apart(object)) || has("\"jumpcloud\":") && has("\"action\":")
}

/// Makes records whole, one batch after another.
#[derive(Default)]
pub struct Rebuilder {
    /// what the keys of records stand for, by all of them, with a zero behind each
    columns: HashMap<String, Option<Columns>>,
    /// bytes of these keys
    held: usize,
}

/// Bytes of keys that are remembered; then it begins anew.
const HELD: usize = 4 << 20;

impl Rebuilder {
    /// The batch with its records made whole, each where it stood.
    pub fn rebuild(&mut self, batch: &Batch) -> Batch {
        let mut rebuilt = Batch { lossy: batch.lossy.clone(), is_utf16: batch.is_utf16, ..Batch::default() };
        for span in &batch.spans {
            let (text, start) = (&batch.bytes[span.start..span.end], rebuilt.bytes.len());
            let record = if span.fault.is_none() { self.record(text) } else { None };
            match record.and_then(|(record, is_lossy)| Some((serde_json::to_vec(&record).ok()?, is_lossy))) {
                Some((bytes, is_lossy)) => {
                    rebuilt.bytes.extend(bytes);
                    rebuilt.lossy.extend(is_lossy.then_some(span.line));
                }
                None => rebuilt.bytes.extend(text),
            }
            rebuilt.spans.push(Span { start, end: rebuilt.bytes.len(), ..*span });
        }
        rebuilt
    }

    /// A record made whole, and whether some of it is lost; `None` where nothing is to be done.
    fn record(&mut self, text: &[u8]) -> Option<(Map<String, Value>, bool)> {
        let text = std::str::from_utf8(text).ok()?;
        let outer = Json::parse(text).ok()?;
        let place: Place = match unwrap(&outer) {
            Unwrapped::Itself => &[],
            Unwrapped::Inner(_, place) => place,
            // All of the record is there, whatever was made of it beside.
            Unwrapped::Text(_) => return None,
        };
        let members = |place| serde_json::from_str::<Map<String, Value>>(text_at(text, place)?).ok();
        let document = members(place)?;
        if let [around @ .., "jumpcloud", "event"] = place {
            return Some((moved_back(&members(around)?, document)?, false));
        }
        let keys: String = document.keys().flat_map(|key| [key.as_str(), "\0"]).collect();
        let size = keys.len();
        let columns = self.columns.entry(keys).or_insert_with(|| {
            self.held += size;
            columns(&document)
        });
        let record = columns.as_ref().map(|columns| gathered(columns, document));
        if self.held > HELD {
            *self = Rebuilder::default();
        }
        record
    }
}

/// What the keys of an event stand for, if some of them are paths.
fn columns(document: &Map<String, Value>) -> Option<Columns> {
    if !document.contains_key("event_type") || !document.keys().any(|key| is_path(key)) {
        return None;
    }
    Columns::new(&document.keys().collect::<Vec<_>>().into())
}

/// Whether a key is a path to a member of an object of events.
fn is_path(key: &str) -> bool {
    let path = field(key);
    !is_known(key) && is_known(&path) && path.contains('.')
        || path.split_once(['.', '{']).is_some_and(|(head, _)| is_nested(head))
}

/// What is left of an event in a document of Elastic, with what was moved out of it; `None` if nothing was.
fn moved_back(document: &Map<String, Value>, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
    if event.contains_key("event_type") {
        return None;
    }
    for (path, place) in MOVED {
        let mut keys = place.split('.');
        let first = keys.next().and_then(|first| document.get(first));
        let found = first.and_then(|first| keys.try_fold(first, |at, key| at.get(key)));
        let Some(value) = found.and_then(one).filter(|value| !value.is_null()) else { continue };
        let (above, last) = path.rsplit_once('.').map_or((None, *path), |(above, last)| (Some(above), last));
        let at = match above {
            Some(above) => event.entry(above).or_insert_with(|| Value::Object(Map::new())).as_object_mut(),
            None => Some(&mut event),
        };
        if let Some(at) = at.filter(|at| !at.contains_key(last)) {
            at.insert(last.to_owned(), value.clone());
        }
    }
    event.contains_key("event_type").then_some(event)
}

/// A value, of a list the first one: `client.ip` becomes a list where something is put behind it.
fn one(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(items) => items.first(),
        value => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuilt(record: &str) -> Option<(Value, bool)> {
        let (record, is_lossy) = Rebuilder::default().record(record.as_bytes())?;
        Some((Value::Object(record), is_lossy))
    }

    #[test]
    fn members_under_paths_are_put_together() {
        let want = serde_json::json!({
            "event_type": "user_update", "timestamp": "t", "success": true, "message": "{not json",
            "initiated_by": {"email": "a@b.c"}, "geoip": {"country_code": "FR", "latitude": 48.5},
            "changes": [{"field": "email", "to": "x"}, {"field": "name", "to": 7}],
        });
        for mark in ['.', '/', ':', '_'] {
            let record = r#"{"event_type":"user_update","timestamp":"t","success":true,"message":"{not json","mfa":null,
                "initiated_by.email":"a@b.c","geoip.country_code":"FR","geoip.latitude":48.5,
                "changes.0.field":"email","changes.0.to":"x","changes.1.field":"name","changes.1.to":7}"#;
            let keys = ["initiated_by.", "geoip.", "changes.0.", "changes.1."];
            let with = |text: String, key: &str| text.replace(key, &key.replace('.', &mark.to_string()));
            let record = keys.iter().fold(record.to_owned(), |text, key| with(text, key));
            assert!(is_likely(record.as_bytes()));
            assert_eq!(rebuilt(&record), Some((want.clone(), false)), "{record}");
            let wrapped = format!(r#"{{"preview":false,"result":{record}}}"#);
            assert_eq!(rebuilt(&wrapped), Some((want.clone(), false)), "{wrapped}");
        }
        let lossy = r#"{"event_type":"user_update","changes{}.field":["email","name"]}"#;
        assert!(rebuilt(lossy).unwrap().1);
    }

    #[test]
    fn an_event_stays_as_it_is() {
        for record in [
            r#"{"event_type":"user_update","initiated_by":{"email":"a"},"changes":[{"field":"mfa.exclusion"}]}"#,
            r#"{"event_type":"login_attempt","system_timestamp":"t","auth_type":"x","@version":"1"}"#,
            r#"{"initiated_by.email":"a"}"#,
            r#"["initiated_by.email"]"#,
            r#"{"jumpcloud":{"event":{"event_type":"x"}},"event":{"action":"y"}}"#,
            r#"{"jumpcloud":{"event":{"mfa":true}},"event":{}}"#,
            r#"{"jumpcloud":{"event":{"mfa":true}},"event":{"action":"y","original":"{\"event_type\":\"y\"}"}}"#,
            "{",
        ] {
            assert_eq!(rebuilt(record), None, "{record}");
        }
        let policies = r#"{"event_type":"x","initiated_by":{},"auth_context":{"policies_applied":[{"metadata":{"resource_type":"x"}}]}}"#;
        assert!(!is_likely(policies.as_bytes()), "all that is read would be parsed twice");
    }

    #[test]
    fn what_elastic_moves_comes_back() {
        let document = r#"{"@timestamp":"t","event":{"action":"sso_auth","id":"1","module":"sso"},"message":"m",
            "jumpcloud":{"event":{"initiated_by":{"type":"user"},"organization":"o","system":"s"}},
            "client":{"ip":["192.0.2.1","192.0.2.1"]},"source":{"user":{"name":"a"}},"host":{"id":"h"},
            "user_agent":{"name":"Chrome","os":{"name":"Windows"}}}"#;
        let want = serde_json::json!({
            "timestamp": "t", "event_type": "sso_auth", "id": "1", "service": "sso", "message": "m", "organization": "o",
            "initiated_by": {"type": "user", "username": "a"}, "client_ip": "192.0.2.1", "system": "s",
            "useragent": {"name": "Chrome", "os_name": "Windows"},
        });
        assert!(is_likely(document.as_bytes()));
        assert_eq!(rebuilt(document), Some((want.clone(), false)));
        assert_eq!(rebuilt(&format!(r#"{{"_index":"i","_source":{document}}}"#)), Some((want, false)));
    }

    /// Whatever is broken in a record, there is no panic, and its place stays.
    #[test]
    fn broken_records_stay_where_they_are() {
        let whole = br#"{"event_type":"x","initiated_by.email":"a","initiated_by":"b","changes.0.to":[1],"changes.1":2,"a.b..c":{}}"#;
        let broken = (0..whole.len()).flat_map(|at| {
            let with = |byte: u8| [&whole[..at], &[byte], &whole[at + 1..]].concat();
            [whole[..at].to_vec(), with(b'"'), with(b'.'), with(b'{'), with(0xff)]
        });
        for text in broken {
            let span = Span { start: 0, end: text.len(), line: 7, offset: 9, fault: None };
            let empty = Span { start: span.end, ..span };
            let batch = Batch { bytes: text, spans: vec![span, empty], ..Batch::default() };
            let rebuilt = Rebuilder::default().rebuild(&batch);
            assert_eq!(rebuilt.spans.iter().map(|span| (span.line, span.offset)).collect::<Vec<_>>(), [(7, 9), (7, 9)]);
            assert_eq!(rebuilt.spans[1].end, rebuilt.bytes.len());
        }
    }
}
