//! Ranges: addresses, networks and ranges of addresses, and which of them hold an address.
//!
//! Ranges are cut into networks. Networks nest or are apart, so of a sorted list of them each needs to know
//! only the next wider one around it: one binary search, among those that share its first 16 bits, finds the narrowest network of an address, and at most
//! 128 steps outward find all others. Overlapping lists cost no more than their entries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Subnets};

use super::line;
use crate::event::networks::network;

/// Reads an address, a network (`203.0.113.0/24`, `203.0.113.0 255.255.255.0`, host bits allowed) or a range (`a-b`)
/// as networks.
pub fn networks(text: &str) -> Option<Vec<IpNet>> {
    let text = text.trim();
    if let Some(network) = network(text).or_else(|| masked(text)) {
        return Some(vec![network]);
    }
    let (from, to) = text.split_once('-')?;
    match (from.trim().parse::<IpAddr>().ok()?.to_canonical(), to.trim().parse::<IpAddr>().ok()?.to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) if from <= to => {
            Some(Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) if from <= to => {
            Some(Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect())
        }
        _ => None,
    }
}

/// How many addresses and networks follow the entry of a line before anything else does. Nobody would know of them.
pub fn more_on(line: &line::Line<'_>) -> usize {
    line.words().take_while(|word| networks(word).is_some()).count()
}

/// An address and its mask.
fn masked(text: &str) -> Option<IpNet> {
    let (ip, mask) = text.split_once(|c| c == '/' || line::is_between(c))?;
    let network = Ipv4Net::new(ip.parse().ok()?, line::prefix(mask)?).ok()?;
    Some(IpNet::V4(network.trunc()))
}

/// Networks that were collected, each with the number of what it stands for.
#[derive(Debug, Default)]
pub struct Collected {
    v4: Vec<Network>,
    v6: Vec<Network>,
}

#[derive(Clone, Copy, Debug)]
struct Network {
    start: u128,
    host_bits: u8,
    id: u32,
}

impl Collected {
    /// Adds a network.
    pub fn add(&mut self, network: IpNet, id: u32) {
        let host_bits = network.max_prefix_len() - network.prefix_len();
        let (list, start) = match network.network() {
            IpAddr::V4(v4) => (&mut self.v4, u128::from(v4.to_bits())),
            IpAddr::V6(v6) => (&mut self.v6, v6.to_bits()),
        };
        list.push(Network { start, host_bits, id });
    }

    /// Sorts them for looking up.
    pub fn sorted(self) -> Ranges {
        Ranges { v4: Nested::new(self.v4, 32), v6: Nested::new(self.v6, 128) }
    }
}

/// Networks to look up addresses in.
#[derive(Debug, Default)]
pub struct Ranges {
    v4: Nested,
    v6: Nested,
}

impl Ranges {
    /// The numbers of each network that holds this address, in order, the narrowest network first.
    pub fn holding(&self, ip: IpAddr) -> impl Iterator<Item = &[u32]> {
        let (nested, key) = match ip.to_canonical() {
            IpAddr::V4(v4) => (&self.v4, u128::from(v4.to_bits())),
            IpAddr::V6(v6) => (&self.v6, v6.to_bits()),
        };
        nested.holding(key)
    }
}

/// Networks of one family: distinct, by their start, wider ones first.
#[derive(Debug, Default)]
struct Nested {
    starts: Vec<u128>,
    /// of each first 16 bits how many starts lie before them: a short search, most of it in the cache
    before: Vec<u32>,
    /// bits behind the first 16
    shift: u32,
    nodes: Vec<Node>,
    ids: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    host_bits: u8,
    /// the next wider network around this one
    around: u32,
    /// where its numbers start; they end where those of the next begin
    first_id: u32,
}

const NONE: u32 = u32::MAX;

fn holds(start: u128, host_bits: u8, key: u128) -> bool {
    (start ^ key).checked_shr(u32::from(host_bits)).unwrap_or(0) == 0
}

