//! Why there are no recommendations.

use crate::embedding::EmbedError;
use crate::index::IndexError;

/// The engine or the index cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    #[error("the query could not be embedded")]
    Embedding(#[from] EmbedError),
    #[error("the index could not be searched")]
    Index(#[from] IndexError),
}
