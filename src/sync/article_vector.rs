//! The vectors of an article's passages → the vector of the article.

use crate::embedding::Embedding;

/// How much the first passage counts beside the mean of all, which counts the rest to 1. The beginning says what an article
/// is about; the mean of a long one is about everything and near to nothing in particular. Chosen on four collections
/// (`docs/decisions/0026-lead-of-an-article.md`).
pub const LEAD_SHARE: f32 = 0.4;

/// The direction of `lead_share` of the first passage and the rest of the mean of all; of a single passage its own. `None`
/// when there are none, when their dimensions differ, or when they cancel out.
pub fn article_vector(passages: &[Embedding], lead_share: f32) -> Option<Embedding> {
    let mean_share = (1.0 - lead_share) / passages.len() as f32;
    let share = |ordinal: usize| if ordinal == 0 { lead_share + mean_share } else { mean_share };
    Embedding::weighted_sum(passages.iter().enumerate().map(|(ordinal, passage)| (passage, share(ordinal))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(vectors: &[[f32; 2]]) -> Vec<Embedding> {
        vectors.iter().map(|vector| Embedding::new(vector.to_vec()).unwrap()).collect()
    }

    #[test]
    fn the_lead_counts_more_than_what_follows() {
        let vector = article_vector(&passages(&[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), 0.4).unwrap();
        // 0.4 + 0.2 of the first, 2 × 0.2 of the others.
        assert!((vector.as_slice()[0] / vector.as_slice()[1] - 1.5).abs() < 1e-6);
    }

    #[test]
    fn a_share_of_zero_is_the_mean_and_one_passage_is_itself() {
        let mean = article_vector(&passages(&[[1.0, 0.0], [0.0, 1.0]]), 0.0).unwrap();
        assert!((mean.as_slice()[0] - 0.5_f32.sqrt()).abs() < 1e-6);
        let single = passages(&[[0.6, 0.8]]);
        assert!(single[0].cosine(&article_vector(&single, LEAD_SHARE).unwrap()) > 1.0 - 1e-6);
    }

    #[test]
    fn what_has_no_direction_is_none() {
        assert_eq!(article_vector(&passages(&[[1.0, 0.0], [-1.0, 0.0]]), 0.0), None);
        assert_eq!(article_vector(&[], LEAD_SHARE), None);
    }
}
