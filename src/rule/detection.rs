//! Detection: the part of a rule that looks at one event. Selections with their modifiers become one
//! expression.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;

use foldhash::fast::RandomState;
use serde_json::Value as Yaml;

use super::condition;
use super::expr::{Expr, Test};
use super::folded::Folded;
use super::form::forms;
use super::keyword;
use super::lists;
use super::modifier::{Modifiers, modifiers};
use super::number::Number;
use super::pattern::{Glob, Order, Pattern, Side};
use super::regex::Expression;
use super::spelling::Spelling;
use super::vocabulary;
use crate::event::catalogue;
use crate::event::field::{Field, Named, Norm};
use crate::event::letters;
use crate::event::nearest::meant;
use crate::event::networks;

/// What is wrong with a detection, and the word in the file at which it stands.
#[derive(Debug)]
pub struct Fault {
    /// what, and the remedy
    pub message: String,
    /// text to look for in the document, to give the line
    pub near: String,
}

pub(super) fn fault(near: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault { message: message.into(), near: near.into() }
}

/// Things worth saying that are no errors.
pub type Warnings = Vec<Fault>;

/// Compiles the `detection` of a rule.
pub fn compile(detection: &Yaml, warnings: &mut Warnings) -> Result<Expr, Fault> {
    let Yaml::Object(map) = detection else {
        return Err(fault("detection", "`detection` has to be a map of selections"));
    };
    let mut selections: Vec<(&str, Expr)> = Vec::new();
    for (name, value) in map {
        if !matches!(name.as_str(), "condition" | "timeframe") {
            selections.push((name, selection(name, value, warnings)?));
        }
    }
    if map.contains_key("timeframe") {
        return Err(fault("timeframe", "`timeframe` belongs to a correlation: use `timespan` there"));
    }
    let names: Vec<&str> = selections.iter().map(|(name, _)| *name).collect();
    let used = RefCell::new(HashSet::new());
    let select = |name: &str| {
        let found = selections.iter().find(|(known, _)| *known == name);
        found.map_or_else(
            || Expr::Or(vec![]),
            |(name, expr)| {
                used.borrow_mut().insert(*name);
                expr.clone()
            },
        )
    };
    let one = |text: &str| condition::compile(text, &names, &select).map_err(|message| fault("condition", message));
    let whole = match map.get("condition") {
        Some(Yaml::String(text)) => one(text),
        Some(Yaml::Array(list)) => {
            let parts: Result<Vec<Expr>, Fault> =
                list.iter().map(|text| one(text.as_str().unwrap_or_default())).collect();
            Ok(Expr::any(parts?))
        }
        _ => Err(fault("detection", "`detection` lacks its `condition`")),
    }?;
    let is_unused = |name: &&&str| !used.borrow().contains(**name);
    for name in names.iter().filter(is_unused) {
        let remedy = "name it there, or remove it";
        warnings.push(fault(*name, format!("the condition does not use the selection `{name}`: {remedy}")));
    }
    Ok(whole)
}

/// Compiles one selection: a map (all of it), a list of maps (one of them), a list of keywords.
pub fn selection(name: &str, value: &Yaml, warnings: &mut Warnings) -> Result<Expr, Fault> {
    match value {
        Yaml::Object(map) if map.is_empty() => Err(fault(name, format!("selection `{name}` is empty"))),
        Yaml::Object(map) => {
            let tests: Result<Vec<Expr>, Fault> = map.iter().map(|(key, value)| test(key, value, warnings)).collect();
            Ok(Expr::all(tests?))
        }
        Yaml::Array(list) if list.is_empty() => Err(fault(name, format!("selection `{name}` is empty"))),
        Yaml::Array(list) => {
            let mut parts = Vec::new();
            for item in list {
                parts.push(match item {
                    Yaml::Object(_) => selection(name, item, warnings)?,
                    _ => keyword::one(name, item)?,
                });
            }
            Ok(Expr::any(parts))
        }
        single => keyword::one(name, single),
    }
}

/// A value as text. A number that was read with its last digits rounded is refused.
pub(super) fn scalar(key: &str, value: &Yaml) -> Result<String, Fault> {
    match value {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(n) => {
            let text = n.to_string();
            let rounded = |why| fault(key, format!("`{key}`: {why}: write it in quotes, as a text"));
            Number::of_rule(&text).map_err(rounded)?;
            Ok(text)
        }
        Yaml::Bool(b) => Ok(b.to_string()),
        _ => Err(fault(key, format!("`{key}` takes text, numbers, booleans or null"))),
    }
}

