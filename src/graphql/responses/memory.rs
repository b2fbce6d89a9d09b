//! The memory that all responses under way share. Nobody waits for it: whoever finds none is refused, so nothing can lock up.
//! Large ones are made in turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

/// Shares of the memory that are kept for responses of at most so many bytes: slow readers of large ones must not shut out everybody
/// else, nor must those that have many fields to resolve. All executions have room for the smallest at the same time.
const KEPT: [(u64, u64); 2] = [(2 * 1024 * 1024, 8), (64 * 1024, 16)];

/// Large responses that are made at a time, where there are fewer processors. More would take their memory all at once and be
/// no faster, and small ones would wait behind them.
const LARGE_AT_A_TIME: usize = 4;

/// A cheap handle on the shared memory.
#[derive(Clone, Debug)]
pub struct ResponsesMemory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max: u64,
    used: AtomicU64,
    /// Whose turn it is to make a large response.
    turns: Arc<Semaphore>,
}

/// No memory is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory {
    /// The most that all responses may take, in bytes.
    pub max: u64,
}

/// Memory that is taken. It is given back when this is dropped: keep it for as long as the bytes that it stands for.
#[derive(Debug)]
pub struct Held {
    memory: ResponsesMemory,
    bytes: u64,
}

impl ResponsesMemory {
    /// Of `max` bytes.
    pub fn new(max: u64) -> Self {
        let at_a_time = available_parallelism().map_or(1, usize::from).max(LARGE_AT_A_TIME);
        Self(Arc::new(Shared { max, used: AtomicU64::new(0), turns: Arc::new(Semaphore::new(at_a_time)) }))
    }

    /// How many bytes are taken.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The turns of large responses, in the order in which they were asked for.
    pub(super) fn turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.turns)
    }

    /// Takes nothing yet.
    pub fn hold_nothing(&self) -> Held {
        Held { memory: self.clone(), bytes: 0 }
    }
}

impl Held {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes more, or gives some back, until it is `bytes`. Nothing changes when it fails.
    pub fn resize(&mut self, bytes: u64) -> Result<(), NoMemory> {
        let Shared { max, used, .. } = &*self.memory.0;
        let Some(more) = bytes.checked_sub(self.bytes) else {
            self.give_back(self.bytes - bytes);
            return Ok(());
        };
        let kept = KEPT.iter().find(|(small, _)| bytes > *small).map_or(0, |(_, share)| max / share);
        let taken = |used: u64| used.checked_add(more).filter(|used| *used <= max - kept);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).map_err(|_| NoMemory { max: *max })?;
        self.bytes = bytes;
        Ok(())
    }

    /// Takes so many bytes more.
    pub fn grow(&mut self, more: u64) -> Result<(), NoMemory> {
        self.resize(self.bytes.saturating_add(more))
    }

    /// Gives so many bytes back, or all.
    pub fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.memory.0.used.fetch_sub(bytes, Ordering::Relaxed);
        self.bytes -= bytes;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEBIBYTE: u64 = 1024 * 1024;

    #[test]
    fn what_is_held_is_given_back() {
        let memory = ResponsesMemory::new(64 * MEBIBYTE);
        let mut held = memory.hold_nothing();
        held.resize(10).unwrap();
        held.resize(4).unwrap();
        assert_eq!((memory.used(), held.bytes()), (4, 4));
        assert_eq!(held.resize(65 * MEBIBYTE), Err(NoMemory { max: 64 * MEBIBYTE }));
        assert_eq!(held.resize(u64::MAX), Err(NoMemory { max: 64 * MEBIBYTE }));
        assert_eq!((memory.used(), held.bytes()), (4, 4));
        drop(held);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn an_eighth_is_kept_for_small_responses() {
        let memory = ResponsesMemory::new(64 * MEBIBYTE);
        let (mut large, mut another, mut small) =
            (memory.hold_nothing(), memory.hold_nothing(), memory.hold_nothing());
        large.resize(55 * MEBIBYTE).unwrap();
        assert!(another.resize(3 * MEBIBYTE).is_err());
        small.resize(2 * MEBIBYTE).unwrap();
        assert!(small.resize(2 * MEBIBYTE + 1).is_err());
        drop(large);
        another.resize(3 * MEBIBYTE).unwrap();
    }

    #[test]
    fn half_of_it_is_kept_for_the_smallest() {
        let memory = ResponsesMemory::new(64 * MEBIBYTE);
        let (mut large, mut small) = (memory.hold_nothing(), memory.hold_nothing());
        large.resize(56 * MEBIBYTE).unwrap();
        let mut others: Vec<_> = (0..4).map(|_| memory.hold_nothing()).collect();
        for other in &mut others {
            other.resize(MEBIBYTE).unwrap();
        }
        assert!(small.resize(64 * 1024 + 1).is_err());
        let mut smallest: Vec<_> = (0..64).map(|_| memory.hold_nothing()).collect();
        assert!(smallest.iter_mut().all(|held| held.resize(64 * 1024).is_ok()));
        assert!(small.resize(1).is_err());
    }
}
