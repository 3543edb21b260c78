//! Hunting: what is found is what stands there, by condition, text and rule.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use predicates::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::{jcdetect, scenario, text};

/// What a hunt writes to standard output; it has to end well.
fn hunt(arguments: &[&str]) -> String {
    let output = jcdetect().arg("hunt").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of a scenario for which something holds.
fn lines_of(name: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let text = fs::read_to_string(scenario(name).join("events.jsonl")).unwrap();
    text.lines().filter(|line| holds(&serde_json::from_str(line).unwrap())).map(str::to_owned).collect()
}

#[test]
fn records_come_as_they_stand_from_files_folders_archives_and_standard_input() {
    let want = lines_of("push-fatigue", |event| event["client_ip"] == "198.51.100.140");
    assert_eq!(want.len(), 8);
    let folder = scenario("push-fatigue");
    let file = folder.join("events.jsonl");
    let case = TempDir::new().unwrap();
    let archive = case.path().join("events.json.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&fs::read(&file).unwrap()).unwrap();
    fs::write(&archive, encoder.finish().unwrap()).unwrap();
    let condition = "source.ip == '198.51.100.140'";
    for source in [&folder, &file, &archive] {
        let found = hunt(&[text(source), "--where", condition, "--format", "jsonl"]);
        assert_eq!(found.lines().collect::<Vec<_>>(), want, "{}", source.display());
        let found = hunt(&[text(source), "--contains", "198.51.100.140", "--format", "jsonl"]);
        assert_eq!(found.lines().collect::<Vec<_>>(), want, "{}", source.display());
    }
    for stdin in [fs::read(&file).unwrap(), fs::read(&archive).unwrap()] {
        let arguments = ["hunt", "-", "--where", condition, "--format", "jsonl"];
        let output = jcdetect().args(arguments).write_stdin(stdin).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), want);
    }
}

#[test]
fn a_record_on_several_lines_becomes_one_and_can_be_scanned_again() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("pretty.json");
    let mut events = guessed_password();
    events[0]["note"] = "two  spaces, \\ and a \"quote\"\n".into();
    fs::write(&path, serde_json::to_string_pretty(&events).unwrap()).unwrap();
    let found = hunt(&[text(&path), "--where", "outcome == 'failure'", "--format", "jsonl"]);
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found, events[..8]);
}

#[test]
fn several_records_on_a_line_envelopes_and_csv() {
    let case = TempDir::new().unwrap();
    let events = guessed_password();
    let line = format!("{}{}\n", events[0], events[8]);
    let wrapped = json!({"message": events[8].to_string(), "host": "h"}).to_string();
    fs::write(case.path().join("a.jsonl"), format!("{line}not json\n")).unwrap();
    fs::write(case.path().join("b.jsonl"), wrapped.replace(&format!("{:024x}", 9), &format!("{:024x}", 10))).unwrap();
    fs::write(case.path().join("c.csv"), "timestamp,event_type,success\n2026-03-02T10:00:00Z,user_create,true\n")
        .unwrap();
    let folder = text(case.path());
    jcdetect()
        .args(["hunt", folder, "--where", "outcome == 'success'", "--format", "jsonl"])
        .assert()
        .code(0)
        .stderr(predicate::str::contains("1 record skipped, not JSON (a.jsonl:2)"))
        .stdout(predicate::function(|out: &str| {
            let found: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            found.len() == 3
                && found[0] == events[8]
                && found[1]["host"] == "h"
                && found[2]
                    == json!({"timestamp": "2026-03-02T10:00:00Z", "event_type": "user_create", "success": true})
        }));
}

