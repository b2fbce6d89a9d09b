//! The vector index.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::seconds::seconds;
use super::{ConfigError, SearchConfig, SettingValues, TextLanguage};

/// Where the index lies and how it is used.
#[derive(Clone, Debug)]
pub struct IndexConfig {
    /// A folder, or the URI of an object store.
    pub uri: String,
    /// The folder of the writer lock: the index's own, or the data folder when the index is in an object store.
    pub lock_folder: PathBuf,
    /// How long a mutation waits until its change is searchable (default: 10 s).
    pub wait: Duration,
    /// How often the database is asked whether another program has written (default: 0.25 s).
    pub poll: Duration,
    /// Most passages of an article that are indexed (default: 1,000); at least one.
    pub passages_max: usize,
    /// Most memory for pages and metadata of the index's files (default: 96 MiB).
    pub cache_bytes: usize,
    /// The language of the articles, for the words that searches look for (default: each article's own).
    pub text_language: TextLanguage,
    pub search: SearchConfig,
}

impl IndexConfig {
    pub(super) fn from_values(values: &SettingValues, data_dir: &Path) -> Result<Self, ConfigError> {
        let default = || data_dir.join("lancedb_store").display().to_string();
        let uri = values.given("SENTIO_INDEX_URI").map_or_else(default, str::to_owned);
        let lock_folder = if uri.contains("://") { data_dir.to_owned() } else { PathBuf::from(&uri) };
        let wait = values.parse(
            "SENTIO_INDEX_WAIT",
            "expected seconds from 0 to 600, such as 10 or 0.5",
            |text| seconds(text, 0.0, 600.0),
        )?;
        let poll =
            values.parse("SENTIO_INDEX_POLL", "expected seconds from 0.01 to 60, such as 0.25", |text| {
                seconds(text, 0.01, 60.0)
            })?;
        let passages_max =
            values.parse("SENTIO_PASSAGES_MAX", "expected a number from 1 to 100000", |text| {
                text.parse().ok().filter(|passages| (1..=100_000).contains(passages))
            })?;
        let cache_mebibytes: usize =
            values.parse("SENTIO_INDEX_CACHE", "expected MiB, a number from 1 to 1048576", |text| {
                text.parse().ok().filter(|size| (1..=1_048_576).contains(size))
            })?;
        let text_language =
            values.parse("SENTIO_TEXT_LANGUAGE", &TextLanguage::choices(), TextLanguage::named)?;
        let cache_bytes = cache_mebibytes << 20;
        let search = SearchConfig::from_values(values, data_dir)?;
        Ok(Self { uri, lock_folder, wait, poll, passages_max, cache_bytes, text_language, search })
    }
}
