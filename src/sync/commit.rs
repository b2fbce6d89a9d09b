//! The second half of the worker's job: rows → LanceDB → SQL's record of it → whoever waits.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

use super::SyncError;
use super::cache;
use super::cut::Origin;
use super::generations::{Target, view_of};
use super::prepare::{Part, Prepared};
use super::record::{forget, record_indexed, record_rate, record_versions};
use super::step::{Step, StepHook};
use crate::article::ArticleId;
use crate::db::{Database, is_contention, notify};
use crate::entity::article_index;
use crate::events::{ArticleEventKind, Events, journal};
use crate::index::{Previous, Versions};
use crate::outbox::{self, ATTEMPTS_UNTIL_FAILED, Change};

/// The wait before a document's own error is tried again, doubled with each attempt.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// How often a batch is recorded before others that write are an outage; on SQLite each waits ten seconds.
const RECORD_TRIES: u32 = 6;
/// The weight of the last batch in the rate that is told.
const RATE_WEIGHT: f64 = 0.1;

/// Writes prepared batches, one after the other.
pub struct Committer {
    pub db: Database,
    pub events: Events,
    pub on_step: StepHook,
    /// Generations whose tables may hold rows that SQL does not know of: after a start or an error, until a batch is
    /// through.
    uncertain: HashSet<i64>,
    /// Whether SQL says that the index can't be written.
    failing: bool,
    /// Changes that are indexed and whose rows could not be removed yet.
    incomplete: Vec<Change>,
    rate: Rate,
}

impl Committer {
    pub async fn new(
        db: Database,
        events: Events,
        on_step: StepHook,
        targets: &[&Target],
    ) -> Result<Self, SyncError> {
        let uncertain = targets.iter().map(|target| target.generation.id).collect();
        let failing = outbox::last_error(db.reader()).await?.is_some();
        Ok(Self { db, events, on_step, uncertain, failing, incomplete: Vec::new(), rate: Rate::default() })
    }

    /// Makes `prepared` searchable and completes its changes. The first of `targets` is the live one.
    ///
    /// SQL records the versions before searches see them; a stop in between leaves nothing to be done but to show them, which every start
    /// does.
    pub async fn commit(&mut self, targets: &[&Target], prepared: &Prepared) -> Result<(), SyncError> {
        let mut written = Vec::with_capacity(prepared.parts.len());
        for part in &prepared.parts {
            let Some(target) = targets.iter().find(|target| target.generation.id == part.generation) else {
                continue;
            };
            let known = self.known(part).await?;
            let certain = !self.uncertain.contains(&part.generation);
            let previous = if certain && known.is_empty() { Previous::None } else { Previous::Possible };
            self.uncertain.insert(part.generation);
            let versions = target.generation.tables.write(&part.batch, previous).await?;
            written.push((part, versions));
        }
        (self.on_step)(Step::Written);
        if prepared.origin == Origin::Backfill {
            self.rate.add(prepared.done.len());
        }
        self.record_patiently(targets[0].generation.id, prepared, &written).await?;
        for (part, versions) in &written {
            self.uncertain.remove(&part.generation);
            if let Some(target) = targets.iter().find(|target| target.generation.id == part.generation) {
                target.generation.tables.publish().await?;
            }
            if part.generation == targets[0].generation.id {
                self.events.publish_view(view_of(part.generation, *versions));
            }
        }
        (self.on_step)(if prepared.origin == Origin::Backfill { Step::Backfilled } else { Step::Recorded });
        Ok(())
    }

    /// Takes back that the index can't be written, after something showed that it can.
    pub async fn clear_outage(&mut self) -> Result<(), SyncError> {
        // A process that cannot take the lock may have said so.
        if self.failing || outbox::last_error(self.db.reader()).await?.is_some() {
            let transaction = self.db.transaction().await?;
            outbox::set_last_error(&transaction, None).await?;
            transaction.commit().await?;
            self.recovered();
        }
        Ok(())
    }

    /// SQL no longer says that the index can't be written.
    fn recovered(&mut self) {
        self.failing = false;
        tracing::info!("sync.recovered: the index can be written again");
    }

    /// The articles of `part` that SQL says the generation holds.
    async fn known(&self, part: &Part) -> Result<HashSet<ArticleId>, SyncError> {
        let ids = part.indexed.iter().map(|indexed| indexed.article.0);
        let known: Vec<i64> = article_index::Entity::find()
            .select_only()
            .column(article_index::Column::ArticleId)
            .filter(article_index::Column::GenerationId.eq(part.generation))
            .filter(article_index::Column::ArticleId.is_in(ids))
            .into_tuple()
            .all(self.db.reader())
            .await?;
        Ok(known.into_iter().map(ArticleId).collect())
    }

