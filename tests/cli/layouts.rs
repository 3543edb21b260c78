//! Every container and envelope: the same events, the same findings.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{findings, jcdetect, report, text, without_origin};

/// Scans bytes as a file of this name; the findings without their origins.
fn of(name: &str, bytes: &[u8]) -> Vec<Value> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let report = report(&[text(&path)]);
    assert_eq!(report["coverage"]["events"], 9, "{name}");
    assert_eq!(report["coverage"]["skipped"], json!([]), "{name}");
    without_origin(findings(&[text(&path)]))
}

fn expected() -> Vec<Value> {
    let findings = of("plain.jsonl", lines(&guessed_password()).as_bytes());
    assert_eq!(super::rule_ids(&findings), ["success-after-bruteforce", "bruteforce-user-portal"]);
    findings
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Pretty with any indentation, as Python, jq, Go and PowerShell write it.
fn pretty(value: &Value, indent: &[u8]) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(value, &mut serializer).unwrap();
    String::from_utf8(out).unwrap()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
}

#[test]
fn containers() {
    let events = guessed_password();
    let want = expected();
    let plain = lines(&events);
    let array = Value::Array(events.clone());
    let objects: Vec<String> = events.iter().map(Value::to_string).collect();
    let halves = format!("{}\n{}", Value::Array(events[..4].to_vec()), Value::Array(events[4..].to_vec()));
    let loose: Vec<String> = events.iter().map(|event| pretty(event, b"  ")).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("crlf.jsonl", plain.replace('\n', "\r\n").into()),
        ("no-newline-at-end.jsonl", plain.trim_end().into()),
        ("bom.jsonl", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("compact.json", array.to_string().into()),
        ("s3-multi-line.json", pretty(&array, b"  ").into()),
        ("indent-4.json", pretty(&array, b"    ").into()),
        ("tabs.json", pretty(&array, b"\t").into()),
        ("indent-0.json", pretty(&array, b"").into()),
        ("s3-single-line.json", format!("[{}]", objects.join(",\n")).into()),
        ("line-an-object-in-brackets.json", format!("[\n{}\n]\n", objects.join(",\n")).into()),
        ("arrays-one-after-another.json", halves.into()),
        ("pretty-objects-one-after-another.json", loose.join("\n").into()),
        (
            "pretty-arrays-each-with-a-mark.json",
            [&events[..4], &events[4..]]
                .map(|half| format!("\u{feff}{}\r\n", pretty(&json!(half), b"  ").replace('\n', "\r\n")))
                .concat()
                .into(),
        ),
        ("cut-short-under-its-writer.jsonl", [&[0; 3_000_000], plain.as_bytes()].concat()),
        ("objects-without-any-separator.json", objects.concat().into()),
        ("powershell-le.json", utf16(&pretty(&array, b"    "), u16::to_le_bytes)),
        ("utf16-be.jsonl", utf16(&plain, u16::to_be_bytes)),
        ("powershell-crlf.json", utf16(&pretty(&array, b"    ").replace('\n', "\r\n"), u16::to_le_bytes)),
        ("gzip-under-another-name.jsonl", gz(plain.as_bytes())),
        ("two-members.json.gz", [gz(&plain.as_bytes()[..700]), gz(&plain.as_bytes()[700..])].concat()),
        ("powershell-5.json", utf16(&pretty(&json!({"value": array, "Count": 9}), b"    "), u16::to_le_bytes)),
        (
            "elasticsearch.json",
            json!({"took": 1, "hits": {"hits": events.iter().map(|e| json!({"_index": "i", "_source": e})).collect::<Vec<_>>()}})
                .to_string()
                .into(),
        ),
        ("page.json", json!({"totalCount": 9, "results": array}).to_string().into()),
        ("prefix.log", plain.replace("{\"@version", "<134>1 2026-03-11T00:00:00Z host di - - {\"@version").into()),
        ("padded.json.gz", [gz(plain.as_bytes()), vec![0; 512]].concat()),
        ("array.json.gz", gz(pretty(&array, b"  ").as_bytes())),
        ("zstd-under-another-name.log", zstd::encode_all(plain.as_bytes(), 1).unwrap()),
    ];
    for (name, bytes) in cases {
        assert_eq!(of(name, &bytes), want, "{name}");
    }
}

