//! One generation: its identity, its two tables and the pair of versions that searches see.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use futures::TryStreamExt;
use lancedb::Table;
use lancedb::query::ExecutableQuery;

use super::IndexError;
use super::error::is_missing;
use super::memory::{Memory, Resident};
use super::snapshot::{SearchLog, Snapshot};
use super::versions::Versions;
use crate::search::{FileReport, SegmentFiles};
use crate::words::Analyzer;

/// Where a table's metadata names its database.
pub(super) const DATABASE_KEY: &str = "sentio.database";
const LAYOUT_KEY: &str = "sentio.layout";
/// Which columns the tables have, and how an article's vector comes of its passages'. Tables of another layout are rebuilt,
/// from the cached vectors.
pub(super) const LAYOUT: &str = "7";

/// Names what the vectors of a generation belong to; stored in both tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationIdentity {
    /// The SQL database that the rows come from.
    pub database_uuid: String,
    /// Everything that shapes a vector.
    pub fingerprint: String,
    /// Length of a vector.
    pub dimension: usize,
}

/// A handle on one generation; clones share the tables and the snapshot.
#[derive(Clone)]
pub struct Generation {
    pub(super) articles: Table,
    pub(super) passages: Table,
    pub(super) dimension: usize,
    analyzer: Analyzer,
    /// Where the tables lie; empty for an object store.
    folders: Arc<[PathBuf]>,
    fingerprint: Arc<str>,
    snapshot: Arc<RwLock<Snapshot>>,
    pub(super) memory: Arc<Memory>,
    log: Arc<SearchLog>,
}

impl GenerationIdentity {
    pub(super) fn metadata(&self) -> HashMap<String, String> {
        HashMap::from([
            (DATABASE_KEY.to_owned(), self.database_uuid.clone()),
            ("sentio.fingerprint".to_owned(), self.fingerprint.clone()),
            (LAYOUT_KEY.to_owned(), LAYOUT.to_owned()),
        ])
    }

    pub(super) async fn check(&self, table: &Table) -> Result<(), IndexError> {
        let schema = table.schema().await.map_err(IndexError::during("read a table's schema"))?;
        for (key, expected) in self.metadata() {
            let found = schema.metadata().get(&key).cloned().unwrap_or_default();
            let table = table.name().to_owned();
            match key.as_str() {
                _ if found == expected => {}
                LAYOUT_KEY => return Err(IndexError::OtherLayout { table, expected, found }),
                _ => return Err(IndexError::Foreign { table, expected, found }),
            }
        }
        Ok(())
    }
}

impl Generation {
    pub(super) async fn new(
        articles: Table,
        passages: Table,
        folders: Vec<PathBuf>,
        identity: &GenerationIdentity,
        analyzer: Analyzer,
        files: SegmentFiles,
        log: Arc<SearchLog>,
    ) -> Result<Self, IndexError> {
        let snapshot = pin(&articles, &passages, &log).await?;
        Ok(Self {
            articles,
            passages,
            dimension: identity.dimension,
            analyzer,
            folders: folders.into(),
            fingerprint: identity.fingerprint.as_str().into(),
            snapshot: Arc::new(RwLock::new(snapshot)),
            memory: Arc::new(Memory::new(identity.dimension, analyzer, files)),
            log,
        })
    }

    /// What cuts texts into words as it does.
    pub fn analyzer(&self) -> Analyzer {
        self.analyzer
    }

    /// Names the model whose vectors it holds: only that model's can be compared with them.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether its folders are there; always true in an object store. Looks at the file system alone.
    pub fn is_present(&self) -> bool {
        self.folders.iter().all(|folder| folder.join("_versions").is_dir())
    }

    /// Reads everything once. Fails when a file is missing or damaged in a way that reading notices.
    pub async fn read_through(&self) -> Result<(), IndexError> {
        for table in [&self.articles, &self.passages] {
            let mut rows = table.query().execute().await.map_err(IndexError::during("read its tables"))?;
            while rows.try_next().await.map_err(IndexError::during("read its tables"))?.is_some() {}
        }
        Ok(())
    }

    /// Lets searches see exactly `versions`, which may be newer than what this handle has seen.
    pub async fn show(&self, versions: Versions) -> Result<(), IndexError> {
        self.set_snapshot(self.pinned(versions).await?).await
    }

