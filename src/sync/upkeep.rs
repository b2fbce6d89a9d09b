//! What the worker does when it is idle: upkeep of the tables, and a look whether they are still there and whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use super::SyncError;
use super::background;
use super::generations::{Generations, Target, view_of};
use super::record::record_versions;
use super::step::{Step, StepHook};
use super::targets::Targets;
use crate::db::Database;
use crate::error_chain::Chain;
use crate::events::{Events, journal};
use crate::index::IndexError;
use crate::outbox;

/// How many batches are written before upkeep is done although more are waiting: each makes a file, and each change of an
/// indexed article opens every file that the index of ids does not cover yet.
const BATCHES_BEFORE_UPKEEP: u32 = 16;
/// How long a version can still be read after it was replaced: longer than any search that began with it, than another
/// process needs to notice that there is a newer one, and as long as readers take from one page of recommendations to the
/// next.
const VERSIONS_KEPT: TimeDelta = TimeDelta::minutes(5);
/// How often replaced versions and old events are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// How long an event can be read from the journal.
const EVENTS_KEPT: Duration = Duration::from_secs(15 * 60);
/// How long a damage may be suspected without a look, which writes wait for.
const SUSPECTED_MAX: Duration = Duration::from_secs(10);
/// Between two tries to read everything: a disk that is busy or a limit of open files is no damage.
const BEFORE_SECOND_READ: Duration = Duration::from_secs(2);

/// The state of the upkeep of all targets.
pub struct Upkeep {
    db: Database,
    events: Events,
    generations: Generations,
    on_step: StepHook,
    /// Batches since the last upkeep.
    batches: u32,
    /// When old versions were removed; not yet by this process, at first.
    pruned: Option<Instant>,
    /// What the journal's last trim has told.
    settled: Option<i64>,
    /// Since when the tables are to be read through: after a start, and when a search has failed.
    suspected: Option<Instant>,
}

impl Upkeep {
    pub fn new(db: Database, events: Events, generations: Generations, on_step: StepHook) -> Self {
        // As if one batch had been written: a process that was stopped may have left upkeep undone.
        Self {
            db,
            events,
            generations,
            on_step,
            batches: 1,
            pruned: None,
            settled: None,
            suspected: Some(Instant::now()),
        }
    }

    /// Counts a batch.
    pub fn wrote(&mut self) {
        self.batches += 1;
    }

    /// A search has failed: a file may be missing or damaged.
    pub fn suspect(&mut self) {
        self.suspected.get_or_insert_with(Instant::now);
    }

    /// Does what is due in an idle moment.
    pub async fn idle(&mut self, targets: &Targets) -> Result<(), SyncError> {
        check_presence(targets)?;
        if self.batches > 0 {
            self.maintain(targets).await?;
        }
        if self.suspected.is_some() {
            self.read_through(targets).await?;
        }
        self.prune(targets).await
    }

    /// Does what is due between two batches when there is no idle moment.
    pub async fn busy(&mut self, targets: &Targets) -> Result<(), SyncError> {
        // It can't wait for an idle moment.
        if self.batches >= BATCHES_BEFORE_UPKEEP {
            self.maintain(targets).await?;
        }
        if self.suspected.is_some_and(|since| since.elapsed() >= SUSPECTED_MAX) {
            check_presence(targets)?;
            self.read_through(targets).await?;
        }
        Ok(())
    }

    async fn read_through(&mut self, targets: &Targets) -> Result<(), SyncError> {
        self.suspected = None;
        for target in targets.all() {
            read_through(target).await?;
        }
        Ok(())
    }

    /// Writes files that make the next start fast. They are a cache: without them it is slower, and no write may fail for them.
    async fn save_search(&self, targets: &Targets) {
        let on_step = Arc::clone(&self.on_step);
        let saved =
            targets.live.generation.tables.save_search(move || on_step(Step::SearchFileWritten)).await;
        if let Err(error) = saved {
            tracing::warn!(error = %Chain(&error), "search.not_saved: the next start reads the tables");
        }
    }

    /// Merges small files and extends the indexes of ids where it is due.
    async fn maintain(&mut self, targets: &Targets) -> Result<(), SyncError> {
        (self.on_step)(Step::Maintaining);
        self.batches = 0;
        for target in targets.all() {
            if target.generation.tables.maintain().await? {
                self.show(target, targets).await?;
            }
            background::refresh(&self.db, target).await?;
        }
        self.save_search(targets).await;
        self.prune(targets).await
    }

    /// Lets other processes, and cursors, know the versions that upkeep has made.
    async fn show(&self, target: &Target, targets: &Targets) -> Result<(), SyncError> {
        let generation = &target.generation;
        let versions = generation.tables.versions().await?;
        let transaction = self.db.transaction().await?;
        record_versions(&transaction, generation.id, versions).await?;
        transaction.commit().await?;
        if generation.id == targets.live.generation.id {
            self.events.publish_view(view_of(generation.id, versions));
        }
        Ok(())
    }

    async fn prune(&mut self, targets: &Targets) -> Result<(), SyncError> {
        if self.pruned.is_some_and(|pruned| pruned.elapsed() < PRUNE_EVERY) {
            return Ok(());
        }
        self.pruned = Some(Instant::now());
        for target in targets.all() {
            target.generation.tables.prune(Utc::now() - VERSIONS_KEPT).await?;
        }
        self.generations.remove_superseded(&targets.live).await?;
        let kept = i64::try_from(EVENTS_KEPT.as_millis()).unwrap_or(i64::MAX);
        let transaction = self.db.transaction().await?;
        let settled = journal::trim(&transaction, outbox::unix_millis() - kept, self.settled).await?;
        transaction.commit().await?;
        self.settled = settled;
        Ok(())
    }
}

/// Fails when tables are gone.
fn check_presence(targets: &Targets) -> Result<(), SyncError> {
    let is_present = |target: &&Target| target.generation.tables.is_present();
    if targets.all().iter().all(is_present) { Ok(()) } else { Err(IndexError::Gone.into()) }
}

/// Reads all of a target; fails when that is impossible twice.
pub async fn read_through(target: &Target) -> Result<(), SyncError> {
    let tables = &target.generation.tables;
    if let Err(error) = tables.read_through().await {
        tracing::warn!(generation = target.generation.id, error = %Chain(&error), "index.not_readable");
        tokio::time::sleep(BEFORE_SECOND_READ).await;
        tables.read_through().await.map_err(|source| IndexError::Damaged { source: Box::new(source) })?;
    }
    Ok(())
}
