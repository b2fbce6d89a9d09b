//! Events keep the length of the content, so that subscriptions can be filtered by it.

use sea_orm_migration::prelude::*;

use crate::article_event::{
    Facet, POSTGRES_FUNCTIONS_FOR_ALL, SQLITE_DROP_TRIGGERS, postgres_record, sqlite_triggers,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const FACETS: &[Facet] = &[
    ("category", "$category"),
    ("tags", "json($tags)"),
    ("created_at", "$created_at"),
    ("content_length", "length($content)"),
];

/// What was written before has no length. It would have been removed some minutes later.
const FORGET: &str = "DELETE FROM article_event";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, FACETS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &FACETS[..3]).await
    }
}

async fn replace(manager: &SchemaManager<'_>, facets: &[Facet]) -> Result<(), DbErr> {
    let triggers = sqlite_triggers(facets);
    let mut sqlite = SQLITE_DROP_TRIGGERS.to_vec();
    sqlite.extend(triggers.iter().map(String::as_str));
    sqlite.push(FORGET);
    // Replacing a function takes from it what was said of it later.
    crate::run(manager, &sqlite, &[&postgres_record(facets), POSTGRES_FUNCTIONS_FOR_ALL, FORGET]).await
}
