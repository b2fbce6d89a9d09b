//! The query root: takes arguments and delegates.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::arguments;
use super::article_list::{ArticleList, Window};
use super::article_rows::{ArticleReader, Contents, ways};
use super::error::{ApiError, Nullable};
use super::loader::{ArticleLoader, WantedArticle};
use super::recommend;
use super::status;
use super::types::{
    Article, ArticleConnection, ArticleFilterInput, ArticleOrder, ArticlePage, IndexStatus, Node,
    RecommendOptionsInput, Recommendation, RecommendationConnection,
};
use crate::db::Database;
use crate::entity::article::{Column, Entity};

/// Most ids of one `nodes` call.
const NODES_MAX: usize = 100;

pub struct Query;

/// Reading.
#[Object]
impl Query {
    /// The article with this id; null when there is none.
    async fn article(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> Nullable<Article> {
        Article::by_id(context, &id).await.transpose()
    }

    /// The article with this external id; null when there is none.
    async fn article_by_external_id(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The id that the article has elsewhere.")] external_id: String,
    ) -> Nullable<Article> {
        load_by_external_id(context, &external_id).await.transpose()
    }

    /// A list of articles in pages. Take `first` (20 when nothing is said) with `after`, or `last` with `before`; at most
    /// 100 each.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn articles(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only articles after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only articles before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only articles that pass.")] filter: Option<ArticleFilterInput>,
        #[graphql(desc = "How to sort; newest first when nothing is said.")] order_by: Option<ArticleOrder>,
    ) -> Result<ArticleConnection, ApiError> {
        let order = order_by.unwrap_or_default();
        let window = Window::from_arguments(first, after, last, before, order)?;
        let db = context.data_unchecked::<Database>();
        let list = ArticleList::new(arguments::filter("filter", filter)?, order, db.backend());
        let page = list.page(&ArticleReader::of(context, ways::ARTICLES), window).await?;
        Ok(ArticleConnection::new(list, page))
    }

    /// Articles recommended for a text, for an article, or for what `options.like` names, best first. Give `query` or
    /// `articleId`, or neither with `options.like`: "recommended for you" is a reader's recent articles there. Empty for an
    /// article that is not indexed yet; shorter where articles that fit were deleted a moment ago. Null with an error when the
    /// engine or the index cannot answer.
    async fn recommend(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "What to look for, in words: 1 to 8,192 characters, not all of them blank. Its meaning is that of as much as the model takes in (256 tokens of all-MiniLM-L6-v2, some 1,300 characters); words count wherever they stand."
        )]
        query: Option<String>,
        #[graphql(desc = "The article to find others like; never recommended itself.")] article_id: Option<
            ID,
        >,
        #[graphql(desc = "How many, 1 to 100.", default = 10)] k: i32,
        #[graphql(desc = "What shapes the list.")] options: Option<RecommendOptionsInput>,
    ) -> Nullable<Vec<Recommendation>> {
        Some(recommend::list(context, query, article_id, k, options).await)
    }

    /// The same list in pages, a Relay connection. It is ranked once and for all: its pages are parts of what the index held
    /// when its first page was asked for, whatever is written meanwhile, and it ends where the ranking ends, after the best
    /// 200 articles by each likeness at most. The index keeps what was replaced for five minutes; a cursor that is older then
    /// is `BAD_USER_INPUT`: begin anew.
    async fn recommendations(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "What to look for, in words: 1 to 8,192 characters, not all of them blank. Its meaning is that of as much as the model takes in (256 tokens of all-MiniLM-L6-v2, some 1,300 characters); words count wherever they stand."
        )]
        query: Option<String>,
        #[graphql(desc = "The article to find others like; never recommended itself.")] article_id: Option<
            ID,
        >,
        #[graphql(desc = "How many, 0 to 100.", default = 20)] first: i32,
        #[graphql(desc = "Only those after this cursor, which belongs to the other arguments.")]
        after: Option<String>,
        #[graphql(desc = "What shapes the list.")] options: Option<RecommendOptionsInput>,
    ) -> Nullable<RecommendationConnection> {
        Some(recommend::page(context, query, article_id, first, after, options).await)
    }

    /// How far the index is behind the articles.
    async fn index_status(&self, context: &Context<'_>) -> Result<IndexStatus, ApiError> {
        status::index_status(context.data_unchecked(), context.data_unchecked()).await
    }

    /// The object with this global id; null when there is none.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> Nullable<Node> {
        let article = Article::by_id(context, &id).await;
        article.map(|article| article.map(Node::Article)).transpose()
    }

    /// The objects with these global ids, in this order, null where there is none; at most 100.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, ApiError> {
        if ids.len() > NODES_MAX {
            let message = format!("has {} values, at most {NODES_MAX} are allowed", ids.len());
            return Err(ApiError::bad_input("ids", message));
        }
        let contents = Contents::selected(context, ways::ARTICLE);
        let wanted = |id: &ID| id.parse().ok().map(|id| WantedArticle { id, contents });
        let wanted: Vec<_> = ids.iter().map(wanted).collect();
        let loader = context.data_unchecked::<DataLoader<ArticleLoader>>();
        let rows = loader.load_many(wanted.iter().flatten().copied()).await?;
        let page = Arc::new(ArticlePage::new(rows.keys().map(|wanted| wanted.id).collect()));
        let node = |wanted: WantedArticle| {
            let row = Arc::clone(rows.get(&wanted)?);
            Some(Node::Article(Article::new(row, Arc::clone(&page))))
        };
        Ok(wanted.into_iter().map(|wanted| wanted.and_then(node)).collect())
    }
}

async fn load_by_external_id(context: &Context<'_>, external_id: &str) -> Result<Option<Article>, ApiError> {
    if external_id.contains('\0') {
        return Err(ApiError::bad_input("externalId", "has a NUL character: remove it"));
    }
    let select = Entity::find().filter(Column::ExternalId.eq(external_id)).limit(1);
    let rows = ArticleReader::of(context, ways::ARTICLE).read(select, 1).await?;
    Ok(rows.into_iter().next().map(|row| Article::alone(Arc::new(row))))
}
