//! Block: a map of a rule file that is read key by key; what is left over is a mistake.

use serde_json::{Map, Value as Yaml};

use super::correlation::group_by;
use super::detection::{Fault, Warnings, fault, field};
use super::logic::{GroupBy, Reference};
use crate::event::field::Field;
use crate::event::nearest::hint;
use crate::event::time::Span;

/// A block of a rule file that is read key by key; what is left over is a mistake.
pub struct Block<'y> {
    name: &'static str,
    map: Map<String, Yaml>,
    known: Vec<&'static str>,
    pub(super) warnings: &'y mut Warnings,
}

impl<'y> Block<'y> {
    /// Starts to read a map.
    pub fn new(name: &'static str, value: Yaml, warnings: &'y mut Warnings) -> Result<Block<'y>, Fault> {
        match value {
            Yaml::Object(map) => Ok(Block { name, map, known: Vec::new(), warnings }),
            _ => Err(fault(name, format!("`{name}` has to be a map"))),
        }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Yaml> {
        self.known.push(key);
        self.map.remove(key)
    }

    pub(super) fn need(&mut self, key: &'static str) -> Result<Yaml, Fault> {
        let name = self.name;
        self.take(key).ok_or_else(|| fault(name, format!("`{name}` lacks `{key}`")))
    }

    pub(super) fn span(&mut self, key: &'static str) -> Result<Option<Span>, Fault> {
        self.take(key).map(|value| span(key, &value)).transpose()
    }

    /// A span in which something has to happen.
    pub(super) fn window(&mut self, key: &'static str) -> Result<Option<Span>, Fault> {
        match self.span(key)? {
            Some(Span(0)) => Err(fault(key, format!("`{key}` is at least 1s: nothing lies in an empty window"))),
            other => Ok(other),
        }
    }

    pub(super) fn need_window(&mut self, key: &'static str) -> Result<Span, Fault> {
        let name = self.name;
        self.window(key)?.ok_or_else(|| fault(name, format!("`{name}` lacks `{key}`")))
    }

    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<f64>, Fault> {
        let number = |value: Yaml| {
            value.as_f64().filter(|n| *n >= 0.0).ok_or_else(|| fault(key, format!("`{key}` takes a number")))
        };
        self.take(key).map(number).transpose()
    }

    pub(super) fn count(&mut self, key: &'static str) -> Result<Option<usize>, Fault> {
        let count = |value: Yaml| {
            let whole = value.as_u64().and_then(|n| usize::try_from(n).ok());
            whole.ok_or_else(|| fault(key, format!("`{key}` takes a whole number")))
        };
        self.take(key).map(count).transpose()
    }

    pub(super) fn names(&mut self, key: &'static str) -> Result<Vec<String>, Fault> {
        self.take(key).map_or(Ok(vec![]), |value| texts(key, &value))
    }

    pub(super) fn rule(&mut self, key: &'static str) -> Result<Reference, Fault> {
        match self.need(key)? {
            Yaml::String(name) => Ok(name),
            _ => Err(fault(key, format!("`{key}` takes the name of a rule"))),
        }
    }

    pub(super) fn group_by(&mut self, key: &'static str) -> Result<Vec<GroupBy>, Fault> {
        let names = self.names(key)?;
        let aliases = self.take("aliases").unwrap_or(Yaml::Null);
        let unused = aliases.as_object().into_iter().flatten().find(|(alias, _)| !names.contains(alias));
        if let Some((alias, _)) = unused {
            self.warnings.push(fault(alias, format!("nothing is grouped by alias `{alias}`: name it in `{key}`")));
        }
        names.iter().map(|name| group_by(name, &aliases, self.warnings)).collect()
    }

    pub(super) fn fields(&mut self, key: &'static str) -> Result<Vec<Field>, Fault> {
        let names = self.names(key)?;
        names.iter().map(|name| field(name, self.warnings)).collect()
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Fault> {
        match self.take(key) {
            None | Some(Yaml::Null) => Ok(None),
            Some(Yaml::String(text)) => Ok(Some(text)),
            Some(_) => Err(fault(key, format!("`{key}` takes text"))),
        }
    }

    /// A yes or no; missing is no.
    pub fn truth(&mut self, key: &'static str) -> Result<bool, Fault> {
        match self.take(key) {
            None | Some(Yaml::Null) => Ok(false),
            Some(Yaml::Bool(b)) => Ok(b),
            Some(_) => Err(fault(key, format!("`{key}` takes true or false"))),
        }
    }

    /// Complains of what nobody asked for.
    pub fn finish(self) -> Result<(), Fault> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => {
                let hint = hint(key, self.known.iter().copied());
                Err(fault(key.clone(), format!("`{}` has no key `{key}`{hint}", self.name)))
            }
        }
    }
}

/// A span of time in a rule file.
pub fn span(key: &str, value: &Yaml) -> Result<Span, Fault> {
    let text = value.as_str().unwrap_or_default().trim();
    Span::parse(text).ok_or_else(|| {
        let days = [('M', "months", 30), ('y', "years", 365)].into_iter().find_map(|(unit, units, days)| {
            let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
            Some(format!("`{key}`: {units} have no fixed length; write {}d", u64::from(count) * days))
        });
        fault(key, days.unwrap_or_else(|| format!("`{key}` takes a span such as 10m, 24h or 7d")))
    })
}

/// A list of texts, or a single one.
pub fn texts(key: &str, value: &Yaml) -> Result<Vec<String>, Fault> {
    let list = match value {
        Yaml::Array(list) => list,
        Yaml::Null => &[][..],
        single => std::slice::from_ref(single),
    };
    list.iter()
        .map(|v| v.as_str().map(str::to_owned).ok_or_else(|| fault(key, format!("`{key}` takes a list of texts"))))
        .collect()
}
