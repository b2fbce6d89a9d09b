//! Waiting, with progress, until the index has caught up: as its writer, or behind the process that is.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use sea_orm::DbErr;
use tokio::task::JoinHandle;

use super::progress::Progress;
use crate::app::App;
use crate::config::Config;
use crate::db::Database;
use crate::entity::index_generation::State;
use crate::outbox::{self, Request};
use crate::sync::{self, WorkerHandle};

/// How often the same trouble is told while nothing goes on.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(5);
/// How often the outbox is counted.
pub const POLL: Duration = Duration::from_millis(100);

/// Indexing beside a command that writes articles: the model is opened, and the first articles are embedded, while the
/// others are stored.
pub struct Indexing {
    db: Database,
    /// `None` when it is left to others.
    opened: Option<JoinHandle<anyhow::Result<(App, WorkerHandle)>>>,
}

impl Indexing {
    /// Begins, or leaves it to others with `no_wait`.
    pub fn start(config: Config, db: &Database, no_wait: bool) -> Self {
        let open = {
            let db = db.clone();
            async {
                let app = App::over(config, db).await?;
                let worker = app.indexer().start();
                Ok((app, worker))
            }
        };
        Self { db: db.clone(), opened: (!no_wait).then(|| tokio::spawn(open)) }
    }

    /// Shows progress until everything that was written is searchable.
    pub async fn finish(self) -> anyhow::Result<ExitCode> {
        let Some(opened) = self.opened else {
            let pending = outbox::lag(self.db.reader()).await?.pending;
            eprintln!("{pending} changes wait to be indexed by `sentio serve` or `sentio index`");
            self.db.close().await?;
            return Ok(ExitCode::SUCCESS);
        };
        let (app, worker) = opened
            .await?
            .context("the articles are stored, but not indexed: `sentio serve` or `sentio index` goes on")?;
        let caught_up = catch_up(&app).await;
        worker.stop().await;
        app.close().await?;
        caught_up
    }

    /// Ends it when the command has failed: what is not indexed yet is left to others.
    pub async fn abandon(self) -> anyhow::Result<()> {
        let Some(opened) = self.opened else { return Ok(()) };
        // The command's own failure says more than one to open the model.
        let Ok((app, worker)) = opened.await? else { return Ok(()) };
        worker.stop().await;
        app.close().await
    }
}

/// Shows progress until every change recorded by now is searchable or has failed. A worker must run somewhere.
pub async fn catch_up(app: &App) -> anyhow::Result<ExitCode> {
    // A new index records every article anew: counted before it is open, nothing would seem left to do.
    while !app.index_opened(POLL).await {
        if let Some(trouble) = trouble(app).await? {
            tracing::warn!("{trouble}");
            tokio::time::sleep(BETWEEN_WARNINGS).await;
        }
    }
    let Some(newest) = outbox::newest_seq(app.db.reader()).await? else {
        eprintln!("the index is in step");
        return Ok(ExitCode::SUCCESS);
    };
    let total = outbox::pending_among(app.db.reader(), newest).await?;
    let mut progress = Progress::items("index", Some(total));
    let mut views = app.events.view();
    loop {
        let pending = outbox::pending_among(app.db.reader(), newest).await?;
        progress.advance_to(total.saturating_sub(pending));
        if pending == 0 {
            break;
        }
        progress.set_message(trouble(app).await?.unwrap_or_default());
        // A closed channel would return at once, every time; the sender lives in `app`.
        let _ = tokio::time::timeout(POLL, views.changed()).await;
    }
    let failed = outbox::lag(app.db.reader()).await?.failed;
    progress.finish(format!("in step with the articles, {failed} of which failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(super::ANSWER_IS_NO) })
}

/// Waits until the worker, wherever it runs, has taken a request up.
pub async fn taken_up(app: &App, request: Request) -> anyhow::Result<()> {
    let mut told = Instant::now();
    while outbox::is_submitted(app.db.reader(), request).await? {
        if told.elapsed() >= BETWEEN_WARNINGS {
            told = Instant::now();
            tracing::warn!("{}", trouble(app).await?.unwrap_or_else(|| "waiting for the worker".to_owned()));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Shows progress until no generation is being built any more: the live one is the one that is wanted.
pub async fn follow_building(app: &App) -> anyhow::Result<()> {
    let mut progress = None;
    let mut views = app.events.view();
    while let Some(row) = app.generations.row(State::Building).await? {
        let progress = match &mut progress {
            Some(progress) => progress,
            None => {
                eprintln!("building generation {} with the model {}", row.id, row.model);
                progress.insert(Progress::items("build", Some(sync::article_count(&app.db).await?)))
            }
        };
        progress.advance_to(app.generations.covered(row.id).await?);
        progress.set_message(trouble(app).await?.unwrap_or_default());
        // A closed channel would return at once, every time; the sender lives in `app`.
        let _ = tokio::time::timeout(POLL, views.changed()).await;
    }
    if let Some(progress) = progress {
        let live = app.generations.row(State::Live).await?;
        let live = live.map_or_else(String::new, |row| format!(" {} ({})", row.id, row.model));
        progress.finish(format!("searches use generation{live}"));
    }
    Ok(())
}

async fn trouble(app: &App) -> Result<Option<String>, DbErr> {
    let error = outbox::last_error(app.db.reader()).await?;
    Ok(error.map(|error| format!("waiting: {error}")))
}
