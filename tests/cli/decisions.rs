//! What was decided before: baselines, answers, suppressions.

use std::fs;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines, sign_in};
use super::{findings, jcdetect, policy_gap, report, scan, scenario, text};

/// A folder with a guessed password in it.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { folder: TempDir::new().unwrap() };
        desk.with("log.jsonl", &lines(&guessed_password()));
        desk
    }

    fn with(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }
}

fn stderr(arguments: &[&str]) -> String {
    String::from_utf8(jcdetect().arg("scan").args(arguments).output().unwrap().stderr).unwrap()
}

fn statuses(findings: &[Value]) -> Vec<(&str, &str)> {
    findings.iter().map(|f| (f["rule_id"].as_str().unwrap(), f["status"].as_str().unwrap())).collect()
}

fn of<'f>(findings: &'f [Value], rule: &str) -> &'f Value {
    findings.iter().find(|finding| finding["rule_id"] == rule).unwrap()
}

#[test]
fn what_stood_in_an_earlier_report_is_known() {
    let desk = Desk::new();
    let log = desk.path("log.jsonl");
    assert!(statuses(&findings(&[&log])).iter().all(|(_, status)| *status == "new"));
    for format in ["json", "jsonl"] {
        let old = desk.with("old", &scan(&[&log, "--format", format]));
        let now = findings(&[&log, "--baseline", &old]);
        assert!(now.len() > 1 && statuses(&now).iter().all(|(_, status)| *status == "known"), "{now:#?}");
        jcdetect().args(["scan", &log, "--baseline", &old, "--fail-on", "low"]).assert().code(0);
        jcdetect().args(["scan", &log, "--fail-on", "low"]).assert().code(1);
    }
    let none = desk.with("none", "");
    assert!(statuses(&findings(&[&log, "--baseline", &none])).iter().all(|(_, status)| *status == "new"));
    let report = report(&[&log, "--baseline", &desk.with("old", &scan(&[&log, "--format", "json"]))]);
    assert_eq!(report["run"]["baseline"][0]["findings"], report["findings"].as_array().unwrap().len());
    assert!(scan(&[&log, "--baseline", &desk.path("old")]).contains(" known)"));
}

#[test]
fn an_export_that_has_rolled_on_has_the_same_findings() {
    let desk = Desk::new();
    // Twelve failures: the first five complete the first signal.
    let events: Vec<Value> = (1..=12).map(|n| sign_in(n, &format!("2026-03-02T09:{n:02}:00Z"), false)).collect();
    let first = desk.with("first.jsonl", &lines(&events[..10]));
    let later = desk.with("later.jsonl", &lines(&events[3..]));
    let old = desk.with("old", &scan(&[&first, "--format", "jsonl", "--evidence", "0"]));
    let now = findings(&[&later, "--baseline", &old]);
    let old: Vec<Value> = fs::read_to_string(old).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (then, now) = (of(&old, "bruteforce-user-portal"), of(&now, "bruteforce-user-portal"));
    assert_ne!(then["id"], now["id"]);
    assert_eq!(now["status"], "known");
}

#[test]
fn another_entity_or_organization_is_new() {
    let desk = Desk::new();
    let old = desk.with("old", &scan(&[&desk.path("log.jsonl"), "--format", "jsonl"]));
    let change = |from: &str, to: &str| desk.with("other.jsonl", &lines(&guessed_password()).replace(from, to));
    for (from, to) in [
        ("5dc058bc3f53f95e3972f03f", "5dc058bc3f53f95e39720000"),
        ("5f0000000000000000000001", "5f0000000000000000000002"),
    ] {
        let path = change(from, to);
        let now = findings(&[&path, "--baseline", &old]);
        // The name is still alice: only another organization makes another finding of it.
        let wanted = if from.starts_with("5d") { "new" } else { "known" };
        assert_eq!(of(&now, "success-after-bruteforce")["status"], wanted, "{from}");
    }
}

