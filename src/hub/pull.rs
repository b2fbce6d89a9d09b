//! From a source to a folder of models.

use std::path::Path;

use crate::config::HubConfig;
use crate::embedding::{self, FolderDescription};

use super::client::Client;
use super::download::Origin;
use super::listing::{Listing, RemoteFile};
use super::record::{FileRecord, Record, sha256};
use super::selection::{self, MODULES};
use super::staging::Staging;
use super::{HubError, Source};

/// What is being fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Configuration and tokenizer.
    SmallFiles,
    Weights,
}

/// How a pull ended.
#[derive(Debug)]
pub enum Pulled {
    /// The folder held the model already; nothing was asked of the network unless a branch or tag had to be resolved.
    Present { description: FolderDescription, record: Option<Record> },
    /// The folder is new.
    Fetched { description: FolderDescription, record: Record },
}

/// Puts the model `source` into `model_dir`, unless it is there; `force` fetches it in any case, and replaces whatever
/// has its name. `on_progress` hears how many bytes of a part are there, and of how many.
pub async fn pull(
    config: &HubConfig,
    model_dir: &Path,
    source: &Source,
    force: bool,
    on_progress: impl FnMut(Part, u64, u64),
) -> Result<Pulled, HubError> {
    let folder = model_dir.join(&source.name);
    let repository = source.repository.clone();
    if !force {
        if let Some(present) = present(source, source.revision.as_deref(), &folder) {
            return Ok(present);
        }
        let replaceable = Record::read(&folder).is_some_and(|record| record.repository == repository);
        if folder.exists() && !replaceable {
            return Err(HubError::Occupied { repository, folder });
        }
    }
    if config.offline {
        return Err(HubError::Offline { wanted: source.to_string(), folder });
    }
    let client = Client::new(config)?;
    let listing = client.list(&repository, source.revision.as_deref()).await?;
    if let Some(present) = present(source, Some(&listing.revision), &folder).filter(|_| !force) {
        return Ok(present);
    }
    let staging = Staging::take(&folder, &listing.revision)?;
    let origin = Origin { client: &client, repository: &repository, revision: &listing.revision };
    match origin.assemble(source, &listing, staging.path(), on_progress).await {
        Ok(record) => {
            staging.publish()?;
            match embedding::describe_folder(&folder) {
                Ok(description) => Ok(Pulled::Fetched { description, record }),
                Err(source) => Err(HubError::Unusable { repository, source }),
            }
        }
        Err(error) => {
            if error.is_final() {
                staging.discard()?;
            }
            Err(error)
        }
    }
}

/// The model, if `folder` holds it as it is at `revision` (at any, if there is none).
fn present(source: &Source, revision: Option<&str>, folder: &Path) -> Option<Pulled> {
    let description = embedding::describe_folder(folder).ok()?;
    let Some(record) = Record::read(folder) else {
        // Installed by other means, such as `make setup`.
        let expected = source.weights_sha256?;
        let found = sha256(description.weights.path()).ok()?;
        return (found == expected).then_some(Pulled::Present { description, record: None });
    };
    let same = record.repository == source.repository
        && revision.is_none_or(|revision| revision == record.revision)
        && record.is_intact(folder);
    same.then_some(Pulled::Present { description, record: Some(record) })
}

/// Compares the weights with what was seen when the source was pinned: this also holds for a mirror's list.
fn check_pinned(source: &Source, files: &[FileRecord], folder: &Path) -> Result<(), HubError> {
    let Some(expected) = source.weights_sha256 else { return Ok(()) };
    let is_wrong = |file: &&FileRecord| file.path.ends_with("model.safetensors") && file.sha256 != expected;
    let Some(file) = files.iter().find(is_wrong) else { return Ok(()) };
    let path = folder.join(&file.path);
    std::fs::remove_file(&path).map_err(HubError::write(&path))?;
    Err(HubError::WrongHash {
        file: file.path.clone(),
        kind: "sha256",
        found: file.sha256.clone(),
        expected: expected.to_owned(),
    })
}

impl Origin<'_> {
    /// Fetches everything that Sentio runs from into `folder`, and records it there.
    async fn assemble(
        &self,
        source: &Source,
        listing: &Listing,
        folder: &Path,
        mut on_progress: impl FnMut(Part, u64, u64),
    ) -> Result<Record, HubError> {
        let repository = self.repository;
        let Some(modules) = listing.file(MODULES) else {
            return Err(HubError::NoModules { repository: repository.to_owned() });
        };
        let mut files = vec![self.fetch(modules, folder, |_| {}).await?];
        let modules = std::fs::read(folder.join(MODULES)).map_err(HubError::write(folder))?;
        let small = selection::small_files(repository, listing, &modules)?;
        let on_bytes = |done, of| on_progress(Part::SmallFiles, done, of);
        files.extend(self.fetch_all(&small, folder, on_bytes).await?);
        // Before the weights: hundreds of megabytes in vain would be a pity.
        let candidates = embedding::weight_candidates(folder)
            .map_err(|source| HubError::Unusable { repository: repository.to_owned(), source })?;
        let weights = selection::weights(repository, listing, &candidates)?;
        let on_bytes = |done, of| on_progress(Part::Weights, done, of);
        files.extend(self.fetch_all(&weights, folder, on_bytes).await?);
        check_pinned(source, &files, folder)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let record = Record { repository: repository.to_owned(), revision: self.revision.to_owned(), files };
        record.write(folder)?;
        Ok(record)
    }

    /// Fetches `files` one after the other. `on_bytes` hears how many bytes are there by now, and of how many.
    async fn fetch_all(
        &self,
        files: &[&RemoteFile],
        folder: &Path,
        mut on_bytes: impl FnMut(u64, u64),
    ) -> Result<Vec<FileRecord>, HubError> {
        let total = files.iter().filter_map(|file| file.size).sum();
        let mut before = 0;
        let mut records = Vec::new();
        for file in files {
            let record = self.fetch(file, folder, |bytes| on_bytes(before + bytes, total)).await?;
            before += record.size;
            records.push(record);
        }
        Ok(records)
    }
}
