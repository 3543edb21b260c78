//! The rules as a user and an author meet them.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use tempfile::TempDir;

use super::events::{guessed_password, lines};
use super::jcdetect;

fn stdout(arguments: &[&str]) -> String {
    String::from_utf8(jcdetect().args(arguments).output().unwrap().stdout).unwrap()
}

#[test]
fn every_example_of_the_pack_holds() {
    let minutes = std::time::Duration::from_secs(600);
    jcdetect().args(["rules", "test"]).timeout(minutes).assert().code(0).stdout(predicate::str::contains(" 0 failed"));
}

#[test]
fn the_pack_is_clean() {
    jcdetect().args(["rules", "lint"]).assert().code(0).stdout("").stderr("");
}

#[test]
fn every_rule_is_complete() {
    let rules: Vec<serde_json::Value> = serde_json::from_str(&stdout(&["rules", "list", "--format", "json"])).unwrap();
    for rule in rules {
        let name = rule["id"].as_str().unwrap();
        let file = rule["file"].as_str().unwrap();
        assert!(file.ends_with(&format!("/{name}.yml")), "{file}: the file is called like the rule");
        assert_eq!(
            Path::new(file).parent().unwrap().file_name().unwrap().to_str(),
            rule["category"].as_str(),
            "{file}"
        );
        let techniques = rule["attack"].as_array().unwrap();
        let is_once = |(place, id)| !techniques[..place].contains(id);
        assert!(techniques.iter().enumerate().all(is_once), "{file}: {techniques:?}");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains("count: 0"), "{file} has no quiet example");
        assert!(text.contains("count: 1") || text.contains("count: 2"), "{file} has no example that fires");
        for key in [
            "\nid: \"",
            "\ndescription:",
            "\ntags:",
            "\nfalsepositives:",
            "\n  triage:",
            "\n  misses:",
            "\n  confidence:",
            "\n  entity:",
        ] {
            assert!(text.contains(key), "{file} lacks {}", key.trim());
        }
    }
}

#[test]
fn all_five_areas_are_covered() {
    let list = stdout(&["rules", "list"]);
    for rule in [
        "old-api-key-used",
        "success-after-bruteforce",
        "password-spray-single-ip",
        "admin-login-no-mfa",
        "impossible-travel-admin",
        "cap-deleted",
        "password-policy-weakened",
    ] {
        assert!(list.contains(rule), "{rule}");
    }
}

#[test]
fn the_index_is_up_to_date() {
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules/README.md")).unwrap();
    let generated = stdout(&["rules", "list", "--format", "markdown"]);
    assert!(committed == generated, "run: cargo run -- rules list --format markdown > docs/rules/README.md");
}

#[test]
fn a_page_tells_what_to_do() {
    let page = stdout(&["rules", "show", "success-after-bruteforce"]);
    for want in [
        "# Sign-in succeeds",
        "## What to do",
        "## What it does not see",
        "## ATT&CK",
        "T1110 Brute Force",
        "fires: ",
        "quiet: ",
    ] {
        assert!(page.contains(want), "{want}\n{page}");
    }
    let cases = stdout(&["rules", "show", "login-to-suspended-account"]);
    let want = "## Another level or title\n\n- outcome is success: critical, \"Account that was suspended or deleted is used\"\n";
    assert!(cases.contains(want), "{cases}");
    jcdetect()
        .args(["rules", "show", "succes-after-bruteforce"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("did you mean `success-after-bruteforce`?"));
}

#[test]
fn a_condition_that_no_example_needs_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("group-made.yml");
    let own = folder.path().to_str().unwrap();
    let mutate = || jcdetect().args(["rules", "mutate", "--rules", own]).assert();
    fs::write(&path, MINE).unwrap();
    mutate().code(0).stdout("0 conditions, 0 that no example needs\n");
    let limited = MINE
        .replace("  condition: selection", "  failed: {outcome: failure}\n  condition: selection and not failed")
        .replace("event_type: group_create}\n", "event_type: group_create, actor.type: admin}\n");
    fs::write(&path, &limited).unwrap();
    mutate().code(1).stdout(predicate::str::diff(format!(
        "{0}:1: group-made: no example needs `not: outcome is failure`\n\
         {0}:1: group-made: no example needs `actor.type is admin`\n3 conditions, 2 that no example needs\n",
        path.display()
    )));
    let failed = "  - name: it fails\n    expect: {count: 0}\n    \
                  events: [{base: admin-action, with: {event_type: group_create, success: false}}]\n";
    fs::write(&path, limited + failed).unwrap();
    let line = ": group-made: no example needs `actor.type is admin`\n";
    mutate().code(1).stdout(predicate::str::contains(line).and(predicate::str::contains("outcome").not()));
    fs::write(&path, MINE.replace("count: 0", "count: 1")).unwrap();
    mutate().code(1).stdout(
        predicate::str::contains("a group is deleted: expected 1, found 0\n")
            .and(predicate::str::contains("group-made: not tried, since its examples fail\n")),
    );
}

