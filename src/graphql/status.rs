//! The status of the index, gathered from SQL and the index.

use async_graphql::Context;
use chrono::DateTime;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::error::ApiError;
use super::types::{IndexGeneration, IndexState, IndexStatus};
use crate::db::Database;
use crate::entity::{article, article_index, index_generation};
use crate::index::{Size, VectorIndex};
use crate::outbox;
use crate::recommend::RecommendError;

/// Counts and times as they are now.
pub async fn index_status(context: &Context<'_>) -> Result<IndexStatus, ApiError> {
    let db = context.data_unchecked::<Database>();
    let lag = outbox::lag(db.reader()).await?;
    let last_error = outbox::last_error(db.reader()).await?;
    let open = context.data_unchecked::<VectorIndex>().live().ok();
    let size = match &open {
        Some(live) => live.snapshot().size().await.map_err(RecommendError::from)?,
        None => Size::default(),
    };
    let trouble = match (&open, &last_error) {
        (_, Some(_)) => Some("the index cannot be written at present: see the server's log"),
        (None, None) => Some("the index is not open: see the server's log"),
        (Some(_), None) => None,
    };
    let state = match (trouble, lag.pending) {
        (Some(_), _) => IndexState::Failing,
        (None, 0) => IndexState::InStep,
        (None, _) => IndexState::CatchingUp,
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of an age, far below 2^52")]
    let lag_seconds =
        lag.oldest_pending.map_or(0.0, |oldest| (outbox::unix_millis() - oldest).max(0) as f64 / 1000.0);
    Ok(IndexStatus {
        state,
        pending: lag.pending,
        failed: lag.failed,
        lag_seconds,
        oldest_pending: lag.oldest_pending.and_then(DateTime::from_timestamp_millis),
        last_error: trouble.map(str::to_owned),
        articles: size.articles,
        passages: size.passages,
        fragments: size.fragments,
        live: live_generation(db).await?,
        building: None,
    })
}

async fn live_generation(db: &Database) -> Result<IndexGeneration, ApiError> {
    let live = index_generation::Entity::find()
        .filter(index_generation::Column::State.eq(index_generation::State::Live))
        .one(db.reader())
        .await?;
    let Some(live) = live else {
        let model = "none: no index was made yet".to_owned();
        return Ok(IndexGeneration { id: "0".into(), model, coverage: 0.0, rate: None, seconds_left: None });
    };
    let indexed = article_index::Entity::find()
        .filter(article_index::Column::GenerationId.eq(live.id))
        .count(db.reader())
        .await?;
    let articles = article::Entity::find().count(db.reader()).await?;
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let coverage = if articles == 0 { 1.0 } else { (indexed as f64 / articles as f64).min(1.0) };
    Ok(IndexGeneration { id: live.id.into(), model: live.model, coverage, rate: None, seconds_left: None })
}