#[test]
fn something_else_of_the_same_person_is_new() {
    let desk = Desk::new();
    let admin = |number: u32, time: &str, event_type: &str, policy: &str| {
        json!({
            "id": format!("{number:024x}"), "organization": "5dc058bc3f53f95e3972f03f", "service": "directory",
            "event_type": event_type, "timestamp": time, "success": true, "mfa": true, "client_ip": "203.0.113.10",
            "geoip": {"country_code": "FR"}, "useragent": {"name": "Chrome", "os_name": "Mac OS X"},
            "initiated_by": {"id": "a1", "type": "admin", "email": "root@example.com"},
            "resource": {"type": "authn_policy", "id": policy, "name": policy},
        })
    };
    let deleted = |number: u32, time: &str, policy: &str| admin(number, time, "authnpolicy_delete", policy);
    let monday = vec![deleted(1, "2026-03-02T15:00:00Z", "Old test policy")];
    let status = |name: &str, more: Value, old: &str| -> Value {
        let events = [&monday[..], &[more]].concat();
        let now = findings(&[&desk.with(name, &lines(&events)), "--baseline", old]);
        of(&now, "cap-deleted")["status"].clone()
    };
    let old = desk.with("old", &scan(&[&desk.with("monday.jsonl", &lines(&monday)), "--format", "jsonl"]));
    assert_eq!(status("same.jsonl", deleted(2, "2026-03-03T14:00:00Z", "Old test policy"), &old), "known");
    assert_eq!(status("other.jsonl", deleted(2, "2026-03-03T14:00:00Z", "All admins need MFA"), &old), "new");
    let mut abroad = deleted(2, "2026-03-03T14:00:00Z", "Old test policy");
    abroad["geoip"]["country_code"] = "NG".into();
    assert_eq!(status("abroad.jsonl", abroad, &old), "new");
    let mut elsewhere = deleted(2, "2026-03-03T14:00:00Z", "Old test policy");
    elsewhere["client_ip"] = "203.0.113.99".into();
    assert_eq!(status("elsewhere.jsonl", elsewhere, &old), "known", "people change their address all day");
}

#[test]
fn a_yes_closes_and_a_no_raises() {
    let desk = Desk::new();
    let source = policy_gap();
    let before = findings(&[&source]);
    let question = |rule: &str| of(&before, rule)["id"].as_str().unwrap().to_owned();
    let (closed, raised, unsure) =
        (question("mfa-exclusion-added"), question("cap-deleted"), question("mfa-exclusion-long"));
    let answers = desk.with(
        "answers.csv",
        &format!("finding id,answer,who,when\n{closed},yes,carla,2026-03-12\n{raised},NO,ops,2026-03-12T08:00:00Z\n{unsure},not sure,ops,2026-03-12\nffff,yes,ops,2026-03-12\n"),
    );
    let after = findings(&[&source, "--answers", &answers]);
    assert_eq!(before.len(), after.len());
    let yes = of(&after, "mfa-exclusion-added");
    assert_eq!(
        (&yes["status"], &yes["suppressed_by"]["kind"], &yes["answer"]["who"]),
        (&"suppressed".into(), &"answer".into(), &"carla".into())
    );
    assert_eq!((&yes["disposition"], &yes["case_id"]), (&"duet".into(), &Value::Null));
    let no = of(&after, "cap-deleted");
    assert_eq!(
        (&no["status"], &no["disposition"], &no["severity"], &no["answer"]["answer"]),
        (&"new".into(), &"triage".into(), &"high".into(), &"no".into())
    );
    assert!(no["summary"].as_str().unwrap().ends_with("; ops says no: this was not expected"));
    assert_eq!(of(&after, "mfa-exclusion-long")["disposition"], "triage");
    // Triage first, then what is still asked.
    assert!(after.is_sorted_by_key(|finding| finding["disposition"] == "duet"));
    jcdetect()
        .args(["scan", &source, "--answers", &answers])
        .assert()
        .code(0)
        .stderr(predicate::str::contains("answers.csv: 1 of 4 answers fit no question of this run (ffff)"))
        .stdout(predicate::str::contains("; 1 suppressed;"));
    // A raised question fails a run; before it took --fail-on-duet.
    let only = |answers: &[&str]| {
        let silent = ["cap-flip-flop", "chain-cap-off-untrusted-login", "risk-score-entity"];
        let rules = silent.iter().flat_map(|rule| ["--disable", rule]).chain(["--fail-on", "high"]);
        jcdetect().arg("scan").arg(&source).args(rules).args(answers).output().unwrap().status.code()
    };
    assert_eq!((only(&[]), only(&["--answers", &answers])), (Some(0), Some(1)));
}

#[test]
fn the_worst_answer_counts_and_an_old_yes_closes_nothing_that_came_after_it() {
    let desk = Desk::new();
    let source = policy_gap();
    let before = findings(&[&source]);
    let id = of(&before, "cap-deleted")["id"].as_str().unwrap();
    let row = |answer: &str, when: &str| {
        format!("{{\"finding_id\":\"{id}\",\"answer\":\"{answer}\",\"who\":\"ops\",\"when\":\"{when}\"}}\n")
    };
    let with = |text: &str| of(&findings(&[&source, "--answers", &desk.with("a.jsonl", text)]), "cap-deleted").clone();
    let both = with(&(row("no", "2026-03-11") + &row("yes", "2026-03-12")));
    assert_eq!(both["disposition"], "triage");
    let early = with(&row("yes", "2026-03-10T22:00:00Z"));
    assert_eq!((&early["status"], &early["answer"]["outdated"]), (&"new".into(), &true.into()));
    assert_eq!(with(&row("yes", "2026-03-10T23:00:00Z"))["status"], "suppressed");
    // A date is the whole day.
    assert_eq!(with(&row("yes", "2026-03-10"))["status"], "suppressed");
    assert_eq!(with(&row("yes", "2026-03-09"))["status"], "new");
}

