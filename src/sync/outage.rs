//! What the worker does while the index or SQL cannot be written: say so, and wait.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::SyncError;
use super::handle::pause;
use crate::db::Database;
use crate::error_chain::Chain;
use crate::outbox;

/// The wait after an outage, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(15);

/// Outages in a row.
pub struct Outages {
    db: Database,
    pause: Duration,
    last: Instant,
    /// How many there were without a break.
    in_a_row: u32,
}

impl Outages {
    pub fn new(db: Database) -> Self {
        Self { db, pause: FIRST_PAUSE, last: Instant::now(), in_a_row: 0 }
    }

    /// How many outages there were without a break.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Waits longer after each outage in a row and makes the reason visible.
    pub async fn pause(&mut self, error: &SyncError, stop: &CancellationToken) {
        if self.last.elapsed() > LAST_PAUSE * 2 {
            self.pause = FIRST_PAUSE;
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        let pause_ms = self.pause.as_millis() as u64;
        tracing::error!(error = %Chain(error), pause_ms, "sync.outage");
        make_visible(&self.db, error).await;
        pause(self.pause, stop).await;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        self.last = Instant::now();
    }
}

/// Says in SQL why the index cannot be written, as far as SQL can be.
pub async fn make_visible(db: &Database, error: &SyncError) {
    let told = async {
        let transaction = db.transaction().await?;
        outbox::set_last_error(&transaction, Some(&error.to_string())).await?;
        transaction.commit().await
    };
    if let Err(error) = told.await {
        tracing::error!(error = %Chain(&error), "sync.outage_not_recorded");
    }
}
