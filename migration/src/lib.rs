//! SQL migrations of Sentio, for SQLite and PostgreSQL.
//!
//! Every migration is plain SQL in the dialect of each database, because most of what it creates (triggers, checks,
//! partial indexes) has no portable form.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// On SQLite: the condition of articles that an inserted row displaces by its `external_id` (`INSERT OR REPLACE`).
macro_rules! sqlite_displaced_by_insert {
    () => {
        "external_id = NEW.external_id"
    };
}

/// On SQLite: the condition of articles that an updated row displaces (`UPDATE OR REPLACE`).
macro_rules! sqlite_displaced_by_update {
    () => {
        "id <> OLD.id AND (external_id = NEW.external_id OR id = NEW.id)"
    };
}

mod article_event;
mod m20261101_000001_article;
mod m20261101_000002_index_state;
mod m20261101_000003_record_changes;
mod m20261101_000004_article_tombstone;
mod m20261101_000005_article_event;
mod m20261124_000006_passages_in_all;
mod m20261124_000007_generation_arithmetic;
mod m20261125_000008_event_content_length;
mod m20261125_000009_index_background;

/// All migrations, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261101_000001_article::Migration),
            Box::new(m20261101_000002_index_state::Migration),
            Box::new(m20261101_000003_record_changes::Migration),
            Box::new(m20261101_000004_article_tombstone::Migration),
            Box::new(m20261101_000005_article_event::Migration),
            Box::new(m20261124_000006_passages_in_all::Migration),
            Box::new(m20261124_000007_generation_arithmetic::Migration),
            Box::new(m20261125_000008_event_content_length::Migration),
            Box::new(m20261125_000009_index_background::Migration),
        ]
    }
}

/// Runs one statement after the other, those of the database in use.
async fn run(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let statements = match connection.get_database_backend() {
        DbBackend::Sqlite => sqlite,
        DbBackend::Postgres => postgres,
        other => {
            return Err(DbErr::Migration(format!("{other:?} is not supported: use SQLite or PostgreSQL")));
        }
    };
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
