//! Cell: what the cells of a CSV say. A column stands for a field by its name, and a nested value is a text in the
//! cell.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::again::with_record;
use super::header::{RESULT, field, is_ambiguous, is_index};
use crate::event::Event;
use crate::event::coverage::Reason;
use crate::event::field::has_members;
use crate::event::json::said_yes;
use crate::event::literal;

/// The member that says it in a record.
const SUCCESS: &str = "success";

/// What the cells of a column are.
pub struct Column {
    /// the field it stands for
    pub name: String,
    /// dots lead into objects (`geoip.country_code`)
    is_path: bool,
    /// the values of one member of all objects in a list, as Splunk writes them, or a path that cannot be told: no object
    /// can be made of it
    is_flat: bool,
}

/// The deepest nesting that the name of a column may express. No known record is deeper.
const DEPTH: usize = 32;

/// Bytes of a column's name, at most: it stands in the record of each row.
const NAME: usize = 512;

impl Column {
    /// By its header.
    pub fn new(header: &[u8]) -> Column {
        let name = field(&String::from_utf8_lossy(header));
        let is_path = name.bytes().filter(|b| *b == b'.').count() <= DEPTH;
        let is_flat = name.contains("{}") || is_ambiguous(&name);
        Column { name, is_path, is_flat }
    }

    /// Where in its name the paths of the lists end that it leads into by numbers (`changes.0.field`).
    fn lists(&self) -> impl Iterator<Item = usize> {
        let dots = self.name.match_indices('.').filter(|_| self.is_path).map(|(dot, _)| dot);
        dots.filter(|dot| self.name[dot + 1..].split('.').next().is_some_and(is_index))
    }

    /// Whether it holds all of the record.
    fn is_whole(&self) -> bool {
        WHOLE.contains(&self.name.as_str())
    }
}

/// The columns of a table.
pub struct Columns {
    /// in their order
    pub all: Vec<Column>,
    /// the paths of the lists that they lead into, the deepest first: a column, and where in its name the path ends
    lists: Vec<(usize, usize)>,
}

/// Columns of a table, at most. Members of events make some hundreds.
pub const COLUMNS: usize = 1 << 14;

impl Columns {
    /// By their headers; `None` where these are too many.
    pub fn new(header: &csv::ByteRecord) -> Option<Columns> {
        if header.len() > COLUMNS {
            return None;
        }
        let all: Vec<Column> = header.iter().map(Column::new).collect();
        let of_column = |(place, column): (usize, &Column)| column.lists().map(|end| (place, end)).collect::<Vec<_>>();
        let mut lists: Vec<(usize, usize)> = all.iter().enumerate().flat_map(of_column).collect();
        let path = |(column, end): (usize, usize)| &all[column].name[..end];
        lists.sort_by_cached_key(|list| (Reverse(path(*list).matches('.').count()), path(*list)));
        lists.dedup_by_key(|list| path(*list));
        Some(Columns { all, lists })
    }

    /// The paths of the lists that they lead into, the deepest first.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|(column, end)| &self.all[*column].name[..*end])
    }
}

/// Columns that hold all of the record, beside others that were made of it.
pub const WHOLE: &[&str] = &["_raw", "event.original", "@message", "message", "RawData"];

/// The record that a row was made from, and whether some of it was lost in texts.
pub fn record(columns: &Columns, cells: &csv::ByteRecord) -> Result<(Map<String, Value>, bool), Reason> {
    let mut texts = Vec::with_capacity(columns.all.len());
    for (column, cell) in columns.all.iter().zip(cells) {
        let text = std::str::from_utf8(cell).map_err(|_| Reason::NotUtf8)?;
        if column.name.len() > NAME && !text.is_empty() {
            return Err(Reason::TooLong);
        }
        texts.push((column, text));
    }
    let is_event = |text: &str| with_record(text.as_bytes(), |json| Event::new(json).is_ok()).unwrap_or(false);
    if let Some(whole) = texts.iter().position(|(column, text)| column.is_whole() && is_event(text)) {
        texts = vec![texts[whole]];
    }
    // Where the record says itself whether it succeeded, a result is something else.
    let has_success = texts.iter().any(|(column, text)| column.name == SUCCESS && success(text).is_some());
    let (mut record, mut is_lossy) = (Map::new(), false);
    for (column, text) in texts {
        let says = column.name == SUCCESS || column.name == RESULT && !has_success;
        let outcome = success(text).filter(|_| says);
        match outcome {
            Some(success) => _ = record.insert(SUCCESS.to_owned(), Value::Bool(success)),
            None => is_lossy |= insert(&mut record, column, text),
        }
    }
    columns.lists().for_each(|path| make_list(&mut record, path));
    Ok((record, is_lossy))
}

