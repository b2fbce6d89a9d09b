//! What can be wrong with the settings.

use std::path::PathBuf;

/// A setting that stops the start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{name} has the value {value:?}: {expected}")]
    BadValue { name: &'static str, value: String, expected: String },
    #[error("{name} has a value that is not allowed: {expected}")]
    BadSecret { name: &'static str, expected: String },
    #[error("{name} (from {source_name}) is no setting of Sentio{}", hint.as_ref().map_or_else(|| ": `sentio --help` lists all".to_owned(), |hint| format!(": did you mean {hint}?")))]
    Unknown { name: String, source_name: &'static str, hint: Option<&'static str> },
    #[error("{name} is not valid UTF-8")]
    NotUnicode { name: String },
    #[error(
        "the file {} cannot be read as lines NAME=VALUE: put a value with spaces, # or $ in single quotes",
        path.display()
    )]
    DotEnv { path: PathBuf },
}