#[test]
fn one_bare_object() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("one.json");
    for text_of in [guessed_password()[0].to_string(), pretty(&guessed_password()[0], b"  ")] {
        fs::write(&path, text_of).unwrap();
        assert_eq!(report(&[text(&path)])["coverage"]["events"], 1);
    }
}

#[test]
fn bigquery_names_and_nulls() {
    let sanitized: Vec<Value> = guessed_password()
        .into_iter()
        .map(|mut event| {
            let map = event.as_object_mut().unwrap();
            let version = map.remove("@version").unwrap();
            map.insert("_version".into(), version);
            map.insert("correlation".into(), Value::Null);
            event
        })
        .collect();
    assert_eq!(of("gcp.ndjson", lines(&sanitized).as_bytes()), expected());
    // The body is the same, so an event is known again from the other container.
    let both = lines(&sanitized) + &lines(&guessed_password());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("both.jsonl");
    fs::write(&path, both).unwrap();
    assert_eq!(report(&[text(&path)])["coverage"]["duplicates"], 9);
}

#[test]
fn csv_by_header_names() {
    let columns = [
        "timestamp",
        "event_type",
        "initiated_by",
        "client_ip",
        "success",
        "id",
        "organization",
        "service",
        "mfa",
        "geoip",
        "useragent",
        "auth_context",
        "error_message",
        "@version",
    ];
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(columns).unwrap();
    for event in guessed_password() {
        let cell = |column: &&str| match &event[*column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        out.write_record(columns.iter().map(cell)).unwrap();
    }
    assert_eq!(of("jc.csv", &out.into_inner().unwrap()), expected());
}

/// The members of an event by their paths.
fn flat(value: &Value, path: &str, between: &str, out: &mut Vec<(String, String)>) {
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}{between}{key}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| flat(value, &join(key), between, out)),
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Null => out.push((path.to_owned(), String::new())),
        other => out.push((path.to_owned(), other.to_string())),
    }
}

#[test]
fn members_in_columns_of_their_own_are_found_whatever_joins_their_names() {
    let table = |between: &str| {
        let mut out = csv::Writer::from_writer(Vec::new());
        for (place, event) in guessed_password().iter().enumerate() {
            let mut cells = Vec::new();
            flat(event, "", between, &mut cells);
            if place == 0 {
                out.write_record(cells.iter().map(|(name, _)| name)).unwrap();
            }
            out.write_record(cells.iter().map(|(_, text)| text)).unwrap();
        }
        out.into_inner().unwrap()
    };
    for between in [".", "/", ":"] {
        assert_eq!(of("flat.csv", &table(between)), expected(), "{between}");
    }
    // With underscores it cannot be told where `auth_methods` ends, and that is said.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flat.csv");
    fs::write(&path, table("_")).unwrap();
    let report = report(&[text(&path)]);
    assert_eq!(report["coverage"]["flattened"]["count"], 9);
    assert_eq!(super::rule_ids(&findings(&[text(&path)])), ["success-after-bruteforce", "bruteforce-user-portal"]);
}

