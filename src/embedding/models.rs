//! The models that are open: the one the settings ask for and, while the index changes from one model to another, the
//! one it comes from.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::precision::{Precision, UnknownArithmetic};
use super::query_counts::{QueryCounters, QueryCounts};
use super::{Embedder, ModelDescription, OpenError};
use crate::config::{EmbeddingConfig, PrecisionSetting};

/// A cheap handle on the open models, by fingerprint.
#[derive(Clone)]
pub struct Models {
    config: EmbeddingConfig,
    requested: Arc<ModelDescription>,
    open: Arc<RwLock<HashMap<String, Embedder>>>,
    query_counters: Arc<QueryCounters>,
}

/// What opens a model again as it was, also when the settings name another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModel {
    /// As `SENTIO_MODEL` named it.
    pub setting: String,
    /// The name of its arithmetic, see [`ModelDescription::arithmetic`].
    pub arithmetic: String,
    pub query_prompt: String,
    pub passage_prompt: String,
}

/// Why a model that was used before cannot be opened again.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    #[error("the model {setting:?} cannot be opened again")]
    Open { setting: String, source: OpenError },
    #[error("the model {setting:?} is another one now: its files have changed since the index was made")]
    Changed { setting: String },
    #[error(transparent)]
    Arithmetic(#[from] UnknownArithmetic),
    #[error("opening the model {setting:?} was interrupted")]
    Interrupted { setting: String, source: tokio::task::JoinError },
}

impl Models {
    /// Opens the model that the settings name. Blocks as [`Embedder::open`] does.
    pub fn open(config: &EmbeddingConfig) -> Result<Self, OpenError> {
        let query_counters = Arc::default();
        let embedder = Embedder::open_as(config, None, Arc::clone(&query_counters))?;
        let requested = Arc::new(embedder.model().clone());
        let open = HashMap::from([(requested.fingerprint.clone(), embedder)]);
        Ok(Self { config: config.clone(), requested, open: Arc::new(RwLock::new(open)), query_counters })
    }

    /// The model that the settings name. It need not be open: a rollback may have turned it down.
    pub fn requested(&self) -> &ModelDescription {
        &self.requested
    }

    /// What opens the requested model again.
    pub fn requested_setting(&self) -> StoredModel {
        StoredModel {
            setting: self.config.model.clone(),
            arithmetic: self.requested.arithmetic(),
            query_prompt: self.requested.query_prompt.clone(),
            passage_prompt: self.requested.passage_prompt.clone(),
        }
    }

    /// The open model with this fingerprint.
    pub fn with_fingerprint(&self, fingerprint: &str) -> Option<Embedder> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    /// The model with this fingerprint; opened as `stored` says when it is not open.
    pub async fn reopen(&self, fingerprint: &str, stored: &StoredModel) -> Result<Embedder, ReopenError> {
        if let Some(embedder) = self.with_fingerprint(fingerprint) {
            return Ok(embedder);
        }
        let setting = stored.setting.clone();
        let precision = Precision::named(&stored.arithmetic)?;
        let config = EmbeddingConfig {
            model: stored.setting.clone(),
            // An ONNX file takes no other; everything else is opened as it was.
            precision: PrecisionSetting::Auto,
            query_prompt: Some(stored.query_prompt.clone()),
            passage_prompt: Some(stored.passage_prompt.clone()),
            ..self.config.clone()
        };
        let counters = Arc::clone(&self.query_counters);
        let opened =
            tokio::task::spawn_blocking(move || Embedder::open_as(&config, precision, counters)).await;
        let embedder = opened
            .map_err(|source| ReopenError::Interrupted { setting: setting.clone(), source })?
            .map_err(|source| ReopenError::Open { setting: setting.clone(), source })?;
        if embedder.model().fingerprint != fingerprint {
            return Err(ReopenError::Changed { setting });
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        Ok(open.entry(fingerprint.to_owned()).or_insert(embedder).clone())
    }

    /// Lets go of all models but these. A search under way keeps its own until it ends.
    pub fn keep(&self, fingerprints: &[&str]) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|fingerprint, _| fingerprints.contains(&fingerprint.as_str()));
    }

    /// How many texts all open models have run since they were opened.
    pub fn runs(&self) -> u64 {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().map(Embedder::runs).sum()
    }

    /// How the queries to all models were answered, also to those that are closed by now.
    pub fn query_counts(&self) -> QueryCounts {
        self.query_counters.read()
    }

    /// Ends the threads of all models, after what is queued.
    pub async fn close(&self) {
        let open: Vec<_> =
            self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for embedder in open {
            embedder.close().await;
        }
    }
}
