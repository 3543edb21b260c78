//! Timelines: everything in its order, and the evidence of findings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines, sign_in};
use super::{findings, jcdetect, scenario, text};

fn timeline(arguments: &[&str]) -> String {
    let output = jcdetect().arg("timeline").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn all_events_come_in_the_order_of_time_however_they_stand() {
    let mut events = guessed_password();
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    let sorted = objects(&timeline(&[text(&path), "--format", "jsonl"]));
    assert_eq!(sorted.len(), 9);
    for (event, row) in events.iter().zip(&sorted) {
        let time = |value: &Value| chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
        assert_eq!((&row["id"], time(&row["timestamp"])), (&event["id"], time(&event["timestamp"])));
        assert!(row["message"].as_str().unwrap().contains("alice"), "{row}");
    }
    events.reverse();
    let set_aside = |mut rows: Vec<Value>| {
        rows.iter_mut().for_each(|row| ["line", "offset"].iter().for_each(|key| row[*key] = Value::Null));
        rows
    };
    let output = jcdetect().args(["timeline", "-", "--format", "jsonl"]).write_stdin(lines(&events)).output().unwrap();
    let mut reversed = set_aside(objects(&String::from_utf8(output.stdout).unwrap()));
    reversed.iter_mut().for_each(|row| row["source"] = text(&path).into());
    assert_eq!(reversed, set_aside(sorted));
}

#[test]
fn the_evidence_of_findings_is_what_scan_cites() {
    for name in ["push-fatigue", "admin-takeover"] {
        let folder = scenario(name);
        let all = findings(&[text(&folder), "--no-config", "--evidence", "100000"]);
        let rows = objects(&timeline(&[text(&folder), "--findings", "--no-config", "--format", "jsonl"]));
        let cited = |findings: &[Value], least: &[&str]| -> BTreeSet<(u64, String)> {
            let wanted = findings.iter().filter(|f| least.contains(&f["severity"].as_str().unwrap()));
            let one = |finding: &Value| {
                let rule = finding["rule_id"].as_str().unwrap().to_owned();
                let evidence = finding["evidence"].as_array().unwrap().clone();
                evidence
                    .into_iter()
                    .map(move |e| (e["origin"]["line"].as_u64().unwrap(), rule.clone()))
                    .collect::<Vec<_>>()
            };
            wanted.flat_map(one).collect()
        };
        let shown = |rows: &[Value]| -> BTreeSet<(u64, String)> {
            let one = |row: &Value| {
                let line = row["line"].as_u64().unwrap();
                let rules = row["findings"].as_array().unwrap().clone();
                rules.into_iter().map(move |rule| (line, rule.as_str().unwrap().to_owned())).collect::<Vec<_>>()
            };
            rows.iter().flat_map(one).collect()
        };
        assert!(!rows.is_empty());
        assert_eq!(shown(&rows), cited(&all, &["info", "low", "medium", "high", "critical"]), "{name}");
        let arguments = [text(&folder), "--findings", "--no-config", "--min-severity", "high", "--format", "jsonl"];
        assert_eq!(shown(&objects(&timeline(&arguments))), cited(&all, &["high", "critical"]), "{name}");
        // Fields that no rule of the pack reads are there, too.
        for condition in ["resource.type == 'user' or outcome == 'success'", "raw.success == true", "raw.id contains 1"]
        {
            let arguments = [text(&folder), "--findings", "--no-config", "--where", condition, "--format", "jsonl"];
            let wanted: Vec<Value> = objects(&timeline(&[text(&folder), "--where", condition, "--format", "jsonl"]));
            let lines: BTreeSet<u64> = wanted.iter().map(|row| row["line"].as_u64().unwrap()).collect();
            let both: BTreeSet<(u64, String)> =
                shown(&rows).into_iter().filter(|(line, _)| lines.contains(line)).collect();
            assert!(!both.is_empty(), "{name}: {condition}");
            assert_eq!(shown(&objects(&timeline(&arguments))), both, "{name}: {condition}");
        }
    }
}

#[test]
fn the_rules_of_a_timeline_are_those_of_a_scan() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (folder.path().join("old.jsonl"), folder.path().join("new.jsonl"));
    let mut events = guessed_password();
    let later = |event: &Value| {
        let mut later = event.clone();
        later["id"] = format!("later {}", event["id"]).into();
        later["timestamp"] = event["timestamp"].as_str().unwrap().replace("2026-03-02", "2026-04-20").into();
        later
    };
    fs::write(&old, lines(&events)).unwrap();
    events = events.iter().map(later).collect();
    events.last_mut().unwrap()["geoip"] = serde_json::json!({"country_code": "IR"});
    fs::write(&new, lines(&events)).unwrap();
    let rules = |arguments: &[&str]| -> BTreeSet<String> {
        let arguments = [&[text(&new), "--findings", "--no-config", "--format", "jsonl"], arguments].concat();
        let rows = objects(&timeline(&arguments));
        assert!(rows.iter().all(|row| row["source"] == text(&new)), "history is not shown");
        rows.iter()
            .flat_map(|row| row["findings"].as_array().unwrap().clone())
            .map(|r| r.as_str().unwrap().to_owned())
            .collect()
    };
    let scanned = |arguments: &[&str]| -> BTreeSet<String> {
        let found = findings(&[&[text(&new), "--no-config"], arguments].concat());
        found.iter().map(|f| f["rule_id"].as_str().unwrap().to_owned()).collect()
    };
    for arguments in [
        &["--disable", "success-after-bruteforce"][..],
        &["--enable", "embargoed-country-activity"],
        &["--history", text(&old)],
    ] {
        assert_eq!(rules(arguments), scanned(arguments), "{arguments:?}");
    }
    assert!(!rules(&["--disable", "success-after-bruteforce"]).contains("success-after-bruteforce"));
    assert!(rules(&["--enable", "embargoed-country-activity"]).contains("embargoed-country-activity"));
    let alone = jcdetect().args(["timeline", text(&new), "--disable", "x"]).assert().code(2);
    alone.stderr(predicates::str::contains("--disable: only with --findings"));
}

