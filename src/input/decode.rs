//! Decode: from the bytes of a file to UTF-8 text, told by content and not by name: gzip, zstd, UTF-16 and
//! byte order marks. Nothing is held but the buffers of the decoders, however much comes out of them.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// A stream of UTF-8 text (or of what is none, which the parser will say).
pub struct Text<'r> {
    /// the text
    pub reader: Box<dyn BufRead + 'r>,
    /// source byte at which the text starts, behind a byte order mark
    pub offset: u64,
    /// the decompressed bytes are UTF-16
    pub is_utf16: bool,
    /// the first bytes of the decompressed data, to tell what a foreign file is
    pub head: Vec<u8>,
}

/// Bytes looked at to tell what a file is.
const HEAD: usize = 4096;

/// Opens a stream as text.
pub fn text<'r>(raw: impl Read + 'r) -> io::Result<Text<'r>> {
    let mut raw = BufReader::with_capacity(256 * 1024, raw);
    let magic = peek(&mut raw, 4)?;
    let mut plain: Box<dyn BufRead + 'r> = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(raw))),
        // zstd frames, and the skippable frames that tools put in front
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            Box::new(BufReader::with_capacity(256 * 1024, zstd::Decoder::with_buffer(raw)?))
        }
        _ => Box::new(raw),
    };
    let head = peek(&mut plain, HEAD)?;
    // Looking may have taken the bytes out of the inner buffer: put them back in front.
    let again = Cursor::new(head.clone()).chain(plain);
    let (mark, utf16) = match head.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => (0, None),
    };
    let mut reader: Box<dyn BufRead + 'r> = Box::new(again);
    io::copy(&mut (&mut reader).take(mark), &mut io::sink())?;
    if let Some(unit) = utf16 {
        reader =
            Box::new(BufReader::with_capacity(256 * 1024, Utf16 { reader, unit, high: None, text: Cursor::default() }));
    }
    let head = head[usize::try_from(mark).unwrap_or(0)..].to_vec();
    Ok(Text { reader, offset: mark, is_utf16: utf16.is_some(), head })
}

/// The first `length` bytes, or fewer at the end. They are taken from the reader if its buffer cannot hold
/// them, so the caller reads on from what this returns.
fn peek(reader: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    if length <= 4 {
        // A first read of a pipe may bring a single byte; that is then no magic number.
        let start = reader.fill_buf()?;
        return Ok(start[..start.len().min(length)].to_vec());
    }
    let mut head = Vec::new();
    reader.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// UTF-16 to UTF-8, one buffer at a time. A lone surrogate becomes U+FFFD.
struct Utf16<R> {
    reader: R,
    unit: fn([u8; 2]) -> u16,
    high: Option<u16>,
    text: Cursor<String>,
}

impl<R: Read> Utf16<R> {
    fn decode(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(64 * 1024);
        (&mut self.reader).take(64 * 1024).read_to_end(&mut bytes)?;
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(bytes.chunks(2).map(|pair| match pair {
            [a, b] => (self.unit)([*a, *b]),
            _ => 0xfffd,
        }));
        if !bytes.is_empty() && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
            self.high = units.pop();
        }
        self.text = Cursor::new(String::from_utf16_lossy(&units));
        if self.text.get_ref().is_empty() && self.high.is_some() {
            return self.decode();
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.text.read(buf)? {
            0 => {
                self.decode()?;
                self.text.read(buf)
            }
            length => Ok(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8]) -> String {
        let mut out = String::new();
        text(bytes).unwrap().reader.read_to_string(&mut out).unwrap();
        out
    }

    fn gz(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_is_the_same_text() {
        let want = "{\"name\":\"Zoë 🦀\"}\n".repeat(2000);
        assert!(read(want.as_bytes()) == want);
        assert!(read(&[b"\xef\xbb\xbf", want.as_bytes()].concat()) == want);
        let le: Vec<u8> = std::iter::once(0xfeff).chain(want.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = std::iter::once(0xfeff).chain(want.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert!(read(&le) == want);
        assert!(read(&be) == want);
        assert!(read(&zstd::encode_all(want.as_bytes(), 1).unwrap()) == want);
        let two_members = [gz(&want[..95]), gz(&want[95..])].concat();
        assert!(read(&two_members) == want);
    }

    #[test]
    fn odd_utf16_is_no_panic() {
        assert_eq!(read(&[0xff, 0xfe, 0x00, 0xd8]), "\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe, 0x41]), "\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe]), "");
    }

    #[test]
    fn a_cut_gzip_is_an_error_after_its_text() {
        let want = "{\"name\":\"x\"}\n".repeat(5000);
        let whole = gz(&want);
        let mut out = Vec::new();
        let result = text(&whole[..whole.len() - 8]).and_then(|mut t| t.reader.read_to_end(&mut out).map(|_| ()));
        assert!(result.is_err());
    }
}
