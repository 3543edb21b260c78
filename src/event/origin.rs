//! Origin: where a record stands, so that a person can find it again.

/// Where a record stands in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// which source, by its place in the list of sources
    pub source: u32,
    /// line of the decompressed text, from 1; for CSV the row, the header being row 1
    pub line: u64,
    /// byte of the decompressed data at which the record starts, from 0
    pub offset: u64,
}

/// Where an event stands and what tells it from another with the same time and id.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// where the record is
    pub origin: Origin,
    /// hash of the body
    pub body: u64,
}
