//! Example: events that a rule has to find something in, or has to be quiet about. The last document of a
//! rule file holds them; an example is a test and documentation.

use serde_json::{Map, Value as Yaml, json};

use super::block::texts;
use super::file;
use super::{Problem, Severity};
use crate::event::field::{Field, Named};
use crate::event::nearest::{hint, meant, nearest_of};
use crate::event::time::{SECOND, Span, Timestamp};

/// An example.
#[derive(Clone, Debug)]
pub struct Example {
    /// what happens in it
    pub name: String,
    /// line of the file
    pub line: usize,
    /// findings of the rule that it has to make
    pub count: usize,
    /// whom the findings are about
    pub entity: Option<String>,
    /// what they are called
    pub title: Option<String>,
    /// how bad they are: one for all of them, or that of each, the worst first; empty is any
    pub severities: Vec<Severity>,
    /// of how many events each is made
    pub event_count: Option<usize>,
    /// whether they are pending
    pub pending: Option<bool>,
    /// what `jcdetect.yml` says in it
    pub settings: Option<Yaml>,
    /// the events, as lines of JSON
    pub events: Vec<String>,
}

/// Monday morning, on which examples begin unless they say otherwise.
const START: &str = "2026-03-02T09:00:00Z";

/// How often an event of an example may be repeated: each is one more line to hold and to scan.
const MOST_REPETITIONS: u64 = 100_000;

/// The examples of a rule file.
pub fn examples(path: &str, text: &str) -> Result<Vec<Example>, Problem> {
    let Some(document) = file::documents(text).tests else { return Ok(vec![]) };
    let wrong = |near: &str, message: String| Problem { file: path.to_owned(), line: document.line_of(near), message };
    let yaml = file::yaml(document.text).map_err(|e| Problem {
        file: path.to_owned(),
        line: document.line + e.line - 1,
        message: e.message,
    })?;
    let own = yaml.get("bases").cloned().unwrap_or_else(|| json!({}));
    let common = file::yaml(include_str!("bases.yml")).map_err(|e| wrong("bases", e.message))?;
    let Some(list) = yaml.get("tests").and_then(Yaml::as_array) else {
        return Err(wrong("tests", "`tests` takes a list of examples".to_owned()));
    };
    let mut out = Vec::new();
    for (number, test) in (1..).zip(list) {
        let name = test.get("name").and_then(Yaml::as_str).unwrap_or_default();
        let fail =
            |message: &str| wrong(if name.is_empty() { "tests" } else { name }, format!("example {number}: {message}"));
        if name.is_empty() {
            return Err(fail("it lacks its `name`"));
        }
        only(test, &["name", "expect", "settings", "events"]).map_err(|m| fail(&m))?;
        let expect = test.get("expect").ok_or_else(|| fail("it lacks `expect`"))?;
        only(expect, &["count", "entity", "title", "severity", "events", "pending"]).map_err(|m| fail(&m))?;
        let count = whole(expect, "count").map_err(|m| fail(&m))?.ok_or_else(|| fail("`expect` lacks its `count`"))?;
        let entity = word(expect, "entity").map_err(|m| fail(&m))?;
        let title = word(expect, "title").map_err(|m| fail(&m))?;
        let severities = severities(expect).map_err(|m| fail(&m))?;
        let event_count = whole(expect, "events").map_err(|m| fail(&m))?;
        let pending = of_kind(expect, "pending", "true or false", Yaml::as_bool).map_err(|m| fail(&m))?;
        let settings = test.get("settings").filter(|settings| !settings.is_null());
        if settings.is_some_and(|settings| !settings.is_object()) {
            return Err(fail("`settings` takes a map, as in jcdetect.yml"));
        }
        let entries = test.get("events").and_then(Yaml::as_array).ok_or_else(|| fail("it lacks `events`"))?;
        let mut events = Vec::new();
        let mut clock = Clock::start();
        for entry in entries {
            add(entry, &own, &common, &mut clock, &mut events).map_err(|m| fail(&m))?;
        }
        out.push(Example {
            name: name.to_owned(),
            line: document.line_of(name),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            entity: entity.map(str::to_owned),
            title: title.map(str::to_owned),
            severities,
            event_count: event_count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
            pending,
            settings: settings.cloned(),
            events,
        });
    }
    Ok(out)
}

/// What stands under a key, if anything does; something else than is wanted there would be expected of nobody.
fn of_kind<'y, T>(
    value: &'y Yaml,
    key: &str,
    wanted: &str,
    take: impl Fn(&'y Yaml) -> Option<T>,
) -> Result<Option<T>, String> {
    match value.get(key) {
        None | Some(Yaml::Null) => Ok(None),
        Some(found) => take(found).map(Some).ok_or_else(|| format!("`{key}: {found}`: it takes {wanted}")),
    }
}

