//! Exit codes, and what is said beside them.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{jcdetect, text};

struct Case {
    folder: TempDir,
}

impl Case {
    fn new() -> Case {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("good.jsonl"), lines(&guessed_password())).unwrap();
        Case { folder }
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    fn with(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.path().join(name), content).unwrap();
        self.path(name)
    }

    fn exits(arguments: &[&str], code: i32) -> assert_cmd::assert::Assert {
        jcdetect().arg("scan").args(arguments).assert().code(code)
    }
}

#[test]
fn zero_with_findings_and_with_nothing() {
    let case = Case::new();
    Case::exits(&[&case.path("good.jsonl")], 0).stdout(predicate::str::contains("success-after-bruteforce"));
    let empty = [("empty", ""), ("array", "[]"), ("blank", "\n\n"), ("arrays", "[]\n[]\n")];
    let answers = [
        ("results", r#"{"results":[],"totalCount":0}"#),
        ("value", "{\r\n  \"value\":  [\r\n\r\n  ],\r\n  \"Count\":  0\r\n}"),
        ("hits", r#"{"took":1,"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#),
        ("log", r#"{"messageType":"DATA_MESSAGE","logGroup":"jumpcloud","logEvents":[]}"#),
        ("pages", "{\"results\":[]}\n{\"results\":[]}{\"results\":[]}"),
    ];
    for (name, content) in empty.into_iter().chain(answers) {
        let path = case.with(name, content);
        Case::exits(&[&path], 0).stderr("").stdout(predicate::str::contains("Read: 0 events"));
    }
}

#[test]
fn one_when_findings_fail() {
    let case = Case::new();
    let good = case.path("good.jsonl");
    Case::exits(&[&good, "--fail-on", "critical"], 1).stdout(predicate::str::contains("alice"));
    Case::exits(&[&good, "--fail-on", "high"], 1);
    Case::exits(&[&good, "--fail-on", "high", "--disable", "success-after-bruteforce"], 0);
    Case::exits(&[&good, "--fail-on", "low", "--since", "2026-03-03"], 0);
}

#[test]
fn two_for_what_was_typed_wrong() {
    let case = Case::new();
    let good = case.path("good.jsonl");
    for (arguments, want) in [
        (&["--format", "xml"][..], "[possible values: table, json, jsonl]"),
        (&["--output", "report.json"], "write FORMAT=PATH"),
        (&["--output", "json="], "the path is missing"),
        (&["--min-severity", "bad"], "unknown severity \"bad\": write info, low, medium, high or critical"),
        (&["--since", "yesterday"], "--since yesterday: no time"),
        (&["--since", "2026-03-02", "--until", "2026-03-01"], "--since is after --until"),
        (&["--since", "1d", "--until", "2d"], "--since is after --until"),
        (&["--disable", "sucess-after-bruteforce"], "did you mean `success-after-bruteforce`?"),
        (&["--since", "1d", "--until", "2020-01-01"], "--since is after --until"),
        (&["--output", "duet=Cargo.toml"], "--output duet=Cargo.toml: that is a file; name a folder"),
        (&["--output", "json=-"], "standard output is written by --format json"),
        (&["--output", "json=same", "--output", "jsonl=same"], "an earlier --output writes to same too"),
        (&["--fail-on-duet"], "--fail-on <SEVERITY>"),
        (&["--fail-on", "high", "--min-severity", "critical"], "--min-severity critical leaves out findings"),
        (&["--threads", "0"], "--threads 0"),
        (&["--threads", "1500"], "--threads 1500: more than 256 only cost time"),
        (&["--partition", "2h"], "there are 1h, 6h, 1d, 7d and all"),
        (&["--tz", "Mars"], "--tz Mars: no zone"),
        (&["--rules", "/no/such/folder"], "--rules /no/such/folder"),
    ] {
        Case::exits(&[&[good.as_str()], arguments].concat(), 2).stderr(predicate::str::contains(want)).stdout("");
    }
    jcdetect().arg("scan").assert().code(2);
}

#[test]
fn an_organization_that_is_not_there_is_no_clean_result() {
    let case = Case::new();
    let good = case.path("good.jsonl");
    for command in [&["scan"][..], &["summary"], &["hunt"], &["timeline"], &["normalize"], &["investigate", "alice"]] {
        let output = jcdetect().args(command).args([&good, "--organization", "none"]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("--organization none: no event of it; there are "), "{command:?} {told}");
        assert_eq!(output.status.code(), Some(2), "{command:?}");
    }
}

#[test]
fn three_for_sources() {
    let case = Case::new();
    let good = case.path("good.jsonl");
    Case::exits(&[&good, "/no/such/file"], 3)
        .stderr(predicate::str::contains("/no/such/file: No such file"))
        .stdout(predicate::str::contains("alice"));
    for (name, content, want) in [
        ("x.evtx", &b"ElfFile\0\x01\x02"[..], "it looks like EVTX"),
        // Its first record would be lost with the header before it.
        (
            "x.tar",
            &tar(b"{\"id\":\"1\",\"event_type\":\"sso_auth\",\"timestamp\":\"2026-03-02T09:00:00Z\"}\n"),
            "a tar archive: unpack it first",
        ),
        ("x.zip", b"PK\x03\x04abc", "a zip: unpack it first"),
        // What is stored in it as it is would be read in part.
        (
            "y.zip",
            b"PK\x03\x04a.jsonl\n{\"id\":\"1\",\"event_type\":\"sso_auth\",\"timestamp\":\"2026-03-02T09:00:00Z\"}\n",
            "a zip: unpack it first",
        ),
        ("x.json", b"{\"eventVersion\":\"1.08\"}", "AWS CloudTrail"),
        ("x.csv", b"a,b,c\n1,2,3\n", "CSV without the columns"),
        ("x.log", b"Nov 24 sshd[1]: hello\n", "text (first line:"),
        ("x.html", b"<html><body>sign in</body></html>", "HTML"),
        ("x.jsonl", b"{\"a\":1}\n{\"a\":2}\n", "JSON of another kind (keys: a)"),
        (
            "x.json",
            br#"{"sso":[{"id":"1","event_type":"sso_auth"}]}"#,
            "events lie deeper: take them out with jq -c '.. | objects",
        ),
        // An empty list with an error beside it is no empty export, and neither is another log that has some.
        ("error.json", b"{\"error\":\"unauthorized\",\"results\":[]}", "an answer of an API with an error"),
        ("lists.jsonl", b"{\"msg\":\"a\",\"data\":[]}\n{\"msg\":\"b\",\"data\":[]}\n", "(keys: msg, data)"),
        (
            "y.jsonl",
            b"{\"event_type\":\"sso_auth\",\"timestamp\":\"soon\"}\n",
            "it looks like events without a readable timestamp",
        ),
    ] {
        let path = case.with(name, content);
        Case::exits(&[&good, &path], 3)
            .stderr(predicate::str::contains(want))
            .stdout(predicate::str::contains("alice"));
        Case::exits(&[&path], 3).stderr(predicate::str::contains("no Directory Insights event in it"));
    }
}

#[test]
fn three_for_a_cut_archive_after_what_could_be_read() {
    let case = Case::new();
    let whole = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let padding: Vec<String> = (0..20_000).map(|n| format!("{{\"n\":{}}}", n * 7919)).collect();
        encoder.write_all(lines(&guessed_password()).as_bytes()).unwrap();
        encoder.write_all(padding.join("\n").as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let path = case.with("cut.json.gz", &whole[..whole.len() - 20]);
    Case::exits(&[&path], 3).stderr(
        predicate::str::contains("cut.json.gz: ").and(predicate::str::contains("the archive is cut or damaged")),
    );
}

/// A day that was destroyed is no quiet day.
#[test]
fn three_for_a_file_of_which_nothing_is_left() {
    let case = Case::new();
    let zeros = vec![0; 100_000];
    let packed = zstd::encode_all(zeros.as_slice(), 1).unwrap();
    for (name, content, want) in [
        ("lost.json", zeros, "zeros alone"),
        ("lost.json.zst", packed, "zeros alone"),
        ("cut.jsonl.gz", vec![], "unexpected end of file: the archive is cut or damaged"),
        ("cut.jsonl.zst", vec![], "unexpected end of file: the archive is cut or damaged"),
    ] {
        let path = case.with(name, content);
        let told = predicate::str::contains(format!("{name}: {want}"));
        Case::exits(&[text(case.folder.path())], 3).stderr(told).stdout(predicate::str::contains("alice"));
        fs::remove_file(path).unwrap();
    }
    case.with("quiet.jsonl", "");
    Case::exits(&[text(case.folder.path()), "--strict"], 0);
}

/// Zeros within a log are lost; the records around them are not.
#[test]
fn zeros_within_a_log_cost_no_record() {
    let case = Case::new();
    let events = guessed_password();
    let torn = [lines(&events[..4]).into_bytes(), vec![0; 5000], lines(&events[4..]).into_bytes()].concat();
    let path = case.with("torn.jsonl", torn);
    let coverage = &super::report(&[&path])["coverage"];
    let skipped = &coverage["skipped"][0];
    assert_eq!(
        (&coverage["events"], &skipped["reason"], &skipped["count"]),
        (&9.into(), &"not JSON".into(), &1.into())
    );
}

#[test]
fn a_folder_fails_only_if_nothing_in_it_is_an_export() {
    let case = Case::new();
    case.with("other.json", "{\"a\":1}");
    Case::exits(&[text(case.folder.path())], 0)
        .stderr(predicate::str::contains("other.json: no Directory Insights event"));
}

#[test]
fn three_for_a_folder_without_any_export() {
    let case = Case::new();
    let empty = case.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("notes.txt"), "hello").unwrap();
    Case::exits(&[text(&empty)], 3)
        .stderr(predicate::str::contains("empty: no file in it ends in .json .jsonl"))
        .stdout(predicate::str::contains("Not read: 1 other (notes.txt)"));
}

#[test]
fn four_for_skipped_records_under_strict() {
    let case = Case::new();
    let path = case.with("bad.jsonl", lines(&guessed_password()) + "not json\n");
    Case::exits(&[&path], 0).stdout(predicate::str::contains("bad.jsonl:10"));
    Case::exits(&[&path, "--strict"], 4);
    Case::exits(&[&path, "--strict", "--fail-on", "low"], 4);
    Case::exits(&[&case.path("good.jsonl"), "--strict"], 0);
}

#[test]
fn five_for_an_output_that_cannot_be_written() {
    let case = Case::new();
    let good = case.path("good.jsonl");
    Case::exits(&[&good, "--output", "json=/no/such/folder/x.json", "--fail-on", "low"], 5)
        .stderr(predicate::str::contains("--output /no/such/folder/x.json: No such file"))
        .stdout(predicate::str::contains("alice"));
}

#[test]
fn two_for_a_broken_rule_after_the_report_of_the_others() {
    let case = Case::new();
    fs::create_dir(case.folder.path().join("rules")).unwrap();
    case.with(
        "rules/mine.yml",
        "title: x\nlogsource: {product: jumpcloud}\ndetection:\n  a: {event_typ: x}\n  condition: a\n",
    );
    Case::exits(&[&case.path("good.jsonl"), "--rules", &case.path("rules")], 2)
        .stderr(predicate::str::contains("mine.yml:4: no field \"event_typ\"; did you mean `event_type`?"))
        .stdout(predicate::str::contains("success-after-bruteforce"));
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_is_zero_and_silent() {
    let case = Case::new();
    // More than a pipe holds, so that writing really fails.
    let many: String = (0..400)
        .map(|n| {
            let mut events = guessed_password();
            for (i, event) in events.iter_mut().enumerate() {
                event["id"] = format!("{:024x}", n * 100 + i).into();
                event["initiated_by"] = serde_json::json!({"type": "user", "username": format!("user{n}")});
            }
            lines(&events)
        })
        .collect();
    let path = case.with("many.jsonl", many);
    let line =
        format!("'{}' scan '{path}' --format jsonl | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_jcdetect"));
    let output = std::process::Command::new("bash").arg("-c").arg(line).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

#[test]
fn stats_tell_the_stages_and_the_memory() {
    let case = Case::new();
    let path = case.with("few.jsonl", lines(&guessed_password()));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_jcdetect"))
        .args(["scan", &path, "--no-config", "--quiet", "--stats"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    for part in
        ["MB/s", "stages   s at work: cutting ", "understanding ", "merging ", "linking ", "detecting ", "A   ", "B   "]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// What lacks a field that a rule goes by is counted: there were no groups to find anything in.
#[test]
fn stats_tell_what_joined_no_group() {
    let case = Case::new();
    let mut events = guessed_password();
    for event in &mut events {
        event.as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "initiated_by" | "client_ip"));
    }
    let path = case.with("nobody.jsonl", lines(&events));
    let stats = |path: &str| {
        let arguments = ["scan", path, "--no-config", "--quiet", "--stats"];
        let output = jcdetect().args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        told.lines().find(|line| line.starts_with("ungrouped")).unwrap().to_owned()
    };
    assert!(stats(&path).contains("/guess-from-elsewhere 9"), "{}", stats(&path));
    let good = stats(&case.with("somebody.jsonl", lines(&guessed_password())));
    assert!(!good.contains("guess-from-elsewhere"), "{good}");
    let one = lines(&guessed_password()[..1]);
    let none = stats(&case.with("one.jsonl", one.replace("user_login_attempt", "unheard_of")));
    assert_eq!(none, "ungrouped events without what joins them: none");
}

/// An archive of one file: its header, its content, and the zeros behind.
fn tar(content: &[u8]) -> Vec<u8> {
    let mut archive = vec![0; 512];
    archive[..7].copy_from_slice(b"x.jsonl");
    archive[257..262].copy_from_slice(b"ustar");
    archive.extend(content);
    archive.extend(content);
    archive.resize(4096, 0);
    archive
}

/// Where nobody listens to what is wrong, the report is written all the same.
#[cfg(unix)]
#[test]
fn a_closed_standard_error_is_no_failure() {
    let case = Case::new();
    let (log, out) = (case.path("good.jsonl"), case.path("out.json"));
    let script = format!(
        "sleep 0.3; {} scan /no/such/file {log} --no-config --stats --output json={out} >{out}.table; echo $? >{out}.code",
        env!("CARGO_BIN_EXE_jcdetect")
    );
    // `true` ends before anything is told.
    std::process::Command::new("sh").args(["-c", &format!("({script}) 2>&1 >/dev/null | true")]).status().unwrap();
    for _ in 0..200 {
        if fs::read_to_string(format!("{out}.code")).is_ok_and(|code| !code.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(fs::read_to_string(format!("{out}.code")).unwrap().trim(), "3");
    assert!(fs::read_to_string(&out).unwrap().contains("alice"));
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.jsonl");
    fs::write(&log, lines(&guessed_password())).unwrap();
    let before = fs::read(&log).unwrap();
    let run = |arguments: &[&str]| {
        jcdetect().current_dir(folder.path()).args(["scan", "--no-config", "--quiet"]).args(arguments).assert().code(2)
    };
    for source in ["log.jsonl", "."] {
        run(&[source, "--output", "jsonl=./log.jsonl"]).stderr(predicate::str::contains("it is read by this run"));
    }
    // What stands in a folder that is read is read, too.
    let rules = folder.path().join("rules/own.yml");
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(&rules, fs::read("rules/mfa/mfa-fatigue-denied.yml").unwrap()).unwrap();
    run(&["log.jsonl", "--rules", "rules", "--output", "json=rules/own.yml"])
        .stderr(predicate::str::contains("it is read by this run"));
    let report = folder.path().join("old.json");
    let arguments = ["log.jsonl", "--output", "json=old.json"];
    jcdetect().current_dir(folder.path()).args(["scan", "--no-config", "--quiet"]).args(arguments).assert().code(0);
    let old = fs::read(&report).unwrap();
    run(&["log.jsonl", "--baseline", "old.json", "--output", "json=old.json"]);
    run(&["log.jsonl", "--output", "json=new.json", "--output", "jsonl=./new.json"])
        .stderr(predicate::str::contains("an earlier --output writes to"));
    assert!(
        fs::read(&log).unwrap() == before
            && fs::read(&report).unwrap() == old
            && !folder.path().join("new.json").exists()
    );
}

#[test]
fn a_zone_may_be_west_of_greenwich() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.jsonl");
    fs::write(&log, lines(&guessed_password())).unwrap();
    for command in [&["scan", "--no-config"][..], &["timeline"], &["investigate", "--no-config", "alice"]] {
        let shown = jcdetect().args(command).args([text(&log), "--tz", "-05:00"]).assert().code(0);
        shown.stdout(predicate::str::contains("2026-03-02 04:0"));
    }
}

#[test]
fn a_full_disk_does_not_hide_a_source_that_could_not_be_read() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("skipped: there is no /dev/full here");
        return;
    }
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log.jsonl");
    fs::write(&log, lines(&guessed_password())).unwrap();
    let commands = [
        &["scan", "--no-config"][..],
        &["hunt"],
        &["hunt", "--format", "jsonl"],
        &["timeline"],
        &["summary"],
        &["normalize"],
        &["investigate", "--no-config", "alice"],
        &["explain", "--no-config", "success-after-bruteforce"],
    ];
    for command in commands {
        for (sources, code) in [(&[text(&log), "nowhere"][..], 3), (&[text(&log)], 5)] {
            let out = fs::File::options().write(true).open(full).unwrap();
            let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_jcdetect"));
            let status = run.args(command).args(sources).stdout(out).stderr(std::process::Stdio::null());
            assert_eq!(status.status().unwrap().code(), Some(code), "{command:?} {sources:?}");
        }
    }
}
