//! The read side: a text or an article → a ranked list of articles.

mod by_article;
mod by_text;
mod error;
mod fusion;
mod mode;
mod pool;
mod semantic;
mod tier;

use crate::article::{ArticleFilter, ArticleId};
use crate::embedding::Models;
use crate::index::{Generation, Snapshot, VectorIndex};

pub use by_article::SimilarArticles;
pub use by_text::TextMatches;
pub use error::RecommendError;
pub use fusion::Contributions;
pub use mode::{Mode, Weights};
pub use tier::Tier;

/// A handle on the read side; cheap to clone.
#[derive(Clone)]
pub struct Recommender {
    models: Models,
    index: VectorIndex,
    exact: bool,
}

/// What shapes a list of recommendations, apart from what they are for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecommendOptions {
    /// Which likeness ranks the articles for a text.
    pub mode: Mode,
    /// In a hybrid ranking.
    pub weights: Weights,
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
    /// Where it stands before its score counts.
    pub tier: Tier,
    /// What ranked it within its tier.
    pub score: f32,
    /// How near it is in meaning, -1 to 1; absent when nothing in it is near.
    pub cosine: Option<f32>,
    /// What the score is the sum of.
    pub contributions: Contributions,
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
        Self { models, index, exact: false }
    }

    /// The same without the vector index: every vector is looked at, to measure what the index misses.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    fn snapshot(&self, generation: &Generation) -> Snapshot {
        let snapshot = generation.snapshot();
        if self.exact { snapshot.exact() } else { snapshot }
    }
}

impl RecommendOptions {
    fn keeps(&self, cosine: Option<f32>) -> bool {
        self.min_score.is_none_or(|least| cosine.is_some_and(|cosine| cosine >= least))
    }
}

/// Best first: by tier, then by score; equal ones by id, so that the order is the same each time.
fn rank(ranked: &mut Vec<Ranked>, k: usize) {
    ranked.sort_by(|a, b| {
        a.tier.cmp(&b.tier).then(b.score.total_cmp(&a.score)).then(a.article.cmp(&b.article))
    });
    ranked.truncate(k);
}
