//! Multi-head self-attention of one text, in floats.

use crate::activation::exp;
use crate::lanes::{LANES, Processor, Vector};

/// Queries that are scored at a time: with four vectors of keys, their sums fill the registers.
const BLOCK: usize = 6;
const VECTORS: usize = 4;

/// What is added to the scores of each head by the distance from query to key, `2 · window - 1` numbers a head: from
/// keys `window - 1` before the query to as many after it.
#[derive(Clone, Debug)]
pub struct DistanceBias {
    pub by_distance: Vec<f32>,
    /// Tokens of the longest text.
    pub window: usize,
}

impl DistanceBias {
    /// The bias of one head and query, for `keys` from the first.
    fn of(&self, head: usize, query: usize, keys: usize) -> &[f32] {
        let first = head * (2 * self.window - 1) + self.window - 1 - query;
        &self.by_distance[first..first + keys]
    }
}

/// Memory for one text.
#[derive(Debug, Default)]
pub struct AttentionScratch {
    /// One head's keys, transposed: `[size, padded]`.
    keys: Vec<f32>,
    /// One block's scores, then weights: `[queries, padded]`.
    scores: Vec<f32>,
}

/// One head of one text.
#[derive(Clone, Copy)]
struct Head<'a> {
    /// Queries, keys and values side by side: `[tokens, 3 · hidden]`.
    projected: &'a [f32],
    hidden: usize,
    /// The head's first column of each of the three.
    column: usize,
    /// Its columns.
    size: usize,
    tokens: usize,
    /// Tokens, rounded up to whole vectors.
    padded: usize,
}

/// Writes the context of each token, `[tokens, hidden]`, from queries, keys and values side by side, `[tokens, 3 ·
/// hidden]`. Queries are scaled already. A head's size is a multiple of sixteen.
#[inline(always)]
pub fn attend<P: Processor>(
    projected: &[f32],
    hidden: usize,
    heads: usize,
    bias: Option<&DistanceBias>,
    scratch: &mut AttentionScratch,
    context: &mut [f32],
) {
    let tokens = context.len() / hidden;
    let padded = tokens.next_multiple_of(LANES);
    let size = hidden / heads;
    scratch.keys.resize(size * padded, 0.0);
    scratch.scores.resize(BLOCK * padded, 0.0);
    let AttentionScratch { keys, scores } = scratch;
    for number in 0..heads {
        let head = Head { projected, hidden, column: number * size, size, tokens, padded };
        head.transpose_keys(keys);
        let blocks = tokens.div_ceil(BLOCK);
        for block in 0..blocks {
            let queries = block * tokens / blocks..(block + 1) * tokens / blocks;
            match queries.len() {
                1 => head.score::<P, 1>(queries.start, keys, scores),
                2 => head.score::<P, 2>(queries.start, keys, scores),
                3 => head.score::<P, 3>(queries.start, keys, scores),
                4 => head.score::<P, 4>(queries.start, keys, scores),
                5 => head.score::<P, 5>(queries.start, keys, scores),
                _ => head.score::<P, BLOCK>(queries.start, keys, scores),
            }
            for (query, scores) in queries.clone().zip(scores.chunks_exact_mut(padded)) {
                weigh::<P>(scores, tokens, bias.map(|bias| bias.of(number, query, tokens)));
            }
            match queries.len() {
                1 => head.mix::<P, 1>(queries.start, scores, context),
                2 => head.mix::<P, 2>(queries.start, scores, context),
                3 => head.mix::<P, 3>(queries.start, scores, context),
                4 => head.mix::<P, 4>(queries.start, scores, context),
                5 => head.mix::<P, 5>(queries.start, scores, context),
                _ => head.mix::<P, BLOCK>(queries.start, scores, context),
            }
        }
    }
}

