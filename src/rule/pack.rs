//! Pack: the rules that come with the program, and their documents, parsed when it was built.

use serde_json::Value as Yaml;

use super::file::Document;

/// The rules of the pack: path and text.
pub static PACK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// A document of a rule file: where it starts, how long it is, its line, and what it says in JSON.
type Prepared = (usize, usize, usize, &'static str);

/// For each rule of the pack its documents, but for the tests.
static PREPARED: &[&[Prepared]] = include!(concat!(env!("OUT_DIR"), "/prepared.rs"));

fn prepared(text: &str) -> Option<&'static [Prepared]> {
    let rule = PACK.iter().position(|(_, known)| std::ptr::eq(*known, text))?;
    Some(PREPARED[rule]).filter(|documents| !documents.is_empty())
}

/// The documents of a rule of the pack, but for the tests; `None` for any other text.
pub(super) fn documents(text: &str) -> Option<Vec<Document<'_>>> {
    let documents = prepared(text)?.iter();
    documents
        .map(|(start, length, line, _)| Some(Document { text: text.get(*start..start + length)?, line: *line }))
        .collect()
}

/// What a document of a rule of the pack says, by its place in the file; `None` for any other text.
pub(super) fn document(text: &str, place: usize) -> Option<Yaml> {
    let (_, _, _, said) = prepared(text)?.get(place)?;
    serde_json::from_str(said).ok()
}

/// The folders of the pack, once for each rule in them.
pub fn categories() -> impl Iterator<Item = &'static str> {
    PACK.iter().filter_map(|(path, _)| path.rsplit('/').nth(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::file;

    #[test]
    fn what_was_parsed_before_is_what_stands_in_the_files() {
        let mut count = 0;
        for (path, text) in PACK {
            let of_file = file::documents(text).rules;
            let prepared = documents(text).unwrap();
            assert_eq!(prepared.len(), of_file.len(), "{path}");
            for (place, (prepared, of_file)) in prepared.iter().zip(&of_file).enumerate() {
                assert_eq!((prepared.text, prepared.line), (of_file.text, of_file.line), "{path}");
                assert_eq!(document(text, place), Some(file::yaml(of_file.text).unwrap()), "{path}");
                count += 1;
            }
            let copy = (*text).to_owned();
            assert!(document(&copy, 0).is_none() && documents(&copy).is_none());
        }
        assert!(count > PACK.len());
    }
}
