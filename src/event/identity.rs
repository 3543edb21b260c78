//! Identity: one key for the id, the name and the e-mail address of a person, linked over everything that
//! was read of an organization.
//!
//! Links are sets of facts ("this id was seen with this name"), so the answer does not depend on the order
//! in which they were learned. An id is an identity of its own; a name or address without an id takes the
//! one id it was seen with. A name and an address without ids are one if the local part of the address is
//! that name and nothing else claims either; where it is ambiguous, nothing is linked. Admins and users
//! are kept apart.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use super::Event;
use super::letters;
use super::party::{Class, Party};

/// What a key was seen together with: always the same thing, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Only {
    One(String),
    Several,
}

type Facts = BTreeMap<String, Only>;

fn learn(facts: &mut Facts, about: &str, value: &str) {
    match facts.get(about) {
        None => {
            facts.insert(about.to_owned(), Only::One(value.to_owned()));
        }
        Some(Only::One(known)) if known != value => {
            facts.insert(about.to_owned(), Only::Several);
        }
        Some(_) => {}
    }
}

fn one<'f>(facts: &'f Facts, about: &str) -> Option<&'f str> {
    match facts.get(about) {
        Some(Only::One(value)) => Some(value),
        _ => None,
    }
}

/// The facts about one class of parties of one organization.
#[derive(Clone, Debug, Default)]
struct Register {
    id_of_name: Facts,
    id_of_email: Facts,
    name_of_id: Facts,
    name_of_email: Facts,
    email_of_name: Facts,
    email_of_local_part: Facts,
}

/// A party's names in lower case; identities are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    /// object id
    pub id: Option<String>,
    /// user name
    pub name: Option<String>,
    /// e-mail address
    pub email: Option<String>,
}

impl From<&Party<'_>> for Names {
    fn from(party: &Party<'_>) -> Names {
        let lower = |text: Option<&str>| text.map(letters::lower);
        Names { id: lower(party.id), name: lower(party.name), email: lower(party.email) }
    }
}

impl Register {
    fn learn(&mut self, names: &Names) {
        let Names { id, name, email } = names;
        if let (Some(id), Some(name)) = (id, name) {
            learn(&mut self.id_of_name, name, id);
            learn(&mut self.name_of_id, id, name);
        }
        if let (Some(id), Some(email)) = (id, email) {
            learn(&mut self.id_of_email, email, id);
        }
        if let (Some(name), Some(email)) = (name, email) {
            learn(&mut self.name_of_email, email, name);
            learn(&mut self.email_of_name, name, email);
        }
        if let Some(email) = email
            && let Some((local_part, _)) = email.split_once('@')
        {
            learn(&mut self.email_of_local_part, local_part, email);
        }
    }

    fn key(&self, names: &Names) -> Option<String> {
        if let Some(id) = &names.id {
            return Some(id.clone());
        }
        match (&names.name, &names.email) {
            (None, None) => None,
            (Some(name), _) => Some(self.key_of_name(name)),
            (None, Some(email)) => Some(self.key_of_email(email)),
        }
    }

    fn key_of_name(&self, name: &str) -> String {
        if self.id_of_name.contains_key(name) {
            return one(&self.id_of_name, name).unwrap_or(name).to_owned();
        }
        let email = one(&self.email_of_name, name).or_else(|| {
            // by the local part, if this address belongs to nobody with another name
            let email = one(&self.email_of_local_part, name).filter(|_| !self.email_of_name.contains_key(name))?;
            let named = one(&self.id_of_email, email).is_some_and(|id| self.name_of_id.contains_key(id));
            (!named && !self.name_of_email.contains_key(email)).then_some(email)
        });
        email.and_then(|email| one(&self.id_of_email, email)).unwrap_or(name).to_owned()
    }

    fn key_of_email(&self, email: &str) -> String {
        if let Some(id) = one(&self.id_of_email, email) {
            return id.to_owned();
        }
        if self.id_of_email.contains_key(email) {
            return email.to_owned();
        }
        if let Some(name) = one(&self.name_of_email, email) {
            return self.key_of_name(name);
        }
        let local_part = email.split_once('@').map_or("", |(local, _)| local);
        let is_only = one(&self.email_of_local_part, local_part) == Some(email);
        let is_claimed = self.name_of_email.contains_key(email) || self.email_of_name.contains_key(local_part);
        if local_part.is_empty() || !is_only || is_claimed {
            return email.to_owned();
        }
        match self.id_of_name.get(local_part) {
            Some(Only::Several) => email.to_owned(),
            Some(Only::One(id)) => id.clone(),
            None => local_part.to_owned(),
        }
    }
}

/// What an event says of who is who.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fact {
    organization: String,
    class: Class,
    names: Names,
}

/// The facts of some events, each once: a person signs in a thousand times under the same names.
#[derive(Debug, Default)]
pub struct Lessons {
    facts: Vec<Fact>,
    hashes: HashSet<u64, foldhash::fast::RandomState>,
    hasher: foldhash::fast::RandomState,
}

impl Lessons {
    /// Learns what an event says about its actor and its target.
    pub fn learn(&mut self, event: &Event<'_>) {
        self.learn_party(event.organization(), &event.actor);
        self.learn_party(event.organization(), &event.target);
    }

