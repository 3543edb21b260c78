//! Field: a name that a rule may use, and what its values look like.

use std::borrow::Cow;

use smallvec::SmallVec;

/// A value of a field in the form in which it is compared: text, or `null`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value<'e> {
    /// the record says `null`
    Null,
    /// text; a number or boolean as JSON writes it
    Text(Cow<'e, str>),
}

impl Value<'_> {
    /// The text, `None` for `null`.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Null => None,
            Value::Text(text) => Some(text),
        }
    }
}

/// The values of a field; mostly one or none.
pub type Values<'e> = SmallVec<[Value<'e>; 1]>;

/// Anything whose fields a rule can ask for: an event, or what was kept of one.
pub trait Fields {
    /// All values of a field; none if the record does not have it.
    fn values(&self, field: &Field) -> Values<'_>;
}

/// Which side of a change a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// the value before
    From,
    /// the value after
    To,
    /// the words for what happened between the two
    Trend,
}

/// A field as a rule names it, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// a normalized field
    Norm(Norm),
    /// `changes.<field>.from|to|trend`
    Change(String, Part),
    /// a path into the record; through an array it means any element
    Raw(Vec<String>),
}

macro_rules! normalized {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The normalized fields: one meaning each, whatever shape the record has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Norm { $($(#[$doc])* $variant,)* }

        impl Norm {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Norm] = &[$(Norm::$variant,)*];

            /// The name in rules.
            pub fn name(self) -> &'static str {
                match self { $(Norm::$variant => $name,)* }
            }
        }
    };
}

normalized! {
    /// canonical event type
    EventType = "event_type",
    /// `success`, `failure`, `challenge`, `none`
    Outcome = "outcome",
    /// one identity for id, name and e-mail of who did it
    ActorKey = "actor.key",
    /// user name, else e-mail
    ActorName = "actor.name",
    /// `admin`, `user`, `system`, `service`
    ActorType = "actor.type",
    /// object id
    ActorId = "actor.id",
    /// e-mail address
    ActorEmail = "actor.email",
    /// `session`, `api-key`, `scim`, `device`, `other`
    ActorVia = "actor.via",
    /// one identity for what or whom it was done to
    TargetKey = "target.key",
    /// its name, else e-mail
    TargetName = "target.name",
    /// `user`, `admin`, `system`, `application`, …
    TargetType = "target.type",
    /// object id
    TargetId = "target.id",
    /// e-mail address
    TargetEmail = "target.email",
    /// the group or policy end of an association
    TargetOther = "target.other",
    /// canonical address; empty for RADIUS and LDAP
    SourceIp = "source.ip",
    /// its /24 or /48
    SourceNetwork = "source.network",
    /// the address, of IPv6 its /64: a machine takes ever new addresses in that
    SourceLink = "source.link",
    /// of RADIUS the address of the access point or VPN gateway
    SourceGateway = "source.gateway",
    /// two-letter country
    SourceCountry = "source.country",
    /// `latitude,longitude`
    SourcePlace = "source.place",
    /// network operator, where the feed has it
    SourceAsn = "source.asn",
    /// `tor`, `vpn`, `proxy`, `anonymous`, `hosting`, by `--geoip`
    SourceAnonymous = "source.anonymous",
    /// what the organization calls the network, by `--known`
    SourceKnown = "source.known",
    /// parsed agent name
    AgentName = "agent.name",
    /// operating system
    AgentOs = "agent.os",
    /// `browser`, `script`, `app`, `unknown`
    AgentKind = "agent.kind",
    /// device id
    DeviceKey = "device.key",
    /// device name
    DeviceName = "device.name",
    /// `true`, or absent for unknown
    DeviceManaged = "device.managed",
    /// application id
    AppKey = "app.key",
    /// application name
    AppName = "app.name",
    /// DENY > ALLOW_WITH_MFA > ALLOW
    PolicyAction = "policy.action",
    /// a second factor was used
    MfaUsed = "mfa.used",
    /// the second factors that succeeded
    MfaFactor = "mfa.factor",
    /// a push was refused or ran out
    MfaPushDenied = "mfa.push_denied",
    /// country of the phone that answered
    MfaPushCountry = "mfa.push_country",
    /// where that phone was, as `source.link`
    MfaPushLink = "mfa.push_link",
    /// the password was right
    PasswordOk = "password.ok",
    /// something in the event is an indicator, by `--intel`
    IntelMatched = "intel.matched",
    /// the indicators that it is
    IntelName = "intel.name",
}

