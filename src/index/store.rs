//! The place where the generations lie.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use lancedb::{Connection, ObjectStoreRegistry, Session, Table};

use super::generation::{DATABASE_KEY, Generation, GenerationIdentity, LAYOUT};
use super::location::{article_table, passage_table};
use super::snapshot::SearchLog;
use super::versions::Versions;
use super::{IndexError, rows};
use crate::config::{IndexConfig, SearchBackend, SearchConfig, TextLanguage};
use crate::memory;
use crate::search::{Residence, SegmentFiles};
use crate::words::{Analyzer, Language, Languages};

/// A cheap handle on the folder or bucket of the index.
#[derive(Clone)]
pub struct VectorIndex {
    connection: Connection,
    live: Arc<RwLock<Option<Generation>>>,
    log: Arc<SearchLog>,
    analyzer: Analyzer,
    /// Where generations have folders for what searches read.
    search_folder: PathBuf,
    residence: Residence,
    /// `None` for an object store.
    folder: Option<PathBuf>,
}

impl VectorIndex {
    /// Opens the place `config` names; creates a folder that is not there.
    pub async fn connect(config: &IndexConfig) -> Result<Self, IndexError> {
        // The library's own defaults are 6 GiB and 1 GiB. Metadata of tables and files is the smaller part.
        let metadata = config.cache_bytes / 3;
        let session =
            Session::new(config.cache_bytes - metadata, metadata, Arc::new(ObjectStoreRegistry::default()));
        let connection = lancedb::connect(&config.uri)
            .session(Arc::new(session))
            .execute()
            .await
            .map_err(IndexError::during("be opened"))?;
        let folder = (!config.uri.contains("://")).then(|| PathBuf::from(&config.uri));
        Ok(Self {
            connection,
            live: Arc::default(),
            log: Arc::default(),
            analyzer: Analyzer::new(languages(config.text_language)),
            search_folder: config.search.folder.clone(),
            residence: residence(&config.search),
            folder,
        })
    }

