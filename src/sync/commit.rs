//! The second half of the worker's job: rows → LanceDB → SQL's record of it → whoever waits.

use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, Set,
    Statement,
};

use super::SyncError;
use super::cache;
use super::generations::{LiveGeneration, as_sql, view_of};
use super::prepare::{IndexedChange, Prepared};
use crate::db::Database;
use crate::entity::{article_index, index_generation};
use crate::events::Events;
use crate::index::{Previous, Versions};
use crate::outbox::{self, Change};

/// The wait before a document's own error is tried again, doubled with each attempt.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(3600);

/// Writes prepared batches, one after the other.
pub struct Committer {
    pub db: Database,
    pub events: Events,
    pub fingerprint: String,
    /// Whether the tables may hold rows that SQL does not know of: after a start or an error, until a batch is through.
    pub uncertain: bool,
}

impl Committer {
    /// Makes `prepared` searchable and completes its changes.
    ///
    /// Searches see the rows before SQL says so; a stop in between leaves the changes in the outbox, and they are
    /// written again.
    pub async fn commit(&mut self, live: &LiveGeneration, prepared: &Prepared) -> Result<(), SyncError> {
        let previous = self.previous(live, prepared).await?;
        self.uncertain = true;
        let versions = live.tables.write(&prepared.batch, previous).await?;
        live.tables.publish().await?;
        self.complete(live, prepared, versions).await?;
        self.uncertain = false;
        self.events.publish_view(view_of(live.id, versions));
        Ok(())
    }

    async fn previous(&self, live: &LiveGeneration, prepared: &Prepared) -> Result<Previous, SyncError> {
        if self.uncertain {
            return Ok(Previous::Possible);
        }
        let ids = prepared.indexed.iter().map(|indexed| indexed.change.article.0);
        let known = article_index::Entity::find()
            .filter(article_index::Column::GenerationId.eq(live.id))
            .filter(article_index::Column::ArticleId.is_in(ids))
            .count(self.db.reader())
            .await?;
        Ok(if known == 0 { Previous::None } else { Previous::Possible })
    }

    async fn complete(
        &self,
        live: &LiveGeneration,
        prepared: &Prepared,
        versions: Versions,
    ) -> Result<(), SyncError> {
        let transaction = self.db.transaction().await?;
        cache::store(&transaction, &self.fingerprint, &prepared.computed).await?;
        for indexed in &prepared.indexed {
            record_indexed(&transaction, live.id, indexed).await?;
        }
        for change in &prepared.deleted {
            forget(&transaction, live.id, *change).await?;
        }
        let done: Vec<_> = prepared
            .indexed
            .iter()
            .map(|indexed| indexed.change)
            .chain(prepared.deleted.iter().copied())
            .collect();
        outbox::complete(&transaction, &done).await?;
        for (change, reason) in &prepared.failed {
            tracing::warn!(article_id = %change.article, attempts = change.attempts + 1, reason, "sync.article_failed");
            outbox::postpone(&transaction, *change, retry_after(change.attempts), Some(reason)).await?;
        }
        record_versions(&transaction, live.id, versions).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Stores which versions of the generation's tables belong together.
pub async fn record_versions<C>(connection: &C, generation: i64, versions: Versions) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let row = index_generation::ActiveModel {
        id: Set(generation),
        article_version: Set(as_sql(versions.articles)),
        passage_version: Set(as_sql(versions.passages)),
        ..Default::default()
    };
    row.update(connection).await?;
    Ok(())
}

async fn record_indexed<C>(connection: &C, generation: i64, indexed: &IndexedChange) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sql = "INSERT INTO article_index
                 (generation_id, article_id, seq, revision, content_hash, passages, indexed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (generation_id, article_id) DO UPDATE
               SET seq = excluded.seq, revision = excluded.revision, content_hash = excluded.content_hash,
                   passages = excluded.passages, indexed_at = excluded.indexed_at";
    let values = [
        generation.into(),
        indexed.change.article.0.into(),
        indexed.change.seq.into(),
        indexed.revision.into(),
        indexed.content_hash.to_vec().into(),
        i32::try_from(indexed.passages).unwrap_or(i32::MAX).into(),
        outbox::unix_millis().into(),
    ];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await?;
    Ok(())
}

async fn forget<C>(connection: &C, generation: i64, change: Change) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "DELETE FROM article_index WHERE generation_id = $1 AND article_id = $2",
        [generation.into(), change.article.0.into()],
    );
    connection.execute_raw(statement).await?;
    Ok(())
}

fn retry_after(attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << attempts.min(12)).min(LAST_RETRY)
}
