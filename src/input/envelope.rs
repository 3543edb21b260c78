//! Envelope: what a collector wrapped around an event. It is taken off only where the outer object is no
//! event itself, and only once: a `message` inside a real event is text.

use super::list::value_length;
use crate::event::json::Json;

/// Where collectors put the event, most specific first. The value is an object, or JSON in a text.
const PLACES: &[Place] = &[
    &["_source", "event", "original"], // Elasticsearch export
    &["_source", "event.original"],
    &["_source", "message"],
    &["_source", "jumpcloud", "event"],
    &["event", "original"], // Elastic
    &["event.original"],
    &["jumpcloud_bridge"],                    // Wazuh bridge
    &["jumpcloud", "event"],                  // Elastic, original dropped
    &["jumpcloud"],                           // Coralogix collector
    &["data", "di_event"],                    // alert notification
    &["data", "jumpcloud_bridge"],            // Wazuh archive
    &["data", "jumpcloud"],                   // Wazuh archive, the integration in Python
    &["_source", "data", "jumpcloud_bridge"], // Wazuh indexer
    &["_source", "data", "jumpcloud"],
    &["_source", "data"],
    &["data"],                     // Google SecOps
    &["attributes", "attributes"], // Datadog's search
    &["attributes"],               // Datadog's archive
    &["jsonPayload"],              // Google Cloud Logging
    &["detail"],                   // EventBridge
    &["result", "_raw"],           // Splunk search export
    &["map", "_raw"],              // Sumo Logic search job
    &["result"],
    &["_raw"],     // Splunk, Sumo Logic
    &["message"],  // Sekoia, syslog shippers
    &["@message"], // CloudWatch Logs Insights
    &["RawData"],  // Azure Log Analytics
    &["event"],    // Splunk HEC; in Elastic's documents it says something about the `message`
    &["log"],      // Docker
    &["_source"],  // Elasticsearch, the event itself indexed
];

/// Where something stands: the keys that lead to it.
pub type Place = &'static [&'static str];

