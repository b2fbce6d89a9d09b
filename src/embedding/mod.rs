//! Turns text into vectors with one model that is loaded once.
//!
//! A text's way: [`Embedder`] puts the model's prompt in front and the text into a queue (`workers`); a
//! thread takes it, cuts it into tokens (`tokenizer`), runs the `network` (`encoder`, or `onnx_file` for
//! architectures that Sentio does not build; `precision` has chosen its arithmetic), pools the tokens' states (`pooling`) and scales the result to
//! unit length ([`Embedding`]).
//!
//! On a processor a text is always run alone and without padding. So its vector depends on nothing but the text and the
//! model: the same bits on every thread, whatever else is running. [`ModelDescription::fingerprint`] names
//! the rest.

mod accelerator;
mod batch;
mod encoder;
mod error;
mod fingerprint;
mod folder;
mod installed;
pub mod known;
mod models;
mod network;
mod onnx_file;
mod open;
mod pooling;
mod precision;
mod query_counts;
mod runtime;
mod shared_text;
mod text_encoder;
mod tokenizer;
mod vector;
mod workers;

use std::{ops::Range, path::PathBuf, sync::Arc, time::Instant};

use moka::future::Cache;
use unicode_normalization::UnicodeNormalization;

pub use self::{
    error::{EmbedError, OpenError},
    fingerprint::PASSAGE_RULE_VERSION,
    folder::{WeightsFile, weight_candidates},
    installed::{FolderDescription, describe_folder, installed},
    models::{Models, RememberedModel, ReopenError, StoredModel},
    pooling::Pooling,
    precision::{Closeness, Precision, Trial, UnknownArithmetic},
    query_counts::QueryCounts,
    vector::{Embedding, InvalidEmbedding},
};
use self::{
    open::Decided,
    query_counts::QueryCounters,
    tokenizer::Tokenizer,
    workers::{Capacity, Workers},
};
use crate::config::EmbeddingConfig;

/// Queries that may wait: about 0.3 s of work for one thread with the default model.
const WAITING_QUERIES: usize = 256;
/// Documents that may wait, enough that no thread idles between two of the indexer's batches.
const WAITING_DOCUMENTS: usize = 64;

/// A handle to the loaded model. Clones share it; the last one to be dropped stops the threads.
#[derive(Clone)]
pub struct Embedder {
    inner: Arc<Inner>,
}

struct Inner {
    model: ModelDescription,
    tokenizer: Arc<Tokenizer>,
    workers: Workers,
    /// What was tried before the arithmetic was chosen.
    trials: Vec<Trial>,
    /// The vectors of texts that are always the same.
    probes: Vec<Embedding>,
    /// By query, with prompt and in normal form C.
    queries: Cache<String, Embedding>,
    query_counters: Arc<QueryCounters>,
}

/// What is loaded, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelDescription {
    /// The folder's name.
    pub name: String,
    pub folder: PathBuf,
    /// The `model_type` of its configuration, such as `bert`.
    pub architecture: String,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens that the model sees of a text, special tokens and prompt included; the rest is cut off.
    pub window: usize,
    /// Tokens of a passage, special tokens and prompt included; at most `window`.
    pub passage_tokens: usize,
    /// Tokens of content that a passage shares with the one before.
    pub passage_overlap: usize,
    /// Those of `passage_tokens` that special tokens and prompt take.
    pub passage_overhead: usize,
    pub pooling: Pooling,
    /// The arithmetic in use; `None` for a model that runs from an ONNX file, which brings its own.
    pub precision: Option<Precision>,
    /// Put in front of queries; may be empty.
    pub query_prompt: String,
    /// Put in front of passages; may be empty.
    pub passage_prompt: String,
    /// SHA-256 of the weight file, in hexadecimal digits.
    pub weights_sha256: String,
    /// SHA-256 of everything that shapes a vector, in hexadecimal digits. Vectors of different fingerprints
    /// must not be compared.
    pub fingerprint: String,
}

impl ModelDescription {
    /// The name of the arithmetic in use.
    pub fn arithmetic(&self) -> String {
        precision::name(self.precision)
    }
}

impl Embedder {
    /// Finds the runtime library, reads the model folder, chooses the arithmetic, builds the network, runs it on a few
    /// texts, and starts the threads. Blocks for 0.2 to 1 s; where 8 bits must be compared with 32 first, for some
    /// seconds with large models.
    pub fn open(config: &EmbeddingConfig) -> Result<Self, OpenError> {
        Self::open_as(config, None, Arc::default())
    }

