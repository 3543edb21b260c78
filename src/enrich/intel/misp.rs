//! MISP events: the attributes that are meant for detection, also those of objects.

use super::builder::{Builder, Detail};
use super::indicator::Kind;
use super::stix::OTHER_TYPE;
use crate::enrich::At;
use crate::event::json::Json;

/// Reason: context for people; its author does not want machines to look for it.
pub const NOT_FOR_DETECTION: &str = "not meant for detection (`to_ids` is not true)";
/// Reason: taken back.
pub const DELETED: &str = "deleted";

/// Whether an object is an event of MISP, or an answer of its API.
pub fn is_event(object: &Json<'_>) -> bool {
    ["Event", "response", "Attribute", "Object"].iter().any(|key| object.get(key).is_some_and(is_nested))
}

fn is_nested(json: &Json<'_>) -> bool {
    matches!(json, Json::Array(_) | Json::Object(_))
}

/// Reads an event. `next` numbers its attributes.
pub fn event(json: &Json<'_>, next: &mut impl FnMut() -> At, builder: &mut Builder) {
    inside(json, "", next, builder);
}

fn inside(json: &Json<'_>, info: &str, next: &mut impl FnMut() -> At, builder: &mut Builder) {
    json.items().iter().for_each(|item| inside(item, info, next, builder));
    let info = json.text_at(&["info"]).unwrap_or(info);
    for (key, value) in json.members() {
        match &**key {
            "Event" | "response" | "Object" => inside(value, info, next, builder),
            "Attribute" => {
                value.items().iter().for_each(|item| attribute(item, info, next(), builder));
                if matches!(value, Json::Object(_)) {
                    attribute(value, info, next(), builder);
                }
            }
            _ => {}
        }
    }
}

fn attribute(attribute: &Json<'_>, info: &str, at: At, builder: &mut Builder) {
    let is_set = |key: &str| attribute.answer_at(&[key]) == Some(true);
    if is_set("deleted") {
        return builder.skipped.add(DELETED, at);
    }
    if !is_set("to_ids") {
        return builder.skipped.add(NOT_FOR_DETECTION, at);
    }
    let info = attribute.text_at(&["Event", "info"]).unwrap_or(info);
    let notes: Vec<&str> = [Some(info), attribute.text_at(&["comment"])].into_iter().flatten().collect();
    let detail = Detail::described(notes.join(": ").trim_matches([':', ' ']));
    let (kind, value) = (attribute.text_at(&["type"]).unwrap_or_default(), attribute.text_at(&["value"]));
    let parts = kind.split('|').zip(value.unwrap_or_default().split('|'));
    let mut is_used = false;
    for (kind, part) in parts.filter(|(kind, _)| *kind != "port") {
        match Kind::named(kind) {
            Ok(Some(kind)) => builder.offer(part, Some(kind), detail.clone(), at),
            Ok(None) => builder.skipped.add(OTHER_TYPE, at),
            Err(reason) => builder.skipped.add(reason, at),
        }
        is_used = true;
    }
    if !is_used {
        builder.skipped.add(OTHER_TYPE, at);
    }
}
