//! Articles to be like and unlike → the vector that is searched for.

use std::collections::HashMap;

use super::{RecommendError, RecommendOptions};
use crate::article::ArticleId;
use crate::index::Snapshot;

/// How much the mean of the liked and of the disliked articles counts beside the text or article, which counts 1
/// (Rocchio; the values of Manning, Raghavan and Schütze, Introduction to Information Retrieval, section 9.1.1).
const LIKE: f32 = 0.75;
const DISLIKE: f32 = 0.15;
/// Below this length a vector has no direction.
const LENGTH_MIN: f32 = 1e-6;

/// The vectors of the articles to be like and unlike, those left out that are not indexed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    like: Vec<Vec<f32>>,
    dislike: Vec<Vec<f32>>,
}

impl Examples {
    pub fn of(snapshot: &Snapshot, options: &RecommendOptions) -> Result<Self, RecommendError> {
        let articles: Vec<_> = options.like.iter().chain(&options.dislike).copied().collect();
        let vectors = snapshot.article_vectors(&articles)?;
        Ok(Self::among(&vectors, options))
    }

    /// Those that are among `vectors`.
    pub fn among(vectors: &HashMap<ArticleId, Vec<f32>>, options: &RecommendOptions) -> Self {
        let of = |articles: &[ArticleId]| {
            articles.iter().filter_map(|article| vectors.get(article).cloned()).collect()
        };
        Self { like: of(&options.like), dislike: of(&options.dislike) }
    }

    /// `vector` moved towards what is liked and away from what is not, of unit length.
    pub fn moved(&self, vector: Vec<f32>) -> Vec<f32> {
        let mut moved = vector.clone();
        add_mean(&mut moved, &self.like, LIKE);
        add_mean(&mut moved, &self.dislike, -DISLIKE);
        normalised(moved).unwrap_or(vector)
    }

    /// The vectors of the liked articles.
    pub fn liked(&self) -> &[Vec<f32>] {
        &self.like
    }

    /// What the liked articles alone stand for; `None` when there are none.
    pub fn centre(&self) -> Option<Vec<f32>> {
        let mut centre = vec![0.0; self.like.first()?.len()];
        add_mean(&mut centre, &self.like, LIKE);
        let liked = centre.clone();
        add_mean(&mut centre, &self.dislike, -DISLIKE);
        normalised(centre).or_else(|| normalised(liked)).or_else(|| self.like.first().cloned())
    }
}

fn add_mean(sum: &mut [f32], vectors: &[Vec<f32>], weight: f32) {
    #[expect(clippy::cast_precision_loss, reason = "few vectors")]
    let weight = weight / vectors.len() as f32;
    for vector in vectors {
        for (sum, value) in sum.iter_mut().zip(vector) {
            *sum += weight * value;
        }
    }
}

fn normalised(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < LENGTH_MIN {
        return None;
    }
    for value in &mut vector {
        *value /= length;
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(like: &[[f32; 2]], dislike: &[[f32; 2]]) -> Examples {
        let vectors = |vectors: &[[f32; 2]]| vectors.iter().map(|vector| vector.to_vec()).collect();
        Examples { like: vectors(like), dislike: vectors(dislike) }
    }

    #[test]
    fn a_vector_moves_towards_the_liked_and_away_from_the_disliked() {
        let start = vec![1.0, 0.0];
        assert_eq!(examples(&[], &[]).moved(start.clone()), start);
        let liked = examples(&[[0.0, 1.0]], &[]).moved(start.clone());
        assert!((liked[1] / liked[0] - LIKE).abs() < 1e-6, "{liked:?}");
        assert!(examples(&[], &[[0.0, 1.0]]).moved(start)[1] < 0.0);
    }

    #[test]
    fn the_centre_needs_something_liked_and_always_has_a_direction() {
        assert_eq!(examples(&[], &[[0.0, 1.0]]).centre(), None);
        let centre = examples(&[[1.0, 0.0], [0.0, 1.0]], &[]).centre().unwrap();
        assert!((centre[0] - centre[1]).abs() < 1e-6);
        assert_eq!(examples(&[[1.0, 0.0], [-1.0, 0.0]], &[]).centre(), Some(vec![1.0, 0.0]));
    }
}