/// Understands a field name, with a warning where it cannot be verified.
pub fn field(name: &str, warnings: &mut Warnings) -> Result<Field, Fault> {
    match Field::named(name) {
        Named::Known(field) => {
            match field.meant() {
                Some(near) => warnings.push(fault(name, format!("{name}: unknown member{}", meant(&near)))),
                None if field.is_doubtful() => warnings.push(undocumented(name)),
                None => {}
            }
            Ok(field)
        }
        Named::Unverified(field) => {
            warnings.push(undocumented(name));
            Ok(field)
        }
        Named::Unknown(Some(near)) => {
            Err(fault(name, format!("no field {name:?}{} (raw paths take the prefix `raw.`)", meant(&near))))
        }
        Named::Unknown(None) => Err(fault(name, format!("no field {name:?}; raw paths take the prefix `raw.`"))),
    }
}

fn undocumented(name: &str) -> Fault {
    fault(name, format!("undocumented raw path {name}: check the spelling"))
}

/// Compiles one test: a field with its modifiers, and the values it is compared with.
pub(super) fn test(key: &str, value: &Yaml, warnings: &mut Warnings) -> Result<Expr, Fault> {
    let mut words = key.split('|');
    let name = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    if name.is_empty() {
        return keyword::all(key, &words, value);
    }
    let m = modifiers(key, &words)?;
    let field = field(name, warnings)?;
    let values: Vec<&Yaml> = match value {
        Yaml::Array(list) => list.iter().collect(),
        single => vec![single],
    };
    if values.is_empty() && m.is_expanded && !m.is_negated {
        return Ok(Expr::Or(vec![]));
    }
    if values.is_empty() && !m.is_expanded {
        return Err(fault(key, format!("`{key}` has no values")));
    }
    if !m.is_expanded {
        check_values(key, &values, &m, warnings);
    }
    // How many values a list has is for those to say who use the rule.
    if m.is_all && values.len() < 2 && !m.is_expanded {
        return Err(fault(key, "`all` on a single value says nothing: remove it"));
    }
    let mut of_values = Vec::new();
    for value in values {
        of_values.push(of_value(key, &field, value, &m, warnings)?);
    }
    for patterns in &of_values {
        vocabulary::check(&field, patterns, key, warnings);
    }
    let test = |patterns, is_all| Expr::Test(Test { field: field.clone(), patterns, is_all, is_negated: m.is_negated });
    // A test has one other field at most. `all` binds the values; the forms in which one of them is looked for are alternatives.
    let is_bound = m.is_all && !m.is_negated;
    let has_several_forms = of_values.iter().any(|forms| forms.len() > 1);
    if m.is_fieldref && of_values.len() > 1 || is_bound && has_several_forms {
        let tests = of_values.into_iter().map(|forms| test(forms, false)).collect();
        return Ok(if m.is_all || m.is_negated { Expr::And(tests) } else { Expr::Or(tests) });
    }
    Ok(test(of_values.concat(), m.is_all))
}

/// Warns of a value that stands twice.
fn check_values(key: &str, values: &[&Yaml], m: &Modifiers, warnings: &mut Warnings) {
    if values.len() < 2 {
        return;
    }
    let is_cased = m.is_cased || m.regex.is_some() || !m.encodings.is_empty();
    let mut known: HashSet<(bool, Cow<'_, str>), RandomState> = HashSet::default();
    for value in values {
        let text = value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed);
        let compared = match text {
            Cow::Borrowed(text) if !is_cased => letters::lowered(text),
            text => text,
        };
        if !known.insert((value.is_string(), compared)) {
            warnings.push(fault(key, format!("`{key}` has {value} twice: leave one out")));
        }
    }
}

