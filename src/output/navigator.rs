//! Navigator: the coverage of ATT&CK as a layer of the ATT&CK Navigator, format 4.5
//! (mitre-attack/attack-navigator, `layers/spec/v4.5/layerformat.md`).

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::rule::Rule;
use crate::rule::attack::slug;

#[derive(Serialize)]
struct Layer<'r> {
    name: &'static str,
    versions: Versions,
    domain: &'static str,
    description: &'static str,
    techniques: Vec<Technique<'r>>,
    gradient: Gradient,
}

#[derive(Serialize)]
struct Versions {
    attack: &'static str,
    navigator: &'static str,
    layer: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Technique<'r> {
    #[serde(rename = "techniqueID")]
    id: &'r str,
    tactic: String,
    /// how many rules
    score: usize,
    comment: String,
    enabled: bool,
    show_subtechniques: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gradient {
    colors: [&'static str; 2],
    min_value: usize,
    max_value: usize,
}

/// The rules of each technique, by tactic and technique.
pub fn covered<'r>(rules: &[&'r Rule]) -> BTreeMap<(&'r str, &'r str), Vec<&'r str>> {
    let mut covered: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for rule in rules {
        for technique in &rule.techniques {
            let names = covered.entry((&technique.tactic, &technique.id)).or_default();
            if !names.contains(&rule.name.as_str()) {
                names.push(&rule.name);
            }
        }
    }
    covered
}

/// Writes a layer.
pub fn layer(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    let covered = covered(rules);
    let most = covered.values().map(Vec::len).max().unwrap_or(1);
    let techniques = covered.into_iter().map(|((tactic, id), names)| Technique {
        id,
        tactic: slug(tactic),
        score: names.len(),
        comment: names.join(", "),
        enabled: true,
        show_subtechniques: id.contains('.'),
    });
    let layer = Layer {
        name: "jcdetect",
        versions: Versions { attack: "19", navigator: "5.2.0", layer: "4.5" },
        domain: "enterprise-attack",
        description: "Techniques that rules of jcdetect look for in JumpCloud Directory Insights; the score is the number of rules",
        techniques: techniques.collect(),
        gradient: Gradient { colors: ["#d6e9f8", "#1c6dab"], min_value: 1, max_value: most },
    };
    serde_json::to_writer_pretty(&mut *out, &layer)?;
    writeln!(out)
}
