//! Multi-head self-attention of one text.
//!
//! Its products are of 16-bit integers, twice as fast as floats and exact in 32 bits. What they are rounded from keeps 13
//! bits or more of the largest number of its head, which is finer than what the layers before and after keep.

use std::ops::Range;

use crate::activation::exp2;
use crate::lanes::{LANES, Pairs, Processor, Sums, Vector};

/// Queries that are scored at a time: with four vectors of keys, their sums fill the registers.
const BLOCK: usize = 6;
const VECTORS: usize = 4;
/// The largest 16-bit integer. Weights of it in all, times values of at most it, fit into 32 bits.
const SHORT_MAX: f32 = 32767.0;

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

/// Memory for one text: what one head, and one block of its queries, need.
#[derive(Debug, Default)]
pub struct AttentionScratch {
    /// `[tokens, size]`
    queries: Vec<i16>,
    /// Two columns of a token side by side: `[size / 2, padded]`.
    keys: Vec<Pairs>,
    /// Two tokens' numbers of a column side by side: `[padded / 2, size]`.
    values: Vec<Pairs>,
    /// `[queries, padded]`
    scores: Vec<f32>,
    /// `[queries, padded]`
    weights: Vec<i16>,
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
/// hidden]`, where `hidden` are the columns of these `heads` of a layer. Queries are scaled already. A head's size is a
/// multiple of sixteen.
#[inline(always)]
pub fn attend<P: Processor>(
    projected: &[f32],
    hidden: usize,
    heads: Range<usize>,
    bias: Option<&DistanceBias>,
    scratch: &mut AttentionScratch,
    context: &mut [f32],
) {
    let tokens = context.len() / hidden;
    let padded = tokens.next_multiple_of(LANES);
    let size = hidden / heads.len();
    for (number, head_of_layer) in heads.enumerate() {
        let head = Head { projected, hidden, column: number * size, size, tokens, padded };
        let (score_scale, value_scale) = head.round::<P>(scratch);
        let AttentionScratch { queries, keys, values, scores, weights } = scratch;
        let blocks = tokens.div_ceil(BLOCK);
        for block in 0..blocks {
            let block = block * tokens / blocks..(block + 1) * tokens / blocks;
            let queries = &queries[block.start * size..block.end * size];
            match block.len() {
                1 => head.score::<P, 1>(queries, keys, score_scale, scores),
                2 => head.score::<P, 2>(queries, keys, score_scale, scores),
                3 => head.score::<P, 3>(queries, keys, score_scale, scores),
                4 => head.score::<P, 4>(queries, keys, score_scale, scores),
                5 => head.score::<P, 5>(queries, keys, score_scale, scores),
                _ => head.score::<P, BLOCK>(queries, keys, score_scale, scores),
            }
            let bias = |query| bias.map(|bias| bias.of(head_of_layer, query, tokens));
            weigh::<P>(scores, weights, block.clone(), tokens, bias);
            let context = &mut context[block.start * hidden..];
            match block.len() {
                1 => head.mix::<P, 1>(weights, values, value_scale, context),
                2 => head.mix::<P, 2>(weights, values, value_scale, context),
                3 => head.mix::<P, 3>(weights, values, value_scale, context),
                4 => head.mix::<P, 4>(weights, values, value_scale, context),
                5 => head.mix::<P, 5>(weights, values, value_scale, context),
                _ => head.mix::<P, BLOCK>(weights, values, value_scale, context),
            }
        }
    }
}

impl Head<'_> {
    /// Rounds queries, keys and values to 16 bits. Returns what makes scores, to base 2, of products of queries and keys,
    /// and context of products of weights and values.
    #[inline(always)]
    fn round<P: Processor>(self, scratch: &mut AttentionScratch) -> (f32, f32) {
        let Self { size, tokens, padded, .. } = self;
        scratch.scores.resize(BLOCK * padded, 0.0);
        scratch.weights.resize(BLOCK * padded, 0);
        scratch.queries.resize(tokens * size, 0);
        scratch.keys.resize(size / 2 * padded / LANES, Pairs([[0; 2]; LANES]));
        scratch.values.resize(padded / 2 * size / LANES, Pairs([[0; 2]; LANES]));
        // So large that the sum of `size` products just fits into 32 bits.
        let limit = (i32::MAX as f32 / size as f32).sqrt().floor() - 1.0;
        let query_scale = self.largest::<P>(0) / limit;
        let key_scale = self.largest::<P>(1) / limit;
        let value_scale = self.largest::<P>(2) / SHORT_MAX;
        self.round_queries::<P>(1.0 / query_scale, &mut scratch.queries);
        self.round_keys::<P>(1.0 / key_scale, &mut scratch.keys);
        self.round_values::<P>(1.0 / value_scale, &mut scratch.values);
        (query_scale * key_scale * std::f32::consts::LOG2_E, value_scale / SHORT_MAX)
    }

