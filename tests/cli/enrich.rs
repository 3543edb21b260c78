//! Enrichment: files beside the logs that say who and where.

use std::fs;

use predicates::prelude::*;
use tempfile::TempDir;

use super::{findings, jcdetect, report, text};

const LOGIN: &str = r#"{"id":"1","timestamp":"2026-03-02T09:00:00Z","event_type":"admin_login_attempt","service":"directory","organization":"o","initiated_by":{"id":"a1","type":"admin","email":"root@example.com"},"client_ip":"203.0.113.9","success":true,"mfa":true}"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

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
}
