//! The filter of lists and recommendations.

use async_graphql::{ID, InputObject};

use super::DateTime;

/// Which articles are wanted. Every part that is set must hold, so that parts which contradict each other let nothing pass; bounds of
/// time or length that cross are refused. An empty inclusion lets nothing pass, an empty exclusion excludes nothing. A list has at most 10,000 values; what no article can
/// have is refused: categories and tags of more than 100 characters, ids that are no whole numbers.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "ArticleFilter")]
pub struct ArticleFilterInput {
    /// The category is one of these.
    pub category_in: Option<Vec<String>>,
    /// The category is none of these; an article without a category passes.
    pub category_not_in: Option<Vec<String>>,
    /// The article has at least one of these tags.
    pub tags_any: Option<Vec<String>>,
    /// The article has all of these tags.
    pub tags_all: Option<Vec<String>>,
    /// The article has none of these tags.
    pub tags_none: Option<Vec<String>>,
    /// Created at this time or later.
    pub created_from: Option<DateTime>,
    /// Created before this time.
    pub created_before: Option<DateTime>,
    /// The content has at least as many characters (Unicode code points).
    pub content_length_min: Option<i32>,
    /// The content has at most as many characters (Unicode code points).
    pub content_length_max: Option<i32>,
    /// One of these articles. Ids that do not exist match nothing.
    pub ids_in: Option<Vec<ID>>,
    /// None of these articles.
    pub ids_not_in: Option<Vec<ID>>,
}
