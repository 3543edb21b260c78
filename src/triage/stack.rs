//! Stack: events put on piles by the values of fields. What is rare is worth a look, and so is what is new.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::column::Events;
use super::table::{Cell, Row, Table};
use crate::detect::store::Store;
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::letters;
use crate::event::time::Timestamp;

/// The values of fields, in lower case; `None` where an event has none.
type Key = Vec<Option<String>>;

/// Piles that one event is put on: a record with a thousand changes is no reason for a million of them.
const MOST: usize = 1000;

/// A pile.
struct Pile {
    /// the values as they were first written
    shown: Vec<Cell>,
    count: u64,
    first: u32,
    last: u32,
    actors: BTreeSet<String>,
}

/// Piles by organization and values.
type Piles = BTreeMap<(String, Key), Pile>;

/// All values of some fields of a profile, each combination once: in lower case, and as written.
fn combinations(store: &Store, event: u32, fields: &[Field]) -> Vec<(Key, Vec<Cell>)> {
    let mut out: Vec<(Key, Vec<Cell>)> = vec![(vec![], vec![])];
    for field in fields {
        let view = store.view(event);
        let mut values: BTreeMap<Option<String>, Cell> = BTreeMap::new();
        for value in view.values(field).iter().filter_map(Value::text) {
            values.entry(Some(letters::lower(value))).or_insert_with(|| Cell::Text(value.to_owned()));
        }
        if values.is_empty() {
            values.insert(None, Cell::Nothing);
        }
        let longer = |(key, shown): &(Key, Vec<Cell>)| {
            let parts = values.iter().map(|(lower, cell)| {
                (
                    [key.as_slice(), std::slice::from_ref(lower)].concat(),
                    [shown.as_slice(), std::slice::from_ref(cell)].concat(),
                )
            });
            parts.collect::<Vec<_>>()
        };
        out = out.iter().flat_map(longer).take(MOST).collect();
    }
    out
}

/// Puts events on piles. What events have in common is looked at once for all that are alike.
fn piles(events: Events<'_>, fields: &[Field]) -> Piles {
    let store = events.store;
    let mut piles = Vec::new();
    let mut places: BTreeMap<(String, Key), usize> = BTreeMap::new();
    let mut of_profile: HashMap<u32, Vec<usize>> = HashMap::new();
    for event in events.list.iter().copied() {
        let known = of_profile.entry(store.profile(event)).or_insert_with(|| {
            let actor = store.text(event, Norm::ActorKey).map(letters::lower);
            let organization = store.organization(event);
            let place = |(key, shown): (Key, Vec<Cell>)| {
                let place = *places.entry((organization.to_owned(), key)).or_insert_with(|| {
                    piles.push(Pile { shown, count: 0, first: event, last: event, actors: BTreeSet::new() });
                    piles.len() - 1
                });
                piles[place].actors.extend(actor.clone());
                place
            };
            combinations(store, event, fields).into_iter().map(place).collect()
        });
        for place in known.iter() {
            let pile = &mut piles[*place];
            pile.count += 1;
            pile.last = event;
        }
    }
    let mut piles: Vec<Option<Pile>> = piles.into_iter().map(Some).collect();
    places.into_iter().filter_map(|(key, place)| Some((key, piles[place].take()?))).collect()
}

/// Whether the organization takes a column of its own: there are several, and it was not asked for.
fn tells_tenants(events: Events<'_>, fields: &[Field]) -> bool {
    let is_organization = |field: &Field| matches!(field, Field::Raw(path) if *path == ["organization"]);
    events.has_tenants() && !fields.iter().any(is_organization)
}

/// The names of columns, that of the organization in front where there are several.
fn columns(has_tenants: bool, fields: &[Field], others: &[&str]) -> Vec<String> {
    let own = fields.iter().map(Field::name).chain(others.iter().map(|name| (*name).to_owned()));
    has_tenants.then(|| "organization".to_owned()).into_iter().chain(own).collect()
}

/// The start of a row: the organization, where there are several, and the values.
fn start(store: &Store, has_tenants: bool, pile: &Pile) -> Row {
    let organization = has_tenants.then(|| Cell::Text(store.organization(pile.first).to_owned()));
    organization.into_iter().chain(pile.shown.iter().cloned()).collect()
}

/// How often each value came, the rarest first.
pub fn stack<'a>(events: Events<'_>, fields: &[Field]) -> Table<'a> {
    let store = events.store;
    let mut list: Vec<((String, Key), Pile)> = piles(events, fields).into_iter().collect();
    list.sort_by(|a, b| (a.1.count, &a.0).cmp(&(b.1.count, &b.0)));
    let has_tenants = tells_tenants(events, fields);
    let columns = columns(has_tenants, fields, &["count", "actors", "first_seen", "last_seen"]);
    let row = |pile: Pile| -> Row {
        let mut row = start(store, has_tenants, &pile);
        row.extend([Cell::Number(pile.count), Cell::Number(pile.actors.len() as u64)]);
        row.extend([Cell::Time(store.time(pile.first)), Cell::Time(store.time(pile.last))]);
        row
    };
    let rows: Vec<Row> = list.into_iter().map(|(_, pile)| row(pile)).collect();
    Table { name: "stack", columns, count: rows.len(), rows: Box::new(rows.into_iter()) }
}

/// When each value was first seen with each owner, the newest first. Values and owners that an event does
/// not have are no values.
pub fn first_seen<'a>(
    events: Events<'_>,
    value: &[Field],
    by: &[Field],
    is_wanted: impl Fn(Timestamp) -> bool,
) -> Table<'a> {
    let store = events.store;
    let fields = [by, value].concat();
    let mut known_since: BTreeMap<(String, Key), Timestamp> = BTreeMap::new();
    let mut list: Vec<((String, Key), Pile)> =
        piles(events, &fields).into_iter().filter(|((_, key), _)| key.iter().all(Option::is_some)).collect();
    for ((organization, key), pile) in &list {
        let owner = (organization.clone(), key[..by.len()].to_vec());
        let first = store.time(pile.first);
        known_since.entry(owner).and_modify(|since| *since = first.min(*since)).or_insert(first);
    }
    list.retain(|(_, pile)| is_wanted(store.time(pile.first)));
    list.sort_by(|a, b| (store.time(b.1.first), &a.0).cmp(&(store.time(a.1.first), &b.0)));
    let has_tenants = tells_tenants(events, &fields);
    let others = ["first_seen", "last_seen", "count", "owner_since", "event_type", "origin"];
    let columns = columns(has_tenants, &fields, &others);
    let row = |(key, pile): ((String, Key), Pile)| -> Row {
        let since = known_since[&(key.0, key.1[..by.len()].to_vec())];
        let mut row = start(store, has_tenants, &pile);
        row.extend([Cell::Time(store.time(pile.first)), Cell::Time(store.time(pile.last)), Cell::Number(pile.count)]);
        row.extend([Cell::Time(since), Cell::of(store.text(pile.first, Norm::EventType))]);
        row.push(Cell::Text(events.origin(pile.first)));
        row
    };
    let rows: Vec<Row> = list.into_iter().map(row).collect();
    Table { name: "first_seen", columns, count: rows.len(), rows: Box::new(rows.into_iter()) }
}
