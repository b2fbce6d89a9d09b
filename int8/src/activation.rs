//! What happens to rows between products: rounding to 8 bits, and GELU.

use crate::lanes::{LANES, Processor, Vector};

/// Rows as unsigned 8-bit integers, each with its own scale and zero point: a value is `scale · (byte - zero)`.
///
/// A token's row depends on no other token, so that one with large values does not make the others coarser.
#[derive(Debug, Default)]
pub struct QuantisedRows {
    pub values: Vec<u8>,
    pub scales: Vec<f32>,
    pub zeros: Vec<i32>,
}

impl QuantisedRows {
    /// Makes room for `rows` of `width`.
    pub fn resize(&mut self, rows: usize, width: usize) {
        self.values.resize(rows * width, 0);
        self.scales.resize(rows, 0.0);
        self.zeros.resize(rows, 0);
    }

    /// Takes over `rows`, of `width` numbers each; a multiple of 64.
    #[inline(always)]
    pub fn quantise<P: Processor>(&mut self, rows: &[f32], width: usize) {
        self.resize(rows.len() / width, width);
        let targets = self.values.chunks_exact_mut(width).zip(&mut self.scales).zip(&mut self.zeros);
        for (row, ((values, scale), zero)) in rows.chunks_exact(width).zip(targets) {
            (*scale, *zero) = quantise_row::<P>(row, values);
        }
    }
}

/// Four vectors.
const FOUR: usize = 4 * LANES;

#[inline(always)]
fn quantise_row<P: Processor>(row: &[f32], values: &mut [u8]) -> (f32, i32) {
    // Zero is in the range, so that it has an exact byte. Four at a time do not wait for each other.
    let (mut lows, mut highs) = ([P::Vector::splat(0.0); 4], [P::Vector::splat(0.0); 4]);
    for four in row.as_chunks::<FOUR>().0 {
        for number in 0..4 {
            let lanes = P::Vector::load(&four[number * LANES..]);
            lows[number] = lows[number].min(lanes);
            highs[number] = highs[number].max(lanes);
        }
    }
    let low = lows[0].min(lows[1]).min(lows[2].min(lows[3])).smallest();
    let high = highs[0].max(highs[1]).max(highs[2].max(highs[3])).largest();
    let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
    let inverse = P::Vector::splat(1.0 / scale);
    let zero = (-low / scale).round_ties_even();
    let zeros = P::Vector::splat(zero);
    let fours = row.as_chunks::<FOUR>().0.iter().zip(values.as_chunks_mut::<FOUR>().0);
    for (four, bytes) in fours {
        for number in 0..4 {
            let lanes = P::Vector::load(&four[number * LANES..]);
            lanes.mul_add(inverse, zeros).store_bytes(&mut bytes[number * LANES..]);
        }
    }
    (scale, zero as i32)
}

/// Beyond it the normal distribution counts as one half from its middle.
const GELU_LIMIT: f32 = 4.16;
/// `Φ(x) - ½ ≈ x · Σ cₙ x²ⁿ` up to the limit, where it is one half: least squares, weighted anew until the largest error
/// of `x · Φ(x)` was least. That is 7.6e-5, a fraction of the steps to which the result is rounded.
const GELU: [f32; 8] = [
    0.398_485_18,
    -0.065_560_125,
    0.009_315_742,
    -0.000_955_145_17,
    6.749_851e-5,
    -3.082_739_8e-6,
    8.111_171e-8,
    -9.276_489_6e-10,
];

/// `x · Φ(x)`, the Gaussian error linear unit, of each of `values`.
#[inline(always)]
pub fn gelu<P: Processor>(values: &mut [f32]) {
    let [most, least] = [GELU_LIMIT, -GELU_LIMIT].map(P::Vector::splat);
    let [half, minus_half] = [0.5, -0.5].map(P::Vector::splat);
    for lanes in values.as_chunks_mut::<LANES>().0 {
        let value = P::Vector::load(lanes);
        let clamped = value.max(least).min(most);
        let square = clamped.mul(clamped);
        let mut series = P::Vector::splat(GELU[7]);
        for coefficient in [GELU[6], GELU[5], GELU[4], GELU[3], GELU[2], GELU[1], GELU[0]] {
            series = series.mul_add(square, P::Vector::splat(coefficient));
        }
        let from_middle = series.mul(clamped).max(minus_half).min(half);
        value.mul_add(from_middle, value.mul(half)).store(lanes);
    }
}

/// Adding and taking it away rounds a small number to an integer, and leaves the integer in the lowest bits meanwhile: one
/// and a half times 2²³, from where on floats are integers.
const SHIFT: f32 = 12_582_912.0;
/// `2ᶠ ≈ Σ cₙ fⁿ` within ±½: least squares, weighted anew until the largest relative error was least, 2.6e-6.
const EXP2: [f32; 5] = [0.999_999_3, 0.693_121_8, 0.240_247_46, 0.055_917_95, 0.009_570_096];

/// Two to the power of each lane, at most 0; what is below -125 counts as -125.
#[inline(always)]
pub fn exp2<V: Vector>(value: V) -> V {
    let value = value.max(V::splat(-125.0));
    let shifted = value.add(V::splat(SHIFT));
    let fraction = value.sub(shifted.sub(V::splat(SHIFT)));
    let mut series = V::splat(EXP2[4]);
    for coefficient in [EXP2[3], EXP2[2], EXP2[1], EXP2[0]] {
        series = series.mul_add(fraction, V::splat(coefficient));
    }
    series.add_to_exponent(shifted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;

    #[test]
    fn a_row_keeps_zero_and_its_extremes() {
        let mut rows = QuantisedRows::default();
        let mut row = [0.0; 64];
        (row[0], row[1], row[17]) = (-1.0, 4.1, 0.6);
        rows.quantise::<Portable>(&row, 64);
        assert_eq!((rows.values[0], rows.values[1], rows.values[2]), (0, 255, 50));
        assert_eq!(rows.zeros, [50]);
        assert!((rows.scales[0] - 0.02).abs() < 1e-6);
        rows.quantise::<Portable>(&[0.0; 64], 64);
        assert_eq!((rows.zeros[0], rows.values[0]), (0, 0));
    }

    #[test]
    fn gelu_is_near_enough() {
        // x · Φ(x) from a table of the normal distribution.
        for (value, expected) in [
            (0.0, 0.0),
            (1.0, 0.841_344_7),
            (-1.0, -0.158_655_26),
            (2.5, 2.484_475_8),
            (-3.0, -0.004_049_694),
            (-4.2, -5.6e-5),
            (9.0, 9.0),
            (-1e6, 0.0),
        ] {
            let mut values = [value; 16];
            gelu::<Portable>(&mut values);
            assert!((values[3] - expected).abs() < 7.7e-5, "{value}: {} instead of {expected}", values[3]);
        }
    }

    #[test]
    fn exp2_is_near_enough() {
        for step in 0..1250 {
            let value = -0.1 * step as f32;
            let [found, ..] = exp2([value; 16]);
            let expected = f64::from(value).exp2();
            assert!((f64::from(found) / expected - 1.0).abs() < 4e-6, "{value}: {found}");
        }
        assert!(exp2([f32::MIN; 16])[0] < 2.4e-38);
    }
}
