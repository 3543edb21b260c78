//! Formats, as they are typed: clap checks the words, lists them in the help and offers them in shells.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::output::Format;

/// Takes the name of one of these formats.
pub fn formats(known: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    let named = |name: String| known.iter().copied().find(|format| format.name() == name);
    PossibleValuesParser::new(known.iter().map(|format| format.name()))
        .try_map(move |name| named(name).ok_or("no such format"))
}
