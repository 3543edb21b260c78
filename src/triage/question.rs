//! Question: what is asked of whom. Some findings only their owner can judge, so each goes to the one who can, and
//! what one person is asked goes into one message.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Subject;
use super::related::Related;
use super::reported::Reported;
use crate::enrich::directory::{Directory, Person};
use crate::event::letters;
use crate::event::party::{Class, class_of};
use crate::rule::Severity;
use crate::rule::pattern::{Glob, Side};

/// Who answers for what, as the organization says.
#[derive(Clone, Debug, Default)]
pub struct Contacts {
    /// who is asked where nobody else is known
    pub security: Option<String>,
    /// the same of single organizations
    pub organizations: BTreeMap<String, String>,
    /// names with `*` and `?`, and who answers for what is called so; the first that fits counts
    pub owners: Vec<(String, String)>,
}

impl Contacts {
    fn security(&self, organization: &str) -> Option<&str> {
        self.organizations.get(organization).or(self.security.as_ref()).map(String::as_str)
    }

    fn owner(&self, names: &[&str]) -> Option<&str> {
        let fits = |pattern: &str| {
            let glob = Glob::parse(pattern, Side::Whole, false);
            names.iter().any(|name| glob.matches(name))
        };
        self.owners.iter().find(|(pattern, _)| fits(pattern)).map(|(_, address)| address.as_str())
    }
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient {
    /// the organization
    pub organization: String,
    /// `actor`, `target`, `owner` or `security-contact`: the part in which they are first asked
    pub role: &'static str,
    /// a name to address them by
    pub name: String,
    /// what tells them from another without an address
    pub key: String,
    /// where the message goes; `None` if nothing says
    pub address: Option<String>,
}

impl Recipient {
    /// What tells the account from others: where mail goes is one in all organizations.
    fn names(&self) -> Vec<String> {
        let own = format!("{} {}", self.organization, self.key);
        self.address.iter().map(letters::lower).chain([own]).collect()
    }
}

/// What one person is asked.
#[derive(Clone, Debug)]
pub struct Message {
    /// who
    pub recipient: Recipient,
    /// the findings, each with its question, in the order of the report
    pub questions: Vec<Reported>,
    /// the account of whoever is asked is part of a case or of an open finding, so that somebody else may answer for them
    pub is_delicate: bool,
}

/// Where recipients are looked up.
#[derive(Clone, Copy, Debug, Default)]
pub struct AddressBook<'a> {
    /// people and devices
    pub directory: Option<&'a Directory>,
    /// what the organization says
    pub contacts: Option<&'a Contacts>,
}

/// Whether a question is still to be asked: not put away, not asked before, and not hanging on what the data does
/// not reach.
pub fn is_open(told: &Reported) -> bool {
    told.disposition == "duet" && told.status == "new" && !told.pending && told.duet.is_some()
}

/// Whether a finding says that an account may be in other hands: it is part of a case, or somebody has to look at it.
fn casts_doubt(told: &Reported) -> bool {
    let is_bad = Severity::parse(&told.severity).is_some_and(|severity| severity >= Severity::Medium);
    told.status != "suppressed" && (told.case_id.is_some() || told.disposition == "triage" && is_bad)
}

/// The messages of all open questions, by organization and name. The findings of earlier reports tell whose account was
/// part of a case then.
pub fn messages(findings: &[Reported], earlier: &[&Reported], book: AddressBook<'_>) -> Vec<Message> {
    let mut of_address: BTreeMap<(String, String), Message> = BTreeMap::new();
    let ids = Ids::new(findings);
    let doubtful: BTreeSet<String> = findings
        .iter()
        .chain(earlier.iter().copied())
        .filter(|told| casts_doubt(told))
        .filter_map(|told| book.account(told, &ids))
        .flat_map(|account| account.names())
        .collect();
    for told in findings.iter().filter(|told| is_open(told)) {
        for recipient in book.recipients(told, &ids) {
            // One person is one message, in whatever part they are asked.
            let place = recipient.address.as_deref().unwrap_or(&recipient.key);
            let key = (recipient.organization.clone(), letters::lower(place));
            let is_doubtful = || recipient.names().iter().any(|name| doubtful.contains(name));
            let is_delicate = matches!(recipient.role, "actor" | "target") && (told.case_id.is_some() || is_doubtful());
            let new = || Message { recipient, questions: vec![], is_delicate: false };
            let message = of_address.entry(key).or_insert_with(new);
            message.questions.push(told.clone());
            message.is_delicate |= is_delicate;
        }
    }
    let mut messages: Vec<Message> = of_address.into_values().collect();
    messages.sort_by(|a, b| {
        let key = |m: &Message| (m.recipient.organization.clone(), letters::lower(&m.recipient.name));
        key(a).cmp(&key(b)).then_with(|| a.recipient.cmp(&b.recipient))
    });
    messages
}

/// The ids that people have in a report, by organization, kind and name in lower case.
struct Ids<'t>(BTreeMap<(&'t str, &'t str, String), BTreeSet<&'t str>>);

