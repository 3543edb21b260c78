//! Geo: where an address is and whose network it is in, out of databases in MaxMind's format (mmdb).
//!
//! A database is told by the shape of its records, not by its name: nested as MaxMind and DB-IP write them, or
//! flat as IPinfo does. In IPinfo's older files `country` is the code and `country_name` the name.

mod tree;
#[cfg(test)]
mod writer;

use std::net::IpAddr;
use std::path::Path;

use maxminddb::Reader;

use super::file::{self, Named};
use super::met::Met;
use super::{Error, Provenance};
use crate::event::json::Json;
use crate::event::source::{operator_number, point};
use crate::event::time::{SECOND, Timestamp};

/// What a database knows of an address. What it does not say is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// two letters, upper case
    pub country: Option<String>,
    /// the city's English name
    pub city: Option<String>,
    /// degrees north
    pub latitude: Option<f64>,
    /// degrees east
    pub longitude: Option<f64>,
    /// the true place is probably within this distance
    pub accuracy_km: Option<f64>,
    /// number of the network operator
    pub asn: Option<u32>,
    /// name of the network operator
    pub as_name: Option<String>,
    /// the kind of anonymizing service, if it is one: VPN, proxy, Tor or just "anonymous", as the database says
    pub anonymous: Option<&'static str>,
    /// a hosting provider's network; `None` if the database does not tell
    pub hosting: Option<bool>,
}

impl Place {
    fn is_empty(&self) -> bool {
        *self == Place::default()
    }

    /// Takes from another database what this place does not say. A point is never put together of two.
    fn fill(&mut self, other: Place) {
        if self.latitude.is_none() && self.country.as_ref().is_none_or(|c| other.country.as_ref() == Some(c)) {
            (self.latitude, self.longitude, self.accuracy_km) = (other.latitude, other.longitude, other.accuracy_km);
            self.city = self.city.take().or(other.city);
        }
        self.country = self.country.take().or(other.country);
        if self.asn.is_none() {
            (self.asn, self.as_name) = (other.asn, other.as_name.or(self.as_name.take()));
        }
        self.anonymous = self.anonymous.or(other.anonymous);
        self.hosting = self.hosting.or(other.hosting);
    }
}

/// Databases to look addresses up in.
#[derive(Default)]
pub struct Geo {
    /// the files, in the order in which they were added
    pub provenance: Vec<Provenance>,
    /// those in which something was found
    pub met: Met,
    readers: Vec<Reader<Vec<u8>>>,
}

impl std::fmt::Debug for Geo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Geo").field("provenance", &self.provenance).finish_non_exhaustive()
    }
}

const REMEDY: &str = "name a City, Country, ASN or Anonymous-IP database (.mmdb) of MaxMind, DB-IP or IPinfo";

/// How many records are looked at to see whether a database has anything of a [`Place`].
const PROBES: usize = 1000;

impl Geo {
    /// Opens databases. Where several know something, the first of them is believed.
    pub fn load(paths: &[impl AsRef<Path>]) -> Result<Geo, Error> {
        let mut geo = Geo::default();
        for path in paths {
            let (bytes, provenance) = file::bytes(&Named::of(path.as_ref()))?;
            geo.add(bytes, provenance)?;
        }
        geo.met = Met::new(geo.readers.len());
        Ok(geo)
    }

