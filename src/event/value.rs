//! Value: which values an event has for the fields that a rule may name.

use std::borrow::Cow;
use std::net::IpAddr;

use smallvec::smallvec;

use super::field::{Field, Fields, Norm, Part, Value, Values};
use super::json::Json;
use super::time::Timestamp;
use super::{Event, actor, agent, catalogue, change, factor, party, source, target};

impl Fields for Event<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        match field {
            Field::Norm(norm) => self.normalized(*norm),
            Field::Raw(path) => match raw_values(self.json, path) {
                nothing if nothing.iter().all(|value| value.text().is_none_or(str::is_empty)) => {
                    self.told(path).unwrap_or(nothing)
                }
                values => values,
            },
            Field::Change(path, part) => change_values(self.json, path, *part),
            Field::Changes => change::told(self.json).map(text).unwrap_or_default(),
        }
    }
}

/// Values at a raw path; through an array, of every element.
fn raw_values<'e>(json: &'e Json<'e>, path: &[String]) -> Values<'e> {
    let mut out = Values::new();
    collect(json, path, &mut out);
    out
}

fn collect<'e>(json: &'e Json<'e>, path: &[String], out: &mut Values<'e>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect(item, path, out)),
        Json::Object(_) | Json::Parts(_) if !path.is_empty() => {
            if let Some(inner) = json.get(&path[0]) {
                collect(inner, &path[1..], out);
            } else if path.len() > 1
                && let Some(inner) = json.get(&path.join("."))
            {
                // a key that has dots itself
                collect(inner, &[], out);
            }
        }
        _ if !path.is_empty() => {}
        scalar => out.push(value_of(scalar)),
    }
}

fn value_of<'e>(json: &'e Json<'e>) -> Value<'e> {
    match json {
        // An exporter with fixed columns writes `{}` where there is nothing.
        Json::Null => Value::Null,
        Json::Object(_) | Json::Parts(_) if json.says_nothing() => Value::Null,
        Json::Text(text) => Value::Text(Cow::Borrowed(text)),
        other => Value::Text(Cow::Owned(other.to_string())),
    }
}

fn change_values<'e>(json: &'e Json<'e>, path: &str, part: Part) -> Values<'e> {
    let mut out = Values::new();
    for change in change::of(json, path) {
        match part {
            Part::Trend => out.extend(change.trend().into_iter().map(|word| Value::Text(Cow::Borrowed(word)))),
            Part::From => collect_optional(change.from, &mut out),
            Part::To => collect_optional(change.to, &mut out),
            Part::Gained => out.extend(change.gained().into_iter().map(|text| Value::Text(Cow::Owned(text)))),
        }
    }
    out
}

fn collect_optional<'e>(value: Option<&'e Json<'e>>, out: &mut Values<'e>) {
    if let Some(value) = value {
        collect(value, &[], out);
    }
}

fn text<'e>(text: impl Into<Cow<'e, str>>) -> Values<'e> {
    smallvec![Value::Text(text.into())]
}

fn optional<'e, T: Into<Cow<'e, str>>>(value: Option<T>) -> Values<'e> {
    value.map(text).unwrap_or_default()
}

fn boolean<'e>(value: Option<bool>) -> Values<'e> {
    optional(value.map(|b| if b { "true" } else { "false" }))
}

