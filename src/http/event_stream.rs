//! Subscriptions over server-sent events, as the GraphQL over SSE protocol says ("distinct connections mode"): each
//! result is a `next` event, the end is a `complete` event.

use std::convert::Infallible;
use std::time::Duration;

use async_graphql::Response as GraphQlResponse;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// How often a silent stream says that it lives, so that nothing between closes it.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// Answers with `results` until they end, the client leaves or the server stops; `permit` is held as long.
pub fn respond(
    results: impl Stream<Item = GraphQlResponse> + Send + 'static,
    stop: CancellationToken,
    permit: OwnedSemaphorePermit,
) -> Response {
    let complete = stream::once(async { Event::default().event("complete").data("") });
    let events = results
        .map(|result| match serde_json::to_string(&result) {
            Ok(body) => Event::default().event("next").data(body),
            Err(error) => {
                tracing::error!(%error, "http.result_not_serialised");
                Event::default().comment("a result could not be written")
            }
        })
        .take_until(stop.cancelled_owned())
        .chain(complete)
        .map(move |event| {
            let _held = &permit;
            Ok::<_, Infallible>(event)
        });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Proxies that gather a response before they pass it on would hold the events back.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}
