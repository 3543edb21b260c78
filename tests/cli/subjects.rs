//! `investigate` of what many share: an address, a device, a command, and things of several names.

use serde_json::{Value, json};

use super::{folder, jcdetect, text};

/// A record of so many minutes after a day's nine o'clock, with an id of its own.
fn event(day: u32, minute: u32, event_type: &str, rest: &Value) -> String {
    let mut event = json!({
        "id": format!("{event_type}-{day}-{minute}"), "organization": "o", "event_type": event_type,
        "timestamp": format!("2026-03-{day:02}T{:02}:{:02}:00Z", 9 + minute / 60, minute % 60),
    });
    event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    event.to_string()
}

fn sign_in(day: u32, minute: u32, who: &str, is_success: bool) -> String {
    let agent = if is_success { "Chrome" } else { "curl" };
    let rest = json!({
        "service": "directory", "success": is_success, "client_ip": "203.0.113.9", "useragent": {"name": agent},
        "initiated_by": {"type": "user", "username": who},
    });
    event(day, minute, "user_login_attempt", &rest)
}

/// What is told of a subject as text, on one line, and as JSON; the order of the records changes neither.
fn told(subject: &str, events: &[String], more: &[&str]) -> (String, Value) {
    let reversed: Vec<&str> = events.iter().rev().map(String::as_str).collect();
    let folder = folder(&[("a.jsonl", &events.join("\n")), ("b.jsonl", &reversed.join("\n"))]);
    let run = |file: &str, format: &str| {
        let file = folder.path().join(file);
        let arguments = ["investigate", subject, text(&file), "--no-config", "--format", format];
        let output = jcdetect().args(arguments).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run("a.jsonl", "table");
    assert_eq!(shown, run("b.jsonl", "table"));
    let one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    (one_line, serde_json::from_str(&run("a.jsonl", "json")).unwrap())
}

fn values<'v>(found: &'v Value, aspect: &str) -> Vec<&'v Value> {
    let aspects = found["usual"][0]["aspects"].as_array().unwrap();
    let values = aspects.iter().find(|of| of["aspect"] == aspect).map(|of| of["values"].as_array().unwrap());
    values.into_iter().flatten().collect()
}

fn count_of_odd(found: &Value) -> usize {
    let sessions = found["sessions"].as_array().unwrap();
    sessions.iter().filter(|session| session["unusual"].as_array().unwrap().contains(&json!("who"))).count()
}

#[test]
fn nobody_is_rare_where_many_share_an_address() {
    let people = |day| (0..25).map(move |number| sign_in(day, number * 2, &format!("u{number}"), true));
    let mut events: Vec<String> = (2..20).flat_map(people).collect();
    let (shown, found) = told("203.0.113.9", &events, &[]);
    assert_eq!(count_of_odd(&found), 0);
    assert!(shown.contains("who u0 18, u1 18, u10 18, u11 18, u12 18 and 20 more of 450"), "{shown}");
    // Who comes for a day after so long is new there.
    events.push(sign_in(20, 0, "visitor", true));
    assert_eq!(count_of_odd(&told("203.0.113.9", &events, &[]).1), 1);
}

#[test]
fn a_stranger_on_somebodys_device_is_rare() {
    let device = |day, minute, who: &str| {
        let system = json!({"id": "5f00000000000000000000d1", "hostname": "LAP"});
        let by = json!({"type": "user", "username": who});
        let rest = json!({"service": "systems", "success": true, "system": system, "initiated_by": by});
        event(day, minute, "login_attempt", &rest)
    };
    let own = (2..20).flat_map(|day| [0, 60, 120].map(|minute| device(day, minute, "owner")));
    let events: Vec<String> = own.chain([device(5, 90, "stranger")]).collect();
    assert_eq!(count_of_odd(&told("LAP", &events, &[]).1), 1);
}

#[test]
fn who_got_in_stands_before_those_who_were_only_tried() {
    let mut events: Vec<String> = (0..30).map(|number| sign_in(2, number, &format!("u{number}"), false)).collect();
    events.extend([sign_in(2, 40, "alice", false), sign_in(2, 41, "alice", true), sign_in(2, 42, "alice", true)]);
    let (shown, found) = told("203.0.113.9", &events, &[]);
    let who = values(&found, "who");
    assert_eq!((&who[0]["value"], &who[0]["count"], &who[0]["failed"]), (&json!("alice"), &json!(2), &json!(1)));
    assert_eq!((who.len(), &who[1]["count"], &who[1]["failed"]), (31, &json!(0), &json!(1)));
    assert!(shown.contains("who alice 2 (1 failed) of 2 only failed: u0 1, u1 1,"), "{shown}");
    assert!(shown.contains("agent Chrome 2 of 2 only failed: curl 31"), "{shown}");
    assert!(!shown.contains("not usual"), "{shown}");
    // The sign-ins that nothing came to be at are one line up to the next that has one.
    assert!(shown.contains("failed, for") && shown.contains(" people: u"), "{shown}");
    let nobody: Vec<String> = events[..30].to_vec();
    let (shown, found) = told("203.0.113.9", &nobody, &[]);
    assert_eq!(values(&found, "who").len(), 30);
    assert!(shown.contains("who nobody got in only failed: u0 1"), "{shown}");
}

