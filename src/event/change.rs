//! Change: one entry of `changes[]`, what a field was and became, and the trend between the two.
//!
//! A field is addressed by its name as Directory Insights writes it, which may itself have dots
//! (`settings.passwordPolicy`): the longest literal name wins, and what is left of the path leads into the
//! objects (`settings.passwordPolicy.minLength`). A path shorter than every name stands for all fields
//! below it (`config.acsUrl` for `config.acsUrl.value`). A field that is listed twice matches on any.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use ipnet::IpNet;

use super::json::Json;
use super::letters;
use super::networks::{self, Networks};

/// The before and after of one field. `None` is missing or `null`.
#[derive(Clone, Copy, Debug)]
pub struct Change<'e> {
    /// the value before
    pub from: Option<&'e Json<'e>>,
    /// the value after
    pub to: Option<&'e Json<'e>>,
    /// the record names the field and no value, as it does for passwords
    bare: bool,
    /// the record has no `from` of the field: that it is listed says that it changed
    from_nowhere: bool,
}

/// The entries with a name.
fn entries<'e>(json: &'e Json<'e>) -> Vec<(&'e str, &'e Json<'e>)> {
    let entries = json.get("changes").map_or(&[][..], Json::items).iter();
    entries.filter_map(|entry| Some((entry.text_at(&["field"])?, entry))).collect()
}

/// All changes, each with its field. Those of one field stand together, where and as it is first spelled. The same as
/// [`of`] each name, at once.
pub fn all<'e>(json: &'e Json<'e>) -> Vec<(&'e str, Change<'e>)> {
    let mut fields: Vec<(&str, Vec<Change<'_>>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, entry) in entries(json) {
        let place = *places.entry(name.to_ascii_lowercase()).or_insert(fields.len());
        if place == fields.len() {
            fields.push((name, Vec::new()));
        }
        fields[place].1.extend(change(entry, ""));
    }
    fields.into_iter().flat_map(|(name, changes)| changes.into_iter().map(move |change| (name, change))).collect()
}

/// Bytes of `changes` that are kept for sentences, and as many of the names of what is left out.
const TOLD: usize = 2048;
/// Stands for both sides of a change of which only the name is kept, so that nothing seems to have happened.
const LEFT_OUT: &str = "…";

