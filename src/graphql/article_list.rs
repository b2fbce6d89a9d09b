//! Lists of articles in pages, by keyset: a row whose sort key did not change is neither skipped nor repeated.

use std::sync::Arc;

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::arguments;
use super::article_rows::ArticleReader;
use super::cursor::{Cursor, SortKey, TITLE_SORT_CHARS, timestamp};
use super::error::ApiError;
use super::types::{Article, ArticleOrder, ArticleOrderField, ArticlePage, OrderDirection};
use crate::article::ArticleFilter;
use crate::db::Database;
use crate::entity::article::{Column, Entity};
use crate::entity::{article_filter, article_time};

/// Which articles, in which order.
pub struct ArticleList {
    filter: ArticleFilter,
    order: ArticleOrder,
    backend: DbBackend,
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    size: usize,
    /// Whether the last ones of the window are wanted instead of the first.
    from_end: bool,
    after: Option<Cursor>,
    before: Option<Cursor>,
}

/// A part of a list.
#[derive(Clone)]
pub struct Page {
    pub articles: Vec<Article>,
    window: Window,
    /// Whether the window holds more articles than the page, beyond the side that the page was cut at.
    more: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

impl Window {
    /// Checks the arguments of a Relay connection.
    pub fn from_arguments(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        order: ArticleOrder,
    ) -> Result<Self, ApiError> {
        let (size, from_end) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_input("last", "cannot go with first: use one of them"));
            }
            (Some(first), None) => (arguments::page_size("first", first)?, false),
            (None, Some(last)) => (arguments::page_size("last", last)?, true),
            (None, None) => (arguments::default_page_size(), false),
        };
        let cursor = |argument, text: Option<String>| {
            text.map(|text| Cursor::decode(argument, &text, order)).transpose()
        };
        Ok(Self { size, from_end, after: cursor("after", after)?, before: cursor("before", before)? })
    }
}

impl ArticleList {
    pub fn new(filter: ArticleFilter, order: ArticleOrder, backend: DbBackend) -> Self {
        Self { filter, order, backend }
    }

    /// All articles of the list.
    pub fn select(&self) -> Select<Entity> {
        Entity::find().filter(article_filter::condition(&self.filter, self.backend))
    }

    /// Loads a page, in one statement.
    pub async fn page(&self, reader: &ArticleReader, window: Window) -> Result<Page, ApiError> {
        let mut select = self.select();
        if let Some(after) = &window.after {
            select = select.filter(self.beyond(after, Side::After));
        }
        if let Some(before) = &window.before {
            select = select.filter(self.beyond(before, Side::Before));
        }
        let order = self.direction(window.from_end);
        let select = select.order_by(self.key(), order.clone()).order_by(Column::Id, order);
        let select = select.limit(window.size as u64 + 1);
        let mut rows = reader.read(select, window.size).await?;
        let more = rows.len() > window.size;
        rows.truncate(window.size);
        if window.from_end {
            rows.reverse();
        }
        let page = Arc::new(ArticlePage::new(rows.iter().map(|row| row.head.article_id()).collect()));
        let articles = rows.into_iter().map(|row| Article::new(Arc::new(row), Arc::clone(&page))).collect();
        Ok(Page { articles, window, more })
    }

    /// The place of `article` in this list.
    pub fn cursor(&self, article: &Article) -> String {
        Cursor::of(article.head(), self.order.field).encode()
    }

    pub async fn has_next(&self, db: &Database, page: &Page) -> Result<bool, ApiError> {
        if !page.window.from_end && page.more {
            return Ok(true);
        }
        self.any_beyond(db, page, Side::After).await
    }

    pub async fn has_previous(&self, db: &Database, page: &Page) -> Result<bool, ApiError> {
        if page.window.from_end && page.more {
            return Ok(true);
        }
        self.any_beyond(db, page, Side::Before).await
    }

    async fn any_beyond(&self, db: &Database, page: &Page, side: Side) -> Result<bool, ApiError> {
        let (edge, bound) = match side {
            Side::Before => (page.articles.first(), &page.window.after),
            Side::After => (page.articles.last(), &page.window.before),
        };
        let beyond = match (edge, bound) {
            (Some(edge), _) => self.beyond(&Cursor::of(edge.head(), self.order.field), side),
            // An empty page lies just past its bound, which is a row itself unless it was deleted.
            (None, Some(bound)) => {
                Condition::any().add(self.beyond(bound, side)).add(Column::Id.eq(bound.id))
            }
            (None, None) => return Ok(false),
        };
        let ids = self.select().select_only().column(Column::Id).filter(beyond).limit(1);
        let found: Option<i64> = ids.into_tuple().one(db.reader()).await?;
        Ok(found.is_some())
    }

    /// The rows on one side of a cursor, in the order of the list.
    fn beyond(&self, cursor: &Cursor, side: Side) -> Condition {
        let value = match &cursor.key {
            SortKey::CreatedAt(micros) | SortKey::UpdatedAt(micros) => {
                article_time::value(timestamp(*micros).unwrap_or_default(), self.backend)
            }
            SortKey::Title(title) => Expr::value(title.clone()),
        };
        let id = Column::Id.into_expr();
        let ascending = self.order.direction == OrderDirection::Asc;
        let (key_beyond, id_beyond) = if ascending == (side == Side::After) {
            (self.key().gt(value.clone()), id.gt(cursor.id))
        } else {
            (self.key().lt(value.clone()), id.lt(cursor.id))
        };
        Condition::any().add(key_beyond).add(Condition::all().add(self.key().eq(value)).add(id_beyond))
    }

    fn key(&self) -> SimpleExpr {
        match self.order.field {
            ArticleOrderField::CreatedAt => article_time::key(Column::CreatedAt, self.backend),
            ArticleOrderField::UpdatedAt => article_time::key(Column::UpdatedAt, self.backend),
            // Byte order on both databases, over the expression that is indexed.
            ArticleOrderField::Title if self.backend == DbBackend::Postgres => {
                Expr::cust(format!("(substr(\"article\".\"title\", 1, {TITLE_SORT_CHARS}) COLLATE \"C\")"))
            }
            ArticleOrderField::Title => {
                Expr::cust(format!("substr(\"article\".\"title\", 1, {TITLE_SORT_CHARS})"))
            }
        }
    }

    fn direction(&self, reversed: bool) -> Order {
        if (self.order.direction == OrderDirection::Asc) == reversed { Order::Desc } else { Order::Asc }
    }
}
