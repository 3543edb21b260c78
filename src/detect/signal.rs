//! Signal: "this rule's condition was met at this event, for this group".

use std::sync::Arc;

/// A signal of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal {
    /// the completing event
    pub event: u32,
    /// the group, by its place in the groups of the rule; 0 where there are none
    pub group: u32,
    /// it depends on what came after the end of the data
    pub is_pending: bool,
}

/// A set of events, one bit for each that is kept: most detections match a large part of them.
#[derive(Clone, Debug, Default)]
pub struct EventSet {
    words: Vec<u64>,
}

impl EventSet {
    /// An empty set over so many events.
    pub fn new(events: u32) -> EventSet {
        EventSet { words: vec![0; events.div_ceil(64) as usize] }
    }

    /// Puts an event in.
    pub fn insert(&mut self, event: u32) {
        self.words[event as usize / 64] |= 1 << (event % 64);
    }

    /// Whether an event is in.
    pub fn contains(&self, event: u32) -> bool {
        self.words.get(event as usize / 64).is_some_and(|word| word >> (event % 64) & 1 == 1)
    }

    /// The events in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).step_by(64).zip(&self.words).flat_map(|(start, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let next = (left != 0).then(|| start + left.trailing_zeros());
                left &= left.wrapping_sub(1);
                next
            })
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

/// The signals of one rule, in the total order.
#[derive(Clone, Debug)]
pub enum Signals {
    /// of a detection: the events that match, shared by rules that say the same
    Matches(Arc<EventSet>),
    /// of anything else: sorted, each once
    List(Vec<Signal>),
}

impl Default for Signals {
    fn default() -> Signals {
        Signals::List(Vec::new())
    }
}

impl Signals {
    /// Sorts signals.
    pub fn new(mut list: Vec<Signal>) -> Signals {
        list.sort_unstable();
        list.dedup();
        list.shrink_to_fit();
        Signals::List(list)
    }

    /// All of them, in order.
    pub fn all(&self) -> Box<dyn Iterator<Item = Signal> + '_> {
        match self {
            Signals::Matches(events) => Box::new(events.iter().map(matched)),
            Signals::List(list) => Box::new(list.iter().copied()),
        }
    }

    /// The completing events, each once, in order. Pending signals are no facts and feed nothing.
    pub fn events(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Signals::Matches(events) => Box::new(events.iter()),
            Signals::List(list) => {
                let parts = list.chunk_by(|a, b| a.event == b.event);
                Box::new(parts.filter(|part| part.iter().any(|s| !s.is_pending)).map(|part| part[0].event))
            }
        }
    }

    /// The signals that complete at an event.
    pub fn at(&self, event: u32) -> Vec<Signal> {
        match self {
            Signals::Matches(events) => events.contains(event).then(|| matched(event)).into_iter().collect(),
            Signals::List(list) => {
                let start = list.partition_point(|s| s.event < event);
                let end = list.partition_point(|s| s.event <= event);
                list[start..end].to_vec()
            }
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

fn matched(event: u32) -> Signal {
    Signal { event, group: 0, is_pending: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_the_order() {
        let mut set = EventSet::new(200);
        for event in [199, 0, 63, 64, 130] {
            set.insert(event);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 130, 199]);
        assert_eq!((set.len(), set.contains(64), set.contains(65), set.contains(10_000)), (5, true, false, false));
        assert!(EventSet::new(0).is_empty());
    }

    #[test]
    fn pending_signals_feed_nothing() {
        let signal = |event, is_pending| Signal { event, group: 0, is_pending };
        let signals = Signals::new(vec![signal(2, true), signal(1, true), signal(1, false)]);
        assert_eq!(signals.events().collect::<Vec<_>>(), [1]);
        assert_eq!((signals.at(1).len(), signals.len()), (2, 3));
    }
}
