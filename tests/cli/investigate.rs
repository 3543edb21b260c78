//! `investigate`: what somebody, an address or a device did, session by session.

use std::fs;

use predicates::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{findings, folder, jcdetect, scenario, text};

fn investigate(arguments: &[&str]) -> String {
    let output = jcdetect().arg("investigate").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&investigate(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// An administrator handles an alert about alice: that is the administrator's, and about her.
#[test]
fn an_alert_about_somebody_is_not_what_they_did() {
    let root = r#"{"type":"admin","id":"a1","email":"root@example.com"}"#;
    let event = |second: u32, rest: &str| {
        format!(r#"{{"id":"{second}","timestamp":"2026-03-02T09:00:{second:02}Z","organization":"o",{rest}}}"#)
    };
    let text = [
        event(
            1,
            r#""event_type":"user_login_attempt","success":true,"initiated_by":{"type":"user","id":"u1","username":"alice"}"#,
        ),
        event(2, &format!(r#""event_type":"admin_login_attempt","success":true,"initiated_by":{root}"#)),
        event(
            3,
            &format!(
                r#""event_type":"alert_status_updated","username":"alice","resource":{{"id":"r1"}},"initiated_by":{root}"#
            ),
        ),
        event(
            4,
            r#""event_type":"user_lockout","service":"systems","username":"alice","system":{"id":"s1","hostname":"lap"}"#,
        ),
    ];
    let folder = folder(&[("events.jsonl", &text.join("\n"))]);
    let export = folder.path().join("events.jsonl");
    let counts = |who: &str| {
        let text = investigate(&[who, export.to_str().unwrap()]);
        let line = text.lines().find(|line| line.contains("of 4 read")).unwrap_or_default().to_owned();
        (text, line)
    };
    let (alice, line) = counts("alice");
    assert!(line.contains("1 event by them, 2 about them"), "{alice}");
    assert!(!alice.contains("administrator"), "{alice}");
    assert!(alice.contains("alice was locked out of lap"), "{alice}");
    let (root, line) = counts("root@example.com");
    assert!(line.contains("  2 events, from"), "{root}");
    assert!(root.contains("changed the status of an alert about alice"), "{root}");
    let found = findings(&[export.to_str().unwrap(), "--enable", "vendor-alert"]);
    let of_alert = found.iter().find(|finding| finding["rule_id"] == "vendor-alert").unwrap();
    let user = serde_json::json!({"role": "target", "type": "user", "value": "alice"});
    assert!(of_alert["related"].as_array().unwrap().contains(&user), "{of_alert:#}");
}

/// Sign-ins of alice every so many seconds, under changing names.
fn alice(times: &[u32]) -> String {
    let line = |(number, second): (usize, &u32)| {
        let who = match number % 3 {
            0 => r#"{"type":"user","id":"u1","username":"alice"}"#,
            1 => r#"{"type":"user","username":"Alice"}"#,
            _ => r#"{"type":"user","id":"u1","email":"alice@example.com"}"#,
        };
        format!(
            r#"{{"id":"e{number}","timestamp":"2026-03-02T{:02}:{:02}:{:02}Z","event_type":"user_login_attempt","service":"directory","organization":"o","initiated_by":{who},"client_ip":"203.0.113.9","success":true}}"#,
            second / 3600,
            second / 60 % 60,
            second % 60
        ) + "\n"
    };
    times.iter().enumerate().map(line).collect()
}

#[test]
fn one_person_under_all_names_is_one() {
    let folder = folder(&[("log.jsonl", &alice(&[0, 60, 120, 180]))]);
    let path = folder.path().join("log.jsonl");
    for subject in ["alice", "ALICE@example.com", "u1"] {
        let found = json(&[subject, text(&path)]);
        assert_eq!(found["sessions"].as_array().unwrap().len(), 1, "{subject}: {found:#}");
        assert_eq!(found["sessions"][0]["events"].as_array().unwrap().len(), 4, "{subject}");
        assert_eq!(found["identities"].as_array().unwrap().len(), 1, "{subject}");
    }
}

#[test]
fn a_pause_ends_a_session_and_the_pause_is_a_setting() {
    let folder = folder(&[("log.jsonl", &alice(&[0, 1800, 3601, 3602]))]);
    let path = folder.path().join("log.jsonl");
    let lengths = |arguments: &[&str]| -> Vec<usize> {
        let found = json(&[&["alice", text(&path)], arguments].concat());
        found["sessions"].as_array().unwrap().iter().map(|s| s["events"].as_array().unwrap().len()).collect()
    };
    assert_eq!(lengths(&[]), [2, 2]);
    assert_eq!(lengths(&["--idle", "31m"]), [4]);
    assert_eq!(lengths(&["--idle", "1s"]), [1, 1, 2]);
    assert_eq!(lengths(&["--since", "2026-03-02T01:00:02Z"]), [2]);
    assert_eq!(lengths(&["--until", "2026-03-02T00:10:00Z"]), [2]);
}

#[test]
fn findings_stand_at_the_event_that_completed_them() {
    let path = scenario("bruteforce");
    let found = json(&["walter.weber", text(&path)]);
    let events = found["sessions"].as_array().unwrap().iter().flat_map(|s| s["events"].as_array().unwrap());
    let marked: Vec<&Value> = events.filter(|e| !e["findings"].as_array().unwrap().is_empty()).collect();
    let all = findings(&[text(&path)]);
    let takeover = all.iter().find(|f| f["rule_id"] == "success-after-bruteforce").unwrap();
    let at = marked.iter().find(|e| e["findings"].as_array().unwrap().contains(&takeover["id"])).unwrap();
    assert_eq!(at["timestamp"], takeover["last_seen"]);
    assert_eq!(at["sentence"].as_str().unwrap().matches("signed in to the user portal").count(), 1);
    // The origin is where the line stands.
    let lines = fs::read_to_string(path.join("events.jsonl")).unwrap();
    let line = usize::try_from(at["origin"]["line"].as_u64().unwrap()).unwrap();
    assert!(lines.lines().nth(line - 1).unwrap().contains(at["event_id"].as_str().unwrap()));
}

#[test]
fn the_id_of_a_finding_is_a_subject() {
    let path = scenario("admin-takeover");
    let all = findings(&[text(&path)]);
    let takeover = all.iter().find(|f| f["rule_id"] == "chain-admin-takeover").unwrap();
    let id = takeover["id"].as_str().unwrap();
    let found = json(&[&id[..6], text(&path)]);
    assert_eq!(found["finding_id"], id);
    assert_eq!(found["subject"], "root@example.com");
    // Only the session of the intruder, and in it all of the evidence.
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    let seen: Vec<&Value> = sessions[0]["events"].as_array().unwrap().iter().map(|e| &e["event_id"]).collect();
    for evidence in takeover["evidence"].as_array().unwrap() {
        assert!(seen.contains(&&evidence["event_id"]), "{evidence}");
    }
    let shown = investigate(&[id, text(&path)]);
    assert!(shown.contains("1. Contain first"), "{shown}");
}

#[test]
fn what_is_not_usual_is_new_or_rare() {
    let found = json(&["root@example.com", text(&scenario("admin-takeover"))]);
    let aspects = found["usual"][0]["aspects"].as_array().unwrap();
    let odd = |aspect: &str| -> Vec<String> {
        let values = aspects.iter().find(|a| a["aspect"] == aspect).unwrap()["values"].as_array().unwrap();
        let odd = values.iter().filter(|v| !v["unusual"].is_null());
        odd.map(|v| format!("{} {}", v["value"].as_str().unwrap(), v["unusual"].as_str().unwrap())).collect()
    };
    assert_eq!(odd("country"), ["VN new"]);
    assert_eq!(odd("agent"), ["Firefox on Linux new"]);
    assert!(odd("hour").is_empty());
    let unusual: Vec<&Value> =
        found["sessions"].as_array().unwrap().iter().filter(|s| s["unusual"].as_array().unwrap().len() > 2).collect();
    assert_eq!(unusual.len(), 1);
    assert_eq!(unusual[0]["ip"], "198.51.100.66");
}

#[test]
fn one_in_twenty_is_rare_and_ten_are_too_few_to_say() {
    let log = |count: u32| -> String {
        let times: Vec<u32> = (0..count).map(|n| n * 600).collect();
        let lines = alice(&times);
        let lines = lines.lines().enumerate().map(|(number, line)| {
            let country = if number == 5 { "US" } else { "FR" };
            line.replace("\"success\"", &format!("\"geoip\":{{\"country_code\":\"{country}\"}},\"success\"")) + "\n"
        });
        lines.collect()
    };
    for (count, want) in [(41, Value::from("rare")), (20, Value::Null), (9, Value::Null)] {
        let folder = folder(&[("log.jsonl", &log(count))]);
        let found = json(&["alice", text(folder.path())]);
        let aspects = found["usual"][0]["aspects"].as_array().unwrap();
        let countries = aspects.iter().find(|a| a["aspect"] == "country").unwrap();
        assert_eq!((&countries["values"][1]["value"], &countries["values"][1]["unusual"]), (&Value::from("US"), &want));
    }
    let folder = folder(&[("log.jsonl", &log(9))]);
    let shown = investigate(&["alice", text(folder.path())]);
    assert!(shown.contains("Too few to say what is usual: 9 sign-ins"), "{shown}");
}

#[test]
fn every_change_says_how_it_is_undone() {
    let found = json(&["root@example.com", text(&scenario("admin-takeover"))]);
    let undo: Vec<&str> = found["changes"].as_array().unwrap().iter().map(|c| c["undo"].as_str().unwrap()).collect();
    for want in ["set up TOTP again", "Suspend the administrator support2", "API key", "delete the command", "MBP-020"]
    {
        assert!(undo.iter().any(|undo| undo.contains(want)), "{want}: {undo:#?}");
    }
    let runs = found["changes"].as_array().unwrap().iter().find(|c| c["count"] == 20).unwrap();
    assert_eq!(runs["event_ids"].as_array().unwrap().len(), 20);
}

/// Each has to be put right, however long their names are.
#[test]
fn whoever_was_deleted_is_named() {
    let name = |number: u32| format!("firstname{number:03}.lastname-of-{number:03}@subsidiary.example.com");
    let line = |number: u32| {
        format!(
            r#"{{"id":"{number:024x}","timestamp":"2026-03-02T09:{:02}:{:02}Z","event_type":"user_delete","service":"directory","organization":"o","initiated_by":{{"type":"admin","email":"it@example.com"}},"resource":{{"id":"{number:024x}","type":"user","username":"{}"}},"success":true}}"#,
            number / 60,
            number % 60,
            name(number).replacen("firstname", "\\u001bname", 1)
        ) + "\n"
    };
    let folder = folder(&[("log.jsonl", &(0..201).map(line).collect::<String>())]);
    let shown = investigate(&["it@example.com", text(folder.path()), "--no-config"]);
    let undo = shown.split("Undo: ").nth(1).unwrap();
    let shown = |number| undo.contains(&name(number).replacen("firstname", "\\u{1b}name", 1));
    assert!((0..200).all(shown) && !shown(200) && undo.contains(" and 1 more anew, and"), "{undo}");
}

#[test]
fn devices_addresses_and_networks() {
    let path = scenario("admin-takeover");
    assert_eq!(json(&["mbp-004", text(&path)])["sessions"][0]["events"].as_array().unwrap().len(), 1);
    let count = |subject: &str| -> usize {
        let found = json(&[subject, text(&path)]);
        found["sessions"].as_array().unwrap().iter().map(|s| s["events"].as_array().unwrap().len()).sum()
    };
    assert_eq!(count("198.51.100.66"), 26);
    assert_eq!(count("198.51.100.0/24"), 26);
    assert_eq!(count("198.51.100.67"), 0);
}

#[test]
fn standard_input_is_read_twice() {
    let path = scenario("bruteforce").join("events.jsonl");
    let folder = TempDir::new().unwrap();
    let piped = jcdetect()
        .args(["investigate", "walter.weber", "-", "--format", "json"])
        .env("TMPDIR", folder.path())
        .pipe_stdin(&path)
        .unwrap()
        .output()
        .unwrap();
    let mut piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
    let mut read = json(&["walter.weber", text(&path)]);
    for found in [&mut piped, &mut read] {
        for session in found["sessions"].as_array_mut().unwrap() {
            session["events"].as_array_mut().unwrap().iter_mut().for_each(|e| e["origin"]["source"] = Value::Null);
        }
    }
    assert_eq!(piped, read);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn compressed_standard_input() {
    let text = alice(&[0, 60]);
    let packed = zstd_of(&text);
    let output = jcdetect().args(["investigate", "alice", "-"]).write_stdin(packed).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("alice signed in to the user portal"), "{output:?}");
}

/// A zstd frame with one raw block: nothing but a frame around the text.
fn zstd_of(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend(length.to_le_bytes());
    out.extend(&(length << 3 | 1).to_le_bytes()[..3]);
    out.extend(text.as_bytes());
    out
}

#[test]
fn nobody_of_that_name_is_no_error_and_near_names_are_told() {
    let path = scenario("bruteforce");
    jcdetect().args(["investigate", "walter.webber", text(&path)]).assert().code(0).stdout(
        predicate::str::contains("Nobody and nothing has this name").and(predicate::str::contains("walter.weber")),
    );
    assert_eq!(json(&["quentin", text(&path)])["sessions"].as_array().unwrap().len(), 0);
}

#[test]
fn bad_words_are_told_apart() {
    let path = scenario("bruteforce");
    for (arguments, code, message) in [
        (&["203.0.113.300"][..], 2, "looks like an address and is none"),
        (&["1.2.3.4/99"], 2, "looks like an address and is none"),
        (&[" "], 2, "the subject is empty"),
        (&["alice", "--format", "csv"], 2, "[possible values: table, json]"),
        (&["alice", "--idle", "soon"], 2, "no span of time"),
        (&["alice", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "--since is after --until"),
        (&["alice", "--tz", "Mars"], 2, "no zone"),
        (&["alice", "--threads", "0"], 2, "at least one"),
        (&["alice", "nowhere.jsonl"], 3, "nowhere.jsonl"),
    ] {
        let (subject, flags) = arguments.split_first().unwrap();
        jcdetect()
            .args(["investigate", subject, text(&path)])
            .args(flags)
            .assert()
            .code(code)
            .stderr(predicate::str::contains(message));
    }
    jcdetect().args(["investigate", "alice"]).assert().code(2);
}

#[test]
fn the_directory_says_who_it_is() {
    let users = r#"[{"_id":"u1","username":"alice","email":"alice@example.com","firstname":"Alice","lastname":"Adler","jobTitle":"Head of Sales","department":"Sales"}]"#;
    let folder = folder(&[("log.jsonl", &alice(&[0])), ("users.json", users), ("bad.json", "nothing\n")]);
    let path = |name: &str| folder.path().join(name);
    let shown = investigate(&["alice", text(&path("log.jsonl")), "--directory", text(&path("users.json"))]);
    assert!(shown.contains("in the directory: ") && shown.contains("job title Head of Sales"), "{shown}");
    jcdetect()
        .args(["investigate", "alice", text(&path("log.jsonl")), "--directory", text(&path("bad.json"))])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("bad.json"));
}

#[test]
fn hostile_names_do_nothing_to_a_terminal() {
    let log = alice(&[0]).replace("alice", "ali\\u001b[31mce");
    let folder = folder(&[("log.jsonl", &log), ("junk.jsonl", "{\"event_type\":\n{}\n[1,2]\n\u{0}\n")]);
    let shown = jcdetect().args(["investigate", "203.0.113.9", text(folder.path())]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("ali\\u{1b}[31mce") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn threads_and_the_order_of_lines_change_nothing() {
    let path = scenario("helpdesk-social-engineering").join("events.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    let reversed = lines.lines().rev().collect::<Vec<_>>().join("\n");
    let folder = folder(&[("a.jsonl", &lines), ("b.jsonl", &reversed)]);
    let told = |name: &str, threads: &str| {
        investigate(&["elena.eriksen", text(&folder.path().join(name)), "--all", "--threads", threads])
    };
    let first = told("a.jsonl", "1");
    assert!(first.contains("helpdesk@example.com deleted elena.eriksen's TOTP"), "{first}");
    assert_eq!(first, told("b.jsonl", "4"));
}

#[test]
fn only_one_organization_if_it_is_asked_for() {
    let two = alice(&[0]) + &alice(&[60]).replace("\"o\"", "\"p\"").replace("\"e0\"", "\"f0\"");
    let folder = folder(&[("log.jsonl", &two)]);
    let count = |flags: &[&str]| {
        let found = json(&[&["alice", text(folder.path())], flags].concat());
        found["sessions"].as_array().unwrap().len()
    };
    assert_eq!((count(&[]), count(&["--organization", "p"])), (2, 1));
}

/// A month of sign-ins of an administrator from France, each followed by a change to somebody; then a session from
/// elsewhere that signs in nowhere.
fn stolen(organization: &str, country: &str) -> String {
    let event = |day: u32, hour: u32, kind: &str, place: (&str, &str, &str), rest: &str| {
        let month = if day <= 28 { format!("02-{day:02}") } else { format!("03-{:02}", day - 28) };
        let (ip, country, agent) = place;
        format!(
            r#"{{"id":"{organization}{kind}{day}","timestamp":"2026-{month}T{hour:02}:00:00Z","event_type":"{kind}","service":"directory","organization":"{organization}","initiated_by":{{"id":"{organization}admin","type":"admin","email":"it@example.com"}},"client_ip":"{ip}","geoip":{{"country_code":"{country}"}},"useragent":{{"name":"{agent}"}}{rest}}}"#
        ) + "\n"
    };
    let change = r#","resource":{"id":"u9","type":"user","username":"bob"},"changes":[{"field":"department","from":"A","to":"B"}]"#;
    let office = ("198.51.100.7", country, "Chrome");
    let honest = (1..=40).flat_map(|day| {
        [
            event(day, 8, "admin_login_attempt", office, r#","success":true"#),
            event(day, 9, "user_update", office, change),
        ]
    });
    honest.collect::<String>() + &event(40, 20, "user_update", ("203.0.113.66", "NL", "Python Requests"), change)
}

#[test]
fn a_session_that_never_signed_in_is_not_ordinary() {
    let folder = folder(&[("log.jsonl", &stolen("o", "FR"))]);
    let found = json(&["it@example.com", text(&folder.path().join("log.jsonl"))]);
    let sessions = found["sessions"].as_array().unwrap();
    let odd: Vec<&Value> = sessions.iter().filter(|s| s["unusual"] != serde_json::json!([])).collect();
    assert_eq!(odd.len(), 1, "{odd:#?}");
    assert_eq!(odd[0]["unusual"], serde_json::json!(["country", "network", "agent"]));
    let shown = investigate(&["it@example.com", text(&folder.path().join("log.jsonl"))]);
    assert!(shown.contains("203.0.113.66 (NL)") && shown.contains("20:00:00"), "{shown}");
    // Bob's page does not measure the administrator by bob.
    let bob = json(&["bob", text(&folder.path().join("log.jsonl"))]);
    assert!(bob["sessions"].as_array().unwrap().len() == 41 && bob["usual"].as_array().unwrap().len() == 1, "{bob:#}");
}

/// Bob's sign-ins of February, and of March, when somebody else signs in as bob on six evenings.
fn stayed() -> [String; 2] {
    let event = |month: u32, day: u32, hour: u32, kind: &str, who: &str, (ip, country): (&str, &str), rest: &str| {
        format!(
            r#"{{"id":"{kind}{month}-{day}-{hour}","timestamp":"2026-{month:02}-{day:02}T{hour:02}:00:00Z","event_type":"{kind}","service":"directory","organization":"o","initiated_by":{who},"client_ip":"{ip}","geoip":{{"country_code":"{country}"}}{rest}}}"#
        ) + "\n"
    };
    let bob = r#"{"id":"u1","type":"user","username":"bob"}"#;
    let signed_in =
        |month, day, hour, place| event(month, day, hour, "user_login_attempt", bob, place, r#","success":true"#);
    let (home, away) = (("198.51.100.7", "FR"), ("203.0.113.66", "FR"));
    let february: String = (1..=28).map(|day| signed_in(2, day, 8, home)).collect();
    let days = (2..=20).map(|day| signed_in(3, day, 8, home));
    let evenings = (2..=7).map(|day| signed_in(3, day, 20, away));
    [february, days.chain(evenings).collect()]
}

const NEW_PLACE: &str = "title: New\nname: new-place\nlevel: medium\njcdetect: {entity: actor, first_seen: {rule: login, by: [actor.key], value: [source.network], min_days: 14, min_events: 10}}\n---\ntitle: L\nname: login\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt}, condition: a}\n";

fn odd_sessions(found: &Value) -> Vec<&Value> {
    let sessions = found["sessions"].as_array().unwrap().iter();
    sessions.filter(|session| session["unusual"] != serde_json::json!([])).collect()
}

/// Six evenings are neither new nor rare, but something was found on the first.
#[test]
fn whoever_stays_where_a_finding_came_to_be_does_not_become_usual() {
    let [february, march] = stayed();
    let files = [("a.jsonl", february.as_str()), ("b.jsonl", &march), ("new-place.yml", NEW_PLACE)];
    let folder = folder(&files);
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (a, b, own) = (path("a.jsonl"), path("b.jsonl"), path("new-place.yml"));
    let with = |more: &[&str]| json(&[&["bob", &b, "--no-config", "--enable", "new-place"], more].concat());
    for found in [with(&[&a, "--rules", &own]), with(&["--history", &a, "--rules", &own])] {
        let odd = odd_sessions(&found);
        assert_eq!(odd.len(), 6, "{found:#}");
        assert!(odd.iter().all(|session| session["ip"] == "203.0.113.66"), "{odd:#?}");
        let aspects = found["usual"][0]["aspects"].as_array().unwrap();
        let network = aspects.iter().find(|aspect| aspect["aspect"] == "network").unwrap();
        assert_eq!((&network["total"], &network["values"][1]["unusual"]), (&53.into(), &"reported".into()));
    }
    let only_low = NEW_PLACE.replace("level: medium", "level: low");
    fs::write(&own, only_low).unwrap();
    assert_eq!(odd_sessions(&with(&[&a, "--rules", &own])).len(), 0);
}

/// What was found last month is not found again, and is known all the same.
#[test]
fn a_history_teaches_what_is_usual_and_is_not_shown() {
    let [february, march] = stayed();
    let (early, late): (Vec<&str>, Vec<&str>) =
        march.lines().partition(|line| line < &"{\"id\":\"user_login_attempt3-5");
    let (early, late) = (early.join("\n"), late.join("\n"));
    let files = [("a.jsonl", february.as_str()), ("b.jsonl", &early), ("c.jsonl", &late), ("new-place.yml", NEW_PLACE)];
    let folder = folder(&files);
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (a, b, c, own) = (path("a.jsonl"), path("b.jsonl"), path("c.jsonl"), path("new-place.yml"));
    let with = |subject: &str, more: &[&str]| {
        let fixed = [subject, "--no-config", "--rules", &own, "--enable", "new-place"];
        investigate(&[&fixed[..], more].concat())
    };
    let found: Value =
        serde_json::from_str(&with("bob", &[&c, "--history", &a, "--history", &b, "--format", "json"])).unwrap();
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), late.lines().count()), (late.lines().count(), 8), "{found:#}");
    assert_eq!(odd_sessions(&found).len(), late.lines().filter(|line| line.contains("203.0.113.66")).count());
    let shown = with("bob", &[&c, "--history", &a, "--history", &b]);
    assert!(shown.contains("What is usual, of 53 sign-ins since 2026-02-01"), "{shown}");
    // The finding has its id still, and is shown where it is asked for.
    let scanned = jcdetect()
        .args(["scan", &a, &b, "--no-config", "--rules", &own, "--enable", "new-place", "--format", "jsonl"])
        .output()
        .unwrap();
    let told = String::from_utf8(scanned.stdout).unwrap();
    let finding = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let finding = finding.into_iter().find(|line| line["rule_id"] == "new-place").unwrap();
    let id = &finding["id"].as_str().unwrap()[..8];
    for command in ["investigate", "explain"] {
        let out = jcdetect()
            .args([command, id, &c, "--no-config", "--rules", &own, "--enable", "new-place"])
            .args(["--history", &a, "--history", &b])
            .output()
            .unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.contains(&format!("Finding {id}: New")), "{shown}");
    }
    let nothing = folder.path().join("d.jsonl");
    fs::write(&nothing, late.replace("bob", "eve").replace("u1", "u2")).unwrap();
    let shown = with("bob", &[text(&nothing), "--history", &a]);
    assert!(shown.contains("28 events in the history, none among the 8 events read of the sources."), "{shown}");
}

/// A finding stands at its first event; the others are evidence of it in sessions like all others.
#[test]
fn a_session_that_holds_evidence_is_not_ordinary() {
    let suspended = r#"{"id":"s","timestamp":"2026-03-02T12:30:00Z","event_type":"user_suspended","service":"directory","organization":"o","initiated_by":{"type":"admin","email":"it@example.com"},"client_ip":"198.51.100.7","resource":{"id":"u1","type":"user","username":"alice"},"success":true}"#;
    let hours: Vec<u32> = (0..15).map(|hour| hour * 3600).collect();
    let folder = folder(&[("log.jsonl", &(alice(&hours) + suspended + "\n"))]);
    let path = folder.path().join("log.jsonl");
    let critical: Vec<Value> =
        findings(&[text(&path), "--no-config"]).into_iter().filter(|f| f["severity"] == "critical").collect();
    assert_eq!((critical.len(), critical[0]["event_count"].as_u64()), (1, Some(3)), "{critical:#?}");
    let shown = investigate(&["alice", text(&path), "--no-config"]);
    assert!(shown.contains("13 ordinary sessions, 13 events"), "{shown}");
    assert!(shown.contains("Undo: Unsuspend alice."), "{shown}");
    for time in ["2026-03-02 12:30:00", "2026-03-02 13:00:00", "2026-03-02 14:00:00"] {
        assert!(shown.contains(&format!("\n  {time}  ")), "{time}\n{shown}");
    }
}

#[test]
fn what_is_usual_is_learned_in_each_organization() {
    let folder = folder(&[("a.jsonl", &stolen("a", "FR")), ("b.jsonl", &stolen("b", "DE"))]);
    let found = json(&["it@example.com", text(folder.path())]);
    let countries = |place: usize| {
        let aspects = found["usual"][place]["aspects"].as_array().unwrap();
        aspects.iter().find(|a| a["aspect"] == "country").unwrap()["values"].clone()
    };
    for (place, (organization, country)) in [("a", "FR"), ("b", "DE")].into_iter().enumerate() {
        assert_eq!(found["usual"][place]["organization"], organization);
        let values = countries(place);
        assert_eq!(
            (values.as_array().unwrap().len(), &values[0]["value"], &values[0]["count"]),
            (1, &country.into(), &40.into())
        );
    }
    let shown = investigate(&["it@example.com", text(folder.path())]);
    assert!(shown.contains("in the organization b") && shown.contains("203.0.113.66 (NL) in a with"), "{shown}");
}

#[test]
fn where_nothing_can_be_called_usual_nothing_is_ordinary() {
    let folder = folder(&[("log.jsonl", &alice(&[0, 7200, 14400, 21600, 28800, 36000, 43200, 50400]))]);
    let shown = investigate(&["alice", text(&folder.path().join("log.jsonl"))]);
    assert!(shown.contains("Too few to say what is usual") && !shown.contains("ordinary"), "{shown}");
}

/// The sign-ins of a guessed password, and the same as another exporter wrote them: with empty texts, which rules read
/// and the body of an event has not.
fn spelled_twice() -> TempDir {
    let events = lines(&guessed_password());
    let other = events.replace(r#""client_ip":"#, r#""application":{"name":"","id":""},"client_ip":"#);
    assert_ne!(events, other);
    folder(&[("a.jsonl", &events), ("b.jsonl", &other)])
}

#[test]
fn findings_stand_there_whichever_record_of_an_event_is_kept() {
    let folder = spelled_twice();
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (a, b) = (path("a.jsonl"), path("b.jsonl"));
    let ids = |found: &Value| -> Vec<String> {
        found["findings"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    };
    let alone = ids(&json(&["alice", &a, "--no-config"]));
    assert!(!alone.is_empty());
    for sources in [[&a, &b], [&b, &a]] {
        let found = json(&["alice", sources[0], sources[1], "--no-config"]);
        assert_eq!(ids(&found), alone);
        let events = found["sessions"][0]["events"].as_array().unwrap();
        assert!(events.iter().any(|event| !event["findings"].as_array().unwrap().is_empty()), "{events:#?}");
        let last = guessed_password().last().unwrap()["id"].as_str().unwrap().to_owned();
        let arguments = ["explain", "success-after-bruteforce", sources[0], sources[1], "--event", &last];
        let told = jcdetect().args(arguments).arg("--no-config").assert().code(0);
        told.stdout(predicate::str::contains("The rule is met at this event."));
    }
}

#[test]
fn tenants_of_one_name_stay_apart() {
    let delete = |number: u32, organization: &str, day: &str, who: &str| {
        format!(
            r#"{{"id":"{number:024x}","timestamp":"2026-{day}T09:00:00Z","event_type":"user_delete","service":"directory","organization":"{organization}","initiated_by":{{"type":"admin","email":"it@example.com"}},"client_ip":"198.51.100.7","resource":{{"id":"{number:024x}","type":"user","username":"{who}"}},"success":true}}"#
        ) + "\n"
    };
    let log = delete(1, "a", "03-02", "anna") + &delete(2, "b", "01-05", "bernd") + &delete(3, "b", "01-06", "clara");
    let users = r#"[{"email":"it@example.com","_id":"5faaaaaaaaaaaaaaaaaaaaaa","organization":"a","jobTitle":"Boss of A","roleName":"Administrator"},
        {"email":"it@example.com","_id":"5fbbbbbbbbbbbbbbbbbbbbbb","organization":"b","jobTitle":"Cook of B","roleName":"Administrator"}]"#;
    let folder = folder(&[("log.jsonl", &log), ("admins.json", users)]);
    let (log, admins) = (folder.path().join("log.jsonl"), folder.path().join("admins.json"));
    let arguments = ["it@example.com", text(&log), "--directory", text(&admins)];
    let found = json(&arguments);
    let changes: Vec<String> = found["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| format!("{} {} {}", c["organization"], c["count"], c["undo"].as_str().unwrap()))
        .collect();
    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert!(changes[0].starts_with("\"b\" 2") && changes[0].contains("bernd, clara"), "{changes:#?}");
    assert!(changes[1].starts_with("\"a\" 1") && changes[1].contains("create anna anew"), "{changes:#?}");
    let known = |place: usize| {
        let identity = &found["identities"][place];
        (identity["organization"].clone(), identity["directory"]["job_title"].clone())
    };
    assert_eq!(found["identities"].as_array().unwrap().len(), 2);
    assert_eq!(known(0), ("a".into(), "Boss of A".into()));
    assert_eq!(known(1), ("b".into(), "Cook of B".into()));
    let shown = investigate(&arguments);
    assert!(shown.contains("administrator: it@example.com in a") && shown.contains("it@example.com in b"), "{shown}");
    assert!(shown.contains("from 2026-01-05 09:00:00 to 2026-03-02 09:00:00 UTC (56 d)"), "{shown}");
}

/// A list with an indicator that ends some day makes that all is read a second time.
#[test]
fn history_may_be_standard_input_beside_indicators() {
    let country = |text: String, country: &str| {
        text.replace("\"success\"", &format!("\"geoip\":{{\"country_code\":\"{country}\"}},\"success\""))
    };
    let history = country(alice(&[0, 60, 120, 180]), "FR");
    let log = country(alice(&[7200]).replace("\"e0\"", "\"f0\""), "NL");
    let rule = "title: New\nname: new-place\nlevel: high\njcdetect: {entity: actor, first_seen: {rule: login, by: [actor.key], value: [source.country], min_days: 0, min_events: 3}}\n---\ntitle: L\nname: login\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt}, condition: a}\n";
    let stix = r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","id":"indicator--1","spec_version":"2.1","pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.9']","valid_from":"2020-01-01T00:00:00Z","valid_until":"2030-01-01T00:00:00Z"}]}"#;
    let folder = folder(&[("log.jsonl", &log), ("old.jsonl", &history), ("stix.json", stix), ("new-place.yml", rule)]);
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (log, old, stix, rules) = (path("log.jsonl"), path("old.jsonl"), path("stix.json"), text(folder.path()));
    let beside = ["--no-config", "--intel", &stix, "--rules", rules, "--history"];
    for command in [&["investigate", "alice", &log][..], &["timeline", &log, "--findings"]] {
        let run = |past: &str| {
            let out = jcdetect().args(command).args(beside).arg(past).write_stdin(history.clone()).assert().code(0);
            String::from_utf8(out.get_output().stdout.clone()).unwrap()
        };
        let (piped, named) = (run("-"), run(&old));
        assert!(named.contains("new-place"), "{named}");
        assert_eq!(piped, named);
    }
}

#[test]
fn what_needs_nobody_is_marked_where_it_is_looked_into_and_counted_in_a_timeline() {
    let entry = "suppress:\n  - rule: success-after-bruteforce\n    match: {entity: alice}\n    reason: our own test\n    expires: 2026-12-31\n";
    let folder = folder(&[("log.jsonl", &lines(&guessed_password())), ("own.yml", entry)]);
    let (log, config) = (folder.path().join("log.jsonl"), folder.path().join("own.yml"));
    let with = |arguments: &[&str]| -> String {
        let out = jcdetect().args(arguments).args(["--config", text(&config), text(&log)]).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let shown = with(&["investigate", "alice"]);
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("(suppressed until 2026-12-31: our own test) [success-after-bruteforce]"), "{shown}");
    assert!(flat.contains("[success-after-bruteforce] (suppressed)"), "{shown}");
    assert!(flat.contains("Findings: 2, 1 of them suppressed medium"), "{shown}");
    assert!(flat.contains("2 findings, 1 of them suppressed; 9 events"), "{shown}");
    let found: Value = serde_json::from_str(&with(&["investigate", "alice", "--format", "json"])).unwrap();
    let statuses = |found: &Value| -> Vec<(Value, Value)> {
        let findings = found["findings"].as_array().unwrap();
        findings.iter().map(|f| (f["rule_id"].clone(), f["status"].clone())).collect()
    };
    assert!(statuses(&found).contains(&("success-after-bruteforce".into(), "suppressed".into())), "{found:#}");
    assert!(statuses(&found).contains(&("bruteforce-user-portal".into(), "new".into())), "{found:#}");
    let by = found["findings"].as_array().unwrap().iter().find(|f| !f["suppressed_by"].is_null()).unwrap();
    assert_eq!(by["suppressed_by"]["reason"], "our own test");
    let told = with(&["explain", "success-after-bruteforce"]);
    assert!(told.contains("(suppressed until"), "{told}");
    let table = with(&["timeline", "--findings"]);
    assert!(!table.contains("success-after-bruteforce"), "{table}");
    assert!(table.contains("\n8 of 9 events; 1 finding suppressed; nothing skipped\n"), "{table}");
    jcdetect()
        .args(["timeline", "--findings", "--format", "jsonl", "--config", text(&config), text(&log)])
        .assert()
        .stderr(predicate::str::contains("jcdetect: 1 finding suppressed"));
}

/// Some records name a device by its id alone.
#[test]
fn a_device_is_one_by_its_name_and_by_its_id() {
    let id = "65fb71de75ecd301d96c2210";
    let event = |n: u32, event_type: &str, more: &str| {
        let begin = format!(r#"{{"id":"e{n}","timestamp":"2026-03-02T09:00:0{n}Z","event_type":"{event_type}""#);
        format!(r#"{begin},"service":"software","organization":"o",{more}}}"#) + "\n"
    };
    let named = format!(r#""username":"bob","success":true,"system":{{"id":"{id}","hostname":"CFO-LAPTOP"}}"#);
    let by_id = format!(r#""application":{{"name":"AnyDesk"}},"system":{{"id":"{id}","type":"system"}}"#);
    let other = r#""application":{"name":"AnyDesk"},"system":{"id":"65fb71de75ecd301d96c2211","type":"system"}"#;
    let log = event(1, "login_attempt", &named) + &event(2, "software_add", &by_id) + &event(3, "software_add", other);
    let folder = folder(&[("log.jsonl", &log)]);
    let path = folder.path().join("log.jsonl");
    for subject in ["cfo-laptop", id] {
        let found = json(&[subject, text(&path)]);
        let sessions = found["sessions"].as_array().unwrap().iter();
        assert_eq!(sessions.map(|s| s["events"].as_array().unwrap().len()).sum::<usize>(), 2, "{subject}: {found:#}");
        assert_eq!(found["findings"].as_array().unwrap().len(), 1, "{subject}");
    }
    let told = |found: &[Value]| found.iter().any(|f| f["evidence"].to_string().contains("on CFO-LAPTOP"));
    let found = findings(&[text(&path)]);
    assert!(told(&found), "{found:#?}");
    let deleted =
        format!(r#""initiated_by":{{"type":"admin","email":"root@x.io"}},"resource":{{"id":"{id}","type":"system"}}"#);
    fs::write(&path, log.clone() + &event(4, "system_delete", &deleted)).unwrap();
    let timeline = jcdetect().args(["timeline", text(&path), "--no-config"]).output().unwrap();
    assert!(String::from_utf8_lossy(&timeline.stdout).contains("deleted the device CFO-LAPTOP"), "{timeline:?}");
    // Entries that name it by its id go on to match.
    let is_of = |f: &Value| f["related"].to_string().contains(id);
    assert!(found.iter().any(is_of), "{found:#?}");

    // Another device of that name: it tells neither any more, and an id is that device alone.
    let twin = r#""username":"eve","success":true,"system":{"id":"65fb71de75ecd301d96c2211","hostname":"CFO-LAPTOP"}"#;
    fs::write(&path, log + &event(4, "login_attempt", twin)).unwrap();
    let found = json(&[id, text(&path)]);
    let sessions = found["sessions"].as_array().unwrap().iter();
    assert_eq!(sessions.map(|s| s["events"].as_array().unwrap().len()).sum::<usize>(), 2, "{found:#}");
    let found = findings(&[text(&path)]);
    assert!(!told(&found), "{found:#?}");
}

/// A key is rotated, a session is ended: the page says which it was, and does not put the two into one line.
#[test]
fn what_a_key_did_is_told_apart_from_what_a_session_did() {
    let event = |minute: u32, user: &str, more: &str| {
        format!(
            r#"{{"id":"e{minute}","timestamp":"2026-03-02T10:0{minute}:00Z","event_type":"user_update","service":"directory","organization":"o","initiated_by":{{"id":"k1","type":"admin","email":"kai@example.com"}},"client_ip":"203.0.113.9","resource":{{"type":"user","username":"{user}"}},"changes":[{{"field":"sudo","from":false,"to":true}}]{more}}}"#
        ) + "\n"
    };
    let key = r#","auth_method":"api-key""#;
    let log = event(1, "ann", "") + &event(2, "ben", key) + &event(3, "cleo", key);
    let folder = folder(&[("log.jsonl", &log)]);
    let shown = investigate(&["kai@example.com", text(folder.path())]);
    let of_key = "made ben, cleo an administrator of their devices by API key (2 times)";
    assert!(shown.contains(of_key), "{shown}");
    assert!(shown.contains("made ann an administrator of their devices\n"), "{shown}");
}

/// What administrators do on one day: the time, who, the type of event and the rest of the record.
fn day(deeds: &[(&str, &str, &str, &str)]) -> String {
    let line = |(number, (time, who, event_type, rest)): (usize, &(&str, &str, &str, &str))| {
        let ip = if *who == "mal" { "198.51.100.66" } else { "203.0.113.11" };
        format!(
            r#"{{"id":"{number:024x}","timestamp":"2026-03-21T{time}Z","event_type":"{event_type}","service":"directory","organization":"o","initiated_by":{{"id":"id-{who}","type":"admin","email":"{who}@x.com"}},"client_ip":"{ip}","success":true,{rest}}}"#
        ) + "\n"
    };
    deeds.iter().enumerate().map(line).collect()
}

fn on(kind: &str, name: &str, changes: &str) -> String {
    let id = format!("id-{name}");
    format!(r#""resource":{{"type":"{kind}","id":"{id}","username":"{name}"}},"changes":[{changes}]"#)
}

/// The undo of each change and what is not to be undone of it, by what the first event of it was.
fn undone(subject: &str, log: &str) -> Vec<(String, String)> {
    let folder = folder(&[("log.jsonl", log)]);
    let found = json(&[subject, text(&folder.path().join("log.jsonl")), "--no-config"]);
    let change = |change: &Value| {
        let settled = change["settled"].as_array().into_iter().flatten().map(|settled| {
            let fields: Vec<&str> = settled["fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            format!("[{} {} {} {}]", settled["how"], settled["last_seen"], settled["actor"], fields.join(","))
        });
        let settled: Vec<String> = settled.collect();
        let undo = change["undo"].as_str().unwrap_or_default().to_owned();
        let told = (undo + &settled.join("")).replace('"', "").replace("2026-03-21T", "").replace(":00Z", "");
        let sentence = change["sentence"].as_str().unwrap().replace(" from 198.51.100.66", "");
        (sentence.replace(" from 203.0.113.11", ""), told)
    };
    found["changes"].as_array().unwrap().iter().map(change).collect()
}

fn pairs(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(sentence, told)| (sentence.as_str(), told.as_str())).collect()
}

/// Followed as it stands the list must not bring back what an intruder had changed in between.
#[test]
fn several_changes_of_the_same_are_undone_to_what_was_before_the_first() {
    let length = |from: u8, to: u8| {
        format!(
            r#""resource":{{"type":"organization","name":"Acme"}},"changes":[{{"field":"settings.passwordPolicy","from":{{"minLength":{from},"maxAge":1}},"to":{{"minLength":{to},"maxAge":1}}}}]"#
        )
    };
    let group = |op: &str| {
        format!(
            r#""association":{{"op":"{op}","connection":{{"from":{{"type":"user_group","object_id":"g","name":"Admins"}},"to":{{"type":"user","object_id":"id-bob","name":"bob"}}}}}}"#
        )
    };
    let email =
        |from: &str, to: &str| on("user", "ann", &format!(r#"{{"field":"email","from":"{from}","to":"{to}"}}"#));
    let log = day(&[
        ("01:01:00", "mal", "organization_update", &length(12, 8)),
        ("01:02:00", "mal", "organization_update", &length(8, 4)),
        ("01:03:00", "mal", "user_update", &email("ann@x.com", "ev@il.com")),
        ("01:13:00", "mal", "user_update", &email("ev@il.com", "ann@x.com")),
        ("01:20:00", "mal", "association_change", &group("add")),
        ("01:25:00", "mal", "association_change", &group("remove")),
        ("01:30:00", "mal", "user_suspended", &on("user", "cfo", "")),
        ("01:31:00", "mal", "user_update", &on("user", "cfo", r#"{"field":"suspended","from":true,"to":false}"#)),
        ("01:32:00", "mal", "user_create", &on("user", "tmp", "")),
        ("01:33:00", "mal", "user_update", &on("user", "tmp", r#"{"field":"sudo","from":false,"to":true}"#)),
        ("01:40:00", "mal", "user_delete", &on("user", "tmp", "")),
        ("01:50:00", "mal", "user_update", &on("user", "eve", r#"{"field":"a","from":1,"to":2},{"field":"password"}"#)),
        (
            "01:51:00",
            "mal",
            "user_update",
            &on("user", "eve", r#"{"field":"b","from":3,"to":4},{"field":"A","from":2,"to":1}"#),
        ),
    ]);
    let found = undone("mal@x.com", &log);
    let expected = [
        (
            "mal@x.com changed the settings of the organization Acme: settings.passwordPolicy.minLength: 12 → 8",
            "Set back on Acme: settings.passwordPolicy.minLength to 12.",
        ),
        ("mal@x.com changed the user ann: email: \"ann@x.com\" → \"ev@il.com\"", "[put_back 01:13 mal@x.com email]"),
        ("mal@x.com added bob to the group Admins", "[put_back 01:25 mal@x.com bound]"),
        ("mal@x.com suspended cfo", "[put_back 01:31 mal@x.com suspended]"),
        ("mal@x.com created the user tmp", "[gone 01:40 mal@x.com exists]"),
        ("mal@x.com made tmp an administrator of their devices", "[gone 01:40 mal@x.com sudo]"),
        (
            "mal@x.com changed eve's password: a: 1 → 2",
            "Set back on eve: b to 3. Reset eve's password, and end the sessions.[put_back 01:51 mal@x.com a]",
        ),
    ];
    assert_eq!(pairs(&found), expected);
    let folder = folder(&[("log.jsonl", &log)]);
    let path = folder.path().join("log.jsonl");
    let shown = investigate(&["mal@x.com", text(&path), "--no-config"]);
    let list = shown.split("What was changed").nth(1).unwrap().split("Activity").next().unwrap();
    assert!(list.contains("01:02:00  mal@x.com changed the settings"), "{list}");
    assert!(list.contains("Already put back 2026-03-21 01:13:00 by mal@x.com."), "{list}");
    assert!(list.contains("Already put back 2026-03-21 01:51:00 by mal@x.com: a."), "{list}");
    assert!(!list.contains("ev@il.com\".") && !list.contains("Suspend") && !list.contains("Bind"), "{list}");
    let all = json(&["mal@x.com", text(&path), "--no-config"]);
    let events: usize =
        all["changes"].as_array().unwrap().iter().map(|c| c["event_ids"].as_array().unwrap().len()).sum();
    assert_eq!(events, 13);
    assert_eq!(all["changes"][0]["then"][0]["sentence"].as_str().unwrap().matches("8 → 4").count(), 1);
}

/// What others did later stands in the log, also where it is no event of whom is looked into.
#[test]
fn what_somebody_else_put_in_order_is_not_undone() {
    let sudo = |from: bool, to: bool| on("user", "vip", &format!(r#"{{"field":"sudo","from":{from},"to":{to}}}"#));
    let role =
        |from: &str, to: &str| on("user", "ann", &format!(r#"{{"field":"department","from":"{from}","to":"{to}"}}"#));
    let log = day(&[
        ("01:00:00", "mal", "user_update", &sudo(false, true)),
        ("01:01:00", "mal", "user_update", &role("Sales", "Board")),
        ("01:02:00", "mal", "user_create", &on("user", "spy", "")),
        ("11:00:00", "good", "user_update", &sudo(true, false)),
        ("11:01:00", "good", "user_update", &role("Board", "Leavers")),
        ("11:02:00", "good", "user_delete", &on("user", "spy", "")),
        ("11:03:00", "good", "user_password_set", &on("user", "vip", "")),
        (
            "11:04:00",
            "good",
            "admin_suspended",
            &on("admin", "mal", "").replace("\"username\":\"mal\"", "\"email\":\"mal@x.com\""),
        ),
    ]);
    let of_mal = undone("mal@x.com", &log);
    let expected = [
        ("mal@x.com made vip an administrator of their devices", "[put_back 11:00 good@x.com sudo]"),
        (
            "mal@x.com changed the user ann: department: \"Sales\" → \"Board\"",
            "[changed_again 11:01 good@x.com department]",
        ),
        ("mal@x.com created the user spy", "[gone 11:02 good@x.com exists]"),
        (
            "good@x.com suspended the administrator mal@x.com",
            "Unsuspend the administrator mal@x.com.[answer 11:04 good@x.com ]",
        ),
    ];
    assert_eq!(pairs(&of_mal), expected);
    let folder = folder(&[("log.jsonl", &log)]);
    let page = |subject: &str| investigate(&[subject, text(&folder.path().join("log.jsonl")), "--no-config"]);
    assert!(page("vip").contains("No undo: good@x.com did this after what was found"), "{}", page("vip"));
    let of_vip = undone("vip", &log);
    let expected = [
        ("mal@x.com made vip an administrator of their devices", "[put_back 11:00 good@x.com sudo]"),
        ("good@x.com set vip's first password", "[afterwards 11:03 good@x.com ]"),
    ];
    assert_eq!(pairs(&of_vip), expected);
    let shown = page("mal@x.com");
    let list = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(list.contains("by good@x.com: department is \"Leavers\" now, and was \"Sales\"."), "{shown}");
    assert!(
        list.contains("It may be good@x.com's answer to what was found before. If it is none: Undo: Unsuspend"),
        "{shown}"
    );
    // The same by whom it was done first is no order.
    let own = log.replace("good", "mal").replace("203.0.113.11", "198.51.100.66");
    let told: Vec<String> = undone("vip", &own).into_iter().map(|(_, told)| told).collect();
    assert_eq!(told, ["[put_back 11:00 mal@x.com sudo]", "Reset vip's password, and end the sessions."]);
}

/// Who cleans up deletes what an intruder made, too: that does not make them one.
#[test]
fn whoever_clears_up_has_answered() {
    let mal = on("admin", "mal", "").replace("\"username\":\"mal\"", "\"email\":\"mal@x.com\"");
    let spy = on("admin", "spy", "").replace("\"username\":\"spy\"", "\"email\":\"spy@x.com\"");
    let mut deeds =
        vec![("01:00:00", "mal", "admin_create", spy.as_str()), ("11:00:00", "good", "admin_suspended", &mal)];
    let told = |deeds: &[(&str, &str, &str, &str)]| undone("mal@x.com", &day(deeds)).pop().unwrap().1;
    let answer = "Unsuspend the administrator mal@x.com.[answer 11:00 good@x.com ]";
    assert_eq!(told(&deeds), answer);
    deeds.insert(1, ("10:00:00", "good", "admin_delete", &spy));
    assert_eq!(told(&deeds), answer);
}

/// The mass step does not hide the only one of its kind, and a password is another one whatever its date was.
#[test]
fn each_kind_of_change_is_shown_however_many_there_are_of_another() {
    let changed = |n: u32, field: &str| {
        let password = format!(
            r#"{{"field":"password"}},{{"field":"password_date","from":"2026-01-{n:02}T00:00:00Z","to":"2026-03-21T00:00:00Z"}}"#
        );
        let fields = match field {
            "" => password,
            field => format!(r#"{password},{{"field":"{field}","from":{n},"to":0}}"#),
        };
        on("user", &format!("user{n}"), &fields)
    };
    let shown = |field: &str| {
        let updates: Vec<String> = (1..30).chain(1..30).map(|n| changed(n, field)).collect();
        let times: Vec<String> = (0..58).map(|n| format!("02:{n:02}:00")).collect();
        let spy = on("admin", "spy", "").replace("\"username\"", "\"email\"");
        let first = [("01:00:00", "mal", "admin_create", spy.as_str())];
        let rest =
            times.iter().zip(&updates).map(|(time, update)| (time.as_str(), "mal", "user_update", update.as_str()));
        let deeds: Vec<_> = first.into_iter().chain(rest).collect();
        let folder = folder(&[("log.jsonl", &day(&deeds))]);
        investigate(&["mal@x.com", text(&folder.path().join("log.jsonl")), "--no-config"])
    };
    let all = shown("");
    let words = all.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Undo: Suspend the administrator spy"), "{all}");
    assert!(words.contains("and 26 more's password (58 times)") && !all.contains("password_date"), "{all}");
    assert!(words.contains("user29's password, and end the sessions."), "{all}");
    let all = shown("level");
    assert!(all.contains("Suspend the administrator spy"), "{all}");
}

/// As long as a key works, what is undone is done again.
#[test]
fn the_api_key_with_which_it_was_done_is_named_first() {
    let log =
        day(&[("01:00:00", "mal", "user_update", &on("user", "vip", r#"{"field":"sudo","from":false,"to":true}"#))]);
    let shown = |log: &str| {
        let folder = folder(&[("log.jsonl", log)]);
        investigate(&["mal@x.com", text(&folder.path().join("log.jsonl")), "--no-config"])
    };
    let by_key = shown(&log.replace("\"success\":true", "\"success\":true,\"auth_method\":\"api-key\""));
    assert!(by_key.contains("  First delete the API key of mal@x.com, with which some of this was done."), "{by_key}");
    assert!(!shown(&log).contains("API key"));
}

/// What was changed honestly before is not what an intruder's change is undone to.
#[test]
fn a_change_is_undone_to_what_was_there_when_the_suspicious_ones_began() {
    let email =
        |from: &str, to: &str| on("user", "ann", &format!(r#"{{"field":"email","from":"{from}","to":"{to}"}}"#));
    let log = day(&[
        ("01:00:00", "good", "user_update", &email("old@x.com", "ann@x.com")),
        ("05:00:00", "mal", "user_update", &email("ann@x.com", "ev@il.com")),
        ("05:01:00", "mal", "user_update", &email("ev@il.com", "d@evil.com")),
    ])
    .replacen("2026-03-21T01", "2026-01-02T01", 1);
    let own = undone("ann", &log);
    let told: Vec<&str> = own.iter().map(|(_, told)| told.as_str()).collect();
    let again = "[changed_again 05:01 mal@x.com email]";
    assert_eq!(told, [again, "Set back on ann: email to ann@x.com."], "{own:#?}");
    // On one day they belong together.
    let told = undone("ann", &log.replace("2026-01-02", "2026-03-21"));
    assert_eq!(told[0].1, "Set back on ann: email to old@x.com.");
}

/// Secrets are not compared: what is masked looks alike.
#[test]
fn of_what_is_not_known_nothing_is_said_to_be_put_back() {
    let changed = |from: &str, to: &str| {
        on(
            "application",
            "app",
            &format!(
                r#"{{"field":"sso.clientSecret","from":{from},"to":{to}}},{{"field":"tags","from":["a"],"to":["b"]}}"#
            ),
        )
    };
    let log = day(&[
        ("01:00:00", "mal", "application_update", &changed(r#""***""#, r#""*x*""#)),
        ("01:01:00", "mal", "application_update", &changed(r#""*x*""#, r#""***""#)),
    ]);
    let found = undone("mal@x.com", &log);
    assert_eq!(found[0].1, "Set back on app: sso.clientSecret, tags.");
    // The same change of several is one, also where it was put back.
    let user =
        |name: &str, from: bool| on("user", name, &format!(r#"{{"field":"suspended","from":{from},"to":{}}}"#, !from));
    let names = ["ann", "bob", "cleo"];
    let [off, again] = [false, true].map(|from| names.map(|name| user(name, from)));
    let mut deeds: Vec<(&str, &str, &str, &str)> =
        off.iter().map(|rest| ("01:00:00", "mal", "user_update", rest.as_str())).collect();
    deeds.extend(again[..2].iter().map(|rest| ("11:00:00", "good", "user_update", rest.as_str())));
    let folder = folder(&[("log.jsonl", &day(&deeds))]);
    let found = json(&["mal@x.com", text(&folder.path().join("log.jsonl")), "--no-config"]);
    let told: Vec<(u64, &Value)> =
        found["changes"].as_array().unwrap().iter().map(|c| (c["count"].as_u64().unwrap(), &c["undo"])).collect();
    assert_eq!(told, [(2, &Value::Null), (1, &"Set back on cleo: suspended to false.".into())]);
}

/// The policy was switched off by somebody else than whom the finding is about.
#[test]
fn all_evidence_of_a_finding_is_shown_whoever_did_it() {
    let path = scenario("policy-gap");
    let all = findings(&[text(&path), "--no-config"]);
    for rule in ["chain-cap-off-untrusted-login", "cap-flip-flop", "reset-then-strange-sign-in"] {
        let finding = all.iter().find(|finding| finding["rule_id"] == rule).unwrap();
        let found = json(&[finding["id"].as_str().unwrap(), text(&path), "--no-config"]);
        let events = found["sessions"].as_array().unwrap().iter().flat_map(|s| s["events"].as_array().unwrap());
        let shown: Vec<&Value> = events.map(|event| &event["event_id"]).collect();
        for evidence in finding["evidence"].as_array().unwrap() {
            assert!(shown.contains(&&evidence["event_id"]), "{rule}: {evidence}");
        }
    }
    let chain = all.iter().find(|finding| finding["rule_id"] == "chain-cap-off-untrusted-login").unwrap();
    let found = json(&[chain["id"].as_str().unwrap(), text(&path), "--no-config"]);
    let switched = &found["changes"][0];
    assert!(switched["sentence"].as_str().unwrap().contains("switched off the conditional access policy"), "{found:#}");
    assert_eq!(switched["settled"][0]["how"], "put_back");
    // What is shown beside her tells nothing of what is usual for her.
    let alone = json(&["carla.costa", text(&path), "--no-config"]);
    assert_eq!(found["usual"], alone["usual"]);
    assert_eq!(found["identities"], alone["identities"]);
}

/// Of two records of an event rules keep one, which need not be the one that is shown.
#[test]
fn evidence_of_others_is_shown_whichever_record_is_kept() {
    let path = scenario("policy-gap").join("events.jsonl");
    let log = fs::read_to_string(path).unwrap();
    let other = log.replace("\"client_ip\":", "\"application\":{\"name\":\"\"},\"client_ip\":");
    assert_ne!(log, other);
    let folder = folder(&[("a.jsonl", &log), ("b.jsonl", &other)]);
    let [a, b] = ["a.jsonl", "b.jsonl"].map(|name| text(&folder.path().join(name)).to_owned());
    let chain = |sources: [&str; 2]| {
        let all = findings(&[sources[0], sources[1], "--no-config"]);
        all.iter().find(|f| f["rule_id"] == "chain-cap-off-untrusted-login").unwrap()["id"].as_str().unwrap().to_owned()
    };
    for sources in [[a.as_str(), b.as_str()], [b.as_str(), a.as_str()]] {
        let found = json(&[&chain(sources), sources[0], sources[1], "--no-config"]);
        let kinds = found["sessions"].to_string().matches("authpolicy_update").count();
        assert_eq!(kinds, 1, "{found:#}");
    }
}

/// One of many who were tried in vain was not got into.
#[test]
fn an_event_that_only_has_a_part_in_a_finding_says_so() {
    let path = scenario("spray-one-hit");
    let shown = investigate(&["user00", text(&path), "--no-config"]);
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let part = "△ has a part in critical: Sign-in succeeds from an address that sprayed passwords [success-after-spray], completed 2026-03-10 03:39:00: alice.adler signed in";
    assert!(flat.contains(part) && !flat.contains('▲'), "{shown}");
    let found = json(&["user00", text(&path), "--no-config"]);
    let event = &found["sessions"][0]["events"][0];
    assert_eq!((event["findings"].as_array().unwrap().len(), event["part_of"].as_array().unwrap().len()), (0, 2));
    let hit = investigate(&["alice.adler", text(&path), "--no-config"]);
    assert!(hit.contains("▲ critical: Sign-in succeeds from an address that sprayed passwords"), "{hit}");
}

#[test]
fn the_id_of_a_case_is_a_subject_and_that_of_an_event_is_told_to_be_one() {
    let path = scenario("policy-gap");
    let report = jcdetect().args(["scan", text(&path), "--no-config", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let case = &report["cases"][0];
    let id = case["id"].as_str().unwrap();
    let found = json(&[&id[..8], text(&path), "--no-config"]);
    assert_eq!((&found["case_id"], &found["finding_id"]), (&case["id"], &Value::Null));
    let events = found["sessions"].as_array().unwrap().iter().flat_map(|s| s["events"].as_array().unwrap());
    let shown: Vec<&Value> = events.map(|event| &event["event_id"]).collect();
    let of_case = |finding: &&Value| finding["case_id"] == case["id"];
    let own: Vec<&Value> = report["findings"].as_array().unwrap().iter().filter(of_case).collect();
    assert!(own.len() > 5, "{case:#}");
    for evidence in own.iter().flat_map(|finding| finding["evidence"].as_array().unwrap()) {
        assert!(shown.contains(&&evidence["event_id"]), "{evidence}");
    }
    assert_eq!(found["findings"].as_array().unwrap().len(), own.len());
    let first = &found["sessions"][0]["first_seen"];
    assert!(first.as_str().unwrap() >= case["first_seen"].as_str().unwrap(), "{first}");
    let page = investigate(&[&id[..8], text(&path), "--no-config"]);
    assert!(page.starts_with(&format!("Case {}: ", &id[..8])), "{page}");
    let event = own[0]["evidence"][0]["event_id"].as_str().unwrap();
    let page = investigate(&[event, text(&path), "--no-config"]);
    assert!(
        page.contains(&format!("It is the id of an event: jcdetect hunt SOURCE --where 'id == \"{event}\"'")),
        "{page}"
    );
    assert_eq!(json(&[event, text(&path), "--no-config"])["event_id"], event);
    assert!(!investigate(&["abcdef012345", text(&path), "--no-config"]).contains("the id of an event"));
}