/// Makes a list of the object at a path, if all of its members are numbers.
fn make_list(record: &mut Map<String, Value>, path: &str) {
    let (above, last) = path.rsplit_once('.').map_or((None, path), |(above, last)| (Some(above), last));
    let mut above = above.into_iter().flat_map(|path| path.split('.'));
    let Some(at) = above.try_fold(record, |at, key| at.get_mut(key)?.as_object_mut()) else { return };
    let Some(Value::Object(members)) = at.get_mut(last).filter(|list| is_list(list)) else { return };
    let mut items: Vec<(usize, Value)> =
        std::mem::take(members).into_iter().map(|(key, item)| (key.parse().unwrap_or_default(), item)).collect();
    items.sort_by_key(|(place, _)| *place);
    at.insert(last.to_owned(), Value::Array(items.into_iter().map(|(_, item)| item).collect()));
}

fn is_list(value: &Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty() && members.keys().all(|key| is_index(key)))
}

/// Puts a cell where its column says; whether what it says is lost.
fn insert(record: &mut Map<String, Value>, Column { name: column, is_path, is_flat }: &Column, text: &str) -> bool {
    if text.is_empty() || column.is_empty() {
        return false;
    }
    match column.as_str() {
        "initiated_by" | RESULT | SUCCESS if NOTHING.contains(&text) => return false,
        "initiated_by" if !text.starts_with('{') => {
            let key = if text.contains('@') { "email" } else { "username" };
            let by = record.entry("initiated_by").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(by) = by {
                by.insert(key.to_owned(), Value::String(text.to_owned()));
            }
            return false;
        }
        _ => {}
    }
    let value = cell(column.rsplit('.').next().unwrap_or(column), text);
    // `[LDAP: no such object]` is a text.
    let is_lost = is_nested(text) && value.is_string() && text[1..].trim_start().starts_with(['{', '[', '"', '\'']);
    put(record, column, *is_path, value);
    *is_flat || is_lost
}

/// Puts a value where a column says.
fn put(record: &mut Map<String, Value>, column: &str, is_path: bool, value: Value) {
    let (path, last) = match column.rsplit_once('.') {
        Some((path, last)) if is_path => (path, last),
        _ => ("", column),
    };
    let mut at = record;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let inner = at.entry(key).or_insert(Value::Null);
        // What another column says of the whole stays, unless it is a text where only an object says something.
        if inner.is_null() || inner.is_string() && has_members(key) {
            *inner = Value::Object(Map::new());
        }
        let Value::Object(next) = inner else { return };
        at = next;
    }
    if !(has_members(last) && value.is_string() && at.get(last).is_some_and(Value::is_object)) {
        at.insert(last.to_owned(), value);
    }
}

/// The record whose members stand under paths, of which these are the columns in the order of the members, and whether
/// some of it was lost in texts.
pub fn gathered(columns: &Columns, members: Map<String, Value>) -> (Map<String, Value>, bool) {
    let (mut record, mut is_lossy) = (Map::new(), false);
    for (column, (_, value)) in columns.all.iter().zip(members) {
        match value {
            Value::Null => {}
            Value::String(text) if is_nested(&text) || column.name == "initiated_by" => {
                is_lossy |= insert(&mut record, column, &text);
            }
            value => {
                put(&mut record, &column.name, column.is_path, value);
                is_lossy |= column.is_flat;
            }
        }
    }
    columns.lists().for_each(|path| make_list(&mut record, path));
    (record, is_lossy)
}

/// Whether a text looks like a nested value.
fn is_nested(text: &str) -> bool {
    text.starts_with(['{', '['])
}

/// What tools write where there is nothing.
const NOTHING: &[&str] = &["null", "None", "nan", "NaN", "-", "—", "[]", "N/A"];

/// Words for a result beside yes and no, and whether they are a success.
const RESULTS: &[(&str, bool)] = &[
    ("success", true),
    ("successful", true),
    ("succeeded", true),
    ("ok", true),
    ("pass", true),
    ("passed", true),
    ("allowed", true),
    ("unsuccessful", false),
    ("error", false),
    ("denied", false),
    ("rejected", false),
    ("blocked", false),
];

/// What the cell of a result says; a word that is not known (`-`, `N/A`, `Pending`) says nothing.
fn success(text: &str) -> Option<bool> {
    let word = text.trim().to_ascii_lowercase();
    let known = RESULTS.iter().find(|(known, _)| word == *known).map(|(_, is_success)| *is_success);
    known.or_else(|| said_yes(&word)).or_else(|| word.starts_with("fail").then_some(false))
}

/// Columns whose numbers are numbers in JSON; all others are text (`@version`, ids, version numbers).
const NUMBERS: &[&str] = &[
    "error_code",
    "number_of_results",
    "scope",
    "deref",
    "latitude",
    "longitude",
    "connection_id",
    "operation_number",
];

/// A cell as JSON: nested values are JSON text in the cell.
fn cell(column: &str, text: &str) -> Value {
    let json = |text: &str| serde_json::from_str(text).ok();
    if is_nested(text) {
        let nested = json(text).or_else(|| json(&literal::to_json(text)?));
        return nested.unwrap_or_else(|| Value::String(text.to_owned()));
    }
    if matches!(text, "true" | "false" | "null") || NUMBERS.contains(&column) {
        return json(text).unwrap_or_else(|| Value::String(text.to_owned()));
    }
    match text {
        "True" | "TRUE" => Value::Bool(true),
        "False" | "FALSE" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}
