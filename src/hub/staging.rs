//! The folder in which a model is put together, beside the one it will replace.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::HubError;

/// Keeps a second process out.
const LOCK: &str = "pull.lock";
/// Holds the commit whose files are there.
const REVISION: &str = "pull.revision";

/// `NAME.part`, held against other processes. What is in it stays when the pull fails, for the next one.
pub(super) struct Staging {
    path: PathBuf,
    target: PathBuf,
    lock: File,
}

impl Staging {
    /// Takes the folder for files of `revision`, to become `target`. What another commit has left in it is removed.
    pub fn take(target: &Path, revision: &str) -> Result<Self, HubError> {
        let path = beside(target, "part");
        std::fs::create_dir_all(&path).map_err(HubError::write(&path))?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(HubError::write(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HubError::Busy { folder: path }),
            Err(TryLockError::Error(source)) => return Err(HubError::Write { path: lock_path, source }),
        }
        let staging = Self { path, target: target.to_owned(), lock };
        staging.keep_only(revision)?;
        Ok(staging)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn keep_only(&self, revision: &str) -> Result<(), HubError> {
        let marker = self.path.join(REVISION);
        if std::fs::read_to_string(&marker).is_ok_and(|found| found == revision) {
            return Ok(());
        }
        for entry in std::fs::read_dir(&self.path).map_err(HubError::write(&self.path))? {
            let path = entry.map_err(HubError::write(&self.path))?.path();
            if !path.ends_with(LOCK) {
                remove(&path).map_err(HubError::write(&path))?;
            }
        }
        std::fs::write(&marker, revision).map_err(HubError::write(&marker))
    }

    /// Puts the folder in the target's place. A program that has the old one open keeps what it has.
    pub fn publish(self) -> Result<(), HubError> {
        for file in [REVISION, LOCK] {
            let path = self.path.join(file);
            remove(&path).map_err(HubError::write(path))?;
        }
        let old = beside(&self.target, "old.part");
        remove(&old).map_err(HubError::write(&old))?;
        if self.target.symlink_metadata().is_ok() {
            std::fs::rename(&self.target, &old).map_err(HubError::write(&self.target))?;
        }
        std::fs::rename(&self.path, &self.target).map_err(HubError::write(&self.target))?;
        drop(self.lock);
        remove(&old).map_err(HubError::write(old))
    }

    /// Removes the folder and what is in it.
    pub fn discard(self) -> Result<(), HubError> {
        remove(&self.path).map_err(HubError::write(self.path))
    }
}

/// `path` with another extension after its own.
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Removes a file, a link or a folder; nothing there is fine.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_has_the_folder() {
        let models = tempfile::tempdir().unwrap();
        let target = models.path().join("model");
        let first = Staging::take(&target, "a").unwrap();
        assert!(matches!(Staging::take(&target, "a"), Err(HubError::Busy { .. })));
        drop(first);
        assert!(Staging::take(&target, "a").is_ok());
    }

    #[test]
    fn files_of_the_same_commit_stay_and_those_of_another_go() {
        let models = tempfile::tempdir().unwrap();
        let target = models.path().join("model");
        let file = Staging::take(&target, "a").unwrap().path().join("file");
        std::fs::write(&file, "x").unwrap();
        drop(Staging::take(&target, "a").unwrap());
        assert!(file.exists());
        drop(Staging::take(&target, "b").unwrap());
        assert!(!file.exists());
    }

    #[test]
    fn publishing_replaces_the_target_and_leaves_nothing_beside_it() {
        let models = tempfile::tempdir().unwrap();
        let target = models.path().join("model");
        for content in ["first", "second"] {
            let staging = Staging::take(&target, "a").unwrap();
            std::fs::write(staging.path().join("file"), content).unwrap();
            staging.publish().unwrap();
            assert_eq!(std::fs::read_to_string(target.join("file")).unwrap(), content);
            let names = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
            assert_eq!((names(models.path()), names(&target)), (1, 1));
        }
    }
}
