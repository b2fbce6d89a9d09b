//! Weights as 8-bit integers.

use super::layer::Linear;

/// The largest magnitude of a symmetric 8-bit integer.
const INT8_MAX: f32 = 127.0;

/// A weight `[inputs, outputs]` of symmetric 8-bit integers with one scale per output: the weight is about
/// `values * scales`. Activations are quantised by the runtime, with one scale per text and product.
pub(super) struct QuantisedWeight {
    pub values: Vec<i8>,
    pub scales: Vec<f32>,
}

impl QuantisedWeight {
    /// Rounds the weight of `linear`.
    pub fn of(linear: &Linear) -> Self {
        let (mut values, mut scales) = (vec![0; linear.weight.len()], Vec::with_capacity(linear.outputs));
        for (output, row) in linear.weight.chunks_exact(linear.inputs).enumerate() {
            let scale = scale(row);
            for (input, value) in row.iter().enumerate() {
                values[input * linear.outputs + output] = (value / scale).round_ties_even() as i8;
            }
            scales.push(scale);
        }
        Self { values, scales }
    }
}

/// What `values` are rounded by. Not zero, so that zeros can be divided by it.
fn scale(values: &[f32]) -> f32 {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    (largest / INT8_MAX).max(f32::MIN_POSITIVE)
}

/// Inputs that share a scale in a [`BlockQuantisedWeight`].
pub(super) const BLOCK: usize = 64;
/// The byte that stands for zero in a [`BlockQuantisedWeight`].
const ZERO: f32 = 128.0;

/// A weight `[outputs, blocks of inputs, BLOCK]` of bytes, with one scale per output and block: the weight is about
/// `(values - 128) * scales`.
pub(super) struct BlockQuantisedWeight {
    pub values: Vec<u8>,
    pub scales: Vec<f32>,
}

impl BlockQuantisedWeight {
    /// Rounds the weight of `linear`. A last block that is not full is filled with zeros.
    pub fn of(linear: &Linear) -> Self {
        let blocks = linear.inputs.div_ceil(BLOCK);
        let mut rounded = Self {
            values: Vec::with_capacity(linear.outputs * blocks * BLOCK),
            scales: Vec::with_capacity(linear.outputs * blocks),
        };
        for row in linear.weight.chunks_exact(linear.inputs) {
            for block in row.chunks(BLOCK) {
                let scale = scale(block);
                let bytes = block.iter().map(|value| ((value / scale).round_ties_even() + ZERO) as u8);
                rounded.values.extend(bytes);
                rounded.values.resize(rounded.values.len().next_multiple_of(BLOCK), ZERO as u8);
                rounded.scales.push(scale);
            }
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_own_scale() {
        let linear = Linear {
            weight: vec![1.0, -0.5, 0.0, 0.0, -100.0, 12.7],
            bias: vec![0.0; 3],
            inputs: 2,
            outputs: 3,
        };
        let quantised = QuantisedWeight::of(&linear);
        assert_eq!(quantised.values, [127, 0, -127, -64, 0, 16]);
        assert_eq!(quantised.scales[0], 1.0 / 127.0);
        assert_eq!(quantised.scales[2], 100.0 / 127.0);
    }

    #[test]
    fn each_output_and_block_has_its_own_scale() {
        let mut weight = vec![0.0; 70 * 2];
        // Output 1: inputs 0 and 1, and input 69 in the second block.
        (weight[70], weight[71], weight[70 + 69]) = (-2.0, 1.0, 12.7);
        let linear = Linear { weight, bias: vec![0.0; 2], inputs: 70, outputs: 2 };
        let rounded = BlockQuantisedWeight::of(&linear);
        assert_eq!((rounded.values.len(), rounded.scales.len()), (256, 4));
        assert_eq!(rounded.values[..128], [128; 128]);
        assert_eq!(rounded.values[128..131], [1, 192, 128]);
        assert_eq!((rounded.values[192 + 5], rounded.values[192 + 6]), (255, 128));
        assert_eq!(rounded.scales[2..], [2.0 / 127.0, 12.7 / 127.0]);
    }
}
