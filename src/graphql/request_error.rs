//! Why a request was not executed.

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError};

use super::limits::LimitExceeded;
use crate::auth::InvalidCredential;

/// Why a request was not executed, on whichever transport it came.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("{0}")]
    Malformed(String),
    #[error("the request has no query")]
    NoQuery,
    #[error("{0}")]
    NotParsed(String),
    #[error("{message}")]
    Invalid { message: String, pos: Pos },
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    #[error("the variable ${0} has no value: it is required")]
    MissingVariable(String),
    // Clients know this error and the next by their messages; they then send the text.
    #[error("PersistedQueryNotFound")]
    DocumentNotFound,
    #[error("PersistedQueryNotSupported")]
    PersistedQueryNotSupported,
    #[error("the query is not the one of the hash that came with it")]
    WrongHash,
    #[error("this server executes the documents of its manifest only (SENTIO_TRUSTED_DOCUMENTS_ONLY)")]
    NotTrusted,
    #[error(transparent)]
    Unauthenticated(#[from] InvalidCredential),
    #[error("{running} {what} are running, which is the limit: try again in a moment")]
    Overloaded { what: &'static str, running: usize },
    #[error("the request took longer than {seconds} s and was cancelled")]
    TimedOut { seconds: u64 },
}

impl RequestError {
    /// The code in `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::NoQuery | Self::MissingVariable(_) | Self::WrongHash => {
                "BAD_USER_INPUT"
            }
            Self::NotParsed(_) => "GRAPHQL_PARSE_FAILED",
            Self::Invalid { .. } => "GRAPHQL_VALIDATION_FAILED",
            Self::LimitExceeded(_) => "LIMIT_EXCEEDED",
            Self::DocumentNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::NotTrusted => "FORBIDDEN",
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::TimedOut { .. } => "TIMEOUT",
        }
    }

    /// A response with this error alone.
    pub fn to_response(&self) -> Response {
        let pos = if let Self::Invalid { pos, .. } = self { Some(*pos) } else { None };
        let mut error = ServerError::new(self.to_string(), pos);
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        extensions.set("code", self.code());
        if let Self::LimitExceeded(LimitExceeded { limit, found }) = self {
            extensions.set("limit", limit.name());
            extensions.set("max", limit.max());
            extensions.set("found", *found);
        }
        Response::from_errors(vec![error])
    }
}
