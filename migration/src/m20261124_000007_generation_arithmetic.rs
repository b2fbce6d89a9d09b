//! Why a generation of the index has the arithmetic that it has, and what tells whether another machine computes alike.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// `precision_setting` is what was asked for, `arithmetic_trials` how close each arithmetic that was tried came to 32-bit
/// floats, as JSON; `probe_vectors` are the vectors of a few texts, little-endian 32-bit floats. All are NULL in
/// generations that are older than the columns.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let setting = "ALTER TABLE index_generation ADD COLUMN precision_setting TEXT";
        let trials = "ALTER TABLE index_generation ADD COLUMN arithmetic_trials TEXT";
        let sqlite_probes = "ALTER TABLE index_generation ADD COLUMN probe_vectors BLOB";
        let postgres_probes = "ALTER TABLE index_generation ADD COLUMN probe_vectors bytea";
        crate::run(manager, &[setting, trials, sqlite_probes], &[setting, trials, postgres_probes]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &[
            "ALTER TABLE index_generation DROP COLUMN probe_vectors",
            "ALTER TABLE index_generation DROP COLUMN arithmetic_trials",
            "ALTER TABLE index_generation DROP COLUMN precision_setting",
        ];
        crate::run(manager, columns, columns).await
    }
}
