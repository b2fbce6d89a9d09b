//! What the worker does when it is idle: upkeep of the tables, and a look whether they are still there and whole.

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
/// And how many articles: a search cuts each text that the index of words does not cover yet into words, 0.08 ms an article.
const ARTICLES_BEFORE_UPKEEP: usize = 256;
/// How long nothing must have been written before the tables are brought to what searches read fastest.
const QUIET_BEFORE_TIDYING: Duration = Duration::from_secs(5);
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
    /// Articles in them.
    articles: usize,
    /// When something was written last, if the tables have not been tidied since.
    untidy_since: Option<Instant>,
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
            articles: 0,
            untidy_since: Some(Instant::now()),
            pruned: None,
            settled: None,
            suspected: Some(Instant::now()),
        }
    }

    /// Counts a batch of so many articles.
    pub fn wrote(&mut self, articles: usize) {
        self.batches += 1;
        self.articles += articles;
        self.untidy_since = Some(Instant::now());
    }

    /// Whether upkeep can't wait for an idle moment.
    fn is_overdue(&self) -> bool {
        self.batches >= BATCHES_BEFORE_UPKEEP || self.articles >= ARTICLES_BEFORE_UPKEEP
    }

    /// A search has failed: a file may be missing or damaged.
    pub fn suspect(&mut self) {
        self.suspected.get_or_insert_with(Instant::now);
    }

    /// Does what is due in an idle moment; `true` when there is more to be done that does not need to wait for the next one.
    pub async fn idle(&mut self, targets: &Targets) -> Result<bool, SyncError> {
        check_presence(targets)?;
        if self.batches > 0 {
            self.maintain(targets).await?;
        }
        if self.suspected.is_some() {
            self.read_through(targets).await?;
        }
        self.prune(targets).await?;
        if self.untidy_since.is_none_or(|since| since.elapsed() < QUIET_BEFORE_TIDYING) {
            return Ok(false);
        }
        let tidied = self.tidy(targets).await?;
        if !tidied {
            self.untidy_since = None;
        }
        Ok(tidied)
    }

    /// Does what is due between two batches when there is no idle moment.
    pub async fn busy(&mut self, targets: &Targets) -> Result<(), SyncError> {
        if self.is_overdue() {
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

    /// One short step, so that a write that comes meanwhile does not wait for all; `false` when nothing is left to do.
    async fn tidy(&self, targets: &Targets) -> Result<bool, SyncError> {
        for target in targets.all() {
            (self.on_step)(Step::Tidying);
            if target.generation.tables.tidy().await? {
                self.show(target, targets).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Merges small files and extends the indexes of the tables where it is due.
    async fn maintain(&mut self, targets: &Targets) -> Result<(), SyncError> {
        (self.on_step)(Step::Maintaining);
        (self.batches, self.articles) = (0, 0);
        for target in targets.all() {
            if target.generation.tables.maintain().await? {
                self.show(target, targets).await?;
            }
            background::refresh(&self.db, target).await?;
        }
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
