//! Lists: named lists of values that rules take with `expand`: privileged groups, service accounts, VPN
//! networks, which are inferred or empty until a configuration says what they are, and names that several
//! rules look for as expressions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value as Yaml};

use super::vocabulary;
use crate::event::nearest::{hint, nearest_of};
use crate::event::networks::{self, Networks};

/// `lists.yml`, as `build.rs` has read it.
const BUILT_IN: &str = include_str!(concat!(env!("OUT_DIR"), "/lists.json"));

/// What a run can have beside events and lists: indicators, and the operators of networks.
const INPUTS: [&str; 2] = ["intel", "asn"];

/// The lists.
#[derive(Clone, Debug)]
pub struct Lists {
    of_name: BTreeMap<String, List>,
}

#[derive(Clone, Debug, Default)]
struct List {
    values: Vec<Yaml>,
    /// the modifier without which the values mean nothing
    under: Option<String>,
    /// the same as networks, for all rules that ask for them
    networks: OnceLock<Arc<Networks>>,
}

impl List {
    /// A list as `lists.yml` has it: its values, or the modifier that they need, with them behind it.
    fn of(written: Yaml) -> Option<List> {
        let (under, values) = match written {
            Yaml::Object(map) => map.into_iter().next().map(|(modifier, values)| (Some(modifier), values))?,
            values => (None, values),
        };
        Some(List { values: values.as_array()?.clone(), under, networks: OnceLock::new() })
    }

    fn set(&mut self, values: Vec<Yaml>) {
        self.values = values;
        self.networks = OnceLock::new();
    }
}

impl Default for Lists {
    fn default() -> Lists {
        let built_in: Map<String, Yaml> = serde_json::from_str(BUILT_IN).unwrap_or_default();
        let list = |(name, written): (String, Yaml)| Some((name, List::of(written)?));
        Lists { of_name: built_in.into_iter().filter_map(list).collect() }
    }
}