fn of_value(
    key: &str,
    of: &Field,
    value: &Yaml,
    m: &Modifiers,
    warnings: &mut Warnings,
) -> Result<Vec<Pattern>, Fault> {
    if m.is_exists {
        let wanted = value.as_bool().ok_or_else(|| fault(key, "`exists` takes true or false"))?;
        return Ok(vec![Pattern::Exists(wanted)]);
    }
    if value.is_null() {
        return match m.takes_text() {
            true => Err(fault(key, format!("`{key}` takes no null: `{}: null` is where there is nothing", of.name()))),
            false => Ok(vec![Pattern::Null]),
        };
    }
    let is_type = *of == Field::Norm(Norm::EventType);
    let text = scalar(key, value)?;
    if m.is_fieldref {
        let other = field(&text, warnings)?;
        let spelling = match (m.is_cased, of.is_letters_only() || other.is_letters_only()) {
            (true, _) => Spelling::Exact,
            (false, true) => Spelling::Letters,
            (false, false) => Spelling::Caseless,
        };
        return Ok(vec![Pattern::Reference(other, m.side.unwrap_or(Side::Whole), spelling)]);
    }
    if let Some(flags) = &m.regex {
        let expression = Expression::new(&text, flags).map_err(|message| fault(key, message))?;
        if let Some(is_all) = expression.constant() {
            let what = if is_all { "fits any text: write `exists: true`" } else { "fits no text: take it out" };
            warnings.push(fault(key, format!("`{key}`: /{text}/ {what}")));
        }
        let fits = |name: &str| expression.is_match(&Folded::new(name));
        let others = if is_type { spelled_otherwise(fits, !flags.contains(&'i')) } else { vec![] };
        return Ok([vec![Pattern::Regex(expression)], others].concat());
    }
    if m.is_cidr
        && m.is_expanded
        && let Some(list) = lists::whole(value)
    {
        return Ok(vec![Pattern::Listed(list.to_owned())]);
    }
    if m.is_cidr {
        let network = networks::network(&text).ok_or_else(|| fault(&text, format!("{text:?} is not a network")))?;
        return Ok(vec![Pattern::Cidr(network)]);
    }
    if m.order.is_some() || m.time.is_some() {
        let n = Number::of_rule(&text).map_err(|why| fault(key, format!("`{key}`: {why}")))?;
        return Ok(vec![match (m.time, m.order) {
            (Some(part), order) => Pattern::Time(part, order.unwrap_or(Order::Equal), n.rounded()),
            (None, Some(order)) => Pattern::Order(order, n),
            (None, None) => Pattern::Number(n),
        }]);
    }
    if value.is_number() && m.side.is_none() && m.encodings.is_empty() {
        let n = Number::of_rule(&text).map_err(|why| fault(key, format!("`{key}`: {why}")))?;
        return Ok(vec![Pattern::Number(n)]);
    }
    let side = m.side.unwrap_or(Side::Whole);
    let text = match (is_type && m.encodings.is_empty(), m.is_cased) {
        (true, true) => catalogue::canonical(&text).to_owned(),
        (true, false) => catalogue::canonical(&letters::lower(&text)).to_owned(),
        (false, _) => text,
    };
    let globs = forms(key, &text, side, m)?;
    let others = match is_type && globs.iter().all(|glob| glob.literal().is_none()) {
        true => spelled_otherwise(|name| globs.iter().any(|glob| glob.matches(name)), m.is_cased),
        false => vec![],
    };
    let glob = |glob: Glob| Pattern::Glob(if of.is_letters_only() { glob.letters_only() } else { glob });
    Ok(globs.into_iter().map(glob).chain(others).collect())
}

