//! Rows: the formats of a table, one file each.

pub mod csv;
pub mod lines;
pub mod terminal;
pub mod timesketch;

/// A format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// for people
    Table,
    /// one object a line
    Jsonl,
    /// for spreadsheets
    Csv,
    /// CSV as Timesketch takes it
    Timesketch,
    /// everything as one object
    Json,
}

impl Format {
    /// All formats with their names.
    const ALL: [(&'static str, Format); 5] = [
        ("table", Format::Table),
        ("json", Format::Json),
        ("jsonl", Format::Jsonl),
        ("csv", Format::Csv),
        ("timesketch", Format::Timesketch),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Reads the name of one of these formats; else says which there are.
    pub fn parse(name: &str, known: &[Format]) -> Result<Format, String> {
        let names: Vec<&str> = known.iter().map(|format| format.name()).collect();
        let found = known.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| format!("no such format; there are {}", names.join(", ")))
    }
}
