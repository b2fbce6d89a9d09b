//! `sentio serve`

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::sample;
use super::signals::Signals;
use crate::app::App;
use crate::auth::Authenticator;
use crate::config::{Anonymous, Config, ServerConfig};
use crate::http::{self, Router, Serving};
use crate::sync::WorkerHandle;

/// How long the start waits for the index before it serves without it.
const INDEX_MAX: Duration = Duration::from_secs(30);

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

/// A server that is ready.
struct Open {
    app: App,
    worker: WorkerHandle,
    publisher: WorkerHandle,
    checker: WorkerHandle,
    router: Router,
}

impl Serve {
    pub async fn run(self, config: Config, signals: &Signals) -> anyhow::Result<ExitCode> {
        // Bound first: a port that is taken is told before the model is loaded.
        let address = SocketAddr::new(config.server.host, config.server.port);
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: choose another --port or stop what uses it")
        })?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "serve.starting");
        let server = config.server.clone();
        let stop = CancellationToken::new();
        let (routes, current) = watch::channel(http::starting(&server));
        let answer_with = |router| drop(routes.send_replace(router));
        let serving =
            tokio::spawn(http::serve_changing(listener, current, Serving::new(&server), stop.clone()));
        let opened = tokio::select! {
            opened = self.open(config, stop.clone()) => opened?,
            () = signals.told() => {
                tracing::info!("serve.stopped: it was still starting");
                return Ok(signals.exit_code());
            }
        };
        signals.leave_time();
        let Open { app, worker, publisher, checker, router } = opened;
        answer_with(router.clone());
        announce(address, &app)?;
        signals.told().await;
        let delay = server.shutdown_delay;
        answer_with(if delay.is_zero() { http::closing(&server) } else { http::leaving(router, &server) });
        tracing::info!("serve.stopping: finishing what is under way; a second signal stops at once");
        tokio::time::sleep(delay).await;
        answer_with(http::closing(&server));
        stop.cancel();
        let served = serving.await?;
        worker.stop().await;
        publisher.stop().await;
        checker.stop().await;
        app.close().await?;
        served.context("the server failed")?;
        tracing::info!("serve.stopped");
        Ok(ExitCode::SUCCESS)
    }

    /// Opens everything and waits until searches are possible, not for ever.
    async fn open(self, config: Config, stop: CancellationToken) -> anyhow::Result<Open> {
        let app = App::open(config).await?;
        let router = app.router(stop)?;
        let samples_created = self.samples && sample::fill_if_empty(&app.db).await?;
        if samples_created {
            tracing::info!("serve.samples_created");
        }
        let worker = if self.no_worker { app.worker().follow() } else { app.worker().start() };
        let publisher = app.publisher().start();
        let checker = app.checker().start();
        if !app.index_opened(INDEX_MAX).await {
            tracing::warn!("serve.index_not_open: /readyz answers 503 until it is");
        }
        // Whoever tries Sentio for the first time searches at once.
        if samples_created && !self.no_worker && !app.index_caught_up(INDEX_MAX).await? {
            tracing::warn!("serve.samples_not_indexed: they are found when they are");
        }
        Ok(Open { app, worker, publisher, checker, router })
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
    warn_of_access(&app.config.server);
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Sentio is ready: http://{url}/ (playground) and http://{url}/graphql (API)")?;
    Ok(stdout.flush()?)
}

/// Tells of settings that leave more open, or less, than most people want.
fn warn_of_access(server: &ServerConfig) {
    let has_keys = !server.api_keys.is_empty();
    match Authenticator::new(server).open_directly() {
        Anonymous::None if !has_keys => tracing::warn!(
            "serve.closed: nobody may read or write. Set SENTIO_API_KEYS, or SENTIO_ANONYMOUS=read to let everybody read"
        ),
        Anonymous::Read if !has_keys => {
            tracing::warn!("serve.read_only: nobody may write without SENTIO_API_KEYS");
        }
        Anonymous::All if has_keys => {
            tracing::warn!("serve.open: SENTIO_ANONYMOUS=all lets everybody write, also without a key");
        }
        Anonymous::All if !server.listens_on_loopback() => {
            tracing::warn!("serve.open: everybody who reaches this server may write (SENTIO_ANONYMOUS=all)");
        }
        _ => {}
    }
    if !server.listens_on_loopback() && server.api_keys.has_short_one() {
        tracing::warn!(
            "serve.short_key: a key of SENTIO_API_KEYS can be guessed: make one with `openssl rand -hex 32`"
        );
    }
}
