//! Cases: findings that tell one story, and those that only seem to.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{lines, sign_in};
use super::{jcdetect, report, scan, scenario, text};

fn written(events: &[Value]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log.jsonl");
    fs::write(&path, lines(events)).unwrap();
    let path = text(&path).to_owned();
    (folder, path)
}

/// Titles of the cases.
fn titles(report: &Value) -> Vec<&str> {
    report["cases"].as_array().unwrap().iter().map(|case| case["title"].as_str().unwrap()).collect()
}

/// Eight failures of somebody, and a success without a second factor.
fn guessed(number: u32, user: &str, ip: &str, hour: u32) -> Vec<Value> {
    let times = (1..=9).map(|n| (n, format!("2026-03-02T{hour:02}:0{n}:00Z"), n == 9));
    times
        .map(|(n, time, success)| {
            let mut event = sign_in(number + n, &time, success);
            event["initiated_by"] = json!({"id": format!("5f{:022x}", user.len() * 1000 + number as usize), "type": "user", "username": user});
            event["client_ip"] = ip.into();
            event["mfa"] = false.into();
            event
        })
        .collect()
}

#[test]
fn a_story_is_one_case_in_order_with_a_score_that_adds_up() {
    let report = report(&[text(&scenario("admin-takeover"))]);
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1);
    let case = &cases[0];
    assert_eq!(
        (&case["severity"], &case["title"]),
        (&"critical".into(), &"Administrator account taken over: root@example.com".into())
    );
    assert_eq!(case["entities"][0]["name"], "root@example.com");
    assert_eq!(case["entities"][0]["type"], "admin");
    let findings = report["findings"].as_array().unwrap();
    let own: Vec<&Value> = findings.iter().filter(|f| f["case_id"] == case["id"]).map(|f| &f["id"]).collect();
    assert_eq!(own, case["finding_ids"].as_array().unwrap().iter().collect::<Vec<_>>());
    let lines = case["score_lines"].as_array().unwrap();
    let sum: u64 = lines.iter().map(|line| line["points"].as_u64().unwrap()).sum();
    assert_eq!(case["score"], sum);
    assert!(lines.iter().any(|line| line["reason"] == "an administrator is part of it"), "{lines:#?}");
    let story: Vec<&str> = case["story"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    assert!(
        story[0].starts_with("2026-03-10 10:20:40 UTC, Initial Access: Administrator in two places at once"),
        "{story:#?}"
    );
    assert!(story.last().unwrap().contains("Stealth: Command results are deleted"), "{story:#?}");
    assert!(story.is_sorted(), "{story:#?}");
    let steps = case["steps"].as_array().unwrap();
    assert_eq!(steps.len(), story.len());
    let told: Vec<&Value> = steps.iter().flat_map(|step| step["finding_ids"].as_array().unwrap()).collect();
    let adds_up = |id: &&Value| findings.iter().any(|f| f["id"] == **id && f["rule_id"] == "risk-score-entity");
    let (mut told, mut own) = (told, own.into_iter().filter(|id| !adds_up(id)).collect::<Vec<_>>());
    told.sort_by_key(|id| id.as_str());
    own.sort_by_key(|id| id.as_str());
    assert_eq!(told, own, "each finding is in one step");
    let step = &steps[0];
    let first = &step["finding_ids"][0].as_str().unwrap()[..8];
    let table = scan(&[text(&scenario("admin-takeover"))]).split_whitespace().collect::<Vec<_>>().join(" ");
    let rules: Vec<&str> = step["rule_ids"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    assert!(table.contains(&format!("[{}] {first}", rules.join(", "))), "{table}");
    assert!(case["first_action"].as_str().unwrap().starts_with("Contain first"));
    assert!(case["first_seen"].as_str() <= case["last_seen"].as_str());
}

#[test]
fn neither_order_nor_split_nor_threads_change_a_case() {
    for name in ["admin-takeover", "policy-gap", "spray-one-hit", "extortion"] {
        let whole = report(&[text(&scenario(name))]);
        let events = fs::read_to_string(scenario(name).join("events.jsonl")).unwrap();
        let mut events: Vec<&str> = events.lines().collect();
        events.reverse();
        let folder = TempDir::new().unwrap();
        let (odd, even): (Vec<_>, Vec<_>) = events.iter().enumerate().partition(|(n, _)| n % 2 == 1);
        for (name, part) in [("a.jsonl", odd), ("b.jsonl", even)] {
            let part: Vec<&str> = part.into_iter().map(|(_, line)| *line).collect();
            fs::write(folder.path().join(name), part.join("\n")).unwrap();
        }
        for threads in ["1", "3"] {
            let other = report(&[text(folder.path()), "--threads", threads, "--partition", "1h"]);
            assert_eq!(whole["cases"], other["cases"], "{name}, {threads}");
            assert_ne!(whole["cases"], json!([]), "{name}");
        }
    }
}

#[test]
fn an_attackers_address_ties_and_that_of_an_office_does_not() {
    let attacked = [guessed(100, "alice", "203.0.113.9", 9), guessed(200, "robert", "203.0.113.9", 10)].concat();
    let (_folder, path) = written(&attacked);
    assert_eq!(titles(&report(&[&path])).len(), 1);
    // The same, and two colleagues on whom nothing is found sign in from there.
    let mut office = attacked;
    for (number, name) in [(300, "carol"), (400, "dominic")] {
        let mut event = guessed(number, name, "203.0.113.9", 11).remove(8);
        event["success"] = true.into();
        office.push(event);
    }
    let (_folder, path) = written(&office);
    let report = report(&[&path]);
    let mut found = titles(&report);
    found.sort_unstable();
    assert_eq!(
        found,
        ["Sign-in succeeds after a burst of failures: alice", "Sign-in succeeds after a burst of failures: robert"]
    );
}

/// Where nobody was before the day of the findings, whoever else is there may be one more victim.
#[test]
fn an_address_that_is_new_ties_also_where_others_come_from_it() {
    let signs_in = |number: u32, name: &str, ip: &str, time: &str| {
        let mut event = guessed(number, name, ip, 11).remove(8);
        event["id"] = format!("{number:024x}").into();
        event["timestamp"] = time.into();
        event["mfa"] = true.into();
        event
    };
    let attacked = [guessed(100, "alice", "203.0.113.9", 9), guessed(200, "robert", "203.0.113.9", 10)].concat();
    for (earlier, want) in [(None, 1), (Some("2026-02-27T08:00:00Z"), 2)] {
        let mut log = attacked.clone();
        log.push(signs_in(900, "erika", "198.51.100.10", "2026-02-16T09:00:00Z"));
        for (number, name) in [(300, "carol"), (400, "dominic")] {
            log.push(signs_in(number, name, "203.0.113.9", "2026-03-02T08:50:00Z"));
            log.extend(earlier.map(|time| signs_in(number + 50, name, "203.0.113.9", time)));
        }
        let (_folder, path) = written(&log);
        let report = report(&[&path, "--no-config"]);
        assert_eq!(titles(&report).len(), want, "{earlier:?}: {:#?}", report["cases"]);
    }
}

#[test]
fn a_known_network_ties_nobody_and_lowers_confidence() {
    // A ninth failure, since so many make a finding of their own in an office, too.
    let nine = |number: u32, user: &str, hour: u32| {
        let mut events = guessed(number, user, "203.0.113.9", hour);
        let mut first = events[0].clone();
        first["id"] = format!("{number:024x}").into();
        events.insert(0, first);
        events
    };
    let attacked = [nine(100, "alice", 9), nine(200, "robert", 10)].concat();
    let (folder, path) = written(&attacked);
    let known = folder.path().join("known.csv");
    fs::write(&known, "network,label\n203.0.113.0/24,head office\n").unwrap();
    let with = report(&[&path, "--known", text(&known)]);
    assert_eq!(titles(&with).len(), 2);
    let confidence = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|f| f["rule_id"] == "success-after-bruteforce").unwrap()["confidence"].clone()
    };
    assert_eq!((confidence(&report(&[&path])), confidence(&with)), ("high".into(), "medium".into()));
    let table = scan(&[&path, "--known", text(&known)]);
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("(203.0.113.9 is known as head office)"), "{table}");
}

