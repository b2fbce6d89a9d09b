//! One connection: its requests, one after the other, and what becomes of it when nothing happens.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::ServiceExt;

use super::patience::Patient;

/// Longest wait for what a client sends or reads when no request of its connection is being answered and the server stops.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// How long a client may take nothing of what is sent.
const STALL_MAX: Duration = Duration::from_secs(60);

/// The server waits until all copies of it are gone: a WebSocket is no longer a connection of HTTP.
#[derive(Clone)]
pub struct ConnectionToken {
    _token: Arc<TaskTrackerToken>,
}

impl ConnectionToken {
    pub fn new(token: TaskTrackerToken) -> Self {
        Self { _token: Arc::new(token) }
    }
}

/// What all connections of a server have in common.
#[derive(Clone)]
pub struct Terms {
    /// The routes that answer a request are those of its moment.
    pub routes: watch::Receiver<Router>,
    /// How long the headers of a request may take to arrive.
    pub headers_max_time: Duration,
    /// How long a connection may be kept without a request.
    pub keep_alive: Duration,
    /// Ends connections when their present requests are answered.
    pub stop: CancellationToken,
    /// How long after the stop the first request of a connection may begin: who has just connected is answered still.
    pub farewell: Duration,
}

impl Terms {
    /// Serves a client until it leaves, is quiet for too long or the server stops. Its errors (a connection that breaks, a
    /// request that is none) concern nobody else.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr, token: ConnectionToken) {
        self.serve_requests(stream, peer, token, true).await;
    }

    /// Answers one request of a client that came after the server was told to stop.
    pub async fn serve_late(mut self, stream: TcpStream, peer: SocketAddr, token: ConnectionToken) {
        self.stop = CancellationToken::new();
        self.serve_requests(stream, peer, token, false).await;
    }

    async fn serve_requests(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        token: ConnectionToken,
        several: bool,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "http.nodelay_not_set");
        }
        let activity = Arc::new(Activity::begin());
        let stream = Watched { stream, activity: Arc::clone(&activity) };
        let (routes, answers) = (self.routes, Arc::clone(&activity));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let answering = Answering::begin(&answers);
            request.extensions_mut().insert(token.clone());
            request.extensions_mut().insert(ConnectInfo(peer));
            let router = routes.borrow().clone();
            async move {
                let answer = router.oneshot(request).await;
                answer.map(|answer| answer.map(|body| Answer { body, _answering: answering }))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // hyper counts from the end of the request before, `overdue` from the first byte.
            .header_read_timeout(self.keep_alive + self.headers_max_time)
            .keep_alive(several)
            // For `web_socket`.
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(Patient::new(stream, STALL_MAX)), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = activity.overdue(self.headers_max_time, self.keep_alive) => return,
            () = self.stop.cancelled() => {
                tokio::select! {
                    // It can end by itself.
                    served = connection.as_mut() => return report(served),
                    () = activity.first_asked(self.farewell) => {}
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    served = connection => served,
                    // Half of a request is no request under way.
                    () = activity.quiet_for(LEAVE_MAX) => return,
                }
            }
        };
        report(served);
    }
}

fn report(served: hyper::Result<()>) {
    if let Err(error) = served {
        tracing::debug!(%error, "http.connection_broken");
    }
}

/// What a connection is doing, and since when.
struct Activity(Mutex<(Doing, Instant)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// The first request is expected, or its headers are arriving.
    Beginning,
    /// The headers of another request are arriving.
    Heading,
    /// A request is being answered.
    Answering,
    /// Nothing; the client may be reading what is left of an answer.
    Nothing,
}

impl Activity {
    /// Of a client that has connected, and is expected to send a request.
    fn begin() -> Self {
        Self(Mutex::new((Doing::Beginning, Instant::now())))
    }

    fn now(&self) -> MutexGuard<'_, (Doing, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn becomes(&self, doing: Doing) {
        *self.now() = (doing, Instant::now());
    }

    fn has_read(&self) {
        let mut now = self.now();
        if now.0 == Doing::Nothing {
            *now = (Doing::Heading, Instant::now());
        }
    }

    fn has_written(&self) {
        let mut now = self.now();
        if now.0 == Doing::Nothing {
            now.1 = Instant::now();
        }
    }

    /// Returns when headers took too long to arrive, or the connection was kept for too long.
    async fn overdue(&self, headers_max_time: Duration, keep_alive: Duration) {
        // A little late, and no work for each request.
        let look_every = headers_max_time.min(keep_alive) / 8;
        loop {
            tokio::time::sleep(look_every).await;
            let (doing, since) = *self.now();
            let longest = match doing {
                Doing::Beginning | Doing::Heading => headers_max_time,
                Doing::Nothing => keep_alive,
                Doing::Answering => continue,
            };
            if since.elapsed() >= longest {
                return;
            }
        }
    }

    /// Returns when no request was being answered, and nothing of an answer was read, for `longest`.
    async fn quiet_for(&self, longest: Duration) {
        let mut since = Instant::now();
        while since.elapsed() < longest {
            tokio::time::sleep(longest / 10).await;
            match *self.now() {
                (Doing::Answering, _) => since = Instant::now(),
                (Doing::Nothing, written) => since = since.max(written),
                (Doing::Beginning | Doing::Heading, _) => {}
            }
        }
    }

    /// Returns when the first request has arrived, after `longest` in any case.
    async fn first_asked(&self, longest: Duration) {
        let since = Instant::now();
        while self.now().0 == Doing::Beginning && since.elapsed() < longest {
            tokio::time::sleep(longest / 50).await;
        }
    }
}

/// Held from the moment a request has arrived until the last of its answer was handed on.
struct Answering(Arc<Activity>);

impl Answering {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.becomes(Doing::Answering);
        Self(Arc::clone(activity))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.becomes(Doing::Nothing);
    }
}

/// The body of an answer, which is being answered until it is gone.
struct Answer {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells of what is read and written.
struct Watched {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.has_read();
        }
        polled
    }
}

impl Watched {
    fn told(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.activity.has_written();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.told(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
