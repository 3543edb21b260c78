//! `explain`: why a rule found something, or why it did not; and `demo`, which needs no data.

use predicates::prelude::*;
use predicates::str::contains;

use super::{findings, jcdetect, scan, scenario, text};

fn explain(arguments: &[&str]) -> String {
    let output = jcdetect().arg("explain").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A rule with its examples' events is all that has to be known.
const RULES: &str = "title: Five failures\nname: five-failures\nlevel: high\ncorrelation: {type: event_count, rules: [failed], group-by: [actor.key], timespan: 10m, condition: {gte: 5}}\n---\ntitle: Failed\nname: failed\nlogsource: {product: jumpcloud}\ndetection:\n  a: {event_type: user_login_attempt, outcome: failure}\n  b: {actor.name|startswith: svc-}\n  condition: a and not b\n";
const CHAIN: &str = "title: Failure, then success\nname: then-success\nlevel: high\njcdetect: {sequence: {steps: [{a: failed}, {b: succeeded}], group-by: [actor.key], timespan: 10m}}\n---\ntitle: Failed\nname: failed\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt, outcome: failure}, condition: a}\n---\ntitle: Succeeded\nname: succeeded\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt, outcome: success}, condition: a}\n";

fn world() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    let line = |number: u32, minute: u32, who: &str, success: bool| {
        format!(
            r#"{{"id":"e{number}","timestamp":"2026-03-02T09:{minute:02}:00Z","event_type":"user_login_attempt","service":"directory","organization":"o","initiated_by":{{"type":"user","username":"{who}"}},"success":{success}}}"#
        ) + "\n"
    };
    let mut log = String::new();
    for number in 0..4 {
        log += &line(number, number, "alice", false);
    }
    log += &line(8, 30, "alice", true);
    log += &line(9, 31, "svc-backup", false);
    std::fs::write(folder.path().join("log.jsonl"), log).unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/five-failures.yml"), RULES).unwrap();
    std::fs::write(folder.path().join("rules/then-success.yml"), CHAIN).unwrap();
    folder
}

#[test]
fn the_table_tells_what_to_ask_for() {
    let folder = scenario("push-fatigue");
    let folder = folder.to_str().unwrap();
    let table = scan(&[folder]);
    // The last place is that of the question.
    let behind = table.rsplit("[sso-sensitive-app-from-new-context] ").next().unwrap();
    let told = explain(&[&behind[..8], folder]);
    assert!(flat(&told).contains(&format!("Finding {}: Sensitive application opened", &behind[..8])), "{told}");
}

fn on_world(rule: &str, flags: &[&str]) -> String {
    let folder = world();
    let (log, rules) = (folder.path().join("log.jsonl"), folder.path().join("rules"));
    flat(&explain(&[&[rule, text(&log), "--rules", text(&rules)], flags].concat()))
}

#[test]
fn how_near_a_count_came() {
    let told = on_world("five-failures", &[]);
    assert!(told.contains("It found nothing in 6 events."), "{told}");
    assert!(told.contains("the most at once was 4, for alice at 2026-03-02T09:03:00Z; needed: at least 5"), "{told}");
}

#[test]
fn each_part_of_a_condition_on_one_event() {
    let told = on_world("five-failures", &["--event", "e9"]);
    assert!(told.contains("svc-backup failed to sign in to the user portal"), "{told}");
    assert!(told.contains("The rule is not met at this event."), "{told}");
    assert!(told.contains("[yes] outcome is failure (it has failure)"), "{told}");
    assert!(told.contains("[no] not: [yes] actor.name is svc-* (it has svc-backup)"), "{told}");
    let told = on_world("five-failures", &["--event", "e3"]);
    assert!(told.contains("4 up to this event, for alice; needed: at least 5"), "{told}");
    assert!(told.contains("[yes] failed: one event with"), "{told}");
}

#[test]
fn what_hangs_on_what_comes_after_the_data_is_pending() {
    let rule = "title: Failure, then no success\nname: no-success\nlevel: low\njcdetect: {sequence: {steps: [{a: failed}, {b: succeeded}], group-by: [actor.key], timespan: 10m, absent: last}}\n";
    let folder = world();
    let (log, rules) = (folder.path().join("log.jsonl"), folder.path().join("rules"));
    std::fs::write(rules.join("no-success.yml"), CHAIN.replacen(CHAIN.split("---").next().unwrap(), rule, 1)).unwrap();
    let arguments = ["no-success", text(&log), "--rules", text(&rules)];
    let told = flat(&explain(&arguments));
    assert!(told.contains("It made 2 findings out of 6 events."), "{told}");
    assert!(told.contains("svc-backup (pending)"), "{told}");
    assert!(told.contains("with no succeeded in the 10 min after [met 5 times, 1 of them pending]"), "{told}");
    let told = flat(&explain(&[&arguments[..], &["--event", "e9"]].concat()));
    assert!(told.contains("The rule is met at this event; pending: the data ends"), "{told}");
}

