//! What the Hub says of a repository at one commit.

use std::path::{Component, Path};

use serde::Deserialize;

/// The files of a repository at one commit.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    /// The commit.
    #[serde(rename = "sha")]
    pub revision: String,
    #[serde(rename = "siblings")]
    pub files: Vec<RemoteFile>,
}

/// A file on the Hub. A mirror may leave out size and hashes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RemoteFile {
    /// Relative to the repository.
    #[serde(rename = "rfilename")]
    pub path: String,
    pub size: Option<u64>,
    /// What git names the file by. For a large file that is a pointer to it.
    #[serde(rename = "blobId")]
    pub git_id: Option<String>,
    /// For large files.
    pub lfs: Option<LargeFile>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct LargeFile {
    pub sha256: Option<String>,
}

/// What a file's bytes must add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Sha256(String),
    Git(String),
}

impl Listing {
    /// The file at `path`, if the repository has it and it lies inside of the repository.
    pub fn file(&self, path: &str) -> Option<&RemoteFile> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        self.files.iter().find(|file| inside && file.path == path)
    }
}

impl RemoteFile {
    /// What the Hub says about the content, if anything.
    pub fn checksum(&self) -> Option<Checksum> {
        match &self.lfs {
            Some(file) => file.sha256.clone().map(Checksum::Sha256),
            None => self.git_id.clone().map(Checksum::Git),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the Hub answers.
    const ANSWER: &str = r#"{
        "id": "owner/name", "sha": "0123", "private": false, "gated": false, "pipeline_tag": null,
        "siblings": [
            {"rfilename": "config.json", "size": 612, "blobId": "abc"},
            {"rfilename": "../config.json", "size": 1, "blobId": "abd"},
            {"rfilename": "/etc/passwd", "size": 1, "blobId": "abd"},
            {"rfilename": "model.safetensors", "size": 90, "blobId": "def", "xetHash": "f00",
             "lfs": {"sha256": "aaaa", "size": 90, "pointerSize": 133}},
            {"rfilename": "mirrored.json"}
        ]}"#;

    #[test]
    fn files_inside_of_the_repository_are_found_with_their_checksums() {
        let listing: Listing = serde_json::from_str(ANSWER).unwrap();
        let checksum = |path: &str| listing.file(path).unwrap().checksum();
        assert_eq!(listing.revision, "0123");
        assert_eq!(checksum("config.json"), Some(Checksum::Git("abc".to_owned())));
        assert_eq!(checksum("model.safetensors"), Some(Checksum::Sha256("aaaa".to_owned())));
        assert_eq!(checksum("mirrored.json"), None);
        for path in ["nothing.json", "../config.json", "/etc/passwd"] {
            assert!(listing.file(path).is_none(), "{path}");
        }
    }
}
