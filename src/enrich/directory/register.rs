//! Register: the entries of all files joined, and the keys they are found by.
//!
//! Names belong to an organization: a key is looked for among what is of that organization, then among what names
//! none. Who does not say of which organization they are may mean anybody's, if there is only one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use smallvec::SmallVec;

use super::entry::{Entry, Membership};
use super::{Group, Person, System};
use crate::event::letters;
use crate::event::party::{Class, is_object_id};

/// The places of the things that a key stands for.
type Index = HashMap<String, SmallVec<[usize; 1]>, foldhash::fast::RandomState>;

fn learn(index: &mut Index, key: Option<&str>, place: usize) {
    let Some(key) = key else { return };
    let places = index.entry(letters::lower(key)).or_default();
    if places.last() != Some(&place) {
        places.push(place);
    }
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meant {
    Nothing,
    One(usize),
    /// it cannot be said which
    Several,
}

impl Meant {
    fn one(self) -> Option<usize> {
        match self {
            Meant::One(place) => Some(place),
            Meant::Nothing | Meant::Several => None,
        }
    }

    fn only(places: impl Iterator<Item = usize>) -> Meant {
        let mut meant = Meant::Nothing;
        for place in places {
            match meant {
                Meant::One(known) if known != place => return Meant::Several,
                _ => meant = Meant::One(place),
            }
        }
        meant
    }

    fn or_else(self, other: impl FnOnce() -> Meant) -> Meant {
        if self == Meant::Nothing { other() } else { self }
    }
}

/// Something that may belong to an organization.
trait Owned {
    fn organization(&self) -> Option<&str>;
}

impl Owned for Person {
    fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }
}

impl Owned for System {
    fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }
}

impl Owned for Group {
    fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }
}

/// The thing that a key means in an organization; in any organization if none is given (`None` or empty).
fn meant(index: &Index, key: &str, things: &[impl Owned], organization: Option<&str>) -> Meant {
    let Some(places) = index.get(&letters::lower(key)) else { return Meant::Nothing };
    let Some(organization) = organization.filter(|name| !name.is_empty()) else {
        return Meant::only(places.iter().copied());
    };
    let is = |place: &usize| things.get(*place).and_then(Owned::organization);
    let own = places.iter().filter(|place| is(place).is_some_and(|own| letters::are_one(own, organization)));
    let nobodys = || Meant::only(places.iter().filter(|place| is(place).is_none()).copied());
    Meant::only(own.copied()).or_else(nobodys)
}

/// Whether the id of an event and that of the account found by name prove two different accounts. Only ids of one kind
/// do: other tools export ids of another kind (a number, a UUID), which prove nothing.
fn is_another(id: Option<&str>, found: Option<&str>) -> bool {
    id.zip(found).is_some_and(|(id, found)| is_object_id(id) == is_object_id(found))
}

/// The keys of the people of one class.
#[derive(Debug, Default)]
struct Keys {
    id: Index,
    username: Index,
    email: Index,
}

impl Keys {
    fn learn(&mut self, person: &Person, place: usize) {
        learn(&mut self.id, person.id.as_deref(), place);
        learn(&mut self.username, person.username.as_deref(), place);
        learn(&mut self.email, person.email.as_deref(), place);
    }

    fn any(&self, key: &str, people: &[Person], organization: Option<&str>) -> Meant {
        let of = |index| meant(index, key, people, organization);
        of(&self.id).or_else(|| of(&self.username)).or_else(|| of(&self.email))
    }
}

/// All entries.
#[derive(Debug, Default)]
pub struct Register {
    people: Vec<Person>,
    systems: Vec<System>,
    groups: Vec<Group>,
    memberships: Vec<Membership>,
    users: Keys,
    admins: Keys,
    system_by_id: Index,
    system_by_name: Index,
    group_by_id: Index,
    group_by_name: Index,
    without_organization: u64,
}

impl Register {
    /// The only account of a person of this name, without case.
    pub fn only_called(&self, name: &str) -> Option<&Person> {
        let name = letters::lower(name);
        let is_it = |person: &&Person| person.name.as_ref().is_some_and(|own| letters::lower(own) == name);
        let mut found = self.people.iter().filter(is_it);
        let first = found.next()?;
        let is_same = |other: &Person| {
            other.class == first.class && other.organization == first.organization && other.names() == first.names()
        };
        found.all(is_same).then_some(first)
    }