/// A record with its `changes` alone, as JSON, for sentences. Of many or long ones the shortest are kept whole, and the
/// names of the others.
pub fn told(json: &Json<'_>) -> Option<String> {
    let entries = entries(json);
    let texts: Vec<String> = entries.iter().map(|(_, entry)| entry.to_string()).collect();
    let mut shortest: Vec<usize> = (0..texts.len()).collect();
    shortest.sort_by_key(|place| texts[*place].len());
    let (mut whole, mut room) = (vec![false; texts.len()], TOLD);
    for place in shortest {
        let Some(left) = room.checked_sub(texts[place].len()) else { break };
        (whole[place], room) = (true, left);
    }
    let mut room = TOLD;
    let kept = entries.iter().zip(texts).zip(whole).filter_map(|(((name, _), text), is_whole)| {
        let name = Json::Text((*name).into());
        let text = if is_whole { text } else { format!(r#"{{"field":{name},"from":"{LEFT_OUT}","to":"{LEFT_OUT}"}}"#) };
        room = room.checked_sub(if is_whole { 0 } else { text.len() })?;
        Some(text)
    });
    let kept: Vec<String> = kept.collect();
    (!kept.is_empty()).then(|| format!(r#"{{"changes":[{}]}}"#, kept.join(",")))
}

/// Whether only the name of a change was kept.
pub fn is_left_out(entry: &Json<'_>) -> bool {
    ["from", "to"].iter().all(|side| entry.text_at(&[side]) == Some(LEFT_OUT))
}

/// All changes of the field at `path`.
pub fn of<'e>(json: &'e Json<'e>, path: &str) -> Vec<Change<'e>> {
    let entries = entries(json);
    let longest = entries.iter().filter(|(name, _)| rest(path, name).is_some()).map(|(name, _)| name.len()).max();
    match longest {
        Some(length) => entries
            .iter()
            .filter(|(name, _)| name.len() == length)
            .filter_map(|(name, entry)| change(entry, rest(path, name)?))
            .collect(),
        None => entries
            .iter()
            .filter(|(name, _)| rest(name, path).is_some())
            .filter_map(|(_, entry)| change(entry, ""))
            .collect(),
    }
}

/// What of `path` is left behind `name`: empty if they are the same, `None` if it does not lead there.
fn rest<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let head = path.get(..name.len())?;
    if !head.eq_ignore_ascii_case(name) {
        return None;
    }
    match path[name.len()..].strip_prefix('.') {
        Some(rest) if !rest.is_empty() => Some(rest),
        None if path.len() == name.len() => Some(""),
        _ => None,
    }
}

fn change<'e>(entry: &'e Json<'e>, rest: &str) -> Option<Change<'e>> {
    let value = |key| entry.get(key).filter(|v| **v != Json::Null).and_then(|v| dig(v, rest));
    let (from, to) = (value("from"), value("to"));
    // What is created has only a `to`, which may be `null`.
    let is_of_new = entry.get("from").is_none() && entry.get("to").is_some();
    let bare = rest.is_empty() && !is_of_new && from.is_none() && to.is_none();
    let from_nowhere = rest.is_empty() && from.is_none();
    (bare || from.is_some() || to.is_some()).then_some(Change { from, to, bare, from_nowhere })
}

/// Follows a dotted path into objects, the longest literal key first.
fn dig<'e>(value: &'e Json<'e>, path: &str) -> Option<&'e Json<'e>> {
    if path.is_empty() {
        return (*value != Json::Null).then_some(value);
    }
    let mut steps: Vec<(&str, &Json<'_>)> =
        value.members().iter().filter_map(|(key, inner)| Some((rest(path, key)?, inner))).collect();
    steps.sort_by_key(|(left, _)| left.len());
    steps.into_iter().find_map(|(left, inner)| dig(inner, left))
}

impl Change<'_> {
    /// The set of words for what happened. Empty: nothing did.
    ///
    /// | from → to | trend |
    /// |---|---|
    /// | missing → `true` | on, added |
    /// | not given → `false`, of the field itself | off, added |
    /// | missing → anything else | added |
    /// | `true` → missing | off, removed, cleared |
    /// | anything else → missing | removed, cleared |
    /// | neither given, or both `null` (passwords) | changed |
    /// | equal, also a number and its spelling as a text | – |
    /// | `false` → `true`, `true` → `false` | on / off, changed |
    /// | number → larger, smaller | up / down, changed |
    /// | list gains, loses members (a part of a network that was there is no gain) | added / removed, changed |
    /// | list gains and loses none, or a network grows, or one wider than /16 comes in | widened |
    /// | `""` → anything | as from missing, changed |
    /// | anything → `""`, `[]`, `{}` | cleared, changed |
    /// | an e-mail address → the same in another case | nothing |
    /// | any other two | changed |
    pub fn trend(&self) -> Vec<&'static str> {
        match (self.from, self.to) {
            (None, None) if self.bare => vec!["changed"],
            (None, None) => vec![],
            (None, Some(to)) if to.truth() == Some(true) => vec!["on", "added"],
            (None, Some(to)) if self.from_nowhere && to.truth() == Some(false) => vec!["off", "added"],
            (None, Some(to)) if is_wide(to.items()) => vec!["added", "widened"],
            (None, Some(_)) => vec!["added"],
            (Some(from), None) if from.truth() == Some(true) => vec!["off", "removed", "cleared"],
            (Some(_), None) => vec!["removed", "cleared"],
            (Some(from), Some(to)) => between(from, to),
        }
    }

    /// The addresses and networks of `to` that `from` does not have, as `source.link` and `source.network` spell them.
    pub fn gained(&self) -> BTreeSet<String> {
        let of = |side: Option<&Json<'_>>| side.into_iter().flat_map(networks_in).collect::<Vec<_>>();
        let old = Networks::new(of(self.from));
        networks::spelled(of(self.to).into_iter().filter(|new| !old.covers(*new)))
    }
}

/// Whether two e-mail addresses differ by case alone, as they do where all are put in small letters.
fn is_same_mailbox(from: &Json<'_>, to: &Json<'_>) -> bool {
    let (Some(was), Some(is)) = (from.text(), to.text()) else { return false };
    was.contains('@') && !was.contains(char::is_whitespace) && letters::lower(was) == letters::lower(is)
}

fn between(from: &Json<'_>, to: &Json<'_>) -> Vec<&'static str> {
    if from.value_hash() == to.value_hash() || is_same_mailbox(from, to) {
        return vec![];
    }
    let mut trend = vec!["changed"];
    if from.text().is_none() && matches!(from, Json::Text(_)) {
        trend.extend(Change { from: None, to: Some(to), bare: false, from_nowhere: false }.trend());
    } else if let (Some(was), Some(is)) = (from.truth(), to.truth()) {
        if was != is {
            trend.push(if is { "on" } else { "off" });
        }
    } else if let (Json::Array(was), Json::Array(is)) = (from, to) {
        lists(was, is, &mut trend);
    } else if let (Some(was), Some(is)) = (from.number(), to.number()) {
        match is.partial_cmp(&was) {
            Some(Ordering::Greater) => trend.push("up"),
            Some(Ordering::Less) => trend.push("down"),
            // One number in two spellings. Two texts may be names that only look like numbers.
            _ if from.text().is_none() || to.text().is_none() => return vec![],
            _ => {}
        }
    }
    if to.says_nothing() {
        trend.push("cleared");
    }
    trend
}

