//! Joint: two fields of one event that are compared with each other. They come from different members, which hardly
//! ever appear in the same pair twice, while pairs of values repeat. So results are remembered for each pair of values.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::profile::index;
use crate::event::facet::FieldPlan;
use crate::event::field::{Field, Fields, Value, Values};

/// The values of those fields of a facet that are compared with fields of others.
type Side = Box<[Values<'static>]>;

/// What the facets of one place in the plan were, as far as it matters for comparisons.
#[derive(Debug, Default)]
struct Met {
    /// the fields that are compared, by their places among those of the facet
    fields: Vec<usize>,
    sides: Vec<Side>,
    by_side: HashTable<u32>,
    /// the patterns and sides of facets
    told: Vec<(u32, u32)>,
}

/// Which values were met on the sides of comparisons, and what became of their pairs.
#[derive(Debug)]
pub struct Joints<'p> {
    plan: &'p FieldPlan,
    met: Vec<Met>,
    hasher: RandomState,
    /// by joint facet and the two sides
    patterns: HashMap<(usize, [u32; 2]), u32, RandomState>,
}

impl<'p> Joints<'p> {
    /// Nothing was met yet.
    pub fn new(plan: &'p FieldPlan) -> Joints<'p> {
        let mut met: Vec<Met> = plan.facets.iter().map(|_| Met::default()).collect();
        for facet in &plan.facets {
            for (side, field) in facet.sides.iter().flatten().zip(&facet.fields) {
                let fields = &mut met[*side].fields;
                fields.extend(plan.place_in(*side, field));
                fields.sort_unstable();
                fields.dedup();
            }
        }
        Joints { plan, met, hasher: RandomState::default(), patterns: HashMap::default() }
    }

    /// Whether the values of a field of a facet are compared.
    pub fn takes(&self, facet: usize, field: usize) -> bool {
        self.met[facet].fields.contains(&field)
    }

    /// A number for a facet that comes to a pattern, and has these values in the fields that are compared.
    pub fn number(&mut self, facet: usize, pattern: u32, values: Vec<Values<'static>>) -> u32 {
        let met = &mut self.met[facet];
        if met.fields.is_empty() {
            return pattern;
        }
        let (sides, hasher) = (&mut met.sides, &self.hasher);
        let is = |n: &u32| *sides[*n as usize] == *values;
        let side = match met.by_side.entry(hasher.hash_one(&values), is, |n| hasher.hash_one(&sides[*n as usize])) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let side = index(sides.len());
                new.insert(side);
                sides.push(values.into());
                side
            }
        };
        met.told.push((pattern, side));
        index(met.told.len() - 1)
    }

    /// The pattern and the side behind the number of a facet.
    pub fn told(&self, facet: usize, number: u32) -> (u32, u32) {
        if self.met[facet].fields.is_empty() { (number, 0) } else { self.met[facet].told[number as usize] }
    }

    /// The pattern of a joint facet with these sides, if the pair came before.
    pub fn known(&self, joint: usize, sides: [u32; 2]) -> Option<u32> {
        self.patterns.get(&(joint, sides)).copied()
    }

    /// Remembers the pattern of a pair.
    pub fn remember(&mut self, joint: usize, sides: [u32; 2], pattern: u32) {
        self.patterns.insert((joint, sides), pattern);
    }

    /// The fields of a joint facet with these sides.
    pub fn pair(&self, joint: usize, sides: [u32; 2]) -> Pair<'_> {
        let facet = &self.plan.facets[joint];
        Pair([0, 1].map(|n| {
            let (at, field) = (facet.sides?[n], &facet.fields[n]);
            let place = self.plan.place_in(at, field)?;
            let met = &self.met[at];
            let place = met.fields.iter().position(|known| *known == place)?;
            Some((field, &met.sides[sides[n] as usize][place]))
        }))
    }
}

/// Two fields, and their values.
pub struct Pair<'j>([Option<(&'j Field, &'j Values<'static>)>; 2]);

impl Fields for Pair<'_> {
    fn values(&self, field: &Field) -> Values<'_> {
        let known = self.0.iter().flatten().find(|(known, _)| *known == field);
        known.into_iter().flat_map(|(_, values)| values.iter().cloned()).collect()
    }
}

/// Values that outlive the event they are of.
pub fn owned(values: &[Value<'_>]) -> Values<'static> {
    values.iter().map(|value| value.text().map_or(Value::Null, |text| Value::Text(text.to_owned().into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_on_two_sides() {
        let fields = ["a.x", "b", "b.y"].map(|name| Field::Raw(name.split('.').map(str::to_owned).collect()));
        let mut plan = FieldPlan::new(&fields);
        let (joint, _) = plan.join(&fields[0], &fields[2]).unwrap();
        let [a, b] = [&fields[0], &fields[1]].map(|field| plan.place(field).unwrap().0);
        let mut joints = Joints::new(&plan);
        assert!(joints.takes(a, 0) && !joints.takes(b, 0) && joints.takes(b, 1));
        let text = |text: &str| owned(&[Value::Text(text.into()), Value::Null]);
        let numbers = [(a, 7, "1"), (b, 7, "1"), (b, 8, "1"), (b, 8, "2")]
            .map(|(facet, pattern, value)| joints.number(facet, pattern, vec![text(value)]));
        assert_eq!(numbers, [0, 0, 1, 2]);
        assert_eq!((joints.told(b, 1), joints.told(b, 2)), ((8, 0), (8, 1)));
        for (sides, value) in [([0, 0], "1"), ([0, 1], "2")] {
            assert_eq!(joints.known(joint, sides), None);
            let pair = joints.pair(joint, sides);
            let of = |field: &Field| owned(&pair.values(field));
            assert_eq!((of(&fields[0]), of(&fields[2])), (text("1"), text(value)));
            assert!(pair.values(&fields[1]).is_empty());
            joints.remember(joint, sides, sides[1] + 5);
        }
        assert_eq!((joints.known(joint, [0, 0]), joints.known(joint, [0, 1])), (Some(5), Some(6)));
    }
}
