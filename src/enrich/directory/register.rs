//! Register: the entries of all files joined, and the keys they are found by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::{Entry, Membership};
use super::{Group, Person, System};
use crate::event::party::{Class, Party};

/// What a key stands for: the place of one thing, or nothing because it stands for several.
type Index = HashMap<String, Option<usize>, foldhash::fast::RandomState>;

fn learn(index: &mut Index, key: Option<&str>, place: usize) {
    let Some(key) = key else { return };
    index.entry(key.to_lowercase()).and_modify(|known| *known = known.filter(|k| *k == place)).or_insert(Some(place));
}

fn one(index: &Index, key: &str) -> Option<usize> {
    index.get(&key.to_lowercase()).copied().flatten()
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

    fn any(&self, key: &str) -> Option<usize> {
        let key = key.to_lowercase();
        [&self.id, &self.username, &self.email].iter().find_map(|index| index.get(&key)).copied().flatten()
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
}

impl Register {
    /// Adds an entry. It can be found after [`Register::join`].
    pub fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Person(person) => self.people.push(*person),
            Entry::System(system) => self.systems.push(*system),
            Entry::Group(id, name) => self.groups.push(Group { id, name, members: None }),
            Entry::Membership(membership) => self.memberships.push(membership),
        }
    }

    /// Joins what belongs together: records of one account, people and their groups, managers and owners.
    pub fn join(&mut self) {
        self.join_people();
        self.join_systems();
        self.groups.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
        self.groups.dedup_by(|b, a| a.id == b.id && (a.id.is_some() || a.name == b.name));
        for (place, group) in self.groups.iter().enumerate() {
            learn(&mut self.group_by_id, group.id.as_deref(), place);
        }
        self.join_groups();
        let shown = |key: &str| self.users.any(key).and_then(|at| self.people[at].shown()).map(str::to_owned);
        let managers: Vec<Option<String>> = self.people.iter().map(|p| p.manager.as_deref().and_then(shown)).collect();
        let owners: Vec<Option<String>> = self.systems.iter().map(|s| s.owner.as_deref().and_then(shown)).collect();
        for (person, manager) in self.people.iter_mut().zip(managers) {
            person.manager = manager.or(person.manager.take());
        }
        for (system, owner) in self.systems.iter_mut().zip(owners) {
            system.owner = owner.or(system.owner.take());
        }
    }

    /// Records with one id are one account, and so are a record without an id and the only one with its user
    /// name, or else with its address. The first file that says something wins.
    fn join_people(&mut self) {
        let (with_id, without_id): (Vec<Person>, Vec<Person>) =
            std::mem::take(&mut self.people).into_iter().partition(|person| person.id.is_some());
        for person in with_id {
            let keys = if person.class == Class::Admin { &mut self.admins } else { &mut self.users };
            let known = person.id.as_deref().and_then(|id| one(&keys.id, id));
            let place = known.unwrap_or(self.people.len());
            keys.learn(&person, place);
            keep_person(&mut self.people, known, person);
        }
        for person in without_id {
            let keys = if person.class == Class::Admin { &mut self.admins } else { &mut self.users };
            let known = match (&person.username, &person.email) {
                (Some(name), _) => keys.username.get(&name.to_lowercase()).copied(),
                (None, Some(email)) => keys.email.get(&email.to_lowercase()).copied(),
                (None, None) => continue,
            };
            // The name of several accounts: it cannot be said which one this is.
            if known == Some(None) {
                continue;
            }
            let known = known.flatten();
            keys.learn(&person, known.unwrap_or(self.people.len()));
            keep_person(&mut self.people, known, person);
        }
    }

    fn join_systems(&mut self) {
        for system in std::mem::take(&mut self.systems) {
            let known = system.id.as_deref().and_then(|id| one(&self.system_by_id, id));
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
        let mut group_by_name = Index::default();
        for (place, group) in self.groups.iter().enumerate() {
            learn(&mut group_by_name, Some(&group.name), place);
        }
        for membership in std::mem::take(&mut self.memberships) {
            let by_id = membership.user_id.as_deref().and_then(|id| one(&self.users.id, id));
            let by_name = || membership.user_name.as_deref().and_then(|name| one(&self.users.username, name));
            let Some(person) = by_id.or_else(by_name) else { continue };
            let group = match &membership.group_id {
                Some(id) => one(&self.group_by_id, id),
                None => membership.group_name.as_deref().and_then(|name| one(&group_by_name, name)),
            };
            if let Some(group) = group {
                members.entry(group).or_default().insert(person);
            }
            let name = group.map(|at| self.groups[at].name.clone()).or(membership.group_name).or(membership.group_id);
            names.entry(person).or_default().extend(name);
        }
        for (group, members) in members {
            self.groups[group].members = Some(members.len() as u64);
        }
        for (person, names) in names {
            self.people[person].groups = names.into_iter().collect();
        }
    }

    /// The person that a party is.
    pub fn person(&self, party: &Party<'_>, organization: Option<&str>) -> Option<&Person> {
        let keys = match party.class() {
            Class::User => &self.users,
            Class::Admin => &self.admins,
            Class::Thing => return None,
        };
        let place = party.id.and_then(|id| one(&keys.id, id)).or_else(|| {
            let by_name = party.name.and_then(|name| one(&keys.username, name));
            let place = by_name.or_else(|| party.email.and_then(|email| one(&keys.email, email)))?;
            (party.id.is_none() || self.people[place].id.is_none()).then_some(place)
        })?;
        Some(&self.people[place]).filter(|person| match (&person.organization, organization) {
            (Some(theirs), Some(wanted)) => theirs.eq_ignore_ascii_case(wanted),
            _ => true,
        })
    }

    /// The one person of a class with this key.
    pub fn person_by(&self, class: Class, key: &str) -> Option<&Person> {
        let keys = match class {
            Class::User => &self.users,
            Class::Admin => &self.admins,
            Class::Thing => return None,
        };
        keys.any(key).map(|place| &self.people[place])
    }

    /// The device with this id, else with this name.
    pub fn system(&self, id: Option<&str>, name: Option<&str>) -> Option<&System> {
        let place = id.and_then(|id| one(&self.system_by_id, id)).or_else(|| {
            let place = one(&self.system_by_name, name?)?;
            (id.is_none() || self.systems[place].id.is_none()).then_some(place)
        })?;
        Some(&self.systems[place])
    }

    /// The group with this id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        one(&self.group_by_id, id).map(|place| &self.groups[place])
    }

    /// The one group with this name.
    pub fn group_named(&self, name: &str) -> Option<&Group> {
        let wanted = name.to_lowercase();
        let mut named = self.groups.iter().filter(|group| group.name.to_lowercase() == wanted);
        named.next().filter(|_| named.next().is_none())
    }
}

fn keep_person(people: &mut Vec<Person>, known: Option<usize>, person: Person) {
    match known {
        Some(place) => fill(&mut people[place], person),
        None => people.push(person),
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
    keep(&mut known.mfa.enrollment, other.mfa.enrollment);
    keep(&mut known.mfa.totp, other.mfa.totp);
    keep(&mut known.mfa.required, other.mfa.required);
    keep(&mut known.mfa.excluded, other.mfa.excluded);
    keep(&mut known.suspended, other.suspended);
    keep(&mut known.activated, other.activated);
    keep(&mut known.admin_role, other.admin_role);
    keep(&mut known.created, other.created);
}