    /// As [`Embedder::open`], with arithmetic that was decided at another time or on another processor, counting together with others.
    fn open_as(
        config: &EmbeddingConfig,
        decided: Option<Decided>,
        query_counters: Arc<QueryCounters>,
    ) -> Result<Self, OpenError> {
        let started = Instant::now();
        let model = open::open(config, decided)?;
        let capacity = Capacity { queries: WAITING_QUERIES, documents: WAITING_DOCUMENTS };
        let threads = model.encoders.threads.len();
        let workers =
            Workers::start(model.encoders, capacity).map_err(|source| OpenError::Threads { source })?;
        let description = model.description;
        tracing::info!(
            model = description.name,
            architecture = description.architecture,
            dimension = description.dimension,
            window = description.window,
            arithmetic = description.arithmetic(),
            threads,
            fingerprint = description.fingerprint,
            duration_ms = started.elapsed().as_millis() as u64,
            "model opened"
        );
        let cost = |query: &String, embedding: &Embedding| {
            let bytes = query.len() + size_of_val(embedding.as_slice());
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let inner = Inner {
            model: description,
            tokenizer: model.tokenizer,
            workers,
            trials: model.trials,
            probes: model.probes,
            queries: Cache::builder().max_capacity(config.query_cache_bytes).weigher(cost).build(),
            query_counters,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is loaded.
    pub fn model(&self) -> &ModelDescription {
        &self.inner.model
    }

    /// What was tried before the arithmetic was chosen, in this order; nothing where there was no choice.
    pub fn trials(&self) -> &[Trial] {
        &self.inner.trials
    }

    /// The vectors of a few texts that are always the same: they tell whether two machines compute alike.
    pub fn probes(&self) -> &[Embedding] {
        &self.inner.probes
    }

    /// The vector of a query, with the model's query prompt in front. Ahead of all documents; from memory
    /// when the same query was embedded before, and only once when it is asked for several times at once. The
    /// query is brought into Unicode's normal form C first, so that what looks the same is the same.
    ///
    /// Fails with [`EmbedError::Overloaded`] when too many queries wait. Dropping the future takes the query
    /// out of the queue.
    pub async fn embed_query(&self, text: &str) -> Result<Embedding, EmbedError> {
        let inner = &self.inner;
        let query: String = inner.model.query_prompt.chars().chain(text.nfc()).collect();
        let run = async { inner.workers.query(query.clone()).await };
        let found = inner.queries.entry_by_ref(&query).or_try_insert_with(run).await;
        match found {
            Ok(entry) => {
                match entry.is_fresh() {
                    true => inner.query_counters.count_embedded(),
                    false => inner.query_counters.count_from_memory(),
                }
                Ok(entry.into_value())
            }
            Err(error) => {
                inner.query_counters.count_refused();
                Err(EmbedError::clone(&error))
            }
        }
    }

    /// The vector of a passage, with the model's passage prompt in front. Waits while the queue is full;
    /// queries go first. Dropping the future takes the passage out of the queue.
    pub async fn embed_passage(&self, text: String) -> Result<Embedding, EmbedError> {
        let prompt = &self.inner.model.passage_prompt;
        let passage = if prompt.is_empty() { text } else { format!("{prompt}{text}") };
        self.inner.workers.document(passage).await
    }

    /// The byte range in `text` of each of its tokens, without special tokens, prompt or truncation. Starts and
    /// ends never decrease and lie on character boundaries. Works on the calling thread, in time proportional
    /// to the text.
    pub fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, EmbedError> {
        self.inner.tokenizer.spans(text)
    }

    /// The ids that the model sees of `text`: with special tokens, cut to the window, without a prompt.
    pub fn token_ids(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        self.inner.tokenizer.ids(text)
    }

    /// How many texts the model has run since it was opened.
    pub fn runs(&self) -> u64 {
        self.inner.workers.runs()
    }

    /// Refuses further texts with [`EmbedError::Closed`], embeds those that wait, and returns when the
    /// threads have let go of the model. Affects all clones; may be called again, also after its future was
    /// dropped.
    pub async fn close(&self) {
        self.inner.workers.close().await;
    }
}
