//! Builds every room from the settings, starts and stops them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::config::Config;
use crate::db::Database;
use crate::embedding::Embedder;
use crate::events::Events;
use crate::graphql::{self, Services};
use crate::http::{self, HttpState};
use crate::index::VectorIndex;
use crate::outbox::IndexWait;
use crate::recommend::Recommender;
use crate::sync::{Generations, Worker};

/// How often an index that is being opened is looked at.
const OPEN_POLL: Duration = Duration::from_millis(10);

/// How long a request may run, without a wait for the index.
const EXECUTION_MAX: Duration = Duration::from_secs(30);

/// Every room, open.
#[derive(Clone)]
pub struct App {
    pub config: Config,
    pub db: Database,
    pub embedder: Embedder,
    pub index: VectorIndex,
    pub events: Events,
    pub generations: Generations,
    /// Notified when this process recorded a change.
    pub wake: Arc<Notify>,
}

impl App {
    /// Opens SQL and brings its schema up to date, loads the model and connects to the index; starts no worker.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let db = Database::open(&config.database).await?;
        db.migrate().await?;
        Self::over(config, db).await
    }

    /// Opens everything but SQL, which is open already.
    pub async fn over(config: Config, db: Database) -> anyhow::Result<Self> {
        let embedding = config.embedding.clone();
        let embedder = tokio::task::spawn_blocking(move || Embedder::open(&embedding));
        let embedder = embedder.await.context("the model could not be opened")??;
        let index = VectorIndex::connect(&config.index).await?;
        let generations = Generations::new(db.clone(), index.clone(), embedder.clone());
        Ok(Self { config, db, embedder, index, events: Events::default(), generations, wake: Arc::default() })
    }

    /// A worker over these rooms, not started.
    pub fn worker(&self) -> Worker {
        Worker {
            db: self.db.clone(),
            embedder: self.embedder.clone(),
            generations: self.generations.clone(),
            events: self.events.clone(),
            lock_folder: self.config.index.lock_folder.clone(),
            wake: Arc::clone(&self.wake),
        }
    }

    /// The HTTP routes over these rooms; after `stop` no request waits for the index any more.
    pub fn router(&self, stop: CancellationToken) -> http::Router {
        let services = Services {
            db: self.db.clone(),
            recommender: Recommender::new(self.embedder.clone(), self.index.clone()),
            index: self.index.clone(),
            wait: IndexWait::new(self.events.view(), self.config.index.wait, stop),
            wake: Arc::clone(&self.wake),
        };
        let state = HttpState {
            schema: graphql::schema(services),
            authenticator: Authenticator::new(&self.config.server),
            db: self.db.clone(),
            index: self.index.clone(),
            // A mutation may wait for the index besides.
            execution_limit: EXECUTION_MAX + self.config.index.wait,
        };
        http::router(state, &self.config.server)
    }

    /// Waits until searches are possible; `false` when they still are not after `limit`.
    pub async fn index_opened(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.index.live().is_err() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(OPEN_POLL).await;
        }
        true
    }

    /// Ends the model's threads and closes the connections to SQL. Stop the worker before.
    pub async fn close(self) -> anyhow::Result<()> {
        self.embedder.close().await;
        Ok(self.db.close().await?)
    }
}
