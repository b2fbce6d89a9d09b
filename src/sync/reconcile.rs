//! Mending: what differs between SQL and the index is recorded in the outbox and so indexed anew.

use super::SyncError;
use super::generations::OpenGeneration;
use super::verify::{Look, VerifyReport, verify};
use crate::article::ArticleId;
use crate::db::Database;
use crate::outbox::{self, Request};

/// Compares everything, records what differs, and takes a request for it off. For the holder of the writer lock.
pub async fn record_gaps(db: &Database, live: &OpenGeneration) -> Result<VerifyReport, SyncError> {
    // Taken off first: a request that comes meanwhile is carried out once more.
    let transaction = db.transaction().await?;
    outbox::withdraw(&transaction, Request::Reconcile).await?;
    transaction.commit().await?;

    let report = verify(db, live, Look::Published, |_| {}, |drift| record(db, drift)).await?;
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

/// Records differences that a comparison found.
pub async fn record<T>(db: &Database, drift: Vec<(ArticleId, T)>) -> Result<(), SyncError> {
    let articles: Vec<_> = drift.into_iter().map(|(article, _)| article).collect();
    let transaction = db.transaction().await?;
    outbox::record_all(&transaction, &articles).await?;
    transaction.commit().await?;
    Ok(())
}
