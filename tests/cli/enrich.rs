//! Enrichment: files beside the logs that say who and where.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::Value;

use super::{findings, folder, jcdetect, report, rule_ids, scan, scenario, text};

const LOGIN: &str = r#"{"id":"1","timestamp":"2026-03-02T09:00:00Z","event_type":"admin_login_attempt","service":"directory","organization":"o","initiated_by":{"id":"a1","type":"admin","email":"root@example.com"},"client_ip":"203.0.113.9","success":true,"mfa":true}"#;

#[test]
fn indicators_make_a_finding_and_stand_in_it() {
    let folder = folder(&[("log.jsonl", LOGIN), ("bad.txt", "# seen in March\n203.0.113.0/28\n198.51.100.1\n")]);
    let path = |name: &str| folder.path().join(name);
    assert!(findings(&[text(&path("log.jsonl"))]).is_empty());
    let found = findings(&[text(&path("log.jsonl")), "--intel", text(&path("bad.txt"))]);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["rule_id"], &found[0]["entity"]["name"]), (&"threat-intel-ip".into(), &"203.0.113.9".into()));
    assert_eq!(found[0]["context"]["intel"][0]["indicator"], "203.0.113.0/28");
    let report = report(&[text(&path("log.jsonl")), "--intel", text(&path("bad.txt"))]);
    assert_eq!(report["run"]["enriched_from"][0]["entries"], 2);
    assert_eq!(report["run"]["enriched_from"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_list_may_be_compressed_or_in_utf_16() {
    let list = "203.0.113.0/28\r\n";
    let folder = folder(&[("log.jsonl", LOGIN)]);
    let [log, gz, wide] = ["log.jsonl", "lists/bad.txt.gz", "wide.txt"].map(|name| folder.path().join(name));
    fs::create_dir(folder.path().join("lists")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, list.as_bytes()).unwrap();
    fs::write(&gz, encoder.finish().unwrap()).unwrap();
    let units = std::iter::once(0xfeff).chain(list.encode_utf16());
    fs::write(&wide, units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    for path in [gz.as_path(), gz.parent().unwrap(), wide.as_path()] {
        assert_eq!(
            rule_ids(&findings(&[text(&log), "--intel", text(path)])),
            ["threat-intel-ip"],
            "{}",
            path.display()
        );
        let known = report(&[text(&log), "--known", text(path)]);
        assert_eq!(known["run"]["enriched_from"][0]["entries"], 1, "{}", path.display());
    }
}

#[test]
fn every_address_of_an_event_may_be_an_indicator() {
    let event = |kind: &str, more: &str| {
        format!(
            r#"{{"id":"1","timestamp":"2026-03-02T09:00:00Z","event_type":"{kind}","organization":"o","initiated_by":{{"id":"u1","type":"user","username":"bob"}},"success":true,{more}}}"#
        )
    };
    let events = [
        event("sso_auth", r#""client_ip":"192.0.2.66""#),
        event("login_attempt", r#""src_ip":"192.0.2.66","client_ip":"203.0.113.9""#),
        event("login_attempt", r#""src_ip":"10.0.2.2","client_ip":"192.0.2.66""#),
        event("radius_auth_attempt", r#""client_ip":"192.0.2.66""#),
        event(
            "user_login_attempt",
            r#""client_ip":"203.0.113.9","auth_context":{"jumpcloud_protect_device":{"ip":"192.0.2.66"}}"#,
        ),
        event("ldap_bind", r#""auth_meta":{"jumpcloud_protect_device":{"ip":"::ffff:192.0.2.66"}}"#),
    ];
    for event in events {
        let folder = folder(&[("log.jsonl", &event), ("bad.txt", "192.0.2.66\n"), ("other.txt", "192.0.2.67\n")]);
        let [log, bad, other] = ["log.jsonl", "bad.txt", "other.txt"].map(|name| folder.path().join(name));
        let found = findings(&[text(&log), "--intel", text(&bad)]);
        assert_eq!(rule_ids(&found), ["threat-intel-ip"], "{event}");
        assert_eq!(found[0]["context"]["intel"][0]["indicator"], "192.0.2.66", "{event}");
        assert!(findings(&[text(&log), "--intel", text(&other)]).is_empty(), "{event}");
        let seen = jcdetect().args(["investigate", "192.0.2.66", text(&log), "--format", "json"]).output().unwrap();
        let seen: Value = serde_json::from_slice(&seen.stdout).unwrap();
        assert_eq!(seen["sessions"].as_array().unwrap().len(), 1, "{event}");
    }
}

#[test]
fn an_indicator_that_ended_before_the_newest_event_is_left_out() {
    let bundle = |until: &str| {
        format!(
            r#"{{"type":"bundle","id":"bundle--1","objects":[{{"type":"indicator","id":"indicator--1","spec_version":"2.1","pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.9']","valid_from":"2020-01-01T00:00:00Z","valid_until":"{until}"}},{{"type":"indicator","id":"indicator--2","spec_version":"2.1","pattern_type":"stix","pattern":"[ipv4-addr:value = '192.0.2.1']","valid_from":"2020-01-01T00:00:00Z"}}]}}"#
        )
    };
    for (until, count) in [("2026-03-01T00:00:00Z", 0), ("2026-03-03T00:00:00Z", 1)] {
        let folder = folder(&[("log.jsonl", LOGIN), ("stix.json", &bundle(until))]);
        let path = |name: &str| folder.path().join(name);
        assert_eq!(findings(&[text(&path("log.jsonl")), "--intel", text(&path("stix.json"))]).len(), count, "{until}");
        for (now, count) in [("2026-02-28T00:00:00Z", 1), ("2026-03-04", 0)] {
            let (log, intel) = (path("log.jsonl"), path("stix.json"));
            let found = findings(&[text(&log), "--intel", text(&intel), "--now", now]);
            assert_eq!(found.len(), count, "{until}, on {now}");
        }
        // Whether it still counts is known only when all was read, and standard input can be read only once.
        let mut scan = jcdetect();
        scan.args(["scan", "-", "--no-config", "--format", "jsonl", "--intel", text(&path("stix.json"))]);
        let output = scan.write_stdin(LOGIN).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), count, "{until}");
    }
}

/// What follows an entry is a note. An address is none, and nobody would know that it was not looked for.
#[test]
fn another_entry_on_a_line_is_told() {
    let list = "198.51.100.7,198.51.100.8\n198.51.100.9;203.0.113.0/28;203.0.113.9\n198.51.100.10 was 198.51.100.11\n";
    let folder = folder(&[("log.jsonl", LOGIN), ("l.txt", list), ("hosts", "0.0.0.0 a.example b.example # ads\n")]);
    let path = |name: &str| folder.path().join(name);
    for flag in ["--intel", "--known"] {
        let report = report(&[text(&path("log.jsonl")), flag, text(&path("l.txt"))]);
        let (read, another) = (&report["run"]["enriched_from"][0], "another entry on the line: one a line");
        assert_eq!((&read["entries"], &read["skipped"]), (&3.into(), &serde_json::json!({another: 3})), "{flag}");
        let table = scan(&[text(&path("log.jsonl")), flag, text(&path("l.txt"))]);
        assert!(table.contains(&format!("l.txt: 3 of \"{another}\", first at line 1 (3 entries used)")), "{table}");
    }
    // Behind a word, an address is not another entry: the line is told once, for what it starts with.
    std::fs::write(path("l.txt"), "203.0.113.9\noffice 203.0.113.0/24\n").unwrap();
    for (flag, reason) in
        [("--intel", "neither address, domain nor e-mail address"), ("--known", "neither address, network nor range")]
    {
        let report = report(&[text(&path("log.jsonl")), flag, text(&path("l.txt"))]);
        assert_eq!(report["run"]["enriched_from"][0]["skipped"], serde_json::json!({reason: 1}), "{flag}");
    }
    let hosts = report(&[text(&path("log.jsonl")), "--intel", text(&path("hosts"))]);
    assert_eq!(hosts["run"]["enriched_from"][0]["entries"], 2, "each name of a line of a hosts file is one");
}

/// A list calls a user name that is an e-mail address either, and writes user agents with a version.
#[test]
fn users_and_agents_are_known_however_a_list_writes_them() {
    let agent = r#""useragent":{"name":"Python Requests","version":"2.31.0"},"mfa""#;
    let log = LOGIN
        .replace("\"mfa\"", agent)
        .replace(r#""type":"admin","email":"root@example.com""#, r#""type":"user","username":"jo@evil.example""#);
    for (list, is_listed) in [
        ("username\njo@evil.example\n", true),
        ("email\njo@evil.example\n", true),
        ("useragent\npython-requests\n", true),
        ("useragent\npython-requests/2.31.0\n", true),
        ("useragent\npython-requests/2.28.0\n", false),
        ("username\njo\n", false),
    ] {
        let folder = folder(&[("log.jsonl", &log), ("list.csv", list)]);
        let path = |name: &str| text(&folder.path().join(name)).to_owned();
        let (log, list_path) = (path("log.jsonl"), path("list.csv"));
        let hunt = ["hunt", &log, "--no-config", "--intel", &list_path, "--where", "intel.matched == true"];
        let output = jcdetect().args(hunt).args(["--format", "jsonl"]).output().unwrap();
        assert_eq!(output.stdout.is_empty(), !is_listed, "{list}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_directory_says_who_somebody_is() {
    let users = r#"[{"_id":"a1","email":"root@example.com","roleName":"Administrator","enableMultiFactor":true,"firstname":"Rita","lastname":"Roth"}]"#;
    let folder = folder(&[
        ("log.jsonl", &LOGIN.replace("\"mfa\":true", "\"mfa\":false")),
        ("admins.json", users),
        ("known.csv", "network,label\n203.0.113.0/24,head office\n"),
    ]);
    let path = |name: &str| folder.path().join(name);
    let found = findings(&[
        text(&path("log.jsonl")),
        "--directory",
        text(&path("admins.json")),
        "--known",
        text(&path("known.csv")),
    ]);
    let found = found.iter().find(|f| f["rule_id"] == "admin-login-no-mfa").unwrap();
    let people = found["context"]["directory"].as_object().unwrap();
    assert_eq!(people.values().next().unwrap()["email"], "root@example.com");
    assert_eq!(found["context"]["geo"]["203.0.113.9"], "known as head office");
}

/// A database that has 203.0.113.0/24 in Paris, AS64500, a VPN's exit in a data centre.
fn places() -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/places.mmdb")).to_owned()
}

#[test]
fn a_database_fills_what_the_record_lacks_and_both_stand_where_they_differ() {
    let no_mfa = LOGIN.replace("\"mfa\":true", "\"mfa\":false");
    let elsewhere = no_mfa.replace("\"success\"", "\"geoip\":{\"country_code\":\"NG\"},\"success\"");
    let folder = folder(&[("without.jsonl", &no_mfa), ("with.jsonl", &elsewhere)]);
    let of = |name: &str| {
        let found = findings(&[text(&folder.path().join(name)), "--geoip", &places()]);
        found.into_iter().find(|finding| finding["rule_id"] == "admin-login-no-mfa").unwrap()
    };
    let (filled, both) = (of("without.jsonl"), of("with.jsonl"));
    assert!(filled["summary"].as_str().unwrap().contains("(FR)"), "{filled:#}");
    let known = "Paris, FR, AS64500, Example, vpn, hosting";
    assert_eq!(filled["context"]["geo"]["203.0.113.9"], known);
    assert!(both["summary"].as_str().unwrap().contains("(NG)"), "{both:#}");
    assert_eq!(both["context"]["geo"]["203.0.113.9"], format!("{known}, the log says NG, the database FR"));
    let report = report(&[text(&folder.path().join("with.jsonl")), "--geoip", &places()]);
    let from = &report["run"]["enriched_from"][0];
    assert_eq!((&from["modified"], from["sha256"].as_str().unwrap().len()), (&"2023-11-14T22:13:20Z".into(), 64));
}

/// A point of a database (Paris for 203.0.113.0/24, Lagos for 198.51.100.0/24) in another country than the record's is no place that somebody was at.
#[test]
fn a_place_in_another_country_than_the_record_says_is_none() {
    let login = |id: u32, minute: u32, ip: &str, geoip: &str| {
        let login = LOGIN.replace("\"id\":\"1\"", &format!("\"id\":\"{id}\"")).replace("203.0.113.9", ip);
        let login = login.replace("09:00:00", &format!("09:{minute:02}:00"));
        login.replace("\"success\"", &format!("\"geoip\":{geoip},\"success\"")) + "\n"
    };
    let cities = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cities.mmdb");
    for (said, want) in [("FR", false), ("NG", true), ("ng", true)] {
        let said = format!("{{\"country_code\":\"{said}\"}}");
        let log = login(1, 0, "203.0.113.9", r#"{"country_code":"FR"}"#) + &login(2, 40, "198.51.100.7", &said);
        let folder = folder(&[("log.jsonl", &log)]);
        let found = findings(&[text(&folder.path().join("log.jsonl")), "--geoip", text(&cities)]);
        assert_eq!(rule_ids(&found).contains(&"impossible-travel-admin"), want, "{said}");
    }
}

#[test]
fn the_directory_knows_both_ends_of_an_association() {
    let join = r#"{"id":"2","timestamp":"2026-03-02T09:00:00Z","event_type":"association_change","service":"directory","organization":"o","initiated_by":{"id":"a1","type":"admin","email":"root@example.com"},"client_ip":"203.0.113.9","auth_method":"session","association":{"op":"add","action_source":"manual","connection":{"from":{"type":"user_group","object_id":"g1","name":"AWS Prod Admins"},"to":{"type":"user","object_id":"u1","name":"bob"}}}}"#;
    let folder = folder(&[
        ("log.jsonl", join),
        (
            "users.json",
            r#"[{"_id":"u1","username":"bob","email":"bob@example.com","jobTitle":"Cook","department":"Canteen","location":"Oslo","suspended":false,"mfa":{"configured":false}}]"#,
        ),
        ("groups.json", r#"[{"id":"g1","name":"AWS Prod Admins","type":"user_group"}]"#),
        ("members.json", r#"[{"from":{"id":"g1","type":"user_group"},"to":{"id":"u1","type":"user"}}]"#),
    ]);
    fs::create_dir(folder.path().join("backup")).unwrap();
    for name in ["users.json", "groups.json", "members.json"] {
        fs::rename(folder.path().join(name), folder.path().join("backup").join(name)).unwrap();
    }
    let found = findings(&[text(&folder.path().join("log.jsonl")), "--directory", text(&folder.path().join("backup"))]);
    let found = found.iter().find(|f| f["rule_id"] == "privileged-group-member-added").unwrap();
    let known = &found["context"]["directory"];
    assert_eq!((&known["bob"]["job_title"], &known["bob"]["groups"]), (&"Cook".into(), &"AWS Prod Admins".into()));
    assert_eq!((&known["bob"]["mfa"], &known["bob"]["suspended"]), (&"no".into(), &"no".into()));
    assert_eq!(known["AWS Prod Admins"]["members"], "1");
}

#[test]
fn the_directory_knows_devices() {
    let system = r#"[{"_id":"s1","hostname":"YANN-MBP","displayName":"YANN-MBP","os":"Mac OS X","version":"14.4","serialNumber":"C02X"}]"#;
    let folder = folder(&[("systems.json", system)]);
    let theft = scenario("session-theft");
    let found = findings(&[text(&theft), "--directory", text(&folder.path().join("systems.json"))]);
    let found = found.iter().find(|f| f["rule_id"] == "session-reuse-country-or-ua").unwrap();
    let known = &found["context"]["directory"]["YANN-MBP"];
    assert_eq!((&known["os"], &known["serial"]), (&"Mac OS X 14.4".into(), &"C02X".into()));
}

#[test]
fn a_directory_of_another_organization_says_nothing() {
    let users = r#"[{"_id":"a1","email":"root@example.com","roleName":"Administrator","organization":"p"}]"#;
    let folder = folder(&[("log.jsonl", &LOGIN.replace("\"mfa\":true", "\"mfa\":false")), ("admins.json", users)]);
    let path = |name: &str| folder.path().join(name);
    let found = findings(&[text(&path("log.jsonl")), "--directory", text(&path("admins.json"))]);
    assert_eq!(found[0]["context"]["directory"], serde_json::json!({}));
}

/// A lockout of an account, by its id where there is one.
fn lockout(organization: &str, id: &str, name: &str) -> String {
    let id_of_event = format!("{organization}{id}{name}");
    let id = if id.is_empty() { String::new() } else { format!("\"id\":\"{id}\",") };
    format!(
        r#"{{"id":"{id_of_event}","timestamp":"2026-03-03T10:00:00Z","event_type":"user_lockout","service":"directory","organization":"{organization}","resource":{{"type":"user",{id}"username":"{name}"}},"initiated_by":{{"type":"system"}},"success":true}}"#
    ) + "\n"
}

/// The job titles that the directory has for each finding, by organization.
fn titles(log: &str, users: &str) -> Vec<(String, String)> {
    let folder = folder(&[("log.jsonl", log), ("users.json", users)]);
    let path = |name: &str| folder.path().join(name);
    let found = findings(&[text(&path("log.jsonl")), "--directory", text(&path("users.json"))]);
    let title = |finding: &Value| {
        let people = finding["context"]["directory"].as_object().unwrap();
        let titles = people.values().map(|facts| facts["job_title"].as_str().unwrap());
        (finding["organization"].as_str().unwrap().to_owned(), titles.collect::<Vec<_>>().join(", "))
    };
    let mut titles: Vec<_> = found.iter().map(title).collect();
    titles.sort();
    titles
}

#[test]
fn a_name_that_was_used_again_has_no_facts_of_the_other_account() {
    let users = r#"[{"_id":"d1","username":"jo","jobTitle":"New","organization":"o"}]"#;
    for (id, want) in [("c1", ""), ("d1", "New"), ("", "New")] {
        assert_eq!(titles(&lockout("o", id, "jo"), users), [("o".to_owned(), want.to_owned())], "{id}");
    }
}

#[test]
fn a_name_in_two_organizations_is_somebody_else_in_each() {
    let users = r#"[{"_id":"1","username":"jo","jobTitle":"One","organization":"o1"},
        {"_id":"2","username":"jo","jobTitle":"Two","organization":"o2"}]"#;
    let log: String = ["o1", "o2", "o3"].map(|organization| lockout(organization, "", "jo")).concat();
    let want = [("o1", "One"), ("o2", "Two"), ("o3", "")].map(|(o, title)| (o.to_owned(), title.to_owned()));
    assert_eq!(titles(&log, users), want);
}

#[test]
fn devices_and_groups_of_another_organization_say_nothing() {
    let join = r#"{"id":"2","timestamp":"2026-03-02T09:00:00Z","event_type":"association_change","service":"directory","organization":"o","initiated_by":{"id":"a1","type":"admin","email":"root@example.com"},"client_ip":"203.0.113.9","auth_method":"session","association":{"op":"add","action_source":"manual","connection":{"from":{"type":"user_group","object_id":"g1","name":"Domain Admins"},"to":{"type":"user","object_id":"u1","name":"bob"}}}}"#;
    let delete = |n: u32| {
        format!(
            r#"{{"id":"d{n}","timestamp":"2026-03-03T10:00:{n:02}Z","event_type":"system_delete","service":"directory","organization":"o","initiated_by":{{"id":"a1","type":"admin","email":"root@example.com"}},"resource":{{"type":"system","hostname":"DESKTOP-{n}"}},"auth_method":"session","success":true}}"#
        ) + "\n"
    };
    let log = format!("{join}\n") + &(0..12).map(delete).collect::<String>();
    for (organization, want) in [("o", vec!["DESKTOP-1", "Domain Admins"]), ("p", vec![])] {
        let known = format!(
            r#"[{{"_id":"s1","hostname":"DESKTOP-1","os":"Windows","organization":"{organization}"}},
            {{"id":"g9","name":"Domain Admins","type":"user_group"}},
            {{"groupId":"g9","groupName":"Domain Admins","username":"zed"}},
            {{"_id":"3","username":"zed","organization":"{organization}"}}]"#
        );
        let folder = folder(&[("log.jsonl", &log), ("all.json", &known)]);
        let path = |name: &str| folder.path().join(name);
        let found = findings(&[text(&path("log.jsonl")), "--directory", text(&path("all.json"))]);
        let told = found.iter().flat_map(|finding| finding["context"]["directory"].as_object().unwrap().keys());
        let told: std::collections::BTreeSet<&str> = told.map(String::as_str).collect();
        assert_eq!(told.into_iter().collect::<Vec<_>>(), want, "{organization}");
    }
}

#[test]
fn a_known_network_is_no_new_place() {
    let folder = folder(&[("known.csv", "network,label\n198.51.100.0/24,VPN\n")]);
    let fatigue = scenario("push-fatigue");
    let has = |found: &[Value]| rule_ids(found).contains(&"new-country-user");
    assert!(has(&findings(&[text(&fatigue)])));
    assert!(!has(&findings(&[text(&fatigue), "--known", text(&folder.path().join("known.csv"))])));
}

#[test]
fn what_could_not_be_used_is_told() {
    let folder = folder(&[("log.jsonl", LOGIN), ("bad.txt", "203.0.113.0/28\nhttps://evil.example/x\nabc def\n")]);
    let path = |name: &str| folder.path().join(name);
    let table = super::scan(&[text(&path("log.jsonl")), "--intel", text(&path("bad.txt"))]);
    let line = table.lines().find(|line| line.starts_with("Not used of ")).unwrap_or_else(|| panic!("{table}"));
    assert!(line.contains("bad.txt: 1 of \"") && line.ends_with("(1 entry used)"), "{line}");
}

#[test]
fn the_table_says_what_applied_and_what_did_not() {
    let log = [lockout("o", "", "jo"), lockout("p", "", "sam")].concat();
    let login = LOGIN.replace("\"organization\":\"o\"", "\"organization\":\"p\"");
    let files = [
        ("log.jsonl", &*(log + &login)),
        ("users.csv", "Username,JobTitle\njo,CFO\n"),
        ("none.txt", "192.0.2.1\n192.0.2.2\n"),
        ("some.txt", "203.0.113.0/24\n"),
    ];
    let folder = folder(&files);
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (log, none, some, geo) = (path("log.jsonl"), path("none.txt"), path("some.txt"), places());
    let users = path("users.csv");
    let args = [&*log, "--directory", &users, "--intel", &none, "--intel", &some, "--known", &none, "--geoip", &geo];
    let table = super::scan(&args);
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with("Enriched from ")).collect();
    let ends = [
        "1 entry; 1 without an organization, taken to be of each",
        "places.mmdb (as of 2023-11-14): 1 entry",
        "2 entries, none of which matched anything",
        ": 1 entry",
        "2 entries, none of which matched anything",
    ];
    assert_eq!(lines.len(), ends.len(), "{table}");
    assert!(lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{lines:#?}");
    assert!(table.contains("\nPeople: the directory has 1 of the 3 in the findings\n"), "{table}");
    let report = report(&args);
    let matched: Vec<&Value> =
        report["run"]["enriched_from"].as_array().unwrap().iter().map(|file| &file["matched"]).collect();
    assert_eq!(serde_json::json!(matched), serde_json::json!([null, true, false, true, false]));
    assert_eq!(report["run"]["enriched_from"][0]["without_organization"], 1);
}

#[test]
fn a_broken_file_is_an_error_with_its_line() {
    for (flag, content, line) in [
        ("--directory", "[{\"_id\":\"1\",\"username\":\"jo\"},\n", 2),
        ("--directory", "hello world\n", 1),
        ("--intel", "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"a\":1},\n{\"b\":]}", 2),
        ("--known", "[{\"name\":\"x\",\n\"ips\":}]", 2),
    ] {
        let folder = folder(&[("log.jsonl", LOGIN), ("bad.json", content)]);
        let path = |name: &str| folder.path().join(name);
        jcdetect()
            .args(["scan", text(&path("log.jsonl")), flag, text(&path("bad.json"))])
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(format!("bad.json:{line}: ")));
    }
}

#[test]
fn a_broken_file_is_an_error_with_its_place() {
    let folder = folder(&[("log.jsonl", LOGIN), ("bad.txt", "nothing to see\n")]);
    let path = |name: &str| folder.path().join(name);
    for flag in ["--intel", "--known", "--geoip", "--directory"] {
        jcdetect()
            .args(["scan", text(&path("log.jsonl")), flag, text(&path("bad.txt"))])
            .assert()
            .code(2)
            .stderr(predicate::str::contains("bad.txt"));
    }
}

/// Nobody travels between an office and a VPN of the organization.
#[test]
fn known_networks_are_no_places() {
    let sign_in = |id: u32, minute: u32, ip: &str, place: &str| {
        let login = LOGIN.replace("\"id\":\"1\"", &format!("\"id\":\"{id}\""));
        let login = login.replace("09:00:00", &format!("09:{minute:02}:00")).replace("203.0.113.9", ip);
        format!("{}\n", login.replace("\"success\"", &format!("\"geoip\":{place},\"success\"")))
    };
    let paris = r#"{"country_code":"FR","latitude":48.85,"longitude":2.35}"#;
    let sydney = r#"{"country_code":"AU","latitude":-33.87,"longitude":151.21}"#;
    let log = sign_in(1, 0, "203.0.113.9", paris) + &sign_in(2, 30, "198.51.100.7", sydney);
    let folder = folder(&[("log.jsonl", &log), ("known.csv", "network,label\n198.51.100.0/24,vpn\n")]);
    let (log, known) = (folder.path().join("log.jsonl"), folder.path().join("known.csv"));
    let travels = |args: &[&str]| findings(args).iter().any(|f| f["rule_id"] == "impossible-travel-admin");
    assert!(travels(&[text(&log)]));
    assert!(!travels(&[text(&log), "--known", text(&known)]));
    // Why it did not fire is told as the rule sees it.
    let why = |args: &[&str]| {
        let output =
            jcdetect().args(["explain", "impossible-travel-admin", text(&log), "--event", "2"]).args(args).output();
        String::from_utf8(output.unwrap().stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let told = "[yes] source.ip lies in 198.51.100.0/24 (it has 198.51.100.7)";
    assert!(why(&["--known", text(&known)]).contains(told) && !why(&[]).contains(told));
}

#[test]
fn own_networks_are_the_same_to_every_command_that_evaluates_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("rules")).unwrap();
    let rule = "title: From outside\nname: from-outside\nlevel: high\nlogsource: {product: jumpcloud}\ndetection:\n  \
        failed: {event_type: user_login_attempt, outcome: failure}\n  own: {source.ip|cidr|expand: '%vpn_networks%'}\n  \
        condition: failed and not own\njcdetect: {category: auth-admin, entity: actor}\n";
    std::fs::write(path("rules/outside.yml"), rule).unwrap();
    std::fs::write(path("known.csv"), "network,label\n198.51.100.0/24,office\n").unwrap();
    let event = r#"{"id":"1","event_type":"user_login_attempt","service":"directory","timestamp":"2024-05-01T10:00:00Z","success":false,"client_ip":"198.51.100.7","initiated_by":{"type":"user","username":"alice"}}"#;
    std::fs::write(path("events.jsonl"), event).unwrap();
    let (rules, known, events) = (path("rules"), path("known.csv"), path("events.jsonl"));
    let told = |command: &[&str], known: &[&str]| {
        let all = [command, &[text(&events), "--no-config", "--rules", text(&rules)], known].concat();
        String::from_utf8(jcdetect().args(all).output().unwrap().stdout).unwrap()
    };
    let commands: [(&[&str], &str); 4] = [
        (&["scan"], "From outside"),
        (&["timeline", "--findings"], "from-outside"),
        (&["explain", "from-outside"], "1 finding"),
        (&["investigate", "alice"], "From outside"),
    ];
    for (command, sign) in commands {
        let (without, with) = (told(command, &[]), told(command, &["--known", text(&known)]));
        assert!(without.contains(sign) && !with.contains(sign), "{command:?}\n{without}\n{with}");
    }
}

#[test]
fn an_export_of_events_is_no_list() {
    let export = scenario("push-fatigue").join("events.jsonl");
    for flag in ["--intel", "--directory"] {
        jcdetect()
            .args(["scan", text(&export), flag, text(&export), "--no-config"])
            .assert()
            .code(2)
            .stderr(predicate::str::contains("an event of Directory Insights: name its export as a source"));
    }
}
