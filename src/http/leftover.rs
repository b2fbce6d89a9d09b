//! What a client still sends when it was answered already.
//!
//! Many clients send all of their body before they read. A connection that is closed with bytes unread is reset, and the
//! answer is lost with it; so the rest is read and dropped, within limits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::StreamExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;

/// Most that is read of a body whose request was answered: 64 MiB, and what JSON has around a value of so much.
const LEFTOVER_MAX_BYTES: usize = 65 * 1024 * 1024;
/// How long it is read.
const LEFTOVER_MAX_TIME: Duration = Duration::from_secs(10);
/// Most bodies that are read so at a time; further ones are cut off.
const LEFTOVERS_MAX: usize = 256;

/// One place for each body that may be read to its end.
#[derive(Clone, Debug)]
pub struct Leftovers(Arc<Semaphore>);

impl Default for Leftovers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LEFTOVERS_MAX)))
    }
}

impl Leftovers {
    /// Lets what the handler leaves of the body be read, while the response is sent.
    pub fn watch(&self, request: Request) -> (Request, Option<Watch>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let watch = Watch(Arc::default());
        let expected = request.headers().get(header::EXPECT);
        // Such a client sends nothing before it is told to, which reading its body would do.
        let waits =
            expected.is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        let (ended, places) = (Arc::clone(&watch.0), Arc::clone(&self.0));
        let watched = |body| Body::new(WatchedBody { body, waits, ended, places });
        (request.map(watched), Some(watch))
    }
}

/// Whether a body came to its end.
#[derive(Debug)]
pub struct Watch(Arc<AtomicBool>);

impl Watch {
    /// Tells a refused client to send no more.
    pub fn close_if_refused(&self, response: &mut Response) {
        if response.status().is_client_error() && !self.0.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A body of which nothing is left unread when it is dropped.
struct WatchedBody {
    body: Body,
    /// Whether the client waits for a word before it sends.
    waits: bool,
    ended: Arc<AtomicBool>,
    places: Arc<Semaphore>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.waits = false;
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.ended.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if self.waits || self.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let body = std::mem::take(&mut self.body);
        tokio::spawn(async move {
            let _held = place;
            // Whatever is left after that is not read; the connection closes.
            let _ = tokio::time::timeout(LEFTOVER_MAX_TIME, read(body)).await;
        });
    }
}

async fn read(body: Body) {
    let mut frames = body.into_data_stream();
    let mut read = 0;
    while read < LEFTOVER_MAX_BYTES {
        let Some(Ok(bytes)) = frames.next().await else { return };
        read += bytes.len();
    }
}
