//! Directory: the people, groups and devices of an organization, as JumpCloud's tools export them.
//!
//! An export is a picture of one day, the events are older: what it says of a person is "as of" that day,
//! which [`Provenance::modified`] has.

mod entry;
mod fields;
mod register;

use std::path::Path;

use super::csv::Rows;
use super::file::{self, Named};
use super::{At, Error, Provenance, Skipped, json};
use crate::event::json::Json;
use crate::event::party::Class;
use crate::event::time::Timestamp;
use entry::{Entry, links, understood};
use fields::Fields;
use register::Register;

/// Endings of files that are read in a folder.
const ENDINGS: &[&str] = &[".json", ".jsonl", ".ndjson", ".csv"];

/// Columns of which a CSV export of users, groups, memberships or systems has at least one.
const COLUMNS: &[&str] = &[
    "username",
    "email",
    "hostname",
    "serialnumber",
    "groupname",
    "userid",
    "membershipmethod",
    "id",
    "toid",
    "paths",
];

/// Reason of a record that is neither person, group, membership nor device.
pub const OTHER: &str = "neither user, admin, group, membership nor system";
/// Reason of a CSV row with another number of cells than its header.
pub const CELLS: &str = "wrong number of cells";

/// What is known of the second factor of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mfa {
    /// a factor is set up
    pub configured: Option<bool>,
    /// a TOTP secret is set up
    pub totp: Option<bool>,
}

/// A user or an admin.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// user or admin
    pub class: Class,
    /// id of the organization
    pub organization: Option<String>,
    /// object id
    pub id: Option<String>,
    /// user name; admins have none
    pub username: Option<String>,
    /// e-mail address
    pub email: Option<String>,
    /// first and last name
    pub name: Option<String>,
    /// job title
    pub job_title: Option<String>,
    /// department
    pub department: Option<String>,
    /// location, else town and country of the first address
    pub location: Option<String>,
    /// who manages them: the name, else as it is written
    pub manager: Option<String>,
    /// names of their groups, sorted; the id where the name is not known
    pub groups: Vec<String>,
    /// the second factor
    pub mfa: Mfa,
    /// suspended
    pub suspended: Option<bool>,
    /// the role of an admin, or of a user who is also one
    pub admin_role: Option<String>,
}

impl Person {
    /// Name, user name, e-mail address or id, whichever there is.
    pub fn shown(&self) -> Option<&str> {
        [&self.name, &self.username, &self.email, &self.id].into_iter().find_map(|text| text.as_deref())
    }

    /// What events may name them by.
    pub fn names(&self) -> Vec<&str> {
        [&self.id, &self.username, &self.email].into_iter().filter_map(|text| text.as_deref()).collect()
    }
}

/// A device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    /// id of the organization
    pub organization: Option<String>,
    /// object id
    pub id: Option<String>,
    /// display name, else host name
    pub name: Option<String>,
    /// host name
    pub hostname: Option<String>,
    /// operating system and its version
    pub os: Option<String>,
    /// serial number
    pub serial: Option<String>,
    /// when its agent was last heard of
    pub last_contact: Option<Timestamp>,
    /// its primary user, as it is written: an id or a user name
    pub owner_key: Option<String>,
    /// its primary user: the name, else as it is written
    pub owner: Option<String>,
}

/// A group of users or devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// object id
    pub id: Option<String>,
    /// id of the organization; that of its members where it does not say
    pub organization: Option<String>,
    /// name
    pub name: String,
    /// how many users are in it, if the export has any of them
    pub members: Option<u64>,
}

/// A directory export, for looking up.
#[derive(Debug, Default)]
pub struct Directory {
    /// the files it was read from
    pub provenance: Vec<Provenance>,
    register: Register,
}

