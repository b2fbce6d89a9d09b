//! What happened, for whoever waits: the sync room publishes, requests listen.
//!
//! [`journal`] is the record of events in SQL, which all programs write; [`Events`] hands them to this process's
//! listeners.

pub mod journal;

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use crate::article::{ArticleFacets, ArticleId};

/// Events that a listener may be behind; one that is slower loses the oldest and is told how many.
const BACKLOG: usize = 1_024;

/// What the searches of this process see of the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchView {
    /// The generation's id in SQL; 0 before one is open.
    pub generation: i64,
    pub article_version: u64,
    pub passage_version: u64,
}

/// Something that happened to an article.
#[derive(Clone, Debug, PartialEq)]
pub struct ArticleEvent {
    pub kind: ArticleEventKind,
    pub article: ArticleId,
    /// What filters look at, as it was when the event happened; for a deleted article as it last was.
    pub facets: ArticleFacets,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArticleEventKind {
    /// Committed to SQL.
    Created,
    /// Committed to SQL.
    Updated,
    /// Committed to SQL.
    Deleted,
    /// Searches of this process see it.
    Indexed,
    /// It cannot be indexed; the article's state says why.
    Failed,
}

/// A handle to publish with; clones share the listeners.
#[derive(Clone, Debug)]
pub struct Events {
    view: watch::Sender<SearchView>,
    articles: broadcast::Sender<Arc<ArticleEvent>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { view: watch::Sender::default(), articles: broadcast::Sender::new(BACKLOG) }
    }
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

    /// Tells an event to all listeners. Called after the COMMIT of what it names.
    pub fn publish(&self, event: ArticleEvent) {
        // An error means that nobody listens.
        let _ = self.articles.send(Arc::new(event));
    }

    /// Gets every event published from now on.
    pub fn articles(&self) -> broadcast::Receiver<Arc<ArticleEvent>> {
        self.articles.subscribe()
    }

    /// Whether anybody listens to events of articles.
    pub fn has_listeners(&self) -> bool {
        self.articles.receiver_count() > 0
    }
}