impl Event<'_> {
    /// What a record that does not have this member says in another way: its time under the name that a collector gave
    /// it, its service by its type.
    fn told(&self, path: &[String]) -> Option<Values<'_>> {
        match path {
            [name] if name == "timestamp" && self.time != Timestamp::default() => Some(text(self.time.rfc3339())),
            [name] if name == "service" => {
                catalogue::service_of(&self.event_type).filter(|service| !service.is_empty()).map(text)
            }
            _ => None,
        }
    }

    /// The values of a normalized field.
    pub fn normalized(&self, norm: Norm) -> Values<'_> {
        let json = self.json;
        let kind = self.event_type.as_ref();
        match norm {
            Norm::EventType => text(kind),
            Norm::Outcome => text(self.outcome.word()),
            Norm::ActorKey => optional(self.actor.id.or(self.actor.email).or(self.actor.name)),
            Norm::ActorName => optional(self.actor.shown()),
            Norm::ActorType => optional(self.actor.kind.as_deref()),
            Norm::ActorId => optional(self.actor.id),
            Norm::ActorEmail => optional(self.actor.email),
            Norm::ActorVia => optional(actor::via(json, &self.actor)),
            Norm::TargetKey => optional(self.target.id.or(self.target.email).or(self.target.name)),
            Norm::TargetName => optional(self.target.shown()),
            Norm::TargetType => optional(self.target.kind.as_deref()),
            Norm::TargetId => optional(self.target.id),
            Norm::TargetEmail => optional(self.target.email),
            Norm::TargetOther => optional(self.other.shown()),
            Norm::SourceIp => optional(self.source_ip().map(source::text)),
            Norm::SourceNetwork => optional(self.source_ip().map(source::network)),
            Norm::SourceLink => optional(self.source_ip().map(source::link)),
            Norm::SourceGateway => optional(source::gateway(json, kind).map(source::text)),
            Norm::SourceCountry => optional(source::country(json, kind)),
            Norm::SourcePlace => optional(source::place(json, kind).map(|(lat, lon)| format!("{lat},{lon}"))),
            Norm::SourceAsn => optional(source::asn(json, kind)),
            Norm::SourceOperator => {
                optional(source::asn(json, kind).or_else(|| self.source_ip().map(source::wide_network)))
            }
            Norm::AgentName => optional(agent::name(json)),
            Norm::AgentOs => optional(agent::os(json)),
            Norm::AgentKind => optional(agent::kind(json)),
            Norm::DeviceKey => optional(self.device_key()),
            Norm::DeviceName => optional(self.device_name()),
            Norm::DeviceManaged => boolean(self.is_managed().then_some(true)),
            Norm::AppKey => optional(self.app_key()),
            Norm::AppName => optional(self.app().and_then(party::application_name)),
            Norm::PolicyAction => optional(policy_action(json)),
            Norm::MfaUsed => boolean(factor::mfa_used(json, self.outcome)),
            Norm::MfaFactor => {
                factor::factors(json, self.outcome).into_iter().map(|f| Value::Text(Cow::Owned(f))).collect()
            }
            Norm::MfaPushDenied => boolean(factor::push_denied(json, self.outcome).then_some(true)),
            Norm::MfaPushCountry => optional(factor::push_country(json)),
            Norm::MfaPushLink => optional(factor::push_address(json).map(source::link)),
            Norm::PasswordOk => boolean(factor::password_ok(json, self.outcome)),
            // What no record says.
            Norm::SourceAnonymous | Norm::SourceKnown | Norm::IntelMatched | Norm::IntelName => Values::new(),
        }
    }

    /// The actor's address.
    pub fn source_ip(&self) -> Option<IpAddr> {
        *self.ip.get_or_init(|| source::ip(self.json, &self.event_type))
    }

    /// All addresses that it names, the actor's first: also the public one of a device, that of an access point, and
    /// that of the phone that answered a push. One may come twice.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let raw = ["client_ip", "src_ip"].into_iter().filter_map(|key| self.json.text_at(&[key]));
        self.source_ip().into_iter().chain(raw.filter_map(source::address)).chain(factor::push_address(self.json))
    }

    /// The device: `system`, that of the sign-in, a resource or an end of an association that is one.
    fn device(&self) -> Option<&Json<'_>> {
        let json = self.json;
        let is_device = |found: &&Json<'_>| party::is_a_device(found);
        let ends = ["from", "to"].iter().filter_map(|end| json.at(&["association", "connection", end]));
        json.said(&["system"])
            .or_else(|| factor::context(json, "system"))
            .or_else(|| json.get("resource").into_iter().chain(ends).find(is_device))
    }

    fn device_key(&self) -> Option<&str> {
        let named =
            self.device().and_then(|d| ["id", "object_id", "hostname"].iter().find_map(|key| d.text_at(&[key])));
        let beside = || target::MANAGED.iter().chain(&["system_object_id"]).find_map(|key| self.json.text_at(&[key]));
        named.or_else(beside)
    }

    fn device_name(&self) -> Option<&str> {
        self.device().and_then(party::device_name)
    }

    /// All names of the device: a person sees another one than the network does. One may come twice.
    pub fn device_names(&self) -> impl Iterator<Item = &str> {
        self.device().into_iter().flat_map(party::device_names)
    }

    /// The sign-in came from a device that JumpCloud manages. The contrary is never known.
    fn is_managed(&self) -> bool {
        factor::context(self.json, "system").is_some()
    }

    fn app(&self) -> Option<&Json<'_>> {
        let resource = || self.json.get("resource").filter(|resource| party::is_an_application(resource));
        self.json.said(&["application"]).or_else(resource)
    }

    fn app_key(&self) -> Option<&str> {
        let Some(app) = self.app() else { return self.stored_for() };
        ["id", "sso_url", "name"].iter().find_map(|key| app.text_at(&[key]))
    }

    /// The application that a file in the object storage is of.
    fn stored_for(&self) -> Option<&str> {
        let is_program = self.json.text_at(&["referrer_type"])?.eq_ignore_ascii_case("software_app");
        self.json.text_at(&["referrer_object_id"]).filter(|_| is_program)
    }
}

