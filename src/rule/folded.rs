//! Folded: a text that many patterns are compared with.

use std::borrow::Cow;
use std::cell::OnceCell;

/// A text, and its lower-case form once somebody asks for it.
#[derive(Debug)]
pub struct Folded<'t> {
    pub(super) text: &'t str,
    lower: OnceCell<Cow<'t, str>>,
}

impl<'t> Folded<'t> {
    /// A text as it is.
    pub fn new(text: &'t str) -> Folded<'t> {
        Folded { text, lower: OnceCell::new() }
    }

    pub(super) fn lower(&self) -> &str {
        self.lower.get_or_init(|| {
            let is_lower = self.text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
            if is_lower { Cow::Borrowed(self.text) } else { Cow::Owned(self.text.to_lowercase()) }
        })
    }
}