/// An administrator who looks after everybody excludes a user from MFA.
fn excluded(number: u32, user: &Value, hour: u32) -> Value {
    json!({
        "id": format!("{number:024x}"), "timestamp": format!("2026-03-02T{hour:02}:00:00Z"),
        "organization": "5dc058bc3f53f95e3972f03f", "service": "directory", "event_type": "user_update", "success": true,
        "initiated_by": {"id": "5a0000000000000000000001", "type": "admin", "email": "ops@example.com"},
        "client_ip": "192.0.2.10", "auth_method": "session",
        "resource": {"id": user["initiated_by"]["id"], "type": "user", "username": user["initiated_by"]["username"]},
        "changes": [{"field": "mfa.exclusion", "from": false, "to": true}],
    })
}

#[test]
fn a_busy_administrator_does_not_glue_what_is_not_one_story() {
    let (alice, robert) = (guessed(100, "alice", "203.0.113.9", 9), guessed(200, "robert", "198.51.100.7", 10));
    let mut events = [alice.clone(), robert.clone()].concat();
    events.extend([excluded(300, &alice[0], 8), excluded(301, &robert[0], 8)]);
    let (_folder, path) = written(&events);
    let report = report(&[&path]);
    assert_eq!(titles(&report).len(), 2);
    // Each question goes with the story of the user whom it is about.
    for finding in report["findings"].as_array().unwrap().iter().filter(|f| f["rule_id"] == "mfa-exclusion-added") {
        let case = report["cases"].as_array().unwrap().iter().find(|case| case["id"] == finding["case_id"]).unwrap();
        assert!(case["title"].as_str().unwrap().ends_with(finding["entity"]["name"].as_str().unwrap()), "{case:#}");
    }
}

