//! Entry: what one record of a directory export describes, told by its fields.

use super::fields::Fields;
use super::{Group, Mfa, Person, System};
use crate::event::json::Json;
use crate::event::letters;
use crate::event::party::{Class, is_object_id};

/// A record understood.
#[derive(Clone, Debug)]
pub enum Entry {
    /// a user or an admin
    Person(Box<Person>),
    /// a device
    System(Box<System>),
    /// a group
    Group(Group),
    /// that somebody is in a group
    Membership(Membership),
}

/// Who is in which group, by id or by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// id of the organization
    pub organization: Option<String>,
    /// id of the group
    pub group_id: Option<String>,
    /// name of the group
    pub group_name: Option<String>,
    /// id of the user
    pub user_id: Option<String>,
    /// name of the user
    pub user_name: Option<String>,
}

impl Membership {
    fn of_ids(group: &str, user: &str) -> Entry {
        let (group_id, user_id) = (Some(group.to_owned()), Some(user.to_owned()));
        Entry::Membership(Membership { group_id, user_id, ..Membership::default() })
    }
}

const ID: &[&str] = &["id"];
const ORGANIZATION: &[&str] = &["organization", "organizationid"];
const EMAIL: &[&str] = &["email"];
const USERNAME: &[&str] = &["username"];

/// What a record describes; nothing if it is an application, a policy or the like. The file's name tells what
/// the record leaves out: whose members a list of ids are, whether an address book is one of admins.
pub fn understood(fields: &Fields, links: &[Link], stem: &str) -> Vec<Entry> {
    let memberships: Vec<Entry> = links.iter().filter_map(|link| link.membership(stem)).collect();
    if !memberships.is_empty() {
        return memberships;
    }
    let is_typed = |wanted: &[&str]| fields.text(&["type"]).is_some_and(|t| wanted.contains(&letters::of(t).as_str()));
    if fields.has(&["groupname"]) && (fields.has(USERNAME) || fields.has(&["userid"])) {
        return vec![Entry::Membership(Membership {
            organization: fields.owned(ORGANIZATION),
            group_id: fields.owned(&["groupid"]),
            group_name: fields.owned(&["groupname"]),
            user_id: fields.owned(&["userid"]),
            user_name: fields.owned(USERNAME),
        })];
    }
    let file = letters::of(stem);
    let is_admin = fields.has(&["rolename", "apikeyset", "apikeyallowed", "enablewhatsnew"]) || file.contains("admin");
    if !fields.has(USERNAME) && fields.has(EMAIL) && is_admin {
        return vec![Entry::Person(Box::new(person(fields, Class::Admin)))];
    }
    let is_system = ["hostname", "serialnumber", "osfamily", "agentversion", "lastcontact"];
    if !fields.has(USERNAME) && fields.has(&is_system) && (fields.has(ID) || fields.has(&["hostname"])) {
        return vec![Entry::System(Box::new(system(fields)))];
    }
    let is_of_users =
        fields.has(&["jobtitle", "department", "activated", "firstname", "lastname", "employeeidentifier"]);
    if fields.has(USERNAME) || fields.has(EMAIL) && is_of_users {
        return vec![Entry::Person(Box::new(person(fields, Class::User)))];
    }
    let is_group =
        is_typed(&["usergroup", "systemgroup"]) || fields.has(&["membershipmethod"]) || file.contains("group");
    match fields.owned(&["name", "groupname"]) {
        Some(name) if is_group => {
            let (id, organization) = (fields.owned(ID), fields.owned(ORGANIZATION));
            vec![Entry::Group(Group { id, organization, name, members: None })]
        }
        _ => Vec::new(),
    }
}

/// A link of the graph: from one object to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    from: Option<(String, String)>,
    to: (String, String),
}

/// All links in a record: `{from, to}`, `{FromId, ToId, …}`, in the `paths` of a member, or the member itself
/// where the record is nothing but an id and a type.
pub fn links(record: &Json<'_>) -> Vec<Link> {
    let mut out = Vec::new();
    collect(record, &mut out);
    let fields = Fields::of_json(record);
    if !fields.has(&["name", "username", "email"])
        && out.iter().all(|link| link.from.is_none())
        && let (Some(id), Some(kind)) = (fields.text(ID), fields.text(&["type"]))
    {
        out.push(Link { from: None, to: (letters::of(kind), id.to_owned()) });
    }
    out
}

fn collect(json: &Json<'_>, out: &mut Vec<Link>) {
    json.items().iter().for_each(|item| collect(item, out));
    let names: Vec<String> = json.members().iter().map(|(key, _)| letters::of(key)).collect();
    if names.iter().any(|name| name == "to" || name == "toid") {
        let fields = Fields::of_json(json);
        let end = |id, kind| Some((letters::of(fields.text(&[kind])?), fields.owned(&[id])?));
        if let Some(to) = end("toid", "totype") {
            out.push(Link { from: end("fromid", "fromtype"), to });
        }
        return;
    }
    for ((_, value), _) in json.members().iter().zip(&names).filter(|(_, name)| *name == "paths") {
        collect(value, out);
    }
}

impl Link {
    /// As a membership, if it joins a user and a user group. An end that is left out is in the file's name.
    fn membership(&self, stem: &str) -> Option<Entry> {
        let (kind, id) = (self.to.0.as_str(), self.to.1.as_str());
        match (&self.from, kind) {
            (Some((from, group)), "user") if from == "usergroup" => Some(Membership::of_ids(group, id)),
            (Some((from, user)), "usergroup") if from == "user" => Some(Membership::of_ids(id, user)),
            (None, "user") => Some(Membership::of_ids(object_id(stem)?, id)),
            (None, "usergroup") => Some(Membership::of_ids(id, object_id(stem)?)),
            _ => None,
        }
    }
}

