//! Choices: what `jcdetect.yml` decides of findings: what makes a case, who is asked, what needs nobody.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use serde_json::{Map, Value as Yaml};

use super::config::texts;
use super::settings::severity;
use crate::event::nearest::hint;
use crate::event::networks;
use crate::event::time::{Span, Timestamp};
use crate::rule::Severity;
use crate::triage::question::Contacts;
use crate::triage::suppression::{Condition, FIELDS, Suppression};

/// Where a part of the file stands.
pub struct Place<'t> {
    path: &'t Path,
    text: &'t str,
    /// its lines, from 1, the last one excluded
    lines: (usize, usize),
}

impl<'t> Place<'t> {
    /// The part under a key of the first level.
    pub fn new(path: &'t Path, text: &'t str, key: &str) -> Place<'t> {
        let is_key = |line: &&str| line.trim_start_matches(['"', '\'']).starts_with(key);
        let start = text.lines().position(|line| is_key(&line)).unwrap_or(0);
        let is_inside = |line: &str| line.starts_with([' ', '\t', '-', '#']) || line.trim().is_empty();
        let rest = text.lines().skip(start + 1).take_while(|line| is_inside(line)).count();
        Place { path, text, lines: (start + 1, start + 2 + rest) }
    }

    fn own(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let (start, end) = self.lines;
        (1..).zip(self.text.lines()).skip(start - 1).take(end - start)
    }

    /// The parts of so many entries of a list.
    fn entries(&self, count: usize) -> Vec<Place<'t>> {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let dashes: Vec<(usize, &str)> = self.own().filter(|(_, line)| line.trim_start().starts_with('-')).collect();
        let outer = dashes.first().map_or(0, |(_, line)| indent(line));
        let starts: Vec<usize> = dashes.iter().filter(|(_, line)| indent(line) == outer).map(|(n, _)| *n).collect();
        let lines = |number: usize| {
            let start = starts.get(number)?;
            Some((*start, starts.get(number + 1).copied().unwrap_or(self.lines.1)))
        };
        (0..count).map(|number| Place { lines: lines(number).unwrap_or(self.lines), ..*self }).collect()
    }

    /// File and line of a word in it.
    fn at(&self, word: &str) -> String {
        let is_key = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ").trim_start().trim_start_matches(['"', '\'']);
            line.starts_with(word)
        };
        let found =
            self.own().find(|(_, line)| is_key(line)).or_else(|| self.own().find(|(_, line)| line.contains(word)));
        format!("{}:{}", self.path.display(), found.map_or(self.lines.0, |(line, _)| line))
    }

    fn start(&self) -> String {
        format!("{}:{}", self.path.display(), self.lines.0)
    }

    fn map<'y>(&self, what: &str, yaml: &'y Yaml, keys: &[&str]) -> Result<&'y Map<String, Yaml>> {
        let Yaml::Object(map) = yaml else { bail!("{}: {what} is a map of {}", self.start(), keys.join(", ")) };
        match map.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(map),
            Some(other) => {
                let hint = hint(other, keys.iter().copied());
                bail!("{}: {what} has no key `{other}`{hint}", self.at(other))
            }
        }
    }

    fn text(&self, key: &str, yaml: &Yaml) -> Result<String> {
        match yaml {
            Yaml::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Yaml::Number(number) => Ok(number.to_string()),
            _ => bail!("{}: `{key}` has to be a text", self.at(key)),
        }
    }
}

/// `cases:`
pub fn cases(yaml: &Yaml, place: &Place<'_>) -> Result<Option<Span>> {
    let map = place.map("`cases`", yaml, &["within"])?;
    let Some(within) = map.get("within") else { return Ok(None) };
    let text = place.text("within", within)?;
    let span = Span::parse(&text).ok_or_else(|| anyhow!("{}: within: {text}: write 12h or 1d", place.at("within")))?;
    Ok(Some(span))
}

/// `levels:`
pub fn levels(yaml: &Yaml, place: &Place<'_>) -> Result<BTreeMap<String, Severity>> {
    let Yaml::Object(map) = yaml else {
        bail!("{}: `levels` is a map from rules to severities", place.at("levels"));
    };
    let level = |(rule, yaml): (&String, &Yaml)| {
        let text = place.text(rule, yaml)?;
        Ok((rule.clone(), severity(&format!("{}: {rule}", place.at(rule)), &text)?))
    };
    map.iter().map(level).collect()
}

/// `contacts:`
pub fn contacts(yaml: &Yaml, place: &Place<'_>) -> Result<Contacts> {
    let map = place.map("`contacts`", yaml, &["security", "owners", "organizations"])?;
    let pairs = |key: &str| -> Result<Vec<(String, String)>> {
        let Some(yaml) = map.get(key) else { return Ok(vec![]) };
        let Yaml::Object(pairs) = yaml else {
            bail!("{}: `{key}` is a map from names to addresses", place.at(key));
        };
        pairs.iter().map(|(name, address)| Ok((name.clone(), place.text(name, address)?))).collect()
    };
    Ok(Contacts {
        security: map.get("security").map(|yaml| place.text("security", yaml)).transpose()?,
        organizations: pairs("organizations")?.into_iter().collect(),
        owners: pairs("owners")?,
    })
}