#[test]
fn as_much_of_an_id_as_a_table_shows_is_enough() {
    let desk = Desk::new();
    let source = policy_gap();
    let before = findings(&[&source]);
    let id = of(&before, "cap-deleted")["id"].as_str().unwrap();
    let answered = |id: &str| desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},yes,ops,2026-03-12\n"));
    for (id, status) in [
        (&id[..8], "suppressed"),
        (&id.to_uppercase()[..6], "suppressed"),
        (&id.to_uppercase()[..], "suppressed"),
        (&id[..5], "new"),
    ] {
        assert_eq!(of(&findings(&[&source, "--answers", &answered(id)]), "cap-deleted")["status"], status, "{id}");
    }
    // An earlier report with another finding that begins like that.
    let other = format!("{}{}", &id[..8], "0".repeat(24));
    let old = scan(&[&source, "--format", "jsonl"])
        .replace(of(&before, "mfa-exclusion-added")["id"].as_str().unwrap(), &other);
    let (old, answers) = (desk.with("old.jsonl", &old), answered(&id[..8]));
    jcdetect().args(["scan", &source, "--baseline", &old, "--answers", &answers]).assert().code(2).stdout("").stderr(
        predicate::str::contains(format!("a.csv:2: {}: ", &id[..8]))
            .and(predicate::str::contains(other))
            .and(predicate::str::contains(id)),
    );
    assert_eq!(
        of(&findings(&[&source, "--baseline", &old, "--answers", &answered(id)]), "cap-deleted")["status"],
        "suppressed"
    );
}

#[test]
fn an_answer_outlives_the_id_of_its_finding() {
    let desk = Desk::new();
    let source = policy_gap();
    let messages = desk.path("messages");
    let old = desk
        .with("old.jsonl", &scan(&[&source, "--format", "jsonl", "--quiet", "--output", &format!("duet={messages}")]));
    let told = fs::read_to_string(&old).unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let id = of(&told, "cap-deleted")["id"].as_str().unwrap().to_owned();
    // As if the first completing event had rolled out of the export, and the id with it.
    let text = fs::read_to_string(&old).unwrap().replace(&id, &"0".repeat(32));
    let old = desk.with("old.jsonl", &text);
    let bare = desk.with("bare.csv", &format!("id,answer,who,when\n{},yes,ops,2026-03-12\n", "0".repeat(32)));
    assert_eq!(of(&findings(&[&source, "--answers", &bare]), "cap-deleted")["status"], "new");
    assert_eq!(
        of(&findings(&[&source, "--answers", &bare, "--baseline", &old]), "cap-deleted")["status"],
        "suppressed"
    );
    // The reply of a message carries what it needs.
    let file = fs::read_dir(&messages)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().ends_with(".json") && p.to_string_lossy().contains("security"))
        .unwrap();
    let mut message: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    for question in message["questions"].as_array_mut().unwrap() {
        let reply = &mut question["reply"];
        if reply["rule_id"] == "cap-deleted" {
            (reply["finding_id"], reply["answer"]) = ("0".repeat(32).into(), "yes".into());
            (reply["who"], reply["when"]) = ("ops".into(), "2026-03-12".into());
        }
    }
    let filled = desk.with("filled.json", &format!("{message:#}"));
    assert_eq!(of(&findings(&[&source, "--answers", &filled]), "cap-deleted")["status"], "suppressed");
}

