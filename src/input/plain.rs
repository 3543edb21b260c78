//! Plain: JSON text that means itself: strings without escapes, and the white space around values.

/// White space as JSON has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// How much white space it starts with.
pub(super) fn blanks(text: &[u8]) -> usize {
    text.iter().position(|b| !is_space(*b)).unwrap_or(text.len())
}

/// Without the white space at its start.
pub(super) fn start_trimmed(text: &[u8]) -> &[u8] {
    &text[blanks(text)..]
}

/// Without the white space at its end.
pub(super) fn end_trimmed(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(|b| !is_space(*b)).map_or(0, |last| last + 1)]
}

/// ASCII that means itself in a JSON string.
#[allow(clippy::needless_bitwise_bool, reason = "without branches, many bytes are looked at together")]
pub(super) fn is_plain(byte: u8) -> bool {
    (byte.wrapping_sub(0x20) < 0x5f) & (byte != b'"') & (byte != b'\\')
}

/// What a string of plain characters says; `None` for anything else.
pub(super) fn plain(value: &[u8]) -> Option<&[u8]> {
    let [b'"', inner @ .., b'"'] = value else { return None };
    // Without leaving early, so that many bytes are looked at together.
    let odd = inner.iter().fold(0_u8, |odd, b| odd | u8::from(!is_plain(*b)));
    (odd == 0).then_some(inner)
}

/// The same as text.
pub(super) fn plain_text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(plain(value)?).ok()
}
