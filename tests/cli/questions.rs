//! Messages to those who can tell whether something was meant.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::lines;
use super::{jcdetect, policy_gap, scan, text};

/// The files of a folder by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&p).unwrap())).collect()
}

fn recipients(files: &BTreeMap<String, String>) -> Vec<(Value, Value, usize)> {
    let messages = files.iter().filter(|(_, text)| text.starts_with('{'));
    messages
        .map(|(_, text)| {
            let message: Value = serde_json::from_str(text).unwrap();
            let recipient = &message["recipient"];
            (recipient["name"].clone(), recipient["address"].clone(), message["questions"].as_array().unwrap().len())
        })
        .collect()
}

#[test]
fn one_message_for_each_who_is_asked_from_a_scan_and_from_its_report() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let report = scan(&[&policy_gap(), "--format", "json", "--output", &format!("duet={}", text(&first))]);
    let found = recipients(&files(&first));
    assert_eq!(found, [("carla.costa".into(), Value::Null, 1), ("Security contact".into(), Value::Null, 5)]);
    // From the report, out of a file and out of standard input.
    let path = folder.path().join("report.json");
    fs::write(&path, &report).unwrap();
    jcdetect().args(["report", "duet", text(&path), "--output", text(&second)]).assert().code(0).stdout("");
    assert_eq!(files(&first), files(&second));
    let from_file = jcdetect().args(["report", "duet", text(&path)]).output().unwrap().stdout;
    let from_input = jcdetect().args(["report", "duet", "-"]).write_stdin(report).output().unwrap().stdout;
    assert_eq!(from_file, from_input);
    let markdown = String::from_utf8(from_file).unwrap();
    for part in [
        "# 5 questions about JumpCloud",
        "If not, restore the policy",
        "\n\n    finding: d60184c093c1dfb7d97478d4933d49a7\n    [ ] yes, I expected this\n    [ ] no\n    [ ] not sure\n",
        "From address: 203.0.113.10",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    let array = jcdetect().args(["report", "duet", text(&path), "--format", "json"]).output().unwrap().stdout;
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&array).unwrap().len(), 2);
}

#[test]
fn addresses_come_from_the_directory_and_the_configuration() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    };
    let users = write(
        "users.json",
        r#"[{"_id":"u1","username":"carla.costa","email":"carla@example.com","firstname":"Carla","lastname":"Costa"}]"#,
    );
    let config = write(
        "jcdetect.yml",
        "contacts:\n  security: soc@example.com\n  owners:\n    \"Only from *\": policies@example.com\n    carla.costa: boss@example.com\n",
    );
    let out = folder.path().join("out");
    jcdetect()
        .args(["scan", &policy_gap(), "--quiet", "--config", &config, "--directory", &users])
        .args(["--output", &format!("duet={}", text(&out))])
        .assert()
        .code(0)
        .stderr("");
    let mut found = recipients(&files(&out));
    found.sort_by_key(|(name, ..)| name.to_string());
    let found: Vec<(&str, &str, usize)> =
        found.iter().map(|(name, address, n)| (name.as_str().unwrap(), address.as_str().unwrap(), *n)).collect();
    let wanted = [
        ("Carla Costa", "carla@example.com", 1),
        ("Security contact", "soc@example.com", 2),
        ("boss@example.com", "boss@example.com", 2),
        ("policies@example.com", "policies@example.com", 1),
    ];
    assert_eq!(found, wanted);
    // The same from the report alone: what the scan knew of people stands in it.
    let report = scan(&[&policy_gap(), "--format", "jsonl", "--directory", &users]);
    let alone = jcdetect()
        .args(["report", "duet", "-", "--format", "json", "--no-config", "--quiet"])
        .write_stdin(report)
        .output()
        .unwrap()
        .stdout;
    assert!(String::from_utf8(alone).unwrap().contains("\"address\": \"carla@example.com\""));
}