/// Paths of the record that are documented or were seen, in front of which no `raw.` is needed. A path
/// below one of these is known too.
const KNOWN_PATHS: &[&str] = &[
    "@version",
    "app_id",
    "app_name",
    "application",
    "asn",
    "association",
    "attr",
    "auth_context",
    "auth_meta",
    "auth_method",
    "auth_type",
    "base",
    "category",
    "changes",
    "client_ip",
    "command",
    "command_uuid",
    "connection_id",
    "correlation",
    "deref",
    "dn",
    "eap_type",
    "error_chain",
    "error_code",
    "error_message",
    "filter",
    "geoip",
    "id",
    "idp_initiated",
    "initiated_by",
    "jc_initiated_by_email",
    "jc_initiated_by_id",
    "mdm_device_id",
    "mdm_device_manager_id",
    "mdm_type",
    "mech",
    "message",
    "message_chain",
    "mfa",
    "mfa_meta",
    "nas_mfa_state",
    "number_of_results",
    "oid",
    "operation_number",
    "operation_type",
    "organization",
    "outer",
    "previous_state",
    "process_name",
    "provider",
    "repeat_count",
    "request_type",
    "resource",
    "scope",
    "server_timestamp",
    "service",
    "severity",
    "src_ip",
    "sso_token_success",
    "start_tls",
    "state",
    "status",
    "success",
    "system",
    "system_group",
    "system_timestamp",
    "target_resource",
    "timestamp",
    "timestamp_source",
    "tls_established",
    "user_agent",
    "useragent",
    "username",
    "windows_meta",
];

