//! Differential: the two ways to read a record, by what was seen before and by parsing all of it, held against
//! each other. Tests and the fuzz target use it.

use super::framing::Framer;
use super::memo::Room;
use super::part::{Single, Understood, Worker};
use crate::event::Event;
use crate::event::coverage::Kind;
use crate::event::facet::FieldPlan;
use crate::event::field::{Field, Fields, Part};
use crate::event::occurrence::Understand;

/// Keeps the values of all fields as text.
struct All<'p>(&'p FieldPlan);

impl Understand for All<'_> {
    type Facet = String;
    type Verdict = ();

    fn facet(&mut self, facet: usize, event: &Event<'_>) -> (String, u32) {
        (format!("{:?}", self.0.facets[facet].fields.iter().map(|f| event.values(f)).collect::<Vec<_>>()), 0)
    }

    fn needed(&mut self, _: &str) -> std::sync::Arc<[usize]> {
        (0..self.0.facets.len()).collect()
    }

    fn needs_whole(&self, _: &str) -> bool {
        false
    }

    fn verdict(&mut self, _: &str, _: &[u32], _: Option<&Event<'_>>) -> Option<()> {
        Some(())
    }
}

/// A worker that tells all it makes of records.
struct Reader<'p> {
    worker: Worker<'p, All<'p>>,
    facets: Vec<String>,
    kinds: Vec<Kind>,
    likenesses: Vec<String>,
}

impl<'p> Reader<'p> {
    fn new(plan: &'p FieldPlan, is_plain: bool) -> Reader<'p> {
        let mut worker = Worker::new(plan, All(plan), Room::of(1));
        worker.is_plain = is_plain;
        Reader { worker, facets: Vec::new(), kinds: Vec::new(), likenesses: Vec::new() }
    }

    /// Everything that is known of each record of a text, one line a record.
    fn told(&mut self, text: &[u8]) -> String {
        let mut framer = Framer::new(text, 0, false, 1 << 20);
        let mut out = String::new();
        // Reading from memory never fails.
        while let Ok(Some(batch)) = framer.next_batch() {
            let part = self.worker.part(0, &batch, &batch.spans);
            if part.is_afresh {
                self.facets.clear();
                self.kinds.clear();
                self.likenesses.clear();
            }
            self.facets.extend(part.facets);
            self.kinds.extend(part.kinds);
            let mut start = 0;
            for fresh in part.fresh {
                let own = &part.facets_of[std::mem::replace(&mut start, fresh.facets_end)..fresh.facets_end];
                let facets: Vec<&str> = own.iter().map(|facet| self.facets[*facet as usize].as_str()).collect();
                self.likenesses.push(format!("{:?} {facets:?}", self.kinds[fresh.kind as usize]));
            }
            part.records.iter().for_each(|record| self.tell(record, &mut out));
        }
        out
    }

    fn tell(&self, record: &Understood, out: &mut String) {
        *out += &match record {
            Understood::Several(records) => return records.iter().for_each(|record| self.tell(record, out)),
            Understood::Skipped(reason, line) => format!("{reason:?} {line}\n"),
            Understood::Event(Single { likeness, time, key, stamp, .. }) => {
                format!("{time:?} {key:?} {stamp:?} {}\n", self.likenesses[*likeness as usize])
            }
        };
    }
}

/// Both ways to read.
pub struct Both<'p> {
    plan: &'p FieldPlan,
    used: Reader<'p>,
}