impl Directory {
    /// Reads a file, or all files of a folder.
    pub fn load(path: &Path) -> Result<Directory, Error> {
        let mut directory = Directory::default();
        for file in file::find(path, ENDINGS)? {
            let (text, mut provenance) = file::read(&file)?;
            let nobodys = directory.register.without_organization();
            let (entries, skipped) = directory.add(&file, &text)?;
            (provenance.entries, provenance.skipped) = (entries, skipped);
            provenance.without_organization = directory.register.without_organization() - nobodys;
            directory.provenance.push(provenance);
        }
        if directory.provenance.iter().all(|p| p.entries == 0) {
            let mut skipped = Skipped::default();
            let all = directory.provenance.iter().flat_map(|p| &p.skipped.reasons);
            all.for_each(|(reason, skip)| {
                skipped.reasons.entry(reason).and_modify(|s| s.count += skip.count).or_insert(*skip);
            });
            let wanted = "user, admin, group, membership or system";
            return Err(Error::nothing(&path.display().to_string(), wanted, &skipped));
        }
        directory.register.join();
        Ok(directory)
    }

    fn add(&mut self, file: &Named, text: &str) -> Result<(u64, Skipped), Error> {
        let stem = file.stem();
        let (mut used, mut skipped) = (0, Skipped::default());
        let mut keep = |entries: Vec<Entry>, at: At, skipped: &mut Skipped| {
            if entries.is_empty() {
                skipped.add(OTHER, at);
            }
            used += entries.len() as u64;
            entries.into_iter().for_each(|entry| self.register.add(entry));
        };
        if json::is_json(text) {
            for (at, record) in json::objects(&file.name, text, &mut skipped)? {
                keep(understood(&Fields::of_json(&record), &links(&record), &stem), at, &mut skipped);
            }
            return Ok((used, skipped));
        }
        let Some(rows) = Rows::find(text, |column| COLUMNS.contains(&column)) else {
            let what = "is neither JSON nor CSV with columns like id, username, email, hostname, GroupName";
            let error = Error::new(&file.name, what, "export users, groups or systems with JumpCloud's tools");
            return Err(error.at_line(1));
        };
        rows.each(|line, cells| match cells.filter(|cells| cells.len() == rows.columns.len()) {
            Some(cells) => {
                let links = rows.column(&["paths"]).and_then(|i| cells.get(i)).map_or_else(Vec::new, |cell| {
                    Json::parse(&format!("{{\"paths\":{cell}}}")).map_or_else(|_| Vec::new(), |json| links(&json))
                });
                keep(understood(&Fields::of_row(&rows.columns, cells), &links, &stem), At::Line(line), &mut skipped);
            }
            None => skipped.add(CELLS, At::Line(line)),
        });
        Ok((used, skipped))
    }

    /// The person of a class whom an event of an organization means: looked up by id, else by the first name (user
    /// name, e-mail address or id) that is known, ignoring case. Nobody is found if the account of that name has
    /// another id of the same kind (names are reused), if two accounts of the organization have the name, or if the
    /// person belongs to another organization. A person without an organization belongs to all. For an event without an
    /// organization (empty), a name means the only person who has it.
    pub fn person(&self, class: Class, organization: &str, id: Option<&str>, names: &[&str]) -> Option<&Person> {
        self.register.person(class, organization, id, names)
    }

    /// The account of the only person who has this first and last name, without case.
    pub fn only_called(&self, name: &str) -> Option<&Person> {
        self.register.only_called(name)
    }

    /// The device of an organization with this id, else the one with this host name, display name or id. Whose it may
    /// be is as it is for [`Directory::person`].
    pub fn system(&self, organization: &str, id: Option<&str>, name: &str) -> Option<&System> {
        self.register.system(organization, id, name)
    }

