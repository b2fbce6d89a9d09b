//! A folder with articles and their index.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use sentio::app::App;
use sentio::article::ArticleId;
use sentio::config::{Config, SettingValues};
use sentio::entity::article;
use sentio::sync::WorkerHandle;

/// An open Sentio over the folder.
pub struct Filled {
    pub app: App,
    /// In the order of their ids.
    pub articles: Vec<ArticleId>,
    pub folder: PathBuf,
    worker: WorkerHandle,
}

/// The default model, over `folder`.
pub fn settings(folder: &Path) -> [(&'static str, String); 3] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [
        ("SENTIO_DATA_DIR", folder.display().to_string()),
        ("SENTIO_MODEL", root.join("models/all-MiniLM-L6-v2").display().to_string()),
        ("SENTIO_ORT_LIB", root.join("lib/libonnxruntime.so").display().to_string()),
    ]
}

/// Longer than the worker waits before it merges small files.
const QUIET: Duration = Duration::from_secs(3);

/// Starts the worker and waits until the index is in step and its files are merged.
pub async fn catch_up(app: &App) -> anyhow::Result<WorkerHandle> {
    let worker = app.worker().start();
    ensure!(app.index_opened(Duration::from_secs(60)).await, "the index did not open");
    while sentio::outbox::lag(app.db.reader()).await?.pending > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let live = app.index.live()?;
    let (mut versions, mut since) = (live.snapshot().versions().await?, Instant::now());
    while since.elapsed() < QUIET {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = live.snapshot().versions().await?;
        if now != versions {
            (versions, since) = (now, Instant::now());
        }
    }
    Ok(worker)
}

/// Opens `folder`; imports `articles` when nothing is in it.
pub async fn open(articles: &Path, folder: &Path) -> anyhow::Result<Filled> {
    let settings = settings(folder);
    if !folder.join("sentio.db").exists() {
        let mut import = Command::new(env!("CARGO_BIN_EXE_sentio"));
        let imported = import.arg("import").arg(articles).envs(settings.clone()).status();
        ensure!(imported.context("the import did not start")?.success(), "the import failed");
    }
    let app = App::open(Config::from_values(&SettingValues::from_flags(settings))?).await?;
    let worker = catch_up(&app).await?;
    let ids = article::Entity::find().select_only().column(article::Column::Id);
    let ids: Vec<i64> = ids.order_by_asc(article::Column::Id).into_tuple().all(app.db.reader()).await?;
    let size = app.index.live()?.snapshot().size().await?;
    println!("{} articles, {} passages", size.articles, size.passages);
    Ok(Filled { app, articles: ids.into_iter().map(ArticleId).collect(), folder: folder.to_owned(), worker })
}

impl Filled {
    /// The vectors of the first `count` articles.
    pub async fn vectors(&self, count: usize) -> anyhow::Result<Vec<Vec<f32>>> {
        let snapshot = self.app.index.live()?.snapshot();
        let mut vectors = Vec::new();
        for articles in self.articles[..count.min(self.articles.len())].chunks(2_000) {
            let mut found = snapshot.article_vectors(articles)?;
            vectors.extend(articles.iter().filter_map(|article| found.remove(article)));
        }
        Ok(vectors)
    }

    pub async fn close(self) -> anyhow::Result<()> {
        self.worker.stop().await;
        self.app.close().await
    }
}
