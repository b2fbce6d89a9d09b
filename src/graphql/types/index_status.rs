//! How far the index is.

use async_graphql::{Enum, ID, SimpleObject};

use super::DateTime;

/// How far the index is behind the articles.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct IndexStatus {
    /// In a word.
    pub state: IndexState,
    /// Changes that searches do not see yet.
    pub pending: u64,
    /// Articles that cannot be indexed because of an error of their own; see `Article.indexError`.
    pub failed: u64,
    /// The age of the oldest pending change in seconds; 0 when nothing is pending.
    pub lag_seconds: f64,
    /// When the oldest pending change was made.
    pub oldest_pending: Option<DateTime>,
    /// Why the index cannot be written or opened at present, else why the last failed article could not be indexed; null
    /// when nothing is wrong.
    pub last_error: Option<String>,
    /// Articles in the index.
    pub articles: u64,
    /// Passages in the index.
    pub passages: u64,
    /// Data files of the index.
    pub fragments: u64,
    /// Where searches of this server read.
    pub search_backend: SearchBackend,
    /// Memory that they take, in MiB.
    pub search_memory: u64,
    /// The generation that answers searches.
    pub live: IndexGeneration,
    /// The generation that will answer them once it is complete, when the model was changed.
    pub building: Option<IndexGeneration>,
}

/// Where searches read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SearchBackend {
    /// In memory.
    Memory,
    /// A part at least in files that are mapped, because there is no room in memory or because the settings say so.
    Disk,
}

/// The state of the index in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum IndexState {
    /// Searches see every article as it is.
    InStep,
    /// Changes are on their way into the index.
    CatchingUp,
    /// The index cannot be written or opened at present; articles are stored all the same.
    Failing,
}

/// One complete index made by one model.
#[derive(Clone, Debug, PartialEq, SimpleObject)]
pub struct IndexGeneration {
    /// The number of the generation.
    pub id: ID,
    /// The model that made it.
    pub model: String,
    /// The share of the articles that it holds, 0 to 1.
    pub coverage: f64,
    /// Articles indexed per second while it is being built.
    pub rate: Option<f64>,
    /// Seconds until it is complete, at that rate.
    pub seconds_left: Option<f64>,
}
