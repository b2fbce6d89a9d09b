//! The worker: waits for the writer lock, then turns recorded changes into index rows until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::commit::{Committer, record_versions};
use super::follow::Follower;
use super::generations::{Generations, LiveGeneration, view_of};
use super::handle::{WorkerHandle, pause};
use super::prepare::{Prepared, prepare};
use super::reconcile::record_gaps;
use crate::db::Database;
use crate::embedding::Embedder;
use crate::entity::article;
use crate::error_chain::Chain;
use crate::events::Events;
use crate::index::WriterLock;
use crate::outbox::{self, Change, Request};

/// Most changes of one batch.
const BATCH_CHANGES: u32 = 128;
/// Most bytes of content of one batch, unless one article alone has more: a second of inference or less.
const BATCH_BYTES: i64 = 48 * 1024;
/// How long a claim holds. Only the holder of the writer lock claims, and it frees all claims when it begins.
const LEASE: Duration = Duration::from_secs(3600);
/// How often the outbox is looked at when nothing wakes the worker.
const POLL: Duration = Duration::from_millis(250);
/// The wait after an outage, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(15);
/// How long nothing must happen before upkeep is done.
const IDLE_BEFORE_MAINTENANCE: Duration = Duration::from_secs(1);
/// How many batches are written before upkeep is done although more are waiting.
const BATCHES_BEFORE_MAINTENANCE: u32 = 50;
/// How often replaced versions are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Everything the worker needs.
#[derive(Clone)]
pub struct Worker {
    pub db: Database,
    pub embedder: Embedder,
    pub generations: Generations,
    pub events: Events,
    pub lock_folder: PathBuf,
    /// Notified when this process recorded a change.
    pub wake: Arc<Notify>,
}

