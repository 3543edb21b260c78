//! Masks: which bytes of a text are quotes, brackets, commas; 64 bytes at a time.
#![expect(
    unsafe_code,
    reason = "the compiler cannot know the processor: the one call below is made only where AVX2 was found at run time"
)]

/// 64 bytes: bit n is byte n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// `"`
    pub quote: u64,
    /// `\`
    pub backslash: u64,
    /// `{` and `[`
    pub open: u64,
    /// `}` and `]`
    pub close: u64,
    /// `,`
    pub comma: u64,
    /// below 0x20
    pub control: u64,
}

/// Bytes of a mask.
pub const BLOCK: usize = 64;

/// The masks of a text; behind its end stand blanks.
pub fn of(text: &[u8], out: &mut Vec<Masks>) {
    out.clear();
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the function needs nothing but AVX2, and the processor has it.
        return unsafe { by_avx2(text, out) };
    }
    one_by_one(text, out);
}

fn blocks(text: &[u8], mut masks: impl FnMut(&[u8; BLOCK])) {
    let (blocks, tail) = text.as_chunks::<BLOCK>();
    blocks.iter().for_each(&mut masks);
    if !tail.is_empty() {
        let mut block = [b' '; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        masks(&block);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn by_avx2(text: &[u8], out: &mut Vec<Masks>) {
    let (blocks, tail) = text.as_chunks::<BLOCK>();
    out.reserve(blocks.len() + 1);
    for block in blocks {
        out.push(avx2_block(block));
    }
    if !tail.is_empty() {
        let mut block = [b' '; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        out.push(avx2_block(&block));
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "bytes and bits as the instructions take them")]
fn avx2_block(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };
    let (words, _) = block.as_chunks::<8>();
    let word = |n: usize| i64::from_le_bytes(words[n]);
    let half = |n: usize| _mm256_set_epi64x(word(n + 3), word(n + 2), word(n + 1), word(n));
    let halves = [half(0), half(4)];
    let bits = |found: [__m256i; 2]| {
        u64::from(_mm256_movemask_epi8(found[0]) as u32) | u64::from(_mm256_movemask_epi8(found[1]) as u32) << 32
    };
    let equal =
        |bytes: [__m256i; 2], byte: u8| bits(bytes.map(|part| _mm256_cmpeq_epi8(part, _mm256_set1_epi8(byte as i8))));
    // `[` and `{`, and `]` and `}`, differ in one bit.
    let folded = halves.map(|part| _mm256_or_si256(part, _mm256_set1_epi8(0x20)));
    Masks {
        quote: equal(halves, b'"'),
        backslash: equal(halves, b'\\'),
        open: equal(folded, b'{'),
        close: equal(folded, b'}'),
        comma: equal(halves, b','),
        control: bits(halves.map(|part| _mm256_cmpeq_epi8(_mm256_min_epu8(part, _mm256_set1_epi8(0x1f)), part))),
    }
}

fn one_by_one(text: &[u8], out: &mut Vec<Masks>) {
    blocks(text, |block| {
        let mut masks = Masks::default();
        for (bit, byte) in block.iter().enumerate() {
            let here = 1 << bit;
            match byte {
                b'"' => masks.quote |= here,
                b'\\' => masks.backslash |= here,
                b'{' | b'[' => masks.open |= here,
                b'}' | b']' => masks.close |= here,
                b',' => masks.comma |= here,
                0..0x20 => masks.control |= here,
                _ => {}
            }
        }
        out.push(masks);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree() {
        for (start, length) in (0..=u8::MAX).zip([0, 1, 63, 64, 65, 200, 256].into_iter().cycle()) {
            let text: Vec<u8> = (0..length).map(|i| start.wrapping_add(u8::try_from(i * 7 % 251).unwrap())).collect();
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            of(&text, &mut fast);
            one_by_one(&text, &mut slow);
            assert_eq!(fast, slow, "{start} {length}");
        }
    }
}
