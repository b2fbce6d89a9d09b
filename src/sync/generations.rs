//! The generations of the index: their rows in SQL and their tables, opened together with their models.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter,
    QueryOrder, Set,
};

use super::SyncError;
use super::record::{as_sql, record_versions};
use crate::db::Database;
use crate::embedding::{Embedder, Embedding, Models, RememberedModel, StoredModel, Trial};
use crate::entity::article_index;
use crate::entity::index_generation::{self, State};
use crate::error_chain::Chain;
use crate::events::SearchView;
use crate::index::{Generation, GenerationIdentity, VectorIndex, Versions};
use crate::outbox;

/// The tables of a generation and the id of its row in SQL.
#[derive(Clone)]
pub struct OpenGeneration {
    pub id: i64,
    pub tables: Generation,
}

/// A generation that is kept in step, with the model that makes its vectors.
#[derive(Clone)]
pub struct Target {
    pub generation: OpenGeneration,
    pub embedder: Embedder,
    /// Most passages of an article that it holds.
    pub passages_max: usize,
}

/// A handle on the generations; cheap to clone.
#[derive(Clone)]
pub struct Generations {
    pub(super) db: Database,
    pub(super) index: VectorIndex,
    pub(super) models: Models,
    passages_max: usize,
    /// Whether this process searches.
    searches: bool,
}

impl Generations {
    /// Articles are indexed with at most `passages_max` passages.
    pub fn new(db: Database, index: VectorIndex, models: Models, passages_max: usize) -> Self {
        Self { db, index, models, passages_max, searches: true }
    }

    /// The same for a process that only writes: nothing is brought into memory.
    pub fn without_searches(self) -> Self {
        Self { searches: false, ..self }
    }

    /// The row of the generation in `state`, of which there is at most one; of retired ones the last that was live.
    pub async fn row(&self, state: State) -> Result<Option<index_generation::Model>, SyncError> {
        Ok(index_generation::in_state(self.db.reader(), state).await?)
    }

    /// The models that generations were made with, the one in use first.
    pub async fn remembered(db: &Database) -> Result<Vec<RememberedModel>, SyncError> {
        let mut rows = index_generation::Entity::find()
            .order_by_desc(index_generation::Column::Id)
            .all(db.reader())
            .await?;
        rows.sort_by_key(|row| row.state != State::Live);
        let remembered = rows.iter().map(|row| RememberedModel {
            fingerprint: row.fingerprint.clone(),
            stored: stored_model(row),
            trials: trials(row),
        });
        Ok(remembered.collect())
    }

    /// How many generations are kept but not used.
    pub async fn retired_count(&self) -> Result<u64, SyncError> {
        let retired = index_generation::Column::State.eq(State::Retired);
        Ok(index_generation::Entity::find().filter(retired).count(self.db.reader()).await?)
    }

    /// How many articles SQL says a generation holds.
    pub async fn covered(&self, generation: i64) -> Result<u64, SyncError> {
        Ok(article_index::Entity::find()
            .filter(article_index::Column::GenerationId.eq(generation))
            .count(self.db.reader())
            .await?)
    }

    /// Opens the tables of the live generation as SQL records them, to compare them. Writes nothing.
    pub async fn open_live(&self) -> Result<OpenGeneration, SyncError> {
        let row = self.row(State::Live).await?.ok_or(SyncError::NoGeneration)?;
        self.open_tables(&row).await
    }

    /// Opens the live generation as SQL records it, with its model, and lets searches use it. Writes nothing.
    pub async fn open_for_search(&self) -> Result<OpenGeneration, SyncError> {
        let row = self.row(State::Live).await?.ok_or(SyncError::NoGeneration)?;
        self.embedder(&row).await?;
        let generation = self.open_tables(&row).await?;
        self.search(&generation).await?;
        Ok(generation)
    }

    /// Whether searches of this process have a generation to use.
    pub(super) fn is_searched(&self) -> bool {
        self.index.live().is_ok()
    }