/// Failed sign-ins and others of alice, at these minutes of a day, from these countries.
fn told_of(rule: &str, events: &[(u32, &str, bool)], asked: usize) -> String {
    let local = |name: &str, outcome: &str| {
        format!(
            "---\ntitle: L\nname: {name}\nlogsource: {{product: jumpcloud}}\ndetection: {{a: {{event_type: user_login_attempt{outcome}}}, condition: a}}\n"
        )
    };
    let failed = if rule.contains("failed") { local("failed", ", outcome: failure") } else { String::new() };
    let line = |(number, (minute, country, success)): (usize, &(u32, &str, bool))| {
        format!(
            r#"{{"id":"e{number}","timestamp":"2026-03-02T{:02}:{:02}:00Z","event_type":"user_login_attempt","service":"directory","organization":"o","initiated_by":{{"type":"user","username":"alice"}},"geoip":{{"country_code":"{country}"}},"success":{success}}}"#,
            minute / 60,
            minute % 60
        ) + "\n"
    };
    let folder = tempfile::TempDir::new().unwrap();
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, events.iter().enumerate().map(line).collect::<String>()).unwrap();
    let head = "title: T\nname: asked\nlevel: low\n";
    std::fs::write(folder.path().join("asked.yml"), format!("{head}{rule}\n{}{failed}", local("login", ""))).unwrap();
    let event = format!("e{asked}");
    let arguments = ["asked", text(&log), "--rules", text(folder.path()), "--no-config", "--event", &event];
    let told = flat(&explain(&arguments));
    assert!(told.contains("The rule is not met at this event."), "{told}");
    told
}

#[test]
fn a_share_that_was_missed_is_told() {
    let rule = "correlation: {type: event_count, rules: [failed], group-by: [actor.key], timespan: 1h, condition: {gte: 3}}\njcdetect: {share: {of: login, at_least: 0.9}}";
    let events: Vec<(u32, &str, bool)> = (0..8).map(|minute| (minute, "FR", minute % 2 == 0)).collect();
    let told = told_of(rule, &events, 7);
    let want =
        "4 up to this event, for alice; needed: at least 3; and 4 are 50 % of the 8 of login; needed: at least 90 %";
    assert!(told.contains(want), "{told}");
}

#[test]
fn when_a_count_began_anew_is_told() {
    let rule = "correlation: {type: event_count, rules: [failed], group-by: [actor.key], timespan: 1h, condition: {gte: 3}}\njcdetect: {since: succeeded, share: {of: login, at_least: 0.1}}\n---\ntitle: succeeded\nname: succeeded\nlogsource: {product: jumpcloud}\ndetection: {s: {event_type: user_login_attempt, outcome: success}, condition: s}";
    let events: Vec<(u32, &str, bool)> = (0..8).map(|minute| (minute, "FR", minute == 5)).collect();
    let told = told_of(rule, &events, 7);
    assert!(told.contains("2 up to this event since succeeded at 2026-0"), "{told}");
    assert!(told.contains(":05:00Z, for alice; needed: at least 3; and 2 are 66 % of the 3 of login"), "{told}");
}

#[test]
fn what_was_known_of_a_value_is_told_as_the_rule_sees_it() {
    let first_seen = |how: &str| {
        format!(
            "jcdetect: {{first_seen: {{rule: login, by: [actor.key], value: [source.country], min_days: 0, min_events: 3, {how}}}}}"
        )
    };
    // Of three events one is too young.
    let told = told_of(
        &first_seen("settle: 1h"),
        &[(0, "FR", true), (1, "FR", true), (570, "FR", true), (600, "NL", true)],
        3,
    );
    let want = "alice was known for 10 h and 2 events, the last 60 min left out; needed: 0 s and 3";
    assert!(told.contains(want), "{told}");
    assert!(told.contains("that was never in login before, the last 60 min left out, for each"), "{told}");
    // One of the two sights is forgotten.
    let events = [(0, "FR", true), (1, "NL", true), (570, "FR", true), (590, "NL", true), (600, "FR", true)];
    let told = told_of(&first_seen("lookback: 2h"), &events, 4);
    let want = "it is not new: once in the 2 h before, first at 2026-03-02T09:30:00Z";
    assert!(told.contains(want), "{told}");
    assert!(told.contains("that was not in login in the 2 h before, for each actor.key"), "{told}");
}

