//! Signal: "this rule's condition was met at this event, for this group".

use std::sync::Arc;

/// A signal of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal {
    /// the completing event
    pub event: u32,
    /// the group, and behind it in the lowest bits "settled" and "pending"
    rest: u32,
}

const PENDING: u32 = 1;
const SETTLED: u32 = 2;
const GROUP_FROM: u32 = 2;

impl Signal {
    /// A signal at an event, for the first group of the rule, or for none.
    pub fn new(event: u32) -> Signal {
        Signal { event, rest: 0 }
    }

    /// The same for a group, by its place in the groups of the rule.
    #[must_use]
    pub fn of_group(self, group: u32) -> Signal {
        Signal { rest: self.rest & (PENDING | SETTLED) | group << GROUP_FROM, ..self }
    }

    /// The same, depending on what came after the end of the data.
    #[must_use]
    pub fn pending(self, is_pending: bool) -> Signal {
        Signal { rest: if is_pending { self.rest | PENDING } else { self.rest }, ..self }
    }

    /// The same, where the history alone would have left it pending.
    #[must_use]
    pub fn settled(self, is_settled: bool) -> Signal {
        Signal { rest: if is_settled { self.rest | SETTLED } else { self.rest }, ..self }
    }

    /// The group, by its place in the groups of the rule.
    pub fn group(self) -> usize {
        (self.rest >> GROUP_FROM) as usize
    }

    /// Whether the history alone would have left it pending.
    pub fn is_settled(self) -> bool {
        self.rest & SETTLED != 0
    }

    /// Whether it depends on what came after the end of the data.
    pub fn is_pending(self) -> bool {
        self.rest & PENDING != 0
    }
}

/// A set of events, in order. Most detections match either a large part of them or next to none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventSet {
    /// one bit for each kept event
    Dense(Vec<u64>),
    /// sorted
    Sparse(Vec<u32>),
}

impl EventSet {
    /// An empty set for so many out of so many events.
    pub fn new(size: usize, events: u32) -> EventSet {
        match size < events as usize / 32 {
            true => EventSet::Sparse(Vec::with_capacity(size)),
            false => EventSet::Dense(vec![0; events.div_ceil(64) as usize]),
        }
    }

    /// The set of these out of so many events; they are in any order.
    pub fn of(mut list: Vec<u32>, events: u32) -> EventSet {
        let mut set = EventSet::new(list.len(), events);
        if matches!(set, EventSet::Sparse(_)) {
            list.sort_unstable();
            list.dedup();
        }
        list.into_iter().for_each(|event| set.push(event));
        set
    }

    /// The same in the form that takes less.
    #[must_use]
    pub fn packed(self, events: u32) -> EventSet {
        let mut packed = EventSet::new(self.len(), events);
        match packed {
            EventSet::Dense(_) => self,
            EventSet::Sparse(_) => {
                self.events().for_each(|event| packed.push(event));
                packed
            }
        }
    }

    /// Puts an event in that comes after all that are in.
    pub fn push(&mut self, event: u32) {
        match self {
            EventSet::Dense(words) => words[event as usize / 64] |= 1 << (event % 64),
            EventSet::Sparse(list) => list.push(event),
        }
    }

    /// Puts some of 64 events in: those of a word of bits. [`EventSet::sort`] has to follow.
    pub fn add(&mut self, word: usize, mask: u64) {
        match self {
            EventSet::Dense(words) => words[word] |= mask,
            EventSet::Sparse(list) => each_of(word, mask, |event| list.push(event)),
        }
    }

    /// Restores the order.
    pub fn sort(&mut self) {
        if let EventSet::Sparse(list) = self {
            list.sort_unstable();
        }
    }

    fn bytes(&self) -> usize {
        match self {
            EventSet::Dense(words) => words.capacity() * size_of::<u64>(),
            EventSet::Sparse(list) => list.capacity() * size_of::<u32>(),
        }
    }

    /// Whether an event is in.
    pub fn contains(&self, event: u32) -> bool {
        match self {
            EventSet::Dense(words) => words.get(event as usize / 64).is_some_and(|word| word >> (event % 64) & 1 == 1),
            EventSet::Sparse(list) => list.binary_search(&event).is_ok(),
        }
    }

