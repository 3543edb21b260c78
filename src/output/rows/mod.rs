//! Rows: the formats of a table, one file each.

pub mod csv;
pub mod lines;
pub mod terminal;
pub mod timesketch;