/// Only somebody who was there can be known too short.
#[test]
fn why_nobody_was_judged_is_told() {
    let rule = |fields: &str| {
        format!(
            "title: T\nname: asked\nlevel: low\njcdetect: {{first_seen: {{rule: login, by: [actor.key], value: [{fields}], min_days: 14, min_events: 3}}}}\n---\ntitle: L\nname: login\nlogsource: {{product: jumpcloud}}\ndetection: {{a: {{event_type: user_login_attempt}}, condition: a}}\n"
        )
    };
    let event = |number: u32, time: &str, kind: &str, rest: &str| {
        format!(
            r#"{{"id":"e{number}","timestamp":"{time}T09:0{number}:00Z","event_type":"{kind}","organization":"o"{rest}}}"#
        ) + "\n"
    };
    let told = |field: &str, log: &str, history: Option<&str>| {
        let folder = tempfile::TempDir::new().unwrap();
        let [path, old, rules] = ["log.jsonl", "old.jsonl", "asked.yml"].map(|name| folder.path().join(name));
        std::fs::write(&path, log).unwrap();
        std::fs::write(rules, rule(field)).unwrap();
        let mut arguments = vec!["asked", text(&path), "--rules", text(folder.path()), "--no-config"];
        if let Some(history) = history {
            std::fs::write(&old, history).unwrap();
            arguments.extend(["--history", text(&old)]);
        }
        flat(&explain(&arguments))
    };
    let who = r#","initiated_by":{"type":"user","username":"alice"},"geoip":{"country_code":"FR"}"#;
    let (login, other) = ("user_login_attempt", "user_create");
    let (early, late) = ("2026-03-02", "2026-04-20");
    for (field, log, history, want) in [
        ("source.country", event(1, late, other, who), None, "→ login never happened"),
        ("source.country", event(1, late, login, ""), None, "→ no event of login has actor.key"),
        ("source.asn", event(1, late, login, who), None, "→ no event of login has source.asn"),
        (
            "source.country",
            event(1, late, other, who),
            Some(event(2, early, login, who)),
            "→ login happened in the history alone, where nobody was known long enough to be judged",
        ),
        (
            "source.country",
            event(1, late, login, who),
            None,
            "→ nobody was known long enough to be judged (1 were not)",
        ),
    ] {
        let told = told(field, &log, history.as_deref());
        assert!(told.contains(want), "{want}: {told}");
        assert_eq!(told.matches("known long enough").count(), want.matches("known long enough").count(), "{told}");
    }
}

/// A step that happened, but to nobody, is not one that never happened.
#[test]
fn steps_that_nothing_joins_are_told_apart_from_those_that_never_happened() {
    let folder = world();
    let (log, rules) = (folder.path().join("log.jsonl"), folder.path().join("rules"));
    let event = r#"{"id":"e1","timestamp":"2026-03-02T09:00:00Z","event_type":"user_login_attempt","organization":"o","success":false}"#;
    std::fs::write(&log, event).unwrap();
    let told = flat(&explain(&["then-success", text(&log), "--rules", text(&rules), "--no-config"]));
    assert!(told.contains("→ no event of failed has actor.key → succeeded never happened"), "{told}");
}

#[test]
fn values_that_left_the_window_do_not_count() {
    let rule = "correlation: {type: value_count, rules: [login], group-by: [actor.key], timespan: 1h, condition: {field: source.country, gte: 5}}";
    let events =
        [(0, "FR", true), (1, "NL", true), (2, "NL", true), (61, "DE", true), (62, "US", true), (63, "US", true)];
    let told = told_of(rule, &events, 5);
    assert!(told.contains("2 up to this event, for alice; needed: at least 5"), "{told}");
}

#[test]
fn which_step_lacked() {
    let told = on_world("then-success", &["--event", "e8"]);
    assert!(told.contains("failed: none within 10 min for alice"), "{told}");
    assert!(told.contains("succeeded: this event"), "{told}");
    let told = on_world("then-success", &[]);
    assert!(told.contains("1 with all of its parts, but not as it wants them"), "{told}");
}