#[test]
fn timesketch_gets_what_it_asks_for() {
    let folder = scenario("push-fatigue");
    let out = timeline(&[text(&folder), "--findings", "--no-config", "--format", "timesketch"]);
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(header.iter().take(4).collect::<Vec<_>>(), ["message", "datetime", "timestamp", "timestamp_desc"]);
    assert!(header.iter().all(|name| !name.contains('.')), "{header:?}");
    let names: BTreeSet<&str> = header.iter().collect();
    assert_eq!(names.len(), header.len());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(
        rows.len(),
        timeline(&[text(&folder), "--findings", "--no-config", "--format", "jsonl"]).lines().count()
    );
    let tag = place("tag");
    assert_eq!(tag, header.len() - 1);
    for row in &rows {
        assert!(row.iter().take(4).all(|cell| !cell.is_empty()), "{row:?}");
        let time = chrono::DateTime::parse_from_rfc3339(&row[1]).unwrap();
        assert_eq!(time.timestamp_micros().to_string(), row[2]);
        assert!(row.iter().take(tag).all(|cell| !cell.starts_with('[')), "{row:?}");
        let tags: Vec<String> = serde_json::from_str(&row[tag]).unwrap();
        assert_eq!(tags[0], row[place("severity")]);
        assert_eq!(tags[1..].join("; "), row[place("findings")]);
    }
    assert!(rows[0][place("findings")].contains("mfa-fatigue-denied"));
    let all = timeline(&[text(&folder), "--mark", "--no-config", "--format", "timesketch"]);
    let untagged = all.lines().filter(|line| line.ends_with(",[]")).count();
    assert_eq!(untagged, 53 - rows.len(), "{all}");
    let plain = timeline(&[text(&folder), "--format", "timesketch"]);
    assert!(!plain.lines().next().unwrap().contains("tag"), "{plain}");
}

