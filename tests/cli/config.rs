//! `jcdetect.yml`: where it is looked for, and what goes before it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{jcdetect, rule_ids, text};

/// A folder of evidence in a working folder.
fn case() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("work/evidence")).unwrap();
    fs::write(folder.path().join("work/evidence/log.jsonl"), lines(&guessed_password())).unwrap();
    folder
}

fn report(folder: &Path, arguments: &[&str]) -> Value {
    let output = jcdetect().current_dir(folder).args(["scan", "--format", "json"]).args(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const DISABLE: &str = "disable: [bruteforce-user-portal]\n";

#[test]
fn it_is_that_of_the_working_folder_or_of_the_repository_and_never_of_the_evidence() {
    let case = case();
    let work = case.path().join("work");
    let is_used = || !report(&work, &["evidence"])["run"]["config"].is_null();
    fs::write(work.join("evidence/jcdetect.yml"), DISABLE).unwrap();
    assert!(!is_used());
    // Above a folder that is in no repository anybody may write.
    fs::write(case.path().join("jcdetect.yml"), DISABLE).unwrap();
    assert!(!is_used());
    fs::create_dir(case.path().join(".git")).unwrap();
    assert!(is_used());
    fs::write(work.join("jcdetect.yml"), "").unwrap();
    let used = report(&work, &["evidence"]);
    assert!(used["run"]["config"].as_str().unwrap().ends_with("work/jcdetect.yml"));
    assert!(used["run"].get("disabled").is_none());
}

#[test]
fn what_was_typed_goes_before_it_and_the_report_says_what_was_used() {
    let case = case();
    let config = case.path().join("c.yml");
    fs::write(&config, format!("{DISABLE}enable: [report-export]\n")).unwrap();
    let with = |arguments: &[&str]| report(case.path(), &[&["work", "--config", text(&config)], arguments].concat());
    let ids = |report: &Value| rule_ids(report["findings"].as_array().unwrap()).join(",");
    let quiet = with(&[]);
    assert!(!ids(&quiet).contains("bruteforce-user-portal"));
    assert_eq!(quiet["run"]["disabled"], json!(["bruteforce-user-portal"]));
    assert_eq!(quiet["run"]["enabled"], json!(["report-export"]));
    let loud = with(&["--enable", "bruteforce-user-portal", "--disable", "report-export"]);
    assert!(ids(&loud).contains("bruteforce-user-portal"));
    assert_eq!(loud["run"]["enabled"], json!(["bruteforce-user-portal"]));
    assert_eq!(loud["run"]["disabled"], json!(["report-export"]));
    let both = ["scan", "work", "--enable", "report-export", "--disable", "report-export"];
    let wrong = jcdetect().current_dir(case.path()).args(both).assert().code(2);
    wrong.stderr(predicate::str::contains("only one of them can be meant"));
}

#[test]
fn a_rule_gets_another_severity_for_all_its_findings() {
    let case = case();
    let config = case.path().join("c.yml");
    let with = |levels: &str| {
        fs::write(&config, levels).unwrap();
        report(case.path(), &["work", "--config", text(&config)])
    };
    let severity = |report: &Value, rule: &str| {
        let all = report["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["rule_id"] == rule).unwrap()["severity"].clone()
    };
    let (own, tuned) = (with(""), with("levels: {success-after-bruteforce: low, bruteforce-user-portal: high}\n"));
    for (rule, before, now) in
        [("success-after-bruteforce", "critical", "low"), ("bruteforce-user-portal", "medium", "high")]
    {
        assert_eq!((severity(&own, rule), severity(&tuned, rule)), (json!(before), json!(now)), "{rule}");
    }
    assert_eq!(tuned["run"]["levels"], json!({"bruteforce-user-portal": "high", "success-after-bruteforce": "low"}));
    assert!(own["run"].get("levels").is_none());
    let explained = |arguments: &[&str]| {
        let mut run = jcdetect();
        run.current_dir(case.path()).args(["explain", "success-after-bruteforce", "work"]).args(arguments);
        String::from_utf8(run.assert().success().get_output().stdout.clone()).unwrap()
    };
    let told = explained(&["--config", text(&config)]);
    assert!(told.contains("(low as the configuration has it, "), "{told}");
    assert!(explained(&["--no-config"]).contains("(critical, "));
    let count = |report: &Value| report["findings"].as_array().unwrap().len();
    assert_eq!(count(&own), count(&tuned));
}

#[test]
fn a_finding_of_another_severity_keeps_its_title() {
    let folder = TempDir::new().unwrap();
    let suspended = json!({"event_type": "admin_suspended", "timestamp": "2026-03-02T09:00:00Z", "success": true,
        "initiated_by": {"id": "a1", "type": "admin", "email": "root@example.com"},
        "resource": {"id": "a2", "type": "admin", "email": "ops@example.com"}});
    let signs_in = json!({"event_type": "admin_login_attempt", "timestamp": "2026-03-02T10:00:00Z", "success": true,
        "initiated_by": {"id": "a2", "type": "admin", "email": "ops@example.com"}});
    fs::write(folder.path().join("log.jsonl"), lines(&[suspended, signs_in])).unwrap();
    fs::write(folder.path().join("c.yml"), "levels: {login-to-suspended-account: low}\n").unwrap();
    let report = report(folder.path(), &["log.jsonl", "--config", "c.yml"]);
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule_id"] == "login-to-suspended-account").unwrap();
    let title = "Account that was suspended or deleted is used";
    assert_eq!((&finding["severity"], &finding["rule_title"]), (&json!("low"), &json!(title)));
    assert!(finding["summary"].as_str().unwrap().starts_with(&format!("{title}: ops@example.com, ")), "{finding}");
}

#[test]
fn a_rule_that_is_not_there_is_told_by_file_and_line() {
    let case = case();
    let config = case.path().join("c.yml");
    for (written, want) in [
        (
            "# ours\ndisable:\n  - bruteforce-user-portl\n",
            "c.yml:3: bruteforce-user-portl: no such rule; did you mean `bruteforce-user-portal`?",
        ),
        ("levels:\n  nobody: low\n", "c.yml:2: nobody: no such rule"),
        (
            "levels:\n  bruteforce-user-portal: loud\n",
            "c.yml:2: bruteforce-user-portal: unknown severity \"loud\": write info, low, medium, high or critical",
        ),
        ("enable: [report-export]\ndisable:\n  - report-exp\n", "c.yml:3: report-exp: no such rule"),
        ("# nobody at all\nlevels:  # nobody\n  nobody: low\n", "c.yml:3: nobody: no such rule"),
        ("levels: [a]\n", "c.yml:1: `levels` is a map from rules to severities"),
        (
            "enable: [report-export]\ndisable: [report-export]\n",
            "c.yml:2: `enable` has report-export, too: only one of them can be meant",
        ),
        ("# ours\nrules: [nowhere]\n", "c.yml:2: `rules`: "),
        ("office_hours: {from: 8, to: \"18:00\"}\n", "`from: 8` is not a time; write it as \"08:00\""),
        ("lists: {embargoed_countries: [UK]}\n", "or GB for the United Kingdom"),
    ] {
        fs::write(&config, written).unwrap();
        let arguments = ["scan", "work", "--config", text(&config)];
        let wrong = jcdetect().current_dir(case.path()).args(arguments).assert().code(2);
        wrong.stderr(predicate::str::contains(want));
    }
}

/// A rule that is hunted with means what it means in a scan.
#[test]
fn a_hunt_with_a_rule_takes_its_lists_and_says_what_could_not_be_checked() {
    let case = case();
    let work = case.path().join("work");
    fs::create_dir(work.join("ours")).unwrap();
    let rule = "title: t\nname: from-vpn\nlogsource: {product: jumpcloud}\ndetection: {a: {source.ip|cidr|expand: '%vpn_networks%'}, condition: a}\n";
    fs::write(work.join("ours/from-vpn.yml"), rule).unwrap();
    let twice = "title: t\ncorrelation: {type: event_count, rules: [from-vpn], group-by: [source.ip], timespan: 1h, condition: {gte: 2}}\n";
    fs::write(work.join("twice.yml"), twice).unwrap();
    fs::write(work.join("jcdetect.yml"), "lists: {vpn_networks: [203.0.113.0/24]}\nrules: [ours]\n").unwrap();
    let hunt = |arguments: &[&str]| {
        let output =
            jcdetect().current_dir(&work).args(["hunt", "evidence", "--format", "jsonl"]).args(arguments).output();
        let output = output.unwrap();
        (String::from_utf8(output.stdout).unwrap().lines().count(), String::from_utf8(output.stderr).unwrap())
    };
    for rule in ["ours/from-vpn.yml", "twice.yml"] {
        let (found, told) = hunt(&["--sigma", rule]);
        assert!(found > 1 && told.contains("using "), "{rule}: {told}");
    }
    assert_eq!(hunt(&["--sigma", "ours/from-vpn.yml", "--no-config"]).0, 0);
    let named = hunt(&["--sigma", "ours/from-vpn.yml", "--config", "jcdetect.yml", "--quiet"]);
    assert!(named.0 > 1 && named.1.is_empty(), "{named:?}");
    assert!(!hunt(&["--where", "outcome == 'success'"]).1.contains("using "));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/successful-auth");
    let told = hunt(&["--sigma", text(&root.join("new-country-user.yml"))]).1;
    assert!(told.contains("new-country-user: What was read is too short for it"), "{told}");
    // What is about one event says it, too, if nothing was found.
    let one = |detection: &str, needs: &str| {
        let rule = format!(
            "title: t\nname: one\nlogsource: {{product: jumpcloud}}\ndetection: {{a: {{{detection}}}, condition: a}}\njcdetect: {{needs: [{needs}]}}\n"
        );
        fs::write(work.join("one.yml"), rule).unwrap();
        hunt(&["--sigma", "one.yml", "--no-config"])
            .1
            .lines()
            .filter(|line| line.contains("one: "))
            .collect::<Vec<_>>()
            .join("|")
    };
    assert_eq!(one("intel.matched: true", "intel"), "jcdetect: one: It is blind: it needs intel.");
    let listed = one("source.ip|cidr|expand: '%vpn_networks%'", "vpn_networks");
    assert_eq!(listed, "jcdetect: one: It is blind: it needs vpn_networks.");
    let unread = "jcdetect: one: None of the types of event that it looks at was read.";
    assert_eq!(one("event_type: radius_auth_attempt", ""), unread);
    assert_eq!(one("outcome: success", "intel"), "");
    let told = hunt(&["--sigma", text(&root.join("../sso-radius-ldap/radius-bruteforce.yml"))]).1;
    assert!(told.contains("radius-bruteforce: None of the types of event that it looks at was read"), "{told}");
}

/// A rule is called by its name or id, however its file is called and its id is written.
#[test]
fn a_hunt_finds_the_rules_that_its_rule_is_made_of() {
    let case = case();
    let work = case.path().join("work");
    fs::create_dir(work.join("ours")).unwrap();
    let id = "11111111-2222-4333-8444-55555555abcd";
    let part = format!(
        "title: t\nid: '{id}'  # a comment\nname: a-failure\nlogsource: {{product: jumpcloud}}\ndetection: {{a: {{outcome: failure}}, condition: a}}\n"
    );
    fs::write(work.join("ours/other.yml"), part).unwrap();
    fs::write(work.join("jcdetect.yml"), "rules: [ours]\n").unwrap();
    for names in ["a-failure", id, &format!("a-failure, {}", id.to_uppercase())] {
        let twice = format!(
            "title: t\ncorrelation: {{type: event_count, rules: [{names}], group-by: [actor.key], timespan: 1h, condition: {{gte: 2}}}}\n"
        );
        fs::write(work.join("twice.yml"), twice).unwrap();
        let mut hunt = jcdetect();
        hunt.current_dir(&work).args(["hunt", "evidence", "--sigma", "twice.yml", "--format", "jsonl"]);
        let output = hunt.assert().success().get_output().stdout.clone();
        assert!(String::from_utf8(output).unwrap().lines().count() > 1, "{names}");
    }
}

/// Without a rule nothing asks for the organization's networks but the events, so that a pipe is read once.
#[cfg(unix)]
#[test]
fn networks_for_a_hunt_may_come_through_a_pipe() {
    let case = case();
    let run = jcdetect()
        .current_dir(case.path())
        .args(["hunt", "work", "--known", "/dev/stdin", "--no-config"])
        .write_stdin("203.0.113.0/24 office\n")
        .assert();
    run.code(0).stdout(predicate::str::contains("9 of 9 events"));
}

#[test]
fn what_powershell_redirects_is_read_and_what_is_no_text_is_told() {
    let case = case();
    let work = case.path().join("work");
    let write = |name: &str, text: &str| {
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        fs::write(work.join(name), wide).unwrap();
    };
    let whole = report(&work, &["evidence", "--no-config"]);
    write("monday.json", &whole.to_string());
    write("mine.yml", DISABLE);
    fs::create_dir(work.join("rules")).unwrap();
    let rule = "title: A\nname: a\nlevel: low\nlogsource: {product: jumpcloud}\ndetection: {s: {outcome: success}, condition: s}\n";
    write("rules/a.yml", rule);
    let arguments = ["evidence", "--baseline", "monday.json", "--config", "mine.yml", "--rules", "rules"];
    let found = report(&work, &arguments);
    let found = found["findings"].as_array().unwrap();
    assert_eq!(rule_ids(found), ["success-after-bruteforce", "a"]);
    assert_eq!((&found[0]["status"], &found[1]["status"]), (&json!("known"), &json!("new")));
    let hunt = ["hunt", "evidence", "--sigma", "rules/a.yml", "--format", "jsonl"];
    let rows = jcdetect().current_dir(&work).args(hunt).output().unwrap().stdout;
    assert_eq!(String::from_utf8(rows).unwrap().lines().count(), 1);
    fs::write(work.join("mine.yml"), b"# caf\xc3\xa9\n# caf\xe9\n").unwrap();
    let said = "--config mine.yml: line 2 is not UTF-8: save it as UTF-8";
    jcdetect()
        .current_dir(&work)
        .args(["scan", "evidence", "--config", "mine.yml"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(said));
}

#[test]
fn the_page_names_the_rules_that_know_the_actors_of_automation_and_no_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let paragraph = page.split("\n\n").find(|paragraph| paragraph.contains("an actor of `automation_actors`")).unwrap();
    let named: BTreeSet<&str> = paragraph.split('`').skip(1).step_by(2).filter(|name| name.contains('-')).collect();

    let categories = fs::read_dir(root.join("rules")).unwrap().map(|entry| entry.unwrap().path());
    let files = categories.flat_map(|category| fs::read_dir(category).unwrap().map(|entry| entry.unwrap().path()));
    let knowing: Vec<_> =
        files.filter(|file| fs::read_to_string(file).unwrap().contains("%automation_actors%")).collect();
    let knowing: BTreeSet<&str> = knowing.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(named, knowing);
}
