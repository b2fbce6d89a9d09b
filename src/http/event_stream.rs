//! Results over server-sent events, as the GraphQL over SSE protocol says ("distinct connections mode"): each
//! result is a `next` event, the end is a `complete` event.

use std::convert::Infallible;
use std::time::Duration;

use async_graphql::Response as GraphQlResponse;
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};

use crate::graphql::ResponseBody;

/// How often a silent stream says that it lives, so that nothing between closes it.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// Answers with `results` until they end or the client leaves.
pub fn respond(results: impl Stream<Item = GraphQlResponse> + Send + 'static) -> Response {
    // A browser's EventSource does not hear an event without a data field, and axum writes no empty one.
    let complete = stream::once(async { Event::default().event("complete").data(" ") });
    let events = results
        .map(|result| match serde_json::to_string(&ResponseBody::from(&result)) {
            Ok(body) => Event::default().event("next").data(body),
            Err(error) => {
                tracing::error!(%error, "http.result_not_serialised");
                Event::default().comment("a result could not be written")
            }
        })
        .chain(complete)
        .map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Proxies that gather a response before they pass it on would hold the events back.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}
