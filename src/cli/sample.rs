//! The sample articles: twelve, three of each of four themes.

use anyhow::Context;
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait};
use serde::Deserialize;

use crate::article::ArticleDraft;
use crate::db::Database;
use crate::entity::article;

/// What the external ids of the samples begin with.
pub const EXTERNAL_ID_PREFIX: &str = "sample-";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    external_id: String,
    title: String,
    category: String,
    tags: Vec<String>,
    content: String,
}

/// Creates the samples when there is no article at all; `true` when it did.
pub async fn fill_if_empty(db: &Database) -> anyhow::Result<bool> {
    let transaction = db.transaction().await?;
    if article::Entity::find().count(&transaction).await? > 0 {
        return Ok(false);
    }
    create(&transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Creates the samples in a transaction.
pub async fn create(transaction: &sea_orm::DatabaseTransaction) -> anyhow::Result<usize> {
    let samples: Vec<Sample> =
        serde_json::from_str(include_str!("samples.json")).context("the built-in samples are broken")?;
    let count = samples.len();
    for sample in samples {
        let draft = ArticleDraft {
            external_id: Some(sample.external_id),
            title: sample.title,
            content: sample.content,
            category: Some(sample.category),
            tags: sample.tags,
        };
        article::ActiveModel::from_draft(draft).insert(transaction).await?;
    }
    Ok(count)
}
