//! Reader: what a worker makes of events while it reads: which detections they match, and the fields that
//! are kept of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::profile::Slot;
use crate::event::Event;
use crate::event::facet::{FIXED, Facet};
use crate::event::field::{Field, Fields, Norm, Value};
use crate::event::occurrence::Understand;
use crate::event::outside::{Enriched, Outside};
use crate::rule::expr::Searchable;
use crate::rule::pattern::Folded;
use crate::rule::set::RuleSet;
use crate::rule::verdict::{FieldTests, Verdict};

/// The values of one facet.
#[derive(Debug, Default)]
pub struct FacetValues {
    /// each value's field, and where its text ends in `text`; `None` is `null`
    values: Vec<(Slot, Option<u32>)>,
    text: String,
}

impl FacetValues {
    /// The values with their fields; `None` is `null`.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Slot, Option<&str>)> {
        let mut start = 0;
        self.values.iter().map(move |(slot, end)| {
            let text = end.map(|end| {
                let text = &self.text[start..end as usize];
                start = end as usize;
                text
            });
            (*slot, text)
        })
    }
}

/// Bits of the tests of one facet, one for each test.
type Bits = Box<[u64]>;

/// The detections that matched, or may match once identities are linked: places in [`RuleSet::alike`].
type Matched = Arc<[u32]>;

/// Values of a field whose tests are remembered; longer texts hardly come again.
const REMEMBERED: usize = 1 << 14;
/// Bytes of such a value.
const LONGEST: usize = 64;

/// The tests of one field that hold for values that were met.
#[derive(Debug, Default)]
struct Held {
    of_text: HashMap<Box<str>, Box<[usize]>, RandomState>,
    of_nothing: Option<Box<[usize]>>,
}

impl Held {
    /// The bits of the tests that hold for these values.
    fn bits(&mut self, of_field: &FieldTests, values: &[Value<'_>], event: &Enriched<'_>) -> Cow<'_, [usize]> {
        let text = match values {
            [] if of_field.looks_at_one => None,
            [Value::Text(text)] if of_field.looks_at_one && text.len() <= LONGEST => Some(text.as_ref()),
            _ => return Cow::Owned(holding(of_field, values, event)),
        };
        let Some(text) = text else {
            let held = self.of_nothing.get_or_insert_with(|| holding(of_field, values, event).into());
            return Cow::Borrowed(held);
        };
        if self.of_text.len() >= REMEMBERED {
            self.of_text.clear();
        }
        // Looked up twice where it is new: a key is made only then.
        if !self.of_text.contains_key(text) {
            self.of_text.insert(text.into(), holding(of_field, values, event).into());
        }
        self.of_text.get(text).map_or(Cow::Borrowed(&[]), |held| Cow::Borrowed(held))
    }
}

fn holding(of_field: &FieldTests, values: &[Value<'_>], event: &Enriched<'_>) -> Vec<usize> {
    let folded: Vec<Folded<'_>> = values.iter().filter_map(Value::text).map(Folded::new).collect();
    let tests = of_field.tests.iter().filter(|(_, test)| test.holds_for(values, &folded, event));
    tests.map(|(bit, _)| *bit).collect()
}

/// What one worker knows of the rules and of the facets it met.
pub struct Reader<'s> {
    set: &'s RuleSet,
    /// for each facet the slots of its fields, of those that are kept
    slots: Vec<Vec<Option<Slot>>>,
    /// for each facet its different bits, and their numbers
    patterns: Vec<HashMap<Bits, u32, RandomState>>,
    bits: Vec<Vec<Bits>>,
    /// for each facet and each field of it
    held: Vec<Vec<Held>>,
    types: HashMap<String, u32, RandomState>,
    /// by event type the facets that somebody looks at
    needed: HashMap<String, Arc<[usize]>, RandomState>,
    verdicts: HashMap<Box<[u32]>, Option<Matched>, RandomState>,
    /// all verdicts that are the same share one list
    lists: std::collections::HashSet<Matched, RandomState>,
    key: Vec<u32>,
    look_up: Option<&'s LookUp<'s>>,
}

/// Tells what is known of an event from elsewhere.
pub type LookUp<'s> = dyn Fn(&Event<'_>) -> Outside + Sync + 's;

/// Fields that are worked out when the store is closed.
fn is_derived(field: &Field) -> bool {
    matches!(field, Field::Norm(Norm::ActorKey | Norm::TargetKey | Norm::SourceNetwork))
}

