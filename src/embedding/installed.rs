//! What is in the folder of models, without loading ONNX Runtime or any weights.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    error::OpenError,
    folder::{ModelFolder, WeightsFile},
    pooling::Pooling,
};

/// A model folder as its own files describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderDescription {
    /// The folder's name.
    pub name: String,
    pub folder: PathBuf,
    /// The `model_type` of its configuration, such as `bert`.
    pub architecture: String,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens that the model sees of a text.
    pub window: usize,
    pub pooling: Pooling,
    pub weights: WeightsFile,
    /// Size of the weight file.
    pub weight_bytes: u64,
    /// The folder's own prompts, if it has any.
    pub query_prompt: Option<String>,
    pub passage_prompt: Option<String>,
}

/// Describes the model folder at `path`, or says why it cannot be used. Weights are not read: an unsuitable
/// or damaged weight file shows only when the model is opened.
pub fn describe_folder(path: &Path) -> Result<FolderDescription, OpenError> {
    let folder = ModelFolder::read(path)?;
    let weights = folder.weights.path();
    let metadata = fs::metadata(weights)
        .map_err(|source| OpenError::FileUnreadable { path: weights.to_owned(), source })?;
    Ok(FolderDescription {
        name: folder.name,
        folder: folder.path,
        architecture: folder.config.model_type,
        dimension: folder.dimension,
        window: folder.window,
        pooling: folder.pooling,
        weights: folder.weights,
        weight_bytes: metadata.len(),
        query_prompt: folder.query_prompt,
        passage_prompt: folder.passage_prompt,
    })
}

/// The folders in `model_dir` that have a `modules.json`, by name, each described or refused; not those whose names
/// end with `.part`. None when there is no such directory.
pub fn installed(model_dir: &Path) -> Vec<(String, Result<FolderDescription, OpenError>)> {
    let entries = fs::read_dir(model_dir).into_iter().flatten().flatten();
    let mut models: Vec<_> = entries
        .filter(|entry| entry.path().join("modules.json").is_file())
        // What is being fetched.
        .filter(|entry| entry.path().extension().is_none_or(|extension| extension != "part"))
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), describe_folder(&entry.path())))
        .collect();
    models.sort_by(|(a, _), (b, _)| a.cmp(b));
    models
}