impl Head<'_> {
    #[inline(always)]
    fn transpose_keys(self, keys: &mut [f32]) {
        for token in 0..self.padded {
            if token < self.tokens {
                let first = (token * 3 + 1) * self.hidden + self.column;
                for (row, value) in self.projected[first..first + self.size].iter().enumerate() {
                    keys[row * self.padded + token] = *value;
                }
            } else {
                for row in keys.chunks_exact_mut(self.padded) {
                    row[token] = 0.0;
                }
            }
        }
    }

    /// The products of `ROWS` queries with all keys.
    #[inline(always)]
    fn score<P: Processor, const ROWS: usize>(self, first: usize, keys: &[f32], scores: &mut [f32]) {
        let mut column = 0;
        while column < self.padded {
            match (self.padded - column) / LANES {
                1 => self.score_part::<P, ROWS, 1>(first, column, keys, scores),
                2 => self.score_part::<P, ROWS, 2>(first, column, keys, scores),
                3 => self.score_part::<P, ROWS, 3>(first, column, keys, scores),
                _ => self.score_part::<P, ROWS, VECTORS>(first, column, keys, scores),
            }
            column += VECTORS * LANES;
        }
    }

    #[inline(always)]
    fn score_part<P: Processor, const ROWS: usize, const WIDTH: usize>(
        self,
        first: usize,
        column: usize,
        keys: &[f32],
        scores: &mut [f32],
    ) {
        let mut sums = [[P::Vector::splat(0.0); WIDTH]; ROWS];
        let stride = 3 * self.hidden;
        let queries = &self.projected[first * stride + self.column..];
        assert!(queries.len() >= (ROWS - 1) * stride + self.size && keys.len() == self.size * self.padded);
        for (step, keys) in keys.chunks_exact(self.padded).enumerate() {
            let keys = load_all::<P, WIDTH>(&keys[column..]);
            for row in 0..ROWS {
                #[expect(unsafe_code, reason = "a check here costs as much as the products")]
                // SAFETY: there are `size` steps, and `queries` is long enough for them, see above.
                let query = P::Vector::splat(unsafe { *queries.get_unchecked(row * stride + step) });
                for vector in 0..WIDTH {
                    sums[row][vector] = query.mul_add(keys[vector], sums[row][vector]);
                }
            }
        }
        for row in 0..ROWS {
            for vector in 0..WIDTH {
                sums[row][vector].store(&mut scores[row * self.padded + column + vector * LANES..]);
            }
        }
    }

    /// The sums of all values, weighted for each of `ROWS` queries.
    #[inline(always)]
    fn mix<P: Processor, const ROWS: usize>(self, first: usize, weights: &[f32], context: &mut [f32]) {
        let mut column = 0;
        while column < self.size {
            match (self.size - column) / LANES {
                1 => self.mix_part::<P, ROWS, 1>(first, column, weights, context),
                2 => self.mix_part::<P, ROWS, 2>(first, column, weights, context),
                3 => self.mix_part::<P, ROWS, 3>(first, column, weights, context),
                _ => self.mix_part::<P, ROWS, VECTORS>(first, column, weights, context),
            }
            column += VECTORS * LANES;
        }
    }

    #[inline(always)]
    fn mix_part<P: Processor, const ROWS: usize, const WIDTH: usize>(
        self,
        first: usize,
        column: usize,
        weights: &[f32],
        context: &mut [f32],
    ) {
        let mut sums = [[P::Vector::splat(0.0); WIDTH]; ROWS];
        assert!(weights.len() >= ROWS * self.padded && self.tokens <= self.padded);
        let values = self.projected[2 * self.hidden + self.column + column..].chunks(3 * self.hidden);
        for (token, values) in values.take(self.tokens).enumerate() {
            let values = load_all::<P, WIDTH>(values);
            for row in 0..ROWS {
                #[expect(unsafe_code, reason = "a check here costs as much as the products")]
                // SAFETY: `token` is below `padded`, and `weights` has that many in each row, see above.
                let weight = P::Vector::splat(unsafe { *weights.get_unchecked(row * self.padded + token) });
                for vector in 0..WIDTH {
                    sums[row][vector] = weight.mul_add(values[vector], sums[row][vector]);
                }
            }
        }
        for row in 0..ROWS {
            for vector in 0..WIDTH {
                let start = (first + row) * self.hidden + self.column + column + vector * LANES;
                sums[row][vector].store(&mut context[start..]);
            }
        }
    }
}

