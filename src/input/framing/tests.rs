use super::*;

/// Records as text, with `!` in front of those with a fault.
fn frames_with(text: &str, limit: usize, chunk: usize) -> Vec<String> {
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }
    let mut framer = Framer::new(Slow(text.as_bytes(), chunk), 0, false, limit);
    let mut out = Vec::new();
    while let Some(batch) = framer.next_batch().unwrap() {
        for span in batch.spans {
            let record = String::from_utf8_lossy(&batch.bytes[span.start..span.end]);
            let squeezed: String = record.split_whitespace().collect();
            let offset = usize::try_from(span.offset).unwrap();
            assert_eq!(text[..offset].matches('\n').count() as u64 + 1, span.line, "line of {squeezed}");
            out.push(if span.fault.is_some() { format!("!{squeezed}") } else { squeezed });
        }
    }
    out
}

fn frames(text: &str) -> Vec<String> {
    let whole = frames_with(text, 1 << 20, usize::MAX);
    assert_eq!(frames_with(text, 1 << 20, 1), whole, "byte by byte");
    whole
}

#[test]
fn every_layout_is_the_same_records() {
    let want = [r#"{"a":1,"b":{"c":[{"d":2}]}}"#, r#"{"a":2}"#];
    for text in [
        "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}\n{\"a\":2}\n",
        "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}\r\n{\"a\":2}",
        "[{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}},{\"a\":2}]",
        "[\n{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}},\n{\"a\":2}\n]\n",
        "[\n  {\n    \"a\": 1,\n    \"b\": {\n      \"c\": [\n        {\n          \"d\": 2\n        }\n      ]\n    }\n  },\n  {\n    \"a\": 2\n  }\n]",
        "[\n{\n\"a\": 1,\n\"b\": {\n\"c\": [\n{\n\"d\": 2\n}\n]\n}\n},\n{\n\"a\": 2\n}\n]",
        "{\n  \"a\": 1,\n  \"b\": {\"c\": [\n    {\"d\": 2}]}\n}\n{\n  \"a\": 2\n}",
        "[{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}]\n[]\n[{\"a\":2}]",
        "[{\n \"a\": 1,\n \"b\": {\n  \"c\": [{\n   \"d\": 2\n  }]\n }\n},{\n \"a\": 2\n}]",
        "{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}{\"a\":2}",
    ] {
        assert_eq!(frames(text).join(" ").replace("}}{", "}} {"), want.join(" "), "{text}");
    }
}

#[test]
fn a_broken_line_costs_only_itself() {
    assert_eq!(frames("{\"a\":1}\nnot json\n{\"a\":2}\n"), ["{\"a\":1}", "!notjson", "{\"a\":2}"]);
    for cut in ["{\"b\":\"x", "{\"b\":{\"c\":1", "{\"b\":", "{\"b\":[{\"c\":1", "{\"b\":\"x\\"] {
        let squeezed: String = cut.split_whitespace().collect();
        let marked = format!("!{squeezed}");
        assert_eq!(frames(&format!("{{\"a\":1}}\n{cut}\n{{\"a\":2}}\n")), ["{\"a\":1}", &marked, "{\"a\":2}"], "{cut}");
        assert_eq!(frames(&format!("{{\"a\":1}}\n{cut}")), ["{\"a\":1}", &marked], "{cut}");
    }
}

#[test]
fn a_broken_element_of_a_pretty_array_costs_only_itself() {
    let text = "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": \"cut\n  },\n  {\n    \"c\": {\n      \"d\": 1\n  },\n  {\n    \"a\": 2\n  }\n]";
    let records = frames(text);
    assert_eq!(records.first().unwrap(), "{\"a\":1}");
    assert_eq!(records.last().unwrap(), "{\"a\":2}");
    assert_eq!(records.len(), 4, "{records:?}");
}

#[test]
fn an_array_that_is_never_closed_is_told() {
    for text in
        ["[{\"a\":1},\n{\"a\":2},\n", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n", "[[{\"a\":1},{\"a\":2}]"]
    {
        assert_eq!(frames(text), ["{\"a\":1}", "{\"a\":2}", "!"], "{text}");
    }
    assert_eq!((frames("["), frames(&"[".repeat(100_000)), frames("[]")), (vec!["!".into()], vec!["!".into()], vec![]));
    // What is cut within a record is told of the record.
    assert_eq!(frames("[{\"a\":1},{\"b\""), ["{\"a\":1}", "!{\"b\""]);
}

#[test]
fn scalars_in_an_array_hide_nothing() {
    assert_eq!(frames("[1, \"x,y\", null, {\"a\":1}]"), ["!1", "!\"x,y\"", "!null", "{\"a\":1}"]);
    assert_eq!(frames("\"text\"\n{\"a\":1}"), ["!\"text\"", "{\"a\":1}"]);
}

/// Also where the line is longer than any record may be.
#[test]
fn what_is_no_object_costs_only_itself_in_a_line_of_any_length() {
    let record = r#"{"a":"x, y"}"#;
    let text = format!("[{}]", [record, "null", record, " -1.5", record, r#" "z,\"" "#, record].join(","));
    for chunk in [1, 7, usize::MAX] {
        let want = [record, "!null", record, "!-1.5", record, "!\"z,\\\"\"", record].map(|r| r.replace(' ', ""));
        assert_eq!(frames_with(&text, 16, chunk), want, "{chunk}");
    }
    assert_eq!(frames("[2026] host {\"a\":1}\n[2026] \"x\": {\"a\":1}\n").first().unwrap(), "{\"a\":1}");
}

/// Not each of them looks through the rest of the line: that would take minutes.
#[test]
fn a_line_of_a_million_things_is_read_in_one_go() {
    let count = |text: &str| {
        let (mut framer, mut records) = (Framer::new(text.as_bytes(), 0, false, 1 << 24), 0);
        while let Some(batch) = framer.next_batch().unwrap() {
            records += batch.spans.len();
        }
        records
    };
    assert_eq!(count(&format!("[{}1]", "1,".repeat(1 << 18))), (1 << 18) + 1);
    let (objects, blanks) = ("{},".repeat(1 << 17), " ".repeat(1 << 18));
    assert_eq!(count(&format!("[{objects}{{}}]{blanks}\n{{}}")), (1 << 17) + 2);
    assert_eq!(count(&format!("[{objects}{blanks}{{}}]")), (1 << 17) + 1);
    assert_eq!(count(&format!("[{}{{\"a\":\"{blanks}\"}},1]", "1 ".repeat(200))), 202);
}

#[test]
fn a_list_within_an_object_is_the_records() {
    let (one, two) = (r#"{"event_type":"x"}"#, r#"{"event_type":"y","changes":[{"a":[1]}]}"#);
    for text in [
        format!(r#"{{"value":[{one},{two}],"Count":2}}"#),
        format!("{{\n  \"totalCount\": 2,\n  \"results\": [\n    {one},\n    {two}\n  ]\n}}\n"),
        format!("{{\"results\":[\n{one},\n{two}\n],\"more\":[{{\"a\":\"}}]\"}}]}}"),
        format!(r#"{{"took":1,"hits":{{"total":{{"value":2}},"hits":[{one},{two}],"x":[]}},"y":{{}}}}"#),
        format!(r#"{{"logEvents":[{one}]}}{{"logEvents":[{two}],"a":1}}"#),
        format!("{{\"data\":[{one}]}}\n{{\"data\":[{two}]}}\n"),
        format!("[{{\"data\":[{one}]}},{two}]"),
    ] {
        assert_eq!(frames(&text), [one, two], "{text}");
    }
    // What does not name events is a record, and what follows is looked at.
    let control = r#"{"logEvents":[{"message":"CONTROL"}]}"#;
    assert_eq!(frames(&format!("{control}\n{{\"logEvents\":[{one},{two}]}}")), [control, one, two]);
    // What is cut off or goes on behind the list is told.
    assert_eq!(frames(&format!(r#"{{"value":[{one},{two}],"Count""#)), [one, two, "!,\"Count\""]);
    assert_eq!(frames(&format!(r#"{{"value":[{one}"#)), [one, "!"]);
    let event = format!(r#"{{"data":[{one}],"event_type":"z"}}"#);
    assert_eq!(frames(&event), [event.as_str()]);
}

#[test]
fn a_list_of_any_length_is_stepped_into() {
    let record = format!(r#"{{"event_type":"x","text":"{}"}}"#, "y".repeat(1000));
    let text = format!(r#"{{"results":[{}],"n":1}}{{"results":[{record}]}}"#, vec![record.as_str(); 5000].join(","));
    assert!(frames_with(&text, 1 << 20, usize::MAX) == vec![record; 5001]);
}

#[test]
fn what_a_shipper_put_in_front_is_passed() {
    for prefix in [
        "2026-03-11T00:00:00.000Z ",
        "Mar 11 00:00:00 host jumpcloud[12]: ",
        "<134>1 2026-03-11T00:00:00Z host jc 1 - [meta x=\"1\"] ",
        "[2026-03-11] di:",
        "2026-03-11T00:00:00Z\tjumpcloud.di\t",
    ] {
        let text = format!("{prefix}{{\"a\":1}}\n{prefix}{{\"a\":\"cut\n{prefix}{{\"a\":{{}}}}\n");
        let all = frames(&text);
        assert_eq!((all.len(), all[0].as_str(), all[2].as_str()), (3, "{\"a\":1}", "{\"a\":{}}"), "{prefix}");
        assert!(all[1].starts_with('!'));
    }
    // The rest of a broken record is no prefix.
    for rest in ["name\":\"x\"},\"geoip\": {\"a\":1}", "\"geoip\": {\"a\":1}", "x {\"a\":1} y"] {
        assert_eq!(frames(rest).len(), 1, "{rest}");
        assert!(frames(rest)[0].starts_with('!'));
    }
}

#[test]
fn a_line_of_another_table_is_one_thing() {
    assert_eq!(frames("\"a\",\"b\"\n1,2\n\"c\",null\n").len(), 3);
}

#[test]
fn too_long_is_skipped_and_reading_goes_on() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    let text = format!("{{\"a\":1}}\n{long}\n{{\"a\":2}}\n");
    for chunk in [1, 100, 4096, usize::MAX] {
        let records = frames_with(&text, 1000, chunk);
        assert_eq!((records.len(), records[2].as_str()), (3, "{\"a\":2}"), "{chunk}");
        assert!(records[1].starts_with('!'));
    }
    let cut = format!("{{\"a\":1}}\n{{\"a\":\"{}\n{{\"a\":2}}\n", "x".repeat(5000));
    assert_eq!(frames_with(&cut, 1000, 512).last().unwrap(), "{\"a\":2}");
}

#[test]
fn a_line_of_several_objects_is_taken_apart() {
    let line = b"{\"a\":\"}{\"} , {\"b\":2}{\"c\":";
    let parts: Vec<(&str, bool)> = objects(line)
        .iter()
        .map(|(start, end, fault)| (std::str::from_utf8(&line[*start..*end]).unwrap(), fault.is_none()))
        .collect();
    assert_eq!(parts, [("{\"a\":\"}{\"}", true), ("{\"b\":2}", true), ("{\"c\":", false)]);
    assert_eq!(objects(b"{\"a\":1} x").len(), 2);
    assert!(objects(b"").is_empty());
}

#[test]
fn nothing_and_next_to_nothing() {
    assert!(frames("").is_empty());
    assert!(frames("[]").is_empty());
    assert!(frames(" \n\n[\n]\n").is_empty());
    assert_eq!(frames("{"), ["!{"]);
    assert_eq!(frames("}"), ["!}"]);
}

#[test]
fn braces_in_text_are_text() {
    assert_eq!(frames("{\"a\":\"}{\\\"\\\\\"}\n{\"b\":1}"), ["{\"a\":\"}{\\\"\\\\\"}", "{\"b\":1}"]);
}