impl<'s> Reader<'s> {
    /// A reader that has met nothing yet.
    pub fn new(set: &'s RuleSet, look_up: Option<&'s LookUp<'s>>) -> Reader<'s> {
        let slot = |is_joint: bool, field: &Field| match is_derived(field) || is_joint {
            true => None,
            false => super::profile::slot(&set.kept_fields, field),
        };
        let slots =
            set.plan.facets.iter().map(|facet| facet.fields.iter().map(|field| slot(facet.is_joint, field)).collect());
        let count = set.plan.facets.len();
        Reader {
            set,
            slots: slots.collect(),
            patterns: vec![HashMap::default(); count],
            bits: vec![Vec::new(); count],
            held: set.plan.facets.iter().map(|f| f.fields.iter().map(|_| Held::default()).collect()).collect(),
            types: HashMap::default(),
            needed: HashMap::default(),
            verdicts: HashMap::default(),
            lists: std::collections::HashSet::default(),
            key: Vec::new(),
            look_up,
        }
    }

    fn judge(&mut self, event_type: &str, facets: &[u32], whole: Option<&Event<'_>>) -> Option<Matched> {
        let needed = self.needed(event_type);
        // What is not needed is not asked for.
        let mut bits: Vec<&[u64]> = vec![&[]; self.bits.len()];
        for (facet, pattern) in needed.iter().zip(facets) {
            bits[*facet] = &self.bits[*facet][*pattern as usize];
        }
        let bit = |facet: usize, number: usize| bits[facet][number / 64] >> (number % 64) & 1 == 1;
        let of_whole = |verdict: &Verdict| match (verdict, whole) {
            (Verdict::Keyword(glob), Some(event)) => event.any_text(&|text| glob.matches(text)),
            _ => false,
        };
        let mut found = Vec::new();
        for place in self.set.candidates(event_type) {
            if self.set.verdict(place).may_match(&bit, true, &of_whole) {
                found.push(index(place));
            }
        }
        if found.is_empty() {
            return None;
        }
        if let Some(known) = self.lists.get(found.as_slice()) {
            return Some(Arc::clone(known));
        }
        let list: Matched = found.into();
        self.lists.insert(Arc::clone(&list));
        Some(list)
    }
}

impl Understand for Reader<'_> {
    type Facet = FacetValues;
    type Verdict = Matched;

    fn facet(&mut self, facet: usize, event: &Event<'_>) -> (FacetValues, u32) {
        let mut kept = FacetValues::default();
        let outside = self.look_up.filter(|_| !self.set.plan.facets[facet].is_raw).map(|look_up| look_up(event));
        let event = &Enriched { event, outside };
        let tests = &self.set.tests;
        let mut bits = vec![0_u64; tests.bits(facet).div_ceil(64)];
        for ((slot, held), of_field) in self.slots[facet].iter().zip(&mut self.held[facet]).zip(tests.of(facet)) {
            if slot.is_none() && of_field.tests.is_empty() {
                continue;
            }
            let values = event.values(&of_field.field);
            if !of_field.tests.is_empty() {
                let held = held.bits(of_field, &values, event);
                held.iter().for_each(|bit| bits[bit / 64] |= 1 << (bit % 64));
            }
            for value in slot.iter().flat_map(|_| &values) {
                let end = value.text().map(|text| {
                    kept.text.push_str(text);
                    index(kept.text.len())
                });
                kept.values.extend(slot.map(|slot| (slot, end)));
            }
        }
        let known = &mut self.bits[facet];
        let pattern = *self.patterns[facet].entry(bits.into()).or_insert_with_key(|bits| {
            known.push(bits.clone());
            index(known.len() - 1)
        });
        (kept, pattern)
    }

    fn needed(&mut self, event_type: &str) -> Arc<[usize]> {
        if let Some(known) = self.needed.get(event_type) {
            return Arc::clone(known);
        }
        let facets = self.set.plan.facets.iter().enumerate();
        let is_kept = |facet: &Facet| facet.fields.iter().any(|field| self.set.keeps(event_type, field));
        let mut is_needed: Vec<bool> =
            facets.map(|(place, facet)| place < FIXED || !facet.is_joint && is_kept(facet)).collect();
        self.set.candidates(event_type).for_each(|place| self.set.verdict(place).facets(&mut is_needed));
        let needed: Arc<[usize]> = (0..is_needed.len()).filter(|place| is_needed[*place]).collect();
        self.needed.insert(event_type.to_owned(), Arc::clone(&needed));
        needed
    }

    fn needs_whole(&self, event_type: &str) -> bool {
        self.set.takes_whole(event_type)
    }

    fn verdict(&mut self, event_type: &str, facets: &[u32], whole: Option<&Event<'_>>) -> Option<Matched> {
        if whole.is_some() {
            return self.judge(event_type, facets, whole);
        }
        let next = index(self.types.len());
        let kind = self.types.get(event_type).copied().unwrap_or(next);
        if kind == next {
            self.types.insert(event_type.to_owned(), kind);
        }
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push(kind);
        key.extend(facets);
        let verdict = if let Some(known) = self.verdicts.get(key.as_slice()) {
            known.clone()
        } else {
            let verdict = self.judge(event_type, facets, None);
            self.verdicts.insert(key.as_slice().into(), verdict.clone());
            verdict
        };
        self.key = key;
        verdict
    }
}

#[allow(clippy::cast_possible_truncation, reason = "an index into memory; four billion entries do not fit")]
fn index(length: usize) -> u32 {
    length as u32
}
