//! Focus: whom or what an investigation is about, and which events belong to it.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::asked::Asked;
use crate::detect::store::Store;
use crate::event::Event;
use crate::event::counted::few;
use crate::event::field::{Fields, Norm, Value};
use crate::event::identity::{Links, Names};
use crate::event::letters;
use crate::event::networks::network;
use crate::event::party::{Class, Party, class_of, is_object_id};
use crate::event::source::address;

/// What events have to have in common.
#[derive(Clone, Debug)]
enum What {
    /// the organization
    Everything,
    /// an address in this network
    Network(IpNet),
    /// somebody or something of this name
    Named {
        /// identities, with their organizations
        keys: BTreeSet<(String, String)>,
        /// names, addresses and ids in lower case
        names: BTreeSet<String>,
        /// only people of this class
        class: Option<Class>,
    },
}

/// Whom or what an investigation is about.
#[derive(Clone, Debug)]
pub struct Focus {
    /// as it was typed, or the name of whom a finding is about
    pub name: String,
    /// an event that has one of these in it belongs to it
    what: Vec<What>,
    organization: Option<String>,
}

/// How an event belongs to a focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// it was done by whom it is about, or from there
    Doer,
    /// it was done to whom it is about
    DoneTo,
    /// it was neither, and is evidence of what was asked for
    Beside,
}

/// Something like an address that is none.
#[derive(Debug, PartialEq, Eq)]
pub struct NoAddress;

impl Focus {
    /// What was typed: an address, a network, or a name, e-mail address or id of anybody or anything; of a thing both,
    /// as far as kept events tell.
    pub fn typed(text: &str, links: &Links, organizations: &[String], store: &Store) -> Result<Focus, NoAddress> {
        let text = text.trim();
        let what = match network(text) {
            Some(net) => What::Network(net),
            None if looks_like_an_address(text) => return Err(NoAddress),
            None => named(&[text], None, links, organizations).with_things(store),
        };
        Ok(Focus { name: text.to_owned(), what: vec![what], organization: None })
    }

    /// Whom or what a finding is about, or the findings of a case.
    pub fn of(asked: &Asked, links: &Links, store: &Store) -> Focus {
        let (organization, entities) = match asked {
            Asked::Finding(finding) => (&finding.organization, std::slice::from_ref(&finding.entity)),
            Asked::Case { case, .. } => (&case.organization, case.entities.as_slice()),
        };
        let organizations = std::slice::from_ref(organization);
        let what = entities.iter().map(|entity| {
            let names = [entity.id.as_str(), entity.name.as_str()];
            match (entity.kind.as_str(), address(&entity.id)) {
                ("organization", _) => What::Everything,
                ("ip", Some(ip)) => What::Network(IpNet::from(ip)),
                ("admin", _) => named(&names, Some(Class::Admin), links, organizations),
                ("user", _) => named(&names, Some(Class::User), links, organizations),
                _ => named(&names, None, links, organizations).with_things(store),
            }
        });
        let names: Vec<&str> = entities.iter().map(|entity| entity.name.as_str()).collect();
        Focus { name: few(&names, 5, ", "), what: what.collect(), organization: Some(organization.clone()) }
    }

    /// Whether it is about an address or a network, and nothing else.
    pub fn is_network(&self) -> bool {
        self.what.iter().all(|what| matches!(what, What::Network(_)))
    }

    /// Whether it is about several.
    pub fn is_of_several(&self) -> bool {
        self.what.len() > 1
    }

    /// How an event belongs to it; `None` if it does not.
    pub fn part(&self, event: &Event<'_>, links: &Links) -> Option<Part> {
        if self.organization.as_deref().is_some_and(|only| only != event.organization()) {
            return None;
        }
        self.what.iter().filter_map(|what| what.part(event, links)).min()
    }

    /// The parties of an event that it is about.
    pub fn parties<'e, 'p>(&self, event: &'p Event<'e>, links: &Links) -> Vec<&'p Party<'e>> {
        let all = [&event.actor, &event.target, &event.other];
        let is_meant = |party: &&Party<'e>| self.what.iter().any(|what| what.is_party(event, party, links));
        all.into_iter().filter(is_meant).collect()
    }

    /// The same of whoever has other names.
    #[must_use]
    pub fn with_names(mut self, names: &[&str], links: &Links, organizations: &[String]) -> Focus {
        for what in self.what.iter_mut().filter(|what| matches!(what, What::Named { .. })) {
            *what = named(names, None, links, organizations);
        }
        self
    }

