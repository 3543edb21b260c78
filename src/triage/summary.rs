//! Summary: the first look at an unknown export. Who signed in from where and how, what administrators did,
//! what kinds of events there are, where failures come from, what came on which day, and when nothing did.

use std::collections::{BTreeMap, BTreeSet};

use super::sentence::is_sign_in;
use super::table::{Cell, Row, Table};
use crate::detect::store::Store;
use crate::event::catalogue;
use crate::event::coverage::{Gap, Reach};
use crate::event::field::Norm;
use crate::event::letters;
use crate::event::silence::Silence;
use crate::event::time::{DAY, HOUR, Timestamp};

/// How often each of several things came.
type Counts = BTreeMap<String, u64>;

fn add(counts: &mut Counts, name: Option<&str>, count: u64) {
    if let Some(name) = name.filter(|_| count > 0) {
        *counts.entry(name.to_owned()).or_default() += count;
    }
}

fn cell(counts: &Counts) -> Cell {
    Cell::counts(counts.iter().map(|(name, count)| (name.as_str(), *count)))
}

/// Events that have everything in common but time and place.
struct Alike {
    count: u64,
    first: u32,
    reach: Reach,
}

/// The events that are meant, put together by what they have in common, in the order of their first ones.
fn alike(store: &Store, events: &[u32]) -> Vec<Alike> {
    let mut places: Vec<Option<usize>> = vec![None; store.profiles().len() as usize];
    let mut out: Vec<Alike> = Vec::new();
    for event in events.iter().copied() {
        let time = store.time(event);
        let place = *places[store.profile(event) as usize].get_or_insert_with(|| {
            let reach = Reach { first: time, last: time };
            out.push(Alike { count: 0, first: event, reach });
            out.len() - 1
        });
        let known = &mut out[place];
        known.count += 1;
        known.reach = known.reach.with(Reach { first: time, last: time });
    }
    out
}

/// What one person, administrator, address or type of event did.
struct Doer {
    /// as first written
    name: Option<String>,
    kind: Option<String>,
    reach: Reach,
    count: u64,
    successes: u64,
    failures: u64,
    challenges: u64,
    mfa_used: u64,
    mfa_known: u64,
    how: Counts,
    countries: Counts,
    agents: Counts,
    /// who, or by what means
    others: Counts,
    /// keys of the people among them
    people: BTreeSet<String>,
}

impl Doer {
    fn new(name: Option<&str>, kind: Option<&str>, reach: Reach) -> Doer {
        Doer {
            name: name.map(str::to_owned),
            kind: kind.map(str::to_owned),
            reach,
            count: 0,
            successes: 0,
            failures: 0,
            challenges: 0,
            mfa_used: 0,
            mfa_known: 0,
            how: Counts::new(),
            countries: Counts::new(),
            agents: Counts::new(),
            others: Counts::new(),
            people: BTreeSet::new(),
        }
    }

    /// Counts events by their outcome.
    fn count(&mut self, outcome: &str, alike: &Alike) {
        self.count += alike.count;
        self.reach = self.reach.with(alike.reach);
        match outcome {
            "success" => self.successes += alike.count,
            "failure" => self.failures += alike.count,
            "challenge" => self.challenges += alike.count,
            _ => {}
        }
    }

    fn name(&self) -> Cell {
        Cell::of(self.name.as_deref())
    }

    fn seen(&self) -> [Cell; 2] {
        [Cell::Time(self.reach.first), Cell::Time(self.reach.last)]
    }
}

/// Doers by organization and key.
type Doers = BTreeMap<(String, String), Doer>;

