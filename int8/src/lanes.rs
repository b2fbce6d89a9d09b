//! Sixteen floats at a time, and the two processors they run on.
//!
//! Everything is written once over [`Processor`]. Each operation rounds as IEEE 754 says, and sums have a fixed order,
//! so that both implementations give the same bits.

use crate::product::{Panel, Rows};

/// Floats of a vector.
pub const LANES: usize = 16;

/// A kind of processor: its vectors and its products of integers. What is generic over it runs only where it is.
pub trait Processor: Copy {
    type Vector: Vector;

    /// Multiplies `ROWS` rows by the columns of a panel.
    fn multiply<const ROWS: usize>(rows: Rows<'_>, panel: Panel<'_>, output: &mut [f32], stride: usize);
}

/// Sixteen floats.
pub trait Vector: Copy {
    fn splat(value: f32) -> Self;
    /// The first sixteen of `values`.
    fn load(values: &[f32]) -> Self;
    /// Over the first sixteen of `values`.
    fn store(self, values: &mut [f32]);
    /// Over the first sixteen of `bytes`; each lane is an integer from 0 to 255.
    fn store_bytes(self, bytes: &mut [u8]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self · factor + summand`, rounded once.
    fn mul_add(self, factor: Self, summand: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn abs(self) -> Self;
    /// To the nearest integer, halves to the even one.
    fn round(self) -> Self;
    /// Two to the power of each lane, an integer from -126 to 127.
    fn power_of_two(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copy_sign(self, sign: Self) -> Self;

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

/// Any processor.
#[derive(Clone, Copy)]
pub struct Portable;

impl Processor for Portable {
    type Vector = [f32; LANES];

    #[inline(always)]
    fn multiply<const ROWS: usize>(rows: Rows<'_>, panel: Panel<'_>, output: &mut [f32], stride: usize) {
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
            *byte = value as u8;
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
    fn div(self, other: Self) -> Self {
        each(self, other, |a, b| a / b)
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
    fn round(self) -> Self {
        self.map(f32::round_ties_even)
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        self.map(|exponent| f32::from_bits(((exponent as i32 + 127) as u32) << 23))
    }

    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        each(self, sign, f32::copysign)
    }
}

#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "intrinsics; `Avx512` is only used where the processor has them")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{LANES, Processor, Vector};
    use crate::product::{Panel, Rows};

    /// x86-64 with AVX-512 (F, BW, VL) and VNNI.
    #[derive(Clone, Copy)]
    pub struct Avx512;

    impl Avx512 {
        pub fn is_here() -> bool {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
                && is_x86_feature_detected!("fma")
        }
    }

    impl Processor for Avx512 {
        type Vector = __m512;

        #[inline(always)]
        fn multiply<const ROWS: usize>(rows: Rows<'_>, panel: Panel<'_>, output: &mut [f32], stride: usize) {
            // SAFETY: only code that was entered after `Avx512::is_here` uses this type.
            unsafe { crate::product::multiply_avx512::<ROWS>(rows, panel, output, stride) }
        }
    }

    // SAFETY, of all calls: only functions that were entered after `Avx512::is_here` use this type, and slices are
    // checked to be long enough.
    impl Vector for __m512 {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        fn load(values: &[f32]) -> Self {
            let values = &values[..LANES];
            unsafe { _mm512_loadu_ps(values.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, values: &mut [f32]) {
            let values = &mut values[..LANES];
            unsafe { _mm512_storeu_ps(values.as_mut_ptr(), self) }
        }

        #[inline(always)]
        fn store_bytes(self, bytes: &mut [u8]) {
            let bytes = &mut bytes[..LANES];
            unsafe {
                let integers = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(self));
                _mm_storeu_si128(bytes.as_mut_ptr().cast(), integers);
            }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { _mm512_add_ps(self, other) }
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            unsafe { _mm512_sub_ps(self, other) }
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            unsafe { _mm512_mul_ps(self, other) }
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            unsafe { _mm512_div_ps(self, other) }
        }

        #[inline(always)]
        fn mul_add(self, factor: Self, summand: Self) -> Self {
            unsafe { _mm512_fmadd_ps(self, factor, summand) }
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            unsafe { _mm512_max_ps(self, other) }
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            unsafe { _mm512_min_ps(self, other) }
        }

        #[inline(always)]
        fn abs(self) -> Self {
            unsafe { _mm512_abs_ps(self) }
        }

        #[inline(always)]
        fn round(self) -> Self {
            unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self) }
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            unsafe {
                let biased = _mm512_add_epi32(_mm512_cvtps_epi32(self), _mm512_set1_epi32(127));
                _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
            }
        }

        #[inline(always)]
        fn copy_sign(self, sign: Self) -> Self {
            unsafe {
                let mask = _mm512_set1_epi32(i32::MIN);
                let sign = _mm512_and_si512(_mm512_castps_si512(sign), mask);
                let magnitude = _mm512_andnot_si512(mask, _mm512_castps_si512(self));
                _mm512_castsi512_ps(_mm512_or_si512(magnitude, sign))
            }
        }
    }
}
