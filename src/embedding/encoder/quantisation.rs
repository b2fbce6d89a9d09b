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
        // Not zero, so that a column of zeros can be divided by it.
        let mut scales = vec![f32::MIN_POSITIVE; linear.outputs];
        for row in linear.weight.chunks_exact(linear.outputs) {
            for (scale, value) in scales.iter_mut().zip(row) {
                *scale = scale.max(value.abs() / INT8_MAX);
            }
        }
        let rows = linear.weight.chunks_exact(linear.outputs);
        let values = rows.flat_map(|row| {
            let scaled = row.iter().zip(&scales).map(|(value, scale)| value / scale);
            scaled.map(|value| value.round_ties_even() as i8)
        });
        Self { values: values.collect(), scales }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_own_scale() {
        let linear = Linear {
            weight: vec![1.0, 0.0, -100.0, -0.5, 0.0, 12.7],
            bias: vec![0.0; 3],
            inputs: 2,
            outputs: 3,
        };
        let quantised = QuantisedWeight::of(&linear);
        assert_eq!(quantised.values, [127, 0, -127, -64, 0, 16]);
        assert_eq!(quantised.scales[0], 1.0 / 127.0);
        assert_eq!(quantised.scales[2], 100.0 / 127.0);
    }
}
