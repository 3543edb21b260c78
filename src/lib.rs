//! jcdetect: what in this export of JumpCloud Directory Insights needs a human?
//!
//! Data flows one way: sources → records → events → signals → findings → report. Each module below is one
//! floor of that house and knows only the floors under it; `docs/design.md` has the plan.

pub mod cli;
pub mod detect;
pub mod enrich;
pub mod event;
pub mod input;
pub mod output;
pub mod rule;
pub mod triage;
