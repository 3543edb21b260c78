//! Logic: what a rule looks for. One event (a detection), or events together: Sigma's correlations and our
//! own conditions. The meaning of each is in `docs/detections.md`.

use std::ops::Range;

use super::expr::Expr;
use super::pattern::Order;
use crate::event::field::{Field, Norm};
use crate::event::time::{SECOND, Span};

/// A reference to another rule: by name until the set is linked, then by place.
pub type Reference = String;

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Logic {
    /// one event
    Detection(Expr),
    /// how many events, or how many values, in a window
    Count(Count),
    /// one match of each step in a window
    Chain(Chain),
    /// a value that is new for its owner
    FirstSeen(FirstSeen),
    /// two places too far apart for the time between them
    Travel(Travel),
    /// far above one's own usual
    Rate(Rate),
    /// several different findings on one entity
    Risk(Risk),
}

/// Bounds for a count; all have to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// each comparison, with the number that a count is compared with
    pub tests: Vec<(Order, f64)>,
}

impl Bounds {
    /// Whether a count is within.
    pub fn hold(&self, count: usize) -> bool {
        self.tests.iter().all(|(order, n)| order.holds(count as f64, *n))
    }

    /// A count that none within is less than.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts; too large is as good as never")]
    pub fn least(&self) -> usize {
        let least = |(order, n): &(Order, f64)| match order {
            Order::Equal | Order::GreaterEqual | Order::Greater => n.max(0.0) as usize,
            _ => 0,
        };
        self.tests.iter().map(least).max().unwrap_or(0)
    }
}

/// A field by which events are grouped, under the names it has in each step.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// the name in the rule: a field, or an alias
    pub name: String,
    /// the field; of an alias, the field in each referenced rule
    pub fields: Vec<(Option<Reference>, Field)>,
}

impl GroupBy {
    /// The field in a step, by the name of its rule. `None`: the alias does not say.
    pub fn field(&self, rule: &str) -> Option<&Field> {
        self.fields.iter().find(|(of, _)| of.as_deref().is_none_or(|name| name == rule)).map(|(_, field)| field)
    }
}

/// `event_count` and `value_count`.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// what is counted
    pub rules: Vec<Reference>,
    /// whose
    pub group_by: Vec<GroupBy>,
    /// in (t − window, t]
    pub window: Span,
    /// how many
    pub bounds: Bounds,
    /// different values of these fields instead of events
    pub values: Option<Vec<Field>>,
    /// at least this part of all events of another rule
    pub share: Option<Share>,
    /// only since another rule last matched
    pub since: Option<Since>,
}

impl Count {
    /// Whether it says no more than "one of these rules": any event that has the group fields meets it.
    pub fn is_union(&self) -> bool {
        let least_one = |(order, n): &(Order, f64)| match order {
            Order::GreaterEqual => *n <= 1.0,
            Order::Greater => *n < 1.0,
            _ => false,
        };
        self.values.is_none()
            && self.share.is_none()
            && self.since.is_none()
            && self.window.0 <= SECOND
            && self.bounds.tests.iter().all(least_one)
    }

    /// Whether one event, or one value, is enough, and its window is there for no others than those that a share is of, or that there
    /// must not be too many of.
    pub fn is_met_by_one(&self) -> bool {
        let has_most = !self.bounds.hold(usize::MAX);
        self.bounds.hold(1) && (has_most || self.share.is_some() || self.window.0 <= SECOND)
    }
}

/// A part of the events of another rule in the same window and group.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// the whole
    pub of: Reference,
    /// the least part, 0 to 1
    pub at_least: f64,
}

/// A rule of which the last match in a window starts the count anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// what starts it anew
    pub rule: Reference,
    /// by how many of the group fields, from the first on, its events are joined with what is counted
    pub joined_by: usize,
}

/// A comparison of fields of two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    /// step and field
    pub left: (usize, Field),
    /// how they have to compare
    pub how: How,
    /// step and field, or a literal
    pub right: Right,
}

impl Where {
    /// The steps and fields on its sides.
    pub fn sides(&self) -> impl Iterator<Item = (usize, &Field)> {
        let right = match &self.right {
            Right::Field(step, field) => Some((*step, field)),
            Right::Literal(_) => None,
        };
        [Some((self.left.0, &self.left.1)), right].into_iter().flatten()
    }

    /// Whether one of its sides is a field of this step.
    pub fn looks_at(&self, step: usize) -> bool {
        self.sides().any(|(of, _)| of == step)
    }
}

/// How two sides compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// as texts: equal, or not
    Equal(bool),
    /// as numbers
    Order(Order),
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Right {
    /// a field of a step
    Field(usize, Field),
    /// a text in lower case, or a number
    Literal(String),
}

/// A match that must not lie between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Unless {
    /// what must not be
    pub rule: Reference,
    /// step before it; `None`: anywhere in the window
    pub after: Option<usize>,
    /// step behind it
    pub before: usize,
    /// only a match that lies further back from the step behind it than this; 0: any
    pub settle: Span,
    /// comparisons that it has to satisfy, as one step more than there are
    pub wheres: Vec<Where>,
}

impl Unless {
    /// Whether it concerns this step alone, and none that has to be found.
    pub fn looks_only_at(&self, step: usize) -> bool {
        // In its comparisons, the match itself stands behind all steps.
        let is_within = |w: &Where| w.sides().all(|(other, _)| other >= step);
        self.after.is_none() && self.before == step && self.wheres.iter().all(is_within)
    }
}

/// Which step is one that must not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// none: all steps have to be there
    No,
    /// the first: nothing of it in the window before, though there was some earlier
    First,
    /// the last: nothing of it in the window behind
    Last,
}