    /// The numbers of one token in a part: queries, keys, values.
    #[inline(always)]
    fn row(&self, part: usize, token: usize) -> &[f32] {
        let first = (token * 3 + part) * self.hidden + self.column;
        &self.projected[first..first + self.size]
    }

    /// The largest magnitude in a part; not zero, so that it can be divided by.
    #[inline(always)]
    fn largest<P: Processor>(self, part: usize) -> f32 {
        let mut largest = P::Vector::splat(1e-20);
        for token in 0..self.tokens {
            for lanes in self.row(part, token).chunks_exact(LANES) {
                largest = largest.max(P::Vector::load(lanes).abs());
            }
        }
        largest.largest()
    }

    #[inline(always)]
    fn round_queries<P: Processor>(self, factor: f32, queries: &mut [i16]) {
        let factor = P::Vector::splat(factor);
        for (token, query) in queries.chunks_exact_mut(self.size).enumerate() {
            for (lanes, shorts) in self.row(0, token).chunks_exact(LANES).zip(query.chunks_exact_mut(LANES)) {
                P::Vector::load(lanes).mul(factor).store_shorts(shorts);
            }
        }
    }

    #[inline(always)]
    fn round_keys<P: Processor>(self, factor: f32, keys: &mut [Pairs]) {
        let factor = P::Vector::splat(factor);
        let groups = self.padded / LANES;
        for token in 0..self.padded {
            let (group, lane) = (token / LANES, token % LANES);
            for part in 0..self.size / LANES {
                let mut shorts = [0; LANES];
                if token < self.tokens {
                    let lanes = &self.row(1, token)[part * LANES..];
                    P::Vector::load(lanes).mul(factor).store_shorts(&mut shorts);
                }
                for pair in 0..LANES / 2 {
                    let line = (part * LANES / 2 + pair) * groups + group;
                    keys[line].0[lane] = [shorts[2 * pair], shorts[2 * pair + 1]];
                }
            }
        }
    }

    #[inline(always)]
    fn round_values<P: Processor>(self, factor: f32, values: &mut [Pairs]) {
        let factor = P::Vector::splat(factor);
        for (number, lines) in values.chunks_exact_mut(self.size / LANES).enumerate() {
            for (vector, line) in lines.iter_mut().enumerate() {
                let mut both = [P::Vector::splat(0.0); 2];
                for second in 0..2 {
                    let token = 2 * number + second;
                    if token < self.tokens {
                        both[second] = P::Vector::load(&self.row(2, token)[vector * LANES..]).mul(factor);
                    }
                }
                *line = both[0].pair(both[1]);
            }
        }
    }

    /// The scores of all keys for each of `ROWS` queries.
    #[inline(always)]
    fn score<P: Processor, const ROWS: usize>(
        self,
        queries: &[i16],
        keys: &[Pairs],
        scale: f32,
        scores: &mut [f32],
    ) {
        let groups = self.padded / LANES;
        let mut group = 0;
        while group < groups {
            let scores = &mut scores[group * LANES..];
            let keys = &keys[group..];
            match groups - group {
                1 => multiply::<P, ROWS, 1>(queries, self.size, keys, groups, scale, scores, self.padded),
                2 => multiply::<P, ROWS, 2>(queries, self.size, keys, groups, scale, scores, self.padded),
                3 => multiply::<P, ROWS, 3>(queries, self.size, keys, groups, scale, scores, self.padded),
                _ => {
                    multiply::<P, ROWS, VECTORS>(queries, self.size, keys, groups, scale, scores, self.padded)
                }
            }
            group += VECTORS;
        }
    }

    /// The mixtures of all values for each of `ROWS` queries.
    #[inline(always)]
    fn mix<P: Processor, const ROWS: usize>(
        self,
        weights: &[i16],
        values: &[Pairs],
        scale: f32,
        context: &mut [f32],
    ) {
        let groups = self.size / LANES;
        let mut group = 0;
        while group < groups {
            let context = &mut context[self.column + group * LANES..];
            let values = &values[group..];
            match groups - group {
                1 => {
                    multiply::<P, ROWS, 1>(weights, self.padded, values, groups, scale, context, self.hidden)
                }
                2 => {
                    multiply::<P, ROWS, 2>(weights, self.padded, values, groups, scale, context, self.hidden)
                }
                3 => {
                    multiply::<P, ROWS, 3>(weights, self.padded, values, groups, scale, context, self.hidden)
                }
                _ => multiply::<P, ROWS, VECTORS>(
                    weights,
                    self.padded,
                    values,
                    groups,
                    scale,
                    context,
                    self.hidden,
                ),
            }
            group += VECTORS;
        }
    }
}

