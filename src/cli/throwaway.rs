//! A Sentio of its own in a temporary folder, for measurements: what is configured is never touched.

use anyhow::Context;
use tempfile::TempDir;

use super::indexing;
use super::progress::Progress;
use crate::app::App;
use crate::config::{Config, SettingValues};
use crate::embedding::{Embedder, Embedding};
use crate::evaluation::{Document, store};
use crate::index::IndexError;
use crate::recommend::Recommender;

/// Settings that it makes for itself, whatever is configured ([`Throwaway::over`]).
pub const OWN_SETTINGS: [&str; 4] =
    ["SENTIO_DATA_DIR", "DATABASE_URL", "SENTIO_INDEX_URI", "SENTIO_QUERY_CACHE"];

/// An index over some documents; gone when dropped.
pub struct Throwaway {
    app: App,
    model: Embedder,
    _folder: TempDir,
}

impl Throwaway {
    /// Stores and indexes `documents` with the model, the precision and all else that `values` set, in a folder of its own.
    pub async fn over(values: &SettingValues, documents: &[Document]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("there is no room for temporary files")?;
        let mut values = values.clone();
        values.set("SENTIO_DATA_DIR", folder.path().display().to_string());
        values.unset("DATABASE_URL");
        values.unset("SENTIO_INDEX_URI");
        // Each ranking of a query is to take what the first one takes.
        values.set("SENTIO_QUERY_CACHE", "0".to_owned());
        let app = App::open(Config::from_values(&values)?).await?;
        let mut progress = Progress::items("store", Some(documents.len() as u64));
        let advanced = std::cell::RefCell::new(&mut progress);
        store(&app.db, documents, |written| advanced.borrow_mut().advance_to(written)).await?;
        progress.finish("documents stored".to_owned());
        let worker = app.worker().start();
        let caught_up = indexing::catch_up(&app).await;
        worker.stop().await;
        caught_up?;
        let live = app.index.live()?;
        let model = app.models.with_fingerprint(live.fingerprint()).ok_or(IndexError::NotOpen)?;
        Ok(Self { app, model, _folder: folder })
    }

    /// What answers queries; `exact` looks at every vector.
    pub fn recommender(&self, exact: bool) -> Recommender {
        let recommender = Recommender::new(self.app.models.clone(), self.app.index.clone());
        if exact { recommender.exact() } else { recommender }
    }

    /// The vector of a text, as of a query.
    pub async fn embed(&self, text: &str) -> anyhow::Result<Embedding> {
        Ok(self.model.embed_query(text).await?)
    }

    pub async fn close(self) -> anyhow::Result<()> {
        drop(self.model);
        self.app.close().await
    }
}