/// The types of which wildcards or an expression fit the other spelling only: both mean one event.
fn spelled_otherwise(fits: impl Fn(&str) -> bool, is_cased: bool) -> Vec<Pattern> {
    let others = catalogue::SPELLINGS.iter().filter(|(other, _)| fits(other)).map(|(_, name)| *name);
    let others = others.filter(|name| !fits(name));
    others.map(|name| Pattern::Glob(Glob::parse(name, Side::Whole, is_cased))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::json::Json;

    const EVENT: &str = r#"{"timestamp":"2026-03-02T09:05:00Z","event_type":"radius_auth","success":false,"username":"Jane.Doe",
        "error_code":49,"organization":"o","initiated_by":{"type":"user","username":"jane.doe","id":"u1"},"provider":null,"attr":"","asn":{},"geoip":{"city":null},
        "useragent":{"name":"Python Requests"},"client_ip":"10.1.2.3","resource":{"type":"user","id":"U1","name":"x -enc y"},
        "changes":[{"field":"mfa.exclusion","from":false,"to":true},{"field":"sudo","to":true}],
        "message":"aGVsbG8gaHR0cDovL3g="}"#;

    fn check(detection: &str) -> Result<bool, String> {
        let yaml: Yaml = super::super::file::yaml(detection).map_err(|e| e.to_string())?;
        let expr = compile(&yaml, &mut Vec::new()).map_err(|f| f.message)?;
        let json = Json::parse(EVENT).unwrap();
        Ok(expr.matches(&Event::new(&json).unwrap()))
    }

    fn one(test: &str) -> Result<bool, String> {
        check(&format!("sel:\n  {test}\ncondition: sel"))
    }

    #[test]
    fn every_modifier() {
        for (test, want) in [
            ("event_type: radius_auth_attempt", true),
            ("event_type: radius_auth", true),
            ("raw.event_type: radius_auth_attempt", false),
            ("event_type: RADIUS_*", true),
            ("event_type: '*s_auth'", true),
            ("event_type|endswith: s_auth", true),
            ("event_type: '*_autz'", false),
            ("event_type|re: '^(ldap_search|radius_auth)$'", true),
            ("event_type|re: '^radius_auth_attempt$'", true),
            ("event_type|re: '^RADIUS_AUTH$'", false),
            ("event_type|re|i: '^RADIUS_AUTH$'", true),
            ("event_type|re: '^(ldap_search|sso_auth)$'", false),
            ("event_type|re|neq: '^radius_auth$'", false),
            ("event_type|re|all: ['^radius', 's_auth$']", true),
            ("event_type|re|all: ['^radius', 'o_auth$']", false),
            ("event_type|cased: radius_auth", true),
            ("event_type|cased|endswith: s_auth", true),
            ("raw.event_type|re: '_attempt$'", false),
            ("username: jane.doe", true),
            ("username|cased: jane.doe", false),
            ("username|startswith: jane", true),
            ("username|endswith: DOE", true),
            ("username|contains: 'ne.d'", true),
            ("username|re: '^Jane'", true),
            ("username|re: '^jane'", false),
            ("username|re|i: '^jane'", true),
            ("username|contains|all: [jane, doe]", true),
            ("username|contains|all: [jane, john]", false),
            ("username|neq: john", true),
            ("username|neq: jane.doe", false),
            ("process_name|neq: sshd", false),
            ("success: false", true),
            ("success: 'false'", true),
            ("error_code: 49", true),
            ("error_code: '49'", true),
            ("error_code|gt: 48", true),
            ("error_code|lte: 48", false),
            ("client_ip|cidr: 10.0.0.0/8", true),
            ("client_ip|cidr: [192.168.0.0/16, 172.16.0.0/12]", false),
            ("provider: null", true),
            ("process_name: null", true),
            ("username: null", false),
            ("provider|exists: true", false),
            ("{attr: null, asn: null, geoip: null, geoip.city: null}", true),
            ("attr|exists: true", false),
            ("asn|exists: true", false),
            ("geoip|exists: true", false),
            ("attr: ''", true),
            ("attr|neq: x", false),
            ("geoip|neq: x", false),
            ("asn: '*'", false),
            ("process_name|exists: false", true),
            ("process_name: ''", false),
            ("agent.name: python-requests", true),
            ("agent.name: python?requests", true),
            ("agent.name|contains: '-'", false),
            ("agent.name|cased: python-requests", false),
            ("agent.name|cased: Python Requests", true),
            ("agent.name|cased: Python-Requests", false),
            ("username|fieldref: initiated_by.username", true),
            ("actor.id|fieldref: target.id", true),
            ("actor.id|fieldref|cased: target.id", false),
            ("username|fieldref|cased: initiated_by.username", false),
            ("initiated_by.id|fieldref|cased: actor.id", true),
            ("timestamp|hour: 9", true),
            ("timestamp|hour|gte: 10", false),
            ("timestamp|minute: 5", true),
            ("resource.name|windash|contains: ' /enc'", true),
            ("resource.name|windash|contains: ' /enc y'", true),
            ("resource.name|windash|startswith: 'x -enc /y'", false),
            ("message|base64offset|contains: 'http://'", true),
            ("message|base64|startswith: 'hello '", true),
            ("resource.name|windash|contains|all: [' /enc', y]", true),
            ("resource.name|windash|contains|all: [' /enc', z]", false),
            ("message|base64offset|contains|all: [hello, 'http://']", true),
            ("message|base64offset|contains|all: [hello, 'ftp://']", false),
            ("changes.mfa.exclusion.trend: 'on'", true),
            ("changes.sudo.trend: [added]", true),
            ("changes.sudo.to: true", true),
            ("raw.changes.field: sudo", true),
            ("source.ip: '*'", false),
        ] {
            assert_eq!(one(test), Ok(want), "{test}");
        }
    }

    #[test]
    fn shapes_of_selections() {
        assert_eq!(check("a: [{username: x}, {success: false}]\ncondition: a"), Ok(true));
        assert_eq!(check("a: {username: x, success: false}\ncondition: a"), Ok(false));
        assert_eq!(check("a: [nothing, REQUESTS]\ncondition: a"), Ok(true));
        assert_eq!(check("a:\n  '|all': [requests, doe]\ncondition: a"), Ok(true));
        for (keywords, want) in [
            ("'|contains|all': [requests, zzz]", false),
            ("'|cased': requests", false),
            ("'|cased': Requests", true),
            ("'|re': '^Python R'", true),
            ("'|re': '^python r'", false),
            ("'|re|i|all': ['^python r', '^JANE']", true),
            ("'|startswith': requests", false),
            ("'|endswith': requests", true),
            ("'|base64offset': 'http://'", true),
            ("'|windash|all': [' /enc', jane]", true),
        ] {
            assert_eq!(check(&format!("a:\n  {keywords}\ncondition: a")), Ok(want), "{keywords}");
        }
        assert_eq!(check("a: {success: false}\nf: {username: jane.doe}\ncondition: a and not f"), Ok(false));
        assert_eq!(check("a: {username: x}\nb: {success: false}\ncondition: [a, b]"), Ok(true));
    }

    #[test]
    fn errors_name_the_remedy() {
        for (test, want) in [
            ("usernme: x", "did you mean `username`?"),
            ("username|contain: x", "did you mean `contains`?"),
            ("username|all: x", "remove it"),
            ("error_code|gt: many", "numbers are compared"),
            ("client_ip|cidr: 10.0.0.0/99", "is not a network"),
            ("username|re: '('", "not a regular expression"),
            ("username|exists: maybe", "true or false"),
            ("changes.sudo: true", "changes.sudo.trend"),
            ("username|startswith|endswith: x", "`startswith` and `endswith` cannot stand together: leave one out"),
            ("error_code|gt|lt: 5", "cannot stand together"),
            ("error_code|contains|gt: 5", "cannot stand together"),
            ("username|re|contains: x", "cannot stand together"),
            ("username|windash|re: x", "cannot stand together"),
            ("username|re|cased: x", "cannot stand together"),
            ("username|exists|neq: true", "cannot stand together"),
            ("username|fieldref|cidr: client_ip", "cannot stand together"),
            ("timestamp|hour|day: 5", "cannot stand together"),
            ("username|contains: null", "`username: null` is where there is nothing"),
            ("error_code|gt: null", "takes no null"),
            ("username|i|re: x", "`i` stands behind `re`: write `|re|i`"),
            ("message|base64offset|contains: 'http*'", "wildcards cannot be encoded"),
            ("message|base64offset|contains: ''", "too short"),
            ("message|base64offset|contains: a", "too short"),
            ("message|windash|base64: '-a -b -c -d'", "too many forms"),
            ("'|gt': 3", "stands behind no field"),
            ("'|cidr': 10.0.0.0/8", "stands behind no field"),
            ("'|neq': x", "stands behind no field"),
        ] {
            let error = one(test).unwrap_err();
            assert!(error.contains(want), "{test}: {error}");
        }
        assert!(check("a: {username: x}").unwrap_err().contains("lacks its `condition`"));
    }

    #[test]
    fn event_types_are_found_for_the_index() {
        let types = |text: &str| {
            let expr = compile(&super::super::file::yaml(text).unwrap(), &mut Vec::new()).unwrap();
            expr.event_types().map(|t| t.into_iter().collect::<Vec<_>>().join(","))
        };
        assert_eq!(types("a: {event_type: [x, y], success: true}\ncondition: a").as_deref(), Some("x,y"));
        assert_eq!(types("a: {event_type: x}\nb: {event_type: y}\ncondition: a or b").as_deref(), Some("x,y"));
        assert_eq!(types("a: {event_type: x}\nb: {success: true}\ncondition: a and not b").as_deref(), Some("x"));
        assert_eq!(types("a: {event_type: x}\nb: {success: true}\ncondition: a or b"), None);
        assert_eq!(types("a: {event_type: '*_create'}\ncondition: a"), None);
        // What is compared without case is looked up without case.
        assert_eq!(types("a: {event_type|cased: X}\nb: {event_type: x}\ncondition: a and b").as_deref(), Some("x"));
        let radius = types("a: {event_type: RADIUS_auth}\ncondition: a");
        assert_eq!(radius.as_deref(), Some("radius_auth_attempt"));
    }
}
