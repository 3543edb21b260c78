//! Namesake: things that share a name. They are counted as what they are, and told apart where each is meant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::counted::more;
use crate::event::letters;

/// A thing by its name, and its id if one is known.
pub type Thing<'t> = (&'t str, Option<&'t str>);

/// A name, and what is said behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called<'t> {
    /// the name
    pub name: &'t str,
    /// how many or which of those of this name; empty if there is one
    pub note: String,
    /// for how many things it stands
    pub count: usize,
}

/// Each name once, with how many things have it.
pub fn counted<'t>(things: impl IntoIterator<Item = Thing<'t>>) -> Vec<Called<'t>> {
    let called = |(name, ids): (&'t str, Vec<&str>)| {
        let count = ids.len().max(1);
        let note = if count > 1 { format!(" ({count} of this name)") } else { String::new() };
        Called { name, note, count }
    };
    by_name(things).into_iter().map(called).collect()
}

/// Each thing once, with its id where others have its name.
pub fn apart<'t>(things: impl IntoIterator<Item = Thing<'t>>) -> Vec<Called<'t>> {
    let called = |(name, ids): (&'t str, Vec<&str>)| {
        let ids =
            if ids.len() > 1 { ids.into_iter().map(|id| format!(" ({id})")).collect() } else { vec![String::new()] };
        ids.into_iter().map(move |note| Called { name, note, count: 1 })
    };
    by_name(things).into_iter().flat_map(called).collect()
}

/// What each thing is called: its name, with its id where others have that.
pub fn labels<'t>(things: impl Iterator<Item = Thing<'t>>) -> BTreeMap<Thing<'t>, String> {
    let things: BTreeSet<Thing<'t>> = things.collect();
    let ids: HashMap<&str, usize> =
        by_name(things.iter().copied()).into_iter().map(|(name, ids)| (name, ids.len())).collect();
    let label = |(name, id): Thing<'t>| match id.filter(|_| ids[name] > 1) {
        Some(id) => format!("{name} ({id})"),
        None => name.to_owned(),
    };
    things.into_iter().map(|thing| (thing, label(thing))).collect()
}

/// The ids of each name, in the order in which both come. What has no id is one of those of its name.
fn by_name<'t>(things: impl IntoIterator<Item = Thing<'t>>) -> Vec<(&'t str, Vec<&'t str>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut met: BTreeSet<Thing<'t>> = BTreeSet::new();
    let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, id) in things {
        let place = *places.entry(name).or_insert_with(|| {
            out.push((name, vec![]));
            out.len() - 1
        });
        out[place].1.extend(id.filter(|_| met.insert((name, id))));
    }
    out
}

/// How many things they are.
pub fn count(called: &[Called<'_>]) -> usize {
    called.iter().map(|one| one.count).sum()
}

/// The first few, each within quotes, and how many more there are of so many.
pub fn few_of(all: usize, called: &[Called<'_>], most: usize, quote: &str, shown: &dyn Fn(&str) -> String) -> String {
    let named = &called[..called.len().min(most)];
    let texts: Vec<String> = named.iter().map(|one| format!("{quote}{}{quote}{}", shown(one.name), one.note)).collect();
    texts.join(", ") + &more(all, count(named))
}

/// Names in lower case, each with the ids that it stands with.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, BTreeSet<Option<String>>>);

impl Names {
    /// Whether something of this name, and of this id if both have one, is among them.
    pub fn has(&self, (name, id): Thing<'_>) -> bool {
        let is_it = |ids: &BTreeSet<Option<String>>| {
            id.is_none() || ids.contains(&None) || ids.contains(&id.map(letters::lower))
        };
        self.0.get(&letters::lower(name)).is_some_and(is_it)
    }
}

impl<'t> FromIterator<Thing<'t>> for Names {
    fn from_iter<I: IntoIterator<Item = Thing<'t>>>(things: I) -> Names {
        let mut names = Names::default();
        for (name, id) in things {
            names.0.entry(letters::lower(name)).or_default().insert(id.map(letters::lower));
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THINGS: [Thing<'_>; 5] = [("a", Some("1")), ("b", None), ("a", Some("2")), ("a", None), ("a", Some("1"))];

    #[test]
    fn what_shares_a_name_is_counted() {
        let called = counted(THINGS);
        assert_eq!(count(&called), 3);
        assert_eq!(few_of(3, &called, 5, "", &str::to_owned), "a (2 of this name), b");
        assert_eq!(few_of(7, &called, 1, "\"", &str::to_owned), "\"a\" (2 of this name) and 5 more");
    }

    #[test]
    fn what_shares_a_name_is_told_apart() {
        let called = apart(THINGS);
        assert_eq!(few_of(count(&called), &called, 5, "", &str::to_owned), "a (1), a (2), b");
    }

    #[test]
    fn who_has_no_id_may_be_anybody_of_the_name() {
        let names: Names = [("Jo", Some("1")), ("kim", None)].into_iter().collect();
        let has =
            [("jo", Some("1")), ("JO", None), ("jo", Some("2")), ("kim", Some("3")), ("x", None)].map(|t| names.has(t));
        assert_eq!(has, [true, true, false, true, false]);
    }
}
