//! Where what searches read is kept.

use std::path::{Path, PathBuf};

use super::{ConfigError, SettingValues};

/// Where what searches read is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchConfig {
    /// The folder of the files that make starts fast; it may be deleted at any time.
    pub folder: PathBuf,
    pub backend: SearchBackend,
    /// For `auto`, in bytes; absent: half of what the machine or the container has.
    pub memory_max: Option<usize>,
}

/// Whether searches run in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchBackend {
    Memory,
    /// On files, which the system keeps in memory as far as there is room.
    Disk,
    /// In memory as far as that may be taken, and on files beyond.
    Auto,
}

impl SearchConfig {
    pub(super) fn from_values(values: &SettingValues, data_dir: &Path) -> Result<Self, ConfigError> {
        let backend =
            values.parse("SENTIO_SEARCH_BACKEND", "expected auto, memory or disk", |text| match text {
                "auto" => Some(SearchBackend::Auto),
                "memory" => Some(SearchBackend::Memory),
                "disk" => Some(SearchBackend::Disk),
                _ => None,
            })?;
        let mebibytes = "expected MiB, a number from 1 to 16777216";
        let memory_max = match values.given("SENTIO_SEARCH_MEMORY") {
            Some(_) => Some(values.parse("SENTIO_SEARCH_MEMORY", mebibytes, |text| {
                let size = text.parse().ok().filter(|size: &usize| (1..=16_777_216).contains(size));
                size.map(|size| size << 20)
            })?),
            None => None,
        };
        Ok(Self { folder: data_dir.join("search"), backend, memory_max })
    }
}