/// The products of `ROWS` rows of `depth` integers each with `WIDTH` vectors of columns, whose pairs of inputs are
/// `columns_stride` lines apart; times `scale`, over the first columns of rows that are `stride` numbers apart.
#[inline(always)]
fn multiply<P: Processor, const ROWS: usize, const WIDTH: usize>(
    rows: &[i16],
    depth: usize,
    columns: &[Pairs],
    columns_stride: usize,
    scale: f32,
    output: &mut [f32],
    stride: usize,
) {
    assert!(rows.len() >= ROWS * depth && depth.is_multiple_of(2));
    assert!(columns.len() >= (depth / 2 - 1) * columns_stride + WIDTH);
    let mut sums = [[P::Sums::zero(); WIDTH]; ROWS];
    for step in 0..depth / 2 {
        for row in 0..ROWS {
            #[expect(unsafe_code, reason = "a check here costs as much as the products")]
            // SAFETY: there are `depth` numbers for each row, see above, and any two are a pair.
            let pair = unsafe { rows.as_ptr().add(row * depth + 2 * step).cast::<[i16; 2]>().read() };
            for vector in 0..WIDTH {
                #[expect(unsafe_code, reason = "a check here costs as much as the products")]
                // SAFETY: there are that many lines, see above.
                let pairs = unsafe { columns.get_unchecked(step * columns_stride + vector) };
                sums[row][vector] = sums[row][vector].add_products(pairs, pair);
            }
        }
    }
    let scale = P::Vector::splat(scale);
    for row in 0..ROWS {
        for vector in 0..WIDTH {
            sums[row][vector].to_floats().mul(scale).store(&mut output[row * stride + vector * LANES..]);
        }
    }
}

/// Turns the first `tokens` of each query's scores, to base 2 but for `bias`, into weights that add up to about
/// [`SHORT_MAX`]. Rows are `scores.len() / BLOCK` apart; each step is taken for all of `queries` before the next, so that
/// none waits for what a row adds up to.
#[inline(always)]
fn weigh<'a, P: Processor>(
    scores: &mut [f32],
    weights: &mut [i16],
    queries: Range<usize>,
    tokens: usize,
    bias: impl Fn(usize) -> Option<&'a [f32]>,
) {
    let padded = scores.len() / BLOCK;
    let count = queries.len();
    let mut largest = [P::Vector::splat(f32::MIN); BLOCK];
    for row in 0..count {
        let scores = &mut scores[row * padded..][..padded];
        if let Some(bias) = bias(queries.start + row) {
            for (score, bias) in scores.iter_mut().zip(bias) {
                *score += bias * std::f32::consts::LOG2_E;
            }
        }
        scores[tokens..].fill(f32::MIN);
        for lanes in scores.as_chunks::<LANES>().0 {
            largest[row] = largest[row].max(P::Vector::load(lanes));
        }
    }
    for row in 0..count {
        largest[row] = P::Vector::splat(largest[row].largest());
    }
    let mut sums = [P::Vector::splat(0.0); BLOCK];
    for row in 0..count {
        let (largest, mut sum) = (largest[row], sums[row]);
        for lanes in scores[row * padded..][..padded].as_chunks_mut::<LANES>().0 {
            let weight = exp2(P::Vector::load(lanes).sub(largest));
            sum = sum.add(weight);
            weight.store(lanes);
        }
        sums[row] = sum;
    }
    for row in 0..count {
        sums[row] = P::Vector::splat(SHORT_MAX / sums[row].sum());
    }
    for row in 0..count {
        let factor = sums[row];
        let scores = scores[row * padded..][..padded].as_chunks::<LANES>().0;
        let weights = weights[row * padded..][..padded].as_chunks_mut::<LANES>().0;
        for (lanes, shorts) in scores.iter().zip(weights) {
            P::Vector::load(lanes).mul(factor).store_shorts(shorts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;

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
                attend::<Portable>(&projected, hidden, 0..heads, bias, &mut scratch, &mut context);
                for (found, expected) in context.iter().zip(expected(&projected, hidden, heads, bias)) {
                    assert!((f64::from(*found) - expected).abs() < 3e-4, "{tokens}: {found} {expected}");
                }
            }
        }
    }
}