/// Each day the first event falls out of the export, and the id changes; yesterday's report knows what was answered.
#[test]
fn an_answer_by_its_id_alone_holds_for_as_long_as_the_finding_rolls_on() {
    let desk = Desk::new();
    let times = ["10T20", "11T19", "12T18", "13T17", "14T16"].map(|at| format!("2026-03-{at}:00:00Z"));
    let of_days = |days: &[String]| {
        deletions(&days.iter().map(|time| ("authnpolicy", time.as_str(), "Old policy")).collect::<Vec<_>>())
    };
    let export = |from: usize, to: usize| {
        let lines: Vec<String> = of_days(&times[..to]).lines().skip(from).map(str::to_owned).collect();
        desk.with(&format!("{from}.jsonl"), &(lines.join("\n") + "\n"))
    };
    let asked = desk.with("0.json", &scan(&[&export(0, 3), "--format", "json"]));
    let id = of(&findings(&[&export(0, 3)]), "cap-deleted")["id"].as_str().unwrap().to_owned();
    let no = desk.with("a.csv", &format!("finding_id,answer,who,when\n{},no,ops,2026-03-13\n", &id[..8]));
    let mut baseline = asked;
    for day in 0..3 {
        let log = export(day, 3 + day);
        let text = scan(&[&log, "--baseline", &baseline, "--answers", &no, "--format", "json"]);
        let told: Value = serde_json::from_str(&text).unwrap();
        let finding = of(told["findings"].as_array().unwrap(), "cap-deleted").clone();
        assert_eq!(
            (&finding["disposition"], &finding["answer"]["finding_id"]),
            (&"triage".into(), &id.as_str().into())
        );
        assert_eq!(finding["id"] == id.as_str(), day == 0);
        baseline = desk.with(&format!("report{day}.json"), &text);
    }
}

/// An administrator who deletes things of these types at these times.
fn deletions(of: &[(&str, &str, &str)]) -> String {
    let admin = serde_json::json!({"type": "admin", "email": "ops@example.com", "id": "bf705d8039649cb62b6d89f7"});
    let event = |(n, (kind, time, name)): (usize, &(&str, &str, &str))| {
        serde_json::json!({
            "id": format!("e{n}"), "event_type": format!("{kind}_delete"), "service": "directory", "timestamp": time,
            "organization": "5dc058bc3f53f95e3972f03f", "initiated_by": admin, "success": true, "client_ip": "203.0.113.10",
            "auth_method": "session", "resource": {"type": kind, "id": format!("r{n}"), "name": name},
        })
    };
    lines(&of.iter().enumerate().map(event).collect::<Vec<_>>())
}

#[test]
fn what_came_after_a_question_is_open_whenever_the_yes_was_given() {
    let desk = Desk::new();
    let all = [
        ("authnpolicy", "2026-03-10T20:00:00Z", "Old test policy"),
        ("authnpolicy", "2026-03-11T15:00:00Z", "Admin portal needs MFA"),
    ];
    let (monday, tuesday) =
        (desk.with("monday.jsonl", &deletions(&all[..1])), desk.with("tuesday.jsonl", &deletions(&all)));
    let old = desk.with("old", &scan(&[&monday, "--format", "json"]));
    let id = of(&findings(&[&monday]), "cap-deleted")["id"].as_str().unwrap().to_owned();
    let yes = |when: &str| desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},yes,ops,{when}\n"));
    let status = |when: &str| {
        of(&findings(&[&tuesday, "--baseline", &old, "--answers", &yes(when)]), "cap-deleted")["status"].clone()
    };
    // The report that was answered shows one of the two deletions.
    assert_eq!(status("2026-03-11T09:00:00Z"), "new");
    assert_eq!(status("2026-03-11T16:00:00Z"), "new");
    // Nor does the next report make it an answer to what it came too late for; another answer is one to that report.
    let late = yes("2026-03-11T16:00:00Z");
    let next = desk.with("next", &scan(&[&tuesday, "--baseline", &old, "--answers", &late, "--format", "json"]));
    let both = format!("{}{id},yes,ops,2026-03-12\n", fs::read_to_string(&late).unwrap());
    let both = desk.with("both.csv", &both);
    for baselines in [vec![&next], vec![&old, &next], vec![&next, &old]] {
        let closed = |answers: &String| {
            let mut arguments: Vec<&str> = vec![&tuesday, "--answers", answers];
            baselines.iter().for_each(|baseline| arguments.extend(["--baseline", baseline]));
            of(&findings(&arguments), "cap-deleted")["status"].clone()
        };
        assert_eq!((closed(&late), closed(&both)), ("new".into(), "suppressed".into()), "{baselines:?}");
    }
    // Of an id alone nobody knows what was shown.
    let bare = |when: &str| of(&findings(&[&tuesday, "--answers", &yes(when)]), "cap-deleted")["status"].clone();
    assert_eq!(bare("2026-03-11T09:00:00Z"), "new");
    assert_eq!(bare("2026-03-11T16:00:00Z"), "suppressed");
    jcdetect()
        .args(["scan", &tuesday, "--baseline", &old, "--answers", &yes("2026-03-11T09:00:00Z")])
        .args(["--fail-on", "low", "--fail-on-duet"])
        .assert()
        .code(1);
}