#[test]
fn an_event_that_no_rule_keeps_can_be_asked_for() {
    let told = flat(&explain(&[
        "mfa-fatigue-then-success",
        text(&scenario("admin-takeover")),
        "--event",
        "69772505b40e3c067a11d22c",
    ]));
    assert!(told.contains("(events.jsonl:1)") && told.contains("The rule is not met"), "{told}");
    assert!(told.contains("[no] mfa.push_denied is true (it has not there)"), "{told}");
}

#[test]
fn an_event_of_history_can_be_asked_for() {
    let path = |name: &str| text(&scenario(name)).to_owned();
    let (log, old) = (path("push-fatigue"), path("admin-takeover"));
    let arguments = ["mfa-fatigue-then-success", &log, "--event", "69772505b40e3c067a11d22c"];
    jcdetect().arg("explain").args(arguments).assert().code(2).stderr(contains("no event of this id was read"));
    let told = flat(&explain(&[&arguments[..], &["--history", &old]].concat()));
    assert!(told.contains("(events.jsonl:1, in the history)") && told.contains("The rule is not met"), "{told}");
}

#[test]
fn what_made_a_finding() {
    let path = scenario("push-fatigue");
    let all = findings(&[text(&path)]);
    let finding = all.iter().find(|f| f["rule_id"] == "mfa-fatigue-then-success").unwrap();
    let told = explain(&[&finding["id"].as_str().unwrap()[..6], text(&path)]);
    assert!(flat(&told).contains(finding["summary"].as_str().unwrap()), "{told}");
    for evidence in finding["evidence"].as_array().unwrap() {
        let time = evidence["timestamp"].as_str().unwrap().replace('T', " ");
        assert!(told.contains(&time[..19]), "{time}: {told}");
    }
    // The same from standard input.
    let file = path.join("events.jsonl");
    let piped = jcdetect().args(["explain", finding["id"].as_str().unwrap(), "-"]).pipe_stdin(file).unwrap().output();
    assert_eq!(String::from_utf8(piped.unwrap().stdout).unwrap(), told);
}

/// What adds up is told with its weight, and the weights are enough.
#[test]
fn what_adds_up() {
    let path = scenario("insider");
    let all = findings(&[text(&path)]);
    let finding = all.iter().find(|f| f["rule_id"] == "risk-score-entity").unwrap();
    let told = flat(&explain(&[finding["id"].as_str().unwrap(), text(&path)]));
    assert!(told.contains("pwm-export: adds 40 (high); Passwords exported [met once]"), "{told}");
    let of = |name: &str| all.iter().any(|f| name.ends_with(f["rule_id"].as_str().unwrap()));
    let added: Vec<(&str, u32)> = told
        .match_indices(": adds ")
        .map(|(at, adds)| {
            let weight = told[at + adds.len()..].split(' ').next().unwrap();
            (&told[..at], weight.parse().unwrap())
        })
        .collect();
    assert!(added.len() >= 3 && added.iter().all(|(name, _)| of(name)), "{told}");
    assert!(added.iter().map(|(_, weight)| weight).sum::<u32>() >= 100, "{told}");
}

#[test]
fn why_nothing_could_be_found() {
    let path = scenario("push-fatigue");
    let told = flat(&explain(&["report-export", text(&path)]));
    assert!(
        told.contains("A scan reports nothing of this rule by default; --enable report-export turns it on."),
        "{told}"
    );
    assert!(told.contains("None of the types of event that it looks at was read."), "{told}");
}

