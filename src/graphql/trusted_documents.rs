//! The documents of a manifest: what a front end was built with.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::documents::DocumentHash;
use super::limits;
use super::request_error::RequestError;
use super::verdict::Verdict;
use crate::document::Compiler;

/// Documents that are known from the start, by id and by text.
#[derive(Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<Verdict>>,
    by_hash: HashMap<DocumentHash, Arc<Verdict>>,
    /// Whether no other document is executed.
    pub only: bool,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the manifest {path} of SENTIO_TRUSTED_DOCUMENTS cannot be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error(
        "the manifest {path} of SENTIO_TRUSTED_DOCUMENTS is neither an object of documents by id nor a persisted query \
         manifest of Apollo's"
    )]
    NoManifest { path: String, source: serde_json::Error },
    #[error("the document {id} of the manifest {path} cannot be used: {reason}")]
    BadDocument { path: String, id: String, reason: String },
}

/// The forms of a manifest.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    /// What `@apollo/generate-persisted-query-manifest` writes.
    Operations { operations: Vec<ManifestOperation> },
    /// What graphql-codegen (`persistedDocuments`) and relay-compiler (`persistConfig`) write.
    ById(HashMap<String, String>),
}

#[derive(Deserialize)]
struct ManifestOperation {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Reads the manifest at `path`, whose documents must be valid; with `only` no other document is executed.
    pub fn read(compiler: &Compiler, path: &Path, only: bool) -> Result<Self, ManifestError> {
        let name = || path.display().to_string();
        let text =
            std::fs::read(path).map_err(|source| ManifestError::Unreadable { path: name(), source })?;
        let manifest = serde_json::from_slice(&text)
            .map_err(|source| ManifestError::NoManifest { path: name(), source })?;
        let documents: Vec<_> = match manifest {
            Manifest::Operations { operations } => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
            Manifest::ById(documents) => documents.into_iter().collect(),
        };
        let mut trusted = Self { only, ..Self::default() };
        for (id, text) in documents {
            let verdict = verdict(compiler, &text).map_err(|error| ManifestError::BadDocument {
                path: name(),
                id: id.clone(),
                reason: error.to_string(),
            })?;
            let verdict = Arc::new(verdict);
            trusted.by_hash.insert(Sha256::digest(&text).into(), Arc::clone(&verdict));
            trusted.by_id.insert(id, verdict);
        }
        Ok(trusted)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<Arc<Verdict>> {
        self.by_id.get(id).cloned()
    }

    pub(super) fn by_hash(&self, hash: &DocumentHash) -> Option<Arc<Verdict>> {
        self.by_hash.get(hash).cloned()
    }
}

/// The verdict on a document that must be valid. Which of its operations will be chosen is not known.
fn verdict(compiler: &Compiler, text: &str) -> Result<Verdict, RequestError> {
    limits::check_text(text)?;
    let verdict = Verdict::on(compiler, text, None)?;
    verdict.document(None)?;
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler() -> Compiler {
        Compiler::new("type Query { a: Int }", &[]).unwrap()
    }

    fn read(manifest: &str, only: bool) -> Result<TrustedDocuments, ManifestError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        std::fs::write(&path, manifest).unwrap();
        TrustedDocuments::read(&compiler(), &path, only)
    }

    #[test]
    fn both_forms_of_a_manifest_are_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{"id": "x", "name": "A", "type": "query", "body": "query A { a }"}]}"#;
        for manifest in [apollo, r#"{"x": "query A { a }"}"#] {
            let trusted = read(manifest, true).unwrap();
            assert!(trusted.only && trusted.by_id("x").is_some() && trusted.by_id("y").is_none());
            assert!(trusted.by_hash(&Sha256::digest("query A { a }").into()).is_some());
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_used_says_why() {
        for (manifest, part) in [
            ("[]", "neither"),
            ("{", "neither"),
            (r#"{"x": 1}"#, "neither"),
            (r#"{"x": "{ a"}"#, "the document x"),
            (r#"{"x": "{ b }"}"#, "Cannot query field \"b\""),
            (r#"{"operations": [{"id": "x"}]}"#, "neither"),
        ] {
            let error = read(manifest, false).unwrap_err().to_string();
            assert!(error.contains(part), "{manifest}: {error}");
        }
        let missing = TrustedDocuments::read(&compiler(), Path::new("/nothing/here"), false).unwrap_err();
        assert!(missing.to_string().contains("/nothing/here"));
    }
}
