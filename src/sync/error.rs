//! Why the index can't be kept in step at the moment.

use sea_orm::DbErr;

use crate::embedding::{EmbedError, ReopenError};
use crate::index::IndexError;

/// An outage: nothing is wrong with the articles, and what was claimed is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("the SQL database failed")]
    Database(#[from] DbErr),
    #[error("the vector index failed")]
    Index(#[from] IndexError),
    #[error("the embedding engine failed")]
    Embedding(#[from] EmbedError),
    #[error("a model of the index cannot be used")]
    Model(#[from] ReopenError),
    #[error("there is no index yet: start `sentio serve` or run `sentio index`")]
    NoGeneration,
    #[error("the writer lock was removed, so another process may be writing")]
    LockLost,
    #[error("a task of the worker ended early")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl SyncError {
    /// Whether tables of the index are missing or broken, so that only building them anew helps.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Index(error) if error.is_lost())
    }
}
