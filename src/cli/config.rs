//! Config: what an organization says about itself in `jcdetect.yml`: its lists, its own rules, what it wants
//! reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value as Yaml;

use super::choices;
use super::document;
use super::office;
use super::say;
use crate::enrich::known::Known;
use crate::event::nearest::hint;
use crate::event::networks;
use crate::event::time::Span;
use crate::rule::file;
use crate::rule::lists::Lists;
use crate::rule::{Rule, Severity};
use crate::triage::question::Contacts;
use crate::triage::suppression::Suppression;

/// The name of the file.
const NAME: &str = "jcdetect.yml";

/// The lists of the organization's own networks.
const NETWORKS: [&str; 2] = ["vpn_networks", "office_networks"];

/// The keys of the file.
const KEYS: &[&str] =
    &["lists", "office_hours", "rules", "enable", "disable", "levels", "cases", "contacts", "suppress"];

/// What the file says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// where it is; `None` if there is none
    pub path: Option<PathBuf>,
    /// the lists that rules name
    pub lists: Lists,
    /// folders of further rules
    pub rules: Vec<PathBuf>,
    /// rules reported though they are silent by default
    pub enable: Vec<String>,
    /// rules not reported
    pub disable: Vec<String>,
    /// rules of which all findings have another severity than their own
    pub levels: BTreeMap<String, Severity>,
    /// where the file names a rule that it enables, disables, or gives a level
    pub named: BTreeMap<String, String>,
    /// how far apart in time findings of one case may be
    pub case_within: Option<Span>,
    /// who is asked
    pub contacts: Contacts,
    /// findings that need nobody
    pub suppressions: Vec<Suppression>,
}

impl Config {
    /// The file that was named, or the one that is found; none with `--no-config`.
    pub fn new(named: Option<&Path>, has_none: bool, sources: &[PathBuf]) -> Result<Config> {
        match named {
            Some(_) if has_none => bail!("--config and --no-config: only one of them can be meant"),
            Some(path) => Config::read(path),
            None if has_none => Ok(Config::default()),
            None => found(sources).map_or_else(|| Ok(Config::default()), |path| Config::read(&path)),
        }
    }

    /// The same, where the networks of these files are the organization's own: rules that ask for a list of these find
    /// them there.
    pub fn knowing(mut self, files: &[PathBuf]) -> Result<Config> {
        if !files.is_empty() {
            let networks: Vec<String> = Known::load(files)?.networks.iter().map(ToString::to_string).collect();
            for list in NETWORKS {
                self.lists.extend(list, networks.iter().cloned());
            }
        }
        Ok(self)
    }

    /// Says which file it is, unless only errors are said.
    pub fn tell(&self, is_quiet: bool) {
        if let Some(path) = self.path.as_ref().filter(|_| !is_quiet) {
            say(format_args!("using {}", path.display()));
        }
    }

    /// Whether a rule's findings are wanted.
    pub fn wants(&self, rule: &Rule) -> bool {
        let is_on = !rule.is_opt_in || self.enable.contains(&rule.name);
        is_on && !self.disable.contains(&rule.name)
    }