/// The one object id (24 hexadecimal digits) in a file's name.
fn object_id(stem: &str) -> Option<&str> {
    let mut ids = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| is_object_id(part));
    ids.next().filter(|_| ids.next().is_none())
}

fn person(fields: &Fields, class: Class) -> Person {
    let full = [fields.text(&["firstname"]), fields.text(&["lastname"])];
    let full: Vec<&str> = full.into_iter().flatten().collect();
    let state = fields.text(&["state"]).map(str::to_ascii_uppercase);
    let is_state = |wanted: &str| state.as_deref().map(|state| state == wanted);
    let place = [fields.text(&["addresseslocality"]), fields.text(&["addressescountry"])];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    Person {
        class,
        organization: fields.owned(ORGANIZATION),
        id: fields.owned(ID),
        username: fields.owned(USERNAME),
        email: fields.owned(EMAIL),
        name: (!full.is_empty()).then(|| full.join(" ")).or_else(|| fields.owned(&["displayname"])),
        job_title: fields.owned(&["jobtitle", "title"]),
        department: fields.owned(&["department"]),
        location: fields.owned(&["location"]).or_else(|| (!place.is_empty()).then(|| place.join(", "))),
        manager: fields.owned(&["manager", "managerid"]),
        groups: Vec::new(),
        mfa: Mfa { configured: fields.truth(&["mfaconfigured"]), totp: fields.truth(&["totpenabled", "totpenrolled"]) },
        suspended: fields.truth(&["suspended"]).or_else(|| is_state("SUSPENDED")),
        admin_role: match class {
            Class::Admin => fields.owned(&["rolename", "role"]),
            _ => fields.owned(&["adminrolename", "adminrolenames"]),
        },
    }
}

fn system(fields: &Fields) -> System {
    let os = [fields.text(&["os", "osfamily"]), fields.text(&["version", "osversion"])];
    let os: Vec<&str> = os.into_iter().flatten().collect();
    System {
        organization: fields.owned(ORGANIZATION),
        id: fields.owned(&["id", "systemid"]),
        name: fields.owned(&["displayname", "hostname"]),
        hostname: fields.owned(&["hostname"]),
        os: (!os.is_empty()).then(|| os.join(" ")),
        serial: fields.owned(&["serialnumber"]),
        last_contact: fields.time(&["lastcontact"]),
        owner_key: fields.owned(&["primarysystemuserid", "primarysystemuserusername", "primarysystemuser"]),
        owner: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(json: &str, stem: &str) -> String {
        let json = Json::parse(json).unwrap();
        let entries = understood(&Fields::of_json(&json), &links(&json), stem);
        let word = |entry: &Entry| match entry {
            Entry::Person(person) => format!("{:?}", person.class),
            Entry::System(_) => "System".to_owned(),
            Entry::Group(group) => format!("Group {} {}", group.id.as_deref().unwrap_or("-"), group.name),
            Entry::Membership(m) => {
                let text = |t: &Option<String>, u: &Option<String>| t.clone().or(u.clone()).unwrap_or_default();
                format!("{} has {}", text(&m.group_id, &m.group_name), text(&m.user_id, &m.user_name))
            }
        };
        entries.iter().map(word).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn records_are_told_by_their_fields() {
        for (json, stem, want) in [
            (r#"{"_id":"1","username":"jo","email":"jo@x.io"}"#, "a", "User"),
            (r#"{"Id":"1","Email":"jo@x.io","Department":"IT"}"#, "a", "User"),
            (r#"{"_id":"1","email":"a@x.io","roleName":"Administrator"}"#, "a", "Admin"),
            (r#"{"_id":"1","email":"a@x.io"}"#, "jc-admins", "Admin"),
            (r#"{"_id":"1","email":"a@x.io"}"#, "x", ""),
            (r#"{"_id":"1","hostname":"mac","os":"Mac OS X"}"#, "a", "System"),
            (r#"{"id":"g","name":"Staff","type":"user_group"}"#, "a", "Group g Staff"),
            (r#"{"Id":"g","Name":"Staff","Type":null}"#, "UserGroup", "Group g Staff"),
            (r#"{"Id":"p","Name":"Some policy"}"#, "Policy", ""),
            (r#"{"GroupName":"Staff","Username":"jo","UserID":"1"}"#, "a", "Staff has 1"),
            (r#"{"GroupName":"Macs","System":"mac","SystemID":"1"}"#, "a", ""),
            (r#"{"from":{"id":"g","type":"user_group"},"to":{"id":"1","type":"user"}}"#, "a", "g has 1"),
            (r#"{"from":{"id":"1","type":"user"},"to":{"id":"g","type":"user_group"}}"#, "a", "g has 1"),
            (
                r#"{"Id":"1","Type":"user","Paths":[[{"FromId":"g","FromType":"user_group","ToId":"1","ToType":"user"}]]}"#,
                "Association-UserGroupToUser",
                "g has 1",
            ),
            (r#"{"id":"1","type":"user"}"#, "members-5f7c8d9e0a1b2c3d4e5f6071", "5f7c8d9e0a1b2c3d4e5f6071 has 1"),
            (
                r#"{"id":"g","type":"user_group"}"#,
                "5f7c8d9e0a1b2c3d4e5f6071_memberof",
                "g has 5f7c8d9e0a1b2c3d4e5f6071",
            ),
            (r#"{"id":"1","type":"user"}"#, "members", ""),
            (r#"{"from":{"id":"1","type":"user"},"to":{"id":"s","type":"system"}}"#, "a", ""),
            (r"{}", "a", ""),
        ] {
            assert_eq!(kinds(json, stem), want, "{json}");
        }
    }
}
