//! Spelling: what of the letters of two texts has to be the same, so that one is the other or stands in it.

use std::borrow::Cow;

use super::pattern::Side;
use crate::event::letters;

/// What of the spelling of two texts counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// all of it
    Exact,
    /// all but the case
    Caseless,
    /// letters and digits only, without case, as in names of agents
    Letters,
}

impl Spelling {
    fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            Spelling::Exact => Cow::Borrowed(text),
            Spelling::Caseless => Cow::Owned(letters::lower(text)),
            Spelling::Letters => Cow::Owned(letters::of(text)),
        }
    }
}

/// Whether `part` stands in `whole` at a side.
pub fn stands_in(whole: &str, part: &str, side: Side, spelling: Spelling) -> bool {
    // Of a text without letters something has to be left.
    let has_none = spelling == Spelling::Letters && letters::of(part).is_empty();
    let spelling = if has_none { Spelling::Caseless } else { spelling };
    let (whole, part) = (spelling.of(whole), spelling.of(part));
    match side {
        Side::Whole => whole == part,
        Side::Start => whole.starts_with(&*part),
        Side::End => whole.ends_with(&*part),
        Side::Anywhere => whole.contains(&*part),
    }
}
