//! A page of a list of articles.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use sea_orm::PaginatorTrait;

use super::{Article, PageInfo};
use crate::db::Database;
use crate::graphql::article_list::{ArticleList, Page};
use crate::graphql::error::ApiError;

/// A page of a list of articles (a Relay connection).
pub struct ArticleConnection {
    list: Arc<ArticleList>,
    page: Page,
}

/// An article of a page and its place in the list.
#[derive(Clone, SimpleObject)]
pub struct ArticleEdge {
    /// The article.
    pub node: Article,
    /// The place, for `after` and `before`.
    pub cursor: String,
}

impl ArticleConnection {
    pub fn new(list: ArticleList, page: Page) -> Self {
        Self { list: Arc::new(list), page }
    }
}

/// A page of a list of articles (a Relay connection).
#[Object]
impl ArticleConnection {
    /// The articles with their places.
    async fn edges(&self) -> Vec<ArticleEdge> {
        let edge =
            |article: &Article| ArticleEdge { node: article.clone(), cursor: self.list.cursor(article) };
        self.page.articles.iter().map(edge).collect()
    }

    /// The articles.
    async fn nodes(&self) -> &[Article] {
        &self.page.articles
    }

    /// Where this page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::Articles { list: Arc::clone(&self.list), page: self.page.clone() }
    }

    /// How many articles the list has in all; counted only when asked for.
    async fn total_count(&self, context: &Context<'_>) -> Result<u64, ApiError> {
        let db = context.data_unchecked::<Database>();
        Ok(self.list.select().count(db.reader()).await?)
    }
}
