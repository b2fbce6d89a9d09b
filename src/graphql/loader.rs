//! Single articles by id, gathered for a millisecond and loaded with one statement.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::article;

/// Loads articles; one per request, so that nothing outlives it.
pub struct ArticleLoader {
    db: Database,
}

impl ArticleLoader {
    pub fn new(db: Database) -> Self {
        Self { db }
    }
}

impl Loader<ArticleId> for ArticleLoader {
    type Value = article::Model;
    type Error = std::sync::Arc<sea_orm::DbErr>;

    async fn load(&self, ids: &[ArticleId]) -> Result<HashMap<ArticleId, Self::Value>, Self::Error> {
        let wanted = article::Column::Id.is_in(ids.iter().map(|id| id.0));
        let rows = article::Entity::find().filter(wanted).all(self.db.reader()).await?;
        Ok(rows.into_iter().map(|row| (row.article_id(), row)).collect())
    }
}