#[test]
fn the_five_columns_of_the_jc_command() {
    let mut csv = String::from("timestamp,event_type,initiated_by,client_ip,success\n");
    for event in guessed_password() {
        let by = event["initiated_by"].to_string().replace('"', "\"\"");
        csv += &format!(
            "{},user_login_attempt,\"{by}\",203.0.113.9,{}\n",
            event["timestamp"].as_str().unwrap(),
            event["success"]
        );
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("jc.csv");
    fs::write(&path, csv).unwrap();
    let found = findings(&[text(&path)]);
    assert!(super::rule_ids(&found).contains(&"success-after-bruteforce"));
    assert_eq!(found[0]["evidence"][0]["event_id"], Value::Null);
    assert_eq!(found[0]["evidence"][0]["origin"]["line"], 2, "rows count from the header");
    assert_eq!(report(&[text(&path)])["coverage"]["without_id"], 9);
}

/// A result that is none of the known words is no failure.
#[test]
fn an_unknown_result_is_no_failure() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("portal.csv");
    for (word, want) in [("-", false), ("N/A", false), ("Info", false), ("SUCCESSFUL", false), ("Failed", true)] {
        let mut csv = String::from("Timestamp,Event Type,Result,Initiated By,Client IP\n");
        for second in 10..40 {
            csv += &format!("2026-03-02T09:00:{second}Z,user_login_attempt,{word},eve,203.0.113.9\n");
        }
        fs::write(&path, csv).unwrap();
        assert_eq!(!findings(&[text(&path)]).is_empty(), want, "{word}");
    }
}

#[test]
fn members_under_paths_are_found_as_those_in_columns_are() {
    let want = expected();
    for between in [".", "/", ":"] {
        let flattened = |event: &Value| {
            let mut out = serde_json::Map::new();
            flat_values(event, "", between, &mut out);
            Value::Object(out)
        };
        let records: Vec<Value> = guessed_password().iter().map(flattened).collect();
        assert_eq!(of("flat.jsonl", lines(&records).as_bytes()), want, "{between}");
        assert_eq!(of("flat.json", json!({"results": records}).to_string().as_bytes()), want, "{between}");
        let splunk: Vec<Value> = records.iter().map(|record| json!({"preview": false, "result": record})).collect();
        assert_eq!(of("splunk.json", lines(&splunk).as_bytes()), want, "{between}");
        let hec: Vec<Value> = records.iter().map(|record| json!({"time": 1, "event": record})).collect();
        assert_eq!(of("hec.json", lines(&hec).as_bytes()), want, "{between}");
    }
    // `changes{}.field` cannot be put back, and that is said.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("table.jsonl");
    let record = r#"{"event_type":"user_update","timestamp":"2026-03-02T09:00:00Z","initiated_by.email":"a@b.c","changes{}.field":["x","y"]}"#;
    fs::write(&path, record).unwrap();
    assert_eq!(report(&[text(&path)])["coverage"]["flattened"]["count"], 1);
    let rows = jcdetect().args(["hunt", text(&path), "--format", "jsonl"]).assert().code(0);
    let out = String::from_utf8(rows.get_output().stdout.clone()).unwrap();
    assert!(out.contains(r#""initiated_by":{"email":"a@b.c"}"#), "{out}");
}

/// The members of an event by their paths, each with its value.
fn flat_values(value: &Value, path: &str, between: &str, out: &mut serde_json::Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}{between}{key}") };
                flat_values(value, &path, between, out);
            }
        }
        other => _ = out.insert(path.to_owned(), other.clone()),
    }
}

