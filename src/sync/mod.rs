//! Keeping the index in step with SQL: the only writer of LanceDB.
//!
//! claim → load → split into passages → embed (or take from the cache) → write → complete. Preparing a batch and
//! committing the one before run side by side.

mod cache;
mod commit;
mod content_hash;
mod error;
mod follow;
mod generations;
mod handle;
mod passages;
mod prepare;
mod reconcile;
mod verify;
mod worker;

pub use error::SyncError;
pub use generations::{Generations, LiveGeneration};
pub use handle::WorkerHandle;
pub use passages::{PassageRule, PassageSpan, split};
pub use reconcile::{record, record_gaps};
pub use verify::{Drift, Look, VerifyReport, article_count, verify};
pub use worker::Worker;