#[test]
fn conditions_count_what_a_reader_of_json_counts() {
    for name in ["admin-takeover", "bruteforce", "spray-one-hit", "ldap-dump"] {
        let count =
            |condition: &str| hunt(&[text(&scenario(name)), "--where", condition, "--format", "jsonl"]).lines().count();
        let want = |holds: &dyn Fn(&Value) -> bool| lines_of(name, holds).len();
        let country = |e: &Value| e["geoip"]["country_code"].as_str().map(str::to_owned);
        assert_eq!(
            count("event_type == 'user_login_attempt' and success == false"),
            want(&|e| { e["event_type"] == "user_login_attempt" && e["success"] == false })
        );
        assert_eq!(
            count("geoip.country_code not in ['FR', 'US']"),
            want(&|e| { country(e).is_some_and(|c| c != "FR" && c != "US") })
        );
        assert_eq!(
            count("not geoip.country_code in ['FR', 'US']"),
            want(&|e| { country(e).is_none_or(|c| c != "FR" && c != "US") })
        );
        assert_eq!(count("not geoip.country_code exists"), want(&|e| country(e).is_none()));
        assert_eq!(
            count("client_ip startswith '198.' or client_ip endswith '.10'"),
            want(&|e| { e["client_ip"].as_str().is_some_and(|ip| ip.starts_with("198.") || ip.ends_with(".10")) })
        );
        assert_eq!(count("timestamp exists"), want(&|_| true));
    }
}

#[test]
fn identities_are_linked_before_a_condition_on_them_is_decided() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let event = |number: u32, by: Value| {
        json!({"id": number.to_string(), "organization": "o", "timestamp": format!("2026-03-02T09:00:0{number}Z"),
            "event_type": "sso_auth", "sso_token_success": true, "initiated_by": by})
    };
    // The name comes before the record that says whose it is.
    let events = [
        event(1, json!({"type": "user", "username": "jane"})),
        event(2, json!({"type": "user", "username": "jane", "id": "u1"})),
        event(3, json!({"type": "user", "username": "john", "id": "u2"})),
    ];
    fs::write(&path, lines(&events)).unwrap();
    let found = |arguments: &[&str]| hunt(&[&[text(&path), "--format", "jsonl"], arguments].concat()).lines().count();
    assert_eq!(found(&["--where", "actor.key == 'user:u1'"]), 2);
    assert_eq!(found(&["--where", "not actor.key == 'user:u1'"]), 1);
    assert_eq!(found(&["--where", "actor.key == 'user:u1'", "--contains", "U1"]), 1);
    let rule = case.path().join("own.yml");
    let detection = "{selection: {actor.key: 'user:u1'}, condition: not selection}";
    fs::write(&rule, format!("title: t\nlogsource: {{product: jumpcloud}}\ndetection: {detection}\n")).unwrap();
    assert_eq!(found(&["--sigma", text(&rule)]), 1);
    assert_eq!(found(&["--sigma", text(&rule), "--where", "actor.key == 'user:u1'"]), 0);
}

/// What a record does not name itself is told by what else it has, whichever way it is read.
#[test]
fn a_time_and_a_service_are_known_whatever_the_record_calls_them() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = guessed_password();
    for (place, event) in events.iter_mut().enumerate() {
        let event = event.as_object_mut().unwrap();
        if place % 2 == 0 {
            event.remove("service");
        }
        if place % 3 == 0 {
            let time = event.remove("timestamp").unwrap();
            event.insert("jc_timestamp".to_owned(), time);
        }
    }
    fs::write(&path, lines(&events)).unwrap();
    let found = |condition: &str| hunt(&[text(&path), "--where", condition, "--format", "jsonl"]).lines().count();
    assert_eq!((found("service == 'directory'"), found("not service exists")), (9, 0));
    assert_eq!(found("timestamp startswith '2026-03-02T09:0'"), 8);
}

#[test]
fn a_text_is_a_text() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = guessed_password();
    events[0]["error_message"] = "100 % *wild* caf\u{e9} \\o/".into();
    fs::write(&path, lines(&events)).unwrap();
    let found = |word: &str| hunt(&[text(&path), "--contains", word, "--format", "jsonl"]).lines().count();
    for (word, want) in
        [("*wild*", 1), ("CAF\u{c9}", 1), ("\\o/", 1), ("*", 1), ("52.37", 9), ("nothing", 0), ("alice", 9)]
    {
        assert_eq!(found(word), want, "{word}");
    }
    let both = hunt(&[text(&path), "--contains", "alice", "--contains", "wild", "--format", "jsonl"]);
    assert_eq!(both.lines().count(), 1);
}