/// The integration of Elastic keeps neither the record nor what its own schema has a name for, unless told to.
#[test]
fn what_elastic_moves_is_put_back() {
    let document = |event: &Value| {
        let mut left = event.clone();
        let members = left.as_object_mut().unwrap();
        for moved in ["timestamp", "client_ip", "id", "useragent", "event_type", "service"] {
            members.remove(moved);
        }
        for moved in ["id", "email", "username"] {
            members["initiated_by"].as_object_mut().unwrap().remove(moved);
        }
        let (by, agent) = (&event["initiated_by"], &event["useragent"]);
        json!({
            "@timestamp": event["timestamp"], "jumpcloud": {"event": left}, "tags": ["forwarded"],
            "event": {"action": event["event_type"], "id": event["id"], "module": event["service"], "outcome": "unknown"},
            "client": {"ip": event["client_ip"]},
            "source": {"user": {"id": by["id"], "email": by["email"], "name": by["username"]}},
            "user_agent": {"name": agent["name"], "version": agent["version"], "device": {"name": agent["device"]},
                "os": {"name": agent["os_name"], "full": agent["os_full"], "version": agent["os_version"]}},
        })
    };
    let documents: Vec<Value> = guessed_password().iter().map(document).collect();
    let told = |findings: &[Value]| -> Vec<String> {
        findings.iter().map(|finding| finding["id"].to_string() + &finding["summary"].to_string()).collect()
    };
    let want = told(&expected());
    assert_eq!(told(&of("elastic.jsonl", lines(&documents).as_bytes())), want);
    // What it keeps as it was says more.
    let mut kept = documents.clone();
    for (document, event) in kept.iter_mut().zip(guessed_password()) {
        document["event"]["original"] = event.to_string().into();
    }
    assert_eq!(of("original.jsonl", lines(&kept).as_bytes()), expected());
    let hits: Vec<Value> = documents.iter().map(|document| json!({"_index": "i", "_source": document})).collect();
    assert_eq!(told(&of("elastic.json", json!({"hits": {"hits": hits}}).to_string().as_bytes())), want);
}

#[test]
fn envelopes() {
    let want = expected();
    let wrap = |envelope: &dyn Fn(&Value) -> Value| {
        guessed_password().iter().map(|event| envelope(event).to_string() + "\n").collect::<String>()
    };
    let text_of = |event: &Value| Value::String(event.to_string());
    let cases: Vec<(&str, String)> = vec![
        (
            "elasticsearch",
            wrap(&|e| json!({"_index": "x", "_source": {"event": {"original": text_of(e)}, "tags": []}})),
        ),
        ("elastic", wrap(&|e| json!({"@timestamp": "x", "event": {"original": text_of(e)}, "message": "x"}))),
        ("elastic-dotted", wrap(&|e| json!({"event.original": text_of(e)}))),
        ("message", wrap(&|e| json!({"host": "h", "message": text_of(e)}))),
        ("raw", wrap(&|e| json!({"_raw": text_of(e), "_time": 1}))),
        ("wazuh", wrap(&|e| json!({"jumpcloud_bridge": e}))),
        ("wazuh-archive", wrap(&|e| json!({"id": "1.2", "full_log": "x", "data": {"jumpcloud_bridge": e}}))),
        ("wazuh-python", wrap(&|e| json!({"id": "1.2", "full_log": "x", "data": {"jumpcloud": e}}))),
        ("wazuh-indexer", {
            let hits: Vec<Value> = guessed_password()
                .iter()
                .map(|e| json!({"_source": {"id": "1.2", "data": {"jumpcloud": e}}}))
                .collect();
            json!({"took": 1, "hits": {"total": {"value": 9}, "hits": hits}}).to_string()
        }),
        ("splunk-hec", wrap(&|e| json!({"time": 1.0, "host": "h", "event": e}))),
        ("docker", wrap(&|e| json!({"log": e.to_string() + "\n", "stream": "stdout"}))),
        ("elasticsearch-search", {
            let hits: Vec<Value> =
                guessed_password().iter().map(|e| json!({"_source": {"event": {"original": text_of(e)}}})).collect();
            json!({"took": 1, "hits": {"total": {"value": 9}, "hits": hits}}).to_string()
        }),
        ("cloudwatch", {
            let page = |e: &Value| json!({"logEvents": [{"id": "3", "message": text_of(e)}], "owner": "1"}).to_string();
            guessed_password().iter().map(page).collect::<String>()
        }),
        ("splunk-csv", {
            let row = |e: &Value| format!("\"{}\",h\n", e.to_string().replace('"', "\"\""));
            "_raw,host\n".to_owned() + &guessed_password().iter().map(row).collect::<String>()
        }),
        ("splunk-csv-with-columns", {
            let row = |e: &Value| format!("{},\"{}\"\n", e["event_type"], e.to_string().replace('"', "\"\""));
            "event_type,_raw\n".to_owned() + &guessed_password().iter().map(row).collect::<String>()
        }),
        ("cloudwatch-insights", {
            let row = |e: &Value| format!("x,\"{}\"\n", e.to_string().replace('"', "\"\""));
            "@timestamp,@message\n".to_owned() + &guessed_password().iter().map(row).collect::<String>()
        }),
        ("datadog-csv", {
            let row = |e: &Value| format!("x,h,\"{}\"\n", e.to_string().replace('"', "\"\""));
            "Date,Host,Message\n".to_owned() + &guessed_password().iter().map(row).collect::<String>()
        }),
        ("azure-log-analytics", {
            let row = |e: &Value| format!("x,\"{}\"\n", e.to_string().replace('"', "\"\""));
            "TimeGenerated,RawData\n".to_owned() + &guessed_password().iter().map(row).collect::<String>()
        }),
        ("datadog-archive", wrap(&|e| json!({"_id": "1", "date": "x", "attributes": e}))),
        ("datadog-search", {
            let page: Vec<Value> = guessed_password()
                .iter()
                .map(|e| json!({"id": "1", "type": "log", "attributes": {"timestamp": "x", "attributes": e}}))
                .collect();
            json!({"data": page}).to_string()
        }),
        ("google-cloud-logging", wrap(&|e| json!({"insertId": "1", "timestamp": "x", "jsonPayload": e}))),
        ("eventbridge", wrap(&|e| json!({"version": "0", "id": "1", "detail-type": "x", "detail": e}))),
        ("event-hubs", json!({"records": guessed_password()}).to_string()),
        // Bridges in Go fill in what is not there.
        ("filled-in", wrap(&|e| json!({"event_type": "", "message": text_of(e)}))),
        ("filled-in-ids", wrap(&|e| json!({"id": "", "organization": "", "data": e}))),
        ("coralogix", wrap(&|e| json!({"jumpcloud": e}))),
        ("google", wrap(&|e| json!({"data": e}))),
        ("alert", wrap(&|e| json!({"data": {"alert_id": "1", "alert_title": "x", "di_event": e}}))),
        ("splunk", wrap(&|e| json!({"preview": false, "offset": 0, "result": e}))),
        ("splunk-raw", wrap(&|e| json!({"preview": false, "result": {"_raw": text_of(e), "host": "h"}}))),
    ];
    for (name, bytes) in cases {
        assert_eq!(of(name, bytes.as_bytes()), want, "{name}");
    }
}

