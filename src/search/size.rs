//! How much there is.

use std::ops::{AddAssign, SubAssign};

/// How much lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub articles: usize,
    pub passages: usize,
    /// In all texts, stop words not counted.
    pub words: u64,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.articles += other.articles;
        self.passages += other.passages;
        self.words += other.words;
    }
}

impl SubAssign for Size {
    fn sub_assign(&mut self, other: Self) {
        self.articles -= other.articles;
        self.passages -= other.passages;
        self.words -= other.words;
    }
}
