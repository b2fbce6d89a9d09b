//! What the benchmarks share: a server of their own, clients that measure, and what the process takes up.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sentio::app::App;
use sentio::config::{Config, SettingValues};
use sentio::sync::WorkerHandle;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A Sentio in a temporary folder, behind HTTP; with the default model unless another is named.
pub struct Server {
    pub app: App,
    pub url: String,
    pub folder: TempDir,
    worker: WorkerHandle,
    stop: CancellationToken,
}

impl Server {
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with("models/all-MiniLM-L6-v2").await
    }

    /// With the model in a folder of the repository.
    pub async fn start_with(model: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = std::env::current_dir()?;
        let path = |path: PathBuf| path.display().to_string();
        let settings = [
            ("SENTIO_DATA_DIR", path(folder.path().to_owned())),
            ("SENTIO_MODEL", path(root.join(model))),
            ("SENTIO_ORT_LIB", path(root.join("lib/libonnxruntime.so"))),
        ];
        let app = App::open(Config::from_values(&SettingValues::from_flags(settings))?).await?;
        let worker = app.worker().start();
        anyhow::ensure!(app.index_opened(Duration::from_secs(60)).await, "the index did not open");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/graphql", listener.local_addr()?);
        let stop = CancellationToken::new();
        tokio::spawn(sentio::http::serve(listener, app.router(stop.clone())?, stop.clone()));
        Ok(Self { app, url, folder, worker, stop })
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.worker.stop().await;
        self.app.close().await
    }
}

/// A client with connections of its own.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    pub fn new(server: &Server) -> Self {
        Self { http: reqwest::Client::new(), url: server.url.clone() }
    }

    /// Sends a document that must succeed; its data and how long it took.
    pub async fn send(&self, query: &str, variables: Value) -> anyhow::Result<(Value, Duration)> {
        let started = Instant::now();
        let body = json!({ "query": query, "variables": variables });
        let response = self.http.post(&self.url).json(&body).send().await?;
        let mut response: Value = response.json().await?;
        let took = started.elapsed();
        anyhow::ensure!(response["errors"].is_null(), "{}", response["errors"]);
        Ok((response["data"].take(), took))
    }
}

/// Sentences of words that are always the same for the same number, about 40 tokens.
pub fn text(number: u64) -> String {
    const WORDS: [&str; 32] = [
        "river", "engine", "market", "garden", "signal", "winter", "bridge", "forest", "planet", "harbour",
        "copper", "mirror", "village", "library", "thunder", "compass", "orchard", "canvas", "glacier",
        "lantern", "meadow", "anchor", "pepper", "violin", "desert", "archive", "kitchen", "mountain",
        "network", "painter", "season", "teacher",
    ];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
    let mut words = Vec::new();
    for position in 0..36 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.push(WORDS[(state >> 59) as usize]);
        if position % 12 == 11 {
            words.push(". The");
        }
    }
    words.join(" ")
}

/// The value below which `share` of `times` lie, in milliseconds.
pub fn percentile(times: &[Duration], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let at = (last as f64 * share).round() as usize;
    sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

/// What of a process is in memory.
pub fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
}