    /// The generation that answers searches.
    pub fn live(&self) -> Result<Generation, IndexError> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(IndexError::NotOpen)
    }

    /// Makes `generation` the one that answers searches from now on.
    pub fn set_live(&self, generation: Generation) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(generation);
    }

    /// Lets no generation answer searches: there is none that could be trusted.
    pub fn clear_live(&self) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until a search fails. A failure that nobody waited for is told to the next one who does.
    pub async fn search_failed(&self) {
        self.log.failed.notified().await;
    }

    /// Creates the two empty tables of a generation, in place of tables of the same location.
    pub async fn create(
        &self,
        location: &str,
        identity: &GenerationIdentity,
    ) -> Result<Generation, IndexError> {
        self.remove(location).await?;
        let dimension = identity.dimension;
        let articles = rows::article_schema(dimension, identity.metadata());
        let passages = rows::passage_schema(dimension, identity.metadata());
        let create = |name: String, schema| async move {
            let table = self.connection.create_empty_table(name, schema).execute();
            table.await.map_err(IndexError::during("create a table"))
        };
        let articles = create(article_table(location), articles).await?;
        let passages = create(passage_table(location), passages).await?;
        self.generation(location, articles, passages, identity).await
    }

    /// Opens a generation; searches see it at `versions` until the next write.
    ///
    /// Fails with an error that [`IndexError::is_lost`] when a table is missing, broken, or made for another database
    /// or model.
    pub async fn open(
        &self,
        location: &str,
        identity: &GenerationIdentity,
        versions: Versions,
    ) -> Result<Generation, IndexError> {
        let open = |name: String| async move {
            let table = self.connection.open_table(name).execute().await;
            let table = table.map_err(IndexError::during("open a table"))?;
            identity.check(&table).await?;
            Ok::<_, IndexError>(table)
        };
        let articles = open(article_table(location)).await?;
        let passages = open(passage_table(location)).await?;
        let generation = self.generation(location, articles, passages, identity).await?;
        // What a writer left half done beyond these versions stays invisible.
        generation.show(versions).await?;
        Ok(generation)
    }

    async fn generation(
        &self,
        location: &str,
        articles: Table,
        passages: Table,
        identity: &GenerationIdentity,
    ) -> Result<Generation, IndexError> {
        let tables = [article_table(location), passage_table(location)];
        let folder = |index: &Path| tables.iter().map(|name| index.join(format!("{name}.lance"))).collect();
        let folders = self.folder.as_deref().map(folder).unwrap_or_default();
        let log = Arc::clone(&self.log);
        let files = self.segment_files(location, identity);
        Generation::new(articles, passages, folders, identity, self.analyzer, files, log).await
    }

    /// The files of what searches read of a generation.
    fn segment_files(&self, location: &str, identity: &GenerationIdentity) -> SegmentFiles {
        let GenerationIdentity { database_uuid, fingerprint, dimension } = identity;
        let (version, words) = (env!("CARGO_PKG_VERSION"), self.analyzer.identity());
        let identity = format!("{version} {LAYOUT} {database_uuid} {fingerprint} {dimension} {words}");
        SegmentFiles::new(self.search_folder.join(location), identity, self.residence)
    }

    /// Removes tables of the database `database_uuid` that belong to none of the generations in `known`: a process was
    /// stopped while it made or removed them. Tables of other databases are left alone. Returns how many were removed.
    pub async fn remove_unknown(&self, database_uuid: &str, known: &[String]) -> Result<usize, IndexError> {
        let known: HashSet<_> =
            known.iter().flat_map(|location| [article_table(location), passage_table(location)]).collect();
        let names = self.connection.table_names().execute().await;
        let mut removed = 0;
        for name in names.map_err(IndexError::during("list its tables"))? {
            if known.contains(&name) {
                continue;
            }
            // What can't be opened can't be told whose it is.
            let Ok(table) = self.connection.open_table(&name).execute().await else { continue };
            let schema = table.schema().await.map_err(IndexError::during("read a table's schema"))?;
            if schema.metadata().get(DATABASE_KEY).is_some_and(|uuid| uuid == database_uuid) {
                self.drop_table(&name).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn drop_table(&self, name: &str) -> Result<(), IndexError> {
        match self.connection.drop_table(name, &[]).await {
            Ok(()) | Err(lancedb::Error::TableNotFound { .. }) => Ok(()),
            Err(source) => Err(IndexError::Lance { action: "remove a table", source }),
        }
    }

    /// Removes the tables of a generation, if they are there.
    pub async fn remove(&self, location: &str) -> Result<(), IndexError> {
        for table in [article_table(location), passage_table(location)] {
            self.drop_table(&table).await?;
        }
        if let Err(error) = SegmentFiles::remove(&self.search_folder.join(location)) {
            tracing::warn!(%error, location, "search.files_left");
        }
        Ok(())
    }

    /// Counts articles that were found to be otherwise in memory than SQL says.
    pub fn count_mismatches(&self, articles: u64) {
        self.log.mismatches.fetch_add(articles, Ordering::Relaxed);
    }

    /// How many articles were found to be otherwise in memory than SQL says, since the start.
    pub fn mismatches(&self) -> u64 {
        self.log.mismatches.load(Ordering::Relaxed)
    }

    /// How many searches and scans LanceDB has been asked for since the start.
    pub fn calls(&self) -> u64 {
        self.log.calls.load(Ordering::Relaxed)
    }
}

fn residence(config: &SearchConfig) -> Residence {
    match config.backend {
        SearchBackend::Memory => Residence::Memory,
        SearchBackend::Disk => Residence::Disk,
        SearchBackend::Auto => {
            let half = || memory::available_in_all().map(|all| all / 2);
            // A system that does not tell how much there is says so when there is no more.
            config.memory_max.or_else(half).map_or(Residence::Memory, Residence::MemoryUpTo)
        }
    }
}

fn languages(setting: TextLanguage) -> Languages {
    match setting {
        TextLanguage::Detected => Languages::Detected,
        TextLanguage::None => Languages::All(None),
        TextLanguage::One(name) => Languages::All(Language::named(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LANGUAGES;

    #[test]
    fn the_endings_of_every_language_of_the_setting_are_known() {
        for name in LANGUAGES {
            assert!(Language::named(name).is_some(), "{name}");
        }
    }
}
