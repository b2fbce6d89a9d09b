//! With AVX-512, VNNI and VPOPCNTDQ.
#![expect(unsafe_code, reason = "intrinsics that read memory")]

use std::arch::x86_64::*;

use super::{AHEAD, fetch};
use crate::planes::Planes;
use crate::signs::{BLOCK, Estimate, QUERY_BITS, Signs};

/// Bytes of a vector, and of a line of the cache.
const WIDTH: usize = 64;

#[inline(always)]
fn load<T, const COUNT: usize>(values: &[T; COUNT]) -> __m512i {
    const { assert!(size_of::<[T; COUNT]>() == WIDTH) };
    // SAFETY: the array has as many bytes as are read, and need not be aligned.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn products_of_bytes(planes: &Planes<'_>, query: &[i8], rows: &[u32], mut see: impl FnMut(usize, i32)) {
    let query = query.as_chunks::<WIDTH>().0;
    for (at, row) in rows.iter().enumerate() {
        if let Some(ahead) = rows.get(at + AHEAD) {
            fetch(planes.high_of(*ahead as usize));
        }
        let row = *row as usize;
        let mut sums = [_mm512_setzero_si512(); 2];
        for (step, (bytes, query)) in planes.high_of(row).as_chunks::<WIDTH>().0.iter().zip(query).enumerate()
        {
            sums[step % 2] = _mm512_dpbusd_epi32(sums[step % 2], load(bytes), load(query));
        }
        see(row, _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1])));
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
pub fn products(planes: &Planes<'_>, query: &[i16], rows: &[u32], mut see: impl FnMut(usize, i64)) {
    const HALF: usize = WIDTH / 2;
    let bias = _mm512_set1_epi16(128);
    let query = query.as_chunks::<HALF>().0;
    for (at, row) in rows.iter().enumerate() {
        if let Some(ahead) = rows.get(at + AHEAD) {
            fetch(planes.high_of(*ahead as usize));
            fetch(planes.low_of(*ahead as usize));
        }
        let row = *row as usize;
        let mut sums = [_mm512_setzero_si512(); 2];
        let high = planes.high_of(row).as_chunks::<HALF>().0;
        let low = planes.low_of(row).as_chunks::<HALF>().0;
        for ((high, low), query) in high.iter().zip(low).zip(query) {
            // SAFETY: each array has the 32 bytes that are read.
            let (high, low) = unsafe {
                (_mm256_loadu_si256(high.as_ptr().cast()), _mm256_loadu_si256(low.as_ptr().cast()))
            };
            let high = _mm512_slli_epi16::<8>(_mm512_sub_epi16(_mm512_cvtepu8_epi16(high), bias));
            let row = _mm512_add_epi16(high, _mm512_cvtepi8_epi16(low));
            // Two products fit in 32 bits, more may not.
            let pairs = _mm512_madd_epi16(row, load(query));
            let lower = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(pairs));
            let upper = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(pairs));
            sums = [_mm512_add_epi64(sums[0], lower), _mm512_add_epi64(sums[1], upper)];
        }
        see(row, _mm512_reduce_add_epi64(_mm512_add_epi64(sums[0], sums[1])));
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512vpopcntdq")]
pub fn scan_signs(
    signs: &Signs<'_>,
    query: &[[u64; QUERY_BITS]],
    estimate: Estimate,
    mut least: f32,
    mut see: impl FnMut(f32, u32) -> f32,
) {
    let times_sum = _mm256_set1_ps(estimate.times_sum);
    let times_ones = _mm256_set1_ps(estimate.times_ones);
    let less = _mm256_set1_ps(estimate.less);
    let blocks = signs.words.chunks_exact(BLOCK * signs.words_per_row);
    let factors = signs.factors.as_chunks::<BLOCK>().0;
    let ones = signs.ones.as_chunks::<BLOCK>().0;
    for (block, ((words, factors), ones)) in blocks.zip(factors).zip(ones).enumerate() {
        let mut sums = [_mm512_setzero_si512(); QUERY_BITS];
        for (words, planes) in words.as_chunks::<BLOCK>().0.iter().zip(query) {
            let words = load(words);
            for (sum, plane) in sums.iter_mut().zip(planes) {
                let common = _mm512_and_si512(words, _mm512_set1_epi64(plane.cast_signed()));
                *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(common));
            }
        }
        let mut sum = sums[QUERY_BITS - 1];
        for lower in sums[..QUERY_BITS - 1].iter().rev() {
            sum = _mm512_add_epi64(_mm512_add_epi64(sum, sum), *lower);
        }
        // SAFETY: the arrays have the eight numbers that are read.
        let (factors, ones) =
            unsafe { (_mm256_loadu_ps(factors.as_ptr()), _mm_loadu_si128(ones.as_ptr().cast())) };
        let ones = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(ones));
        let signed = _mm256_sub_ps(_mm256_mul_ps(times_ones, ones), less);
        let signed = _mm256_add_ps(signed, _mm256_mul_ps(times_sum, _mm512_cvtepi64_ps(sum)));
        let scores = _mm256_mul_ps(factors, signed);
        let mut near = _mm256_cmp_ps_mask::<_CMP_GE_OQ>(scores, _mm256_set1_ps(least));
        if near != 0 {
            let mut all = [0.0; BLOCK];
            // SAFETY: the array has the eight numbers that are written.
            unsafe { _mm256_storeu_ps(all.as_mut_ptr(), scores) };
            while near != 0 {
                let lane = near.trailing_zeros() as usize;
                near &= near - 1;
                if all[lane] >= least {
                    least = see(all[lane], (block * BLOCK + lane) as u32);
                }
            }
        }
    }
}
