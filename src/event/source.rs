//! Source: the address an event came from, and what the record knows about it.

use std::net::IpAddr;

use ipnet::Ipv6Net;

use super::json::Json;

/// The event of a sign-in to a device.
pub const DEVICE_SIGN_IN: &str = "login_attempt";

/// An address in its canonical form: no port, no brackets, no zone, no `::ffff:` in front of IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().map(|ip| ip.to_canonical()).ok().or_else(|| dressed(text.trim()))
}

/// An address with a port, brackets or a zone.
fn dressed(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.split(']').next()).unwrap_or(text);
    let bare = bare.split('%').next().unwrap_or(bare);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| {
        let (host, port) = bare.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        host.parse().ok()
    })?;
    Some(parsed.to_canonical())
}

/// An address as text.
pub fn text(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => dotted(v4.octets(), ""),
        IpAddr::V6(v6) => v6.to_string(),
    }
}

/// What the standard library writes, without its formatter: each new address is written four times.
fn dotted(octets: [u8; 4], behind: &str) -> String {
    let mut out = String::with_capacity("255.255.255.255/32".len());
    for (place, octet) in octets.into_iter().enumerate() {
        if place > 0 {
            out.push('.');
        }
        let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| char::from(b'0' + digit));
        let first = if octet >= 100 { 0 } else { usize::from(octet < 10) + 1 };
        out.extend(&digits[first..]);
    }
    out + behind
}

/// The network of an address: so many octets of IPv4, with what is written behind them, or so many bits of IPv6.
fn shortened(ip: IpAddr, octets: usize, behind: &str, bits: u8) -> String {
    match ip {
        IpAddr::V4(v4) => {
            let mut all = v4.octets();
            all[octets..].fill(0);
            dotted(all, behind)
        }
        IpAddr::V6(v6) => Ipv6Net::new_assert(v6, bits).trunc().to_string(),
    }
}

/// The network that stands for an address in "seen before": /24 of IPv4, /48 of IPv6.
pub fn network(ip: IpAddr) -> String {
    shortened(ip, 3, "/24", 48)
}

/// What stands for an address where the same machine is meant: of IPv6 the /64 of its link, in which systems take a new
/// address every day (RFC 8981) and whoever rents a server has all addresses.
pub fn link(ip: IpAddr) -> String {
    shortened(ip, 4, "", 64)
}

/// The network that stands for the operator of an address where no feed tells it: /16 of IPv4, /32 of IPv6, which is
/// what operators are given at least. Few have less, and most have more.
pub fn wide_network(ip: IpAddr) -> String {
    shortened(ip, 2, "/16", 32)
}

/// Whether the addresses of this event tell where the actor is. RADIUS carries the address of the access
/// point or VPN gateway, LDAP carries none.
fn tells_the_actor(event_type: &str, json: &Json<'_>) -> bool {
    let service = json.text_at(&["service"]).unwrap_or_default();
    !(service == "radius"
        || service == "ldap"
        || event_type.starts_with("radius_auth")
        || event_type.starts_with("ldap_"))
}

/// Of RADIUS the address of the access point or VPN gateway that asks.
pub fn gateway(json: &Json<'_>, event_type: &str) -> Option<IpAddr> {
    let is_radius = json.text_at(&["service"]) == Some("radius") || event_type.starts_with("radius_auth");
    json.text_at(&["client_ip"]).filter(|_| is_radius).and_then(address)
}

/// The actor's address. For a device sign-in that came over the network it is the peer (`src_ip`, or what the message
/// names), not the public address of the device.
pub fn ip(json: &Json<'_>, event_type: &str) -> Option<IpAddr> {
    if !tells_the_actor(event_type, json) {
        return None;
    }
    peer(json, event_type).or_else(|| json.text_at(&["client_ip"]).and_then(address))
}

/// Some feeds name the peer only in the message: `User vagrant logged in from 10.0.2.2, process name: sshd`. Names come
/// before it and are chosen by whoever tries them, so it is read from its end.
fn peer(json: &Json<'_>, event_type: &str) -> Option<IpAddr> {
    let named = || {
        let message = json.text_at(&["message"]).filter(|_| event_type == DEVICE_SIGN_IN)?;
        let (told, _) = message.rsplit_once(", process name")?;
        address(told.rsplit_once(" from ")?.1)
    };
    json.text_at(&["src_ip"]).and_then(address).or_else(named)
}

