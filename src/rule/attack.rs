//! ATT&CK: the techniques that rules name, with their names in version 19 (April 2026), and the ids that
//! version retired.

use crate::event::letters;

/// A technique of a rule, under the tactic it serves there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// tactic in words: `Credential Access`
    pub tactic: String,
    /// `T1110` or `T1110.001`
    pub id: String,
    /// `Brute Force`; empty if the table does not know it
    pub name: &'static str,
}

/// The techniques in the tags of a rule. A tactic stands in front of its techniques.
pub fn of_tags(tags: &[String]) -> Vec<Technique> {
    let mut tactic = String::new();
    let mut out = Vec::new();
    for tag in tags {
        let Some(word) = tag.strip_prefix("attack.") else { continue };
        if is_technique(word) {
            let id = current(&word.to_ascii_uppercase()).to_owned();
            let name = name(&id).unwrap_or_default();
            out.push(Technique { tactic: tactic.clone(), id, name });
        } else {
            tactic = words(word);
        }
    }
    out
}

/// What is wrong with the tags of a rule, if anything.
pub fn check(tags: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for tag in tags {
        let Some(word) = tag.strip_prefix("attack.") else { continue };
        let id = word.to_ascii_uppercase();
        if !is_technique(word) {
            if !TACTICS.contains(&word) {
                wrong.push(format!("{tag}: no tactic of ATT&CK"));
            }
        } else if current(&id) != id {
            wrong.push(format!("{tag}: retired in version 19, now {}", current(&id)));
        } else if name(&id).is_none() {
            wrong.push(format!("{tag}: no technique or tactic of ATT&CK that is known here"));
        }
    }
    wrong
}