    /// Brings `generation` into memory and lets searches use it from then on.
    pub(super) async fn search(&self, generation: &OpenGeneration) -> Result<(), SyncError> {
        if self.searches {
            generation.tables.load().await?;
        }
        self.index.set_live(generation.tables.clone());
        Ok(())
    }

    /// Opens a generation to write to it. For the holder of the writer lock.
    pub(super) async fn open_target(&self, row: &index_generation::Model) -> Result<Target, SyncError> {
        let embedder = self.embedder(row).await?;
        let generation = self.open_tables(row).await?;
        let recorded = recorded_versions(row);
        if generation.tables.versions().await? != recorded {
            self.restore(&generation, recorded, row.state == State::Live).await?;
        }
        Ok(Target { generation, embedder, passages_max: self.passages_max })
    }

    /// The generations that are written: the live one and the one that is being built.
    pub(super) async fn ids_in_use(&self) -> Result<Vec<i64>, SyncError> {
        let used = index_generation::Entity::find()
            .filter(index_generation::Column::State.ne(State::Retired))
            .all(self.db.reader())
            .await?;
        Ok(used.into_iter().map(|row| row.id).collect())
    }

    /// The model that made the generation.
    pub(super) async fn embedder(&self, row: &index_generation::Model) -> Result<Embedder, SyncError> {
        let embedder = self.models.reopen(&row.fingerprint, &stored_model(row)).await?;
        if let Some(probes) = &row.probe_vectors {
            embedder.compare_probes(probes, &row.model_setting)?;
        }
        Ok(embedder)
    }

    /// The model that the settings name.
    pub(super) async fn requested(&self) -> Result<(Embedder, StoredModel), SyncError> {
        let setting = self.models.requested_setting();
        let fingerprint = &self.models.requested().fingerprint;
        Ok((self.models.reopen(fingerprint, &setting).await?, setting))
    }

    /// Makes the empty tables of a new generation and its row. A live one takes the place of `replaced`, and every
    /// article is recorded for it. A request to rebuild is carried out by this.
    pub(super) async fn create(
        &self,
        state: State,
        embedder: &Embedder,
        setting: &StoredModel,
        replaced: Option<&index_generation::Model>,
    ) -> Result<Target, SyncError> {
        let model = embedder.model();
        let identity = self.identity(&model.fingerprint, model.dimension).await?;
        let location = format!("generation_{}", uuid::Uuid::new_v4().simple());
        let tables = self.index.create(&location, &identity).await?;
        let versions = tables.versions().await?;

        let transaction = self.db.transaction().await?;
        if let Some(row) = replaced {
            row.clone().delete(&transaction).await?;
        }
        if state == State::Live {
            outbox::record_everything(&transaction).await?;
        }
        outbox::withdraw(&transaction, outbox::Request::Rebuild).await?;
        let row = index_generation::ActiveModel {
            state: Set(state),
            model: Set(model.name.clone()),
            model_setting: Set(setting.setting.clone()),
            arithmetic: Set(setting.arithmetic.clone()),
            precision_setting: Set(setting.precision.clone()),
            arithmetic_trials: Set(serde_json::to_string(embedder.trials()).ok()),
            probe_vectors: Set(Some(embedder.probes().iter().flat_map(Embedding::to_le_bytes).collect())),
            query_prompt: Set(setting.query_prompt.clone()),
            passage_prompt: Set(setting.passage_prompt.clone()),
            fingerprint: Set(model.fingerprint.clone()),
            dimension: Set(i32::try_from(model.dimension).unwrap_or(i32::MAX)),
            location: Set(location),
            article_version: Set(as_sql(versions.articles)),
            passage_version: Set(as_sql(versions.passages)),
            version_stamp: Set(versions.stamp),
            created_at: Set(outbox::unix_millis()),
            ..Default::default()
        };
        let row = row.insert(&transaction).await?;
        transaction.commit().await?;
        let generation = OpenGeneration { id: row.id, tables };
        Ok(Target { generation, embedder: embedder.clone(), passages_max: self.passages_max })
    }

