//! `sentio migrate`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use sentio_migration::{Migrator, MigratorTrait};

use super::{confirm, output};
use crate::config::Config;
use crate::db::{Database, SchemaChange};

/// Apply or undo SQL migrations.
#[derive(Args)]
pub struct Migrate {
    /// What to do
    #[arg(value_enum, default_value = "up")]
    action: Action,
    /// Delete articles without asking (for `down` and `fresh`)
    #[arg(long)]
    yes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Apply what is missing
    Up,
    /// Undo the last one
    Down,
    /// List all with their state
    Status,
    /// Undo all and apply them anew: an empty database
    Fresh,
}

impl Migrate {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let db = Database::open(&config.database).await?;
        let connection = db.schema_connection();
        if matches!(self.action, Action::Down | Action::Fresh) {
            confirm::or_fail(self.yes, "This deletes articles and the index's records.")?;
        }
        match self.action {
            Action::Up => db.change_schema(SchemaChange::Up).await?,
            Action::Down => db.change_schema(SchemaChange::Down).await?,
            Action::Fresh => db.change_schema(SchemaChange::Fresh).await?,
            Action::Status => {}
        }
        let mut text = String::new();
        for migration in Migrator::get_migration_with_status(connection).await? {
            text += &format!("{:8} {}\n", format!("{}", migration.status()).to_lowercase(), migration.name());
        }
        output::print(&text)?;
        db.close().await?;
        Ok(ExitCode::SUCCESS)
    }
}
