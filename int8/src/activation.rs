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

    /// Takes over `rows`, of `width` numbers each; a multiple of sixteen.
    #[inline(always)]
    pub fn quantise<P: Processor>(&mut self, rows: &[f32], width: usize) {
        self.resize(rows.len() / width, width);
        let targets = self.values.chunks_exact_mut(width).zip(&mut self.scales).zip(&mut self.zeros);
        for (row, ((values, scale), zero)) in rows.chunks_exact(width).zip(targets) {
            (*scale, *zero) = quantise_row::<P>(row, values);
        }
    }
}

#[inline(always)]
fn quantise_row<P: Processor>(row: &[f32], values: &mut [u8]) -> (f32, i32) {
    // Zero is in the range, so that it has an exact byte.
    let (mut low, mut high) = (P::Vector::splat(0.0), P::Vector::splat(0.0));
    for lanes in row.chunks_exact(LANES) {
        let lanes = P::Vector::load(lanes);
        low = low.min(lanes);
        high = high.max(lanes);
    }
    let (low, high) = (low.smallest(), high.largest());
    let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
    let inverse = P::Vector::splat(1.0 / scale);
    let zero = (-low / scale).round_ties_even();
    let (zeros, most) = (P::Vector::splat(zero), P::Vector::splat(255.0));
    for (lanes, bytes) in row.chunks_exact(LANES).zip(values.chunks_exact_mut(LANES)) {
        let rounded = P::Vector::load(lanes).mul(inverse).round().add(zeros);
        rounded.max(P::Vector::splat(0.0)).min(most).store_bytes(bytes);
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
    for lanes in values.chunks_exact_mut(LANES) {
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

/// Two to the power of each lane, at most 0; what is below -126 counts as -126.
///
/// `2ⁿ · 2ᶠ` with an integer n and f within ±½, and 2ᶠ as Taylor's series: the first term left out is 2.4e-6 at most.
#[inline(always)]
pub fn exp2<V: Vector>(value: V) -> V {
    const LN_2: f32 = std::f32::consts::LN_2;
    let value = value.max(V::splat(-126.0));
    let whole = value.round();
    let x = value.sub(whole).mul(V::splat(LN_2));
    let mut series = V::splat(1.0 / 120.0);
    for coefficient in [1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series.mul_add(x, V::splat(coefficient));
    }
    series.times_power_of_two(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::Portable;

    #[test]
    fn a_row_keeps_zero_and_its_extremes() {
        let mut rows = QuantisedRows::default();
        let mut row = [0.0; 32];
        (row[0], row[1], row[17]) = (-1.0, 4.1, 0.6);
        rows.quantise::<Portable>(&row, 32);
        assert_eq!((rows.values[0], rows.values[1], rows.values[2]), (0, 255, 50));
        assert_eq!(rows.zeros, [50]);
        assert!((rows.scales[0] - 0.02).abs() < 1e-6);
        rows.quantise::<Portable>(&[0.0; 32], 32);
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
        for step in 0..1259 {
            let value = -0.1 * step as f32;
            let [found, ..] = exp2([value; 16]);
            let expected = f64::from(value).exp2();
            assert!((f64::from(found) / expected - 1.0).abs() < 4e-6, "{value}: {found}");
        }
        assert!(exp2([f32::MIN; 16])[0] < 1.2e-38);
    }
}
