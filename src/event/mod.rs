//! Event: a record understood. Who did what to whom, when, from where, with what result; every raw field
//! stays reachable.
//!
//! The shape of the records is described in JumpCloud's Directory Insights API documentation
//! (docs.jumpcloud.com/api/insights/directory/1.0); where exports were seen to differ, the exports win.

pub mod actor;
pub mod agent;
pub mod body;
pub mod catalogue;
pub mod change;
pub mod counted;
pub mod coverage;
pub mod facet;
mod factor;
pub mod field;
pub mod identity;
pub mod json;
pub mod letters;
pub mod literal;
pub mod nearest;
pub mod networks;
pub mod occurrence;
pub mod origin;
pub mod outside;
pub mod party;
pub mod silence;
pub mod source;
pub mod target;
pub mod time;
pub mod utf8;
mod value;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use json::Json;
use party::Party;
use time::Timestamp;

/// How an event ended. Absent is `None`, never a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// it worked
    Success,
    /// it was refused
    Failure,
    /// a further factor was asked for; the sign-in goes on in another event
    Challenge,
    /// the record does not say, or there is nothing to fail
    None,
}

impl Outcome {
    /// The word in rules and output.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Challenge => "challenge",
            Outcome::None => "none",
        }
    }

    /// From `success`; of SSO from `sso_token_success`, where false with an empty `error_message` is a
    /// challenge; of LDAP from `error_code` (RFC 4511: 0 success, 14 a bind that goes on); of MDM from
    /// `status`; of the object storage from `result`, where all but `Success` is a failure.
    fn of(json: &Json<'_>, event_type: &str) -> Outcome {
        if let Some(token) = json.answer_at(&["sso_token_success"]) {
            return match token {
                true => Outcome::Success,
                false if json.text_at(&["error_message"]).is_some() => Outcome::Failure,
                false => Outcome::Challenge,
            };
        }
        if let Some(success) =
            json.answer_at(&["success"]).filter(|success| *success || !is_filled_in(json, event_type))
        {
            return if success { Outcome::Success } else { Outcome::Failure };
        }
        if let Some(code) = json.get("error_code").and_then(Json::number) {
            return match code {
                0.0 => Outcome::Success,
                14.0 => Outcome::Challenge,
                _ => Outcome::Failure,
            };
        }
        let word = |key| json.text_at(&[key]).map(str::to_ascii_lowercase);
        match word("status").as_deref() {
            Some("acknowledged" | "success" | "succeeded") => Outcome::Success,
            Some("error" | "commandformaterror" | "failed" | "failure") => Outcome::Failure,
            Some(_) => Outcome::None,
            None => match word("result").as_deref() {
                None => Outcome::None,
                Some("success" | "succeeded") => Outcome::Success,
                _ if event_type.starts_with("object_storage_") => Outcome::Failure,
                Some("error" | "failed" | "failure") => Outcome::Failure,
                _ => Outcome::None,
            },
        }
    }
}

/// Whether `success: false` may be the zero value of Go instead of a failure. The Wazuh bridges that add
/// `jumpcloud_event_type` fill in zero values: from them, false without an error means failure only in sign-ins, and
/// for LDAP the error code decides.
fn is_filled_in(json: &Json<'_>, event_type: &str) -> bool {
    let is_sign_in = match event_type {
        "sso_auth" | "radius_auth_attempt" => true,
        "ldap_bind" => json.get("error_code").and_then(Json::number).is_none(),
        _ => actor::is_attempt(event_type),
    };
    let is_of_bridge = json.get("jumpcloud_event_type").is_some_and(|value| !value.says_nothing());
    is_of_bridge && !is_sign_in && json.text_at(&["error_message"]).is_none()
}

/// Why a record is not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAnEvent {
    /// none of the keys that every Directory Insights event has
    Foreign,
    /// no time, so no place in any order
    NoTime,
}

/// A record understood.
#[derive(Debug)]
pub struct Event<'e> {
    /// the record after unwrapping
    pub json: &'e Json<'e>,
    /// when it happened
    pub time: Timestamp,
    /// canonical type; empty if the record has none
    pub event_type: Cow<'e, str>,
    /// how it ended
    pub outcome: Outcome,
    /// who did it
    pub actor: Party<'e>,
    /// what or whom it was done to
    pub target: Party<'e>,
    /// the group or policy end of an association
    pub other: Party<'e>,
    ip: OnceCell<Option<IpAddr>>,
}

/// Keys that tell a Directory Insights record from any other JSON object.
const SIGNS: &[&str] = &["event_type", "initiated_by", "organization", "sso_token_success", "nas_mfa_state"];

/// Where the time stands: in the event, as a collector renamed it, or as the server stamped it.
const TIMES: &[&str] = &["timestamp", "jc_timestamp", "server_timestamp", "@timestamp"];

fn is_event(json: &Json<'_>) -> bool {
    SIGNS.iter().any(|key| json.get(key).is_some_and(|v| !v.says_nothing()))
}

