//! The inner loops, once for each set of instructions. All of them compute the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(test)]
mod tests;

use crate::Instructions;
use crate::planes::Planes;
use crate::signs::{Estimate, QUERY_BITS, Signs};

/// Rows that are fetched ahead of their use: they lie all over memory.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 4;

/// Has the lines of `bytes` brought into the cache.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "an intrinsic that takes a pointer")]
fn fetch(bytes: &[u8]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    for line in bytes.as_chunks::<64>().0 {
        // SAFETY: fetching has no effect that the program could see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// Calls `see` with each of `rows` and the product of its high bytes with those of a query.
pub fn products_of_bytes(
    instructions: Instructions,
    planes: &Planes<'_>,
    query: &[i8],
    rows: &[u32],
    see: impl FnMut(usize, i32),
) {
    match instructions {
        Instructions::Portable => portable::products_of_bytes(planes, query, rows, see),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx2 => unsafe { avx2::products_of_bytes(planes, query, rows, see) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx512 => unsafe { avx512::products_of_bytes(planes, query, rows, see) },
    }
}

/// Calls `see` with each of `rows` and the product of its integers with those of a query.
pub fn products(
    instructions: Instructions,
    planes: &Planes<'_>,
    query: &[i16],
    rows: &[u32],
    see: impl FnMut(usize, i64),
) {
    match instructions {
        Instructions::Portable => portable::products(planes, query, rows, see),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx2 => unsafe { avx2::products(planes, query, rows, see) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx512 => unsafe { avx512::products(planes, query, rows, see) },
    }
}

/// Calls `see` with each row of `signs` whose estimate is at least what `see` returned last.
pub fn scan_signs(
    instructions: Instructions,
    signs: &Signs<'_>,
    query: &[[u64; QUERY_BITS]],
    estimate: Estimate,
    least: f32,
    see: impl FnMut(f32, u32) -> f32,
) {
    match instructions {
        Instructions::Portable => portable::scan_signs(signs, query, estimate, least, see),
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx2 => unsafe { avx2::scan_signs(signs, query, estimate, least, see) },
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "who has the value has asked the processor")]
        Instructions::Avx512 => unsafe { avx512::scan_signs(signs, query, estimate, least, see) },
    }
}
