//! What can go wrong when a model is opened, and when a text is embedded.

use std::{io, path::PathBuf};

/// Why a model could not be opened. Each message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "no ONNX Runtime library at {}: run `make setup`, or set SENTIO_ORT_LIB to the library's path",
        listed(.searched)
    )]
    RuntimeMissing { searched: Vec<PathBuf> },
    #[error(
        "{} is ONNX Runtime {found}, but Sentio needs 1.{required} or newer: \
         run `make setup`, or set SENTIO_ORT_LIB to a newer library",
        .path.display()
    )]
    RuntimeTooOld { path: PathBuf, found: String, required: u32 },
    #[error(
        "{} cannot be loaded as ONNX Runtime's library: \
         run `make setup`, or set SENTIO_ORT_LIB to another one",
        .path.display()
    )]
    RuntimeUnusable { path: PathBuf, source: ort::LoadDynamicError },
    #[error("{} ends too early: run `make setup`, or set SENTIO_ORT_LIB to a whole library", .path.display())]
    RuntimeTruncated { path: PathBuf },
    #[error(
        "ONNX Runtime is already loaded from {}, and a process loads it only once: restart to use {}",
        .loaded.display(), .requested.display()
    )]
    RuntimeAlreadyLoaded { loaded: PathBuf, requested: PathBuf },
    #[error(
        "no model folder at {}: run `make setup` for the default model or `sentio model pull` for another one, \
         or set SENTIO_MODEL to an installed model or a folder",
        .path.display()
    )]
    ModelMissing { path: PathBuf },
    #[error(
        "the model folder has no {}: fetch the model again (`sentio model pull`), or set SENTIO_MODEL to another one",
        .path.display()
    )]
    FileMissing { path: PathBuf },
    #[error(
        "{} cannot be read: check its permissions, or set SENTIO_MODEL to another model",
        .path.display()
    )]
    FileUnreadable { path: PathBuf, source: io::Error },
    #[error(
        "{} is damaged or not what its name says: \
         fetch the model again, or set SENTIO_MODEL to another one",
        .path.display()
    )]
    FileInvalid { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "the model in {} cannot be used, because {reason}: set SENTIO_MODEL to another model",
        .path.display()
    )]
    Unsupported { path: PathBuf, reason: String },
    #[error(
        "ONNX Runtime refused the model in {}: \
         fetch the model again, or set SENTIO_MODEL to another one",
        .path.display()
    )]
    Session { path: PathBuf, source: ort::Error },
    #[error("ONNX Runtime could not be started: run `make setup`, or set SENTIO_ORT_LIB to another library")]
    Environment { source: ort::Error },
    #[error(
        "this processor has no AVX2, which Sentio needs: run it on an x86-64 processor from 2013 or later, or on ARM"
    )]
    ProcessorTooOld,
    #[error(transparent)]
    AcceleratorMissing(#[from] super::accelerator::AcceleratorError),
    #[error(
        "the model in {} cannot embed a first text ({reason}): fetch the model again, or set SENTIO_MODEL to another one",
        .path.display()
    )]
    WarmUp { path: PathBuf, reason: String },
    #[error("the embedding threads could not be started: check the system's limit of threads")]
    Threads { source: io::Error },
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(" or ")
}

/// Why a text has no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// Too many queries are waiting: try again later.
    #[error("too many queries are waiting for the model")]
    Overloaded,
    /// The embedder was closed.
    #[error("the model is shutting down")]
    Closed,
    /// The text itself cannot be embedded; trying again gives the same result.
    #[error("the text cannot be embedded: {reason}")]
    Failed { reason: String },
}

impl EmbedError {
    pub(super) fn failed(reason: impl ToString) -> Self {
        Self::Failed { reason: reason.to_string() }
    }
}
