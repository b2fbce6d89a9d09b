//! Which generation of the index is live: opening it, creating the first, replacing one that is lost.

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use super::SyncError;
use super::commit::record_versions;
use crate::db::Database;
use crate::embedding::Embedder;
use crate::entity::index_generation::{self, State};
use crate::error_chain::Chain;
use crate::events::SearchView;
use crate::index::{Generation, GenerationIdentity, VectorIndex, Versions};
use crate::outbox;

/// The live generation and its row in SQL.
#[derive(Clone)]
pub struct LiveGeneration {
    pub id: i64,
    pub tables: Generation,
}

/// A handle on the generations; cheap to clone.
#[derive(Clone)]
pub struct Generations {
    db: Database,
    index: VectorIndex,
    embedder: Embedder,
}

impl Generations {
    pub fn new(db: Database, index: VectorIndex, embedder: Embedder) -> Self {
        Self { db, index, embedder }
    }

    /// The row of the live generation.
    pub async fn live_row(&self) -> Result<Option<index_generation::Model>, SyncError> {
        let live = index_generation::Entity::find().filter(index_generation::Column::State.eq(State::Live));
        Ok(live.one(self.db.reader()).await?)
    }

    /// Opens the live generation as SQL records it and lets searches use it. Writes nothing.
    pub async fn open(&self) -> Result<LiveGeneration, SyncError> {
        let row = self.live_row().await?.ok_or(SyncError::NoGeneration)?;
        let tables = self.open_row(&row).await?;
        self.index.set_live(tables.clone());
        Ok(LiveGeneration { id: row.id, tables })
    }

    /// Opens the live generation, or makes a new one when there is none, it is lost, or it was made by another model.
    /// For the holder of the writer lock.
    pub async fn open_or_create(&self) -> Result<LiveGeneration, SyncError> {
        let Some(row) = self.live_row().await? else {
            return self.replace().await;
        };
        if row.fingerprint != self.embedder.model().fingerprint {
            tracing::warn!(
                generation = row.id,
                model = row.model,
                new_model = self.embedder.model().name,
                "index.model_changed: building the index anew"
            );
            return self.replace().await;
        }
        match self.open_row(&row).await {
            Ok(tables) => {
                let recorded = recorded_versions(&row);
                let live = LiveGeneration { id: row.id, tables };
                if live.tables.versions().await? != recorded {
                    self.restore(&live, recorded).await?;
                }
                self.index.set_live(live.tables.clone());
                Ok(live)
            }
            Err(SyncError::Index(error)) if error.is_lost() => {
                tracing::error!(generation = row.id, error = %Chain(&error), "index.lost: building it anew");
                self.replace().await
            }
            Err(error) => Err(error),
        }
    }

    /// Makes an empty generation live and records every article for it; the one before is retired and its tables are
    /// removed.
    pub async fn replace(&self) -> Result<LiveGeneration, SyncError> {
        let identity = self.identity().await?;
        let location = format!("generation_{}", uuid::Uuid::new_v4().simple());
        let tables = self.index.create(&location, &identity).await?;
        let versions = tables.versions().await?;

        let transaction = self.db.transaction().await?;
        let retired = index_generation::Entity::find()
            .filter(index_generation::Column::State.eq(State::Live))
            .one(&transaction)
            .await?;
        if let Some(row) = &retired {
            sea_orm::ModelTrait::delete(row.clone(), &transaction).await?;
        }
        let model = self.embedder.model();
        let row = index_generation::ActiveModel {
            state: Set(State::Live),
            model: Set(model.name.clone()),
            fingerprint: Set(model.fingerprint.clone()),
            dimension: Set(i32::try_from(model.dimension).unwrap_or(i32::MAX)),
            location: Set(location),
            article_version: Set(as_sql(versions.articles)),
            passage_version: Set(as_sql(versions.passages)),
            created_at: Set(outbox::unix_millis()),
            ..Default::default()
        };
        let row = row.insert(&transaction).await?;
        outbox::record_everything(&transaction).await?;
        outbox::withdraw(&transaction, outbox::Request::Rebuild).await?;
        transaction.commit().await?;

        if let Some(retired) = retired {
            self.index.remove(&retired.location).await?;
        }
        self.index.set_live(tables.clone());
        Ok(LiveGeneration { id: row.id, tables })
    }

    async fn open_row(&self, row: &index_generation::Model) -> Result<Generation, SyncError> {
        let identity = self.identity().await?;
        if row.fingerprint != identity.fingerprint {
            let (expected, found) = (identity.fingerprint, row.fingerprint.clone());
            return Err(SyncError::OtherModel { expected, found });
        }
        Ok(self.index.open(&row.location, &identity, recorded_versions(row)).await?)
    }

    async fn identity(&self) -> Result<GenerationIdentity, SyncError> {
        let model = self.embedder.model();
        Ok(GenerationIdentity {
            database_uuid: outbox::database_uuid(self.db.reader()).await?,
            fingerprint: model.fingerprint.clone(),
            dimension: model.dimension,
        })
    }

    /// The index is ahead of what SQL records: a process ended between writing and recording, or SQL was restored from a
    /// backup. What SQL does not know of is undone, and everything is compared once.
    async fn restore(&self, live: &LiveGeneration, recorded: Versions) -> Result<(), SyncError> {
        tracing::warn!(generation = live.id, "index.ahead_of_sql: taking it back and comparing it with SQL");
        live.tables.restore(recorded).await?;
        let transaction = self.db.transaction().await?;
        record_versions(&transaction, live.id, live.tables.versions().await?).await?;
        outbox::submit(&transaction, outbox::Request::Reconcile).await?;
        Ok(transaction.commit().await?)
    }
}

/// The versions that SQL says belong together.
pub fn recorded_versions(row: &index_generation::Model) -> Versions {
    Versions {
        articles: u64::try_from(row.article_version).unwrap_or(0),
        passages: u64::try_from(row.passage_version).unwrap_or(0),
    }
}

/// What searches see of a generation.
pub fn view_of(generation: i64, versions: Versions) -> SearchView {
    SearchView { generation, article_version: versions.articles, passage_version: versions.passages }
}

/// A LanceDB version as SQL stores it.
pub fn as_sql(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
