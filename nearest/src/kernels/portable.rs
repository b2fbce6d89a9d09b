//! For any processor. The compiler vectorises these loops with what the architecture has anyway.

use crate::planes::{Planes, integer};
use crate::signs::{BLOCK, Estimate, QUERY_BITS, Signs};

pub fn products_of_bytes(planes: &Planes<'_>, query: &[i8], rows: &[u32], mut see: impl FnMut(usize, i32)) {
    for row in rows {
        let row = *row as usize;
        let bytes = planes.high_of(row).iter().zip(query);
        see(row, bytes.map(|(byte, query)| i32::from(*byte) * i32::from(*query)).sum());
    }
}

pub fn products(planes: &Planes<'_>, query: &[i16], rows: &[u32], mut see: impl FnMut(usize, i64)) {
    for row in rows {
        let row = *row as usize;
        let bytes = planes.high_of(row).iter().zip(planes.low_of(row)).zip(query);
        let product = |((high, low), query): ((&u8, &u8), &i16)| {
            i64::from(i32::from(integer(*high, *low)) * i32::from(*query))
        };
        see(row, bytes.map(product).sum());
    }
}

pub fn scan_signs(
    signs: &Signs<'_>,
    query: &[[u64; QUERY_BITS]],
    estimate: Estimate,
    mut least: f32,
    mut see: impl FnMut(f32, u32) -> f32,
) {
    for (block, words) in signs.words.chunks_exact(BLOCK * signs.words_per_row).enumerate() {
        let mut sums = [0_u32; BLOCK];
        for (words, planes) in words.as_chunks::<BLOCK>().0.iter().zip(query) {
            for (plane, query) in planes.iter().enumerate() {
                for (sum, word) in sums.iter_mut().zip(words) {
                    *sum += (word & query).count_ones() << plane;
                }
            }
        }
        for (lane, sum) in sums.into_iter().enumerate() {
            let row = block * BLOCK + lane;
            let score = estimate.of(sum, signs.ones[row], signs.factors[row]);
            if score >= least {
                least = see(score, row as u32);
            }
        }
    }
}