/// The members of an object, without those that only describe it.
fn without_notes(item: &Json<'_>) -> Option<BTreeSet<(String, u128)>> {
    const NOTES: [&str; 5] = ["comment", "description", "label", "name", "note"];
    let Json::Object(members) = item else { return None };
    let told = members.iter().filter(|(key, _)| !NOTES.contains(&letters::lower(key).as_str()));
    Some(told.map(|(key, value)| (key.to_string(), value.value_hash())).collect())
}

fn lists(was: &[Json<'_>], is: &[Json<'_>], trend: &mut Vec<&'static str>) {
    let hashes = |items: &[Json<'_>]| items.iter().map(Json::value_hash).collect::<HashSet<_>>();
    let (before, after) = (hashes(was), hashes(is));
    let fresh: Vec<&Json<'_>> = is.iter().filter(|item| !before.contains(&item.value_hash())).collect();
    let networks = |items: &[Json<'_>]| Networks::new(items.iter().flat_map(networks_in).collect());
    let old = networks(was);
    let noted: BTreeSet<_> = was.iter().filter_map(without_notes).collect();
    // A part of a network that was there already is no gain, and neither is another note beside one.
    let is_new = |item: &&Json<'_>| {
        let named = networks_in(item);
        let is_as_before = || without_notes(item).is_none_or(|item| noted.contains(&item));
        named.is_empty() || named.into_iter().any(|new| !old.covers(new)) || !is_as_before()
    };
    let gained = fresh.iter().any(is_new);
    let lost = !before.is_subset(&after);
    if gained {
        trend.push("added");
    }
    if lost {
        trend.push("removed");
    }
    // A network that lies in a wider one that was there grows into nothing new.
    let grows = || {
        let new = networks(is);
        old.named().iter().filter_map(IpNet::supernet).any(|wider| new.covers(wider) && !old.covers(wider))
    };
    if (gained && !lost) || grows() || is_wide(fresh) {
        trend.push("widened");
    }
}

/// The networks that a value names: a text, the elements of a list, or the members of an object, as in `{ip, description}`.
fn networks_in(value: &Json<'_>) -> Vec<IpNet> {
    match value {
        Json::Array(items) => items.iter().flat_map(networks_in).collect(),
        Json::Object(members) => {
            members.iter().filter_map(|(_, member)| member.text()).flat_map(networks::networks).collect()
        }
        text => text.text().map(networks::networks).unwrap_or_default(),
    }
}

/// A network wider than an organization has: shorter than /16, or /32 of IPv6.
fn is_wide<'j>(items: impl IntoIterator<Item = &'j Json<'j>>) -> bool {
    let is_wide = |net: IpNet| net.prefix_len() < if net.addr().is_ipv4() { 16 } else { 32 };
    items.into_iter().flat_map(networks_in).any(is_wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(change: &str, path: &str) -> Vec<String> {
        let text = format!(r#"{{"changes":[{change}]}}"#);
        let json = Json::parse(&text).unwrap();
        let mut words: Vec<String> = of(&json, path).iter().flat_map(super::Change::trend).map(str::to_owned).collect();
        words.sort();
        words
    }

    #[test]
    fn table_of_trends() {
        for (values, want) in [
            (r#""to":true"#, "added on"),
            (r#""to":false"#, "added off"),
            (r#""from":null,"to":false"#, "added off"),
            (r#""from":null,"to":true"#, "added on"),
            (r#""to":8"#, "added"),
            (r#""from":"x""#, "cleared removed"),
            (r#""from":true"#, "cleared off removed"),
            (r#""from":true,"to":null"#, "cleared off removed"),
            (r#""from":false"#, "cleared removed"),
            (r#""from":"x","to":null"#, "cleared removed"),
            ("", "changed"),
            (r#""from":null,"to":null"#, "changed"),
            (r#""from":null"#, "changed"),
            (r#""to":null"#, ""),
            (r#""from":true,"to":true"#, ""),
            (r#""from":false,"to":true"#, "changed on"),
            (r#""from":true,"to":false"#, "changed off"),
            (r#""from":"true","to":"false"#, "changed off"),
            (r#""from":12,"to":8"#, "changed down"),
            (r#""from":8,"to":12"#, "changed up"),
            (r#""from":"12.0","to":12"#, ""),
            (r#""from":"12.5","to":12"#, "changed down"),
            (r#""from":"007","to":"7.0"#, "changed"),
            (r#""from":"a","to":"b""#, "changed"),
            (r#""from":"a","to":"A""#, "changed"),
            (r#""from":"Jo@X.example","to":"jo@x.example""#, ""),
            (r#""from":"echo A@b","to":"echo a@b""#, "changed"),
            (r#""from":"a","to":"""#, "changed cleared"),
            (r#""from":[1],"to":[1,2]"#, "added changed widened"),
            (r#""from":[1,2],"to":[1]"#, "changed removed"),
            (r#""from":[1,2],"to":[]"#, "changed cleared removed"),
            (r#""from":["10.0.0.0/24"],"to":["10.0.0.0/16"]"#, "added changed removed widened"),
            (r#""from":["10.0.0.1"],"to":["0.0.0.0/0"]"#, "added changed removed widened"),
            (r#""from":["198.51.100.0/24"],"to":["198.51.100.0/25"]"#, "changed removed"),
            (r#""from":["198.51.100.7"],"to":["198.51.100.7/32"]"#, "changed removed"),
            (r#""from":["198.51.100.7"],"to":["198.51.100.0/24"]"#, "added changed removed widened"),
            (r#""from":["10.0.0.1/24"],"to":["10.0.0.0/24"]"#, "changed removed"),
            (r#""from":["10.0.0.0/24"],"to":["10.0.0.0-10.0.0.255"]"#, "changed removed"),
            (r#""from":["10.0.0.0/24"],"to":["10.0.0.0/24","0.0.0.0-255.255.255.255"]"#, "added changed widened"),
            (
                r#""from":[{"ip":"10.0.0.1","description":"a"}],"to":[{"ip":"10.0.0.1","description":"b"}]"#,
                "changed removed",
            ),
            (r#""from":[{"ip":"10.0.0.1"}],"to":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]"#, "added changed widened"),
            (
                r#""from":[{"ip":"10.0.0.1","action":"deny"}],"to":[{"ip":"10.0.0.1","action":"allow"}]"#,
                "added changed removed",
            ),
            (r#""from":["10.0.0.0/8","10.1.0.0/16"],"to":["10.0.0.0/8","10.1.2.0/24"]"#, "changed removed"),
            (
                r#""from":["10.0.0.0/8","10.1.0.0/16","192.0.2.0/24"],"to":["10.0.0.0/8","10.1.0.0/16"]"#,
                "changed removed",
            ),
            (r#""from":["10.0.0.0/8","10.0.0.0/8"],"to":["10.0.0.0/8"]"#, "changed"),
            (r#""from":["10.0.0.0/8","10.1.0.0/16"],"to":["10.0.0.0/7"]"#, "added changed removed widened"),
            (r#""from":["10.0.0.0/24","10.0.1.0/24"],"to":["10.0.0.0/23"]"#, "changed removed"),
            (r#""from":["10.0.0.0/8","x"],"to":["11.0.0.0/8","x"]"#, "added changed removed widened"),
            (r#""from":["::ffff:10.0.0.0/104"],"to":["10.0.0.0/24"]"#, "changed removed"),
            (r#""from":["::a00:0/104"],"to":["10.0.0.0/24"]"#, "added changed removed"),
            (r#""from":["2001:db8::/48","10.0.0.0/24"],"to":["2001:db8::/47"]"#, "added changed removed widened"),
            (r#""from":["2001:db8::/48","::1"],"to":["2001:db8:0:1::/64"]"#, "changed removed"),
            (r#""to":["0.0.0.0/0"]"#, "added widened"),
            (r#""from":{"a":1},"to":{"a":2}"#, "changed"),
        ] {
            let comma = if values.is_empty() { "" } else { "," };
            let closed = if values.matches('"').count() % 2 == 1 { "\"" } else { "" };
            let change = format!(r#"{{"field":"f"{comma}{values}{closed}}}"#);
            assert_eq!(trend(&change, "f").join(" "), want, "{values}");
        }
    }

    /// Not each network is compared with each: that would take minutes.
    #[test]
    fn long_lists_are_compared_at_once() {
        let list = |from: u32| {
            let all = (from..from + 20_000).map(|n| format!("\"{}/32\"", std::net::Ipv4Addr::from(n * 3)));
            all.collect::<Vec<_>>().join(",")
        };
        let change = format!(r#"{{"field":"ips","from":[{}],"to":[{}]}}"#, list(1 << 20), list((1 << 20) + 1));
        assert_eq!(trend(&change, "ips").join(" "), "added changed removed");
        let noted = |note: &str| {
            let address = |n: u32| std::net::Ipv4Addr::from((1 << 20) + n * 3);
            let all = (0..20_000).map(|n| format!(r#"{{"ip":"{}","description":"{note}"}}"#, address(n)));
            all.collect::<Vec<_>>().join(",")
        };
        let change = format!(r#"{{"field":"ips","from":[{}],"to":[{}]}}"#, noted("a"), noted("b"));
        assert_eq!(trend(&change, "ips").join(" "), "changed removed");
    }

    #[test]
    fn what_networks_a_list_gained() {
        for (values, want) in [
            (r#""from":["10.0.0.1"],"to":["10.0.0.1","203.0.113.9/32"]"#, "203.0.113.9"),
            (r#""to":[{"ip":"203.0.113.9","description":"home of 2"},"our office",7]"#, "203.0.113.9"),
            (r#""from":["203.0.113.0/24"],"to":["203.0.113.9"]"#, ""),
            (r#""to":"203.0.113.9-203.0.113.9""#, "203.0.113.9"),
            (r#""from":["203.0.113.9"]"#, ""),
        ] {
            let json = format!(r#"{{"changes":[{{"field":"ips",{values}}}]}}"#);
            let json = Json::parse(&json).unwrap();
            let gained: Vec<String> = of(&json, "ips").iter().flat_map(Change::gained).collect();
            assert_eq!(gained.join(" "), want, "{values}");
        }
    }

    /// A list of switches is no switch, and those of an object that was not there are new, not turned.
    #[test]
    fn what_is_listed_as_false_was_turned_off() {
        let settings = r#"{"field":"settings","to":{"mfa":false,"portal":true}}"#;
        assert_eq!(trend(settings, "settings.mfa").join(" "), "added");
        assert_eq!(trend(settings, "settings.portal").join(" "), "added on");
        assert_eq!(trend(r#"{"field":"settings.mfa","to":"false"}"#, "settings.mfa").join(" "), "added off");
    }

    #[test]
    fn longest_literal_name_then_into_objects() {
        let policy = r#"{"field":"settings.passwordPolicy","from":{"minLength":12,"needsNumeric":true},"to":{"minLength":8,"needsNumeric":true}}"#;
        assert_eq!(trend(policy, "settings.passwordPolicy.minLength").join(" "), "changed down");
        assert!(trend(policy, "settings.passwordPolicy.needsNumeric").is_empty());
        assert!(trend(policy, "settings.passwordPolicy.maxHistory").is_empty());
        let both = format!(r#"{policy},{{"field":"settings.passwordPolicy.minLength","from":8,"to":14}}"#);
        assert_eq!(trend(&both, "settings.passwordPolicy.minLength").join(" "), "changed up");
    }

    #[test]
    fn a_shorter_path_stands_for_what_is_below() {
        let acs = r#"{"field":"config.acsUrl.value","from":"https://a","to":"https://b"}"#;
        assert_eq!(trend(acs, "config.acsUrl").join(" "), "changed");
        assert!(trend(acs, "config.acs").is_empty());
    }

    #[test]
    fn all_at_once_is_each_by_its_name() {
        let text = r#"{"changes":[{"field":"a","to":1},{"field":"B","to":2},{"field":"A"},{"field":"b","to":null},{"field":"a.b","to":3},{"field":""},7]}"#;
        let json = Json::parse(text).unwrap();
        let shown = |(name, change): (&str, Change<'_>)| format!("{name} {:?} {:?}", change.to, change.trend());
        let one_by_one =
            ["a", "B", "a.b"].into_iter().flat_map(|name| of(&json, name).into_iter().map(move |c| (name, c)));
        let (all, one_by_one): (Vec<_>, Vec<_>) =
            (all(&json).into_iter().map(shown).collect(), one_by_one.map(shown).collect());
        assert_eq!((all.len(), &all), (4, &one_by_one));
    }

    #[test]
    fn repeated_fields_match_on_any() {
        let twice = r#"{"field":"x","from":true,"to":false},{"field":"X","from":false,"to":true}"#;
        assert_eq!(trend(twice, "x").join(" "), "changed changed off on");
    }
}