    /// The one group of an organization with this id or name, without case.
    pub fn group(&self, organization: &str, key: &str) -> Option<&Group> {
        self.register.group(organization, key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A directory of these files, by name and content.
    fn directory(files: &[(&str, &str)]) -> Result<Directory, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Directory::load(folder.path()).map_err(|e| e.to_string())
    }

    const USERS: &str = r#"{"totalCount":2,"results":[
        {"_id":"u1","username":"Jo","email":"Jo@x.io","firstname":"Jo","lastname":"Doe","jobTitle":"CFO","department":"Finance",
         "location":"Oslo","manager":"u2","suspended":false,"activated":true,"created":"2024-01-02T03:04:05Z",
         "mfa":{"configured":false,"exclusion":true},"organization":"o1"},
        {"_id":"u2","username":"ann","email":"ann@x.io","admin":{"id":"a2","roleName":"Manager"},"organization":"o1",
         "state":"SUSPENDED","addresses":[{"locality":"Rome","country":"IT"}]}]}"#;

    #[test]
    fn people_by_any_key() {
        let directory = directory(&[
            ("User.json", USERS),
            (
                "groups.json",
                r#"[{"id":"g1","name":"Staff","type":"user_group"},{"id":"g2","name":"Empty","type":"user_group"}]"#,
            ),
            ("members.csv", "GroupName,Username,UserID\r\nVPN,jo,u1\r\n"),
            ("m.json", r#"{"from":{"id":"g1","type":"user_group"},"to":{"id":"u1","type":"user"}}"#),
        ])
        .unwrap();
        for key in ["U1", "jo", "JO@X.IO"] {
            assert_eq!(
                directory.person(Class::User, "", None, &[key]).unwrap().name.as_deref(),
                Some("Jo Doe"),
                "{key}"
            );
        }
        assert_eq!(directory.person(Class::Admin, "", None, &["jo"]), None);
        let jo = directory.person(Class::User, "", None, &["jo"]).unwrap();
        assert_eq!((jo.groups.join(","), jo.manager.as_deref()), ("Staff,VPN".to_owned(), Some("ann")));
        assert_eq!((jo.mfa.configured, jo.suspended), (Some(false), Some(false)));
        let ann = directory.person(Class::User, "", None, &["ann"]).unwrap();
        assert_eq!((ann.suspended, ann.admin_role.as_deref()), (Some(true), Some("Manager")));
        assert_eq!(ann.location.as_deref(), Some("Rome, IT"));
        assert_eq!(directory.group("o1", "G1").unwrap().members, Some(1));
        assert_eq!(directory.group("", "empty").unwrap().members, None);
        // It is the organization's of its member; of the other nothing is known.
        assert!(directory.group("o2", "G1").is_none() && directory.group("o2", "g2").is_some());
        assert_eq!(directory.provenance.iter().map(|p| p.entries).sum::<u64>(), 6);
    }

    #[test]
    fn an_unknown_id_or_another_organization_is_nobody() {
        let directory = directory(&[("users.json", USERS)]).unwrap();
        let is = |organization, id, names: &[&str]| directory.person(Class::User, organization, id, names).is_some();
        assert!(is("", None, &["jo"]) && is("O1", Some("u1"), &["renamed"]) && is("o1", None, &["x", "u1"]));
        assert!(!is("", Some("u9"), &["jo"]) && is("", Some("5f7c8d9e0a1b2c3d4e5f6071"), &["jo"]));
        assert!(!is("o2", None, &["jo"]) && !is("o2", Some("u1"), &["jo"]));
        assert!(!is("", None, &[]));
    }

    #[test]
    fn a_name_of_two_organizations_is_one_person_in_each() {
        let users = r#"[{"_id":"1","username":"jo","organization":"o1","jobTitle":"One","manager":"ann"},
            {"_id":"2","username":"JO","organization":"o2","jobTitle":"Two"},{"_id":"3","username":"ann","organization":"o1"},
            {"_id":"4","username":"ann","organization":"o2"},{"username":"sam","jobTitle":"Anywhere"}]"#;
        let members = "GroupName,Username,Organization\nStaff,jo,o2\n";
        let groups =
            r#"[{"id":"g1","name":"Staff","organization":"o1"},{"id":"g2","name":"Staff","organization":"o2"}]"#;
        let systems = r#"[{"_id":"s1","hostname":"mac","organization":"o1","primarySystemUser":{"id":"1"}},
            {"_id":"s2","hostname":"mac","organization":"o2"}]"#;
        let files = [("u.json", users), ("m.csv", members), ("groups.json", groups), ("s.json", systems)];
        let directory = directory(&files).unwrap();
        let person = |organization, name: &str| directory.person(Class::User, organization, None, &[name]);
        let title = |organization, name| person(organization, name).and_then(|p| p.job_title.as_deref());
        assert_eq!((title("o1", "jo"), title("o2", "jo")), (Some("One"), Some("Two")));
        assert_eq!((title("", "jo"), title("o3", "jo")), (None, None));
        assert_eq!((title("o1", "sam"), title("o3", "sam")), (Some("Anywhere"), Some("Anywhere")));
        assert_eq!(person("o1", "jo").unwrap().manager.as_deref(), Some("ann"));
        assert_eq!(person("o2", "jo").unwrap().groups, ["Staff"]);
        let members = |organization| directory.group(organization, "staff").map(|group| group.members);
        assert_eq!((members("o1"), members("o2"), members("")), (Some(None), Some(Some(1)), None));
        let mac = |organization| directory.system(organization, None, "mac").and_then(|system| system.id.as_deref());
        assert_eq!((mac("o1"), mac("o2"), mac("o3"), mac("")), (Some("s1"), Some("s2"), None, None));
        assert_eq!(directory.system("o1", Some("s9"), "mac"), None);
    }

    #[test]
    fn ambiguous_keys_give_nobody_and_pieces_make_one() {
        let two = "username,email,jobTitle\njo,a@x.io,Clerk\n";
        let files = [("1.json", r#"[{"id":"1","username":"jo"},{"id":"2","username":"sam"}]"#), ("2.csv", two)];
        let jo = directory(&files).unwrap();
        assert_eq!(jo.person(Class::User, "", None, &["1"]).unwrap().job_title.as_deref(), Some("Clerk"));
        assert_eq!(jo.person(Class::User, "", None, &["a@x.io"]).unwrap().id.as_deref(), Some("1"));
        let files = [("1.json", r#"[{"id":"1","username":"jo"},{"id":"2","username":"JO"}]"#), ("2.csv", two)];
        let none = directory(&files).unwrap();
        assert_eq!(none.person(Class::User, "", None, &["jo"]), None);
        assert_eq!(none.person(Class::User, "", None, &["1"]).unwrap().job_title, None);
    }

    #[test]
    fn systems() {
        let text = r#"[{"Id":"s1","DisplayName":"Jo's Mac","Hostname":"mac1","Os":"Mac OS X","Version":"15.1","SerialNumber":"C02","LastContact":"2026-01-01T00:00:00Z","PrimarySystemUserId":"u1"}]"#;
        let directory = directory(&[("System.json", text), ("User.json", USERS)]).unwrap();
        let mac = directory.system("o1", None, "MAC1").unwrap();
        assert_eq!((mac.os.as_deref(), mac.owner.as_deref()), (Some("Mac OS X 15.1"), Some("Jo Doe")));
        assert_eq!(mac.owner_key.as_deref(), Some("u1"));
        let is = |id| directory.system("", Some(id), "mac1").is_some();
        assert!(is("s1") && !is("s2"));
    }

    #[test]
    fn broken_inputs_are_errors_or_counted() {
        for (text, want) in [
            ("[{\"username\":\"jo\"},", "ends in the middle"),
            ("[1,\"x\"]", "neither"),
            ("[]", "has no user"),
            ("hello world", "neither JSON nor CSV"),
            ("", "is empty"),
        ] {
            let error = directory(&[("a.json", text)]).unwrap_err();
            assert!(error.contains(want), "{error} / {want}");
        }
        let read = directory(&[("a.csv", "\u{feff}Username,Email\r\njo,jo@x.io\r\nsam\r\n")]).unwrap();
        assert_eq!(read.provenance[0].skipped.of(CELLS), 1);
        let odd = r#"{"username":["x"],"_id":{"a":[[]]},"mfa":7,"paths":{"to":1},"to":[1]}"#;
        assert!(directory(&[("a.json", odd)]).is_ok());
    }

    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "'",
        "\n",
        "\u{e9}",
        "\"_id\":\"1\"",
        "\"username\":\"jo\"",
        "\"results\":[",
        "username,paths\n",
        "\"paths\":[[",
        "\"to\":{\"id\":\"1\",\"type\":\"user\"}",
        "\"from\":",
        "{'a': True}",
        "#",
        "null",
        "1e999",
        "\\u0000",
    ];

    proptest! {
        #[test]
        fn nonsense_is_no_panic(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)) {
            let mut directory = Directory::default();
            let _ = directory.add(&Named::of(Path::new("f")), &pieces.concat());
            directory.register.join();
            let _ = directory.person(Class::User, "", None, &["jo"]);
        }
    }
}
