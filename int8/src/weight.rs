//! Weights, rounded to 8 bits and laid out for the products.

use std::ops::Range;

use crate::lanes::{LANES, Pairs};

/// Columns of a panel: four vectors of sixteen.
pub const PANEL: usize = 64;
/// Inputs that one instruction multiplies and adds up in each lane.
pub const DEPTH: usize = 4;
/// The largest magnitude of a symmetric 8-bit integer.
const INT8_MAX: f32 = 127.0;

/// Four columns' worth of a cache line: for each of sixteen outputs its next four inputs.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line(pub [i8; 64]);

/// Sums of up to 258,000 inputs are split by it into two 16-bit integers, and 255 times it is one too.
const SUM_BASE: i32 = 128;

fn in_pairs(sums: &[i32]) -> Vec<Pairs> {
    let pair = |sum: i32| [(sum.rem_euclid(SUM_BASE)) as i16, (sum.div_euclid(SUM_BASE)) as i16];
    let (vectors, _) = sums.as_chunks::<LANES>();
    vectors.iter().map(|sums| Pairs(sums.map(pair))).collect()
}

/// The nearest integer, the even one of two, of a number of at most a few hundred. Without SSE 4.1 the library's own is
/// the call of a function for each number.
fn round(value: f32) -> i8 {
    /// Above it floats are whole numbers.
    const WHOLE: f32 = 1.5 * (1 << 23) as f32;
    ((value + WHOLE) - WHOLE) as i8
}

/// The weight and bias of `y = x · weight + bias`, for each output an own scale.
#[derive(Debug)]
pub struct Weight {
    pub inputs: usize,
    pub outputs: usize,
    /// Panel by panel, and in it four lines for each four inputs.
    pub lines: Vec<Line>,
    pub scales: Vec<f32>,
    /// The sum of each output's rounded weights, which is what a zero point of one adds to its product, as a pair of 16-bit
    /// integers: the sum is `first + 128 · second`.
    pub sums: Vec<Pairs>,
    pub bias: Vec<f32>,
}

/// Some of a weight's outputs, whole panels.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    pub inputs: usize,
    pub outputs: usize,
    pub lines: &'a [Line],
    pub scales: &'a [f32],
    pub sums: &'a [Pairs],
    pub bias: &'a [f32],
}

impl Weight {
    /// Rounds `weight`, `[outputs, inputs]` row by row. `inputs` must be a multiple of 4, `outputs` of 64.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        assert!(inputs.is_multiple_of(DEPTH) && outputs.is_multiple_of(PANEL));
        let (mut scales, mut sums) = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
        let mut lines = vec![Line([0; 64]); inputs * outputs / 64];
        for (output, row) in weight.chunks_exact(inputs).enumerate() {
            let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            // Not zero, so that a row of zeros can be divided by it.
            let scale = (largest / INT8_MAX).max(f32::MIN_POSITIVE);
            let (panel, column) = (output / PANEL, output % PANEL);
            let mut sum = 0;
            for (step, values) in row.as_chunks::<DEPTH>().0.iter().enumerate() {
                let line = (panel * inputs / DEPTH + step) * (PANEL / 16) + column / 16;
                let rounded = values.map(|value| round(value / scale));
                lines[line].0[column % 16 * DEPTH..][..DEPTH].copy_from_slice(&rounded);
                sum += rounded.into_iter().map(i32::from).sum::<i32>();
            }
            scales.push(scale);
            sums.push(sum);
        }
        Self { inputs, outputs, lines, scales, sums: in_pairs(&sums), bias: bias.to_vec() }
    }

    /// The outputs in `columns`, from a multiple of 64 to another.
    pub fn columns(&self, columns: Range<usize>) -> Columns<'_> {
        Columns {
            inputs: self.inputs,
            outputs: columns.len(),
            lines: &self.lines[columns.start / PANEL * self.inputs..columns.end / PANEL * self.inputs],
            scales: &self.scales[columns.clone()],
            sums: &self.sums[columns.start / LANES..columns.end / LANES],
            bias: &self.bias[columns],
        }
    }

    /// What takes the zero point of a row out of its products with `sums`: one product of pairs.
    #[inline(always)]
    pub fn without_zero(zero: i32) -> [i16; 2] {
        let zero = zero as i16;
        [-zero, -zero * SUM_BASE as i16]
    }

    /// Multiplies the outputs before `end` by `factor`.
    pub fn scale_first(&mut self, end: usize, factor: f32) {
        for value in self.scales[..end].iter_mut().chain(&mut self.bias[..end]) {
            *value *= factor;
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>() + self.outputs * (2 * size_of::<f32>() + size_of::<[i16; 2]>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_own_scale_and_sum() {
        let mut weight = vec![0.0; 4 * 64];
        weight[..6].copy_from_slice(&[1.0, -0.5, 0.0, 0.0, -100.0, 12.7]);
        let weight = Weight::new(&weight, &[0.0; 64]);
        assert_eq!(weight.lines[0].0[..8], [127, -64, 0, 0, -127, 16, 0, 0]);
        assert_eq!(weight.scales[..2], [1.0 / 127.0, 100.0 / 127.0]);
        // 63, -111 and 0.
        assert_eq!(weight.sums[0].0[..3], [[63, 0], [17, -1], [0, 0]]);
        assert_eq!(Weight::without_zero(255), [-255, -32_640]);
    }
}
