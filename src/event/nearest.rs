//! Nearest: what was probably meant by a name that is not known, for the messages that say so.

use super::letters;

/// Names that are listed if none is near; more would hide the rest of the message.
const LISTED: usize = 12;

/// The nearest of `names` to what somebody typed, in whatever case, if it is near enough to be meant.
pub fn nearest_of<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let typed = letters::lower(typed);
    let score = |name: &'n str| (strsim::jaro_winkler(&typed, &letters::lower(name)), name);
    let (score, name) = names.map(score).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.8).then(|| name.to_owned())
}

/// The end of a message about an unknown name: the nearest of the known ones, or else all of them if they are few.
pub fn hint<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    match nearest_of(typed, names.iter().copied()) {
        Some(near) => meant(&near),
        None if (1..=LISTED).contains(&names.len()) => format!("; there are {}", names.join(", ")),
        None => String::new(),
    }
}

/// The end of a message about an unknown name for which this one was probably meant.
pub fn meant(near: &str) -> String {
    format!("; did you mean `{near}`?")
}

/// The message about a word that is not in a list of so few that all of them are named.
pub fn unknown(what: &str, typed: &str, words: &[&str]) -> String {
    let (last, others) = words.split_last().unwrap_or((&"nothing", &[]));
    let others = others.join(", ");
    format!("unknown {what} {typed:?}: write {others}{}{last}", if others.is_empty() { "" } else { " or " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_suggested_or_all_are_listed() {
        let names = ["low", "medium", "high"];
        assert_eq!(hint("High", names.into_iter()), "; did you mean `high`?");
        assert_eq!(hint("xyz", names.into_iter()), "; there are low, medium, high");
        assert_eq!(hint("xyz", [].into_iter()), "");
        assert_eq!(hint("xyz", ["abc"; LISTED + 1].into_iter()), "");
        assert_eq!(unknown("level", "x", &names), "unknown level \"x\": write low, medium or high");
        assert_eq!(unknown("level", "x", &names[..1]), "unknown level \"x\": write low");
    }
}
