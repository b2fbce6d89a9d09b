//! Sixteen numbers at a time, and what a processor must do with them.
//!
//! Everything is written once over [`Processor`]. Each operation rounds as IEEE 754 says, and sums have a fixed order,
//! so that both implementations, `avx512` and `portable`, give the same bits.

use crate::activation::QuantisedRows;
use crate::product::{Panel, Rows};
use crate::weight::Columns;

/// Floats of a vector.
pub const LANES: usize = 16;
/// Bits below the exponent of a float.
pub const MANTISSA_BITS: u32 = f32::MANTISSA_DIGITS - 1;

/// A kind of processor: its vectors and its products of integers. What is generic over it runs only where it is.
pub trait Processor: Copy {
    type Vector: Vector;
    type Sums: Sums<Vector = Self::Vector>;

    /// `output = rows · weight + bias` of these columns, over the first numbers of rows that are `stride` apart.
    fn multiply(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize);
}

/// A processor that multiplies in blocks of a few rows.
pub trait MultiplyBlocks {
    /// Multiplies `ROWS` rows by the columns of a panel.
    fn multiply_block<const ROWS: usize>(rows: Rows<'_>, panel: Panel<'_>, output: &mut [f32], stride: usize);
}

/// Sixteen pairs of 16-bit integers: a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Pairs(pub [[i16; 2]; LANES]);

/// Sixteen sums of products of 16-bit integers.
pub trait Sums: Copy {
    type Vector: Vector;

    fn zero() -> Self;
    /// Adds to each lane the products of its pair's first and second number with those of `pair`, exactly.
    fn add_products(self, pairs: &Pairs, pair: [i16; 2]) -> Self;
    fn to_floats(self) -> Self::Vector;
}

/// Sixteen floats.
pub trait Vector: Copy {
    fn splat(value: f32) -> Self;
    /// The first sixteen of `values`.
    fn load(values: &[f32]) -> Self;
    /// Over the first sixteen of `values`.
    fn store(self, values: &mut [f32]);
    /// Over the first sixteen of `bytes`, rounded to the nearest integers, halves to even ones, from 0 to 255.
    fn store_bytes(self, bytes: &mut [u8]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self · factor + summand`, rounded once.
    fn mul_add(self, factor: Self, summand: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn abs(self) -> Self;
    /// Times two to the power of the integer in the lowest bits of each lane of `shifted`; what comes out must be a normal
    /// number.
    fn add_to_exponent(self, shifted: Self) -> Self;
    /// Over the first sixteen of `shorts`, rounded to the nearest integers, halves to even ones. Each must be in range.
    fn store_shorts(self, shorts: &mut [i16]);
    /// Rounded as by [`Vector::store_shorts`], each lane beside that of `second`.
    fn pair(self, second: Self) -> Pairs;

    #[inline(always)]
    fn to_array(self) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        self.store(&mut lanes);
        lanes
    }

    /// The sum of all lanes.
    #[inline(always)]
    fn sum(self) -> f32 {
        halved(self.to_array(), |a, b| a + b)
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        halved(self.to_array(), f32::max)
    }

    #[inline(always)]
    fn smallest(self) -> f32 {
        halved(self.to_array(), f32::min)
    }
}

/// Combines the upper half with the lower one until one is left.
#[inline(always)]
fn halved(mut lanes: [f32; LANES], combine: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] = combine(lanes[lane], lanes[lane + width]);
        }
    }
    lanes[0]
}