/// Somebody guesses the password of that administrator, and gives a factor.
fn guessed_administrator() -> Vec<Value> {
    let mut events = guessed(900, "ops@example.com", "192.0.2.66", 7);
    for event in &mut events {
        event["event_type"] = "admin_login_attempt".into();
        event["mfa"] = event["success"].clone();
        event["initiated_by"] = json!({"id": "5a0000000000000000000001", "type": "admin", "email": "ops@example.com"});
    }
    events
}

#[test]
fn a_suspect_is_tied_to_those_whom_he_touched_unless_these_are_many() {
    let (alice, robert) = (guessed(100, "alice", "203.0.113.9", 9), guessed(200, "robert", "198.51.100.7", 10));
    let mut events = [guessed_administrator(), alice.clone(), robert.clone()].concat();
    events.extend([excluded(300, &alice[0], 8), excluded(301, &robert[0], 8)]);
    let (_folder, path) = written(&events);
    assert_eq!(titles(&report(&[&path])).len(), 1);
    for number in 0..5 {
        let other = guessed(1000 + number * 10, "somebody", "192.0.2.1", 8).remove(0);
        events.push(excluded(302 + number, &other, 8));
    }
    let (_folder, path) = written(&events);
    let report = report(&[&path]);
    let found = titles(&report);
    assert_eq!(found.len(), 3, "{found:#?}");
    let own = report["cases"].as_array().unwrap().iter().find(|case| case["entities"][0]["name"] == "ops@example.com");
    assert!(own.unwrap()["finding_ids"].as_array().unwrap().len() >= 8, "{own:#?}");
}

/// An administrator resets somebody's password and removes the authenticator app.
fn recovered(number: u32, user: &Value, ip: &str) -> Vec<Value> {
    let of_type = |(offset, event_type): (u32, &str)| {
        let mut event = excluded(number + offset, user, 12);
        event["timestamp"] = format!("2026-03-02T12:{:02}:{:02}Z", number % 60, offset).into();
        event["event_type"] = event_type.into();
        event["client_ip"] = ip.into();
        event["changes"] = json!([]);
        event
    };
    [(0, "user_password_change"), (1, "totp_delete_enrollment")].into_iter().map(of_type).collect()
}

#[test]
fn the_address_of_whoever_helps_ties_nobody_unless_it_is_a_thiefs() {
    let (alice, robert) = (guessed(100, "alice", "203.0.113.9", 9), guessed(200, "robert", "198.51.100.7", 10));
    let helped = |ip: &str| [recovered(301, &alice[0], ip), recovered(305, &robert[0], ip)].concat();
    let (_folder, path) = written(&[alice.clone(), robert.clone(), helped("192.0.2.10")].concat());
    assert_eq!(titles(&report(&[&path])).len(), 2, "from home");
    let (_folder, path) = written(&[alice.clone(), robert.clone(), helped("203.0.113.9")].concat());
    assert_eq!(titles(&report(&[&path])).len(), 1, "from where a password was guessed");
}

