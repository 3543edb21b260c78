//! Triage: from signals to what an analyst acts on.

pub mod answer;
pub mod baseline;
pub mod case;
pub mod column;
pub mod context;
mod describe;
pub mod explanation;
pub mod finding;
pub mod focus;
pub mod investigation;
mod lack;
mod learned;
pub mod question;
pub mod record;
pub mod report;
pub mod sentence;
mod spell;
pub mod stack;
pub mod status;
pub mod story;
pub mod summary;
pub mod suppression;
pub mod table;
mod tie;
pub mod told;
pub mod usual;
pub mod watch;
