//! Two likenesses → one score.

use super::pool::Candidate;
use super::{Mode, RecommendOptions, Weights};

/// What ranks an article, and what it is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Contributions {
    pub semantic: f32,
    pub keyword: f32,
}

impl Contributions {
    /// What ranks the article.
    pub fn score(self) -> f32 {
        self.semantic + self.keyword
    }
}

/// What each candidate's likenesses contribute, in their order.
///
/// In a hybrid ranking each likeness is divided by the largest in the pool, below zero counted as zero. That does not depend on
/// how deep the pool is, as scaling between the least and the largest would.
pub fn contributions(candidates: &[Candidate], options: &RecommendOptions) -> Vec<Contributions> {
    let cosine = |candidate: &Candidate| candidate.nearness.map_or(0.0, |nearness| nearness.cosine);
    let largest = |value: fn(&Candidate) -> f32| candidates.iter().map(value).fold(0.0, f32::max);
    let largest_cosine = largest(|candidate| candidate.nearness.map_or(0.0, |nearness| nearness.cosine));
    let largest_bm25 = largest(|candidate| candidate.bm25);
    let Weights { semantic, keyword } = options.weights;
    let of = |candidate: &Candidate| match options.mode {
        Mode::Semantic => Contributions { semantic: cosine(candidate), keyword: 0.0 },
        Mode::Keyword => Contributions { semantic: 0.0, keyword: candidate.bm25 },
        Mode::Hybrid => Contributions {
            semantic: semantic * share(cosine(candidate), largest_cosine),
            keyword: keyword * share(candidate.bm25, largest_bm25),
        },
    };
    candidates.iter().map(of).collect()
}

fn share(value: f32, largest: f32) -> f32 {
    if largest > 0.0 { value.max(0.0) / largest } else { 0.0 }
}
