//! Between: what stands between records, in all layouts of JSON.

/// The mark that a text starts with, also where texts were put one behind another.
const BYTE_ORDER: &[u8] = b"\xef\xbb\xbf";

/// The length of what stands between records at the start of a text.
pub fn between(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += text[length..].iter().position(|b| !is_between(*b)).unwrap_or(text.len() - length);
        if !text[length..].starts_with(BYTE_ORDER) {
            return length;
        }
        length += BYTE_ORDER.len();
    }
}

/// White space, commas and array brackets, which stand between records; also the record separators of
/// RFC 7464.
pub fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0x1e)
}

/// How many arrays are open behind a byte.
pub fn nested(open: Option<u32>, byte: u8) -> Option<u32> {
    match byte {
        b'[' => open.map(|open| open.saturating_add(1)),
        b']' => open.map(|open| open.saturating_sub(1)),
        _ => open,
    }
}
