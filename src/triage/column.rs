//! Column: what a table of events shows of each of them.

use super::citation::{Citation, Citations};
use super::describe;
use super::status::Disposition;
use super::table::{Cell, Row, Table};
use crate::detect::store::Store;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::origin::Origin;
use crate::rule::Severity;

/// What is shown of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// when it happened
    Time,
    /// its id
    Id,
    /// its organization
    Organization,
    /// its service
    Service,
    /// the values of a field
    Field(Field),
    /// one sentence
    Message,
    /// the rules whose findings it is evidence of
    Findings,
    /// the severity of the worst of these findings
    Severity,
    /// the ids of these findings
    FindingIds,
    /// the ids of their cases
    CaseIds,
    /// `duet` where all of these findings are questions
    Disposition,
    /// where it stands: `events.jsonl:12`
    Origin,
    /// the source it stands in
    Source,
    /// its line there
    Line,
    /// its first byte there
    Offset,
}

impl Column {
    fn name(&self) -> String {
        let name = match self {
            Column::Time => "timestamp",
            Column::Id => "id",
            Column::Organization => "organization",
            Column::Service => "service",
            Column::Field(field) => return field.name(),
            Column::Message => "message",
            Column::Findings => "findings",
            Column::Severity => "severity",
            Column::FindingIds => "finding_ids",
            Column::CaseIds => "case_ids",
            Column::Disposition => "disposition",
            Column::Origin => "origin",
            Column::Source => "source",
            Column::Line => "line",
            Column::Offset => "offset",
        };
        name.to_owned()
    }
}

/// Events that a table is made of.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    /// the kept events
    pub store: &'a Store,
    /// those that are meant, in their order
    pub list: &'a [u32],
    /// the names of the sources
    pub sources: &'a [String],
    /// which findings they are evidence of, where that was asked for
    pub citations: Option<&'a Citations>,
}

impl<'a> Events<'a> {
    /// More than one organization.
    pub fn has_tenants(&self) -> bool {
        let store = self.store;
        let first = self.list.first().map(|event| store.organization_symbol(*event));
        self.list.iter().any(|event| Some(store.organization_symbol(*event)) != first)
    }

    /// A table with these columns.
    pub fn table(self, columns: Vec<Column>) -> Table<'a> {
        let names = columns.iter().map(Column::name).collect();
        let row = move |event: &u32| -> Row { columns.iter().map(|column| self.cell(*event, column)).collect() };
        Table { name: "events", columns: names, count: self.list.len(), rows: Box::new(self.list.iter().map(row)) }
    }

    /// `events.jsonl:12`
    pub fn origin(&self, event: u32) -> String {
        let origin = self.store.origin(event);
        format!("{}:{}", self.source(origin), origin.line)
    }

    fn source(&self, origin: Origin) -> &'a str {
        self.sources.get(origin.source as usize).map_or("", String::as_str)
    }

    fn cited(&self, event: u32) -> impl Iterator<Item = &'a Citation> {
        self.citations.into_iter().flat_map(move |citations| citations.of(event))
    }

    fn cell(&self, event: u32, column: &Column) -> Cell {
        let store = self.store;
        match column {
            Column::Time => Cell::Time(store.time(event)),
            Column::Id => Cell::of(store.id(event).as_deref()),
            Column::Organization => Cell::of(Some(store.organization(event)).filter(|name| !name.is_empty())),
            Column::Service => Cell::of(Some(store.service(event))),
            Column::Field(field) => field_cell(store, event, field),
            Column::Message => Cell::Text(describe::event(store, event)),
            Column::Findings => different(self.cited(event).map(|cited| &cited.rule)),
            Column::Severity => Cell::of(self.cited(event).map(|cited| cited.severity).max().map(Severity::word)),
            Column::FindingIds => different(self.cited(event).map(|cited| &cited.finding)),
            Column::CaseIds => different(self.cited(event).filter_map(|cited| cited.case.as_ref())),
            Column::Disposition => {
                Cell::of(self.cited(event).map(|cited| cited.disposition).min().map(Disposition::word))
            }
            Column::Origin => Cell::Text(self.origin(event)),
            Column::Source => Cell::of(Some(self.source(store.origin(event)))),
            Column::Line => Cell::Number(store.origin(event).line),
            Column::Offset => Cell::Number(store.origin(event).offset),
        }
    }
}

/// Texts without those that came before.
fn different<'t>(texts: impl Iterator<Item = &'t String>) -> Cell {
    let mut out: Vec<String> = Vec::new();
    for text in texts {
        if !out.contains(text) {
            out.push(text.clone());
        }
    }
    if out.is_empty() { Cell::Nothing } else { Cell::Texts(out) }
}

/// The values of a field as a cell.
fn field_cell(store: &Store, event: u32, field: &Field) -> Cell {
    let view = store.view(event);
    let values = view.values(field);
    let mut texts: Vec<String> = values.iter().filter_map(Value::text).map(str::to_owned).collect();
    match texts.len() {
        0 => Cell::Nothing,
        1 => Cell::Text(texts.remove(0)),
        _ => Cell::Texts(texts),
    }
}

/// What a program is told of findings, behind all else.
pub const CITED: [Column; 5] =
    [Column::Findings, Column::Severity, Column::FindingIds, Column::CaseIds, Column::Disposition];

/// The columns for a person at a terminal.
pub fn narrow(has_tenants: bool) -> Vec<Column> {
    let fields = [Norm::EventType, Norm::ActorName, Norm::TargetName, Norm::SourceIp, Norm::SourceCountry];
    let mut columns = vec![Column::Time];
    columns.extend(has_tenants.then_some(Column::Organization));
    columns.extend(fields.map(|norm| Column::Field(Field::Norm(norm))));
    columns.extend([Column::Field(Field::Norm(Norm::Outcome)), Column::Origin]);
    columns
}

/// The columns for a program: all that is known of every event.
pub fn wide() -> Vec<Column> {
    let mut columns = vec![Column::Time, Column::Id, Column::Organization, Column::Service];
    columns.extend(Norm::ALL.iter().map(|norm| Column::Field(Field::Norm(*norm))));
    columns.extend([Column::Source, Column::Line, Column::Offset]);
    columns
}
