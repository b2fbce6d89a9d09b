//! Mending: what differs between SQL and the index is recorded in the outbox and so indexed anew.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::SyncError;
use super::generations::OpenGeneration;
use super::verify::{Look, VerifyReport, verify};
use crate::article::ArticleId;
use crate::db::Database;
use crate::outbox;

/// Compares everything and records what differs. For the holder of the writer lock, which does it again when it was
/// interrupted.
pub async fn record_gaps(db: &Database, live: &OpenGeneration) -> Result<VerifyReport, SyncError> {
    let transaction = db.transaction().await?;
    outbox::begin_comparison(&transaction).await?;
    transaction.commit().await?;

    let report = verify(db, live, Look::Published, |_| {}, |drift| record(db, drift)).await?;

    let transaction = db.transaction().await?;
    outbox::end_comparison(&transaction).await?;
    transaction.commit().await?;
    if !report.in_step() {
        tracing::warn!(
            missing = report.missing,
            stale = report.stale,
            orphaned = report.orphaned,
            duplicated = report.duplicated,
            "sync.gaps_recorded"
        );
    }
    Ok(report)
}

/// Whether SQL by itself shows changes that nothing recorded, as after a restore with triggers off: articles that the
/// generation lacks, has at another revision, or has although they are gone.
pub async fn has_unrecorded<C>(connection: &C, generation: i64) -> Result<bool, DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT 1 AS found FROM article
         LEFT JOIN article_index ON generation_id = $1 AND article_index.article_id = article.id
         WHERE (article_index.revision IS NULL OR article_index.revision <> article.revision)
           AND NOT EXISTS (SELECT 1 FROM index_change WHERE index_change.article_id = article.id)
         UNION ALL
         SELECT 1 FROM article_index
         WHERE generation_id = $1
           AND NOT EXISTS (SELECT 1 FROM article WHERE article.id = article_index.article_id)
           AND NOT EXISTS (SELECT 1 FROM index_change WHERE index_change.article_id = article_index.article_id)
         LIMIT 1",
        [generation.into()],
    );
    Ok(connection.query_one_raw(statement).await?.is_some())
}

/// Records differences that a comparison found.
pub async fn record<T>(db: &Database, drift: Vec<(ArticleId, T)>) -> Result<(), SyncError> {
    let articles: Vec<_> = drift.into_iter().map(|(article, _)| article).collect();
    let transaction = db.transaction().await?;
    outbox::record_all(&transaction, &articles).await?;
    transaction.commit().await?;
    Ok(())
}