/// Of one severity, what does harm gives the title, and what others ended in; not the last or the longest rule.
#[test]
fn a_title_tells_of_the_harm_and_of_what_went_before() {
    let mut events = guessed_administrator();
    for number in 0..12 {
        let user = json!({"initiated_by": {"id": format!("5e{number:022x}"), "username": format!("user{number}")}});
        let mut deleted = excluded(300 + number, &user, 7);
        deleted["timestamp"] = format!("2026-03-02T07:20:{number:02}Z").into();
        deleted["event_type"] = "user_delete".into();
        deleted["client_ip"] = "192.0.2.66".into();
        events.push(deleted);
    }
    let (_folder, path) = written(&events);
    let harmed = report(&[&path, "--no-config"]);
    assert_eq!(
        titles(&harmed),
        ["Many users deleted or suspended, or scheduled for it, by one actor: ops@example.com"]
    );
    // Refused pushes, then one approved, and a recovery by an administrator that nobody finished.
    let mut pushed: Vec<Value> = guessed(100, "alice", "203.0.113.9", 9);
    for event in &mut pushed {
        let is_approved = event["success"] == true;
        event["mfa_meta"] = json!({"type": "push"});
        event["auth_context"]["auth_methods"] =
            json!({"password": {"success": true}, "jumpcloud_protect": {"success": is_approved}});
    }
    let recovery = recovered(301, &pushed[0], "192.0.2.10");
    let (_folder, path) = written(&[pushed, recovery].concat());
    assert_eq!(
        titles(&report(&[&path, "--no-config"])),
        ["Push approved after several were refused or ran out: alice"]
    );
}

#[test]
fn questions_alone_are_no_case() {
    let twin = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/twins/admin-takeover.jsonl");
    let report = report(&[text(&twin)]);
    assert!(report["findings"].as_array().unwrap().len() > 1);
    assert_eq!(report["cases"], json!([]));
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["case_id"].is_null()));
}

#[test]
fn how_far_apart_is_a_setting() {
    let alice = guessed(100, "alice", "203.0.113.9", 9);
    let mut events = alice.clone();
    events.push(excluded(300, &alice[0], 21));
    let (folder, path) = written(&events);
    let with = |within: &str| {
        let config = folder.path().join("jcdetect.yml");
        fs::write(&config, format!("cases: {{within: {within}}}\n")).unwrap();
        let report = report(&[&path, "--config", text(&config)]);
        assert_eq!(titles(&report).len(), 1);
        let findings = report["findings"].as_array().unwrap();
        let question = findings.iter().find(|finding| finding["rule_id"] == "mfa-exclusion-added").unwrap();
        question["case_id"] == report["cases"][0]["id"]
    };
    assert_eq!((with("1d"), with("10h")), (true, false));
}

#[test]
fn the_table_has_cases_first_and_each_finding_once() {
    let table = scan(&[text(&scenario("breach-2023"))]);
    assert!(table.starts_with("Cases: 1\n"), "{table}");
    assert!(table.contains("\nQuestions for the owner"), "{table}");
    assert_eq!(
        table.matches("[command-suspicious-content").count() + table.matches(", command-suspicious-content").count(),
        1,
        "{table}"
    );
    assert!(table.contains("\n1 case; 3 findings and 1 question;"), "{table}");
}

#[test]
fn what_the_end_of_the_log_leaves_open_is_called_pending_in_a_case() {
    let root = json!({"id": "5a0000000000000000000001", "type": "admin", "email": "ops@example.com"});
    let off = json!({
        "id": "f1", "organization": "5dc058bc3f53f95e3972f03f", "service": "directory", "event_type": "admin_totp_disable",
        "timestamp": "2026-03-02T08:00:00Z", "success": true, "initiated_by": root, "resource": root,
    });
    let mut later = sign_in(7, "2026-03-04T08:00:00Z", true);
    later["initiated_by"] = root.clone();
    let title = "Administrator's second factor switched off and not put back within a day: ops@example.com";
    let told = |events: &[Value]| {
        let (_folder, path) = written(events);
        let case = report(&[&path])["cases"][0].clone();
        let table = scan(&[&path]).split_whitespace().collect::<Vec<_>>().join(" ");
        let is_open = |text: &str| text.contains(" (pending)");
        let score = case["score_lines"].to_string();
        (
            case["title"].clone(),
            is_open(&case["story"].to_string()),
            is_open(&table),
            score.contains("confidence, pending)"),
        )
    };
    assert_eq!(told(std::slice::from_ref(&off)), (format!("{title} (pending)").into(), true, true, true));
    assert_eq!(told(&[off, later]), (title.into(), false, false, false));
}

