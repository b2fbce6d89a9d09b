//! Any processor.

use crate::activation::QuantisedRows;
use crate::lanes::{LANES, MANTISSA_BITS, MultiplyBlocks, Pairs, Processor, Sums, Vector};
use crate::product::{Panel, Rows};
use crate::weight::Columns;

/// Needs no instructions in particular.
#[derive(Clone, Copy)]
pub struct Portable;

impl Processor for Portable {
    type Vector = [f32; LANES];
    type Sums = [i32; LANES];

    #[inline(always)]
    fn multiply(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
        crate::product::multiply_in_blocks::<Self>(rows, weight, output, stride);
    }
}

impl MultiplyBlocks for Portable {
    #[inline(always)]
    fn multiply_block<const ROWS: usize>(
        rows: Rows<'_>,
        panel: Panel<'_>,
        output: &mut [f32],
        stride: usize,
    ) {
        crate::product::multiply_portably(rows, panel, ROWS, output, stride);
    }
}

#[inline(always)]
fn each(mut a: [f32; LANES], b: [f32; LANES], combine: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = combine(*a, b);
    }
    a
}

impl Vector for [f32; LANES] {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        [value; LANES]
    }

    #[inline(always)]
    fn load(values: &[f32]) -> Self {
        let mut lanes = [0.0; LANES];
        lanes.copy_from_slice(&values[..LANES]);
        lanes
    }

    #[inline(always)]
    fn store(self, values: &mut [f32]) {
        values[..LANES].copy_from_slice(&self);
    }

    #[inline(always)]
    fn store_bytes(self, bytes: &mut [u8]) {
        for (byte, value) in bytes[..LANES].iter_mut().zip(self) {
            *byte = value.round_ties_even() as u8;
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each(self, other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        each(self, other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        each(self, other, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(mut self, factor: Self, summand: Self) -> Self {
        for lane in 0..LANES {
            self[lane] = self[lane].mul_add(factor[lane], summand[lane]);
        }
        self
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // As the processor's instruction: of two equal values, or of one that is not a number, the second.
        each(self, other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        each(self, other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    fn add_to_exponent(self, shifted: Self) -> Self {
        each(self, shifted, |value, shifted| {
            f32::from_bits(value.to_bits().wrapping_add(shifted.to_bits() << MANTISSA_BITS))
        })
    }

    #[inline(always)]
    fn store_shorts(self, shorts: &mut [i16]) {
        for (short, value) in shorts[..LANES].iter_mut().zip(self) {
            *short = value.round_ties_even() as i16;
        }
    }

    #[inline(always)]
    fn pair(self, second: Self) -> Pairs {
        let mut pairs = Pairs([[0; 2]; LANES]);
        for (pair, (first, second)) in pairs.0.iter_mut().zip(self.into_iter().zip(second)) {
            *pair = [first.round_ties_even() as i16, second.round_ties_even() as i16];
        }
        pairs
    }
}

impl Sums for [i32; LANES] {
    type Vector = [f32; LANES];

    #[inline(always)]
    fn zero() -> Self {
        [0; LANES]
    }

    #[inline(always)]
    fn add_products(mut self, pairs: &Pairs, [first, second]: [i16; 2]) -> Self {
        for (sum, pair) in self.iter_mut().zip(pairs.0) {
            *sum += i32::from(pair[0]) * i32::from(first) + i32::from(pair[1]) * i32::from(second);
        }
        self
    }

    #[inline(always)]
    fn to_floats(self) -> Self::Vector {
        self.map(|sum| sum as f32)
    }
}
