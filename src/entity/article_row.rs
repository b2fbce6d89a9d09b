//! An article as it is read to be shown: with its content only where that is wanted, because it may have a megabyte.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;

use super::article::{Column, Model, Tags};
use crate::article::ArticleId;

/// An article, perhaps without its content.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleRow {
    pub head: ArticleHead,
    /// `None` when it was not read.
    pub content: Option<String>,
}

/// An article without its content.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct ArticleHead {
    pub id: i64,
    pub external_id: Option<String>,
    pub title: String,
    pub category: Option<String>,
    pub tags: Tags,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ArticleHead {
    /// The columns it is read from.
    pub const COLUMNS: [Column; 8] = [
        Column::Id,
        Column::ExternalId,
        Column::Title,
        Column::Category,
        Column::Tags,
        Column::Revision,
        Column::CreatedAt,
        Column::UpdatedAt,
    ];

    pub fn article_id(&self) -> ArticleId {
        ArticleId(self.id)
    }
}

impl From<ArticleHead> for ArticleRow {
    fn from(head: ArticleHead) -> Self {
        Self { head, content: None }
    }
}

impl From<Model> for ArticleRow {
    fn from(row: Model) -> Self {
        let Model { id, external_id, title, content, category, tags, revision, created_at, updated_at } = row;
        let head = ArticleHead { id, external_id, title, category, tags, revision, created_at, updated_at };
        Self { head, content: Some(content) }
    }
}
