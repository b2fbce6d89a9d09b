//! From when to when rows live: all that changes of a segment.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number of a change: rows are born with one and die with one.
pub type Sequence = u64;
/// When a row dies that lives.
pub const NEVER: Sequence = Sequence::MAX;

/// The lives of the articles of a segment, by place.
#[derive(Debug)]
pub struct Lives {
    born: Vec<Sequence>,
    died: Vec<AtomicU64>,
    /// When the last of them was born, and when the first died.
    last_birth: Sequence,
    first_death: AtomicU64,
}

impl Lives {
    /// Of births and deaths.
    pub fn new(lives: impl Iterator<Item = (Sequence, Sequence)>) -> Self {
        let (born, died): (Vec<_>, Vec<_>) = lives.unzip();
        let last_birth = born.iter().copied().max().unwrap_or(0);
        let first_death = AtomicU64::new(died.iter().copied().min().unwrap_or(NEVER));
        Self { born, died: died.into_iter().map(AtomicU64::new).collect(), last_birth, first_death }
    }

    /// Of rows that live from the start.
    pub fn from_the_start(rows: usize) -> Self {
        Self::new(std::iter::repeat_n((0, NEVER), rows))
    }

    pub fn born(&self, place: usize) -> Sequence {
        self.born[place]
    }

    pub fn died(&self, place: usize) -> Sequence {
        self.died[place].load(Ordering::Relaxed)
    }

    /// Lets a row die.
    pub fn end(&self, place: usize, at: Sequence) {
        self.died[place].store(at, Ordering::Relaxed);
        self.first_death.fetch_min(at, Ordering::Relaxed);
    }

    pub fn is_alive(&self, place: usize, at: Sequence) -> bool {
        self.born[place] <= at && at < self.died(place)
    }

    /// Whether all of them live at a moment.
    pub fn all_live(&self, at: Sequence) -> bool {
        self.last_birth <= at && at < self.first_death.load(Ordering::Relaxed)
    }
}

impl Default for Lives {
    fn default() -> Self {
        Self::new(std::iter::empty())
    }
}
