//! Header: the names of the columns of a CSV as the fields that they stand for.

use crate::event::field::{Field, Named, has_members, is_member_of, is_nested};

/// A column's name as the field it stands for: `Event Type` is `event_type`, `geoip/country_code` is `geoip.country_code`.
pub fn field(header: &str) -> String {
    // A table that was put behind another one brings its byte order mark.
    let name = header.trim_start_matches('\u{feff}').trim().trim_matches('"').trim();
    if is_known(name) {
        return name.to_owned();
    }
    if let Some(path) = joined(name) {
        return path;
    }
    let (head, below) = name.split_at(name.find('.').unwrap_or(name.len()));
    match head.to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
        "_version" => "@version".to_owned(),
        // What holds members is no text, whatever a person's table calls so.
        head if head == RESULT || is_known(head) && !(below.is_empty() && has_members(head)) => {
            format!("{head}{below}")
        }
        _ => name.to_owned(),
    }
}

/// The column that says how it ended in the exports that people make.
pub const RESULT: &str = "result";

/// Whether a path of a record is one that is documented or was seen.
pub fn is_known(path: &str) -> bool {
    matches!(Field::named(&format!("raw.{path}")), Named::Known(_))
}

/// The path of a name in which members are joined by something else than dots: csvkit writes `geoip/country_code`, others
/// `geoip:country_code` or `geoip_country_code`. Names have underscores themselves, so of these only what is documented is taken.
fn joined(name: &str) -> Option<String> {
    let by_mark = ['/', ':'].into_iter().find_map(|mark| Some((mark, name.split_once(mark)?.0)));
    if let Some((mark, _)) = by_mark.filter(|(_, head)| is_nested(head)) {
        return Some(name.replace(mark, "."));
    }
    let (head, index, member) = split(name)?;
    let index = index.map(|index| format!(".{index}")).unwrap_or_default();
    is_member_of(head, member).then(|| format!("{head}{index}.{member}"))
}

/// Whether a name is a path joined by underscores of which it cannot be told where they stand for dots.
pub fn is_ambiguous(name: &str) -> bool {
    let ends = |member: &str| member.match_indices('_').map(|(at, _)| at).collect::<Vec<_>>();
    let begins = |head: &str, member: &str| ends(member).into_iter().any(|at| is_member_of(head, &member[..at]));
    !is_known(name) && split(name).is_some_and(|(head, _, member)| !is_member_of(head, member) && begins(head, member))
}

/// The object that a name joined by underscores begins with, the place in a list behind it, and the rest.
fn split(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let marks = name.match_indices('_').map(|(at, _)| at);
    let (head, rest) = marks.map(|at| (&name[..at], &name[at + 1..])).rfind(|(head, _)| is_nested(head))?;
    let index = rest.split_once('_').filter(|(index, _)| is_index(index));
    Some(index.map_or((head, None, rest), |(index, rest)| (head, Some(index), rest)))
}

/// Whether a part of a path is a place in a list.
pub fn is_index(part: &str) -> bool {
    !part.is_empty() && part.len() < 4 && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_may_be_joined_by_other_marks() {
        for (name, want) in [
            ("initiated_by/id", "initiated_by.id"),
            ("auth_context/auth_methods/totp/success", "auth_context.auth_methods.totp.success"),
            ("changes/0/field", "changes.0.field"),
            ("geoip:country_code", "geoip.country_code"),
            ("geoip_country_code", "geoip.country_code"),
            ("user_agent_name", "user_agent.name"),
            ("changes_1_field", "changes.1.field"),
            // names of their own
            ("system_timestamp", "system_timestamp"),
            ("auth_type", "auth_type"),
            ("error_message", "error_message"),
            ("My/Column", "My/Column"),
            ("system_colour", "system_colour"),
        ] {
            assert_eq!(field(name), want);
        }
        let ambiguous =
            ["auth_context_auth_methods_password_success", "system_timestamp", "system_colour", "geoip_city"];
        assert_eq!(ambiguous.map(is_ambiguous), [true, false, false, false]);
    }
}