    fn add(&mut self, bytes: Vec<u8>, mut provenance: Provenance) -> Result<(), Error> {
        let name = provenance.file.clone();
        let unreadable = |error: maxminddb::MaxMindDbError| {
            Error::new(&name, format!("cannot be read as a database of addresses ({error})"), REMEDY)
        };
        let borrowed = Reader::from_source(&bytes[..]).map_err(unreadable)?;
        provenance.entries = tree::networks(&bytes, borrowed.metadata());
        let reader = Reader::from_source(bytes).map_err(unreadable)?;
        let metadata = reader.metadata();
        let built = i64::try_from(metadata.build_epoch).ok().and_then(|seconds| seconds.checked_mul(SECOND));
        provenance.modified = built.map(Timestamp).or(provenance.modified);
        let broken = |error: maxminddb::MaxMindDbError| {
            Error::new(&name, format!("is a damaged database ({error})"), "download it again")
        };
        let mut knows_something = false;
        for found in reader.networks(maxminddb::WithinOptions::default()).map_err(broken)?.take(PROBES) {
            let record = found.and_then(|found| found.decode::<Json<'_>>()).map_err(broken)?;
            knows_something |= record.is_some_and(|record| !place(&record).is_empty());
            if knows_something {
                break;
            }
        }
        if !knows_something {
            let kind = &metadata.database_type;
            return Err(Error::new(
                &name,
                format!("a database of type {kind:?} that knows no places or operators"),
                REMEDY,
            ));
        }
        self.provenance.push(provenance);
        self.readers.push(reader);
        Ok(())
    }

    /// What all databases together know of an address; nothing if it is in none of them.
    pub fn place(&self, ip: IpAddr) -> Option<Place> {
        let ip = ip.to_canonical();
        let mut known = Place::default();
        for (at, reader) in self.readers.iter().enumerate() {
            if ip.is_ipv6() && reader.metadata().ip_version == 4 {
                continue;
            }
            if let Ok(Some(record)) = reader.lookup(ip).and_then(|found| found.decode::<Json<'_>>()) {
                self.met.mark(at);
                known.fill(place(&record));
            }
        }
        (!known.is_empty()).then_some(known)
    }
}

/// A record of any of the shapes as a place.
fn place(record: &Json<'_>) -> Place {
    let coordinate = |key: &str, short: &str| {
        let value = record.at(&["location", key]).or_else(|| record.get(key)).or_else(|| record.get(short));
        value.and_then(Json::number)
    };
    let both = coordinate("latitude", "lat").zip(coordinate("longitude", "lng"));
    let point = both.and_then(|(latitude, longitude)| point(latitude, longitude));
    let number = ["autonomous_system_number", "asn"].iter().find_map(|key| anywhere(record, key));
    let name = ["autonomous_system_organization", "as_name", "isp", "organization"];
    Place {
        country: country(record),
        city: text(record, &[&["city", "names", "en"], &["city", "name"], &["city"]]),
        latitude: point.map(|(latitude, _)| latitude),
        longitude: point.map(|(_, longitude)| longitude),
        accuracy_km: record.at(&["location", "accuracy_radius"]).and_then(Json::number).filter(|n| *n >= 0.0),
        asn: number.and_then(asn),
        as_name: name.iter().find_map(|key| anywhere(record, key)?.text().map(str::to_owned)),
        anonymous: anonymous(record),
        hosting: hosting(record),
    }
}

/// A member of the record or of its `traits`.
fn anywhere<'r, 'd>(record: &'r Json<'d>, key: &str) -> Option<&'r Json<'d>> {
    record.get(key).or_else(|| record.at(&["traits", key]))
}

fn text(record: &Json<'_>, paths: &[&[&str]]) -> Option<String> {
    paths.iter().find_map(|path| record.text_at(path)).map(str::to_owned)
}

fn country(record: &Json<'_>) -> Option<String> {
    let paths: &[&[&str]] =
        &[&["country", "iso_code"], &["country_code"], &["country"], &["registered_country", "iso_code"]];
    let codes = paths.iter().filter_map(|path| record.text_at(path));
    codes.filter(|code| code.len() == 2 && code.is_ascii()).map(str::to_ascii_uppercase).next()
}

/// `15169`, `"15169"` or `"AS15169"`.
fn asn(value: &Json<'_>) -> Option<u32> {
    match value {
        Json::Int(n) => u32::try_from(*n).ok(),
        Json::Text(text) => operator_number(text),
        _ => None,
    }
    .filter(|n| *n != 0)
}

/// What is said of a flag of an address. MaxMind leaves a flag out where it is false.
fn flag(record: &Json<'_>, names: &[&str]) -> Option<bool> {
    names.iter().filter_map(|name| anywhere(record, name)?.truth()).reduce(|a, b| a || b)
}

fn anonymous(record: &Json<'_>) -> Option<&'static str> {
    let kinds: [(&'static str, &[&str]); 4] = [
        ("tor", &["is_tor_exit_node", "is_tor", "tor"]),
        ("vpn", &["is_anonymous_vpn", "is_vpn", "vpn"]),
        (
            "proxy",
            &[
                "is_public_proxy",
                "is_residential_proxy",
                "is_proxy",
                "proxy",
                "is_anonymous_proxy",
                "relay",
                "is_relay",
            ],
        ),
        ("anonymous", &["is_anonymous"]),
    ];
    kinds.into_iter().find(|(_, names)| flag(record, names) == Some(true)).map(|(kind, _)| kind)
}

fn hosting(record: &Json<'_>) -> Option<bool> {
    flag(record, &["is_hosting_provider", "is_hosting", "hosting"]).or_else(|| {
        let kind = ["user_type", "as_type", "type"].iter().find_map(|key| anywhere(record, key)?.text())?;
        Some(kind.eq_ignore_ascii_case("hosting"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::writer::write;
    use super::*;

    fn geo(databases: &[Vec<u8>]) -> Result<Geo, String> {
        let mut geo = Geo::default();
        for bytes in databases {
            let provenance = Provenance { file: "x.mmdb".to_owned(), ..Provenance::default() };
            geo.add(bytes.clone(), provenance).map_err(|e| e.to_string())?;
        }
        Ok(geo)
    }

    fn at(geo: &Geo, ip: &str) -> Option<Place> {
        geo.place(ip.parse().unwrap())
    }

    const CITY: &str = r#"{"country":{"iso_code":"fr","names":{"en":"France"}},"city":{"names":{"de":"x","en":"Paris"}},
        "location":{"latitude":48.85,"longitude":2.35,"accuracy_radius":20}}"#;
    const ASN: &str = r#"{"autonomous_system_number":64500,"autonomous_system_organization":"Example"}"#;
    const LITE: &str =
        r#"{"country":"Norway","country_code":"NO","asn":"AS64501","as_name":"Nett AS","as_domain":"x"}"#;

    #[test]
    fn city_and_asn_together() {
        let geo = geo(&[write("GeoLite2-City", "203.0.113.0/24", CITY), write("ASN", "203.0.113.0/25", ASN)]).unwrap();
        let place = at(&geo, "203.0.113.7").unwrap();
        assert_eq!((place.country.as_deref(), place.city.as_deref()), (Some("FR"), Some("Paris")));
        assert_eq!((place.latitude, place.longitude, place.accuracy_km), (Some(48.85), Some(2.35), Some(20.0)));
        assert_eq!((place.asn, place.as_name.as_deref()), (Some(64500), Some("Example")));
        assert_eq!(at(&geo, "::ffff:203.0.113.200").unwrap().asn, None);
        assert_eq!(at(&geo, "198.51.100.1"), None);
        assert_eq!(at(&geo, "2001:db8::1"), None);
        assert_eq!(geo.provenance[0].entries, 1);
        assert_eq!(geo.provenance[0].modified.unwrap().rfc3339(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn shapes() {
        let of = |json: &str| place(&Json::parse(json).unwrap());
        let lite = of(LITE);
        assert_eq!(
            (lite.country.as_deref(), lite.asn, lite.as_name.as_deref()),
            (Some("NO"), Some(64501), Some("Nett AS"))
        );
        let old = of(r#"{"country":"DE","country_name":"Germany","city":"Bonn","lat":"50.7","lng":"7.1"}"#);
        assert_eq!((old.country.as_deref(), old.city.as_deref(), old.latitude), (Some("DE"), Some("Bonn"), Some(50.7)));
        let filled = of(r#"{"country":{"iso_code":"FR"},"location":{"latitude":0.0,"longitude":0.0}}"#);
        assert_eq!((filled.country.as_deref(), filled.latitude, filled.longitude), (Some("FR"), None, None));
        let tor = of(r#"{"is_anonymous":true,"is_tor_exit_node":true,"is_hosting_provider":true}"#);
        assert_eq!((tor.anonymous, tor.hosting), (Some("tor"), Some(true)));
        assert_eq!(of(r#"{"vpn":"true","hosting":"false"}"#).anonymous, Some("vpn"));
        assert_eq!(
            of(r#"{"traits":{"autonomous_system_number":1,"isp":"I","user_type":"hosting"}}"#).hosting,
            Some(true)
        );
        for json in
            ["{}", "[]", "7", r#"{"country":{"iso_code":7},"asn":"ASé","location":{"latitude":1e300,"longitude":1}}"#]
        {
            assert!(of(json).is_empty(), "{json}");
        }
    }

    #[test]
    fn a_point_is_of_one_database() {
        let other = r#"{"country_code":"NO","city":"Oslo","lat":59.9,"lng":10.7}"#;
        let geo = geo(&[write("c", "203.0.113.0/24", r#"{"country_code":"SE"}"#), write("d", "203.0.113.0/24", other)])
            .unwrap();
        let place = at(&geo, "203.0.113.1").unwrap();
        assert_eq!((place.country.as_deref(), place.city, place.latitude), (Some("SE"), None, None));
    }

    #[test]
    fn other_databases_and_files_are_errors() {
        let domain = write("GeoIP2-Domain", "203.0.113.0/24", r#"{"domain":"x.example"}"#);
        assert!(geo(&[domain]).unwrap_err().contains("type \"GeoIP2-Domain\" that knows no places"));
        for bytes in [vec![], b"hello".to_vec(), b"\xab\xcd\xefMaxMind.com".to_vec()] {
            assert!(geo(&[bytes]).unwrap_err().contains("cannot be read as a database of addresses"));
        }
    }

    proptest! {
        #[test]
        fn damage_is_no_panic(at in 0_usize..600, byte: u8, cut in 0_usize..600) {
            let whole = write("GeoLite2-City", "203.0.113.0/24", CITY);
            let mut damaged = whole.clone();
            let at = at % damaged.len();
            damaged[at] = byte;
            for bytes in [damaged, whole[..cut.min(whole.len())].to_vec()] {
                if let Ok(geo) = geo(&[bytes]) {
                    for ip in ["203.0.113.7", "0.0.0.0", "255.255.255.255", "2001:db8::1"] {
                        let _ = geo.place(ip.parse().unwrap());
                    }
                }
            }
        }
    }
}