#[test]
fn an_example_may_say_the_title_of_what_is_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("group-made.yml");
    let test = || jcdetect().args(["rules", "test", "--rules", folder.path().to_str().unwrap()]).assert();
    let case = "level: low\njcdetect: {level_when: {when: {outcome: success}, title: Group made at last}}";
    let titled = MINE.replace("level: low", case);
    fs::write(&path, titled.replace("count: 1", "count: 1, title: Group made at last, severity: low")).unwrap();
    test().code(0).stdout("2 passed, 0 failed\n");
    fs::write(&path, titled.replace("count: 1", "count: 1, title: Group made")).unwrap();
    test().code(1).stdout(predicate::str::contains("not all are called \"Group made\""));
}

#[test]
fn an_own_rule_may_stand_where_one_of_the_pack_does() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rules/mfa");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("admin-login-no-mfa.yml"), MINE).unwrap();
    let run =
        |command: &str| jcdetect().current_dir(folder.path()).args(["rules", command, "--rules", "rules"]).assert();
    run("test").code(0).stdout("2 passed, 0 failed\n");
    run("mutate").code(0).stdout("0 conditions, 0 that no example needs\n");
}

const MINE: &str = r"title: Somebody made a group
name: group-made
level: low
logsource: {product: jumpcloud}
detection:
  selection: {event_type: group_create}
  condition: selection
---
tests:
  - name: a group is made
    expect: {count: 1, entity: root@example.com}
    events: [{base: admin-action, with: {event_type: group_create}}]
  - name: a group is deleted
    expect: {count: 0}
    events: [{base: admin-action, with: {event_type: group_delete}}]
";

#[test]
fn a_stranger_adds_a_rule_with_one_file_and_one_command() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("group-made.yml");
    fs::write(&path, MINE).unwrap();
    let own = folder.path().to_str().unwrap();
    jcdetect().args(["rules", "test", "--rules", own]).assert().code(0).stdout("2 passed, 0 failed\n");
    fs::write(&path, MINE.replace("expect: {count: 0}", "expect: {count: 1}")).unwrap();
    jcdetect()
        .args(["rules", "test", "--rules", own])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("a group is deleted: expected 1, found 0"));
    fs::write(&path, MINE.replace("tests:", "testz:")).unwrap();
    jcdetect().args(["rules", "test", "--rules", own]).assert().code(2);
    fs::write(&path, MINE.split("---").next().unwrap()).unwrap();
    jcdetect()
        .args(["rules", "test", "--rules", own])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("has no example"));
}

