//! What happened, for whoever waits: the sync room publishes, requests listen.
//!
//! [`journal`] is the record of events in SQL, which all programs write; [`Events`] hands them to this process's
//! listeners.

pub mod journal;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, watch};

use crate::article::{ArticleFacets, ArticleId};

/// Events that a listener may be behind; one that is slower loses the oldest and is told how many.
const BACKLOG: usize = 1_024;

/// How long events wait for listeners.
const PATIENCE: Patience = Patience { stalled: Duration::from_secs(2), slow: Duration::from_secs(10) };
const LISTENER_POLL: Duration = Duration::from_millis(2);

struct Patience {
    /// With one that reads nothing.
    stalled: Duration,
    /// With one that reads half of its backlog.
    slow: Duration,
}

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
    /// Whether the slowest listener is known to be too slow.
    given_up: Arc<AtomicBool>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            view: watch::Sender::default(),
            articles: broadcast::Sender::new(BACKLOG),
            given_up: Arc::default(),
        }
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

    /// Waits until the slowest listener has read half of what it may be behind; one that reads nothing for a while is not
    /// waited for, nor one that reads too slowly, until it has.
    pub async fn wait_for_listeners(&self) {
        self.wait(PATIENCE).await;
    }

    async fn wait(&self, patience: Patience) {
        let started = Instant::now();
        let (mut behind, mut read) = (usize::MAX, started);
        while self.articles.len() > BACKLOG / 2 {
            if self.given_up.load(Ordering::Relaxed) {
                return;
            }
            if self.articles.len() < behind {
                (behind, read) = (self.articles.len(), Instant::now());
            }
            if read.elapsed() > patience.stalled || started.elapsed() > patience.slow {
                self.given_up.store(true, Ordering::Relaxed);
                return;
            }
            tokio::time::sleep(LISTENER_POLL).await;
        }
        self.given_up.store(false, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// How far behind a listener is that takes `each` to read an event, when it is no longer waited for.
    async fn behind(each: Option<Duration>, patience: Patience) -> usize {
        let events = Events::default();
        let mut listener = events.articles();
        let facets = ArticleFacets {
            category: None,
            tags: Vec::new(),
            created_at: DateTime::default(),
            content_length: 0,
        };
        for id in 0..1_000 {
            let facets = facets.clone();
            events.publish(ArticleEvent { kind: ArticleEventKind::Created, article: ArticleId(id), facets });
        }
        let reading = tokio::spawn(async move {
            while let Some(each) = each {
                tokio::time::sleep(each).await;
                listener.recv().await.unwrap();
            }
            std::future::pending::<()>().await;
        });
        events.wait(patience).await;
        let behind = events.articles.len();
        reading.abort();
        behind
    }

    #[tokio::test]
    async fn a_listener_that_reads_is_waited_for_and_one_that_does_not_is_not() {
        let (soon, late) = (Duration::from_millis(300), Duration::from_secs(60));
        let reading = Some(Duration::from_millis(2));
        assert!(behind(reading, Patience { stalled: soon, slow: late }).await <= BACKLOG / 2);
        assert!(behind(reading, Patience { stalled: late, slow: soon }).await > BACKLOG / 2);
        assert_eq!(behind(None, Patience { stalled: soon, slow: late }).await, 1_000);
    }
}
