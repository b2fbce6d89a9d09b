//! How close the vectors of one arithmetic are to those of another.

use serde::{Deserialize, Serialize};

use crate::embedding::vector::Embedding;

/// Neighbours of a text that are compared.
const NEIGHBOURS: usize = 10;

/// How close vectors are to others of the same texts.
///
/// All vectors of a model share a direction, which makes any two look alike: cosines are taken after the mean of the
/// reference is subtracted from both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closeness {
    /// Of all texts.
    pub mean_cosine: f64,
    pub smallest_cosine: f64,
    /// Which share of the ten nearest texts of each text are the same.
    pub overlap: f64,
}

impl Closeness {
    /// Of `vectors` to those of `reference`, in the same order.
    pub fn of(vectors: &[Embedding], reference: &[Embedding]) -> Self {
        let mean = mean(reference);
        let cosines = vectors.iter().zip(reference).map(|(a, b)| cosine_from(&mean, a, b));
        let cosines: Vec<_> = cosines.collect();
        let texts = cosines.len().max(1) as f64;
        let same = (0..vectors.len()).map(|text| {
            let (ours, theirs) = (nearest(text, vectors), nearest(text, reference));
            let common = ours.iter().filter(|other| theirs.contains(other)).count();
            common as f64 / theirs.len().max(1) as f64
        });
        Self {
            mean_cosine: cosines.iter().sum::<f64>() / texts,
            smallest_cosine: cosines.iter().copied().fold(1.0, f64::min),
            overlap: same.sum::<f64>() / texts,
        }
    }
}

fn mean(vectors: &[Embedding]) -> Vec<f64> {
    let mut mean = vec![0.0; vectors.first().map_or(0, Embedding::dimension)];
    for vector in vectors {
        for (mean, value) in mean.iter_mut().zip(vector.as_slice()) {
            *mean += f64::from(*value) / vectors.len() as f64;
        }
    }
    mean
}

/// The cosine as seen from `origin`.
fn cosine_from(origin: &[f64], a: &Embedding, b: &Embedding) -> f64 {
    let (mut product, mut squares) = (0.0, [0.0, 0.0]);
    for (origin, (a, b)) in origin.iter().zip(a.as_slice().iter().zip(b.as_slice())) {
        let (a, b) = (f64::from(*a) - origin, f64::from(*b) - origin);
        product += a * b;
        squares = [squares[0] + a * a, squares[1] + b * b];
    }
    let lengths = (squares[0] * squares[1]).sqrt();
    // Two vectors at the origin have no direction to differ in.
    if lengths > 0.0 { product / lengths } else { 1.0 }
}

/// The texts whose vectors are most like that of `text`.
fn nearest(text: usize, vectors: &[Embedding]) -> Vec<usize> {
    let mut others: Vec<_> = (0..vectors.len()).filter(|other| *other != text).collect();
    others.sort_by(|a, b| vectors[text].cosine(&vectors[*b]).total_cmp(&vectors[text].cosine(&vectors[*a])));
    others.truncate(NEIGHBOURS);
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(turned: f32) -> Vec<Embedding> {
        let vector = |angle: f32| Embedding::normalised(vec![angle.cos(), angle.sin(), 3.0]).unwrap();
        (0..40).map(|text| vector(text as f32 * 0.15 + turned * (text % 2) as f32)).collect()
    }

    #[test]
    fn equal_vectors_are_close_and_others_are_not() {
        let same = Closeness::of(&vectors(0.0), &vectors(0.0));
        assert!(same.mean_cosine > 1.0 - 1e-6 && same.smallest_cosine > 1.0 - 1e-6, "{same:?}");
        assert_eq!(same.overlap, 1.0);
        let turned = Closeness::of(&vectors(0.5), &vectors(0.0));
        // Half of them are turned by half a radian around the mean.
        assert!((turned.smallest_cosine - 0.5_f64.cos()).abs() < 0.02, "{turned:?}");
        assert!((turned.mean_cosine - (1.0 + 0.5_f64.cos()) / 2.0).abs() < 0.02, "{turned:?}");
        assert!(turned.overlap < 0.9, "{turned:?}");
        // Without the mean subtracted they would look alike.
        assert!(vectors(0.5)[1].cosine(&vectors(0.0)[1]) > 0.98);
    }
}
