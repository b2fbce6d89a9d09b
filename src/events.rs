//! What happened, for whoever waits: the worker publishes, requests listen.

use tokio::sync::watch;

/// A handle to publish with; clones share the listeners.
#[derive(Clone, Debug)]
pub struct Events {
    completions: watch::Sender<u64>,
}

impl Events {
    pub fn new() -> Self {
        Self { completions: watch::Sender::new(0) }
    }

    /// Says that changes left the outbox. Called after the COMMIT that removed them.
    pub fn publish_completion(&self) {
        self.completions.send_modify(|count| *count += 1);
    }

    /// Changes its value whenever changes left the outbox.
    pub fn completions(&self) -> watch::Receiver<u64> {
        self.completions.subscribe()
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}
