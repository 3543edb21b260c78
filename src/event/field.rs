//! Field: a name that a rule may use, and what its values look like.

mod raw;

use std::borrow::Cow;

pub use raw::{has_members, is_member_of, is_nested};
use smallvec::SmallVec;

use super::letters;
use super::nearest::nearest_of;

/// A value of a field in the form in which it is compared: text, or `null`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value<'e> {
    /// the record says `null`, or has an object without a value
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

    /// Whether it might as well not be there: `null`, or an empty text. Two records that differ in such values alone are
    /// one event.
    pub fn says_nothing(&self) -> bool {
        self.text().is_none_or(str::is_empty)
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
    /// addresses and networks that are new
    Gained,
}

/// A field as a rule names it, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// a normalized field
    Norm(Norm),
    /// `changes.<field>.from|to|trend|gained`
    Change(String, Part),
    /// all of `changes` as JSON, for sentences: no rule can name it
    Changes,
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

            /// Whether its name leads below this one, as `mfa.used` below `mfa`.
            fn is_in(self, group: &str) -> bool {
                self.name().strip_prefix(group).is_some_and(|rest| rest.starts_with('.'))
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
    /// `admin`, `user`, `system`, `service`, `workflow`
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
    /// the operator, and where nothing tells it the /16 or /32 of the address
    SourceOperator = "source.operator",
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

/// How a field name was understood.
pub enum Named {
    /// fine as it is
    Known(Field),
    /// a raw path that no source documents, given with `raw.`
    Unverified(Field),
    /// no such field; the nearest good name, if one is near
    Unknown(Option<String>),
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
                Some((path, "gained")) => Named::Known(Field::Change(path.to_owned(), Part::Gained)),
                // What the log has in each of them is no field of the event.
                _ if change.split('.').next().is_some_and(|first| ["field", "from", "to"].contains(&first)) => {
                    Named::Unknown(Some(format!("raw.changes.{change}")))
                }
                _ => Named::Unknown(Some(nearest_change(change))),
            };
        }
        let raw = |path: &str| Field::Raw(path.split('.').map(str::to_owned).collect());
        if let Some(path) = name.strip_prefix("raw.") {
            let is_known = raw::head(path).is_some() || path == "event_type";
            return if is_known { Named::Known(raw(path)) } else { Named::Unverified(raw(path)) };
        }
        match raw::head(name) {
            Some((_, false)) => Named::Known(raw(name)),
            // `mfa` is a member of records, and `mfa.` begins the names of fields of ours.
            Some((head, true)) if !Norm::ALL.iter().any(|norm| norm.is_in(head)) => {
                Named::Unknown(Some(head.to_owned()))
            }
            _ => Named::Unknown(nearest(name)),
        }
    }

    /// What was probably meant by a path that leads into an object to a member that was never seen there.
    pub fn meant(&self) -> Option<String> {
        if let Field::Raw(path) = self { raw::meant(path) } else { None }
    }

    /// Whether no source documents where a path leads, though the member is known that it begins with.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, Field::Raw(path) if !raw::is_documented(path))
    }

    /// Whether it is a member of records that holds a single value.
    pub fn holds_one(&self) -> bool {
        let is_single = |name: &String| raw::head(name).is_some() && !raw::is_nested(name);
        matches!(self, Field::Raw(path) if matches!(path.as_slice(), [name] if is_single(name)))
    }

    /// The name as a rule writes it.
    pub fn name(&self) -> String {
        match self {
            Field::Norm(norm) => norm.name().to_owned(),
            Field::Change(path, Part::From) => format!("changes.{path}.from"),
            Field::Change(path, Part::To) => format!("changes.{path}.to"),
            Field::Change(path, Part::Trend) => format!("changes.{path}.trend"),
            Field::Change(path, Part::Gained) => format!("changes.{path}.gained"),
            Field::Changes => "changes".to_owned(),
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

/// What was probably meant by a change without one of its sides. A word that is one letter off is a misspelt side; any
/// other is rather part of a field's name.
fn nearest_change(change: &str) -> String {
    let side = |word: &str| {
        ["from", "to", "trend", "gained"]
            .into_iter()
            .find(|side| strsim::osa_distance(&letters::lower(word), side) <= 1)
    };
    let misspelt = change.rsplit_once('.').and_then(|(path, word)| Some(format!("changes.{path}.{}", side(word)?)));
    misspelt.unwrap_or_else(|| format!("changes.{change}.trend"))
}

/// What was probably meant by a name of no field. Behind a word that names of ours begin with the rest tells: all of them are
/// alike in the word.
fn nearest(name: &str) -> Option<String> {
    if let Some(changed) = raw::changed(name) {
        return Some(format!("changes.{changed}.trend"));
    }
    if let Some((head, rest)) = name.split_once('.')
        && Norm::ALL.iter().any(|norm| norm.is_in(head))
    {
        let rests = || Norm::ALL.iter().filter_map(|norm| norm.name().strip_prefix(head)?.strip_prefix('.'));
        // Of so few letters two that changed places are half.
        let one_off = rests().find(|known| strsim::osa_distance(rest, known) <= 1).map(str::to_owned);
        return one_off.or_else(|| nearest_of(rest, rests())).map(|near| format!("{head}.{near}"));
    }
    let names = Norm::ALL.iter().map(|n| n.name()).chain(raw::heads());
    nearest_of(name, names)
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
            ("changes.feild", Some("raw.changes.field")),
            ("command.trend", None),
        ] {
            assert_eq!(meant(path).as_deref(), near, "{path}");
        }
        for (name, near) in [
            ("mfa.usd", "mfa.used"),
            ("mfa.facter", "mfa.factor"),
            ("mfa.push_deny", "mfa.push_denied"),
            ("mfa.exclusion", "changes.mfa.exclusion.trend"),
            ("mfa.exclusionuntil", "changes.mfa.exclusionUntil.trend"),
            ("changes.to.type", "raw.changes.to.type"),
            ("changes.from.state.form", "raw.changes.from.state.form"),
            ("source.contry", "source.country"),
            ("success.x", "success"),
            ("auth_method.x.y", "auth_method"),
        ] {
            assert!(matches!(Field::named(name), Named::Unknown(Some(n)) if n == near), "{name}");
        }
        for name in ["mfa.x", "mfa.exclude", "mfa.until"] {
            assert!(matches!(Field::named(name), Named::Unknown(None)), "{name}");
        }
        for (name, is_doubtful) in [
            ("mfa", false),
            ("raw.mfa.usd", true),
            ("raw.success.x", true),
            ("resource.foo", true),
            ("resource.discovery_info.browser_type", false),
            ("command.payload", false),
            ("raw.event_type", false),
        ] {
            assert!(matches!(Field::named(name), Named::Known(field) if field.is_doubtful() == is_doubtful), "{name}");
        }
        assert!(matches!(Field::named("acter.key"), Named::Unknown(Some(n)) if n == "actor.key"));
        for (name, near) in [
            ("changes.sudo.trnd", "changes.sudo.trend"),
            ("changes.sudo.form", "changes.sudo.from"),
            ("changes.a.b.Trend", "changes.a.b.trend"),
            ("changes.settings.token", "changes.settings.token.trend"),
        ] {
            assert!(matches!(Field::named(name), Named::Unknown(Some(n)) if n == near), "{name}");
        }
        assert!(matches!(Field::named("changes.suspended"), Named::Unknown(Some(n)) if n == "changes.suspended.trend"));
        let Named::Known(field) = Field::named("changes.settings.passwordPolicy.minLength.trend") else { panic!() };
        assert_eq!(field, Field::Change("settings.passwordPolicy.minLength".into(), Part::Trend));
        assert_eq!(field.name(), "changes.settings.passwordPolicy.minLength.trend");
    }
}
