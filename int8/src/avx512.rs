//! x86-64 with AVX-512 and VNNI.
#![expect(unsafe_code, reason = "intrinsics; `Avx512` is only used where the processor has them")]

use std::arch::{asm, x86_64::*};
use std::mem::transmute;

use crate::activation::QuantisedRows;
use crate::lanes::{LANES, MANTISSA_BITS, MultiplyBlocks, Pairs, Processor, Sums, Vector};
use crate::product::{Panel, Rows};
use crate::weight::Columns;

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
    type Sums = __m512i;

    #[inline(always)]
    fn multiply(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
        crate::product::multiply_in_blocks::<Self>(rows, weight, output, stride);
    }
}

impl MultiplyBlocks for Avx512 {
    #[inline(always)]
    fn multiply_block<const ROWS: usize>(
        rows: Rows<'_>,
        panel: Panel<'_>,
        output: &mut [f32],
        stride: usize,
    ) {
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
            let integers = _mm512_cvtps_epi32(_mm512_max_ps(self, _mm512_setzero_ps()));
            let integers = _mm512_cvtusepi32_epi8(integers);
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
    fn add_to_exponent(self, shifted: Self) -> Self {
        unsafe {
            let exponent = _mm512_slli_epi32::<MANTISSA_BITS>(_mm512_castps_si512(shifted));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self), exponent))
        }
    }

    #[inline(always)]
    fn store_shorts(self, shorts: &mut [i16]) {
        let shorts = &mut shorts[..LANES];
        unsafe {
            let integers = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(self));
            _mm256_storeu_si256(shorts.as_mut_ptr().cast(), integers);
        }
    }

    #[inline(always)]
    fn pair(self, second: Self) -> Pairs {
        let mut pairs = Pairs([[0; 2]; LANES]);
        unsafe {
            let second = _mm512_slli_epi32::<16>(_mm512_cvtps_epi32(second));
            let both = _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_cvtps_epi32(self), second);
            _mm512_store_si512((&raw mut pairs).cast(), both);
        }
        pairs
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        unsafe { halved(self, |a, b| _mm512_add_ps(a, b)) }
    }

    #[inline(always)]
    fn largest(self) -> f32 {
        unsafe { halved(self, |a, b| _mm512_max_ps(a, b)) }
    }

    #[inline(always)]
    fn smallest(self) -> f32 {
        unsafe { halved(self, |a, b| _mm512_min_ps(a, b)) }
    }
}

/// As `lanes::halved`, in registers: the upper half of what is left comes down onto the lower one.
#[inline(always)]
unsafe fn halved(lanes: __m512, combine: impl Fn(__m512, __m512) -> __m512) -> f32 {
    // SAFETY: the caller's.
    unsafe {
        let lanes = combine(lanes, _mm512_shuffle_f32x4::<0b01_00_11_10>(lanes, lanes));
        let lanes = combine(lanes, _mm512_shuffle_f32x4::<0b10_11_00_01>(lanes, lanes));
        let lanes = combine(lanes, _mm512_permute_ps::<0b01_00_11_10>(lanes));
        let lanes = combine(lanes, _mm512_permute_ps::<0b10_11_00_01>(lanes));
        _mm512_cvtss_f32(lanes)
    }
}

// SAFETY: as above.
impl Sums for __m512i {
    type Vector = __m512;

    #[inline(always)]
    fn zero() -> Self {
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    fn add_products(self, pairs: &Pairs, pair: [i16; 2]) -> Self {
        unsafe {
            let pairs = _mm512_load_si512((&raw const *pairs).cast());
            let pair = _mm512_set1_epi32(transmute::<[i16; 2], i32>(pair));
            add_products_of_pairs(self, pairs, pair)
        }
    }

    #[inline(always)]
    fn to_floats(self) -> Self::Vector {
        unsafe { _mm512_cvtepi32_ps(self) }
    }
}

/// `_mm512_dpwssd_epi32`, which the compiler splits into a product and a sum where it sees two in a row.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add_products_of_pairs(mut sums: __m512i, pairs: __m512i, pair: __m512i) -> __m512i {
    // SAFETY: the function's features have the instruction, which reads and writes registers alone.
    unsafe {
        asm!(
            "vpdpwssd {sums}, {pairs}, {pair}",
            sums = inout(zmm_reg) sums, pairs = in(zmm_reg) pairs, pair = in(zmm_reg) pair,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}