/// Nobody decides by what he calls himself that a file is not read.
#[test]
fn texts_of_events_make_no_file_one_of_jcdetect() {
    let mut events = guessed_password();
    events[8]["error_message"] = "x,timestamp,actor.key,y".into();
    for name in ["own.json", "own.jsonl"] {
        let bytes = match name {
            "own.json" => Value::Array(events.clone()).to_string(),
            _ => lines(&events[8..]) + &lines(&events[..8]),
        };
        assert_eq!(super::rule_ids(&of(name, bytes.as_bytes())), super::rule_ids(&expected()), "{name}");
    }
}

/// An archive among other files is told in the report, and not only on standard error.
#[test]
fn an_archive_is_told_where_records_are() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.jsonl"), lines(&guessed_password())).unwrap();
    fs::write(folder.path().join("b.json"), b"PK\x03\x04x").unwrap();
    let skipped = report(&[text(folder.path())])["coverage"]["skipped"].take();
    assert_eq!(
        skipped,
        json!([{"reason": "an archive, not read", "count": 1, "examples": [{"source": "b.json", "line": 1}]}])
    );
    jcdetect().args(["scan", text(folder.path()), "--strict"]).assert().code(4);
}

#[test]
fn a_message_inside_an_event_is_text() {
    let mut event = guessed_password()[8].clone();
    event["message"] = Value::String(guessed_password()[0].to_string());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    fs::write(&path, event.to_string()).unwrap();
    let report = report(&[text(&path)]);
    assert_eq!(
        (&report["coverage"]["events"], &report["coverage"]["last"]),
        (&json!(1), &json!("2026-03-02T09:10:00.123456789Z"))
    );
}

