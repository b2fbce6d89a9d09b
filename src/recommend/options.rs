//! What shapes a list of recommendations, apart from what they are for.

use std::borrow::Cow;

use super::{Freshness, Mode, Weights};
use crate::article::{ArticleFilter, ArticleId};

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
    /// Articles to be like, never recommended themselves.
    pub like: Vec<ArticleId>,
    /// Articles to be unlike, never recommended themselves.
    pub dislike: Vec<ArticleId>,
    /// From 0, which is off, to 1: how much likeness to what is listed before counts against an article.
    pub diversity: f32,
    /// Lets the scores of old articles decay.
    pub freshness: Option<Freshness>,
    /// What becomes of articles that are nearly the same as one listed before.
    pub near_duplicates: NearDuplicates,
    /// Most articles of one category.
    pub per_category: Option<usize>,
    /// Ends the list at this jump of the scores, counted from 1.
    pub autocut: Option<usize>,
}

/// What becomes of articles that are nearly the same as one listed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NearDuplicates {
    Hide,
    #[default]
    Show,
}

impl RecommendOptions {
    /// With the articles of `like` and `dislike` among those that are excluded.
    pub(super) fn without_examples(&self) -> Cow<'_, Self> {
        if self.like.is_empty() && self.dislike.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut options = self.clone();
        options.exclude.extend(self.like.iter().chain(&self.dislike));
        Cow::Owned(options)
    }

    pub(super) fn keeps(&self, cosine: Option<f32>) -> bool {
        self.min_score.is_none_or(|least| cosine.is_some_and(|cosine| cosine >= least))
    }

    /// Whether articles are compared with each other.
    pub(super) fn compares_articles(&self) -> bool {
        self.diversity > 0.0 || self.near_duplicates == NearDuplicates::Hide
    }

    /// Whether it matters what the articles are, apart from how well they fit.
    pub(super) fn looks_at_articles(&self) -> bool {
        self.compares_articles() || self.freshness.is_some() || self.per_category.is_some()
    }
}
