//! Serving until told to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{ConnectionToken, Terms};
use crate::config::ServerConfig;

/// How long the headers of a request may take to arrive.
const HEADERS_MAX_TIME: Duration = Duration::from_secs(60);
/// How long a connection is kept without a request, where no setting says so.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Longest wait for requests under way when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// Whoever connects in the moment of the stop is told of it, so that a balancer reads an answer where it would see a broken
/// connection.
const FAREWELL: Duration = Duration::from_millis(750);
/// Longest wait for those who came at the very end.
const LATE_MAX: Duration = Duration::from_millis(200);
/// The wait after a connection could not be accepted: most often too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    headers_max_time: Duration,
    keep_alive: Duration,
    /// The least time for which those who come after the stop are answered.
    farewell: Duration,
}

impl Serving {
    pub fn new(config: &ServerConfig) -> Self {
        Self { headers_max_time: HEADERS_MAX_TIME, keep_alive: config.keep_alive, farewell: FAREWELL }
    }
}

/// Serves `router` on `listener` until `stop`, then finishes the requests under way.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let (_routes, current) = watch::channel(router);
    let serving =
        Serving { headers_max_time: HEADERS_MAX_TIME, keep_alive: KEEP_ALIVE, farewell: Duration::ZERO };
    serve_changing(listener, current, serving, stop).await
}

/// Serves the present one of `routes` on `listener` until `stop`, then finishes the requests under way. Who connects
/// meanwhile is answered too, once: `routes` tell what.
pub async fn serve_changing(
    listener: TcpListener,
    routes: watch::Receiver<Router>,
    serving: Serving,
    stop: CancellationToken,
) -> io::Result<()> {
    let Serving { headers_max_time, keep_alive, farewell } = serving;
    let terms = Terms { routes, headers_max_time, keep_alive, stop: stop.clone(), farewell };
    let connections = TaskTracker::new();
    let begin = |stream, peer| {
        let token = ConnectionToken::new(connections.token());
        connections.spawn(terms.clone().serve(stream, peer, token));
    };
    tokio::select! {
        never = accept(&listener, begin) => match never {},
        () = stop.cancelled() => {}
    }
    connections.close();
    let late = TaskTracker::new();
    let refuse = |stream, peer| {
        let token = ConnectionToken::new(late.token());
        late.spawn(terms.clone().serve_late(stream, peer, token));
    };
    let finish = async {
        let (drained, ()) =
            tokio::join!(tokio::time::timeout(DRAIN_MAX, connections.wait()), tokio::time::sleep(farewell));
        drained
    };
    let drained = tokio::select! {
        never = accept(&listener, refuse) => match never {},
        drained = finish => drained,
    };
    if drained.is_err() {
        tracing::warn!(waited_ms = DRAIN_MAX.as_millis() as u64, "http.requests_cut_off");
    }
    drop(listener);
    late.close();
    // Who has sent nothing by now is told nothing.
    let _ = tokio::time::timeout(LATE_MAX, late.wait()).await;
    Ok(())
}

/// Hands every connection on.
async fn accept(listener: &TcpListener, connected: impl Fn(TcpStream, SocketAddr)) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => connected(stream, peer),
            Err(error) => {
                tracing::warn!(%error, "http.not_accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    struct Started {
        address: SocketAddr,
        routes: watch::Sender<Router>,
        stop: CancellationToken,
    }

    /// A server whose slow route takes a second.
    async fn started(headers_ms: u64, keep_alive_ms: u64) -> Started {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            "slow"
        };
        let router = Router::new().route("/", get(|| async { "first" })).route("/slow", get(slow));
        let (routes, current) = watch::channel(router);
        let stop = CancellationToken::new();
        let serving = Serving {
            headers_max_time: Duration::from_millis(headers_ms),
            keep_alive: Duration::from_millis(keep_alive_ms),
            farewell: Duration::from_millis(300),
        };
        tokio::spawn(serve_changing(listener, current, serving, stop.clone()));
        Started { address, routes, stop }
    }

    async fn ask(stream: &mut TcpStream, request: &[u8]) -> String {
        stream.write_all(request).await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// How long the server keeps the connection when nothing is sent.
    async fn kept(stream: &mut TcpStream) -> Duration {
        let began = Instant::now();
        let mut rest = Vec::new();
        // Ends only when the server closes.
        stream.read_to_end(&mut rest).await.unwrap();
        began.elapsed()
    }

    #[tokio::test]
    async fn a_connection_whose_headers_never_end_is_closed() {
        let server = started(200, 60_000).await;
        for sent in [b"".as_slice(), b"GET / HTTP/1.1\r\nHost: localhost\r\n"] {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            assert!(kept(&mut stream).await < Duration::from_secs(10));
        }
        // Also after a request that was whole.
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut stream, REQUEST).await.ends_with("first"));
        stream.write_all(&REQUEST[..20]).await.unwrap();
        assert!(kept(&mut stream).await < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_connection_is_kept_for_its_own_time_and_not_for_that_of_headers() {
        let server = started(100, 1_000).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut stream, REQUEST).await.ends_with("first"));
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(ask(&mut stream, REQUEST).await.ends_with("first"));
        let kept = kept(&mut stream).await;
        assert!(kept >= Duration::from_millis(900), "{kept:?}");
        assert!(kept < Duration::from_secs(10), "{kept:?}");
    }

    #[tokio::test]
    async fn a_request_may_take_longer_than_a_connection_is_kept() {
        let server = started(100, 100).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let answer = ask(&mut stream, b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(answer.ends_with("slow"), "{answer}");
    }

    #[tokio::test]
    async fn a_kept_connection_is_closed_when_the_server_stops() {
        let server = started(60_000, 60_000).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut stream, REQUEST).await.starts_with("HTTP/1.1 200"));
        server.stop.cancel();
        assert!(kept(&mut stream).await < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn who_has_just_connected_is_answered_when_the_server_stops() {
        let server = started(60_000, 60_000).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.stop.cancel();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let answer = ask(&mut stream, REQUEST).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(kept(&mut stream).await < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_kept_connection_is_answered_by_the_routes_of_the_moment() {
        let server = started(60_000, 60_000).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut stream, REQUEST).await.ends_with("first"));
        drop(server.routes.send_replace(Router::new().route("/", get(|| async { "second" }))));
        assert!(ask(&mut stream, REQUEST).await.ends_with("second"));
    }

    #[tokio::test]
    async fn what_is_under_way_is_finished_and_who_comes_meanwhile_is_answered_once() {
        let server = started(60_000, 60_000).await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.stop.cancel();
        drop(server.routes.send_replace(Router::new().route("/", get(|| async { "closing" }))));
        let mut late = TcpStream::connect(server.address).await.unwrap();
        let answer = ask(&mut late, REQUEST).await;
        assert!(answer.ends_with("closing") && answer.contains("connection: close"), "{answer}");
        assert!(kept(&mut late).await < Duration::from_secs(10));
        let answer = ask(&mut slow, b"").await;
        assert!(answer.ends_with("slow"), "{answer}");
        // When all is done nobody listens any more.
        let began = Instant::now();
        while TcpStream::connect(server.address).await.is_ok() {
            assert!(began.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
