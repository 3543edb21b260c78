//! Evidence: what made a finding, and nothing that only stood beside it.

use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{findings, jcdetect, text};

/// The findings of a rule over events that are twenty seconds apart.
fn found(rule: &str, events: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    let lines = events.into_iter().enumerate().map(|(n, mut event)| {
        event["id"] = format!("{n:024x}").into();
        event["timestamp"] = format!("2026-03-02T{:02}:{:02}:{:02}Z", 9 + n / 180, n / 3 % 60, n % 3 * 20).into();
        format!("{event}\n")
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    findings(&[text(&path), "--no-config"]).into_iter().filter(|finding| finding["rule_id"] == rule).collect()
}

fn sign_in(name: &str, is_success: bool) -> Value {
    json!({"event_type": "user_login_attempt", "service": "directory", "success": is_success, "client_ip": "203.0.113.9",
        "initiated_by": {"type": "user", "username": name}})
}

#[test]
fn what_a_share_is_of_is_no_evidence() {
    let honest = (0..30).map(|n| sign_in(&format!("honest{}", n % 10), true));
    let spray = found("password-spray-single-ip", honest.chain((0..20).map(|n| sign_in(&format!("u{n}"), false))));
    assert_eq!(spray.len(), 1);
    assert_eq!((&spray[0]["event_count"], &spray[0]["first_seen"]), (&json!(20), &json!("2026-03-02T09:10:00Z")));
    let summary = spray[0]["summary"].as_str().unwrap();
    assert!(summary.contains(", as u0, u1, u2 and 17 more"), "{summary}");
}

#[test]
fn what_must_not_be_is_no_evidence() {
    let change = |n: u32| {
        json!({"event_type": "user_update", "service": "directory", "success": true, "auth_method": "session",
            "initiated_by": {"type": "admin", "email": "a@example.com", "id": "a1"}, "client_ip": "203.0.113.9",
            "resource": {"type": "user", "id": format!("{n:024x}"), "username": format!("u{n}")},
            "changes": [{"field": "email", "from": format!("u{n}@example.com"), "to": format!("u{n}@example.net")}]})
    };
    let changed = found("user-email-changed", (0..11).map(change));
    assert!(changed.len() >= 9 && changed.iter().all(|finding| finding["event_count"] == 1), "{changed:?}");
}

#[test]
fn others_of_a_new_network_are_no_evidence() {
    let mut push = sign_in("alice", true);
    push["geoip"] = json!({"country_code": "RU"});
    push["auth_context"] = json!({"auth_methods": {"jumpcloud_protect": {"success": true}},
        "jumpcloud_protect_device": {"id": "d1", "geoip": {"country_code": "FR"}}});
    let others = (0..6).map(|n| sign_in(&format!("u{n}"), true));
    let approved = found("push-approved-other-country", others.chain([push]));
    assert_eq!((approved.len(), &approved[0]["event_count"]), (1, &json!(1)));
    assert!(!approved[0]["summary"].as_str().unwrap().contains("u0"), "{approved:?}");
}

#[test]
fn what_was_allowed_besides_is_no_evidence() {
    let read = |n: u32| {
        json!({"event_type": "system_fde_key_decrypt", "service": "directory", "success": true,
            "initiated_by": {"type": "admin", "email": "a@example.com", "id": "a1"}, "client_ip": "203.0.113.9",
            "resource": {"type": "system", "id": format!("{n:024x}"), "displayName": format!("mac-{n}")}})
    };
    let other = || (0..50).map(|_| sign_in("bob", true));
    // Further apart than what is folded into one finding.
    let events = (0..3).flat_map(|n| [read(n)].into_iter().chain(other()).chain(other()));
    let viewed = found("fde-key-viewed", events);
    let counts: Vec<u64> = viewed.iter().map(|finding| finding["event_count"].as_u64().unwrap()).collect();
    assert!(!viewed.is_empty() && counts.iter().sum::<u64>() == 3, "{counts:?}");
}

/// The ids of the evidence of the one finding of a rule that is not of the pack.
fn evidence_of(rule: &str, events: &[(&str, &str)]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let (rules, path) = (folder.path().join("own.yml"), folder.path().join("events.jsonl"));
    std::fs::write(&rules, rule).unwrap();
    let lines = events.iter().enumerate().map(|(n, (time, word))| {
        let mut event = sign_in("alice", true);
        event["id"] = format!("e{n}").into();
        event["timestamp"] = format!("2026-03-02T{time}Z").into();
        event["word"] = (*word).into();
        format!("{event}\n")
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    let found = findings(&[text(&path), "--no-config", "--rules", text(&rules)]);
    let mut own = found.iter().filter(|finding| finding["rule_id"] == "own");
    let evidence = own.next().unwrap()["evidence"].as_array().unwrap().clone();
    assert!(own.next().is_none());
    evidence.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

const OWN: &str = "title: own\nname: own\nlevel: low\njcdetect:\n  {category: mfa, entity: organization, fold: 0s";
const WORD: &str = "}\n---\ntitle: word\nname: word\nlogsource: {product: jumpcloud}\ndetection: {s: {raw.word: [a, b]}, condition: s}\n";

#[test]
fn what_is_behind_the_event_that_was_enough_is_no_evidence() {
    let count = "\ncorrelation: {type: event_count, rules: [word], timespan: 1m, condition: {eq: 2}}\n---";
    let rule = format!("{OWN}{}", WORD.replacen("\n---", count, 1));
    let events = [("09:00:00", "a"), ("09:00:30", "a"), ("09:00:30", "a")];
    assert_eq!(evidence_of(&rule, &events), ["e0", "e1"]);
}

#[test]
fn what_a_share_of_two_weeks_is_taken_of_is_no_evidence() {
    let count = "\ncorrelation: {type: event_count, rules: [only], timespan: 10m, condition: {gte: 2}}\n---\ntitle: only\nname: only\ncorrelation: {type: event_count, rules: [word], timespan: 14d, condition: {gte: 1}}\njcdetect: {share: {of: word, at_least: 1}}\n---";
    let rule = format!("{OWN}{}", WORD.replacen("\n---", count, 1));
    let events = [("07:00:00", "a"), ("09:00:00", "a"), ("09:00:30", "a")];
    assert_eq!(evidence_of(&rule, &events), ["e1", "e2"]);
}

#[test]
fn one_of_a_few_devices_is_told_of_alone() {
    let wipe = |n: u32| {
        json!({"event_type": "mdm_command_result", "service": "mdm", "success": true, "request_type": "EraseDevice",
            "initiated_by": {"type": "admin", "email": format!("it{n}@example.com"), "id": format!("a{n}")},
            "resource": {"type": "device", "id": format!("{n:024x}"), "displayName": format!("mac-{n}")}})
    };
    let wiped = found("mdm-wipe-or-lock", (0..3).map(wipe));
    let counts: Vec<&Value> = wiped.iter().map(|finding| &finding["event_count"]).collect();
    assert!(!wiped.is_empty() && counts.iter().all(|count| **count == 1), "{wiped:#?}");
}

#[test]
fn all_guesses_of_half_an_hour_are_evidence_of_a_lockout() {
    let mut locked = sign_in("alice", true);
    locked["event_type"] = "user_lockout".into();
    locked["resource"] = locked["initiated_by"].clone();
    let lockout = found("lockout-user", (0..6).map(|_| sign_in("alice", false)).chain([locked]));
    assert_eq!((lockout.len(), &lockout[0]["event_count"]), (1, &json!(7)), "{lockout:?}");
}

#[test]
fn who_got_in_is_named_before_those_who_were_tried_in_vain() {
    let tried = (0..20).map(|n| sign_in(&format!("u{n}"), false));
    let hit = found("success-after-spray", tried.chain([sign_in("u7", true)]));
    let summary = hit[0]["summary"].as_str().unwrap();
    assert!(summary.contains(", got in as u7, tried u0, u1, u2 and 16 more"), "{summary}");
    assert_eq!(hit[0]["related"][0]["value"], "u7");
}

#[test]
fn what_made_a_step_that_is_missing_is_no_evidence() {
    let rule = format!(
        "{OWN}, sequence: {{steps: [off, twice], timespan: 1h, absent: last}}{WORD}---\ntitle: off\nname: off\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{raw.word: b}}, condition: s}}\n---\ntitle: twice\nname: twice\ncorrelation: {{type: event_count, rules: [word], timespan: 2h, condition: {{gte: 2}}}}\n"
    );
    // Whatever was twice before "off" is no part of it, though "off" itself completes it.
    let events = [("09:00:00", "a"), ("09:30:00", "b"), ("23:00:00", "c")];
    assert_eq!(evidence_of(&rule, &events), ["e1"]);
}

#[test]
fn what_only_says_how_things_were_is_no_evidence() {
    let step = "---\ntitle: off\nname: off\nlogsource: {product: jumpcloud}\ndetection: {s: {raw.word: b}, condition: s}\n---\ntitle: on\nname: on\nlogsource: {product: jumpcloud}\ndetection: {s: {raw.word: a}, condition: s}\n";
    let rule = |context: &str| {
        format!("{OWN}, sequence: {{steps: [{{was: on}}, {{is: off}}], timespan: 1h{context}}}}}\n{step}")
    };
    let events = [("09:00:00", "a"), ("09:30:00", "b")];
    assert_eq!(evidence_of(&rule(""), &events), ["e0", "e1"]);
    assert_eq!(evidence_of(&rule(", context: [was]"), &events), ["e1"]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("own.yml");
    for context in ["is", "nobody"] {
        std::fs::write(&path, rule(&format!(", context: [{context}]"))).unwrap();
        jcdetect()
            .args(["rules", "lint", "--rules", text(&path)])
            .assert()
            .code(2)
            .stderr(contains("`context` names steps"));
    }
}

#[test]
fn what_was_seen_before_does_not_depend_on_what_came_first_elsewhere() {
    let folder = TempDir::new().unwrap();
    let (rules, path) = (folder.path().join("own.yml"), folder.path().join("events.jsonl"));
    let rule = "title: own\nname: own\nlevel: low\njcdetect:\n  {category: mfa, entity: organization, first_seen: {rule: all, by: [actor.key], value: [raw.word, agent.name], min_days: 0, min_events: 1}}\n---\ntitle: all\nname: all\nlogsource: {product: jumpcloud}\ndetection: {s: {raw.word|exists: true}, condition: s}\n";
    std::fs::write(&rules, rule).unwrap();
    let event = |n: u32, words: &[&str]| {
        let mut event = sign_in("alice", true);
        event["timestamp"] = format!("2026-03-02T09:0{n}:00Z").into();
        event["word"] = words.into();
        // Names of agents are one however they are spelled; told is what was written.
        event["useragent"] = json!({"name": if n == 1 { "Python Requests" } else { "python-requests" }});
        format!("{event}\n")
    };
    for first in [["x", "y"], ["y", "x"]] {
        std::fs::write(&path, event(1, &first) + &event(2, &["z"])).unwrap();
        let found = findings(&[text(&path), "--no-config", "--rules", text(&rules)]);
        let own = found.iter().find(|finding| finding["rule_id"] == "own").unwrap();
        assert_eq!(own["context"]["history"]["seen_before"], json!({"x+y, python requests": 1}));
    }
}

#[test]
fn risk_of_an_address_is_about_the_address() {
    let folder = TempDir::new().unwrap();
    let rule = |name: &str, tag: &str, outcome: &str| {
        let text = format!(
            "title: {name}\nname: {name}\nlevel: critical\ntags: [{tag}]\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{outcome: {outcome}}}, condition: s}}\njcdetect: {{category: authentication, entity: source}}\n"
        );
        std::fs::write(folder.path().join(format!("{name}.yml")), text).unwrap();
    };
    rule("own-one", "attack.initial-access, attack.t1078", "success");
    rule("own-two", "attack.persistence, attack.t1136", "success");
    rule("own-three", "attack.impact, attack.t1531", "failure");
    let path = folder.path().join("events.jsonl");
    let line = |n: u32, is_success: bool| {
        let mut event = sign_in(&format!("u{n}"), is_success);
        event["timestamp"] = format!("2026-03-02T09:{n:02}:00Z").into();
        format!("{event}\n")
    };
    std::fs::write(&path, line(1, true) + &line(2, false)).unwrap();
    let found = findings(&[text(&path), "--no-config", "--rules", text(folder.path())]);
    let risks: Vec<&Value> = found.iter().filter(|finding| finding["rule_id"] == "risk-score-entity").collect();
    assert!(risks.len() == 1 && risks[0]["event_count"] == 2, "{risks:?}");
    assert_eq!(risks[0]["entity"], json!({"type": "ip", "id": "203.0.113.9", "name": "203.0.113.9"}));
    // One event is one thing, whatever rules say of it, and what a rule is made of is not added to it.
    std::fs::write(&path, line(1, true) + &line(1, true)).unwrap();
    let found = findings(&[text(&path), "--no-config", "--rules", text(folder.path())]);
    assert!(found.iter().all(|finding| finding["rule_id"] != "risk-score-entity"), "{found:?}");
}

/// What a stolen key did is what has to be undone.
#[test]
fn what_a_key_does_in_its_first_hour_in_a_new_country_is_evidence() {
    let call = |n: u32, day: u32, minute: u32, country: &str| {
        json!({"event_type": "user_update", "service": "directory", "success": true, "auth_method": "api key",
            "id": format!("{n:024x}"), "timestamp": format!("2026-03-{day:02}T09:{minute:02}:00Z"),
            "initiated_by": {"type": "admin", "email": "a@example.com", "id": "a1", "source": "scim"},
            "client_ip": format!("203.0.113.{}", country.len()), "geoip": {"country_code": country},
            "resource": {"type": "user", "id": format!("u{n}"), "username": format!("user{n}")}})
    };
    let at_home = (0..40).map(|n| call(n, 1 + n / 2, n % 2, "IE"));
    let abroad = (0..12).map(|n| call(100 + n, 22, n, "RU"));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, at_home.chain(abroad).map(|event| event.to_string() + "\n").collect::<String>()).unwrap();
    let found = findings(&[text(&path), "--no-config"]);
    let key: Vec<&Value> = found.iter().filter(|f| f["rule_id"] == "api-key-from-new-country").collect();
    assert_eq!(key.len(), 1);
    assert_eq!(key[0]["event_count"], 12);
}

/// What a finding cites can be printed: by line, and by byte where several stand on one.
#[test]
fn an_event_is_printed_from_its_origin() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.jsonl", "\n".to_owned() + &super::events::lines(&super::events::guessed_password()));
    write("b.json", Value::from(super::events::guessed_password()).to_string());
    for (name, is_one_line) in [("a.jsonl", false), ("b.json", true)] {
        let path = folder.path().join(name);
        let evidence = findings(&[text(&path), "--no-config"])[0]["evidence"].clone();
        for cited in evidence.as_array().unwrap() {
            let (line, offset) = (cited["origin"]["line"].to_string(), cited["origin"]["offset"].to_string());
            let print = |at: &str| {
                let output = jcdetect().args(["hunt", text(&path), "--format", "jsonl", "--at", at]).output().unwrap();
                let found = String::from_utf8(output.stdout).unwrap();
                found.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(print(&format!("{line}:{offset}")), [cited["event_id"].clone()]);
            assert_eq!(print(&line).len(), if is_one_line { 9 } else { 1 }, "{name}");
        }
    }
    for typed in ["x", "12:", ":7", "1:2:3"] {
        let wrong = jcdetect().args(["hunt", text(folder.path()), "--at", typed]).assert().code(2);
        let told = format!("--at {typed}: write a line as it is cited, or line and byte: 12 or 12:4711");
        wrong.stderr(contains(told));
    }
}

/// What is read twice has to be the same twice; a pipe that is read after it was found lets a file change in between.
#[cfg(unix)]
#[test]
fn a_source_that_changes_meanwhile_is_no_answer() {
    use std::io::Write as _;
    let folder = TempDir::new().unwrap();
    let (log, pipe) = (folder.path().join("log.jsonl"), folder.path().join("pipe"));
    let events = super::events::guessed_password();
    let id = events[0]["id"].as_str().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let other = folder.path().join("other");
    let commands = [
        &["investigate", "alice"][..],
        &["explain", "success-after-bruteforce", "--event", id],
        &["normalize"],
        &["hunt", "--format", "jsonl", "--contains", "alice"],
    ];
    for (command, change) in commands.iter().flat_map(|command| ["", "gone", "other"].map(|change| (*command, change)))
    {
        // Of a file that is gone no event was read, so that none is read again.
        let is_skipped = change == "gone" && ["normalize", "hunt"].contains(&command[0]);
        if !is_skipped {
            let is_changed = !change.is_empty();
            std::fs::write(&log, super::events::lines(&events)).unwrap();
            let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_jcdetect"));
            run.args(command).args([text(&log), text(&pipe)]);
            run.args((command[0] != "normalize").then_some("--no-config"));
            let run = run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
            let mut into = std::fs::File::options().write(true).open(&pipe).unwrap();
            match change {
                "gone" => std::fs::remove_file(&log).unwrap(),
                "other" => {
                    // It has the same length and the same time.
                    let text = super::events::lines(&events).replace("\"success\":false", "\"success\":true ");
                    std::fs::write(&other, text).unwrap();
                    let was = std::fs::metadata(&log).unwrap().modified().unwrap();
                    std::fs::File::options().append(true).open(&other).unwrap().set_modified(was).unwrap();
                    std::fs::rename(&other, &log).unwrap();
                }
                _ => {}
            }
            into.write_all(b"\n").unwrap();
            drop(into);
            let output = run.wait_with_output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(if is_changed { 3 } else { 0 }), "{command:?}: {told}");
            assert_eq!(told.contains("log.jsonl: it has changed since it was read; run again"), is_changed, "{told}");
            assert_eq!(output.stdout.is_empty(), is_changed);
        }
    }
}

/// An export with chosen columns may have places and no addresses: two that are not there are not one.
#[test]
fn two_places_without_an_address_are_a_way() {
    let rule = "title: Far\nname: far\nlevel: high\njcdetect: {entity: actor, travel: {rule: login, by: [actor.key], min_km: 500, min_kmh: 1000}}\n---\ntitle: L\nname: login\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt}, condition: a}\n";
    let at = |number: u32, minute: u32, (latitude, longitude): (f64, f64), ip: Option<&str>| {
        let mut event = super::events::sign_in(number, &format!("2026-03-02T09:{minute:02}:00Z"), true);
        event["geoip"] = json!({"country_code": "FR", "latitude": latitude, "longitude": longitude});
        match ip {
            Some(ip) => event["client_ip"] = ip.into(),
            None => _ = event.as_object_mut().unwrap().remove("client_ip"),
        }
        event
    };
    let (paris, tokyo) = ((48.86, 2.35), (35.68, 139.69));
    let (here, there) = (Some("198.51.100.7"), Some("203.0.113.9"));
    for (from, to, want) in [(here, there, 1), (here, here, 0), (None, None, 1), (here, None, 1), (None, there, 1)] {
        let log = super::events::lines(&[at(1, 0, paris, from), at(2, 40, tokyo, to)]);
        let folder = super::folder(&[("log.jsonl", &log), ("far.yml", rule)]);
        let path = |name: &str| text(&folder.path().join(name)).to_owned();
        let found = findings(&[&path("log.jsonl"), "--no-config", "--rules", &path("far.yml")]);
        assert_eq!(super::rule_ids(&found).iter().filter(|rule| **rule == "far").count(), want, "{from:?} {to:?}");
    }
}
