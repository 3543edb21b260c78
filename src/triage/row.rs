//! Row: events in a row that are said in the same words, but for what they were done to, in one sentence.

use super::namesake::{Called, Thing, apart, count, counted, few_of};
use super::sentence::{LONGEST, Wording, cut};
use super::watch::{Deed, Happening};

/// Objects that are named where they have to be put right one by one.
const MOST_TO_UNDO: usize = 200;
/// Objects that are named in a sentence.
const MOST_SAID: usize = 3;

/// Whether two deeds are said in the same words, but for what they were done to.
pub fn are_alike(one: &Deed, other: &Deed) -> bool {
    let ((one_did, one_rest), (other_did, other_rest)) = (one.sentence.parts(), other.sentence.parts());
    let is_same = match (one_did.around(), other_did.around()) {
        (None, None) => one_did.text() == other_did.text(),
        (one, other) => one == other,
    };
    one.event_type == other.event_type && is_same && one_rest == other_rest
}

/// Events in a row that are said in the same words, but for what they were done to. After one with a mark, and
/// before it, a new row begins.
pub fn rows(happenings: &[Happening], events: &[usize], has_mark: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    for event in events {
        let goes_on = out.last().is_some_and(|row: &Vec<usize>| {
            !has_mark(*event)
                && !has_mark(row[row.len() - 1])
                && are_alike(&happenings[row[0]].deed, &happenings[*event].deed)
        });
        match out.last_mut().filter(|_| goes_on) {
            Some(row) => row.push(*event),
            None => out.push(vec![*event]),
        }
    }
    out
}

/// A row of events in one sentence, with what they were done to.
pub fn said(happenings: &[Happening], row: &[usize]) -> String {
    let first = &happenings[row[0]].deed;
    let (did, rest) = first.sentence.parts();
    let text = with_objects(did, &counted(objects(happenings, row)), MOST_SAID, &str::to_owned) + rest;
    match row.len() {
        1 => text,
        count => format!("{text} ({count} times)"),
    }
}

/// How a row of changes is undone, with what has to be put right. `shown` is what becomes of each name and of the words
/// around them: together they are longer than what is shown of one text.
pub fn undone(undo: &Wording, happenings: &[Happening], row: &[usize], shown: &dyn Fn(&str) -> String) -> String {
    with_objects(undo, &apart(objects(happenings, row)), MOST_TO_UNDO, shown)
}

/// What some events were done to.
fn objects<'h>(happenings: &'h [Happening], events: &[usize]) -> impl Iterator<Item = Thing<'h>> {
    let objects = events.iter().filter_map(|event| happenings[*event].deed.object.as_ref());
    objects.map(|(name, id)| (name.as_str(), id.as_deref()))
}

/// What is said of the first of some events, with the objects of all of them in the place of its own. They are told apart
/// by their whole names, and named as in a sentence.
fn with_objects(said: &Wording, objects: &[Called<'_>], most: usize, shown: &dyn Fn(&str) -> String) -> String {
    let all = count(objects);
    let Some((before, behind)) = said.around().filter(|_| all > 1) else { return shown(said.text()) };
    let unquoted = before.strip_suffix('"').zip(behind.strip_prefix('"'));
    let ((before, behind), quote) = unquoted.map_or(((before, behind), ""), |around| (around, "\""));
    let named = few_of(all, objects, most, quote, &|name| shown(&cut(name, LONGEST)));
    format!("{}{named}{}", shown(before), shown(behind))
}
