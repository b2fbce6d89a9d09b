//! Noticing that something was committed, by whichever program.
//!
//! A tick says "look", never what has changed. Ticks may come without a reason and several commits may share one.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, ConnectOptions, Connection};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::DatabaseConfig;

/// What the triggers of PostgreSQL notify at COMMIT.
const CHANNEL: &str = "sentio_index_change";
/// Between two ticks while PostgreSQL notifies: for a notification that was lost with its connection.
const NOTIFIED_POLL: Duration = Duration::from_secs(1);

/// A handle to announce commits and to hear of them; clones share the listeners.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    ticks: watch::Sender<u64>,
}

impl Changes {
    /// Says that this process committed something, so that nobody has to wait for the database to tell.
    pub fn announce(&self) {
        self.ticks.send_modify(|ticks| *ticks = ticks.wrapping_add(1));
    }

    /// Changes with each tick.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.ticks.subscribe()
    }
}

/// Lets the transaction on `connection` tick in every process when it commits; SQLite needs nothing for that.
pub async fn notify<C>(connection: &C) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(&format!("NOTIFY {CHANNEL}")).await?;
    }
    Ok(())
}

/// The running watch over a database; dropping it ends it.
#[derive(Debug)]
pub struct ChangeWatch {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl ChangeWatch {
    /// Announces the commits of all programs, at most `poll` late.
    ///
    /// PostgreSQL notifies (LISTEN); it is asked every `poll` while it can't. On SQLite `PRAGMA data_version` is asked,
    /// on a connection kept for it alone, since its number means nothing on another one.
    pub fn start(config: DatabaseConfig, poll: Duration, changes: Changes) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            match config.scheme() {
                "sqlite" => watch_sqlite(&config, poll, &changes, &stopped).await,
                _ => tokio::select! {
                    () = watch_postgres(&config, poll, &changes) => {}
                    () = stopped.cancelled() => {}
                },
            }
        });
        Self { stop, task }
    }

    /// Ends the watch and closes its connection.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // A panic of the task has been reported by the runtime.
        let _ = (&mut self.task).await;
    }
}

impl Drop for ChangeWatch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn watch_sqlite(config: &DatabaseConfig, poll: Duration, changes: &Changes, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = follow_data_version(config, poll, changes, stop).await {
            tracing::warn!(%error, "db.watch_failed: looking at the tables every {poll:?} instead");
        }
        changes.announce();
        let _ = tokio::time::timeout(poll, stop.cancelled()).await;
    }
}

/// Returns with an error or the stop. The connection is closed then, not dropped: a dropped one lives on for a moment,
/// and a backup that is put in the file's place meanwhile would be read with the old file's log.
async fn follow_data_version(
    config: &DatabaseConfig,
    poll: Duration,
    changes: &Changes,
    stop: &CancellationToken,
) -> Result<(), sqlx::Error> {
    let options: SqliteConnectOptions = config.url.expose().parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let followed = announce_versions(&mut connection, poll, changes, stop).await;
    followed.and(connection.close().await)
}

async fn announce_versions(
    connection: &mut SqliteConnection,
    poll: Duration,
    changes: &Changes,
    stop: &CancellationToken,
) -> Result<(), sqlx::Error> {
    let mut known = None;
    while !stop.is_cancelled() {
        let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut *connection).await?;
        if known != Some(version) {
            known = Some(version);
            changes.announce();
        }
        let _ = tokio::time::timeout(poll, stop.cancelled()).await;
    }
    Ok(())
}

async fn watch_postgres(config: &DatabaseConfig, poll: Duration, changes: &Changes) {
    let mut told = false;
    loop {
        match listen(config).await {
            Ok(listener) => {
                told = false;
                follow_notifications(listener, changes).await;
            }
            Err(error) if !told => {
                told = true;
                tracing::warn!(%error, "db.listen_failed: looking at the tables every {poll:?} instead");
            }
            Err(_) => {}
        }
        changes.announce();
        tokio::time::sleep(poll).await;
    }
}

async fn listen(config: &DatabaseConfig) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(config.url.expose()).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Returns when the connection is lost.
async fn follow_notifications(mut listener: PgListener, changes: &Changes) {
    loop {
        changes.announce();
        match tokio::time::timeout(NOTIFIED_POLL, listener.try_recv()).await {
            Ok(Ok(Some(_))) | Err(_) => {}
            Ok(Ok(None) | Err(_)) => return,
        }
    }
}
