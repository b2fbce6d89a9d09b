//! The models that are open: the one the settings ask for and, while the index changes from one model to another, the
//! one it comes from.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::open::Decided;
use super::precision::{Precision, Trial, UnknownArithmetic};
use super::query_counts::{QueryCounters, QueryCounts};
use super::{Embedder, Embedding, ModelDescription, OpenError};
use crate::config::{EmbeddingConfig, PrecisionSetting};

/// The least cosine between the vectors that a machine computes and those in an index, for the same text.
const COSINE_MIN: f32 = 0.999;

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
    /// As `SENTIO_PRECISION` named it; `None` of indexes that were made before this was kept.
    pub precision: Option<String>,
    /// The name of its arithmetic, see [`ModelDescription::arithmetic`].
    pub arithmetic: String,
    pub query_prompt: String,
    pub passage_prompt: String,
}

/// A model that an index was made with.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedModel {
    pub fingerprint: String,
    pub stored: StoredModel,
    /// What was tried before its arithmetic was chosen.
    pub trials: Vec<Trial>,
}

/// Why a model that was used before cannot be opened again.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    #[error("the model {setting:?} cannot be opened again")]
    Open { setting: String, source: OpenError },
    #[error("the model {setting:?} is another one now: its files have changed since the index was made")]
    Changed { setting: String },
    #[error(
        "the model {setting:?} gives other vectors on this machine than those in the index (cosine {cosine:.4}, \
         {COSINE_MIN} is needed): use the processor and the ONNX Runtime that made the index, or make a new index \
         with another SENTIO_PRECISION or SENTIO_MODEL"
    )]
    ComputesOtherwise { setting: String, cosine: f32 },
    #[error(transparent)]
    Arithmetic(#[from] UnknownArithmetic),
    #[error("opening the model {setting:?} was interrupted")]
    Interrupted { setting: String, source: tokio::task::JoinError },
}

impl Embedder {
    /// Compares what this machine computes with `stored`, the vectors of an index for the texts of [`Embedder::probes`].
    pub fn compare_probes(&self, stored: &[u8], setting: &str) -> Result<(), ReopenError> {
        let bytes_each = 4 * self.model().dimension;
        let mut cosine = 1.0_f32;
        let mut stored = stored.chunks(bytes_each);
        for probe in self.probes() {
            let stored = stored.next().and_then(|bytes| Embedding::from_le_bytes(bytes).ok());
            let same = stored.filter(|stored| stored.dimension() == probe.dimension());
            cosine = cosine.min(same.map_or(-1.0, |stored| stored.cosine(probe)));
        }
        match cosine >= COSINE_MIN {
            true => Ok(()),
            false => Err(ReopenError::ComputesOtherwise { setting: setting.to_owned(), cosine }),
        }
    }
}

impl Models {
    /// Opens the model that the settings name. Blocks as [`Embedder::open`] does. An index among `remembered` that was
    /// made under the same settings has chosen the arithmetic already.
    pub fn open(config: &EmbeddingConfig, remembered: &[RememberedModel]) -> Result<Self, OpenError> {
        let query_counters = Arc::default();
        let embedder = match Self::open_remembered(config, remembered, &query_counters)? {
            Some(embedder) => embedder,
            None => Embedder::open_as(config, None, Arc::clone(&query_counters))?,
        };
        let requested = Arc::new(embedder.model().clone());
        let open = HashMap::from([(requested.fingerprint.clone(), embedder)]);
        Ok(Self { config: config.clone(), requested, open: Arc::new(RwLock::new(open)), query_counters })
    }

    fn open_remembered(
        config: &EmbeddingConfig,
        remembered: &[RememberedModel],
        query_counters: &Arc<QueryCounters>,
    ) -> Result<Option<Embedder>, OpenError> {
        let precision = config.effective_precision().to_string();
        let mut tried = Vec::new();
        for RememberedModel { fingerprint, stored, trials } in remembered {
            let same_settings =
                stored.setting == config.model && stored.precision.as_ref() == Some(&precision);
            let Ok(Some(arithmetic)) = Precision::named(&stored.arithmetic) else { continue };
            if !same_settings || tried.contains(&arithmetic) {
                continue;
            }
            let decided = Decided { precision: arithmetic, trials: trials.clone() };
            let embedder = Embedder::open_as(config, Some(decided), Arc::clone(query_counters))?;
            if embedder.model().fingerprint == *fingerprint {
                return Ok(Some(embedder));
            }
            // Its files, or other settings, have changed.
            tried.push(arithmetic);
        }
        Ok(None)
    }

    /// The model that the settings name. It need not be open: a rollback may have turned it down.
    pub fn requested(&self) -> &ModelDescription {
        &self.requested
    }

    /// What opens the requested model again.
    pub fn requested_setting(&self) -> StoredModel {
        StoredModel {
            setting: self.config.model.clone(),
            precision: Some(self.config.effective_precision().to_string()),
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
        let decided = precision.map(|precision| Decided { precision, trials: Vec::new() });
        let opened = tokio::task::spawn_blocking(move || Embedder::open_as(&config, decided, counters)).await;
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
