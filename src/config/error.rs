//! What can be wrong with the settings.

use std::path::PathBuf;

use super::Setting;

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
    #[error("the file {} {problem}", path.display())]
    DotEnv { path: PathBuf, problem: String },
    #[error("{name} and {file_name} are both given: keep one of them")]
    GivenTwice { name: &'static str, file_name: &'static str },
    #[error("{name} names {}, which {problem}", path.display())]
    SecretFile { name: &'static str, path: PathBuf, problem: String },
}

impl ConfigError {
    /// A value that `setting` cannot have; shown unless it may be a secret.
    pub(super) fn refused(setting: &Setting, value: &str, expected: &str) -> Self {
        let (name, expected) = (setting.name, expected.to_owned());
        if setting.holds_a_secret() {
            Self::BadSecret { name, expected }
        } else {
            Self::BadValue { name, value: value.to_owned(), expected }
        }
    }
}
