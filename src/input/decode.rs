//! Decode: from the bytes of a file to UTF-8 text, told by content and not by name: gzip, zstd, UTF-16 and
//! byte order marks. Nothing is held but the buffers of the decoders, however much comes out of them.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

/// A stream of UTF-8 text (or of what is none, which the parser will say).
pub struct Text<'r> {
    /// the text
    pub reader: Box<dyn BufRead + 'r>,
    /// source byte at which the text starts, behind a byte order mark
    pub offset: u64,
    /// the decompressed bytes are UTF-16
    pub is_utf16: bool,
    /// the first bytes of the text, to tell a table, and what a foreign file is
    pub head: Vec<u8>,
}

/// Bytes looked at to tell what a file is.
const HEAD: usize = 64 << 10;

/// Opens a stream as text.
pub fn text<'r>(raw: impl Read + 'r) -> io::Result<Text<'r>> {
    let mut raw = BufReader::with_capacity(256 * 1024, raw);
    // A first read of a pipe may bring a single byte.
    let mut magic = Vec::new();
    (&mut raw).take(4).read_to_end(&mut magic)?;
    let raw = Cursor::new(magic.clone()).chain(raw);
    let mut plain: Box<dyn BufRead + 'r> = match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            Box::new(BufReader::with_capacity(256 * 1024, Members { member: Some(GzDecoder::new(raw)) }))
        }
        // zstd frames, and the skippable frames that tools put in front
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            Box::new(BufReader::with_capacity(256 * 1024, zstd::Decoder::with_buffer(raw)?))
        }
        _ => Box::new(raw),
    };
    let mut head = Vec::new();
    if let Err(error) = (&mut plain).take(HEAD as u64).read_to_end(&mut head) {
        // What came before it counts.
        plain = Box::new(BufReader::new(Failed(Some(error))));
    }
    let again = Cursor::new(head.clone()).chain(plain);
    let (mark, utf16) = match head.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => (0, None),
    };
    let mut reader: Box<dyn BufRead + 'r> = Box::new(again);
    io::copy(&mut (&mut reader).take(mark), &mut io::sink())?;
    let mut head = head[usize::try_from(mark).unwrap_or(0)..].to_vec();
    if let Some(unit) = utf16 {
        let mut text = Utf16 { reader, unit, high: None, text: Cursor::default(), failure: None };
        // A failure is told again when the text is read; what came before it counts.
        head.clear();
        _ = (&mut text).take(HEAD as u64).read_to_end(&mut head);
        reader = Box::new(BufReader::with_capacity(256 * 1024, Cursor::new(head.clone()).chain(text)));
    }
    Ok(Text { reader, offset: mark, is_utf16: utf16.is_some(), head })
}

/// A failure in place of what would have come.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The members of a gzip, one after another. Zeros behind a whole member are padding, as gzip has it.
struct Members<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            let is_more = pass_zeros(member.get_mut())?;
            self.member = self.member.take().filter(|_| is_more).map(|member| GzDecoder::new(member.into_inner()));
        }
        Ok(0)
    }
}

/// Passes zeros; whether anything is behind them.
fn pass_zeros(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = reader.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let (is_end, is_more) = (bytes.is_empty(), zeros < bytes.len());
        reader.consume(zeros);
        if is_end || is_more {
            return Ok(is_more);
        }
    }
}

/// UTF-16 to UTF-8, one buffer at a time. A lone surrogate becomes U+FFFD.
struct Utf16<R> {
    reader: R,
    unit: fn([u8; 2]) -> u16,
    high: Option<u16>,
    text: Cursor<String>,
    /// why there is no more, told whenever more is asked for
    failure: Option<(io::ErrorKind, String)>,
}

impl<R: Read> Utf16<R> {
    fn decode(&mut self) -> io::Result<()> {
        if let Some((kind, words)) = &self.failure {
            return Err(io::Error::new(*kind, words.as_str()));
        }
        let mut bytes = Vec::with_capacity(64 * 1024);
        if let Err(error) = (&mut self.reader).take(64 * 1024).read_to_end(&mut bytes) {
            self.failure = Some((error.kind(), error.to_string()));
        }
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(bytes.chunks(2).map(|pair| match pair {
            [a, b] => (self.unit)([*a, *b]),
            _ => 0xfffd,
        }));
        if !bytes.is_empty() && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
            self.high = units.pop();
        }
        self.text = Cursor::new(String::from_utf16_lossy(&units));
        if self.text.get_ref().is_empty() && (self.high.is_some() || self.failure.is_some()) {
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
        let padded = [gz(&want[..95]), vec![0; 600], gz(&want[95..]), vec![0; 300_000]].concat();
        assert!(read(&padded) == want);
    }

    #[test]
    fn a_pipe_that_brings_byte_by_byte_is_no_other() {
        let bytes = gz("{}\n");
        let slow = bytes
            .iter()
            .map(std::slice::from_ref)
            .fold(Box::new(io::empty()) as Box<dyn Read>, |all, byte| Box::new(all.chain(byte)));
        let mut out = String::new();
        text(slow).unwrap().reader.read_to_string(&mut out).unwrap();
        assert_eq!(out, "{}\n");
    }

    #[test]
    fn the_head_is_text() {
        let text_of = "timestamp,event_type\nZoë,x\n".repeat(2000);
        let le: Vec<u8> = std::iter::once(0xfeff).chain(text_of.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [&le[..], text_of.as_bytes(), &[b"\xef\xbb\xbf", text_of.as_bytes()].concat(), &gz(&text_of)] {
            assert_eq!(text(bytes).unwrap().head[..4000], text_of.as_bytes()[..4000]);
        }
    }

    #[test]
    fn odd_utf16_is_no_panic() {
        assert_eq!(read(&[0xff, 0xfe, 0x00, 0xd8]), "\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe, 0x41]), "\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe]), "");
    }

    #[test]
    fn what_follows_a_gzip_and_is_no_padding_is_an_error() {
        let followed = [&gz("{}\n")[..], b"\0\0more"].concat();
        assert!(text(&followed[..]).and_then(|mut t| t.reader.read_to_end(&mut Vec::new())).is_err());
    }

    #[test]
    fn a_cut_gzip_is_an_error_after_its_text() {
        let want = "{\"name\":\"x\"}\n".repeat(5000);
        let whole = gz(&want);
        let mut out = Vec::new();
        let result = text(&whole[..whole.len() - 8]).and_then(|mut t| t.reader.read_to_end(&mut out).map(|_| ()));
        assert!(result.is_err());
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(want.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(&wide).unwrap();
        let whole = encoder.finish().unwrap();
        let mut reader = text(&whole[..whole.len() - 8]).unwrap().reader;
        let mut out = Vec::new();
        assert!(reader.read_to_end(&mut out).is_err() && out == want.as_bytes());
    }
}
