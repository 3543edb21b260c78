//! Form: the ways in which a text that a rule names may stand in an event: with other dashes, encoded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::detection::{Fault, fault};
use super::modifier::Modifiers;
use super::pattern::{Glob, Side};

/// The signs that begin a flag of a command line.
pub(super) const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];

/// Flags of a text that is encoded; each has a form for each dash.
const MOST_FLAGS: usize = 3;

/// The texts to look for, after dashes and encodings: any of them will do.
pub(super) fn forms(key: &str, text: &str, side: Side, m: &Modifiers) -> Result<Vec<Glob>, Fault> {
    let glob = Glob::parse(text, side, m.is_cased);
    if m.encodings.is_empty() {
        return Ok(vec![if m.is_windash { glob.any_dash() } else { glob }]);
    }
    let whole = Glob::parse(text, Side::Whole, true);
    let literal = whole.literal().ok_or_else(|| fault(key, format!("{text:?}: wildcards cannot be encoded")))?;
    let dashed = if m.is_windash { dashed(literal) } else { Some(vec![literal.to_owned()]) };
    let too_many = || fault(key, format!("{text:?}: more than {MOST_FLAGS} flags have too many forms to be encoded"));
    let mut out = Vec::new();
    for form in dashed.ok_or_else(too_many)? {
        let mut bytes = vec![form.into_bytes()];
        for encoding in &m.encodings {
            bytes = bytes.iter().flat_map(|b| encode(b, encoding)).collect();
        }
        for encoded in bytes {
            if encoded.is_empty() {
                return Err(fault(key, format!("{text:?} is too short to be found where it is encoded")));
            }
            let literal =
                String::from_utf8_lossy(&encoded).replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?");
            out.push(Glob::parse(&literal, side, true));
        }
    }
    Ok(out)
}

/// Where flags of a command line begin: at a dash that no word goes before.
pub(super) fn flags(text: &str) -> impl Iterator<Item = usize> {
    let befores = [None].into_iter().chain(text.chars().map(Some));
    let begins = |before: Option<char>| !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.char_indices()
        .zip(befores)
        .filter(move |((_, c), before)| DASHES.contains(c) && begins(*before))
        .map(|((at, _), _)| at)
}

/// A text with each of the dashes for each that begins a flag; `None` if it has too many.
fn dashed(text: &str) -> Option<Vec<String>> {
    let places: Vec<usize> = flags(text).collect();
    if places.len() > MOST_FLAGS {
        return None;
    }
    let mut out = vec![text.to_owned()];
    // From the last on, so that the places before stay where they are.
    for at in places.into_iter().rev() {
        let length = text[at..].chars().next().map_or(0, char::len_utf8);
        let with = |form: &String| DASHES.map(|dash| format!("{}{dash}{}", &form[..at], &form[at + length..]));
        out = out.iter().flat_map(with).collect();
    }
    Some(out)
}

/// The encodings that a value goes through before it is searched for.
fn encode(bytes: &[u8], encoding: &str) -> Vec<Vec<u8>> {
    let units = || String::from_utf8_lossy(bytes).encode_utf16().collect::<Vec<u16>>();
    match encoding {
        "utf16le" | "wide" => vec![units().into_iter().flat_map(u16::to_le_bytes).collect()],
        "utf16be" => vec![units().into_iter().flat_map(u16::to_be_bytes).collect()],
        "utf16" => vec![[0xff, 0xfe].into_iter().chain(units().into_iter().flat_map(u16::to_le_bytes)).collect()],
        "base64" => vec![STANDARD.encode(bytes).into_bytes()],
        // A value at each of the three positions of a group; the characters that its neighbours change are
        // cut off.
        "base64offset" => (0..3)
            .map(|offset| {
                let padded = [vec![b' '; offset], bytes.to_vec()].concat();
                let text = STANDARD.encode(&padded);
                let start = [0, 2, 3][offset];
                let cut = [0, 3, 2][padded.len() % 3];
                text.as_bytes().get(start..text.len() - cut).unwrap_or_default().to_vec()
            })
            .collect(),
        _ => vec![bytes.to_vec()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_at_every_offset() {
        let pieces: Vec<String> =
            encode(b"http://", "base64offset").into_iter().map(|b| String::from_utf8(b).unwrap()).collect();
        assert_eq!(pieces, ["aHR0cDovL", "h0dHA6Ly", "odHRwOi8v"]);
        for prefix in ["", "x", "xy"] {
            let whole = STANDARD.encode(format!("{prefix}http://host"));
            assert!(pieces.iter().any(|p| whole.contains(p)), "{whole}");
        }
        assert_eq!(encode(b"ab", "utf16le"), [b"a\0b\0".to_vec()]);
        assert_eq!(encode(b"a", "utf16"), [b"\xff\xfea\0".to_vec()]);
    }

    #[test]
    fn each_flag_that_is_encoded_has_each_dash() {
        let forms = dashed("-a x-y /b").unwrap();
        assert_eq!(forms.len(), 25);
        assert!(forms.contains(&"/a x-y —b".to_owned()) && forms.contains(&"-a x-y /b".to_owned()));
        assert_eq!(dashed("-a -b -c -d"), None);
    }
}
