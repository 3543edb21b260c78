//! Folded: a text that many patterns are compared with, and what it comes to.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use crate::event::{letters, source};

/// A text, and what it comes to once somebody asks for it.
#[derive(Debug)]
pub struct Folded<'t> {
    pub(super) text: &'t str,
    lower: OnceCell<Cow<'t, str>>,
    address: OnceCell<Option<IpAddr>>,
}

impl<'t> Folded<'t> {
    /// A text as it is.
    pub fn new(text: &'t str) -> Folded<'t> {
        Folded { text, lower: OnceCell::new(), address: OnceCell::new() }
    }

    pub(super) fn lower(&self) -> &str {
        self.lower.get_or_init(|| letters::lowered(self.text))
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        *self.address.get_or_init(|| source::address(self.text))
    }
}
