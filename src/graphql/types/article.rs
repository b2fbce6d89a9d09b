//! The article.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{ArticlePage, DateTime, RecommendOptionsInput, Recommendation};
use crate::article::ArticleId;
use crate::entity::article_row::{ArticleHead, ArticleRow};
use crate::graphql::article_rows::{Contents, ways};
use crate::graphql::error::{ApiError, Nullable};
use crate::graphql::loader::{ArticleLoader, WantedArticle};
use crate::graphql::recommend_arguments;

/// An article: what Sentio stores, searches and recommends.
#[derive(Clone)]
pub struct Article {
    row: Arc<ArticleRow>,
    /// The articles it was loaded with: what one of them asks of the index is asked for all at once.
    page: Arc<ArticlePage>,
}

/// How far the index is with an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ArticleIndexState {
    /// Searches see the article as it is.
    Indexed,
    /// The latest change is on its way into the index.
    Pending,
    /// The article cannot be indexed; `indexError` says why. It is tried again from time to time and when it changes.
    Failed,
}

/// How much of an article searches see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SimpleObject)]
pub struct PassageCoverage {
    /// Passages in the index.
    pub indexed: i32,
    /// Passages that the article was split into.
    pub total: i32,
}

impl Article {
    pub fn new(row: Arc<ArticleRow>, page: Arc<ArticlePage>) -> Self {
        Self { row, page }
    }

    /// An article loaded alone.
    pub fn alone(row: Arc<ArticleRow>) -> Self {
        let page = Arc::new(ArticlePage::new(vec![row.head.article_id()]));
        Self { row, page }
    }

    /// The article with a global id, for the field that is being resolved; an id of another form belongs to no article.
    pub async fn by_id(context: &Context<'_>, id: &ID) -> Result<Option<Self>, ApiError> {
        Self::load(context, id, Contents::selected(context, ways::ARTICLE)).await
    }

    /// The article with a global id, for nothing but its head.
    pub async fn head_by_id(context: &Context<'_>, id: &ID) -> Result<Option<Self>, ApiError> {
        Self::load(context, id, Contents::LeftOut).await
    }

    async fn load(context: &Context<'_>, id: &ID, contents: Contents) -> Result<Option<Self>, ApiError> {
        let Ok(id) = id.parse::<ArticleId>() else { return Ok(None) };
        let loader = context.data_unchecked::<DataLoader<ArticleLoader>>();
        Ok(loader.load_one(WantedArticle { id, contents }).await?.map(Self::alone))
    }

    pub fn head(&self) -> &ArticleHead {
        &self.row.head
    }

    pub fn article_id(&self) -> ArticleId {
        self.row.head.article_id()
    }

    pub fn page(&self) -> &Arc<ArticlePage> {
        &self.page
    }
}

/// An article: what Sentio stores, searches and recommends.
#[Object]
impl Article {
    /// The global id: the SQL id as a decimal string.
    pub async fn id(&self) -> ID {
        self.head().id.into()
    }

    /// The id that the article has elsewhere, unique among all articles.
    async fn external_id(&self) -> Option<&str> {
        self.head().external_id.as_deref()
    }

    /// The title, 1 to 300 characters.
    async fn title(&self) -> &str {
        &self.head().title
    }

    /// The text, up to 1 MiB.
    async fn content(&self) -> Result<&str, ApiError> {
        self.row.content.as_deref().ok_or_else(|| ApiError::not_read("the content of an article"))
    }

    /// The category, if any.
    async fn category(&self) -> Option<&str> {
        self.head().category.as_deref()
    }

    /// The tags, in the order they were given.
    async fn tags(&self) -> &[String] {
        &self.head().tags.0
    }

    /// Starts at 1 and is raised by every change; see `expectedRevision`.
    async fn revision(&self) -> i64 {
        self.head().revision
    }

    /// When the article was created.
    async fn created_at(&self) -> DateTime {
        self.head().created_at.into()
    }

    /// When the article was last changed.
    async fn updated_at(&self) -> DateTime {
        self.head().updated_at.into()
    }

    /// How far the index is with this article.
    async fn index_state(&self, context: &Context<'_>) -> Result<ArticleIndexState, ApiError> {
        let change = self.page.change(context, self.article_id()).await?;
        Ok(match change {
            None => ArticleIndexState::Indexed,
            Some(change) if change.failed() => ArticleIndexState::Failed,
            Some(_) => ArticleIndexState::Pending,
        })
    }

    /// Why the article could not be indexed; null when nothing went wrong.
    async fn index_error(&self, context: &Context<'_>) -> Nullable<String> {
        let change = self.page.change(context, self.article_id()).await;
        change.map(|change| change.and_then(|change| change.last_error.clone())).transpose()
    }

    /// How many passages of the article searches see, and of how many; null until it is indexed. Fewer than all of them
    /// only when it has more than the server indexes of one article (`SENTIO_PASSAGES_MAX`): they are taken evenly then.
    async fn passage_coverage(&self, context: &Context<'_>) -> Nullable<PassageCoverage> {
        self.page.passage_coverage(context, self.article_id()).await.transpose()
    }

    /// The articles most like this one, best first, never itself. Empty for an article that is not indexed yet; null with
    /// an error when the index cannot answer. Articles of one list are answered together, with the same options: this article
    /// among those of `like` or `dislike` changes little.
    async fn similar_to(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100.", default = 5)] k: i32,
        #[graphql(desc = "What shapes the list.")] options: Option<RecommendOptionsInput>,
    ) -> Nullable<Vec<Recommendation>> {
        let similar = async {
            let k = recommend_arguments::recommendation_count(k)?;
            let options = recommend_arguments::article_options(options)?;
            self.page.similar_to(context, self.article_id(), k, options).await
        };
        Some(similar.await)
    }
}