impl<'p> Both<'p> {
    /// Nothing was seen yet.
    pub fn new(plan: &'p FieldPlan) -> Both<'p> {
        Both { plan, used: Reader::new(plan, false) }
    }

    /// Sees a text.
    pub fn see(&mut self, text: &[u8]) {
        self.used.told(text);
    }

    /// What both make of a text: by what was seen, and by parsing. They have to say the same.
    pub fn told(&mut self, text: &[u8]) -> (String, String) {
        (self.used.told(text), Reader::new(self.plan, true).told(text))
    }

    /// Lets go of what was seen.
    #[cfg(test)]
    fn forget(&mut self) {
        self.used.worker.forget();
    }

    #[cfg(test)]
    fn takes(&mut self, line: &[u8]) -> bool {
        self.used.worker.takes(line)
    }
}

/// Fields of each kind: at the top, inside, of changes, and what differs in each event.
pub fn plan() -> FieldPlan {
    let raw = |path: &str| Field::Raw(path.split('.').map(str::to_owned).collect());
    let suspended = Field::Change("suspended".to_owned(), Part::Trend);
    FieldPlan::new(&[raw("error_message"), raw("resource.type"), raw("timestamp"), suspended])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECES: &[&str] = &[
        "\"",
        "\\",
        "\\u0065",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\t",
        "\u{1}",
        "null",
        "1e999",
        "-",
        "\\ud800",
        "é",
        "\"id\":\"x\",",
        "\"event_type\":\"y\",",
        "00",
        "\u{7f}",
    ];

    /// What may say the same thing in several members: whom it was done to, on which device, in which application.
    const MEMBERS: &[&str] = &[
        r#""resource":{"type":"system","id":"s1"},"#,
        r#""resource":{"type":"application","name":"App"},"#,
        r#""resource":{"type":"user","username":"eve"},"#,
        r#""resource":{"type":"admin"},"#,
        r#""resource":{},"resource.id":"r","resource.type":"system","#,
        r#""resource":null,"#,
        r#""association":{"connection":{"from":{"type":"user","id":"u"},"to":{"type":"system","id":"s2"}}},"#,
        r#""association":{},"#,
        r#""association.connection":{"from":{"type":"system","id":"s3"}},"#,
        r#""system":{"id":"s4","hostname":"h"},"#,
        r#""system":{},"#,
        r#""application":{"name":"Other","id":"a"},"#,
        r#""mdm_device_id":"m","#,
        r#""windows_device_uuid":"w","#,
        r#""event_type":"user_lockout","#,
        r#""event_type":"user_password_change","#,
        r#""event_type":"alert_updated","#,
        r#""event_type":"risk_event_created","#,
        r#""resource":{"id":"a1","source_id":"s8","source_type":"device"},"#,
        r#""association":{"type":"admin","id":"m1","email":"eve@x.io"},"#,
        r#""object_storage_item_version_name":"o","system_object_id":"s9","referrer_type":"SOFTWARE_APP","referrer_object_id":"r1","#,
        r#""result":"Failed","#,
        r#""auth_context":{"system":{"id":"s5"}},"#,
        r#""username":"eve","#,
        r#""resource":{"type":"System","id":"s6"},"#,
        r#""resource":{"type":"Application","name":"App2"},"#,
        r#""resource":{"type":"system","id":""},"#,
        r#""application":null,"#,
        r#""application":{"id":"","name":""},"#,
        r#""association":{"connection":null},"#,
        r#""association":{"connection":{"from":{"type":"","name":""},"to":{}}},"#,
        r#""initiated_by":{"type":"","username":""},"#,
        r#""initiated_by":{"type":"System"},"#,
        r#""initiated_by":{"type":"","id":"i"},"#,
        r#""asn":null,"#,
        r#""asn":"64500","#,
        r#""src_ip":"198.51.100.9","#,
        r#""auth_context":{"policies_applied":[],"system":{"id":""}},"#,
        r#""auth_meta":{"policies_applied":[{"metadata":{"action":"DENY"}}],"system":{"id":"s7"}},"#,
        r#""useragent":null,"#,
        r#""user_agent":{"name":"curl"},"#,
        r#""exit_code":-1,"#,
        r#""exit_code":"-1","#,
        r#""exit_code":"-0","#,
        r#""exit_code":"1234567890123456789","#,
        r#""exit_code":"9223372036854775808","#,
        r#""jumpcloud_event_type":"directory","#,
        r#""jumpcloud_event_type":"ldap","success":false,"error_code":0,"#,
    ];

    /// A line changed in one or two places, mostly where it hurts.
    fn mutated(line: &str, random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        let mut bytes = line.as_bytes().to_vec();
        for _ in 0..random(4) {
            drop(bytes.splice(1..1, MEMBERS[random(MEMBERS.len())].bytes()));
        }
        if random(4) == 0 {
            return bytes;
        }
        for _ in 0..=random(2) {
            let at = random(bytes.len());
            match random(5) {
                0 => drop(bytes.remove(at)),
                1 => bytes[at] = u8::try_from(random(256)).unwrap_or_default(),
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.splice(at..at, PIECES[random(PIECES.len())].bytes())),
            }
        }
        bytes.retain(|b| *b != b'\n');
        bytes
    }

    /// A line, now and then in an envelope.
    fn enveloped(line: Vec<u8>, random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        let around = |before: &str, after: &str| [before.as_bytes(), &line, after.as_bytes()].concat();
        match random(16) {
            0 => {
                let other = r#"{"event_type":"sso_auth","timestamp":"2026-03-02T09:00:00Z"}"#;
                around(&format!(r#"{{"data":{other},"data":"#), "}")
            }
            1 => around(r#"{"_index":"i","_source":{"jumpcloud": { "event" : "#, r#" , "x":["}"]}}}"#),
            2 => format!("{{\"message\":{}}}", serde_json::Value::from(String::from_utf8_lossy(&line))).into_bytes(),
            _ => line,
        }
    }

    fn lines() -> Vec<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/scenarios");
        let mut lines = Vec::new();
        for scenario in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(scenario.unwrap().path().join("events.jsonl")).unwrap();
            lines.extend(text.lines().step_by(29).map(str::to_owned));
        }
        lines.sort();
        lines
    }

    /// What was seen before never changes what a record says, however broken it is.
    #[test]
    fn seen_before_or_not_is_the_same() {
        let count = std::env::var("JCDETECT_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000_usize);
        let (lines, plan) = (lines(), plan());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let run = |seed: u64| {
            let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
            let mut random = |below: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                usize::try_from(state >> 11).unwrap_or_default() % below
            };
            let mut both = Both::new(&plan);
            lines.iter().for_each(|line| both.see(line.as_bytes()));
            let (mut taken, mut odd, mut lenient) = (0, 0, 0);
            for n in 0..count.div_ceil(threads) {
                if n % 4096 == 4095 {
                    both.forget();
                }
                let line = enveloped(mutated(&lines[random(lines.len())], &mut random), &mut random);
                let is_taken = both.takes(&line);
                taken += usize::from(is_taken);
                odd += usize::from(!is_taken);
                let is_drawn = crate::input::outline::Outline::default().draw(&line);
                lenient += usize::from(is_drawn && serde_json::from_slice::<serde_json::Value>(&line).is_err());
                let (seen, parsed) = both.told(&line);
                assert_eq!(seen, parsed, "{}", String::from_utf8_lossy(&line));
            }
            // The lines are of the kind that tells: many are taken, many are not, and who trusted the outline
            // alone would take what is no JSON.
            let all = count / threads;
            assert!(taken > all / 10 && odd > all / 10 && lenient > all / 100, "{taken} {odd} {lenient}");
        };
        std::thread::scope(|scope| (0..).zip(0..threads).for_each(|(n, _)| drop(scope.spawn(move || run(n + 1)))));
    }
}
