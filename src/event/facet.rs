//! Facet: a part of an event that is understood by itself, from a few members of the record: who, whom,
//! from where, with what. Each of them repeats far more often than the events that are made of them.

use std::collections::BTreeMap;

use super::actor::is_attempt;
use super::field::{Field, Norm};
use super::json::Json;
use super::party::{device_name, is_a_device, is_an_application, is_named};
use super::source::DEVICE_SIGN_IN;
use super::target::tells_target_by_actor;

/// The members that tell the event type.
const TYPE: &[&str] = &["event_type", "nas_mfa_state", "eap_type"];
/// The members that tell the outcome.
const OUTCOME: &[&str] =
    &["success", "sso_token_success", "error_message", "error_code", "status", "result", "jumpcloud_event_type"];
/// The members that tell who did it, and by what means.
const WHO: &[&str] =
    &["initiated_by", "jc_initiated_by_id", "jc_initiated_by_email", "username", "resource", "service", "auth_method"];
/// The members that tell what or whom it was done to.
const WHOM: &[&str] = &[
    "resource",
    "association",
    "system",
    "application",
    "mdm_device_id",
    "device_object_id",
    "windows_device_uuid",
    "object_storage_item_object_id",
    "object_storage_item_version_object_id",
    "object_storage_item_version_name",
];
/// The member that tells it unless an association does.
const RESOURCE: &str = "resource";
/// The members that tell where it came from.
const WHERE: &[&str] = &["service", "client_ip", "src_ip", "geoip", "asn", MESSAGE];
/// Of sign-ins to devices it may name the peer.
const MESSAGE: &str = "message";

/// All that may be an indicator.
const LISTED_BY: &[&[&str]] = &[TYPE, WHO, WHERE, &["useragent", "user_agent", "auth_context", "auth_meta"]];

/// The facets of the normalized fields: what they are made of, and what they give.
const NORMALIZED: &[(&[&[&str]], &[Norm])] = &[
    (&[TYPE, OUTCOME], &[Norm::EventType, Norm::Outcome]),
    (
        &[TYPE, WHO],
        &[Norm::ActorKey, Norm::ActorName, Norm::ActorType, Norm::ActorId, Norm::ActorEmail, Norm::ActorVia],
    ),
    (
        &[TYPE, WHO, WHOM],
        &[Norm::TargetKey, Norm::TargetName, Norm::TargetType, Norm::TargetId, Norm::TargetEmail, Norm::TargetOther],
    ),
    (
        &[TYPE, WHERE],
        &[
            Norm::SourceIp,
            Norm::SourceNetwork,
            Norm::SourceLink,
            Norm::SourceGateway,
            Norm::SourceCountry,
            Norm::SourcePlace,
            Norm::SourceAsn,
            Norm::SourceOperator,
            Norm::SourceAnonymous,
            Norm::SourceKnown,
        ],
    ),
    (&[&["useragent", "user_agent"]], &[Norm::AgentName, Norm::AgentOs, Norm::AgentKind]),
    (
        &[
            &["auth_context", "auth_meta", "system", "resource", "association"],
            &["mdm_device_id", "device_object_id", "windows_device_uuid", "system_object_id"],
        ],
        &[Norm::DeviceKey, Norm::DeviceName, Norm::DeviceManaged],
    ),
    (&[&["application", "resource", "referrer_type", "referrer_object_id"]], &[Norm::AppKey, Norm::AppName]),
    (
        &[&["auth_context", "auth_meta", "mfa", "mfa_meta"], TYPE, OUTCOME],
        &[
            Norm::PolicyAction,
            Norm::MfaUsed,
            Norm::MfaFactor,
            Norm::MfaPushDenied,
            Norm::MfaPushCountry,
            Norm::MfaPushLink,
            Norm::PasswordOk,
        ],
    ),
    // What lists of indicators tell, if there are any.
    (LISTED_BY, &[Norm::IntelMatched, Norm::IntelName]),
    // What events are counted by; it gives no field.
    (&[TYPE, &["service", "organization"]], &[]),
];

/// How many facets the normalized fields have; they come first.
pub const FIXED: usize = NORMALIZED.len();

/// What events are counted by.
pub const KIND: usize = FIXED - 1;
/// Who did it.
pub const ACTOR: usize = 1;
/// Whom it was done to.
pub const TARGET: usize = 2;

/// With what device, and in which application.
const DEVICE: usize = 5;
const APP: usize = 6;

/// The facet that a normalized field belongs to.
pub fn of(norm: Norm) -> usize {
    NORMALIZED.iter().position(|(_, norms)| norms.contains(&norm)).unwrap_or(0)
}

/// What lists of indicators tell.
const LISTED: usize = FIXED - 2;

/// A facet: the members it is made of, and the fields it gives.
#[derive(Clone, Debug, Default)]
pub struct Facet {
    /// first segments of the keys of its members
    pub heads: Vec<String>,
    /// the fields that somebody asks for
    pub fields: Vec<Field>,
    /// only raw fields
    pub is_raw: bool,
    /// its two fields are those of other facets, compared with each other; it is made of these, and of no members
    pub sides: Option<[usize; 2]>,
}

/// The members of a record that somebody asks for, facet by facet: first those of the normalized fields,
/// then one for each further member that a rule names.
#[derive(Clone, Debug, Default)]
pub struct FieldPlan {
    /// the facets
    pub facets: Vec<Facet>,
}

