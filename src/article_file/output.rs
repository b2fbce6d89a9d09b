//! Where a written file goes: beside its target until it is complete, or straight to standard output.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, IntoInnerError, Stdout, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::WriteError;

/// The permissions of a new file, before the process's umask.
const NEW_FILE_MODE: u32 = 0o666;

/// The bytes of a file on their way out, gzipped on demand.
pub(super) enum Output {
    Plain(BufWriter<Target>),
    Gzip(Box<GzEncoder<BufWriter<Target>>>),
}

impl Output {
    pub fn new(target: Target, gzip: bool) -> Self {
        let target = BufWriter::new(target);
        if gzip {
            Self::Gzip(Box::new(GzEncoder::new(target, Compression::default())))
        } else {
            Self::Plain(target)
        }
    }

    /// Writes what is buffered, and puts the file in its place.
    pub fn publish(self) -> Result<(), WriteError> {
        let buffered = match self {
            Self::Plain(buffered) => buffered,
            Self::Gzip(encoder) => encoder.finish()?,
        };
        buffered.into_inner().map_err(IntoInnerError::into_error)?.publish()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Gzip(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Gzip(output) => output.flush(),
        }
    }
}

pub(super) enum Target {
    Stdout(Stdout),
    /// Removed when dropped, unless published.
    File {
        temporary: NamedTempFile,
        path: PathBuf,
    },
}

impl Target {
    /// A temporary file in the folder of `path`, so that a rename can put it in place. A link is followed, and a file
    /// that is replaced passes on its permissions.
    pub fn beside(path: &Path) -> Result<Self, WriteError> {
        let (path, permissions) = match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(WriteError::NotAFile),
            Ok(metadata) => (path.canonicalize().map_err(WriteError::Create)?, metadata.permissions()),
            Err(_) => (path.to_owned(), Permissions::from_mode(NEW_FILE_MODE)),
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let temporary = tempfile::Builder::new()
            .prefix(".sentio-export-")
            .permissions(permissions)
            .tempfile_in(folder)
            .map_err(WriteError::Create)?;
        Ok(Self::File { temporary, path })
    }

    fn publish(self) -> Result<(), WriteError> {
        match self {
            Self::Stdout(mut stdout) => Ok(stdout.flush()?),
            Self::File { temporary, path } => {
                temporary.as_file().sync_all()?;
                temporary.persist(path).map_err(|error| WriteError::Publish(error.error))?;
                Ok(())
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File { temporary, .. } => temporary.flush(),
        }
    }
}
