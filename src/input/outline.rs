//! Outline: where the members of one JSON object stand in its text, found without understanding them.
//!
//! It looks only for quotes, brackets and commas, 64 bytes at a time, and is lenient: it may draw an outline
//! of text that is no JSON. Whoever uses it has to check that what stands between the lines is a key, a colon
//! and a value; then the whole is an object. What it cannot draw is left to the parser.

use super::masks::{self, Masks};

/// The parser stops at 128 levels; so near to it, it decides.
const DEPTH: u32 = 120;

/// Where the members of an object stand.
#[derive(Debug, Default)]
pub struct Outline {
    /// start and end of each member, without the commas between them
    pub members: Vec<(u32, u32)>,
    masks: Vec<Masks>,
}

impl Outline {
    /// Draws the outline of an object that starts at the first byte and ends at the last; `false` if the
    /// text is not that, or is anything out of the ordinary.
    pub fn draw(&mut self, text: &[u8]) -> bool {
        self.members.clear();
        if text.first() != Some(&b'{') || text.last() != Some(&b'}') || text.len() > u32::MAX as usize / 2 {
            return false;
        }
        let mut walk = Walk { members: &mut self.members, start: 1, depth: 0, end: 0 };
        let mut quotes = Quotes::default();
        masks::of(text, &mut self.masks);
        for (base, masks) in (0..).step_by(masks::BLOCK).zip(&self.masks) {
            if !walk.block(base, *masks, &mut quotes) {
                return false;
            }
        }
        walk.end as usize == text.len() && quotes.inside == 0
    }
}

/// Which bytes are inside strings.
#[derive(Default)]
struct Quotes {
    /// all bits if the block before ended inside a string
    inside: u64,
    /// the block before ended in a backslash that counts
    is_escaped: bool,
}

impl Quotes {
    /// The bytes of a block inside strings, opening quotes included.
    fn inside(&mut self, masks: Masks) -> u64 {
        let mut quote = masks.quote;
        if masks.backslash != 0 || self.is_escaped {
            quote &= !self.escaped(masks.backslash);
        }
        let mut inside = quote;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.inside;
        self.inside = if inside >> 63 == 1 { u64::MAX } else { 0 };
        inside
    }

    /// The bytes behind a backslash that is not escaped itself.
    fn escaped(&mut self, backslash: u64) -> u64 {
        let mut escaped = u64::from(std::mem::take(&mut self.is_escaped));
        let mut left = backslash;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if escaped >> bit & 1 == 0 {
                match bit {
                    63 => self.is_escaped = true,
                    _ => escaped |= 2 << bit,
                }
            }
        }
        escaped
    }
}

struct Walk<'m> {
    members: &'m mut Vec<(u32, u32)>,
    /// of the member that is being read
    start: u32,
    depth: u32,
    /// one behind the bracket that closes the object
    end: u32,
}

impl Walk<'_> {
    /// Goes on with a block; `false` if this is not one object.
    fn block(&mut self, base: u32, masks: Masks, quotes: &mut Quotes) -> bool {
        let inside = quotes.inside(masks);
        if masks.control & inside != 0 {
            return false;
        }
        let (open, close, comma) = (masks.open & !inside, masks.close & !inside, masks.comma & !inside);
        if open | close == 0 {
            if self.depth == 1 {
                self.commas(base, comma);
            }
            return true;
        }
        let mut brackets = open | close;
        let mut done = 0_u64;
        while brackets != 0 {
            let bit = brackets.trailing_zeros();
            let here = brackets & brackets.wrapping_neg();
            brackets ^= here;
            if self.depth == 1 {
                self.commas(base, comma & (here - 1) & !done);
            }
            done = here | (here - 1);
            if open & here != 0 {
                if self.depth >= DEPTH || self.end != 0 {
                    return false;
                }
                self.depth += 1;
            } else if self.depth == 0 {
                return false;
            } else {
                self.depth -= 1;
                if self.depth == 0 {
                    self.members.push((self.start, base + bit));
                    self.end = base + bit + 1;
                }
            }
        }
        if self.depth == 1 {
            self.commas(base, comma & !done);
        }
        true
    }

    fn commas(&mut self, base: u32, mut commas: u64) {
        while commas != 0 {
            let at = base + commas.trailing_zeros();
            commas &= commas - 1;
            self.members.push((self.start, at));
            self.start = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Option<Vec<&str>> {
        let mut outline = Outline::default();
        let is_drawn = outline.draw(text.as_bytes());
        is_drawn.then(|| outline.members.iter().map(|(a, b)| &text[*a as usize..*b as usize]).collect())
    }

    #[test]
    fn members_of_objects() {
        assert_eq!(members("{}"), Some(vec![""]));
        assert_eq!(
            members(r#"{"a":1, "b" : [1,{"c":"},{\"" }]}"#),
            Some(vec![r#""a":1"#, r#" "b" : [1,{"c":"},{\"" }]"#])
        );
        let long = format!(r#"{{"a":"{}\\","b":{{"c":[{}1]}}}}"#, "x,".repeat(61), "2,".repeat(90));
        assert_eq!(members(&long).map(|m| m.len()), Some(2));
        for text in ["", "{", "[1]", "{}{}", "{\"a\":1}}", "{\"a\":{}", "{\"a\":\"}", "{\"a\":\"\n\"}", "{} }"] {
            assert_eq!(members(text), None, "{text}");
        }
    }
}