#[test]
fn what_can_never_match_is_pointed_out() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().to_str().unwrap();
    let line = "{event_type: group_create}";
    for (from, to, want) in [
        (
            line,
            "{event_type: group_create, outcome: succes}",
            "yml:6: outcome is succes: no event has that; did you mean `success`?",
        ),
        (
            line,
            "{event_type: group_create, mfa.used: no}",
            "yml:6: mfa.used is no: no event has that; there are true, false",
        ),
        (
            line,
            "{event_type: group_create, outcome|contains: [fail, x]}",
            "yml:6: outcome is *x*: no event has that; there are success,",
        ),
        (
            "level: low",
            "jcdetect: {category: authentcation}",
            "yml:3: category \"authentcation\" is neither in the pack nor the name of the file's folder; did you mean `authentication`?",
        ),
        (line, "{event_type: group_create, mfa: yes}", "yml:6: mfa is yes: no event has that; there are true, false"),
        (
            line,
            "{event_type: group_create, source.country: France}",
            "yml:6: source.country is france: no event has that; a country is two letters, as in FR",
        ),
        (
            line,
            "{event_type: group_create, timestamp|hour: 25}",
            "yml:6: timestamp has its hour = 25: that is so of every event or of none; it goes from 0 to 23",
        ),
        (
            line,
            "{event_type: group_create, timestamp|weekhour|lt: 168}",
            "that is so of every event or of none; it goes from 0 to 167",
        ),
        (
            "detection:",
            "detection:\n  filter: {actor.name: bob}",
            "yml:6: the condition does not use the selection `filter`: name it there, or remove it",
        ),
        (
            line,
            "{event_type: group_create, resource.foo: x}",
            "yml:6: undocumented raw path resource.foo: check the spelling",
        ),
        (
            line,
            "{event_type: group_create, initiated_by.emial: x}",
            "yml:6: initiated_by.emial: unknown member; did you mean `initiated_by.email`?",
        ),
        (
            line,
            "{event_type: group_create, raw.success.x: x}",
            "undocumented raw path raw.success.x: check the spelling",
        ),
        (
            line,
            "{event_type: group_create, actor.type: administrator}",
            "yml:6: actor.type is administrator: no actor is known to be that; did you mean `admin`?",
        ),
        (
            "level: low",
            "status: foo",
            "yml:3: unknown status \"foo\"; there are stable, test, experimental, deprecated,",
        ),
        ("level: low", "status: Stabel", "yml:3: unknown status \"Stabel\"; did you mean `stable`?"),
        ("level: low", "taxonomy: ecs", "yml:3: taxonomy: \"ecs\" changes nothing: fields mean here what"),
        ("level: low", "id: xyz", "yml:3: id: \"xyz\" is not a UUID; write eight, four, four, four and twelve"),
        ("level: low", "id: \"11111111-2222-4333-8444-55555555555\"", "is not a UUID"),
    ] {
        fs::write(folder.path().join("group-made.yml"), MINE.replace(from, to)).unwrap();
        jcdetect().args(["rules", "lint", "--rules", own]).assert().code(0).stdout(predicate::str::contains(want));
    }
    for good in ["status: deprecated", "status: unsupported", "taxonomy: sigma"] {
        fs::write(folder.path().join("group-made.yml"), MINE.replace("level: low", good)).unwrap();
        jcdetect().args(["rules", "lint", "--rules", own]).assert().code(0).stdout("");
    }
    for good in ["outcome: [SUCCESS, none]", "outcome: f*", "outcome|re: '^succ'", "mfa.used: true", "outcome: null"] {
        let text = MINE.replace(line, &format!("{{event_type: group_create, {good}}}"));
        fs::write(folder.path().join("group-made.yml"), text).unwrap();
        jcdetect().args(["rules", "lint", "--rules", own]).assert().code(0).stdout("");
    }
}

#[test]
fn a_question_is_one_that_yes_closes() {
    let folder = TempDir::new().unwrap();
    let lint = |question: &str, first_action: &str| {
        let duet =
            format!("jcdetect: {{duet: {{ask: actor, question: {question:?}, first_action: {first_action:?}}}}}");
        fs::write(folder.path().join("group-made.yml"), MINE.replace("level: low", &duet)).unwrap();
        stdout(&["rules", "lint", "--rules", folder.path().to_str().unwrap()])
    };
    for good in
        ["Did you make it, and do you know for whom?", "It is new: did you make it?", "It is new. Did you make it?"]
    {
        assert_eq!(lint(good, "If not, delete it."), "");
        assert_eq!(lint(good, "If you did not, delete it."), "");
    }
    let question = "yml:3: `question`: ask one thing that yes or no answers, and end it with its only question mark\n";
    for bad in ["Which group?", "Did you, and for whom?", "Did you, and why so?", "Did you? And she?", "Tell us."] {
        assert!(lint(bad, "If not, delete it.").ends_with(question), "{bad}");
    }
    let action = "yml:3: `first_action`: begin with \"If not\", since a yes closes the question\n";
    assert!(lint("Did you?", "Delete it.").ends_with(action));
}