#[test]
fn a_no_is_new_once() {
    let desk = Desk::new();
    let log = desk.with("log.jsonl", &deletions(&[("authnpolicy", "2026-03-10T20:00:00Z", "Old test policy")]));
    let asked = desk.with("asked", &scan(&[&log, "--format", "json"]));
    let id = of(&findings(&[&log]), "cap-deleted")["id"].as_str().unwrap().to_owned();
    let no = desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},no,ops,2026-03-11\n"));
    let raised = scan(&[&log, "--baseline", &asked, "--answers", &no, "--format", "json"]);
    let status = |report: &str| serde_json::from_str::<Value>(report).unwrap()["findings"][0]["status"].clone();
    assert_eq!(status(&raised), "new");
    let raised = desk.with("raised", &raised);
    let again = scan(&[&log, "--baseline", &raised, "--answers", &no, "--format", "json"]);
    assert_eq!(status(&again), "known");
    jcdetect().args(["scan", &log, "--baseline", &raised, "--answers", &no, "--fail-on", "high"]).assert().code(0);
}

/// The answer comes a day after the question, when its event stands in the history.
#[test]
fn a_no_raises_what_was_asked_in_the_history() {
    let desk = Desk::new();
    let monday = desk.with("monday.jsonl", &deletions(&[("authnpolicy", "2026-03-10T20:00:00Z", "Old test policy")]));
    let tuesday = desk.with("tuesday.jsonl", &lines(&[sign_in(7, "2026-03-11T09:00:00Z", true)]));
    let asked = desk.with("asked", &scan(&[&monday, "--format", "json"]));
    let id = of(&findings(&[&monday]), "cap-deleted")["id"].as_str().unwrap().to_owned();
    let answered = |word: &str| {
        let answers = desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},{word},ops,2026-03-11\n"));
        let arguments = ["scan", &tuesday, "--history", &monday, "--answers", &answers, "--format", "json"];
        let with = move |baseline: &str, fails_with: i32| {
            let fixed = ["--baseline", baseline, "--fail-on", "high"];
            let out = jcdetect().args(arguments).args(fixed).assert().code(fails_with).get_output().clone();
            let (told, beside) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
            assert!(!beside.contains("fit no question"), "{beside}");
            told
        };
        with(&asked, i32::from(word != "yes"))
    };
    let found = |report: &str| serde_json::from_str::<Value>(report).unwrap()["findings"].as_array().unwrap().clone();
    assert_eq!(found(&answered("yes")).len(), 0);
    let raised = answered("no");
    let finding = &found(&raised)[0];
    assert_eq!((&finding["id"], &finding["status"]), (&id.as_str().into(), &"new".into()));
    assert_eq!((&finding["disposition"], &finding["severity"]), (&"triage".into(), &"high".into()));
    // It stays in the report, known, as long as the answer is given.
    let raised = desk.with("raised", &raised);
    let no = desk.path("a.csv");
    let again = ["--history", &monday, "--answers", &no, "--baseline", &raised, "--format", "json"];
    let again = found(&scan(&[&[tuesday.as_str()], &again[..]].concat()));
    assert_eq!((again.len(), &again[0]["status"]), (1, &"known".into()));
}

#[test]
fn the_next_account_that_an_address_gets_into_is_new() {
    let desk = Desk::new();
    let attempt = |n: u32, is_in: bool| {
        json!({
            "id": format!("r{n}"), "organization": "o", "service": "directory", "event_type": "user_login_attempt", "success": is_in,
            "timestamp": format!("2026-03-02T{:02}:{:02}:00Z", 9 + n / 60, n % 60), "client_ip": "203.0.113.77",
            "initiated_by": {"id": format!("5f{:022}", n % 50), "type": "user", "username": format!("user{}", n % 50)},
        })
    };
    let mut events: Vec<Value> = (10..40).map(|n| attempt(n, false)).chain([attempt(45, true)]).collect();
    let first = desk.with("first.jsonl", &lines(&events));
    let old = desk.with("old", &scan(&[&first, "--format", "json"]));
    let status = |events: &[Value]| {
        let now = desk.with("now.jsonl", &lines(events));
        of(&findings(&[&now, "--baseline", &old]), "success-after-spray")["status"].clone()
    };
    // The same account again, and then one that was only tried before.
    events.push(attempt(95, true));
    assert_eq!(status(&events), "known");
    events.push(attempt(61, true));
    assert_eq!(status(&events), "new");
}