impl FieldPlan {
    /// What these fields, and the normalized ones, are made of.
    pub fn new<'f>(fields: impl IntoIterator<Item = &'f Field>) -> FieldPlan {
        let fixed = NORMALIZED.iter().map(|(heads, norms)| Facet {
            heads: heads.concat().into_iter().map(str::to_owned).collect(),
            fields: norms.iter().map(|norm| Field::Norm(*norm)).collect(),
            is_raw: false,
            sides: None,
        });
        let mut raw: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
        for field in fields {
            let head = match field {
                Field::Norm(_) => continue,
                Field::Change(..) | Field::Changes => "changes",
                Field::Raw(path) => path.first().map_or("", String::as_str),
            };
            let known = raw.entry(head).or_default();
            if !known.contains(field) {
                known.push(field.clone());
            }
        }
        let raw = raw.into_iter().map(|(head, fields)| {
            // Where the record does not name its service, the type tells it.
            let types = if head == "service" { TYPE } else { &[] };
            let heads = [head].iter().chain(types).map(|head| (*head).to_owned()).collect();
            Facet { heads, fields, is_raw: types.is_empty(), sides: None }
        });
        let mut plan = FieldPlan { facets: fixed.chain(raw).collect() };
        plan.facets[LISTED].heads.clear();
        plan
    }

    /// There are lists of indicators, so what may be one is asked for.
    pub fn look_up(&mut self) {
        self.facets[LISTED].heads = LISTED_BY.concat().into_iter().map(str::to_owned).collect();
    }

    /// Where the first of two fields stands that are compared with each other, in a facet that has both.
    pub fn join(&mut self, a: &Field, b: &Field) -> Option<(usize, usize)> {
        let ((one, place), (other, _)) = (self.place(a)?, self.place(b)?);
        if one == other {
            return Some((one, place));
        }
        let fields = vec![a.clone(), b.clone()];
        let known = self.facets.iter().position(|facet| facet.fields == fields);
        let facet = known.unwrap_or_else(|| {
            self.facets.push(Facet { fields, sides: Some([one, other]), ..Facet::default() });
            self.facets.len() - 1
        });
        Some((facet, 0))
    }

    /// The facets that a member is part of; `a.b` is part of the path `a.b` too.
    pub fn of_key(&self, key: &str) -> Vec<usize> {
        let head = key.split('.').next().unwrap_or(key);
        let is_part = |facet: &Facet| facet.heads.iter().any(|known| known == head);
        (0..self.facets.len()).filter(|place| is_part(&self.facets[*place])).collect()
    }

    /// Where a field stands: its facet, and its place among the fields of it.
    pub fn place(&self, field: &Field) -> Option<(usize, usize)> {
        (0..self.facets.len()).find_map(|facet| Some((facet, self.place_in(facet, field)?)))
    }

    /// The place of a field among the fields of a facet.
    pub fn place_in(&self, facet: usize, field: &Field) -> Option<usize> {
        self.facets[facet].fields.iter().position(|known| known == field)
    }
}

/// Whether a facet of events of this type is made of a member of this key.
///
/// The target facet is made of the members of the actor only for what befalls an account, and for alerts; otherwise each
/// pair of a person and an application would be a target of its own. The actor facet is made of the resource only for sign-in
/// attempts. The message counts only for sign-ins to devices.
pub fn is_made_of(facet: usize, event_type: &str, key: &str) -> bool {
    match facet {
        ..FIXED if key == MESSAGE => event_type == DEVICE_SIGN_IN,
        ACTOR => key != RESOURCE || is_attempt(event_type),
        TARGET => key == RESOURCE || !WHO.contains(&key) || tells_target_by_actor(event_type),
        _ => true,
    }
}

/// Whether a member that says whom it was done to spares the target facet of events of this type the substitutes.
pub fn is_told_by_resource(event_type: &str) -> bool {
    !tells_target_by_actor(event_type)
}

/// What a key means for other members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// it names the target if no other member does
    Substitute,
    /// it names the target, even if other members name one too
    Association,
    /// anything else
    Other,
}

impl Standing {
    /// That of a key.
    pub fn of(key: &str) -> Standing {
        if key.split('.').next() == Some("association") {
            Standing::Association
        } else if key != RESOURCE && (WHO.contains(&key) || WHOM.contains(&key)) {
            Standing::Substitute
        } else {
            Standing::Other
        }
    }
}

/// What the value of a member means for facets: a `resource` that is no device tells no device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning(pub u32);

impl Meaning {
    /// It says whom it was done to.
    const NAMES: u32 = 1 << 31;

    /// That of a member.
    pub fn of(key: &str, value: &Json<'_>) -> Meaning {
        if key != RESOURCE {
            return Meaning::default();
        }
        let silent = |facet: usize, tells: bool| if tells { 0 } else { 1 << facet };
        let is_nameless = is_a_device(value) && device_name(value).is_none();
        let names = if is_named(value) && !is_nameless { Meaning::NAMES } else { 0 };
        Meaning(silent(DEVICE, is_a_device(value)) | silent(APP, is_an_application(value)) | names)
    }

    /// Whether it tells nothing of a facet.
    pub fn is_silent(self, facet: usize) -> bool {
        facet < FIXED && self.0 >> facet & 1 == 1
    }

    /// Whether it says whom it was done to, so that no substitute is asked.
    pub fn names_target(self) -> bool {
        self.0 & Meaning::NAMES != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_normalized_field_is_of_one_facet() {
        for norm in Norm::ALL {
            assert_eq!(NORMALIZED.iter().filter(|(_, norms)| norms.contains(norm)).count(), 1, "{norm:?}");
        }
        let of = [Norm::ActorKey, Norm::TargetKey, Norm::DeviceKey, Norm::AppKey].map(of);
        assert_eq!(of, [ACTOR, TARGET, DEVICE, APP]);
    }
}
