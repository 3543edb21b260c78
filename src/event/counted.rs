//! Counted: counts with their nouns, and lists of which only the first few are named.

/// A count with its noun: `1 event`, `2 events`, `2 entries`.
pub fn plural(count: u64, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// The first few of some texts, and how many more there are: `a, b and 7 more`.
pub fn few(texts: &[impl AsRef<str>], most: usize, between: &str) -> String {
    let shown: Vec<&str> = texts.iter().take(most).map(AsRef::as_ref).collect();
    shown.join(between) + &more(texts.len(), shown.len())
}

/// How many there are beside those that are shown: ` and 7 more`; empty if that is all.
pub fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_nouns() {
        let counts = [(0, "event"), (1, "entry"), (2, "entry"), (2, "first sight")];
        assert_eq!(counts.map(|(n, noun)| plural(n, noun)), ["0 events", "1 entry", "2 entries", "2 first sights"]);
    }

    #[test]
    fn a_few_are_named_and_the_rest_counted() {
        let names = ["a", "b", "c"];
        assert_eq!([3, 2, 1].map(|most| few(&names, most, ", ")), ["a, b, c", "a, b and 1 more", "a and 2 more"]);
        assert_eq!(few(&names[..0], 2, ", "), "");
    }
}