#[test]
fn a_sigma_rule_is_a_hunt() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rule = root.join("rules/authentication/success-after-bruteforce.yml");
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let jsonl = |arguments: &[&str]| hunt(&[&[text(&path), "--format", "jsonl"], arguments].concat()).lines().count();
    assert_eq!(jsonl(&["--sigma", text(&rule)]), 9);
    assert_eq!(jsonl(&["--sigma", text(&rule), "--where", "outcome == 'success'"]), 1);
    assert_eq!(jsonl(&["--sigma", text(&rule), "--since", "2026-03-02T09:08:00Z"]), 2);
    // One that is made of another rule of the pack.
    let rule = root.join("rules/correlation-chains/chain-mfa-fatigue-persistence.yml");
    hunt(&[text(&path), "--sigma", text(&rule)]);
    // One that names such a rule by its id.
    let pack = fs::read_to_string(root.join("rules/authentication/bruteforce-user-portal.yml")).unwrap();
    let own = pack.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().trim_matches('"');
    let by_id = format!(
        "title: t\ncorrelation: {{type: event_count, rules: ['{own}'], group-by: [actor.key], timespan: 1h, condition: {{gte: 1}}}}\n"
    );
    fs::write(case.path().join("id.yml"), by_id).unwrap();
    assert_eq!(jsonl(&["--sigma", text(&case.path().join("id.yml"))]), 8);
    let count = "title: t\ncorrelation: {type: event_count, rules: [f], group-by: [actor.key], timespan: 1h, condition: {gte: 3}}\n---\ntitle: f\nname: f\nlogsource: {product: jumpcloud}\ndetection: {a: {outcome: failure}, condition: a}\n";
    fs::write(case.path().join("t.yml"), count).unwrap();
    let rule = case.path().join("t.yml");
    assert_eq!(jsonl(&["--sigma", text(&rule)]), 8);
    assert_eq!(jsonl(&["--sigma", text(&rule), "--contains", "T09:01:"]), 1);
    assert_eq!(jsonl(&["--sigma", text(&rule), "--where", "timestamp startswith '2026-03-02T09:01'"]), 1);
}