    /// Adds an entry. It can be found after [`Register::join`].
    pub fn add(&mut self, entry: Entry) {
        let is_nobodys = match &entry {
            Entry::Person(person) => person.organization.is_none(),
            Entry::System(system) => system.organization.is_none(),
            Entry::Group(_) | Entry::Membership(_) => false,
        };
        self.without_organization += u64::from(is_nobodys);
        match entry {
            Entry::Person(person) => self.people.push(*person),
            Entry::System(system) => self.systems.push(*system),
            Entry::Group(group) => self.groups.push(group),
            Entry::Membership(membership) => self.memberships.push(membership),
        }
    }

    /// How many people and devices that were added name no organization.
    pub fn without_organization(&self) -> u64 {
        self.without_organization
    }

    /// Joins what belongs together: records of one account, people and their groups, managers and owners.
    pub fn join(&mut self) {
        self.join_people();
        self.join_systems();
        self.groups.sort_by(|a, b| (&a.id, &a.organization, &a.name).cmp(&(&b.id, &b.organization, &b.name)));
        self.groups.dedup_by(|b, a| {
            let is_alike = a.id.is_some() || a.name == b.name;
            a.id == b.id && a.organization == b.organization && is_alike
        });
        for (place, group) in self.groups.iter().enumerate() {
            learn(&mut self.group_by_id, group.id.as_deref(), place);
            learn(&mut self.group_by_name, Some(&group.name), place);
        }
        self.join_groups();
        let shown = |key: &str, organization: Option<&str>| {
            let place = self.users.any(key, &self.people, organization).one()?;
            self.people[place].shown().map(str::to_owned)
        };
        let of_person = |p: &Person| shown(p.manager.as_deref()?, p.organization.as_deref());
        let managers: Vec<Option<String>> = self.people.iter().map(of_person).collect();
        let of_system = |s: &System| shown(s.owner_key.as_deref()?, s.organization.as_deref());
        let owners: Vec<Option<String>> = self.systems.iter().map(of_system).collect();
        for (person, manager) in self.people.iter_mut().zip(managers) {
            person.manager = manager.or(person.manager.take());
        }
        for (system, owner) in self.systems.iter_mut().zip(owners) {
            system.owner = owner.or_else(|| system.owner_key.clone());
        }
    }

    /// Records with one id are one account, and so are a record without an id and the only one with its user
    /// name, or else with its address. The first file that says something wins.
    fn join_people(&mut self) {
        let (with_id, without_id): (Vec<Person>, Vec<Person>) =
            std::mem::take(&mut self.people).into_iter().partition(|person| person.id.is_some());
        for person in with_id.into_iter().chain(without_id) {
            let keys = if person.class == Class::Admin { &mut self.admins } else { &mut self.users };
            let (index, key) = match (&person.id, &person.username, &person.email) {
                (Some(id), ..) => (&keys.id, id),
                (None, Some(name), _) => (&keys.username, name),
                (None, None, Some(email)) => (&keys.email, email),
                (None, None, None) => continue,
            };
            match meant(index, key, &self.people, person.organization.as_deref()) {
                // The name of several accounts: it cannot be said which one this is.
                Meant::Several => {}
                Meant::One(place) => {
                    keys.learn(&person, place);
                    fill(&mut self.people[place], person);
                }
                Meant::Nothing => {
                    keys.learn(&person, self.people.len());
                    self.people.push(person);
                }
            }
        }
    }

    fn join_systems(&mut self) {
        for system in std::mem::take(&mut self.systems) {
            let known = system
                .id
                .as_deref()
                .and_then(|id| meant(&self.system_by_id, id, &self.systems, system.organization.as_deref()).one());
            let place = known.unwrap_or(self.systems.len());
            learn(&mut self.system_by_id, system.id.as_deref(), place);
            learn(&mut self.system_by_name, system.name.as_deref(), place);
            learn(&mut self.system_by_name, system.hostname.as_deref(), place);
            if known.is_none() {
                self.systems.push(system);
            }
        }
    }