#[test]
fn standard_input_and_folders() {
    let want = expected();
    let plain = lines(&guessed_password());
    let output = jcdetect().args(["scan", "-", "--format", "jsonl"]).write_stdin(plain.clone()).output().unwrap();
    let found: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(found[0]["evidence"][0]["origin"]["source"], "-");
    assert_eq!(without_origin(found), want);

    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let (a, b) = plain.split_at(plain.match_indices('\n').nth(3).unwrap().0 + 1);
    fs::write(folder.path().join("sub/b.json.gz"), gz(b.as_bytes())).unwrap();
    fs::write(folder.path().join("a.ndjson"), a).unwrap();
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    let found = findings(&[text(folder.path())]);
    assert_eq!(found[0]["evidence"][8]["origin"]["source"], "sub/b.json.gz");
    assert_eq!(without_origin(found), want);
    assert_eq!(report(&[text(folder.path())])["coverage"]["not_read"], json!(["notes.txt"]));
}

/// Objects in buckets have names without an ending, and rotated files another one.
#[test]
fn files_of_a_folder_are_known_by_their_start() {
    let plain = lines(&guessed_password());
    let timed: Vec<String> = plain.lines().map(|line| format!("2026-03-02T09:00:00.000Z {line}")).collect();
    let table = "timestamp,event_type,client_ip\n2026-03-02T09:00:00Z,sso_auth,192.0.2.1\n";
    for (name, bytes) in [
        ("000000.gz", gz(timed.join("\n").as_bytes())),
        ("jc-di-1-2026-03-10-10-25-00-11f0", plain.clone().into_bytes()),
        ("jcevents_20260301_20260302.txt", pretty(&Value::Array(guessed_password()), b"  ").into_bytes()),
        ("events.jsonl.1", utf16(&plain, u16::to_le_bytes)),
        ("objects/a.zst", zstd::encode_all(plain.as_bytes(), 1).unwrap()),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::write(folder.path().join("README"), "A record is {\"event_type\": \"x\"}.\n").unwrap();
        fs::write(folder.path().join("notes.md"), "# event_type, and others, too\n").unwrap();
        let report = report(&[text(folder.path())]);
        assert_eq!(report["coverage"]["events"], 9, "{name}");
        assert_eq!(report["coverage"]["not_read"], json!(["README", "notes.md"]), "{name}");
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("table.txt"), table).unwrap();
    assert_eq!(report(&[text(folder.path())])["coverage"]["events"], 1);
    // What has to be unpacked first is told, and counts as skipped.
    fs::write(folder.path().join("export.zip"), b"PK\x03\x04rest").unwrap();
    fs::write(folder.path().join("export.xz"), b"\xfd7zXZ\0rest").unwrap();
    let told = jcdetect().args(["scan", "--no-config", "--strict", text(folder.path())]).assert().code(4);
    let out = String::from_utf8(told.get_output().stdout.clone()).unwrap();
    assert!(
        out.contains("export.xz") && out.contains("a zip: unpack it first") && out.contains("2 records skipped"),
        "{out}"
    );
}

#[test]
fn origins_lead_back_to_the_record() {
    let events = guessed_password();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x");
    let pretty = pretty(&Value::Array(events), b"  ");
    let le = utf16(&pretty, u16::to_le_bytes);
    for (bytes, width) in
        [(pretty.as_bytes(), 1), (&[b"\xef\xbb\xbf", pretty.as_bytes()].concat()[..], 1), (&le[..], 2)]
    {
        fs::write(&path, bytes).unwrap();
        for evidence in findings(&[text(&path)])[0]["evidence"].as_array().unwrap() {
            let offset = usize::try_from(evidence["origin"]["offset"].as_u64().unwrap()).unwrap();
            assert_eq!(bytes[offset], b'{', "width {width}");
            let line = usize::try_from(evidence["origin"]["line"].as_u64().unwrap()).unwrap();
            assert_eq!(pretty.lines().nth(line - 1).unwrap().trim(), "{");
        }
    }
}

