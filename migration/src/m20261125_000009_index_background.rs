//! How like each other passages of a generation are that have nothing to do with each other.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// `passages` is how many the generation had when the sample was taken, `cosines` the sample in ascending order as
/// little-endian 32-bit floats.
const SQLITE: &str = "
CREATE TABLE index_background (
  generation_id INTEGER PRIMARY KEY NOT NULL REFERENCES index_generation (id) ON DELETE CASCADE,
  passages INTEGER NOT NULL,
  cosines BLOB NOT NULL
) STRICT";

const POSTGRES: &str = "
CREATE TABLE index_background (
  generation_id bigint PRIMARY KEY REFERENCES index_generation (id) ON DELETE CASCADE,
  passages bigint NOT NULL,
  cosines bytea NOT NULL
)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, &[SQLITE], &[POSTGRES]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = &["DROP TABLE index_background"];
        crate::run(manager, drop, drop).await
    }
}