#[test]
fn what_was_asked_before_is_not_asked_again() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("old.jsonl");
    fs::write(&old, scan(&[&policy_gap(), "--format", "jsonl"])).unwrap();
    let out = folder.path().join("out");
    jcdetect()
        .args(["scan", &policy_gap(), "--baseline", text(&old), "--output", &format!("duet={}", text(&out))])
        .assert()
        .code(0)
        .stderr(predicate::str::contains(
            "0 of 6 questions in 0 messages; left out as known, suppressed or pending: 6",
        ));
    assert!(files(&out).is_empty());
}

#[test]
fn somebody_whose_account_is_part_of_a_case_is_asked_by_telephone() {
    jcdetect()
        .args(["scan", &policy_gap(), "--output", &format!("duet={}", text(TempDir::new().unwrap().path()))])
        .assert()
        .stderr(predicate::str::contains(
            "ask by telephone, because their account is part of a case or of an open finding: carla.costa",
        ));
}

/// A finding as a report has it, in which somebody is asked.
fn asked(ask: &str, entity: &Value, part: &Value) -> String {
    let finding = json!({
        "schema": "jcdetect/finding/v1", "id": format!("{ask}{entity}{part}"), "rule_id": "r", "organization": "o",
        "severity": "low", "disposition": "duet", "status": "new", "entity": entity, "summary": "s", "related": [part],
        "duet": {"ask": ask, "question": "q", "first_action": "a"},
    });
    format!("{finding}\n")
}

fn messages(findings: &str, more: &[&str]) -> Vec<Value> {
    let mut command = jcdetect();
    command.args(["report", "duet", "-", "--no-config", "--quiet", "--format", "json"]).args(more);
    let output = command.write_stdin(findings.to_owned()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn one_person_in_two_parts_is_one_message_and_two_of_one_name_are_two() {
    let user = |id: &str| json!({"type": "user", "id": id, "name": "marc.petit"});
    let part = |role: &str, kind: &str| json!({"role": role, "type": kind, "value": "marc.petit"});
    let group = json!({"type": "group", "id": "g", "name": "Staff"});
    let one = [
        asked("target", &user("c1"), &part("target", "user")),
        asked("actor", &user("c1"), &part("actor", "user")),
        asked("actor", &group, &part("actor", "user")),
    ];
    let all = messages(&one.concat(), &[]);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0]["questions"].as_array().unwrap().len(), 3);
    let admin = asked("actor", &group, &part("actor", "admin"));
    let again = asked("actor", &user("d1"), &part("actor", "user"));
    for (other, count) in [(&admin, 2), (&again, 3)] {
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("out");
        let findings = one.concat() + other;
        let mut command = jcdetect();
        command.args(["report", "duet", "-", "--no-config", "--output", text(&out)]).write_stdin(findings);
        command.assert().code(0);
        // The third is the question of which nobody knows the account.
        assert_eq!(files(&out).len(), 2 * count, "{other}");
    }
}

#[test]
fn a_question_counts_all_that_was_touched() {
    let touched = |n: u32| {
        json!({
            "id": format!("e{n}"), "organization": "o", "service": "directory", "event_type": "user_group_create", "success": true,
            "timestamp": format!("2026-03-02T09:{n:02}:00Z"),
            "initiated_by": {"id": "a1", "type": "admin", "email": "root@example.com"},
            "resource": {"id": format!("g{n}"), "type": "user_group", "name": format!("group {n:02}")},
        })
    };
    let folder = TempDir::new().unwrap();
    let (path, rules) = (folder.path().join("x.jsonl"), folder.path().join("rules"));
    fs::write(&path, lines(&(10..40).map(touched).collect::<Vec<_>>())).unwrap();
    fs::create_dir(&rules).unwrap();
    let rule = "title: Many groups made\nname: many-groups\nlevel: low\n\
                correlation: {type: event_count, rules: [made], group-by: [actor.key], timespan: 1h, condition: {gte: 30}}\n\
                jcdetect: {entity: actor, duet: {ask: owner, question: Did you?, first_action: Look.}}\n---\n\
                title: Group made\nname: made\nlogsource: {product: jumpcloud}\n\
                detection: {s: {event_type: user_group_create}, condition: s}\n";
    fs::write(rules.join("many-groups.yml"), rule).unwrap();
    let arguments = [text(&path), "--no-config", "--rules", text(&rules), "--format", "json"];
    let report = scan(&arguments);
    let document: Value = serde_json::from_str(&report).unwrap();
    let found = document["findings"].as_array().unwrap().iter().find(|f| f["rule_id"] == "many-groups").unwrap();
    assert_eq!(found["related_omitted"], json!([{"role": "target", "type": "user_group", "count": 10}]));
    let output = jcdetect().args(["report", "duet", "-", "--no-config"]).write_stdin(report).output().unwrap().stdout;
    let message = String::from_utf8(output).unwrap();
    assert!(message.contains("group 10, group 11, group 12 and 27 more"), "{message}");
    assert!(message.contains("To what: group 10, group 11, group 12, group 13, group 14 and 25 more"), "{message}");
}

