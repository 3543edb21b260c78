//! Networks: a list of networks that is compared as one, however long it is.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks, as a list names them and as one set of addresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Networks {
    named: Vec<IpNet>,
    /// first and last addresses of stretches that are apart, in order
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
}

impl Networks {
    /// Puts networks together.
    pub fn new(named: Vec<IpNet>) -> Networks {
        let (v4, v6): (Vec<&IpNet>, Vec<&IpNet>) = named.iter().partition(|network| network.addr().is_ipv4());
        let (v4, v6) = (apart(&v4), apart(&v6));
        Networks { named, v4, v6 }
    }

    /// The networks as the list names them.
    pub fn named(&self) -> &[IpNet] {
        &self.named
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let stretches = if ip.is_ipv4() { &self.v4 } else { &self.v6 };
        let ip = bits(ip);
        let started = stretches.partition_point(|(first, _)| *first <= ip);
        started > 0 && ip <= stretches[started - 1].1
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn apart(networks: &[&IpNet]) -> Vec<(u128, u128)> {
    let mut all: Vec<(u128, u128)> = networks.iter().map(|n| (bits(n.network()), bits(n.broadcast()))).collect();
    all.sort_unstable();
    let mut out: Vec<(u128, u128)> = Vec::new();
    for (first, last) in all {
        match out.last_mut() {
            Some(open) if first <= open.1 => open.1 = open.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!Networks::new(vec![]).contains("10.0.0.1".parse().unwrap()));
    }
}
