//! Indicator: an address, domain, e-mail address, user agent or user name that a list warns of.

use std::fmt;

use ipnet::IpNet;

use super::super::ranges::{are_nobodys, networks};
use crate::event::letters;

/// What kind of thing an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// an address, a network or a range
    Ip,
    /// a domain, with all its subdomains
    Domain,
    /// an e-mail address
    Email,
    /// a user agent, as a whole
    UserAgent,
    /// a user name
    User,
}

impl Kind {
    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Ip => "ip",
            Kind::Domain => "domain",
            Kind::Email => "email",
            Kind::UserAgent => "user-agent",
            Kind::User => "user",
        }
    }

    /// The kind that a type or a column of a list names; an error if it names something that events of
    /// sign-ins do not have. `None` if the word says nothing.
    pub fn named(word: &str) -> Result<Option<Kind>, &'static str> {
        Ok(Some(match letters::of(word).as_str() {
            "ip" | "ips" | "ipv4" | "ipv6" | "ipaddress" | "ipaddr" | "ipv4addr" | "ipv6addr" | "cidr" | "network"
            | "ipport" | "ipsrc" | "ipdst" | "ipsrcport" | "ipdstport" | "srcip" | "dstip" | "sourceip"
            | "destinationip" | "netblock" | "ipv4cidr" | "ipv6cidr" => Kind::Ip,
            "domain" | "domainname" | "domains" | "hostname" | "fqdn" | "host" | "hostnameport" => Kind::Domain,
            "email" | "emailaddr" | "emailaddress" | "emailsrc" | "emaildst" | "emailreplyto" | "sender" => Kind::Email,
            "useragent" | "httpuseragent" => Kind::UserAgent,
            "user" | "username" | "targetuser" | "useraccount" | "account" | "login" => Kind::User,
            other if other.contains("url") || other.contains("uri") || other == "link" => return Err(URL),
            other if ["md5", "sha", "hash", "ssdeep"].iter().any(|hash| other.contains(hash)) => return Err(HASH),
            _ => return Ok(None),
        }))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reason: an address of a page says nothing of who signs in.
pub const URL: &str = "a URL";
/// Reason: events have no files.
pub const HASH: &str = "a hash";
/// Reason: it holds too much of the world.
pub const WIDE: &str = "a network wider than /8 (of IPv6: /16)";
/// Reason: bogon lists hold what every office uses.
pub const NOBODYS: &str = "a private or reserved network";
/// Reason: a comma short, or prose.
pub const UNKNOWN: &str = "neither address, domain nor e-mail address";

/// An indicator made ready for looking up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// addresses
    Networks(Vec<IpNet>),
    /// a text in lower case, of a user agent its letters and digits
    Name(Kind, String),
}

/// Reads an indicator, of a kind if the list says which, else by its looks.
pub fn value(text: &str, kind: Option<Kind>) -> Result<Value, &'static str> {
    let text = &refanged(text.trim().trim_matches(['"', '\'']));
    match kind {
        Some(Kind::UserAgent) if !text.is_empty() => Ok(Value::Name(Kind::UserAgent, agent_key(text))),
        Some(Kind::User) if !text.is_empty() => Ok(Value::Name(Kind::User, letters::lower(text))),
        Some(Kind::Email) if is_email(text) => Ok(Value::Name(Kind::Email, letters::lower(text))),
        None if is_email(text) && !text.contains("://") => Ok(Value::Name(Kind::Email, letters::lower(text))),
        Some(Kind::Ip | Kind::Domain) | None => address_or_domain(text),
        Some(_) => Err(UNKNOWN),
    }
}

/// What a user agent is looked up by: names of agents are compared without case, spaces and hyphens.
pub fn agent_key(text: &str) -> String {
    let folded = letters::of(text);
    if folded.is_empty() { letters::lower(text.trim()) } else { folded }
}

fn address_or_domain(text: &str) -> Result<Value, &'static str> {
    if let Some(networks) = networks(text) {
        let is_wide = |n: &IpNet| n.prefix_len() < if n.max_prefix_len() == 32 { 8 } else { 16 };
        return match () {
            () if networks.iter().any(is_wide) => Err(WIDE),
            () if are_nobodys(&networks) => Err(NOBODYS),
            () => Ok(Value::Networks(networks)),
        };
    }
    if text.contains("://") {
        return Err(URL);
    }
    let (host, rest) = text.split_at(text.find(['/', ':']).unwrap_or(text.len()));
    if let Some(domain) = domain(host) {
        // With a port it is still the domain, with a path it is a page of it.
        return if rest.contains('/') { Err(URL) } else { Ok(Value::Name(Kind::Domain, domain)) };
    }
    let is_hash = matches!(text.len(), 32 | 40 | 64 | 96 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit());
    Err(if is_hash { HASH } else { UNKNOWN })
}

/// A domain of two labels at least, in lower case, without `*.` before and the dot behind.
pub fn domain(text: &str) -> Option<String> {
    let bare = text.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let last = bare.rsplit_once('.')?.1;
    let is_top = last.chars().any(char::is_alphabetic);
    (bare.len() <= 253 && is_top && bare.split('.').all(is_label)).then(|| letters::lower(bare))
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !text.contains(char::is_whitespace) && domain(host).is_some()
}

/// `203[.]0[.]113[.]7` and `hxxp://` are written so that nobody clicks.
fn refanged(text: &str) -> String {
    if !text.contains(['[', '(']) && !text.starts_with("hxxp") {
        return text.to_owned();
    }
    let text =
        text.replace("[.]", ".").replace("(.)", ".").replace("[@]", "@").replace("[at]", "@").replace("[:]", ":");
    text.replacen("hxxp", "http", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, kind: Option<Kind>) -> String {
        match value(text, kind) {
            Ok(Value::Networks(all)) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Ok(Value::Name(kind, text)) => format!("{kind} {text}"),
            Err(reason) => reason.to_owned(),
        }
    }

    #[test]
    fn by_looks() {
        for (text, want) in [
            ("203.0.113.7", "203.0.113.7/32"),
            ("203[.]0[.]113[.]7:443", "203.0.113.7/32"),
            ("\"2001:db8::/48\"", "2001:db8::/48"),
            ("*.Evil.Example.", "domain evil.example"),
            ("evil[.]example:8443", "domain evil.example"),
            ("Jo@Evil.Example", "email jo@evil.example"),
            ("hxxps://evil.example/a@b.example", URL),
            ("evil.example/path", URL),
            ("d41d8cd98f00b204e9800998ecf8427e", HASH),
            ("0.0.0.0/0", WIDE),
            ("10.0.0.0/8", NOBODYS),
            ("127.0.0.0/8", NOBODYS),
            ("10.0.0.1-10.255.255.254", NOBODYS),
            ("localhost", UNKNOWN),
            ("1.2.3", UNKNOWN),
            ("a b.example", UNKNOWN),
            ("..", UNKNOWN),
            ("@", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(shown(text, None), want, "{text}");
        }
    }

    #[test]
    fn by_kind() {
        assert_eq!(shown("Python-Requests/2.31", Some(Kind::UserAgent)), "user-agent pythonrequests231");
        assert_eq!(shown("Admin", Some(Kind::User)), "user admin");
        assert_eq!(shown("no address", Some(Kind::Email)), UNKNOWN);
        assert_eq!(Kind::named("ip-dst|port"), Ok(Some(Kind::Ip)));
        assert_eq!(Kind::named("sha256_hash"), Err(HASH));
        assert_eq!(Kind::named("botnet_cc"), Ok(None));
    }
}