fn word<'y>(value: &'y Yaml, key: &str) -> Result<Option<&'y str>, String> {
    of_kind(value, key, "text; put it in quotes", Yaml::as_str)
}

fn whole(value: &Yaml, key: &str) -> Result<Option<u64>, String> {
    of_kind(value, key, "a whole number", Yaml::as_u64)
}

fn severities(expect: &Yaml) -> Result<Vec<Severity>, String> {
    let words = match expect.get("severity") {
        None | Some(Yaml::Null) => vec![],
        Some(value) => texts("severity", value).map_err(|fault| fault.message)?,
    };
    words.iter().map(|word| Severity::named(word)).collect()
}

fn only(value: &Yaml, known: &[&str]) -> Result<(), String> {
    let Yaml::Object(map) = value else { return Err("it has to be a map".to_owned()) };
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("no key `{key}`{}", hint(key, known.iter().copied()))),
    }
}

/// The time of the next event, and the number of the next id.
struct Clock {
    start: Timestamp,
    last: Option<Timestamp>,
    number: u64,
}

impl Clock {
    fn start() -> Clock {
        Clock { start: Timestamp::parse(START).unwrap_or_default(), last: None, number: 0 }
    }

    /// `at`: a time, or `+2h` behind the start. `after`: behind the event before. Neither: a minute later.
    fn next(&mut self, entry: &Yaml) -> Result<Timestamp, String> {
        let time = match (word(entry, "at")?, word(entry, "after")?) {
            (Some(_), Some(_)) => return Err("`at` and `after` cannot stand together: leave one out".to_owned()),
            (Some(at), None) => match at.strip_prefix('+') {
                Some(span) => Span::parse(span).and_then(|span| self.start.after(span)),
                None => Timestamp::parse(at),
            }
            .ok_or(format!("`at: {at}` is not a time"))?,
            (None, Some(after)) => {
                let span = Span::parse(after).ok_or(format!("`after: {after}` is not a span of time"))?;
                self.last.unwrap_or(self.start).after(span).ok_or(format!("`after: {after}` leads behind all times"))?
            }
            (None, None) => match self.last {
                Some(last) => last.after(Span(60 * SECOND)).ok_or("an event comes behind all times")?,
                None => self.start,
            },
        };
        self.last = Some(time);
        Ok(time)
    }
}

/// What in the examples of a rule file is probably not meant: members of records that nobody knows beside one of nearly the
/// same name, and such that are taken out where they are not.
pub fn doubts(path: &str, text: &str) -> Vec<Problem> {
    let Some(document) = file::documents(text).tests else { return vec![] };
    let Ok(yaml) = file::yaml(document.text) else { return vec![] };
    let own = yaml.get("bases").cloned().unwrap_or_else(|| json!({}));
    let common = file::yaml(include_str!("bases.yml")).unwrap_or_default();
    let tests = yaml.get("tests").and_then(Yaml::as_array).into_iter().flatten();
    let events = tests.filter_map(|test| test.get("events").and_then(Yaml::as_array)).flatten();
    let bases = own.as_object().into_iter().flat_map(|bases| bases.values());
    let mut out = Vec::new();
    for entry in events.chain(bases) {
        let base = entry.get("base").and_then(Yaml::as_str).unwrap_or_default();
        let mut tell = |word: &str, message| {
            let line = document.line_with(&[base, word]).unwrap_or_else(|| document.line_of(word));
            let problem = Problem { file: path.to_owned(), line, message };
            if !out.contains(&problem) {
                out.push(problem);
            }
        };
        for member in entry.get("with").and_then(Yaml::as_object).into_iter().flat_map(Map::keys) {
            if let Some(near) = misspelt(member) {
                tell(member, format!("`with: {member}`: no record is known to have it; did you mean `{near}`?"));
            }
        }
        let Some(event) = own.get(base).or_else(|| common.get(base)) else { continue };
        let Ok(event) = grown(event, &own, &common, 8) else { continue };
        for member in texts("without", entry.get("without").unwrap_or(&json!([]))).unwrap_or_default() {
            if member.split('.').try_fold(&event, |at, key| at.get(key)).is_none() {
                tell(&member, format!("`without: {member}`: the event does not have it"));
            }
        }
    }
    out
}