/// What an object turned out to be.
pub enum Unwrapped<'a, 'e> {
    /// an event, or at least no known envelope
    Itself,
    /// an envelope with an object inside, and where
    Inner(&'e Json<'a>, Place),
    /// an envelope with the event as text inside
    Text(&'e str),
}

/// Looks for an event inside an object.
pub fn unwrap<'a, 'e>(outer: &'e Json<'a>) -> Unwrapped<'a, 'e> {
    if is_event(outer) {
        return Unwrapped::Itself;
    }
    let is_inside_event =
        |place: &[&str]| (1..place.len()).any(|length| outer.at(&place[..length]).is_some_and(is_event));
    for place in PLACES {
        match outer.at(place) {
            Some(_) if is_inside_event(place) => {}
            Some(inner @ Json::Object(_)) if !inner.says_nothing() => {
                // `result` may hold `_raw`, `data` may hold `di_event`: those stand before it in the list.
                return Unwrapped::Inner(inner, place);
            }
            Some(Json::Text(text)) if text.trim_start().starts_with('{') => return Unwrapped::Text(text),
            _ => {}
        }
    }
    Unwrapped::Itself
}

fn is_event(object: &Json<'_>) -> bool {
    let has = |key| object.get(key).is_some_and(|v: &Json<'_>| !v.says_nothing());
    has("event_type") || has("id") && has("organization")
}

/// The text of what stands at a place of an object, if it is easily found; of repeated keys the last counts.
pub fn text_at(object: &str, place: Place) -> Option<&str> {
    place.iter().try_fold(object.trim(), |object, key| member(object, key))
}

/// The text of the value of a key in an object that is known to be valid; `None` if a key is written with escapes.
fn member<'t>(object: &'t str, wanted: &str) -> Option<&'t str> {
    let mut found = None;
    let mut rest = object.strip_prefix('{')?.trim_start();
    while rest.starts_with('"') {
        let (key, behind) = rest.split_at(value_length(rest.as_bytes())?);
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        let (value, behind) = value.split_at(value_length(value.as_bytes())?);
        if key.contains('\\') {
            return None;
        }
        if key[1..key.len() - 1] == *wanted {
            found = Some(value);
        }
        rest = behind.trim_start().strip_prefix(',').unwrap_or_default().trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> Option<String> {
        match unwrap(&Json::parse(text).unwrap()) {
            Unwrapped::Itself => None,
            Unwrapped::Inner(json, place) => {
                assert_eq!(Json::parse(text_at(text, place).unwrap()).unwrap(), *json, "{text}");
                Some(json.to_string())
            }
            Unwrapped::Text(text) => Some(text.to_owned()),
        }
    }

    #[test]
    fn every_known_place() {
        for text in [
            r#"{"_source":{"event":{"original":"{\"a\":1}"}}}"#,
            r#"{"event":{"original":"{\"a\":1}"},"message":"x"}"#,
            r#"{"_index":"i","_source":{"a":1}}"#,
            r#"{"event.original":"{\"a\":1}"}"#,
            r#"{"message":"{\"a\":1}"}"#,
            r#"{"_raw":"{\"a\":1}"}"#,
            r#"{"jumpcloud_bridge":{"a":1}}"#,
            r#"{"jumpcloud":{"a":1}}"#,
            r#"{"data":{"a":1}}"#,
            r#"{"data":{"alert_id":"1","di_event":{"a":1}}}"#,
            r#"{"data":{"jumpcloud_bridge":{"a":1}},"full_log":"x"}"#,
            r#"{"timestamp":"t","data":{"jumpcloud":{"a":1}},"location":"x"}"#,
            r#"{"_source":{"id":"1","data":{"jumpcloud":{"a":1}}}}"#,
            r#"{"_source":{"id":"1","data":{"a":1}}}"#,
            r#"{"map":{"_raw":"{\"a\":1}","_messagetime":"1"}}"#,
            r#"{"time":1,"event":{"a":1}}"#,
            r#"{"time":1,"event":"{\"a\":1}"}"#,
            r#"{"event":{"kind":"x"},"message":"{\"a\":1}"}"#,
            r#"{"log":"{\"a\":1}","stream":"stdout"}"#,
            r#"{"result":{"a":1}}"#,
            r#"{"preview":false,"result":{"_raw":"{\"a\":1}"}}"#,
        ] {
            assert_eq!(inside(text).as_deref(), Some(r#"{"a":1}"#), "{text}");
        }
    }

    #[test]
    fn the_text_of_a_place() {
        for (text, want) in [
            (r#"{"data":{"a":1}}"#, Some(r#"{"a":1}"#)),
            (r#" { "data" : { "a" : "}" } , "b" : [1, {"data":2}] } "#, Some(r#"{ "a" : "}" }"#)),
            (r#"{"data":{"a":1},"n":-1.5e3,"data":{"a":2}}"#, Some(r#"{"a":2}"#)),
            (r#"{"n":null,"t":"\"data\":","data":{}}"#, Some("{}")),
            (r#"{"d\u0061ta":{"a":1}}"#, None),
            (r#"{"Data":{"a":1}}"#, None),
            ("{}", None),
        ] {
            assert_eq!(text_at(text, &["data"]), want, "{text}");
        }
        assert_eq!(text_at(r#"{"_source":{"x":1,"event":{"original":{"a":1}}}}"#, PLACES[0]), Some(r#"{"a":1}"#));
    }

    #[test]
    fn an_event_is_never_unwrapped() {
        assert_eq!(inside(r#"{"event_type":"login_attempt","message":"{\"event_type\":\"x\"}"}"#), None);
        assert_eq!(inside(r#"{"id":"1","organization":"o","message":"{\"event_type\":\"x\"}"}"#), None);
        assert_eq!(inside(r#"{"message":"User x logged in"}"#), None);
        let indexed = r#"{"_source":{"event_type":"x","data":{"a":1}}}"#;
        assert_eq!(inside(indexed).as_deref(), Some(r#"{"event_type":"x","data":{"a":1}}"#));
    }
}
