//! The flow of batches: one half claims and prepares, the other writes, side by side.

use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::backfill::Backfill;
use super::batch_size::{BATCH_BYTES, BATCH_CHANGES, fitting};
use super::commit::Committer;
use super::cut::{Origin, cut};
use super::generations::{Target, view_of};
use super::prepare::Prepared;
use super::preparing::Preparing;
use super::reconcile::record_gaps;
use super::step::Step;
use super::targets::Targets;
use super::upkeep::Upkeep;
use super::worker::Worker;
use crate::entity::article;
use crate::index::WriterLock;
use crate::outbox::{self, Change, Request};

/// How long a claim holds. Only the holder of the writer lock claims, and it frees all claims when it begins.
const LEASE: Duration = Duration::from_secs(3600);
/// Jobs that wait for the writing half: the embedding threads go on while it compacts, which takes a second.
const JOBS_WAITING: usize = 3;
/// How often the outbox is looked at when nothing ticks.
const POLL: Duration = Duration::from_secs(1);
/// How long nothing must happen before upkeep is done.
const IDLE_BEFORE_UPKEEP: Duration = Duration::from_secs(1);

/// One run of both halves over the same targets; it ends with an error, with the stop, or when the targets change.
pub struct Pump<'a> {
    worker: &'a Worker,
    targets: Targets,
    lock: &'a WriterLock,
}

/// What is done one after the other, by the half that writes.
enum Job {
    Commit(Box<Prepared>),
    /// Compare everything: between two batches, so that none is half way while its articles are looked at.
    Compare(oneshot::Sender<()>),
    /// Find what the generation being built has missed.
    OpenGaps(oneshot::Sender<()>),
    /// Put the generation being built in the live one's place, if it is complete; answers whether it was.
    Switch(oneshot::Sender<bool>),
}

/// What the preparing half does next.
enum Next {
    Batch(Vec<Change>, Origin),
    /// Nothing until something ticks or this time has passed.
    Wait(Duration),
    /// The targets are to be looked at anew.
    End,
}

impl<'a> Pump<'a> {
    pub fn new(worker: &'a Worker, targets: Targets, lock: &'a WriterLock) -> Self {
        Self { worker, targets, lock }
    }

