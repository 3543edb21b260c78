//! Tables of indicators: CSV, and JSON objects with the like names.

use super::super::csv::{Rows, bare};
use super::builder::{Builder, Detail};
use super::indicator::{Kind, UNKNOWN};
use crate::enrich::At;
use crate::event::json::Json;
use crate::event::time::Timestamp;

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
const VALID_UNTIL: &[&str] = &["validuntil", "expires", "expiresat", "expiration", "expirationdate", "expiry"];
const CONFIDENCE: &[&str] = &["confidence", "confidencelevel", "score"];
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

/// Reads a JSON object as a row.
pub fn object(json: &Json<'_>, at: At, builder: &mut Builder) {
    let columns: Vec<String> = json.members().iter().map(|(key, _)| bare(key)).collect();
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
    let detail = Detail {
        description: cell(DESCRIPTION).map(str::to_owned),
        confidence: cell(CONFIDENCE).map(str::to_owned),
        valid_until: cell(VALID_UNTIL).and_then(Timestamp::parse),
    };
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
