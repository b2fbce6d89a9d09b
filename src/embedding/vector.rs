//! A text's vector: finite and of unit length, so that a dot product is the cosine similarity.

use std::sync::Arc;

/// How far from 1 the squared length of a stored vector may be: rounding to 32-bit floats stays well below.
const LENGTH_TOLERANCE: f64 = 1e-3;

/// A finite vector of unit length. Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding(Arc<[f32]>);

/// Why a sequence of numbers is no embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmbedding {
    #[error("the vector is not finite")]
    NotFinite,
    #[error("the vector has no direction")]
    Zero,
    #[error("the vector does not have unit length")]
    NotUnitLength,
    #[error("the bytes are not a sequence of 32-bit floats")]
    NotFloats,
}

impl Embedding {
    /// Takes a vector that already has unit length, unchanged.
    pub fn new(values: Vec<f32>) -> Result<Self, InvalidEmbedding> {
        if (length(&values)?.powi(2) - 1.0).abs() > LENGTH_TOLERANCE {
            return Err(InvalidEmbedding::NotUnitLength);
        }
        Ok(Self(values.into()))
    }

    /// Scales a vector to unit length.
    pub fn normalised(mut values: Vec<f32>) -> Result<Self, InvalidEmbedding> {
        let length = length(&values)?;
        for value in &mut values {
            *value = (f64::from(*value) / length) as f32;
        }
        Ok(Self(values.into()))
    }

    /// The direction of the sum of `embeddings`, each times its weight. `None` when there are none, when their dimensions
    /// differ, or when they cancel out.
    pub fn weighted_sum<'a>(embeddings: impl IntoIterator<Item = (&'a Self, f32)>) -> Option<Self> {
        let mut sum: Vec<f32> = Vec::new();
        for (embedding, weight) in embeddings {
            if sum.is_empty() {
                sum.resize(embedding.dimension(), 0.0);
            }
            if embedding.dimension() != sum.len() {
                return None;
            }
            for (sum, value) in sum.iter_mut().zip(embedding.as_slice()) {
                *sum += weight * value;
            }
        }
        Self::normalised(sum).ok()
    }

    /// The components.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The number of components.
    pub fn dimension(&self) -> usize {
        self.0.len()
    }

    /// The cosine similarity, from -1 to 1.
    ///
    /// # Panics
    /// In debug builds, when the dimensions differ: such vectors come from different models.
    pub fn cosine(&self, other: &Self) -> f32 {
        debug_assert_eq!(self.dimension(), other.dimension());
        let products = self.0.iter().zip(other.as_slice()).map(|(a, b)| a * b);
        products.sum::<f32>().clamp(-1.0, 1.0)
    }

    /// The components as little-endian 32-bit floats, for storage.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads what [`Embedding::to_le_bytes`] wrote, bit for bit.
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Self, InvalidEmbedding> {
        let (floats, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(InvalidEmbedding::NotFloats);
        }
        Self::new(floats.iter().copied().map(f32::from_le_bytes).collect())
    }
}

/// The Euclidean length of a vector that has one: finite and not zero.
fn length(values: &[f32]) -> Result<f64, InvalidEmbedding> {
    let squared: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
    if !squared.is_finite() {
        return Err(InvalidEmbedding::NotFinite);
    }
    if squared == 0.0 {
        return Err(InvalidEmbedding::Zero);
    }
    Ok(squared.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_vectors_of_unit_length_are_embeddings() {
        assert_eq!(Embedding::new(vec![0.6, 0.8]).unwrap().as_slice(), [0.6, 0.8]);
        assert_eq!(Embedding::new(vec![0.6, 0.9]), Err(InvalidEmbedding::NotUnitLength));
        assert_eq!(Embedding::new(vec![f32::NAN, 1.0]), Err(InvalidEmbedding::NotFinite));
        assert_eq!(Embedding::normalised(vec![f32::INFINITY]), Err(InvalidEmbedding::NotFinite));
        assert_eq!(Embedding::normalised(vec![0.0, 0.0]), Err(InvalidEmbedding::Zero));
        assert_eq!(Embedding::normalised(vec![]), Err(InvalidEmbedding::Zero));
        assert_eq!(Embedding::normalised(vec![3.0, 4.0]).unwrap().as_slice(), [0.6, 0.8]);
    }

    #[test]
    fn bytes_restore_the_same_bits() {
        let embedding = Embedding::normalised(vec![0.1, -0.2, 0.7]).unwrap();
        let bytes = embedding.to_le_bytes();
        assert_eq!(Embedding::from_le_bytes(&bytes).unwrap(), embedding);
        assert_eq!(Embedding::from_le_bytes(&bytes[1..]), Err(InvalidEmbedding::NotFloats));
    }

    #[test]
    fn a_weighted_sum_is_the_direction_of_the_sum() {
        let right = Embedding::new(vec![1.0, 0.0]).unwrap();
        let up = Embedding::new(vec![0.0, 1.0]).unwrap();
        let left = Embedding::new(vec![-1.0, 0.0]).unwrap();
        let sum = Embedding::weighted_sum([(&right, 3.0), (&up, 4.0)]).unwrap();
        assert!((sum.cosine(&right) - 0.6).abs() < 1e-6);
        assert_eq!(Embedding::weighted_sum([(&right, 1.0), (&left, 1.0)]), None);
        let short = Embedding::new(vec![1.0]).unwrap();
        assert_eq!(Embedding::weighted_sum([(&right, 1.0), (&short, 1.0)]), None);
        assert_eq!(Embedding::weighted_sum([]), None);
    }
}
