//! Raw: the members of records that are documented or were seen, so that a path that leads nowhere is pointed out.

use crate::event::nearest::nearest_of;

/// Members that hold one value: no path leads below them.
const SINGLE: &[&str] = &[
    "@version",
    "app_id",
    "app_name",
    "attr",
    "auth_method",
    "auth_type",
    "base",
    "category",
    "client_ip",
    "command_uuid",
    "connection_id",
    "deref",
    "device_object_id",
    "dn",
    "eap_type",
    "error_code",
    "error_message",
    "filter",
    "id",
    "idp_initiated",
    "jc_initiated_by_email",
    "jc_initiated_by_id",
    "mdm_device_id",
    "mdm_device_manager_id",
    "mdm_type",
    "mech",
    "message",
    "mfa",
    "nas_mfa_state",
    "number_of_results",
    "object_storage_item_object_id",
    "object_storage_item_version_name",
    "object_storage_item_version_object_id",
    "object_storage_item_version_sha_256_sum",
    "object_storage_item_version_size",
    "oid",
    "operation_number",
    "operation_type",
    "organization",
    "process_name",
    "provider",
    "referrer_object_id",
    "referrer_type",
    "repeat_count",
    "request_type",
    "result",
    "scope",
    "server_timestamp",
    "service",
    "severity",
    "src_ip",
    "sso_token_success",
    "start_tls",
    "status",
    "success",
    "system_object_id",
    "system_timestamp",
    "timestamp",
    "timestamp_source",
    "tls_established",
    "total_software_item_count",
    "total_space_used",
    "username",
    "windows_device_uuid",
];

/// Members that hold others, or may.
const NESTED: &[&str] = &[
    "application",
    "asn",
    "association",
    "auth_context",
    "auth_meta",
    "changes",
    "command",
    "correlation",
    "error_chain",
    "geoip",
    "initiated_by",
    "message_chain",
    "mfa_meta",
    "outer",
    "previous_state",
    "resource",
    "state",
    "system",
    "system_group",
    "target_resource",
    "user_agent",
    "useragent",
    "windows_meta",
];

/// The members of those of them that are described; others may be there, since more are added every year.
const MEMBERS: &[(&str, &[&str])] = &[
    (
        "application",
        &[
            "displayLabel",
            "display_label",
            "id",
            "name",
            "package_manager",
            "path",
            "publisher",
            "sso_type",
            "sso_url",
            "uninstall_string",
            "version",
        ],
    ),
    ("asn", &["asn", "number", "organization"]),
    ("association", &["action_source", "attributes", "connection", "email", "id", "op", "type"]),
    (
        "auth_context",
        &["auth_methods", "device_trust", "jumpcloud_protect_device", "policies_applied", "system", "user_agent"],
    ),
    (
        "auth_meta",
        &[
            "auth_idp",
            "auth_methods",
            "device_cert_enabled",
            "jumpcloud_protect_device",
            "policies_applied",
            "system",
            "user_cert_enabled",
            "user_password_enabled",
            "userid_type",
        ],
    ),
    ("changes", &["field", "from", "to"]),
    ("correlation", &["id", "type"]),
    (
        "geoip",
        &[
            "asn",
            "city",
            "city_name",
            "continent_code",
            "country",
            "country_code",
            "country_code2",
            "country_name",
            "geoip",
            "latitude",
            "longitude",
            "region",
            "region_code",
            "region_name",
            "timezone",
        ],
    ),
    (
        "initiated_by",
        &[
            "administrator",
            "email",
            "id",
            "name",
            "provider",
            "source",
            "source_metadata",
            "type",
            "user_id",
            "username",
        ],
    ),
    ("message_chain", &["message_details", "response_code", "response_message"]),
    ("mfa_meta", &["type"]),
    ("outer", &["eap_type", "error_message", "username"]),
    (
        "resource",
        &[
            "account_email",
            "app_id",
            "app_name",
            "application_name",
            "context",
            "discovery_info",
            "displayLabel",
            "displayName",
            "display_label",
            "display_name",
            "email",
            "email_type",
            "hostname",
            "id",
            "login_type",
            "meta_data",
            "name",
            "object_id",
            "policy_id",
            "policy_name",
            "policy_template_id",
            "policy_template_name",
            "policy_type",
            "recipient_email",
            "reference_id",
            "serial",
            "source_id",
            "source_type",
            "state",
            "status",
            "type",
            "user_id",
            "username",
        ],
    ),
    (
        "system",
        &["displayName", "display_name", "host_name", "hostname", "id", "name", "os", "osFamily", "type", "version"],
    ),
    ("target_resource", &["id", "name", "type"]),
    ("windows_meta", &["elevated", "logon_type"]),
    ("useragent", AGENT),
    ("user_agent", AGENT),
];

/// The members of an agent.
const AGENT: &[&str] = &[
    "build",
    "device",
    "major",
    "minor",
    "name",
    "os",
    "os_full",
    "os_major",
    "os_minor",
    "os_name",
    "os_patch",
    "os_version",
    "patch",
    "version",
];

/// Those that are objects in every record, and never texts.
const OBJECTS: &[&str] = &["application", "association", "auth_context", "geoip", "mfa_meta", "resource", "system"];

/// Fields that JumpCloud changes whose names begin as those of fields of ours do.
const CHANGED: &[&str] = &["mfa.configured", "mfa.exclusion", "mfa.exclusionUntil"];

/// The changed field that a name is, which an event has only among its changes.
pub(super) fn changed(name: &str) -> Option<&'static str> {
    CHANGED.iter().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

/// Whether a member of records is an object with members of its own, and never a text: agents and people may be.
pub fn has_members(name: &str) -> bool {
    OBJECTS.contains(&name)
}

/// Whether a member of records may be an object or a list of them.
pub fn is_nested(name: &str) -> bool {
    NESTED.contains(&name)
}

/// Whether a member of an object of records is described.
pub fn is_member_of(object: &str, member: &str) -> bool {
    MEMBERS.iter().any(|(known, members)| *known == object && members.contains(&member))
}

/// All members of records, without what lies below them.
pub(super) fn heads() -> impl Iterator<Item = &'static str> {
    SINGLE.iter().chain(NESTED).copied()
}

/// The known member of records that a path begins with, and whether the path leads below one that holds one value.
pub(super) fn head(path: &str) -> Option<(&'static str, bool)> {
    let (head, is_longer) = path.split_once('.').map_or((path, false), |(head, _)| (head, true));
    let single = || SINGLE.iter().find(|known| **known == head).map(|known| (*known, is_longer));
    NESTED.iter().find(|known| **known == head).map(|known| (*known, false)).or_else(single)
}

/// Whether somebody documents a path that begins with a known member, or it was seen, as far as that is written down.
pub(super) fn is_documented(path: &[String]) -> bool {
    let [head, below @ ..] = path else { return true };
    let Some(member) = below.first() else { return true };
    let of_object = MEMBERS.iter().find(|(object, _)| object == head);
    of_object.map_or_else(|| !SINGLE.contains(&head.as_str()), |(_, members)| members.contains(&member.as_str()))
}

/// What was probably meant by a path that leads into an object to a member that was never seen there.
pub(super) fn meant(path: &[String]) -> Option<String> {
    let [head, member, ..] = path else { return None };
    let (object, members) = MEMBERS.iter().find(|(object, _)| object == head)?;
    if members.contains(&member.as_str()) {
        return None;
    }
    let near = nearest_of(member, members.iter().copied())?;
    // `changes.` alone leads into the map of changes.
    let prefix = if *object == "changes" { "raw." } else { "" };
    Some(format!("{prefix}{object}.{near}"))
}