#[test]
fn the_table_says_what_it_leaves_out() {
    let folder = scenario("push-fatigue");
    let table = timeline(&[text(&folder), "--limit", "2"]);
    assert!(table.contains("… 51 more; --limit 0 shows all of them\n53 of 53 events; nothing skipped\n"), "{table}");
    let table = timeline(&[text(&folder), "--findings", "--no-config", "--contains", "github"]);
    assert!(table.contains("\n1 of 53 events;"), "{table}");
    let events = fs::read(Path::new(&folder).join("events.jsonl")).unwrap();
    let arguments = ["timeline", "-", "--findings", "--no-config", "--contains", "github"];
    let output = jcdetect().args(arguments).write_stdin(events).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("\n1 of 53 events;"));
    let table = timeline(&[text(&folder), "--contains", "198.51.100.140", "--since", "2026-03-10T21:45:00Z"]);
    assert!(table.contains("\n3 of 53 events;"), "{table}");
}

#[test]
fn an_organization_has_its_own_column_and_order() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = guessed_password();
    events[0]["organization"] = "zeta".into();
    fs::write(&path, lines(&events)).unwrap();
    let table = timeline(&[text(&path)]);
    let first = table.lines().find(|line| line.contains("x.jsonl:")).unwrap();
    assert!(first.contains("zeta") && first.contains("x.jsonl:1"), "{table}");
    let table = timeline(&[text(&path), "--organization", "zeta"]);
    assert!(table.contains("\n1 of 1 event;") && table.contains("\nOther organizations: 8 events left out"), "{table}");
    assert!(!table.contains("organization "), "{table}");
}

