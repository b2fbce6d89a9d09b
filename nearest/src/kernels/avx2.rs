//! With AVX2.
#![expect(unsafe_code, reason = "intrinsics that read memory")]

use std::arch::x86_64::*;

use super::{AHEAD, fetch};
use crate::planes::Planes;
use crate::signs::{BLOCK, Estimate, QUERY_BITS, Signs};

/// 16-bit integers of a vector.
const WIDTH: usize = 16;

/// Sixteen bytes.
#[inline(always)]
fn load_bytes<T>(values: &[T; WIDTH]) -> __m128i {
    const { assert!(size_of::<[T; WIDTH]>() == 16) };
    // SAFETY: the array has as many bytes as are read, and need not be aligned.
    unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
}

#[inline(always)]
fn load<T, const COUNT: usize>(values: &[T; COUNT]) -> __m256i {
    const { assert!(size_of::<[T; COUNT]>() == 32) };
    // SAFETY: the array has as many bytes as are read, and need not be aligned.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
pub fn products_of_bytes(planes: &Planes<'_>, query: &[i8], rows: &[u32], mut see: impl FnMut(usize, i32)) {
    let query = query.as_chunks::<WIDTH>().0;
    for (at, row) in rows.iter().enumerate() {
        if let Some(ahead) = rows.get(at + AHEAD) {
            fetch(planes.high_of(*ahead as usize));
        }
        let row = *row as usize;
        let mut sums = [_mm256_setzero_si256(); 2];
        for (step, (bytes, query)) in planes.high_of(row).as_chunks::<WIDTH>().0.iter().zip(query).enumerate()
        {
            // Products of bytes, added in pairs of 16 bits, would overflow.
            let bytes = _mm256_cvtepu8_epi16(load_bytes(bytes));
            let products = _mm256_madd_epi16(bytes, _mm256_cvtepi8_epi16(load_bytes(query)));
            sums[step % 2] = _mm256_add_epi32(sums[step % 2], products);
        }
        let sums: [i32; 8] = lanes(_mm256_add_epi32(sums[0], sums[1]));
        see(row, sums.into_iter().sum());
    }
}

#[target_feature(enable = "avx2")]
pub fn products(planes: &Planes<'_>, query: &[i16], rows: &[u32], mut see: impl FnMut(usize, i64)) {
    let bias = _mm256_set1_epi16(128);
    let query = query.as_chunks::<WIDTH>().0;
    for (at, row) in rows.iter().enumerate() {
        if let Some(ahead) = rows.get(at + AHEAD) {
            fetch(planes.high_of(*ahead as usize));
            fetch(planes.low_of(*ahead as usize));
        }
        let row = *row as usize;
        let mut sums = [_mm256_setzero_si256(); 2];
        let high = planes.high_of(row).as_chunks::<WIDTH>().0;
        let low = planes.low_of(row).as_chunks::<WIDTH>().0;
        for ((high, low), query) in high.iter().zip(low).zip(query) {
            let high = _mm256_sub_epi16(_mm256_cvtepu8_epi16(load_bytes(high)), bias);
            let row = _mm256_add_epi16(_mm256_slli_epi16::<8>(high), _mm256_cvtepi8_epi16(load_bytes(low)));
            // Two products fit in 32 bits, more may not.
            let pairs = _mm256_madd_epi16(row, load(query));
            let lower = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(pairs));
            let upper = _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(pairs));
            sums = [_mm256_add_epi64(sums[0], lower), _mm256_add_epi64(sums[1], upper)];
        }
        let sums: [i64; 4] = lanes(_mm256_add_epi64(sums[0], sums[1]));
        see(row, sums.into_iter().sum());
    }
}

#[inline(always)]
fn lanes<T, const COUNT: usize>(vector: __m256i) -> [T; COUNT]
where
    [T; COUNT]: Default,
{
    const { assert!(size_of::<[T; COUNT]>() == 32) };
    let mut all = <[T; COUNT]>::default();
    // SAFETY: the array has as many bytes as are written; any bits are an integer.
    unsafe { _mm256_storeu_si256(all.as_mut_ptr().cast(), vector) };
    all
}

/// How many bits of each byte are set (Muła, Kurz and Lemire, "Faster population counts using AVX2 instructions", 2018).
#[target_feature(enable = "avx2")]
fn ones_of_bytes(words: __m256i) -> __m256i {
    let counts = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let nibble = _mm256_set1_epi8(0x0f);
    let lower = _mm256_shuffle_epi8(counts, _mm256_and_si256(words, nibble));
    let upper = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16::<4>(words), nibble));
    _mm256_add_epi8(lower, upper)
}

#[target_feature(enable = "avx2")]
pub fn scan_signs(
    signs: &Signs<'_>,
    query: &[[u64; QUERY_BITS]],
    estimate: Estimate,
    mut least: f32,
    mut see: impl FnMut(f32, u32) -> f32,
) {
    let zero = _mm256_setzero_si256();
    for (block, words) in signs.words.chunks_exact(BLOCK * signs.words_per_row).enumerate() {
        // Of four rows each.
        let mut sums = [zero; 2];
        for (words, planes) in words.as_chunks::<BLOCK>().0.iter().zip(query) {
            for (sum, words) in sums.iter_mut().zip(words.as_chunks::<4>().0) {
                let words = load(words);
                // Eight bits, each up to 8, times 1, 2, 4 and 8: 120 at most.
                let mut bytes = zero;
                for plane in planes.iter().rev() {
                    let common = _mm256_and_si256(words, _mm256_set1_epi64x(plane.cast_signed()));
                    bytes = _mm256_add_epi8(_mm256_add_epi8(bytes, bytes), ones_of_bytes(common));
                }
                *sum = _mm256_add_epi64(*sum, _mm256_sad_epu8(bytes, zero));
            }
        }
        let lower: [u64; 4] = lanes(sums[0]);
        let upper: [u64; 4] = lanes(sums[1]);
        for (lane, sum) in lower.into_iter().chain(upper).enumerate() {
            let row = block * BLOCK + lane;
            let score = estimate.of(sum as u32, signs.ones[row], signs.factors[row]);
            if score >= least {
                least = see(score, row as u32);
            }
        }
    }
}
