//! The only two doors to SQL: `reader()` for everything that looks, `transaction()` for everything that writes.
//! [`Changes`] tells when something was committed.

mod changes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sea_orm::sqlx::pool::PoolConnectionMetadata;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sentio_migration::{Migrator, MigratorTrait};

use crate::config::DatabaseConfig;

pub use changes::{ChangeWatch, Changes, notify};

/// How long a SQLite connection waits for another process's write before it gives up.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before a SQLite file that is locked is opened again.
const SQLITE_OPEN_PAUSE: Duration = Duration::from_millis(20);
/// Rows that a connection reads before they are taken: each may have a megabyte of content.
const SQLITE_ROWS_AHEAD: usize = 16;
/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Rows that one statement names. SQLite compares each name of a parameter with all before it, and allows 32,766.
pub const ROWS_PER_STATEMENT: usize = 500;

/// The number of PostgreSQL's advisory lock that migrations hold: "sentio" in ASCII.
const SCHEMA_LOCK: i64 = 0x73_65_6e_74_69_6f;

/// A cheap handle on the database; clones share the connections.
#[derive(Clone, Debug)]
pub struct Database {
    reader: DatabaseConnection,
    /// SQLite: a pool of one, so that writers queue here instead of meeting `SQLITE_BUSY`. PostgreSQL: the reader's pool.
    writer: DatabaseConnection,
    statements: Arc<AtomicU64>,
}

/// `$first, …`, as many as `count`.
pub fn placeholders(first: usize, count: usize) -> String {
    let placeholders: Vec<_> = (first..first + count).map(|number| format!("${number}")).collect();
    placeholders.join(", ")
}

/// Whether a statement failed only because others were writing: trying again may help.
pub fn is_contention(error: &DbErr) -> bool {
    // SQLite: busy and its variants, locked. PostgreSQL: serialization failure, deadlock, lock not available.
    matches!(error, DbErr::ConnectionAcquire(_))
        || has_code(error, &["5", "261", "517", "773", "6", "40001", "40P01", "55P03"])
}

/// Whether a statement failed because there was no room to write; nothing of its transaction is stored.
pub fn is_storage_full(error: &DbErr) -> bool {
    // SQLite: full, and the write or sync that fails on a full disk. PostgreSQL: disk full.
    has_code(error, &["13", "778", "1034", "53100"])
}

fn has_code(error: &DbErr, codes: &[&str]) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))
    | DbErr::Conn(RuntimeErr::SqlxError(source))) = error
    else {
        return false;
    };
    let code = source.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| codes.contains(&code.as_ref()))
}

/// What to do with the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// Apply what is missing.
    Up,
    /// Undo the last migration.
    Down,
    /// Undo all and apply them anew.
    Fresh,
}

/// Why the database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("DATABASE_URL must begin with sqlite: or postgres:, not {scheme:?}")]
    UnknownScheme { scheme: String },
    #[error("cannot create the folder {} for the database", path.display())]
    CreateFolder { path: PathBuf, source: std::io::Error },
    #[error(
        "cannot open the database {url}: check DATABASE_URL, that the server runs and that the folder is writable"
    )]
    Connect { url: String, source: DbErr },
    #[error("cannot apply the SQL migrations")]
    Migrate { source: DbErr },
}