#[inline(always)]
fn load_all<P: Processor, const WIDTH: usize>(values: &[f32]) -> [P::Vector; WIDTH] {
    let values = &values[..WIDTH * LANES];
    let mut vectors = [P::Vector::splat(0.0); WIDTH];
    for vector in 0..WIDTH {
        vectors[vector] = P::Vector::load(&values[vector * LANES..]);
    }
    vectors
}

/// Turns the first `tokens` of one query's scores into weights that add up to one.
#[inline(always)]
fn weigh<P: Processor>(scores: &mut [f32], tokens: usize, bias: Option<&[f32]>) {
    if let Some(bias) = bias {
        for (score, bias) in scores.iter_mut().zip(bias) {
            *score += bias;
        }
    }
    scores[tokens..].fill(f32::MIN);
    let mut largest = P::Vector::splat(f32::MIN);
    for lanes in scores.chunks_exact(LANES) {
        largest = largest.max(P::Vector::load(lanes));
    }
    let largest = P::Vector::splat(largest.largest());
    let mut sum = P::Vector::splat(0.0);
    for lanes in scores.chunks_exact_mut(LANES) {
        let weight = exp(P::Vector::load(lanes).sub(largest));
        sum = sum.add(weight);
        weight.store(lanes);
    }
    let factor = P::Vector::splat(1.0 / sum.sum());
    for lanes in scores.chunks_exact_mut(LANES) {
        P::Vector::load(lanes).mul(factor).store(lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Portable;

    /// As the definition says, in double precision.
    fn expected(projected: &[f32], hidden: usize, heads: usize, bias: Option<&DistanceBias>) -> Vec<f64> {
        let (tokens, size) = (projected.len() / 3 / hidden, hidden / heads);
        let at = |token: usize, part: usize, column: usize| {
            f64::from(projected[(token * 3 + part) * hidden + column])
        };
        let mut context = vec![0.0; tokens * hidden];
        for head in 0..heads {
            let columns = head * size..(head + 1) * size;
            for query in 0..tokens {
                let scores = (0..tokens).map(|key| {
                    let bias = bias.map_or(0.0, |bias| f64::from(bias.of(head, query, tokens)[key]));
                    bias + columns
                        .clone()
                        .map(|column| at(query, 0, column) * at(key, 1, column))
                        .sum::<f64>()
                });
                let weights: Vec<f64> = scores.map(f64::exp).collect();
                let total: f64 = weights.iter().sum();
                for column in columns.clone() {
                    let sum = weights.iter().enumerate().map(|(key, weight)| weight * at(key, 2, column));
                    context[query * hidden + column] = sum.sum::<f64>() / total;
                }
            }
        }
        context
    }

    #[test]
    fn context_is_what_the_definition_says() {
        let (hidden, heads) = (96, 2);
        for tokens in [1, 5, 16, 17, 70] {
            let projected: Vec<f32> =
                (0..tokens * 3 * hidden).map(|number| ((number * 37 % 101) as f32 - 50.0) / 80.0).collect();
            let by_distance = (0..heads * 199).map(|number| (number % 13) as f32 / 7.0).collect();
            let bias = DistanceBias { by_distance, window: 100 };
            for bias in [None, Some(&bias)] {
                let mut context = vec![0.0; tokens * hidden];
                let mut scratch = AttentionScratch::default();
                attend::<Portable>(&projected, hidden, heads, bias, &mut scratch, &mut context);
                for (found, expected) in context.iter().zip(expected(&projected, hidden, heads, bias)) {
                    assert!((f64::from(*found) - expected).abs() < 1e-5, "{tokens}: {found} {expected}");
                }
            }
        }
    }
}
