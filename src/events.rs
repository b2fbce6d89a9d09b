//! What happened, for whoever waits: the worker publishes, requests listen.

use tokio::sync::watch;

/// What the searches of this process see of the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchView {
    /// The generation's id in SQL; 0 before one is open.
    pub generation: i64,
    pub article_version: u64,
    pub passage_version: u64,
}

/// A handle to publish with; clones share the listeners.
#[derive(Clone, Debug, Default)]
pub struct Events {
    view: watch::Sender<SearchView>,
}

impl Events {
    /// Says what searches see from now on. Called when SQL records it too: after the COMMIT that completed the changes.
    pub fn publish_view(&self, view: SearchView) {
        self.view.send_replace(view);
    }

    /// Changes whenever changes were completed or the view moved.
    pub fn view(&self) -> watch::Receiver<SearchView> {
        self.view.subscribe()
    }
}