#[test]
fn piles_are_counted_the_rarest_first() {
    let folder = scenario("push-fatigue");
    let folder = text(&folder);
    let rows: Vec<Value> = hunt(&[folder, "--stack", "source.country,event_type", "--format", "jsonl"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts: Vec<u64> = rows.iter().map(|row| row["count"].as_u64().unwrap()).collect();
    assert!(counts.is_sorted());
    assert_eq!(counts.iter().sum::<u64>(), 53);
    let row = rows.iter().find(|row| row["source.country"] == "NL" && row["event_type"] == "sso_auth").unwrap();
    let want = lines_of("push-fatigue", |e| e["geoip"]["country_code"] == "NL" && e["event_type"] == "sso_auth");
    let time = |line: &String| serde_json::from_str::<Value>(line).unwrap()["timestamp"].clone();
    assert_eq!(row["count"], want.len());
    assert_eq!((&row["first_seen"], &row["last_seen"]), (&time(&want[0]), &time(&want[want.len() - 1])));
    assert_eq!(row["actors"], 1);
    // What has no country is a pile, too, and a field with several values is on several.
    assert!(rows.iter().any(|row| row["source.country"].is_null() && row["event_type"] == "radius_auth_attempt"));
    let fields = hunt(&[folder, "--stack", "auth_context.policies_applied.metadata.action", "--format", "csv"]);
    assert!(fields.starts_with("auth_context.policies_applied.metadata.action,count,actors,first_seen,last_seen\n"));
    assert!(fields.contains("ALLOW_WITH_MFA,"), "{fields}");
}

#[test]
fn first_sights_look_at_all_that_was_read_and_choose_afterwards() {
    let folder = scenario("push-fatigue");
    let arguments = [text(&folder), "--first-seen", "source.country", "by", "actor.name", "--format", "jsonl"];
    let of = |more: &[&str]| -> Vec<Value> {
        let out = hunt(&[&arguments, more].concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let rows = of(&["--since", "2026-03-10T12:00:00Z"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["actor.name"], &rows[0]["source.country"]), (&json!("bruno.bernard"), &json!("NL")));
    let own = lines_of("push-fatigue", |event| event["initiated_by"]["username"] == "bruno.bernard");
    assert_eq!(rows[0]["owner_since"], serde_json::from_str::<Value>(&own[0]).unwrap()["timestamp"]);
    assert_eq!(rows[0]["origin"], "events.jsonl:46");
    let all = of(&[]);
    let times: Vec<&str> = all.iter().map(|row| row["first_seen"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

#[test]
fn tables_show_some_and_say_how_to_see_the_rest() {
    let folder = scenario("push-fatigue");
    let table = hunt(&[text(&folder), "--limit", "3"]);
    assert!(table.contains("… 50 more; --limit 0 shows all of them"), "{table}");
    assert!(table.contains("53 of 53 events; nothing skipped"), "{table}");
    assert_eq!(
        hunt(&[text(&folder), "--limit", "0"]).lines().filter(|line| line.contains("events.jsonl:")).count(),
        53
    );
    let table = hunt(&[
        text(&folder),
        "--columns",
        "actor.name,auth_context.system.hostname",
        "--limit",
        "1",
        "--tz",
        "+01:00",
    ]);
    let row = table.lines().nth(1).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["2026-02-02", "09:33:45", "alice.adler", "ALICE-MBP", "events.jsonl:1"]
    );
    assert!(table.starts_with(" timestamp (UTC+01:00)"), "{table}");
}

#[test]
fn times_and_organizations_choose() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = guessed_password();
    events[3]["organization"] = "other".into();
    fs::write(&path, lines(&events)).unwrap();
    let found = |arguments: &[&str]| hunt(&[&[text(&path), "--format", "jsonl"], arguments].concat()).lines().count();
    assert_eq!(found(&["--since", "2026-03-02T09:05:00Z"]), 5);
    assert_eq!(found(&["--until", "2026-03-02T09:05:00Z"]), 4);
    assert_eq!(found(&["--since", "3m"]), 3);
    assert_eq!(found(&["--organization", "other"]), 1);
    let table = hunt(&[text(&path)]);
    assert!(table.lines().next().unwrap().contains("organization") && table.contains("other"), "{table}");
}

/// What is copied out of a table means there what it means here.
#[test]
fn times_without_a_zone_are_of_the_zone_that_is_shown() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let found = |arguments: &[&str]| hunt(&[&[text(&path), "--limit", "0"], arguments].concat());
    let shown = found(&["--tz", "-05:00", "--since", "2026-03-02 04:05", "--until", "2026-03-02 04:06:30"]);
    assert!(shown.contains("2026-03-02 04:05:") && shown.contains("2 of 9 events"), "{shown}");
    assert_eq!(
        shown,
        found(&["--tz", "-05:00", "--since", "2026-03-02T09:05Z", "--until", "2026-03-02T10:06:30+01:00"])
    );
    assert!(found(&["--tz", "+15:30", "--since", "2026-03-03"]).contains("9 of 9 events"));
    assert!(found(&["--since", "2026-03-03"]).contains("0 of 9 events"));
    for command in [&["scan", "--no-config"][..], &["investigate", "--no-config", "alice"]] {
        let run = |arguments: &[&str]| {
            let out = jcdetect().args(command).arg(&path).args(arguments).assert().get_output().stdout.clone();
            String::from_utf8(out).unwrap().replace("UTC+15:30", "UTC")
        };
        let early = ["--tz", "+15:30", "--until", "2026-03-02"];
        assert_ne!(run(&early), run(&["--tz", "+15:30"]), "{command:?}");
    }
}

#[test]
fn foreign_text_does_nothing() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let mut events = guessed_password();
    events[0]["initiated_by"] = json!({"type": "user", "username": "\u{1b}[31m=cmd|' /C calc'!A0"});
    events[1]["initiated_by"] = json!({"type": "user", "username": "=1+1"});
    fs::write(&path, lines(&events[..2])).unwrap();
    let table = hunt(&[text(&path), "--stack", "actor.name"]);
    assert!(!table.contains('\u{1b}') && table.contains("\\u{1b}[31m"), "{table:?}");
    let csv = hunt(&[text(&path), "--stack", "actor.name", "--format", "csv"]);
    assert!(csv.contains("\n'=1+1,"), "{csv:?}");
}

/// Once, and not where only errors are wanted.
#[test]
fn what_is_doubtful_is_said() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let run = |condition: &str, more: &[&str]| {
        jcdetect().args(["hunt", text(&path), "--where", condition]).args(more).assert().code(0)
    };
    run("geoip.contry_code == 'NL'", &[])
        .stderr("jcdetect: --where: geoip.contry_code: unknown member; did you mean `geoip.country_code`?\n");
    run("geoip.contry_code == 'NL'", &["--quiet"]).stderr("");
    run("resource.foo exists", &[])
        .stderr("jcdetect: --where: undocumented raw path resource.foo: check the spelling\n");
}

#[test]
fn mistakes_are_pointed_out() {
    let case = TempDir::new().unwrap();
    let good = case.path().join("x.jsonl");
    fs::write(&good, lines(&guessed_password())).unwrap();
    let broken = case.path().join("broken.yml");
    fs::write(&broken, "title: t\nlogsource: {product: jumpcloud}\ndetection: {a: {event_typ: x}, condition: a}\n")
        .unwrap();
    let lonely = case.path().join("lonely.yml");
    fs::write(
        &lonely,
        "title: t\ncorrelation: {type: event_count, rules: [gone], timespan: 1h, condition: {gte: 3}}\n",
    )
    .unwrap();
    let other = case.path().join("other.yml");
    fs::write(&other, "title: t\nlogsource: {product: okta}\ndetection: {a: {outcome: x}, condition: a}\n").unwrap();
    for (arguments, want) in [
        (&["--where", "acter.name == 'x'"][..], "--where: no field \"acter.name\"; did you mean `actor.name`?"),
        (
            &["--where", "outcome == 'x' and acter.name == 'x'"],
            "\n  outcome == 'x' and acter.name == 'x'\n                     ^^^^^^^^^^\n",
        ),
        (&["--where", "mfa.usd == true"], "--where: no field \"mfa.usd\"; did you mean `mfa.used`?"),
        (&["--where", ""], "--where: a field is expected here"),
        (&["--where", "actor.name == 'x"], "the closing ' is missing"),
        (&["--contains", ""], "every event contains nothing"),
        (&["--stack", "actor.nme"], "--stack actor.nme: no field \"actor.nme\"; did you mean `actor.name`?"),
        (&["--stack", ""], "--stack : no field"),
        (&["--columns", "actor.name,"], "--columns actor.name,: no field"),
        (&["--first-seen", "source.country", "of", "actor.name"], "write FIELD by FIELD"),
        (&["--stack", "outcome", "--columns", "outcome"], "cannot be used with"),
        (&["--format", "xml"], "[possible values: table, jsonl, csv]"),
        (&["--sigma", "/no/such.yml"], "--sigma /no/such.yml: No such file"),
        (&["--sigma", text(&broken)], "broken.yml:3: no field \"event_typ\""),
        (&["--sigma", text(&lonely)], "no rule named \"gone\""),
        (&["--sigma", text(&other)], "the rule is for \"okta\""),
        (&["--since", "yesterday"], "--since yesterday: no time"),
        (&["--since", "2026-03-02", "--until", "2026-03-01"], "--since is after --until"),
        (&["--tz", "Mars"], "--tz Mars: no zone"),
    ] {
        let all = [&["hunt", text(&good)], arguments].concat();
        jcdetect().args(all).assert().code(2).stderr(predicate::str::contains(want)).stdout("");
    }
    let line = format!("{}\u{1b}", "outcome == 'x' and acter");
    jcdetect()
        .args(["hunt", text(&good), "--where", &line])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("\u{1b}").not());
}

#[test]
fn a_cut_archive_gives_what_could_be_read_of_it() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("cut.json.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for number in 0..6000_u32 {
        writeln!(encoder, "{}", super::events::sign_in(number, "2026-03-02T09:00:00Z", true)).unwrap();
    }
    let whole = encoder.finish().unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let output = jcdetect().args(["hunt", text(&path), "--format", "jsonl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let records = String::from_utf8(output.stdout).unwrap().lines().count();
    let table = jcdetect().args(["hunt", text(&path)]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(records > 1000 && table.contains(&format!("{records} of {records} events")), "{records} {table}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the archive is cut or damaged") && told.contains("1 record skipped, cut off"), "{told}");
    assert_eq!(told.lines().count(), 2);
}

#[test]
fn a_doubtful_event_type_is_said_and_nothing_more() {
    let folder = scenario("push-fatigue");
    jcdetect()
        .args(["hunt", text(&folder), "--where", "event_type == 'user_login_atempt'"])
        .assert()
        .code(0)
        .stderr(predicate::str::contains("did you mean `user_login_attempt`?"))
        .stdout(predicate::str::contains("0 of 53 events"));
}

#[test]
fn exit_codes_are_those_of_scan() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password()) + "{\"cut\": ").unwrap();
    jcdetect().args(["hunt", text(&path)]).assert().code(0).stdout(
        predicate::str::contains("9 of 9 events; 1 record skipped, cut off (")
            .and(predicate::str::contains("x.jsonl:10)")),
    );
    jcdetect().args(["hunt", text(&path), "--strict"]).assert().code(4);
    jcdetect().args(["hunt", "/no/such/file"]).assert().code(3).stderr(predicate::str::contains("/no/such/file"));
    jcdetect().args(["hunt", "-"]).write_stdin("hello\n").assert().code(3);
    jcdetect().args(["hunt", "-", "--format", "jsonl"]).write_stdin("").assert().code(0).stdout("");
    for arguments in [&["hunt"][..], &["timeline"], &["summary"], &["normalize"]] {
        jcdetect().args(arguments).assert().code(2);
    }
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_is_zero_and_silent() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    let many: String =
        (0..3000_u32).map(|n| super::events::sign_in(n, "2026-03-02T09:00:00Z", true).to_string() + "\n").collect();
    fs::write(&path, many).unwrap();
    for command in
        ["hunt --format jsonl", "hunt --format csv", "timeline --format jsonl", "normalize", "timeline --limit 0"]
    {
        let program = env!("CARGO_BIN_EXE_jcdetect");
        let line = format!("'{program}' {command} '{}' | head -1; exit ${{PIPESTATUS[0]}}", path.display());
        let output = std::process::Command::new("bash").arg("-c").arg(line).output().unwrap();
        assert_eq!(
            (String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()),
            ("", Some(0)),
            "{command}"
        );
    }
}

