//! Two similarities → one score.

use super::pool::Candidate;
use super::{Mode, RecommendOptions, Weights};
use crate::search::{Coverage, LookedFor};

/// So many of a query's words may be in an article by chance.
const WORDS_BY_CHANCE: usize = 2;
/// With each further word it is so much less likely that all are there by chance.
const CHANCE_OF_ANOTHER: f64 = 0.3;

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

/// What each candidate's similarities contribute, in their order.
///
/// In a hybrid ranking each similarity is divided by the largest in the pool, below zero counted as zero. That does not depend on
/// how deep the pool is, as scaling between the least and the largest would. Words count as far as they can be trusted
/// ([`trust`]).
pub fn contributions(
    candidates: &[Candidate],
    looked_for: &LookedFor,
    options: &RecommendOptions,
) -> Vec<Contributions> {
    let cosine =
        |candidate: &Candidate| candidate.nearness.map_or(0.0, |nearness| f64::from(nearness.cosine));
    let bm25 = |candidate: &Candidate| f64::from(candidate.bm25);
    let largest_cosine = candidates.iter().map(cosine).fold(0.0, f64::max);
    let largest_bm25 = candidates.iter().map(bm25).fold(0.0, f64::max);
    let Weights { semantic, keyword } = options.weights;
    let trust = if options.mode == Mode::Hybrid { trust(candidates, looked_for) } else { 1.0 };
    let of = |candidate: &Candidate| {
        let (semantic, keyword) = match options.mode {
            Mode::Semantic => (cosine(candidate), 0.0),
            Mode::Keyword => (0.0, bm25(candidate)),
            Mode::Hybrid => (
                f64::from(semantic) * lifted(share(cosine(candidate), largest_cosine)),
                f64::from(keyword) * share(bm25(candidate), largest_bm25) * trust,
            ),
        };
        Contributions { semantic, keyword, ..Contributions::default() }
    };
    candidates.iter().map(of).collect()
}

/// A share of the cosine to the power of 13/16, which was chosen by measurement (`docs/evaluation.md`): an article that is less near than
/// another falls behind it less than in proportion. Square roots have the same bits on every machine; powers of other kinds do not.
fn lifted(share: f64) -> f64 {
    let root = share.sqrt();
    let fourth = root.sqrt();
    root * fourth * fourth.sqrt().sqrt()
}

/// How far words tell what is looked for, 0 to 1: by what the article that matches them best has of the query. One or two words of many
/// may be there by chance, however well it matches: they count as the square of their share of the query's information.
fn trust(candidates: &[Candidate], looked_for: &LookedFor) -> f64 {
    let by_words = |a: &&Candidate, b: &&Candidate| a.bm25.total_cmp(&b.bm25).then(b.article.cmp(&a.article));
    let Some(best) = candidates.iter().max_by(by_words).filter(|best| best.bm25 > 0.0) else { return 1.0 };
    let Coverage { words, information } = looked_for.coverage(best.article);
    let further = i32::try_from(words.saturating_sub(WORDS_BY_CHANCE)).unwrap_or(i32::MAX);
    1.0 - (1.0 - f64::from(information).powi(2)) * CHANCE_OF_ANOTHER.powi(further)
}

/// `value` as a share of the `largest`, below zero counted as zero.
pub(super) fn share(value: f64, largest: f64) -> f64 {
    if largest > 0.0 { value.max(0.0) / largest } else { 0.0 }
}