impl Lists {
    /// The names of all lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.of_name.keys().map(String::as_str)
    }

    /// What is left of a rule's needs: nothing, if one of them is a list that holds something.
    pub fn lacking(&self, needs: Vec<String>) -> Result<Vec<String>, String> {
        let is_known = |need: &&String| self.of_name.contains_key(*need) || INPUTS.contains(&need.as_str());
        if let Some(need) = needs.iter().find(|need| !is_known(need)) {
            let hint = hint(need, self.names().chain(INPUTS));
            return Err(format!("{need:?} is neither a list nor intel or asn{hint}"));
        }
        let is_filled = |need: &String| self.of_name.get(need).is_some_and(|list| !list.values.is_empty());
        Ok(if needs.iter().any(is_filled) { vec![] } else { needs })
    }

    /// Replaces the values of a list; an unknown name is an error that suggests the nearest known one.
    pub fn replace(&mut self, name: &str, values: Vec<String>) -> Result<(), String> {
        if name == "embargoed_countries"
            && let Some(wrong) = values.iter().find(|value| !vocabulary::is_country(value))
        {
            return Err(format!("{wrong:?} in the list {name} is no country: {}", vocabulary::COUNTRY));
        }
        let further = format!("further_{name}");
        let has_further = self.of_name.contains_key(&further);
        match self.of_name.get_mut(name) {
            Some(list) if list.under.as_deref() == Some("re") => {
                let instead = if has_further { format!("; add yours as {further}") } else { String::new() };
                Err(format!("the list {name} holds expressions of the rules and is not replaced{instead}"))
            }
            Some(list) => {
                list.set(values.into_iter().map(Yaml::String).collect());
                Ok(())
            }
            None => Err(self.unknown(name)),
        }
    }

    /// Adds to what a list is.
    pub fn extend(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let list = self.of_name.entry(name.to_owned()).or_default();
        let mut all = std::mem::take(&mut list.values);
        all.extend(values.into_iter().map(Yaml::String));
        list.set(all);
    }

    /// The networks of a list, put together once for all who ask.
    pub fn networks(&self, name: &str) -> Result<Arc<Networks>, String> {
        let list = self.of_name.get(name).ok_or_else(|| self.unknown(name))?;
        if let Some(known) = list.networks.get() {
            return Ok(Arc::clone(known));
        }
        let one = |value: &Yaml| {
            let text = text(value);
            networks::network(&text).ok_or_else(|| format!("{text:?} in the list {name} is not a network"))
        };
        let networks = Networks::new(list.values.iter().map(one).collect::<Result<_, _>>()?);
        Ok(Arc::clone(list.networks.get_or_init(|| Arc::new(networks))))
    }

    fn unknown(&self, name: &str) -> String {
        format!("no list {name}{}", hint(name, self.names()))
    }

    /// Puts the values of lists where a rule names them: `field|expand: "%name%"`, also among other values.
    pub fn expand(&self, yaml: &mut Yaml) -> Result<(), (String, String)> {
        match yaml {
            Yaml::Object(map) => {
                for (key, value) in map {
                    let modifiers = key.split_once('|').map_or("", |(_, modifiers)| modifiers);
                    let has = |modifier: &str| modifiers.split('|').any(|word| word == modifier);
                    // A list of networks is one pattern for all rules that name it.
                    if has("expand") && has("cidr") && !has("all") && whole(value).is_some() {
                        continue;
                    }
                    if has("expand") {
                        *value = self.values_of(key, value)?;
                    } else {
                        self.expand(value)?;
                    }
                }
                Ok(())
            }
            Yaml::Array(items) => items.iter_mut().try_for_each(|item| self.expand(item)),
            _ => Ok(()),
        }
    }

    fn values_of(&self, key: &str, value: &Yaml) -> Result<Yaml, (String, String)> {
        let written = match value {
            Yaml::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        if !written.iter().any(|value| value.as_str().and_then(named).is_some()) {
            let near = written.iter().filter_map(Yaml::as_str).find_map(|text| nearest_of(text, self.names()));
            let hint = near.map(|near| format!(", such as \"%{near}%\"")).unwrap_or_default();
            let message = format!("`expand` puts lists in place of their names between `%`: write one{hint}");
            return Err((key.to_owned(), message));
        }
        let mut values = Vec::new();
        for value in written {
            self.fill(key, value.clone(), &mut values)?;
        }
        Ok(Yaml::Array(values))
    }

    /// A value for each value of the list that it names; a part of a text will do, and several. In an expression
    /// the list stands as one group of alternatives.
    fn fill(&self, key: &str, value: Yaml, out: &mut Vec<Yaml>) -> Result<(), (String, String)> {
        let Some((before, name, behind)) = value.as_str().and_then(named) else {
            out.push(value);
            return Ok(());
        };
        let list = self.of_name.get(name).ok_or_else(|| (key.to_owned(), self.unknown(name)))?;
        let has = |modifier: &str| key.split('|').any(|word| word == modifier);
        if let Some(modifier) = list.under.as_ref().filter(|modifier| !has(modifier)) {
            let message = format!("the values of {name} are no plain texts: write `{modifier}` before `expand`");
            return Err((key.to_owned(), message));
        }
        let is_one = has("re") && !has("all");
        let values = if is_one { alternatives(&list.values) } else { Cow::Borrowed(list.values.as_slice()) };
        if before.is_empty() && behind.is_empty() {
            out.extend(values.iter().cloned());
            return Ok(());
        }
        let mut rest = Vec::new();
        self.fill(key, behind.into(), &mut rest)?;
        for value in values.iter() {
            out.extend(rest.iter().map(|rest| Yaml::String(format!("{before}{}{}", text(value), text(rest)))));
        }
        Ok(())
    }
}

/// An expression that fits what any value of the list fits; an empty list fits nothing and has none.
fn alternatives(list: &[Yaml]) -> Cow<'_, [Yaml]> {
    if list.is_empty() {
        return Cow::Borrowed(list);
    }
    let each: Vec<String> = list.iter().map(|value| format!("(?:{})", text(value))).collect();
    Cow::Owned(vec![Yaml::String(format!("(?:{})", each.join("|")))])
}

/// A value of a list as text.
fn text(value: &Yaml) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of the list that a value is.
pub(super) fn whole(value: &Yaml) -> Option<&str> {
    named(value.as_str()?).filter(|(before, _, behind)| before.is_empty() && behind.is_empty()).map(|(_, name, _)| name)
}

