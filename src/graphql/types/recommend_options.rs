//! What shapes a list of recommendations.

use async_graphql::{Enum, ID, InputObject};

use super::ArticleFilterInput;
use crate::recommend::Mode;

/// What shapes a list of recommendations.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "RecommendOptions")]
pub struct RecommendOptionsInput {
    /// Which likeness ranks the articles for a text. Articles for an article are always ranked by meaning.
    ///
    /// In each mode an article whose title or external id is the text comes first, then those that have all phrases which
    /// stand in quotation marks.
    #[graphql(default)]
    pub mode: RecommendMode,
    /// How much each likeness counts in the hybrid mode.
    pub weights: Option<RecommendWeights>,
    /// Only articles that pass.
    pub filter: Option<ArticleFilterInput>,
    /// None of these articles, at most 10,000. Ids that do not exist exclude nothing.
    pub exclude_ids: Option<Vec<ID>>,
    /// Only articles whose semantic cosine (-1 to 1) is at least this, in every mode.
    pub min_score: Option<f64>,
}

/// Which likeness ranks the articles for a text.
#[derive(Enum, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[graphql(remote = "Mode")]
pub enum RecommendMode {
    /// Meaning, whatever the words: cosines of embeddings.
    Semantic,
    /// Words that both have, apart from their endings: BM25.
    Keyword,
    /// Both.
    #[default]
    Hybrid,
}

/// How much each likeness counts in the hybrid mode, each from 0 to 1.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct RecommendWeights {
    /// Of likeness of meaning, as a share of the largest in the pool.
    #[graphql(default = 0.5)]
    pub semantic: f64,
    /// Of words in common, as a share of the largest in the pool.
    #[graphql(default = 0.5)]
    pub keyword: f64,
}
