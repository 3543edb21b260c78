//! Traps that comparable tools fell into.

use std::fs;

use tempfile::TempDir;

use super::events::{guessed_password, lines, sign_in};
use super::{findings, rule_ids, scan, text};

/// A file output loses its tail when a buffer is not flushed.
#[test]
fn a_file_has_as_many_lines_as_standard_output() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    let many: String = (0..200)
        .map(|n| {
            let mut events = guessed_password();
            events.iter_mut().enumerate().for_each(|(i, event)| {
                event["id"] = format!("{:024x}", n * 100 + i).into();
                event["initiated_by"] = serde_json::json!({"type": "user", "username": format!("user{n}")});
            });
            lines(&events)
        })
        .collect();
    fs::write(&path, many).unwrap();
    let file = folder.path().join("out.jsonl");
    let to = format!("jsonl={}", text(&file));
    let out = scan(&[text(&path), "--format", "jsonl", "--output", &to]);
    assert!(out.lines().count() >= 200);
    assert_eq!(fs::read_to_string(&file).unwrap(), out);
}

/// Windows that lie side by side miss what crosses their edge.
#[test]
fn a_burst_over_the_full_hour_is_a_burst() {
    for start in [57, 58, 59] {
        let events: Vec<_> = (0..6)
            .map(|n| {
                let minute = start + n;
                sign_in(n + 1, &format!("2026-03-02T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60), false)
            })
            .collect();
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.jsonl");
        fs::write(&path, lines(&events)).unwrap();
        assert!(rule_ids(&findings(&[text(&path)])).contains(&"bruteforce-user-portal"), "{start}");
    }
}

/// An event without a group field must not end the rule for the others.
#[test]
fn an_event_without_an_actor_joins_no_group_and_harms_none() {
    let mut events = guessed_password();
    for event in guessed_password() {
        let mut nobody = event;
        nobody["id"] = format!("f{}", nobody["id"].as_str().unwrap()).into();
        nobody.as_object_mut().unwrap().remove("initiated_by");
        events.push(nobody);
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let found = findings(&[text(&path)]);
    assert_eq!(rule_ids(&found).iter().filter(|r| **r == "success-after-bruteforce").count(), 1);
}

/// A bad line is neither silent nor the end of the file, and its line is named.
#[test]
fn a_bad_line_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    let mut all: Vec<String> = guessed_password().iter().map(ToString::to_string).collect();
    all.insert(6, "not json".to_owned());
    fs::write(&path, all.join("\n")).unwrap();
    let table = scan(&[text(&path)]);
    assert!(table.contains("Skipped: 1 record, not JSON") && table.contains("x.jsonl:7"), "{table}");
    assert!(table.contains("success-after-bruteforce"));
}

/// Times with an offset are not local times.
#[test]
fn offsets_are_honoured() {
    let events: Vec<_> = guessed_password()
        .into_iter()
        .map(|mut event| {
            let time = event["timestamp"].as_str().unwrap().replace("T09:", "T18:").replace('Z', "+09:00");
            event["timestamp"] = time.into();
            event
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let found = findings(&[text(&path)]);
    assert_eq!(found[0]["last_seen"], "2026-03-02T09:10:00.123456789Z");
}

/// Rules that name the right thing by its title are told so, and cost no other rule.
#[test]
fn a_reference_by_title_is_an_error_that_says_so() {
    let folder = TempDir::new().unwrap();
    let rule = "title: x\nname: x\ncorrelation: {type: event_count, rules: ['Failed portal sign-in'], timespan: 1h, condition: {gte: 2}}\n";
    fs::write(folder.path().join("x.yml"), rule).unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let output = super::jcdetect().arg("scan").arg(&path).arg("--rules").arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("by name or id, not by title"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("success-after-bruteforce"));
}

/// Scans events of types a, b, c (one a minute, each by its actor) with rules of its own.
fn with_rules(rules: &str, events: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("rules");
    fs::create_dir(&own).unwrap();
    for kind in ["a", "b", "c"] {
        let rule = format!(
            "title: {kind}\nname: kind-{kind}\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{event_type: kind_{kind}}}, condition: s}}\njcdetect: {{opt_in: true}}\n"
        );
        fs::write(own.join(format!("kind-{kind}.yml")), rule).unwrap();
    }
    fs::write(own.join("mine.yml"), format!("title: mine\nname: mine\n{rules}")).unwrap();
    let lines: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(minute, (kind, actor))| {
            serde_json::json!({
                "id": format!("{minute}"), "organization": "o", "event_type": format!("kind_{kind}"),
                "timestamp": format!("2026-03-02T09:{minute:02}:00Z"),
                "initiated_by": {"type": "user", "username": actor},
            })
            .to_string()
        })
        .collect();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    findings(&[text(&path), "--rules", text(&own)])
}

/// The order of all steps counts, not only that of the first.
#[test]
fn every_step_of_a_chain_has_its_place() {
    let rule =
        "correlation: {type: temporal_ordered, rules: [kind-a, kind-b, kind-c], group-by: [actor.key], timespan: 1h}\n";
    assert_eq!(with_rules(rule, &[("a", "x"), ("b", "x"), ("c", "x")]).len(), 1);
    for wrong in [["a", "c", "b"], ["b", "a", "c"], ["c", "b", "a"]] {
        let events: Vec<(&str, &str)> = wrong.iter().map(|kind| (*kind, "x")).collect();
        assert!(with_rules(rule, &events).is_empty(), "{wrong:?}");
    }
}

/// What lies together in time and belongs to different people is not together.
#[test]
fn temporal_honours_its_groups_and_does_without() {
    let rule = "correlation: {type: temporal, rules: [kind-a, kind-b], group-by: [actor.key], timespan: 1h}\n";
    assert!(with_rules(rule, &[("a", "x"), ("b", "y")]).is_empty());
    assert_eq!(with_rules(rule, &[("b", "x"), ("a", "x")]).len(), 1);
    let without =
        "correlation: {type: temporal, rules: [kind-a, kind-b], timespan: 1h}\njcdetect: {entity: organization}\n";
    assert_eq!(with_rules(without, &[("a", "x"), ("b", "y")]).len(), 1);
}

/// What comes exactly at the end of a window comes in time for neither of two rules, or of one of them: a sequence and
/// the lack of it do not both look away.
#[test]
fn a_sequence_or_its_absence_holds() {
    for (behind, is_there) in [(2, true), (3, false)] {
        let mut events = vec![("a", "x")];
        events.extend([("c", "x"), ("c", "x")].into_iter().take(behind - 1));
        events.extend([("b", "x"), ("c", "x"), ("c", "x")]);
        for (more, is_wanted) in [("", is_there), (", absent: last", !is_there)] {
            let steps = "steps: [kind-a, kind-b], group-by: [actor.key], timespan: 3m";
            let found = with_rules(&format!("jcdetect: {{sequence: {{{steps}{more}}}}}\n"), &events);
            assert_eq!(found.len(), usize::from(is_wanted), "{behind} minutes{more}");
            assert!(found.iter().all(|finding| finding["pending"] == false));
        }
    }
}

/// Who was never there before did not come back.
#[test]
fn what_never_was_is_not_dormant() {
    let from = |id: u32, country: &str| with_fields(id, &serde_json::json!({"geoip": {"country_code": country}}));
    let events = [from(0, "FR"), from(1, "FR"), from(12, "FR"), from(13, "NL"), from(25, "NL")];
    let rule = "jcdetect: {fold: 0s, sequence: {steps: [s, s], group-by: [actor.key], timespan: 10d, absent: first, where: 'b.source.country == a.source.country'}}";
    let local = "---\ntitle: s\nname: s\nlogsource: {product: jumpcloud}\ndetection: {s: {event_type: user_login_attempt}, condition: s}\n";
    assert_eq!(completing(&format!("{rule}\n{local}"), &events), ["e12", "e25"]);
}

/// The evidence of a count lies within its time span.
#[test]
fn a_count_does_not_reach_over_its_time_span() {
    let rule =
        "correlation: {type: event_count, rules: [kind-a], group-by: [actor.key], timespan: 3m, condition: {gte: 3}}\n";
    let spread = [("a", "x"), ("b", "x"), ("a", "x"), ("b", "x"), ("a", "x"), ("b", "x"), ("a", "x")];
    assert!(with_rules(rule, &spread).is_empty(), "a fourth of them every two minutes is never three in three");
    let found = with_rules(rule, &[("a", "x"), ("b", "x"), ("b", "x"), ("a", "x"), ("a", "x"), ("a", "x")]);
    assert_eq!(found[0]["event_count"], 3, "the first lies more than three minutes before");
    assert_eq!(found[0]["first_seen"], "2026-03-02T09:03:00Z");
}

/// A wildcard at one end leaves the other end where it is.
#[test]
fn wildcards_are_anchored() {
    let rule = "logsource: {product: jumpcloud}\ndetection: {s: {event_type: '*_a'}, condition: s}\n";
    assert_eq!(with_rules(rule, &[("a", "x"), ("ab", "x"), ("a", "y")]).len(), 2);
}

/// PowerShell 7 writes times anew (`.120Z` becomes `.12Z`), so the same export counted twice.
#[test]
fn another_spelling_of_an_event_is_the_same_event() {
    let folder = TempDir::new().unwrap();
    let (plain, again) = (folder.path().join("a.jsonl"), folder.path().join("b.jsonl"));
    let mut events = guessed_password();
    for event in &mut events {
        event["timestamp"] = (event["timestamp"].as_str().unwrap()[..19].to_owned() + ".120Z").into();
        event["error_code"] = 49.into();
    }
    fs::write(&plain, lines(&events)).unwrap();
    for event in &mut events {
        event["timestamp"] = event["timestamp"].as_str().unwrap().replace(".120Z", ".12Z").into();
        event["error_code"] = "49".into();
        event["note"] = "".into();
    }
    fs::write(&again, lines(&events)).unwrap();
    let report = super::report(&[text(&plain), text(&again)]);
    let coverage = &report["coverage"];
    assert_eq!((&coverage["events"], &coverage["duplicates"]), (&9.into(), &9.into()));
    assert_eq!(report["findings"], super::report(&[text(&plain)])["findings"]);
}

/// Scans events, one a day, with one rule of its own, and tells at which of them it found something.
fn completing(rule: &str, events: &[serde_json::Value]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("rules");
    fs::create_dir(&own).unwrap();
    let rule = format!("title: mine\nname: mine\n{rule}");
    fs::write(own.join("mine.yml"), rule).unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(events)).unwrap();
    let found = findings(&[text(&path), "--rules", text(&own), "--no-config"]);
    let day = |finding: &serde_json::Value| finding["last_seen"].as_str().unwrap()[8..10].parse::<u32>().unwrap();
    let mine = found.iter().filter(|finding| finding["rule_id"] == "mine");
    let mut all: Vec<String> = mine.map(|finding| format!("e{}", day(finding) - 1)).collect();
    all.sort();
    all
}

fn with_fields(id: u32, fields: &serde_json::Value) -> serde_json::Value {
    let mut event = sign_in(id, &format!("2026-03-{:02}T09:00:00Z", id + 1), true);
    event["id"] = format!("e{id}").into();
    for (key, value) in fields.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

const DETECTION: &str = "logsource: {product: jumpcloud}\njcdetect: {fold: 0s}\ndetection:\n  condition: s\n  s:\n    ";

/// The forms of one value are alternatives, and `all` binds the values.
#[test]
fn all_binds_values_and_not_their_forms() {
    let events = [
        with_fields(0, &serde_json::json!({"cmd": "powershell -enc AAAA", "b": "eHggZm9vIGFuZCBiYXIgeXk="})),
        with_fields(1, &serde_json::json!({"cmd": "powershell /enc -w 1", "b": "foo and bar"})),
        with_fields(2, &serde_json::json!({"cmd": "cmd -enc"})),
    ];
    for (test, want) in [
        ("raw.cmd|windash|contains|all: ['-enc', powershell]", &["e0", "e1"][..]),
        ("raw.cmd|windash|contains: ' -enc /w'", &["e1"]),
        ("raw.b|base64offset|contains|all: [foo, bar]", &["e0"]),
        ("'|re|all': ['^powershell', '[/-]w']", &["e1"]),
        ("'|cased': POWERSHELL", &[]),
    ] {
        assert_eq!(completing(&format!("{DETECTION}{test}\n"), &events), want, "{test}");
    }
}

/// A value may be compared with several fields, and none of them is left out.
#[test]
fn a_value_is_compared_with_each_field_of_a_list() {
    let event = |id, b, c| with_fields(id, &serde_json::json!({"a": "x", "b": b, "c": c}));
    let events = [event(0, "x", "y"), event(1, "y", "x"), event(2, "x", "x"), event(3, "y", "z")];
    for (test, want) in [
        ("raw.a|fieldref: [raw.b, raw.c]", &["e0", "e1", "e2"][..]),
        ("raw.a|fieldref: [raw.c, raw.b]", &["e0", "e1", "e2"]),
        ("raw.a|fieldref|all: [raw.b, raw.c]", &["e2"]),
        ("raw.a|fieldref|neq: [raw.b, raw.c]", &["e3"]),
        ("raw.a|fieldref: raw.c", &["e1", "e2"]),
    ] {
        assert_eq!(completing(&format!("{DETECTION}{test}\n"), &events), want, "{test}");
    }
}

/// An upgrade of a library writes its name otherwise, and is no new agent.
#[test]
fn an_agent_is_one_however_it_is_spelled() {
    let agent = |id: u32, name: &str| with_fields(id, &serde_json::json!({"useragent": {"name": name}}));
    let names = ["Python Requests", "python-requests", "PythonRequests", "curl"];
    let events: Vec<_> = (0..).zip(names).map(|(id, name)| agent(id, name)).collect();
    let local = "---\ntitle: s\nname: s\nlogsource: {product: jumpcloud}\ndetection: {s: {event_type: user_login_attempt}, condition: s}\n";
    for (condition, want) in [
        (
            "jcdetect: {fold: 0s, first_seen: {rule: s, by: [actor.key], value: [agent.name], min_days: 0, min_events: 1}}",
            &["e3"][..],
        ),
        (
            "jcdetect: {fold: 0s}\ncorrelation: {type: event_count, rules: [s], group-by: [agent.name], timespan: 7d, condition: {gte: 3}}",
            &["e2"],
        ),
        (
            "jcdetect: {fold: 0s}\ncorrelation: {type: value_count, rules: [s], timespan: 7d, condition: {gte: 2, field: agent.name}}",
            &["e3"],
        ),
        (
            "jcdetect: {fold: 0s, sequence: {steps: [s, s], timespan: 7d, where: [\"a.agent.name != b.agent.name\"]}}",
            &["e3"],
        ),
        (
            "jcdetect: {fold: 0s, sequence: {steps: [s, s], timespan: 7d, where: [\"a.agent.name == 'python_requests'\", \"b.agent.name == curl\"]}}",
            &["e3"],
        ),
    ] {
        assert_eq!(completing(&format!("{condition}\n{local}"), &events), want, "{condition}");
    }
}

/// Types are compared without case, so they are looked up without case.
#[test]
fn the_case_of_an_event_type_hides_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    let mut events = guessed_password();
    events.iter_mut().for_each(|event| event["event_type"] = "USER_Login_Attempt".into());
    fs::write(&path, lines(&events)).unwrap();
    let report = super::report(&[text(&path), "--no-config"]);
    assert!(super::rule_ids(report["findings"].as_array().unwrap()).contains(&"success-after-bruteforce"));
    let lacking = report["coverage"]["rules"]["no_input"].as_array().unwrap();
    assert!(!lacking.iter().any(|rule| rule == "success-after-bruteforce"), "{lacking:?}");
    for condition in ["event_type == 'user_login_attempt'", "event_type contains 'user_login_attempt'"] {
        let output = super::jcdetect().args(["hunt", text(&path), "--where", condition, "--format", "jsonl"]).output();
        assert_eq!(output.unwrap().stdout.split(|b| *b == b'\n').count(), 10, "{condition}");
    }
}

/// JumpCloud documents one name for an event and writes another: a rule that fits either finds both.
#[test]
fn either_name_of_an_event_type_is_the_type() {
    let of = |id: u32, name: &str| with_fields(id, &serde_json::json!({"event_type": name}));
    let names = ["radius_auth", "radius_auth_attempt", "ldap_search", "ldap_srch", "sso_auth", "new_auth"];
    let events: Vec<_> = (0..).zip(names).map(|(id, name)| of(id, name)).collect();
    for (test, want) in [
        ("event_type|re: '^(ldap_search|radius_auth)$'", &["e0", "e1", "e2", "e3"][..]),
        ("event_type|re: '^ldap_srch$'", &["e2", "e3"]),
        ("event_type|re: 's_auth$'", &["e0", "e1"]),
        ("event_type|re: '^new_'", &["e5"]),
        ("event_type|cased: radius_auth", &["e0", "e1"]),
        ("event_type|cased|endswith: p_search", &["e2", "e3"]),
        ("raw.event_type|re: '^radius_auth$'", &["e0"]),
        ("'|re': '^radius_auth$'", &["e0"]),
    ] {
        assert_eq!(completing(&format!("{DETECTION}{test}\n"), &events), want, "{test}");
    }
    let steps = "steps: [{a: s}, {b: s}], group-by: [actor.key], timespan: 25h, where: 'b.event_type == radius_auth'";
    let local =
        "---\ntitle: s\nname: s\nlogsource: {product: jumpcloud}\ndetection: {s: {service: directory}, condition: s}\n";
    let rule = format!("jcdetect: {{fold: 0s, sequence: {{{steps}}}}}\n{local}");
    assert_eq!(completing(&rule, &events), ["e1"]);
}

/// Rules are written once, and what their lists hold differs from one organization to the next.
#[test]
fn a_list_may_be_empty_or_short() {
    let folder = TempDir::new().unwrap();
    let (own, path, config) = (folder.path().join("rules"), folder.path().join("x.jsonl"), folder.path().join("x.yml"));
    fs::create_dir(&own).unwrap();
    let of = |client: Option<&str>, id: u32| {
        let mut event = with_fields(id, &serde_json::json!({}));
        event["client_ip"] = client.into();
        event
    };
    fs::write(&path, lines(&[of(Some("203.0.113.9"), 1), of(Some("198.51.100.7"), 2), of(None, 3)])).unwrap();
    let found = |test: &str, lists: &str| {
        fs::write(own.join("mine.yml"), format!("title: mine\nname: mine\n{DETECTION}{test}\n")).unwrap();
        fs::write(&config, format!("lists: {lists}\n")).unwrap();
        let arguments = [text(&path), "--rules", text(&own), "--config", text(&config)];
        findings(&arguments).iter().filter(|finding| finding["rule_id"] == "mine").count()
    };
    for (test, lists, want) in [
        ("actor.name|expand: '%automation_actors%'", "{}", 0),
        ("actor.name|expand|neq: '%automation_actors%'", "{}", 3),
        ("source.ip|expand|neq: '%automation_actors%'", "{}", 2),
        ("source.ip|cidr|expand|neq: '%vpn_networks%'", "{}", 2),
        ("source.ip|cidr|expand|neq: '%vpn_networks%'", "{vpn_networks: [203.0.113.0/24]}", 1),
        ("actor.name|contains|all|expand: '%automation_actors%'", "{}", 0),
        ("actor.name|contains|all|expand: '%automation_actors%'", "{automation_actors: [ali]}", 3),
        ("actor.name|contains|all|expand: '%automation_actors%'", "{automation_actors: [ali, x]}", 0),
    ] {
        assert_eq!(found(test, lists), want, "{test} {lists}");
    }
}

/// A technique that stands behind no tactic serves none, so it is not one more.
#[test]
fn a_technique_without_a_tactic_is_no_tactic() {
    let folder = TempDir::new().unwrap();
    let (own, path) = (folder.path().join("rules"), folder.path().join("x.jsonl"));
    fs::create_dir(&own).unwrap();
    let event = |id: u32, kind: &str| {
        let mut event = sign_in(id, &format!("2026-03-02T09:0{id}:00Z"), true);
        event["event_type"] = kind.into();
        event
    };
    fs::write(&path, lines(&[event(1, "kind_a"), event(2, "kind_b")])).unwrap();
    let rule = |name: &str, tags: &str| {
        let kind = name.replace('-', "_");
        let text = format!(
            "title: {name}\nname: {name}\nlevel: high\ntags: [{tags}]\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{event_type: {kind}}}, condition: s}}\n"
        );
        fs::write(own.join(format!("{name}.yml")), text).unwrap();
    };
    let risk =
        "title: mine\nname: mine\njcdetect: {risk: {timespan: 1h, min_score: 60, min_rules: 2, min_tactics: 2}}\n";
    fs::write(own.join("mine.yml"), risk).unwrap();
    rule("kind-a", "attack.impact, attack.t1485");
    for (tags, want) in [("attack.t1110", 0), ("attack.credential-access, attack.t1110", 1)] {
        rule("kind-b", tags);
        let found = findings(&[text(&path), "--no-config", "--rules", text(&own)]);
        assert_eq!(found.iter().filter(|finding| finding["rule_id"] == "mine").count(), want, "{tags}");
    }
}

/// Whether something did not follow is only certain once the service of what is missing reaches far enough; how the
/// export spells it does not matter.
#[test]
fn the_service_is_known_in_any_spelling() {
    let event = |n: u32, time: &str, event_type: &str, service: &str| {
        serde_json::json!({
            "id": format!("{n:024x}"), "timestamp": format!("2026-03-17T{time}Z"), "event_type": event_type,
            "service": service, "organization": "o", "success": true,
            "initiated_by": {"id": "5fe004a92c117e1c299cb124", "type": "admin", "email": "hanna@example.com"},
            "resource": {"id": "5fe004a92c117e1c299cb1aa", "type": "remote_session"},
            "system": {"id": "5fe004a92c117e1c299cb1bb", "hostname": "pc1"},
        })
    };
    for service in ["systems", "Systems", "SYSTEMS", "device-agents"] {
        let start = event(1, "10:00:00", "remote_session_start", service);
        let events = [start, event(2, "10:40:00", "remote_session_end", service)];
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        fs::write(&path, lines(&events)).unwrap();
        let found = findings(&[text(&path)]);
        let silent = found.iter().find(|finding| finding["rule_id"] == "remote-session-no-user-join");
        assert!(silent.is_some_and(|finding| finding["pending"] == false), "{service}: {found:#?}");
    }
}
