//! What shapes a list of recommendations.

use async_graphql::{Enum, ID, InputObject};

use super::ArticleFilterInput;
use crate::recommend::{Mode, NearDuplicates};

/// What shapes a list of recommendations.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "RecommendOptions")]
pub struct RecommendOptionsInput {
    /// Which likeness ranks the articles for a text. Articles for an article are always ranked by meaning.
    ///
    /// In each mode an article whose title or external id is the text comes first, then those that have all phrases which
    /// stand in quotation marks: the first five count, letter for letter but for case and white space.
    #[graphql(default)]
    pub mode: RecommendMode,
    /// How much each likeness counts for a text in the hybrid mode; refused elsewhere.
    pub weights: Option<RecommendWeights>,
    /// Only articles that pass.
    pub filter: Option<ArticleFilterInput>,
    /// None of these articles, at most 10,000. Ids that do not exist exclude nothing.
    pub exclude_ids: Option<Vec<ID>>,
    /// Only articles whose semantic cosine (-1 to 1) is at least this, in every mode.
    pub min_score: Option<f64>,
    /// Articles to be like, at most 100, beside the query or the article, or alone; never recommended themselves. What is
    /// searched for moves towards the mean of them. For "recommended for you" give the articles that the reader read last.
    /// Refused with `KEYWORD`, which goes by words alone. Ids that do not exist change nothing; when nothing else is given and none of them is in the index, the error is
    /// `NOT_FOUND`.
    pub like: Option<Vec<ID>>,
    /// Articles to be unlike, at most 100, beside a query, an article or `like`; never recommended themselves. What is
    /// searched for moves a little away from the mean of them. Refused with `KEYWORD`. Ids that do not exist change nothing.
    pub dislike: Option<Vec<ID>>,
    /// How varied the list is, 0 to 1: likeness to what is listed before counts against an article, at 1 as much as fitting
    /// best counts for it.
    #[graphql(default)]
    pub diversity: f64,
    /// Lets the scores of old articles decay, among the best 200.
    pub freshness: Option<FreshnessInput>,
    /// What becomes of articles that are nearly the same as one listed before, or as the article or those of `like` that the
    /// list is for.
    #[graphql(default)]
    pub near_duplicates: NearDuplicatesMode,
    /// Most articles of one category, 1 to 100. Articles without a category are not counted.
    pub per_category: Option<i32>,
    /// Ends the list where its scores jump: at the first jump, the second, and so on, 1 to 100. A jump is a fifth of the way
    /// from the first score to the last, of the first hundred, and half as much again as the mean step, so that a list of even
    /// scores is not cut, nor one of two. Articles that are named or have the phrases are no part of it.
    pub autocut: Option<i32>,
}

/// How the scores of old articles decay. Age is counted from `createdAt`.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "Freshness")]
pub struct FreshnessInput {
    /// The age at which the part of the score that decays has halved, in days, 0.00002 to 10,000,000.
    pub half_life_days: f64,
    /// The part of the score that decays, 0 to 1.
    #[graphql(default = 1.0)]
    pub weight: f64,
}

/// What becomes of articles that are nearly the same as one listed before.
#[derive(Enum, Copy, Clone, Debug, Default, PartialEq, Eq)]
#[graphql(name = "NearDuplicates", remote = "NearDuplicates")]
pub enum NearDuplicatesMode {
    /// They are left out; `explanation.reasons` of the one that is listed names them. Copies of the article, or of those of
    /// `like`, that the list is for are not mentioned.
    Hide,
    /// They are listed.
    #[default]
    Show,
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

/// How much each likeness counts in the hybrid mode, each from 0 to 1, not both 0.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct RecommendWeights {
    /// Of similarity in meaning: its share of the largest in the pool, to the power of 13/16. With 0 only articles that share a word are listed.
    #[graphql(default = 0.5)]
    pub semantic: f64,
    /// Of words in common: their share of the largest in the pool, and less where the article that matches them best has one or two of
    /// several only.
    #[graphql(default = 0.5)]
    pub keyword: f64,
}