/// Also in a file by itself, behind a list that holds something.
#[test]
fn a_misspelt_need_is_an_error_wherever_it_stands() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().to_str().unwrap();
    for needs in ["[privileged_groups, of_hours]", "[of_hours, privileged_groups]"] {
        let text = MINE.replace("level: low", &format!("level: low\njcdetect: {{needs: {needs}}}"));
        fs::write(folder.path().join("group-made.yml"), text).unwrap();
        jcdetect().args(["rules", "lint", "--rules", own]).assert().code(2).stderr(predicate::str::contains(
            "\"of_hours\" is neither a list nor intel or asn; did you mean `off_hours`?",
        ));
    }
}

/// Two rules that others refer to, as further documents of their file.
pub fn locals() -> String {
    let local = |name: &str| {
        format!(
            "---\ntitle: {name}\nname: {name}\nlogsource: {{product: jumpcloud}}\ndetection: {{s: {{event_type: user_create}}, condition: s}}\n"
        )
    };
    local("ba") + &local("bb")
}

/// The exit code of `rules lint` for a rule, and what it says.
pub fn lint(rule: &str, locals: &str) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let own = folder.path().to_str().unwrap();
    fs::write(folder.path().join("x.yml"), format!("title: x\nname: x\n{rule}\n{locals}")).unwrap();
    let output = jcdetect().args(["rules", "lint", "--rules", own]).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), said)
}

pub fn sequence(more: &str) -> String {
    format!("jcdetect: {{sequence: {{timespan: 1h, {more}}}}}")
}

/// Nothing lies before a step that is not there, so an `unless` that ends with it would never hold.
#[test]
fn no_unless_ends_with_the_absent_step() {
    for (rule, code, want) in [
        (sequence("steps: [ba, bb, ba], absent: last, unless: bb"), 2, "nothing lies before `c`"),
        (
            sequence("steps: [ba, bb], absent: first, unless: {rule: bb, after: window, before: a}"),
            2,
            "nothing lies before `a`",
        ),
        (sequence("steps: [ba, bb, ba], absent: last, unless: {rule: bb, before: b}"), 0, ""),
    ] {
        let (got, said) = lint(&rule, &locals());
        assert!(got == Some(code) && said.contains(want), "{rule}: {got:?} {said}");
    }
}

#[test]
fn a_list_and_an_example_that_are_misspelt_are_pointed_out() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().to_str().unwrap();
    let write = |from: &str, to: &str| {
        fs::write(folder.path().join("group-made.yml"), MINE.replacen(from, to, 1)).unwrap();
        jcdetect().args(["rules", "lint", "--rules", own]).assert()
    };
    write("{event_type: group_create}", "{event_type: group_create, actor.name|expand: service_accounts}")
        .code(2)
        .stderr(predicate::str::contains(
            "yml:6: `expand` puts lists in place of their names between `%`: write one, such as \"%service_accounts%\"",
        ));
    write("with: {event_type: group_create}", "with: {initiated_by.emial: x}").code(0).stdout(
        predicate::str::contains(
            "yml:12: `with: initiated_by.emial`: no record is known to have it; did you mean `initiated_by.email`?",
        ),
    );
    write("with: {event_type: group_create}", "without: [geopi]")
        .code(0)
        .stdout(predicate::str::contains("yml:12: `without: geopi`: the event does not have it"));
    let settings = folder.path().join("jcdetect.yml");
    fs::write(&settings, "lists: {embargoed_countries: [KP, Iran]}").unwrap();
    let config = settings.to_str().unwrap();
    jcdetect().args(["scan", "testdata/scenarios/session-theft", "--config", config]).assert().code(2).stderr(
        predicate::str::contains(
            "\"Iran\" in the list embargoed_countries is no country: a country is two letters, as in FR",
        ),
    );
}