/// All sections, in the order in which they are read. Stretches in which nothing came are of all that was read, whichever
/// events are chosen; those of organizations of which no event is chosen are left out.
pub fn summary(store: &Store, events: &[u32], gaps: Vec<Gap>, silences: Vec<Silence>) -> Vec<Table<'static>> {
    let alike = alike(store, events);
    let text = |alike: &Alike, norm: Norm| store.text(alike.first, norm);
    let (mut people, mut admins, mut sources, mut types) = (Doers::new(), Doers::new(), Doers::new(), Doers::new());
    for one in &alike {
        let organization = store.organization(one.first);
        let kind = text(one, Norm::EventType).unwrap_or_default();
        let outcome = text(one, Norm::Outcome).unwrap_or_default();
        let key = |norm| (organization.to_owned(), letters::lower(text(one, norm).unwrap_or_default()));
        let doer = |doers: &mut Doers, key, name, kind| {
            let doer = doers.entry(key).or_insert_with(|| Doer::new(name, kind, one.reach));
            doer.count(outcome, one);
        };
        let service = Some(store.service(one.first));
        doer(&mut types, (organization.to_owned(), kind.to_owned()), Some(kind), service);
        if is_sign_in(kind) {
            let who = key(Norm::ActorKey);
            doer(&mut people, who.clone(), text(one, Norm::ActorName), text(one, Norm::ActorType));
            people.entry(who).and_modify(|person| sign_in(person, store, one));
            let ip = key(Norm::SourceIp);
            doer(&mut sources, ip.clone(), text(one, Norm::SourceIp), None);
            sources.entry(ip).and_modify(|source| failure(source, store, one));
        } else if text(one, Norm::ActorType) == Some("admin") {
            let who = key(Norm::ActorKey);
            doer(&mut admins, who.clone(), text(one, Norm::ActorName), None);
            admins.entry(who).and_modify(|admin| {
                add(&mut admin.how, Some(kind), one.count);
                add(&mut admin.others, text(one, Norm::ActorVia), one.count);
                add(&mut admin.countries, text(one, Norm::SourceCountry), one.count);
            });
        }
    }
    sources.retain(|_, source| source.failures > 0);
    let organizations: BTreeSet<&str> = alike.iter().map(|one| store.organization(one.first)).collect();
    let mut tables = vec![sign_ins(people), admin_actions(admins), failing_sources(sources), event_types(types)];
    let is_chosen = |organization: &String| organizations.contains(organization.as_str());
    let gaps = gaps.into_iter().filter(|gap| is_chosen(&gap.organization)).collect();
    let silences = silences.into_iter().filter(|silence| is_chosen(&silence.organization)).collect();
    tables.extend([days(store, events), gap_rows(gaps), silence_rows(silences)]);
    // With one organization its column says nothing.
    if organizations.len() < 2 {
        tables = tables.into_iter().map(|table| table.without(&["organization"])).collect();
    }
    tables
}

/// What a person's sign-ins were like. From where and with what counts only where they worked.
fn sign_in(person: &mut Doer, store: &Store, alike: &Alike) {
    let text = |norm| store.text(alike.first, norm);
    add(&mut person.how, text(Norm::EventType), alike.count);
    if text(Norm::Outcome) != Some("success") {
        return;
    }
    add(&mut person.countries, text(Norm::SourceCountry), alike.count);
    add(&mut person.agents, text(Norm::AgentName), alike.count);
    // SSO rides on the session of a portal sign-in, which is where a factor is asked for.
    if let Some(is_used) = text(Norm::MfaUsed).filter(|_| text(Norm::EventType) != Some("sso_auth")) {
        person.mfa_known += alike.count;
        person.mfa_used += if is_used == "true" { alike.count } else { 0 };
    }
}

/// What failures of an address were like.
fn failure(source: &mut Doer, store: &Store, alike: &Alike) {
    let text = |norm| store.text(alike.first, norm);
    if text(Norm::Outcome) == Some("failure") {
        add(&mut source.how, text(Norm::EventType), alike.count);
        add(&mut source.countries, text(Norm::SourceCountry), alike.count);
        add(&mut source.others, text(Norm::ActorName), alike.count);
        source.people.extend(text(Norm::ActorKey).map(letters::lower));
    }
}

/// Doers as rows with their organization in front, the busiest first.
fn rows(doers: Doers, busy: impl Fn(&Doer) -> u64, row: impl Fn(&Doer) -> Row) -> Vec<Row> {
    let mut list: Vec<((String, String), Doer)> = doers.into_iter().collect();
    list.sort_by(|a, b| (&a.0.0, busy(&b.1), &a.0.1).cmp(&(&b.0.0, busy(&a.1), &b.0.1)));
    let with_organization = |((organization, _), doer): ((String, String), Doer)| {
        std::iter::once(Cell::Text(organization)).chain(row(&doer)).collect()
    };
    list.into_iter().map(with_organization).collect()
}

fn sign_ins(people: Doers) -> Table<'static> {
    let row = |person: &Doer| -> Row {
        let numbers = [person.successes, person.failures, person.challenges].map(Cell::Number);
        let mut row = vec![person.name(), Cell::of(person.kind.as_deref())];
        row.extend(numbers);
        row.push(Cell::Share(person.mfa_used, person.mfa_known));
        row.extend([&person.how, &person.countries, &person.agents].map(cell));
        row.extend(person.seen());
        row
    };
    let columns = [
        "organization",
        "who",
        "type",
        "successes",
        "failures",
        "challenges",
        "mfa",
        "how",
        "countries",
        "agents",
        "first_seen",
        "last_seen",
    ];
    Table::of("sign_ins", &columns, rows(people, |person| person.count, row))
}