    fn join_groups(&mut self) {
        let mut names: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut members: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for membership in std::mem::take(&mut self.memberships) {
            let own = membership.organization.as_deref();
            let user = |index, key: &Option<String>| meant(index, key.as_deref()?, &self.people, own).one();
            let by_id = user(&self.users.id, &membership.user_id);
            let Some(person) = by_id.or_else(|| user(&self.users.username, &membership.user_name)) else { continue };
            let own = own.or(self.people[person].organization.as_deref());
            let known = |index, key: &str| meant(index, key, &self.groups, own).one();
            let group = match (&membership.group_id, &membership.group_name) {
                (Some(id), _) => known(&self.group_by_id, id),
                (None, Some(name)) => known(&self.group_by_name, name),
                (None, None) => None,
            };
            if let Some(group) = group {
                members.entry(group).or_default().insert(person);
            }
            let name = group.map(|at| self.groups[at].name.clone()).or(membership.group_name).or(membership.group_id);
            names.entry(person).or_default().extend(name);
        }
        for (group, members) in members {
            // Groups of the API do not say whose they are, but their members do.
            let of_members: BTreeSet<Option<&str>> =
                members.iter().map(|at| self.people[*at].organization.as_deref()).collect();
            let own = of_members.first().copied().flatten().filter(|_| of_members.len() == 1).map(str::to_owned);
            let group = &mut self.groups[group];
            group.members = Some(members.len() as u64);
            group.organization = group.organization.take().or(own);
        }
        for (person, names) in names {
            self.people[person].groups = names.into_iter().collect();
        }
    }

    /// The person of an organization with this id, else with one of these names.
    pub fn person(&self, class: Class, organization: &str, id: Option<&str>, names: &[&str]) -> Option<&Person> {
        let own = Some(organization);
        let keys = match class {
            Class::User => &self.users,
            Class::Admin => &self.admins,
            Class::Thing => return None,
        };
        if let Some(id) = id
            && let Some(place) = meant(&keys.id, id, &self.people, own).one()
        {
            return Some(&self.people[place]);
        }
        let place = names.iter().find_map(|name| keys.any(name, &self.people, own).one())?;
        // A name that another account has today says nothing of the one that had it then.
        Some(&self.people[place]).filter(|person| !is_another(id, person.id.as_deref()))
    }

    /// The device of an organization with this id, else with this name.
    pub fn system(&self, organization: &str, id: Option<&str>, name: &str) -> Option<&System> {
        let of = |index, key: &str| meant(index, key, &self.systems, Some(organization)).one();
        if let Some(place) = id.and_then(|id| of(&self.system_by_id, id)) {
            return Some(&self.systems[place]);
        }
        let place = of(&self.system_by_id, name).or_else(|| of(&self.system_by_name, name))?;
        Some(&self.systems[place]).filter(|system| !is_another(id, system.id.as_deref()))
    }

    /// The group of an organization with this id or name.
    pub fn group(&self, organization: &str, key: &str) -> Option<&Group> {
        let of = |index| meant(index, key, &self.groups, Some(organization));
        of(&self.group_by_id).or_else(|| of(&self.group_by_name)).one().map(|place| &self.groups[place])
    }
}

/// Takes from another record of the same account what is not known yet.
fn fill(known: &mut Person, other: Person) {
    fn keep<T>(known: &mut Option<T>, other: Option<T>) {
        if known.is_none() {
            *known = other;
        }
    }
    keep(&mut known.organization, other.organization);
    keep(&mut known.username, other.username);
    keep(&mut known.email, other.email);
    keep(&mut known.name, other.name);
    keep(&mut known.job_title, other.job_title);
    keep(&mut known.department, other.department);
    keep(&mut known.location, other.location);
    keep(&mut known.manager, other.manager);
    keep(&mut known.mfa.configured, other.mfa.configured);
    keep(&mut known.mfa.totp, other.mfa.totp);
    keep(&mut known.suspended, other.suspended);
    keep(&mut known.admin_role, other.admin_role);
}
