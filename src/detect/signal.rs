//! Signal: "this rule's condition was met at this event, for this group".

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

/// The signals of one rule, in the total order.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// sorted, each once
    pub list: Vec<Signal>,
}

impl Signals {
    /// Sorts them.
    pub fn new(mut list: Vec<Signal>) -> Signals {
        list.sort_unstable();
        list.dedup();
        Signals { list }
    }

    /// The completing events, each once, in order. Pending signals are no facts and feed nothing.
    pub fn events(&self) -> Vec<u32> {
        let mut events: Vec<u32> = self.list.iter().filter(|s| !s.is_pending).map(|s| s.event).collect();
        events.dedup();
        events
    }

    /// The signals that complete at an event.
    pub fn at(&self, event: u32) -> &[Signal] {
        let start = self.list.partition_point(|s| s.event < event);
        let end = self.list.partition_point(|s| s.event <= event);
        &self.list[start..end]
    }
}