impl Worker {
    /// Starts the worker. While another process holds the lock it follows that one's index instead.
    pub fn start(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| self.run(stop))
    }

    /// Follows another process's index without ever writing.
    pub fn follow(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| async move {
            let mut follower = Follower::new(self.generations, self.events);
            while !stop.is_cancelled() {
                follower.catch_up().await;
                pause(POLL, &stop).await;
            }
        })
    }

    /// Takes the writer lock if it is free.
    pub fn try_lock(&self) -> Result<Option<WriterLock>, SyncError> {
        Ok(WriterLock::try_take(&self.lock_folder)?)
    }

    async fn run(self, stop: CancellationToken) {
        let mut follower = Follower::new(self.generations.clone(), self.events.clone());
        // What was told last: each state is told once, not at every look.
        let mut told = String::new();
        while !stop.is_cancelled() {
            let state = match self.try_lock() {
                Ok(Some(lock)) => {
                    tracing::info!("sync.writes: this process writes the index");
                    self.hold(lock, &stop).await;
                    String::new()
                }
                Ok(None) => {
                    follower.catch_up().await;
                    "sync.follows: another process writes the index".to_owned()
                }
                Err(error) => {
                    follower.catch_up().await;
                    format!("sync.no_lock: {}", Chain(&error))
                }
            };
            if state != told {
                tracing::warn!("{state}");
                told = state;
            }
            pause(POLL, &stop).await;
        }
    }

    /// The time as the one writer.
    async fn hold(&self, lock: WriterLock, stop: &CancellationToken) {
        let mut outages = Outages::new(self.db.clone());
        while !stop.is_cancelled() {
            let ended = match self.begin().await {
                Ok(live) => self.pump(live, stop).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                outages.pause(&error, stop).await;
            }
        }
        drop(lock);
    }

    async fn begin(&self) -> Result<LiveGeneration, SyncError> {
        // Here nothing is being written: both halves of the loop before have ended.
        let live = if outbox::is_submitted(self.db.reader(), Request::Rebuild).await? {
            self.generations.replace().await?
        } else {
            self.generations.open_or_create().await?
        };
        let transaction = self.db.transaction().await?;
        outbox::release_leases(&transaction).await?;
        outbox::set_last_error(&transaction, None).await?;
        transaction.commit().await?;
        self.events.publish_view(view_of(live.id, live.tables.versions().await?));
        Ok(live)
    }

    /// Prepares and commits side by side: while one batch is written the next is embedded.
    async fn pump(&self, live: LiveGeneration, stop: &CancellationToken) -> Result<(), SyncError> {
        let (sender, receiver) = mpsc::channel(1);
        let ended = CancellationToken::new();
        let prepare = async {
            let result = self.prepare_batches(sender, stop, &ended).await;
            ended.cancel();
            result
        };
        let commit = async {
            let result = self.commit_batches(&live, receiver).await;
            ended.cancel();
            result
        };
        let (prepared, committed) = tokio::join!(prepare, commit);
        committed.and(prepared)
    }

    async fn prepare_batches(
        &self,
        jobs: mpsc::Sender<Job>,
        stop: &CancellationToken,
        ended: &CancellationToken,
    ) -> Result<(), SyncError> {
        while !stop.is_cancelled() && !ended.is_cancelled() {
            if outbox::is_submitted(self.db.reader(), Request::Rebuild).await? {
                return Ok(());
            }
            if outbox::is_submitted(self.db.reader(), Request::Reconcile).await? {
                let (done, compared) = oneshot::channel();
                if jobs.send(Job::Compare(done)).await.is_err() || compared.await.is_err() {
                    return Ok(());
                }
            }
            let changes = self.claim().await?;
            if changes.is_empty() {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                    () = stop.cancelled() => {}
                    () = ended.cancelled() => {}
                }
                continue;
            }
            let prepared = prepare(&self.db, &self.embedder, changes).await?;
            if jobs.send(Job::Commit(Box::new(prepared))).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Claims changes up to the size of a batch; what is beyond it is given back.
    async fn claim(&self) -> Result<Vec<Change>, SyncError> {
        // Looking costs nothing to other writers, unlike a transaction.
        if !outbox::any_due(self.db.reader()).await? {
            return Ok(Vec::new());
        }
        let transaction = self.db.transaction().await?;
        let mut changes = outbox::claim(&transaction, BATCH_CHANGES, LEASE).await?;
        let ids = changes.iter().map(|change| change.article.0);
        let lengths: Vec<(i64, i64)> = article::Entity::find()
            .select_only()
            .column(article::Column::Id)
            .expr(sea_orm::sea_query::Expr::cust("CAST(length(content) AS BIGINT)"))
            .filter(article::Column::Id.is_in(ids))
            .into_tuple()
            .all(&transaction)
            .await?;
        let mut room = BATCH_BYTES;
        let fits = changes.iter().take_while(|change| {
            let fits = room > 0;
            let length =
                lengths.iter().find(|(id, _)| *id == change.article.0).map_or(0, |(_, length)| *length);
            room -= length;
            fits
        });
        let beyond = changes.split_off(fits.count());
        for change in beyond {
            outbox::postpone(&transaction, change, Duration::ZERO, None).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }

    async fn commit_batches(
        &self,
        live: &LiveGeneration,
        mut jobs: mpsc::Receiver<Job>,
    ) -> Result<(), SyncError> {
        let mut committer = Committer {
            db: self.db.clone(),
            events: self.events.clone(),
            fingerprint: self.embedder.model().fingerprint.clone(),
            uncertain: true,
        };
        let mut maintenance = Maintenance::new();
        loop {
            match tokio::time::timeout(IDLE_BEFORE_MAINTENANCE, jobs.recv()).await {
                Ok(Some(Job::Compare(done))) => {
                    record_gaps(&self.db, live).await?;
                    // The other half may have ended meanwhile.
                    let _ = done.send(());
                }
                Ok(Some(Job::Commit(prepared))) => {
                    let started = std::time::Instant::now();
                    committer.commit(live, &prepared).await?;
                    tracing::debug!(
                        articles = prepared.articles().len(),
                        passages = prepared.batch.passages.len(),
                        duration_ms = started.elapsed().as_millis() as u64,
                        "sync.committed"
                    );
                    maintenance.batches += 1;
                    if maintenance.batches >= BATCHES_BEFORE_MAINTENANCE {
                        self.maintain(live, &mut maintenance).await?;
                    }
                }
                Ok(None) => return Ok(()),
                Err(_idle) if maintenance.batches > 0 => self.maintain(live, &mut maintenance).await?,
                Err(_idle) => {}
            }
        }
    }

    async fn maintain(&self, live: &LiveGeneration, maintenance: &mut Maintenance) -> Result<(), SyncError> {
        maintenance.batches = 0;
        if live.tables.maintain().await? {
            let versions = live.tables.versions().await?;
            let transaction = self.db.transaction().await?;
            record_versions(&transaction, live.id, versions).await?;
            transaction.commit().await?;
            self.events.publish_view(view_of(live.id, versions));
        }
        if maintenance.pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE_EVERY) {
            live.tables.prune().await?;
            maintenance.pruned = Some(std::time::Instant::now());
        }
        Ok(())
    }
}

/// What is done one after the other, by the half that writes.
enum Job {
    Commit(Box<Prepared>),
    /// Compare everything: between two batches, so that none is half way while its articles are looked at.
    Compare(oneshot::Sender<()>),
}

struct Maintenance {
    /// Batches since the last upkeep.
    batches: u32,
    /// When old versions were removed; not yet by this process, at first.
    pruned: Option<std::time::Instant>,
}

impl Maintenance {
    fn new() -> Self {
        // As if one had been written: a process that was stopped may have left upkeep undone.
        Self { batches: 1, pruned: None }
    }
}

/// Waits longer after each outage in a row and makes the reason visible.
struct Outages {
    db: Database,
    pause: Duration,
    last: std::time::Instant,
}

impl Outages {
    fn new(db: Database) -> Self {
        Self { db, pause: FIRST_PAUSE, last: std::time::Instant::now() }
    }

    async fn pause(&mut self, error: &SyncError, stop: &CancellationToken) {
        if self.last.elapsed() > LAST_PAUSE * 2 {
            self.pause = FIRST_PAUSE;
        }
        self.last = std::time::Instant::now();
        let pause_ms = self.pause.as_millis() as u64;
        tracing::error!(error = %Chain(error), pause_ms, "sync.outage");
        if let Err(error) = self.make_visible(&error.to_string()).await {
            tracing::error!(error = %Chain(&error), "sync.outage_not_recorded");
        }
        pause(self.pause, stop).await;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    async fn make_visible(&self, error: &str) -> Result<(), sea_orm::DbErr> {
        let transaction = self.db.transaction().await?;
        outbox::set_last_error(&transaction, Some(error)).await?;
        transaction.commit().await
    }
}
