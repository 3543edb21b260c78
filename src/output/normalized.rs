//! Normalized: events as the rules see them, one JSON object a line (`jcdetect/event/v1`).

use std::io::{self, Write};

use serde_json::{Map, Value as Wire, json};

use crate::event::change;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::json::Json;
use crate::event::origin::Origin;
use crate::event::time::Timestamp;

/// What is written of an event.
pub struct Normalized<'a, F> {
    /// when it happened
    pub time: Timestamp,
    /// its id, if it has one
    pub id: Option<String>,
    /// the organization
    pub organization: &'a str,
    /// the service
    pub service: &'a str,
    /// the normalized fields
    pub fields: F,
    /// where it stands
    pub origin: Origin,
    /// the name of that source
    pub source: &'a str,
    /// the record after unwrapping, for its changes
    pub json: &'a Json<'a>,
}

impl<F: Fields> Normalized<'_, F> {
    /// Writes one line.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Wire| _ = object.insert(name.to_owned(), value);
        put("schema", "jcdetect/event/v1".into());
        put("timestamp", self.time.rfc3339().into());
        if let Some(id) = &self.id {
            put("id", id.as_str().into());
        }
        put("organization", self.organization.into());
        put("service", self.service.into());
        for norm in Norm::ALL {
            if let Some(value) = value(*norm, &self.fields) {
                insert(&mut object, norm.name(), value);
            }
        }
        let changes = changes(self.json);
        if !changes.is_empty() {
            object.insert("changes".to_owned(), changes.into());
        }
        let Origin { line, offset, .. } = self.origin;
        object.insert("origin".to_owned(), json!({"source": self.source, "line": line, "offset": offset}));
        serde_json::to_writer(&mut *out, &object)?;
        out.write_all(b"\n")
    }
}

/// Puts a value where its name says: `actor.key` is `key` in `actor`.
fn insert(object: &mut Map<String, Wire>, name: &str, value: Wire) {
    match name.split_once('.') {
        None => _ = object.insert(name.to_owned(), value),
        Some((outer, inner)) => {
            let place = object.entry(outer).or_insert_with(|| Wire::Object(Map::new()));
            if let Wire::Object(place) = place {
                place.insert(inner.to_owned(), value);
            }
        }
    }
}

/// The value of a field: a list where there may be several, a truth where it is one.
fn value(norm: Norm, fields: &impl Fields) -> Option<Wire> {
    let values = fields.values(&Field::Norm(norm));
    let mut texts = values.iter().filter_map(Value::text);
    match norm {
        Norm::MfaFactor | Norm::IntelName => {
            let list: Vec<&str> = texts.collect();
            (!list.is_empty()).then(|| list.into())
        }
        Norm::DeviceManaged | Norm::MfaUsed | Norm::MfaPushDenied | Norm::PasswordOk | Norm::IntelMatched => {
            texts.next().map(|text| (text == "true").into())
        }
        _ => texts.next().map(Wire::from),
    }
}

/// What was changed, from what to what, and the words for it.
fn changes(record: &Json<'_>) -> Vec<Wire> {
    let plain = |json: &Json<'_>| serde_json::from_str::<Wire>(&json.to_string()).unwrap_or_default();
    let one = |(field, change): (&str, change::Change<'_>)| {
        let mut object = Map::new();
        object.insert("field".to_owned(), field.into());
        object.extend(change.from.map(|from| ("from".to_owned(), plain(from))));
        object.extend(change.to.map(|to| ("to".to_owned(), plain(to))));
        object.insert("trend".to_owned(), change.trend().into());
        Wire::Object(object)
    };
    change::all(record).into_iter().map(one).collect()
}
