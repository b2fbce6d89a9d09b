//! Serving until told to stop.

use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Longest wait for requests under way when the server stops.
const DRAIN_MAX: std::time::Duration = std::time::Duration::from_secs(30);

/// Serves `router` on `listener` until `stop`: then no connection is accepted, and requests under way are finished.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let drained = stop.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::select! {
        served = async { server.await } => served,
        () = async { drained.cancelled().await; tokio::time::sleep(DRAIN_MAX).await } => {
            tracing::warn!(waited_ms = DRAIN_MAX.as_millis() as u64, "http.requests_cut_off");
            Ok(())
        }
    }
}