/// An administrator runs a command each day; twelve devices answer, two of them with one name.
fn answered() -> Vec<String> {
    let command = json!({"type": "command", "id": "5f00000000000000000000c1", "name": "Collect inventory"});
    let run = |day| {
        let by = json!({"type": "admin", "id": "5f00000000000000000000a1", "email": "it@example.com"});
        let rest = json!({"service": "directory", "success": true, "resource": command, "initiated_by": by});
        event(day, 0, "command_run", &rest)
    };
    let answer = |day, number: u32| {
        let id = format!("{number:024x}");
        let rest = json!({
            "service": "systems", "success": true, "resource": command, "initiated_by": {"type": "system", "id": id},
            "system": {"id": id, "hostname": if number < 2 { "MACBOOK".to_owned() } else { format!("LAP-{number}") }},
        });
        event(day, number + 1, "command_result", &rest)
    };
    (2..12).flat_map(|day| [run(day)].into_iter().chain((0..12).map(move |number| answer(day, number)))).collect()
}

#[test]
fn the_devices_that_answered_a_command_are_listed_and_belong_to_its_run() {
    let (shown, found) = told("Collect inventory", &answered(), &[]);
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 10, "{shown}");
    assert!(sessions.iter().all(|session| session["events"].as_array().unwrap().len() == 13));
    let who: Vec<&Value> = values(&found, "who").iter().map(|of| &of["value"]).collect();
    assert_eq!(who, ["it@example.com"]);
    let devices: Vec<&str> = values(&found, "device").iter().map(|of| of["value"].as_str().unwrap()).collect();
    assert_eq!(devices.len(), 12, "{devices:?}");
    let namesakes = ["MACBOOK (000000000000000000000000)", "MACBOOK (000000000000000000000001)"];
    assert!(namesakes.iter().all(|name| devices.contains(name)) && devices.contains(&"LAP-11"), "{devices:?}");
    assert!(!shown.contains("not usual") && !shown.contains("00000b;"), "{shown}");
}

#[test]
fn a_device_that_tells_of_itself_goes_by_its_name() {
    let (shown, found) = told("LAP-5", &answered(), &[]);
    assert!(shown.contains("system: LAP-5, 000000000000000000000005"), "{shown}");
    assert!(found["sessions"].as_array().unwrap().iter().all(|session| session["actor"] == "LAP-5"), "{found:#}");
}

/// The system of a record.
fn on(day: u32, system: &Value) -> String {
    let by = json!({"type": "user", "id": "5f00000000000000000000e1", "username": "kim"});
    event(
        day,
        0,
        "login_attempt",
        &json!({"service": "systems", "success": true, "system": system, "initiated_by": by}),
    )
}

#[test]
fn a_device_is_found_by_all_of_its_names() {
    let id = "5f00000000000000000000d1";
    let events = [
        on(2, &json!({"id": id, "hostname": "OLD-HOST"})),
        on(3, &json!({"id": id, "hostname": "NEW-HOST", "displayName": "Kims Mac"})),
        on(4, &json!({"id": id, "hostname": "NEW-HOST", "display_name": "Mac of Kim"})),
        on(5, &json!({"id": id})),
        on(6, &json!({"id": "5f00000000000000000000d2", "hostname": "OTHER"})),
    ];
    for name in ["old-host", "NEW-HOST", "Kims Mac", "mac of kim", id] {
        let (shown, _) = told(name, &events, &[]);
        assert!(shown.contains("4 events about it"), "{name}: {shown}");
    }
    let (shown, _) = told("NEW-HOSTS", &events, &[]);
    assert!(shown.contains("Names like it: NEW-HOST"), "{shown}");
}

#[test]
fn a_name_that_one_person_has_in_the_directory_is_a_subject() {
    let person = |id: &str, name: &str| {
        json!({"_id": format!("5f00000000000000000000{id}"), "username": name, "email": format!("{name}@example.com"),
            "firstname": "Kim", "lastname": "Lee"})
    };
    let events = [on(2, &json!({"id": "5f00000000000000000000d1", "hostname": "LAP"}))];
    let told = |people: &Value| {
        let folder = folder(&[("users.json", &people.to_string())]);
        told("kim lee", &events, &["--directory", text(&folder.path().join("users.json"))]).0
    };
    let shown = told(&json!([person("e1", "kim")]));
    assert!(shown.contains("user: kim, 5f00000000000000000000e1") && shown.contains("1 event,"), "{shown}");
    let shown = told(&json!([person("e1", "kim"), person("e2", "kim.lee")]));
    assert!(shown.contains("Nobody and nothing has this name"), "{shown}");
}
