//! Table: rows and columns, what `hunt`, `timeline` and `summary` produce. Rows are made as they are asked
//! for, so a long table takes no more memory than a short one.

use crate::event::time::Timestamp;

/// One cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// nothing to say
    Nothing,
    /// text out of the log, or of ours
    Text(String),
    /// several texts
    Texts(Vec<String>),
    /// a count
    Number(u64),
    /// an instant
    Time(Timestamp),
    /// how often each of several things came, in the order in which they are shown
    Counts(Vec<(String, u64)>),
    /// so many of so many
    Share(u64, u64),
}

impl Cell {
    /// Text, or nothing.
    pub fn of(text: Option<&str>) -> Cell {
        text.map_or(Cell::Nothing, |text| Cell::Text(text.to_owned()))
    }

    /// Counts, the most frequent first.
    pub fn counts<'t>(counts: impl IntoIterator<Item = (&'t str, u64)>) -> Cell {
        let mut list: Vec<(String, u64)> = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if list.is_empty() { Cell::Nothing } else { Cell::Counts(list) }
    }
}

/// One row of a table: a cell for each column.
pub type Row = Vec<Cell>;

/// Rows and columns.
pub struct Table<'a> {
    /// what it is called in JSON
    pub name: &'static str,
    /// the names of the columns, the same in every format
    pub columns: Vec<String>,
    /// how many rows there are
    pub count: usize,
    /// the rows
    pub rows: Box<dyn Iterator<Item = Row> + 'a>,
}

impl<'a> Table<'a> {
    /// A table of rows that are there already.
    pub fn of(name: &'static str, columns: &[&str], rows: Vec<Row>) -> Table<'a> {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Table { name, columns, count: rows.len(), rows: Box::new(rows.into_iter()) }
    }

    /// The same without these columns.
    #[must_use]
    pub fn without(self, left_out: &[&str]) -> Table<'a> {
        let is_kept: Vec<bool> = self.columns.iter().map(|name| !left_out.contains(&name.as_str())).collect();
        let columns = self.columns.into_iter().zip(&is_kept).filter(|(_, is)| **is).map(|(name, _)| name).collect();
        let cells =
            move |row: Row| row.into_iter().zip(&is_kept).filter(|(_, is)| **is).map(|(cell, _)| cell).collect();
        Table { columns, rows: Box::new(self.rows.map(cells)), ..self }
    }
}
