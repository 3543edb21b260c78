//! Things that share a name: counted as what they are, and told apart.

use serde_json::{Value, json};

use super::{folder, jcdetect, report, text};

/// An administrator deletes one device, and then so many of one name.
fn wipe(count: u32) -> String {
    let event = |number: u32, name: &str| {
        json!({
            "id": format!("e{number}"), "timestamp": format!("2026-03-02T09:{:02}:{:02}Z", number / 6, number % 6 * 10),
            "organization": "o", "event_type": "system_delete", "service": "directory", "success": true,
            "initiated_by": {"type": "admin", "id": "5f00000000000000000000aa", "email": "root@example.com"},
            "client_ip": "203.0.113.9", "auth_method": "session",
            "resource": {"type": "system", "id": format!("{number:024x}"), "hostname": name},
        })
        .to_string()
    };
    let events = (0..=count).map(|number| event(number, if number == 0 { "PC-1" } else { "MacBook-Pro" }));
    events.collect::<Vec<_>>().join("\n")
}

fn burst(report: &Value) -> &Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule_id"] == "system-delete-burst").unwrap()
}

#[test]
fn each_device_of_one_name_is_counted_and_has_its_id() {
    let folder = folder(&[("events.jsonl", &wipe(12))]);
    let export = folder.path().join("events.jsonl");
    let report = report(&[text(&export), "--no-config"]);
    let burst = burst(&report);
    let summary = burst["summary"].as_str().unwrap();
    assert!(summary.contains("on PC-1, MacBook-Pro (12 of this name), from"), "{summary}");
    let related = burst["related"].as_array().unwrap();
    for role in ["target", "device"] {
        let of_role: Vec<&Value> = related.iter().filter(|part| part["role"] == role).collect();
        assert_eq!(of_role.len(), 13, "{related:#?}");
        assert!(
            of_role.iter().enumerate().all(|(number, part)| part["id"] == format!("{number:024x}")),
            "{of_role:#?}"
        );
    }
    let investigate =
        jcdetect().args(["investigate", "root@example.com", text(&export), "--no-config"]).output().unwrap();
    let told = String::from_utf8(investigate.stdout).unwrap();
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("deleted the device PC-1, MacBook-Pro (12 of this name) (13 times)"), "{told}");
    let each: Vec<String> = (1..=12).map(|number| format!("MacBook-Pro ({number:024x})")).collect();
    assert!(told.contains(&format!("Undo: Enrol the device PC-1, {} again", each.join(", "))), "{told}");
}

#[test]
fn a_namesake_is_something_else_unless_the_earlier_report_had_no_ids() {
    let folder = folder(&[("old.jsonl", &wipe(12)), ("new.jsonl", &wipe(14))]);
    let [old, new] = ["old.jsonl", "new.jsonl"].map(|name| folder.path().join(name));
    let mut earlier = report(&[text(&old), "--no-config"]);
    let status = |earlier: &Value| {
        let baseline = folder.path().join("baseline.json");
        std::fs::write(&baseline, earlier.to_string()).unwrap();
        burst(&report(&[text(&new), "--no-config", "--baseline", text(&baseline)]))["status"].clone()
    };
    assert_eq!(status(&earlier), "new");
    for finding in earlier["findings"].as_array_mut().unwrap() {
        finding["related"].as_array_mut().unwrap().iter_mut().for_each(|part| {
            part.as_object_mut().unwrap().remove("id");
        });
    }
    assert_eq!(status(&earlier), "known");
    assert_eq!(status(&report(&[text(&new), "--no-config"])), "known");
}