    /// Whether it means the device of an event by one of its names.
    pub fn is_device(&self, event: &Event<'_>) -> bool {
        self.what.iter().any(|what| what.is_device(event))
    }

    /// The same with the devices that its events name; `None` if it means them already. Most events have one name of a
    /// device, or its id alone.
    pub fn with_devices<'d>(&self, ids: impl Iterator<Item = &'d str>) -> Option<Focus> {
        let ids: BTreeSet<String> = ids.map(letters::lower).collect();
        let mut focus = self.clone();
        let mut has_grown = false;
        for what in &mut focus.what {
            if let What::Named { names, class: None, .. } = what {
                let count = names.len();
                names.extend(ids.iter().cloned());
                has_grown |= names.len() > count;
            }
        }
        has_grown.then_some(focus)
    }
}

impl What {
    fn part(&self, event: &Event<'_>, links: &Links) -> Option<Part> {
        match self {
            What::Everything => Some(Part::Doer),
            What::Network(net) => event.addresses().any(|ip| net.contains(&ip)).then_some(Part::Doer),
            What::Named { .. } => {
                if self.is_party(event, &event.actor, links) {
                    return Some(Part::Doer);
                }
                let is_end = self.is_party(event, &event.target, links) || self.is_party(event, &event.other, links);
                (is_end || self.is_thing(event)).then_some(Part::DoneTo)
            }
        }
    }

    fn is_party(&self, event: &Event<'_>, party: &Party<'_>, links: &Links) -> bool {
        let What::Named { keys, names, class } = self else { return false };
        if party.is_unknown() || class.is_some_and(|only| only != party.class()) {
            return false;
        }
        let own = [party.id, party.name, party.email];
        if own.into_iter().flatten().any(|name| names.contains(&letters::lower(name))) {
            return true;
        }
        let organization = event.organization();
        let key = links.key_of(organization, party);
        key.is_some_and(|key| keys.contains(&(organization.to_owned(), key)))
    }

    /// Whether it means the device of an event by one of its names.
    fn is_device(&self, event: &Event<'_>) -> bool {
        let What::Named { names, class: None, .. } = self else { return false };
        event.device_names().any(|name| names.contains(&letters::lower(name)))
    }

    fn is_thing(&self, event: &Event<'_>) -> bool {
        let What::Named { names, class: None, .. } = self else { return false };
        if self.is_device(event) {
            return true;
        }
        let fields = [Norm::DeviceKey, Norm::AppKey, Norm::AppName];
        let is_named = |values: &[Value<'_>]| {
            values.iter().filter_map(Value::text).any(|text| names.contains(&letters::lower(text)))
        };
        fields.into_iter().any(|norm| is_named(&event.values(&crate::event::field::Field::Norm(norm))))
    }

    /// The same with the ids of things that have one of the names, and with the names of things that have one of the
    /// ids, where nothing else is called that.
    fn with_things(mut self, store: &Store) -> What {
        let What::Named { names, .. } = &mut self else { return self };
        let mut ids_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, name) in things(store) {
            ids_of.entry(name).or_default().insert(id);
        }
        let typed = names.clone();
        for (name, ids) in ids_of {
            if typed.contains(&name) {
                names.extend(ids);
            } else if ids.len() == 1 && ids.is_subset(&typed) {
                names.insert(name);
            }
        }
        self
    }
}

/// Ids and names of things, in lower case.
fn things(store: &Store) -> impl Iterator<Item = (String, String)> {
    const THINGS: [[Norm; 2]; 3] =
        [[Norm::DeviceKey, Norm::DeviceName], [Norm::AppKey, Norm::AppName], [Norm::TargetId, Norm::TargetName]];
    let profiles = store.profiles();
    let pairs = (0..profiles.len()).flat_map(|profile| THINGS.map(|pair| (profile, pair)));
    pairs.filter_map(|(profile, [id, name])| {
        let text = |norm| profiles.text(profile, norm);
        if id == Norm::TargetId && class_of(text(Norm::TargetType)) != Class::Thing {
            return None;
        }
        let (id, name) = (text(id).filter(|id| is_object_id(id))?, text(name)?);
        Some((letters::lower(id), letters::lower(name)))
    })
}

