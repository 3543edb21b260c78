//! What `rules lint` says of rules that load and yet come to nothing, or to something else than they seem to.

use super::rules::{lint, locals, sequence};

/// A detection of one selection beside others.
fn detection(selections: &str, condition: &str) -> String {
    format!("logsource: {{product: jumpcloud}}\ndetection:\n{selections}\n  condition: {condition}")
}

/// Two rules of known events, as further documents.
fn typed(one: &str, other: &str) -> String {
    let local = |name: &str, tests: &str| {
        format!("---\ntitle: {name}\nname: {name}\n{}\n", detection(&format!("  s: {{{tests}}}"), "s"))
    };
    local("ba", one) + &local("bb", other)
}

fn correlation(of: &str, more: &str) -> String {
    format!("correlation: {{type: {of}, timespan: 1h, {more}}}")
}

#[test]
fn a_comparison_of_steps_is_held_against_what_there_is() {
    let compared = |text: &str| sequence(&format!("steps: [{{a: ba}}, {{b: bb}}], where: ['{text}']"));
    for (text, code, want) in [
        ("b.outcome == sucess", 0, "outcome is sucess: no event has that; did you mean `success`?"),
        ("b.outcome != sucess", 0, "outcome is sucess: no event has that"),
        ("b.mfa.factor == topt", 0, "mfa.factor is topt: no factor is known to be that; did you mean `totp`?"),
        ("b.source.country == France", 0, "source.country is france: no event has that"),
        ("b.event_type == user_creat", 0, "unknown event type \"user_creat\""),
        ("b.outcome < 3", 0, "outcome < 3: no event has that"),
        ("b.error_code < many", 2, "numbers are compared here, and \"many\" is none"),
        ("b.error_code < 18446744073709551615", 2, "has more digits than numbers are compared by"),
        ("b.outcome == a.actor.type", 0, "outcome and actor.type have no word in common"),
        ("b.source.ip == a.source.pi", 2, "no field \"source.pi\"; did you mean `source.ip`?"),
        ("b.source.pi == a.source.ip", 2, "no field \"source.pi\""),
        ("b.source.ip == source.ip", 2, "`source.ip` is of no step: put one in front of it"),
        ("b.source.ip == x.source.ip", 2, "`x` is not a step"),
        ("b.mfa.used == x.mfa.usd", 0, "`x` is not a step, and `mfa.usd` not a field; did you mean `mfa.used`?"),
        ("b.actor.name == null", 2, "a field that says nothing is like no other"),
        ("b.actor.name == svc-*", 0, "`*` is itself here"),
        ("b.actor.name == two words", 2, "and a text with spaces in quotes"),
        ("b.actor.name == \"two words\"", 0, ""),
        ("b.actor.name == \"svc-*\"", 0, ""),
        ("b.outcome == SUCCESS", 0, ""),
        ("b.event_type == user_create", 0, ""),
        ("b.actor.name == mail.example.com", 0, ""),
        ("b.error_code < 9007199254740993", 0, ""),
        ("b.source.country == a.mfa.push_country", 0, ""),
    ] {
        let (got, said) = lint(&compared(text), &locals());
        assert!(
            got == Some(code) && said.contains(want) && want.is_empty() == said.is_empty(),
            "{text}: {got:?} {said}"
        );
    }
    let unless = sequence("steps: [ba, bb], unless: {rule: ba, where: [u.outcome == faliure]}");
    let (_, said) = lint(&unless, &locals());
    assert!(said.contains("x.yml:3: outcome is faliure: no event has that; did you mean `failure`?"), "{said}");
}

#[test]
fn a_condition_that_no_event_meets_or_every_event_is_pointed_out() {
    let never = "no event is so: put alternatives into one list, or take one out";
    for (selections, condition, want) in [
        ("  s: {event_type: user_create, username: a, username|startswith: b}", "s", "x.yml:5: \"username is a\" and"),
        ("  s: {event_type: user_create}\n  f: {event_type: [user_create, user_delete]}", "s and not f", never),
        ("  s: {event_type: user_create}\n  f: {event_type: user_delete}", "all of them", never),
        ("  s: {event_type: user_create, error_code|gt: 5, error_code|lt: 3}", "s", "x.yml:5: "),
        ("  s: {event_type: user_create, username: null, username|exists: true}", "s", never),
        (
            "  s: {event_type: user_create}\n  f:\n    - {username: a}\n    - {username|all: [a, b]}",
            "s and f",
            "x.yml:7: \"username is a and is b\": no event is so",
        ),
        (
            "  s: {event_type: user_create}\n  f: {username|re: x}",
            "s and (f or not f)",
            "every event is so: take it out",
        ),
        ("  s: {event_type: user_create}\n  f: ['*']", "s and f", "every event is so"),
        ("  s: {event_type: user_create, username|re: '.*'}", "s", "x.yml:5: `username|re`: /.*/ fits any text"),
        ("  s: {event_type: user_create, username|re: '[a&&b]'}", "s", "fits no text: take it out"),
        (
            "  s: {event_type: user_create, username: [a, b, A]}",
            "s",
            "x.yml:5: `username` has \"A\" twice: leave one out",
        ),
        ("  s: {event_type: user_create, username: [a, b], username|neq: a}", "s", ""),
        ("  s: {event_type: user_create}\n  f: {username|contains: a}\n  g: {username: ab}", "s and f and not g", ""),
    ] {
        let (got, said) = lint(&detection(selections, condition), "");
        let is_said = said.contains(want) && said.lines().count() == usize::from(!want.is_empty());
        assert!(got == Some(0) && is_said, "{selections} {condition}: {got:?} {said}");
    }
}

