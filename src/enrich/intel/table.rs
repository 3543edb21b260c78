//! Tables of indicators: CSV, and JSON objects with the like names.

use super::super::csv::Rows;
use super::builder::{Builder, Detail};
use super::indicator::{Kind, UNKNOWN};
use super::misp::NOT_FOR_DETECTION;
use super::stix::REVOKED;
use crate::enrich::At;
use crate::event::json::{Json, said_yes};
use crate::event::letters;

/// Columns that hold an indicator of any kind.
const ANY: &[&str] =
    &["indicator", "ioc", "iocvalue", "indicatorvalue", "value", "observable", "observablevalue", "address"];
/// Columns that hold indicators of the kind that they are called after.
const TYPED: &[&str] = &[
    "ip",
    "ipaddress",
    "ipaddr",
    "ipv4",
    "ipv6",
    "srcip",
    "dstip",
    "sourceip",
    "destinationip",
    "cidr",
    "network",
    "domain",
    "domainname",
    "hostname",
    "host",
    "fqdn",
    "email",
    "emailaddress",
    "useragent",
    "username",
    "user",
];
const TYPE: &[&str] = &["ioctype", "indicatortype", "observabletype", "type", "kind"];
const VALID_UNTIL: &[&str] = &[
    "validuntil",
    "validto",
    "expires",
    "expiresat",
    "expireson",
    "expiration",
    "expirationdate",
    "expirationtime",
    "expirationdatetime",
    "expiry",
];
/// Columns that say that an indicator was taken back, and those that say that it was not.
const TAKEN_BACK: &[&str] = &["revoked", "isrevoked"];
const STANDS: &[&str] = &["active", "isactive"];
/// MISP's word for whether machines are to look for it.
const FOR_DETECTION: &[&str] = &["toids"];
const DESCRIPTION: &[&str] = &[
    "description",
    "comment",
    "title",
    "malwareprintable",
    "malware",
    "threat",
    "threattype",
    "category",
    "note",
    "tags",
];

/// Whether a column of this bare name holds indicators.
pub fn is_indicator(column: &str) -> bool {
    ANY.contains(&column) || TYPED.contains(&column)
}

/// Reads a CSV of which the header is known.
pub fn read(rows: &Rows<'_>, builder: &mut Builder) {
    rows.each(|line, cells| {
        let cells: Vec<&str> = cells.map_or_else(Vec::new, |cells| cells.iter().collect());
        row(&rows.columns, &cells, At::Line(line), builder);
    });
}

/// Whether all members of an object are lists of objects, as ThreatFox writes them: by the id of the indicator.
pub fn is_by_id(json: &Json<'_>) -> bool {
    let is_list = |value: &Json<'_>| {
        let items = value.items();
        !items.is_empty() && items.iter().all(|item| matches!(item, Json::Object(_)))
    };
    !json.members().is_empty() && json.members().iter().all(|(_, value)| is_list(value))
}

/// Reads a JSON object as a row.
pub fn object(json: &Json<'_>, at: At, builder: &mut Builder) {
    let columns: Vec<String> = json.members().iter().map(|(key, _)| letters::of(key)).collect();
    let texts: Vec<String> = json.members().iter().map(|(_, value)| text(value)).collect();
    row(&columns, &texts.iter().map(String::as_str).collect::<Vec<_>>(), at, builder);
}

fn text(value: &Json<'_>) -> String {
    match value {
        Json::Null | Json::Object(_) => String::new(),
        Json::Text(text) => text.to_string(),
        Json::Array(items) => items.iter().filter_map(Json::text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn row(columns: &[String], cells: &[&str], at: At, builder: &mut Builder) {
    let filled = |name: &&&str| {
        let place = columns.iter().position(|column| column == **name)?;
        cells.get(place).map(|cell| cell.trim()).filter(|cell| !cell.is_empty() && *cell != "null")
    };
    let cell = |names: &[&str]| names.iter().find_map(|name| filled(&name));
    if cell(FOR_DETECTION).is_some_and(|said| said_yes(said) != Some(true)) {
        return builder.skipped.add(NOT_FOR_DETECTION, at);
    }
    let says = |names: &[&str], answer: bool| cell(names).and_then(said_yes) == Some(answer);
    if says(TAKEN_BACK, true) || says(STANDS, false) {
        return builder.skipped.add(REVOKED, at);
    }
    let detail = Detail { description: cell(DESCRIPTION).map(str::to_owned), ..Detail::default() };
    let detail = detail.ending(cell(VALID_UNTIL));
    if let Some(indicator) = cell(ANY) {
        match cell(TYPE).map_or(Ok(None), Kind::named) {
            Ok(kind) => builder.offer(indicator, kind, Some(detail), at),
            Err(reason) => builder.skipped.add(reason, at),
        }
        return;
    }
    let mut is_empty = true;
    for (name, indicator) in TYPED.iter().filter_map(|name| Some((name, filled(&name)?))) {
        is_empty = false;
        builder.offer(indicator, Kind::named(name).ok().flatten(), Some(detail.clone()), at);
    }
    if is_empty {
        builder.skipped.add(UNKNOWN, at);
    }
}
