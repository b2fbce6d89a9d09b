//! The state of the index, and how queries were answered, in the text format of Prometheus, computed when it is asked for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::web_socket::SOCKETS_MAX;
use super::{HttpState, compression, guard};
use crate::auth::Scope;
use crate::embedding::QueryCounts;
use crate::graphql::{IndexGeneration, IndexState, IndexStatus, RequestError, index_status};

type Number = Gauge<f64, std::sync::atomic::AtomicU64>;
/// A figure of a generation, where it has one.
type Reading = fn(&IndexGeneration) -> Option<f64>;
type Labels = Vec<(&'static str, String)>;

/// What monitoring reads, for those who may read; 503 while SQL does not answer.
pub async fn metrics(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    let caller = guard::caller(request.extensions());
    let viewer = guard::viewer(&state.authenticator, caller, request.headers());
    let admitted = viewer.map_err(RequestError::from).and_then(|viewer| Ok(viewer.check(Scope::Read)?));
    if let Err(refused) = admitted {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, format!("{refused}\n")).into_response();
    }
    let Ok(status) = index_status(&state.db, &state.index).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
    };
    let mut text = String::new();
    match encode(&mut text, &registry(&state, &status)) {
        Ok(()) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            let headers = [(header::CONTENT_TYPE, content_type), (header::VARY, "Accept-Encoding")];
            compression::compressed((headers, text).into_response(), request.headers()).await
        }
        Err(error) => {
            tracing::error!(%error, "http.metrics_not_encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn registry(state: &HttpState, status: &IndexStatus) -> Registry {
    let mut registry = Registry::with_prefix("sentio");
    register_graphql(registry.sub_registry_with_prefix("graphql"), state);
    register_queries(registry.sub_registry_with_prefix("embedding"), state.models.query_counts());
    register_index(registry.sub_registry_with_prefix("index"), status);
    let mismatches = Counter::<u64>::default();
    mismatches.inc_by(state.index.mismatches());
    let help = "Articles whose copy in memory differed from SQL; they are indexed again";
    registry.sub_registry_with_prefix("index").register("mismatches", help, mismatches);
    registry
}

fn register_graphql(registry: &mut Registry, state: &HttpState) {
    let family = Family::<Labels, Counter>::default();
    let (known, parsed) = state.executor.documents().counts();
    for (document, count) in [("known", known), ("parsed", parsed)] {
        family.get_or_create(&vec![("document", document.to_owned())]).inc_by(count);
    }
    registry.register("requests", "Requests, by whether their document was known already", family);
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let counts = [
        ("subscriptions", "Subscriptions that are running", state.executor.subscriptions() as f64),
        (
            "responses_bytes",
            "Memory of the responses that are being made and sent",
            state.executor.responses_bytes() as f64,
        ),
        ("web_sockets", "WebSockets that are open", (SOCKETS_MAX - state.sockets.available_permits()) as f64),
    ];
    for (name, help, value) in counts {
        let gauge = Number::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
}

/// The hit rate is the rate of `answer="memory"` over that of all.
fn register_queries(registry: &mut Registry, queries: QueryCounts) {
    let family = Family::<Labels, Counter>::default();
    let QueryCounts { from_memory, embedded, refused } = queries;
    for (answer, count) in [("memory", from_memory), ("model", embedded), ("refused", refused)] {
        family.get_or_create(&vec![("answer", answer.to_owned())]).inc_by(count);
    }
    registry.register("queries", "Queries embedded, by what gave the vector", family);
}

fn register_index(registry: &mut Registry, status: &IndexStatus) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let counts = [
        ("pending", "Changes that searches do not see yet", status.pending as f64),
        ("failed", "Articles that cannot be indexed", status.failed as f64),
        ("lag_seconds", "Age of the oldest pending change", status.lag_seconds),
        ("articles", "Articles in the index", status.articles as f64),
        ("passages", "Passages in the index", status.passages as f64),
        ("fragments", "Data files of the index", status.fragments as f64),
        ("search_memory_mebibytes", "Memory that searches take", status.search_memory as f64),
        (
            "failing",
            "1 while the index cannot be written or opened",
            f64::from(u8::from(status.state == IndexState::Failing)),
        ),
    ];
    for (name, help, value) in counts {
        let gauge = Number::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
    let generations = [("live", Some(&status.live)), ("building", status.building.as_ref())];
    let of_generations: [(_, _, Reading); 3] = [
        ("coverage", "Share of the articles that a generation holds", |it| Some(it.coverage)),
        ("build_rate", "Articles per second while it is built", |it| it.rate),
        ("build_seconds_left", "Seconds until it is complete", |it| it.seconds_left),
    ];
    for (name, help, value) in of_generations {
        let family = Family::<Labels, Number>::default();
        for (state, generation) in &generations {
            let Some((generation, value)) = generation.and_then(|it| Some((it, value(it)?))) else {
                continue;
            };
            let labels = vec![("state", (*state).to_owned()), ("model", generation.model.clone())];
            family.get_or_create(&labels).set(value);
        }
        registry.register(name, help, family);
    }
}
