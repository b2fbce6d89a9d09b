//! What is wrong with the data of a mutation.

use async_graphql::{Enum, SimpleObject};

use crate::article::{Violation, ViolationCode};

/// A problem with the data of a mutation; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// The kind of problem, for programs.
    pub code: UserErrorCode,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// The way to the value, such as `["input", "title"]`.
    pub path: Vec<String>,
}

/// Kinds of problems with the data of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// The value is needed but blank, empty or null.
    Blank,
    /// The value is longer than allowed.
    TooLong,
    /// The list has more values than allowed.
    TooMany,
    /// The value has a character that cannot be stored.
    InvalidCharacter,
    /// Another article has this external id.
    Taken,
    /// There is no such article.
    NotFound,
    /// The article has changed: `expectedRevision` is not its present revision.
    Conflict,
}

impl UserError {
    pub fn new(code: UserErrorCode, path: &[&str], message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: path.iter().map(|part| (*part).to_owned()).collect() }
    }

    /// A broken rule of an article's data that lies at `prefix` in the arguments.
    pub fn from_violation(prefix: &[String], violation: Violation) -> Self {
        let code = match violation.code {
            ViolationCode::Blank => UserErrorCode::Blank,
            ViolationCode::TooLong => UserErrorCode::TooLong,
            ViolationCode::TooMany => UserErrorCode::TooMany,
            ViolationCode::InvalidCharacter => UserErrorCode::InvalidCharacter,
        };
        let path = prefix.iter().cloned().chain(violation.path).collect();
        Self { code, message: violation.message, path }
    }
}