#[test]
fn steps_of_a_case_that_has_grown_are_marked_as_known() {
    let early = guessed_administrator();
    let alice = guessed(100, "alice", "203.0.113.9", 9).remove(0);
    let (_before, before) = written(&early);
    let (folder, path) = written(&[early, vec![excluded(300, &alice, 8)]].concat());
    let baseline = folder.path().join("monday.json");
    scan(&[&before, "--output", &format!("json={}", text(&baseline))]);
    let table = scan(&[&path, "--baseline", text(&baseline)]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.contains("events in 8 min (known) [success-after-bruteforce]"), "{table}");
    assert!(!table.contains("(known) [mfa-exclusion"), "{table}");
    // Of what is below the least severity nothing is known.
    let worst = scan(&[&path, "--min-severity", "critical"]);
    assert!(worst.contains("mfa-exclusion") && !worst.contains("(known)"), "{worst}");
    let (_, title) = table.split_once("What happened").unwrap();
    assert!(!title.split(" 1. ").next().unwrap().contains("(known)"), "{table}");
}

/// Day by day, with the days before as history, a case is that of one scan over all, and its older steps are known.
#[test]
fn a_case_that_grows_keeps_its_id_title_and_severity_beside_a_history() {
    let early = guessed_administrator();
    let alice = guessed(100, "alice", "203.0.113.9", 9).remove(0);
    let later = vec![excluded(300, &alice, 8)];
    let ((_a, before), (_b, day)) = (written(&early), written(&later));
    let (_c, all) = written(&[early, later].concat());
    let case = |arguments: &[&str]| {
        let told = report(arguments);
        let cases = told["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 1, "{cases:#?}");
        (cases[0].clone(), told["findings"].as_array().unwrap().clone())
    };
    let (whole, _) = case(&[&all]);
    let (grown, findings) = case(&[&day, "--history", &before]);
    for member in
        ["id", "title", "severity", "score", "score_lines", "first_seen", "last_seen", "story", "first_action"]
    {
        assert_eq!(grown[member], whole[member], "{member}");
    }
    assert_eq!((&whole["status"], &grown["status"]), (&"new".into(), &"grown".into()));
    let steps = grown["steps"].as_array().unwrap();
    let states: Vec<&str> = steps.iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert!(states.starts_with(&["known"]) && states.ends_with(&["new"]), "{states:?}");
    assert_eq!(grown["finding_ids"].as_array().unwrap().len(), findings.len(), "the findings are those of the day");
    assert!(findings.iter().all(|finding| finding["status"] == "new" && finding["case_id"] == grown["id"]));
    let table = scan(&[&day, "--history", &before]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(table.contains("events in 8 min (known) [success-after-bruteforce]"), "{table}");
    let timeline = ["timeline", &day, "--history", &before, "--findings", "--format", "jsonl"];
    let out = jcdetect().args(timeline).output().unwrap();
    let row: Value = serde_json::from_slice(out.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(row["case_ids"], serde_json::json!([grown["id"]]), "{row:#}");
    let id = &grown["id"].as_str().unwrap()[..8];
    let out = jcdetect().args(["investigate", id, &day, "--history", &before, "--format", "json"]).output().unwrap();
    let page: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(page["case_id"], grown["id"]);
    assert!(page["findings"].as_array().unwrap().len() > findings.len(), "those of the history, too: {page:#}");
    // Where the day adds nothing to it, there is no case.
    let (_d, other) = written(&[excluded(300, &serde_json::json!({"type": "user", "username": "zoe"}), 8)]);
    assert!(report(&[&other, "--history", &before])["cases"].as_array().unwrap().is_empty());
}

/// Twenty known cases leave room for the one that is new.
#[test]
fn cases_that_nobody_has_seen_stand_before_known_ones() {
    let victims = |range: std::ops::Range<u32>| -> Vec<Value> {
        range.flat_map(|n| guessed(n * 100, &format!("user{n}"), &format!("203.0.{n}.9"), n % 12)).collect()
    };
    let ((_a, before), (_b, all)) = (written(&victims(1..24)), written(&victims(1..25)));
    let baseline = TempDir::new().unwrap();
    let told = baseline.path().join("told.json");
    scan(&[&before, "--output", &format!("json={}", text(&told))]);
    let table = scan(&[&all, "--baseline", text(&told)]);
    let cases = report(&[&all, "--baseline", text(&told)])["cases"].as_array().unwrap().clone();
    assert!(cases.len() > 21 && cases[0]["status"] == "new" && cases[1]["status"] == "known", "{table}");
    let known = cases.len() - 1;
    assert!(table.contains(&format!("Cases: {} ({known} known)", known + 1)), "{table}");
    assert!(table.contains(&format!("\n{0} more ({0} known); --format json has them all", known - 19)), "{table}");
    assert!(table.contains(&format!("\n{} cases ({known} known); ", known + 1)), "{table}");
}

#[test]
fn a_case_is_the_same_whichever_of_its_findings_are_asked_for() {
    let folder = scenario("policy-gap");
    let whole = report(&[text(&folder), "--no-config"]);
    let worst = report(&[text(&folder), "--no-config", "--min-severity", "critical"]);
    let (all, few) = (&whole["cases"][0], &worst["cases"][0]);
    for key in ["id", "score", "title", "story", "entities"] {
        assert_eq!(all[key], few[key], "{key}");
    }
    let found = worst["findings"].as_array().unwrap();
    assert!(found.len() < whole["findings"].as_array().unwrap().len());
    let ids: Vec<&Value> = found.iter().filter(|f| f["case_id"] == all["id"]).map(|f| &f["id"]).collect();
    assert_eq!(few["finding_ids"].as_array().unwrap().iter().collect::<Vec<_>>(), ids);
    let in_steps = few["steps"].as_array().unwrap().iter().flat_map(|step| step["finding_ids"].as_array().unwrap());
    assert!(in_steps.clone().count() > 0 && in_steps.clone().all(|id| ids.contains(&id)));
    let left_out = whole["findings"].as_array().unwrap().len() - found.len();
    assert_eq!((&worst["run"]["left_out"], &worst["run"]["min_severity"]), (&left_out.into(), &"critical".into()));
    let table = scan(&[text(&folder), "--no-config", "--since", "2026-04-01"]);
    assert!(table.contains("No finding passes the filters; ") && table.contains(" left out; "), "{table}");
}

#[test]
fn the_third_victim_of_an_address_is_no_colleague() {
    let mut events = Vec::new();
    let mut at = |minute: u32, who: &str, is_success: bool, rest: Value| {
        let time = format!("2026-03-02T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60);
        let mut event = sign_in(minute, &time, is_success);
        event["initiated_by"] = json!({"type": "user", "id": format!("id-{who}"), "username": who});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        events.push(event);
    };
    for (start, who) in [(0, "ann"), (20, "ben")] {
        (0..8).for_each(|n| at(start + n, who, false, json!({})));
        at(start + 9, who, true, json!({"mfa": false}));
    }
    // Only questions are asked about these two, who are in the thief's hands as well.
    for (start, who) in [(40, "cat"), (50, "dan")] {
        let export =
            json!({"service": "password_manager", "event_type": "passwordmanager_items_export", "auth_context": {}});
        at(start, who, true, json!({}));
        at(start + 1, who, true, export);
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let report = report(&[text(&path), "--no-config"]);
    let questions = report["findings"].as_array().unwrap().iter().filter(|f| f["rule_id"] == "pwm-export").count();
    let cases = report["cases"].as_array().unwrap();
    assert_eq!((cases.len(), questions), (1, 2), "{cases:#?}");
}

fn id_of(who: &str) -> String {
    let number: u32 = who.bytes().take(4).map(u32::from).sum();
    format!("5a{number:022x}")
}

/// What an administrator of the name did, at an address.
fn done(number: u32, who: &str, ip: &str, time: &str, event_type: &str, target: &Value) -> Value {
    json!({
        "id": format!("{number:024x}"), "timestamp": time, "organization": "5dc058bc3f53f95e3972f03f", "service": "directory",
        "event_type": event_type, "success": true, "client_ip": ip, "auth_method": "session",
        "initiated_by": {"id": id_of(who), "type": "admin", "email": who}, "resource": target,
    })
}

/// Twelve users, deleted one after the other.
fn deleted_in_numbers(number: u32, who: &str, ip: &str, hour: u32) -> Vec<Value> {
    let user = |n: u32| json!({"id": format!("5e{n:022x}"), "type": "user", "username": format!("user{n}")});
    let time = |n: u32| format!("2026-03-02T{hour:02}:20:{n:02}Z");
    (0..12).map(|n| done(number + n, who, ip, &time(n), "user_delete", &user(n))).collect()
}

fn case_of(report: &Value, rule: &str) -> Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule_id"] == rule).unwrap_or_else(|| panic!("no {rule}"))["case_id"].clone()
}

/// An administrator suspends the account that was taken over: that is the end of this story, and what they do later is their own.
#[test]
fn whoever_answers_a_suspect_does_not_become_one() {
    let ops = json!({"id": "5a0000000000000000000001", "type": "admin", "email": "ops@example.com"});
    let told = |ip: &str| {
        let answer = done(300, "helper@example.com", ip, "2026-03-02T08:00:00Z", "admin_suspended", &ops);
        let events = [guessed_administrator(), vec![answer], deleted_in_numbers(400, "helper@example.com", ip, 9)];
        let (_folder, path) = written(&events.concat());
        report(&[&path, "--no-config"])
    };
    let report = told("192.0.2.77");
    let [own, theirs] = ["user-delete-burst", "success-after-bruteforce"].map(|rule| case_of(&report, rule));
    assert_eq!(case_of(&report, "admin-deleted"), theirs);
    assert_ne!(own, theirs);
    let case = report["cases"].as_array().unwrap().iter().find(|case| case["id"] == theirs).unwrap();
    assert!(!case["entities"].to_string().contains("helper@example.com"), "{case:#}");
    let report = told("192.0.2.66");
    assert_eq!(titles(&report).len(), 1, "from where the password was guessed");
}

#[test]
fn what_somebody_did_at_home_before_their_account_was_stolen_is_no_part_of_it() {
    let alice = json!({"initiated_by": {"id": "5f0000000000000000000001", "username": "alice"}});
    let told = |ip: &str, days: u32, hour: u32| {
        let mut question = excluded(300, &alice, hour);
        question["client_ip"] = ip.into();
        let mut later =
            excluded(301, &json!({"initiated_by": {"id": "5f0000000000000000000002", "username": "robert"}}), 8);
        later["client_ip"] = "192.0.2.66".into();
        let before = (0..days).map(|day| {
            let mut event = sign_in(500 + day, &format!("2026-02-{:02}T08:00:00Z", 28 - day), true);
            event["event_type"] = "admin_login_attempt".into();
            event["initiated_by"] = question["initiated_by"].clone();
            event["client_ip"] = "192.0.2.10".into();
            event
        });
        let events: Vec<Value> = before.collect();
        let (_folder, path) = written(&[events, guessed_administrator(), vec![question, later]].concat());
        let report = report(&[&path, "--no-config"]);
        assert_eq!(titles(&report).len(), 1);
        let of = |who: &str| {
            let findings = report["findings"].as_array().unwrap();
            findings.iter().find(|f| f["rule_id"] == "mfa-exclusion-added" && f["entity"]["name"] == who).unwrap()["case_id"].is_string()
        };
        assert!(of("robert"));
        of("alice")
    };
    assert!(!told("192.0.2.10", 10, 3), "at home");
    assert!(told("192.0.2.10", 10, 4), "shortly before");
    assert!(told("192.0.2.10", 3, 3), "where they were for a few days only");
    assert!(told("192.0.2.99", 10, 3), "elsewhere");
    assert!(told("192.0.2.66", 10, 3), "from where the password was guessed");
}

#[test]
fn whoever_made_an_account_stands_in_the_case_that_rests_on_it() {
    let spy = json!({"id": id_of("spy@example.com"), "type": "admin", "email": "spy@example.com"});
    let told = |day: &str| {
        let made = done(300, "ops@example.com", "198.51.100.50", day, "admin_create", &spy);
        let mut guesses = guessed_administrator();
        guesses.iter_mut().for_each(|event| event["initiated_by"] = spy.clone());
        let harm = deleted_in_numbers(400, "spy@example.com", "192.0.2.66", 9);
        let (_folder, path) = written(&[vec![made], guesses, harm].concat());
        let report = report(&[&path, "--no-config"]);
        case_of(&report, "admin-created") == case_of(&report, "user-delete-burst")
    };
    assert!(told("2026-02-25T08:00:00Z"));
    assert!(!told("2026-02-10T08:00:00Z"));
}