/// The identities that have one of these names.
fn named(names: &[&str], class: Option<Class>, links: &Links, organizations: &[String]) -> What {
    let names: BTreeSet<String> = names.iter().filter(|name| !name.is_empty()).map(letters::lower).collect();
    let mut keys = BTreeSet::new();
    for (organization, name) in organizations.iter().flat_map(|o| names.iter().map(move |name| (o, name))) {
        let own = |text: &String| Some(text.clone());
        let as_name = match name.contains('@') {
            true => Names { email: own(name), ..Names::default() },
            false => Names { name: own(name), ..Names::default() },
        };
        let as_id = Names { id: own(name), ..Names::default() };
        for class in [Class::Admin, Class::User].into_iter().filter(|c| class.is_none_or(|only| only == *c)) {
            let found = [&as_name, &as_id].map(|names| links.key(organization, None, class, names));
            keys.extend(found.into_iter().flatten().map(|key| (organization.clone(), key)));
        }
    }
    What::Named { keys, names, class }
}

/// Digits and dots, or colons and hexadecimal digits, with or without a length: nobody is called that.
fn looks_like_an_address(text: &str) -> bool {
    let bare = text.split('/').next().unwrap_or(text);
    let v4 = bare.split('.').count() == 4 && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let v6 = bare.matches(':').count() > 1 && bare.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    v4 || v6
}

/// A name itself, of an address what stands before the @.
fn local(name: &str) -> &str {
    name.split_once('@').map_or(name, |(local, _)| local)
}

/// The names most like one that nobody has.
pub fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    const MOST: usize = 5;
    let typed = letters::lower(typed);
    let score = |name: &str| {
        let name = letters::lower(name);
        if local(&name) == local(&typed) {
            return 2.0;
        }
        let holds = typed.len() > 2 && (name.contains(&typed) || typed.contains(&name) && name.len() > 2);
        if holds { 1.0 } else { strsim::jaro_winkler(&typed, &name) }
    };
    // Who has the very name is in an organization that was not asked for.
    let others = names.filter(|name| letters::lower(name) != typed);
    let mut scored: Vec<(f64, &str)> =
        others.map(|name| (score(name), name)).filter(|(score, _)| *score > 0.8).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::identity::Lessons;
    use crate::event::json::Json;

    const ALICE: &str = r#"{"organization":"o","event_type":"user_login_attempt","initiated_by":{"id":"u1","type":"user","username":"alice"},"client_ip":"198.51.100.7"}"#;
    const MAIL: &str = r#"{"organization":"o","event_type":"user_password_warning_email","resource":{"type":"user","id":"u1","recipient_email":"alice@example.com"}}"#;

    fn links() -> Links {
        let mut lessons = Lessons::default();
        for text in [ALICE, MAIL] {
            lessons.learn(&Event::part(&Json::parse(text).unwrap()));
        }
        let mut links = Links::default();
        links.take(lessons);
        links
    }

    fn part(typed: &str, text: &str) -> Option<Part> {
        let links = links();
        let focus = Focus::typed(typed, &links, &["o".to_owned()], &Store::default()).unwrap();
        focus.part(&Event::part(&Json::parse(text).unwrap()), &links)
    }

    #[test]
    fn one_identity_under_all_its_names() {
        for typed in ["alice", "ALICE", "alice@example.com", "u1", " alice "] {
            assert_eq!(part(typed, ALICE), Some(Part::Doer), "{typed}");
            assert_eq!(part(typed, MAIL), Some(Part::DoneTo), "{typed}");
        }
        assert_eq!(part("alic", ALICE), None);
    }

    #[test]
    fn addresses_and_networks() {
        for typed in ["198.51.100.7", "198.51.100.0/24", "::ffff:198.51.100.7", "::ffff:198.51.100.0/120"] {
            assert_eq!(part(typed, ALICE), Some(Part::Doer), "{typed}");
        }
        assert_eq!(part("198.51.100.8", ALICE), None);
        for typed in ["198.51.100.777", "1.2.3.4/99", "2001:db8::/999"] {
            assert!(Focus::typed(typed, &Links::default(), &[], &Store::default()).is_err(), "{typed}");
        }
    }

    #[test]
    fn things_by_name_and_id() {
        let text = r#"{"organization":"o","event_type":"login_attempt","username":"bob","system":{"id":"s1","hostname":"cfo-laptop"}}"#;
        assert_eq!(part("CFO-laptop", text), Some(Part::DoneTo));
        assert_eq!(part("s1", text), Some(Part::DoneTo));
    }

    #[test]
    fn near_names() {
        let names = ["alice.adler", "bob", "alicia", "zoe"];
        assert_eq!(nearest("alise.adler", names.into_iter())[0], "alice.adler");
        assert!(nearest("quentin", names.into_iter()).is_empty());
    }
}