/// What was probably meant by a member of records that nobody knows.
fn misspelt(path: &str) -> Option<String> {
    match Field::named(&format!("raw.{path}")) {
        Named::Known(field) => field.meant(),
        Named::Unverified(_) => match Field::named(path) {
            Named::Unknown(near) => near.filter(|near| matches!(Field::named(&format!("raw.{near}")), Named::Known(_))),
            _ => None,
        },
        Named::Unknown(near) => near,
    }
}

fn add(entry: &Yaml, own: &Yaml, common: &Yaml, clock: &mut Clock, events: &mut Vec<String>) -> Result<(), String> {
    only(entry, &["base", "at", "after", "repeat", "every", "with", "without"])?;
    let base = word(entry, "base")?.ok_or("an event lacks its `base`")?;
    let found = own.get(base).or_else(|| common.get(base));
    let found = found.ok_or_else(|| {
        let maps = [own, common].into_iter().filter_map(Yaml::as_object);
        let names: Vec<&str> = maps.flat_map(Map::keys).map(String::as_str).collect();
        let near = nearest_of(base, names.iter().copied());
        let remedy = near.map_or_else(|| format!("; there are {}", names.join(", ")), |near| meant(&near));
        format!("no base {base:?}: write it under `bases`, or take one that there is{remedy}")
    })?;
    let mut event = grown(found, own, common, 8)?;
    change(&mut event, entry)?;
    let repeat = whole(entry, "repeat")?.unwrap_or(1);
    if !(1..=MOST_REPETITIONS).contains(&repeat) {
        return Err(format!("`repeat: {repeat}`: an event comes 1 to {MOST_REPETITIONS} times"));
    }
    let every = word(entry, "every")?.unwrap_or("1m");
    let every = Span::parse(every).ok_or(format!("`every: {every}` is not a span of time"))?;
    let first = clock.next(entry)?;
    for n in 0..repeat {
        clock.number += 1;
        let behind = i64::try_from(n).ok().and_then(|n| every.0.checked_mul(n)).map(Span);
        let time = behind.and_then(|behind| first.after(behind));
        let time = time.ok_or_else(|| format!("`repeat: {repeat}` leads behind all times"))?;
        clock.last = Some(time);
        let mut one = json!({
            "id": format!("{:024x}", 0x65_0000_0000_u64 + clock.number),
            "organization": "5dc058bc3f53f95e3972f03f",
            "timestamp": time.rfc3339(),
            "@version": "1",
        });
        if let (Yaml::Object(one), Yaml::Object(event)) = (&mut one, &event) {
            one.extend(event.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        events.push(one.to_string().replace("{n}", &(n + 1).to_string()));
    }
    Ok(())
}

/// A base with all that it starts from.
fn grown(base: &Yaml, own: &Yaml, common: &Yaml, depth: usize) -> Result<Yaml, String> {
    let Some(parent) = base.get("base").and_then(Yaml::as_str) else { return Ok(base.clone()) };
    if depth == 0 {
        return Err(format!("base {parent:?} starts from itself"));
    }
    only(base, &["base", "with", "without"])?;
    let found = common.get(parent).or_else(|| own.get(parent)).ok_or(format!("no base {parent:?}"))?;
    let mut whole = grown(found, own, common, depth - 1)?;
    change(&mut whole, base)?;
    Ok(whole)
}

/// Applies `with` (dotted paths) and `without` to an event.
fn change(event: &mut Yaml, entry: &Yaml) -> Result<(), String> {
    if let Some(with) = entry.get("with") {
        let Yaml::Object(with) = with else { return Err("`with` takes a map".to_owned()) };
        for (path, value) in with {
            set(event, path, value.clone());
        }
    }
    for path in entry.get("without").map_or(Ok(vec![]), |v| texts("without", v)).map_err(|f| f.message)? {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", &path));
        let at = parent.split('.').filter(|k| !k.is_empty()).try_fold(&mut *event, |at, key| at.get_mut(key));
        if let Some(Yaml::Object(map)) = at {
            map.shift_remove(key);
        }
    }
    Ok(())
}

fn set(event: &mut Yaml, path: &str, value: Yaml) {
    let mut at = event;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Yaml::Object(Map::new());
        }
        let Yaml::Object(map) = at else { return };
        at = map.entry(key).or_insert(Yaml::Null);
    }
    *at = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tests: &str) -> Result<Vec<Example>, String> {
        examples("x.yml", &format!("title: x\n---\n{tests}")).map_err(|p| p.to_string())
    }

    #[test]
    fn events_are_made_from_bases() {
        let text = "bases:\n  odd: {base: odder, with: {sso_token_success: false}}\n  odder: {base: sso, with: {idp_initiated: true}}\ntests:\n  - name: t\n    expect: {count: 1, entity: a}\n    events:\n      - {base: user-login-failed, repeat: 2, every: 30s, with: {client_ip: '203.0.113.{n}', geoip.country_code: NL}}\n      - {base: odd, after: 5m, without: [geoip]}\n";
        let example = &parse(text).unwrap()[0];
        assert_eq!(example.events.len(), 3);
        let event: Yaml = serde_json::from_str(&example.events[1]).unwrap();
        assert_eq!(event["client_ip"], "203.0.113.2");
        assert_eq!(event["geoip"]["country_code"], "NL");
        assert_eq!(event["timestamp"], "2026-03-02T09:00:30Z");
        let event: Yaml = serde_json::from_str(&example.events[2]).unwrap();
        assert_eq!(event["timestamp"], "2026-03-02T09:05:30Z");
        assert_eq!((&event["sso_token_success"], &event["idp_initiated"]), (&false.into(), &true.into()));
        assert_eq!(event["event_type"], "sso_auth");
        assert!(event.get("geoip").is_none());
    }

    #[test]
    fn doubts_are_pointed_out() {
        let text = "title: x\n---\nbases:\n  odd: {base: sso, with: {initiated_by.usrname: bob, geoip.country_code: FR}}\ntests:\n  - name: t\n    expect: {count: 0}\n    events:\n      - {base: odd, without: [geopi, mfa], with: {clientip: 203.0.113.9, raw_new: 1}}\n";
        let told: Vec<String> = doubts("x.yml", text).iter().map(Problem::to_string).collect();
        assert_eq!(
            told,
            [
                "x.yml:9: `with: clientip`: no record is known to have it; did you mean `client_ip`?",
                "x.yml:9: `without: geopi`: the event does not have it",
                "x.yml:4: `with: initiated_by.usrname`: no record is known to have it; did you mean `initiated_by.username`?",
            ]
        );
    }

    #[test]
    fn mistakes_are_pointed_out() {
        for (text, want) in [
            ("tests:\n  - name: t\n    expekt: {count: 1}\n    events: []\n", "did you mean `expect`?"),
            (
                "tests:\n  - name: t\n    expect: {count: 1}\n    events: [{base: nope}]\n",
                "no base \"nope\": write it under `bases`, or take one that there is; there are ",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 1}\n    events: [{base: admin-logon}]\n",
                "did you mean `admin-login`?",
            ),
            (
                "bases: {a: {base: b}, b: {base: a}}\ntests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: a}]\n",
                "starts from itself",
            ),
            ("tests: {name: t}\n", "takes a list of examples"),
            (
                "tests:\n  - name: t\n    expect: {count: -1}\n    events: []\n",
                "example 1: `count: -1`: it takes a whole number",
            ),
            ("tests:\n  - name: t\n    expect: {count: 1, entity: 12345}\n    events: []\n", "it takes text"),
            ("tests:\n  - name: t\n    expect: {count: 1, severity: {a: high}}\n    events: []\n", "`severity`"),
            (
                "tests:\n  - name: t\n    expect: {count: 1, events: many}\n    events: []\n",
                "example 1: `events: \"many\"`: it takes a whole number",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 1, severity: hihg}\n    events: []\n",
                "unknown severity \"hihg\"",
            ),
            ("tests:\n  - name: t\n    expect: {count: 1, pending: 'yes'}\n    events: []\n", "takes true or false"),
            ("tests:\n  - name: t\n    settings: []\n    expect: {count: 1}\n    events: []\n", "takes a map"),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, repeat: '5'}]\n",
                "`repeat: \"5\"`: it takes a whole number",
            ),
            ("tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, after: 5}]\n", "it takes text"),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, repeat: 0}]\n",
                "`repeat: 0`: an event comes 1 to 100000 times",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, repeat: 100000000}]\n",
                "1 to 100000 times",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, at: +1h, after: 5m}]\n",
                "cannot stand together",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, at: +106000d}]\n",
                "`at: +106000d` is not a time",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, after: 106000d}]\n",
                "`after: 106000d` leads behind all times",
            ),
            (
                "tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, every: 50000d, repeat: 9}]\n",
                "`repeat: 9` leads behind all times",
            ),
            ("tests:\n  - name: t\n    expect: {}\n    events: []\n", "lacks its `count`"),
            ("tests:\n  - name: t\n    expect: {count: 0}\n    events: [{base: sso, at: noon}]\n", "is not a time"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