impl<'e> Event<'e> {
    /// Understands a record.
    pub fn new(json: &'e Json<'e>) -> Result<Event<'e>, NotAnEvent> {
        let time = TIMES.iter().find_map(|key| json.get(key).and_then(Timestamp::from_json));
        match time {
            Some(time) => Event::at(time, json),
            None => Err(if is_event(json) { NotAnEvent::NoTime } else { NotAnEvent::Foreign }),
        }
    }

    /// Understands a record of which the time is known.
    pub fn at(time: Timestamp, json: &'e Json<'e>) -> Result<Event<'e>, NotAnEvent> {
        if !is_event(json) {
            return Err(NotAnEvent::Foreign);
        }
        Ok(Event { time, ..Event::part(json) })
    }

    /// Understands nothing of a record: only its raw fields can be asked for.
    pub fn bare(json: &'e Json<'e>) -> Event<'e> {
        Event {
            json,
            time: Timestamp::default(),
            event_type: "".into(),
            outcome: Outcome::None,
            actor: Party::default(),
            target: Party::default(),
            other: Party::default(),
            ip: OnceCell::new(),
        }
    }

    /// Understands a part of a record: what the members that are there can tell.
    pub fn part(json: &'e Json<'e>) -> Event<'e> {
        let event_type = match json.text_at(&["event_type"]) {
            Some(name) => Cow::Borrowed(catalogue::canonical(name)),
            // JumpCloud's own RADIUS example has no type.
            None if json.get("nas_mfa_state").is_some() || json.get("eap_type").is_some() => {
                "radius_auth_attempt".into()
            }
            None => "".into(),
        };
        let actor = actor::actor(json, &event_type);
        let (target, other) = target::target(json, &event_type, &actor);
        let outcome = Outcome::of(json, &event_type);
        Event { event_type, outcome, actor, target, other, ..Event::bare(json) }
    }

    /// The event's own id, if it has one.
    pub fn id(&self) -> Option<&'e str> {
        self.json.text_at(&["id"])
    }

    /// The organization; empty where the export left it out.
    pub fn organization(&self) -> &'e str {
        self.json.text_at(&["organization"]).unwrap_or_default()
    }

    /// The service as the record names it, else the one that emits this type, else `unknown`.
    pub fn service(&self) -> &'e str {
        self.json
            .text_at(&["service"])
            .or_else(|| catalogue::service_of(&self.event_type).filter(|s| !s.is_empty()))
            .unwrap_or("unknown")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        let json = Json::parse(text).unwrap();
        Event::part(&json).outcome
    }

    #[test]
    fn outcomes() {
        for (text, want) in [
            (r#"{"success":true}"#, Outcome::Success),
            (r#"{"success":"False"}"#, Outcome::Failure),
            (r#"{"success":1}"#, Outcome::Success),
            (r#"{"success":"0"}"#, Outcome::Failure),
            (r#"{"success":"Yes"}"#, Outcome::Success),
            (r#"{"success":"no"}"#, Outcome::Failure),
            (r#"{"success":2}"#, Outcome::None),
            (r#"{"success":"maybe"}"#, Outcome::None),
            (r#"{"sso_token_success":"1"}"#, Outcome::Success),
            (r#"{"sso_token_success":true,"error_message":""}"#, Outcome::Success),
            (r#"{"sso_token_success":false,"error_message":"not authorized"}"#, Outcome::Failure),
            (r#"{"sso_token_success":false,"error_message":""}"#, Outcome::Challenge),
            (r#"{"sso_token_success":false}"#, Outcome::Challenge),
            (r#"{"error_code":0}"#, Outcome::Success),
            (r#"{"error_code":49}"#, Outcome::Failure),
            (r#"{"error_code":14}"#, Outcome::Challenge),
            // False where nothing was said, as the bridges in Go write it.
            (r#"{"jumpcloud_event_type":"directory","event_type":"user_update","success":false}"#, Outcome::None),
            (
                r#"{"jumpcloud_event_type":"directory","event_type":"user_update","success":false,"error_message":"no"}"#,
                Outcome::Failure,
            ),
            (
                r#"{"jumpcloud_event_type":"directory","event_type":"user_login_attempt","success":false}"#,
                Outcome::Failure,
            ),
            (
                r#"{"jumpcloud_event_type":"ldap","event_type":"ldap_bind","success":false,"error_code":0}"#,
                Outcome::Success,
            ),
            (
                r#"{"jumpcloud_event_type":"ldap","event_type":"ldap_bind","success":false,"error_code":49}"#,
                Outcome::Failure,
            ),
            (r#"{"event_type":"user_update","success":false}"#, Outcome::Failure),
            (r#"{"status":"Acknowledged"}"#, Outcome::Success),
            (r#"{"status":"Idle"}"#, Outcome::None),
            (r#"{"result":"Success"}"#, Outcome::Success),
            (r#"{"result":"Failed"}"#, Outcome::Failure),
            (r#"{"event_type":"device_enrollment","result":"successful enrollment of device"}"#, Outcome::None),
            (r#"{"event_type":"object_storage_create","result":"Malware detected"}"#, Outcome::Failure),
            (r#"{"event_type":"object_storage_create","status":"Success","result":"stored"}"#, Outcome::Success),
            (r"{}", Outcome::None),
        ] {
            assert_eq!(outcome(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_an_event() {
        let of = |text: &str| Event::new(&Json::parse(text).unwrap()).map(|e| e.event_type.to_string());
        assert_eq!(of(r#"{"timestamp":"2023-01-01T00:00:00Z","event_type":"foo_bar"}"#), Ok("foo_bar".into()));
        assert_eq!(
            of(r#"{"timestamp":"2023-01-01T00:00:00Z","eap_type":null,"organization":"o"}"#),
            Ok("radius_auth_attempt".into())
        );
        assert_eq!(of(r#"{"event_type":"foo"}"#), Err(NotAnEvent::NoTime));
        assert_eq!(of(r#"{"timestamp":"2023-01-01T00:00:00Z","level":"info"}"#), Err(NotAnEvent::Foreign));
    }
}