#[test]
fn organizations_share_one_timeline() {
    let folder = scenario("msp-pivot");
    let plain = &[text(&folder), "--format", "jsonl"][..];
    for arguments in [plain, &[plain, &["--findings", "--no-config"]].concat()] {
        let rows = objects(&timeline(arguments));
        let stands: Vec<(&str, &str)> = rows
            .iter()
            .map(|row| (row["timestamp"].as_str().unwrap(), row["organization"].as_str().unwrap()))
            .collect();
        assert!(stands.windows(2).all(|two| two[0].0 <= two[1].0), "{stands:?}");
        assert!(!stands.is_sorted_by_key(|(_, organization)| *organization), "{stands:?}");
    }
    // What happened at once is in the order of organizations, wherever it stands.
    let mut events: Vec<Value> = ["c", "a", "b"]
        .map(|organization| {
            let mut event = sign_in(1, "2026-03-02T09:00:00Z", true);
            event["organization"] = organization.into();
            event
        })
        .to_vec();
    for _ in 0..2 {
        let output =
            jcdetect().args(["timeline", "-", "--format", "jsonl"]).write_stdin(lines(&events)).output().unwrap();
        let rows = objects(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(rows.iter().map(|row| row["organization"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
        events.reverse();
    }
}

/// A row of a timeline, and the report of the same events.
fn is_told_of(row: &Value, findings: &[Value]) -> bool {
    let cites = |finding: &&Value| {
        finding["evidence"].as_array().unwrap().iter().any(|evidence| evidence["origin"]["line"] == row["line"])
    };
    let own: Vec<&Value> = findings.iter().filter(cites).collect();
    let texts = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let all = |key: &str| -> BTreeSet<String> {
        own.iter().filter_map(|finding| finding[key].as_str()).map(str::to_owned).collect()
    };
    assert_eq!(texts(&row["findings"]), all("rule_id"), "{row}");
    assert_eq!(texts(&row["finding_ids"]), all("id"), "{row}");
    assert_eq!(texts(&row["case_ids"]), all("case_id"), "{row}");
    let worst = ["critical", "high", "medium", "low", "info"].into_iter().find(|word| all("severity").contains(*word));
    assert_eq!(row["severity"].as_str(), worst, "{row}");
    let disposition = ["triage", "duet"].into_iter().find(|word| all("disposition").contains(*word));
    assert_eq!(row["disposition"].as_str(), disposition, "{row}");
    !own.is_empty()
}

#[test]
fn a_row_names_the_findings_of_the_report() {
    let (mut with_case, mut of_questions) = (0, 0);
    for name in ["push-fatigue", "leaver-returns", "insider"] {
        let folder = scenario(name);
        let folder = text(&folder);
        let all = findings(&[folder, "--no-config", "--evidence", "100000"]);
        let rows = objects(&timeline(&[folder, "--findings", "--no-config", "--format", "jsonl"]));
        assert!(rows.iter().all(|row| is_told_of(row, &all)), "{name}");
        with_case += rows.iter().filter(|row| row["case_ids"].is_array()).count();
        of_questions += rows.iter().filter(|row| row["disposition"] == "duet").count();
        let csv = timeline(&[folder, "--findings", "--no-config", "--format", "csv"]);
        let header = csv.lines().next().unwrap();
        assert!(header.ends_with(",source,line,offset,findings,severity,finding_ids,case_ids,disposition"), "{header}");
        // All events are there if they are only to be marked, with the same behind them.
        let mut marked = objects(&timeline(&[folder, "--mark", "--no-config", "--format", "jsonl"]));
        let evidence: Vec<&Value> = marked.iter().filter(|row| is_told_of(row, &all)).collect();
        assert_eq!(evidence, rows.iter().collect::<Vec<_>>(), "{name}");
        for row in &mut marked {
            let told = ["findings", "severity", "finding_ids", "case_ids", "disposition"];
            told.iter().for_each(|key| _ = row.as_object_mut().unwrap().remove(*key));
        }
        assert_eq!(marked, objects(&timeline(&[folder, "--format", "jsonl"])), "{name}");
        // So are those that a condition chooses.
        for filter in [["--where", "outcome == 'success'"], ["--contains", "user"], ["--where", "raw.success == true"]]
        {
            let lines = |arguments: &[&str]| -> Vec<u64> {
                let rows = timeline(&[&[folder, "--format", "jsonl"], &filter[..], arguments].concat());
                objects(&rows).iter().map(|row| row["line"].as_u64().unwrap()).collect()
            };
            let chosen = lines(&["--mark", "--no-config"]);
            assert!(!chosen.is_empty(), "{name}: {filter:?}");
            assert_eq!(chosen, lines(&[]), "{name}: {filter:?}");
        }
    }
    assert!(with_case > 0 && of_questions > 0, "{with_case} {of_questions}");
    let shown = timeline(&[text(&scenario("push-fatigue")), "--mark", "--no-config", "--limit", "0"]);
    let rows = objects(&timeline(&[text(&scenario("push-fatigue")), "--findings", "--no-config", "--format", "jsonl"]));
    let account = format!("\n53 of 53 events; {} of them evidence of findings; nothing skipped\n", rows.len());
    assert!(shown.contains(&account), "{shown}");
}

#[test]
fn one_finding_or_case_can_be_asked_for() {
    let folder = scenario("push-fatigue");
    let folder = text(&folder);
    let all = findings(&[folder, "--no-config", "--evidence", "100000"]);
    let rows =
        |arguments: &[&str]| objects(&timeline(&[&[folder, "--no-config", "--format", "jsonl"], arguments].concat()));
    let finding = all.iter().find(|finding| finding["case_id"].is_string()).unwrap();
    let of_case: Vec<Value> = all.iter().filter(|other| other["case_id"] == finding["case_id"]).cloned().collect();
    let (id, case) = (finding["id"].as_str().unwrap(), finding["case_id"].as_str().unwrap());
    let own = rows(&["--of", &id[..8]]);
    assert_eq!(own.len(), finding["evidence"].as_array().unwrap().len());
    assert!(own.iter().all(|row| is_told_of(row, std::slice::from_ref(finding))));
    assert_eq!(rows(&["--of", &id.to_uppercase(), "--findings"]), own);
    let of_all = rows(&["--of", &case[..6]]);
    assert!(of_all.len() > own.len() && of_all.iter().all(|row| is_told_of(row, &of_case)));
    assert_eq!(rows(&["--of", case, "--of", id]), of_all);
    let marked = rows(&["--of", case, "--mark"]);
    assert_eq!(marked.len(), 53);
    assert_eq!(marked.iter().filter(|row| is_told_of(row, &of_case)).count(), of_all.len());
    // A finding that somebody put away is shown to whoever names it.
    let (rule, entity) = (finding["rule_id"].as_str().unwrap(), finding["entity"]["name"].as_str().unwrap());
    let config = TempDir::new().unwrap();
    let path = config.path().join("jcdetect.yml");
    fs::write(
        &path,
        format!(
            "suppress:\n  - rule: {rule}\n    match: {{entity: {entity}}}\n    reason: r\n    expires: 2099-01-01\n"
        ),
    )
    .unwrap();
    let arguments = [folder, "--config", text(&path), "--findings", "--format", "jsonl"];
    let others = objects(&timeline(&arguments));
    assert!(others.iter().all(|row| !row["finding_ids"].as_array().unwrap().contains(&id.into())));
    let arguments = [folder, "--config", text(&path), "--of", id, "--format", "jsonl"];
    assert_eq!(objects(&timeline(&arguments)).len(), own.len());
    for (wrong, want) in [
        ("abcde", "--of abcde: not the first 6 or more characters of the id of a finding or of a case"),
        ("push-fatigue", "--of push-fatigue: not the first 6"),
        ("abcdef0123", "--of abcdef0123: no finding and no case has an id that begins like that"),
    ] {
        let all = ["timeline", folder, "--no-config", "--of", wrong];
        jcdetect().args(all).assert().code(2).stderr(predicate::str::contains(want)).stdout("");
    }
}

#[test]
fn what_does_not_go_together_is_said() {
    let folder = scenario("push-fatigue");
    for (arguments, want) in [
        (&["--min-severity", "high"][..], "--findings"),
        (&["--findings", "--mark"], "cannot be used with"),
        (&["--findings", "--min-severity", "bad"], "--min-severity: unknown severity \"bad\""),
        (&["--format", "xml"], "[possible values: table, jsonl, csv, timesketch]"),
        (&["--where", "x"], "--where: no field \"x\""),
        (&["--findings", "--rules", "/no/such"], "--rules /no/such"),
    ] {
        let all = [&["timeline", text(&folder)], arguments].concat();
        jcdetect().args(all).assert().code(2).stderr(predicate::str::contains(want)).stdout("");
    }
}

/// Times that are further apart than 64 bits of nanoseconds hold are no panic and no time that is below zero.
#[test]
fn centuries_apart_are_no_less_than_nothing() {
    let events = [sign_in(1, "1700-03-02T09:00:00Z", true), sign_in(2, "2200-03-02T09:00:00Z", true)];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&events)).unwrap();
    for command in [&["scan"][..], &["timeline"], &["summary"], &["investigate", "alice"]] {
        let out = jcdetect().args(command).arg(&path).output().unwrap();
        let shown = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
        assert!(out.status.success(), "{command:?} {shown}");
        assert!(shown.contains("2200-03-02") && !shown.contains("(-"), "{command:?} {shown}");
    }
}

/// Names are put into words where they belong, however short they are.
#[test]
fn what_is_to_be_put_right_is_named_where_its_name_belongs() {
    let deleted = |number: u32, name: &str| {
        json!({
            "id": format!("{number:024x}"), "organization": "o", "timestamp": format!("2026-03-02T09:0{number}:00Z"),
            "event_type": "group_delete", "service": "directory", "success": true,
            "initiated_by": {"id": "u1", "type": "admin", "email": "M@example.com"},
            "resource": {"id": format!("g{number}"), "type": "user_group", "name": name},
        })
    };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, lines(&[deleted(1, "M"), deleted(2, "ops")])).unwrap();
    let shown = jcdetect().args(["investigate", "M@example.com"]).arg(&path).assert().success();
    shown
        .stdout(predicates::str::contains("M@example.com deleted the group M, ops (2 times)"))
        .stdout(predicates::str::contains("Make the group M, ops anew, if it is needed."));
    // Long ones are cut, and told apart by what is cut off.
    let long = "x".repeat(9000);
    fs::write(&path, lines(&[deleted(1, &format!("{long}1")), deleted(2, &format!("{long}2"))])).unwrap();
    let cut = format!("{}…", "x".repeat(79));
    for format in ["table", "json"] {
        let mut run = jcdetect();
        run.args(["investigate", "M@example.com", "--format", format]).arg(&path);
        let shown = String::from_utf8(run.assert().success().get_output().stdout.clone()).unwrap();
        assert!(!shown.contains(&"x".repeat(80)), "{format}");
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("Make the group {cut}, {cut} anew")), "{format}: {words}");
    }
}