/// A count with a fraction is refused, not cut.
#[test]
fn counts_are_whole_numbers() {
    for (keys, key) in [
        ("risk: {min_rules: 2.9}", "min_rules"),
        ("risk: {min_score: -1}", "min_score"),
        ("rate: {rule: ba, by: [actor.key], floor: 20.5}", "floor"),
        ("first_seen: {rule: ba, by: [actor.key], value: [source.ip], min_events: ten}", "min_events"),
    ] {
        let (got, said) = lint(&format!("jcdetect: {{{keys}}}"), &locals());
        assert!(got == Some(2) && said.contains(&format!("`{key}` takes a whole number")), "{keys}: {got:?} {said}");
    }
}

/// A rule that can never fire, or of which a part is lost, says so: an error, or a line of the lint.
#[test]
fn what_is_lost_in_silence_is_said() {
    let locals = locals();
    let correlation = |of: &str, more: &str| format!("correlation: {{type: {of}, rules: [ba, bb], {more}}}");
    for (rule, code, want) in [
        (correlation("event_count", "timespan: 0s, condition: {gte: 1}"), 2, "`timespan` is at least 1s"),
        (
            correlation("event_count", "timespan: 1m, condition: {eq: 0}"),
            2,
            "the condition is never met: there are 1 or more; for what",
        ),
        (correlation("event_count", "timespan: 1m, condition: {lt: 1}"), 2, "never met"),
        (correlation("event_count", "timespan: 1m, condition: {gte: 3, lte: 1}"), 2, "never met"),
        (correlation("temporal", "timespan: 1m, condition: {gte: 3}"), 2, "never met"),
        (
            correlation("event_count", "timespan: 1m, condition: {gte: 2, field: actor.key}"),
            2,
            "`event_count` looks at no `field`",
        ),
        (correlation("temporal", "timespan: 1m, generate: maybe"), 2, "`generate` takes true or false"),
        (correlation("temporal", "timespan: 1m, generate: true"), 0, "those of this file never"),
        (
            correlation("temporal", "timespan: 1m, group-by: [who], aliases: {who: {ba: actor.id}}"),
            0,
            "alias `who` leaves out \"bb\", whose events join nothing",
        ),
        (
            correlation(
                "temporal",
                "timespan: 1m, group-by: [who], aliases: {who: {ba: actor.id, bb: actor.id, bc: actor.id}}",
            ),
            0,
            "alias `who` names \"bc\", which is none of the rules",
        ),
        (
            correlation("temporal", "timespan: 1m, group-by: [actor.id], aliases: {who: {ba: actor.id, bb: actor.id}}"),
            0,
            "nothing is grouped by alias `who`",
        ),
        (
            correlation(
                "temporal",
                "timespan: 1m, group-by: [who], aliases: {who: {ba: agent.name, bb: raw.useragent.name}}",
            ),
            0,
            "agent.name is compared by its letters and digits",
        ),
        (sequence("steps: [{a: ba}, {a: bb}]"), 2, "two steps are called `a`"),
        (sequence("steps: [ba, {d: bb}], where: d.target.key == x.target.key"), 2, "`x` is not a step"),
        (sequence("steps: [ba, {d: bb}], where: d.target.key == x.raw.y"), 2, "`x` is not a step"),
        (sequence("steps: [ba, {d: bb}], where: \"d.actor.name == 'x.target.key'\""), 0, ""),
        (sequence("steps: [ba, {d: bb}], where: d.actor.name == x.example.com"), 0, ""),
        (
            "jcdetect: {first_seen: {rule: ba, learn_from: [bb], by: [actor.key], value: [target.key]}}".to_owned(),
            2,
            "`learn_from` takes text",
        ),
        (sequence("steps: []"), 2, "`steps` names no rule"),
        (sequence("steps: [ba, bb], unless: {rule: ba, after: b, before: a}"), 2, "nothing lies between"),
        (sequence("steps: [ba], unless: bb"), 2, "nothing lies between"),
        (sequence("steps: [{u: ba}, {b: bb}], unless: {rule: ba}"), 2, "no step is called `u`"),
    ] {
        let (got, said) = lint(&rule, &locals);
        assert!(got == Some(code) && said.contains(want), "{rule}: {got:?} {said}");
    }
    let detection = |test: &str, condition: &str| {
        format!(
            "logsource: {{product: jumpcloud}}\ndetection:\n  s: {{event_type: user_create, {test}}}\n  condition: {condition}"
        )
    };
    let deep = format!("{}s{}", "(".repeat(3000), ")".repeat(3000));
    for (rule, want) in [
        (detection("username: x", &deep), "more than 64 levels"),
        (detection("username: x", &format!("{}s", "not ".repeat(9000))), "more than 64 levels"),
        (detection("username|contains|gt: 3", "s"), "`contains` and `gt` cannot stand together"),
        (detection("username|i|re: x", "s"), "`i` stands behind `re`"),
        (detection("username: x, username: y", "s"), "the key `username` stands twice: leave one out"),
        (detection("mfa.usd: true", "s"), "no field \"mfa.usd\"; did you mean `mfa.used`?"),
        (detection("success.x: true", "s"), "no field \"success.x\"; did you mean `success`?"),
        (detection("'|gt': 3", "s"), "x.yml:5: `|gt` stands behind no field"),
        (detection("'actor.name|expand': 'x%nolist%'", "s"), "no list nolist"),
        (detection("'source.ip|cidr|expand': '%vpn_network%'", "s"), "did you mean `vpn_networks`?"),
    ] {
        let (got, said) = lint(&rule, "");
        assert!(got == Some(2) && said.contains(want), "{want}: {got:?} {said}");
    }
}