#[test]
fn a_number_is_compared_to_the_last_digit_or_refused() {
    for (test, want) in [
        (
            "error_code: 18446744073709551615",
            "has more digits than numbers are compared by: write it in quotes, as a text",
        ),
        ("error_code|gt: 18446744073709551615", "has more digits than numbers are compared by"),
        ("error_code|contains: 123456789012345678901234567890", "write it in quotes, as a text"),
        ("error_code: 9007199254740993", ""),
        ("error_code: '18446744073709551615'", ""),
    ] {
        let (got, said) = lint(&detection(&format!("  s: {{event_type: user_create, {test}}}"), "s"), "");
        let code = if want.is_empty() { 0 } else { 2 };
        assert!(got == Some(code) && said.contains(want), "{test}: {got:?} {said}");
    }
}

/// Whether lint says this of a rule made of these, in one line, or nothing.
fn check(rule: &str, one: &str, other: &str, want: &str) {
    let locals = typed(one, other);
    let locals = match (one, other) {
        ("", _) => "",
        (_, "") => &locals[..locals.rfind("---").unwrap()],
        _ => &locals,
    };
    let (got, said) = lint(rule, locals);
    let is_said = said.contains(want) && said.lines().count() == usize::from(!want.is_empty());
    assert!(got == Some(0) && is_said, "{rule}: {got:?} {said}");
}

#[test]
fn counts_and_first_sights_that_come_to_nothing_are_pointed_out() {
    let create = "event_type: user_create";
    for (rule, one, other, want) in [
        (
            correlation("value_count", "rules: [ba], condition: {field: outcome, gte: 5}"),
            create,
            "",
            "x.yml:3: there are 4 values of outcome at most, so the condition is never met",
        ),
        (
            correlation("value_count", "rules: [ba, bb], condition: {field: [event_type, username], gte: 5}"),
            "event_type: user_create, username: [a, b]",
            "event_type: user_delete, username: b",
            "there are 4 values of event_type, username at most",
        ),
        (
            correlation("value_count", "rules: [ba], group-by: [actor.key], condition: {field: actor.key, gte: 2}"),
            create,
            "",
            "there is one value of actor.key at most",
        ),
        (
            correlation("event_count", "rules: [ba], group-by: [username], condition: {gte: 2}"),
            "event_type: user_create, username: null",
            "",
            "username is not there in any event of `ba`, so it joins nothing",
        ),
        (
            correlation("event_count", "rules: [ba], condition: {gte: 2}") + "\njcdetect: {since: ba}",
            create,
            "",
            "x.yml:4: each `ba` begins the count anew, so it never gets there",
        ),
        (
            correlation("event_count", "rules: [ba], condition: {gte: 2}")
                + "\njcdetect: {share: {of: bb, at_least: 0}}",
            create,
            create,
            "`at_least: 0` is always so",
        ),
        (
            "jcdetect: {first_seen: {rule: ba, by: [actor.key], value: [event_type]}}".to_owned(),
            create,
            "",
            "event_type is the same in all events of one owner, so nothing is new",
        ),
        (
            "jcdetect: {first_seen: {rule: ba, by: [actor.key], value: [source.ip], lookback: 1h, settle: 1h}}"
                .to_owned(),
            create,
            "",
            "`settle` leaves nothing of `lookback`",
        ),
        (
            "jcdetect: {travel: {rule: ba, by: [actor.key], min_km: 30000}}".to_owned(),
            create,
            "",
            "no two places are so far apart",
        ),
        ("jcdetect: {risk: {min_tactics: 15}}".to_owned(), "", "", "`min_tactics`: there are 14 at most"),
        (
            correlation("event_count", "rules: [ba], condition: {gte: 2}")
                + "\njcdetect: {level_when: {when: {outcome: failure}, level: low}}",
            "event_type: user_create, outcome: success",
            "",
            "`level_when` \"outcome is failure\": no event that completes the rule is so",
        ),
        (
            correlation("event_count", "rules: [ba], condition: {gte: 2}")
                + "\njcdetect: {level_when: {when: {event_type: user_create}, level: low}}",
            create,
            "",
            "every event that completes the rule is so: give the rule that level",
        ),
        (correlation("value_count", "rules: [ba], condition: {field: outcome, gte: 4}"), create, "", ""),
        (
            "jcdetect: {first_seen: {rule: ba, by: [actor.key], value: [event_type], lookback: 30d}}".to_owned(),
            create,
            "",
            "",
        ),
    ] {
        check(&rule, one, other, want);
    }
}

#[test]
fn chains_that_come_to_nothing_are_pointed_out() {
    let create = "event_type: user_create";
    for (rule, one, other, want) in [
        (
            correlation("temporal_ordered", "rules: [ba, bb], group-by: [outcome]"),
            "event_type: user_create, outcome: success",
            "event_type: user_create, outcome: failure",
            "`ba` and `bb` never have the same outcome, so nothing joins them",
        ),
        (
            sequence("steps: [ba, bb], where: [b.outcome == success]"),
            create,
            "event_type: user_create, outcome: failure",
            "`where`: outcome of `bb` never equals success: take it out",
        ),
        (
            sequence("steps: [ba, bb], where: [b.event_type == a.event_type]"),
            create,
            "event_type: user_delete",
            "event_type of `bb` never equals event_type of `ba`",
        ),
        (
            sequence("steps: [ba, bb], where: [b.source.ip != b.source.ip]"),
            create,
            create,
            "source.ip of `bb` never differs from source.ip of `bb`",
        ),
        (
            sequence("steps: [ba, bb], unless: {rule: bb, after: window, settle: 1h}"),
            create,
            create,
            "`settle` leaves nothing of the window",
        ),
        (sequence("steps: [ba, bb], where: [b.outcome == success, b.username != a.username]"), create, create, ""),
    ] {
        check(&rule, one, other, want);
    }
}
