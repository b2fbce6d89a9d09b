//! Health: alive, and ready to answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::HttpState;
use crate::outbox;

/// What `/readyz` tells.
#[derive(Serialize)]
pub struct Readiness {
    ready: bool,
    database: &'static str,
    index: &'static str,
    /// Changes that searches do not see yet.
    pending: Option<u64>,
}

/// The process runs.
pub async fn live() -> &'static str {
    "ok\n"
}

/// The database answers and the index can be searched; 503 until then.
pub async fn ready(State(state): State<Arc<HttpState>>) -> (StatusCode, Json<Readiness>) {
    let lag = outbox::lag(state.db.reader()).await;
    let index = state.index.live().is_ok();
    let ready = lag.is_ok() && index;
    let word = |ready| if ready { "ready" } else { "unavailable" };
    let readiness = Readiness {
        ready,
        database: word(lag.is_ok()),
        index: word(index),
        pending: lag.ok().map(|lag| lag.pending),
    };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(readiness))
}
