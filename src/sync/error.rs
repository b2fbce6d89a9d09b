//! Why the index can't be kept in step at the moment.

use sea_orm::DbErr;

use crate::embedding::EmbedError;
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
    #[error(
        "the index belongs to the model with fingerprint {found}, the model in use has {expected}: run `sentio index --rebuild`"
    )]
    OtherModel { expected: String, found: String },
    #[error("there is no index yet: start `sentio serve` or run `sentio index`")]
    NoGeneration,
    #[error("a task of the worker ended early")]
    Interrupted(#[from] tokio::task::JoinError),
}
