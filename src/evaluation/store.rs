//! A collection's documents → articles.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr};

use super::collection::Document;
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::article;

/// Rows of one transaction.
const ROWS: usize = 250;

/// Writes the documents as articles into an empty database; `advanced` hears how many are written. A document may be blank,
/// which no client's article may be. The article of document n, from 0, has the id n + 1.
pub async fn store(db: &Database, documents: &[Document], advanced: impl Fn(u64)) -> Result<(), DbErr> {
    let mut written = 0;
    for chunk in documents.chunks(ROWS) {
        let transaction = db.transaction().await?;
        for (document, position) in chunk.iter().zip(written..) {
            let article = article::ActiveModel {
                id: Set(article_of(position).0),
                // SQL refuses the character.
                title: Set(document.title.replace('\0', " ")),
                content: Set(document.text.replace('\0', " ")),
                ..Default::default()
            };
            article.insert(&transaction).await?;
        }
        transaction.commit().await?;
        written += chunk.len();
        advanced(written as u64);
    }
    Ok(())
}

/// The article of the document at a position of the corpus.
pub(super) fn article_of(position: usize) -> ArticleId {
    ArticleId(i64::try_from(position + 1).unwrap_or(i64::MAX))
}

/// The position in the corpus of an article's document.
pub(super) fn position_of(article: ArticleId) -> Option<usize> {
    usize::try_from(article.0).ok()?.checked_sub(1)
}
