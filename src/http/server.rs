//! Serving until told to stop.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::ServiceExt;

/// How long the headers of a request may take to arrive, and how long a connection may be kept without a request.
const HEADERS_MAX_TIME: Duration = Duration::from_secs(60);
/// Longest wait for requests under way when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// Longest wait for what a client sends or reads when no request of its connection is being answered.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// The wait after a connection could not be accepted: most often too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The server waits until all copies of it are gone: a WebSocket is no longer a connection of HTTP.
#[derive(Clone)]
pub struct ConnectionToken {
    _token: Arc<TaskTrackerToken>,
}

/// Serves `router` on `listener` until `stop`: then no connection is accepted, and requests under way are finished.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    serve_with(listener, router, stop, HEADERS_MAX_TIME).await
}

async fn serve_with(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    headers_max_time: Duration,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let token = ConnectionToken { _token: Arc::new(connections.token()) };
                let connection =
                    serve_connection(stream, router.clone(), token, stop.clone(), headers_max_time);
                connections.spawn(connection);
            }
            Err(error) => {
                tracing::warn!(%error, "http.not_accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_MAX, connections.wait()).await.is_err() {
        tracing::warn!(waited_ms = DRAIN_MAX.as_millis() as u64, "http.requests_cut_off");
    }
    Ok(())
}

/// A client's errors (a connection that breaks, a request that is none) concern nobody else.
async fn serve_connection(
    stream: TcpStream,
    router: Router,
    token: ConnectionToken,
    stop: CancellationToken,
    headers_max_time: Duration,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "http.nodelay_not_set");
    }
    let answering = Arc::new(AtomicBool::new(false));
    let counted = Arc::clone(&answering);
    let service = router.into_service::<Incoming>();
    let service = service.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(token.clone());
        request
    });
    let service = service.map_future(move |answer| {
        let answering = Arc::clone(&counted);
        async move {
            answering.store(true, Ordering::Relaxed);
            let answer = answer.await;
            answering.store(false, Ordering::Relaxed);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers_max_time)
        // For `web_socket`.
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                served = connection => served,
                // Half of a request is no request under way.
                () = idle(&answering) => return,
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "http.connection_broken");
    }
}

/// Returns when no request was being answered for [`LEAVE_MAX`].
async fn idle(answering: &AtomicBool) {
    let mut since = tokio::time::Instant::now();
    while since.elapsed() < LEAVE_MAX {
        tokio::time::sleep(LEAVE_MAX / 10).await;
        if answering.load(Ordering::Relaxed) {
            since = tokio::time::Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn started(headers_max_time: Duration) -> (std::net::SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", axum::routing::get(|| async { "ok" }));
        let stop = CancellationToken::new();
        tokio::spawn(serve_with(listener, router, stop.clone(), headers_max_time));
        (address, stop)
    }

    #[tokio::test]
    async fn a_connection_whose_headers_never_end_is_closed() {
        let (address, _stop) = started(Duration::from_millis(100)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
        let mut answer = Vec::new();
        // Ends only when the server closes.
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }

    #[tokio::test]
    async fn a_kept_connection_is_closed_when_the_server_stops() {
        let (address, stop) = started(HEADERS_MAX_TIME).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        stop.cancel();
        assert_eq!(stream.read(&mut answer).await.unwrap(), 0);
    }
}