#[test]
fn a_correlation_behind_its_base_is_refused() {
    let folder = TempDir::new().unwrap();
    let base = MINE.split("---").next().unwrap();
    let path = folder.path().join("group-made.yml");
    fs::write(&path, format!("{base}---\ntitle: Many\nname: many\ncorrelation: {{type: event_count, rules: [group-made], timespan: 1h, condition: {{gte: 5}}}}\n")).unwrap();
    let want = "group-made.yml:9: \"many\" is never reported: a file reports its first rule, which is not made of it; put the correlation first";
    jcdetect()
        .args(["rules", "lint", "--rules", folder.path().to_str().unwrap()])
        .assert()
        .code(2)
        .stderr(predicate::str::contains(want));
}

/// Each layer doubles the ways down, and none of them is walked.
#[test]
fn rules_that_name_one_twice_take_no_longer() {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("rules");
    fs::create_dir(&own).unwrap();
    let base = "title: r0\nname: r0\nlogsource: {product: jumpcloud}\ndetection: {a: {event_type: user_login_attempt}, condition: a}\n";
    fs::write(own.join("r0.yml"), base).unwrap();
    for layer in 1..=60 {
        let below = layer - 1;
        let rule = format!(
            "title: r{layer}\nname: r{layer}\ncorrelation: {{type: event_count, rules: [r{below}, r{below}], group-by: [actor.key], timespan: 1h, condition: {{gte: 1}}}}\n"
        );
        fs::write(own.join(format!("r{layer}.yml")), rule).unwrap();
    }
    let path = folder.path().join("x.jsonl");
    fs::write(&path, lines(&guessed_password())).unwrap();
    let arguments = [path.to_str().unwrap(), "--no-config", "--rules", own.to_str().unwrap()];
    let found = super::findings(&arguments);
    assert!(super::rule_ids(&found).contains(&"r60"));
}

#[test]
fn disabling_a_rule_silences_its_findings_and_not_its_signals() {
    let folder = TempDir::new().unwrap();
    let base = MINE.split("---").next().unwrap();
    fs::write(folder.path().join("group-made.yml"), base).unwrap();
    let twice = "title: Two groups\nname: two-groups\ncorrelation: {type: event_count, rules: [group-made], group-by: [actor.key], timespan: 1h, condition: {gte: 2}}\n";
    fs::write(folder.path().join("two-groups.yml"), twice).unwrap();
    let event = |n: u32| {
        serde_json::json!({
            "id": n.to_string(),
            "event_type": "group_create",
            "timestamp": format!("2026-03-02T09:0{n}:00Z"),
            "organization": "o",
            "initiated_by": {"type": "admin", "email": "a@x.io"},
        })
    };
    let events = super::events::lines(&[event(0), event(1)]);
    let export = folder.path().join("events.jsonl");
    fs::write(&export, events).unwrap();
    let own = folder.path().to_str().unwrap();
    let found = super::findings(&[export.to_str().unwrap(), "--rules", own, "--disable", "group-made"]);
    assert_eq!(super::rule_ids(&found), ["two-groups"]);
    assert_eq!(found[0]["event_count"], 2);
}