/// Whether what the record knows of an address is of [`ip`]: it is of `client_ip`, so not of another peer of a device.
fn is_described(json: &Json<'_>, event_type: &str) -> bool {
    let described = || json.text_at(&["client_ip"]).and_then(address);
    tells_the_actor(event_type, json) && peer(json, event_type).is_none_or(|peer| Some(peer) == described())
}

/// `geoip` where it describes [`ip`].
fn geoip<'e>(json: &'e Json<'e>, event_type: &str) -> Option<&'e Json<'e>> {
    let geoip = json.get("geoip").filter(|_| is_described(json, event_type))?;
    Some(geoip.said(&["geoip"]).unwrap_or(geoip))
}

/// Two-letter country, upper case.
pub fn country(json: &Json<'_>, event_type: &str) -> Option<String> {
    geoip(json, event_type).and_then(country_code)
}

/// The country of a `geoip` object, in the old (`country_code2`) or a newer spelling; of 2026 is `country`, which may
/// also be a name.
pub fn country_code(geoip: &Json<'_>) -> Option<String> {
    let code = ["country_code", "country_code2"].iter().find_map(|key| geoip.text_at(&[key]));
    let is_code = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    code.or_else(|| geoip.text_at(&["country"]).filter(is_code)).map(str::to_ascii_uppercase)
}

/// Latitude and longitude in degrees, written as numbers or as text; `None` where either is not a number
/// or out of range, and for 0, 0: what fills empty values with zeros writes that, and nobody is there.
pub fn place(json: &Json<'_>, event_type: &str) -> Option<(f64, f64)> {
    let geoip = geoip(json, event_type)?;
    point(geoip.get("latitude")?.number()?, geoip.get("longitude")?.number()?)
}

/// A point on the earth that somebody may be at.
pub fn point(latitude: f64, longitude: f64) -> Option<(f64, f64)> {
    let is_filled = latitude == 0.0 && longitude == 0.0;
    (!is_filled && latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
}

/// The network operator of [`ip`], as number (`AS174`) or name, where newer feeds carry it.
pub fn asn(json: &Json<'_>, event_type: &str) -> Option<String> {
    let asn = json
        .said(&["asn"])
        .filter(|_| is_described(json, event_type))
        .or_else(|| geoip(json, event_type)?.said(&["asn"]))?;
    let number = ["number", "asn"].iter().find_map(|key| operator(asn.said(&[key])?));
    number.or_else(|| operator(asn)).or_else(|| asn.text_at(&["organization"]).map(str::to_owned))
}

/// The number in `15169` or `AS15169`.
pub fn operator_number(text: &str) -> Option<u32> {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).map_or(text, |_| &text[2..]);
    digits.parse().ok()
}