    /// Reads what searches see into memory, from which they are answered then: to be called before the generation is searched.
    pub async fn load(&self) -> Result<(), IndexError> {
        let snapshot = self.snapshot();
        self.memory.load(&snapshot).await?;
        // What was shown meanwhile is in it, too.
        self.set_snapshot(self.snapshot()).await
    }

    /// Writes what searches have in memory to files, where that makes a start faster; `written` is called when one is complete and not used
    /// yet. For the holder of the writer lock.
    pub async fn save_search(&self, written: impl Fn() + Send + 'static) -> Result<(), IndexError> {
        self.memory.save(written).await
    }

    /// What the files of [`Generation::save_search`] are like.
    pub async fn search_files(&self) -> Result<FileReport, IndexError> {
        self.memory.report().await
    }

    /// How much of searches is in memory.
    pub fn resident(&self) -> Resident {
        self.memory.resident()
    }

    /// The tables as they were at `versions`, beside what searches see. Fails with [`IndexError::VersionMissing`] when they
    /// are no longer kept, and so do searches when they are removed meanwhile. Equal numbers can be of another history:
    /// [`Snapshot::versions`] tells.
    pub async fn snapshot_at(&self, versions: Versions) -> Result<Snapshot, IndexError> {
        let current = self.snapshot();
        if current.versions().await? == versions {
            return Ok(current);
        }
        let snapshot = self.pinned(versions).await?.of_the_past(versions.articles);
        let view = self.memory.view_at(&snapshot).await?;
        Ok(snapshot.in_memory(view))
    }

    async fn pinned(&self, versions: Versions) -> Result<Snapshot, IndexError> {
        let at = |table: &Table, version: u64| {
            let table = table.clone();
            async move {
                let pinned = table.checkout_current().await.map_err(IndexError::during("pin a version"))?;
                checkout(&pinned, version).await?;
                Ok::<_, IndexError>(pinned)
            }
        };
        let articles = at(&self.articles, versions.articles).await?;
        let passages = at(&self.passages, versions.passages).await?;
        Ok(Snapshot::new(articles, passages, Arc::clone(&self.log)))
    }

    /// Takes the tables back to `versions`: what was written after them is undone by a newer version that equals them.
    /// For the holder of the writer lock.
    pub async fn restore(&self, versions: Versions) -> Result<(), IndexError> {
        for (table, version) in [(&self.articles, versions.articles), (&self.passages, versions.passages)] {
            if table.version().await.map_err(IndexError::during("tell its version"))? == version {
                continue;
            }
            checkout(table, version).await?;
            table.restore().await.map_err(IndexError::during("restore a version"))?;
        }
        self.publish().await
    }

    /// What searches see now. A search keeps its snapshot to the end, whatever is written meanwhile.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest versions of the tables.
    pub async fn versions(&self) -> Result<Versions, IndexError> {
        Versions::of(&self.articles, &self.passages).await
    }

    /// Lets searches see everything written so far through this handle.
    pub async fn publish(&self) -> Result<(), IndexError> {
        self.set_snapshot(pin(&self.articles, &self.passages, &self.log).await?).await
    }

    /// Lets searches see what another process has written.
    pub async fn refresh(&self) -> Result<(), IndexError> {
        for table in [&self.articles, &self.passages] {
            table.checkout_latest().await.map_err(IndexError::during("look for newer versions"))?;
        }
        self.publish().await
    }

    async fn set_snapshot(&self, snapshot: Snapshot) -> Result<(), IndexError> {
        let view = self.memory.follow(&snapshot).await?;
        let snapshot = snapshot.in_memory(view);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }
}

async fn pin(articles: &Table, passages: &Table, log: &Arc<SearchLog>) -> Result<Snapshot, IndexError> {
    let articles = articles.checkout_current().await.map_err(IndexError::during("pin a version"))?;
    let passages = passages.checkout_current().await.map_err(IndexError::during("pin a version"))?;
    Ok(Snapshot::new(articles, passages, Arc::clone(log)))
}

async fn checkout(table: &Table, version: u64) -> Result<(), IndexError> {
    table.checkout(version).await.map_err(|source| {
        if is_missing(&source) {
            IndexError::VersionMissing { table: table.name().to_owned(), version, source }
        } else {
            IndexError::during("pin a version")(source)
        }
    })
}
