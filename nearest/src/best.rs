//! The rows with the largest scores.

use std::cmp::Ordering;

/// Keeps the `count` rows with the largest scores, of equal ones those with the smallest keys: which these are depends neither on the
/// order in which rows are offered nor on where they are stored.
pub struct Best<R, F> {
    count: usize,
    /// A few more than `count` until they are cut.
    rows: Vec<(f32, R)>,
    least: f32,
    key: F,
}

/// So many times the rows that are kept are gathered before they are cut.
const SLACK: usize = 4;

impl<R: Copy, K: Ord, F: Fn(R) -> K> Best<R, F> {
    /// Of at most `count` rows; `key` orders rows of equal score, and must tell any two apart.
    pub fn new(count: usize, key: F) -> Self {
        Self { count, rows: Vec::with_capacity(SLACK * count), least: f32::NEG_INFINITY, key }
    }

    /// What a row must have at least to be kept; rises.
    pub fn least(&self) -> f32 {
        if self.count == 0 { f32::INFINITY } else { self.least }
    }

    /// Keeps `row`, if it is among the best so far.
    #[inline]
    pub fn offer(&mut self, score: f32, row: R) {
        if score >= self.least() {
            self.rows.push((score, row));
            if self.rows.len() >= SLACK * self.count {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.rows.len() > self.count && self.count > 0 {
            let key = &self.key;
            self.rows.select_nth_unstable_by(self.count - 1, |a, b| order(key, a, b));
            self.rows.truncate(self.count);
            self.least = self.rows[self.count - 1].0;
        }
    }

    /// The best in no particular order.
    pub fn into_unsorted(mut self) -> Vec<(f32, R)> {
        self.cut();
        self.rows
    }

    /// The best first.
    pub fn into_sorted(mut self) -> Vec<(f32, R)> {
        self.cut();
        let key = &self.key;
        self.rows.sort_unstable_by(|a, b| order(key, a, b));
        self.rows
    }
}

fn order<R: Copy, K: Ord>(key: &impl Fn(R) -> K, a: &(f32, R), b: &(f32, R)) -> Ordering {
    b.0.total_cmp(&a.0).then_with(|| key(a.1).cmp(&key(b.1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_a_sort(scores in prop::collection::vec(0..20_u8, 0..200), count in 0..30_usize) {
            // Offered in an order that has nothing to do with the keys.
            let key = |row: usize| row * 7919 % 1009;
            let mut best = Best::new(count, key);
            for (row, score) in scores.iter().enumerate() {
                best.offer(f32::from(*score), row);
            }
            let mut all: Vec<_> = scores.iter().enumerate().map(|(row, score)| (f32::from(*score), row)).collect();
            all.sort_by_key(|(score, row)| (-(*score as i32), key(*row)));
            all.truncate(count);
            prop_assert_eq!(best.into_sorted(), all);
        }
    }
}
