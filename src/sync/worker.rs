//! The worker: waits for the writer lock, then keeps the index in step until it is told to stop.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::follow::Follower;
use super::generations::{Generations, Target, view_of};
use super::handle::{WorkerHandle, pause};
use super::outage::{Outages, make_visible};
use super::pump::Pump;
use super::reconcile::has_unrecorded;
use super::step::{Step, StepHook};
use super::targets::Targets;
use super::upkeep::read_through;
use crate::db::{Changes, Database};
use crate::error_chain::Chain;
use crate::events::Events;
use crate::index::WriterLock;
use crate::outbox;

/// How often the lock is tried and the index followed when nothing ticks.
const POLL: Duration = Duration::from_millis(250);
/// Failed tries to open the index after which tables that are there, in a folder that can be written, count as damaged.
const OUTAGES_BEFORE_DAMAGED: u32 = 4;

/// Everything the worker needs.
#[derive(Clone)]
pub struct Worker {
    pub db: Database,
    pub generations: Generations,
    pub events: Events,
    pub lock_folder: PathBuf,
    /// Ticks when anything was committed.
    pub changes: Changes,
    /// Told of each step.
    pub on_step: StepHook,
}

impl Worker {
    /// Starts the worker. While another process holds the lock it follows that one's index instead.
    pub fn start(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| self.run(stop))
    }

    /// Follows another process's index without ever writing.
    pub fn follow(self) -> WorkerHandle {
        WorkerHandle::spawn(|stop| async move {
            let mut follower = Follower::new(self.generations.clone(), self.events.clone());
            let mut ticks = self.changes.subscribe();
            while !stop.is_cancelled() {
                follower.catch_up().await;
                next_look(&mut ticks, &stop).await;
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
        let mut ticks = self.changes.subscribe();
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
                    let state = format!("sync.no_lock: {}", Chain(&error));
                    if state != told {
                        make_visible(&self.db, &error).await;
                    }
                    state
                }
            };
            if state != told {
                tracing::warn!("{state}");
                told = state;
            }
            next_look(&mut ticks, &stop).await;
        }
    }

    /// The time as the one writer.
    async fn hold(&self, lock: WriterLock, stop: &CancellationToken) {
        let mut outages = Outages::new(self.db.clone());
        let mut lost = Vec::new();
        while !stop.is_cancelled() && lock.holds() {
            let ended = match self.begin(&mut lost, outages.in_a_row()).await {
                Ok(targets) => Pump::new(self, targets, &lock).run(stop).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => {}
                Err(SyncError::LockLost) => tracing::error!(error = %SyncError::LockLost, "sync.lock_lost"),
                Err(error) => {
                    self.search_all_the_same().await;
                    outages.pause(&error, stop).await;
                }
            }
        }
    }

    /// Lets searches use what SQL records when nothing is open yet: that takes no writing.
    async fn search_all_the_same(&self) {
        if !self.generations.is_searched() {
            Follower::new(self.generations.clone(), self.events.clone()).catch_up().await;
        }
    }

    /// Opens what is to be kept in step. After an outage everything is read through first: a damaged file fails each
    /// commit in the same way, and only another generation helps.
    async fn begin(&self, lost: &mut Vec<i64>, outages: u32) -> Result<Targets, SyncError> {
        // Here nothing is being written: both halves of the pump before have ended.
        let live = match self.generations.live(lost).await {
            Err(SyncError::Index(error))
                if outages >= OUTAGES_BEFORE_DAMAGED && self.folder_is_writable() =>
            {
                tracing::error!(error = %Chain(&error), "index.damaged: it cannot be opened");
                lost.extend(self.generations.ids_in_use().await?);
                self.generations.live(lost).await?
            }
            opened => opened?,
        };
        self.search(&live, lost).await?;
        let versions = live.generation.tables.versions().await?;
        self.events.publish_view(view_of(live.generation.id, versions));
        let targets = self.generations.targets(live, lost).await?;
        if targets.building.is_some() {
            (self.on_step)(Step::GenerationCreated);
        }
        lost.clear();
        if outages > 0 {
            for target in targets.all() {
                if let Err(error) = read_through(target).await {
                    lost.push(target.generation.id);
                    return Err(error);
                }
            }
        }
        let unrecorded = outages == 0 && has_unrecorded(self.db.reader(), targets.live.generation.id).await?;
        if unrecorded {
            tracing::warn!("sync.unrecorded_changes: comparing every article with the index");
        }
        let transaction = self.db.transaction().await?;
        outbox::release_leases(&transaction).await?;
        outbox::resume_comparison(&transaction).await?;
        if unrecorded {
            outbox::submit(&transaction, outbox::Request::Reconcile).await?;
        }
        transaction.commit().await?;
        Ok(targets)
    }

    /// Lets searches use the live generation. When it cannot be read into memory, all of it is read through: damaged files
    /// fail each time in the same way, and only another generation helps.
    async fn search(&self, live: &Target, lost: &mut Vec<i64>) -> Result<(), SyncError> {
        let Err(error) = self.generations.search(&live.generation).await else { return Ok(()) };
        read_through(live).await.inspect_err(|_| lost.push(live.generation.id))?;
        Err(error)
    }

    /// Whether a file can be made beside the lock: an index that cannot be opened is then damaged, not out of reach.
    fn folder_is_writable(&self) -> bool {
        tempfile::tempfile_in(&self.lock_folder).is_ok()
    }
}

/// Returns with a tick, also one from before the call, or after a while.
async fn next_look(ticks: &mut watch::Receiver<u64>, stop: &CancellationToken) {
    tokio::select! {
        _ = ticks.changed() => {}
        () = pause(POLL, stop) => {}
    }
}
