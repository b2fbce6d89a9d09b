//! Single articles by id, gathered for a millisecond and loaded with one statement.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::article_rows::{ArticleReader, Contents};
use super::error::ApiError;
use super::responses::ResponseBudget;
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::article::{Column, Entity};
use crate::entity::article_row::ArticleRow;

/// Loads articles; one per request, so that nothing outlives it.
pub struct ArticleLoader {
    db: Database,
    budget: ResponseBudget,
}

/// An article that is wanted, and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WantedArticle {
    pub id: ArticleId,
    pub contents: Contents,
}

impl ArticleLoader {
    pub fn new(db: Database, budget: ResponseBudget) -> Self {
        Self { db, budget }
    }
}

impl Loader<WantedArticle> for ArticleLoader {
    type Value = Arc<ArticleRow>;
    type Error = ApiError;

    async fn load(&self, wanted: &[WantedArticle]) -> Result<HashMap<WantedArticle, Self::Value>, ApiError> {
        let mut found = HashMap::with_capacity(wanted.len());
        for contents in [Contents::LeftOut, Contents::Wanted] {
            let wanted = wanted.iter().filter(|wanted| wanted.contents == contents);
            let ids: Vec<_> = wanted.map(|wanted| wanted.id.0).collect();
            if ids.is_empty() {
                continue;
            }
            let count = ids.len();
            let select = Entity::find().filter(Column::Id.is_in(ids));
            let reader = ArticleReader { db: self.db.clone(), budget: self.budget.clone(), contents };
            let rows = reader.read(select, count).await?;
            found.extend(rows.into_iter().map(|row| {
                let id = row.head.article_id();
                (WantedArticle { id, contents }, Arc::new(row))
            }));
        }
        Ok(found)
    }
}
