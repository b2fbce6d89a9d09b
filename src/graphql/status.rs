//! The status of the index, gathered from SQL and the index.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::error::ApiError;
use super::types::{DateTime, IndexGeneration, IndexState, IndexStatus, SearchBackend};
use crate::db::Database;
use crate::entity::index_generation::State;
use crate::entity::{article, article_index, index_generation};
use crate::index::{Generation, Size, VectorIndex};
use crate::outbox;

/// Counts and times as they are now.
pub async fn index_status(db: &Database, index: &VectorIndex) -> Result<IndexStatus, ApiError> {
    let lag = outbox::lag(db.reader()).await?;
    let last_error = outbox::last_error(db.reader()).await?;
    // A failing search tells its own client; the status is there to be read even then.
    let open = index.live().ok();
    let size = match &open {
        Some(live) => live.snapshot().size().await.ok(),
        None => None,
    };
    let trouble = match (&size, &last_error) {
        (_, Some(_)) => Some("the index cannot be written at present: see the server's log".to_owned()),
        (None, None) => Some("the index is not open: see the server's log".to_owned()),
        (Some(_), None) => None,
    };
    let state = match (&trouble, lag.pending) {
        (Some(_), _) => IndexState::Failing,
        (None, 0) => IndexState::InStep,
        (None, _) => IndexState::CatchingUp,
    };
    let last_error = match trouble {
        None if lag.failed > 0 => {
            let failure = outbox::last_failure(db.reader()).await?;
            failure.map(|(article, reason)| format!("article {article} cannot be indexed: {reason}"))
        }
        trouble => trouble,
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of an age, far below 2^52")]
    let lag_seconds =
        lag.oldest_pending.map_or(0.0, |oldest| (outbox::unix_millis() - oldest).max(0) as f64 / 1000.0);
    let to_hold = article::Entity::find().count(db.reader()).await?;
    let resident = open.as_ref().map(Generation::resident).unwrap_or_default();
    let Size { articles, passages, fragments } = size.unwrap_or_default();
    Ok(IndexStatus {
        state,
        pending: lag.pending,
        failed: lag.failed,
        lag_seconds,
        oldest_pending: lag
            .oldest_pending
            .and_then(chrono::DateTime::from_timestamp_millis)
            .map(DateTime::from),
        last_error,
        articles,
        passages,
        fragments,
        search_backend: if resident.is_on_disk { SearchBackend::Disk } else { SearchBackend::Memory },
        search_memory: (resident.bytes >> 20) as u64,
        live: generation(db, State::Live, to_hold).await?.unwrap_or_else(no_generation),
        building: generation(db, State::Building, to_hold).await?,
    })
}

/// The generation in `state`, of which there is at most one; `articles` is how many it is to hold.
async fn generation(db: &Database, state: State, articles: u64) -> Result<Option<IndexGeneration>, ApiError> {
    let Some(row) = index_generation::in_state(db.reader(), state).await? else { return Ok(None) };
    let indexed = article_index::Entity::find()
        .filter(article_index::Column::GenerationId.eq(row.id))
        .count(db.reader())
        .await?;
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let coverage = if articles == 0 { 1.0 } else { (indexed as f64 / articles as f64).min(1.0) };
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let left = articles.saturating_sub(indexed) as f64;
    Ok(Some(IndexGeneration {
        id: row.id.into(),
        model: row.model,
        coverage,
        rate: row.rate,
        seconds_left: row.rate.filter(|rate| *rate > 0.0).map(|rate| left / rate),
    }))
}

/// What stands for the live generation before the first one is made.
fn no_generation() -> IndexGeneration {
    let model = "none: no index was made yet".to_owned();
    IndexGeneration { id: "0".into(), model, coverage: 0.0, rate: None, seconds_left: None }
}
