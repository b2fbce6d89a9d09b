//! `sentio index`

use std::process::ExitCode;

use clap::Args;

use super::indexing;
use crate::app::App;
use crate::config::Config;
use crate::outbox::{self, Request};

/// Bring the index in step with the articles.
///
/// Compares every article with the index and indexes what is missing or differs. Can be interrupted at any time and
/// goes on where it stopped. While another process writes the index, that process does the work and this one shows it.
#[derive(Args)]
pub struct Index {
    /// Make a new index of every article; vectors that were computed before are taken from the cache
    #[arg(long)]
    rebuild: bool,
}

impl Index {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let app = App::open(config).await?;
        let request = if self.rebuild { Request::Rebuild } else { Request::Reconcile };
        let transaction = app.db.transaction().await?;
        outbox::submit(&transaction, request).await?;
        transaction.commit().await?;

        let worker = app.worker().start();
        eprintln!(
            "{}",
            if self.rebuild { "making a new index" } else { "comparing the articles with the index" }
        );
        let caught_up = async {
            while outbox::is_submitted(app.db.reader(), request).await? {
                tokio::time::sleep(indexing::POLL).await;
            }
            indexing::catch_up(&app).await
        };
        let code = caught_up.await;
        worker.stop().await;
        app.close().await?;
        code
    }
}
