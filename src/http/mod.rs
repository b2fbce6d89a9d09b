//! HTTP: the router on one page, and what every request passes.

mod accept;
mod event_stream;
mod graphql;
mod guard;
mod health;
mod metrics;
mod playground;
mod server;

use std::sync::Arc;
use std::time::Duration;

pub use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{any, get};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::Authenticator;
use crate::config::ServerConfig;
use crate::db::Database;
use crate::embedding::Models;
use crate::graphql::Schema;
use crate::index::VectorIndex;

pub use server::serve;

/// Most bytes of a request's body: 1 MiB of Cyrillic content is 3 MiB when its JSON is escaped.
const BODY_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most subscriptions of all clients at a time.
pub const SUBSCRIPTIONS_MAX: usize = 2_000;

/// What handlers work with.
#[derive(Clone)]
pub struct HttpState {
    pub schema: Schema,
    pub authenticator: Authenticator,
    pub db: Database,
    pub index: VectorIndex,
    pub models: Models,
    /// How long a request may run before it is cancelled.
    pub execution_limit: Duration,
    /// One permit for each subscription that may run.
    pub subscriptions: Arc<Semaphore>,
    /// Ends all subscriptions.
    pub stop: CancellationToken,
}

/// All routes.
pub fn router(state: HttpState, config: &ServerConfig) -> Router {
    Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .merge(playground::router())
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(guard::cors(config))
        .layer(middleware::from_fn_with_state(guard::HostGuard::new(config), guard::check_host))
        .layer(CatchPanicLayer::new())
        .with_state(state)
}