impl Nested {
    fn new(mut networks: Vec<Network>, bits: u32) -> Nested {
        networks.sort_unstable_by_key(|n| (n.start, u8::MAX - n.host_bits, n.id));
        networks.dedup_by_key(|n| (n.start, n.host_bits, n.id));
        let mut nested = Nested { shift: bits - 16, ..Nested::default() };
        let mut open: Vec<u32> = Vec::new();
        for network in networks {
            let is_new = nested.starts.last() != Some(&network.start)
                || nested.nodes.last().is_none_or(|node| node.host_bits != network.host_bits);
            if is_new {
                let is_around = |&&node: &&u32| {
                    holds(nested.starts[node as usize], nested.nodes[node as usize].host_bits, network.start)
                };
                open.truncate(open.iter().take_while(is_around).count());
                let around = open.last().copied().unwrap_or(NONE);
                open.push(index(nested.nodes.len()));
                nested.starts.push(network.start);
                nested.nodes.push(Node { host_bits: network.host_bits, around, first_id: index(nested.ids.len()) });
            }
            nested.ids.push(network.id);
        }
        let mut at = 0;
        for first in 0..=1 << 16 {
            at += nested.starts[at..].iter().take_while(|start| **start >> nested.shift < first).count();
            nested.before.push(index(at));
        }
        nested
    }

    /// How many networks start at this address or before.
    fn started(&self, key: u128) -> usize {
        let first = usize::try_from(key >> self.shift).unwrap_or(0);
        let Some([from, to]) = self.before.get(first..first + 2) else { return 0 };
        let (from, to) = (*from as usize, *to as usize);
        from + self.starts[from..to].partition_point(|start| *start <= key)
    }

    fn holding(&self, key: u128) -> impl Iterator<Item = &[u32]> {
        let last = self.started(key);
        let mut node = if last == 0 { NONE } else { index(last - 1) };
        std::iter::from_fn(move || {
            while node != NONE {
                let (at, this) = (node as usize, self.nodes[node as usize]);
                node = this.around;
                if holds(self.starts[at], this.host_bits, key) {
                    let end = self.nodes.get(at + 1).map_or(self.ids.len(), |next| next.first_id as usize);
                    return Some(&self.ids[this.first_id as usize..end]);
                }
            }
            None
        })
    }
}

/// Places fit 32 bits: four thousand million networks do not fit the memory of a machine.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE - 1)
}

/// Networks in which no address is anybody's in particular: private, loopback, link-local, shared, multicast. One of them
/// is /16 (of IPv6: /32) or wider; the ends of a range are narrow. Lists of "bogons" hold them, and every sign-in in an
/// office would match.
pub fn are_nobodys(networks: &[IpNet]) -> bool {
    let is_wide = |network: &IpNet| network.prefix_len() <= if network.addr().is_ipv4() { 16 } else { 32 };
    networks.iter().any(is_wide) && networks.iter().all(|network| is_special(network.network()))
}

fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let is_shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            let is_local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0;
            is_local || is_shared || v4 >= Ipv4Addr::new(224, 0, 0, 0)
        }
        IpAddr::V6(v6) => {
            v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast() || v6 < Ipv6Addr::from_bits(1 << 96)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Option<String> {
        networks(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn addresses_networks_and_ranges() {
        for (text, want) in [
            ("203.0.113.7", Some("203.0.113.7/32")),
            ("203.0.113.7/24", Some("203.0.113.0/24")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::ffff:203.0.113.0/120", Some("203.0.113.0/24")),
            ("203.0.113.0 - 203.0.113.2", Some("203.0.113.0/31 203.0.113.2/32")),
            ("0.0.0.0-255.255.255.255", Some("0.0.0.0/0")),
            ("203.0.113.9-203.0.113.2", None),
            ("203.0.113.9-2001:db8::1", None),
            ("203.0.113.0/33", None),
            ("203.0.113.7/255.255.255.0", Some("203.0.113.0/24")),
            ("203.0.113.7 255.255.255.0", Some("203.0.113.0/24")),
            ("203.0.113.7 0.0.0.255", Some("203.0.113.0/24")),
            ("203.0.113.7 255.0.255.0", None),
            ("203.0.113.7 0.0.0.0", None),
            ("evil-site.example", None),
            ("", None),
        ] {
            assert_eq!(shown(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn more_than_one_on_a_line() {
        for (text, want) in [
            ("198.51.100.7,198.51.100.8", 1),
            ("198.51.100.7; 198.51.100.8 ;198.51.100.0/24 # note", 2),
            ("\"198.51.100.7\",\"2001:db8::8\" 198.51.100.9-198.51.100.11 office", 2),
            ("198.51.100.7 - 198.51.100.9, 198.51.100.10", 1),
            ("evil.example 198.51.100.7", 1),
            ("198.51.100.0 255.255.255.0", 0),
            ("198.51.100.7 was 198.51.100.8", 0),
            ("198.51.100.7 # 198.51.100.8", 0),
            ("198.51.100.7,office, Oslo", 0),
            ("198.51.100.0/24 ; SBL256894", 0),
            ("198.51.100.7, 12", 0),
        ] {
            assert_eq!(more_on(&line::read(text).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn the_narrowest_comes_first() {
        let mut all = Collected::default();
        for (id, text) in (0..).zip(["::/0", "203.0.113.0/24", "203.0.0.0/8", "203.0.113.7", "203.0.113.0/24"]) {
            networks(text).unwrap().into_iter().for_each(|n| all.add(n, id));
        }
        let ranges = all.sorted();
        let ids = |ip: &str| ranges.holding(ip.parse().unwrap()).flatten().copied().collect::<Vec<_>>();
        assert_eq!(ids("203.0.113.7"), [3, 1, 4, 2]);
        assert_eq!(ids("203.0.113.9"), [1, 4, 2]);
        assert_eq!(ids("::ffff:203.1.1.1"), [2]);
        assert_eq!(ids("9.9.9.9"), [] as [u32; 0]);
        assert_eq!(ids("2001:db8::1"), [0]);
    }

    #[test]
    fn bogons() {
        for (text, want) in [
            ("10.0.0.0/8", true),
            ("224.0.0.0/4", true),
            ("100.64.0.0/10", true),
            ("fc00::/7", true),
            ("192.168.0.0/16", true),
            ("10.0.0.1-10.255.255.254", true),
            ("10.0.0.1-10.0.0.254", false),
            ("9.0.0.0-10.255.255.255", false),
            ("fd00::/64", false),
            ("10.1.2.3", false),
            ("203.0.0.0/8", false),
            ("2001:db8::/32", false),
        ] {
            assert_eq!(are_nobodys(&networks(text).unwrap()), want, "{text}");
        }
    }

    /// A few addresses close together, so that ranges nest and overlap.
    fn near() -> impl Strategy<Value = (u32, u32)> {
        (0_u32..64, 0_u32..64).prop_map(|(a, b)| (a.min(b), a.max(b)))
    }

    proptest! {
        #[test]
        fn as_a_scan_would_find(spans in prop::collection::vec(near(), 0..30), base in prop::sample::select(vec![0, 0xCB00_7100, u32::MAX - 63])) {
            let ip = |n: u32| Ipv4Addr::from_bits(base + n);
            let mut all = Collected::default();
            for (id, (from, to)) in (0..).zip(&spans) {
                networks(&format!("{}-{}", ip(*from), ip(*to))).unwrap().into_iter().for_each(|n| all.add(n, id));
            }
            let ranges = all.sorted();
            for n in 0..64 {
                let mut found: Vec<u32> = ranges.holding(ip(n).into()).flatten().copied().collect();
                found.sort_unstable();
                let scan: Vec<u32> = (0..).zip(&spans).filter(|(_, (a, b))| (*a..=*b).contains(&n)).map(|(id, _)| id).collect();
                prop_assert_eq!(&found, &scan);
            }
        }
    }
}
