//! How many passages an article was split into, beside how many of them are in the index.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Until now all of them were.
const FILL: &str = "UPDATE article_index SET passages_in_all = passages";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE article_index ADD COLUMN passages_in_all INTEGER NOT NULL DEFAULT 0";
        crate::run(manager, &[column, FILL], &[column, FILL]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE article_index DROP COLUMN passages_in_all";
        crate::run(manager, &[column], &[column]).await
    }
}
