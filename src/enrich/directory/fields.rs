//! Fields: one record of a directory export with its names made alike.
//!
//! JumpCloud's tools write one export in three spellings: `mfa: {configured: true}` (API, `jc`),
//! `MfaConfigured` (PowerShell) and a column `mfa` with JSON or Python text in its cells (CSV). Nested names are
//! joined and stripped of case and of all but letters and digits, so all three are `mfaconfigured`.

use std::collections::BTreeMap;

use ::csv::StringRecord;

use crate::event::json::{Json, said_yes};
use crate::event::letters;
use crate::event::literal;
use crate::event::time::Timestamp;

/// The fields of a record, by bare name. Empty ones are absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// From an object.
    pub fn of_json(object: &Json<'_>) -> Fields {
        let mut fields = Fields::default();
        fields.add("", object);
        fields
    }

    /// From a row of CSV.
    pub fn of_row(columns: &[String], cells: &StringRecord) -> Fields {
        let mut fields = Fields::default();
        for (column, cell) in columns.iter().zip(cells) {
            let cell = cell.trim();
            match nested(cell) {
                Some(text) if Json::parse(&text).map(|json| fields.add(column, &json)).is_ok() => {}
                _ => fields.put(column.clone(), cell),
            }
        }
        fields
    }

    fn add(&mut self, prefix: &str, value: &Json<'_>) {
        match value {
            Json::Null => {}
            Json::Text(text) => self.put(prefix.to_owned(), text),
            Json::Object(members) => {
                members.iter().for_each(|(key, value)| self.add(&format!("{prefix}{}", letters::of(key)), value));
            }
            Json::Array(items) => match items.first() {
                Some(first @ Json::Object(_)) => self.add(prefix, first),
                Some(Json::Text(_)) => {
                    let texts: Vec<&str> = items.iter().filter_map(Json::text).collect();
                    self.put(prefix.to_owned(), &texts.join(", "));
                }
                _ => {}
            },
            other => self.put(prefix.to_owned(), &other.to_string()),
        }
    }

    fn put(&mut self, name: String, text: &str) {
        let text = text.trim();
        if !name.is_empty() && !text.is_empty() && !["null", "None", "{}", "[]"].contains(&text) {
            self.0.entry(name).or_insert_with(|| text.to_owned());
        }
    }

    /// The first of these fields that is there.
    pub fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str)
    }

    /// The same, to keep.
    pub fn owned(&self, names: &[&str]) -> Option<String> {
        self.text(names).map(str::to_owned)
    }

    /// A yes or no.
    pub fn truth(&self, names: &[&str]) -> Option<bool> {
        self.text(names).and_then(said_yes)
    }

    /// A time.
    pub fn time(&self, names: &[&str]) -> Option<Timestamp> {
        self.text(names).and_then(Timestamp::parse)
    }

    /// Whether one of these fields is there.
    pub fn has(&self, names: &[&str]) -> bool {
        self.text(names).is_some()
    }
}

/// A cell that holds an object or a list, as JSON; Python's spelling of it is turned into JSON.
fn nested(cell: &str) -> Option<String> {
    if !cell.starts_with(['{', '[']) {
        return None;
    }
    literal::to_json(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_are_one() {
        let api = r#"{"_id":"1","mfa":{"configured":true,"exclusion":false},"jobTitle":"CFO","x":null,"y":[]}"#;
        let shell = r#"{"Id":"1","MfaConfigured":true,"MfaExclusion":false,"JobTitle":"CFO","X":null}"#;
        let api = Fields::of_json(&Json::parse(api).unwrap());
        let columns = ["id", "mfa", "jobtitle"].map(str::to_owned);
        let row = |mfa: &str| Fields::of_row(&columns, &StringRecord::from(vec!["1", mfa, "CFO"]));
        assert_eq!(api, Fields::of_json(&Json::parse(shell).unwrap()));
        assert_eq!(api, row(r#"{"configured":true,"exclusion":false}"#));
        assert_eq!(api, row("{'configured': True, 'exclusion': False}"));
        assert_eq!(api.truth(&["mfaconfigured"]), Some(true));
        assert_eq!(row("{'broken").text(&["mfa"]), Some("{'broken"));
    }

    #[test]
    fn lists() {
        let json = r#"{"addresses":[{"locality":"Oslo"},{"locality":"Rome"}],"ips":["a","b"],"n":[1]}"#;
        let fields = Fields::of_json(&Json::parse(json).unwrap());
        assert_eq!(fields.text(&["addresseslocality"]), Some("Oslo"));
        assert_eq!(fields.text(&["ips"]), Some("a, b"));
        assert!(!fields.has(&["n"]));
    }
}
