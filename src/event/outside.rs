//! Outside: what is known of an event from elsewhere than its record: lists of indicators, databases of
//! places, the organization's own addresses.

use super::Event;
use super::field::{Field, Fields, Norm, Value, Values};

/// Tells what is known of an event from elsewhere.
pub type LookUp<'l> = dyn Fn(&Event<'_>) -> Outside + Sync + 'l;

/// What is known of an event from elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outside {
    /// two-letter country of the address
    pub country: Option<String>,
    /// latitude and longitude in degrees
    pub place: Option<(f64, f64)>,
    /// how many kilometres from there the truth may be
    pub radius: Option<f64>,
    /// the network operator of the address, as `AS174`
    pub asn: Option<String>,
    /// what hides behind the address: `tor`, `vpn`, `proxy`, `anonymous`, `hosting`
    pub anonymous: Option<&'static str>,
    /// what the organization calls the network of the address
    pub known: Option<String>,
    /// indicators that something in the event is, each once
    pub listed: Vec<String>,
}

/// An event, and what is known of it from elsewhere. The values of the record come first: a looked-up place in another
/// country than that of the record is ignored.
#[derive(Debug)]
pub struct Enriched<'e> {
    /// the event
    pub event: &'e Event<'e>,
    /// what is known from elsewhere
    pub outside: Option<Outside>,
}

impl Outside {
    /// The place as `source.place` says it: latitude, longitude, and the radius where one is known.
    fn spot(&self) -> Option<String> {
        let (latitude, longitude) = self.place?;
        let radius = self.radius.map(|radius| format!(",{radius}")).unwrap_or_default();
        Some(format!("{latitude},{longitude}{radius}"))
    }
}

impl Fields for Enriched<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        let own = self.event.values(field);
        let (Some(outside), Field::Norm(norm)) = (&self.outside, field) else { return own };
        // Of a record without an operator the event has only the network.
        let is_unknown = match norm {
            Norm::SourceOperator => {
                self.event.values(&Field::Norm(Norm::SourceAsn)).is_empty() && outside.asn.is_some()
            }
            _ => own.is_empty(),
        };
        if !is_unknown {
            return own;
        }
        // Where the record says another country, a point of the database is one of somewhere else.
        let is_there = || {
            let said = self.event.values(&Field::Norm(Norm::SourceCountry));
            said.iter().all(|said| said.text() == outside.country.as_deref())
        };
        let one = |text: Option<String>| text.map(|text| Value::Text(text.into())).into_iter().collect();
        match norm {
            Norm::SourceCountry => one(outside.country.clone()),
            Norm::SourcePlace => one(outside.spot().filter(|_| is_there())),
            Norm::SourceAsn | Norm::SourceOperator => one(outside.asn.clone()),
            Norm::SourceAnonymous => one(outside.anonymous.map(str::to_owned)),
            Norm::SourceKnown => one(outside.known.clone()),
            Norm::IntelMatched => one((!outside.listed.is_empty()).then(|| "true".to_owned())),
            Norm::IntelName => outside.listed.iter().map(|name| Value::Text(name.as_str().into())).collect(),
            _ => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::Json;

    #[test]
    fn the_operator_is_that_of_the_record_then_of_the_database_then_the_network() {
        let operator = |asn: &str, known: Option<&str>| {
            let text = format!(r#"{{"event_type":"sso_auth","client_ip":"192.0.2.1"{asn}}}"#);
            let json = Json::parse(&text).unwrap();
            let event = Event::part(&json);
            let outside = Some(Outside { asn: known.map(str::to_owned), ..Outside::default() });
            let event = Enriched { event: &event, outside };
            let values = event.values(&Field::Norm(Norm::SourceOperator));
            values.first().and_then(Value::text).map(str::to_owned)
        };
        assert_eq!(operator(r#","asn":174"#, Some("AS2")).as_deref(), Some("AS174"));
        assert_eq!(operator("", Some("AS2")).as_deref(), Some("AS2"));
        assert_eq!(operator("", None).as_deref(), Some("192.0.0.0/16"));
    }
}
