//! Which articles a client wants: one shape for lists (SQL) and for recommendations (the index).

use chrono::{DateTime, Utc};

use super::ArticleId;

/// A conjunction: an article passes when every part that is set lets it pass.
///
/// An empty `…_in` list lets nothing pass; an empty exclusion excludes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleFilter {
    /// The category is one of these.
    pub category_in: Option<Vec<String>>,
    /// The category is none of these; an article without a category passes.
    pub category_not_in: Option<Vec<String>>,
    /// At least one of these tags.
    pub tags_any: Option<Vec<String>>,
    /// All of these tags.
    pub tags_all: Option<Vec<String>>,
    /// None of these tags.
    pub tags_none: Option<Vec<String>>,
    /// Created at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// One of these articles.
    pub ids_in: Option<Vec<ArticleId>>,
    /// None of these articles.
    pub ids_not_in: Option<Vec<ArticleId>>,
}
