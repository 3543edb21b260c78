//! Met: which files something in the log stood in.

use std::sync::atomic::{AtomicBool, Ordering};

/// One mark for each file.
#[derive(Debug, Default)]
pub struct Met(Vec<AtomicBool>);

impl Met {
    /// No file is marked yet.
    pub fn new(files: usize) -> Met {
        Met((0..files).map(|_| AtomicBool::new(false)).collect())
    }

    /// Marks a file.
    pub fn mark(&self, file: usize) {
        // Most look-ups meet a file that is marked: to read it does not take it from other threads.
        if let Some(mark) = self.0.get(file).filter(|mark| !mark.load(Ordering::Relaxed)) {
            mark.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a file is marked.
    pub fn is(&self, file: usize) -> bool {
        self.0.get(file).is_some_and(|mark| mark.load(Ordering::Relaxed))
    }
}
