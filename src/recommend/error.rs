//! Why there are no recommendations.

use crate::embedding::EmbedError;
use crate::index::IndexError;

/// The engine or the index cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    #[error("too many queries are waiting")]
    Overloaded,
    #[error("none of the articles to be like is there")]
    NoExample,
    #[error("the index no longer keeps what it held when the list began")]
    Forgotten,
    #[error("the query could not be embedded")]
    Embedding(#[source] EmbedError),
    #[error("the index could not be searched")]
    Index(#[source] IndexError),
}

impl From<IndexError> for RecommendError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::VersionMissing { .. } | IndexError::VersionForgotten => Self::Forgotten,
            other => Self::Index(other),
        }
    }
}

impl From<EmbedError> for RecommendError {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Overloaded => Self::Overloaded,
            other => Self::Embedding(other),
        }
    }
}
