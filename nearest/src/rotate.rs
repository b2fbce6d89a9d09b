//! A random rotation, the same for all vectors: it spreads what a vector has over all components, which makes their signs worth as much as
//! each other.

/// Longest part that is transformed as a whole.
const PART_MAX_BITS: u32 = 9;
const ROUNDS: usize = 3;

/// Rotates `values`, whose number must be a multiple of 64, by rounds of random changes of sign, Walsh-Hadamard transforms of parts, and a
/// permutation that mixes the parts (after Andoni et al., "Practical and Optimal LSH for Angular Distance", 2015). Lengths and
/// angles stay as they are.
pub fn rotate(values: &mut [f32]) {
    debug_assert!(values.len().is_multiple_of(64));
    let width = 1_usize << values.len().trailing_zeros().min(PART_MAX_BITS);
    let scale = (width as f32).sqrt().recip();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut before = vec![0.0; values.len()];
    for _ in 0..ROUNDS {
        for value in values.iter_mut() {
            // Xorshift (Marsaglia, 2003).
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random & 1 == 1 {
                *value = -*value;
            }
        }
        for part in values.chunks_exact_mut(width) {
            transform(part);
            part.iter_mut().for_each(|value| *value *= scale);
        }
        let parts = values.len() / width;
        before.copy_from_slice(values);
        for (place, value) in values.iter_mut().enumerate() {
            *value = before[(place % parts) * width + place / parts];
        }
    }
}

/// The Walsh-Hadamard transform, not normalised.
fn transform(part: &mut [f32]) {
    let mut half = 1;
    while half < part.len() {
        for pair in part.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_angles_stay() {
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        for length in [64, 128, 192, 320, 384, 768, 1024, 4096] {
            let mut a: Vec<f32> = (0..length).map(|n| (n as f32 * 0.7).sin()).collect();
            let mut b: Vec<f32> = (0..length).map(|n| (n as f32 * 1.3).cos()).collect();
            let before = [product(&a, &a), product(&a, &b), product(&b, &b)];
            rotate(&mut a);
            rotate(&mut b);
            for (before, after) in before.into_iter().zip([product(&a, &a), product(&a, &b), product(&b, &b)])
            {
                assert!((before - after).abs() < 1e-3 * length as f32, "{length}: {before} {after}");
            }
        }
    }

    #[test]
    fn what_is_in_one_component_is_spread_over_all() {
        for length in [64, 192, 384, 768] {
            let mut values = vec![0.0; length];
            values[5] = 1.0;
            rotate(&mut values);
            let largest = values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
            assert!(largest < 6.0 / (length as f32).sqrt(), "{length}: {largest}");
        }
    }
}
