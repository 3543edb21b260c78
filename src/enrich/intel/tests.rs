use proptest::prelude::*;

use super::builder::{EXPIRED, NO_END};
use super::misp::NOT_FOR_DETECTION;
use super::stix::{BROKEN, LANGUAGE, NO_INDICATOR, OTHER_TYPE, REVOKED};
use super::*;
use indicator::{HASH, NOBODYS, UNKNOWN, URL};

fn intel(files: &[(&str, &str)]) -> Result<Intel, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, text) in files {
        paths.push(folder.path().join(name));
        std::fs::write(&paths[paths.len() - 1], text).unwrap();
    }
    Intel::load(&paths, Timestamp::parse("2026-06-01").unwrap()).map_err(|e| e.to_string())
}

fn one(text: &str) -> Intel {
    intel(&[("a.txt", text)]).unwrap()
}

/// `indicator (description)` of all that lists something.
fn shown(listed: &[Listed<'_>]) -> String {
    let one = |l: &Listed<'_>| format!("{} ({})", l.indicator, l.description.unwrap_or("-"));
    listed.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn address(intel: &Intel, ip: &str) -> String {
    shown(&intel.address(ip.parse().unwrap()))
}

#[test]
fn plain_lists() {
    let text = "\u{feff}# a list\r\n203.0.113.7 # scanner\r\n198.51.100.0/28 ; SBL1\n192.0.2.1 - 192.0.2.5\n192.0.2.8-192.0.2.9\n\
        Evil.example\njo@evil.example\n2001:db8::/48\n0.0.0.0 ads.example\n192.0.2.77,XX,99\n";
    let intel = one(text);
    assert_eq!(address(&intel, "203.0.113.7"), "203.0.113.7 (scanner)");
    assert_eq!(address(&intel, "198.51.100.15"), "198.51.100.0/28 (SBL1)");
    assert_eq!(address(&intel, "192.0.2.5"), "192.0.2.1 - 192.0.2.5 (-)");
    assert_eq!(address(&intel, "192.0.2.9"), "192.0.2.8-192.0.2.9 (-)");
    assert_eq!(address(&intel, "192.0.2.77"), "192.0.2.77 (XX,99)");
    assert_eq!(address(&intel, "2001:db8::1"), "2001:db8::/48 (-)");
    assert_eq!(address(&intel, "192.0.2.6"), "");
    assert_eq!(shown(&intel.domain("a.b.EVIL.example.")), "Evil.example (-)");
    assert_eq!(shown(&intel.domain("notevil.example")), "");
    assert_eq!(shown(&intel.domain("ads.example")), "ads.example (-)");
    assert_eq!(shown(&intel.email("Jo@evil.example")), "jo@evil.example (-); Evil.example (-)");
    assert_eq!(intel.provenance[0].entries, 9);
    assert_eq!(intel.provenance[0].skipped.count(), 0);
}

#[test]
fn tor_exit_addresses() {
    let text = "ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E\nPublished 2026-01-01 00:00:00\n\
        LastStatus 2026-01-01 00:00:00\nExitAddress 203.0.113.7 2026-01-01 00:00:00\n";
    let intel = one(text);
    assert_eq!(address(&intel, "203.0.113.7"), "203.0.113.7 (Tor exit)");
    assert_eq!((intel.provenance[0].entries, intel.provenance[0].skipped.count()), (1, 0));
}

#[test]
fn tables() {
    let text = "Type,Indicator,Valid Until,Confidence,Description\nip,203.0.113.7,2027-01-01,80,C2\nip,203.0.113.8,2026-01-01,80,C2\n\
        user-agent,Evil/1.0,,,\nuser,root,,,\nurl,http://x.example/,,,\nsha256,abc,,,\nbotnet,evil.example,,,\n";
    let intel = one(text);
    let listed = intel.address("203.0.113.7".parse().unwrap());
    assert_eq!(listed[0].description, Some("C2"));
    assert_eq!(listed[0].valid_until, Timestamp::parse_end("2027-01-01"));
    assert_eq!(
        (shown(&intel.user_agent("EVIL/1.0")), shown(&intel.user("Root"))),
        ("Evil/1.0 (-)".into(), "root (-)".into())
    );
    assert_eq!(shown(&intel.domain("evil.example")), "evil.example (-)");
    let skipped = &intel.provenance[0].skipped;
    assert_eq!((skipped.of(EXPIRED), skipped.of(URL), skipped.of(HASH), skipped.count()), (1, 1, 1, 3));
    let two = one("ip;hostname\n203.0.113.7;evil.example\n");
    assert_eq!((two.address("203.0.113.7".parse().unwrap()).len(), two.domain("evil.example").len()), (1, 1));
    let lines = one("{\"ip\":\"203.0.113.7\",\"tags\":[\"a\",\"b\"]}\n{\"ip\":\"203.0.113.8\"}\n");
    assert_eq!(address(&lines, "203.0.113.7"), "203.0.113.7 (a, b)");
}

#[test]
fn tables_of_misp_and_threatfox() {
    let misp = one("uuid,type,value,comment,to_ids\nu,ip-dst,203.0.113.7,dns,0\nu,ip-dst,203.0.113.8,c2,1\n");
    assert_eq!(address(&misp, "203.0.113.7"), "");
    assert_eq!(address(&misp, "203.0.113.8"), "203.0.113.8 (c2)");
    assert_eq!(misp.provenance[0].skipped.of(NOT_FOR_DETECTION), 1);
    for (column, taken_back, stands) in [("revoked", "true", "false"), ("Active", "0", "1")] {
        let table = one(&format!("indicator,{column}\n203.0.113.7,{taken_back}\n203.0.113.8,{stands}\n203.0.113.9,\n"));
        assert_eq!(
            ["203.0.113.7", "203.0.113.8", "203.0.113.9"].map(|a| address(&table, a).len() > 3),
            [false, true, true]
        );
        assert_eq!(table.provenance[0].skipped.of(REVOKED), 1, "{column}");
    }
    let csv = one("# a\n# \"first_seen_utc\",\"ioc_value\",\"ioc_type\",\"tags\"\n\
        \"2026-01-01 00:00:00\", \"203.0.113.7:443\", \"ip:port\", \"a,b\"\n");
    assert_eq!(address(&csv, "203.0.113.7"), "203.0.113.7:443 (a,b)");
    let json = one(r#"{"1":[{"ioc_value":"203.0.113.7:443","ioc_type":"ip:port","threat_type":"c2"}],
        "2":[{"ioc_value":"203.0.113.8:1","ioc_type":"ip:port"}]}"#);
    assert_eq!(address(&json, "203.0.113.7"), "203.0.113.7:443 (c2)");
    assert_eq!(json.provenance[0].entries, 2);
}

#[test]
fn user_agents_are_compared_as_rules_compare_them() {
    let intel = one("useragent\npython-requests\ncurl/8.4.0\nMozilla/5.0 (X11; Linux) Chrome/99.0\n***\n");
    for (agent, want) in [
        ("Python Requests", "python-requests (-)"),
        ("python-requests/2.31.0", "python-requests (-)"),
        ("curl/8.4.0", "curl/8.4.0 (-)"),
        ("curl/8.5.0", ""),
        ("curl", ""),
        ("Chrome", ""),
        ("Mozilla/5.0 (X11; Linux) Chrome/99.0", "Mozilla/5.0 (X11; Linux) Chrome/99.0 (-)"),
        ("***", "*** (-)"),
        ("+", ""),
        ("", ""),
    ] {
        assert_eq!(shown(&intel.user_agent(agent)), want, "{agent}");
    }
}

#[test]
fn ends_of_every_kind() {
    for (end, count, unread) in [
        ("2026-01-01T00:00:00Z", 0, 0),
        ("1767225600", 0, 0),
        ("2027-01-01", 1, 0),
        // The day that it ends on is its whole day.
        ("2026-06-01", 1, 0),
        ("2026-06-01T00:00:00Z", 0, 0),
        ("2026-05-31", 0, 0),
        ("9999-12-31T23:59:59Z", 1, 0),
        ("never", 1, 0),
        ("", 1, 0),
        ("01/02/2026", 1, 1),
        ("90", 1, 1),
    ] {
        for text in [
            format!("IndicatorValue,ExpirationTime\n203.0.113.7,{end}\n203.0.113.9,\n"),
            format!("ip,ExpirationDateTime\n203.0.113.7,{end}\n203.0.113.9,\n"),
            format!(
                r#"[{{"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '203.0.113.7']","valid_until":"{end}"}},"203.0.113.9"]"#
            ),
        ] {
            let intel = one(&text);
            assert_eq!(intel.address("203.0.113.7".parse().unwrap()).len(), count, "{text}");
            assert_eq!(intel.provenance[0].skipped.of(NO_END), unread, "{text}");
        }
    }
}

#[test]
fn a_mask_makes_a_network() {
    let intel = one("198.51.100.0 255.255.255.0\n203.0.113.0/255.255.255.0 c2\n192.0.2.1 255.0.255.0\n");
    assert_eq!(address(&intel, "198.51.100.77"), "198.51.100.0 255.255.255.0 (-)");
    assert_eq!(address(&intel, "203.0.113.77"), "203.0.113.0/255.255.255.0 (c2)");
}

#[test]
fn stix_bundles() {
    let indicator = |n: u8, rest: &str| format!(r#"{{"type":"indicator","id":"indicator--{n}","name":"n{n}",{rest}}}"#);
    let objects = [
        r#"{"type":"identity","id":"identity--1"}"#.to_owned(),
        indicator(
            1,
            r#""pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.7' OR domain-name:value = 'evil.example']""#,
        ),
        indicator(
            2,
            r#""pattern":"[ipv4-addr:value ISSUBSET '198.51.100.0/24']","valid_until":"2026-05-01T00:00:00Z""#,
        ),
        indicator(3, r#""pattern":"[ipv6-addr:value = '2001:db8::1']","revoked":true"#),
        indicator(4, r#""pattern":"rule x","pattern_type":"yara""#),
        indicator(5, r#""pattern":"[url:value = 'http://x/'] OR [email-addr:value = 'a@evil.example']""#),
        indicator(6, r#""pattern":"[process:name = 'x']""#),
        indicator(7, r#""pattern":7"#),
    ];
    let intel = one(&format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, objects.join(",")));
    assert_eq!(address(&intel, "203.0.113.7"), "203.0.113.7 (n1)");
    assert_eq!(address(&intel, "198.51.100.1"), "");
    assert_eq!(shown(&intel.domain("x.evil.example")), "evil.example (n1)");
    assert_eq!(shown(&intel.email("a@evil.example")), "a@evil.example (n5); evil.example (n1)");
    let skipped = &intel.provenance[0].skipped;
    for reason in [NO_INDICATOR, EXPIRED, REVOKED, LANGUAGE, URL, OTHER_TYPE, BROKEN] {
        assert_eq!(skipped.of(reason), 1, "{reason}");
    }
    assert_eq!((skipped.count(), intel.provenance[0].entries), (7, 3));
}

#[test]
fn misp_events() {
    let attribute = |kind: &str, value: &str, ids: &str| {
        format!(r#"{{"type":"{kind}","value":"{value}","to_ids":{ids},"comment":"c"}}"#)
    };
    let all = [
        attribute("ip-src|port", "203.0.113.7|443", "true"),
        attribute("domain|ip", "evil.example|203.0.113.8", "\"1\""),
        attribute("ip-dst", "203.0.113.9", "false"),
        attribute("md5", "x", "true"),
        attribute("mutex", "x", "true"),
        attribute("target-user", "jo", "1"),
    ];
    let object = format!(r#"{{"Attribute":[{}]}}"#, attribute("user-agent", "Evil/1.0", "true"));
    let event = format!(r#"{{"Event":{{"info":"case","Attribute":[{}],"Object":[{object}]}}}}"#, all.join(","));
    for text in [event.clone(), format!("{{\"response\":[{event}]}}"), format!("[{event}]")] {
        let intel = one(&text);
        assert_eq!(address(&intel, "203.0.113.7"), "203.0.113.7 (case: c)");
        assert_eq!(address(&intel, "203.0.113.8"), "203.0.113.8 (case: c)");
        assert_eq!(address(&intel, "203.0.113.9"), "");
        assert_eq!(
            (intel.domain("evil.example").len(), intel.user("JO").len(), intel.user_agent("evil/1.0").len()),
            (1, 1, 1)
        );
        let skipped = &intel.provenance[0].skipped;
        assert_eq!((skipped.of(NOT_FOR_DETECTION), skipped.of(HASH), skipped.of(OTHER_TYPE)), (1, 1, 1));
    }
}

#[test]
fn several_files_list_one_address() {
    let intel =
        intel(&[("a.txt", "203.0.113.7\n203.0.113.7\n"), ("b.netset", "203.0.113.0/24\n10.0.0.0/8\n")]).unwrap();
    let files: Vec<&str> = intel.address("203.0.113.7".parse().unwrap()).iter().map(|l| l.file).collect();
    assert!(files.len() == 2 && files[0].ends_with("a.txt") && files[1].ends_with("b.netset"), "{files:?}");
    assert_eq!(intel.provenance[1].skipped.of(NOBODYS), 1);
}

#[test]
fn a_list_that_repeats_itself_silences_no_other() {
    let again = |entry: &str| format!("{entry}\n").repeat(HEARD * 3);
    for (entry, wider) in [("203.0.113.7", "203.0.113.0/24"), ("a.evil.example", "evil.example")] {
        let files = [("a.txt", again(entry)), ("b.txt", format!("{entry} # c2\n")), ("c.txt", again(wider))];
        let intel = intel(&files.each_ref().map(|(name, text)| (*name, text.as_str()))).unwrap();
        let listed = entry.parse().map_or_else(|_| intel.domain(entry), |ip| intel.address(ip));
        assert_eq!(shown(&listed), format!("{entry} (-); {entry} (c2); {wider} (-)"));
        assert!((0..3).all(|file| intel.met.is(file)));
    }
}

#[test]
fn hostile_and_broken_files() {
    for (text, want) in [
        ("", "is empty"),
        ("# only comments\n", "has no address"),
        ("some words\nand more", UNKNOWN),
        ("{\"type\":\"bundle\",\"objects\":[", "ends in the middle of its JSON"),
        ("[{\"Event\":{\"Attribute\":[7,null,\"x\"],\"Object\":7}}]", NOT_FOR_DETECTION),
        ("{\"type\":\"bundle\",\"objects\":[7,[],{}]}", "skipped"),
        ("indicator,type\n", "has no address"),
        ("http://evil.example/\n", URL),
    ] {
        let error = intel(&[("a.txt", text)]).unwrap_err();
        assert!(error.contains(want), "{error} / {want}");
    }
    let deep = format!("[{}\"203.0.113.7\"{}]", "[".repeat(100), "]".repeat(100));
    assert_eq!(address(&one(&deep), "203.0.113.7"), "203.0.113.7 (-)");
}

proptest! {
    #[test]
    fn nonsense_is_no_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..12),
        cut in 0_usize..200,
    ) {
        let text = pieces.concat();
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let file = Named::of(Path::new("f"));
        for text in [&text[..], &text[..cut]] {
            let _ = add(&file, text, &mut Builder::new(Timestamp(0)));
        }
    }
}

const PIECES: &[&str] = &[
    ",",
    "\u{e9}",
    " ",
    "\n",
    "#",
    ";",
    "ip",
    "indicator,type\n",
    "203.0.113.7",
    "-",
    "/24",
    "/",
    ":",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":\"[ipv4-addr:value = '203.0.113.7']\"}",
    "\"Attribute\":",
    "ExitAddress ",
    "evil.example",
    "@",
    "|",
    "\r\n",
    "\0",
    "0.0.0.0 ",
    "hxxp://",
    "::ffff:",
    "128",
    "%",
];
