//! Verdict: detections compiled for reading. Each test is one bit of the facet that its field belongs to, so
//! it is made once for each different facet, and a detection only looks at bits.

use super::expr::{Expr, Test};
use super::pattern::Pattern;
use crate::event::facet::FieldPlan;
use crate::event::field::Field;

/// A detection that looks at bits.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// all of them
    And(Vec<Verdict>),
    /// at least one of them
    Or(Vec<Verdict>),
    /// not this
    Not(Box<Verdict>),
    /// a test: the facet, and its bit
    Bit(usize, usize),
    /// a test that can be made only when identities are linked
    Linked,
    /// any text anywhere in the event
    Keyword(Pattern),
}

/// The tests of one field, with their bits.
#[derive(Debug)]
pub struct FieldTests {
    /// the field
    pub field: Field,
    /// the tests
    pub tests: Vec<(usize, Test)>,
    /// they look at nothing but the values of the field
    pub looks_at_one: bool,
}

/// The tests of each facet.
#[derive(Debug, Default)]
pub struct Tests {
    of_facet: Vec<Vec<FieldTests>>,
    /// how many bits each facet has
    bits: Vec<usize>,
}

impl Tests {
    /// The tests of a facet, field by field as the plan has them.
    pub fn of(&self, facet: usize) -> &[FieldTests] {
        self.of_facet.get(facet).map_or(&[], Vec::as_slice)
    }

    /// How many bits a facet has.
    pub fn bits(&self, facet: usize) -> usize {
        self.bits.get(facet).copied().unwrap_or_default()
    }

    /// Makes place for the fields of all facets of a plan: they are kept even where nothing is tested.
    pub fn cover(&mut self, plan: &FieldPlan) {
        for facet in &plan.facets[self.of_facet.len()..] {
            let tests = |field: &Field| FieldTests { field: field.clone(), tests: Vec::new(), looks_at_one: true };
            self.of_facet.push(facet.fields.iter().map(tests).collect());
            self.bits.push(0);
        }
    }

    /// The bit of a test; tests that say the same have one.
    fn bit(&mut self, plan: &FieldPlan, facet: usize, field: usize, test: &Test) -> usize {
        self.cover(plan);
        let of_field = &mut self.of_facet[facet][field];
        of_field.looks_at_one &= test.reference().is_none();
        if let Some((bit, _)) = of_field.tests.iter().find(|(_, known)| known == test) {
            return *bit;
        }
        let bit = self.bits[facet];
        of_field.tests.push((bit, test.clone()));
        self.bits[facet] += 1;
        bit
    }
}

impl Verdict {
    /// Compiles a condition; tests that are not there yet are added.
    pub fn new(expr: &Expr, plan: &mut FieldPlan, tests: &mut Tests) -> Verdict {
        match expr {
            Expr::And(parts) => Verdict::And(parts.iter().map(|part| Verdict::new(part, plan, tests)).collect()),
            Expr::Or(parts) => Verdict::Or(parts.iter().map(|part| Verdict::new(part, plan, tests)).collect()),
            Expr::Not(inner) => Verdict::Not(Box::new(Verdict::new(inner, plan, tests))),
            Expr::Keyword(keyword) => Verdict::Keyword(keyword.clone()),
            Expr::Test(test) if test.is_linked() => Verdict::Linked,
            Expr::Test(test) => {
                let place = match test.reference() {
                    Some(other) => plan.join(&test.field, other),
                    None => plan.place(&test.field),
                };
                // A plan has all fields that conditions name.
                place.map_or(Verdict::Or(vec![]), |(facet, field)| {
                    Verdict::Bit(facet, tests.bit(plan, facet, field, test))
                })
            }
        }
    }

    /// Whether it takes the whole event.
    pub fn needs_whole(&self) -> bool {
        match self {
            Verdict::And(parts) | Verdict::Or(parts) => parts.iter().any(Verdict::needs_whole),
            Verdict::Not(inner) => inner.needs_whole(),
            Verdict::Keyword(_) => true,
            Verdict::Bit(..) | Verdict::Linked => false,
        }
    }

    /// Marks the facets that it looks at.
    pub fn facets(&self, out: &mut [bool]) {
        match self {
            Verdict::And(parts) | Verdict::Or(parts) => parts.iter().for_each(|part| part.facets(out)),
            Verdict::Not(inner) => inner.facets(out),
            Verdict::Bit(facet, _) => out[*facet] = true,
            Verdict::Linked | Verdict::Keyword(_) => {}
        }
    }

    /// Whether an event may match once identities are linked. `bit` tells a bit of a facet, `favour` is what
    /// a linked test counts as, `whole` makes the tests that take the whole event.
    pub fn may_match(
        &self,
        bit: &impl Fn(usize, usize) -> bool,
        favour: bool,
        whole: &impl Fn(&Verdict) -> bool,
    ) -> bool {
        match self {
            Verdict::And(parts) => parts.iter().all(|part| part.may_match(bit, favour, whole)),
            Verdict::Or(parts) => parts.iter().any(|part| part.may_match(bit, favour, whole)),
            Verdict::Not(inner) => !inner.may_match(bit, !favour, whole),
            Verdict::Bit(facet, number) => bit(*facet, *number),
            Verdict::Linked => favour,
            Verdict::Keyword(_) => whole(self),
        }
    }
}
