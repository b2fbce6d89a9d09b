//! Why a request was not executed.

use async_graphql::{Response, ServerError};

use super::limits::LimitExceeded;
use super::responses::{NoMemory, ResponseRefusal};
use crate::auth::{Denied, InvalidCredential};
use crate::document::Fault;

/// Why a request was not executed, on whichever transport it came.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("{0}")]
    Malformed(String),
    #[error("the request has no query")]
    NoQuery,
    /// The faults of its syntax.
    #[error("{}", sentences(.0))]
    NotParsed(Vec<Fault>),
    /// The faults that validation found.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    /// The name of an operation fits none, or is missing.
    #[error("{0}")]
    NoOperation(String),
    #[error("{}", sentences(.0))]
    BadVariables(Vec<Fault>),
    #[error("internal error")]
    NotCompiled,
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
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{running} {what} are running, which is the limit: try again in a moment")]
    Overloaded { what: &'static str, running: usize },
    #[error(transparent)]
    ResponseRefused(ResponseRefusal),
    #[error("the request took longer than {seconds} s and was cancelled")]
    TimedOut { seconds: u64 },
}

impl From<NoMemory> for RequestError {
    fn from(error: NoMemory) -> Self {
        Self::ResponseRefused(error.into())
    }
}

impl RequestError {
    /// The code in `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_)
            | Self::NoQuery
            | Self::NoOperation(_)
            | Self::BadVariables(_)
            | Self::WrongHash => "BAD_USER_INPUT",
            Self::NotCompiled => "INTERNAL_SERVER_ERROR",
            Self::NotParsed(_) => "GRAPHQL_PARSE_FAILED",
            Self::Invalid(_) => "GRAPHQL_VALIDATION_FAILED",
            Self::LimitExceeded(_) => "LIMIT_EXCEEDED",
            Self::DocumentNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::NotTrusted => "FORBIDDEN",
            Self::Unauthenticated(_) | Self::Denied(_) => "UNAUTHENTICATED",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::ResponseRefused(refusal) => refusal.code(),
            Self::TimedOut { .. } => "TIMEOUT",
        }
    }

    /// A response with this error alone, or with each of its faults.
    pub fn to_response(&self) -> Response {
        let mut errors = match self {
            Self::NotParsed(faults) | Self::Invalid(faults) | Self::BadVariables(faults) => {
                faults.iter().map(error).collect()
            }
            other => vec![ServerError::new(other.to_string(), None)],
        };
        for error in &mut errors {
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("code", self.code());
            if let Self::LimitExceeded(LimitExceeded { limit, found }) = self {
                extensions.set("limit", limit.name());
                extensions.set("max", limit.max());
                extensions.set("found", *found);
            }
        }
        Response::from_errors(errors)
    }
}

fn error(fault: &Fault) -> ServerError {
    let mut error = ServerError::new(fault.message.clone(), None);
    error.locations.clone_from(&fault.locations);
    error
}

/// The sentences of all faults, for where only one text can be told.
fn sentences(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ")
}