#[test]
fn what_gets_worse_is_new_and_what_only_grows_is_known() {
    let desk = Desk::new();
    let all = [
        ("policy", "2026-03-10T16:00:00Z", "Wallpaper"),
        ("policy", "2026-03-11T03:00:00Z", "Wallpaper"),
        ("policy", "2026-03-11T03:00:30Z", "BitLocker Full Disk Encryption"),
    ];
    let of_first = |count: usize| desk.with(&format!("{count}.jsonl"), &deletions(&all[..count]));
    let old = desk.with("old", &scan(&[&of_first(1), "--format", "json"]));
    let now = |count: usize| of(&findings(&[&of_first(count), "--baseline", &old]), "policy-deleted").clone();
    let (grown, worse) = (now(2), now(3));
    assert_eq!((&grown["event_count"], &grown["severity"]), (&2.into(), &"medium".into()));
    assert_eq!((&worse["event_count"], &worse["severity"]), (&3.into(), &"high".into()));
    assert_eq!((&grown["status"], &worse["status"]), (&"known".into(), &"new".into()));
    // Once it was told as that bad, it is known again.
    let old = desk.with("old", &scan(&[&of_first(3), "--baseline", &old, "--format", "json"]));
    assert_eq!(of(&findings(&[&of_first(3), "--baseline", &old]), "policy-deleted")["status"], "known");
}

const ENTRY: &str = "suppress:\n  - rule: success-after-bruteforce\n    match: {entity: alice, source: 203.0.113.0/24}\n    reason: a test of the help desk\n    owner: ops@example.com\n    expires: 2026-03-02\n";

#[test]
fn a_sum_of_what_was_put_away_is_put_away() {
    let desk = Desk::new();
    let source = text(&scenario("bruteforce")).to_owned();
    let status = |rules: &[&str]| {
        let entry = |rule: &&str| {
            format!("  - {{rule: {rule}, match: {{entity: walter.weber}}, reason: a test, expires: 2026-12-31}}\n")
        };
        let entries: String = rules.iter().map(entry).collect();
        let found = findings(&[&source, "--config", &desk.with("jcdetect.yml", &format!("suppress:\n{entries}"))]);
        let is_sum = |f: &&Value| f["rule_id"] == "risk-score-entity";
        let of =
            |name: &str| found.iter().filter(is_sum).find(|f| f["entity"]["name"] == name).unwrap()["status"].clone();
        (of("walter.weber"), of("ops@example.com"))
    };
    let parts = ["success-after-bruteforce", "new-country-user", "user-login-no-mfa-where-others-use-it"];
    let (own, others) = status(&parts);
    assert_eq!((own, others), ("suppressed".into(), "new".into()));
    assert_eq!(status(&parts[1..2]).0, "new", "what is left is enough");
}

#[test]
fn an_entry_puts_findings_away_and_says_so() {
    let desk = Desk::new();
    let (log, config) = (desk.path("log.jsonl"), desk.with("jcdetect.yml", ENTRY));
    let report = report(&[&log, "--config", &config]);
    let found = report["findings"].as_array().unwrap();
    let hidden = of(found, "success-after-bruteforce");
    assert_eq!(hidden["status"], "suppressed");
    let by = &hidden["suppressed_by"];
    assert_eq!(
        (&by["kind"], &by["reason"], &by["owner"], &by["expires"]),
        (&"entry".into(), &"a test of the help desk".into(), &"ops@example.com".into(), &"2026-03-02".into())
    );
    assert!(by["place"].as_str().unwrap().ends_with("jcdetect.yml:2"));
    assert_eq!(
        (&report["run"]["suppressions"][0]["state"], &report["run"]["suppressions"][0]["findings"]),
        (&"used".into(), &1.into())
    );
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().all(|case| !case["finding_ids"].as_array().unwrap().contains(&hidden["id"])));
    let table = scan(&[&log, "--config", &config]);
    assert!(!table.contains("[success-after-bruteforce") && table.contains("; 1 suppressed;"), "{table}");
    jcdetect().args(["scan", &log, "--config", &config, "--fail-on", "critical"]).assert().code(0);
}

/// An address is the same however it is spelled.
#[test]
fn an_entry_names_an_address_in_any_spelling() {
    let desk = Desk::new();
    let mut events = guessed_password();
    events.iter_mut().for_each(|event| event["client_ip"] = "2001:db8::1".into());
    let log = desk.with("six.jsonl", &lines(&events));
    let config = desk.with("c.yml", &ENTRY.replace("203.0.113.0/24", "'2001:0DB8:0:0::1'"));
    let found = findings(&[&log, "--config", &config]);
    assert_eq!(of(&found, "success-after-bruteforce")["status"], "suppressed");
}

