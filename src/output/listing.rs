//! Listing: the rules as a list, as the index of the documentation, and the page of one.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::navigator;
use super::safe::Safe;
use crate::event::counted::plural;
use crate::rule::Rule;
use crate::rule::attack;
use crate::rule::example::Example;
use crate::rule::told;

#[derive(Serialize)]
struct Listed<'r> {
    id: &'r str,
    title: &'r str,
    category: &'r str,
    severity: &'r str,
    status: &'r str,
    confidence: &'r str,
    duet: bool,
    opt_in: bool,
    attack: Vec<&'r str>,
    file: &'r str,
}

impl<'r> From<&'r Rule> for Listed<'r> {
    fn from(rule: &'r Rule) -> Listed<'r> {
        Listed {
            id: &rule.name,
            title: &rule.title,
            category: &rule.category,
            severity: rule.level.word(),
            status: &rule.status,
            confidence: rule.confidence.word(),
            duet: rule.duet.is_some(),
            opt_in: rule.is_opt_in,
            attack: techniques(rule),
            file: &rule.file,
        }
    }
}

/// Writes an array of objects.
pub fn json(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    let listed: Vec<Listed<'_>> = rules.iter().map(|rule| Listed::from(*rule)).collect();
    serde_json::to_writer_pretty(&mut *out, &listed)?;
    writeln!(out)
}

/// Writes a table for people.
pub fn table(rules: &[&Rule], is_terminal: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !is_terminal {
        table.set_width(140).force_no_tty();
    }
    table.set_header(["Category", "Severity", "Rule", "Title", ""]);
    for rule in rules {
        let title = Safe(&rule.title).to_string();
        table.add_row([rule.category.as_str(), rule.level.word(), &rule.name, &title, &marks(rule).join(", ")]);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    let rules = plural(rules.len() as u64, "rule");
    writeln!(out, "{rules}; `jcdetect rules show RULE` has the page of one")
}

/// The ids of a rule's techniques; one that serves two tactics is there once.
fn techniques(rule: &Rule) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for technique in &rule.techniques {
        if !ids.contains(&technique.id.as_str()) {
            ids.push(&technique.id);
        }
    }
    ids
}

/// What is particular about a rule, in words.
fn marks(rule: &Rule) -> Vec<&str> {
    let marks = [
        (rule.duet.is_some(), "question"),
        (rule.is_opt_in, "opt-in"),
        (rule.status == "experimental", "experimental"),
    ];
    marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect()
}

/// The index that stands in `docs/rules/README.md`.
pub fn markdown(rules: &[&Rule]) -> String {
    let mut text = String::from(
        "# Rules\n\nWritten by `jcdetect rules list --format markdown`; do not edit. `jcdetect rules show RULE` prints the page of a rule.\n\n\
        A *question* goes to the owner and not to the queue. *Opt-in* rules are silent unless `--enable RULE`, *experimental* ones rest on\nnames \
        that nobody published. What became of each planned detection stands in [decisions.md](decisions.md).\n",
    );
    let mut category = "";
    for rule in rules {
        if rule.category != category {
            category = &rule.category;
            let _ = write!(text, "\n## {category}\n\n| rule | severity | finds | ATT&CK | |\n|---|---|---|---|---|\n");
        }
        let marks = marks(rule).join(", ");
        let _ = writeln!(
            text,
            "| [`{}`](../../{}) | {} | {} | {} | {marks} |",
            rule.name,
            rule.file,
            rule.level,
            rule.title,
            techniques(rule).join(", ")
        );
    }
    text += &matrix(rules);
    text
}

/// What is covered of ATT&CK, and what cannot be.
fn matrix(rules: &[&Rule]) -> String {
    let mut text = String::from("\n## ATT&CK\n\n| tactic | technique | rules |\n|---|---|---|\n");
    let covered = navigator::covered(rules);
    for ((tactic, id), names) in &covered {
        let name = attack::name(id).unwrap_or_default();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {tactic} | {id} {name} | {} |", names.join(", "));
    }
    let is_free = |tactic: &String| !covered.keys().any(|(known, _)| known == tactic);
    let free: Vec<String> = attack::tactics().filter(is_free).collect();
    let free = if free.is_empty() { "none".to_owned() } else { free.join(", ") };
    let _ = writeln!(
        text,
        "\nTactics without a rule: {free}. Techniques that are not named here happen where Directory Insights does not look: on devices, in \
         networks, and inside applications."
    );
    text += GAPS;
    text
}

/// What the logs do not hold.
const GAPS: &str = "
## Known gaps

Directory Insights does not record these, so no rule can see them: what is read or listed with an API key (T1087.004, T1213); OAuth
grants and refresh tokens (T1528); session ids, so that session rules go by person, address, agent and country (T1539); whether a
push was refused or ran out, and \"report fraud\" (T1621); access by JumpCloud's own support (T1199); that an external log export was
switched off (look at gaps and silences in coverage, and at `directory-insights-off`; T1685.002); commands injected on the side of the
vendor, as in 2023, which run without a `command_create` or `command_run` of yours: compare with what the devices ran (T1195.002);
city and network operator, unless a newer feed or `--geoip` and `--asn` give them.
";

/// The page of a rule: what it finds, what to do, what it misses.
pub fn page(rule: &Rule, examples: &[Example]) -> String {
    let mut text = format!("# {}\n\n", Safe(&rule.title));
    let _ =
        writeln!(text, "{} · {} · {} · confidence {}", rule.name, rule.level, rule.category, rule.confidence.word());
    if rule.is_opt_in {
        let _ = writeln!(text, "Silent unless asked for: --enable {}", rule.name);
    }
    let _ = writeln!(text, "\n{}", Safe(&rule.description.replace('\n', " ")));
    let mut list = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            let _ = writeln!(text, "\n## {title}\n");
            items.iter().for_each(|item| {
                let _ = writeln!(text, "- {}", Safe(item));
            });
        }
    };
    list("What to do", rule.next_steps("FINDING"));
    list("Another level or title", rule.level_when.iter().map(told::case).collect());
    if let Some(duet) = &rule.duet {
        let question = format!("Ask ({}): {}", duet.ask, duet.question);
        list("Did you expect this?", vec![question, duet.first_action.clone()]);
    }
    list("What else it may be", rule.falsepositives.clone());
    list("What it does not see", Some(rule.misses.clone()).filter(|m| !m.is_empty()).into_iter().collect());
    let techniques = rule.techniques.iter().map(|t| format!("{} {} ({})", t.id, t.name, t.tactic));
    list("ATT&CK", techniques.collect());
    let examples = examples.iter().map(|e| match e.count {
        0 => format!("quiet: {}", e.name),
        _ => format!("fires: {}", e.name),
    });
    list("Examples", examples.collect());
    list("References", rule.references.clone());
    let _ = writeln!(text, "\nFile: {}", rule.file);
    text
}