#[test]
fn nobody_is_asked_for_another_account() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("all.json");
    let address = |finding: &str| messages(finding, &["--directory", text(&path)])[0]["recipient"]["address"].clone();
    fs::write(
        &path,
        r#"[{"_id":"d1","username":"jo","email":"jo@x.io","firstname":"Jo","organization":"o"},
        {"_id":"s1","hostname":"mac","organization":"o","primarySystemUser":{"id":"d1"}},
        {"_id":"s2","hostname":"pc","organization":"p","primarySystemUser":{"id":"d1"}}]"#,
    )
    .unwrap();
    let user = |id: &str| json!({"type": "user", "id": id, "name": "jo"});
    let part = json!({"role": "actor", "type": "user", "value": "jo"});
    for (id, want) in [("d1", json!("jo@x.io")), ("c1", Value::Null), ("jo", json!("jo@x.io"))] {
        assert_eq!(address(&asked("actor", &user(id), &part)), want, "{id}");
    }
    let device = |name: &str| json!({"type": "device", "id": name, "name": name});
    for (name, want) in [("mac", json!("jo@x.io")), ("pc", Value::Null)] {
        assert_eq!(address(&asked("owner", &device(name), &part)), want, "{name}");
    }
}

/// An attacker chose the names: they stay inside the folder, and do nothing in what reads the message.
/// Whom a question goes to is told by the id that the events have, also where the finding is about somebody else.
#[test]
fn a_name_that_moved_on_is_not_asked() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let rule = "title: own\nname: own\nlevel: low\nlogsource: {product: jumpcloud}\ndetection: {s: {event_type: user_update}, condition: s}\njcdetect: {category: mfa, entity: actor, duet: {ask: target, question: Was it you?, first_action: Say so.}}\n";
    fs::write(path("own.yml"), rule).unwrap();
    let event = json!({
        "id": "e1", "organization": "o", "timestamp": "2026-03-02T09:00:00Z", "service": "directory", "event_type": "user_update",
        "initiated_by": {"id": "5a0000000000000000000001", "type": "admin", "email": "root@example.com"},
        "resource": {"id": "5f0000000000000000000001", "type": "user", "username": "bob"},
    });
    fs::write(path("e.jsonl"), format!("{event}\n")).unwrap();
    for (people, want) in [
        (json!([{"_id": "6a0000000000000000000001", "username": "bob", "email": "other@example.com"}]), Value::Null),
        (
            json!([{"_id": "5f0000000000000000000001", "username": "robert", "email": "bob@example.com"}]),
            "bob@example.com".into(),
        ),
    ] {
        fs::write(path("people.json"), people.to_string()).unwrap();
        let report = scan(&[
            &path("e.jsonl"),
            "--no-config",
            "--rules",
            &path("own.yml"),
            "--directory",
            &path("people.json"),
            "--format",
            "json",
        ]);
        let asked = messages(&report, &["--directory", &path("people.json")]);
        assert_eq!(asked[0]["recipient"]["address"], want, "{asked:#?}");
    }
}

