//! Investigation: what is known of somebody, an address or a device, for people and as JSON.

mod json;
mod text;
mod work;

use std::io::{self, Write};

use super::Look;
use crate::triage::investigation::Investigation;

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// for people; ordinary sessions too, event by event, if they are all wanted
    Text {
        /// show ordinary sessions event by event
        is_all: bool,
    },
    /// one JSON object
    Json,
}

/// Writes an investigation.
pub fn write(investigation: &Investigation<'_>, form: Form, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Text { is_all } => text::write(investigation, is_all, look, out),
        Form::Json => json::write(investigation, out),
    }
}
