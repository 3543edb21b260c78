//! Reader: what a worker makes of events while it reads: which detections they match, and the fields that
//! are kept of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::joint::{Joints, owned};
use super::profile::{Slot, derived, index, slot};
use crate::event::Event;
use crate::event::facet::{FIXED, Facet};
use crate::event::field::{Field, Fields, Value};
use crate::event::occurrence::Understand;
use crate::event::outside::Enriched;
use crate::event::outside::LookUp;
use crate::rule::expr::Searchable;
use crate::rule::folded::Folded;
use crate::rule::set::RuleSet;
use crate::rule::verdict::{FieldTests, Verdict};

/// Bytes of a value, for most.
const TYPICAL: usize = 16;

/// The values of one facet.
#[derive(Debug)]
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

fn holding(of_field: &FieldTests, values: &[Value<'_>], event: &impl Fields) -> Vec<usize> {
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
    joints: Joints<'s>,
    types: HashMap<String, Type, RandomState>,
    verdicts: HashMap<Box<[u32]>, Option<Matched>, RandomState>,
    /// all verdicts that are the same share one list
    lists: std::collections::HashSet<Matched, RandomState>,
    key: Vec<u32>,
    look_up: Option<&'s LookUp<'s>>,
}

/// What somebody looks at in events of one type.
#[derive(Clone, Debug)]
struct Type {
    number: u32,
    /// the facets, without joint ones
    needed: Arc<[usize]>,
    /// the joint ones, and where their sides stand in `needed`
    joints: Arc<[(usize, [usize; 2])]>,
}

impl<'s> Reader<'s> {
    /// A reader that has met nothing yet.
    pub fn new(set: &'s RuleSet, look_up: Option<&'s LookUp<'s>>) -> Reader<'s> {
        let slot = |field: &Field| match derived(field) {
            Some(_) => None,
            None => slot(&set.kept.fields, field),
        };
        let slots = set.plan.facets.iter().map(|facet| facet.fields.iter().map(slot).collect());
        let count = set.plan.facets.len();
        Reader {
            set,
            slots: slots.collect(),
            patterns: vec![HashMap::default(); count],
            bits: vec![Vec::new(); count],
            held: set.plan.facets.iter().map(|f| f.fields.iter().map(|_| Held::default()).collect()).collect(),
            joints: Joints::new(&set.plan),
            types: HashMap::default(),
            verdicts: HashMap::default(),
            lists: std::collections::HashSet::default(),
            key: Vec::new(),
            look_up,
        }
    }

    fn of_type(&mut self, event_type: &str) -> Type {
        if let Some(known) = self.types.get(event_type) {
            return known.clone();
        }
        let facets = &self.set.plan.facets;
        let is_kept = |facet: &Facet| facet.fields.iter().any(|field| self.set.kept.has(event_type, field));
        let mut is_needed: Vec<bool> =
            (0..).zip(facets).map(|(place, facet)| place < FIXED || facet.sides.is_none() && is_kept(facet)).collect();
        self.set.candidates(event_type).for_each(|place| self.set.verdict(place).facets(&mut is_needed));
        let joints: Vec<(usize, [usize; 2])> = (0..)
            .zip(facets)
            .filter(|(place, _)| is_needed[*place])
            .filter_map(|(place, facet)| Some((place, facet.sides?)))
            .collect();
        joints.iter().for_each(|(joint, sides)| {
            sides.iter().for_each(|side| is_needed[*side] = true);
            is_needed[*joint] = false;
        });
        let needed: Arc<[usize]> = (0..is_needed.len()).filter(|place| is_needed[*place]).collect();
        let place = |facet: usize| needed.binary_search(&facet).unwrap_or_default();
        let joints = joints.into_iter().map(|(joint, sides)| (joint, sides.map(place))).collect();
        let known = Type { number: index(self.types.len()), needed: Arc::clone(&needed), joints };
        self.types.insert(event_type.to_owned(), known.clone());
        known
    }

    /// The number of the pattern of a facet with these bits.
    fn pattern(&mut self, facet: usize, bits: Vec<u64>) -> u32 {
        let known = &mut self.bits[facet];
        *self.patterns[facet].entry(bits.into()).or_insert_with_key(|bits| {
            known.push(bits.clone());
            index(known.len() - 1)
        })
    }

    /// The pattern of a joint facet with these sides.
    fn joined(&mut self, joint: usize, sides: [u32; 2]) -> u32 {
        if let Some(known) = self.joints.known(joint, sides) {
            return known;
        }
        let tests = &self.set.tests;
        let mut bits = empty(tests.bits(joint));
        let pair = self.joints.pair(joint, sides);
        for of_field in tests.of(joint) {
            mark(&mut bits, &holding(of_field, &pair.values(&of_field.field), &pair));
        }
        let pattern = self.pattern(joint, bits);
        self.joints.remember(joint, sides, pattern);
        pattern
    }

    fn judge(&self, event_type: &str, known: &Type, patterns: &[u32], whole: Option<&Event<'_>>) -> Vec<u32> {
        // What is not needed is not asked for.
        let mut bits: Vec<&[u64]> = vec![&[]; self.bits.len()];
        let facets = known.needed.iter().chain(known.joints.iter().map(|(joint, _)| joint));
        for (facet, pattern) in facets.zip(patterns) {
            bits[*facet] = &self.bits[*facet][*pattern as usize];
        }
        let bit = |facet: usize, number: usize| bits[facet][number / 64] >> (number % 64) & 1 == 1;
        let of_whole = |verdict: &Verdict| match (verdict, whole) {
            (Verdict::Keyword(keyword), Some(event)) => event.any_text(&|text| keyword.matches(&Folded::new(text))),
            _ => false,
        };
        let mut found = Vec::new();
        for place in self.set.candidates(event_type) {
            if self.set.verdict(place).may_match(&bit, true, &of_whole) {
                found.push(index(place));
            }
        }
        found
    }

    /// The list of these detections, the same for all events that match them.
    fn list(&mut self, found: Vec<u32>) -> Option<Matched> {
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
        let kept_fields = self.slots[facet].iter().flatten().count();
        let values = Vec::with_capacity(kept_fields);
        let mut kept = FacetValues { values, text: String::with_capacity(kept_fields * TYPICAL) };
        let outside = self.look_up.filter(|_| !self.set.plan.facets[facet].is_raw).map(|look_up| look_up(event));
        let event = &Enriched { event, outside };
        let tests = &self.set.tests;
        let mut bits = empty(tests.bits(facet));
        let mut compared = Vec::new();
        let fields = self.slots[facet].iter().zip(&mut self.held[facet]).zip(tests.of(facet));
        for (place, ((slot, held), of_field)) in fields.enumerate() {
            let is_compared = self.joints.takes(facet, place);
            if slot.is_none() && of_field.tests.is_empty() && !is_compared {
                continue;
            }
            let values = event.values(&of_field.field);
            if !of_field.tests.is_empty() {
                mark(&mut bits, &held.bits(of_field, &values, event));
            }
            if is_compared {
                compared.push(owned(&values));
            }
            for value in slot.iter().flat_map(|_| &values) {
                let end = value.text().map(|text| {
                    kept.text.push_str(text);
                    index(kept.text.len())
                });
                kept.values.extend(slot.map(|slot| (slot, end)));
            }
        }
        let pattern = self.pattern(facet, bits);
        (kept, self.joints.number(facet, pattern, compared))
    }

    fn needed(&mut self, event_type: &str) -> Arc<[usize]> {
        self.of_type(event_type).needed
    }

    fn forget(&mut self) {
        *self = Reader::new(self.set, self.look_up);
    }

    fn needs_whole(&self, event_type: &str) -> bool {
        self.set.takes_whole(event_type)
    }

    fn verdict(&mut self, event_type: &str, facets: &[u32], whole: Option<&Event<'_>>) -> Option<Matched> {
        let known = self.of_type(event_type);
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push(known.number);
        key.extend(known.needed.iter().zip(facets).map(|(facet, number)| self.joints.told(*facet, *number).0));
        for (joint, sides) in known.joints.iter() {
            let sides = sides.map(|place| self.joints.told(known.needed[place], facets[place]).1);
            key.push(self.joined(*joint, sides));
        }
        let verdict = if whole.is_some() {
            let found = self.judge(event_type, &known, &key[1..], whole);
            self.list(found)
        } else if let Some(verdict) = self.verdicts.get(key.as_slice()) {
            verdict.clone()
        } else {
            let found = self.judge(event_type, &known, &key[1..], None);
            let verdict = self.list(found);
            self.verdicts.insert(key.as_slice().into(), verdict.clone());
            verdict
        };
        self.key = key;
        verdict
    }
}

/// So many bits, none of them set.
fn empty(bits: usize) -> Vec<u64> {
    vec![0; bits.div_ceil(64)]
}

/// Sets bits.
fn mark(bits: &mut [u64], set: &[usize]) {
    set.iter().for_each(|bit| bits[bit / 64] |= 1 << (bit % 64));
}
