//! Stopping a worker that runs.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running worker.
#[derive(Debug)]
pub struct WorkerHandle {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl WorkerHandle {
    /// Runs `run` until the token it is given is cancelled.
    pub(super) fn spawn<F>(run: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(stop.clone()));
        Self { stop, task }
    }

    /// Lets the worker finish the batches under way, then ends it and frees the lock.
    pub async fn stop(self) {
        self.stop.cancel();
        // A panic of the task has been reported by the runtime; there is nothing left to finish then.
        let _ = self.task.await;
    }
}

/// Sleeps, but not beyond the stop.
pub(super) async fn pause(duration: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = stop.cancelled() => {}
    }
}