    /// Prepares and commits side by side: while one batch is written the next is embedded.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), SyncError> {
        let (sender, receiver) = mpsc::channel(JOBS_WAITING);
        let ended = stop.child_token();
        let prepare = async {
            let result = self.prepare_batches(sender, &ended).await;
            ended.cancel();
            result
        };
        let commit = async {
            let result = self.commit_batches(receiver).await;
            ended.cancel();
            result
        };
        let (prepared, committed) = tokio::join!(prepare, commit);
        committed.and(prepared)
    }

    async fn prepare_batches(
        &self,
        jobs: mpsc::Sender<Job>,
        ended: &CancellationToken,
    ) -> Result<(), SyncError> {
        let mut ticks = self.worker.changes.subscribe();
        let mut backfill = Backfill::new();
        if self.targets.building.as_ref().is_some_and(|building| building.revived)
            && asked(&jobs, Job::OpenGaps).await.is_none()
        {
            return Ok(());
        }
        let mut ahead: Option<Preparing> = None;
        while !ended.is_cancelled() {
            ticks.borrow_and_update();
            let preparing = match ahead.take() {
                Some(preparing) => preparing,
                None => match self.next(&jobs, &mut backfill).await? {
                    Next::Batch(changes, origin) => self.start(changes, origin).await?,
                    Next::End => return Ok(()),
                    Next::Wait(wait) => {
                        tokio::select! {
                            _ = ticks.changed() => {}
                            () = tokio::time::sleep(wait) => {}
                            () = ended.cancelled() => {}
                        }
                        continue;
                    }
                },
            };
            preparing.nearly_done().await;
            // Claims of a batch that is not written are free again when the next pump begins.
            ahead = self.start_ahead(&mut backfill).await?;
            let prepared = preparing.finished().await?;
            (self.worker.on_step)(Step::Prepared);
            if jobs.send(Job::Commit(Box::new(prepared))).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn start(&self, changes: Vec<Change>, origin: Origin) -> Result<Preparing, SyncError> {
        let targets = match (origin, &self.targets.building) {
            (Origin::Backfill, Some(building)) => vec![&building.target],
            _ => self.targets.all(),
        };
        let batch = cut(&self.worker.db, &targets, changes, origin).await?;
        Ok(Preparing::start(&self.worker.db, batch))
    }

    /// Starts with what follows the batch that is nearly embedded, when that is sure: so that the embedding threads always
    /// have texts.
    async fn start_ahead(&self, backfill: &mut Backfill) -> Result<Option<Preparing>, SyncError> {
        if outbox::any_submitted(self.worker.db.reader()).await? {
            return Ok(None);
        }
        let next = if backfill.is_its_turn() && self.targets.building.is_some() {
            let lacking = self.lacking(backfill).await?;
            if lacking.is_none() {
                // At the end of what is to be filled comes the switch: it is not for here, and must not lose its turn.
                backfill.give_turn();
            }
            lacking
        } else {
            match self.due(backfill).await? {
                Some(next) => Some(next),
                None => self.lacking(backfill).await?,
            }
        };
        match next {
            Some((changes, origin)) => Ok(Some(self.start(changes, origin).await?)),
            None => Ok(None),
        }
    }

    async fn next(&self, jobs: &mpsc::Sender<Job>, backfill: &mut Backfill) -> Result<Next, SyncError> {
        let db = &self.worker.db;
        if outbox::any_submitted(db.reader()).await? {
            for request in [Request::Rebuild, Request::Rollback, Request::Prune] {
                if outbox::is_submitted(db.reader(), request).await? {
                    return Ok(Next::End);
                }
            }
            if asked(jobs, Job::Compare).await.is_none() {
                return Ok(Next::End);
            }
        }
        // In turn, so that writes without end do not keep the generation from being completed.
        if backfill.is_its_turn()
            && let Some(next) = self.fill(jobs, backfill).await?
        {
            return Ok(next);
        }
        if let Some((changes, origin)) = self.due(backfill).await? {
            return Ok(Next::Batch(changes, origin));
        }
        let wait = outbox::due_in(db.reader()).await?.map_or(POLL, |due| due.min(POLL));
        Ok(self.fill(jobs, backfill).await?.unwrap_or(Next::Wait(wait)))
    }

    /// The changes that are due; then what is to be filled has its turn. `None` when there are none.
    async fn due(&self, backfill: &mut Backfill) -> Result<Option<(Vec<Change>, Origin)>, SyncError> {
        // Looking costs nothing to other writers, unlike a transaction.
        if outbox::due_in(self.worker.db.reader()).await? != Some(Duration::ZERO) {
            return Ok(None);
        }
        let changes = self.claim().await?;
        if changes.is_empty() {
            return Ok(None);
        }
        (self.worker.on_step)(Step::Claimed);
        backfill.give_turn();
        Ok(Some((changes, Origin::Outbox)))
    }

    /// The next articles that the generation being built lacks; `None` when there is no such generation, or no such article.
    async fn lacking(&self, backfill: &mut Backfill) -> Result<Option<(Vec<Change>, Origin)>, SyncError> {
        let Some(building) = &self.targets.building else { return Ok(None) };
        let changes = backfill.next(&self.worker.db, building.target.generation.id).await?;
        Ok((!changes.is_empty()).then_some((changes, Origin::Backfill)))
    }

    /// The next articles for the generation that is being built; at their end the switch. `None` when there is nothing to
    /// fill, or what is lacking is on its way.
    async fn fill(
        &self,
        jobs: &mpsc::Sender<Job>,
        backfill: &mut Backfill,
    ) -> Result<Option<Next>, SyncError> {
        if self.targets.building.is_none() {
            return Ok(None);
        }
        if let Some((changes, origin)) = self.lacking(backfill).await? {
            return Ok(Some(Next::Batch(changes, origin)));
        }
        // What is on its way is written before the job's turn comes.
        match asked(jobs, Job::Switch).await {
            Some(false) => {
                backfill.start_over();
                Ok(None)
            }
            Some(true) | None => Ok(Some(Next::End)),
        }
    }

    /// Claims changes up to the size of a batch; what is beyond it is given back.
    async fn claim(&self) -> Result<Vec<Change>, SyncError> {
        let transaction = self.worker.db.transaction().await?;
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
        let length = |change: &Change| {
            lengths.iter().find(|(id, _)| *id == change.article.0).map_or(0, |(_, length)| *length)
        };
        let beyond = changes.split_off(fitting(changes.iter().map(length), BATCH_BYTES));
        for change in beyond {
            outbox::postpone(&transaction, change, Duration::ZERO, None).await?;
        }
        transaction.commit().await?;
        Ok(changes)
    }

    async fn commit_batches(&self, mut jobs: mpsc::Receiver<Job>) -> Result<(), SyncError> {
        let Worker { db, events, generations, on_step, .. } = self.worker;
        let targets = self.targets.all();
        let mut committer = Committer::new(db.clone(), events.clone(), on_step.clone(), &targets).await?;
        let mut upkeep = Upkeep::new(db.clone(), events.clone(), generations.clone(), on_step.clone());
        // Put off by jobs alone: searches that fail one after the other must not keep the look at the files away.
        let mut idle_at = Instant::now() + IDLE_BEFORE_UPKEEP;
        loop {
            let job = tokio::select! {
                job = jobs.recv() => job,
                () = generations.index.search_failed() => {
                    upkeep.suspect();
                    continue;
                }
                () = tokio::time::sleep_until(idle_at) => {
                    idle_at = Instant::now() + IDLE_BEFORE_UPKEEP;
                    if !self.lock.holds() {
                        return Err(SyncError::LockLost);
                    }
                    upkeep.idle(&self.targets).await?;
                    committer.complete_rest().await?;
                    committer.clear_outage().await?;
                    continue;
                }
            };
            idle_at = Instant::now() + IDLE_BEFORE_UPKEEP;
            if !self.lock.holds() {
                return Err(SyncError::LockLost);
            }
            // Whoever asked may have ended meanwhile.
            match job {
                None => return Ok(()),
                Some(Job::Commit(prepared)) => {
                    commit(&mut committer, &targets, &prepared).await?;
                    committer.complete_rest().await?;
                    upkeep.wrote();
                    upkeep.busy(&self.targets).await?;
                }
                Some(Job::Compare(done)) => {
                    record_gaps(db, &self.targets.live.generation).await?;
                    let _ = done.send(());
                }
                Some(Job::OpenGaps(done)) => {
                    if let Some(building) = &self.targets.building {
                        generations.open_gaps(&building.target.generation).await?;
                    }
                    let _ = done.send(());
                }
                Some(Job::Switch(done)) => {
                    let _ = done.send(self.switch().await?);
                }
            }
        }
    }

    async fn switch(&self) -> Result<bool, SyncError> {
        let Some(building) = &self.targets.building else { return Ok(false) };
        let switched = self.worker.generations.switch(&self.targets, building).await?;
        if switched {
            let generation = &building.target.generation;
            let versions = generation.tables.versions().await?;
            self.worker.events.publish_view(view_of(generation.id, versions));
            (self.worker.on_step)(Step::Switched);
        }
        Ok(switched)
    }
}

async fn commit(
    committer: &mut Committer,
    targets: &[&Target],
    prepared: &Prepared,
) -> Result<(), SyncError> {
    let started = std::time::Instant::now();
    committer.commit(targets, prepared).await?;
    tracing::debug!(
        origin = ?prepared.origin,
        articles = prepared.done.len() + prepared.deleted.len(),
        passages = prepared.parts.iter().map(|part| part.batch.passages.len()).sum::<usize>(),
        duration_ms = started.elapsed().as_millis() as u64,
        "sync.committed"
    );
    Ok(())
}

/// Sends a job that is answered, and waits for the answer; `None` when the writing half has ended.
async fn asked<T>(jobs: &mpsc::Sender<Job>, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    jobs.send(job(answer)).await.ok()?;
    answered.await.ok()
}