#[test]
#[cfg(unix)]
fn what_comes_only_once_is_kept() {
    let file = scenario("push-fatigue").join("events.jsonl");
    let program = env!("CARGO_BIN_EXE_jcdetect");
    let line = format!("'{program}' hunt <(cat '{}') --contains github --format jsonl", file.display());
    let output = std::process::Command::new("bash").arg("-c").arg(line).output().unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()), ("", Some(0)));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    // Where it cannot be kept, that is said before anything is read.
    jcdetect()
        .args(["hunt", "-", "--format", "jsonl"])
        .env("TMPDIR", "/no/such/folder")
        .write_stdin("")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("set TMPDIR, or name a file"));
    let rows =
        jcdetect().args(["hunt", "-", "--format", "csv"]).env("TMPDIR", "/no/such/folder").write_stdin("").assert();
    rows.code(0);
}

#[test]
fn places_and_lists_are_fields_too() {
    let case = TempDir::new().unwrap();
    let path = case.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let list = case.path().join("bad.txt");
    fs::write(&list, "203.0.113.9\n").unwrap();
    let known = case.path().join("known.csv");
    fs::write(&known, "network,label\n203.0.113.0/24,Office\n").unwrap();
    let found = |arguments: &[&str]| hunt(&[&[text(&path), "--format", "jsonl"], arguments].concat()).lines().count();
    assert_eq!(found(&["--where", "intel.matched == true"]), 0);
    assert_eq!(found(&["--where", "intel.matched == true", "--intel", text(&list)]), 9);
    assert_eq!(found(&["--where", "source.known == 'office'", "--known", text(&known)]), 9);
}