/// Members of objects that are documented or were seen; others may be there, but a name that is nearly one of these is
/// meant to be it.
const MEMBERS: &[(&str, &[&str])] = &[
    (
        "application",
        &["id", "name", "display_label", "displayLabel", "sso_type", "sso_url", "path", "publisher", "version"],
    ),
    ("association", &["action_source", "attributes", "connection", "op"]),
    (
        "auth_context",
        &["auth_methods", "jumpcloud_protect_device", "policies_applied", "system", "device_trust", "user_agent"],
    ),
    (
        "geoip",
        &[
            "asn",
            "continent_code",
            "country_code",
            "country_code2",
            "country_name",
            "city_name",
            "latitude",
            "longitude",
            "region_code",
            "region_name",
            "timezone",
        ],
    ),
    ("initiated_by", &["administrator", "email", "id", "name", "provider", "source", "type", "username"]),
    ("mfa_meta", &["type"]),
    (
        "resource",
        &[
            "id",
            "type",
            "name",
            "username",
            "email",
            "displayName",
            "displayLabel",
            "display_name",
            "display_label",
            "status",
            "state",
        ],
    ),
    ("system", &["id", "hostname", "host_name", "displayName", "name", "os"]),
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

/// How a field name was understood.
pub enum Named {
    /// fine as it is
    Known(Field),
    /// a raw path that no source documents, given with `raw.`
    Unverified(Field),
    /// no such field; the nearest good name, if one is near
    Unknown(Option<String>),
}

/// Whether a member of records is an object with members of its own, and never a text: agents and people may be.
pub fn has_members(name: &str) -> bool {
    MEMBERS.iter().any(|(object, _)| *object == name) && !["initiated_by", "useragent", "user_agent"].contains(&name)
}

impl Field {
    /// Understands a field name of a rule.
    pub fn named(name: &str) -> Named {
        if let Some(norm) = Norm::ALL.iter().find(|norm| norm.name() == name) {
            return Named::Known(Field::Norm(*norm));
        }
        if let Some(change) = name.strip_prefix("changes.") {
            return match change.rsplit_once('.') {
                Some((path, "from")) => Named::Known(Field::Change(path.to_owned(), Part::From)),
                Some((path, "to")) => Named::Known(Field::Change(path.to_owned(), Part::To)),
                Some((path, "trend")) => Named::Known(Field::Change(path.to_owned(), Part::Trend)),
                // What the log has in each of them is no field of the event.
                _ if ["field", "from", "to"].contains(&change) => Named::Unknown(Some(format!("raw.changes.{change}"))),
                _ => Named::Unknown(Some(format!("changes.{change}.trend"))),
            };
        }
        let raw = |path: &str| Field::Raw(path.split('.').map(str::to_owned).collect());
        let is_known = |path: &str| path.split('.').next().is_some_and(|head| KNOWN_PATHS.contains(&head));
        if let Some(path) = name.strip_prefix("raw.") {
            return if is_known(path) || path == "event_type" {
                Named::Known(raw(path))
            } else {
                Named::Unverified(raw(path))
            };
        }
        if is_known(name) { Named::Known(raw(name)) } else { Named::Unknown(nearest(name)) }
    }

    /// What was probably meant by a path that leads into an object to a member that was never seen there.
    pub fn meant(&self) -> Option<String> {
        let Field::Raw(path) = self else { return None };
        let [head, member, ..] = path.as_slice() else { return None };
        let (_, members) = MEMBERS.iter().find(|(object, _)| object == head)?;
        if members.contains(&member.as_str()) {
            return None;
        }
        let near = nearest_of(&member.to_lowercase(), members.iter().copied())?;
        Some(format!("{head}.{near}"))
    }

    /// The name as a rule writes it.
    pub fn name(&self) -> String {
        match self {
            Field::Norm(norm) => norm.name().to_owned(),
            Field::Change(path, Part::From) => format!("changes.{path}.from"),
            Field::Change(path, Part::To) => format!("changes.{path}.to"),
            Field::Change(path, Part::Trend) => format!("changes.{path}.trend"),
            Field::Raw(path) => path.join("."),
        }
    }

    /// Agent names are compared by their letters only (`Python Requests` is `python-requests`).
    pub fn is_letters_only(&self) -> bool {
        *self == Field::Norm(Norm::AgentName)
    }

    /// Known only once everything is read: identities are linked over the whole input.
    pub fn is_linked(&self) -> bool {
        matches!(self, Field::Norm(Norm::ActorKey | Norm::TargetKey))
    }
}

fn nearest(name: &str) -> Option<String> {
    let names = Norm::ALL.iter().map(|n| n.name()).chain(KNOWN_PATHS.iter().copied());
    nearest_of(name, names)
}

/// The nearest of `names` to what somebody typed, if it is near enough to be meant.
pub fn nearest_of<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let (score, name) =
        names.map(|name| (strsim::jaro_winkler(typed, name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.8).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_or_corrected() {
        assert!(matches!(Field::named("actor.key"), Named::Known(Field::Norm(Norm::ActorKey))));
        assert!(matches!(Field::named("initiated_by.email"), Named::Known(Field::Raw(_))));
        assert!(matches!(Field::named("raw.jc_transformation_ts"), Named::Unverified(_)));
        assert!(matches!(Field::named("changes.field"), Named::Unknown(Some(n)) if n == "raw.changes.field"));
        let meant = |path: &str| Field::Raw(path.split('.').map(str::to_owned).collect()).meant();
        for (path, near) in [
            ("geoip.contry_code", Some("geoip.country_code")),
            ("initiated_by.Email", Some("initiated_by.email")),
            ("resource.tpye", Some("resource.type")),
            ("useragent.nam", Some("useragent.name")),
            ("geoip.country_code2", None),
            ("resource.policy_template_name", None),
            ("command.trend", None),
        ] {
            assert_eq!(meant(path).as_deref(), near, "{path}");
        }
        assert!(matches!(Field::named("acter.key"), Named::Unknown(Some(n)) if n == "actor.key"));
        assert!(matches!(Field::named("changes.suspended"), Named::Unknown(Some(n)) if n == "changes.suspended.trend"));
        let Named::Known(field) = Field::named("changes.settings.passwordPolicy.minLength.trend") else { panic!() };
        assert_eq!(field, Field::Change("settings.passwordPolicy.minLength".into(), Part::Trend));
        assert_eq!(field.name(), "changes.settings.passwordPolicy.minLength.trend");
    }
}
