//! `sentio index`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::indexing;
use crate::app::App;
use crate::config::Config;
use crate::entity::index_generation::State;
use crate::outbox::{self, Request};

/// Bring the index in step with the articles.
///
/// Compares every article with the index and indexes what is missing or differs. Can be interrupted at any time and
/// goes on where it stopped. While another process writes the index, that process does the work and this one shows it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Index {
    /// Make a new index of every article, beside the one in use; vectors that were computed before are taken from the
    /// cache
    #[arg(long)]
    rebuild: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Copy, Subcommand)]
enum Action {
    /// Remove the indexes of models that are no longer used, and the cached vectors of those models
    Prune,
    /// Go back to the index of the model used before; while another is being built, stay with the present one
    ///
    /// What changed meanwhile is indexed first. The choice holds until SENTIO_MODEL names another model.
    Rollback,
}

impl Index {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let app = App::open(config).await?;
        let worker = app.indexer().start();
        let code = match self.action {
            None if self.rebuild => rebuild(&app).await,
            None => compare(&app).await,
            Some(Action::Rollback) => roll_back(&app).await,
            Some(Action::Prune) => prune(&app).await,
        };
        worker.stop().await;
        app.close().await?;
        code
    }
}

async fn compare(app: &App) -> anyhow::Result<ExitCode> {
    eprintln!("comparing the articles with the index");
    carried_out(app, Request::Reconcile).await?;
    let code = indexing::catch_up(app).await?;
    indexing::follow_building(app).await?;
    Ok(code)
}

async fn rebuild(app: &App) -> anyhow::Result<ExitCode> {
    eprintln!("making a new index");
    carried_out(app, Request::Rebuild).await?;
    indexing::follow_building(app).await?;
    indexing::catch_up(app).await
}

async fn roll_back(app: &App) -> anyhow::Result<ExitCode> {
    let live = app.generations.row(State::Live).await?;
    let live_fingerprint = live.map(|row| row.fingerprint).unwrap_or_default();
    let target = app.generations.rollback_target(&live_fingerprint).await?;
    let building = app.generations.row(State::Building).await?;
    anyhow::ensure!(
        target.is_some() || building.is_some(),
        "there is no index of another model to go back to: `sentio index prune` removes them, \
         and a first model has none before it"
    );
    carried_out(app, Request::Rollback).await?;
    indexing::follow_building(app).await?;
    let row = app.generations.row(State::Live).await?;
    if let Some(row) = row {
        eprintln!("searches use generation {} ({})", row.id, row.model);
    }
    Ok(ExitCode::SUCCESS)
}

async fn prune(app: &App) -> anyhow::Result<ExitCode> {
    let retired = app.generations.retired_count().await?;
    carried_out(app, Request::Prune).await?;
    eprintln!("{retired} retired generations removed");
    Ok(ExitCode::SUCCESS)
}

/// Asks the worker, wherever it runs, and waits until it has done what was asked.
async fn carried_out(app: &App, request: Request) -> anyhow::Result<()> {
    let transaction = app.db.transaction().await?;
    outbox::submit(&transaction, request).await?;
    transaction.commit().await?;
    app.changes.announce();
    indexing::taken_up(app, request).await
}
