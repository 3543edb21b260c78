//! Networks: how one is written, and a list of them that is compared as one, however long it is.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};

use super::source::{self, address};

/// The network that a text names, in its canonical form; an address is a network of one. Host bits are allowed
/// (`203.0.113.7/24`), and a network of `::ffff:0:0/96` is one of IPv4, as its addresses are.
pub fn network(text: &str) -> Option<IpNet> {
    // `address` ignores what follows a closing bracket or a zone, so here it is made sure that this is neither the
    // length of a prefix nor the end of a range.
    let is_more = || text.contains('/') || text.rsplit_once('-').is_some_and(|(_, end)| address(end).is_some());
    if let Some(address) = address(text).filter(|_| !is_more()) {
        return Some(IpNet::from(address));
    }
    let network = text.trim().parse::<IpNet>().ok()?.trunc();
    Some(match (network.network().to_canonical(), network.prefix_len()) {
        (v4 @ IpAddr::V4(_), len @ 96..) if matches!(network, IpNet::V6(_)) => {
            IpNet::new(v4, len - 96).unwrap_or(network)
        }
        _ => network,
    })
}

/// The networks that a text names: one, or those that a range from one address to another is made of.
pub fn networks(text: &str) -> Vec<IpNet> {
    if let Some(one) = network(text) {
        return vec![one];
    }
    let ends = text.split_once('-').and_then(|(first, last)| Some((address(first)?, address(last)?)));
    match ends {
        Some((IpAddr::V4(first), IpAddr::V4(last))) if first <= last => {
            IpSubnets::from(Ipv4Subnets::new(first, last, 0)).collect()
        }
        Some((IpAddr::V6(first), IpAddr::V6(last))) if first <= last => {
            IpSubnets::from(Ipv6Subnets::new(first, last, 0)).collect()
        }
        _ => Vec::new(),
    }
}

/// The addresses and networks that networks hold, as `source.link` and `source.network` spell them, each once: the
/// /24 (/48 of IPv6) that they are made of, of smaller ones the addresses (of IPv6 the /64). Networks of more than
/// 256 parts are left out, and so is what is beyond 4,096 texts: no list of whole countries is somebody's address.
pub fn spelled(networks: impl IntoIterator<Item = IpNet>) -> BTreeSet<String> {
    networks.into_iter().flat_map(parts).take(MOST_SPELLED).collect()
}

/// So many texts are made of one value.
const MOST_SPELLED: usize = 4096;

/// A network of so many parts holds a /16, or a /40 of IPv6.
const MOST_PARTS: u32 = 256;

fn parts(network: IpNet) -> Vec<String> {
    let (wide, narrow) = if network.addr().is_ipv4() { (24, 32) } else { (48, 64) };
    let spell: fn(IpAddr) -> String = if network.prefix_len() <= wide { source::network } else { source::link };
    let length = if network.prefix_len() <= wide { wide } else { narrow };
    if u32::from(length.saturating_sub(network.prefix_len())) > MOST_PARTS.ilog2() {
        return Vec::new();
    }
    match network.subnets(length) {
        Ok(subnets) => subnets.map(|part| spell(part.network())).collect(),
        // A part of the /64 that stands for it.
        Err(_) => vec![spell(network.network())],
    }
}

/// Networks, as a list names them and as one set of addresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Networks {
    named: Vec<IpNet>,
    /// first and last addresses of what they hold, in order; no two of these meet, nor does one follow on another
    widest: Vec<(IpAddr, IpAddr)>,
}

impl Networks {
    /// Puts networks together.
    pub fn new(named: Vec<IpNet>) -> Networks {
        let mut all: Vec<(IpAddr, IpAddr)> = named.iter().map(|n| (n.network(), n.broadcast())).collect();
        all.sort_unstable();
        let mut widest: Vec<(IpAddr, IpAddr)> = Vec::new();
        for (first, last) in all {
            match widest.last_mut() {
                Some(open) if first <= open.1 || follows(first, open.1) => open.1 = open.1.max(last),
                _ => widest.push((first, last)),
            }
        }
        Networks { named, widest }
    }

    /// The networks as the list names them.
    pub fn named(&self) -> &[IpNet] {
        &self.named
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.hold((ip, ip))
    }

    /// Whether one of them holds all of a network.
    pub fn covers(&self, network: IpNet) -> bool {
        self.hold((network.network(), network.broadcast()))
    }

    fn hold(&self, (first, last): (IpAddr, IpAddr)) -> bool {
        let started = self.widest.partition_point(|(start, _)| *start <= first);
        started > 0 && last <= self.widest[started - 1].1
    }
}

