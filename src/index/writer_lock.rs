//! The right to write to the index: held by at most one process.

use std::fs::{File, Metadata, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::IndexError;

/// Held while it lives; the operating system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    file: File,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock of the index in `folder`, or `None` when another process (or another part of this one) holds it.
    pub fn try_take(folder: &Path) -> Result<Option<Self>, IndexError> {
        let path = folder.join("writer.lock");
        let failed = |path: PathBuf| move |source| IndexError::Lock { path, source };
        std::fs::create_dir_all(folder).map_err(failed(path.clone()))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed(path.clone()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, path })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(IndexError::Lock { path, source }),
        }
    }

    /// Whether the lock still keeps others out. When the file was removed, another process can make and lock a new one.
    pub fn holds(&self) -> bool {
        let same = |held: Metadata, found: Metadata| held.dev() == found.dev() && held.ino() == found.ino();
        match (self.file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(held), Ok(found)) => same(held, found),
            _ => false,
        }
    }
}
