//! A batch whose vectors are being computed.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::SyncError;
use super::cut::CutBatch;
use super::prepare::{Prepared, prepare};
use crate::db::Database;

/// The preparation of one batch, under way by itself, so that the texts of two batches can wait for the embedding threads.
/// Dropping it ends it: nothing is written yet.
pub struct Preparing {
    nearly_done: Arc<Notify>,
    task: AbortOnDropHandle<Result<Prepared, SyncError>>,
}

impl Preparing {
    pub fn start(db: &Database, batch: CutBatch) -> Self {
        let nearly_done = Arc::new(Notify::new());
        let task = tokio::spawn({
            let (db, nearly_done) = (db.clone(), Arc::clone(&nearly_done));
            async move {
                let nearly_done = TellsAtLast(nearly_done);
                prepare(&db, batch, &nearly_done.0).await
            }
        });
        Self { nearly_done, task: AbortOnDropHandle::new(task) }
    }

    /// Returns when few texts are left: it is time for the next batch.
    pub async fn nearly_done(&self) {
        self.nearly_done.notified().await;
    }

    pub async fn finished(self) -> Result<Prepared, SyncError> {
        self.task.await?
    }
}

/// Tells when it is dropped: also when the preparation ends by a panic, nobody waits for it.
struct TellsAtLast(Arc<Notify>);

impl Drop for TellsAtLast {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