    /// The events in order.
    pub fn events(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        let words = match self {
            EventSet::Sparse(list) => return Box::new(list.iter().copied()),
            EventSet::Dense(words) => words,
        };
        Box::new((0..).step_by(64).zip(words).flat_map(|(start, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let next = (left != 0).then(|| start + left.trailing_zeros());
                left &= left.wrapping_sub(1);
                next
            })
        }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            EventSet::Dense(words) => words.iter().map(|word| word.count_ones() as usize).sum(),
            EventSet::Sparse(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Does something with each event of a word of bits.
#[allow(clippy::cast_possible_truncation, reason = "events are numbered by 32 bits")]
fn each_of(word: usize, mask: u64, mut take: impl FnMut(u32)) {
    let start = (word * 64) as u32;
    let mut left = mask;
    while left != 0 {
        take(start + left.trailing_zeros());
        left &= left - 1;
    }
}

/// The signals of one rule, in the total order; shared by rules that say the same.
#[derive(Clone, Debug)]
pub enum Signals {
    /// the events: of a detection those that match, of a correlation those that complete it, where that is all
    /// there is to know
    Matches(Arc<EventSet>),
    /// sorted, each once
    List(Arc<[Signal]>),
}

impl Default for Signals {
    fn default() -> Signals {
        Signals::List(Arc::default())
    }
}

impl Signals {
    /// Sorts signals.
    pub fn new(mut list: Vec<Signal>) -> Signals {
        list.sort_unstable();
        list.dedup();
        Signals::List(list.into())
    }

    /// All of them, in order.
    pub fn all(&self) -> Box<dyn Iterator<Item = Signal> + '_> {
        match self {
            Signals::Matches(events) => Box::new(events.events().map(Signal::new)),
            Signals::List(list) => Box::new(list.iter().copied()),
        }
    }

    /// Does something with each completing event, as [`Signals::events`] gives them; faster for very many.
    pub fn for_each_event(&self, mut take: impl FnMut(u32)) {
        match self {
            Signals::Matches(events) => match &**events {
                EventSet::Sparse(list) => list.iter().copied().for_each(take),
                EventSet::Dense(words) => {
                    words.iter().enumerate().for_each(|(word, mask)| each_of(word, *mask, &mut take));
                }
            },
            Signals::List(_) => self.events().for_each(take),
        }
    }

    /// The completing events, each once, in order. Pending signals are no facts and feed nothing.
    pub fn events(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Signals::Matches(events) => events.events(),
            Signals::List(list) => {
                let parts = list.chunk_by(|a, b| a.event == b.event);
                Box::new(parts.filter(|part| part.iter().any(|s| !s.is_pending())).map(|part| part[0].event))
            }
        }
    }

    /// The signals that complete at an event.
    pub fn at(&self, event: u32) -> Vec<Signal> {
        match self {
            Signals::Matches(events) => events.contains(event).then(|| Signal::new(event)).into_iter().collect(),
            Signals::List(list) => {
                let start = list.partition_point(|s| s.event < event);
                let end = list.partition_point(|s| s.event <= event);
                list[start..end].to_vec()
            }
        }
    }

    /// Bytes held; what several rules share is held once for all of them.
    pub fn bytes(&self) -> usize {
        match self {
            Signals::Matches(events) => events.bytes() / Arc::strong_count(events).max(1),
            Signals::List(list) => size_of_val(&**list) / Arc::strong_count(list),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Signals::Matches(events) => events.len(),
            Signals::List(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        match self {
            Signals::Matches(events) => events.is_empty(),
            Signals::List(list) => list.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_keep_the_order() {
        let want = [0, 63, 64, 130, 199];
        for mut set in [EventSet::new(5, 200), EventSet::new(100, 200), EventSet::new(0, 200)] {
            want.iter().for_each(|event| set.push(*event));
            assert_eq!(set.events().collect::<Vec<_>>(), want);
            let mut each = Vec::new();
            Signals::Matches(Arc::new(set.clone())).for_each_event(|event| each.push(event));
            assert_eq!(each, want);
            assert_eq!((set.len(), set.contains(64), set.contains(65), set.contains(10_000)), (5, true, false, false));
            set.add(3, 1 << 2);
            set.add(1, 0b101 << 4);
            set.sort();
            assert_eq!(set.events().collect::<Vec<_>>(), [0, 63, 64, 68, 70, 130, 194, 199]);
        }
        assert!(EventSet::new(0, 0).is_empty());
    }

    #[test]
    fn pending_signals_feed_nothing() {
        let signals = Signals::new(vec![
            Signal::new(2).pending(true),
            Signal::new(1).of_group(7).pending(true),
            Signal::new(1).of_group(7),
        ]);
        assert_eq!(signals.events().collect::<Vec<_>>(), [1]);
        assert_eq!((signals.at(1).len(), signals.len()), (2, 3));
        assert_eq!((signals.at(2)[0].group(), signals.at(2)[0].is_pending()), (0, true));
        assert_eq!(size_of::<Signal>(), 8);
    }
}