/// What an address of IPv6 is about is its link: the finding is known again whichever address came first, and an entry
/// that names one address puts it away.
#[test]
fn a_finding_about_a_link_is_the_same_whichever_address_came_first() {
    let desk = Desk::new();
    let mut events = guessed_password();
    events.pop();
    let tried: Vec<Value> = (0..40)
        .map(|n: usize| {
            let mut event = events[n % events.len()].clone();
            event["id"] = format!("spray{n}").into();
            event["timestamp"] = format!("2026-03-02T10:{:02}:{:02}Z", n / 6, n % 6 * 10).into();
            event["initiated_by"] = serde_json::json!({"type": "user", "username": format!("user{n}")});
            event["client_ip"] = format!("2001:db8:1:2::{n:x}").into();
            event
        })
        .collect();
    let (all, later) = (desk.with("all.jsonl", &lines(&tried)), desk.with("later.jsonl", &lines(&tried[1..])));
    let old = desk.with("old.json", &scan(&[&all, "--format", "json"]));
    let found = findings(&[&later, "--baseline", &old]);
    let spray = of(&found, "password-spray-single-ip");
    assert_eq!((&spray["entity"]["id"], &spray["status"]), (&"2001:db8:1:2::/64".into(), &"known".into()));
    let entry = ENTRY.replace("success-after-bruteforce", "password-spray-single-ip");
    let config = desk.with("c.yml", &entry.replace("alice, source: 203.0.113.0/24", "'2001:db8:1:2::9'"));
    assert_eq!(of(&findings(&[&all, "--config", &config]), "password-spray-single-ip")["status"], "suppressed");
}

#[test]
fn what_an_entry_had_put_away_is_new_when_it_expires_and_what_a_yes_closed_is_known() {
    let desk = Desk::new();
    let all = [("policy", "2026-03-10T16:00:00Z", "Wallpaper"), ("policy", "2026-03-11T03:00:00Z", "Dock")];
    let (monday, tuesday) =
        (desk.with("monday.jsonl", &deletions(&all[..1])), desk.with("tuesday.jsonl", &deletions(&all)));
    let entry = ENTRY.replace("success-after-bruteforce", "policy-deleted").replace("2026-03-02", "2026-03-10");
    let config = desk.with("c.yml", &entry.replace("alice, source: 203.0.113.0/24", "ops@example.com"));
    let old = desk.with("old", &scan(&[&monday, "--config", &config, "--format", "json"]));
    let now = findings(&[&tuesday, "--config", &config, "--baseline", &old]);
    assert_eq!(of(&now, "policy-deleted")["status"], "new");
    // The answered report keeps an answer, but not for what came after it.
    let id = of(&now, "policy-deleted")["id"].as_str().unwrap().to_owned();
    let yes = desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},yes,ops,2026-03-10T17:00:00Z\n"));
    let old = desk.with("old", &scan(&[&monday, "--answers", &yes, "--format", "json"]));
    assert!(fs::read_to_string(&old).unwrap().contains("\"suppressed\""));
    assert_eq!(of(&findings(&[&monday, "--baseline", &old]), "policy-deleted")["status"], "known");
    assert_eq!(of(&findings(&[&tuesday, "--baseline", &old]), "policy-deleted")["status"], "new");
}

#[test]
fn a_no_counts_more_than_an_entry() {
    let desk = Desk::new();
    let log = desk.with("deleted.jsonl", &deletions(&[("policy", "2026-03-10T16:00:00Z", "Wallpaper")]));
    let entry = ENTRY.replace("success-after-bruteforce", "policy-deleted").replace("2026-03-02", "2026-12-31");
    let config = desk.with("c.yml", &entry.replace("alice, source: 203.0.113.0/24", "ops@example.com"));
    let id = of(&findings(&[&log]), "policy-deleted")["id"].as_str().unwrap().to_owned();
    for (answer, status, state) in
        [("no", "new", "overruled"), ("not sure", "new", "overruled"), ("yes", "suppressed", "used")]
    {
        let file = desk.with("a.csv", &format!("finding_id,answer,who,when\n{id},{answer},ops,2026-03-11\n"));
        let report = report(&[&log, "--config", &config, "--answers", &file]);
        assert_eq!(of(report["findings"].as_array().unwrap(), "policy-deleted")["status"], status, "{answer}");
        assert_eq!(report["run"]["suppressions"][0]["state"], state, "{answer}");
        let told = "matches 1 of the findings that were answered \"no\" or \"not sure\"; these stay visible";
        let is_told = predicate::str::contains(told).eval(&stderr(&[&log, "--config", &config, "--answers", &file]));
        assert_eq!(is_told, status == "new", "{answer}");
    }
}

