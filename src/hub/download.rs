//! One file: fetched from where an earlier attempt stopped, and checked.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::HubError;
use super::client::Client;
use super::listing::{Checksum, RemoteFile};
use super::record::{FileRecord, hex};

/// A repository at one commit.
pub(super) struct Origin<'a> {
    pub client: &'a Client,
    pub repository: &'a str,
    pub revision: &'a str,
}

impl Origin<'_> {
    /// Fetches `file` into `folder`, unless it is there. `on_bytes` hears how many bytes of it are there by now.
    pub async fn fetch(
        &self,
        file: &RemoteFile,
        folder: &Path,
        mut on_bytes: impl FnMut(u64),
    ) -> Result<FileRecord, HubError> {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(HubError::write(parent))?;
        }
        // From an earlier attempt; damaged since, it is deleted and fetched again.
        if path.is_file()
            && let Ok(record) = check(file, &path)
        {
            on_bytes(record.size);
            return Ok(record);
        }
        let mut partial = Partial::open(&path)?;
        if file.size.is_none_or(|size| size != partial.length) {
            self.fill(&mut partial, file, &mut on_bytes).await?;
        }
        partial.finish(file, &path)?;
        check(file, &path)
    }

    async fn fill(
        &self,
        partial: &mut Partial,
        file: &RemoteFile,
        on_bytes: &mut impl FnMut(u64),
    ) -> Result<(), HubError> {
        if file.size.is_some_and(|size| size < partial.length) {
            partial.restart()?;
        }
        let ask = async |from| self.client.file(self.repository, self.revision, &file.path, from).await;
        let mut response = ask(partial.length).await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            partial.restart()?;
            response = ask(0).await?;
        } else if !continues(&response, partial.length) {
            partial.restart()?;
        }
        on_bytes(partial.length);
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(()),
                Ok(Some(bytes)) => partial.append(&bytes)?,
                Err(error) => {
                    let source = error.without_url();
                    return Err(HubError::BrokeOff { file: file.path.clone(), source });
                }
            }
            on_bytes(partial.length);
        }
    }
}

/// Whether the answer's first byte is the one that was asked for: some servers send the whole file.
fn continues(response: &Response, from: u64) -> bool {
    if from == 0 {
        return true;
    }
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let starts = range.is_none_or(|range| range.starts_with(&format!("bytes {from}-")));
    response.status() == StatusCode::PARTIAL_CONTENT && starts
}

/// A file that has not arrived as a whole.
struct Partial {
    file: std::fs::File,
    path: PathBuf,
    length: u64,
}

impl Partial {
    /// What an earlier attempt has left of `path`, or an empty file.
    fn open(path: &Path) -> Result<Self, HubError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let mut options = std::fs::File::options();
        let opened = options.create(true).append(true).open(&path);
        let opened = opened.and_then(|file| file.metadata().map(|metadata| (metadata.len(), file)));
        let (length, file) = opened.map_err(HubError::write(&path))?;
        Ok(Self { file, path, length })
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.length = 0;
        self.file.set_len(0).map_err(HubError::write(&self.path))
    }

    /// Writes of some KiB go to the system's memory; they do not hold the program up enough for a thread of their own.
    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        self.length += bytes.len() as u64;
        self.file.write_all(bytes).map_err(HubError::write(&self.path))
    }

    /// Gives the file its name `path`, if it is as long as it should be.
    fn finish(mut self, file: &RemoteFile, path: &Path) -> Result<(), HubError> {
        if let Some(expected) = file.size.filter(|size| *size != self.length) {
            let found = self.length;
            if found > expected {
                self.restart()?;
            }
            return Err(HubError::WrongLength { file: file.path.clone(), found, expected });
        }
        self.file.sync_all().map_err(HubError::write(&self.path))?;
        std::fs::rename(&self.path, path).map_err(HubError::write(path))
    }
}

/// Compares the file at `path` with what the Hub says of it, and deletes it when that differs.
fn check(file: &RemoteFile, path: &Path) -> Result<FileRecord, HubError> {
    let (record, git_id) = digests(path, &file.path).map_err(HubError::write(path))?;
    let (kind, found, expected) = match file.checksum() {
        Some(Checksum::Sha256(expected)) => ("sha256", &record.sha256, expected),
        Some(Checksum::Git(expected)) => ("git's sha1", &git_id, expected),
        None => return Ok(record),
    };
    if found.eq_ignore_ascii_case(&expected) {
        return Ok(record);
    }
    std::fs::remove_file(path).map_err(HubError::write(path))?;
    Err(HubError::WrongHash { file: file.path.clone(), kind, found: found.clone(), expected })
}

/// Size and hashes of the file at `path`, whose name in the repository is `name`.
fn digests(path: &Path, name: &str) -> io::Result<(FileRecord, String)> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let (mut sha256, mut git) = (Sha256::new(), Sha1::new());
    // As git does: kind and size stand before the content.
    git.update(format!("blob {size}\0"));
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => {
                sha256.update(&buffer[..read]);
                git.update(&buffer[..read]);
            }
        }
    }
    let sha256 = hex(sha256.finalize().as_slice());
    Ok((FileRecord { path: name.to_owned(), size, sha256 }, hex(git.finalize().as_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha256sum_and_of_git_hash_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        let (record, git_id) = digests(&path, "file").unwrap();
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        assert_eq!((record.size, record.sha256.as_str()), (6, sha256));
        assert_eq!(git_id, "ce013625030ba8dba906f756967f9e9ca394464a");
    }
}
