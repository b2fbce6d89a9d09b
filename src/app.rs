//! Builds every room from the settings, starts and stops them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::config::{Config, ResponseLimits};
use crate::db::{ChangeWatch, Changes, Database};
use crate::embedding::Models;
use crate::events::Events;
use crate::graphql::{self, Documents, Executor, Responses, Services, TrustedDocuments};
use crate::http::{self, HttpState, Origins};
use crate::index::VectorIndex;
use crate::outbox::{self, IndexWait};
use crate::recommend::Recommender;
use crate::sync::{Checker, Generations, Publisher, Worker, log_steps};

/// How often an index that is awaited is looked at.
const INDEX_POLL: Duration = Duration::from_millis(10);

/// How long a request may run, without a wait for the index.
const EXECUTION_MAX: Duration = Duration::from_secs(30);

/// Every room, open.
#[derive(Clone)]
pub struct App {
    pub config: Config,
    pub db: Database,
    pub models: Models,
    pub index: VectorIndex,
    pub events: Events,
    pub generations: Generations,
    /// Ticks when anything was committed, by whichever program.
    pub changes: Changes,
    watch: Arc<ChangeWatch>,
}

impl App {
    /// Opens SQL and brings its schema up to date, loads the model, connects to the index and watches for commits;
    /// starts no worker.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let db = Database::open(&config.database).await?;
        db.migrate().await?;
        Self::over(config, db).await
    }

    /// Opens everything but SQL, which is open already.
    pub async fn over(config: Config, db: Database) -> anyhow::Result<Self> {
        let embedding = config.embedding.clone();
        let remembered = Generations::remembered(&db).await?;
        let models = tokio::task::spawn_blocking(move || Models::open(&embedding, &remembered));
        let models = models.await.context("the model could not be opened")??;
        let index = VectorIndex::connect(&config.index).await?;
        let generations =
            Generations::new(db.clone(), index.clone(), models.clone(), config.index.passages_max);
        let changes = Changes::default();
        let watch = ChangeWatch::start(config.database.clone(), config.index.poll, changes.clone());
        let events = Events::default();
        Ok(Self { config, db, models, index, events, generations, changes, watch: Arc::new(watch) })
    }

    /// A worker over these rooms, not started.
    pub fn worker(&self) -> Worker {
        Worker {
            db: self.db.clone(),
            generations: self.generations.clone(),
            events: self.events.clone(),
            lock_folder: self.config.index.lock_folder.clone(),
            changes: self.changes.clone(),
            on_step: log_steps(),
        }
    }

    /// The same for a command that searches nothing.
    pub fn indexer(&self) -> Worker {
        Worker { generations: self.generations.clone().without_searches(), ..self.worker() }
    }

    /// Compares what searches have in memory with SQL; not started.
    pub fn checker(&self) -> Checker {
        Checker::new(self.db.clone(), self.index.clone())
    }

    /// Tells this process's subscribers what happens to articles; not started.
    pub fn publisher(&self) -> Publisher {
        Publisher { db: self.db.clone(), events: self.events.clone(), changes: self.changes.clone() }
    }

    /// The HTTP routes over these rooms; after `stop` no request waits for the index any more, and subscriptions end. Fails when
    /// the manifest of trusted documents cannot be used.
    pub fn router(&self, stop: CancellationToken) -> anyhow::Result<http::Router> {
        let config = &self.config.server;
        let compiler = graphql::compiler()?;
        let trusted = match &config.trusted_documents {
            Some(path) => TrustedDocuments::read(&compiler, path, config.trusted_documents_only)?,
            None => TrustedDocuments::default(),
        };
        let documents = Documents::new(Arc::new(compiler), trusted);
        let services = Services {
            db: self.db.clone(),
            recommender: Recommender::new(self.models.clone(), self.index.clone()),
            index: self.index.clone(),
            wait: IndexWait::new(self.events.view(), self.config.index.wait, stop.clone()),
            changes: self.changes.clone(),
            events: self.events.clone(),
        };
        // A mutation may wait for the index besides.
        let time_limit = EXECUTION_MAX + self.config.index.wait;
        let ResponseLimits { response_max, memory } = self.config.responses;
        let executor = Executor::new(
            graphql::schema(services),
            documents,
            self.db.clone(),
            time_limit,
            Responses::new(response_max, memory),
            stop.clone(),
        );
        let state = HttpState {
            executor,
            authenticator: Authenticator::new(config),
            origins: Origins::new(config),
            db: self.db.clone(),
            index: self.index.clone(),
            models: self.models.clone(),
            body_max_bytes: config.body_max_bytes,
            sockets: Arc::new(Semaphore::new(http::SOCKETS_MAX)),
            stop,
        };
        Ok(http::router(state, config))
    }

    /// Waits until searches are possible; `false` when they still are not after `limit`.
    pub async fn index_opened(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let view = self.events.view();
        while self.index.live().is_err() || view.borrow().generation == 0 {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(INDEX_POLL).await;
        }
        true
    }

    /// Waits until every change is searchable or has failed; `false` when some still are not after `limit`. A worker must
    /// run somewhere.
    pub async fn index_caught_up(&self, limit: Duration) -> anyhow::Result<bool> {
        let deadline = Instant::now() + limit;
        let view = self.events.view();
        loop {
            // What SQL has recorded is shown to searches a moment later.
            let seen = *view.borrow();
            let reader = self.db.reader();
            if outbox::lag(reader).await?.pending == 0 && outbox::is_current(reader, seen).await? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(INDEX_POLL).await;
        }
    }

    /// Ends the models' threads and closes the connections to SQL. Stop the worker before.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Some(watch) = Arc::into_inner(self.watch) {
            watch.stop().await;
        }
        self.models.close().await;
        Ok(self.db.close().await?)
    }
}