fn is_technique(word: &str) -> bool {
    word.strip_prefix(['t', 'T']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn words(tactic: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if word != "and" => first.to_uppercase().chain(letters).collect(),
            _ => word.to_owned(),
        }
    };
    tactic.split(['-', '_']).filter(|w| !w.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
}

/// The id that a retired one became.
fn current(id: &str) -> &str {
    match id {
        "T1562" | "T1562.001" => "T1685",
        "T1562.008" => "T1685.002",
        "T1562.007" | "T1562.004" => "T1686",
        "T1656" => "T1684",
        other => other,
    }
}

/// The name of a technique.
pub fn name(id: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

/// The tactics of version 19, in words.
pub fn tactics() -> impl Iterator<Item = String> {
    TACTICS.iter().filter(|tactic| **tactic != "defense-evasion").map(|tactic| words(tactic))
}

/// A tactic as ATT&CK spells it in data: `credential-access`.
pub fn slug(tactic: &str) -> String {
    letters::lower(tactic).replace(' ', "-")
}

/// The place of a tactic, in words, in the order in which an intruder goes; an unknown one comes last.
pub fn place(tactic: &str) -> usize {
    let slug = slug(tactic);
    TACTICS.iter().position(|known| *known == slug).unwrap_or(TACTICS.len())
}

/// The tactics that tags may name, in the order in which an intruder goes; version 19 has split the evasion of defences
/// into two.
const TACTICS: &[&str] = &[
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "stealth",
    "defense-evasion",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

const NAMES: &[(&str, &str)] = &[
    ("T1003", "OS Credential Dumping"),
    ("T1021", "Remote Services"),
    ("T1021.001", "Remote Services: Remote Desktop Protocol"),
    ("T1021.004", "Remote Services: SSH"),
    ("T1040", "Network Sniffing"),
    ("T1053", "Scheduled Task/Job"),
    ("T1053.005", "Scheduled Task/Job: Scheduled Task"),
    ("T1059", "Command and Scripting Interpreter"),
    ("T1069.002", "Permission Groups Discovery: Domain Groups"),
    ("T1070", "Indicator Removal"),
    ("T1070.006", "Indicator Removal: Timestomp"),
    ("T1072", "Software Deployment Tools"),
    ("T1078", "Valid Accounts"),
    ("T1078.002", "Valid Accounts: Domain Accounts"),
    ("T1078.003", "Valid Accounts: Local Accounts"),
    ("T1078.004", "Valid Accounts: Cloud Accounts"),
    ("T1087", "Account Discovery"),
    ("T1087.002", "Account Discovery: Domain Account"),
    ("T1087.004", "Account Discovery: Cloud Account"),
    ("T1090.003", "Proxy: Multi-hop Proxy"),
    ("T1098", "Account Manipulation"),
    ("T1098.001", "Account Manipulation: Additional Cloud Credentials"),
    ("T1098.003", "Account Manipulation: Additional Cloud Roles"),
    ("T1098.004", "Account Manipulation: SSH Authorized Keys"),
    ("T1098.005", "Account Manipulation: Device Registration"),
    ("T1098.007", "Account Manipulation: Additional Local or Domain Groups"),
    ("T1105", "Ingress Tool Transfer"),
    ("T1106", "Native API"),
    ("T1110", "Brute Force"),
    ("T1110.001", "Brute Force: Password Guessing"),
    ("T1110.003", "Brute Force: Password Spraying"),
    ("T1110.004", "Brute Force: Credential Stuffing"),
    ("T1111", "Multi-Factor Authentication Interception"),
    ("T1136", "Create Account"),
    ("T1136.003", "Create Account: Cloud Account"),
    ("T1195.002", "Supply Chain Compromise: Compromise Software Supply Chain"),
    ("T1199", "Trusted Relationship"),
    ("T1213", "Data from Information Repositories"),
    ("T1219", "Remote Access Tools"),
    ("T1484", "Domain or Tenant Policy Modification"),
    ("T1484.002", "Domain or Tenant Policy Modification: Trust Modification"),
    ("T1485", "Data Destruction"),
    ("T1489", "Service Stop"),
    ("T1490", "Inhibit System Recovery"),
    ("T1499", "Endpoint Denial of Service"),
    ("T1530", "Data from Cloud Storage"),
    ("T1531", "Account Access Removal"),
    ("T1538", "Cloud Service Dashboard"),
    ("T1539", "Steal Web Session Cookie"),
    ("T1543.003", "Create or Modify System Process: Windows Service"),
    ("T1546", "Event Triggered Execution"),
    ("T1548", "Abuse Elevation Control Mechanism"),
    ("T1548.003", "Abuse Elevation Control Mechanism: Sudo and Sudo Caching"),
    ("T1550", "Use Alternate Authentication Material"),
    ("T1550.001", "Use Alternate Authentication Material: Application Access Token"),
    ("T1550.004", "Use Alternate Authentication Material: Web Session Cookie"),
    ("T1552", "Unsecured Credentials"),
    ("T1552.001", "Unsecured Credentials: Credentials In Files"),
    ("T1553", "Subvert Trust Controls"),
    ("T1555", "Credentials from Password Stores"),
    ("T1555.005", "Credentials from Password Stores: Password Managers"),
    ("T1556", "Modify Authentication Process"),
    ("T1556.006", "Modify Authentication Process: Multi-Factor Authentication"),
    ("T1556.007", "Modify Authentication Process: Hybrid Identity"),
    ("T1556.009", "Modify Authentication Process: Conditional Access Policies"),
    ("T1557", "Adversary-in-the-Middle"),
    ("T1561", "Disk Wipe"),
    ("T1565", "Data Manipulation"),
    ("T1566", "Phishing"),
    ("T1567", "Exfiltration Over Web Service"),
    ("T1570", "Lateral Tool Transfer"),
    ("T1574", "Hijack Execution Flow"),
    ("T1584", "Compromise Infrastructure"),
    ("T1588.002", "Obtain Capabilities: Tool"),
    ("T1589", "Gather Victim Identity Information"),
    ("T1606.002", "Forge Web Credentials: SAML Tokens"),
    ("T1608", "Stage Capabilities"),
    ("T1621", "Multi-Factor Authentication Request Generation"),
    ("T1649", "Steal or Forge Authentication Certificates"),
    ("T1684", "Social Engineering"),
    ("T1685", "Disable or Modify Tools"),
    ("T1685.002", "Disable or Modify Tools: Disable or Modify Cloud Logs"),
    ("T1686", "Disable or Modify System Firewall"),
    ("T1689", "Downgrade Attack"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_techniques_under_their_tactics() {
        let tags =
            ["attack.credential-access", "attack.t1110", "attack.initial-access", "attack.t1078.004", "cve.2023"];
        let techniques = of_tags(&tags.map(str::to_owned));
        assert_eq!(
            techniques[0],
            Technique { tactic: "Credential Access".into(), id: "T1110".into(), name: "Brute Force" }
        );
        assert_eq!((techniques[1].tactic.as_str(), techniques[1].id.as_str()), ("Initial Access", "T1078.004"));
    }

    #[test]
    fn a_tactic_may_begin_with_any_letter() {
        let techniques = of_tags(&["attack.über-tactic", "attack.t1110"].map(str::to_owned));
        assert_eq!(techniques[0].tactic, "Über Tactic");
    }

    #[test]
    fn retired_and_unknown_ids_are_pointed_out() {
        let wrong = check(&["attack.t1562.008".to_owned(), "attack.t9999".to_owned(), "attack.persistance".to_owned()]);
        assert_eq!(wrong.len(), 3);
        assert!(wrong[0].contains("T1685.002"));
        assert!(check(&["attack.t1110".to_owned(), "attack.persistence".to_owned()]).is_empty());
    }
}
