//! Keeping the index in step with SQL: the only writer of LanceDB.
//!
//! claim → load → split into passages → embed (or take from the cache) → write → complete. Preparing a batch and
//! committing the one before run side by side (`pump`). While the index changes to another model, two generations are
//! kept in step (`targets`), and the new one is filled (`backfill`).

mod article_vector;
mod backfill;
mod background;
mod batch_size;
mod cache;
mod check;
mod commit;
mod content_hash;
mod cut;
mod error;
mod follow;
mod generations;
mod handle;
mod load;
mod outage;
mod passages;
mod prepare;
mod preparing;
mod publish;
mod pump;
mod reconcile;
mod record;
mod step;
mod targets;
mod upkeep;
mod verify;
mod worker;

pub use article_vector::{LEAD_SHARE, article_vector};
pub use check::Checker;
pub use error::SyncError;
pub use generations::{Generations, OpenGeneration};
pub use handle::WorkerHandle;
pub use passages::{PassageRule, PassageSpan, passage_text, split};
pub use publish::Publisher;
pub use reconcile::{record, record_gaps};
pub use step::{Step, StepHook, log_steps};
pub use verify::{Drift, Look, VerifyReport, article_count, verify};
pub use worker::Worker;
