//! A file in memory without being read: the system loads the pages that are used, and shares them.

use std::{fs::File, io, ops::Deref, path::Path};

use memmap2::Mmap;

/// The bytes of a file, mapped read-only.
#[derive(Debug)]
pub struct MappedFile(Mmap);

impl MappedFile {
    /// Maps the file at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        map(&File::open(path)?).map(Self)
    }

    /// Gives the pages back that were read so far; those that are needed again are read again.
    pub fn forget_pages(&self) {
        #[cfg(unix)]
        #[expect(unsafe_code, reason = "the pages of a file that is mapped read-only come back unchanged")]
        // SAFETY: as the reason says, references into the map stay valid.
        let advised = unsafe { self.0.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        #[cfg(unix)]
        if let Err(error) = advised {
            tracing::debug!(%error, "mapped_file.pages_kept");
        }
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[expect(unsafe_code, reason = "the one call that maps a file; its proof stands beside it")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the bytes must not change while they are borrowed. The map is read-only and nothing in Sentio
    // writes to an installed model or a file of searches: each is completed elsewhere and renamed into place. What
    // remains is another program that rewrites or truncates the file in place, which is as forbidden as doing so to a
    // running executable.
    unsafe { Mmap::map(file) }
}