/// Of CSV too, whatever its lines end with.
#[test]
fn origins_of_rows_lead_back_to_the_row() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.csv");
    for end in ["\n", "\r\n", "\r"] {
        let mut csv = format!("timestamp,event_type,initiated_by,client_ip,success{end}");
        for event in guessed_password() {
            let time = event["timestamp"].as_str().unwrap();
            csv += &format!("{time},user_login_attempt,eve,203.0.113.9,{}{end}", event["success"]);
        }
        for (bytes, start) in [
            (csv.as_bytes(), &b"2026-"[..]),
            (&utf16(&csv, u16::to_le_bytes)[..], b"2\x000\x002\x006\0"),
            (&gz(csv.as_bytes())[..], b""),
        ] {
            fs::write(&path, bytes).unwrap();
            let found = findings(&[text(&path)]);
            for evidence in found[0]["evidence"].as_array().unwrap() {
                let offset = usize::try_from(evidence["origin"]["offset"].as_u64().unwrap()).unwrap();
                match start {
                    b"" => assert!(csv[offset..].starts_with("2026-"), "{end:?}"),
                    _ => assert!(bytes[offset..].starts_with(start), "{end:?} {offset}"),
                }
            }
        }
    }
}

/// The bridges in Go write `success: false` where a record says nothing; what was found stays found.
#[test]
fn a_success_that_was_filled_in_says_nothing() {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/scenarios/admin-takeover/events.jsonl");
    let bridged = |fills_in: bool| {
        let mut out = String::new();
        for line in fs::read_to_string(scenario).unwrap().lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let is_sign_in = event["event_type"].as_str().unwrap().ends_with("login_attempt");
            if !is_sign_in && event["service"] == "directory" {
                event.as_object_mut().unwrap().remove("success");
                if fills_in {
                    event["success"] = json!(false);
                    event["error_message"] = json!("");
                }
            }
            event["jumpcloud_event_type"] = event["service"].clone();
            out += &(event.to_string() + "\n");
        }
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("wazuh.jsonl");
        fs::write(&path, out).unwrap();
        findings(&[text(&path)])
            .iter()
            .map(|finding| (finding["rule_id"].to_string(), finding["event_count"].clone()))
            .collect::<Vec<_>>()
    };
    let want = bridged(false);
    assert!(want.len() > 3, "{want:?}");
    assert_eq!(bridged(true), want);
}

