//! The named points of the worker's way, for those who watch it and for tests that stop a process there.

use std::sync::Arc;

/// What the worker has just done or is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Changes are claimed, nothing else.
    Claimed,
    /// Their vectors are computed; nothing is written.
    Prepared,
    /// The index's tables are written; SQL does not know it yet.
    Written,
    /// SQL knows it.
    Recorded,
    /// Upkeep of the tables is about to begin.
    Maintaining,
    /// A file of what searches read is complete, and nothing uses it yet.
    SearchFileWritten,
    /// There is a generation to be filled, for another model or a rebuild.
    GenerationCreated,
    /// A batch of it was recorded.
    Backfilled,
    /// It has become the live one.
    Switched,
}

/// Told of every step, on the worker's task: it should return soon.
pub type StepHook = Arc<dyn Fn(Step) + Send + Sync>;

/// Logs each step.
pub fn log_steps() -> StepHook {
    Arc::new(|step| tracing::trace!(?step, "sync.step"))
}
