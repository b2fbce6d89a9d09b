//! Results over server-sent events, as the GraphQL over SSE protocol says ("distinct connections mode"): each
//! result is a `next` event, the end is a `complete` event.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use tokio::time::timeout;

use super::response_text::response_text;
use crate::graphql::Answer;

/// How often a silent stream says that it lives, so that nothing between closes it.
const KEEP_ALIVE: Duration = Duration::from_secs(12);
/// A comment, which clients skip.
const ALIVE: Bytes = Bytes::from_static(b":\n\n");
/// Browsers drop an event without the field `data`.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// Answers with `results` until they end or the client leaves.
pub fn respond(results: impl Stream<Item = Answer> + Send + 'static) -> Response {
    // JSON has its line breaks escaped: it is one line.
    let next = async |answer| {
        response_text(answer, "event: next\ndata: ", "\n\n").await.unwrap_or_else(|error| {
            tracing::error!(%error, "http.result_not_serialised");
            ALIVE
        })
    };
    let events = results.then(next).chain(stream::once(async { COMPLETE }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "Accept"),
        // Proxies that gather a response before they pass it on would hold the events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(kept_alive(events, KEEP_ALIVE).map(Ok::<_, Infallible>))).into_response()
}

/// `events`, and a comment whenever none has come for a while.
fn kept_alive(
    events: impl Stream<Item = Bytes> + Send + 'static,
    silence: Duration,
) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(events.boxed(), move |mut events| async move {
        let event = timeout(silence, events.next()).await.unwrap_or(Some(ALIVE))?;
        Some((event, events))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_stream_says_that_it_lives() {
        let (silence, late) = (Duration::from_millis(20), Duration::from_millis(50));
        let events = stream::once(async move {
            tokio::time::sleep(late).await;
            COMPLETE
        });
        let sent: Vec<_> = kept_alive(events, silence).collect().await;
        assert_eq!(sent.last(), Some(&COMPLETE));
        assert!(sent.len() > 1 && sent[..sent.len() - 1].iter().all(|bytes| *bytes == ALIVE), "{sent:?}");
    }
}
