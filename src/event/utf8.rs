//! Utf8: bytes as text.

/// Bytes as text, or the line, from 1, of the first that are none.
pub fn text(bytes: Vec<u8>) -> Result<String, u64> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        memchr::memchr_iter(b'\n', good).count() as u64 + 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_what_is_no_text() {
        assert_eq!(text("é\n".into()), Ok("é\n".to_owned()));
        assert_eq!(text(b"\xff".to_vec()), Err(1));
        assert_eq!(text(b"a\nb\nc\xff\n".to_vec()), Err(3));
    }
}
