//! What happened to an article.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};

use super::Article;
use crate::events::{ArticleEvent, ArticleEventKind};
use crate::graphql::error::Nullable;

/// Something that happened to an article.
pub struct ArticleChange(pub Arc<ArticleEvent>);

/// What happened to an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ArticleChangeKind {
    /// It was created. Searches may not see it yet.
    Created,
    /// It was changed. Searches may still see it as it was.
    Updated,
    /// It was deleted. Searches may still find it, but no list returns it.
    Deleted,
    /// Searches see its latest change.
    Indexed,
    /// Its latest change cannot be indexed; `indexError` says why.
    Failed,
}

/// Something that happened to an article, told after it happened. Several changes in a row may be told as one.
#[Object]
impl ArticleChange {
    /// What happened.
    async fn kind(&self) -> ArticleChangeKind {
        match self.0.kind {
            ArticleEventKind::Created => ArticleChangeKind::Created,
            ArticleEventKind::Updated => ArticleChangeKind::Updated,
            ArticleEventKind::Deleted => ArticleChangeKind::Deleted,
            ArticleEventKind::Indexed => ArticleChangeKind::Indexed,
            ArticleEventKind::Failed => ArticleChangeKind::Failed,
        }
    }

    /// The id of the article.
    async fn article_id(&self) -> ID {
        self.0.article.0.into()
    }

    /// The article as it is now; null when it is deleted.
    async fn article(&self, context: &Context<'_>) -> Nullable<Article> {
        Article::by_id(context, &self.0.article.0.into()).await.transpose()
    }
}
