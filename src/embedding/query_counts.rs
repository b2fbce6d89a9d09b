//! How queries were answered, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of all models of a process; they only rise.
#[derive(Debug, Default)]
pub(super) struct QueryCounters {
    from_memory: AtomicU64,
    embedded: AtomicU64,
    refused: AtomicU64,
}

/// How many queries were answered in which way since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryCounts {
    /// Their vectors were remembered, or being computed for another request already.
    pub from_memory: u64,
    /// The model ran for them.
    pub embedded: u64,
    /// They failed; nearly always because too many waited.
    pub refused: u64,
}

impl QueryCounters {
    pub fn count_from_memory(&self) {
        self.from_memory.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_embedded(&self) {
        self.embedded.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> QueryCounts {
        QueryCounts {
            from_memory: self.from_memory.load(Ordering::Relaxed),
            embedded: self.embedded.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}
