//! Said: the raw fields that sentences say, and the event types in which they do. They are kept of events beside the
//! normalized ones, so that evidence and `timeline` can say them too.

use std::sync::LazyLock;

use super::words::field;
use crate::event::field::Field;
use crate::event::letters;
use crate::rule::kept::Wanted;

const ASSOCIATIONS: &[&str] = &["association_change", "access_management_association_change"];
const COMMANDS: &[&str] = &["device_command", "mdm_command_result"];
const DECISIONS: &[&str] = &["access_management_access_request_approval"];

/// The fields, and their types.
const SAID: &[(&str, &[&str])] = &[
    ("association.op", ASSOCIATIONS),
    ("association.connection.from.type", ASSOCIATIONS),
    ("association.connection.to.type", ASSOCIATIONS),
    ("association.attributes.sudo.enabled", ASSOCIATIONS),
    ("association.attributes.sudo.withoutPassword", ASSOCIATIONS),
    ("request_type", COMMANDS),
    ("command.request_type", COMMANDS),
    ("status", COMMANDS),
    ("status", DECISIONS),
    ("state", DECISIONS),
    ("raw.changes.to", DECISIONS),
    ("resource.status", DECISIONS),
    ("state", &["policy_result"]),
    ("resource.status", &["workflow_run"]),
    ("resource.policy_name", &["policy_result"]),
    ("raw.exit_code", &["command_result"]),
    ("resource.application_name", &["saas_management_login_event"]),
    ("resource.account_email", &["saas_management_login_event"]),
    ("severity", &["alert_created"]),
    ("category", &["alert_created"]),
    ("application.version", &["software_add", "software_change"]),
    ("process_name", &["login_attempt"]),
    ("eap_type", &["radius_auth_attempt"]),
];

static WANTED: LazyLock<Vec<Wanted>> = LazyLock::new(|| {
    let types = |types: &[&str]| Some(types.iter().map(|name| (*name).to_owned()).collect());
    let named = SAID.iter().filter_map(|(name, of)| Some(Wanted { field: field(name)?, types: types(of) }));
    named.chain([Wanted::from(Field::Changes)]).collect()
});

/// The fields to keep.
pub fn wanted() -> &'static [Wanted] {
    &WANTED
}

/// Whether a field is said of events of this type.
pub fn has(event_type: &str, field: &Field) -> bool {
    let folded = letters::lowered(event_type);
    let is_of = |wanted: &&Wanted| wanted.types.as_ref().is_none_or(|types| types.contains(&*folded));
    WANTED.iter().filter(|wanted| wanted.field == *field).any(|wanted| is_of(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::catalogue;

    #[test]
    fn all_are_fields_and_types_that_there_are() {
        assert_eq!(WANTED.len(), SAID.len() + 1);
        for (field, types) in SAID {
            for name in *types {
                assert_eq!(catalogue::canonical(name), *name, "{field}");
                assert!(catalogue::service_of(name).is_some(), "{field}: {name}");
            }
        }
    }
}
