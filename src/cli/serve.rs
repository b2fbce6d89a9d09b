//! `sentio serve`

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::sample;
use crate::app::App;
use crate::config::Config;
use crate::http;

/// How long the start waits for the index before it serves without it.
const INDEX_MAX: Duration = Duration::from_secs(30);

/// The exit code after a second signal: that of a program which SIGINT ended.
const STOPPED_AT_ONCE: i32 = 130;

/// Serve the GraphQL API and its playground.
///
/// Ctrl-C or SIGTERM stops it: requests under way are finished, then the batch that is being indexed. What is recorded
/// and not indexed yet goes on at the next start.
#[derive(Args)]
pub struct Serve {
    /// Never write the index; follow the one that another process writes
    #[arg(long)]
    no_worker: bool,
    /// Fill an empty database with 12 sample articles
    #[arg(long)]
    samples: bool,
}

impl Serve {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        // Bound first: a port that is taken is told before the model is loaded.
        let address = SocketAddr::new(config.server.host, config.server.port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: choose another --port or stop what uses it")
        })?;
        let stop = stop_on_signal()?;
        let app = App::open(config).await?;
        let samples_created = self.samples && sample::fill_if_empty(&app.db).await?;
        if samples_created {
            tracing::info!("serve.samples_created");
        }
        let worker = if self.no_worker { app.worker().follow() } else { app.worker().start() };
        let publisher = app.publisher().start();
        if !app.index_opened(INDEX_MAX).await {
            tracing::warn!("serve.index_not_open: /readyz answers 503 until it is");
        }
        // Whoever tries Sentio for the first time searches at once.
        if samples_created && !self.no_worker && !app.index_caught_up(INDEX_MAX).await? {
            tracing::warn!("serve.samples_not_indexed: they are found when they are");
        }
        let router = app.router(stop.clone())?;
        announce(listener.local_addr()?, &app)?;
        let served = http::serve(listener, router, stop).await;
        worker.stop().await;
        publisher.stop().await;
        app.close().await?;
        served.context("the server failed")?;
        tracing::info!("serve.stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Tells people where to click and programs which port it is.
fn announce(address: SocketAddr, app: &App) -> anyhow::Result<()> {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = SocketAddr::new(host, address.port());
    let model = app.models.requested();
    tracing::info!(%address, model = %model.name, "serve.ready");
    if !app.config.server.host.is_loopback() && app.config.server.api_keys.is_empty() {
        tracing::warn!(
            "serve.read_only: listening beyond loopback without SENTIO_API_KEYS, so nobody may write"
        );
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Sentio is ready: http://{url}/ (playground) and http://{url}/graphql (API)")?;
    Ok(stdout.flush()?)
}

fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("serve.stopping: finishing what is under way; a second signal stops at once");
        stopped.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("serve.stopped_at_once: what is pending goes on at the next start");
        std::process::exit(STOPPED_AT_ONCE);
    });
    Ok(stop)
}
