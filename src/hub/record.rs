//! What a fetched folder holds, and from where: a file in the folder itself.

use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::HubError;

/// The record's name in the model's folder.
const FILE: &str = "sentio-model.json";

/// Where a folder's files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `owner/name` on the Hub.
    pub repository: String,
    /// The commit.
    pub revision: String,
    /// By path.
    pub files: Vec<FileRecord>,
}

/// One file as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Relative to the folder.
    pub path: String,
    pub size: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl Record {
    /// The record in `folder`, if there is one that can be read.
    pub fn read(folder: &Path) -> Option<Self> {
        let json = std::fs::read(folder.join(FILE)).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Whether every file in `folder` is as it was fetched. Reads all of them.
    pub fn is_intact(&self, folder: &Path) -> bool {
        let intact = |file: &FileRecord| {
            let path = folder.join(&file.path);
            // The size tells most damage without reading anything.
            std::fs::metadata(&path).is_ok_and(|found| found.len() == file.size)
                && sha256(&path).is_ok_and(|found| found == file.sha256)
        };
        self.files.iter().all(intact)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), HubError> {
        let path = folder.join(FILE);
        let json = serde_json::to_string_pretty(self).map_err(io::Error::from);
        let written = json.and_then(|json| std::fs::write(&path, json + "\n"));
        written.map_err(HubError::write(path))
    }
}

/// SHA-256 of a file.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(hash.finalize().as_slice())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