fn admin_actions(admins: Doers) -> Table<'static> {
    let row = |admin: &Doer| -> Row {
        let mut row = vec![admin.name(), Cell::Number(admin.count), Cell::Number(admin.failures)];
        row.extend([&admin.how, &admin.others, &admin.countries].map(cell));
        row.extend(admin.seen());
        row
    };
    let columns =
        ["organization", "admin", "actions", "failures", "what", "via", "countries", "first_seen", "last_seen"];
    Table::of("admin_actions", &columns, rows(admins, |admin| admin.count, row))
}

fn failing_sources(sources: Doers) -> Table<'static> {
    let row = |source: &Doer| -> Row {
        let numbers = [source.failures, source.successes, source.people.len() as u64].map(Cell::Number);
        let mut row = vec![source.name()];
        row.extend(numbers);
        row.extend([&source.others, &source.how, &source.countries].map(cell));
        row.extend(source.seen());
        row
    };
    let columns = [
        "organization",
        "source",
        "failures",
        "successes",
        "people",
        "who",
        "how",
        "countries",
        "first_seen",
        "last_seen",
    ];
    Table::of("failing_sources", &columns, rows(sources, |source| source.failures, row))
}

fn event_types(types: Doers) -> Table<'static> {
    let row = |kind: &Doer| -> Row {
        let name = kind.name.as_deref().unwrap_or_default();
        let is_known = catalogue::service_of(name).is_some();
        let note = if is_known { Cell::Nothing } else { Cell::Text("unknown type".to_owned()) };
        let mut row = vec![Cell::of(Some(name)), Cell::of(kind.kind.as_deref()), Cell::Number(kind.count)];
        row.push(Cell::Number(kind.failures));
        row.extend(kind.seen());
        row.push(note);
        row
    };
    let columns = ["organization", "event_type", "service", "count", "failures", "first_seen", "last_seen", "note"];
    Table::of("event_types", &columns, rows(types, |kind| kind.count, row))
}

/// Events a day of each service.
fn days(store: &Store, events: &[u32]) -> Table<'static> {
    let mut days: BTreeMap<(&str, i64), BTreeMap<&str, u64>> = BTreeMap::new();
    for event in events.iter().copied() {
        let day = store.time(event).0.div_euclid(DAY);
        let services = days.entry((store.organization(event), day)).or_default();
        *services.entry(store.service(event)).or_default() += 1;
    }
    Table::of("days", &["organization", "day", "until", "all", "services"], day_rows(&days))
}

/// From when to when, and how many hours that is.
fn stretch(from: Timestamp, to: Timestamp) -> [Cell; 3] {
    let hours = u64::try_from(to.since(from).0 / HOUR).unwrap_or_default();
    [Cell::Time(from), Cell::Time(to), Cell::Number(hours)]
}

fn gap_rows(gaps: Vec<Gap>) -> Table<'static> {
    let row = |gap: Gap| [Cell::Text(gap.organization)].into_iter().chain(stretch(gap.from, gap.to)).collect();
    Table::of("gaps", &["organization", "from", "to", "hours"], gaps.into_iter().map(row).collect())
}

fn silence_rows(silences: Vec<Silence>) -> Table<'static> {
    let row = |silence: Silence| {
        let names = [silence.organization, silence.service].map(Cell::Text);
        names.into_iter().chain(stretch(silence.from, silence.to)).collect()
    };
    let columns = ["organization", "service", "from", "to", "hours"];
    Table::of("silences", &columns, silences.into_iter().map(row).collect())
}

/// A row for each day, and one for the days between on which nothing came.
fn day_rows(days: &BTreeMap<(&str, i64), BTreeMap<&str, u64>>) -> Vec<Row> {
    let date = |day: i64| Cell::Text(Timestamp(day * DAY).utc().format("%Y-%m-%d").to_string());
    let mut rows = Vec::new();
    let mut before: Option<(&str, i64)> = None;
    for ((organization, day), counts) in days {
        let name = Cell::Text((*organization).to_owned());
        let gap = before.filter(|(other, last)| other == organization && day - last > 1).map(|(_, last)| last);
        if let Some(last) = gap {
            let until = if day - last > 2 { date(day - 1) } else { Cell::Nothing };
            rows.push(vec![name.clone(), date(last + 1), until, Cell::Number(0), Cell::Nothing]);
        }
        let all = counts.values().sum();
        let services = Cell::counts(counts.iter().map(|(name, count)| (*name, *count)));
        rows.push(vec![name, date(*day), Cell::Nothing, Cell::Number(all), services]);
        before = Some((*organization, *day));
    }
    rows
}