impl<'t> Ids<'t> {
    fn new(findings: &'t [Reported]) -> Ids<'t> {
        let mut ids: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        for told in findings {
            let Subject { kind, id, name } = &told.entity;
            // Of whom no event has an id, the name stands there.
            if !letters::are_one(id, name) && !id.contains('@') {
                let key = (told.organization.as_str(), kind.as_str(), letters::lower(name));
                ids.entry(key).or_default().insert(id);
            }
        }
        Ids(ids)
    }

    /// The id of somebody of this name: that of the finding if it is about them, else the only one there is.
    fn of(&self, told: &'t Reported, kind: &str, name: &str) -> Option<&'t str> {
        let ids = self.0.get(&(told.organization.as_str(), kind, letters::lower(name)))?;
        let (own, only) = (ids.get(told.entity.id.as_str()), ids.first().filter(|_| ids.len() == 1));
        own.or(only).copied()
    }
}

impl AddressBook<'_> {
    fn recipients(self, told: &Reported, ids: &Ids<'_>) -> Vec<Recipient> {
        let found = match told.duet.as_ref().map(|duet| duet.ask.as_str()) {
            Some("actor") => self.people(told, "actor", ids),
            Some("target") => self.people(told, "target", ids),
            Some("owner") => self.owner(told, ids).into_iter().collect(),
            _ => vec![],
        };
        if found.is_empty() { vec![self.security(told)] } else { found }
    }

    /// The account that a finding is about.
    fn account(self, told: &Reported, ids: &Ids<'_>) -> Option<Recipient> {
        let Subject { kind, name, .. } = &told.entity;
        let is_person = matches!(class_of(Some(kind)), Class::Admin | Class::User);
        is_person.then(|| self.person(told, "actor", (kind, name, None), ids))
    }

    fn security(self, told: &Reported) -> Recipient {
        let address = self.contacts.and_then(|contacts| contacts.security(&told.organization));
        Recipient {
            organization: told.organization.clone(),
            role: "security-contact",
            name: "Security contact".to_owned(),
            key: "security-contact".to_owned(),
            address: address.map(str::to_owned),
        }
    }

    /// The people who had a part: the one whom the finding is about if it is one of them, else all of them.
    fn people(self, told: &Reported, role: &'static str, ids: &Ids<'_>) -> Vec<Recipient> {
        let is_person = |kind: &str| matches!(class_of(Some(kind)), Class::Admin | Class::User);
        let parts: Vec<&Related> =
            told.related.iter().filter(|part| part.role == role && is_person(&part.kind)).collect();
        let entity = &told.entity;
        let is_about = parts.is_empty() || parts.iter().any(|part| part.value == entity.name);
        if is_about && is_person(&entity.kind) {
            return vec![self.person(told, role, (&entity.kind, &entity.name, None), ids)];
        }
        let person = |part: &&Related| self.person(told, role, (&part.kind, &part.value, part.id.as_deref()), ids);
        parts.iter().map(person).collect()
    }

    /// Somebody of a kind, with a name, and an id if the finding tells one.
    fn person(
        self,
        told: &Reported,
        role: &'static str,
        (kind, name, id): (&str, &str, Option<&str>),
        ids: &Ids<'_>,
    ) -> Recipient {
        let (class, id) = (class_of(Some(kind)), id.or_else(|| ids.of(told, kind, name)));
        let is_entity = kind == told.entity.kind && name == told.entity.name;
        let keys = [name, if is_entity { &told.entity.id } else { name }];
        let known = self.directory.and_then(|directory| directory.person(class, &told.organization, id, &keys));
        let address = known.and_then(|person| person.email.clone()).or_else(|| told_address(told, name));
        let named = self.contacts.and_then(|contacts| contacts.owner(&[name]));
        Recipient {
            organization: told.organization.clone(),
            role,
            name: known.and_then(Person::shown).unwrap_or(name).to_owned(),
            key: format!("{kind} {}", id.unwrap_or(name)),
            address: address
                .or_else(|| named.map(str::to_owned))
                .or_else(|| name.contains('@').then(|| name.to_owned())),
        }
    }

    /// Who answers for what the finding is about: whom the configuration names, else whose device it is.
    fn owner(self, told: &Reported, ids: &Ids<'_>) -> Option<Recipient> {
        let things = ["target", "app", "group", "device"];
        let related = told.related.iter().filter(|part| things.contains(&part.role));
        let entity = [told.entity.name.as_str(), told.entity.id.as_str()];
        let names: Vec<&str> = entity.into_iter().chain(related.map(|part| part.value.as_str())).collect();
        if let Some(address) = self.contacts.and_then(|contacts| contacts.owner(&names)) {
            return Some(Recipient {
                organization: told.organization.clone(),
                role: "owner",
                name: address.to_owned(),
                key: address.to_owned(),
                address: Some(address.to_owned()),
            });
        }
        let Subject { kind, id, name } = &told.entity;
        if kind != "device" {
            return None;
        }
        let id = Some(id.as_str()).filter(|id| !letters::are_one(id, name));
        let device = self.directory?.system(&told.organization, id, name)?;
        Some(self.person(told, "owner", ("user", device.owner_key.as_deref()?, None), ids))
    }
}

/// What the report itself knows of somebody's address, from a directory export that the scan was given.
fn told_address(told: &Reported, name: &str) -> Option<String> {
    let is = |text: Option<&String>| text.is_some_and(|text| letters::are_one(text, name));
    let known = told
        .context
        .directory
        .iter()
        .find(|(key, facts)| letters::are_one(key, name) || is(facts.get("username")) || is(facts.get("email")));
    known.and_then(|(_, facts)| facts.get("email").cloned())
}