/// `temporal`, `temporal_ordered` and `sequence`.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// the steps
    pub rules: Vec<Reference>,
    /// what joins them
    pub group_by: Vec<GroupBy>,
    /// from the first to the last
    pub window: Span,
    /// in the order of the list
    pub is_ordered: bool,
    /// how many different rules have to match, where not all (`temporal` with a condition)
    pub bounds: Option<Bounds>,
    /// comparisons between steps
    pub wheres: Vec<Where>,
    /// what must not lie between
    pub unless: Vec<Unless>,
    /// a step that must be missing
    pub absent: Absent,
    /// steps that only say how things were: their events are no evidence
    pub context: Vec<usize>,
}

impl Chain {
    /// The steps that have to be there.
    pub fn needed(&self) -> Range<usize> {
        match self.absent {
            Absent::No => 0..self.rules.len(),
            Absent::First => 1..self.rules.len(),
            Absent::Last => 0..self.rules.len() - 1,
        }
    }

    /// The step that must not be there.
    pub fn absent_step(&self) -> Option<usize> {
        match self.absent {
            Absent::No => None,
            Absent::First => Some(0),
            Absent::Last => Some(self.rules.len() - 1),
        }
    }
}

/// `first_seen`.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstSeen {
    /// the events that are judged
    pub rule: Reference,
    /// the events that teach
    pub learn_from: Reference,
    /// whose value it is
    pub by: Vec<GroupBy>,
    /// the value, or several together
    pub value: Vec<Field>,
    /// silent until the owner was known this long
    pub min_age: Span,
    /// silent until the owner had this many events
    pub min_events: usize,
    /// how far back a value counts as seen; 0 is ever
    pub lookback: Span,
    /// how long ago a value has to have been seen at least; what is new stays new for this long
    pub settle: Span,
}

/// `travel`.
#[derive(Clone, Debug, PartialEq)]
pub struct Travel {
    /// sign-ins that succeeded
    pub rule: Reference,
    /// whose
    pub by: Vec<GroupBy>,
    /// least distance
    pub min_km: f64,
    /// least speed
    pub min_kmh: f64,
}

/// `rate`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// what is counted
    pub rule: Reference,
    /// whose
    pub by: Vec<GroupBy>,
    /// in buckets of this length
    pub bucket: Span,
    /// against this much of the past
    pub history: Span,
    /// of which at least this much has to be there
    pub min_history: Span,
    /// at least this many times the percentile
    pub factor: f64,
    /// which percentile of the past buckets that have events, 0 to 100
    pub percentile: f64,
    /// at least this many
    pub floor: usize,
}

/// `risk`.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// in (t − window, t]
    pub window: Span,
    /// least sum of weights
    pub min_score: u32,
    /// least number of different rules
    pub min_rules: usize,
    /// least number of different tactics
    pub min_tactics: usize,
}

impl Logic {
    /// The rules it refers to, in order; empty for a detection, and for `risk`, which looks at all.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Logic::Detection(_) | Logic::Risk(_) => vec![],
            Logic::Count(c) => {
                let (share, since) = (c.share.iter().map(|s| &s.of), c.since.iter().map(|s| &s.rule));
                c.rules.iter().chain(share).chain(since).collect()
            }
            Logic::Chain(c) => c.rules.iter().chain(c.unless.iter().map(|u| &u.rule)).collect(),
            Logic::FirstSeen(f) => vec![&f.rule, &f.learn_from],
            Logic::Travel(t) => vec![&t.rule],
            Logic::Rate(r) => vec![&r.rule],
        }
    }

    /// What joins the events of the rules it refers to.
    pub fn group_by(&self) -> &[GroupBy] {
        match self {
            Logic::Detection(_) | Logic::Risk(_) => &[],
            Logic::Count(c) => &c.group_by,
            Logic::Chain(c) => &c.group_by,
            Logic::FirstSeen(f) => &f.by,
            Logic::Travel(t) => &t.by,
            Logic::Rate(r) => &r.by,
        }
    }

    /// What joins the events of one of the rules it refers to, by its place among them.
    pub fn joins(&self, reference: usize) -> &[GroupBy] {
        match self {
            Logic::Count(Count { group_by, since: Some(since), .. }) if reference + 1 == self.references().len() => {
                &group_by[..since.joined_by]
            }
            _ => self.group_by(),
        }
    }

    /// The same, to be put right once it is known which rules those are.
    pub(super) fn group_by_mut(&mut self) -> &mut [GroupBy] {
        match self {
            Logic::Detection(_) | Logic::Risk(_) => &mut [],
            Logic::Count(c) => &mut c.group_by,
            Logic::Chain(c) => &mut c.group_by,
            Logic::FirstSeen(f) => &mut f.by,
            Logic::Travel(t) => &mut t.by,
            Logic::Rate(r) => &mut r.by,
        }
    }

    /// Fields of completing events that it reads later on.
    pub fn fields(&self, out: &mut Vec<Field>) {
        out.extend(self.group_by().iter().flat_map(|g| g.fields.iter().map(|(_, field)| field.clone())));
        match self {
            Logic::Detection(expr) if expr.is_linked() => expr.fields(out),
            Logic::Detection(_) | Logic::Risk(_) | Logic::Rate(_) => {}
            Logic::Count(c) => out.extend(c.values.iter().flatten().cloned()),
            Logic::Chain(c) => {
                let wheres = c.wheres.iter().chain(c.unless.iter().flat_map(|u| &u.wheres));
                out.extend(wheres.flat_map(Where::sides).map(|(_, field)| field.clone()));
            }
            Logic::FirstSeen(f) => out.extend(f.value.iter().cloned()),
            Logic::Travel(_) => out.extend([Norm::SourcePlace, Norm::SourceIp].map(Field::Norm)),
        }
    }
}
