//! HTTP: the router on one page, and what every request passes.

mod accept;
mod compression;
mod connection;
mod embedded;
mod entrance;
mod event_stream;
mod graphql;
mod guard;
mod health;
mod leftover;
mod metrics;
mod patience;
mod phases;
mod playground;
mod reader;
mod refusal;
mod response_text;
mod server;
mod web_socket;

use std::sync::Arc;

pub use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::{any, get};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::Authenticator;
use crate::config::ServerConfig;
use crate::db::Database;
use crate::embedding::Models;
use crate::graphql::Executor;
use crate::index::VectorIndex;

use entrance::Entrance;
use guard::Gate;
pub use guard::Origins;
pub use phases::{closing, leaving, starting};
use playground::PLAYGROUND;
use reader::READER;
pub use server::{Serving, serve, serve_changing};
pub use web_socket::SOCKETS_MAX;

/// What handlers work with.
pub struct HttpState {
    pub executor: Executor,
    pub authenticator: Authenticator,
    pub origins: Origins,
    pub db: Database,
    pub index: VectorIndex,
    pub models: Models,
    /// Most bytes of a body, or of a message on a WebSocket.
    pub body_max_bytes: usize,
    /// One permit for each WebSocket that may be open.
    pub sockets: Arc<Semaphore>,
    /// Ends subscriptions and WebSockets.
    pub stop: CancellationToken,
}

/// All routes.
pub fn router(state: HttpState, config: &ServerConfig) -> Router {
    let authenticator = state.authenticator.clone();
    let router = Router::new()
        .route("/graphql", any(answer))
        .route("/graphql/", any(answer))
        .route("/metrics", get(metrics::metrics))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .merge(embedded::router(&PLAYGROUND))
        .merge(embedded::router(&READER))
        // Relative, as all addresses in the pages: below a path that a proxy takes off they lead there too.
        .route("/reader", get(|| async { Redirect::permanent("reader/") }))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "Nothing is here. GraphQL is served at /graphql, GraphiQL at /.\n")
        })
        .layer(DefaultBodyLimit::max(state.body_max_bytes))
        .with_state(Arc::new(state));
    guarded(router, config, authenticator)
}

/// Routes behind what every request passes.
fn guarded(router: Router, config: &ServerConfig, authenticator: Authenticator) -> Router {
    let entrance = Entrance::new(Gate::new(config, authenticator));
    // The first is the outermost.
    router.layer((CatchPanicLayer::new(), entrance, Origins::new(config).cors()))
}

/// Answers a handshake of a WebSocket, or a request over HTTP.
async fn answer(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    State(state): State<Arc<HttpState>>,
    request: Request,
) -> Response {
    match upgrade {
        Ok(upgrade) => web_socket::connect(&state, request, upgrade).await,
        Err(_) => graphql::handle(&state, request).await,
    }
}
