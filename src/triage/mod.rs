//! Triage: from signals to what an analyst acts on.

pub mod context;
pub mod describe;
pub mod finding;
pub mod report;
pub mod spell;
