//! The place where the generations lie.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use lancedb::{Connection, ObjectStoreRegistry, Session};

use super::generation::{Generation, GenerationIdentity, Versions};
use super::{IndexError, rows};
use crate::config::IndexConfig;

/// A cheap handle on the folder or bucket of the index.
#[derive(Clone)]
pub struct VectorIndex {
    connection: Connection,
    live: Arc<RwLock<Option<Generation>>>,
    calls: Arc<AtomicU64>,
}

impl VectorIndex {
    /// Opens the place `config` names; creates a folder that is not there.
    pub async fn connect(config: &IndexConfig) -> Result<Self, IndexError> {
        // The library's own defaults are 6 GiB and 1 GiB.
        let session = Session::new(
            config.index_cache_bytes,
            config.metadata_cache_bytes,
            Arc::new(ObjectStoreRegistry::default()),
        );
        let connection = lancedb::connect(&config.uri)
            .session(Arc::new(session))
            .execute()
            .await
            .map_err(IndexError::during("be opened"))?;
        Ok(Self { connection, live: Arc::default(), calls: Arc::default() })
    }

    /// The generation that answers searches.
    pub fn live(&self) -> Result<Generation, IndexError> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(IndexError::NotOpen)
    }

    /// Makes `generation` the one that answers searches from now on.
    pub fn set_live(&self, generation: Generation) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(generation);
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
        Generation::new(articles, passages, dimension, Arc::clone(&self.calls)).await
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
        Generation::at_versions(articles, passages, versions, identity.dimension, Arc::clone(&self.calls))
            .await
    }

    /// Removes the tables of a generation, if they are there.
    pub async fn remove(&self, location: &str) -> Result<(), IndexError> {
        for table in [article_table(location), passage_table(location)] {
            match self.connection.drop_table(&table, &[]).await {
                Ok(()) | Err(lancedb::Error::TableNotFound { .. }) => {}
                Err(source) => return Err(IndexError::Lance { action: "remove a table", source }),
            }
        }
        Ok(())
    }

    /// How many searches and scans LanceDB has been asked for since the start.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn article_table(location: &str) -> String {
    format!("{location}_article")
}

fn passage_table(location: &str) -> String {
    format!("{location}_passage")
}
