//! Missing: members that no event has though there are events that should: an export of some fields or columns, in which
//! rules find nothing since they see nothing.

use crate::detect::profile::Profiles;
use crate::event::catalogue::service_of;
use crate::event::coverage::Coverage;
use crate::event::field::{Field, Norm, Value};

/// A member of events that rules ask for.
struct Member {
    name: &'static str,
    /// by which it is known here: one of them has a value
    fields: &'static [Field],
    /// whether events of a type have it
    is_due: fn(&str) -> bool,
    /// so many events have to be without it, that it is no chance
    least: u64,
}

const MEMBERS: [Member; 8] = [
    Member { name: "initiated_by", fields: &[Field::Norm(Norm::ActorKey)], is_due: is_by_somebody, least: 20 },
    Member { name: "client_ip", fields: &[Field::Norm(Norm::SourceIp)], is_due: is_sign_in, least: 5 },
    Member { name: "success", fields: &[Field::Norm(Norm::Outcome)], is_due: is_portal_sign_in, least: 5 },
    Member {
        name: "mfa",
        fields: &[Field::Norm(Norm::MfaUsed), Field::Norm(Norm::PasswordOk)],
        is_due: is_portal_sign_in,
        least: 10,
    },
    Member { name: "geoip", fields: &[Field::Norm(Norm::SourceCountry)], is_due: is_by_somebody, least: 20 },
    Member { name: "useragent", fields: &[Field::Norm(Norm::AgentName)], is_due: is_by_somebody, least: 20 },
    Member { name: "resource", fields: &[Field::Norm(Norm::TargetKey)], is_due: is_of_users, least: 5 },
    Member { name: "changes", fields: &[Field::Changes], is_due: is_update, least: 20 },
];

fn is_by_somebody(event_type: &str) -> bool {
    matches!(service_of(event_type), Some("directory" | "sso"))
}

fn is_portal_sign_in(event_type: &str) -> bool {
    matches!(event_type, "user_login_attempt" | "admin_login_attempt")
}

fn is_sign_in(event_type: &str) -> bool {
    is_portal_sign_in(event_type) || event_type == "sso_auth"
}

fn is_of_users(event_type: &str) -> bool {
    matches!(event_type, "user_create" | "user_update" | "user_delete")
}

fn is_update(event_type: &str) -> bool {
    event_type.ends_with("_update")
}

/// The members that no event has, by the account of what was read and what its events have in common.
pub fn missing(coverage: &Coverage, profiles: &Profiles) -> Vec<&'static str> {
    // Of some events the rest tells the type.
    if coverage.types.get("").is_some_and(|without| without * 2 > coverage.events) {
        return vec!["event_type"];
    }
    let is_said = |value: &Value<'_>| value.text() != Some("none");
    let has = |profile, member: &Member| {
        let event_type = profiles.text(profile, Norm::EventType);
        event_type.is_some_and(member.is_due)
            && member.fields.iter().any(|field| profiles.field(profile, field).iter().any(is_said))
    };
    let is_missing = |member: &&Member| {
        let due = coverage.types.iter().filter(|(event_type, _)| (member.is_due)(event_type));
        due.map(|(_, count)| count).sum::<u64>() >= member.least
            && !(0..profiles.len()).any(|profile| has(profile, member))
    };
    MEMBERS.iter().filter(is_missing).map(|member| member.name).collect()
}
