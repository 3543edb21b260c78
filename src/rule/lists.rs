//! Lists: named lists of values that rules take with `expand`: privileged groups, service accounts, VPN
//! networks. They are inferred or empty until a configuration says what they are.

use std::collections::BTreeMap;

use serde_json::Value as Yaml;

use super::file;
use crate::event::field::nearest_of;

const BUILT_IN: &str = include_str!("lists.yml");

/// What a run can have beside events and lists: indicators, and the operators of networks.
const INPUTS: [&str; 2] = ["intel", "asn"];

/// The lists.
#[derive(Clone, Debug)]
pub struct Lists {
    values: BTreeMap<String, Vec<Yaml>>,
}

impl Default for Lists {
    fn default() -> Lists {
        let mut lists = Lists { values: BTreeMap::new() };
        if let Ok(Yaml::Object(map)) = file::yaml(BUILT_IN) {
            lists.values.extend(map.into_iter().filter_map(|(name, list)| Some((name, list.as_array()?.clone()))));
        }
        lists
    }
}

impl Lists {
    /// The names of all lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What is left of a rule's needs: nothing, if one of them is a list that holds something.
    pub fn lacking(&self, needs: Vec<String>) -> Result<Vec<String>, String> {
        for need in &needs {
            match self.values.get(need) {
                Some(values) if !values.is_empty() => return Ok(vec![]),
                None if !INPUTS.contains(&need.as_str()) => {
                    let near = nearest_of(need, self.names().chain(INPUTS));
                    let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    return Err(format!("{need:?} is neither a list nor intel or asn{hint}"));
                }
                _ => {}
            }
        }
        Ok(needs)
    }

    /// Says what a list is; an unknown name is an error with the nearest good one.
    pub fn replace(&mut self, name: &str, values: Vec<String>) -> Result<(), String> {
        let known = self.values.get_mut(name);
        match known {
            Some(known) => *known = values.into_iter().map(Yaml::String).collect(),
            None => return Err(self.unknown(name)),
        }
        Ok(())
    }

    /// Adds to what a list is.
    pub fn extend(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        self.values.entry(name.to_owned()).or_default().extend(values.into_iter().map(Yaml::String));
    }

    fn unknown(&self, name: &str) -> String {
        let near = nearest_of(name, self.names()).map(|near| format!("; did you mean {near}?"));
        let known: Vec<&str> = self.names().collect();
        near.map_or_else(
            || format!("no list {name}; there are {}", known.join(", ")),
            |near| format!("no list {name}{near}"),
        )
    }

    /// Puts the values of lists where a rule names them: `field|expand: "%name%"`, also among other values.
    pub fn expand(&self, yaml: &mut Yaml) -> Result<(), (String, String)> {
        match yaml {
            Yaml::Object(map) => {
                for (key, value) in map {
                    if key.split('|').skip(1).any(|word| word == "expand") {
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
        let mut values = Vec::new();
        for value in written {
            let name = value.as_str().and_then(|text| text.strip_prefix('%')?.strip_suffix('%'));
            match name {
                Some(name) => values
                    .extend(self.values.get(name).ok_or_else(|| (key.to_owned(), self.unknown(name)))?.iter().cloned()),
                None => values.push(value.clone()),
            }
        }
        Ok(Yaml::Array(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stand_where_rules_name_them() {
        let mut lists = Lists::default();
        assert!(lists.names().any(|name| name == "vpn_networks"));
        lists.replace("vpn_networks", vec!["192.0.2.0/24".to_owned()]).unwrap();
        let mut yaml = file::yaml("a: {source.ip|cidr|expand: ['%vpn_networks%', 10.0.0.0/8]}").unwrap();
        lists.expand(&mut yaml).unwrap();
        assert_eq!(yaml["a"]["source.ip|cidr|expand"], serde_json::json!(["192.0.2.0/24", "10.0.0.0/8"]));
        let error = lists.replace("vpn_network", vec![]).unwrap_err();
        assert_eq!(error, "no list vpn_network; did you mean vpn_networks?");
        let needs = |need: &str| lists.lacking(vec![need.to_owned()]);
        assert_eq!(needs("vpn_networks").unwrap(), Vec::<String>::new());
        assert_eq!(needs("off_hours").unwrap(), ["off_hours"]);
        assert!(needs("of_hours").unwrap_err().contains("did you mean off_hours?"));
        let mut wrong = file::yaml("a: {actor.name|expand: '%servce_accounts%'}").unwrap();
        assert!(lists.expand(&mut wrong).unwrap_err().1.contains("did you mean service_accounts?"));
    }
}
