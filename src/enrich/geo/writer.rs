//! Writer: a database of one IPv4 network in MaxMind's format, for tests. The format is described at
//! maxmind.github.io/MaxMind-DB.

use ipnet::Ipv4Net;

use crate::event::json::Json;

/// A database in which this network has this record.
pub fn write(kind: &str, network: &str, record: &str) -> Vec<u8> {
    let network: Ipv4Net = network.parse().unwrap();
    let depth = u32::from(network.prefix_len());
    let (nothing, data) = (depth, depth + 16);
    let mut out = Vec::new();
    for bit in 0..depth {
        let next = if bit + 1 == depth { data } else { bit + 1 };
        let is_right = network.addr().to_bits() >> (31 - bit) & 1 == 1;
        for side in [if is_right { nothing } else { next }, if is_right { next } else { nothing }] {
            out.extend(&side.to_be_bytes()[1..]);
        }
    }
    out.extend([0; 16]);
    value(&Json::parse(record).unwrap(), &mut out);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    control(7, 9, &mut out);
    for (key, number) in [
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
        ("build_epoch", 1_700_000_000),
        ("ip_version", 4),
        ("node_count", depth),
        ("record_size", 24),
    ] {
        text(key, &mut out);
        match key {
            "build_epoch" => control(9, 4, &mut out),
            "node_count" => control(6, 4, &mut out),
            _ => control(5, 2, &mut out),
        }
        let bytes = number.to_be_bytes();
        out.extend(if matches!(key, "build_epoch" | "node_count") { &bytes[..] } else { &bytes[2..] });
    }
    text("database_type", &mut out);
    text(kind, &mut out);
    text("languages", &mut out);
    control(11, 0, &mut out);
    text("description", &mut out);
    control(7, 0, &mut out);
    out
}

/// Types above 7 stand in a byte of their own.
fn control(kind: u8, size: u8, out: &mut Vec<u8>) {
    match kind {
        8.. => out.extend([size, kind - 7]),
        _ => out.push(kind << 5 | size),
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    let size = u8::try_from(text.len()).unwrap();
    match size {
        0..29 => control(2, size, out),
        _ => out.extend([(2 << 5) + 29, size - 29]),
    }
    out.extend(text.as_bytes());
}

fn value(json: &Json<'_>, out: &mut Vec<u8>) {
    match json {
        Json::Text(t) => text(t, out),
        Json::Bool(b) => control(14, u8::from(*b), out),
        Json::Int(n) => {
            control(6, 4, out);
            out.extend(u32::try_from(*n).unwrap().to_be_bytes());
        }
        Json::Float(n) => {
            control(3, 8, out);
            out.extend(n.to_be_bytes());
        }
        Json::Object(members) => {
            control(7, u8::try_from(members.len()).unwrap(), out);
            for (key, member) in members {
                text(key, out);
                value(member, out);
            }
        }
        Json::Null | Json::Array(_) | Json::Parts(_) => unreachable!("not in the tests"),
    }
}
