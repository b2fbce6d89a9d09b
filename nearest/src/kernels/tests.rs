//! All instructions give the same bits, and what they give is right.

use proptest::prelude::*;

use crate::{Best, Encoded, Instructions, Planes, Query, SignQuery, SignRows, Signs, encode, stride};

/// Rows in memory.
struct Rows {
    dimension: usize,
    vectors: Vec<Vec<f32>>,
    high: Vec<u8>,
    low: Vec<u8>,
    scales: Vec<f32>,
}

impl Rows {
    fn new(dimension: usize, vectors: Vec<Vec<f32>>) -> Self {
        let mut rows = Self { dimension, vectors, high: Vec::new(), low: Vec::new(), scales: Vec::new() };
        for vector in &rows.vectors {
            let Encoded { scale, high, low } = encode(vector);
            rows.scales.push(scale);
            rows.high.extend(high);
            rows.low.extend(low);
        }
        rows
    }

    fn planes(&self) -> Planes<'_> {
        Planes::new(self.dimension, &self.high, &self.low, &self.scales)
    }
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// Vectors of unit length, as random as they are like each other.
fn vectors(dimension: usize, count: usize, mut seed: u64) -> Vec<Vec<f32>> {
    let mut random = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| unit((0..dimension).map(|_| random() + 0.3).collect())).collect()
}

#[derive(Default)]
struct SignVectors {
    words: Vec<u64>,
    factors: Vec<f32>,
    ones: Vec<u16>,
}

impl SignVectors {
    fn rows(&mut self) -> SignRows<'_> {
        SignRows { words: &mut self.words, factors: &mut self.factors, ones: &mut self.ones }
    }

    fn view(&self, dimension: usize, rows: usize) -> Signs<'_> {
        Signs::new(dimension, rows, &self.words, &self.factors, &self.ones)
    }
}

fn signs(dimension: usize, vectors: &[Vec<f32>]) -> SignVectors {
    let mut signs = SignVectors::default();
    for (row, vector) in vectors.iter().enumerate() {
        // One way to add a row is as good as the other.
        if row % 3 == 1 {
            let mut others = SignVectors::default();
            (0..row % 20).for_each(|other| others.rows().push(other, &vectors[0]));
            others.rows().push(row % 20, vector);
            signs.rows().copy(row, &others.view(dimension, row % 20 + 1), row % 20);
        } else {
            signs.rows().push(row, vector);
        }
    }
    signs
}

fn exact(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_instructions_agree(dimension in prop_oneof![1..70_usize, Just(100), Just(312), Just(384), Just(768), Just(1_024), Just(4_096)], count in 1..40_usize, seed: u64) {
        let rows = Rows::new(dimension, vectors(dimension, count, seed));
        let vector = vectors(dimension, 1, !seed).remove(0);
        let (query, sign_query) = (Query::new(&vector), SignQuery::new(&vector));
        let signs = signs(dimension, &rows.vectors);
        let numbers: Vec<u32> = (0..count as u32).rev().collect();
        let mut all = Vec::new();
        for instructions in Instructions::available() {
            let (mut coarse, mut fine, mut estimates) = (Vec::new(), Vec::new(), Vec::new());
            rows.planes().coarse(instructions, &query, &numbers, &mut coarse);
            rows.planes().fine(instructions, &query, &numbers, &mut fine);
            signs.view(dimension, count).scan(instructions, &sign_query, -0.5, |score, row| {
                estimates.push((score.to_bits(), row));
                -0.5
            });
            for (row, (coarse, fine)) in numbers.iter().zip(coarse.iter().zip(&fine)) {
                let exact = exact(&vector, &rows.vectors[*row as usize]) as f32;
                prop_assert!((coarse - exact).abs() < 0.02 && (fine - exact).abs() < 1e-4, "{} {} {}", coarse, fine, exact);
            }
            all.push((coarse, fine, estimates));
        }
        prop_assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn a_stored_vector_is_what_was_encoded() {
    for dimension in [1, 32, 63, 64, 384] {
        let rows = Rows::new(dimension, vectors(dimension, 9, 7));
        for (row, vector) in rows.vectors.iter().enumerate() {
            let found = rows.planes().vector(row, dimension);
            assert_eq!(found.len(), dimension);
            let scale = rows.scales[row];
            assert!(found.iter().zip(vector).all(|(found, value)| (found - value).abs() <= 0.51 * scale));
        }
        assert_eq!(rows.high.len(), 9 * stride(dimension));
    }
}

#[test]
fn extreme_vectors_do_not_overflow() {
    for dimension in [64, 4_096] {
        let flat = unit(vec![1.0; dimension]);
        let mut one = vec![0.0; dimension];
        one[0] = -1.0;
        let rows = Rows::new(dimension, vec![flat.clone(), one.clone(), vec![0.0; dimension]]);
        for instructions in Instructions::available() {
            for (vector, expected) in
                [(&flat, [1.0, exact(&flat, &one), 0.0]), (&one, [exact(&flat, &one), 1.0, 0.0])]
            {
                let (mut coarse, mut fine) = (Vec::new(), Vec::new());
                rows.planes().coarse(instructions, &Query::new(vector), &[0, 1, 2], &mut coarse);
                rows.planes().fine(instructions, &Query::new(vector), &[0, 1, 2], &mut fine);
                for (expected, (coarse, fine)) in expected.into_iter().zip(coarse.into_iter().zip(fine)) {
                    assert!((f64::from(coarse) - expected).abs() < 0.02, "{coarse} {expected}");
                    assert!((f64::from(fine) - expected).abs() < 1e-4, "{fine} {expected}");
                }
            }
        }
    }
}

#[test]
fn what_is_nearest_seems_near() {
    let dimension = 384;
    let vectors = vectors(dimension, 3_000, 3);
    let signs = signs(dimension, &vectors);
    let mut found = 0;
    for query in &vectors[..50] {
        // Something near it.
        let query = unit(query.iter().zip(&vectors[2_999]).map(|(a, b)| a + b).collect());
        let mut seems = Best::new(200, |row: u32| row);
        signs.view(dimension, vectors.len()).scan(
            Instructions::fastest(),
            &SignQuery::new(&query),
            seems.least(),
            |score, row| {
                seems.offer(score, row);
                seems.least()
            },
        );
        let mut wanted = Best::new(10, |row: u32| row);
        for (row, vector) in vectors.iter().enumerate() {
            wanted.offer(exact(&query, vector) as f32, row as u32);
        }
        let seems: Vec<u32> = seems.into_unsorted().into_iter().map(|(_, row)| row).collect();
        found += wanted.into_sorted().iter().filter(|(_, row)| seems.contains(row)).count();
    }
    // These vectors have no structure: chance would bring 20.
    assert!(found > 400, "{found} of 500");
}
