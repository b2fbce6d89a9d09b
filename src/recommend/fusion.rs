//! Two likenesses → one score.

use super::pool::Candidate;
use super::{Mode, RecommendOptions, Weights};

/// What a score is the sum of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Contributions {
    pub semantic: f64,
    pub keyword: f64,
    /// The difference that the article's age made: 0 or less.
    pub freshness: f64,
    /// The difference that likeness to articles listed before made, at the time this one was chosen: 0 or less.
    pub diversity: f64,
}

impl Contributions {
    /// What ranks the article.
    pub fn score(self) -> f64 {
        self.semantic + self.keyword + self.freshness + self.diversity
    }
}

/// What each candidate's likenesses contribute, in their order.
///
/// In a hybrid ranking each likeness is divided by the largest in the pool, below zero counted as zero. That does not depend on
/// how deep the pool is, as scaling between the least and the largest would.
pub fn contributions(candidates: &[Candidate], options: &RecommendOptions) -> Vec<Contributions> {
    let cosine =
        |candidate: &Candidate| candidate.nearness.map_or(0.0, |nearness| f64::from(nearness.cosine));
    let bm25 = |candidate: &Candidate| f64::from(candidate.bm25);
    let largest_cosine = candidates.iter().map(cosine).fold(0.0, f64::max);
    let largest_bm25 = candidates.iter().map(bm25).fold(0.0, f64::max);
    let Weights { semantic, keyword } = options.weights;
    let of = |candidate: &Candidate| {
        let (semantic, keyword) = match options.mode {
            Mode::Semantic => (cosine(candidate), 0.0),
            Mode::Keyword => (0.0, bm25(candidate)),
            Mode::Hybrid => (
                f64::from(semantic) * share(cosine(candidate), largest_cosine),
                f64::from(keyword) * share(bm25(candidate), largest_bm25),
            ),
        };
        Contributions { semantic, keyword, ..Contributions::default() }
    };
    candidates.iter().map(of).collect()
}

/// `value` as a share of the `largest`, below zero counted as zero.
pub(super) fn share(value: f64, largest: f64) -> f64 {
    if largest > 0.0 { value.max(0.0) / largest } else { 0.0 }
}
