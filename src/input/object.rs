//! Object: reading one JSON object to its end, without understanding it, and telling where it was cut off.

use memchr::memchr3;

/// What a scan of one object came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// the object ends before this byte of it
    Ends(usize),
    /// it is broken, and ends before this byte of it
    Broken(usize),
    /// it goes on behind the bytes seen
    More,
}

/// The state of reading one object to its end.
pub struct Scan {
    /// bytes of the object seen
    seen: usize,
    /// open containers; a set bit is an object, the lowest bit the innermost
    open: u128,
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
    /// where the current line starts
    pub line_start: usize,
    /// nothing but white space since `line_start`, on any line but the first
    is_at_line_start: bool,
    /// indentation of the line on which the object starts
    indentation: usize,
    /// the first line has more than the brace, so it is a line layout
    is_compact: Option<bool>,
    /// the second line was indented deeper than the first
    is_indented: Option<bool>,
    /// the last byte that was not white space
    last: u8,
    /// a bracket was closed that was not open, so the record is broken and not just cut
    pub is_mismatched: bool,
}

impl Scan {
    /// `indentation` is that of the line on which the object starts.
    pub fn new(indentation: usize) -> Scan {
        Scan {
            seen: 0,
            open: 0,
            depth: 0,
            is_in_text: false,
            is_escaped: false,
            line_start: 0,
            is_at_line_start: false,
            indentation,
            is_compact: None,
            is_indented: None,
            last: 0,
            is_mismatched: false,
        }
    }

    /// Goes on with all bytes of the object that are there.
    pub fn feed(&mut self, object: &[u8]) -> Step {
        self.feed_behind(object, 0)
    }

    /// The same, where the first `dropped` bytes of the object are not in `bytes` any more.
    pub fn feed_behind(&mut self, bytes: &[u8], dropped: usize) -> Step {
        while let Some(&byte) = bytes.get(self.seen - dropped) {
            if self.is_in_text {
                if let Some(step) = self.text(bytes, dropped) {
                    return step;
                }
                continue;
            }
            if self.is_at_line_start && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                self.is_at_line_start = false;
                if let Some(step) = self.line_starts_with(byte) {
                    return step;
                }
            }
            self.seen += 1;
            match byte {
                b'"' => self.is_in_text = true,
                b'{' => self.push(1),
                b'[' => self.push(0),
                b'}' | b']' => {
                    if self.depth == 0 || (self.open & 1 == 1) != (byte == b'}') && self.depth <= 128 {
                        self.is_mismatched = true;
                        return Step::Broken(if byte == b']' { self.seen - 1 } else { self.seen });
                    }
                    self.open >>= 1;
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Step::Ends(self.seen);
                    }
                }
                b'\n' => self.new_line(),
                _ => {}
            }
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                self.is_compact.get_or_insert(self.depth != 1 || byte != b'{');
                if self.seen == 1 {
                    self.is_compact = None;
                }
                self.last = byte;
            }
        }
        Step::More
    }

    fn push(&mut self, bit: u128) {
        self.open = self.open << 1 | bit;
        self.depth += 1;
    }

    fn new_line(&mut self) {
        self.is_compact.get_or_insert(false);
        self.line_start = self.seen;
        self.is_at_line_start = true;
    }

    /// Inside a string: on to its end. A line end there is no JSON: the string was cut.
    fn text(&mut self, bytes: &[u8], dropped: usize) -> Option<Step> {
        let rest = &bytes[self.seen - dropped..];
        if self.is_escaped {
            self.is_escaped = false;
            if rest[0] != b'\n' {
                self.seen += 1;
                return None;
            }
        }
        let Some(next) = memchr3(b'"', b'\\', b'\n', rest) else {
            self.seen += rest.len();
            return None;
        };
        self.seen += next + 1;
        match rest[next] {
            b'"' => {
                self.is_in_text = false;
                self.last = b'"';
                self.is_compact.get_or_insert(true);
            }
            b'\\' => self.is_escaped = true,
            _ => {
                self.is_in_text = false;
                if self.is_compact != Some(false) {
                    return Some(Step::Broken(self.seen - 1));
                }
                self.new_line();
            }
        }
        None
    }

    /// Whether the first byte of a line shows that the object before it was cut off.
    fn line_starts_with(&mut self, byte: u8) -> Option<Step> {
        let indentation = self.seen - self.line_start;
        let is_deeper = indentation > self.indentation;
        let is_compact = self.is_compact == Some(true);
        let is_indented = *self.is_indented.get_or_insert(is_deeper);
        let starts_record = byte == b'{' || (is_compact && !matches!(byte, b'"' | b'}' | b']' | b',' | b':'));
        let is_impossible = self.open & 1 == 1 && self.last != b':';
        if !is_deeper && starts_record && (is_compact || is_indented || is_impossible) {
            return Some(Step::Broken(self.line_start.max(1)));
        }
        if !is_deeper && byte == b'}' && is_indented && !is_compact && self.depth > 1 {
            self.is_mismatched = true;
            return Some(Step::Broken(self.seen + 1));
        }
        None
    }
}
