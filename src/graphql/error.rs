//! Errors of the API: codes for programs, messages for people, and nothing of the inside.

use std::sync::Arc;

use async_graphql::{Error, ErrorExtensions};
use sea_orm::DbErr;

use super::responses::ResponseRefusal;
use crate::db::{is_contention, is_storage_full};
use crate::error_chain::Chain;
use crate::recommend::RecommendError;

/// Longest message of an error.
const MESSAGE_MAX_BYTES: usize = 1_000;

/// What a field can fail with. `extensions.code` tells the kind.
///
/// Not `Display`: async-graphql would then show any text to the client by itself.
#[derive(Clone, Debug)]
pub enum ApiError {
    BadUserInput {
        argument: String,
        message: String,
    },
    NotFound(String),
    Overloaded,
    /// A subscriber was too slow for so many changes.
    Missed(u64),
    /// The database has no room for what was to be written.
    StorageFull,
    /// The response would be too large, or there is no memory for it.
    Response(ResponseRefusal),
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

/// What a nullable field returns: an error makes this field null and costs no other. (With `Result<Option<T>, _>`
/// async-graphql would null the parent.) Made with [`Result::transpose`].
pub type Nullable<T> = Option<Result<T, ApiError>>;

impl ApiError {
    /// A bad value of an argument, named as `options.filter`.
    pub fn bad_input(argument: impl Into<String>, message: impl Into<String>) -> Self {
        Self::BadUserInput { argument: argument.into(), message: message.into() }
    }

    /// What a field needs was not read: a fault of this program.
    pub fn not_read(what: &str) -> Self {
        Self::Internal(Arc::new(DbErr::RecordNotFound(format!("{what} was not read"))))
    }

    fn message(&self) -> String {
        match self {
            Self::BadUserInput { argument, message } => format!("{argument}: {message}"),
            Self::NotFound(message) => message.clone(),
            Self::Overloaded => "too many requests are waiting: try again in a moment".to_owned(),
            Self::Missed(missed) => {
                format!("{missed} changes came too fast and were left out: load the articles anew")
            }
            Self::StorageFull => {
                "nothing was written, because the database's disk is full: free some space and try again"
                    .to_owned()
            }
            Self::Response(refusal) => refusal.to_string(),
            Self::Internal(_) => "internal error".to_owned(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadUserInput { .. } => "BAD_USER_INPUT",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Overloaded | Self::Missed(_) | Self::StorageFull => "OVERLOADED",
            Self::Response(refusal) => refusal.code(),
            Self::Internal(_) => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// The one place where an error reaches a client; internal ones are logged here and masked.
impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        if matches!(error, ApiError::StorageFull) {
            tracing::error!("db.storage_full: writes are refused");
        }
        if let ApiError::Internal(source) = &error {
            tracing::error!(error = %Chain(source.as_ref()), "graphql.internal_error");
        }
        let mut message = error.message();
        // It may repeat what the client sent, once for each of its fields.
        message.truncate(message.floor_char_boundary(MESSAGE_MAX_BYTES));
        Self::new(message).extend_with(|_, extensions| {
            extensions.set("code", error.code());
            if let ApiError::BadUserInput { argument, .. } = &error {
                extensions.set("argument", argument.as_str());
            }
        })
    }
}

impl From<ResponseRefusal> for ApiError {
    fn from(refusal: ResponseRefusal) -> Self {
        Self::Response(refusal)
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        if is_contention(&error) {
            Self::Overloaded
        } else if is_storage_full(&error) {
            Self::StorageFull
        } else {
            Self::Internal(Arc::new(error))
        }
    }
}

impl From<RecommendError> for ApiError {
    fn from(error: RecommendError) -> Self {
        match error {
            RecommendError::Overloaded => Self::Overloaded,
            RecommendError::NoExample => {
                Self::NotFound("options.like: none of these articles is in the index".to_owned())
            }
            RecommendError::Forgotten => Self::bad_input(
                "after",
                "the list of this cursor is no longer kept, because the index has changed since: begin anew, without after",
            ),
            other => Self::Internal(Arc::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internals_never_reach_a_client() {
        let source = DbErr::Custom("password=s3cret".to_owned());
        let error = Error::from(ApiError::from(source));
        assert_eq!(error.message, "internal error");
        let extensions = error.extensions.unwrap();
        assert_eq!(extensions.get("code").unwrap().to_string(), "\"INTERNAL_SERVER_ERROR\"");
    }

    #[test]
    fn a_message_repeats_little_of_what_was_sent() {
        let error = Error::from(ApiError::NotFound("é".repeat(1_000_000)));
        assert_eq!(error.message.len(), MESSAGE_MAX_BYTES);
    }

    #[test]
    fn every_error_has_the_code_of_the_contract() {
        let cases = [
            (ApiError::bad_input("k", "too large"), "BAD_USER_INPUT"),
            (ApiError::NotFound("no such article".to_owned()), "NOT_FOUND"),
            (ApiError::from(RecommendError::Overloaded), "OVERLOADED"),
            (ApiError::from(DbErr::UnpackInsertId), "INTERNAL_SERVER_ERROR"),
        ];
        for (error, code) in cases {
            assert_eq!(error.code(), code, "{error:?}");
        }
    }
}