    /// Removes a generation that answers no search: its row, then its tables. Tables that can't be removed are left to
    /// [`Generations::remove_unknown`].
    pub(super) async fn delete(&self, row: &index_generation::Model) -> Result<(), SyncError> {
        let transaction = self.db.transaction().await?;
        row.clone().delete(&transaction).await?;
        transaction.commit().await?;
        self.remove_tables(row).await;
        Ok(())
    }

    pub(super) async fn remove_tables(&self, row: &index_generation::Model) {
        if let Err(error) = self.index.remove(&row.location).await {
            tracing::warn!(generation = row.id, error = %Chain(&error), "index.tables_left");
        }
    }

    /// Removes tables of this database that belong to no generation. For the holder of the writer lock.
    pub(super) async fn remove_unknown(&self) -> Result<(), SyncError> {
        let uuid = outbox::database_uuid(self.db.reader()).await?;
        let rows = index_generation::Entity::find().all(self.db.reader()).await?;
        let known: Vec<_> = rows.into_iter().map(|row| row.location).collect();
        let removed = self.index.remove_unknown(&uuid, &known).await?;
        if removed > 0 {
            tracing::info!(tables = removed, "index.unknown_tables_removed");
        }
        Ok(())
    }

    async fn open_tables(&self, row: &index_generation::Model) -> Result<OpenGeneration, SyncError> {
        let dimension = usize::try_from(row.dimension).unwrap_or(0);
        let identity = self.identity(&row.fingerprint, dimension).await?;
        let tables = self.index.open(&row.location, &identity, recorded_versions(row)).await?;
        Ok(OpenGeneration { id: row.id, tables })
    }

    async fn identity(&self, fingerprint: &str, dimension: usize) -> Result<GenerationIdentity, SyncError> {
        Ok(GenerationIdentity {
            database_uuid: outbox::database_uuid(self.db.reader()).await?,
            fingerprint: fingerprint.to_owned(),
            dimension,
        })
    }

    /// The index is not what SQL records: a process ended between writing and recording, or one of the two was restored
    /// from a backup. What SQL does not know of is undone, and what is live is compared once.
    async fn restore(
        &self,
        generation: &OpenGeneration,
        recorded: Versions,
        compare: bool,
    ) -> Result<(), SyncError> {
        tracing::warn!(
            generation = generation.id,
            "index.differs_from_sql: taking it back to what SQL records"
        );
        generation.tables.restore(recorded).await?;
        let transaction = self.db.transaction().await?;
        record_versions(&transaction, generation.id, generation.tables.versions().await?).await?;
        if compare {
            outbox::submit(&transaction, outbox::Request::Reconcile).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// What opens the model of a generation again.
pub(super) fn stored_model(row: &index_generation::Model) -> StoredModel {
    StoredModel {
        setting: row.model_setting.clone(),
        precision: row.precision_setting.clone(),
        arithmetic: row.arithmetic.clone(),
        query_prompt: row.query_prompt.clone(),
        passage_prompt: row.passage_prompt.clone(),
    }
}

fn trials(row: &index_generation::Model) -> Vec<Trial> {
    let trials = row.arithmetic_trials.as_deref().and_then(|trials| serde_json::from_str(trials).ok());
    trials.unwrap_or_default()
}

/// Brings a generation into another state.
pub(super) async fn set_state<C>(connection: &C, id: i64, state: State) -> Result<(), SyncError>
where
    C: ConnectionTrait,
{
    let mut row = index_generation::ActiveModel {
        id: Set(id),
        state: Set(state),
        rate: Set(None),
        ..Default::default()
    };
    if state == State::Retired {
        row.retired_at = Set(Some(outbox::unix_millis()));
    }
    row.update(connection).await?;
    Ok(())
}

/// The versions that SQL says belong together.
pub fn recorded_versions(row: &index_generation::Model) -> Versions {
    Versions {
        articles: u64::try_from(row.article_version).unwrap_or(0),
        passages: u64::try_from(row.passage_version).unwrap_or(0),
        stamp: row.version_stamp,
    }
}

/// What searches see of a generation.
pub fn view_of(generation: i64, versions: Versions) -> SearchView {
    SearchView { generation, article_version: versions.articles, passage_version: versions.passages }
}
