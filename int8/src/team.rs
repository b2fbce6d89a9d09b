//! Who runs an encoder: one thread alone, or two that halve every product.
//!
//! A short text takes about as long as its weights take to be read, and one thread reads them more slowly than the memory
//! could give them. Two threads that each compute half of the columns read half of the weights each. Both have all states;
//! after each product they exchange their halves. Every number is computed as by one thread, so that no bit differs.

use std::convert::Infallible;
use std::hint::spin_loop;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

/// The threads that run one text.
pub trait Team {
    type Error;

    /// Which of `columns` the calling thread computes.
    fn share_of(&self, columns: usize) -> Range<usize>;

    /// Makes the shares of all into `whole`, rows of `width`. What is in `share` afterwards is of no use.
    fn exchange(
        &mut self,
        share: &mut Vec<f32>,
        whole: &mut Vec<f32>,
        width: usize,
    ) -> Result<(), Self::Error>;
}

/// One thread.
pub struct Alone;

impl Team for Alone {
    type Error = Infallible;

    #[inline(always)]
    fn share_of(&self, columns: usize) -> Range<usize> {
        0..columns
    }

    #[inline(always)]
    fn exchange(&mut self, share: &mut Vec<f32>, whole: &mut Vec<f32>, _: usize) -> Result<(), Infallible> {
        std::mem::swap(share, whole);
        Ok(())
    }
}

/// Which half a thread computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    First,
    Second,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The other thread did not keep up, or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartnerLeft;

/// What two threads exchange while they run one text; for one text only.
#[derive(Debug, Default)]
pub struct Pair {
    /// The halves of each side, in turns: one is written while the other side still reads the one before.
    halves: [[RwLock<Vec<f32>>; 2]; 2],
    /// How many halves each side has given.
    given: [AtomicUsize; 2],
    left: AtomicBool,
}

impl Pair {
    /// One of the two; `patience` is the longest that it waits for the other each time.
    pub fn partner(&self, side: Side, patience: Duration) -> Partner<'_> {
        Partner { pair: self, side, round: 0, patience }
    }

    fn read(&self, side: Side, round: usize) -> Result<RwLockReadGuard<'_, Vec<f32>>, PartnerLeft> {
        self.halves[side as usize][round % 2].read().map_err(|_poisoned| PartnerLeft)
    }
}

/// One of two threads. When it is dropped, also in a panic, the other one no longer waits for what it has not given.
#[derive(Debug)]
pub struct Partner<'a> {
    pair: &'a Pair,
    side: Side,
    round: usize,
    patience: Duration,
}

impl Partner<'_> {
    /// Waits until the other side has given its half of this round.
    fn wait(&self) -> Result<(), PartnerLeft> {
        /// Looking at the clock costs as much as some rounds.
        const ROUNDS_BETWEEN_LOOKS: usize = 64;
        let started = Instant::now();
        let is_given = || self.pair.given[self.side.other() as usize].load(Ordering::Acquire) > self.round;
        loop {
            for _ in 0..ROUNDS_BETWEEN_LOOKS {
                if is_given() {
                    return Ok(());
                }
                spin_loop();
            }
            // The other side may give its last half and leave between two looks.
            if self.pair.left.load(Ordering::Acquire) || started.elapsed() > self.patience {
                return if is_given() { Ok(()) } else { Err(PartnerLeft) };
            }
        }
    }
}

impl Team for Partner<'_> {
    type Error = PartnerLeft;

    fn share_of(&self, columns: usize) -> Range<usize> {
        match self.side {
            Side::First => 0..columns / 2,
            Side::Second => columns / 2..columns,
        }
    }

    fn exchange(
        &mut self,
        share: &mut Vec<f32>,
        whole: &mut Vec<f32>,
        width: usize,
    ) -> Result<(), PartnerLeft> {
        let (pair, side, round) = (self.pair, self.side as usize, self.round);
        match pair.halves[side][round % 2].write() {
            Ok(mut half) => std::mem::swap(share, &mut *half),
            Err(_poisoned) => return Err(PartnerLeft),
        }
        pair.given[side].store(round + 1, Ordering::Release);
        self.wait()?;
        let (first, second) = (pair.read(Side::First, round)?, pair.read(Side::Second, round)?);
        whole.resize(first.len() * 2, 0.0);
        let halves = first.chunks_exact(width / 2).zip(second.chunks_exact(width / 2));
        for (row, (first, second)) in whole.chunks_exact_mut(width).zip(halves) {
            let (left, right) = row.split_at_mut(width / 2);
            left.copy_from_slice(first);
            right.copy_from_slice(second);
        }
        self.round += 1;
        Ok(())
    }
}

impl Drop for Partner<'_> {
    fn drop(&mut self) {
        self.pair.left.store(true, Ordering::Release);
    }
}
