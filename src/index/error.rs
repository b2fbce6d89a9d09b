//! What can go wrong with the index.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// An operation on the index failed; nothing of it is visible to searches.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the index could not {action}")]
    Lance { action: &'static str, source: lancedb::Error },
    #[error("rows for the index could not be laid out")]
    Layout(#[from] arrow_schema::ArrowError),
    #[error("the index returned no column {name} of the expected type")]
    Column { name: &'static str },
    #[error(
        "the table {table} does not belong to this database or model: expected {expected}, found {found}"
    )]
    Foreign { table: String, expected: String, found: String },
    #[error(
        "the table {table} was written by another version of Sentio: its layout is {found:?}, not {expected:?}"
    )]
    OtherLayout { table: String, expected: String, found: String },
    #[error("the index no longer has version {version} of {table}")]
    VersionMissing { table: String, version: u64, source: lancedb::Error },
    #[error("what the articles were at that time is no longer in memory")]
    VersionForgotten,
    #[error("a file of searches could not be written")]
    SearchFiles { source: io::Error },
    #[error("a search was stopped")]
    Stopped(#[from] tokio::task::JoinError),
    #[error("the index is not open yet")]
    NotOpen,
    #[error("the folder of the index is gone")]
    Gone,
    #[error("a file of the index is missing or damaged")]
    Damaged { source: Box<IndexError> },
    #[error("the writer lock {} cannot be used: check that the folder is writable", path.display())]
    Lock { path: PathBuf, source: io::Error },
}

/// Whether `error` comes of a file that is not there, and not of one that cannot be read at the moment.
pub(super) fn is_missing(error: &lancedb::Error) -> bool {
    let mut cause = Some(error as &(dyn Error + 'static));
    let mut causes = std::iter::from_fn(|| {
        let this = cause?;
        cause = this.source();
        Some(this)
    });
    causes.any(|cause| match cause.downcast_ref::<lance::Error>() {
        Some(lance::Error::DatasetNotFound { .. } | lance::Error::VersionNotFound { .. }) => true,
        Some(error) => error.is_not_found(),
        None => {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
        }
    })
}

impl IndexError {
    /// Names the action that `source` interrupted.
    pub(super) fn during(action: &'static str) -> impl Fn(lancedb::Error) -> Self {
        move |source| Self::Lance { action, source }
    }

    /// Whether the tables are missing or broken, so that only building them anew helps.
    pub fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Foreign { .. }
                | Self::OtherLayout { .. }
                | Self::Gone
                | Self::Damaged { .. }
                | Self::VersionMissing { .. }
                | Self::Lance {
                    source: lancedb::Error::TableNotFound { .. } | lancedb::Error::TableCorrupted { .. },
                    ..
                }
        )
    }
}