/// Whether an address is the next one behind another.
fn follows(next: IpAddr, last: IpAddr) -> bool {
    match (last, next) {
        (IpAddr::V4(last), IpAddr::V4(next)) => last.to_bits().checked_add(1) == Some(next.to_bits()),
        (IpAddr::V6(last), IpAddr::V6(next)) => last.to_bits().checked_add(1) == Some(next.to_bits()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_in_every_spelling() {
        for (text, want) in [
            (" 203.0.113.7 ", Some("203.0.113.7/32")),
            ("203.0.113.7:443", Some("203.0.113.7/32")),
            ("::ffff:203.0.113.7", Some("203.0.113.7/32")),
            (" 203.0.113.7/24 ", Some("203.0.113.0/24")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::ffff:0:0/95", Some("::fffe:0:0/95")),
            ("2001:DB8::1/32", Some("2001:db8::/32")),
            ("10.0.0.0/33", None),
            ("10.0.0/8", None),
            ("[2001:db8::1]:443", Some("2001:db8::1/128")),
            ("[2001:db8::]/32", None),
            ("[10.1.0.0]/16", None),
            ("10.0.0.5%eth0/24", None),
            ("[2001:db8::1]-[2001:db8::9]", None),
            ("10.0.0.5%eth0-10.0.0.9", None),
            ("fe80::1%br-lan", Some("fe80::1/128")),
            ("", None),
        ] {
            assert_eq!(network(text).map(|net| net.to_string()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_range_is_the_networks_that_it_is_made_of() {
        for (text, want) in [
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.7 - 203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.0-203.0.114.0", "203.0.113.0/24 203.0.114.0/32"),
            ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
            ("2001:db8::-2001:db8::ffff", "2001:db8::/112"),
            ("203.0.113.9-203.0.113.7", ""),
            ("203.0.113.9-2001:db8::", ""),
            ("our office", ""),
        ] {
            assert_eq!(networks(text).iter().map(IpNet::to_string).collect::<Vec<_>>().join(" "), want, "{text}");
        }
    }

    #[test]
    fn networks_are_spelled_as_sources_are() {
        for (text, want) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("203.0.113.6/31", "203.0.113.6 203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.112.0/23", "203.0.112.0/24 203.0.113.0/24"),
            ("2001:DB8:0:1:0:0:0:7", "2001:db8:0:1::/64"),
            ("2001:db8:0:1::7/128", "2001:db8:0:1::/64"),
            ("2001:db8:0:1::/64", "2001:db8:0:1::/64"),
            ("2001:db8::/48", "2001:db8::/48"),
            ("2001:db8:0:2::/63", "2001:db8:0:2::/64 2001:db8:0:3::/64"),
            ("203.0.0.0/15", ""),
            ("2001:db8::/32", ""),
            ("2001:db8::/49", ""),
        ] {
            let spelled = spelled(networks(text)).into_iter().collect::<Vec<_>>().join(" ");
            assert_eq!(spelled, want, "{text}");
        }
        assert_eq!(spelled(networks("203.0.0.0/16")).len(), 256);
    }

    #[test]
    fn an_address_is_in_one_of_them() {
        let all = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32", "198.51.100.9/24", "2001:db8::/32"];
        let networks = Networks::new(all.iter().map(|text| text.parse().unwrap()).collect());
        let contains = |ip: &str| networks.contains(ip.parse().unwrap());
        for ip in ["10.0.0.0", "10.1.2.3", "10.255.255.255", "192.0.2.7", "198.51.100.1", "2001:db8::1"] {
            assert!(contains(ip), "{ip}");
        }
        for ip in ["9.255.255.255", "11.0.0.0", "192.0.2.8", "192.0.2.6", "2001:db9::", "::a00:1", "0.0.0.0"] {
            assert!(!contains(ip), "{ip}");
        }
        for (network, is_covered) in
            [("10.1.0.0/15", true), ("10.0.0.0/7", false), ("2001:db8:1::/48", true), ("::/0", false)]
        {
            assert_eq!(networks.covers(network.parse().unwrap()), is_covered, "{network}");
        }
        let halves = Networks::new(["192.0.2.0/25", "192.0.2.128/25"].map(|text| text.parse().unwrap()).to_vec());
        assert!(halves.covers("192.0.2.0/24".parse().unwrap()) && !halves.covers("192.0.2.0/23".parse().unwrap()));
        assert!(!Networks::new(vec![]).contains("10.0.0.1".parse().unwrap()));
    }
}
