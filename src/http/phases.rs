//! What is answered while the server does not serve: before everything is open, and while it ends. Probes always get an
//! answer, and everybody else is told to come again.

use axum::Json;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};

use super::accept::ResponseType;
use super::refusal::Refusal;
use super::{guarded, health};
use crate::auth::Authenticator;
use crate::config::ServerConfig;

const STARTING: &str = "is starting";
const STOPPING: &str = "is stopping";

/// Until everything is open.
pub fn starting(config: &ServerConfig) -> Router {
    not_serving(STARTING, config)
}

/// While those who send requests hear that the server stops: it says so to probes, and serves as before.
pub fn leaving(serving: Router, config: &ServerConfig) -> Router {
    let ready = Router::new().route("/readyz", unready(STOPPING));
    guarded(ready, config, Authenticator::new(config)).fallback_service(serving)
}

/// While what is under way is finished.
pub fn closing(config: &ServerConfig) -> Router {
    not_serving(STOPPING, config)
}

fn not_serving(state: &'static str, config: &ServerConfig) -> Router {
    let refuse = move |request: Request| async move { refuse(state, &request) };
    let router =
        Router::new().route("/livez", get(health::live)).route("/readyz", unready(state)).fallback(refuse);
    guarded(router, config, Authenticator::new(config))
}

fn unready(state: &'static str) -> MethodRouter {
    let answer: (StatusCode, Json<Value>) = (
        StatusCode::SERVICE_UNAVAILABLE,
        Json(json!({ "ready": false, "reason": format!("the server {state}") })),
    );
    get(async || answer)
}

fn refuse(state: &'static str, request: &Request) -> Response {
    let response_type = ResponseType::negotiate(request.headers()).unwrap_or(ResponseType::Legacy);
    Refusal::NotServing(state).into_response(response_type)
}
