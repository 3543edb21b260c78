//! Letters: what of a text counts where it may be spelled in several ways: its letters without their case, and of names of
//! programs, of columns, of answers no more than the letters and digits.

use std::borrow::Cow;

/// A text as it is compared without case. Greek has two small sigmas for one capital.
pub fn lower(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase().replace('ς', "σ") }
}

/// The same, without a copy where the text is so already.
pub fn lowered(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(lower(text)) }
}

/// Whether two texts are one without case.
pub fn are_one(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || !(one.is_ascii() && other.is_ascii()) && lower(one) == lower(other)
}

/// The letters and digits of a name in lower case: `Python Requests` is `python-requests`, `Job Title` is `jobTitle`.
pub fn of(name: &str) -> String {
    lowered(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The words of a name in lower case. A word begins also at a capital letter behind a small one: `MicrosoftEdge` has two.
pub fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        let is_end = !letter.is_alphanumeric() || was_small && letter.is_uppercase();
        if is_end && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        was_small = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.push(letter);
        }
    }
    words.iter().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count() {
        for (one, other) in [("ΟΔΥΣΣΕΥΣ", "οδυσσευς"), ("οδυσσευσ", "Οδυσσευς"), ("Jörg", "JÖRG"), ("k", "\u{212a}")]
        {
            assert!(are_one(one, other) && lower(one) == lower(other) && of(one) == of(other), "{one} {other}");
        }
        assert!(!are_one("ß", "ss") && !are_one("a", "b"));
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        assert_eq!(
            (of("Python Requests/2"), of("python-requests_2")),
            ("pythonrequests2".into(), "pythonrequests2".into())
        );
        assert_eq!((of("_É"), of("--")), ("é".into(), String::new()));
    }

    #[test]
    fn words_of_a_name() {
        for (name, want) in [
            ("Microsoft Edge", "microsoft edge"),
            ("MicrosoftEdge/18", "microsoft edge 18"),
            ("python-requests_2", "python requests 2"),
            ("HTTPie", "httpie"),
            ("", ""),
            ("-É", "é"),
        ] {
            assert_eq!(words(name).join(" ").trim(), want, "{name}");
        }
    }
}
