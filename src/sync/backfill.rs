//! Filling a generation that is being built, and putting it in the live one's place when it is complete.
//!
//! Changes made meanwhile reach both generations through the outbox; what is filled here are the articles that nobody
//! changes. Where it stopped is known from SQL: an article without a row in `article_index` is still to come.

use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Statement};

use super::SyncError;
use super::batch_size::{BATCH_CHANGES, FILL_BYTES, fitting};
use super::generations::{Generations, OpenGeneration, set_state};
use super::record::{forget, record_versions};
use super::targets::{Building, Targets};
use super::verify::{Drift, Look, verify};
use crate::article::ArticleId;
use crate::db::Database;
use crate::entity::index_generation::State;
use crate::index::{Batch, Previous};
use crate::outbox::{ATTEMPTS_UNTIL_FAILED, Change};

/// Where the filling is; articles are taken by ascending id.
#[derive(Debug)]
pub struct Backfill {
    after: i64,
    its_turn: bool,
}

#[derive(FromQueryResult)]
struct Missing {
    id: i64,
    length: i64,
}

impl Backfill {
    /// From the first article.
    pub fn new() -> Self {
        Self { after: i64::MIN, its_turn: true }
    }

    /// Whether it goes before changes that wait.
    pub fn is_its_turn(&self) -> bool {
        self.its_turn
    }

    /// Lets it go before changes the next time.
    pub fn give_turn(&mut self) {
        self.its_turn = true;
    }

    /// Begins again with the first article: what is filled is passed over.
    pub fn start_over(&mut self) {
        self.after = i64::MIN;
    }

    /// The next articles that the generation lacks and nobody has just changed; empty at the end.
    pub async fn next(&mut self, db: &Database, generation: i64) -> Result<Vec<Change>, SyncError> {
        self.its_turn = false;
        let statement = Statement::from_sql_and_values(
            db.backend(),
            "SELECT id, CAST(length(content) AS BIGINT) AS length FROM article
             WHERE id > $1
               AND NOT EXISTS (SELECT 1 FROM article_index
                               WHERE generation_id = $2 AND article_index.article_id = article.id)
               AND NOT EXISTS (SELECT 1 FROM index_change WHERE index_change.article_id = article.id)
             ORDER BY id LIMIT $3",
            [self.after.into(), generation.into(), i64::from(BATCH_CHANGES).into()],
        );
        let missing = Missing::find_by_statement(statement).all(db.reader()).await?;
        let fits = fitting(missing.iter().map(|article| article.length), FILL_BYTES);
        let changes: Vec<_> = missing[..fits]
            .iter()
            .map(|article| Change { article: ArticleId(article.id), seq: 0, attempts: 0 })
            .collect();
        if let Some(last) = changes.last() {
            self.after = last.article.0;
        }
        Ok(changes)
    }
}

impl Generations {
    /// Finds what a generation has missed while it was retired: what SQL no longer has is removed, what differs counts as
    /// lacking. For the holder of the writer lock, between two batches.
    pub async fn open_gaps(&self, building: &OpenGeneration) -> Result<(), SyncError> {
        let report = verify(
            &self.db,
            building,
            Look::Published,
            |_| {},
            async |drift| {
                let orphaned = drift.iter().filter(|(_, kind)| *kind == Drift::Orphaned);
                let deleted: Vec<_> = orphaned.map(|(article, _)| article.0).collect();
                let versions = if deleted.is_empty() {
                    None
                } else {
                    let batch = Batch { deleted, ..Batch::default() };
                    Some(building.tables.write(&batch, Previous::Possible).await?)
                };
                let transaction = self.db.transaction().await?;
                let articles: Vec<_> = drift.iter().map(|(article, _)| *article).collect();
                forget(&transaction, building.id, &articles).await?;
                if let Some(versions) = versions {
                    record_versions(&transaction, building.id, versions).await?;
                }
                Ok(transaction.commit().await?)
            },
        )
        .await?;
        building.tables.publish().await?;
        tracing::info!(
            generation = building.id,
            missing = report.missing,
            stale = report.stale,
            orphaned = report.orphaned,
            "index.gaps_found"
        );
        Ok(())
    }

    /// Makes the generation that was built the live one, if nothing is lacking; searches use it from then on. The one
    /// before is kept as it is.
    pub async fn switch(&self, targets: &Targets, building: &Building) -> Result<bool, SyncError> {
        let (old, new) = (targets.live.generation.id, &building.target.generation);
        let transaction = self.db.transaction().await?;
        if lacks_anything(&transaction, old, new.id).await? {
            return Ok(false);
        }
        set_state(&transaction, old, State::Retired).await?;
        set_state(&transaction, new.id, State::Live).await?;
        transaction.commit().await?;
        self.search(new).await?;
        tracing::info!(generation = new.id, model = building.target.embedder.model().name, "index.switched");
        Ok(true)
    }
}

/// Whether an article is searchable now, or would be but for its failure, and would not be after the switch.
///
/// An article whose change waits may be lacking when the live generation does not have it either, or when it cannot be
/// indexed at all.
async fn lacks_anything(
    transaction: &DatabaseTransaction,
    live: i64,
    building: i64,
) -> Result<bool, SyncError> {
    let statement = Statement::from_sql_and_values(
        transaction.get_database_backend(),
        "SELECT 1 AS lacking FROM article
         WHERE NOT EXISTS (SELECT 1 FROM article_index
                           WHERE generation_id = $1 AND article_index.article_id = article.id)
           AND NOT EXISTS (SELECT 1 FROM index_change
                           WHERE index_change.article_id = article.id
                             AND (attempts >= $2 OR NOT EXISTS (
                               SELECT 1 FROM article_index
                               WHERE generation_id = $3 AND article_index.article_id = article.id)))
         LIMIT 1",
        [building.into(), i64::from(ATTEMPTS_UNTIL_FAILED).into(), live.into()],
    );
    Ok(transaction.query_one_raw(statement).await?.is_some())
}