/// What a cut archive holds before the cut is read, and the cut is told.
#[test]
fn a_cut_archive_is_read_up_to_the_cut() {
    let folder = TempDir::new().unwrap();
    let lines =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/scenarios/admin-takeover/events.jsonl"))
            .unwrap();
    let whole = gz(lines.as_bytes());
    let path = folder.path().join("cut.jsonl.gz");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let output = jcdetect().args(["scan", text(&path), "--no-config", "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = report["coverage"]["events"].as_u64().unwrap();
    let all = lines.lines().count() as u64;
    assert!(events > all / 4 && events < all, "{events} of {all}");
    assert_eq!(report["coverage"]["skipped"][0]["reason"], "cut off");
}

#[test]
fn what_jcdetect_wrote_is_no_export() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.jsonl");
    fs::write(&log, lines(&guessed_password())).unwrap();
    for arguments in [
        &["normalize"][..],
        &["timeline", "--format", "jsonl"],
        &["timeline", "--format", "csv"],
        &["timeline", "--format", "timesketch"],
        &["hunt", "--format", "csv"],
        &["hunt", "--columns", "actor.name,event_type,timestamp", "--format", "csv"],
        &["hunt", "--columns", "event_type,mfa.factor,timestamp", "--format", "jsonl"],
        &["scan", "--no-config", "--format", "json"],
        &["scan", "--no-config", "--format", "jsonl"],
        &["investigate", "alice", "--no-config", "--format", "json"],
    ] {
        let written = super::jcdetect().args(arguments).arg(text(&log)).output().unwrap().stdout;
        let own = folder.path().join("own.json");
        fs::write(&own, &written).unwrap();
        assert!(written.len() > 100, "{arguments:?}");
        let scan = super::jcdetect().args(["scan", "--no-config", text(&own)]).assert().code(3);
        scan.stderr(predicates::str::contains("a file that jcdetect wrote"));
        let both = super::report(&[text(folder.path()), "--no-config"]);
        assert_eq!(
            (&both["coverage"]["records"], &both["coverage"]["events"]),
            (&9.into(), &9.into()),
            "{arguments:?}"
        );
    }
}

#[test]
fn files_of_several_folders_are_told_apart() {
    let folder = TempDir::new().unwrap();
    for (name, part) in [("a", &guessed_password()[..5]), ("b", &guessed_password()[5..])] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("events.jsonl"), lines(part)).unwrap();
    }
    let scan = super::jcdetect()
        .current_dir(folder.path())
        .args(["scan", "a", "b", "--no-config", "--format", "json"])
        .output();
    let report: Value = serde_json::from_slice(&scan.unwrap().stdout).unwrap();
    assert_eq!(report["run"]["sources"], json!(["a/events.jsonl", "b/events.jsonl"]));
    let evidence = report["findings"][0]["evidence"].as_array().unwrap();
    let places: Vec<String> =
        evidence.iter().map(|e| format!("{}:{}", e["origin"]["source"], e["origin"]["line"])).collect();
    assert_eq!((places[0].as_str(), places[8].as_str()), ("\"a/events.jsonl\":1", "\"b/events.jsonl\":4"));
    let one = super::report(&[text(&folder.path().join("a")), "--no-config"]);
    assert_eq!(one["run"]["sources"], json!(["events.jsonl"]));
}

/// An empty list is no record wherever it stands, and an event with one is an event.
#[test]
fn an_empty_answer_among_others_is_no_record() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.json");
    let event = |id: u32, list: &str| {
        let time = "2026-03-02T09:00:00Z";
        format!(r#"{{"id":"{id}","organization":"o",{list}"event_type":"sso_auth","timestamp":"{time}"}}"#)
    };
    let (bare, with_list) = (event(1, ""), event(2, r#""results":[],"#));
    let untyped = r#"{"results":[],"organization":"o","timestamp":"2026-03-02T09:00:00Z"}"#;
    let empty = r#"{"results":[],"totalCount":0}"#;
    for (content, events) in [
        (format!("{empty}\n{bare}\n{with_list}\n"), 2),
        (format!("{bare}\n{empty}\n{with_list}\n{empty}"), 2),
        (format!("[{with_list},{empty},{bare}]"), 2),
        (format!("{{\"results\":[{with_list}]}}\n{empty}\n{{\"results\":[{bare}]}}"), 2),
        (with_list.clone(), 1),
        (untyped.to_owned(), 1),
        (format!(r#"{{"messages":[],"message":{}}}"#, json!(bare)), 1),
        (format!("{}{empty}\n{bare}", " ".repeat((1 << 20) - 9)), 1),
    ] {
        fs::write(&path, &content).unwrap();
        let coverage = report(&[text(&path)])["coverage"].take();
        assert_eq!((&coverage["records"], &coverage["events"]), (&json!(events), &json!(events)), "{content:.300}");
        assert_eq!(coverage["unreadable"], Value::Null, "{content:.300}");
    }
    // Events where nobody looks for them, and an answer that was cut short, are not passed in silence.
    for more in [format!(r#""entries":[{bare}]"#), r#""totalCount":4711"#.to_owned()] {
        fs::write(&path, format!("{bare}\n{{\"results\":[],{more}}}\n")).unwrap();
        let coverage = report(&[text(&path)])["coverage"].take();
        assert_eq!((&coverage["records"], &coverage["events"]), (&json!(2), &json!(1)), "{more}");
    }
}
