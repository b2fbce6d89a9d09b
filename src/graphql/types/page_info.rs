//! Where a page lies in its list.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::db::Database;
use crate::graphql::article_list::{ArticleList, Page};
use crate::graphql::error::ApiError;

/// Where a page lies in its list.
pub enum PageInfo {
    /// Of articles: what lies around the page is looked up when it is asked for.
    Articles { list: Arc<ArticleList>, page: Page },
    /// Of a list that is known as a whole.
    Known { has_previous: bool, has_next: bool, start: Option<String>, end: Option<String> },
}

/// Where a page lies in its list.
#[Object]
impl PageInfo {
    /// Whether more follow this page.
    async fn has_next_page(&self, context: &Context<'_>) -> Result<bool, ApiError> {
        match self {
            Self::Articles { list, page } => list.has_next(context.data_unchecked::<Database>(), page).await,
            Self::Known { has_next, .. } => Ok(*has_next),
        }
    }

    /// Whether more lie before this page.
    async fn has_previous_page(&self, context: &Context<'_>) -> Result<bool, ApiError> {
        match self {
            Self::Articles { list, page } => {
                list.has_previous(context.data_unchecked::<Database>(), page).await
            }
            Self::Known { has_previous, .. } => Ok(*has_previous),
        }
    }

    /// The place of the first of this page.
    async fn start_cursor(&self) -> Option<String> {
        match self {
            Self::Articles { list, page } => page.articles.first().map(|article| list.cursor(article)),
            Self::Known { start, .. } => start.clone(),
        }
    }

    /// The place of the last of this page.
    async fn end_cursor(&self) -> Option<String> {
        match self {
            Self::Articles { list, page } => page.articles.last().map(|article| list.cursor(article)),
            Self::Known { end, .. } => end.clone(),
        }
    }
}