#[test]
fn hostile_names_are_text() {
    let folder = TempDir::new().unwrap();
    let name = "../../etc/passwd\n# [click](https://evil.example) <img src=x> `a` www.evil.example \u{202e}";
    let finding = json!({
        "schema": "jcdetect/finding/v1", "id": "../x`\n", "rule_id": "r", "organization": "o", "severity": "low",
        "disposition": "duet", "status": "new", "entity": {"type": "user", "id": "u", "name": name}, "summary": name,
        "related": [{"role": "actor", "type": "user", "value": name}],
        "duet": {"ask": "actor", "question": name, "first_action": name},
    });
    let out = folder.path().join("in/side");
    jcdetect()
        .args(["report", "duet", "-", "--no-config", "--output", text(&out)])
        .write_stdin(finding.to_string())
        .assert()
        .code(0);
    let files = files(&out);
    assert_eq!(files.len(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    for (name, content) in &files {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)), "{name}");
        assert!(!content.contains('\u{202e}') || content.starts_with('{'), "{content}");
    }
    let markdown = &files.values().find(|content| content.starts_with('#')).unwrap();
    for live in ["](http", "<img", "\n# [", "://evil", "www.evil", "`a`"] {
        let is_escaped = |at: usize| markdown[..at].ends_with('\\');
        assert!(markdown.match_indices(live).all(|(at, _)| is_escaped(at)), "{live}: {markdown}");
    }
}

#[test]
fn bad_reports() {
    for (input, code, want) in [
        ("hello\n", 2, "-:1: this is no JSON; name a report that `jcdetect scan --format json` (or jsonl) wrote"),
        ("{\"a\":1}", 2, "-:1: no finding of jcdetect"),
        ("", 0, "0 of 0 questions"),
    ] {
        jcdetect()
            .args(["report", "duet", "-", "--no-config"])
            .write_stdin(input)
            .assert()
            .code(code)
            .stderr(predicate::str::contains(want))
            .stdout("");
    }
    jcdetect()
        .args(["report", "duet", "/no/such/file"])
        .assert()
        .code(3)
        .stderr(predicate::str::contains("/no/such/file: No such file"));
    jcdetect()
        .args(["scan", &policy_gap(), "--output", "duet="])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--output duet=: the folder is missing"));
    jcdetect()
        .args(["scan", &policy_gap(), "--output", "duet=/proc/no/such", "--quiet"])
        .assert()
        .code(5)
        .stderr(predicate::str::contains("/proc/no/such: "));
}

/// Whatever else they are asked, and in whatever order.
#[test]
fn whoever_is_asked_as_owner_too_is_asked_by_telephone() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("c.yml");
    fs::write(&config, "contacts:\n  owners: {\"aws*\": alice@example.com}\n").unwrap();
    let question = |id: &str, kind: &str, entity: &str, ask: &str, case: Value| {
        json!({"schema": "jcdetect/finding/v1", "id": id.repeat(32), "rule_id": "r", "rule_title": "R", "category": "c",
            "severity": "high", "confidence": "high", "disposition": "duet", "status": "new", "pending": false,
            "organization": "o", "entity": {"type": kind, "id": entity, "name": entity}, "summary": "s",
            "first_seen": "2026-03-02T09:00:00Z", "last_seen": "2026-03-02T09:00:00Z", "event_count": 1, "related": [],
            "evidence": [], "duet": {"ask": ask, "question": "q?", "first_action": "a"}, "case_id": case})
    };
    let owner = question("1", "app", "aws-prod", "owner", Value::Null);
    let own = question("2", "user", "alice@example.com", "target", "c1".into());
    for (first, second) in [(&owner, &own), (&own, &owner)] {
        let output = jcdetect()
            .args(["report", "duet", "-", "--format", "json", "--config", text(&config)])
            .write_stdin(format!("{first}\n{second}\n"))
            .output()
            .unwrap();
        let messages: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(messages.len() == 1 && messages[0]["caution"].is_string(), "{messages:?}");
    }
}

/// Who sends all that lies in the folder must know that some of it was sent before.
#[test]
fn messages_of_an_earlier_run_are_told() {
    let out = TempDir::new().unwrap();
    let report = scan(&[&policy_gap(), "--format", "json"]);
    let write = |report: &str| {
        let arguments = ["report", "duet", "-", "--no-config", "--output", text(out.path())];
        jcdetect().args(arguments).write_stdin(report).assert().code(0)
    };
    write(&report).stderr(predicate::str::contains("earlier run").not());
    write("").stderr(predicate::str::contains("2 messages of an earlier run are still there"));
}
