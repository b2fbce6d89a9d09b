//! The read side: a text or an article → a ranked list of articles.

mod by_article;
mod by_text;
mod error;

use crate::article::{ArticleFilter, ArticleId};
use crate::embedding::Models;
use crate::index::VectorIndex;

pub use by_article::SimilarArticles;
pub use by_text::TextMatches;
pub use error::RecommendError;

/// A handle on the read side; cheap to clone.
#[derive(Clone)]
pub struct Recommender {
    models: Models,
    index: VectorIndex,
}

/// What shapes a list of recommendations, apart from what they are for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecommendOptions {
    /// Only articles that pass.
    pub filter: ArticleFilter,
    /// None of these.
    pub exclude: Vec<ArticleId>,
    /// Only articles whose semantic cosine is at least this.
    pub min_score: Option<f32>,
}

/// A recommended article.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    pub article: ArticleId,
    /// What ranked it: the semantic cosine, −1 to 1.
    pub score: f32,
}

/// The part of an article that fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BestPassage {
    /// The revision whose content the offsets count in.
    pub revision: i64,
    /// In UTF-16 code units of the content.
    pub start: i32,
    pub end: i32,
}

impl Recommender {
    pub fn new(models: Models, index: VectorIndex) -> Self {
        Self { models, index }
    }
}

impl RecommendOptions {
    fn keeps(&self, score: f32) -> bool {
        self.min_score.is_none_or(|least| score >= least)
    }
}

/// Best first; equal scores by id, so that the order is the same each time.
fn rank(ranked: &mut Vec<Ranked>, k: usize) {
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.article.cmp(&b.article)));
    ranked.truncate(k);
}