/// An operator by its number, which a cell of CSV has as text, or by its name.
fn operator(said: &Json<'_>) -> Option<String> {
    match said {
        Json::Int(number) => Some(format!("AS{number}")),
        Json::Text(text) => {
            operator_number(text).map(|number| format!("AS{number}")).or_else(|| said.text().map(str::to_owned))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_shape() {
        for (text, want) in [
            ("1.2.3.4", Some("1.2.3.4")),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("1.2.3.4:443", Some("1.2.3.4")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("2001:DB8:0:0::1", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("x.x.x.x", None),
            ("", None),
            ("1.2.3", None),
        ] {
            assert_eq!(address(text).map(|a| a.to_string()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn text_as_the_standard_library_writes_it() {
        for octet in 0..=255 {
            let ip = IpAddr::from([octet, 255 - octet, octet, 0]);
            assert_eq!(text(ip), ip.to_string());
        }
        assert_eq!(text("2001:DB8:0::1".parse().unwrap()), "2001:db8::1");
    }

    #[test]
    fn networks() {
        assert_eq!(network("203.0.113.77".parse().unwrap()), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::9".parse().unwrap()), "2001:db8:1::/48");
        assert_eq!(link("203.0.113.77".parse().unwrap()), "203.0.113.77");
        assert_eq!(wide_network("203.0.113.77".parse().unwrap()), "203.0.0.0/16");
        assert_eq!(wide_network("2001:db8:1:2::9".parse().unwrap()), "2001:db8::/32");
        assert_eq!(link("2001:db8:1:2:3::9".parse().unwrap()), "2001:db8:1:2::/64");
    }

    #[test]
    fn radius_and_ldap_have_no_source() {
        let j = Json::parse(r#"{"client_ip":"1.2.3.4","geoip":{"country_code":"FR"},"service":"radius"}"#).unwrap();
        assert_eq!(ip(&j, "radius_auth_attempt"), None);
        assert_eq!(country(&j, "radius_auth_attempt"), None);
        assert_eq!(gateway(&j, "radius_auth_attempt").unwrap().to_string(), "1.2.3.4");
        assert_eq!(gateway(&Json::parse(r#"{"client_ip":"1.2.3.4"}"#).unwrap(), "sso_auth"), None);
    }

    #[test]
    fn peer_of_a_device_has_no_place() {
        let j = Json::parse(r#"{"client_ip":"1.2.3.4","src_ip":"10.0.2.2","geoip":{"country_code":"FR"}}"#).unwrap();
        assert_eq!(ip(&j, "login_attempt").unwrap().to_string(), "10.0.2.2");
        assert_eq!(country(&j, "login_attempt"), None);
        let of_message = |message: &str| {
            let text = format!(r#"{{"client_ip":"1.2.3.4","message":"{message}","geoip":{{"country_code":"FR"}}}}"#);
            let json = Json::parse(&text).unwrap();
            (ip(&json, "login_attempt").unwrap().to_string(), country(&json, "login_attempt"), ip(&json, "sso_auth"))
        };
        let own = "1.2.3.4".parse().ok();
        let abroad = ("10.0.2.2".to_owned(), None, own);
        assert_eq!(of_message("User vagrant logged in from 10.0.2.2, process name: sshd"), abroad);
        let trick =
            "User x from 9.9.9.9, process name: y failed to login from 10.0.2.2, process name: sshd, caused by z";
        assert_eq!(of_message(trick), abroad);
        let here = ("1.2.3.4".to_owned(), Some("FR".to_owned()), own);
        assert_eq!(of_message("User root logged in from (unknown), process name: "), here);
        assert_eq!(of_message("User a from b"), here);
    }

    #[test]
    fn an_operator_in_every_shape() {
        for (members, want) in [
            (r#""asn":64500"#, "AS64500"),
            (r#""asn":"64500""#, "AS64500"),
            (r#""asn":"as64500""#, "AS64500"),
            (r#""asn":"Example AS""#, "Example AS"),
            (r#""asn":{"number":"64500","organization":"Example"}"#, "AS64500"),
            (r#""asn":{"number":null,"asn":64500}"#, "AS64500"),
            (r#""asn":{"organization":"Example"}"#, "Example"),
            (r#""asn":null,"geoip":{"asn":64500}"#, "AS64500"),
            (r#""asn":{"organization":""},"geoip":{"asn":64500}"#, "AS64500"),
            (r#""asn":"","geoip":{}"#, "-"),
            (r#""asn":64500,"src_ip":"198.51.100.9""#, "-"),
            (r#""asn":64500,"src_ip":"1.2.3.4""#, "AS64500"),
        ] {
            let text = format!(r#"{{"client_ip":"1.2.3.4",{members}}}"#);
            let json = Json::parse(&text).unwrap();
            assert_eq!(asn(&json, "login_attempt").as_deref().unwrap_or("-"), want, "{members}");
        }
    }

    #[test]
    fn a_country_in_every_spelling() {
        for (geoip, want) in [
            (r#"{"country_code":"fr"}"#, Some("FR")),
            (r#"{"country_code2":"FR"}"#, Some("FR")),
            (r#"{"city":"Hanoi","country":"VN","region":"HN"}"#, Some("VN")),
            (r#"{"country":"VN","country_code":"FR"}"#, Some("FR")),
            (r#"{"country":"Vietnam"}"#, None),
            (r#"{"country":"V1"}"#, None),
        ] {
            let text = format!(r#"{{"client_ip":"1.2.3.4","geoip":{geoip}}}"#);
            let json = Json::parse(&text).unwrap();
            assert_eq!(country(&json, "sso_auth").as_deref(), want, "{geoip}");
        }
    }

    #[test]
    fn coordinates_as_text_and_as_nonsense() {
        let j = Json::parse(r#"{"geoip":{"latitude":"48.8","longitude":"2.4"}}"#).unwrap();
        assert_eq!(place(&j, "sso_auth"), Some((48.8, 2.4)));
        let j = Json::parse(r#"{"geoip":{"country_code":"","latitude":0,"longitude":0}}"#).unwrap();
        assert_eq!(place(&j, "sso_auth"), None);
        let j = Json::parse(r#"{"geoip":{"latitude":"xx.xxxxx","longitude":"-xx.xxxxx"}}"#).unwrap();
        assert_eq!(place(&j, "sso_auth"), None);
    }
}