    fn read(path: &Path) -> Result<Config> {
        let text = document::read(path).map_err(|error| anyhow!("--config {}: {error}", path.display()))?;
        Config::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Config> {
        let document = file::Document { text, line: 1 };
        let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let yaml = match is_empty {
            true => Yaml::Object(serde_json::Map::new()),
            false => file::yaml(text).map_err(|e| anyhow!("{}:{}: {e}", path.display(), e.line))?,
        };
        Config::of(&yaml, path, document)
    }

    /// What a configuration says that is read already, out of a document of a file.
    pub fn of(yaml: &Yaml, path: &Path, document: file::Document<'_>) -> Result<Config> {
        let text = document.text;
        let at = |word: &str| format!("{}:{}", path.display(), document.line_of(word));
        let Yaml::Object(map) = yaml else { bail!("{}:1: a configuration is a map of keys", path.display()) };
        let mut config = Config { path: Some(path.to_owned()), ..Config::default() };
        for (key, value) in map {
            let texts = || texts(value).with_context(|| format!("{}: `{key}`", at(key)));
            match key.as_str() {
                "lists" => {
                    let Yaml::Object(lists) = value else { bail!("{}: `lists` is a map of lists", at(key)) };
                    for (name, values) in lists {
                        let values = self::texts(values).with_context(|| format!("{}: `{name}`", at(name)))?;
                        let is_wrong = |text: &&String| networks::network(text).is_none();
                        if NETWORKS.contains(&name.as_str())
                            && let Some(wrong) = values.iter().find(is_wrong)
                        {
                            bail!(
                                "{}: `{name}`: {wrong:?} is not a network; write 203.0.113.0/24 or an address",
                                at(wrong)
                            );
                        }
                        config.lists.replace(name, values).map_err(|message| anyhow!("{}: {message}", at(name)))?;
                    }
                }
                "office_hours" => {
                    let hours = office::off_hours(value).with_context(|| format!("{}: `{key}`", at(key)))?;
                    config.lists.replace("off_hours", hours).map_err(|message| anyhow!("{}: {message}", at(key)))?;
                }
                "rules" => {
                    let folder = path.parent().unwrap_or(Path::new(""));
                    for text in texts()? {
                        let rules = folder.join(&text);
                        if !rules.exists() {
                            bail!("{}: `rules`: {} is not there", at(&text), rules.display());
                        }
                        config.rules.push(rules);
                    }
                }
                "enable" => config.enable = texts()?,
                "disable" => config.disable = texts()?,
                "levels" => config.levels = choices::levels(value, &choices::Place::new(path, text, key))?,
                "cases" => config.case_within = choices::cases(value, &choices::Place::new(path, text, key))?,
                "contacts" => config.contacts = choices::contacts(value, &choices::Place::new(path, text, key))?,
                "suppress" => config.suppressions = choices::suppress(value, &choices::Place::new(path, text, key))?,
                other => bail!("{}: no key `{other}`{}", at(other), hint(other, KEYS.iter().copied())),
            }
        }
        let under = |key: &'static str, name: &String| {
            (name.clone(), format!("{}:{}", path.display(), document.line_under(key, name)))
        };
        if let Some(both) = config.enable.iter().find(|rule| config.disable.contains(rule)) {
            let (_, line) = under("disable", both);
            bail!("{line}: `enable` has {both}, too: only one of them can be meant");
        }
        config.named.extend(config.levels.keys().map(|name| under("levels", name)));
        config.named.extend(config.disable.iter().map(|name| under("disable", name)));
        config.named.extend(config.enable.iter().map(|name| under("enable", name)));
        Ok(config)
    }
}

/// Text, or a list of it.
pub fn texts(value: &Yaml) -> Result<Vec<String>> {
    let text = |value: &Yaml| match value {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Number(number) => Ok(number.to_string()),
        _ => Err(anyhow!("expected a list of texts")),
    };
    match value {
        Yaml::Array(list) => list.iter().map(text).collect(),
        Yaml::Null => Ok(vec![]),
        single => Ok(vec![text(single)?]),
    }
}

/// The nearest file upward from the working folder, to the root of the repository or to home; outside of these only that
/// of the working folder is looked at, since anybody may write to the folders above. A file in a folder of sources is not
/// used: it belongs to the evidence.
fn found(sources: &[PathBuf]) -> Option<PathBuf> {
    let start = std::env::current_dir().ok()?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let evidence: BTreeSet<PathBuf> = sources.iter().filter_map(|source| source.canonicalize().ok()).collect();
    let is_end = |folder: &Path| folder.join(".git").exists() || home.as_deref() == Some(folder);
    let height = start.ancestors().position(is_end).unwrap_or(0);
    let mut paths = start.ancestors().take(height + 1).map(|folder| folder.join(NAME));
    paths.find(|path| path.is_file() && !evidence.iter().any(|source| source.is_dir() && path.starts_with(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("docs/jcdetect.yml")).map_err(|e| format!("{e:#}"))
    }

    #[test]
    fn what_it_says() {
        let config = parse("lists:\n  vpn_networks: [192.0.2.0/24]\nrules: rules\nenable: [report-export]\n").unwrap();
        assert_eq!(config.rules, [PathBuf::from("docs/rules")]);
        assert_eq!(config.enable, ["report-export"]);
        assert!(parse("# nothing\n").unwrap().enable.is_empty());
    }

    #[test]
    fn mistakes_are_pointed_out() {
        for (text, want) in [
            ("enable: []\nlist: {}\n", "docs/jcdetect.yml:2: no key `list`; did you mean `lists`?"),
            ("lists:\n  vpn_network: []\n", "docs/jcdetect.yml:2: no list vpn_network; did you mean `vpn_networks`?"),
            ("lists:\n  vpn_networks: {a: b}\n", "docs/jcdetect.yml:2: `vpn_networks`: expected a list of texts"),
            (
                "lists:\n  vpn_networks: [192.0.2.1, nonsense]\n",
                "docs/jcdetect.yml:2: `vpn_networks`: \"nonsense\" is not a network; write 203.0.113.0/24 or an address",
            ),
            ("office_hours: {from: '8'}\n", "docs/jcdetect.yml:1: `office_hours`: `from: 8` is not a time"),
            ("a: [\n", "docs/jcdetect.yml:"),
            ("- a\n", "a configuration is a map of keys"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(want) || error.contains(want), "{error}");
        }
    }
}