impl Database {
    /// Connects; creates a SQLite file that is not there. Applies no migration.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, OpenError> {
        let statements = Arc::new(AtomicU64::new(0));
        let (mut reader, writer) = match config.scheme() {
            "sqlite" => {
                create_sqlite_folder(config.sqlite_path().as_deref())?;
                let writer = connect(config, 1, |options| {
                    options.map_sqlx_sqlite_opts(|sqlite| {
                        sqlite
                            .create_if_missing(true)
                            .journal_mode(SqliteJournalMode::Wal)
                            .synchronous(SqliteSynchronous::Full)
                            .foreign_keys(true)
                            .busy_timeout(SQLITE_BUSY_TIMEOUT)
                    });
                    options.map_sqlx_sqlite_pool_opts(|pool| pool.after_release(has_ended_its_transaction));
                })
                .await?;
                let reader = connect(config, config.readers, |options| {
                    options.map_sqlx_sqlite_opts(|sqlite| {
                        sqlite
                            .busy_timeout(SQLITE_BUSY_TIMEOUT)
                            .pragma("query_only", "on")
                            .row_buffer_size(SQLITE_ROWS_AHEAD)
                    });
                })
                .await?;
                (reader, Some(writer))
            }
            "postgres" | "postgresql" => {
                probe_postgres(config).await?;
                (connect(config, config.readers.max(8), |_| {}).await?, None)
            }
            scheme => return Err(OpenError::UnknownScheme { scheme: scheme.to_owned() }),
        };
        count_statements(&mut reader, &statements);
        let mut writer = writer.unwrap_or_else(|| reader.clone());
        if reader.get_database_backend() == DbBackend::Sqlite {
            count_statements(&mut writer, &statements);
        }
        Ok(Self { reader, writer, statements })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        if self.schema_is_current().await {
            return Ok(());
        }
        self.change_schema(SchemaChange::Up).await.map_err(|source| OpenError::Migrate { source })
    }

    /// Changes the schema, wholly or not at all; one process at a time.
    pub async fn change_schema(&self, change: SchemaChange) -> Result<(), DbErr> {
        let transaction = self.transaction().await?;
        if self.backend() == DbBackend::Postgres {
            // SQLite's transaction is the only writer from its first statement on.
            let lock = format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})");
            transaction.execute_unprepared(&lock).await?;
        }
        match change {
            SchemaChange::Up => Migrator::up(&transaction, None).await?,
            SchemaChange::Down => Migrator::down(&transaction, Some(1)).await?,
            SchemaChange::Fresh => {
                Migrator::reset(&transaction).await?;
                Migrator::up(&transaction, None).await?;
            }
        }
        transaction.commit().await
    }

    /// Whether there is nothing to migrate; looks without writing.
    async fn schema_is_current(&self) -> bool {
        let sql = "SELECT COUNT(*) AS applied FROM seaql_migrations";
        let counted = self.reader.query_one_raw(Statement::from_string(self.backend(), sql)).await;
        let applied = counted.ok().flatten().and_then(|row| row.try_get::<i64>("", "applied").ok());
        applied.and_then(|applied| usize::try_from(applied).ok()) == Some(Migrator::migrations().len())
    }

    /// The connection that migration commands run on.
    pub fn schema_connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// For everything that only looks. On SQLite a write through it fails.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Begins a transaction that may write; it is rolled back unless committed.
    ///
    /// On SQLite it is `BEGIN IMMEDIATE`: a deferred transaction that turns into a writer beside another process fails
    /// at once, whatever the busy time-out.
    pub async fn transaction(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await
    }

    /// Which dialect is spoken.
    pub fn backend(&self) -> DbBackend {
        self.reader.get_database_backend()
    }

    /// How many SQL statements have run since the start, without BEGIN and COMMIT.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Waits for the statements under way and closes all connections.
    pub async fn close(self) -> Result<(), DbErr> {
        if self.backend() == DbBackend::Sqlite {
            self.writer.close().await?;
        }
        self.reader.close().await
    }
}

async fn connect(
    config: &DatabaseConfig,
    connections: u32,
    adjust: impl FnOnce(&mut ConnectOptions),
) -> Result<DatabaseConnection, OpenError> {
    let mut options = ConnectOptions::new(config.url.expose());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    adjust(&mut options);
    let deadline = Instant::now() + SQLITE_BUSY_TIMEOUT;
    loop {
        match sea_orm::Database::connect(options.clone()).await {
            // SQLite does not wait for its turn when several processes bring a new file into WAL mode.
            Err(error) if is_contention(&error) && Instant::now() < deadline => {
                tokio::time::sleep(SQLITE_OPEN_PAUSE).await;
            }
            opened => {
                return opened.map_err(|source| OpenError::Connect { url: config.url.to_string(), source });
            }
        }
    }
}

/// Whether a connection may be used again: answers `false` when its transaction could not be ended.
///
/// SQLite rolls back by itself when a disk is full. sqlx then fails to, still counts the transaction as open (0.9.0), and
/// makes a savepoint of the next one: commits would succeed and store nothing.
fn has_ended_its_transaction(
    connection: &mut SqliteConnection,
    _: PoolConnectionMetadata,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        // The rollback of a transaction that was dropped is on its way to the connection's thread.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    })
}

/// One connection outside a pool: a pool tries until its time is up, and then does not say why.
async fn probe_postgres(config: &DatabaseConfig) -> Result<(), OpenError> {
    let opened = async {
        let connection = PgConnection::connect(config.url.expose()).await?;
        connection.close().await
    };
    opened.await.map_err(|error| OpenError::Connect {
        url: config.url.to_string(),
        source: DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
    })
}

fn count_statements(connection: &mut DatabaseConnection, statements: &Arc<AtomicU64>) {
    let statements = Arc::clone(statements);
    connection.set_metric_callback(move |_| {
        statements.fetch_add(1, Ordering::Relaxed);
    });
}

fn create_sqlite_folder(path: Option<&Path>) -> Result<(), OpenError> {
    let Some(folder) = path.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .map_err(|source| OpenError::CreateFolder { path: folder.to_owned(), source })
}
