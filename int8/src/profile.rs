//! What the time of a run goes to.

use std::time::{Duration, Instant};

/// A kind of work that layers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rounding rows to 8 bits.
    Quantisation,
    /// Products of 8-bit rows and weights.
    Products,
    /// Scores, weights and mixtures of all heads.
    Attention,
    /// The activation function inside the feed-forward block.
    Gelu,
    /// Residuals and layer normalisation.
    Norm,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Quantisation, Self::Products, Self::Attention, Self::Gelu, Self::Norm];
}

/// Is told when a piece of work is done.
pub trait Meter {
    /// What was done since the last call was `stage`.
    fn lap(&mut self, stage: Stage);
}

/// Measures nothing, at no cost.
pub struct Unmetered;

impl Meter for Unmetered {
    #[inline(always)]
    fn lap(&mut self, _: Stage) {}
}

/// The time that each stage took.
#[derive(Clone, Debug)]
pub struct Profile {
    last: Instant,
    times: [Duration; Stage::ALL.len()],
}

impl Profile {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), times: Default::default() }
    }

    /// How long `stage` took altogether.
    pub fn time(&self, stage: Stage) -> Duration {
        self.times[stage as usize]
    }
}

impl Meter for Profile {
    fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.times[stage as usize] += now - self.last;
        self.last = now;
    }
}
