//! Wording: words about something, and where among them its name stands. Names are chosen by whoever makes the things, so
//! that one may be any part of any word: it is never looked for.

use std::fmt;
use std::ops::Range;

/// A text, and where in it the name of what it is about stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    text: String,
    name: Option<Range<usize>>,
}

impl Wording {
    /// A name alone.
    pub(super) fn of_name(name: &str) -> Wording {
        Wording { text: name.to_owned(), name: Some(0..name.len()) }
    }

    /// All of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the name and behind it.
    pub fn around(&self) -> Option<(&str, &str)> {
        let name = self.name.as_ref()?;
        Some((self.text.get(..name.start)?, self.text.get(name.end..)?))
    }

    /// The same between other words.
    pub(super) fn between(self, before: &str, behind: &str) -> Wording {
        Wording::from(before.to_owned()).and(self).and(Wording::from(behind.to_owned()))
    }

    /// The same, and other words behind it. A name that stands there twice counts where it stands first.
    pub(super) fn and(mut self, behind: Wording) -> Wording {
        let start = self.text.len();
        let moved = behind.name.map(|name| name.start + start..name.end + start);
        self.name = self.name.or(moved);
        self.text += &behind.text;
        self
    }

    /// The same without its first bytes, which are no part of a character and not of the name, or else it has none.
    pub(super) fn without(self, first: usize) -> Wording {
        let moved = |name: Range<usize>| Some(name.start.checked_sub(first)?..name.end.checked_sub(first)?);
        let name = self.name.and_then(moved);
        Wording { text: self.text.get(first..).unwrap_or_default().to_owned(), name }
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Wording {
        Wording { text, name: None }
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_its_place() {
        let wording = Wording::of_name("M").between("Make the group ", " anew").and(Wording::of_name("M"));
        assert_eq!((wording.text(), wording.around()), ("Make the group M anewM", Some(("Make the group ", " anewM"))));
        assert_eq!(wording.clone().without(5).around(), Some(("the group ", " anewM")));
        assert_eq!(wording.clone().without(16).around(), None);
        assert_eq!(wording.without(99).text(), "");
    }
}