    /// Records, and again when only other writers of the database were in the way.
    async fn record_patiently(
        &mut self,
        live: i64,
        prepared: &Prepared,
        written: &[(&Part, Versions)],
    ) -> Result<(), SyncError> {
        let mut tries = 1;
        loop {
            match self.record(live, prepared, written).await {
                Err(SyncError::Database(error)) if is_contention(&error) && tries < RECORD_TRIES => {
                    tracing::warn!(%error, tries, "sync.database_busy");
                    tries += 1;
                }
                recorded => return recorded,
            }
        }
    }

    /// Completes changes whose rows other transactions had locked.
    pub async fn complete_rest(&mut self) -> Result<(), SyncError> {
        if self.incomplete.is_empty() {
            return Ok(());
        }
        let transaction = self.db.transaction().await?;
        let rest = outbox::complete(&transaction, &self.incomplete).await?;
        transaction.commit().await?;
        self.incomplete = rest;
        Ok(())
    }

    async fn record(
        &mut self,
        live: i64,
        prepared: &Prepared,
        written: &[(&Part, Versions)],
    ) -> Result<(), SyncError> {
        let transaction = self.db.transaction().await?;
        let mut incomplete = Vec::new();
        let deleted: Vec<_> = prepared.deleted.iter().map(|change| change.article).collect();
        for (part, versions) in written {
            for vectors in part.vectors.iter().chain(&part.ahead) {
                cache::store(&transaction, &part.fingerprint, vectors).await?;
            }
            cache::drop_stale(&transaction, &part.fingerprint, &part.vectors).await?;
            record_indexed(&transaction, part.generation, &part.indexed).await?;
            forget(&transaction, part.generation, &deleted).await?;
            record_versions(&transaction, part.generation, *versions).await?;
            if prepared.origin == Origin::Backfill {
                record_rate(&transaction, part.generation, self.rate.per_second()).await?;
            }
            if part.generation == live {
                let indexed: Vec<_> = part.indexed.iter().map(|indexed| indexed.article).collect();
                journal::append(&transaction, ArticleEventKind::Indexed, &indexed).await?;
            }
        }
        cache::forget(&transaction, &deleted).await?;
        if prepared.origin == Origin::Outbox {
            let done: Vec<_> = prepared.done.iter().chain(&prepared.deleted).copied().collect();
            incomplete = outbox::complete(&transaction, &done).await?;
            for change in &prepared.unfinished {
                outbox::set_back(&transaction, *change).await?;
            }
        }
        record_failures(&transaction, prepared).await?;
        if self.failing {
            outbox::set_last_error(&transaction, None).await?;
        }
        // Other processes follow the index, and subscribers wait for what was journalled.
        notify(&transaction).await?;
        transaction.commit().await?;
        self.incomplete.extend(incomplete);
        if self.failing {
            self.recovered();
        }
        Ok(())
    }
}

async fn record_failures<C>(connection: &C, prepared: &Prepared) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let mut given_up = Vec::new();
    for (Change { article, seq, attempts }, reason) in &prepared.failed {
        let attempts = *attempts;
        tracing::warn!(article_id = %article, attempts = attempts + 1, reason, "sync.article_failed");
        let wait = retry_after(attempts);
        match prepared.origin {
            Origin::Outbox => {
                let change = Change { article: *article, seq: *seq, attempts };
                outbox::postpone(connection, change, wait, Some(reason)).await?;
            }
            Origin::Backfill => outbox::record_failed(connection, *article, reason, wait).await?,
        }
        if attempts + 1 == ATTEMPTS_UNTIL_FAILED {
            given_up.push(*article);
        }
    }
    journal::append(connection, ArticleEventKind::Failed, &given_up).await
}

fn retry_after(attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << attempts.min(12)).min(LAST_RETRY)
}

/// Articles per second, smoothed over the last batches.
#[derive(Default)]
struct Rate {
    last: Option<Instant>,
    per_second: Option<f64>,
}

impl Rate {
    fn add(&mut self, articles: usize) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            #[expect(clippy::cast_precision_loss, reason = "articles of one batch")]
            let measured = articles as f64 / (now - last).as_secs_f64().max(1e-3);
            let before = self.per_second.unwrap_or(measured);
            self.per_second = Some(before + RATE_WEIGHT * (measured - before));
        }
    }

    fn per_second(&self) -> Option<f64> {
        self.per_second
    }
}
