//! Waiting, with progress, until the index has caught up: as its writer, or behind the process that is.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use sea_orm::DbErr;

use super::progress::Progress;
use crate::app::App;
use crate::config::Config;
use crate::db::Database;
use crate::entity::index_generation::State;
use crate::outbox::{self, Request};
use crate::sync;

/// How often the same trouble is told while nothing goes on.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(5);
/// How often the outbox is counted.
pub const POLL: Duration = Duration::from_millis(100);

/// Indexes what a command wrote to `db`, or leaves that to others with `no_wait`.
pub async fn finish(config: Config, db: Database, no_wait: bool) -> anyhow::Result<ExitCode> {
    if no_wait {
        let pending = outbox::lag(db.reader()).await?.pending;
        eprintln!("{pending} changes wait to be indexed by `sentio serve` or `sentio index`");
        db.close().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let app = App::over(config, db).await;
    let app =
        app.context("the articles are stored, but not indexed: `sentio serve` or `sentio index` goes on")?;
    let worker = app.worker().start();
    let caught_up = catch_up(&app).await;
    worker.stop().await;
    app.close().await?;
    caught_up
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
    progress.finish(format!("{} articles indexed, {failed} failed", total.saturating_sub(failed)));
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
