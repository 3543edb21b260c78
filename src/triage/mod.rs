//! Triage: from signals to what an analyst acts on.

pub mod answer;
pub mod baseline;
pub mod case;
pub mod context;
pub mod describe;
pub mod finding;
pub mod question;
pub mod report;
pub mod spell;
pub mod status;
pub mod story;
pub mod suppression;
mod tie;
pub mod told;
