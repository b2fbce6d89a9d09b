//! Reading articles of which some may be unreadable.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, RuntimeErr, SqlxError};

use super::SyncError;
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::article;

/// The articles of `ids`, or why one cannot be read; deleted ones are absent. Raw SQL can store what no client can, such
/// as text that is no UTF-8: then they are read one by one, and only that article fails.
pub async fn load(
    db: &Database,
    ids: &[ArticleId],
) -> Result<HashMap<ArticleId, Result<article::Model, String>>, SyncError> {
    let numbers = ids.iter().map(|id| id.0);
    let together = article::Entity::find().filter(article::Column::Id.is_in(numbers)).all(db.reader()).await;
    match together {
        Ok(rows) => return Ok(rows.into_iter().map(|row| (row.article_id(), Ok(row))).collect()),
        Err(error) if is_unreadable(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let mut articles = HashMap::new();
    for id in ids {
        match article::Entity::find_by_id(id.0).one(db.reader()).await {
            Ok(Some(row)) => {
                articles.insert(*id, Ok(row));
            }
            Ok(None) => {}
            Err(error) if is_unreadable(&error) => {
                let reason = "the row holds a value that cannot be read: mend it with SQL".to_owned();
                articles.insert(*id, Err(reason));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(articles)
}

/// Whether the database answered and the answer is no article.
fn is_unreadable(error: &DbErr) -> bool {
    match error {
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => true,
        DbErr::Query(RuntimeErr::SqlxError(source)) => {
            matches!(source.as_ref(), SqlxError::ColumnDecode { .. } | SqlxError::Decode(_))
        }
        _ => false,
    }
}
