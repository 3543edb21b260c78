//! Letters: what of a name counts where it may be spelled in several ways: names of programs, of columns, of answers.

/// The letters and digits of a name in lower case: `Python Requests` is `python-requests`, `Job Title` is `jobTitle`.
pub fn of(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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
}
