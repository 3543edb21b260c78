//! The JSON values of a text: one, several after each other, or one a line.

use super::{At, Error, Skipped};
use crate::event::json::Json;

/// Reason of a line that is no JSON among lines that are.
const NOT_JSON: &str = "not JSON";

/// Reason of an object that is no entry of any list.
pub const EVENT: &str = "an event of Directory Insights: name its export as a source";

/// Whether an object is an event, whose names are those of colleagues.
pub fn is_event(json: &Json<'_>) -> bool {
    let has = |key| json.text_at(&[key]).is_some();
    has("event_type") && (has("timestamp") || json.said(&["initiated_by"]).is_some())
}

/// Whether a text is JSON by its start. An address in brackets (`[2001:db8::1]:443`) is not.
pub fn is_json(text: &str) -> bool {
    let mut start = text.chars().filter(|c| !c.is_whitespace());
    match start.next() {
        Some('{') => true,
        Some('[') => matches!(start.next(), Some('{' | '[' | ']' | '"')),
        _ => false,
    }
}

/// All objects of a text in their order, out of arrays and of the `results` that JumpCloud's API wraps
/// them in. Where each line is a value of its own, a broken line costs only itself.
pub fn objects<'t>(name: &str, text: &'t str, skipped: &mut Skipped) -> Result<Vec<(At, Json<'t>)>, Error> {
    let mut out = Vec::new();
    let mut number = 0;
    for (line, value) in values(name, text, skipped)? {
        flatten(value, line, &mut number, &mut out);
    }
    out.retain(|(at, json)| {
        let is_event = is_event(json);
        if is_event {
            skipped.add(EVENT, *at);
        }
        !is_event
    });
    Ok(out)
}

fn flatten<'t>(value: Json<'t>, line: Option<u64>, number: &mut u64, out: &mut Vec<(At, Json<'t>)>) {
    match value {
        Json::Array(items) => items.into_iter().for_each(|item| flatten(item, line, number, out)),
        Json::Object(mut members) => {
            let list = members.iter().position(|(key, value)| is_wrapper(key) && matches!(value, Json::Array(_)));
            if let Some(list) = list {
                return flatten(members.swap_remove(list).1, line, number, out);
            }
            *number += 1;
            out.push((line.map_or(At::Object(*number), At::Line), Json::Object(members)));
        }
        other => {
            *number += 1;
            out.push((line.map_or(At::Object(*number), At::Line), other));
        }
    }
}

fn is_wrapper(key: &str) -> bool {
    ["results", "data", "value"].iter().any(|wrapper| key.eq_ignore_ascii_case(wrapper))
}

/// The values of a text, with their lines where there is one a line.
pub fn values<'t>(name: &str, text: &'t str, skipped: &mut Skipped) -> Result<Vec<(Option<u64>, Json<'t>)>, Error> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Json<'_>>();
    let mut all = Vec::new();
    let error = loop {
        match stream.next() {
            None => break None,
            Some(Ok(value)) => all.push((None, value)),
            Some(Err(error)) => break Some(error),
        }
    };
    let Some(error) = error else {
        return Ok(if all.len() > 1 { lines(text).unwrap_or(all) } else { all });
    };
    let mut some = Vec::new();
    let mut broken = Skipped::default();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match Json::parse(line) {
            Ok(value) => some.push((Some(number), value)),
            Err(_) => broken.add(NOT_JSON, At::Line(number)),
        }
    }
    // Lines of a pretty-printed object are no values, but `[1]` or `"x",` inside one may look like it.
    if some.len() as u64 > broken.count() && some.iter().all(|(_, value)| matches!(value, Json::Object(_))) {
        for (reason, skip) in broken.reasons {
            skipped.reasons.insert(reason, skip);
        }
        return Ok(some);
    }
    let (what, remedy) = match error.is_eof() {
        true => ("ends in the middle of its JSON".to_owned(), "export it again"),
        false => (format!("is broken JSON ({error})"), "export it again"),
    };
    Err(Error::new(name, what, remedy).at_line(error.line() as u64))
}

/// One value on each line, or nothing.
fn lines(text: &str) -> Option<Vec<(Option<u64>, Json<'_>)>> {
    let filled = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    filled.map(|(number, line)| Some((Some(number), Json::parse(line).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ats(text: &str) -> Result<(Vec<At>, u64), String> {
        let mut skipped = Skipped::default();
        let objects = objects("f", text, &mut skipped).map_err(|e| e.to_string())?;
        Ok((objects.into_iter().map(|(at, _)| at).collect(), skipped.count()))
    }

    #[test]
    fn events_are_no_entries() {
        let event = r#"{"event_type":"sso_auth","timestamp":"2026-03-02T09:00:00Z","username":"jo"}"#;
        assert_eq!(ats(event), Ok((vec![], 1)));
        assert_eq!(ats(&format!("{{\"username\":\"jo\"}}\n{event}\n")), Ok((vec![At::Line(1)], 1)));
    }

    #[test]
    fn one_several_and_one_a_line() {
        assert_eq!(ats("[{\"a\":1},\n{\"a\":2}]"), Ok((vec![At::Object(1), At::Object(2)], 0)));
        assert_eq!(ats("{\"a\":1}\r\n\r\n{\"a\":2}\r\n"), Ok((vec![At::Line(1), At::Line(3)], 0)));
        assert_eq!(ats("{\"totalCount\":1,\"results\":[{\"a\":1}]}"), Ok((vec![At::Object(1)], 0)));
        assert_eq!(ats("{\n\"a\":1}{\"a\":2}"), Ok((vec![At::Object(1), At::Object(2)], 0)));
        assert_eq!(ats("[]"), Ok((vec![], 0)));
    }

    #[test]
    fn broken_lines_cost_only_themselves() {
        assert_eq!(ats("{\"a\":1}\n{\"a\":\n{\"a\":3}\n"), Ok((vec![At::Line(1), At::Line(3)], 1)));
    }

    #[test]
    fn broken_files_are_errors() {
        assert_eq!(ats("[{\"a\":1},\n{\"a\":"), Err("f:2: ends in the middle of its JSON; export it again".to_owned()));
        assert!(ats("[{\"a\":1},\n}").unwrap_err().starts_with("f:2: is broken JSON"));
        assert!(ats(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn json_by_its_start() {
        assert!(is_json(" [ {") && is_json("{") && is_json("[\"1.2.3.4\"]"));
        assert!(!is_json("[2001:db8::1]:443") && !is_json("1.2.3.4") && !is_json(""));
    }
}
