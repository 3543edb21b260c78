//! Pack: the rules that come with the program, and their documents, parsed when it was built.

use serde_json::Value as Yaml;

/// The rules of the pack: path and text.
pub static PACK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// For each of them its documents, but for the tests.
static PREPARED: &[&[&str]] = include!(concat!(env!("OUT_DIR"), "/prepared.rs"));

/// A document of a rule of the pack, by its place in the file; `None` for any other text.
pub fn document(text: &str, place: usize) -> Option<Yaml> {
    let rule = PACK.iter().position(|(_, known)| std::ptr::eq(*known, text))?;
    serde_json::from_str(PREPARED[rule].get(place)?).ok()
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
            for (place, of_file) in file::documents(text).iter().enumerate().filter(|(_, d)| !d.holds_tests()) {
                assert_eq!(document(text, place).as_ref(), Some(&file::yaml(of_file.text).unwrap()), "{path}");
                count += 1;
            }
            let copy = (*text).to_owned();
            assert!(document(&copy, 0).is_none());
        }
        assert!(count > PACK.len());
    }
}
