//! Letters: what of a name counts where it may be spelled in several ways: names of programs, of columns, of answers.

/// The letters and digits of a name in lower case: `Python Requests` is `python-requests`, `Job Title` is `jobTitle`.
pub fn of(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

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