    /// Learns the names of a party in an organization.
    pub fn learn_party(&mut self, organization: &str, party: &Party<'_>) {
        let class = party.class();
        let has_two = [party.id, party.name, party.email].iter().flatten().count() > 1;
        if class == Class::Thing || !(has_two || party.email.is_some()) {
            return;
        }
        let fact = (organization, class, party.id, party.name, party.email);
        if self.hashes.insert(self.hasher.hash_one(fact)) {
            let organization = organization.to_owned();
            self.facts.push(Fact { organization, class, names: Names::from(party) });
        }
    }
}

/// The links of everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Links {
    registers: BTreeMap<(String, Class), Register>,
    facts: HashSet<Fact, foldhash::fast::RandomState>,
}

impl Links {
    /// Takes over what a part of the input taught.
    pub fn take(&mut self, lessons: Lessons) {
        lessons.facts.into_iter().for_each(|fact| self.learn(fact));
    }

    /// Takes over what another input taught.
    pub fn merge(&mut self, other: Links) {
        other.facts.into_iter().for_each(|fact| self.learn(fact));
    }

    fn learn(&mut self, fact: Fact) {
        if !self.facts.contains(&fact) {
            let key = (fact.organization.clone(), fact.class);
            self.registers.entry(key).or_default().learn(&fact.names);
            self.facts.insert(fact);
        }
    }

    /// The key of a party of an event.
    pub fn key_of(&self, organization: &str, party: &Party<'_>) -> Option<String> {
        self.key(organization, party.kind.as_deref(), party.class(), &Names::from(party))
    }

    /// The key of a party: its class, a colon, and the id or the best name there is. `None` if nothing says
    /// who it is.
    pub fn key(&self, organization: &str, kind: Option<&str>, class: Class, names: &Names) -> Option<String> {
        let bare = match self.registers.get(&(organization.to_owned(), class)) {
            Some(register) => register.key(names)?,
            None => Register::default().key(names)?,
        };
        Some(match class {
            Class::Admin => format!("admin:{bare}"),
            Class::User => format!("user:{bare}"),
            Class::Thing => format!("{}:{bare}", kind.unwrap_or("thing")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(id: &str, name: &str, email: &str) -> Names {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Names { id: some(id), name: some(name), email: some(email) }
    }

    fn register(facts: &[(&str, &str, &str)]) -> Register {
        let mut register = Register::default();
        facts.iter().for_each(|(id, name, email)| register.learn(&names(id, name, email)));
        register
    }

    fn key(register: &Register, id: &str, name: &str, email: &str) -> String {
        register.key(&names(id, name, email)).unwrap()
    }

    #[test]
    fn a_name_takes_the_one_id_it_was_seen_with() {
        let r = register(&[("u1", "jane", ""), ("u1", "", "jane@x.io")]);
        assert_eq!(key(&r, "", "jane", ""), "u1");
        assert_eq!(key(&r, "", "", "jane@x.io"), "u1");
        assert_eq!(key(&r, "u1", "whatever", ""), "u1");
    }

    #[test]
    fn an_ambiguous_name_links_nothing() {
        let r = register(&[("u1", "john", ""), ("u2", "john", "")]);
        assert_eq!(key(&r, "", "john", ""), "john");
        let r = register(&[("", "", "jo@a.io"), ("", "", "jo@b.io")]);
        assert_eq!(key(&r, "", "", "jo@a.io"), "jo@a.io");
        assert_eq!(key(&r, "", "jo", ""), "jo");
    }

    #[test]
    fn a_local_part_that_only_one_address_has() {
        let r = register(&[("", "", "jane.doe@x.io"), ("u1", "jane.doe", "")]);
        assert_eq!(key(&r, "", "", "jane.doe@x.io"), "u1");
        let r = register(&[("", "", "jane.doe@x.io")]);
        assert_eq!(key(&r, "", "", "jane.doe@x.io"), key(&r, "", "jane.doe", ""));
    }

    #[test]
    fn an_address_of_somebody_with_another_name_is_not_taken_by_its_local_part() {
        let r = register(&[("u1", "jdoe", "john@x.io")]);
        assert_eq!(key(&r, "", "john", ""), "john");
        assert_eq!(key(&r, "", "", "john@x.io"), "u1");
    }

    #[test]
    fn order_of_learning_does_not_matter() {
        let facts = [("u1", "jane", ""), ("u2", "jane", ""), ("", "jane", "j@x.io"), ("u1", "", "j@x.io")];
        let mut reversed = facts;
        reversed.reverse();
        let (a, b) = (register(&facts), register(&reversed));
        for probe in [("", "jane", ""), ("", "", "j@x.io"), ("u1", "", "")] {
            assert_eq!(key(&a, probe.0, probe.1, probe.2), key(&b, probe.0, probe.1, probe.2));
        }
    }

    #[test]
    fn admins_and_users_are_kept_apart() {
        let links = Links::default();
        let who = names("", "jane", "");
        assert_ne!(links.key("o", None, Class::Admin, &who), links.key("o", None, Class::User, &who));
    }
}