#[test]
fn a_list_can_be_narrowed() {
    let list = |more: &[&str]| -> Vec<serde_json::Value> {
        serde_json::from_str(&stdout(&[&["rules", "list", "--format", "json"], more].concat())).unwrap()
    };
    assert!(list(&["--category", "mfa"]).iter().all(|rule| rule["category"] == "mfa"));
    assert!(
        list(&["--severity", "critical", "--duet"]).iter().all(|r| r["severity"] == "critical" && r["duet"] == true)
    );
    let brute = list(&["--attack", "T1110"]);
    assert!(brute.iter().any(|rule| rule["id"] == "success-after-bruteforce"));
    assert!(brute.len() < list(&[]).len());
    jcdetect()
        .args(["rules", "list", "--category", "mfaa"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--category mfaa: no rule has it"));
}

/// A rule of the pack is replaced by a copy of it, so its file has to be had without the sources.
#[test]
fn a_rule_is_printed_as_it_is_written() {
    let folder = TempDir::new().unwrap();
    let text = stdout(&["rules", "show", "old-api-key-used", "--format", "yaml"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/api-keys/old-api-key-used.yml");
    assert_eq!(text, fs::read_to_string(file).unwrap());
    let renamed = text.replacen("name: old-api-key-used", "name: ours", 1);
    let copy: Vec<&str> = renamed.lines().filter(|line| !line.starts_with("id: ")).collect();
    fs::write(folder.path().join("ours.yml"), copy.join("\n")).unwrap();
    let own = folder.path().to_str().unwrap();
    assert!(stdout(&["rules", "test", "--rules", own]).ends_with(" passed, 0 failed\n"));
    assert!(stdout(&["rules", "show", "ours", "--format", "yaml", "--rules", own]).contains("name: ours"));
}

#[test]
fn the_layer_says_which_rules_cover_a_technique() {
    let layer: serde_json::Value =
        serde_json::from_str(&stdout(&["rules", "export", "--format", "attack-navigator"])).unwrap();
    assert_eq!((&layer["versions"]["layer"], &layer["domain"]), (&"4.5".into(), &"enterprise-attack".into()));
    let techniques = layer["techniques"].as_array().unwrap();
    let brute = techniques.iter().find(|t| t["techniqueID"] == "T1110" && t["tactic"] == "credential-access").unwrap();
    assert!(brute["comment"].as_str().unwrap().contains("success-after-bruteforce"));
    assert!(brute["score"].as_u64().unwrap() >= 3);
}

/// A row of decisions.md: the entry, what became of it, and why.
struct Decision<'a> {
    entry: &'a str,
    outcome: &'a str,
    reason: &'a str,
}

fn decisions(table: &str) -> Vec<Decision<'_>> {
    let row = |line| {
        let line: &str = line;
        let mut cells = line.strip_prefix("| `")?.trim_end_matches('|').splitn(3, " | ").map(str::trim);
        Some(Decision { entry: cells.next()?.trim_end_matches('`'), outcome: cells.next()?, reason: cells.next()? })
    };
    table.lines().filter_map(row).collect()
}

/// What is wrong with the decisions, seen from the names of the rules.
fn mistakes(page: &str, rules: &[&str]) -> Vec<String> {
    let (plan, beyond) = page.split_once("\n## Beyond the plan\n").unwrap();
    let (plan, beyond) = (decisions(plan), decisions(beyond));
    let mut mistakes = Vec::new();
    let mut entries: Vec<&str> = plan.iter().map(|row| row.entry).collect();
    entries.sort_unstable();
    entries.dedup();
    // The plan is finished, so this number stays when rules are added.
    if (plan.len(), entries.len()) != (262, 262) {
        mistakes.push(format!("the plan has 262 entries, its table {} with {} names", plan.len(), entries.len()));
    }
    for Decision { entry, outcome, reason } in &plan {
        let is_rule = rules.contains(entry);
        let is_decided = match (*outcome, outcome.strip_prefix("merged into ")) {
            ("built", _) => is_rule,
            ("dropped", _) => !is_rule && !reason.is_empty(),
            (_, Some(other)) => {
                let other = other.trim_matches('`');
                !is_rule && !reason.is_empty() && (other == "coverage" || rules.contains(&other))
            }
            _ => false,
        };
        if !is_decided {
            mistakes.push(format!("{entry}: {outcome}"));
        }
    }
    for Decision { entry, outcome, .. } in &beyond {
        if *outcome != "built" || !rules.contains(entry) || entries.contains(entry) {
            mistakes.push(format!("{entry} beyond the plan: {outcome}"));
        }
    }
    mistakes
}

#[test]
fn every_planned_detection_has_a_rule_or_a_reason() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules/decisions.md")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&stdout(&["rules", "list", "--format", "json"])).unwrap();
    let names: Vec<&str> = list.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(mistakes(&page, &names), Vec::<String>::new());

    let without = |name| names.iter().copied().filter(|other| *other != name).collect::<Vec<_>>();
    assert_eq!(mistakes(&page, &without("old-api-key-used")), ["old-api-key-used: built"]);
    assert_eq!(mistakes(&page, &without("vendor-risk")), ["vendor-risk beyond the plan: built"]);
    let dropped = decisions(&page).into_iter().find(|row| row.outcome == "dropped").unwrap();
    let unexplained = page.replace(dropped.reason, "");
    assert_eq!(mistakes(&unexplained, &names), [format!("{}: dropped", dropped.entry)]);
    let row = page.lines().find(|line| line.contains(dropped.reason)).unwrap();
    let shorter = page.replace(&format!("{row}\n"), "");
    assert_eq!(mistakes(&shorter, &names), ["the plan has 262 entries, its table 261 with 261 names"]);
    assert_eq!(mistakes(&page, &[&names[..], &["one-more"]].concat()), Vec::<String>::new(), "a new rule is one file");
}

#[test]
fn a_rule_without_its_other_input_says_so() {
    let folder = TempDir::new().unwrap();
    let export = folder.path().join("events.jsonl");
    let event = serde_json::json!({
        "id": "1", "event_type": "admin_login_attempt", "timestamp": "2026-03-08T03:00:00Z", "organization": "o",
        "initiated_by": {"type": "admin", "email": "a@x.io"}, "success": true, "mfa": true,
    });
    fs::write(&export, super::events::lines(&[event])).unwrap();
    let export = export.to_str().unwrap();
    let enabled = ["--enable", "off-hours-admin"];
    let blind = |report: &serde_json::Value| report["coverage"]["rules"]["blind"].to_string();
    let report = super::report(&[&[export], &enabled[..]].concat());
    assert_eq!(blind(&report), r#"["off-hours-admin","tor-or-hosting-login"]"#);
    assert_eq!(super::rule_ids(report["findings"].as_array().unwrap()), Vec::<String>::new());

    let config = folder.path().join("mine.yml");
    fs::write(&config, "office_hours: {from: \"08:00\", to: \"18:00\", zone: \"+01:00\"}\n").unwrap();
    let report = super::report(&[&[export, "--config", config.to_str().unwrap()], &enabled[..]].concat());
    assert_eq!(blind(&report), r#"["tor-or-hosting-login"]"#);
    assert_eq!(super::rule_ids(report["findings"].as_array().unwrap()), ["off-hours-admin"]);
}

/// What an organization can say of itself is of use to some rule.
#[test]
fn every_list_has_a_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lists = fs::read_to_string(root.join("src/rule/lists.yml")).unwrap();
    let names =
        lists.lines().filter_map(|line| Some(line.split_once(':')?.0)).filter(|name| !name.starts_with(['#', ' ']));
    let rules: Vec<serde_json::Value> = serde_json::from_str(&stdout(&["rules", "list", "--format", "json"])).unwrap();
    let texts: Vec<String> =
        rules.iter().map(|rule| fs::read_to_string(root.join(rule["file"].as_str().unwrap())).unwrap()).collect();
    for name in names {
        assert!(texts.iter().any(|text| text.contains(&format!("%{name}%"))), "no rule takes {name}");
    }
}