/// `suppress:`
pub fn suppress(yaml: &Yaml, place: &Place<'_>) -> Result<Vec<Suppression>> {
    match yaml {
        Yaml::Null => Ok(vec![]),
        Yaml::Array(list) => {
            let places = place.entries(list.len());
            list.iter().zip(&places).map(|(yaml, place)| suppression(yaml, place)).collect()
        }
        _ => bail!("{}: `suppress` is a list of entries with rule, match, reason, owner, expires", place.start()),
    }
}

fn suppression(yaml: &Yaml, place: &Place<'_>) -> Result<Suppression> {
    let map = place.map("an entry of `suppress`", yaml, &["rule", "match", "reason", "owner", "expires"])?;
    let need = |key: &str| match map.get(key) {
        Some(yaml) => place.text(key, yaml),
        None => Err(anyhow!(
            "{}: an entry of `suppress` needs rule, match, reason and expires; it has no `{key}`",
            place.start()
        )),
    };
    let rule = need("rule")?;
    let reason = need("reason")?;
    let expires = need("expires")?;
    let is_date = expires.len() == 10 && expires.as_bytes()[4] == b'-';
    let last_day = Timestamp::parse(&expires)
        .filter(|_| is_date)
        .ok_or_else(|| anyhow!("{}: expires: {expires}: write the last day, as in 2026-12-31", place.at("expires")))?;
    let Some(Yaml::Object(fields)) = map.get("match").filter(|fields| !fields.as_object().is_some_and(Map::is_empty))
    else {
        bail!(
            "{}: an entry of `suppress` needs `match`, a map of {}; to silence the whole rule, `disable` it",
            place.at("match"),
            FIELDS.join(", ")
        );
    };
    place.map("`match`", &map["match"], FIELDS)?;
    let condition = |(field, yaml): (&String, &Yaml)| -> Result<Condition> {
        let values = texts(yaml).map_err(|error| anyhow!("{}: `{field}`: {error}", place.at(field)))?;
        if values.is_empty() {
            bail!("{}: `{field}` has no value", place.at(field));
        }
        let is_wrong = |text: &&String| field == "source" && text.contains('/') && networks::network(text).is_none();
        if let Some(wrong) = values.iter().find(is_wrong) {
            bail!("{}: `{field}`: {wrong:?} is not a network", place.at(field));
        }
        Condition::new(field, &values).ok_or_else(|| anyhow!("{}: `match` has no key `{field}`", place.at(field)))
    };
    let name = place.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Suppression {
        place: format!("{name}:{}", place.lines.0),
        path: place.start(),
        rule,
        conditions: fields.iter().map(condition).collect::<Result<_>>()?,
        reason,
        owner: map.get("owner").map(|yaml| place.text("owner", yaml)).transpose()?,
        expires,
        last_day,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "enable: []\nsuppress:\n  - rule: r\n    match: {entity: [jo, \"svc-*\"], source: 203.0.113.0/24}\n    reason: x\n    expires: 2026-06-30\n  - rule: s\n    match:\n      entity: jo\n    reason: y\n    owner: o@x.io\n    expires: 2026-07-01\n";

    fn read(text: &str) -> Result<Vec<Suppression>, String> {
        let yaml = crate::rule::file::yaml(text).unwrap();
        let place = Place::new(Path::new("c.yml"), text, "suppress");
        suppress(&yaml["suppress"], &place).map_err(|e| e.to_string())
    }

    #[test]
    fn entries_have_their_lines() {
        let entries = read(GOOD).unwrap();
        let told: Vec<(&str, &str, usize)> =
            entries.iter().map(|e| (e.place.as_str(), e.rule.as_str(), e.conditions.len())).collect();
        assert_eq!(told, [("c.yml:3", "r", 2), ("c.yml:7", "s", 1)]);
        assert_eq!(entries[1].owner.as_deref(), Some("o@x.io"));
    }

    #[test]
    fn mistakes_are_pointed_out() {
        for (from, to, want) in [
            (
                "    reason: y\n",
                "",
                "c.yml:7: an entry of `suppress` needs rule, match, reason and expires; it has no `reason`",
            ),
            (
                "    reason: y",
                "    raison: y",
                "c.yml:10: an entry of `suppress` has no key `raison`; did you mean `reason`?",
            ),
            ("2026-07-01", "soon", "c.yml:12: expires: soon: write the last day"),
            (
                "      entity: jo\n",
                "      entitty: jo\n",
                "c.yml:9: `match` has no key `entitty`; did you mean `entity`?",
            ),
            ("    match:\n      entity: jo\n", "", "c.yml:7: an entry of `suppress` needs `match`"),
            ("      entity: jo\n", "      entity: {a: b}\n", "c.yml:9: `entity`: expected a list of texts"),
            ("      entity: jo\n", "      entity: []\n", "c.yml:9: `entity` has no value"),
            ("203.0.113.0/24", "203.0.113.0/99", "c.yml:4: `source`: \"203.0.113.0/99\" is not a network"),
        ] {
            let error = read(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
        assert!(read("suppress: x\n").unwrap_err().starts_with("c.yml:1: `suppress` is a list"));
    }
}