/// What has no letters is looked for as it is written, and an empty list is no value.
#[test]
fn names_of_agents_and_empty_lists() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.jsonl");
    let event = |id: usize, name: &str, list: Value| {
        let mut event = guessed_password()[0].clone();
        (event["id"], event["useragent"], event["x"]) = (id.to_string().into(), json!({ "name": name }), list);
        event
    };
    let events = [
        event(1, "Chrome", json!([])),
        event(2, "Python Requests", json!(null)),
        event(3, "python-requests", json!({})),
        event(4, "Mobile Safari", json!([null, "y"])),
    ];
    fs::write(&path, lines(&events)).unwrap();
    for (condition, want) in [
        ("agent.name contains '-'", "3"),
        ("agent.name contains 'thon-r'", "2 3"),
        ("agent.name == 'python?requests'", "2 3"),
        ("agent.name != 'mobilesafari'", "1 2 3"),
        ("raw.x exists", "4"),
        ("raw.x == null", "1 2 3"),
    ] {
        let found = hunt(&[text(&path), "--where", condition, "--format", "jsonl"]);
        let ids =
            found.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
        assert_eq!(ids.collect::<Vec<_>>().join(" "), want, "{condition}");
    }
}

#[test]
fn entries_of_a_list_that_are_not_used_are_told_by_all_that_look_them_up() {
    let folder = TempDir::new().unwrap();
    let (log, list) = (folder.path().join("log.jsonl"), folder.path().join("bad.txt"));
    fs::write(&log, super::events::lines(&super::events::guessed_password())).unwrap();
    fs::write(&list, "203.0.113.9\nhttps://bad.example/x\n").unwrap();
    let id = super::findings(&[text(&log)])[0]["id"].as_str().unwrap().to_owned();
    let told = format!("Not used of {}: 1 of \"a URL\", first at line 2 (1 entry used)", list.display());
    for command in [
        &["hunt"][..],
        &["timeline"],
        &["timeline", "--findings"],
        &["summary"],
        &["normalize"],
        &["investigate", "alice"],
        &["explain", &id],
    ] {
        for (quiet, times) in [(&[][..], 1), (&["--quiet"], 0)] {
            let mut run = jcdetect();
            run.args(command).args([text(&log), "--intel", text(&list)]).args(quiet);
            run.assert().success().stderr(predicates::str::contains(&*told).count(times));
        }
    }
}

/// What adds up findings finds nothing where none are made.
#[test]
fn a_rule_of_risk_is_no_hunt() {
    let rule = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/correlation-chains/risk-score-entity.yml");
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/scenarios/admin-takeover");
    jcdetect()
        .args(["hunt", "--sigma", rule, log])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("adds up what all other rules find"));
}