/// The first name of a list in a text, with what stands before and behind it.
fn named(text: &str) -> Option<(&str, &str, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.match_indices('%').find_map(|(at, _)| {
        let (name, behind) = text[at + 1..].split_once('%')?;
        (!name.is_empty() && name.chars().all(is_part)).then_some((&text[..at], name, behind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::file;

    #[test]
    fn lists_stand_where_rules_name_them() {
        let mut lists = Lists::default();
        assert!(lists.names().any(|name| name == "vpn_networks"));
        lists.replace("vpn_networks", vec!["192.0.2.0/24".to_owned()]).unwrap();
        let mut yaml = file::yaml("a: {source.ip|cidr|expand: ['%vpn_networks%', 10.0.0.0/8]}").unwrap();
        lists.expand(&mut yaml).unwrap();
        assert_eq!(yaml["a"]["source.ip|cidr|expand"], serde_json::json!(["192.0.2.0/24", "10.0.0.0/8"]));
        lists.replace("automation_actors", vec!["ci".to_owned(), "cd".to_owned()]).unwrap();
        let mut part =
            file::yaml("a: {source.ip|expand: ['a-%automation_actors%-%automation_actors%.', '50%', 9]}").unwrap();
        lists.expand(&mut part).unwrap();
        let each = serde_json::json!(["a-ci-ci.", "a-ci-cd.", "a-cd-ci.", "a-cd-cd.", "50%", 9]);
        assert_eq!(part["a"]["source.ip|expand"], each);
        let mut alone = file::yaml("a: {source.ip|cidr|expand: '%vpn_networks%'}").unwrap();
        lists.expand(&mut alone).unwrap();
        assert_eq!(alone["a"]["source.ip|cidr|expand"], "%vpn_networks%");
        let networks = lists.networks("vpn_networks").unwrap();
        assert!(networks.contains("192.0.2.9".parse().unwrap()));
        assert!(Arc::ptr_eq(&networks, &lists.networks("vpn_networks").unwrap()));
        lists.extend("vpn_networks", ["198.51.100.0/24".to_owned()]);
        assert!(lists.networks("vpn_networks").unwrap().contains("198.51.100.9".parse().unwrap()));
        lists.extend("vpn_networks", ["office".to_owned()]);
        assert!(lists.networks("vpn_networks").unwrap_err().contains("\"office\" in the list vpn_networks"));
        let error = lists.replace("vpn_network", vec![]).unwrap_err();
        assert_eq!(error, "no list vpn_network; did you mean `vpn_networks`?");
        let needs = |needs: &[&str]| lists.lacking(needs.iter().map(|need| (*need).to_owned()).collect());
        assert_eq!(needs(&["off_hours", "vpn_networks"]).unwrap(), Vec::<String>::new());
        assert_eq!(needs(&["off_hours"]).unwrap(), ["off_hours"]);
        // A name that no list has is a mistake, also behind a list that holds something.
        for wrong in [&["of_hours", "vpn_networks"], &["vpn_networks", "of_hours"]] {
            assert!(needs(wrong).unwrap_err().contains("did you mean `off_hours`?"));
        }
        for (key, want) in [
            ("source.ip|expand: '%vpn_networks%'", "`cidr`"),
            ("timestamp|expand: '%off_hours%'", "`weekhour`"),
            ("command|expand: 'kill %sensors%'", "`re`"),
        ] {
            let mut bare = file::yaml(&format!("a: {{{key}}}")).unwrap();
            assert!(lists.expand(&mut bare).unwrap_err().1.contains(want), "{key}");
        }
        let mut expression =
            file::yaml("a: {command|re|i|expand: ['kill %automation_actors%$', '%further_security_programs%']}")
                .unwrap();
        lists.expand(&mut expression).unwrap();
        assert_eq!(expression["a"]["command|re|i|expand"], serde_json::json!(["kill (?:(?:ci)|(?:cd))$"]));
        let mut every = file::yaml("a: {command|re|all|expand: '%automation_actors%'}").unwrap();
        lists.expand(&mut every).unwrap();
        assert_eq!(every["a"]["command|re|all|expand"], serde_json::json!(["ci", "cd"]));
        let error = lists.replace("security_programs", vec![]).unwrap_err();
        assert!(error.ends_with("is not replaced; add yours as further_security_programs"), "{error}");
        let mut wrong = file::yaml("a: {actor.name|expand: '%servce_accounts%'}").unwrap();
        assert!(lists.expand(&mut wrong).unwrap_err().1.contains("did you mean `service_accounts`?"));
    }
}
