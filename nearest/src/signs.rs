//! Vectors as one bit a component (RaBitQ: Gao and Long, 2024): a vector is rotated, its signs are kept, and a factor that makes the product with a query right in the mean. An eighth of the high bytes, and as little work.

use crate::Instructions;
use crate::kernels;
use crate::planes::stride;
use crate::rotate::rotate;

/// Rows that lie side by side, so that one instruction counts bits of all of them.
pub(crate) const BLOCK: usize = 8;
/// Bits of a component of a query.
pub(crate) const QUERY_BITS: usize = 4;

/// 64-bit words of a row of this dimension.
fn words_per_row(dimension: usize) -> usize {
    stride(dimension) / 64
}

/// The signs of rows, to be added to: blocks of eight, the last one filled up with rows that have no factor.
#[derive(Debug)]
pub struct SignRows<'a> {
    /// Of each block, for every 64 components a word of each row.
    pub words: &'a mut Vec<u64>,
    /// What makes the product of a row right in the mean.
    pub factors: &'a mut Vec<f32>,
    /// How many bits of each row are set.
    pub ones: &'a mut Vec<u16>,
}

impl SignRows<'_> {
    /// Adds a vector after the first `rows` rows.
    pub fn push(&mut self, rows: usize, vector: &[f32]) {
        let words_per_row = words_per_row(vector.len());
        let mut rotated = vector.to_vec();
        rotated.resize(words_per_row * 64, 0.0);
        rotate(&mut rotated);
        let square: f32 = rotated.iter().map(|value| value * value).sum();
        let absolute: f32 = rotated.iter().map(|value| value.abs()).sum();
        let first = self.grow(rows, words_per_row, square / absolute.max(f32::MIN_POSITIVE));
        for (place, value) in rotated.iter().enumerate() {
            if *value > 0.0 {
                self.words[first + place / 64 * BLOCK] |= 1 << (place % 64);
                self.ones[rows] += 1;
            }
        }
    }

    /// Adds a row of others, which have the same dimension, after the first `rows` rows.
    pub fn copy(&mut self, rows: usize, from: &Signs<'_>, row: usize) {
        let words_per_row = from.words_per_row;
        let first = self.grow(rows, words_per_row, from.factors[row]);
        let source = first_word(row, words_per_row);
        for word in 0..words_per_row {
            self.words[first + word * BLOCK] = from.words[source + word * BLOCK];
        }
        self.ones[rows] = from.ones[row];
    }

    /// Adds a row without bits after the first `rows` rows; returns where its first word is.
    fn grow(&mut self, rows: usize, words_per_row: usize, factor: f32) -> usize {
        if rows.is_multiple_of(BLOCK) {
            self.words.resize(self.words.len() + BLOCK * words_per_row, 0);
            self.factors.resize(rows + BLOCK, 0.0);
            self.ones.resize(rows + BLOCK, 0);
        }
        self.factors[rows] = factor;
        first_word(rows, words_per_row)
    }
}

fn first_word(row: usize, words_per_row: usize) -> usize {
    row / BLOCK * BLOCK * words_per_row + row % BLOCK
}

/// A query as signs are compared with it: each component in four bits.
#[derive(Clone, Debug)]
pub struct SignQuery {
    /// Of every 64 components the words of each bit, the lowest first.
    pub(crate) planes: Vec<[u64; QUERY_BITS]>,
    low: f32,
    step: f32,
    sum: f32,
}

impl SignQuery {
    pub fn new(vector: &[f32]) -> Self {
        let mut rotated = vector.to_vec();
        rotated.resize(stride(vector.len()), 0.0);
        rotate(&mut rotated);
        let low = rotated.iter().copied().fold(f32::MAX, f32::min);
        let high = rotated.iter().copied().fold(f32::MIN, f32::max);
        let step = ((high - low) / ((1 << QUERY_BITS) - 1) as f32).max(f32::MIN_POSITIVE);
        let mut planes = vec![[0; QUERY_BITS]; rotated.len() / 64];
        let mut sum = 0.0;
        for (place, value) in rotated.iter().enumerate() {
            let level = ((value - low) / step).round() as u32;
            sum += low + step * level as f32;
            for (plane, words) in planes[place / 64].iter_mut().enumerate() {
                *words |= u64::from(level >> plane & 1) << (place % 64);
            }
        }
        Self { planes, low, step, sum }
    }
}

/// What turns a count of bits into a score. Each operation rounds by itself, in this order, whatever instructions do it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub times_sum: f32,
    pub times_ones: f32,
    pub less: f32,
}

impl Estimate {
    /// The product of a row and the query, about.
    #[inline(always)]
    pub fn of(&self, sum: u32, ones: u16, factor: f32) -> f32 {
        let signed = (self.times_ones * f32::from(ones) - self.less) + self.times_sum * sum as f32;
        factor * signed
    }
}

/// Rows in blocks of eight.
#[derive(Clone, Copy, Debug)]
pub struct Signs<'a> {
    pub(crate) words_per_row: usize,
    rows: usize,
    pub(crate) words: &'a [u64],
    pub(crate) factors: &'a [f32],
    pub(crate) ones: &'a [u16],
}

impl<'a> Signs<'a> {
    /// The first `rows` rows of vectors with `dimension` components; what [`SignRows`] has made.
    pub fn new(dimension: usize, rows: usize, words: &'a [u64], factors: &'a [f32], ones: &'a [u16]) -> Self {
        Self { words_per_row: words_per_row(dimension), rows, words, factors, ones }
    }

    /// Calls `see` with each row whose score is at least what `see` returned last, `least` at first.
    ///
    /// # Panics
    /// When the query has another dimension.
    pub fn scan(
        &self,
        instructions: Instructions,
        query: &SignQuery,
        least: f32,
        mut see: impl FnMut(f32, u32) -> f32,
    ) {
        assert_eq!(query.planes.len(), self.words_per_row, "the dimension");
        let estimate = Estimate { times_sum: 2.0 * query.step, times_ones: 2.0 * query.low, less: query.sum };
        let mut least = least;
        kernels::scan_signs(instructions, self, &query.planes, estimate, least, |score, row| {
            // Those that fill up the last block are nobody's.
            if (row as usize) < self.rows {
                least = see(score, row);
            }
            least
        });
    }
}