/// Whatever a rule is made of, it can be told.
#[test]
fn every_rule_can_be_explained() {
    let path = scenario("admin-takeover");
    let list = jcdetect().args(["rules", "list", "--format", "json"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    // Some, and one of every condition there is.
    for rule in list.as_array().unwrap().iter().step_by(30) {
        let name = rule["id"].as_str().unwrap();
        assert!(explain(&[name, text(&path)]).contains("How it is put together"), "{name}");
    }
    for name in
        ["risk-score-entity", "impossible-travel-user", "api-write-rate-spike", "admin-totp-disabled-no-reenrol"]
    {
        assert!(explain(&[name, text(&path), "--event", "6979c79b93cf187ffb38d403"]).contains("[no]"), "{name}");
    }
}

#[test]
fn bad_words() {
    let path = scenario("push-fatigue");
    let id = findings(&[text(&path)])[0]["id"].as_str().unwrap().to_owned();
    for (arguments, code, message) in [
        (&["mfa-fatige-then-success"][..], 2, "did you mean `mfa-fatigue-then-success`?"),
        (&["000000"], 2, "not the first 6 or more characters of a finding's id, and no such rule"),
        (&["1bf"], 2, "1bf: not the first 6 or more characters"),
        (&["mfa-fatigue-then-success", "--event", "nothing"], 2, "no event of this id was read"),
        (&[&id, "--event", "x"], 2, "--event goes with a rule"),
        (&[""], 2, "name a rule"),
        (&["mfa-fatigue-then-success", "nowhere.jsonl"], 3, "nowhere.jsonl"),
    ] {
        let (subject, flags) = arguments.split_first().unwrap();
        jcdetect().args(["explain", subject, text(&path)]).args(flags).assert().code(code).stderr(contains(message));
    }
}

#[test]
fn one_event_is_not_many() {
    let event =
        r#"{"id": "000000000000000000000001", "timestamp": "2026-03-02T09:00:00Z", "event_type": "user_create"}"#;
    let explain = |events: String| {
        let explain = ["explain", "user-delete-burst", "-", "--no-config"];
        jcdetect().args(explain).write_stdin(events).assert().code(0)
    };
    explain(event.to_owned()).stdout(contains("It found nothing in 1 event.\n"));
    explain(format!("{event}\n{}", event.replace("01\"", "02\""))).stdout(contains("It found nothing in 2 events.\n"));
}

#[test]
fn the_demo_is_a_scan_of_its_events() {
    let shown = jcdetect().arg("demo").assert().code(0).stderr(contains("this is an example"));
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    let events = jcdetect().args(["demo", "--events"]).output().unwrap().stdout;
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("demo.jsonl");
    std::fs::write(&path, events).unwrap();
    assert_eq!(shown, scan(&[text(&path), "--no-config"]));
    assert!(shown.contains("chain-admin-takeover"));
    jcdetect().args(["demo", "--format", "jsonl"]).assert().stdout(predicate::str::starts_with("{"));
    jcdetect()
        .args(["demo", "--format", "x"])
        .assert()
        .code(2)
        .stderr(contains("[possible values: table, json, jsonl]"));
}

/// One event may have any number of values, and all of them count.
#[test]
fn a_count_of_values_is_told_whole() {
    let folder = tempfile::TempDir::new().unwrap();
    let (log, rules) = (folder.path().join("log.jsonl"), folder.path().join("rules"));
    std::fs::create_dir(&rules).unwrap();
    let changes: Vec<String> = (0..150).map(|n| format!(r#"{{"field":"f{n}","to":"x"}}"#)).collect();
    let event = format!(
        r#"{{"id":"e1","timestamp":"2026-03-02T09:00:00Z","event_type":"user_update","organization":"o","initiated_by":{{"type":"admin","email":"a@x.io"}},"changes":[{}]}}"#,
        changes.join(",")
    );
    std::fs::write(&log, event).unwrap();
    std::fs::write(
        rules.join("many.yml"),
        "title: Many fields\nname: many\nlevel: low\ncorrelation: {type: value_count, rules: [update], group-by: [actor.key], timespan: 1h, condition: {field: raw.changes.field, gte: 151}}\n---\ntitle: Update\nname: update\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_update}, condition: a}\n",
    )
    .unwrap();
    let arguments = ["many", text(&log), "--rules", text(&rules)];
    let told = flat(&explain(&arguments));
    assert!(told.contains("the most at once was 150, for a@x.io"), "{told}");
    let told = flat(&explain(&[&arguments[..], &["--event", "e1"]].concat()));
    assert!(told.contains("150 up to this event, for a@x.io; needed: at least 151"), "{told}");
}

#[test]
fn organizations_are_told_apart() {
    let folder = world();
    let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap().replace("T09:30", "T09:05");
    let path = folder.path().join("two.jsonl");
    let other = log.replace("\"organization\":\"o\"", "\"organization\":\"p\"").replace("\"id\":\"e", "\"id\":\"f");
    std::fs::write(&path, log + &other).unwrap();
    let rules = folder.path().join("rules");
    let arguments = ["then-success", text(&path), "--no-config", "--rules", text(&rules)];
    let one = [&arguments[..], &["--organization", "p"]].concat();
    let said = flat(&explain(&arguments));
    assert!(said.contains(", in o") && said.contains(", in p") && said.contains("It made 2 findings"), "{said}");
    let said = flat(&explain(&one));
    assert!(!said.contains(", in o") && said.contains("It made 1 finding "), "{said}");
    jcdetect()
        .args(["explain", "then-success", text(&path), "--organization", "q", "--no-config", "--rules", text(&rules)])
        .assert()
        .code(2)
        .stderr(contains("there are o, p"));
}
