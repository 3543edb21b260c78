//! Triage: from signals to what an analyst acts on.

pub mod column;
pub mod context;
pub mod describe;
pub mod finding;
pub mod report;
pub mod spell;
pub mod stack;
pub mod summary;
pub mod table;
