//! The order of article lists.

use async_graphql::{Enum, InputObject};

/// How a list is sorted; articles with the same value are sorted by id in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, InputObject)]
pub struct ArticleOrder {
    /// What to sort by.
    #[graphql(default_with = "ArticleOrderField::CreatedAt")]
    pub field: ArticleOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Desc")]
    pub direction: OrderDirection,
}

impl Default for ArticleOrder {
    /// Newest first.
    fn default() -> Self {
        Self { field: ArticleOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// What articles can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum ArticleOrderField {
    /// When the article was created.
    CreatedAt,
    /// When the article was last changed.
    UpdatedAt,
    /// The title, by Unicode code points.
    Title,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum OrderDirection {
    /// Smallest, oldest or first letter first.
    Asc,
    /// Largest, newest or last letter first.
    Desc,
}