/// The strongest action of the applied policies: DENY, then ALLOW_WITH_MFA, then ALLOW.
fn policy_action(json: &Json<'_>) -> Option<&'static str> {
    let policies = factor::context(json, "policies_applied")?;
    let strength = |policy: &Json<'_>| match policy.text_at(&["metadata", "action"])?.to_ascii_uppercase().as_str() {
        "DENY" => Some((3, "DENY")),
        "ALLOW_WITH_MFA" => Some((2, "ALLOW_WITH_MFA")),
        "ALLOW" => Some((1, "ALLOW")),
        _ => None,
    };
    policies.items().iter().filter_map(strength).max().map(|(_, action)| action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_paths_reach_any_element() {
        let json = Json::parse(r#"{"changes":[{"field":"a"},{"field":"b","to":null}],"x":{"y.z":1}}"#).unwrap();
        let path = |p: &str| p.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(raw_values(&json, &path("changes.field")).len(), 2);
        assert_eq!(raw_values(&json, &path("changes.to")).as_slice(), [Value::Null]);
        assert_eq!(raw_values(&json, &path("x.y.z")).as_slice(), [Value::Text("1".into())]);
        assert!(raw_values(&json, &path("x.q")).is_empty());
    }

    #[test]
    fn a_time_and_a_service_under_other_names_are_told() {
        let json = Json::parse(r#"{"event_type":"sso_auth","service":"","jc_timestamp":"2026-03-02T09:00:00Z"}"#);
        let json = json.unwrap();
        let event = Event::new(&json).unwrap();
        let values = |name: &str| event.values(&Field::Raw(vec![name.to_owned()]));
        assert_eq!(values("service").as_slice(), [Value::Text("sso".into())]);
        assert_eq!(values("timestamp").as_slice(), [Value::Text(event.time.rfc3339().into())]);
        assert!(values("client_ip").is_empty());
    }

    #[test]
    fn an_application_goes_by_its_label() {
        for part in [
            r#""resource":{"type":"application","id":"1","name":"saml2","displayLabel":"Vocera"}"#,
            r#""application":{"id":"1","name":"saml2","display_label":"Vocera"}"#,
            r#""application":{"id":"1","name":"saml2","displayLabel":"Vocera"}"#,
        ] {
            let text = format!(r#"{{"event_type":"application_update","timestamp":"2026-03-02T09:00:00Z",{part}}}"#);
            let json = Json::parse(&text).unwrap();
            let event = Event::new(&json).unwrap();
            for norm in [Norm::AppName, Norm::TargetName] {
                assert_eq!(event.normalized(norm).as_slice(), [Value::Text("Vocera".into())], "{norm:?} {part}");
            }
        }
    }

    #[test]
    fn a_device_goes_by_one_name() {
        let ends = |to: &str| {
            format!(r#""association":{{"connection":{{"from":{{"type":"user_group","name":"Ops"}},"to":{to}}}}}"#)
        };
        let both = r#"{"type":"system","object_id":"1","hostname":"lap1","display_name":"Lap One"}"#;
        for (part, want) in [
            (ends(both), "Lap One"),
            (ends(r#"{"type":"system","object_id":"1","name":"x","hostname":"lap1"}"#), "lap1"),
            (format!(r#""resource":{both}"#), "Lap One"),
            (format!(r#""system":{both}"#), "Lap One"),
            (r#""system":{"id":"1","name":"lap1"}"#.to_owned(), "lap1"),
        ] {
            let text = format!(r#"{{"event_type":"association_change","timestamp":"2026-03-02T09:00:00Z",{part}}}"#);
            let json = Json::parse(&text).unwrap();
            let event = Event::new(&json).unwrap();
            for norm in [Norm::DeviceName, Norm::TargetName] {
                assert_eq!(event.normalized(norm).as_slice(), [Value::Text(want.into())], "{norm:?} {part}");
            }
        }
    }

    #[test]
    fn devices_and_programs_beside_the_resource() {
        for (part, norm, want) in [
            (r#""windows_device_uuid":"D123""#, Norm::DeviceKey, Some("D123")),
            (r#""windows_device_uuid":"D123","device_object_id":"6100""#, Norm::DeviceKey, Some("6100")),
            (r#""system_object_id":"6100""#, Norm::DeviceKey, Some("6100")),
            (r#""referrer_type":"SOFTWARE_APP","referrer_object_id":"a1""#, Norm::AppKey, Some("a1")),
            (r#""referrer_type":"OTHER","referrer_object_id":"a1""#, Norm::AppKey, None),
        ] {
            let text = format!(r#"{{"event_type":"any","timestamp":"2026-03-02T09:00:00Z",{part}}}"#);
            let json = Json::parse(&text).unwrap();
            let event = Event::new(&json).unwrap();
            assert_eq!(event.normalized(norm).first().and_then(Value::text), want, "{part}");
        }
    }

    #[test]
    fn strongest_policy_action() {
        let json = Json::parse(
            r#"{"auth_context":{"policies_applied":[{"metadata":{"action":"ALLOW"}},{"metadata":{"action":"deny"}}]}}"#,
        )
        .unwrap();
        assert_eq!(policy_action(&json), Some("DENY"));
    }
}