#[test]
fn an_entry_does_not_cover_a_stranger_beside_the_known() {
    let desk = Desk::new();
    let mut events = guessed_password();
    events[2]["client_ip"] = "198.51.100.7".into();
    let (log, config) = (desk.with("two.jsonl", &lines(&events)), desk.with("jcdetect.yml", ENTRY));
    assert_eq!(of(&findings(&[&log, "--config", &config]), "success-after-bruteforce")["status"], "new");
}

#[test]
fn expired_and_unused_entries_are_told() {
    let desk = Desk::new();
    let log = desk.path("log.jsonl");
    let old = desk.with("old.yml", &ENTRY.replace("2026-03-02", "2026-03-01"));
    assert_eq!(of(&findings(&[&log, "--config", &old]), "success-after-bruteforce")["status"], "new");
    assert_eq!(report(&[&log, "--config", &old])["run"]["suppressions"][0]["state"], "expired");
    // Messages have the path as it was typed, a report does not.
    assert!(stderr(&[&log, "--config", &old]).contains(&format!(
        "{old}:2: the suppression of success-after-bruteforce (a test of the help desk, owner ops@example.com) ended on 2026-03-01"
    )));
    let early = report(&[&log, "--config", &old, "--now", "2026-03-01"]);
    assert_eq!(early["run"]["suppressions"][0]["state"], "used");
    assert_eq!(early["run"]["now"], "2026-03-01T00:00:00Z");
    assert_eq!(
        report(&[&log, "--config", &desk.with("jcdetect.yml", ENTRY), "--now", "2026-03-03"])["run"]["suppressions"][0]
            ["state"],
        "expired"
    );
    jcdetect()
        .args(["scan", &log, "--now", "today"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--now today: no time"));
    let unused = desk.with("unused.yml", &ENTRY.replace("alice", "zoe"));
    assert_eq!(report(&[&log, "--config", &unused])["run"]["suppressions"][0]["state"], "unused");
    jcdetect()
        .args(["scan", &log, "--config", &unused])
        .assert()
        .stderr(predicate::str::contains("fits no finding of this run"));
    jcdetect().args(["scan", &log, "--config", &unused, "--quiet"]).assert().stderr("");
}

/// A long list that fits nothing does not bury the rest.
#[test]
fn unused_suppressions_are_told_and_then_counted() {
    let desk = Desk::new();
    let (log, head) = (desk.path("log.jsonl"), "suppress:\n");
    let entry = ENTRY.replace("alice", "zoe").replace(head, "");
    let many = desk.with("many.yml", &format!("{head}{}", entry.repeat(400)));
    let output = jcdetect().args(["scan", &log, "--config", &many]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("fits no finding of this run").count(), 5, "{told}");
    assert!(told.contains("395 more suppressions fit no finding of this run"), "{told}");
}

#[test]
fn two_for_decisions_that_cannot_be_read() {
    let desk = Desk::new();
    let log = desk.path("log.jsonl");
    for (flag, name, content, want) in [
        ("--baseline", "b", "id,answer\n", "b:1: this is no JSON; name a report that"),
        ("--baseline", "b", "{\"event_type\":\"x\"}\n", "b:1: no finding of jcdetect; name a report that"),
        ("--answers", "a", "x,y\n1,2\n", "a:1: an answers file is JSON Lines, or CSV with the columns"),
        (
            "--answers",
            "a",
            "id,answer,who,when\n1,perhaps,x,2026-01-01\n",
            "a:2: answer \"perhaps\": write yes, no or not sure",
        ),
        (
            "--config",
            "c",
            &ENTRY.replace("success-after-bruteforce", "sucess-after-bruteforce"),
            "c:2: sucess-after-bruteforce: no such rule; did you mean `success-after-bruteforce`?",
        ),
        (
            "--config",
            "c",
            &ENTRY.replace("    reason", "    raison"),
            "c:4: an entry of `suppress` has no key `raison`; did you mean `reason`?",
        ),
        ("--config", "c", &ENTRY.replace("2026-03-02", "never"), "c:6: expires: never: write the last day"),
        ("--config", "c", "supress: []\n", "c:1: no key `supress`; did you mean `suppress`?"),
        ("--config", "c", "cases: {within: long}\n", "c:1: within: long: write 12h or 1d"),
        (
            "--config",
            "c",
            "contacts:\n  securty: x\n",
            "c:2: `contacts` has no key `securty`; did you mean `security`?",
        ),
        ("--config", "c", "contacts:\n  owners: [x]\n", "c:2: `owners` is a map from names to addresses"),
    ] {
        let path = desk.with(name, content);
        jcdetect().args(["scan", &log, flag, &path]).assert().code(2).stderr(predicate::str::contains(want)).stdout("");
    }
    jcdetect()
        .args(["scan", &log, "--baseline", "/no/such/file"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--baseline /no/such/file: No such file"));
}
