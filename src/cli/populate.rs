//! `sentio populate`

use std::process::ExitCode;

use clap::Args;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::indexing::Indexing;
use super::{confirm, sample};
use crate::config::Config;
use crate::db::Database;
use crate::entity::article;

/// Articles deleted with one look at the database.
const PAGE: u64 = 500;

/// Delete all articles and create 12 samples (Tech, Nature, Food, Finance).
///
/// Asks first when there are articles that are not samples. Returns when the samples are searchable.
#[derive(Args)]
pub struct Populate {
    /// Delete other articles without asking
    #[arg(long)]
    yes: bool,
    /// Return when the samples are stored, not when they are searchable
    #[arg(long)]
    no_wait: bool,
}

impl Populate {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let db = Database::open(&config.database).await?;
        db.migrate().await?;
        let foreign = article::Column::ExternalId
            .is_null()
            .or(article::Column::ExternalId.like(format!("{}%", sample::EXTERNAL_ID_PREFIX)).not());
        let others = article::Entity::find().filter(foreign).count(db.reader()).await?;
        if others > 0 {
            confirm::or_fail(self.yes, &format!("This deletes {others} articles that are not samples."))?;
        }
        let transaction = db.transaction().await?;
        let deleted = delete_all(&transaction).await?;
        let created = sample::create(&transaction).await?;
        transaction.commit().await?;
        eprintln!("deleted {deleted} articles, created {created} samples");
        Indexing::start(config, &db, self.no_wait).finish().await
    }
}

async fn delete_all(transaction: &sea_orm::DatabaseTransaction) -> anyhow::Result<u64> {
    let mut deleted = 0;
    loop {
        let page =
            article::Entity::find().order_by_asc(article::Column::Id).limit(PAGE).all(transaction).await?;
        if page.is_empty() {
            return Ok(deleted);
        }
        deleted += page.len() as u64;
        for article in page {
            article.delete(transaction).await?;
        }
    }
}
